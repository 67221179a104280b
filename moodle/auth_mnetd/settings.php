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
 * Settings of the plugin.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

if ($ADMIN->fulltree) {
    $hosts = array_map(function (\auth_mnetd\host $host): string {
        return $host->name . ' (' . $host->wwwroot . ')';
    }, \auth_mnetd\host::all());

    $settings->add(new admin_setting_heading(
        'auth_mnetd/checks',
        new lang_string('checks', 'auth_mnetd'),
        \auth_mnetd\check::html()
    ));
    $settings->add(new admin_setting_heading(
        'auth_mnetd/accounts',
        new lang_string('accounts', 'auth_mnetd'),
        new lang_string('accounts_desc', 'auth_mnetd')
    ));
    $settings->add(new admin_setting_configselect(
        'auth_mnetd/autocreate',
        new lang_string('autocreate', 'auth_mnetd'),
        new lang_string('autocreate_desc', 'auth_mnetd'),
        \auth_mnetd\accounts::CREATE_ALWAYS,
        [
            \auth_mnetd\accounts::CREATE_NEVER => new lang_string('autocreate:never', 'auth_mnetd'),
            \auth_mnetd\accounts::CREATE_ALWAYS => new lang_string('autocreate:always', 'auth_mnetd'),
            \auth_mnetd\accounts::CREATE_NAMED => new lang_string('autocreate:named', 'auth_mnetd'),
        ]
    ));
    $settings->add(new admin_setting_configmultiselect(
        'auth_mnetd/autocreatehosts',
        new lang_string('autocreatehosts', 'auth_mnetd'),
        new lang_string('autocreatehosts_desc', 'auth_mnetd'),
        [],
        $hosts
    ));
    $settings->add(new admin_setting_configcheckbox(
        'auth_mnetd/matchidnumber',
        new lang_string('matchidnumber', 'auth_mnetd'),
        new lang_string('matchidnumber_desc', 'auth_mnetd'),
        0
    ));
    $settings->add(new admin_setting_configmultiselect(
        'auth_mnetd/matchidnumberhosts',
        new lang_string('matchidnumberhosts', 'auth_mnetd'),
        new lang_string('matchidnumberhosts_desc', 'auth_mnetd'),
        [],
        $hosts
    ));
}
