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

use local_mnetd\synchroniser;

/**
 * How far the synchronisation of a register is, for people.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class progress {
    /**
     * What the template needs.
     *
     * @param int $hostid the register's id in mnet_host
     * @param int|null $now unix seconds; null for this moment
     * @return array
     */
    public static function of(int $hostid, ?int $now = null): array {
        global $DB;
        $now = $now ?? time();
        $run = $DB->get_record('local_mnetd_sync', ['hostid' => $hostid]);
        $nothing = [
            'sentence' => get_string('nosync', 'local_mnetd'),
            'wanted' => '',
            'error' => '',
            'running' => false,
            'percent' => 0,
            'phases' => [],
        ];
        if (!$run || !($run->timestarted || $run->timewanted)) {
            return $nothing;
        }
        $mode = get_string('mode_' . ($run->mode === 'full' ? 'full' : 'reconcile'), 'local_mnetd');
        $running = $run->timestarted && !$run->timefinished;
        $percent = self::percent((int) $run->done, (int) $run->total, !$running);
        $a = [
            'mode' => $mode,
            'phase' => self::phase_name($run->phase),
            'done' => (int) $run->done,
            'total' => max((int) $run->done, (int) $run->total),
            'queued' => (int) $run->queued,
            'percent' => $percent,
            'ago' => format_time(max(1, $now - (int) $run->timestarted)),
            'when' => userdate($run->timefinished ?: $run->timestarted, get_string('strftimedatetime', 'core_langconfig')),
        ];
        if ($running) {
            $sentence = get_string('progressnow', 'local_mnetd', $a);
        } else if ($run->timefinished) {
            $sentence = get_string('progressdone', 'local_mnetd', $a);
        } else {
            $sentence = get_string('nosync', 'local_mnetd');
        }
        // The column holds why the last step failed; or, where a comparison is wanted, why that is.
        return [
            'sentence' => $sentence,
            'wanted' => $run->timewanted
                ? get_string($running ? 'progressagain' : 'progresswanted', 'local_mnetd') . ' ' . $run->error : '',
            'error' => $running && !$run->timewanted ? (string) $run->error : '',
            'running' => $running,
            'percent' => $percent,
            'phases' => $running ? self::phases($run->phase) : [],
        ];
    }

    /**
     * The parts of a synchronisation, and which of them is under way.
     *
     * @param string $current the one that is
     * @return array
     */
    private static function phases(string $current): array {
        $phases = [];
        $place = array_search($current, synchroniser::PHASES, true);
        foreach (synchroniser::PHASES as $number => $phase) {
            $state = $place === false || $number > $place ? 'later' : ($number === $place ? 'now' : 'done');
            $phases[] = [
                'name' => self::phase_name($phase),
                'state' => get_string('phasestate_' . $state, 'local_mnetd'),
                'current' => $state === 'now',
            ];
        }
        return $phases;
    }

    /**
     * What a part is called.
     *
     * @param string $phase its name in the table
     * @return string
     */
    private static function phase_name(string $phase): string {
        $key = 'phase_' . $phase;
        return get_string_manager()->string_exists($key, 'local_mnetd') ? get_string($key, 'local_mnetd') : $phase;
    }

    /**
     * How much of a whole.
     *
     * @param int $done rows that were looked at
     * @param int $total rows there were at the start; more may have come since
     * @param bool $finished whether it came to its end
     * @return int 0 to 100; 100 only at the end
     */
    private static function percent(int $done, int $total, bool $finished): int {
        if ($finished) {
            return 100;
        }
        return $total > 0 ? min(99, (int) floor(100 * $done / $total)) : 0;
    }
}
