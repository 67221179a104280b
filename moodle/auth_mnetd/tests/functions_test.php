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
 * Moodle's lists of functions.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * What the dispatcher and the client of core make of the plugin.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\functions
 * @covers     \auth_mnetd\check
 * @covers     \auth_mnetd\privacy\provider
 */
final class functions_test extends network_testcase {
    /** @var string[] the functions of both services */
    const NAMES = [
        'fetch_theme_info', 'fetch_user_image', 'keepalive_client', 'keepalive_server', 'kill_child', 'kill_children',
        'refresh_log', 'update_enrolments', 'user_authorise',
    ];

    /**
     * Whether core's client lets a call out.
     *
     * @param host $host
     * @param string $path
     * @return bool
     */
    private static function is_permitted(host $host, string $path): bool {
        global $CFG;
        require_once($CFG->dirroot . '/mnet/xmlrpc/client.php');
        $client = new \mnet_xmlrpc_client();
        $client->set_method($path);
        return $client->permission_to_call($host->core_peer());
    }

    public function test_all_functions_are_published(): void {
        global $DB;
        $rpcs = $DB->get_records('mnet_rpc', ['plugintype' => 'auth', 'pluginname' => 'mnetd'], 'functionname');
        $this->assertSame(self::NAMES, array_column($rpcs, 'functionname'));
        foreach ($rpcs as $rpc) {
            $this->assertTrue(is_callable([new $rpc->classname(), $rpc->functionname]));
            $this->assertSame(1, $DB->count_records('mnet_service2rpc', ['rpcid' => $rpc->id]));
        }
    }

    public function test_a_peers_functions_may_be_called_under_either_path(): void {
        global $DB;
        $host = $this->host('peer');
        $none = $this->host('none', []);
        foreach (peer::PREFIXES as $prefix) {
            foreach (self::NAMES as $name) {
                $this->assertTrue(self::is_permitted($host, $prefix . $name), $prefix . $name);
                $this->assertFalse(self::is_permitted($none, $prefix . $name));
            }
        }
        $this->assertSame(0, functions::permit_calls());
        // The rows of another plugin went with it.
        $DB->delete_records_select('mnet_remote_rpc', $DB->sql_like('xmlrpcpath', '?'), ['auth/mnet/%']);
        $this->assertFalse(self::is_permitted($host, 'auth/mnet/auth.php/kill_child'));
        $this->assertSame(9, functions::permit_calls());
        $this->assertTrue(self::is_permitted($host, 'auth/mnet/auth.php/kill_child'));
        $this->assertSame(0, functions::permit_calls());
    }

    public function test_uninstalling_leaves_cores_plugin_what_it_needs(): void {
        global $DB;
        $host = $this->host('peer');
        // As if this plugin had been there first: then the paths core's calls are in its name.
        $DB->set_field('mnet_remote_rpc', 'pluginname', 'mnetd', ['plugintype' => 'auth', 'pluginname' => 'mnet']);
        functions::forget_all();
        $this->assertFalse(self::is_permitted($host, 'auth/mnetd/auth.php/kill_child'));
        $hasmnet = (bool) \core_component::get_plugin_directory('auth', 'mnet');
        $this->assertSame($hasmnet, self::is_permitted($host, 'auth/mnet/auth.php/kill_child'));
    }

    public function test_functions_without_code_are_withdrawn(): void {
        global $DB;
        if (\core_component::get_plugin_directory('auth', 'mnet')) {
            $this->assertSame(0, functions::withdraw_orphans());
            return;
        }
        // A site that was upgraded has them from before.
        functions::withdraw_orphans();
        $id = $DB->insert_record('mnet_rpc', (object) [
            'functionname' => 'kill_child', 'xmlrpcpath' => 'auth/mnet/auth.php/kill_child', 'plugintype' => 'auth',
            'pluginname' => 'mnet', 'enabled' => 1, 'help' => '', 'profile' => '', 'filename' => 'auth.php',
            'classname' => 'auth_plugin_mnet', 'static' => 0,
        ]);
        $this->assertSame(1, functions::withdraw_orphans());
        $this->assertEquals(0, $DB->get_field('mnet_rpc', 'enabled', ['id' => $id]));
        $this->assertSame(0, functions::withdraw_orphans());
    }

    public function test_every_check_has_a_text_in_each_state_it_can_be_in(): void {
        global $DB;
        $texts = [];
        $look = function () use (&$texts): string {
            $html = check::html();
            $texts[] = strip_tags($html);
            $this->assertStringNotContainsString('[[', $html);
            return $html;
        };
        set_config('mnet_dispatcher_mode', 'off');
        set_config('auth', 'email');
        $this->assertStringContainsString('not enabled', $look());
        set_config('mnet_dispatcher_mode', 'strict');
        set_config('auth', 'mnetd');
        $host = $this->host('all');
        $this->host('none', []);
        $this->host('half', ['publish_sso_idp', 'publish_sso_sp']);
        $this->assertStringContainsString('users cannot', str_replace('its users cannot come', 'users cannot', $look()));
        (new peer($host))->ask();
        $look();
        $this->answers['system/listMethods'] = ['auth/mnet/auth.php/kill_child'];
        (new peer($host))->ask();
        $html = $look();
        $this->assertStringContainsString('auth/mnet/auth.php (kill_child)', $html);
        $this->assertStringContainsString('answers under the paths of core', $html);
        $hascore = \core_component::get_plugin_directory('auth', 'mnet') !== null;
        if ($hascore) {
            set_config('auth', 'mnetd,mnet');
            $this->assertStringContainsString('enabled as well', $look());
        }
        $this->answers['system/listMethods'] = new unreachable($host, 'no <route>');
        (new peer($host))->ask();
        $this->assertStringNotContainsString('<route>', $look());
        $roleid = $DB->get_field('role', 'id', ['shortname' => 'user']);
        assign_capability(departure::CAPABILITY, CAP_ALLOW, $roleid, \context_system::instance());
        $this->assertStringContainsString('Authenticated user', $look());
        $this->assertCount($hascore ? 7 : 6, array_unique($texts));
    }

    public function test_what_is_kept_of_somebody_can_be_had_and_deleted(): void {
        global $DB;
        $host = $this->host('peer');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $other = $this->getDataGenerator()->create_user();
        foreach ([$user, $other] as $somebody) {
            tokens::issue((int) $somebody->id, $host->id, sha1(self::BROWSER), 'x', time());
            sessions::note(sessions::OUT, (int) $somebody->id, $host->id, $somebody->username, 'ua', 'hash', '', time());
            courses::take($host->id, $somebody->username, [['id' => 7, 'fullname' => 'Art']], time());
        }
        $context = \context_user::instance($user->id);
        $contexts = privacy\provider::get_contexts_for_userid((int) $user->id);
        $this->assertEquals([$context->id], $contexts->get_contextids());
        $list = new \core_privacy\local\request\userlist($context, 'auth_mnetd');
        privacy\provider::get_users_in_context($list);
        $this->assertEquals([$user->id], $list->get_userids());
        $approved = new \core_privacy\local\request\approved_contextlist($user, 'auth_mnetd', [$context->id]);
        privacy\provider::export_user_data($approved);
        $path = [get_string('pluginname', 'auth_mnetd'), get_string('privacy:path:auth_mnetd_course', 'auth_mnetd')];
        $exported = \core_privacy\local\request\writer::with_context($context)->get_data($path);
        $this->assertSame(['Art', $host->wwwroot], [$exported->rows[0]->fullname, $exported->rows[0]->host]);
        privacy\provider::delete_data_for_user($approved);
        foreach (privacy\provider::TABLES as $table) {
            $this->assertEquals([$other->id], array_values($DB->get_fieldset_select($table, 'userid', '1 = 1')));
        }
        delete_user($other);
        foreach (privacy\provider::TABLES as $table) {
            $this->assertSame(0, $DB->count_records($table));
        }
    }
}
