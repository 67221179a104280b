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

namespace local_mnetd;

/**
 * Installing offers mnetd as a network application and the service to tick; uninstalling leaves nothing behind.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     ::xmldb_local_mnetd_install
 * @covers     ::xmldb_local_mnetd_uninstall
 */
final class install_test extends \advanced_testcase {
    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        $this->resetAfterTest();
        require_once($CFG->dirroot . '/local/mnetd/db/install.php');
        require_once($CFG->dirroot . '/local/mnetd/db/uninstall.php');
    }

    public function test_installing_offers_the_application_and_twice_does_no_harm(): void {
        global $DB;
        foreach ([1, 2] as $time) {
            $application = $DB->get_record('mnet_application', ['name' => 'mnetd'], '*', MUST_EXIST);
            $this->assertSame(
                ['/mnet/xmlrpc/server.php', '/auth/mnetd/land.php', '/auth/mnetd/jump.php'],
                [$application->xmlrpc_server_url, $application->sso_land_url, $application->sso_jump_url]
            );
            xmldb_local_mnetd_install();
        }
    }

    public function test_the_service_has_all_methods_of_both_sides(): void {
        global $DB;
        $service = $DB->get_field('mnet_service', 'id', ['name' => 'register'], MUST_EXIST);
        $this->assertSame(7, $DB->count_records('mnet_service2rpc', ['serviceid' => $service]));
        $this->assertSame(14, $DB->count_records('mnet_remote_service2rpc', ['serviceid' => $service]));
        $this->assertTrue($DB->record_exists('mnet_rpc', ['xmlrpcpath' => 'local/mnetd/register.php/get_user', 'enabled' => 1]));
        $this->assertTrue($DB->record_exists('mnet_remote_rpc', ['xmlrpcpath' => 'register/new_grade']));
    }

    public function test_uninstalling_leaves_nothing_behind_and_peers_in_place(): void {
        global $DB;
        $mnetd = $this->getDataGenerator()->get_plugin_generator('local_mnetd');
        $host = $mnetd->create_host();
        xmldb_local_mnetd_uninstall();
        $this->assertFalse($DB->record_exists('mnet_application', ['name' => 'mnetd']));
        $moodle = $DB->get_field('mnet_application', 'id', ['name' => 'moodle']);
        $this->assertSame($moodle, $DB->get_field('mnet_host', 'applicationid', ['id' => $host]));
        $this->assertFalse($DB->record_exists('mnet_service', ['name' => 'register']));
        $this->assertSame(0, $DB->count_records('mnet_host2service', ['hostid' => $host]));
        // The plugin for single sign-on has the same name, and stays.
        $mine = ['plugintype' => 'local', 'pluginname' => 'mnetd'];
        $this->assertSame(0, $DB->count_records('mnet_rpc', $mine));
        $this->assertSame(0, $DB->count_records('mnet_remote_rpc', $mine));
    }
}
