<?php
// Calls to peers by Moodle's own MNet client.

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
