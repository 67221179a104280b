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

namespace local_mnetd\check;

use core\check\result;
use local_mnetd\livetest;

/**
 * What the last press of “Test now” found. The test itself calls the register, which no report should do.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_test extends peer_base {
    /**
     * Looks at what was written down.
     *
     * @return result
     */
    protected function look(): result {
        $this->mend_at('/local/mnetd/index.php', [], get_string('status', 'local_mnetd'));
        $test = livetest::last($this->host->id);
        if (!$test) {
            return $this->found(result::INFO, 'never', $this->names());
        }
        $names = $this->names(['ago' => self::ago($test->time)]);
        $worst = $test->worst();
        if ($worst->status === result::OK) {
            return $this->found(result::OK, 'ok', $names);
        }
        return $this->found($worst->status, 'wrong', $names + ['step' => $worst->name(), 'summary' => $worst->summary()]);
    }
}
