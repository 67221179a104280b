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
 * Assignments and quizzes.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/course/lib.php');
require_once($CFG->dirroot . '/course/modlib.php');
require_once($CFG->dirroot . '/mod/assign/locallib.php');
require_once($CFG->dirroot . '/mod/quiz/locallib.php');
require_once($CFG->libdir . '/questionlib.php');
require_once($CFG->libdir . '/gradelib.php');

/**
 * Commands about activities that are graded.
 */
class activities {
    /**
     * Makes an assignment: {"course": id, "name": ..., "grade": 100, "idnumber": ""}.
     *
     * @param input $in
     * @return array
     */
    public static function assignment_create(input $in): array {
        return self::create('assign', $in, [
            'grade' => $in->int('grade', 100),
            'assignsubmission_onlinetext_enabled' => 1,
            'assignfeedback_comments_enabled' => 1,
            'sendnotifications' => 0,
            'sendstudentnotifications' => 0,
        ]);
    }

    /**
     * Makes a quiz with true/false questions of one mark each: {"course": id, "name": ..., "grade": 10, "questions": 4}.
     *
     * @param input $in
     * @return array
     */
    public static function quiz_create(input $in): array {
        global $DB;
        $review = [];
        foreach (
            ['attempt', 'correctness', 'maxmarks', 'marks', 'specificfeedback', 'generalfeedback', 'rightanswer',
                'overallfeedback'] as $what
        ) {
            foreach (['during', 'immediately', 'open', 'closed'] as $when) {
                $review[$what . $when] = 1;
            }
        }
        $made = self::create('quiz', $in, $review + [
            'grade' => $in->int('grade', 10),
            'quizpassword' => '',
            'preferredbehaviour' => 'deferredfeedback',
            'attempts' => 0,
            'grademethod' => QUIZ_ATTEMPTLAST,
            'decimalpoints' => 2,
            'questiondecimalpoints' => -1,
            'questionsperpage' => 0,
            'shuffleanswers' => 0,
            'overduehandling' => 'autosubmit',
            'navmethod' => QUIZ_NAVMETHOD_FREE,
            'browsersecurity' => '-',
        ]);
        $quiz = $DB->get_record('quiz', ['id' => $made['instance']], '*', MUST_EXIST);
        $quiz->cmid = $made['cmid'];
        $category = self::question_category(\context_module::instance($made['cmid']));
        for ($number = 1; $number <= $in->int('questions', 4); $number++) {
            quiz_add_quiz_question(self::true_question($category, $number), $quiz, 0, 1);
        }
        if (class_exists('\mod_quiz\quiz_settings') && method_exists('\mod_quiz\quiz_settings', 'get_grade_calculator')) {
            \mod_quiz\quiz_settings::create($quiz->id)->get_grade_calculator()->recompute_quiz_sumgrades();
        } else {
            quiz_update_sumgrades($quiz);
        }
        return $made;
    }

    /**
     * Sits a quiz as a student and hands it in: {"quiz": instance, "user": id, "correct": how many answers are right}.
     *
     * @param input $in
     * @return array the grade that Moodle's quiz made of it
     */
    public static function quiz_attempt(input $in): array {
        global $DB;
        $user = people::known($in->int('user'));
        $quiz = $DB->get_record('quiz', ['id' => $in->int('quiz')], '*', MUST_EXIST);
        // Moodle 4.2 gave the classes other names.
        $settings = class_exists('\mod_quiz\quiz_settings') ? '\mod_quiz\quiz_settings' : '\quiz';
        $attempts = class_exists('\mod_quiz\quiz_attempt') ? '\mod_quiz\quiz_attempt' : '\quiz_attempt';

        $before = quiz_get_user_attempts($quiz->id, $user->id, 'all', true);
        $last = $before ? end($before) : null;
        \core\session\manager::set_user($user);
        try {
            $attempt = quiz_prepare_and_start_new_attempt(
                $settings::create($quiz->id, $user->id),
                $last ? $last->attempt + 1 : 1,
                $last
            );
            $sitting = $attempts::create($attempt->id);
            $answers = [];
            foreach ($sitting->get_slots() as $index => $slot) {
                $answers[$slot] = ['answer' => $index < $in->int('correct') ? 1 : 0];
            }
            $sitting->process_submitted_actions(time(), false, $answers);
            $sitting = $attempts::create($attempt->id);
            // Moodle 5.0 parted handing in from grading.
            if (method_exists($sitting, 'process_grade_submission')) {
                $sitting->process_submit(time(), false);
                $sitting->process_grade_submission(time());
            } else {
                $sitting->process_finish(time(), false);
            }
        } finally {
            \core\session\manager::set_user(get_admin());
        }
        return [
            'attempt' => (int)$attempt->attempt,
            'grade' => (float)$DB->get_field('quiz_grades', 'grade', ['quiz' => $quiz->id, 'userid' => $user->id], MUST_EXIST),
        ];
    }

    /**
     * Deletes an activity with its grade item: {"cmid": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function delete(input $in): array {
        course_delete_module($in->int('cmid'));
        return [];
    }

    /**
     * Adds a module to the first section of a course.
     *
     * Every column that the module's form would have sent and that is not given has the default of its table, so that this holds
     * for columns of later versions too.
     *
     * @param string $module
     * @param input $in with course and name
     * @param array $settings
     * @return array
     */
    private static function create(string $module, input $in, array $settings): array {
        global $DB;
        $course = courses::known($in->int('course'));
        $moduleinfo = (object)($settings + [
            'modulename' => $module,
            'module' => $DB->get_field('modules', 'id', ['name' => $module], MUST_EXIST),
            'course' => $course->id,
            'section' => 0,
            'name' => $in->text('name'),
            'intro' => '',
            'introformat' => FORMAT_HTML,
            'visible' => 1,
            'visibleoncoursepage' => 1,
            'cmidnumber' => $in->text('idnumber', ''),
            'groupmode' => 0,
            'groupingid' => 0,
            'availability' => null,
            'completion' => 0,
            'completionview' => 0,
            'completionexpected' => 0,
        ]);
        foreach ($DB->get_columns($module) as $column) {
            if (!property_exists($moduleinfo, $column->name) && $column->name !== 'id') {
                $numeric = in_array($column->meta_type, ['I', 'N', 'R'], true);
                $moduleinfo->{$column->name} = $column->has_default ? $column->default_value : ($numeric ? 0 : '');
            }
        }
        $made = add_moduleinfo($moduleinfo, $course);
        $item = \grade_item::fetch(['courseid' => $course->id, 'itemtype' => 'mod', 'itemmodule' => $module,
            'iteminstance' => $made->instance, 'itemnumber' => 0]);
        return [
            'cmid' => (int)$made->coursemodule,
            'instance' => (int)$made->instance,
            'item' => $item ? (int)$item->id : null,
        ];
    }

    /**
     * A place for the quiz's questions: in the quiz itself, which every version allows.
     *
     * @param \context_module $context
     * @return \stdClass
     */
    private static function question_category(\context_module $context): \stdClass {
        global $DB;
        $category = (object)[
            'name' => 'interop',
            'contextid' => $context->id,
            'info' => '',
            'infoformat' => FORMAT_HTML,
            'stamp' => make_unique_id_code(),
            'parent' => question_get_top_category($context->id, true)->id,
            'sortorder' => 999,
            'idnumber' => null,
        ];
        $category->id = $DB->insert_record('question_categories', $category);
        return $category;
    }

    /**
     * A question whose right answer is “true”.
     *
     * @param \stdClass $category
     * @param int $number
     * @return int its id
     */
    private static function true_question(\stdClass $category, int $number): int {
        $text = function (string $words) {
            return ['text' => $words, 'format' => FORMAT_HTML];
        };
        $question = (object)['qtype' => 'truefalse', 'category' => $category->id, 'createdby' => 0, 'idnumber' => null];
        $form = (object)[
            'category' => "$category->id,$category->contextid",
            'name' => "Question $number",
            'questiontext' => $text("Is $number equal to $number?"),
            'generalfeedback' => $text(''),
            'defaultmark' => 1,
            'correctanswer' => '1',
            'feedbacktrue' => $text(''),
            'feedbackfalse' => $text(''),
            'penalty' => 1,
            'idnumber' => null,
            'status' => \core_question\local\bank\question_version_status::QUESTION_STATUS_READY,
        ];
        $question->status = $form->status;
        return (int)\question_bank::get_qtype('truefalse')->save_question($question, $form)->id;
    }
}
