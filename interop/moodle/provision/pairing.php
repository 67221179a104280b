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
 * A peer registered in one go, for cases that are about something else. How an administrator does it is a case of its own.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

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
