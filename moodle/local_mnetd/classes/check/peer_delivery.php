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
 * Does what waits get to the register?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_delivery extends peer_base {
    /** @var int seconds: cron runs each minute, so a job that is older is held up by something. */
    const SLOW = 900;

    /** @var int seconds after which somebody should look. */
    const STUCK = 14400;

    /**
     * Looks at the queue and at what became of the last attempt.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $peer = $DB->get_record('local_mnetd_peer', ['hostid' => $this->host->id]);
        $waiting = $DB->get_record_sql(
            "SELECT COUNT(*) AS jobs, MIN(timecreated) AS oldest
               FROM {local_mnetd_queue}
              WHERE hostid = :hostid AND state = :state",
            ['hostid' => $this->host->id, 'state' => 'waiting']
        );
        $age = $waiting->jobs ? max(0, time() - $waiting->oldest) : 0;
        $last = $peer ? (int) $peer->lastsuccess : 0;
        $names = $this->names([
            'jobs' => (int) $waiting->jobs,
            'age' => self::ago((int) $waiting->oldest),
            'last' => $last ? self::ago($last) : get_string('never'),
        ]);
        if ($peer && $peer->failures > 0) {
            $names['error'] = s($peer->lasterror);
            $names['failures'] = (int) $peer->failures;
            $names['since'] = self::ago((int) $peer->lasterrortime);
            $names['next'] = userdate((int) $peer->nexttry, get_string('strftimedatetime', 'core_langconfig'));
            return $this->found($age > self::STUCK ? result::ERROR : result::WARNING, 'failing', $names);
        }
        if ($age > self::SLOW) {
            return $this->found($age > self::STUCK ? result::ERROR : result::WARNING, 'slow', $names);
        }
        if (!$last) {
            return $this->found(result::INFO, 'never', $names);
        }
        return $this->found(result::OK, $waiting->jobs ? 'waiting' : 'ok', $names);
    }
}
