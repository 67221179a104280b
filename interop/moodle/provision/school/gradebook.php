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
 * Grade items and grades.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/gradelib.php');
require_once($CFG->libdir . '/grade/grade_item.php');
require_once($CFG->libdir . '/grade/grade_grade.php');
require_once($CFG->dirroot . '/mod/assign/locallib.php');

/**
 * Commands about the gradebook.
 */
class gradebook {
    /**
     * Makes an item that is graded by hand: {"course": id, "name": ..., "grademax": 10, "idnumber": ""}.
     *
     * @param input $in
     * @return array
     */
    public static function item_create(input $in): array {
        $course = courses::known($in->int('course'));
        $item = new \grade_item([
            'courseid' => $course->id,
            'categoryid' => \grade_category::fetch_course_category($course->id)->id,
            'itemtype' => 'manual',
            'itemname' => $in->text('name'),
            'idnumber' => $in->text('idnumber', ''),
            'gradetype' => GRADE_TYPE_VALUE,
            'grademin' => 0,
            'grademax' => $in->int('grademax', 10),
        ], false);
        if (!$item->insert('manual')) {
            throw new \RuntimeException('Moodle did not make the grade item');
        }
        return ['item' => (int)$item->id];
    }

    /**
     * Changes fields of an item: {"item": id, "itemname": ..., "grademax": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function item_update(input $in): array {
        $item = self::item($in);
        $change = $in->without(['item']);
        $before = $item->grademax;
        \grade_object::set_properties($item, $change);
        $item->update('gradebook');
        if ($item->grademax != $before) {
            $item->rescale_grades_keep_percentage($item->grademin, $before, $item->grademin, $item->grademax, 'gradebook');
        }
        grade_regrade_final_grades($item->courseid);
        return ['item' => (int)$item->id];
    }

    /**
     * Deletes an item that is graded by hand, with its grades: {"item": id}.
     *
     * @param input $in
     * @return array
     */
    public static function item_delete(input $in): array {
        $item = self::item($in);
        $item->delete('gradebook');
        grade_regrade_final_grades($item->courseid);
        return [];
    }

    /**
     * Grades somebody: {"item": id, "user": id, "value": 7.5}. An assignment is graded as its own grading page does it, another
     * item as the gradebook does.
     *
     * @param input $in
     * @return array
     */
    public static function grade(input $in): array {
        $item = self::item($in);
        if ($item->itemtype === 'mod' && $item->itemmodule === 'assign') {
            $cm = get_coursemodule_from_instance('assign', $item->iteminstance, $item->courseid, false, MUST_EXIST);
            $assign = new \assign(\context_module::instance($cm->id), $cm, get_course($item->courseid));
            $assign->save_grade($in->int('user'), (object)[
                'grade' => $in->number('value'),
                'attemptnumber' => -1,
                'addattempt' => 0,
                'workflowstate' => '',
                'applytoall' => 0,
                'sendstudentnotifications' => 0,
                'assignfeedbackcomments_editor' => ['text' => '', 'format' => FORMAT_HTML],
            ]);
        } else {
            $item->update_final_grade($in->int('user'), $in->number('value'), 'gradebook');
        }
        return self::get($in);
    }

    /**
     * Gives a grade in the gradebook that stands against what the activity says: {"item": id, "user": id, "value": 55}.
     *
     * @param input $in
     * @return array
     */
    public static function override(input $in): array {
        self::item($in)->update_final_grade($in->int('user'), $in->number('value'), 'gradebook');
        return self::get($in);
    }

    /**
     * Excludes a grade from all totals, or counts it again: {"item": id, "user": id, "excluded": true}. As the page “Edit grade” does, to
     * which the gradebook leads: that page brings the totals up to date first.
     *
     * @param input $in
     * @return array
     */
    public static function exclude(input $in): array {
        $item = self::item($in);
        grade_regrade_final_grades($item->courseid);
        $grade = self::row($item, $in->int('user'));
        if (!$grade->id) {
            $grade->insert();
        }
        $grade->set_excluded($in->bool('excluded', true));
        $item->get_parent_category()->force_regrading();
        grade_regrade_final_grades($item->courseid);
        return self::get($in);
    }

    /**
     * Takes a grade away: {"item": id, "user": id, "how": "empty" or "delete"}. “empty” is what the gradebook does when the field
     * is cleared; “delete” takes the row away, as unenrolling and resetting do.
     *
     * @param input $in
     * @return array
     */
    public static function remove(input $in): array {
        $item = self::item($in);
        switch ($in->text('how', 'empty')) {
            case 'empty':
                $item->update_final_grade($in->int('user'), null, 'gradebook');
                break;
            case 'delete':
                $grade = self::row($item, $in->int('user'));
                if (!$grade->id) {
                    throw new \InvalidArgumentException('there is no such grade');
                }
                $grade->delete('gradebook');
                break;
            default:
                throw new \InvalidArgumentException('“how” is “empty” or “delete”');
        }
        return [];
    }

    /**
     * Has Moodle calculate a course's final grades anew: {"course": id}.
     *
     * @param input $in
     * @return array
     */
    public static function regrade(input $in): array {
        grade_force_full_regrading($in->int('course'));
        $result = grade_regrade_final_grades($in->int('course'));
        if ($result !== true) {
            throw new \RuntimeException('Moodle could not calculate the grades: ' . json_encode($result));
        }
        return [];
    }

    /**
     * A grade as it stands in Moodle: {"item": id, "user": id}.
     *
     * @param input $in
     * @return array
     */
    public static function get(input $in): array {
        global $DB;
        $row = $DB->get_record('grade_grades', ['itemid' => $in->int('item'), 'userid' => $in->int('user')]);
        return [
            'final' => $row && $row->finalgrade !== null ? (float)$row->finalgrade : null,
            'excluded' => $row && $row->excluded > 0,
            'overridden' => $row && $row->overridden > 0,
        ];
    }

    /**
     * The item that a command is about.
     *
     * @param input $in
     * @return \grade_item
     */
    private static function item(input $in): \grade_item {
        $item = \grade_item::fetch(['id' => $in->int('item')]);
        if (!$item) {
            throw new \InvalidArgumentException("there is no grade item {$in->int('item')}");
        }
        return $item;
    }

    /**
     * Somebody's row in an item, which may not be there yet.
     *
     * @param \grade_item $item
     * @param int $userid
     * @return \grade_grade
     */
    private static function row(\grade_item $item, int $userid): \grade_grade {
        $grade = new \grade_grade(['itemid' => $item->id, 'userid' => $userid]);
        $grade->grade_item = $item;
        return $grade;
    }
}
