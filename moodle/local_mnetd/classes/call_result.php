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
 * What became of one call among those of a message.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class call_result {
    /** @var int the code of the fault; 0 where the call was carried out */
    public $faultcode = 0;

    /** @var string the text of the fault, as the register wrote it */
    public $faulttext = '';

    /** @var string what the register did: created, updated or unchanged; '' with a fault */
    public $status = '';

    /** @var int the register's number of the row, good for log files only; 0 with a fault */
    public $id = 0;

    /**
     * A call that was carried out.
     *
     * @param string $status created, updated or unchanged
     * @param int $id the register's number of the row
     * @return self
     */
    public static function done(string $status, int $id): self {
        $result = new self();
        $result->status = $status;
        $result->id = $id;
        return $result;
    }

    /**
     * A call that was refused.
     *
     * @param int $code the code of the fault
     * @param string $text its text
     * @return self
     */
    public static function refused(int $code, string $text): self {
        $result = new self();
        $result->faultcode = $code;
        $result->faulttext = $text;
        return $result;
    }

    /**
     * Was the call carried out?
     *
     * @return bool
     */
    public function is_done(): bool {
        return $this->status !== '';
    }
}
