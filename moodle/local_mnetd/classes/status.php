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
 * How the exchange with registers stands, for programs and for the command line.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class status {
    /**
     * How it stands with one register.
     *
     * @param int $hostid its id in mnet_host
     * @return array moments in unix seconds, 0 for never; sync is null where there was none
     */
    public static function of(int $hostid): array {
        global $DB;

        $host = $DB->get_record('mnet_host', ['id' => $hostid], 'id, wwwroot, name', MUST_EXIST);
        $peer = $DB->get_record('local_mnetd_peer', ['hostid' => $hostid]);
        $oldest = $DB->get_field_select(
            'local_mnetd_queue',
            'MIN(timecreated)',
            'hostid = ? AND state = ?',
            [$hostid, queue::WAITING]
        );
        $sync = synchroniser::progress($hostid);
        return [
            'hostid' => (int) $host->id,
            'wwwroot' => $host->wwwroot,
            'name' => peers::name($host),
            'waiting' => queue::waiting($hostid),
            'oldest' => (int) $oldest,
            'refused' => queue::refused($hostid),
            'lastsuccess' => (int) ($peer->lastsuccess ?? 0),
            'failures' => (int) ($peer->failures ?? 0),
            'nexttry' => (int) ($peer->nexttry ?? 0),
            'lasterror' => (string) ($peer->lasterror ?? ''),
            'lasterrortime' => (int) ($peer->lasterrortime ?? 0),
            'sync' => $sync === null ? null : [
                'mode' => $sync->mode,
                'phase' => $sync->phase,
                'running' => $sync->running,
                'percent' => $sync->percent,
                'done' => (int) $sync->done,
                'total' => (int) $sync->total,
                'queued' => (int) $sync->queued,
                'timestarted' => (int) $sync->timestarted,
                'timefinished' => (int) $sync->timefinished,
                'error' => (string) $sync->error,
            ],
        ];
    }

    /**
     * The registers that a command is about.
     *
     * @param string $wwwroot the address of one; '' for all
     * @return int[] their ids in mnet_host
     * @throws \moodle_exception where there is no such register, or none at all
     */
    public static function chosen(string $wwwroot): array {
        global $DB;

        $hosts = scope::hosts();
        if (!$hosts) {
            throw new \moodle_exception('noregister', 'local_mnetd');
        }
        if ($wwwroot === '') {
            return $hosts;
        }
        $wwwroots = $DB->get_records_list('mnet_host', 'id', $hosts, 'id', 'id, wwwroot');
        foreach ($wwwroots as $host) {
            if ($host->wwwroot === rtrim($wwwroot, '/')) {
                return [(int) $host->id];
            }
        }
        throw new \moodle_exception(
            'cli_badpeer',
            'local_mnetd',
            '',
            ['peer' => $wwwroot, 'registers' => implode(', ', array_column($wwwroots, 'wwwroot'))]
        );
    }

    /**
     * How it stands with one register, in lines for people.
     *
     * @param array $status made by of()
     * @return string[]
     */
    public static function lines(array $status): array {
        $moment = function (int $seconds): string {
            return $seconds ? userdate($seconds, '%Y-%m-%d %H:%M:%S') : get_string('never');
        };
        $lines = [$status['wwwroot'] . ' (' . $status['name'] . ')'];
        $lines[] = get_string('status_queue', 'local_mnetd', $status);
        $lines[] = get_string('status_lastsuccess', 'local_mnetd', $moment($status['lastsuccess']));
        if ($status['failures']) {
            $lines[] = get_string('status_errorat', 'local_mnetd', ['failures' => $status['failures'],
                'nexttry' => $moment($status['nexttry']), 'lasterror' => $status['lasterror']]);
        }
        if ($status['sync']) {
            $lines[] = get_string('status_sync', 'local_mnetd', $status['sync']);
            if ($status['sync']['error'] !== '') {
                $lines[] = '  ' . $status['sync']['error'];
            }
        }
        return $lines;
    }
}
