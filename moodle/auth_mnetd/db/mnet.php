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
 * The services of single sign-on under their standard names, as any peer looks for them.
 *
 * Subscribed are the functions of both plugins a peer may have: a call is allowed by its path, and a
 * peer answers under the path of the plugin it has. The key of the second is only a label.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$publishes = [
    'sso_idp' => [
        'apiversion' => 1,
        'classname' => 'auth_plugin_mnetd',
        'filename' => 'auth.php',
        'methods' => [
            'user_authorise',
            'keepalive_server',
            'kill_children',
            'refresh_log',
            'fetch_user_image',
            'fetch_theme_info',
            'update_enrolments',
        ],
    ],
    'sso_sp' => [
        'apiversion' => 1,
        'classname' => 'auth_plugin_mnetd',
        'filename' => 'auth.php',
        'methods' => [
            'keepalive_client',
            'kill_child',
        ],
    ],
];
$subscribes = [
    'sso_idp' => [
        'user_authorise' => 'auth/mnetd/auth.php/user_authorise',
        'keepalive_server' => 'auth/mnetd/auth.php/keepalive_server',
        'kill_children' => 'auth/mnetd/auth.php/kill_children',
        'refresh_log' => 'auth/mnetd/auth.php/refresh_log',
        'fetch_user_image' => 'auth/mnetd/auth.php/fetch_user_image',
        'fetch_theme_info' => 'auth/mnetd/auth.php/fetch_theme_info',
        'update_enrolments' => 'auth/mnetd/auth.php/update_enrolments',
        'mnet_user_authorise' => 'auth/mnet/auth.php/user_authorise',
        'mnet_keepalive_server' => 'auth/mnet/auth.php/keepalive_server',
        'mnet_kill_children' => 'auth/mnet/auth.php/kill_children',
        'mnet_refresh_log' => 'auth/mnet/auth.php/refresh_log',
        'mnet_fetch_user_image' => 'auth/mnet/auth.php/fetch_user_image',
        'mnet_fetch_theme_info' => 'auth/mnet/auth.php/fetch_theme_info',
        'mnet_update_enrolments' => 'auth/mnet/auth.php/update_enrolments',
    ],
    'sso_sp' => [
        'keepalive_client' => 'auth/mnetd/auth.php/keepalive_client',
        'kill_child' => 'auth/mnetd/auth.php/kill_child',
        'mnet_keepalive_client' => 'auth/mnet/auth.php/keepalive_client',
        'mnet_kill_child' => 'auth/mnet/auth.php/kill_child',
    ],
];
