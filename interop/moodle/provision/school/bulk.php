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
 * A school that was there before anybody listened.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

/**
 * Fills a Moodle with users, courses and grades.
 */
class bulk {
    /** How many grade items a course gets. */
    const ITEMS = 10;
    /** One in so many users is a teacher. */
    const TEACHERS = 20;

    /**
     * Makes a school: {"users": 200, "courses": 30, "grades": 10000, "prefix": "interop-full-", "category": id}.
     *
     * No event of it reaches any plugin: enrolments and grades are written as rows, and users and courses are made while no
     * observer is listening. So a plugin that is installed already is in the place of one that is installed afterwards, and all of
     * it is left for the first full synchronisation.
     *
     * @param input $in
     * @return array how many there are of each
     */
    public static function fill(input $in): array {
        $begin = microtime(true);
        quiet::begin();
        try {
            $made = self::school(
                $in->int('users'),
                $in->int('courses'),
                $in->int('grades'),
                $in->text('prefix'),
                $in->int('category', (int)\core_course_category::get_default()->id)
            );
        } finally {
            quiet::end();
        }
        return $made + ['seconds' => microtime(true) - $begin];
    }

    /**
     * Makes the school.
     *
     * @param int $users
     * @param int $courses
     * @param int $grades
     * @param string $prefix
     * @param int $category
     * @return array
     */
    private static function school(int $users, int $courses, int $grades, string $prefix, int $category): array {
        global $DB;
        $teachers = max(1, intdiv($users, self::TEACHERS));
        $students = $users - $teachers;
        $most = intdiv($grades + $courses - 1, $courses);
        if (intdiv($most + self::ITEMS - 1, self::ITEMS) > $students) {
            throw new \InvalidArgumentException("$grades grades do not fit: a course would need more than $students students");
        }
        $transaction = $DB->start_delegated_transaction();
        $ids = self::people($users, $prefix);
        $staff = array_slice($ids, 0, $teachers);
        $class = array_slice($ids, $teachers);
        $enrolled = 0;
        for ($number = 0; $number < $courses; $number++) {
            // The rest of the division goes to the first courses, a grade each.
            $share = intdiv($grades, $courses) + ($number < $grades % $courses ? 1 : 0);
            $course = create_course((object)[
                'shortname' => sprintf('%s%03d', $prefix, $number),
                'fullname' => sprintf('Interop course %03d (%s)', $number, $prefix),
                'category' => $category,
                'format' => 'topics',
                'numsections' => 0,
                'startdate' => time(),
                'visible' => 1,
            ]);
            $size = intdiv($share + self::ITEMS - 1, self::ITEMS);
            $members = [];
            for ($seat = 0; $seat < $size; $seat++) {
                $members[] = $class[($number * 7 + $seat) % count($class)];
            }
            self::enrol($course, $members, 'student');
            self::enrol($course, [$staff[$number % count($staff)]], 'editingteacher');
            $enrolled += $size + 1;
            self::grades($course, $members, $share);
        }
        $transaction->allow_commit();
        return ['users' => $users, 'courses' => $courses, 'enrolments' => $enrolled, 'items' => $courses * self::ITEMS,
            'grades' => $grades];
    }

    /**
     * Makes the users. One hash serves all: hashing takes longer than all else.
     *
     * @param int $count
     * @param string $prefix
     * @return int[]
     */
    private static function people(int $count, string $prefix): array {
        global $CFG;
        $password = hash_internal_user_password('Passw0rd-1x');
        $ids = [];
        for ($number = 0; $number < $count; $number++) {
            $username = sprintf('%s%05d', $prefix, $number);
            $ids[] = (int)user_create_user((object)[
                'username' => $username,
                'firstname' => "Number $number",
                'lastname' => 'Ødegård ' . chr(65 + $number % 26),
                'email' => "$username@interop.example",
                // Every second one has an ID number; the others are known by one derived from Moodle's own id.
                'idnumber' => $number % 2 === 0 ? strtoupper($username) : '',
                'auth' => 'manual',
                'confirmed' => 1,
                'mnethostid' => $CFG->mnet_localhost_id,
                'password' => $password,
            ], false, true);
        }
        return $ids;
    }

    /**
     * Enrols users by writing the rows.
     *
     * @param \stdClass $course
     * @param int[] $users
     * @param string $role
     */
    private static function enrol(\stdClass $course, array $users, string $role): void {
        global $DB;
        $instance = enrolments::instance($course->id);
        $roleid = enrolments::role($role);
        $context = \context_course::instance($course->id);
        $now = time();
        $admin = get_admin()->id;
        $enrolments = [];
        $roles = [];
        foreach ($users as $user) {
            $enrolments[] = ['enrolid' => $instance->id, 'userid' => $user, 'status' => ENROL_USER_ACTIVE, 'timestart' => 0,
                'timeend' => 0, 'modifierid' => $admin, 'timecreated' => $now, 'timemodified' => $now];
            $roles[] = ['roleid' => $roleid, 'contextid' => $context->id, 'userid' => $user, 'timemodified' => $now,
                'modifierid' => $admin, 'component' => '', 'itemid' => 0, 'sortorder' => 0];
        }
        $DB->insert_records('user_enrolments', $enrolments);
        $DB->insert_records('role_assignments', $roles);
    }

    /**
     * Makes a course's grade items, and so many grades in them by writing the rows.
     *
     * @param \stdClass $course
     * @param int[] $users
     * @param int $count
     */
    private static function grades(\stdClass $course, array $users, int $count): void {
        global $DB;
        $rows = [];
        $now = time();
        for ($number = 0; $number < self::ITEMS; $number++) {
            $item = gradebook::item_create(new input([
                'course' => (int)$course->id,
                'name' => sprintf('Test %02d', $number + 1),
                'grademax' => 100,
                'idnumber' => $number % 2 === 0 ? "$course->shortname/$number" : '',
            ]))['item'];
            foreach ($users as $seat => $user) {
                if (count($rows) === $count) {
                    break;
                }
                $rows[] = ['itemid' => $item, 'userid' => $user, 'rawgrademax' => 100, 'rawgrademin' => 0,
                    'finalgrade' => (($seat * 37 + $number * 11) % 401) / 4, 'usermodified' => get_admin()->id, 'hidden' => 0,
                    'locked' => 0, 'locktime' => 0, 'exported' => 0, 'overridden' => 0, 'excluded' => 0, 'timecreated' => null,
                    'timemodified' => $now, 'aggregationstatus' => 'unknown', 'aggregationweight' => null];
            }
        }
        $DB->insert_records('grade_grades', $rows);
    }
}
