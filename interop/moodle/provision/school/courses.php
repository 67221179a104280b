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
 * Courses and their categories.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/course/lib.php');

/**
 * Commands about courses.
 */
class courses {
    /**
     * Makes a category, or finds the one that has the id number already: {"name": ..., "idnumber": ..., "parent": 0}.
     *
     * @param input $in
     * @return array
     */
    public static function category_create(input $in): array {
        global $DB;
        $idnumber = $in->text('idnumber');
        $there = $DB->get_field('course_categories', 'id', ['idnumber' => $idnumber]);
        if ($there) {
            return ['id' => (int)$there];
        }
        $category = \core_course_category::create([
            'name' => $in->text('name', $idnumber),
            'idnumber' => $idnumber,
            'parent' => $in->int('parent', 0),
        ]);
        return ['id' => (int)$category->id];
    }

    /**
     * Makes a course: {"shortname": ..., "fullname": ..., "idnumber": "", "category": id} and any other column.
     *
     * @param input $in
     * @return array
     */
    public static function create(input $in): array {
        $shortname = $in->text('shortname');
        $course = create_course((object)($in->without([]) + [
            'fullname' => $shortname,
            'category' => \core_course_category::get_default()->id,
            'format' => 'topics',
            'numsections' => 1,
            'startdate' => time(),
            'visible' => 1,
        ]));
        return self::told($course->id);
    }

    /**
     * Changes columns of a course: {"id": ..., "fullname": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function update(input $in): array {
        self::known($in->int('id'));
        update_course((object)$in->without([]));
        return self::told($in->int('id'));
    }

    /**
     * Moves a course into another category: {"id": ..., "category": id}.
     *
     * @param input $in
     * @return array
     */
    public static function move(input $in): array {
        self::known($in->int('id'));
        move_courses([$in->int('id')], $in->int('category'));
        return self::told($in->int('id'));
    }

    /**
     * Deletes a course with all it holds: {"id": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function delete(input $in): array {
        if (!delete_course(self::known($in->int('id')), false)) {
            throw new \RuntimeException("Moodle did not delete course {$in->int('id')}");
        }
        return ['id' => $in->int('id')];
    }

    /**
     * The row of a course that is there.
     *
     * @param int $id
     * @return \stdClass
     */
    public static function known(int $id): \stdClass {
        global $DB;
        $course = $DB->get_record('course', ['id' => $id]);
        if (!$course || $course->id == SITEID) {
            throw new \InvalidArgumentException("there is no course $id");
        }
        return $course;
    }

    /**
     * What is answered about a course: as it was stored.
     *
     * @param int $id
     * @return array
     */
    private static function told(int $id): array {
        $course = self::known($id);
        return [
            'id' => (int)$course->id,
            'shortname' => $course->shortname,
            'fullname' => $course->fullname,
            'idnumber' => $course->idnumber,
            'category' => (int)$course->category,
            'visible' => (bool)$course->visible,
        ];
    }
}
