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
 * A synchronisation sends all there is in the right order, and finds what happened behind the events' back.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\synchroniser
 * @covers     \local_mnetd\snapshot
 */
final class synchroniser_test extends \advanced_testcase {
    /** @var \local_mnetd_generator */
    private $mnetd;

    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        require_once($CFG->libdir . '/gradelib.php');
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->mnetd = $this->getDataGenerator()->get_plugin_generator('local_mnetd');
    }

    /**
     * A small school: a course, its teacher, two students, two grades.
     *
     * @return \stdClass course, teacher, one, two, item
     */
    private function school(): \stdClass {
        $generator = $this->getDataGenerator();
        $school = new \stdClass();
        $school->course = $generator->create_course(['idnumber' => 'BIO']);
        $school->teacher = $generator->create_and_enrol($school->course, 'editingteacher', ['idnumber' => 'T1']);
        $school->one = $generator->create_and_enrol($school->course, 'student', ['idnumber' => 'S1']);
        $school->two = $generator->create_and_enrol($school->course, 'student', ['idnumber' => 'S2']);
        $item = $generator->create_grade_item(['courseid' => $school->course->id, 'itemname' => 'Oral', 'idnumber' => 'ORAL']);
        $school->item = \grade_item::fetch(['id' => $item->id]);
        $school->item->update_final_grade($school->one->id, 50);
        $school->item->update_final_grade($school->two->id, 60);
        return $school;
    }

    /**
     * Steps until there is nothing more to do at once.
     *
     * @param int $host in mnet_host
     */
    private function run_to_end(int $host): void {
        for ($i = 0; synchroniser::step($host); $i++) {
            $this->assertLessThan(100, $i, 'It does not end.');
        }
        $progress = synchroniser::progress($host);
        $this->assertSame(['finished', null], [$progress->phase, $progress->error]);
        $this->assertSame([false, 100], [$progress->running, $progress->percent]);
    }

    /**
     * What a reconciliation queues.
     *
     * @param int $host in mnet_host
     * @return string[] in short
     */
    private function reconcile(int $host): array {
        synchroniser::start($host, synchroniser::RECONCILE);
        $this->run_to_end($host);
        return $this->mnetd->take($host);
    }

    public function test_a_new_register_gets_everything_by_itself_in_order(): void {
        global $DB;
        $school = $this->school();
        $host = $this->mnetd->create_host();
        synchroniser::watch();
        $progress = synchroniser::progress($host);
        $this->assertSame(['full', 'users', true, 0], [$progress->mode, $progress->phase, $progress->running, $progress->percent]);
        $this->run_to_end($host);

        $admin = get_admin();
        $this->assertSame([
            "fetch_user user:$admin->id",
            "fetch_user user:{$school->teacher->id}",
            "fetch_user user:{$school->one->id}",
            "fetch_user user:{$school->two->id}",
            "new_section section:{$school->course->id}",
            "new_enrolment enrolment:{$school->course->id}:{$school->teacher->id}:teacher",
            "new_enrolment enrolment:{$school->course->id}:{$school->one->id}:student",
            "new_enrolment enrolment:{$school->course->id}:{$school->two->id}:student",
            "new_assessment item:{$school->item->id}",
            "new_grade grade:{$school->item->id}:{$school->one->id}",
            "new_grade grade:{$school->item->id}:{$school->two->id}",
        ], $this->mnetd->take($host));
        $progress = synchroniser::progress($host);
        $this->assertEquals([11, 11, 11], [$progress->done, $progress->total, $progress->queued]);
        $this->assertSame(11, $DB->count_records('local_mnetd_state', ['hostid' => $host]));

        // Nothing more by itself, and nothing to reconcile.
        synchroniser::watch();
        $this->assertFalse(synchroniser::step($host));
        $this->assertSame([], $this->reconcile($host));
    }

    public function test_a_full_one_sends_everything_anew(): void {
        $host = $this->mnetd->create_host();
        $this->school();
        $this->reconcile($host);
        synchroniser::start($host, synchroniser::FULL);
        $this->run_to_end($host);
        $jobs = $this->mnetd->take_jobs($host);
        $this->assertCount(11, $jobs);
        $updates = ['update_user', 'update_section', 'update_assessment'];
        $this->assertSame([], array_intersect($updates, array_column($jobs, 'method')));
        $enrolments = array_values(array_filter($jobs, function ($job) {
            return $job->method === 'new_enrolment';
        }));
        // What the register has heard of is repeated without a date, so that it holds whatever came between.
        $this->assertArrayNotHasKey('effective_at', $enrolments[0]->data);
    }

    public function test_the_first_word_of_an_enrolment_says_since_when(): void {
        global $DB;
        $school = $this->school();
        $DB->set_field('user_enrolments', 'timestart', 1700000000, ['userid' => $school->one->id]);
        $DB->set_field('user_enrolments', 'timecreated', 1710000000, ['userid' => $school->two->id]);
        $host = $this->mnetd->create_host();
        synchroniser::watch();
        $this->run_to_end($host);
        $since = [];
        foreach ($this->mnetd->take_jobs($host) as $job) {
            if ($job->method === 'new_enrolment') {
                $since[$job->data['userid']] = $job->data['effective_at'];
            }
        }
        $this->assertSame([1700000000, 1710000000], [$since['S1'], $since['S2']]);
    }

    public function test_a_reconciliation_finds_what_events_did_not_tell(): void {
        global $DB;
        $host = $this->mnetd->create_host();
        $school = $this->school();
        $gone = $this->getDataGenerator()->create_user();
        $other = $this->getDataGenerator()->create_course();
        $this->reconcile($host);
        $course = $school->course->id;

        // Past Moodle, as an import straight into the database would.
        $DB->set_field('user', 'lastname', 'Changed', ['id' => $school->one->id]);
        $DB->set_field('user', 'deleted', 1, ['id' => $gone->id]);
        $DB->set_field('course', 'fullname', 'Changed', ['id' => $course]);
        $DB->delete_records('course', ['id' => $other->id]);
        $DB->set_field('user_enrolments', 'status', 1, ['userid' => $school->two->id]);
        $DB->set_field('grade_items', 'itemname', 'Changed', ['id' => $school->item->id]);
        $DB->set_field('grade_grades', 'finalgrade', 99, ['userid' => $school->one->id, 'itemid' => $school->item->id]);
        $DB->delete_records('grade_grades', ['userid' => $school->two->id, 'itemid' => $school->item->id]);
        $this->assertSame([], $this->mnetd->take($host));

        $this->assertSame([
            "update_user user:{$school->one->id}",
            "update_section section:$course",
            "update_assessment item:{$school->item->id}",
            "new_grade grade:{$school->item->id}:{$school->one->id}",
            "remove_grade grade:{$school->item->id}:{$school->two->id}",
            "drop_enrolment enrolment:$course:{$school->two->id}:student",
            "remove_section section:$other->id",
            "remove_user user:$gone->id",
        ], $this->reconcile($host));
        $this->assertSame([], $this->reconcile($host));

        // And what came back.
        $DB->set_field('user_enrolments', 'status', 0, ['userid' => $school->two->id]);
        synchroniser::start($host, synchroniser::RECONCILE);
        $this->run_to_end($host);
        [$job] = $this->mnetd->take_jobs($host);
        $this->assertSame('new_enrolment', $job->method);
        // From now on: since when it stands in Moodle lies before the end that the register has heard of.
        $this->assertEqualsWithDelta(time(), $job->data['effective_at'], 60);
    }

    public function test_what_leaves_the_scope_by_a_setting_is_removed_and_comes_back(): void {
        $host = $this->mnetd->create_host();
        $school = $this->school();
        $category = $this->getDataGenerator()->create_category();
        $this->reconcile($host);
        $course = $school->course->id;

        set_config('categories', $category->id, 'local_mnetd');
        synchroniser::scope_changed();
        synchroniser::watch();
        $this->run_to_end($host);
        $left = $this->mnetd->take($host);
        $this->assertEqualsCanonicalizing([
            "drop_enrolment enrolment:$course:{$school->teacher->id}:teacher",
            "drop_enrolment enrolment:$course:{$school->one->id}:student",
            "drop_enrolment enrolment:$course:{$school->two->id}:student",
            "remove_section section:$course",
            "remove_assessment item:{$school->item->id}",
        ], array_values(array_filter($left, function ($job) {
            return strpos($job, 'update_section') !== 0 && strpos($job, 'remove_grade') !== 0;
        })));
        $this->assertSame("remove_section section:$course", end($left));
        $this->assertSame([], $this->reconcile($host));

        set_config('categories', '', 'local_mnetd');
        synchroniser::scope_changed();
        synchroniser::watch();
        $this->run_to_end($host);
        $methods = array_count_values(array_column($this->mnetd->take_jobs($host), 'method'));
        $this->assertSame([1, 3, 1], [$methods['new_section'], $methods['new_enrolment'], $methods['new_assessment']]);
    }

    public function test_what_changes_while_it_is_read_is_not_undone(): void {
        global $DB;
        $host = $this->mnetd->create_host();
        $school = $this->school();
        $this->reconcile($host);
        $read = snapshot::page(state::GRADE, 0, 100);
        $unenrolled = $DB->get_records('local_mnetd_state', ['kind' => state::ENROLMENT, 'b' => $school->two->id]);
        // Meanwhile somebody gives another grade and takes one away, which is told at once.
        \grade_item::fetch(['id' => $school->item->id])->update_final_grade($school->one->id, 77);
        \grade_item::fetch(['id' => $school->item->id])->update_final_grade($school->two->id, null);
        $this->assertCount(2, $this->mnetd->take($host));

        $reconciling = new difference([$host]);
        $reconciling->present(state::GRADE, $read);
        $this->assertSame([], $this->mnetd->take($host));

        // A full one says it all again, as it is by now.
        $full = new difference([$host], 0, true);
        $full->present(state::GRADE, $read);
        [$job] = $jobs = $this->mnetd->take_jobs($host);
        $this->assertCount(1, $jobs);
        $this->assertSame(['S1', 77.0], [$job->data['userid'], $job->data['points_earned']]);

        // What changes after that is found by looking again.
        $full->gone(state::ENROLMENT, $unenrolled);
        $DB->set_field('grade_grades', 'finalgrade', 78, ['userid' => $school->one->id, 'itemid' => $school->item->id]);
        $this->mnetd->take($host);
        $full->verify();
        $jobs = $this->mnetd->take_jobs($host);
        $this->assertSame(['new_enrolment', 'new_grade'], array_column($jobs, 'method'));
        $this->assertSame(78.0, $jobs[1]->data['points_earned']);
        $DB->delete_records('grade_grades', ['userid' => $school->one->id, 'itemid' => $school->item->id]);
        $full->verify();
        $this->assertSame(["remove_grade grade:{$school->item->id}:{$school->one->id}"], $this->mnetd->take($host));
    }

    public function test_it_waits_while_enough_is_queued_and_goes_on_where_it_was(): void {
        global $DB;
        $this->school();
        $host = $this->mnetd->create_host();
        synchroniser::watch();
        $this->assertTrue(synchroniser::step($host));
        $users = $this->mnetd->take($host);
        $this->assertCount(4, $users);

        $filler = [];
        for ($i = 0; $i < synchroniser::ENOUGH; $i++) {
            $filler[] = queue::job($host, state::USER, "user:$i", 'fetch_user', ['idnumber' => "X$i"]);
        }
        queue::add($filler);
        $this->assertFalse(synchroniser::step($host));
        $this->assertTrue(synchroniser::progress($host)->running);
        $DB->delete_records('local_mnetd_queue');
        $this->run_to_end($host);
        $this->assertCount(7, $this->mnetd->take($host));
    }

    public function test_pages_join_without_a_gap_or_an_overlap(): void {
        $this->school();
        for ($i = 0; $i < 7; $i++) {
            $this->getDataGenerator()->create_user();
        }
        foreach (state::KINDS as $kind) {
            $whole = array_column(snapshot::page($kind, 0, 1000), 'data');
            $joined = [];
            $after = 0;
            while ($page = snapshot::page($kind, $after, 2)) {
                $joined = array_merge($joined, array_column($page, 'data'));
                $after = end($page)->id;
            }
            $this->assertEquals($whole, $joined, $kind);
            $this->assertCount(snapshot::count($kind), $whole, $kind);
            $this->assertNotEmpty($whole, $kind);
        }
    }

    public function test_a_page_costs_few_queries(): void {
        global $DB;
        $generator = $this->getDataGenerator();
        $category = $generator->create_category(['parent' => $generator->create_category()->id]);
        for ($i = 0; $i < 6; $i++) {
            $course = $generator->create_course(['category' => $category->id]);
            $generator->create_and_enrol($course, 'editingteacher');
            $student = $generator->create_and_enrol($course, 'student');
            $module = $generator->create_module('assign', ['course' => $course->id]);
            $quiz = $generator->create_module('quiz', ['course' => $course->id]);
            foreach (['assign' => $module->id, 'quiz' => $quiz->id] as $name => $id) {
                \grade_item::fetch(['itemmodule' => $name, 'iteminstance' => $id])->update_final_grade($student->id, 5);
            }
        }
        scope::current();
        foreach (state::KINDS as $kind) {
            snapshot::page($kind, 0, 1000);
            $reads = $DB->perf_get_reads();
            $this->assertGreaterThanOrEqual(6, count(snapshot::page($kind, 0, 1000)), $kind);
            $this->assertLessThanOrEqual(6, $DB->perf_get_reads() - $reads, $kind);
        }
    }

    public function test_what_was_refused_is_tried_again_by_the_next_reconciliation(): void {
        $host = $this->mnetd->create_host();
        $school = $this->school();
        $this->reconcile($host);
        user_update_user(['id' => $school->one->id, 'lastname' => 'New'], false);
        [$job] = $this->mnetd->jobs($host);
        queue::refuse($job, 8002, 'It does not please.');
        $this->assertSame([0, 1], [queue::waiting($host), queue::refused($host)]);
        $this->assertSame(["fetch_user user:{$school->one->id}"], $this->reconcile($host));
        $this->assertSame(0, queue::refused($host));
    }

    public function test_a_register_that_is_gone_is_forgotten_and_one_unsubscribed_is_compared_on_return(): void {
        global $DB;
        $gone = $this->mnetd->create_host();
        $away = $this->mnetd->create_host();
        $this->school();
        synchroniser::watch();
        foreach ([$gone, $away] as $host) {
            $this->run_to_end($host);
            $this->mnetd->take($host);
        }
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $gone]);
        $DB->set_field('mnet_host2service', 'subscribe', 0, ['hostid' => $away]);
        scope::reset();
        $missed = $this->getDataGenerator()->create_user();
        synchroniser::watch();
        $this->assertSame(0, $DB->count_records('local_mnetd_state', ['hostid' => $gone]));
        $this->assertSame(0, $DB->count_records('local_mnetd_queue'));
        $this->assertNull(synchroniser::progress($gone));

        $DB->set_field('mnet_host2service', 'subscribe', 1, ['hostid' => $away]);
        scope::reset();
        synchroniser::watch();
        $this->run_to_end($away);
        $this->assertSame(["fetch_user user:$missed->id"], $this->mnetd->take($away));
    }

    public function test_the_night_starts_one_unless_told_not_to(): void {
        $host = $this->mnetd->create_host();
        synchroniser::start($host, synchroniser::FULL);
        $this->run_to_end($host);
        set_config('nightly', '0', 'local_mnetd');
        synchroniser::nightly();
        $this->assertFalse(synchroniser::progress($host)->running);
        set_config('nightly', '1', 'local_mnetd');
        synchroniser::nightly();
        $this->assertSame([true, 'reconcile'], [synchroniser::progress($host)->running, synchroniser::progress($host)->mode]);
    }

    public function test_one_that_is_asked_for_while_another_runs_follows_it(): void {
        $host = $this->mnetd->create_host();
        synchroniser::start($host, synchroniser::FULL);
        $this->assertFalse(synchroniser::start($host, synchroniser::RECONCILE));
        $this->assertSame('full', synchroniser::progress($host)->mode);
        $this->run_to_end($host);
        synchroniser::watch();
        $this->assertSame('reconcile', synchroniser::progress($host)->mode);
    }

    public function test_a_failing_step_is_written_down_and_changes_nothing(): void {
        global $DB;
        $this->preventResetByRollback();
        $host = $this->mnetd->create_host();
        synchroniser::start($host, synchroniser::FULL);
        $this->mnetd->take($host);
        $DB->set_field('local_mnetd_sync', 'phase', 'enrolments', ['hostid' => $host]);
        // A phase that needs a table which is not there.
        $this->school();
        $this->mnetd->take($host);
        $manager = $DB->get_manager();
        $manager->rename_table(new \xmldb_table('user_enrolments'), 'user_enrolments_x');
        try {
            $this->assertFalse(synchroniser::step($host));
        } finally {
            $manager->rename_table(new \xmldb_table('user_enrolments_x'), 'user_enrolments');
        }
        $progress = synchroniser::progress($host);
        $this->assertSame(['enrolments', true], [$progress->phase, $progress->running]);
        $this->assertStringContainsString('user_enrolments', $progress->error);
        $this->assertDebuggingCalled();
        $this->assertFalse($DB->is_transaction_started());

        $this->assertTrue(synchroniser::step($host));
        $this->assertNull(synchroniser::progress($host)->error);
        // It goes on from there as soon as it can.
        $this->run_to_end($host);
    }

    public function test_terms_come_from_where_the_settings_say(): void {
        $generator = $this->getDataGenerator();
        $top = $generator->create_category(['name' => 'Autumn 2026']);
        $category = $generator->create_category(['name' => 'Science', 'parent' => $top->id]);
        $field = $generator->create_custom_field(['type' => 'text', 'shortname' => 'term', 'name' => 'Term',
            'categoryid' => $generator->create_custom_field_category([])->get('id')]);
        $course = $generator->create_course(['category' => $category->id, 'customfields' => [
            ['shortname' => 'term', 'value' => 'Spring & summer']]]);
        $segment = function (string $source) use ($course) {
            set_config('segmentsource', $source, 'local_mnetd');
            set_config('segmentfield', 'term', 'local_mnetd');
            return snapshot::all(state::SECTION, ['ids' => [$course->id]])["section:$course->id"]->data['segment'] ?? null;
        };
        $this->assertSame(
            [null, 'Science', 'Autumn 2026', 'Spring & summer'],
            array_map($segment, ['none', 'category', 'topcategory', 'field'])
        );
    }
}
