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
 * What uninstalling takes away beyond tables.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Takes mnetd from the applications that a network peer can be. Peers stay, as Moodles.
 *
 * @return bool
 */
function xmldb_local_mnetd_uninstall() {
    global $DB;

    $id = $DB->get_field('mnet_application', 'id', ['name' => 'mnetd']);
    if ($id) {
        $moodle = $DB->get_field('mnet_application', 'id', ['name' => 'moodle'], MUST_EXIST);
        $DB->set_field('mnet_host', 'applicationid', $moodle, ['applicationid' => $id]);
        $DB->delete_records('mnet_application', ['id' => $id]);
    }

    // Moodle leaves what a plugin publishes behind, and would go on offering functions whose file is gone.
    $rpcs = $DB->get_fieldset_select('mnet_rpc', 'id', 'plugintype = ? AND pluginname = ?', ['local', 'mnetd']);
    $remote = $DB->get_fieldset_select('mnet_remote_rpc', 'id', 'plugintype = ? AND pluginname = ?', ['local', 'mnetd']);
    foreach (
        [['mnet_service2rpc', 'rpcid', $rpcs], ['mnet_rpc', 'id', $rpcs],
            ['mnet_remote_service2rpc', 'rpcid', $remote], ['mnet_remote_rpc', 'id', $remote]] as [$table, $field, $ids]
    ) {
        if ($ids) {
            $DB->delete_records_list($table, $field, $ids);
        }
    }
    $service = $DB->get_field('mnet_service', 'id', ['name' => 'register']);
    if (
        $service && !$DB->record_exists('mnet_service2rpc', ['serviceid' => $service])
            && !$DB->record_exists('mnet_remote_service2rpc', ['serviceid' => $service])
    ) {
        $DB->delete_records('mnet_host2service', ['serviceid' => $service]);
        $DB->delete_records('mnet_service', ['id' => $service]);
    }
    return true;
}
