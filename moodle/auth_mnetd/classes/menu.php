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
 * Where users may go.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * The network servers a user is offered.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class menu {
    /** @var int hosts that are shown one by one in a menu; more are on a page of their own */
    const IN_MENU = 6;

    /**
     * The hosts somebody may go to.
     *
     * @param \stdClass $user who is signed in
     * @return host[] by id
     */
    public static function hosts(\stdClass $user): array {
        global $CFG;
        $isoff = ($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict' || !is_enabled_auth('mnetd');
        if ($isoff || departure::hindrance($user) !== null) {
            return [];
        }
        return array_filter(host::all(), function (host $host): bool {
            return $host->takes_our_users();
        });
    }

    /**
     * What a menu shows.
     *
     * @param \stdClass $user who is signed in
     * @return array list of title and url
     */
    public static function links(\stdClass $user): array {
        $hosts = self::hosts($user);
        $links = [];
        foreach (count($hosts) > self::IN_MENU ? [] : $hosts as $host) {
            $links[] = ['title' => format_string($host->name), 'url' => self::jump($host)];
        }
        if (count($hosts) > self::IN_MENU) {
            $links[] = ['title' => get_string('networkservers', 'auth_mnetd'), 'url' => new \moodle_url('/auth/mnetd/hosts.php')];
        }
        return $links;
    }

    /**
     * The same as a menu of its own.
     *
     * @param \stdClass $user who is signed in
     * @param \renderer_base $renderer of the page
     * @return string HTML; '' where there is nowhere to go
     */
    public static function html(\stdClass $user, \renderer_base $renderer): string {
        $links = self::links($user);
        if (!$links) {
            return '';
        }
        $menu = new \action_menu(array_map(function (array $link): \action_menu_link_secondary {
            return new \action_menu_link_secondary($link['url'], null, $link['title']);
        }, $links));
        $menu->set_menu_trigger(get_string('networkservers', 'auth_mnetd'), 'nav-link');
        return $renderer->render($menu);
    }

    /**
     * The way to a host.
     *
     * @param host $host
     * @param string $wantsurl where there
     * @return \moodle_url
     */
    public static function jump(host $host, string $wantsurl = ''): \moodle_url {
        $params = ['hostid' => $host->id] + ($wantsurl === '' ? [] : ['wantsurl' => $wantsurl]);
        return new \moodle_url('/auth/mnetd/jump.php', $params);
    }

    /**
     * The hosts whose users may come here, as the login page offers them.
     *
     * @param string $wantsurl where somebody wants to go here
     * @return array list of url, name and iconurl
     */
    public static function identity_providers(string $wantsurl): array {
        global $CFG, $OUTPUT;
        $isoff = ($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict' || !is_enabled_auth('mnetd');
        // Core's own plugin lists the same hosts.
        if ($isoff || functions::is_core_in_use()) {
            return [];
        }
        $place = wantsurl::on($wantsurl, $CFG->wwwroot) ?? '/';
        $providers = [];
        foreach (host::all() as $host) {
            if ($host->sends_its_users()) {
                $params = ['hostwwwroot' => $CFG->wwwroot, 'wantsurl' => $place, 'remoteurl' => 1];
                $providers[] = [
                    'url' => new \moodle_url((new peer($host))->jump_page(), $params),
                    'name' => format_string($host->name),
                    'iconurl' => $OUTPUT->image_url('icon', 'auth_mnetd'),
                ];
            }
        }
        return $providers;
    }
}
