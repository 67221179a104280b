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
 * Enrolments and roles.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/enrollib.php');

/**
 * Commands about who is in which course, by manual enrolment.
 */
class enrolments {
    /**
     * Enrols a user: {"course": id, "user": id, "role": "student", "timestart": 0, "timeend": 0}.
     *
     * @param input $in
     * @return array
     */
    public static function enrol(input $in): array {
        $instance = self::instance($in->int('course'));
        enrol_get_plugin('manual')->enrol_user(
            $instance,
            people::known($in->int('user'))->id,
            self::role($in->text('role', 'student')),
            $in->int('timestart', 0),
            $in->int('timeend', 0),
            ENROL_USER_ACTIVE
        );
        return ['instance' => (int)$instance->id];
    }

    /**
     * Ends an enrolment: {"course": id, "user": id}.
     *
     * @param input $in
     * @return array
     */
    public static function unenrol(input $in): array {
        enrol_get_plugin('manual')->unenrol_user(self::instance($in->int('course')), people::known($in->int('user'))->id);
        return [];
    }

    /**
     * Suspends an enrolment or makes it active again: {"course": id, "user": id, "suspended": true}.
     *
     * @param input $in
     * @return array
     */
    public static function suspend(input $in): array {
        enrol_get_plugin('manual')->update_user_enrol(
            self::instance($in->int('course')),
            people::known($in->int('user'))->id,
            $in->bool('suspended', true) ? ENROL_USER_SUSPENDED : ENROL_USER_ACTIVE
        );
        return [];
    }

    /**
     * Gives a role in a course: {"course": id, "user": id, "role": "editingteacher"}.
     *
     * @param input $in
     * @return array
     */
    public static function role_assign(input $in): array {
        role_assign(
            self::role($in->text('role')),
            people::known($in->int('user'))->id,
            \context_course::instance($in->int('course'))->id
        );
        return [];
    }

    /**
     * Takes a role in a course away: {"course": id, "user": id, "role": "student"}.
     *
     * @param input $in
     * @return array
     */
    public static function role_unassign(input $in): array {
        role_unassign(
            self::role($in->text('role')),
            people::known($in->int('user'))->id,
            \context_course::instance($in->int('course'))->id
        );
        return [];
    }

    /**
     * The manual enrolment instance of a course, made where it is missing.
     *
     * @param int $courseid
     * @return \stdClass
     */
    public static function instance(int $courseid): \stdClass {
        global $DB;
        $course = courses::known($courseid);
        $instances = $DB->get_records('enrol', ['courseid' => $course->id, 'enrol' => 'manual'], 'sortorder', '*', 0, 1);
        if ($instances) {
            return reset($instances);
        }
        $id = enrol_get_plugin('manual')->add_instance($course, enrol_get_plugin('manual')->get_instance_defaults());
        return $DB->get_record('enrol', ['id' => $id], '*', MUST_EXIST);
    }

    /**
     * The id of a role by its short name.
     *
     * @param string $shortname
     * @return int
     */
    public static function role(string $shortname): int {
        global $DB;
        $id = $DB->get_field('role', 'id', ['shortname' => $shortname]);
        if (!$id) {
            throw new \InvalidArgumentException("there is no role “{$shortname}”");
        }
        return (int)$id;
    }
}
