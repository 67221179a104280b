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
 * What an administrator should know.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * The plugin looks after itself: what stands, what is missing, and what to do about it. Asks no peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class check {
    /** @var string it is as it should be */
    const OK = 'ok';

    /** @var string it may be meant so */
    const NOTE = 'note';

    /** @var string single sign-on does not work so */
    const ERROR = 'error';

    /**
     * All checks.
     *
     * @return array list of state and text
     */
    public static function all(): array {
        return array_merge(self::site(), self::hosts());
    }

    /**
     * Whether PHP can seal messages.
     *
     * @return bool
     */
    public static function has_rc4(): bool {
        // The name alone is no proof: OpenSSL 3 lists it, and refuses it without its legacy provider.
        return extension_loaded('openssl') && @openssl_encrypt('probe', 'rc4', str_repeat('k', 16), OPENSSL_RAW_DATA) !== false;
    }

    /**
     * All checks, as a list for a page.
     *
     * @return string HTML
     */
    public static function html(): string {
        $classes = [
            self::OK => 'badge badge-success bg-success text-white',
            self::NOTE => 'badge badge-warning bg-warning text-dark',
            self::ERROR => 'badge badge-danger bg-danger text-white',
        ];
        $items = [];
        foreach (self::all() as $check) {
            $badge = \html_writer::span(get_string('check:' . $check['state'], 'auth_mnetd'), $classes[$check['state']]);
            $items[] = \html_writer::tag('li', $badge . ' ' . $check['text'], ['class' => 'mb-2']);
        }
        return \html_writer::tag('ul', implode('', $items), ['class' => 'list-unstyled auth_mnetd-checks']);
    }

    /**
     * What concerns the site.
     *
     * @return array list of state and text
     */
    private static function site(): array {
        global $CFG, $DB;
        $ison = ($CFG->mnet_dispatcher_mode ?? 'off') === 'strict';
        $roles = get_roles_with_capability(departure::CAPABILITY, CAP_ALLOW, \context_system::instance());
        $names = implode(', ', array_map('s', role_fix_names($roles, null, ROLENAME_ORIGINAL, true)));
        $expires = (int) $DB->get_field('mnet_host', 'public_key_expires', ['id' => $CFG->mnet_localhost_id]);
        $checks = [
            self::line('network', $ison ? self::OK : self::ERROR),
            self::line('enabled', is_enabled_auth('mnetd') ? self::OK : self::ERROR),
            self::line('rc4', self::has_rc4() ? self::OK : self::ERROR),
            self::line('capability', $roles ? self::OK : self::NOTE, $names),
        ];
        if ($ison && $expires) {
            $checks[] = self::line('key', $expires > time() ? self::OK : self::NOTE, userdate($expires));
        }
        if (functions::is_core_in_use()) {
            $checks[] = self::line('beside', self::NOTE);
        }
        return $checks;
    }

    /**
     * What concerns hosts.
     *
     * @return array list of state and text
     */
    private static function hosts(): array {
        global $CFG;
        require_once($CFG->dirroot . '/mnet/lib.php');
        $hosts = host::all();
        $checks = $hosts ? [] : [self::line('nohost', self::NOTE)];
        foreach ($hosts as $host) {
            $a = ['host' => s($host->name), 'wwwroot' => s($host->wwwroot)];
            foreach (['go' => $host->missing_to_go(), 'come' => $host->missing_to_come()] as $way => $missing) {
                $a['missing'] = departure::ticks($missing);
                // Both missing is a decision, one of two is an oversight.
                $state = [self::OK, self::ERROR, self::NOTE][count($missing)];
                $checks[] = self::line($way . (count($missing) === 2 ? 'no' : ''), $state, (object) $a);
            }
            $known = (new peer($host))->known();
            if ($known && $known->error) {
                $a['why'] = s($known->error);
                $checks[] = self::line('peererror', self::ERROR, (object) $a);
            } else if ($known) {
                $a['methods'] = s(self::by_place($known->methods));
                $checks[] = self::line('peer', $known->methods ? self::OK : self::NOTE, (object) $a);
            }
            $paths = $known ? implode(' ', $known->methods) : '';
            $hasonlycore = strpos($paths, peer::USUAL) !== false && strpos($paths, peer::PREFIXES[0]) === false;
            // Who was registered as mnetd is mnetd, and asks under every path.
            $ismnetd = $host->landpath === '/auth/mnetd/land.php';
            if ($hasonlycore && !$ismnetd && !functions::is_core_in_use()) {
                $checks[] = self::line('onlycore', self::NOTE, (object) $a);
            }
            if ($host->takes_our_users() && !in_array('idnumber', mnet_fields_to_send($host->core_peer()), true)) {
                $checks[] = self::line('idnumber', self::NOTE, (object) $a);
            }
        }
        return $checks;
    }

    /**
     * Functions, named once for each place they stand at.
     *
     * @param string[] $methods paths
     * @return string
     */
    private static function by_place(array $methods): string {
        $places = [];
        foreach ($methods as $path) {
            $places[dirname($path)][] = basename($path);
        }
        ksort($places);
        return implode('; ', array_map(function (string $place, array $names): string {
            sort($names);
            return $place . ' (' . implode(', ', $names) . ')';
        }, array_keys($places), $places));
    }

    /**
     * One line: the text of what was looked at, in the state it is in.
     *
     * @param string $what
     * @param string $state
     * @param mixed $a what the text names
     * @return array state and text
     */
    private static function line(string $what, string $state, $a = null): array {
        return ['state' => $state, 'text' => get_string("check:{$what}_{$state}", 'auth_mnetd', $a)];
    }
}
