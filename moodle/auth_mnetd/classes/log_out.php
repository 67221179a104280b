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
 * Logging out, wherever it begins.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * The end of a session here ends it where it came from and where it went; a peer's word ends the
 * sessions that peer has to do with. A peer that does not answer hinders nobody.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class log_out {
    /** @var int seconds one peer may take */
    const TIMEOUT = 5;

    /** @var int seconds all peers may take together */
    const BUDGET = 15;

    /**
     * Somebody logs out here.
     *
     * @param string $sidhash of the session
     */
    public static function here(string $sidhash): void {
        tokens::cancel($sidhash);
        $rows = sessions::of_session($sidhash);
        sessions::forget($rows);
        self::tell($rows);
    }

    /**
     * A user of ours logged out at a peer (kill_children): the session here ends, and with it those at
     * other peers.
     *
     * @param int $hostid the peer that says so
     * @param string $username
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return int how many sessions the peer had to do with
     */
    public static function at_peer(int $hostid, string $username, string $useragent): int {
        return self::of_peer(sessions::OUT, $hostid, $username, $useragent)['known'];
    }

    /**
     * A user of a peer logged out there (kill_child).
     *
     * @param int $hostid the peer that says so
     * @param string $username as that peer names the user
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return bool whether a session ended
     */
    public static function at_home(int $hostid, string $username, string $useragent): bool {
        return self::of_peer(sessions::IN, $hostid, $username, $useragent)['ended'] > 0;
    }

    /**
     * Where a session came from, and whom its user returns to after logging out.
     *
     * @param string $sidhash of the session
     * @return host|null null: it did not come from a peer
     */
    public static function return_to(string $sidhash): ?host {
        foreach (sessions::of_session($sidhash) as $row) {
            if ($row->side === sessions::IN) {
                return host::find((int) $row->hostid);
            }
        }
        return null;
    }

    /**
     * Ends what a peer has to do with.
     *
     * @param string $side
     * @param int $hostid the peer
     * @param string $username
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return int[] known: how many it has to do with, ended: how many were still there
     */
    private static function of_peer(string $side, int $hostid, string $username, string $useragent): array {
        $named = sessions::named($side, $hostid, $username, $useragent);
        $ended = 0;
        $others = [];
        foreach ($named as $row) {
            $rows = sessions::of_session($row->sidhash);
            // First forgotten, then told: a peer that calls back finds nothing left to do.
            sessions::forget($rows);
            tokens::cancel($row->sidhash);
            $ended += (int) sessions::end((int) $row->userid, $row->sidhash);
            foreach ($rows as $other) {
                if ((int) $other->hostid !== $hostid) {
                    $others[] = $other;
                }
            }
        }
        self::tell($others);
        return ['known' => count($named), 'ended' => $ended];
    }

    /**
     * Tells peers that sessions are over.
     *
     * @param \stdClass[] $rows already forgotten
     */
    private static function tell(array $rows): void {
        $until = microtime(true) + self::BUDGET;
        $unreached = [];
        foreach ($rows as $row) {
            $host = host::find((int) $row->hostid);
            if (!$host) {
                continue;
            }
            $left = (int) floor($until - microtime(true));
            if ($left < 1 || isset($unreached[$host->id])) {
                debugging("auth_mnetd: {$host->wwwroot} was not told that a session is over.", DEBUG_DEVELOPER);
                continue;
            }
            try {
                self::tell_one($row, $host, min(self::TIMEOUT, $left));
            } catch (\moodle_exception $e) {
                $unreached[$host->id] = true;
                debugging("auth_mnetd: a session was not ended at {$host->wwwroot}: " . $e->getMessage(), DEBUG_DEVELOPER);
            }
        }
    }

    /**
     * Tells one peer that a session is over: at the plugin that vouched for it, or at each it may be with.
     *
     * @param \stdClass $row
     * @param host $host
     * @param int $timeout seconds
     */
    private static function tell_one(\stdClass $row, host $host, int $timeout): void {
        $peer = new peer($host);
        $params = [$row->username, $row->useragent];
        if ($row->side === sessions::IN) {
            $peer->call_at($row->prefix, 'kill_children', $params, $timeout);
            return;
        }
        $last = null;
        foreach ($peer->prefixes('kill_child') as $prefix) {
            try {
                if ($peer->call_at($prefix, 'kill_child', $params, $timeout)) {
                    return;
                }
            } catch (fault $e) {
                // A peer with both plugins may have this one switched off.
                $last = $e;
            }
        }
        if ($last) {
            throw $last;
        }
    }
}
