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
 * Calls to peers by Moodle's own MNet client.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/mnet/lib.php');
require_once($CFG->dirroot . '/mnet/xmlrpc/client.php');

/**
 * The XML-RPC type that a decoded JSON value is sent as.
 *
 * @param mixed $value
 * @return string
 */
function interop_type($value): string {
    $types = ['string' => 'string', 'boolean' => 'boolean', 'integer' => 'int', 'double' => 'double', 'array' => 'array', 'object' => 'struct'];
    $kind = gettype($value);
    if (!isset($types[$kind])) {
        throw new invalid_argument_exception("a parameter of the kind $kind cannot be sent");
    }
    return $types[$kind];
}

/**
 * One call.
 *
 * @param stdClass $in peer, method, params, bind
 * @return array ok, response, errors
 */
function interop_call(stdClass $in): array {
    $peer = new mnet_peer();
    if (!$peer->set_wwwroot($in->peer)) {
        throw new invalid_argument_exception("there is no peer {$in->peer}");
    }
    $params = $in->params ?? [];
    if (!empty($in->bind)) {
        $params[] = (object)['mnetd_to' => $in->peer, 'mnetd_at' => time(), 'mnetd_nonce' => bin2hex(random_bytes(16))];
    }
    $client = new mnet_xmlrpc_client();
    $client->set_method($in->method);
    foreach ($params as $param) {
        $client->add_param(json_decode(json_encode($param), true), interop_type($param));
    }
    $ok = $client->send($peer);
    return ['ok' => $ok === true, 'response' => $client->response, 'errors' => array_values($client->error)];
}

return [
    // {peer: wwwroot, method, params: [], bind: whether the register's binding is added} → {ok, response, errors}.
    'call' => function (stdClass $in) {
        return interop_call($in);
    },
];
