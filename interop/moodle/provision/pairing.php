<?php
// A peer registered in one go, for cases that are about something else. How an administrator does it is a case of its own.

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/mnet/lib.php');
require_once($CFG->dirroot . '/mnet/peer.php');

return [
    // Registers a peer that answers, or finds it, and exchanges services with it both ways: {wwwroot, application, services: [names]}.
    'pair' => function ($in) {
        global $DB;
        $peer = new mnet_peer();
        if (!$peer->bootstrap($in->wwwroot, null, $in->application)) {
            throw new invalid_argument_exception("{$in->wwwroot} shows no certificate that Moodle takes");
        }
        if ($peer->application->name !== $in->application) {
            throw new invalid_argument_exception("Moodle knows no application {$in->application}: is local_mnetd installed?");
        }
        $peer->sslverification = 0;
        $peer->commit();
        foreach ($in->services as $name) {
            $service = $DB->get_record('mnet_service', ['name' => $name]);
            if (!$service) {
                throw new invalid_argument_exception("Moodle knows no service $name: is its plugin installed?");
            }
            $about = ['hostid' => $peer->id, 'serviceid' => $service->id];
            $DB->delete_records('mnet_host2service', $about);
            $DB->insert_record('mnet_host2service', (object)($about + ['publish' => 1, 'subscribe' => 1]));
        }
        return ['id' => (int)$peer->id];
    },
];
