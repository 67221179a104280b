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
 * A network of made-up hosts, for tests.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * Tests with hosts, services and calls that are carried by the test.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
abstract class network_testcase extends \advanced_testcase {
    /** @var string a browser */
    const BROWSER = 'Mozilla/5.0 (test)';

    /** @var array calls that were made: [host id, path, params] */
    protected $calls = [];

    /** @var array answers by path; a \Throwable is thrown, a callable is called with (host, params) */
    protected $answers = [];

    /**
     * A network that is on, and calls that go nowhere.
     */
    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        $this->resetAfterTest();
        require_once($CFG->dirroot . '/mnet/lib.php');
        require_once($CFG->dirroot . '/auth/mnetd/auth.php');
        set_config('mnet_dispatcher_mode', 'strict');
        set_config('auth', 'email,mnetd');
        get_mnet_environment()->init();
        $this->calls = [];
        $this->answers = ['system/listMethods' => []];
        peer::carry_with(function (host $host, string $path, array $params, int $timeout) {
            $this->calls[] = [$host->id, $path, $params];
            $answer = $this->answers[$path] ?? null;
            if (is_callable($answer)) {
                return $answer($host, $params);
            }
            if ($answer instanceof \Throwable) {
                throw $answer;
            }
            if ($answer === null) {
                throw new fault($host, 7012, 'no such function');
            }
            return $answer;
        });
    }

    /**
     * Calls go over the network again.
     */
    protected function tearDown(): void {
        peer::carry_with(null);
        parent::tearDown();
    }

    /**
     * A host.
     *
     * @param string $name of it; its address is made from it
     * @param string[] $ticks publish_sso_idp and so on; null: all four
     * @param string $application of it
     * @return host
     */
    protected function host(string $name, ?array $ticks = null, string $application = 'moodle'): host {
        global $DB;
        $ticks = $ticks ?? ['publish_sso_idp', 'publish_sso_sp', 'subscribe_sso_idp', 'subscribe_sso_sp'];
        $applicationid = $DB->get_field('mnet_application', 'id', ['name' => $application]);
        if (!$applicationid) {
            $applicationid = $DB->insert_record('mnet_application', (object) [
                'name' => $application, 'display_name' => $application, 'xmlrpc_server_url' => '/mnet/xmlrpc/server.php',
                'sso_land_url' => "/auth/$application/land.php", 'sso_jump_url' => "/auth/$application/jump.php",
            ]);
        }
        $id = $DB->insert_record('mnet_host', (object) [
            'wwwroot' => "https://$name.example", 'ip_address' => '192.0.2.1', 'name' => $name, 'public_key' => '',
            'public_key_expires' => 0, 'deleted' => 0, 'last_connect_time' => 0, 'last_log_id' => 0,
            'applicationid' => $applicationid,
        ]);
        foreach (['sso_idp', 'sso_sp'] as $service) {
            $DB->insert_record('mnet_host2service', (object) [
                'hostid' => $id,
                'serviceid' => $DB->get_field('mnet_service', 'id', ['name' => $service], MUST_EXIST),
                'publish' => (int) in_array("publish_$service", $ticks),
                'subscribe' => (int) in_array("subscribe_$service", $ticks),
            ]);
        }
        return host::find($id);
    }

    /**
     * What a host tells of somebody.
     *
     * @param array $fields beyond the usual, or instead
     * @return array
     */
    protected static function told(array $fields = []): array {
        return $fields + [
            'auth' => 'mnet', 'username' => 'zora', 'firstname' => 'Zora', 'lastname' => 'Šebek', 'email' => 'zora@school.example',
            'wwwroot' => 'https://home.example', 'session.gc_maxlifetime' => '1440', 'myhosts' => [],
        ];
    }

    /**
     * The plugin as core's dispatcher makes it for a call of a host.
     *
     * @param host $caller
     * @return \auth_plugin_mnetd
     */
    protected function called_by(host $caller): \auth_plugin_mnetd {
        return new \auth_plugin_mnetd($caller->core_peer());
    }

    /**
     * A session of Moodle.
     *
     * @param int $userid
     * @param string $sid
     * @param int|null $modified
     * @return string what is stored of its id
     */
    protected function session(int $userid, string $sid, ?int $modified = null): string {
        global $DB;
        $DB->insert_record('sessions', (object) [
            'state' => 0, 'sid' => $sid, 'userid' => $userid, 'timecreated' => time(),
            'timemodified' => $modified ?? time(), 'firstip' => '192.0.2.7', 'lastip' => '192.0.2.7',
        ]);
        return sessions::hash($sid);
    }

    /**
     * The code a peer would see.
     *
     * @param callable $call
     * @return int 0: no fault
     */
    protected static function fault_of(callable $call): int {
        try {
            $call();
        } catch (\mnet_server_exception $e) {
            return $e->getCode();
        }
        return 0;
    }

    /**
     * Why somebody is refused.
     *
     * @param callable $call
     * @return string '' if not
     */
    protected static function refusal_of(callable $call): string {
        try {
            $call();
        } catch (refusal $e) {
            return substr($e->errorcode, strlen('error:'));
        }
        return '';
    }
}
