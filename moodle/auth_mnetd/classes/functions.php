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
 * Moodle's lists of functions that go over the network.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * What this plugin sees to in mnet_rpc and mnet_remote_rpc beyond what Moodle's upgrade does from db/mnet.php.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class functions {
    /**
     * Whether core's own plugin is here and in use.
     *
     * @return bool
     */
    public static function is_core_in_use(): bool {
        return \core_component::get_plugin_directory('auth', 'mnet') !== null && is_enabled_auth('mnet');
    }

    /**
     * Makes sure that calls to either plugin of a peer are permitted. Moodle writes these rows when a
     * plugin is installed and leaves those of another that came first alone, so they go with that one.
     *
     * @return int how many were missing
     */
    public static function permit_calls(): int {
        global $DB;
        $subscribes = [];
        include(__DIR__ . '/../db/mnet.php');
        $made = 0;
        foreach ($subscribes as $service => $methods) {
            $serviceid = $DB->get_field('mnet_service', 'id', ['name' => $service]);
            if (!$serviceid) {
                continue;
            }
            foreach ($methods as $name => $path) {
                $rpcid = $DB->get_field('mnet_remote_rpc', 'id', ['xmlrpcpath' => $path], IGNORE_MULTIPLE);
                if (!$rpcid) {
                    $row = ['functionname' => $name, 'xmlrpcpath' => $path, 'plugintype' => 'auth', 'pluginname' => 'mnetd'];
                    $rpcid = $DB->insert_record('mnet_remote_rpc', (object) ($row + ['enabled' => 1]));
                }
                $link = ['rpcid' => $rpcid, 'serviceid' => $serviceid];
                if (!$DB->record_exists('mnet_remote_service2rpc', $link)) {
                    $DB->insert_record('mnet_remote_service2rpc', (object) $link);
                    $made++;
                }
            }
        }
        return $made;
    }

    /**
     * Takes the functions of auth_mnet out of what peers are offered where its code is gone: a peer
     * that is offered them calls them and hears that the file is missing.
     *
     * @return int how many were on offer
     */
    public static function withdraw_orphans(): int {
        global $DB;
        if (\core_component::get_plugin_directory('auth', 'mnet')) {
            return 0;
        }
        $orphans = $DB->get_records('mnet_rpc', ['plugintype' => 'auth', 'pluginname' => 'mnet'], '', 'id, enabled');
        $offered = 0;
        foreach ($orphans as $orphan) {
            if ($orphan->enabled) {
                $DB->set_field('mnet_rpc', 'enabled', 0, ['id' => $orphan->id]);
                $offered++;
            }
            // Only of a plugin that was uninstalled: its texts name the services on the page of a host.
            if (get_config('auth_mnet', 'version') === false) {
                $DB->delete_records('mnet_service2rpc', ['rpcid' => $orphan->id]);
            }
        }
        return $offered;
    }

    /**
     * Takes this plugin's functions out of Moodle's lists; paths that auth_mnet needs become its own.
     */
    public static function forget_all(): void {
        global $DB;
        $own = ['plugintype' => 'auth', 'pluginname' => 'mnetd'];
        foreach ($DB->get_fieldset_select('mnet_rpc', 'id', 'plugintype = :plugintype AND pluginname = :pluginname', $own) as $id) {
            $DB->delete_records('mnet_service2rpc', ['rpcid' => $id]);
            $DB->delete_records('mnet_rpc', ['id' => $id]);
        }
        $hasmnet = (bool) \core_component::get_plugin_directory('auth', 'mnet');
        foreach ($DB->get_records('mnet_remote_rpc', $own) as $rpc) {
            if ($hasmnet && strpos($rpc->xmlrpcpath, peer::USUAL) === 0) {
                $rpc->pluginname = 'mnet';
                $rpc->functionname = substr($rpc->xmlrpcpath, strlen(peer::USUAL));
                $DB->update_record('mnet_remote_rpc', $rpc);
                continue;
            }
            $DB->delete_records('mnet_remote_service2rpc', ['rpcid' => $rpc->id]);
            $DB->delete_records('mnet_remote_rpc', ['id' => $rpc->id]);
        }
    }
}
