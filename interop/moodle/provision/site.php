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
 * The site as a whole: what it is made of, the settings that a run changes, and putting all back.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

/**
 * Changes a setting and remembers what it was, once, so that the clean-up finds it even after a run that was cut off.
 *
 * @param string $plugin the plugin, 'core' for Moodle's own
 * @param string $name the setting
 * @param string|null $value null unsets it
 */
function interop_set(string $plugin, string $name, ?string $value): void {
    global $DB;
    $of = $plugin === 'core' ? null : $plugin;
    $saved = interop_saved();
    $key = "$plugin/$name";
    if (!array_key_exists($key, $saved)) {
        // As the database has it: what config.php sets stands above it, and must not get into it.
        $where = $of === null ? ['name' => $name] : ['plugin' => $plugin, 'name' => $name];
        $before = $DB->get_field($of === null ? 'config' : 'config_plugins', 'value', $where);
        $saved[$key] = $before === false ? null : (string)$before;
        set_config('saved', json_encode($saved), 'mnetd_interop');
    }
    if ($value === null) {
        unset_config($name, $of);
    } else {
        set_config($name, $value, $of);
    }
}

/**
 * What settings were before the suite changed them.
 *
 * @return array of string|null by 'plugin/name'
 */
function interop_saved(): array {
    $saved = get_config('mnetd_interop', 'saved');
    return $saved ? json_decode($saved, true) : [];
}

/**
 * Puts every setting back.
 */
function interop_restore_settings(): void {
    foreach (interop_saved() as $key => $value) {
        [$plugin, $name] = explode('/', $key, 2);
        $of = $plugin === 'core' ? null : $plugin;
        if ($value === null) {
            unset_config($name, $of);
        } else {
            set_config($name, $value, $of);
        }
    }
    unset_config('saved', 'mnetd_interop');
}

/**
 * The version a plugin calls itself by, with its release where it has one.
 *
 * @param string $component such as auth_mnet
 * @return string|null null where it is not installed
 */
function interop_plugin_version(string $component): ?string {
    $version = get_config($component, 'version');
    if (!$version) {
        return null;
    }
    $directory = core_component::get_component_directory($component);
    if (!$directory || !is_readable("$directory/version.php")) {
        return "$version, its files are gone";
    }
    $plugin = new stdClass();
    include("$directory/version.php");
    return empty($plugin->release) ? (string)$version : "{$plugin->release} ($version)";
}

return [
    // Whether this PHP can seal with RC4. {problem: string|null}.
    'rc4' => function (stdClass $in) {
        $key = openssl_pkey_new(['private_key_bits' => 2048]);
        $public = openssl_pkey_get_public(openssl_pkey_get_details($key)['key']);
        while (openssl_error_string() !== false) {
            continue;
        }
        $sealed = @openssl_seal('interop', $data, $keys, [$public], 'RC4');
        if ($sealed && @openssl_open($data, $open, $keys[0], $key, 'RC4') && $open === 'interop') {
            return ['problem' => null];
        }
        return ['problem' => openssl_error_string() ?: 'openssl_seal gives no reason'];
    },

    // What this site is made of, and whether an upgrade waits for an administrator: until then it serves nobody.
    'versions' => function (stdClass $in) {
        global $CFG, $DB;
        require_once($CFG->libdir . '/upgradelib.php');
        $server = $DB->get_server_info();
        $plugins = [];
        foreach (['local_mnetd', 'auth_mnetd', 'auth_mnet', 'enrol_mnet', 'mnetservice_enrol'] as $component) {
            $plugins[$component] = interop_plugin_version($component);
        }
        return [
            'moodle' => $CFG->release,
            'php' => PHP_VERSION,
            'openssl' => OPENSSL_VERSION_TEXT,
            'database' => $DB->get_dbfamily() . ' ' . $server['version'],
            'wwwroot' => $CFG->wwwroot,
            'upgrade' => (bool)moodle_needs_upgrading(),
            'plugins' => $plugins,
        ];
    },

    // What every case needs: networking on, addresses on this machine reachable, an administrator to sign in as.
    'prepare' => function (stdClass $in) {
        global $CFG;
        interop_set('core', 'mnet_dispatcher_mode', 'strict');
        // Both would keep Moodle from a peer on this machine and on a port of its own.
        interop_set('core', 'curlsecurityblockedhosts', '');
        interop_set('core', 'curlsecurityallowedport', '');
        interop_set('core', 'noemailever', '1');
        // A site whose set-up was never finished sends every administrator there first.
        interop_set('core', 'registrationpending', '0');
        interop_set('core', 'adminsetuppending', null);
        $password = 'Aa1-' . random_string(20);
        $admin = interop_person('interop-admin', ['firstname' => 'Interop', 'lastname' => 'Administrator', 'password' => $password]);
        $admins = explode(',', $CFG->siteadmins);
        if (!in_array($admin->id, $admins)) {
            interop_set('core', 'siteadmins', implode(',', array_merge($admins, [$admin->id])));
        }
        return ['username' => 'interop-admin', 'password' => $password];
    },

    // Removes what the suite made and puts back what it changed. {hosts: addresses of peers that were the suite's}.
    'clean' => function (stdClass $in) {
        global $DB;
        foreach ($in->hosts ?? [] as $wwwroot) {
            interop_forget_host($wwwroot);
        }
        interop_delete_school();
        interop_restore_capabilities();
        // Before the people, for Moodle does not delete an administrator.
        interop_restore_settings();
        interop_delete_people();
        return true;
    },

    // Changes a setting until the clean-up: {plugin: "core", name, value: string|null}.
    'setting' => function (stdClass $in) {
        interop_set($in->plugin ?? 'core', $in->name, $in->value);
        return true;
    },

    // A setting as it stands: {plugin: "core", name} → string|null.
    'setting-get' => function (stdClass $in) {
        $value = get_config($in->plugin ?? 'core', $in->name);
        return $value === false ? null : $value;
    },

    // Turns an authentication or enrolment plugin on until the clean-up: {type: "auth"|"enrol", name}.
    'enable' => function (stdClass $in) {
        global $CFG;
        $setting = $in->type === 'auth' ? 'auth' : 'enrol_plugins_enabled';
        $enabled = array_filter(explode(',', $CFG->$setting));
        if (!in_array($in->name, $enabled)) {
            interop_set('core', $setting, implode(',', array_merge($enabled, [$in->name])));
            core_plugin_manager::reset_caches();
        }
        return true;
    },
];
