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
 * Sessions that cross sites.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * Which sessions came from a peer or went to one, and Moodle's own sessions behind them.
 *
 * Session ids are kept as hashes: who reads the table cannot use them.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class sessions {
    /** @var string a user of ours is at the peer */
    const OUT = 'out';

    /** @var string a user of the peer is here */
    const IN = 'in';

    /** @var int seconds for which a row is kept although its session is not found: a sign-in under way */
    const SETTLING = 600;

    /**
     * What is stored of a session id.
     *
     * @param string $sid
     * @return string
     */
    public static function hash(string $sid): string {
        return hash('sha256', $sid);
    }

    /**
     * Notes that a session came from a peer or went to one.
     *
     * @param string $side OUT or IN
     * @param int $userid whose, here
     * @param int $hostid the peer
     * @param string $username as the identity provider names the user
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @param string $sidhash of the session here
     * @param string $prefix where the peer's functions for it stand
     * @param int $now
     */
    public static function note(
        string $side,
        int $userid,
        int $hostid,
        string $username,
        string $useragent,
        string $sidhash,
        string $prefix,
        int $now
    ): void {
        global $DB;
        $key = ['side' => $side, 'hostid' => $hostid, 'userid' => $userid, 'sidhash' => $sidhash];
        $told = [
            'username' => \core_text::substr($username, 0, 100),
            'useragent' => $useragent,
            'prefix' => $prefix,
            'timeseen' => $now,
        ];
        $id = $DB->get_field('auth_mnetd_session', 'id', $key);
        if (!$id) {
            try {
                $DB->insert_record('auth_mnetd_session', (object) ($key + $told + ['timecreated' => $now]));
                return;
            } catch (\dml_write_exception $e) {
                // Two jumps of one session at once: the other one wrote it.
                $id = $DB->get_field('auth_mnetd_session', 'id', $key);
                if (!$id) {
                    throw $e;
                }
            }
        }
        $DB->update_record('auth_mnetd_session', (object) ($told + ['id' => $id]));
    }

    /**
     * Rows of one session.
     *
     * @param string $sidhash of the session
     * @return \stdClass[] rows
     */
    public static function of_session(string $sidhash): array {
        global $DB;
        return $DB->get_records('auth_mnetd_session', ['sidhash' => $sidhash], 'id');
    }

    /**
     * Rows of a user in a browser at a peer, as a peer names them.
     *
     * @param string $side OUT or IN
     * @param int $hostid the peer that names them
     * @param string $username as the identity provider names the user
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return \stdClass[] rows
     */
    public static function named(string $side, int $hostid, string $username, string $useragent): array {
        global $DB;
        $useragent = \core_text::strtolower($useragent);
        return $DB->get_records('auth_mnetd_session', [
            'side' => $side, 'hostid' => $hostid, 'username' => $username, 'useragent' => $useragent,
        ], 'id');
    }

    /**
     * Forgets rows.
     *
     * @param \stdClass[] $rows
     */
    public static function forget(array $rows): void {
        global $DB;
        if ($rows) {
            $DB->delete_records_list('auth_mnetd_session', 'id', array_column($rows, 'id'));
        }
    }

    /**
     * A sign-in gives the session a new id: its rows go with it.
     *
     * @param string $from hash of the id it had
     * @param string $to hash of the id it has
     */
    public static function moved(string $from, string $to): void {
        global $DB;
        foreach ($from === $to ? [] : self::of_session($from) as $row) {
            $key = ['side' => $row->side, 'hostid' => $row->hostid, 'userid' => $row->userid, 'sidhash' => $to];
            if ($DB->record_exists('auth_mnetd_session', $key)) {
                self::forget([$row]);
            } else {
                $DB->set_field('auth_mnetd_session', 'sidhash', $to, ['id' => $row->id]);
            }
        }
    }

    /**
     * Moodle's sessions of a user.
     *
     * @param int $userid
     * @return \stdClass[] by the hash of their id
     */
    public static function of_moodle(int $userid): array {
        global $DB;
        // Since 4.5 a session handler may keep them elsewhere than in the database.
        if (method_exists(\core\session\manager::class, 'get_sessions_by_userid')) {
            $records = \core\session\manager::get_sessions_by_userid($userid);
        } else {
            $records = $DB->get_records('sessions', ['userid' => $userid]);
        }
        $byhash = [];
        foreach ($records as $record) {
            $byhash[self::hash($record->sid)] = $record;
        }
        return $byhash;
    }

    /**
     * Ends one of Moodle's sessions.
     *
     * @param int $userid whose
     * @param string $sidhash which
     * @return bool false: there is none
     */
    public static function end(int $userid, string $sidhash): bool {
        $session = self::of_moodle($userid)[$sidhash] ?? null;
        if (!$session) {
            return false;
        }
        // Moodle 4.5 gave it another name.
        if (method_exists(\core\session\manager::class, 'destroy')) {
            \core\session\manager::destroy($session->sid);
        } else {
            \core\session\manager::kill_session($session->sid);
        }
        return true;
    }

    /**
     * Keeps one of Moodle's sessions from running out.
     *
     * @param int $userid whose
     * @param string $sidhash which
     * @return bool false: there is none
     */
    public static function touch(int $userid, string $sidhash): bool {
        $session = self::of_moodle($userid)[$sidhash] ?? null;
        if (!$session) {
            return false;
        }
        \core\session\manager::touch_session($session->sid);
        return true;
    }

    /**
     * Forgets rows of sessions that are over, and ends those of users of hosts that were deleted.
     *
     * @param int $now
     */
    public static function tidy_up(int $now): void {
        global $DB;
        $hosts = host::all();
        // Who came from a host that is gone is signed out at once, however busy.
        [$ofgone, $params] = $DB->get_in_or_equal(array_keys($hosts) ?: [0], SQL_PARAMS_NAMED, 'host', false);
        $where = "timeseen < :settled OR hostid $ofgone";
        $params['settled'] = $now - self::SETTLING;
        $rows = $DB->get_recordset_select('auth_mnetd_session', $where, $params, 'userid, id');
        $over = [];
        $userid = 0;
        $live = [];
        foreach ($rows as $row) {
            if ($row->userid != $userid) {
                $userid = (int) $row->userid;
                $live = self::of_moodle($userid);
            }
            $hasagreement = isset($hosts[(int) $row->hostid]);
            if (!$hasagreement && $row->side === self::IN) {
                self::end($userid, $row->sidhash);
            }
            if (!$hasagreement || !isset($live[$row->sidhash])) {
                $over[] = $row;
            }
        }
        $rows->close();
        foreach (array_chunk($over, 500) as $some) {
            self::forget($some);
        }
    }
}
