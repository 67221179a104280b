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
 * The queue keeps its order, and what was refused can be sent again as things are then.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\queue
 */
final class queue_test extends \advanced_testcase {
    /** @var \local_mnetd_generator */
    private $mnetd;

    /** @var int in mnet_host */
    private $host;

    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        require_once($CFG->dirroot . '/user/lib.php');
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->mnetd = $this->getDataGenerator()->get_plugin_generator('local_mnetd');
        $this->host = $this->mnetd->create_host();
    }

    /**
     * Puts calls of users into the queue.
     *
     * @param int ...$users the objects, in order
     */
    private function put(int ...$users): void {
        queue::add(array_map(function ($user) {
            return queue::job($this->host, state::USER, "user:$user", 'update_user', ['idnumber' => "U$user"]);
        }, $users));
    }

    /**
     * What is due, in short.
     *
     * @param int $limit at most so many
     * @return string[] objects
     */
    private function due(int $limit = 100): array {
        return array_column(queue::due($this->host, $limit), 'objectkey');
    }

    public function test_a_message_ends_before_the_second_call_of_an_object(): void {
        $this->put(1, 2, 1, 3);
        $this->assertSame(['user:1', 'user:2'], $this->due());
        queue::done_many(queue::due($this->host, 100));
        $this->assertSame(['user:1', 'user:3'], $this->due());
        $this->assertSame(['user:1'], $this->due(1));
    }

    public function test_a_call_that_has_to_wait_holds_up_its_object_only(): void {
        $this->put(1, 1, 2);
        $jobs = queue::due($this->host, 1);
        queue::later(reset($jobs), time() + 60, 1, 'Not now');
        $this->assertSame(['user:2'], $this->due());
        $this->assertSame(['user:1'], array_column(queue::due($this->host, 100, time() + 61), 'objectkey'));
        $this->assertSame(3, queue::waiting($this->host));
    }

    public function test_payloads_come_out_as_they_went_in(): void {
        $data = ['points_earned' => 80.0, 'text' => "Zoë /\"\\ 日本\n", 'list' => [], 'yes' => true, 'int' => 5];
        $this->assertSame($data, queue::data(queue::job($this->host, state::GRADE, 'grade:1:2', 'new_grade', $data)));
    }

    public function test_a_refused_call_is_sent_again_as_things_are_then(): void {
        $user = $this->getDataGenerator()->create_user(['lastname' => 'Old']);
        [$job] = $this->mnetd->jobs($this->host);
        queue::refuse($job, 8002, 'Not this name.');
        user_update_user(['id' => $user->id, 'lastname' => 'New'], false);
        $this->mnetd->take($this->host);
        // The refused one is out of date with the one that followed.
        $this->assertSame(0, queue::refused($this->host));
        $this->assertFalse(queue::resend($job->id));

        user_update_user(['id' => $user->id, 'lastname' => 'Newer'], false);
        [$job] = $this->mnetd->jobs($this->host);
        queue::refuse($job, 8002, 'Not this name.');
        $GLOBALS['DB']->set_field('user', 'lastname', 'Newest', ['id' => $user->id]);
        $this->assertTrue(queue::resend($job->id));
        [$again] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['fetch_user', 'Newest'], [$again->method, $again->data['lastname']]);
        $this->assertSame(0, queue::refused($this->host));
    }

    public function test_a_refused_removal_is_sent_again_unless_the_thing_is_back(): void {
        $user = $this->getDataGenerator()->create_user();
        $this->mnetd->take($this->host);
        delete_user($user);
        [$job] = $this->mnetd->jobs($this->host);
        queue::refuse($job, 8006, 'Not yours.');
        $this->assertSame(1, queue::resend_all($this->host));
        $this->assertSame(["remove_user user:$user->id"], $this->mnetd->take($this->host));
        $this->assertSame(0, queue::refused($this->host));
    }

    public function test_a_call_refused_twice_stands_there_once(): void {
        $user = $this->getDataGenerator()->create_user();
        foreach ([1, 2] as $time) {
            $jobs = $this->mnetd->jobs($this->host);
            queue::refuse(end($jobs), 8002, "Refused $time");
            if ($time === 1) {
                user_update_user(['id' => $user->id, 'lastname' => 'New'], false);
            }
        }
        $this->assertSame(1, queue::refused($this->host));
        $this->assertSame('Refused 2', $GLOBALS['DB']->get_field('local_mnetd_queue', 'faulttext', ['hostid' => $this->host]));
    }
}
