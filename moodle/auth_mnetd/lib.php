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
 * Callbacks of Moodle.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Puts the network servers on a user's own profile page.
 *
 * @param \core_user\output\myprofile\tree $tree of the page
 * @param stdClass $user whose page
 * @param bool $iscurrentuser whether it is the user's own
 * @param stdClass|null $course within a course
 */
function auth_mnetd_myprofile_navigation(\core_user\output\myprofile\tree $tree, $user, $iscurrentuser, $course): void {
    $hosts = $iscurrentuser ? \auth_mnetd\menu::hosts($user) : [];
    if (!$hosts) {
        return;
    }
    $title = get_string('networkservers', 'auth_mnetd');
    $tree->add_category(new \core_user\output\myprofile\category('auth_mnetd', $title, 'miscellaneous'));
    foreach ($hosts as $host) {
        $url = \auth_mnetd\menu::jump($host);
        $name = format_string($host->name);
        $tree->add_node(new \core_user\output\myprofile\node('auth_mnetd', 'host' . $host->id, $name, null, $url));
    }
}

/**
 * Puts the network servers beside the user menu where a plugin cannot add to that: before Moodle 4.5.
 *
 * @param renderer_base $renderer of the page
 * @return string HTML
 */
function auth_mnetd_render_navbar_output(\renderer_base $renderer): string {
    global $USER;
    if (class_exists(\core_user\hook\extend_user_menu::class) || !isloggedin()) {
        return '';
    }
    return \auth_mnetd\menu::html($USER, $renderer);
}
