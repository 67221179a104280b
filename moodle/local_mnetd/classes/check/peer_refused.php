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

/**
 * Has the register refused something that is still to be looked at?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_refused extends peer_base {
    /**
     * Counts the refused jobs.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $count = $DB->count_records('local_mnetd_queue', ['hostid' => $this->host->id, 'state' => 'refused']);
        if (!$count) {
            return $this->found(result::OK, 'ok', $this->names());
        }
        $this->mend_at(
            '/local/mnetd/index.php',
            [],
            get_string('refusedjobs', 'local_mnetd'),
            'refused-' . $this->host->id
        );
        return $this->found(result::WARNING, 'some', $this->names(['count' => $count]));
    }
}
