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
 * The tokens users travel with.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once($GLOBALS['CFG']->dirroot . '/mnet/xmlrpc/serverlib.php');

/**
 * Tokens: random, stored as a hash, good once, for one peer, one browser, half a minute.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class tokens {
    /** @var int seconds a token is good for */
    const LIFETIME = 30;

    /** @var int seconds it is remembered that a peer's token was presented here: longer than any peer keeps one */
    const REMEMBERED = 30 * DAYSECS;

    /**
     * A token for a user on the way to a peer.
     *
     * @param int $userid who
     * @param int $hostid where to
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @param string $sidhash of the session
     * @param int $now
     * @return string 40 hexadecimal digits
     */
    public static function issue(int $userid, int $hostid, string $useragent, string $sidhash, int $now): string {
        global $DB;
        $token = bin2hex(random_bytes(20));
        $DB->insert_record('auth_mnetd_token', (object) [
            'tokenhash' => self::hash($token),
            'userid' => $userid,
            'hostid' => $hostid,
            'useragent' => $useragent,
            'sidhash' => $sidhash,
            'claim' => '-',
            'timeexpires' => $now + self::LIFETIME,
        ]);
        return $token;
    }

    /**
     * Redeems a token. Whatever comes of it, the token is spent once the right peer has presented it.
     *
     * @param string $token as presented
     * @param int $hostid the peer that presents it
     * @param string $useragent SHA-1 of the User-Agent the peer saw
     * @param int $now
     * @return \stdClass userid, sidhash
     * @throws \mnet_server_exception 1: no such token for this peer and browser, 2: too late
     */
    public static function redeem(string $token, int $hostid, string $useragent, int $now): \stdClass {
        global $DB;
        $hash = self::hash($token);
        // Of several that present it at once, this one statement decides: only one of them finds it unclaimed.
        $claim = bin2hex(random_bytes(20));
        $DB->execute(
            "UPDATE {auth_mnetd_token} SET claim = :claim WHERE tokenhash = :hash AND hostid = :hostid AND claim = :nobody",
            ['claim' => $claim, 'hash' => $hash, 'hostid' => $hostid, 'nobody' => '-']
        );
        $row = $DB->get_record('auth_mnetd_token', ['tokenhash' => $hash, 'claim' => $claim]);
        if (!$row) {
            throw new \mnet_server_exception(1, 'fault:nosuchtoken', 'auth_mnetd');
        }
        $DB->delete_records('auth_mnetd_token', ['id' => $row->id]);
        if (!hash_equals($row->useragent, \core_text::strtolower($useragent))) {
            throw new \mnet_server_exception(1, 'fault:nosuchtoken', 'auth_mnetd');
        }
        if ($row->timeexpires < $now) {
            throw new \mnet_server_exception(2, 'fault:tokenexpired', 'auth_mnetd');
        }
        return (object) ['userid' => (int) $row->userid, 'sidhash' => $row->sidhash];
    }

    /**
     * Notes that a peer's token was presented here, before the peer is asked about it.
     *
     * @param string $token as presented
     * @param int $hostid the peer it is said to come from
     * @param int $now
     * @return bool false: it was presented before
     */
    public static function present(string $token, int $hostid, int $now): bool {
        global $DB;
        $row = ['hostid' => $hostid, 'tokenhash' => self::hash($token)];
        if ($DB->record_exists('auth_mnetd_seen', $row)) {
            return false;
        }
        try {
            // The unique index decides between two that come at once.
            $DB->insert_record('auth_mnetd_seen', (object) ($row + ['timeexpires' => $now + self::REMEMBERED]));
        } catch (\dml_write_exception $e) {
            if ($DB->record_exists('auth_mnetd_seen', $row)) {
                return false;
            }
            throw $e;
        }
        return true;
    }

    /**
     * Notes that the peer does not vouch for a token: it will not later either, and anybody can make such tokens up.
     *
     * @param string $token as presented
     * @param int $hostid the peer
     * @param int $now
     */
    public static function refused(string $token, int $hostid, int $now): void {
        global $DB;
        $row = ['hostid' => $hostid, 'tokenhash' => self::hash($token)];
        $DB->set_field('auth_mnetd_seen', 'timeexpires', $now + HOURSECS, $row);
    }

    /**
     * Ends the journeys that began in a session.
     *
     * @param string $sidhash of the session
     */
    public static function cancel(string $sidhash): void {
        global $DB;
        $DB->delete_records('auth_mnetd_token', ['sidhash' => $sidhash]);
    }

    /**
     * Forgets what nobody can use any more.
     *
     * @param int $now
     */
    public static function forget(int $now): void {
        global $DB;
        // An hour longer than it is good, so that who is late hears that and not that there is none.
        $DB->delete_records_select('auth_mnetd_token', 'timeexpires < ?', [$now - HOURSECS]);
        $DB->delete_records_select('auth_mnetd_seen', 'timeexpires < ?', [$now]);
    }

    /**
     * What is stored of a token.
     *
     * @param string $token
     * @return string
     */
    private static function hash(string $token): string {
        return hash('sha256', $token);
    }
}
