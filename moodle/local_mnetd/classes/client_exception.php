<?php
// This file is part of Moodle - https://moodle.org/
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
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

namespace local_mnetd;

/**
 * Why a call to a peer brought no result at all. The message is written for a school's administrator.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class client_exception extends \moodle_exception {
    /** @var string nothing was sent, for a reason that lies on this site */
    const HERE = 'here';

    /** @var string nobody answered, or not in time; the call may have been carried out all the same */
    const UNREACHABLE = 'unreachable';

    /** @var string the peer answered the message as a whole with a fault; nothing of it was carried out */
    const REFUSED = 'refused';

    /** @var string something answered that cannot be read or believed; the call may have been carried out all the same */
    const GARBLED = 'garbled';

    /** @var string one of the constants above */
    public $kind;

    /** @var int the code of the fault, 0 where there is none */
    public $faultcode;

    /** @var string the text of the fault as the peer wrote it, or the error below the message; '' where there is none */
    public $faulttext;

    /**
     * A reason, with the sentence that explains it.
     *
     * @param string $kind one of the constants above
     * @param string $identifier the string of local_mnetd that explains it
     * @param array $a what the string wants filled in
     * @param int $faultcode the code of the fault, 0 where there is none
     * @param string $faulttext the text of the fault or the error below
     */
    public function __construct(string $kind, string $identifier, array $a = [], int $faultcode = 0, string $faulttext = '') {
        $this->kind = $kind;
        $this->faultcode = $faultcode;
        $this->faulttext = $faulttext;
        parent::__construct($identifier, 'local_mnetd', '', (object) $a);
    }
}
