<?php
// This file is part of Moodle - https://moodle.org/
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
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

namespace local_mnetd;

use core\check\result;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/fixtures/answering_client.php');
require_once(__DIR__ . '/fixtures/hosts.php');

/**
 * Tests of the checks.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\checks
 * @covers     \local_mnetd\check\base
 * @covers     \local_mnetd\check\peer_base
 */
final class checks_test extends \advanced_testcase {
    use hosts;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
    }

    /**
     * Asserts how a check stands.
     *
     * @param string $status one of result's constants
     * @param string $string the string of local_mnetd that its summary begins as
     * @param check\base $check the check
     * @return result
     */
    private function assert_check(string $status, string $string, check\base $check): result {
        $result = $check->get_result();
        $this->assertSame($status, $result->get_status(), $result->get_summary());
        // Up to what is filled in.
        $beginning = explode('{$a', get_string($string, 'local_mnetd'))[0];
        $this->assertStringStartsWith($beginning, $result->get_summary());
        return $result;
    }

    public function test_rc4_is_tried_rather_than_looked_up(): void {
        // What another way of asking says: the same seal, made with a key of its own.
        $key = openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
        $works = false;
        try {
            $works = (bool) @openssl_seal('x', $sealed, $keys, [openssl_pkey_get_details($key)['key']], 'RC4');
        } catch (\Throwable $e) {
            $works = false;
        }
        $this->assertSame($works, check\rc4::seals());
        $result = (new check\rc4())->get_result();
        $this->assertSame($works ? result::OK : result::CRITICAL, $result->get_status());
        $this->assertStringContainsString(OPENSSL_VERSION_TEXT, $result->get_summary());
    }

    public function test_rc4_fails_without_the_legacy_provider(): void {
        // Providers are loaded once in a process, so it takes another one.
        $file = make_request_directory() . '/openssl.cnf';
        file_put_contents(
            $file,
            "openssl_conf = openssl_init\n[openssl_init]\nproviders = p\n[p]\ndefault = d\n[d]\nactivate = 1\n"
        );
        $ask = 'namespace core\check { abstract class check {} class result {} }'
            . ' namespace { function get_config() { return false; }'
            . ' require $argv[1]; require $argv[2]; echo \local_mnetd\check\rc4::seals() ? "yes" : "no", " ",'
            . ' \local_mnetd\check\rc4::configuration_file(); }';
        $code = make_request_directory() . '/ask.php';
        file_put_contents($code, '<?php ' . $ask);
        $run = function (string $conf) use ($code): string {
            $command = 'OPENSSL_CONF=' . escapeshellarg($conf) . ' ' . escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg($code)
                . ' ' . escapeshellarg(__DIR__ . '/../classes/check/base.php')
                . ' ' . escapeshellarg(__DIR__ . '/../classes/check/rc4.php');
            return trim((string) shell_exec($command));
        };
        if (version_compare(explode(' ', OPENSSL_VERSION_TEXT)[1], '3.0.0', '<')) {
            $this->markTestSkipped('OpenSSL before 3 has no providers.');
        }
        $this->assertSame("no $file", $run($file));
        // The lines that the check tells people to write.
        file_put_contents($file, check\rc4::CONFIGURATION . "\n");
        $this->assertSame("yes $file", $run($file));
    }

    public function test_networking_has_to_be_on(): void {
        global $CFG;
        $CFG->mnet_dispatcher_mode = 'off';
        $check = new check\network();
        $this->assert_check(result::CRITICAL, 'check_network_off', $check);
        $this->assertStringContainsString('optionalsubsystems', $check->get_action_link()->url->out());
        $CFG->mnet_dispatcher_mode = 'strict';
        $this->assert_check(result::OK, 'check_network_ok', new check\network());
    }

    public function test_the_own_key_has_to_be_this_sites_and_valid(): void {
        global $CFG, $DB;
        $own = ['id' => $CFG->mnet_localhost_id];
        $DB->set_field('mnet_host', 'public_key', '', $own);
        $this->assert_check(result::ERROR, 'check_ownkey_missing', new check\ownkey());

        $DB->set_field('mnet_host', 'wwwroot', $CFG->wwwroot, $own);
        $DB->set_field('mnet_host', 'public_key', self::certificate($CFG->wwwroot), $own);
        $this->assert_check(result::OK, 'check_ownkey_ok', new check\ownkey());

        $DB->set_field('mnet_host', 'public_key', self::certificate('https://live.example.org'), $own);
        $result = $this->assert_check(result::ERROR, 'check_ownkey_other', new check\ownkey());
        $this->assertStringContainsString('https://live.example.org', $result->get_summary());
    }

    public function test_a_register_has_to_be_there(): void {
        global $CFG;
        $CFG->mnet_dispatcher_mode = 'strict';
        scope::reset();
        $check = new check\registers();
        $this->assertSame(result::ERROR, $check->get_result()->get_status());
        $this->assertNotNull($check->get_action_link());
        $host = $this->make_host('https://register.example.org');
        $this->tick($host->id, true, false);
        $this->assertSame(result::ERROR, (new check\registers())->get_result()->get_status());
        $this->tick($host->id, true, true);
        $this->assert_check(result::OK, 'check_registers_ok', new check\registers());
    }

    public function test_cron_has_to_run(): void {
        unset_config('lastcronstart', 'tool_task');
        $this->assert_check(result::ERROR, 'check_cron_never', new check\cron());
        set_config('lastcronstart', time() - 60, 'tool_task');
        $this->assert_check(result::OK, 'check_cron_ok', new check\cron());
        set_config('lastcronstart', time() - 20 * MINSECS, 'tool_task');
        $this->assert_check(result::WARNING, 'check_cron_late', new check\cron());
        set_config('lastcronstart', time() - DAYSECS, 'tool_task');
        $this->assert_check(result::ERROR, 'check_cron_late', new check\cron());
    }

    public function test_tasks_have_to_be_switched_on(): void {
        $tasks = \core\task\manager::load_scheduled_tasks_for_component('local_mnetd');
        $this->assertNotEmpty($tasks);
        $this->assert_check(result::OK, 'check_tasks_ok', new check\tasks());
        $task = reset($tasks);
        $task->set_disabled(true);
        \core\task\manager::configure_scheduled_task($task);
        $result = $this->assert_check(result::ERROR, 'check_tasks_disabled', new check\tasks());
        $this->assertStringContainsString($task->get_name(), $result->get_summary());
    }

    public function test_the_settings_have_to_send_something(): void {
        global $DB;
        $student = $DB->get_field('role', 'id', ['shortname' => 'student']);
        $teacher = $DB->get_field('role', 'id', ['shortname' => 'editingteacher']);
        set_config('studentroles', $student, 'local_mnetd');
        set_config('teacherroles', $teacher, 'local_mnetd');
        $this->assert_check(result::OK, 'check_scope_ok', new check\scope());

        set_config('teacherroles', "$teacher,$student", 'local_mnetd');
        $this->assert_check(result::ERROR, 'check_scope_both', new check\scope());
        set_config('teacherroles', '', 'local_mnetd');
        $this->assert_check(result::WARNING, 'check_scope_noteachers', new check\scope());
        set_config('teacherroles', $teacher, 'local_mnetd');
        set_config('studentroles', '999999', 'local_mnetd');
        $this->assert_check(result::WARNING, 'check_scope_nostudents', new check\scope());
        set_config('studentroles', $student, 'local_mnetd');

        set_config('categories', '999999', 'local_mnetd');
        $this->assert_check(result::ERROR, 'check_scope_nocategory', new check\scope());
        set_config('categories', '', 'local_mnetd');

        set_config('segmentsource', 'field', 'local_mnetd');
        set_config('segmentfield', 'term', 'local_mnetd');
        $this->assert_check(result::WARNING, 'check_scope_nofield', new check\scope());
        $generator = $this->getDataGenerator();
        $category = $generator->create_custom_field_category([]);
        $generator->create_custom_field(['categoryid' => $category->get('id'), 'shortname' => 'term', 'type' => 'text']);
        $this->assert_check(result::OK, 'check_scope_ok', new check\scope());
    }

    public function test_phps_limit_of_fields_is_compared_with_the_number_of_categories(): void {
        $limit = (int) ini_get('max_input_vars');
        $this->assertGreaterThan(0, $limit);
        $result = $this->assert_check(result::OK, 'check_inputvars_ok', new check\inputvars());
        $this->assertStringContainsString((string) $limit, $result->get_summary());
        global $DB;
        $rows = [];
        for ($i = 0; $i <= $limit; $i++) {
            $rows[] = (object) ['name' => "C$i", 'parent' => 0, 'sortorder' => $i, 'depth' => 1, 'path' => '/'];
        }
        $DB->insert_records('course_categories', $rows);
        $this->assertSame(result::WARNING, (new check\inputvars())->get_result()->get_status());
    }

    public function test_single_sign_on_needs_a_plugin_and_a_role(): void {
        global $CFG, $DB;
        $plugins = array_intersect(['mnet', 'mnetd'], array_keys(\core_component::get_plugin_list('auth')));
        if (!$plugins) {
            $this->assert_check(result::INFO, 'check_signon_noplugin', new check\signon());
            return;
        }
        $CFG->auth = 'manual';
        $this->assert_check(result::INFO, 'check_signon_disabled', new check\signon());
        $CFG->auth = 'manual,' . reset($plugins);
        $DB->delete_records('role_capabilities', ['capability' => 'moodle/site:mnetlogintoremote']);
        $this->assert_check(result::WARNING, 'check_signon_notallowed', new check\signon());
        $role = $DB->get_field('role', 'id', ['shortname' => 'user']);
        assign_capability('moodle/site:mnetlogintoremote', CAP_ALLOW, $role, \context_system::instance()->id);
        $this->assert_check(result::OK, 'check_signon_ok', new check\signon());
    }

    public function test_the_boxes_of_the_service_have_to_be_ticked(): void {
        $host = $this->make_host('https://register.example.org');
        $this->assert_check(result::ERROR, 'check_peer_services_neither', new check\peer_services($host));
        $this->tick($host->id, true, false);
        $check = new check\peer_services($host);
        $this->assert_check(result::ERROR, 'check_peer_services_nosubscribe', $check);
        $this->assertStringContainsString('hostid=' . $host->id, $check->get_action_link()->url->out(false));
        $this->tick($host->id, false, true);
        $this->assert_check(result::WARNING, 'check_peer_services_nopublish', new check\peer_services($host));
        $this->tick($host->id, true, true);
        $this->assert_check(result::OK, 'check_peer_services_ok', new check\peer_services($host));
    }

    public function test_an_application_with_other_paths_is_told(): void {
        global $DB;
        $host = $this->make_register();
        $host->applicationid = $DB->get_field('mnet_application', 'id', ['name' => 'mahara']);
        $this->assertNotEmpty($host->applicationid);
        $this->assert_check(result::ERROR, 'check_peer_services_application', new check\peer_services($host));
    }

    public function test_the_block_list_is_asked(): void {
        $host = $this->make_host('http://192.168.7.7:8080');
        set_config('curlsecurityblockedhosts', '');
        set_config('curlsecurityallowedport', '');
        $this->assert_check(result::OK, 'check_peer_address_ok', new check\peer_address($host));
        set_config('curlsecurityblockedhosts', '192.168.0.0/16');
        $result = $this->assert_check(result::WARNING, 'check_peer_address_blocked', new check\peer_address($host));
        $this->assertStringContainsString('192.168.7.7, port 8080', $result->get_summary());
        set_config('curlsecurityblockedhosts', '');
        set_config('curlsecurityallowedport', "443\n80");
        $this->assert_check(result::WARNING, 'check_peer_address_blocked', new check\peer_address($host));
    }

    public function test_the_stored_certificate_has_to_be_the_hosts(): void {
        $host = $this->make_host('https://register.example.org');
        $this->assert_check(result::OK, 'check_peer_key_ok', new check\peer_key($host));
        $host->public_key = self::certificate('https://other.example.org');
        $this->assert_check(result::ERROR, 'check_peer_key_other', new check\peer_key($host));
        $host->public_key = '';
        $this->assert_check(result::ERROR, 'check_peer_key_missing', new check\peer_key($host));
    }

    public function test_what_waits_long_is_told(): void {
        global $DB;
        $host = $this->make_register();
        $this->assert_check(result::INFO, 'check_peer_delivery_never', new check\peer_delivery($host));

        $peer = $DB->insert_record('local_mnetd_peer', (object) ['hostid' => $host->id, 'lastsuccess' => time() - 60]);
        $this->assert_check(result::OK, 'check_peer_delivery_ok', new check\peer_delivery($host));

        $job = queue::job($host->id, 'user', 'user:5', 'fetch_user', ['idnumber' => 'U5']);
        $id = $DB->insert_record('local_mnetd_queue', $job);
        $this->assertSame(result::OK, (new check\peer_delivery($host))->get_result()->get_status());
        $DB->set_field('local_mnetd_queue', 'timecreated', time() - HOURSECS, ['id' => $id]);
        $this->assertSame(result::WARNING, (new check\peer_delivery($host))->get_result()->get_status());
        $DB->set_field('local_mnetd_queue', 'timecreated', time() - DAYSECS, ['id' => $id]);
        $this->assertSame(result::ERROR, (new check\peer_delivery($host))->get_result()->get_status());

        $DB->update_record('local_mnetd_peer', (object) ['id' => $peer, 'failures' => 3, 'lasterror' => 'It <b>fell</b> over.',
            'lasterrortime' => time() - 30, 'nexttry' => time() + 30]);
        $result = (new check\peer_delivery($host))->get_result();
        $this->assertSame(result::ERROR, $result->get_status());
        $this->assertStringContainsString('It &lt;b&gt;fell&lt;/b&gt; over.', $result->get_summary());
        $this->assertStringContainsString('3', $result->get_summary());
    }

    public function test_refused_jobs_are_told(): void {
        $host = $this->make_register();
        $this->assert_check(result::OK, 'check_peer_refused_ok', new check\peer_refused($host));
        $this->make_refused($host->id, 'user:5', 'fetch_user');
        $this->assert_check(result::WARNING, 'check_peer_refused_some', new check\peer_refused($host));
    }

    public function test_a_synchronisation_is_told_of(): void {
        global $DB;
        $host = $this->make_register();
        $this->assert_check(result::INFO, 'check_peer_sync_never', new check\peer_sync($host));
        $id = $DB->insert_record('local_mnetd_sync', (object) ['hostid' => $host->id, 'mode' => 'full',
            'phase' => 'user', 'done' => 3, 'total' => 9, 'timestarted' => time() - 60]);
        $result = (new check\peer_sync($host))->get_result();
        $this->assertSame(result::INFO, $result->get_status());
        $this->assertStringContainsString('3 of 9', $result->get_summary());

        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'error' => 'The disk is full.']);
        $this->assertSame(result::ERROR, (new check\peer_sync($host))->get_result()->get_status());

        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'error' => null, 'timefinished' => time() - 10]);
        $this->assertSame(result::OK, (new check\peer_sync($host))->get_result()->get_status());

        set_config('nightly', 1, 'local_mnetd');
        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'timefinished' => time() - WEEKSECS]);
        $this->assertSame(result::WARNING, (new check\peer_sync($host))->get_result()->get_status());
        set_config('nightly', 0, 'local_mnetd');
        $this->assertSame(result::OK, (new check\peer_sync($host))->get_result()->get_status());
    }

    public function test_moodles_status_report_shows_them_with_the_last_test(): void {
        global $CFG;
        $host = $this->make_register();
        $this->make_register('https://second.example.org');
        $checks = array_filter(\core\check\manager::get_status_checks(), function ($check) {
            return $check->get_component() === 'local_mnetd';
        });
        $refs = array_map(function ($check) {
            return $check->get_ref();
        }, $checks);
        $this->assertSame($refs, array_unique($refs));
        $this->assertContains('local_mnetd_rc4', $refs);
        $this->assertContains('local_mnetd_peer_test_' . $host->id, $refs);
        foreach ($checks as $check) {
            $this->assertNotSame('', $check->get_name());
            $this->assertNotSame('', $check->get_result()->get_summary());
        }

        $this->assert_check(result::INFO, 'check_peer_test_never', new check\peer_test($host));
        livetest::run($host, new answering_client(), function () {
            return ['status' => 0, 'error' => 'No route to host', 'body' => '', 'date' => null, 'now' => 1.0];
        });
        $result = (new check\peer_test($host))->get_result();
        $this->assertSame(result::ERROR, $result->get_status());
        $this->assertStringContainsString('No route to host', $result->get_summary());
    }
}
