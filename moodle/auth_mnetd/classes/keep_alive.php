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
 * Telling identity providers that their users are still here.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * Sessions that came from peers, and which of them are in use.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class keep_alive {
    /** @var int for how many seconds after its last request a session counts as in use: two rounds of the task */
    const IN_USE = 600;

    /** @var int usernames in one call: a few kilobytes */
    const IN_ONE_CALL = 200;

    /** @var int seconds a peer may take; the next round comes soon */
    const TIMEOUT = 20;

    /**
     * Tells the peers whose users are here.
     *
     * @param int $now
     * @param int|null $hostid only this one; null: all
     * @param callable|null $say takes lines for people; null: for developers. What is printed in a peer's call spoils its answer
     * @return int[] how many users each was told of, by host id; -1: it could not be told
     */
    public static function tell(int $now, ?int $hostid = null, ?callable $say = null): array {
        $told = [];
        foreach (self::busy($now, $hostid) as $id => $byprefix) {
            $host = host::find($id);
            if (!$host || !$host->sends_its_users()) {
                continue;
            }
            $told[$id] = 0;
            foreach ($byprefix as $prefix => $usernames) {
                foreach (array_chunk(array_unique($usernames), self::IN_ONE_CALL) as $some) {
                    try {
                        (new peer($host))->call_at($prefix, 'keepalive_server', [$some], self::TIMEOUT);
                        $told[$id] += count($some);
                    } catch (\moodle_exception $e) {
                        $say ? $say($e->getMessage()) : debugging('auth_mnetd: ' . $e->getMessage(), DEBUG_DEVELOPER);
                        $told[$id] = -1;
                        break 2;
                    }
                }
            }
        }
        return $told;
    }

    /**
     * Who is busy here.
     *
     * @param int $now
     * @param int|null $hostid only users of this peer; null: of all
     * @return array host id => prefix => usernames
     */
    private static function busy(int $now, ?int $hostid): array {
        global $DB;
        $where = ['side' => sessions::IN] + ($hostid === null ? [] : ['hostid' => $hostid]);
        $busy = [];
        foreach ($DB->get_records('auth_mnetd_session', $where, 'hostid, id') as $row) {
            $session = sessions::of_moodle((int) $row->userid)[$row->sidhash] ?? null;
            if ($session && $session->timemodified >= $now - self::IN_USE) {
                $busy[(int) $row->hostid][$row->prefix][] = $row->username;
                $DB->set_field('auth_mnetd_session', 'timeseen', $now, ['id' => $row->id]);
            }
        }
        return $busy;
    }
}
