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
require_once($CFG->libdir . '/gradelib.php');
require_once(__DIR__ . '/fixtures/scripted_client.php');

/**
 * Tests of what stands around the sender: several registers, their synchronisations, what a register lacks, the tasks.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\courier
 * @covers     \local_mnetd\prerequisites
 * @covers     \local_mnetd\status
 * @covers     \local_mnetd\task\send
 * @covers     \local_mnetd\task\send_now
 * @covers     \local_mnetd\task\reconcile
 */
final class delivery_test extends \advanced_testcase {
    /** @var scripted_client every register's end of the line */
    protected $register;

    /** @var string[] what was said */
    protected $lines = [];

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        set_config('mnet_dispatcher_mode', 'strict');
        scope::reset();
        $this->register = new scripted_client();
    }

    protected function tearDown(): void {
        scope::reset();
        parent::tearDown();
    }

    public function test_one_register_that_fails_keeps_nothing_from_the_others(): void {
        [$a, $b, $c] = [$this->make_register('a'), $this->make_register('b'), $this->make_register('c')];
        foreach ([$a, $b, $c] as $host) {
            $this->put($host, 'user:5');
        }
        $this->register->whole = function ($number) {
            if ($number === 1) {
                throw new client_exception(client_exception::UNREACHABLE, 'client_unreachable', ['peer' => 'a', 'cause' => 'x']);
            }
        };
        $outcomes = $this->courier()->serve([$a, $b, $c], time() + 60);
        $this->assertSame([outcome::FAILED, outcome::DRAINED, outcome::DRAINED], array_column($outcomes, 'end'));
        $this->assertSame([1, 0, 0], [queue::waiting($a), queue::waiting($b), queue::waiting($c)]);
        $this->assertCount(3, $this->lines);
        $this->assertStringStartsWith('https://a.example.org: failed: ', $this->lines[0]);
        $this->assertStringStartsWith('https://b.example.org: changes sent: 1, in messages: 1', $this->lines[1]);
    }

    public function test_an_error_of_this_site_about_one_register_keeps_nothing_from_the_others(): void {
        global $DB;
        $this->preventResetByRollback();
        [$a, $b] = [$this->make_register('a'), $this->make_register('b')];
        $this->put($a, 'user:5');
        $this->put($b, 'user:5');
        $this->register->whole = function ($number) use ($DB) {
            if ($number === 1) {
                // The worst of it: a transaction that nobody ends.
                $DB->start_delegated_transaction();
                throw new \Error('a bug');
            }
        };
        $outcomes = $this->courier()->serve([$a, $b], time() + 60);
        $this->assertDebuggingCalled();
        $this->assertFalse($DB->is_transaction_started());
        $this->assertSame([outcome::FAILED, outcome::DRAINED], array_column($outcomes, 'end'));
        $this->assertSame([1, 0], [queue::waiting($a), queue::waiting($b)]);
        $this->assertStringContainsString('a bug', status::of($a)['lasterror']);
        $this->assertGreaterThan(time(), status::of($a)['nexttry']);
    }

    public function test_a_synchronisation_goes_on_between_messages_until_it_is_done(): void {
        $host = $this->make_register('a');
        $steps = [2, 3, 0, 1];
        $courier = $this->courier(function ($hostid) use (&$steps) {
            for ($i = array_shift($steps); $i > 0; $i--) {
                $this->put($hostid, "user:$i");
            }
            // The last step may have queued something as well.
            return count($steps) > 0;
        });
        $outcome = $courier->serve([$host], time() + 60)[$host];
        $this->assertSame([outcome::DRAINED, 6], [$outcome->end, $outcome->sent]);
        $this->assertSame([], $steps);
        $this->assertSame(0, queue::waiting($host));
    }

    public function test_a_register_that_cannot_be_reached_gets_no_longer_queue(): void {
        $host = $this->make_register('a');
        $this->put($host, 'user:5');
        $this->register->whole = function () {
            throw new client_exception(client_exception::UNREACHABLE, 'client_unreachable', ['peer' => 'a', 'cause' => 'x']);
        };
        $stepped = false;
        $this->courier(function () use (&$stepped) {
            return $stepped = true;
        })->serve([$host], time() + 60);
        $this->assertFalse($stepped);
    }

    public function test_a_time_that_is_up_ends_it(): void {
        $host = $this->make_register('a');
        $this->put($host, 'user:5');
        $outcome = $this->courier()->serve([$host], time() - 1)[$host];
        $this->assertSame([outcome::OUT_OF_TIME, 0], [$outcome->end, $outcome->sent]);
        $this->assertSame(1, queue::waiting($host));
    }

    public function test_a_register_that_lost_everything_gets_what_a_grade_needs(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $zoe = $generator->create_user(['username' => 'zoe', 'idnumber' => 'STU-1']);
        $tea = $generator->create_user(['username' => 'tea', 'idnumber' => 'EMP-1']);
        $course = $generator->create_course(['idnumber' => 'CRS-1']);
        $generator->enrol_user($zoe->id, $course->id, 'student');
        $generator->enrol_user($tea->id, $course->id, 'editingteacher');
        $item = new \grade_item($generator->create_grade_item(['courseid' => $course->id, 'itemname' => 'Oral']), false);
        $item->update_final_grade($zoe->id, 17.5);
        $host = $this->make_register('a');
        $assessment = ids::pin(ids::ITEM, [$item->id])[$item->id];

        // A register that keeps what it hears, and wants to know whom it is told of.
        $known = [];
        $this->register->answer = function ($method, $struct) use (&$known) {
            $fields = ['assessmentid' => 8005, 'sectionid' => 8004, 'userid' => 8003, 'teacheridnumber' => 8003];
            foreach ($fields as $field => $code) {
                foreach ((array) ($struct[$field] ?? []) as $id) {
                    if (!isset($known[$id])) {
                        return call_result::refused($code, "unknown: $id");
                    }
                }
            }
            $known[$struct['idnumber'] ?? ''] = true;
            return null;
        };

        $jobs = [
            "grade:$item->id:$zoe->id" => ['new_grade',
                ['assessmentid' => $assessment, 'userid' => 'STU-1', 'points_earned' => 17.5],
                ['2 fetch_user STU-1', '2 fetch_user EMP-1', '2 new_section CRS-1', "2 new_assessment $assessment CRS-1",
                    "2 new_grade $assessment STU-1"]],
            "enrolment:$course->id:$zoe->id:student" => ['new_enrolment', ['sectionid' => 'CRS-1', 'userid' => 'STU-1',
                'role' => 'student'],
                ['2 fetch_user STU-1', '2 fetch_user EMP-1', '2 new_section CRS-1', '2 new_enrolment CRS-1 STU-1']],
            "item:$item->id" => ['update_assessment', ['idnumber' => $assessment, 'sectionid' => 'CRS-1', 'name' => 'Oral'],
                ['2 fetch_user EMP-1', '2 new_section CRS-1', "2 new_assessment $assessment CRS-1",
                    "2 update_assessment $assessment CRS-1"]],
            "section:$course->id" => ['update_section', ['idnumber' => 'CRS-1', 'teacheridnumber' => ['EMP-1']],
                ['2 fetch_user EMP-1', '2 new_section CRS-1', '2 update_section CRS-1']],
        ];
        foreach ($jobs as $objectkey => [$method, $struct, $expected]) {
            $known = [];
            $this->register->messages = [];
            $DB->delete_records('local_mnetd_queue');
            $this->put($host, $objectkey, $method, $struct);
            $outcome = $this->courier()->serve([$host], time() + 60)[$host];

            $log = $this->register->log();
            array_shift($log);
            $this->assertEqualsCanonicalizing($expected, $log, $objectkey);
            // Users before sections before assessments before the call itself.
            $rank = array_flip(['fetch_user', 'new_section', 'new_assessment']);
            $ranks = array_map(function ($line) use ($rank) {
                return $rank[explode(' ', $line)[1]] ?? 9;
            }, $log);
            $sorted = $ranks;
            sort($sorted);
            $this->assertSame($sorted, $ranks);
            $this->assertSame([1, 1, 0], [$outcome->sent, $outcome->repaired, $outcome->refused], $objectkey);
            $this->assertSame(0, queue::waiting($host) + queue::refused($host));
        }
    }

    public function test_nothing_stands_in_front_of_what_this_site_has_no_more(): void {
        $prerequisites = new prerequisites();
        $gone = ['grade:99999:99999', 'enrolment:99999:99999:student', 'item:99999', 'section:99999', 'user:99999', 'odd'];
        foreach ($gone as $key) {
            $this->assertSame([], $prerequisites->of((object) ['objectkey' => $key, 'struct' => []]));
        }
    }

    public function test_the_sending_task_starts_with_a_new_register_by_sending_everything(): void {
        $host = $this->make_register('a', true);
        // The real client stops before it sends, since the register has no certificate: the queue stands, the cause is shown.
        $this->expectOutputRegex('~https://a.example.org: failed: .*certificate~');
        (new task\send())->execute();
        $status = status::of($host);
        $this->assertSame(['full', 1], [$status['sync']['mode'], $status['failures']]);
        $this->assertGreaterThan(0, $status['waiting']);
    }

    public function test_without_a_register_the_tasks_say_so_and_do_nothing(): void {
        $this->expectOutputRegex('~No register is connected~');
        (new task\send())->execute();
        (new task\send_now())->execute();
        (new task\reconcile())->execute();
    }

    public function test_the_nightly_task_starts_a_comparison(): void {
        global $DB;
        $host = $this->make_register('a', true);
        synchroniser::start($host, synchroniser::FULL);
        $DB->set_field('local_mnetd_sync', 'phase', synchroniser::FINISHED, ['hostid' => $host]);
        $DB->set_field('local_mnetd_sync', 'timefinished', time() - 3600, ['hostid' => $host]);
        $this->expectOutputRegex('~compared~');
        (new task\reconcile())->execute();
        $sync = status::of($host)['sync'];
        $this->assertSame(['reconcile', true], [$sync['mode'], $sync['running']]);
    }

    public function test_the_sending_task_forgets_old_nonces(): void {
        global $DB;
        $DB->insert_record('local_mnetd_nonce', (object) ['nonce' => str_repeat('0', 32), 'timecreated' => time() - 4000]);
        $this->expectOutputRegex('~~');
        (new task\send())->execute();
        $this->assertSame(0, $DB->count_records('local_mnetd_nonce'));
    }

    public function test_tasks_have_names(): void {
        foreach ([task\send::class, task\send_now::class, task\reconcile::class] as $class) {
            $name = (new $class())->get_name();
            $this->assertStringNotContainsString('[[', $name);
            $this->assertNotSame('', $name);
        }
    }

    public function test_the_state_tells_what_waits_and_what_failed(): void {
        $host = $this->make_register('a', true);
        $this->put($host, 'user:5');
        $this->put($host, 'user:6');
        $this->register->answer = function ($method, $struct, $number) {
            return $number === 1 ? call_result::refused(8002, 'wrong') : null;
        };
        $this->register->whole = function ($number) {
            if ($number === 2) {
                throw new client_exception(
                    client_exception::REFUSED,
                    'client_fault707',
                    ['peer' => 'https://a.example.org', 'here' => 'x'],
                    707,
                    'no'
                );
            }
        };
        $this->courier()->serve([$host], time() + 60);
        $this->put($host, 'user:7');
        $this->courier()->serve([$host], time() + 60);

        $status = status::of($host);
        $this->assertSame(
            ['https://a.example.org', 1, 2, 1, null],
            [$status['wwwroot'], $status['waiting'], $status['refused'], $status['failures'], $status['sync']]
        );
        $this->assertGreaterThan(0, $status['lastsuccess']);
        $text = implode("\n", status::lines($status));
        $this->assertStringContainsString('waiting: 1, refused: 2', $text);
        $this->assertStringContainsString('fault 707', $text);
    }

    public function test_a_register_is_chosen_by_its_address(): void {
        try {
            status::chosen('');
            $this->fail('There is none.');
        } catch (\moodle_exception $e) {
            $this->assertSame('noregister', $e->errorcode);
        }
        $a = $this->make_register('a', true);
        $b = $this->make_register('b', true);
        $this->assertSame([$a, $b], status::chosen(''));
        $this->assertSame([$b], status::chosen('https://b.example.org'));
        $this->assertSame([$b], status::chosen('https://b.example.org/'));
        try {
            status::chosen('https://c.example.org');
            $this->fail('There is none of that address.');
        } catch (\moodle_exception $e) {
            $this->assertStringContainsString('https://a.example.org, https://b.example.org', $e->getMessage());
        }
    }

    /**
     * A courier that serves by the scripted client.
     *
     * @param callable|null $synchronise takes a synchronisation further; null for none
     * @return courier
     */
    protected function courier(?callable $synchronise = null): courier {
        $say = function (string $line): void {
            $this->lines[] = $line;
        };
        return new courier($say, new sender($this->register), $synchronise ?? function () {
            return false;
        });
    }

    /**
     * Puts a job into the queue.
     *
     * @param int $host the register
     * @param string $objectkey the object
     * @param string $method the method without its service
     * @param array $struct its argument
     */
    protected function put(int $host, string $objectkey, string $method = 'fetch_user', array $struct = ['idnumber' => 'X']): void {
        global $DB;
        $DB->insert_record('local_mnetd_queue', queue::job($host, strtok($objectkey, ':'), $objectkey, $method, $struct));
    }

    /**
     * A peer.
     *
     * @param string $name its address begins with it
     * @param bool $subscribed whether it is a register by Moodle's settings, so that changes are followed
     * @return int its id in mnet_host
     */
    protected function make_register(string $name, bool $subscribed = false): int {
        global $DB;
        $host = $DB->insert_record('mnet_host', (object) ['deleted' => 0, 'wwwroot' => "https://$name.example.org",
            'ip_address' => '127.0.0.1', 'name' => "Register $name", 'public_key' => '', 'public_key_expires' => 0,
            'applicationid' => 1]);
        if ($subscribed) {
            $service = $DB->get_field('mnet_service', 'id', ['name' => 'register'], MUST_EXIST);
            $DB->insert_record('mnet_host2service', (object) ['hostid' => $host, 'serviceid' => $service, 'publish' => 1,
                'subscribe' => 1]);
            scope::reset();
        }
        return $host;
    }
}
