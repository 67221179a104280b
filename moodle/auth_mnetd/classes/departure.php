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
 * The way out to a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A user of this site who sets out for a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class departure {
    /** @var string the capability it takes, core's own */
    const CAPABILITY = 'moodle/site:mnetlogintoremote';

    /**
     * Whether somebody may set out at all.
     *
     * @param \stdClass $user who is signed in
     * @return string|null why not: the key of a text; null: may
     */
    public static function hindrance(\stdClass $user): ?string {
        if (empty($user->id) || isguestuser($user)) {
            return 'guest';
        }
        if (\core\session\manager::is_loggedinas()) {
            return 'loggedinas';
        }
        if (self::is_remote($user)) {
            return 'remoteuser';
        }
        if (!has_capability(self::CAPABILITY, \context_system::instance(), $user)) {
            return 'nocapability';
        }
        return null;
    }

    /**
     * Makes sure that who is signed in may go to a host, before it is asked anything.
     *
     * @param host $host
     * @throws refusal
     */
    public static function require_allowed(host $host): void {
        global $USER;
        $why = self::hindrance($USER);
        if ($why) {
            throw new refusal($why, s($host->name));
        }
        $missing = $host->missing_to_go();
        if ($missing) {
            throw new refusal('notagreed', (object) ['host' => s($host->name), 'missing' => self::ticks($missing)]);
        }
    }

    /**
     * Whether somebody belongs to another site.
     *
     * @param \stdClass $user
     * @return bool
     */
    private static function is_remote(\stdClass $user): bool {
        global $CFG;
        return !empty($user->mnethostid) && (int) $user->mnethostid !== (int) $CFG->mnet_localhost_id;
    }

    /**
     * Begins the journey of who is signed in.
     *
     * @param host $host where to
     * @param string $wantsurl where on that site
     * @param string $useragent the browser's User-Agent
     * @return \moodle_url where to send the browser
     * @throws refusal
     */
    public static function begin(host $host, string $wantsurl, string $useragent): \moodle_url {
        global $CFG, $USER;
        self::require_allowed($host);
        $place = wantsurl::on($wantsurl, $host->wwwroot);
        if ($place === null) {
            throw new refusal('wantsurlelsewhere', s($host->name));
        }
        $sidhash = sessions::hash(session_id());
        // The peer may be asked now where its pages are: other requests of this browser need not wait for that.
        \core\session\manager::write_close();
        $page = (new peer($host))->land_page();
        $token = tokens::issue((int) $USER->id, $host->id, sha1($useragent), $sidhash, time());
        return new \moodle_url($page, ['token' => $token, 'idp' => $CFG->wwwroot, 'wantsurl' => $place]);
    }

    /**
     * Names ticks that are missing.
     *
     * @param string[] $missing keys as host gives them
     * @return string
     */
    public static function ticks(array $missing): string {
        return implode(', ', array_map(function (string $key): string {
            return get_string('tick:' . $key, 'auth_mnetd');
        }, $missing));
    }
}
