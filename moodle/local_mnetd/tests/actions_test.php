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

use core\output\notification;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/fixtures/answering_client.php');
require_once(__DIR__ . '/fixtures/hosts.php');
require_once(__DIR__ . '/fixtures/scripted_client.php');

/**
 * Tests of what the buttons do.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\actions
 * @covers     \local_mnetd\peers
 */
final class actions_test extends \advanced_testcase {
    use hosts;

    /** @var \stdClass the register. */
    protected $host;

    /** @var scripted_client the register's end of the line. */
    protected $register;

    /** @var actions the actions. */
    protected $actions;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->host = $this->make_register();
        $this->register = new scripted_client();
        $this->actions = new actions(new sender($this->register), new answering_client(), function () {
            return ['status' => 0, 'error' => 'No route to host', 'body' => '', 'date' => null, 'now' => 1.0];
        });
    }

    /**
     * The queue, by id.
     *
     * @return string[] state by id
     */
    private function queue(): array {
        global $DB;
        return $DB->get_records_menu('local_mnetd_queue', null, 'id', 'id, state');
    }

    public function test_test_now_tells_the_first_thing_that_is_wrong(): void {
        [$message, $type] = $this->actions->carry_out('test', $this->host);
        $this->assertSame(notification::NOTIFY_ERROR, $type);
        $this->assertStringContainsString('No route to host', $message);
        $this->assertNotNull(livetest::last($this->host->id));
    }

    public function test_send_now_sends_even_while_a_pause_lasts(): void {
        global $DB;
        queue::add([queue::job($this->host->id, 'user', 'user:5', 'fetch_user', ['idnumber' => 'U5'])]);
        $DB->insert_record('local_mnetd_peer', (object) ['hostid' => $this->host->id, 'failures' => 4,
            'lasterror' => 'down', 'nexttry' => time() + 3000]);
        [$message, $type] = $this->actions->carry_out('send', $this->host);
        // The job, and the administrator, whom the first synchronisation finds.
        $this->assertSame(get_string('done_send', 'local_mnetd', ['sent' => 2, 'refused' => 0, 'waiting' => 0]), $message);
        $this->assertSame(notification::NOTIFY_SUCCESS, $type);
        $this->assertSame([], $this->queue());
    }

    public function test_send_now_begins_the_first_synchronisation(): void {
        global $DB;
        $this->assertFalse($DB->record_exists('local_mnetd_sync', ['hostid' => $this->host->id]));
        [$message] = $this->actions->carry_out('send', $this->host);
        $this->assertSame(get_string('done_send', 'local_mnetd', ['sent' => 1, 'refused' => 0, 'waiting' => 0]), $message);
        $this->assertSame(synchroniser::FULL, $DB->get_field('local_mnetd_sync', 'mode', ['hostid' => $this->host->id]));
    }

    public function test_send_now_tells_what_failed(): void {
        queue::add([queue::job($this->host->id, 'user', 'user:5', 'fetch_user', ['idnumber' => 'U5'])]);
        $this->register->whole = function () {
            throw new client_exception(client_exception::UNREACHABLE, 'unknownpeer');
        };
        [$message, $type] = $this->actions->carry_out('send', $this->host);
        $this->assertSame(notification::NOTIFY_ERROR, $type);
        $this->assertStringContainsString(s(get_string('unknownpeer', 'local_mnetd')), $message);
        $this->assertCount(1, $this->queue());
    }

    public function test_synchronisations_are_queued(): void {
        global $DB;
        foreach (['reconcile', 'full'] as $mode) {
            [, $type] = $this->actions->carry_out($mode, $this->host);
            $this->assertSame(notification::NOTIFY_SUCCESS, $type);
            $row = $DB->get_record('local_mnetd_sync', ['hostid' => $this->host->id]);
            $this->assertSame($mode, $row->mode);
            $this->assertEquals(0, $row->timefinished);
        }
    }

    public function test_discard_takes_one_refused_job_and_nothing_else(): void {
        $other = $this->make_register('https://second.example.org');
        $one = $this->make_refused($this->host->id, 'user:5', 'fetch_user');
        $two = $this->make_refused($this->host->id, 'user:6', 'fetch_user');
        $theirs = $this->make_refused($other->id, 'user:5', 'fetch_user');
        $waiting = $this->make_refused($this->host->id, 'user:7', 'fetch_user', ['state' => queue::WAITING]);

        $this->actions->carry_out('discard', $this->host, $one);
        $this->assertSame([$two, $theirs, $waiting], array_keys($this->queue()));
        foreach ([$one, $theirs, $waiting, 0] as $id) {
            [, $type] = $this->actions->carry_out('discard', $this->host, $id);
            $this->assertSame(notification::NOTIFY_WARNING, $type);
        }
        $this->assertSame([$two, $theirs, $waiting], array_keys($this->queue()));

        $this->actions->carry_out('discardall', $this->host);
        $this->assertSame([$theirs, $waiting], array_keys($this->queue()));
    }

    public function test_send_again_queues_what_is_true_now(): void {
        global $DB;
        $user = $this->getDataGenerator()->create_user(['firstname' => 'Uma', 'idnumber' => 'STU-1']);
        $DB->delete_records('local_mnetd_queue');
        $other = $this->make_register('https://second.example.org');
        $id = $this->make_refused($this->host->id, 'user:' . $user->id, 'fetch_user', ['data' => ['idnumber' => 'STU-1',
            'firstname' => 'Old']]);

        [, $type] = $this->actions->carry_out('retry', $other, $id);
        $this->assertSame(notification::NOTIFY_WARNING, $type);
        $this->assertSame([$id => queue::REFUSED], $this->queue());

        [, $type] = $this->actions->carry_out('retry', $this->host, $id);
        $this->assertSame(notification::NOTIFY_SUCCESS, $type);
        $jobs = $DB->get_records('local_mnetd_queue');
        $this->assertCount(1, $jobs);
        $job = reset($jobs);
        $this->assertSame(queue::WAITING, $job->state);
        $this->assertSame('Uma', queue::data($job)['firstname']);
    }

    public function test_send_all_again_empties_the_list(): void {
        global $DB;
        foreach ([1, 2, 3] as $n) {
            $user = $this->getDataGenerator()->create_user();
            $this->make_refused($this->host->id, 'user:' . $user->id, 'fetch_user');
        }
        [$message] = $this->actions->carry_out('retryall', $this->host);
        $this->assertSame(get_string('done_retry', 'local_mnetd', 3), $message);
        $this->assertSame(0, queue::refused($this->host->id));
        [, $type] = $this->actions->carry_out('retryall', $this->host);
        $this->assertSame(notification::NOTIFY_WARNING, $type);
    }

    public function test_an_unknown_action_and_an_unknown_host_are_refused(): void {
        try {
            $this->actions->carry_out('erase', $this->host);
            $this->fail('An unknown action was carried out.');
        } catch (\moodle_exception $e) {
            $this->assertSame('unknownaction', $e->errorcode);
        }
        $this->assertEquals($this->host->id, peers::get($this->host->id)->id);
        $stranger = $this->make_host('https://stranger.example.org');
        $this->expectException(\moodle_exception::class);
        $this->expectExceptionMessage(get_string('unknownpeer', 'local_mnetd'));
        peers::get($stranger->id);
    }
}
