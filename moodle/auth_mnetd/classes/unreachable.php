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
 * A peer that could not be asked.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * No usable answer of a peer: not reached, not understood, not sealed, or nothing agreed with it.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class unreachable extends \moodle_exception {
    /**
     * No answer.
     *
     * @param host $host who was asked
     * @param string $why what went wrong
     */
    public function __construct(host $host, string $why) {
        $a = (object) ['host' => $host->name, 'wwwroot' => $host->wwwroot, 'why' => s(\core_text::substr($why, 0, 300))];
        parent::__construct('error:peerunreachable', 'auth_mnetd', '', $a, $why);
    }
}
