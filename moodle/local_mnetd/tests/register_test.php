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

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/mnet/lib.php');
require_once($CFG->dirroot . '/mnet/remote_client.php');
require_once($CFG->dirroot . '/mnet/xmlrpc/serverlib.php');
require_once($CFG->libdir . '/gradelib.php');
require_once(__DIR__ . '/../register.php');

/**
 * Tests of what registers may ask.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd_register
 */
final class register_test extends \advanced_testcase {
    /** @var int the register, an id of mnet_host */
    protected $host;

    public static function setUpBeforeClass(): void {
        parent::setUpBeforeClass();
        // Without it Moodle knows of no caller.
        defined('MNET_SERVER') || define('MNET_SERVER', true);
    }

    protected function setUp(): void {
        global $DB;
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        scope::reset();
        $this->host = $DB->insert_record('mnet_host', (object) ['deleted' => 0, 'wwwroot' => 'https://register.example.org',
            'ip_address' => '127.0.0.1', 'name' => 'The register', 'public_key' => '', 'public_key_expires' => 0,
            'applicationid' => 1]);
        $this->publish($this->host);
        $this->calls(true);
    }

    protected function tearDown(): void {
        set_mnet_remote_client(null);
        parent::tearDown();
    }

    /**
     * The functions that are published.
     *
     * @return array
     */
    public static function functions(): array {
        $functions = [];
        foreach (
            ['get_user', 'list_users', 'list_sections', 'list_enrolments', 'list_assessments', 'list_grades',
                'list_user_enrolments'] as $function
        ) {
            $functions[$function] = [$function];
        }
        return $functions;
    }

    /**
     * No function answers a call that is not bound, or not to this site, or came before.
     *
     * @dataProvider functions
     * @param string $function its name
     */
    public function test_every_function_demands_a_binding(string $function): void {
        global $CFG;
        $user = $this->getDataGenerator()->create_user(['username' => 'zoe']);
        $query = ['username' => $user->username];
        $this->assertSame(fault::NOT_BOUND, $this->fault_of($function, [$query]));
        $this->assertSame(fault::NOT_BOUND, $this->fault_of($function, []));
        $this->assertSame(
            fault::OTHER_RECIPIENT,
            $this->fault_of($function, [$query, binding::make('https://elsewhere.example.org')])
        );
        $this->assertSame(fault::OUTSIDE_WINDOW, $this->fault_of($function, [$query, binding::make($CFG->wwwroot, time() - 400)]));
        $bound = [$query, binding::make($CFG->wwwroot)];
        $this->assertSame(0, $this->fault_of($function, $bound));
        $this->assertSame(fault::REPLAYED, $this->fault_of($function, $bound));
    }

    /**
     * No function answers who is not a peer, was removed, or did not sign.
     *
     * @dataProvider functions
     * @param string $function its name
     */
    public function test_every_function_demands_a_peer(string $function): void {
        global $CFG, $DB;
        $user = $this->getDataGenerator()->create_user(['username' => 'zoe']);
        $call = function () use ($CFG, $function, $user) {
            return $this->fault_of($function, [['username' => $user->username], binding::make($CFG->wwwroot)]);
        };
        $this->assertSame(0, $call());
        $this->calls(false);
        $this->assertSame(fault::NOT_ALLOWED, $call());
        $this->calls(true);
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $this->host]);
        $this->assertSame(fault::NOT_ALLOWED, $call());
        set_mnet_remote_client(null);
        $this->assertSame(fault::NOT_ALLOWED, $call());
        // Who may not ask uses up no nonce either.
        $this->assertSame(1, $DB->count_records('local_mnetd_nonce'));
    }

    /**
     * The service has to be published to the caller itself: "All hosts" can be whoever comes along.
     *
     * @dataProvider functions
     * @param string $function its name
     */
    public function test_no_function_answers_who_has_the_service_through_all_hosts(string $function): void {
        global $CFG, $DB;
        $user = $this->getDataGenerator()->create_user(['username' => 'zoe']);
        $call = function (?string &$text = null) use ($CFG, $function, $user) {
            return $this->fault_of($function, [['username' => $user->username], binding::make($CFG->wwwroot)], $text);
        };
        $DB->delete_records('mnet_host2service', ['hostid' => $this->host]);
        $this->publish((int) $CFG->mnet_all_hosts_id);
        $this->assertSame(fault::NOT_ALLOWED, $call($text));
        $this->assertStringContainsString('https://register.example.org', $text);
        $this->publish($this->host, 0);
        $this->assertSame(fault::NOT_ALLOWED, $call());
        $DB->set_field('mnet_host2service', 'publish', 1, ['hostid' => $this->host]);
        $this->assertSame(0, $call());
    }

    /**
     * Moodle's server keeps those out to whom the service is not published.
     *
     * @dataProvider functions
     * @param string $function its name
     */
    public function test_moodle_asks_whether_the_service_is_published_to_the_caller(string $function): void {
        global $DB;
        $rpc = $DB->get_record('mnet_rpc', ['xmlrpcpath' => 'local/mnetd/register.php/' . $function], '*', MUST_EXIST);
        $service = $DB->get_field_sql('SELECT s.id FROM {mnet_service} s JOIN {mnet_service2rpc} sr ON sr.serviceid = s.id
            WHERE sr.rpcid = ? AND s.name = ?', [$rpc->id, 'register'], MUST_EXIST);
        $permitted = function () use ($rpc) {
            try {
                mnet_verify_permissions($rpc);
                return 0;
            } catch (\mnet_server_exception $e) {
                return $e->getCode();
            }
        };
        $DB->delete_records('mnet_host2service', ['hostid' => $this->host]);
        $this->assertSame(7012, $permitted());
        $row = $DB->insert_record('mnet_host2service', (object) ['hostid' => $this->host, 'serviceid' => $service,
            'publish' => 0, 'subscribe' => 1]);
        $this->assertSame(707, $permitted());
        $DB->set_field('mnet_host2service', 'publish', 1, ['id' => $row]);
        $this->assertSame(0, $permitted());
        $this->assertTrue(is_callable([new $rpc->classname(), $rpc->functionname]));
    }

    public function test_a_fault_leaves_moodle_s_server_with_its_code_and_text(): void {
        // What Moodle does with an exception of a published function, up to where it would end the process.
        $remote = get_mnet_remote_client();
        $remote->object_to_call(new \local_mnetd_register());
        try {
            @call_user_func_array([$remote->object_to_call, 'list_users'], [[]]);
            $this->fail('It was answered.');
        } catch (\Exception $e) {
            $xml = mnet_server_fault($e->getCode(), $e->getMessage());
        }
        $response = (new \PhpXmlRpc\Encoder())->decodeXml($xml);
        $this->assertSame(8012, $response->faultCode());
        $this->assertSame(get_string('fault_notbound', 'local_mnetd'), $response->faultString());
    }

    public function test_extra_parameters_reach_a_function_through_moodle_s_server(): void {
        global $CFG;
        $user = $this->getDataGenerator()->create_user(['username' => 'zoe', 'idnumber' => 'STU-1']);
        $remote = get_mnet_remote_client();
        $remote->object_to_call(new \local_mnetd_register());
        $path = 'local/mnetd/register.php/get_user';
        $encoder = new \PhpXmlRpc\Encoder();
        $request = new \PhpXmlRpc\Request($path, [$encoder->encode(['username' => 'zoe']),
            $encoder->encode(binding::make($CFG->wwwroot))]);

        $server = new \PhpXmlRpc\Server();
        $server->functions_parameters_type = 'epivals';
        $server->compress_response = false;
        $server->add_to_map($path, 'mnet_server_dummy_method');
        $server->user_data = 'get_user';
        $response = $encoder->decodeXml($server->service($request->serialize('utf-8'), true));
        $answer = $encoder->decode($response->value());
        $this->assertSame(['STU-1', 'zoe', $user->id], [$answer['idnumber'], $answer['username'], (string) $answer['moodle_id']]);
    }

    public function test_a_user_is_found_by_id_and_by_name(): void {
        $zoe = $this->getDataGenerator()->create_user(['username' => 'zoe', 'idnumber' => 'STU-1', 'firstname' => 'Zoë']);
        $sam = $this->getDataGenerator()->create_user(['username' => 'sam', 'idnumber' => '']);

        $asked = [
            [['idnumber' => 'STU-1'], $zoe], [['username' => 'zoe'], $zoe], [['username' => 'ZOE'], $zoe],
            [['idnumber' => 'STU-1', 'username' => 'zoe'], $zoe], [['idnumber' => 'STU-1', 'username' => ''], $zoe],
            [['idnumber' => 'STU-1', 'username' => 'sam'], null], [['idnumber' => 'stu-1'], null],
            [['idnumber' => 'STU-2'], null], [['username' => 'nobody'], null],
            [['username' => 'sam'], $sam], [['idnumber' => 'moodle-user-' . $sam->id], $sam],
            [['idnumber' => 'moodle-user-' . $zoe->id], null], [['idnumber' => 'moodle-user-999999'], null],
            [['username' => 'guest'], null],
        ];
        foreach ($asked as [$query, $user]) {
            $answer = $this->ask('get_user', $query);
            $this->assertSame($user ? (int) $user->id : null, $answer['moodle_id'] ?? null, json_encode($query));
        }
        $this->assertSame('Zoë', $this->ask('get_user', ['idnumber' => 'STU-1'])['firstname']);
        $this->assertSame([], $this->ask('get_user', ['username' => 'nobody']));
    }

    public function test_a_user_is_found_by_the_id_that_a_register_knows_whatever_the_field_says_now(): void {
        global $DB;
        $zoe = $this->getDataGenerator()->create_user(['username' => 'zoe', 'idnumber' => '']);
        $this->assertSame('moodle-user-' . $zoe->id, $this->ask('get_user', ['username' => 'zoe'])['idnumber']);
        $DB->set_field('user', 'idnumber', 'STU-1', ['id' => $zoe->id]);
        $this->assertSame('zoe', $this->ask('get_user', ['idnumber' => 'moodle-user-' . $zoe->id])['username']);
        $this->assertSame([], $this->ask('get_user', ['idnumber' => 'STU-1']));
    }

    public function test_a_deleted_user_is_nobody(): void {
        $zoe = $this->getDataGenerator()->create_user(['username' => 'zoe', 'idnumber' => 'STU-1']);
        $this->assertNotSame([], $this->ask('get_user', ['idnumber' => 'STU-1']));
        delete_user($zoe);
        $this->assertSame([], $this->ask('get_user', ['idnumber' => 'STU-1']));
        $this->assertSame([], $this->ask('get_user', ['username' => 'zoe']));
    }

    public function test_pages_give_everyone_once_also_who_comes_meanwhile(): void {
        for ($i = 0; $i < 7; $i++) {
            $this->getDataGenerator()->create_user(['username' => "u$i"]);
        }
        $first = $this->ask('list_users', ['limit' => 3]);
        $this->assertCount(3, $first['items']);
        $this->assertSame(8, $first['total']);
        $this->assertEqualsWithDelta(time(), $first['as_of'], 5);

        // One comes and one goes while the pages are read.
        $this->getDataGenerator()->create_user(['username' => 'late']);
        delete_user(\core_user::get_user_by_username('u0'));
        $names = array_column($first['items'], 'username');
        $page = $first;
        while ($page['next'] !== '') {
            $page = $this->ask('list_users', ['limit' => '3', 'cursor' => $page['next']]);
            $this->assertSame(-1, $page['total']);
            $names = array_merge($names, array_column($page['items'], 'username'));
        }
        $this->assertSame(['admin', 'u0', 'u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'late'], $names);
    }

    public function test_a_last_page_that_is_just_full_says_that_it_is_the_last(): void {
        $this->getDataGenerator()->create_user();
        $this->assertSame('', $this->ask('list_users', ['limit' => 2])['next']);
        $this->assertNotSame('', $this->ask('list_users', ['limit' => 1])['next']);
    }

    public function test_an_empty_list_is_an_answer(): void {
        $page = $this->ask('list_grades', []);
        $this->assertSame([[], '', 0], [$page['items'], $page['next'], $page['total']]);
    }

    public function test_the_lists_say_what_the_calls_would(): void {
        $generator = $this->getDataGenerator();
        $zoe = $generator->create_user(['username' => 'zoe', 'idnumber' => 'STU-1']);
        $tea = $generator->create_user(['username' => 'tea', 'idnumber' => 'EMP-1']);
        $course = $generator->create_course(['fullname' => 'Biology', 'shortname' => 'BIO', 'idnumber' => 'CRS-1']);
        $other = $generator->create_course(['idnumber' => 'CRS-2']);
        $generator->enrol_user($zoe->id, $course->id, 'student');
        $generator->enrol_user($tea->id, $course->id, 'editingteacher');
        $generator->enrol_user($zoe->id, $other->id, 'student');
        $item = new \grade_item(
            $generator->create_grade_item(['courseid' => $course->id, 'itemname' => 'Oral', 'grademax' => 20]),
            false
        );
        $generator->create_grade_item(['courseid' => $other->id, 'itemname' => 'Other']);
        $item->update_final_grade($zoe->id, 17.5);

        $sections = array_column($this->ask('list_sections')['items'], null, 'idnumber');
        $this->assertSame(['CRS-1', 'CRS-2'], array_keys($sections));
        $this->assertSame(
            ['Biology', ['EMP-1'], (int) $course->id],
            [$sections['CRS-1']['name'], $sections['CRS-1']['teacheridnumber'], $sections['CRS-1']['moodle_id']]
        );

        $said = function (array $page) {
            return array_map(function ($item) {
                return "$item[userid] $item[role] $item[sectionid]";
            }, $page['items']);
        };
        $all = $said($this->ask('list_enrolments'));
        $this->assertSame(['STU-1 student CRS-1', 'EMP-1 teacher CRS-1', 'STU-1 student CRS-2'], $all);
        $this->assertSame(
            ['STU-1 student CRS-1', 'EMP-1 teacher CRS-1'],
            $said($this->ask('list_enrolments', ['sectionid' => 'CRS-1']))
        );
        $this->assertSame(
            ['STU-1 student CRS-1', 'STU-1 student CRS-2'],
            $said($this->ask('list_user_enrolments', ['idnumber' => 'STU-1']))
        );
        $this->assertSame(['EMP-1 teacher CRS-1'], $said($this->ask('list_user_enrolments', ['username' => 'tea'])));

        $assessments = $this->ask('list_assessments', ['sectionid' => 'CRS-1']);
        $this->assertSame([['Oral', 20.0, 'CRS-1']], array_map(function ($item) {
            return [$item['name'], $item['pointval'], $item['sectionid']];
        }, $assessments['items']));
        $this->assertSame(1, $assessments['total']);
        $this->assertSame(2, $this->ask('list_assessments')['total']);

        $grades = $this->ask('list_grades', ['sectionid' => 'CRS-1'])['items'];
        $this->assertSame([[$assessments['items'][0]['idnumber'], 'STU-1', 17.5, false]], array_map(function ($item) {
            return [$item['assessmentid'], $item['userid'], $item['points_earned'], $item['excepted']];
        }, $grades));
        $this->assertSame([], $this->ask('list_grades', ['sectionid' => 'CRS-2'])['items']);
    }

    /**
     * Queries that are no queries.
     *
     * @return array
     */
    public static function odd_queries(): array {
        return [
            'no struct' => ['list_users', 'all', fault::WRONG, 'struct'],
            'a cursor of another list' => ['list_users', ['cursor' => 'grade-5'], fault::WRONG, 'cursor'],
            'a cursor that was made up' => ['list_users', ['cursor' => 'user-0'], fault::WRONG, 'user-0'],
            'a cursor with more behind it' => ['list_users', ['cursor' => "user-5\n"], fault::WRONG, 'cursor'],
            'a cursor with SQL in it' => ['list_users', ['cursor' => 'user-1 OR 1=1'], fault::WRONG, 'cursor'],
            'a list for a cursor' => ['list_users', ['cursor' => ['user-5']], fault::WRONG, 'cursor'],
            'a limit of nought' => ['list_users', ['limit' => 0], fault::WRONG, '2000'],
            'a limit beyond' => ['list_users', ['limit' => 2001], fault::WRONG, '2000'],
            'a limit below' => ['list_users', ['limit' => -1], fault::WRONG, '2000'],
            'a limit in words' => ['list_users', ['limit' => 'all'], fault::WRONG, 'limit'],
            'a limit with a fraction' => ['list_users', ['limit' => 2.5], fault::WRONG, 'limit'],
            'the highest limit' => ['list_users', ['limit' => 2000], 0, ''],
            'empty fields' => ['list_users', ['limit' => '', 'cursor' => ''], 0, ''],
            'an unknown section' => ['list_grades', ['sectionid' => 'nope'], fault::UNKNOWN_SECTION, 'nope'],
            'the site itself' => ['list_enrolments', ['sectionid' => 'moodle-course-1'], fault::UNKNOWN_SECTION, 'moodle-course-1'],
            'a list for a section' => ['list_grades', ['sectionid' => ['x']], fault::WRONG, 'sectionid'],
            'nobody asked for' => ['get_user', [], fault::WRONG, 'idnumber'],
            'nobody asked for by name' => ['get_user', ['username' => ''], fault::WRONG, 'username'],
            'a yes for a name' => ['get_user', ['username' => true], fault::WRONG, 'username'],
            'a very long name' => ['get_user', ['username' => str_repeat('x', 1334)], fault::WRONG, 'username'],
            'an unknown user' => ['list_user_enrolments', ['idnumber' => 'nope'], fault::UNKNOWN_USER, 'nope'],
            'nobody' => ['list_user_enrolments', [], fault::UNKNOWN_USER, 'idnumber'],
        ];
    }

    /**
     * What is wrong with a query is said.
     *
     * @dataProvider odd_queries
     * @param string $function whom it is put to
     * @param mixed $query the query
     * @param int $code the fault, 0 for none
     * @param string $words what its text has to say
     */
    public function test_a_wrong_query_gets_a_clear_fault(string $function, $query, int $code, string $words): void {
        global $CFG;
        $text = '';
        $this->assertSame($code, $this->fault_of($function, [$query, binding::make($CFG->wwwroot)], $text));
        if ($words !== '') {
            $this->assertStringContainsString($words, $text);
        }
    }

    public function test_moodle_reads_what_each_function_takes_and_gives(): void {
        global $DB;
        foreach (array_keys(self::functions()) as $function) {
            $rpc = $DB->get_record('mnet_rpc', ['xmlrpcpath' => 'local/mnetd/register.php/' . $function], '*', MUST_EXIST);
            $profile = unserialize($rpc->profile);
            $this->assertSame('query', $profile['parameters'][0]['name']);
            $this->assertSame('array', $profile['return']['type']);
            $this->assertNotSame('', $rpc->help);
        }
    }

    /**
     * Who is calling.
     *
     * @param bool $signed whether the signature was right
     */
    protected function calls(bool $signed): void {
        $remote = new \mnet_remote_client();
        $remote->set_id($this->host);
        if ($signed) {
            $remote->signature_verified();
        }
        set_mnet_remote_client($remote);
    }

    /**
     * Ticks the service for a host.
     *
     * @param int $hostid the host
     * @param int $publish 1, or 0 for a row whose box is not ticked
     */
    protected function publish(int $hostid, int $publish = 1): void {
        global $DB;
        $service = $DB->get_field('mnet_service', 'id', ['name' => 'register'], MUST_EXIST);
        $DB->insert_record('mnet_host2service', (object) [
            'hostid' => $hostid, 'serviceid' => $service, 'publish' => $publish, 'subscribe' => 0,
        ]);
    }

    /**
     * Asks as a register does.
     *
     * @param string $function the function
     * @param array $query the query
     * @return array
     */
    protected function ask(string $function, array $query = []): array {
        global $CFG;
        return (new \local_mnetd_register())->$function($query, binding::make($CFG->wwwroot));
    }

    /**
     * The fault that a call brings.
     *
     * @param string $function the function
     * @param array $params all its parameters
     * @param string|null $text takes the text of the fault
     * @return int 0 for none
     */
    protected function fault_of(string $function, array $params, ?string &$text = null): int {
        try {
            (new \local_mnetd_register())->$function(...$params);
        } catch (fault $e) {
            $text = $e->getMessage();
            return $e->getCode();
        }
        return 0;
    }
}
