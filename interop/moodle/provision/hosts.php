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
 * Peers, as Moodle knows them, and this Moodle's own key.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/mnet/lib.php');

/**
 * A peer by its address.
 *
 * @param string $wwwroot its address
 * @return stdClass the row of mnet_host
 */
function interop_host(string $wwwroot): stdClass {
    global $DB;
    $host = $DB->get_record('mnet_host', ['wwwroot' => $wwwroot]);
    if (!$host) {
        throw new invalid_argument_exception("there is no peer $wwwroot");
    }
    return $host;
}

/**
 * Forgets a peer wholly, with its users: Moodle's own pages only mark it as deleted.
 *
 * @param string $wwwroot its address
 */
function interop_forget_host(string $wwwroot): void {
    global $DB, $CFG;
    $host = $DB->get_record('mnet_host', ['wwwroot' => $wwwroot]);
    if (!$host || $host->id == $CFG->mnet_localhost_id) {
        return;
    }
    foreach ($DB->get_records('user', ['mnethostid' => $host->id, 'deleted' => 0]) as $user) {
        delete_user($user);
    }
    // Deleted users keep the peer they came from, and a row that points nowhere breaks Moodle's pages.
    $DB->set_field('user', 'mnethostid', $CFG->mnet_localhost_id, ['mnethostid' => $host->id]);
    foreach ($DB->get_tables(false) as $table) {
        foreach (['hostid', 'mnethostid', 'mnet_host_id'] as $column) {
            if (preg_match('/^(mnet|local_mnetd|auth_mnetd|mnetservice)/', $table) && isset($DB->get_columns($table)[$column])) {
                $DB->delete_records($table, [$column => $host->id]);
            }
        }
    }
    $DB->delete_records('mnet_host', ['id' => $host->id]);
}

/**
 * A certificate's SHA-256 fingerprint, as openssl and mnetd write it.
 *
 * @param string $certificate PEM
 * @return string|null null where it is none
 */
function interop_fingerprint(string $certificate): ?string {
    $fingerprint = @openssl_x509_fingerprint($certificate, 'sha256');
    return $fingerprint ? strtoupper(implode(':', str_split($fingerprint, 2))) : null;
}

return [
    // A peer as Moodle has it, null where there is none: {wwwroot}.
    'host' => function (stdClass $in) {
        global $DB;
        $host = $DB->get_record('mnet_host', ['wwwroot' => $in->wwwroot]);
        if (!$host) {
            return null;
        }
        $sql = 'SELECT s.name, h.publish, h.subscribe FROM {mnet_host2service} h JOIN {mnet_service} s ON s.id = h.serviceid WHERE h.hostid = ?';
        $services = [];
        foreach ($DB->get_records_sql($sql, [$host->id]) as $service) {
            $services[$service->name] = ['publish' => (bool)$service->publish, 'subscribe' => (bool)$service->subscribe];
        }
        return [
            'id' => (int)$host->id, 'name' => $host->name, 'deleted' => (bool)$host->deleted, 'services' => $services,
            'application' => $DB->get_field('mnet_application', 'name', ['id' => $host->applicationid]),
            'fingerprint' => interop_fingerprint($host->public_key), 'expires' => (int)$host->public_key_expires,
        ];
    },

    // The number by which the pages for administrators know each service, by its name.
    'services' => function (stdClass $in) {
        global $DB;
        return array_map('intval', $DB->get_records_menu('mnet_service', ['offer' => 1], 'name', 'name, id'));
    },

    // The methods of peers that this Moodle may call where it subscribes to a service: {service} → paths.
    'remote-methods' => function (stdClass $in) {
        global $DB;
        $sql = 'SELECT r.xmlrpcpath FROM {mnet_remote_rpc} r JOIN {mnet_remote_service2rpc} b ON b.rpcid = r.id
                  JOIN {mnet_service} s ON s.id = b.serviceid WHERE s.name = ? AND r.enabled = 1 ORDER BY r.xmlrpcpath';
        return $DB->get_fieldset_sql($sql, [$in->service]);
    },

    // The methods that peers may call here where a service is published to them: {service} → paths.
    'methods' => function (stdClass $in) {
        global $DB;
        $sql = 'SELECT r.xmlrpcpath FROM {mnet_rpc} r JOIN {mnet_service2rpc} b ON b.rpcid = r.id
                  JOIN {mnet_service} s ON s.id = b.serviceid WHERE s.name = ? AND r.enabled = 1 ORDER BY r.xmlrpcpath';
        return $DB->get_fieldset_sql($sql, [$in->service]);
    },

    // This Moodle's own key: {fingerprint, expires}. Makes another where it has expired, as any call does.
    'key' => function (stdClass $in) {
        $mnet = get_mnet_environment();
        $mnet->get_keypair();
        return ['fingerprint' => interop_fingerprint($mnet->public_key), 'expires' => (int)$mnet->public_key_expires];
    },

    // Puts a key pair in the place of the present one, which is kept among the old ones, as Moodle does: {certificate, key}.
    'key-set' => function (stdClass $in) {
        global $DB, $CFG;
        $mnet = get_mnet_environment();
        $mnet->get_keypair();
        $old = unserialize(get_config('mnet', 'openssl_history') ?: serialize([])) ?: [];
        array_unshift($old, $mnet->keypair + ['expires' => $mnet->public_key_expires]);
        set_config('openssl_history', serialize(array_slice($old, 0, 3)), 'mnet');
        set_config('openssl', $in->certificate . '@@@@@@@@' . $in->key, 'mnet');
        $expires = openssl_x509_parse($in->certificate)['validTo_time_t'];
        $host = ['id' => $CFG->mnet_localhost_id, 'public_key' => $in->certificate, 'public_key_expires' => $expires];
        $DB->update_record('mnet_host', (object)$host);
        return ['fingerprint' => interop_fingerprint($in->certificate), 'expires' => $expires];
    },

    // Lets this Moodle's key expire: it makes another with its next request, and keeps the old one.
    'key-expire' => function (stdClass $in) {
        global $DB, $CFG;
        $DB->set_field('mnet_host', 'public_key_expires', 1, ['id' => $CFG->mnet_localhost_id]);
        return true;
    },
];
