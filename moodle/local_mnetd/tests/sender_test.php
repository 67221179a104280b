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

require_once(__DIR__ . '/fixtures/scripted_client.php');

/**
 * Tests of sending the queue.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\sender
 * @covers     \local_mnetd\outcome
 */
final class sender_test extends \advanced_testcase {
    /** @var int the moment at which these tests begin */
    const NOW = 1795512000;

    /** @var int the register, an id of mnet_host */
    protected $host;

    /** @var scripted_client the register's end of the line */
    protected $register;

    /** @var int the present moment */
    protected $time = self::NOW;

    /** @var array[] what stands in front of a job that lacks something, by objectkey: a list of [method, struct] by key */
    protected $prerequisites = [];

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->host = $this->make_host('https://register.example.org');
        $this->register = new scripted_client();
    }

    public function test_jobs_go_in_order_in_one_message_and_leave_the_queue(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('section:3', 'new_section', ['idnumber' => 'S3']);
        $this->put('enrolment:3:5:student', 'new_enrolment', ['sectionid' => 'S3', 'userid' => 'U5']);

        $outcome = $this->send();

        $this->assertSame(['1 fetch_user U5', '1 new_section S3', '1 new_enrolment S3 U5'], $this->register->log());
        $this->assertSame(
            [3, 1, 0, outcome::DRAINED],
            [$outcome->sent, $outcome->messages, $outcome->refused, $outcome->end]
        );
        $this->assertSame([], $this->queue());
        $peer = $this->peer();
        $this->assertEquals(
            [self::NOW, 0, 0, ''],
            [$peer->lastsuccess, $peer->failures, $peer->nexttry, (string) $peer->lasterror]
        );
    }

    public function test_no_message_has_two_jobs_of_one_object_and_none_overtakes_another(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->put('user:5', 'remove_user', ['idnumber' => 'U5']);
        $this->put('user:7', 'fetch_user', ['idnumber' => 'U7']);
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('enrolment:3:5:student', 'new_enrolment', ['sectionid' => 'S3', 'userid' => 'U5']);

        $outcome = $this->send();
        $this->assertSame(['1 fetch_user U5', '1 fetch_user U6', '2 remove_user U5', '2 fetch_user U7', '3 fetch_user U5',
            '3 new_enrolment S3 U5'], $this->register->log());
        $this->assertSame(6, $outcome->sent);
    }

    public function test_a_message_has_at_most_500_calls_and_the_rest_follows(): void {
        for ($i = 1; $i <= 1203; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
        }
        $outcome = $this->send();
        $this->assertSame([500, 500, 203], array_map('count', $this->register->messages));
        $this->assertSame(1203, $outcome->sent);
        $this->assertSame([], $this->queue());
    }

    public function test_a_message_stays_below_what_a_register_reads(): void {
        for ($i = 1; $i <= 30; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i", 'about' => str_repeat('x', 60000)]);
        }
        $this->send();
        $this->assertSame([13, 13, 4], array_map('count', $this->register->messages));
    }

    public function test_one_job_that_is_larger_than_a_message_goes_by_itself(): void {
        $this->put('user:1', 'fetch_user', ['idnumber' => 'U1', 'about' => str_repeat('x', sender::MOST_BYTES + 1)]);
        $this->put('user:2', 'fetch_user', ['idnumber' => 'U2']);
        $this->send();
        $this->assertSame(['1 fetch_user U1', '2 fetch_user U2'], $this->register->log());
    }

    public function test_payloads_keep_their_types(): void {
        $this->put('grade:9:5', 'new_grade', ['assessmentid' => 'I9', 'userid' => '007', 'points_earned' => 10.0,
            'excepted' => false, 'attempt_num' => 2]);
        $this->send();
        $this->assertSame(['assessmentid' => 'I9', 'userid' => '007', 'points_earned' => 10.0, 'excepted' => false,
            'attempt_num' => 2], $this->register->messages[0][0][1]);
    }

    public function test_what_is_in_another_register_s_queue_stays_there(): void {
        $other = $this->make_host('https://other.example.org');
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5'], ['hostid' => $other]);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);

        $this->send();
        $this->assertSame(['1 fetch_user U6'], $this->register->log());
        $this->assertSame(['user:5 waiting'], $this->queue($other));
    }

    public function test_a_refused_call_stays_visible_and_holds_up_nobody(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->refuse_with(8002, 'the field “email” is too long', 'U5');

        $outcome = $this->send();

        $this->assertSame(['user:5 refused 8002 the field “email” is too long'], $this->queue());
        $this->assertSame([1, 1, outcome::DRAINED], [$outcome->sent, $outcome->refused, $outcome->end]);
        $this->assertSame(0, (int) $this->peer()->failures);
        // It is not tried again by itself.
        $this->send();
        $this->assertCount(1, $this->register->messages);
    }

    public function test_a_refused_job_is_overtaken_by_a_later_success_of_its_object_alone(): void {
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'update_user', ['idnumber' => 'U6']);
        $this->register->answer = function () {
            return call_result::refused(8002, 'wrong');
        };
        $this->send();
        $this->assertCount(2, $this->queue());

        $this->register->answer = null;
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->send();
        $this->assertSame(['user:6 refused 8002 wrong'], $this->queue());
    }

    public function test_an_object_stands_among_the_refused_once_with_its_last_fault(): void {
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->refuse_with(8002, 'first', 'U5');
        $this->send();
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->refuse_with(8001, 'second', 'U5');
        $this->send();
        $this->assertSame(['user:5 refused 8001 second'], $this->queue());
    }

    /**
     * What a removal may find: that it is gone counts as done, that it is somebody else's does not.
     *
     * @return array
     */
    public static function removals(): array {
        return [
            'no such user' => ['user:5', 'remove_user', 8003, true],
            'no such section' => ['section:3', 'remove_section', 8004, true],
            'not in that section' => ['enrolment:3:5:student', 'drop_enrolment', 8003, true],
            'no such assessment' => ['item:9', 'remove_assessment', 8005, true],
            'no such grade' => ['grade:9:5', 'remove_grade', 8005, true],
            'made by hand' => ['grade:9:5', 'remove_grade', 8006, false],
            'a wrong field' => ['grade:9:5', 'remove_grade', 8002, false],
        ];
    }

    /**
     * A removal that finds nothing to remove is done.
     *
     * @dataProvider removals
     * @param string $objectkey the object
     * @param string $method what removes it
     * @param int $code the fault that comes
     * @param bool $done whether that counts as done
     */
    public function test_a_removal_that_finds_nothing_is_done(string $objectkey, string $method, int $code, bool $done): void {
        $this->put($objectkey, $method, ['idnumber' => 'X']);
        $this->refuse_with($code, 'so', 'X');

        $outcome = $this->send();
        $this->assertSame($done ? [] : ["$objectkey refused $code so"], $this->queue());
        $this->assertSame($done ? [1, 0] : [0, 1], [$outcome->sent, $outcome->refused]);
        $this->assertCount(1, $this->register->messages);
    }

    public function test_what_the_register_lacks_is_sent_in_front_and_the_call_repeated_once(): void {
        $this->put('grade:9:5', 'new_grade', ['assessmentid' => 'I9', 'userid' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->prerequisites['grade:9:5'] = ['user:5' => ['register/fetch_user', ['idnumber' => 'U5']],
            'item:9' => ['register/new_assessment', ['idnumber' => 'I9']]];
        $known = [];
        $this->register->answer = function ($method, $struct) use (&$known) {
            $known[$struct['idnumber'] ?? ''] = true;
            return $method === 'register/new_grade' && !isset($known['U5'])
                ? call_result::refused(8003, 'unknown user') : null;
        };

        $outcome = $this->send();
        $this->assertSame(
            ['1 new_grade I9 U5', '1 fetch_user U6', '2 fetch_user U5', '2 new_assessment I9', '2 new_grade I9 U5'],
            $this->register->log()
        );
        $this->assertSame([2, 1, 0], [$outcome->sent, $outcome->repaired, $outcome->refused]);
        $this->assertSame([], $this->queue());
    }

    public function test_what_several_jobs_lack_is_sent_once(): void {
        foreach ([5, 6] as $user) {
            $this->put("grade:9:$user", 'new_grade', ['assessmentid' => 'I9', 'userid' => "U$user"]);
            $this->prerequisites["grade:9:$user"] = ['item:9' => ['register/new_assessment', ['idnumber' => 'I9']]];
        }
        $this->register->answer = function ($method, $struct, $number) {
            return $number === 1 ? call_result::refused(8005, 'unknown assessment') : null;
        };
        $this->send();
        $this->assertSame(['1 new_grade I9 U5', '1 new_grade I9 U6', '2 new_assessment I9', '2 new_grade I9 U5',
            '2 new_grade I9 U6'], $this->register->log());
        $this->assertSame([], $this->queue());
    }

    public function test_a_call_that_is_refused_again_behind_what_it_lacked_is_refused(): void {
        $this->put('grade:9:5', 'new_grade', ['assessmentid' => 'I9', 'userid' => 'U5']);
        $this->prerequisites['grade:9:5'] = ['user:5' => ['register/fetch_user', ['idnumber' => 'U5']]];
        $this->refuse_with(8003, 'unknown user', 'U5');

        $outcome = $this->send();
        $this->assertCount(2, $this->register->messages);
        $this->assertSame(['grade:9:5 refused 8003 unknown user'], $this->queue());
        $this->assertSame([0, 0, 1], [$outcome->sent, $outcome->repaired, $outcome->refused]);
    }

    public function test_a_call_that_lacks_what_this_site_has_no_more_is_refused(): void {
        $this->put('grade:9:5', 'new_grade', ['assessmentid' => 'I9', 'userid' => 'U5']);
        $this->refuse_with(8003, 'unknown user', 'U5');
        $this->send();
        $this->assertCount(1, $this->register->messages);
        $this->assertSame(['grade:9:5 refused 8003 unknown user'], $this->queue());
    }

    public function test_a_lost_answer_leaves_everything_and_the_same_is_sent_again(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->fail_with(client_exception::UNREACHABLE, 'client_timeout', 1);

        $outcome = $this->send();
        $this->assertSame(outcome::FAILED, $outcome->end);
        $this->assertSame(['user:5 waiting', 'user:5 waiting'], $this->queue());

        $this->time += sender::FIRST_PAUSE;
        $this->assertSame(outcome::DRAINED, $this->send()->end);
        $this->assertSame(['1 fetch_user U5', '2 fetch_user U5', '3 update_user U5'], $this->register->log());
    }

    public function test_a_lost_answer_to_a_repair_leaves_the_job(): void {
        $this->put('grade:9:5', 'new_grade', ['assessmentid' => 'I9', 'userid' => 'U5']);
        $this->prerequisites['grade:9:5'] = ['user:5' => ['register/fetch_user', ['idnumber' => 'U5']]];
        $this->register->answer = function ($method, $struct, $number) {
            return $number === 1 ? call_result::refused(8003, 'unknown user') : null;
        };
        $this->fail_with(client_exception::UNREACHABLE, 'client_timeout', 2);
        $this->assertSame(outcome::FAILED, $this->send()->end);
        $this->assertSame(['grade:9:5 waiting'], $this->queue());
    }

    public function test_dying_between_the_answer_and_the_deletion_sends_again_and_loses_nothing(): void {
        $this->preventResetByRollback();
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->refuse_with(8002, 'wrong', 'U6');

        // It says what was refused when the answer is there and nothing is written down yet.
        $dying = $this->sender(function (): void {
            throw new \RuntimeException('killed');
        });
        try {
            $dying->run($this->host, $this->time + 60);
            $this->fail('It did not die.');
        } catch (\RuntimeException $e) {
            $this->assertSame('killed', $e->getMessage());
        }
        $this->assertSame(['user:5 waiting', 'user:6 waiting'], $this->queue());

        // The lock went with it, so the next one may send.
        $this->assertSame(outcome::DRAINED, $this->send()->end);
        $this->assertSame(['1 fetch_user U5', '1 fetch_user U6', '2 fetch_user U5', '2 fetch_user U6'], $this->register->log());
        $this->assertSame(['user:6 refused 8002 wrong'], $this->queue());
    }

    public function test_a_job_that_comes_while_a_message_is_under_way_is_not_lost(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->register->answer = function ($method, $struct, $number) {
            if ($number === 1) {
                $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
            }
            return null;
        };
        $this->send();
        $this->assertSame(['1 fetch_user U5', '2 update_user U5'], $this->register->log());
        $this->assertSame([], $this->queue());
    }

    public function test_what_jobs_lack_never_makes_a_message_too_long(): void {
        for ($i = 1; $i <= 40; $i++) {
            $this->put("enrolment:$i:5:student", 'new_enrolment', ['sectionid' => "S$i", 'userid' => 'U5']);
            for ($t = 1; $t <= 60; $t++) {
                $this->prerequisites["enrolment:$i:5:student"]["user:$i$t"] = ['register/fetch_user', ['idnumber' => "T$i-$t"]];
            }
        }
        $known = [];
        $this->register->answer = function ($method, $struct) use (&$known) {
            $known[$struct['idnumber'] ?? ''] = true;
            $isknown = isset($known['T' . substr($struct['sectionid'] ?? '', 1) . '-60']);
            return $method === 'register/new_enrolment' && !$isknown ? call_result::refused(8003, 'unknown user') : null;
        };
        $outcome = $this->send();
        $this->assertSame([40, 40, outcome::DRAINED], [$outcome->sent, $outcome->repaired, $outcome->end]);
        $this->assertLessThanOrEqual(sender::MOST_REPAIR_CALLS, max(array_map('count', $this->register->messages)));
        $this->assertSame([], $this->queue());
    }

    public function test_a_job_that_cannot_be_read_keeps_nothing_behind_it(): void {
        global $DB;
        $broken = $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $DB->set_field('local_mnetd_queue', 'payload', '{"idnumber":"U5', ['id' => $broken]);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);

        $outcome = $this->send();
        $this->assertSame(['1 fetch_user U6'], $this->register->log());
        $this->assertCount(1, $this->queue());
        $this->assertStringStartsWith('user:5 refused 0 ', $this->queue()[0]);
        $this->assertSame([1, 1, outcome::DRAINED], [$outcome->sent, $outcome->refused, $outcome->end]);
    }

    public function test_only_jobs_that_cannot_be_read_are_all_put_aside(): void {
        global $DB;
        for ($i = 1; $i <= sender::MOST_JOBS + 1; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
        }
        $DB->set_field('local_mnetd_queue', 'payload', 'null and void');
        $this->assertSame(sender::MOST_JOBS + 1, $this->send()->refused);
        $this->assertSame([], $this->register->messages);
        $this->assertSame(0, queue::waiting($this->host));
    }

    public function test_a_message_that_takes_too_long_is_halved_until_it_gets_through(): void {
        for ($i = 1; $i <= 500; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
        }
        $this->register->whole = function ($number) {
            if (count($this->register->messages[$number - 1]) > 130) {
                throw new client_exception(client_exception::UNREACHABLE, 'client_timeout', ['peer' => 'p']);
            }
        };
        while ($this->send()->end !== outcome::DRAINED) {
            $this->assertLessThan(20, count($this->register->messages));
            $this->time += sender::LONGEST_PAUSE;
        }
        $this->assertSame([500, 250, 125], array_slice(array_map('count', $this->register->messages), 0, 3));
        $this->assertSame([], $this->queue());
    }

    public function test_one_job_that_spoils_each_message_is_found_and_given_up(): void {
        for ($i = 1; $i <= 20; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
        }
        $this->register->whole = function ($number) {
            foreach ($this->register->messages[$number - 1] as [, $struct]) {
                if ($struct['idnumber'] === 'U3') {
                    throw new client_exception(client_exception::GARBLED, 'client_garbled', ['peer' => 'p', 'cause' => 'x']);
                }
            }
        };
        $tries = 0;
        while (queue::waiting($this->host) > 1) {
            $this->assertLessThan(20, ++$tries);
            $this->send();
            $this->time += sender::LONGEST_PAUSE;
        }
        // Alone in the queue it may as well be the register.
        for ($i = 0; $i < 20; $i++) {
            $this->send();
            $this->time += sender::LONGEST_PAUSE;
        }
        $this->assertStringStartsWith('user:3 waiting', $this->queue()[0]);

        // Where others get through it is the job.
        for ($i = 21; $i <= 80 && queue::waiting($this->host); $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
            $this->send();
            $this->time += sender::LONGEST_PAUSE;
        }
        $this->assertSame(0, queue::waiting($this->host));
        $this->assertCount(1, $this->queue());
        $this->assertStringStartsWith('user:3 refused 0 ', $this->queue()[0]);
    }

    public function test_what_the_peer_as_a_whole_refuses_sets_no_job_aside(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->register->whole = function () {
            throw new client_exception(client_exception::REFUSED, 'client_fault707', ['peer' => 'p', 'here' => 'h'], 707, 'no');
        };
        for ($i = 0; $i < 15; $i++) {
            $this->assertSame([outcome::FAILED, 0], [$this->send()->end, $this->send()->postponed]);
            $this->time += DAYSECS;
        }
        $this->assertSame(['user:5 waiting', 'user:6 waiting'], $this->queue());
    }

    public function test_failures_make_pauses_that_double_up_to_an_hour(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->fail_with(client_exception::UNREACHABLE, 'client_unreachable');

        foreach ([60, 120, 240, 480, 960, 1920, 3600, 3600] as $i => $pause) {
            $this->assertSame(outcome::FAILED, $this->send()->end);
            $peer = $this->peer();
            $this->assertEquals(
                [$i + 1, $this->time + $pause, $this->time],
                [$peer->failures, $peer->nexttry, $peer->lasterrortime]
            );
            $this->assertStringContainsString('https://register.example.org', $peer->lasterror);

            $this->time += $pause - 1;
            $this->assertSame(outcome::PAUSED, $this->send()->end);
            $this->assertCount($i + 1, $this->register->messages);
            $this->time++;
        }

        $this->register->whole = null;
        $this->assertSame(outcome::DRAINED, $this->send()->end);
        $this->assertEquals([0, 0, ''], [$this->peer()->failures, $this->peer()->nexttry, (string) $this->peer()->lasterror]);
    }

    public function test_a_pause_is_passed_over_where_somebody_asks_for_it(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->fail_with(client_exception::UNREACHABLE, 'client_unreachable', 1);
        $this->send();
        $this->assertSame(outcome::PAUSED, $this->send()->end);
        $this->assertSame(outcome::DRAINED, $this->sender()->run($this->host, $this->time + 60, true)->end);
    }

    public function test_a_pause_of_one_register_is_none_of_another_s(): void {
        $other = $this->make_host('https://other.example.org');
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6'], ['hostid' => $other]);
        $this->fail_with(client_exception::UNREACHABLE, 'client_unreachable', 1);
        $this->assertSame(outcome::FAILED, $this->send()->end);
        $this->assertSame(outcome::DRAINED, $this->sender()->run($other, $this->time + 60)->end);
    }

    /**
     * Faults that come for every call and mean the whole register.
     *
     * @return array
     */
    public static function of_the_peer(): array {
        return [[707], [7012], [7020], [8010], [8011], [8012], [8013]];
    }

    /**
     * Such a fault leaves the queue as it is, also where it comes call by call.
     *
     * @dataProvider of_the_peer
     * @param int $code the fault
     */
    public function test_a_fault_that_means_the_register_as_a_whole_leaves_the_queue(int $code): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->refuse_with($code, 'the reason', 'U6');

        $outcome = $this->send();
        $this->assertSame(outcome::FAILED, $outcome->end);
        $this->assertSame(['user:6 waiting'], $this->queue());
        $this->assertStringContainsString((string) $code, $this->peer()->lasterror);
        $this->assertEquals(1, $this->peer()->failures);
    }

    public function test_what_the_register_could_not_do_waits_and_holds_up_its_own_object_only(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:5', 'update_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->refuse_with(-32603, 'the disk is full', 'U5');

        $outcome = $this->send();
        $this->assertSame(['1 fetch_user U5', '2 fetch_user U6'], $this->register->log());
        $this->assertSame([1, 1, 0], [$outcome->sent, $outcome->postponed, $outcome->refused]);

        $this->register->answer = null;
        $this->time += 59;
        $this->send();
        $this->assertCount(2, $this->register->messages);
        $this->time++;
        $this->send();
        $this->assertSame(['3 fetch_user U5', '4 update_user U5'], array_slice($this->register->log(), 2));
        $this->assertSame([], $this->queue());
    }

    public function test_what_the_register_never_can_do_is_refused_in_the_end(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->refuse_with(-32603, 'the disk is full', 'U5');
        for ($i = 1; $i < sender::MOST_ATTEMPTS; $i++) {
            $this->send();
            $this->time += sender::LONGEST_PAUSE;
            $this->assertSame(['user:5 waiting -32603 the disk is full'], $this->queue());
        }
        $this->send();
        $this->assertSame(['user:5 refused -32603 the disk is full'], $this->queue());
        $this->assertCount(sender::MOST_ATTEMPTS, $this->register->messages);
    }

    public function test_no_message_is_begun_after_the_deadline(): void {
        for ($i = 1; $i <= 1100; $i++) {
            $this->put("user:$i", 'fetch_user', ['idnumber' => "U$i"]);
        }
        $this->register->whole = function () {
            $this->time += 30;
        };
        $outcome = $this->sender()->run($this->host, $this->time + 50);
        $this->assertSame([outcome::OUT_OF_TIME, 1000, 2], [$outcome->end, $outcome->sent, $outcome->messages]);
        $this->assertCount(100, $this->queue());
    }

    public function test_two_never_send_to_one_register_at_the_same_time(): void {
        global $CFG;
        // Locks of PostgreSQL belong to a connection, and a test has only one.
        $CFG->lock_factory = '\\core\\lock\\db_record_lock_factory';
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $other = null;
        $this->register->whole = function ($number) use (&$other) {
            // A second process, while the message of the first is under way.
            if ($number === 1) {
                $other = $this->send();
            }
        };
        $outcome = $this->send();
        $this->assertSame(outcome::BUSY, $other->end);
        $this->assertSame(outcome::DRAINED, $outcome->end);
        $this->assertSame(['1 fetch_user U5'], $this->register->log());
    }

    public function test_what_happened_is_said_in_a_line(): void {
        $this->put('user:5', 'fetch_user', ['idnumber' => 'U5']);
        $this->put('user:6', 'fetch_user', ['idnumber' => 'U6']);
        $this->refuse_with(8002, 'wrong', 'U6');
        $lines = [];
        $line = $this->sender(function (string $line) use (&$lines): void {
            $lines[] = $line;
        })->run($this->host, $this->time + 60)->describe();
        $this->assertSame('changes sent: 1, in messages: 1; refused: 1, see the status page', $line);
        $this->assertSame(['refused: fetch_user of user:6, fault 8002: wrong'], $lines);
    }

    /**
     * A sender at the moment of the test.
     *
     * @param callable|null $say takes its lines
     * @return sender
     */
    protected function sender(?callable $say = null): sender {
        $lookup = new class ($this->prerequisites) extends prerequisites {
            /** @var array[] what stands in front, by objectkey */
            protected $byobject;

            /**
             * Knows what it is given.
             *
             * @param array[] $byobject what stands in front, by objectkey
             */
            public function __construct(array $byobject) {
                $this->byobject = $byobject;
            }

            /**
             * What stands in front of a job.
             *
             * @param \stdClass $job the row of the queue
             * @return array[]
             */
            public function of(\stdClass $job): array {
                return $this->byobject[$job->objectkey] ?? [];
            }
        };
        $clock = function (): int {
            return $this->time;
        };
        return new class ($this->register, $say, $lookup, $clock) extends sender {
            /** @var callable tells the moment */
            protected $clock;

            /**
             * A sender with a clock of its own.
             *
             * @param client $client the register
             * @param callable|null $say takes lines
             * @param prerequisites $lookup what stands in front
             * @param callable $clock tells the moment
             */
            public function __construct(client $client, ?callable $say, prerequisites $lookup, callable $clock) {
                parent::__construct($client, $say, $lookup);
                $this->clock = $clock;
            }

            /**
             * The moment of the test.
             *
             * @return int
             */
            protected function time(): int {
                return ($this->clock)();
            }
        };
    }

    /**
     * Sends with a minute's time.
     *
     * @return outcome
     */
    protected function send(): outcome {
        return $this->sender()->run($this->host, $this->time + 60);
    }

    /**
     * Lets the register refuse the calls about one id.
     *
     * @param int $code the fault
     * @param string $text its text
     * @param string $id what the struct has as its idnumber, or as its userid
     */
    protected function refuse_with(int $code, string $text, string $id): void {
        $this->register->answer = function ($method, $struct) use ($code, $text, $id) {
            $about = $struct['idnumber'] ?? $struct['userid'] ?? '';
            return $about === $id ? call_result::refused($code, $text) : null;
        };
    }

    /**
     * Lets messages fail as a whole, after they were carried out.
     *
     * @param string $kind the kind of failure
     * @param string $identifier the string that explains it
     * @param int|null $number the message; null for every one
     */
    protected function fail_with(string $kind, string $identifier, ?int $number = null): void {
        $this->register->whole = function ($at) use ($kind, $identifier, $number) {
            if ($number === null || $number === $at) {
                throw new client_exception($kind, $identifier, ['peer' => 'https://register.example.org', 'cause' => 'x']);
            }
        };
    }

    /**
     * Puts a job into the queue.
     *
     * @param string $objectkey the object
     * @param string $method the method without its service
     * @param array $struct its argument
     * @param array $fields what else differs
     * @return int its id
     */
    protected function put(string $objectkey, string $method, array $struct, array $fields = []): int {
        global $DB;

        return $DB->insert_record('local_mnetd_queue', (object) ($fields + ['hostid' => $this->host, 'objectkey' => $objectkey,
            'kind' => strtok($objectkey, ':'), 'method' => $method, 'timecreated' => $this->time,
            'payload' => json_encode($struct, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE)]));
    }

    /**
     * What stands in the queue of a register, a line each.
     *
     * @param int|null $hostid null for the register of the test
     * @return string[]
     */
    protected function queue(?int $hostid = null): array {
        global $DB;

        $lines = [];
        foreach ($DB->get_records('local_mnetd_queue', ['hostid' => $hostid ?? $this->host], 'id') as $job) {
            $lines[] = trim("$job->objectkey $job->state $job->faultcode $job->faulttext");
        }
        return $lines;
    }

    /**
     * How sending to the register goes.
     *
     * @return \stdClass
     */
    protected function peer(): \stdClass {
        global $DB;

        return $DB->get_record('local_mnetd_peer', ['hostid' => $this->host], '*', MUST_EXIST);
    }

    /**
     * A peer.
     *
     * @param string $wwwroot its address
     * @return int its id
     */
    protected function make_host(string $wwwroot): int {
        global $DB;

        return $DB->insert_record('mnet_host', (object) ['deleted' => 0, 'wwwroot' => $wwwroot, 'ip_address' => '127.0.0.1',
            'name' => 'The register', 'public_key' => '', 'public_key_expires' => 0, 'applicationid' => 1]);
    }
}
