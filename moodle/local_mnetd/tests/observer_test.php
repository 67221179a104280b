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
 * Each thing that happens in Moodle is told to every register, with all it needs and nothing else.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\observer
 * @covers     \local_mnetd\difference
 */
final class observer_test extends \advanced_testcase {
    /** @var \local_mnetd_generator */
    private $mnetd;

    /** @var int in mnet_host */
    private $host;

    protected function setUp(): void {
        global $CFG;
        parent::setUp();
        require_once($CFG->libdir . '/gradelib.php');
        require_once($CFG->dirroot . '/course/lib.php');
        require_once($CFG->dirroot . '/user/lib.php');
        $this->resetAfterTest();
        $this->setAdminUser();
        $this->mnetd = $this->getDataGenerator()->get_plugin_generator('local_mnetd');
        $this->host = $this->mnetd->create_host();
    }

    /**
     * A course with one student, all sent.
     *
     * @return array course and student
     */
    private function course_with_student(): array {
        $course = $this->getDataGenerator()->create_course(['idnumber' => 'BIO']);
        $student = $this->getDataGenerator()->create_user(['idnumber' => 'S1']);
        $this->getDataGenerator()->enrol_user($student->id, $course->id, 'student');
        $this->mnetd->take($this->host);
        return [$course, $student];
    }

    /**
     * The manual enrolment instance of a course.
     *
     * @param \stdClass $course the course
     * @return \stdClass of the table enrol
     */
    private function manual(\stdClass $course): \stdClass {
        global $DB;
        return $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual'], '*', MUST_EXIST);
    }

    /**
     * A manual grade item, and its id.
     *
     * @param \stdClass $course the course
     * @param array $record columns that are to be other than usual
     * @return \grade_item
     */
    private function item(\stdClass $course, array $record = []): \grade_item {
        $item = $this->getDataGenerator()->create_grade_item($record + ['courseid' => $course->id, 'itemname' => 'Oral exam']);
        return \grade_item::fetch(['id' => $item->id]);
    }

    public function test_without_a_register_nothing_is_done(): void {
        global $DB;
        $DB->delete_records('mnet_host2service');
        scope::reset();
        [$course, $student] = $this->course_with_student();
        $this->item($course)->update_final_grade($student->id, 50);
        foreach (['id', 'queue', 'state', 'sync'] as $table) {
            $this->assertSame(0, $DB->count_records("local_mnetd_$table"), $table);
        }
        $reads = $DB->perf_get_reads();
        $event = \core\event\user_updated::create_from_userid($student->id);
        observer::notice($event);
        observer::notice($event);
        $this->assertLessThanOrEqual(1, $DB->perf_get_reads() - $reads);
    }

    public function test_nothing_is_done_while_networking_is_off(): void {
        global $DB;
        set_config('mnet_dispatcher_mode', 'off');
        scope::reset();
        $this->getDataGenerator()->create_user();
        $this->assertSame(0, $DB->count_records('local_mnetd_queue'));
    }

    public function test_neither_deleted_hosts_nor_all_hosts_nor_unsubscribed_ones_are_registers(): void {
        global $CFG, $DB;
        $this->mnetd->create_host(['deleted' => 1]);
        $this->mnetd->create_host([], false);
        $DB->insert_record('mnet_host2service', (object)['hostid' => $CFG->mnet_all_hosts_id, 'publish' => 1, 'subscribe' => 1,
            'serviceid' => $DB->get_field('mnet_service', 'id', ['name' => 'register'])]);
        scope::reset();
        $this->assertSame([$this->host], scope::hosts());
    }

    public function test_a_user_is_sent_changed_and_removed(): void {
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'S1', 'firstname' => 'Zoë', 'city' => 'Ås']);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['fetch_user', "user:$user->id"], [$job->method, $job->objectkey]);
        $expected = ['idnumber' => 'S1', 'username' => $user->username, 'firstname' => 'Zoë', 'lastname' => $user->lastname,
            'email' => $user->email, 'city' => 'Ås', 'suspended' => false, 'moodle_id' => (int)$user->id];
        $this->assertEquals($expected, array_intersect_key($job->data, $expected));
        $this->assertArrayNotHasKey('moodle_idnumber', $job->data);
        $this->assertArrayNotHasKey('password', $job->data);

        user_update_user(['id' => $user->id, 'lastname' => 'New', 'idnumber' => 'S1-new'], false);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(
            ['update_user', 'S1', 'New', 'S1-new'],
            [$job->method, $job->data['idnumber'], $job->data['lastname'], $job->data['moodle_idnumber']]
        );

        user_update_user(['id' => $user->id, 'description' => 'Not sent'], false);
        $this->assertSame([], $this->mnetd->take($this->host));

        delete_user($user);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['remove_user', ['idnumber' => 'S1']], [$job->method, $job->data]);
    }

    public function test_guests_strangers_and_unconfirmed_users_are_not_sent(): void {
        global $DB;
        $this->getDataGenerator()->create_user(['confirmed' => 0]);
        $this->getDataGenerator()->create_user(['mnethostid' => $this->host]);
        \core\event\user_updated::create_from_userid($DB->get_field('user', 'id', ['username' => 'guest']))->trigger();
        $this->assertSame([], $this->mnetd->take($this->host));
    }

    public function test_a_user_who_is_confirmed_later_is_sent_then(): void {
        global $DB;
        $user = $this->getDataGenerator()->create_user(['confirmed' => 0]);
        $DB->set_field('user', 'confirmed', 1, ['id' => $user->id]);
        \core\event\user_updated::create_from_userid($user->id)->trigger();
        $this->assertSame(["fetch_user user:$user->id"], $this->mnetd->take($this->host));
    }

    public function test_a_course_is_sent_changed_and_removed(): void {
        $category = $this->getDataGenerator()->create_category(['name' => 'Science']);
        $course = $this->getDataGenerator()->create_course(['idnumber' => 'BIO', 'fullname' => 'Biology', 'shortname' => 'B1',
            'category' => $category->id, 'startdate' => 1790000000, 'enddate' => 0]);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame('new_section', $jobs[0]->method);
        $this->assertEquals([
            'idnumber' => 'BIO',
            'name' => 'Biology',
            'teacheridnumber' => [],
            'shortname' => 'B1',
            'category' => 'Science',
            'visible' => true,
            'moodle_id' => (int)$course->id,
            'startdate' => 1790000000,
        ], $jobs[0]->data);

        update_course((object)['id' => $course->id, 'fullname' => 'Biology II', 'visible' => 0]);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['update_section', 'Biology II', false], [$job->method, $job->data['name'], $job->data['visible']]);

        $category->update(['name' => 'Natural science']);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['update_section', 'Natural science'], [$job->method, $job->data['category']]);

        delete_course($course, false);
        $this->assertContains("remove_section section:$course->id", $this->mnetd->take($this->host));
    }

    public function test_an_enrolment_is_sent_with_its_date_and_after_what_it_needs(): void {
        global $DB;
        $course = $this->getDataGenerator()->create_course(['idnumber' => 'BIO']);
        $student = $this->getDataGenerator()->create_user(['idnumber' => 'S1']);
        $this->mnetd->take($this->host);
        // As if both had never been sent.
        $DB->delete_records('local_mnetd_state');

        $before = time();
        $this->getDataGenerator()->enrol_user($student->id, $course->id, 'student');
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['fetch_user', 'new_section', 'new_enrolment'], array_column($jobs, 'method'));
        $data = $jobs[2]->data;
        $this->assertGreaterThanOrEqual($before, $data['effective_at']);
        $this->assertLessThanOrEqual(time(), $data['effective_at']);
        unset($data['effective_at']);
        $this->assertSame(['sectionid' => 'BIO', 'userid' => 'S1', 'role' => 'student'], $data);
    }

    public function test_an_enrolment_that_starts_later_is_dated_ahead(): void {
        $course = $this->getDataGenerator()->create_course();
        $student = $this->getDataGenerator()->create_user();
        $this->mnetd->take($this->host);
        $start = time() + WEEKSECS;
        $this->getDataGenerator()->enrol_user($student->id, $course->id, 'student', 'manual', $start);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['new_enrolment', $start], [$job->method, $job->data['effective_at']]);

        // Another date: the one before has to be overruled, by a word without a date.
        enrol_get_plugin('manual')->update_user_enrol($this->manual($course), $student->id, ENROL_USER_ACTIVE, $start + WEEKSECS);
        [$drop, $new] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['drop_enrolment', 'starts later in Moodle'], [$drop->method, $drop->data['note']]);
        $this->assertArrayNotHasKey('effective_at', $drop->data);
        $this->assertSame(['new_enrolment', $start + WEEKSECS], [$new->method, $new->data['effective_at']]);

        // And so has the end of what has not begun.
        enrol_get_plugin('manual')->update_user_enrol($this->manual($course), $student->id, ENROL_USER_SUSPENDED);
        [$drop] = $this->mnetd->take_jobs($this->host);
        $this->assertSame('drop_enrolment', $drop->method);
        $this->assertArrayNotHasKey('effective_at', $drop->data);
    }

    public function test_what_was_dated_ahead_and_has_begun_is_no_difference(): void {
        global $DB;
        [$course, $student] = $this->course_with_student();
        $DB->set_field('local_mnetd_state', 'hash', 'ahead:' . (time() - 10), ['kind' => state::ENROLMENT]);
        (new difference([$this->host]))->enrolments($course->id);
        $this->assertSame([], $this->mnetd->take($this->host));
    }

    public function test_suspending_and_resuming(): void {
        [$course, $student] = $this->course_with_student();
        $manual = enrol_get_plugin('manual');
        $manual->update_user_enrol($this->manual($course), $student->id, ENROL_USER_SUSPENDED);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(
            ['drop_enrolment', 'suspended in Moodle', 'BIO', 'S1', 'student'],
            [$job->method, $job->data['note'], $job->data['sectionid'], $job->data['userid'], $job->data['role']]
        );
        $this->assertEqualsWithDelta(time(), $job->data['effective_at'], 5);

        $manual->update_user_enrol($this->manual($course), $student->id, ENROL_USER_ACTIVE);
        $this->assertSame(["new_enrolment enrolment:$course->id:$student->id:student"], $this->mnetd->take($this->host));
    }

    public function test_an_end_that_has_passed(): void {
        [$course, $student] = $this->course_with_student();
        $plugin = enrol_get_plugin('manual');
        $plugin->update_user_enrol($this->manual($course), $student->id, ENROL_USER_ACTIVE, 0, time() - 60);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['drop_enrolment', 'enrolment ended in Moodle'], [$job->method, $job->data['note']]);
    }

    public function test_an_end_that_passes_by_itself_is_found_by_cron(): void {
        global $DB;
        [$course, $student] = $this->course_with_student();
        $end = time() - 120;
        $DB->set_field('user_enrolments', 'timeend', $end, ['userid' => $student->id]);
        $DB->set_field('user_enrolments', 'timemodified', $end - 1000, ['userid' => $student->id]);
        set_config('endingseen', time() - 3600, 'local_mnetd');
        synchroniser::watch();
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(
            ['drop_enrolment', 'enrolment ended in Moodle', $end],
            [$job->method, $job->data['note'], $job->data['effective_at']]
        );
    }

    public function test_unenrolling_drops_once_and_says_so(): void {
        [$course, $student] = $this->course_with_student();
        enrol_get_plugin('manual')->unenrol_user($this->manual($course), $student->id);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['drop_enrolment'], array_column($jobs, 'method'));
        $this->assertSame('unenrolled in Moodle', $jobs[0]->data['note']);
    }

    public function test_unenrolling_takes_the_grades_along_as_moodle_does(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        $this->mnetd->take($this->host);
        enrol_get_plugin('manual')->unenrol_user($this->manual($course), $student->id);
        $this->assertEqualsCanonicalizing(["drop_enrolment enrolment:$course->id:$student->id:student",
            "remove_grade grade:$item->id:$student->id"], $this->mnetd->take($this->host));
    }

    public function test_who_is_enrolled_twice_is_dropped_with_the_last(): void {
        [$course, $student] = $this->course_with_student();
        $self = enrol_get_plugin('self');
        $instance = $GLOBALS['DB']->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'self']);
        $self->update_status($instance, ENROL_INSTANCE_ENABLED);
        $self->enrol_user($instance, $student->id, $GLOBALS['DB']->get_field('role', 'id', ['shortname' => 'student']));
        $this->assertSame([], $this->mnetd->take($this->host));
        enrol_get_plugin('manual')->unenrol_user($this->manual($course), $student->id);
        // Manual enrolment leaves the role that it was not alone in giving.
        $drops = array_filter($this->mnetd->take($this->host), function ($job) {
            return strpos($job, 'drop_enrolment') === 0;
        });
        $this->assertSame([], $drops);
        $self->unenrol_user($instance, $student->id);
        $this->assertSame(["drop_enrolment enrolment:$course->id:$student->id:student"], $this->mnetd->take($this->host));
    }

    public function test_a_disabled_instance_drops_everybody_and_enabled_again_brings_them_back(): void {
        [$course, $one] = $this->course_with_student();
        $two = $this->getDataGenerator()->create_and_enrol($course, 'student');
        $this->mnetd->take($this->host);
        $instance = $this->manual($course);
        enrol_get_plugin('manual')->update_status($instance, ENROL_INSTANCE_DISABLED);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['drop_enrolment', 'drop_enrolment'], array_column($jobs, 'method'));
        $this->assertSame('enrolment method disabled in Moodle', $jobs[0]->data['note']);
        enrol_get_plugin('manual')->update_status($instance, ENROL_INSTANCE_ENABLED);
        $this->assertSame(["new_enrolment enrolment:$course->id:$one->id:student",
            "new_enrolment enrolment:$course->id:$two->id:student"], $this->mnetd->take($this->host));
    }

    public function test_a_change_of_role_is_a_drop_and_a_new_one_and_changes_the_teachers(): void {
        global $DB;
        [$course, $user] = $this->course_with_student();
        $context = \context_course::instance($course->id);
        $roles = $DB->get_records_menu('role', [], '', 'shortname, id');

        role_assign($roles['editingteacher'], $user->id, $context->id);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['new_enrolment', 'update_section'], array_column($jobs, 'method'));
        $this->assertSame('teacher', $jobs[0]->data['role']);
        $this->assertSame(['S1'], $jobs[1]->data['teacheridnumber']);

        role_unassign($roles['student'], $user->id, $context->id);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(
            ['drop_enrolment', 'student', 'role removed in Moodle'],
            [$job->method, $job->data['role'], $job->data['note']]
        );

        // A second role that means the same is nothing new, nor is the end of the first of the two.
        role_assign($roles['teacher'], $user->id, $context->id);
        role_unassign($roles['editingteacher'], $user->id, $context->id);
        $this->assertSame([], $this->mnetd->take($this->host));

        role_unassign($roles['teacher'], $user->id, $context->id);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['drop_enrolment', 'update_section'], array_column($jobs, 'method'));
        $this->assertSame([], $jobs[1]->data['teacheridnumber']);
    }

    public function test_a_role_without_an_enrolment_and_roles_elsewhere_are_nothing(): void {
        global $DB;
        $course = $this->getDataGenerator()->create_course();
        $user = $this->getDataGenerator()->create_user();
        $this->mnetd->take($this->host);
        $student = $DB->get_field('role', 'id', ['shortname' => 'student']);
        role_assign($student, $user->id, \context_course::instance($course->id)->id);
        role_assign($student, $user->id, \context_system::instance()->id);
        role_assign($student, $user->id, \context_coursecat::instance($course->category)->id);
        $this->assertSame([], $this->mnetd->take($this->host));
    }

    public function test_an_assessment_is_sent_changed_and_removed(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course, ['idnumber' => 'ORAL', 'grademax' => 20]);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame('new_assessment', $job->method);
        $this->assertEquals(['sectionid' => 'BIO', 'idnumber' => 'ORAL', 'name' => 'Oral exam', 'pointval' => 20.0,
            'extra_credit' => false, 'itemtype' => 'manual', 'itemmodule' => '', 'moodle_id' => (int)$item->id], $job->data);

        $item->itemname = 'Oral';
        $item->aggregationcoef = 1;
        $item->update();
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['update_assessment', 'Oral', true], [$job->method, $job->data['name'], $job->data['extra_credit']]);

        $item->update_final_grade($student->id, 12);
        $this->mnetd->take($this->host);
        $item->delete();
        $this->assertSame(
            ["remove_grade grade:$item->id:$student->id", "remove_assessment item:$item->id"],
            $this->mnetd->take($this->host)
        );
    }

    public function test_an_assessment_that_gets_points_is_sent_with_its_grades_and_leaves_without(): void {
        global $DB;
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course, ['gradetype' => GRADE_TYPE_TEXT]);
        $this->assertSame([], $this->mnetd->take($this->host));
        $DB->insert_record('grade_grades', (object)['itemid' => $item->id, 'userid' => $student->id, 'finalgrade' => 7]);
        $item->gradetype = GRADE_TYPE_VALUE;
        $item->update();
        $both = ["new_assessment item:$item->id", "new_grade grade:$item->id:$student->id"];
        $this->assertSame($both, $this->mnetd->take($this->host));
        $item->gradetype = GRADE_TYPE_NONE;
        $item->update();
        $this->assertSame(["remove_assessment item:$item->id"], $this->mnetd->take($this->host));
        // The register brings the grades back with the item; only what differs then is told.
        $DB->set_field('grade_grades', 'finalgrade', 8, ['itemid' => $item->id]);
        $item->gradetype = GRADE_TYPE_VALUE;
        $item->update();
        $this->assertSame($both, $this->mnetd->take($this->host));
    }

    public function test_every_value_of_a_grade_is_kept_as_it_was(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course, ['idnumber' => 'ORAL']);
        $this->mnetd->take($this->host);
        $item->update_final_grade($student->id, 50);
        $item->update_final_grade($student->id, 60.5);
        $item->update_final_grade($student->id, 60.5, 'manual', 'The same, with a remark');
        $item->update_final_grade($student->id, null);
        $jobs = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['new_grade', 'new_grade', 'remove_grade'], array_column($jobs, 'method'));
        $this->assertSame([50.0, 60.5], [$jobs[0]->data['points_earned'], $jobs[1]->data['points_earned']]);
        $this->assertSame(
            ['ORAL', 'S1', false],
            [$jobs[0]->data['assessmentid'], $jobs[0]->data['userid'], $jobs[0]->data['excepted']]
        );
        $this->assertSame(['assessmentid' => 'ORAL', 'userid' => 'S1'], $jobs[2]->data);
    }

    public function test_an_excluded_grade_is_excepted(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        grade_regrade_final_grades($course->id);
        $this->mnetd->take($this->host);
        // As Moodle's form does it: there is no event of its own, only that of the total.
        $grade = \grade_grade::fetch(['itemid' => $item->id, 'userid' => $student->id]);
        $grade->set_excluded(1);
        $item->force_regrading();
        grade_regrade_final_grades($course->id);
        [$job] = $this->mnetd->take_jobs($this->host);
        $this->assertSame(['new_grade', true, 50.0], [$job->method, $job->data['excepted'], $job->data['points_earned']]);
    }

    public function test_a_grade_of_somebody_unknown_brings_everything_it_needs(): void {
        global $DB;
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $this->mnetd->take($this->host);
        $DB->delete_records('local_mnetd_state');
        $item->update_final_grade($student->id, 50);
        $this->assertSame(["fetch_user user:$student->id", "new_section section:$course->id", "new_assessment item:$item->id",
            "new_grade grade:$item->id:$student->id"], $this->mnetd->take($this->host));
    }

    public function test_totals_are_sent_only_where_asked_for(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        grade_regrade_final_grades($course->id);
        $total = \grade_item::fetch_course_item($course->id);
        $this->assertNotContains("new_assessment item:$total->id", $this->mnetd->take($this->host));

        set_config('includecoursetotal', 1, 'local_mnetd');
        scope::reset();
        \grade_item::fetch(['id' => $item->id])->update_final_grade($student->id, 60);
        grade_regrade_final_grades($course->id);
        $jobs = $this->mnetd->take_jobs($this->host);
        $names = array_combine(array_column($jobs, 'objectkey'), array_column($jobs, 'data'));
        $this->assertSame('Course total', $names["item:$total->id"]['name']);
        $this->assertSame(60.0, $names["grade:$total->id:$student->id"]['points_earned']);
    }

    public function test_only_chosen_modules_are_sent(): void {
        set_config('itemmodules', 'quiz', 'local_mnetd');
        set_config('includemanual', 0, 'local_mnetd');
        scope::reset();
        $course = $this->getDataGenerator()->create_course();
        $this->item($course);
        $this->getDataGenerator()->create_module('assign', ['course' => $course->id]);
        $quiz = $this->getDataGenerator()->create_module('quiz', ['course' => $course->id]);
        $items = array_filter($this->mnetd->take_jobs($this->host), function ($job) {
            return $job->kind === state::ITEM;
        });
        $this->assertSame([$quiz->name], array_column(array_column($items, 'data'), 'name'));
    }

    public function test_the_attempt_at_an_assignment_goes_along(): void {
        global $CFG;
        require_once($CFG->dirroot . '/mod/assign/locallib.php');
        [$course, $student] = $this->course_with_student();
        $module = $this->getDataGenerator()->create_module('assign', ['course' => $course->id, 'maxattempts' => -1,
            'attemptreopenmethod' => 'manual', 'grade' => 100]);
        $cm = get_coursemodule_from_instance('assign', $module->id);
        $assign = new \assign(\context_module::instance($cm->id), $cm, $course);
        $this->mnetd->take($this->host);
        foreach ([0 => 40, 1 => 70] as $attempt => $points) {
            $grade = $assign->get_user_grade($student->id, true, $attempt);
            $grade->grade = $points;
            $assign->update_grade($grade);
        }
        $jobs = array_values(array_filter($this->mnetd->take_jobs($this->host), function ($job) {
            return $job->method === 'new_grade';
        }));
        $this->assertSame([[40.0, 1], [70.0, 2]], array_map(function ($job) {
            return [$job->data['points_earned'], $job->data['attempt_num']];
        }, $jobs));
    }

    public function test_a_course_that_enters_what_is_sent_comes_with_all_and_leaves_with_all(): void {
        $in = $this->getDataGenerator()->create_category();
        $below = $this->getDataGenerator()->create_category(['parent' => $in->id]);
        $out = $this->getDataGenerator()->create_category();
        set_config('categories', $in->id, 'local_mnetd');
        scope::reset();
        $course = $this->getDataGenerator()->create_course(['category' => $out->id]);
        $student = $this->getDataGenerator()->create_and_enrol($course, 'student');
        $teacher = $this->getDataGenerator()->create_and_enrol($course, 'editingteacher');
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        $this->assertSame(["fetch_user user:$student->id", "fetch_user user:$teacher->id"], $this->mnetd->take($this->host));

        move_courses([$course->id], $below->id);
        $this->assertSame([
            "new_section section:$course->id",
            "new_enrolment enrolment:$course->id:$student->id:student",
            "new_enrolment enrolment:$course->id:$teacher->id:teacher",
            "new_assessment item:$item->id",
            "new_grade grade:$item->id:$student->id",
        ], $this->mnetd->take($this->host));

        move_courses([$course->id], $out->id);
        $jobs = $this->mnetd->take_jobs($this->host);
        $expected = ['drop_enrolment', 'drop_enrolment', 'remove_assessment', 'remove_section'];
        $this->assertSame($expected, array_column($jobs, 'method'));
        $this->assertSame('course no longer sent by Moodle', $jobs[0]->data['note']);

        // Moving the category that the course is in has the same effect, there and back.
        move_courses([$course->id], $below->id);
        $this->mnetd->take($this->host);
        $below->change_parent($out->id);
        $this->assertContains("remove_section section:$course->id", $this->mnetd->take($this->host));
        \core_course_category::get($below->id)->change_parent($in->id);
        $this->assertSame(
            ['new_section', 'new_enrolment', 'new_enrolment', 'new_assessment'],
            array_column($this->mnetd->take_jobs($this->host), 'method')
        );
    }

    public function test_a_deleted_course_is_emptied_and_removed(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        $this->mnetd->take($this->host);
        delete_course($course, false);
        $jobs = $this->mnetd->take($this->host);
        $this->assertEqualsCanonicalizing([
            "drop_enrolment enrolment:$course->id:$student->id:student",
            "remove_grade grade:$item->id:$student->id",
            "remove_assessment item:$item->id",
            "remove_section section:$course->id",
        ], $jobs);
        $this->assertSame("remove_section section:$course->id", end($jobs));
    }

    public function test_a_deleted_user_is_dropped_everywhere_and_removed(): void {
        [$course, $student] = $this->course_with_student();
        delete_user($student);
        $jobs = $this->mnetd->take($this->host);
        $this->assertSame(["drop_enrolment enrolment:$course->id:$student->id:student", "remove_user user:$student->id"], $jobs);
    }

    public function test_in_the_scope_enrolled_a_user_comes_with_the_first_enrolment_and_stays(): void {
        set_config('userscope', 'enrolled', 'local_mnetd');
        scope::reset();
        $course = $this->getDataGenerator()->create_course();
        $user = $this->getDataGenerator()->create_user();
        $this->assertSame(["new_section section:$course->id"], $this->mnetd->take($this->host));
        $this->getDataGenerator()->enrol_user($user->id, $course->id, 'student');
        $this->assertSame(
            ["fetch_user user:$user->id", "new_enrolment enrolment:$course->id:$user->id:student"],
            $this->mnetd->take($this->host)
        );
        enrol_get_plugin('manual')->unenrol_user($this->manual($course), $user->id);
        $this->assertSame(["drop_enrolment enrolment:$course->id:$user->id:student"], $this->mnetd->take($this->host));
        user_update_user(['id' => $user->id, 'lastname' => 'New'], false);
        $this->assertSame(["update_user user:$user->id"], $this->mnetd->take($this->host));
    }

    public function test_a_restored_course_comes_with_all_though_restoring_tells_of_little(): void {
        global $CFG, $USER;
        require_once($CFG->dirroot . '/backup/util/includes/backup_includes.php');
        require_once($CFG->dirroot . '/backup/util/includes/restore_includes.php');
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        $backup = new \backup_controller(
            \backup::TYPE_1COURSE,
            $course->id,
            \backup::FORMAT_MOODLE,
            \backup::INTERACTIVE_NO,
            \backup::MODE_GENERAL,
            $USER->id
        );
        $backup->execute_plan();
        $file = $backup->get_results()['backup_destination'];
        $file->extract_to_pathname(get_file_packer('application/vnd.moodle.backup'), make_backup_temp_directory('mnetd'));
        $backup->destroy();
        $this->mnetd->take($this->host);

        $new = \restore_dbops::create_new_course('Restored', 'R1', $course->category);
        $restore = new \restore_controller(
            'mnetd',
            $new,
            \backup::INTERACTIVE_NO,
            \backup::MODE_GENERAL,
            $USER->id,
            \backup::TARGET_NEW_COURSE
        );
        $this->assertTrue($restore->execute_precheck());
        $restore->execute_plan();
        $restore->destroy();
        $jobs = $this->mnetd->take($this->host);
        $copy = \grade_item::fetch(['courseid' => $new, 'itemtype' => 'manual']);
        $expected = [
            "new_section section:$new",
            "new_enrolment enrolment:$new:$student->id:student",
            "new_assessment item:$copy->id",
            "new_grade grade:$copy->id:$student->id",
        ];
        $this->assertSame([], array_diff($expected, $jobs));
        (new difference([$this->host]))->course($new);
        $this->assertSame([], $this->mnetd->take($this->host));
    }

    public function test_a_reset_course_loses_its_grades(): void {
        [$course, $student] = $this->course_with_student();
        $item = $this->item($course);
        $item->update_final_grade($student->id, 50);
        $this->mnetd->take($this->host);
        reset_course_userdata((object)['id' => $course->id, 'courseid' => $course->id, 'reset_gradebook_grades' => 1,
            'reset_start_date_old' => $course->startdate, 'reset_end_date_old' => $course->enddate]);
        $this->assertSame(["remove_grade grade:$item->id:$student->id"], $this->mnetd->take($this->host));
    }

    public function test_many_enrolments_of_a_changed_user_make_one_job(): void {
        $user = $this->getDataGenerator()->create_user();
        for ($i = 0; $i < 10; $i++) {
            $this->getDataGenerator()->enrol_user($user->id, $this->getDataGenerator()->create_course()->id, 'student');
        }
        $this->mnetd->take($this->host);
        user_update_user(['id' => $user->id, 'lastname' => 'New'], false);
        $this->assertSame(["update_user user:$user->id"], $this->mnetd->take($this->host));
    }

    public function test_the_cost_of_an_enrolment_does_not_grow_with_the_course(): void {
        global $DB;
        $course = $this->getDataGenerator()->create_course();
        $cost = [];
        for ($i = 0; $i < 30; $i++) {
            $user = $this->getDataGenerator()->create_user();
            $reads = $DB->perf_get_reads();
            $this->getDataGenerator()->enrol_user($user->id, $course->id, 'student');
            $cost[] = $DB->perf_get_reads() - $reads;
        }
        $this->assertLessThanOrEqual($cost[1] + 2, $cost[29]);
    }

    public function test_every_register_gets_its_own(): void {
        $other = $this->mnetd->create_host();
        $user = $this->getDataGenerator()->create_user();
        $this->assertSame(["fetch_user user:$user->id"], $this->mnetd->take($this->host));
        $this->assertSame(["fetch_user user:$user->id"], $this->mnetd->take($other));
    }

    public function test_what_is_rolled_back_takes_the_jobs_along(): void {
        global $DB;
        $this->preventResetByRollback();
        $this->getDataGenerator()->create_user();
        $this->mnetd->take($this->host);
        $states = $DB->count_records('local_mnetd_state');
        $transaction = $DB->start_delegated_transaction();
        $this->getDataGenerator()->create_user();
        $this->assertCount(1, $this->mnetd->jobs($this->host));
        try {
            $transaction->rollback(new \moodle_exception('error'));
        } catch (\moodle_exception $e) {
            $this->assertSame([], $this->mnetd->jobs($this->host));
        }
        $this->assertSame($states, $DB->count_records('local_mnetd_state'));
    }

    public function test_a_failure_does_not_stop_moodle_and_is_made_up_for(): void {
        global $DB;
        $this->preventResetByRollback();
        $users = [$this->getDataGenerator()->create_user(), $this->getDataGenerator()->create_user()];
        synchroniser::start($this->host, synchroniser::RECONCILE);
        $this->synchronise();
        $this->mnetd->take($this->host);

        $manager = $DB->get_manager();
        $manager->rename_table(new \xmldb_table('local_mnetd_queue'), 'local_mnetd_queue_x');
        try {
            user_update_user(['id' => $users[0]->id, 'lastname' => 'Missed'], false);
            $this->assertDebuggingCalled();
            // And within a transaction of Moodle's own, which has to go through.
            $transaction = $DB->start_delegated_transaction();
            user_update_user(['id' => $users[1]->id, 'lastname' => 'Missed'], false);
            $this->assertDebuggingCalled();
            $transaction->allow_commit();
        } finally {
            $manager->rename_table(new \xmldb_table('local_mnetd_queue_x'), 'local_mnetd_queue');
        }
        $this->assertSame(2, $DB->count_records('user', ['lastname' => 'Missed']));
        $this->assertSame([], $this->mnetd->take($this->host));
        $progress = synchroniser::progress($this->host);
        $this->assertNotEquals(0, $progress->timewanted);
        $this->assertStringContainsString('user_updated', $progress->error);

        synchroniser::watch();
        $this->synchronise();
        $expected = ["update_user user:{$users[0]->id}", "update_user user:{$users[1]->id}"];
        $this->assertSame($expected, $this->mnetd->take($this->host));
    }

    /**
     * Lets a synchronisation run to its end.
     */
    private function synchronise(): void {
        for ($i = 0; synchroniser::step($this->host); $i++) {
            $this->assertLessThan(100, $i, 'It does not end.');
        }
    }

    public function test_sending_is_asked_for_at_once(): void {
        if (!class_exists(task\send_now::class)) {
            $this->markTestSkipped('The tasks of this plugin are not there.');
        }
        $this->getDataGenerator()->create_user();
        $this->getDataGenerator()->create_user();
        $this->assertCount(1, \core\task\manager::get_adhoc_tasks(task\send_now::class));
    }
}
