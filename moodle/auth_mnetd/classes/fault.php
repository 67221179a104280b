<?php
// This file is part of Moodle - http://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <http://www.gnu.org/licenses/>.

/**
 * An answer of a peer that says no.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A fault a peer answered with, under its signature.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class fault extends \moodle_exception {
    /** @var int the peer's number */
    public $faultcode;

    /** @var string the peer's text */
    public $faulttext;

    /**
     * A fault.
     *
     * @param host $host who answered
     * @param int $code its number
     * @param string $text its text
     */
    public function __construct(host $host, int $code, string $text) {
        $this->faultcode = $code;
        $this->faulttext = trim($text);
        $a = (object) ['host' => $host->name, 'code' => $code, 'text' => s(\core_text::substr($this->faulttext, 0, 300))];
        parent::__construct('error:peerfault', 'auth_mnetd', '', $a);
    }
}
