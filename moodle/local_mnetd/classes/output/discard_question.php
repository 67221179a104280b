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

namespace local_mnetd\output;

use local_mnetd\labels;
use local_mnetd\peers;
use local_mnetd\queue;

/**
 * What is asked before refused jobs are thrown away.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class discard_question {
    /**
     * The question.
     *
     * @param string $action discard or discardall
     * @param \stdClass $host the register's row of mnet_host
     * @param int $jobid the job, for discard
     * @return string HTML
     * @throws \moodle_exception where the job is no longer there
     */
    public static function of(string $action, \stdClass $host, int $jobid): string {
        global $DB;
        if ($action === 'discardall') {
            $a = ['count' => queue::refused($host->id), 'peer' => s(peers::name($host))];
            return get_string('discardallconfirm', 'local_mnetd', $a);
        }
        $job = $DB->get_record('local_mnetd_queue', ['id' => $jobid, 'hostid' => $host->id, 'state' => queue::REFUSED]);
        if (!$job) {
            throw new \moodle_exception('nosuchjob', 'local_mnetd', new \moodle_url('/local/mnetd/index.php'));
        }
        return get_string('discardconfirm', 'local_mnetd', s((new labels([$job]))->text($job)));
    }
}
