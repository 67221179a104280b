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
 * Courses across sites.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * What identity and service providers tell each other about courses: update_enrolments and "myhosts".
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class courses {
    /** @var int courses of one user at one peer that are kept at most */
    const MOST = 1000;

    /**
     * Where a user has courses, for a peer the user goes to.
     *
     * @param \stdClass $user
     * @param int $hostid the peer
     * @return array list of name, url and count
     */
    public static function hosts_of(\stdClass $user, int $hostid): array {
        global $CFG, $DB, $SITE;
        require_once($CFG->libdir . '/enrollib.php');
        $hosts = [];
        $here = count(enrol_get_users_courses($user->id, false));
        if ($here) {
            $hosts[] = ['name' => $SITE->shortname, 'url' => $CFG->wwwroot, 'count' => $here];
        }
        $there = $DB->count_records('auth_mnetd_course', ['userid' => $user->id, 'hostid' => $hostid]);
        $host = $there ? host::find($hostid) : null;
        if ($host) {
            $page = $CFG->wwwroot . '/auth/mnetd/jump.php?hostid=' . $host->id;
            $hosts[] = ['name' => $host->name, 'url' => $page, 'count' => $there];
        }
        return $hosts;
    }

    /**
     * Takes what a peer tells about the courses of a user of ours.
     *
     * @param int $hostid the peer
     * @param string $username
     * @param array $told courses as the peer tells them
     * @param int $now
     * @return bool false: the user is not at that peer
     */
    public static function take(int $hostid, string $username, array $told, int $now): bool {
        global $DB;
        $where = ['side' => sessions::OUT, 'hostid' => $hostid, 'username' => $username];
        $sessions = $DB->get_records('auth_mnetd_session', $where, 'id', 'id, userid', 0, 1);
        if (!$sessions) {
            return false;
        }
        $userid = (int) reset($sessions)->userid;
        $had = $DB->get_records('auth_mnetd_course', ['userid' => $userid, 'hostid' => $hostid], '', 'remoteid, id');
        $courses = [];
        foreach (array_slice($told, 0, self::MOST) as $course) {
            $course = self::read($course);
            if ($course) {
                $courses[$course->remoteid] = $course;
            }
        }
        $transaction = $DB->start_delegated_transaction();
        foreach ($courses as $remoteid => $course) {
            $course->userid = $userid;
            $course->hostid = $hostid;
            $course->timemodified = $now;
            if (isset($had[$remoteid])) {
                $course->id = $had[$remoteid]->id;
                $DB->update_record('auth_mnetd_course', $course);
            } else {
                $DB->insert_record('auth_mnetd_course', $course);
            }
        }
        $gone = array_diff_key($had, $courses);
        if ($gone) {
            $DB->delete_records_list('auth_mnetd_course', 'id', array_column($gone, 'id'));
        }
        self::tell_enrolment_service($userid, $hostid, $courses);
        $transaction->allow_commit();
        return true;
    }

    /**
     * The courses of a user here, as a peer is told of them.
     *
     * @param int $userid
     * @return array keyed by course id
     */
    public static function of_user(int $userid): array {
        global $CFG, $DB;
        require_once($CFG->libdir . '/enrollib.php');
        $fields = 'id, category, sortorder, fullname, shortname, idnumber, summary, startdate, visible';
        $courses = array_filter(enrol_get_users_courses($userid, false, $fields), function (\stdClass $course): bool {
            return (bool) $course->visible;
        });
        $categories = [];
        if ($courses) {
            $ids = array_unique(array_column($courses, 'category'));
            $categories = $DB->get_records_list('course_categories', 'id', $ids, '', 'id, name, description');
        }
        $students = get_archetype_roles('student');
        $role = reset($students);
        $told = [];
        foreach ($courses as $course) {
            $category = $categories[$course->category] ?? null;
            $told[(int) $course->id] = [
                'id' => (string) $course->id,
                'sortorder' => (string) $course->sortorder,
                'fullname' => (string) $course->fullname,
                'shortname' => (string) $course->shortname,
                'idnumber' => (string) $course->idnumber,
                'summary' => (string) $course->summary,
                'startdate' => (string) $course->startdate,
                'cat_id' => (string) $course->category,
                'cat_name' => $category ? (string) $category->name : '',
                'cat_description' => $category ? (string) $category->description : '',
                'defaultroleid' => $role ? (string) $role->id : '',
                'defaultrolename' => $role ? role_get_name($role, null, ROLENAME_ORIGINAL) : '',
            ];
        }
        return $told;
    }

    /**
     * A course as a peer tells it.
     *
     * @param mixed $course
     * @return \stdClass|null null: it has no id
     */
    private static function read($course): ?\stdClass {
        if (!is_array($course) || !isset($course['id']) || !is_scalar($course['id'])) {
            return null;
        }
        $text = function (string $key, int $most) use ($course): string {
            $value = isset($course[$key]) && is_scalar($course[$key]) ? (string) $course[$key] : '';
            return \core_text::substr(clean_param($value, PARAM_TEXT), 0, $most);
        };
        $remoteid = $text('id', 100);
        if ($remoteid === '') {
            return null;
        }
        $fullname = $text('fullname', 254);
        return (object) [
            'remoteid' => $remoteid,
            'fullname' => $fullname === '' ? $remoteid : $fullname,
            'shortname' => $text('shortname', 255),
            'rolename' => $text('defaultrolename', 255),
        ];
    }

    /**
     * Keeps the lists of core's remote enrolment service, where this Moodle has it, as auth_mnet does: of the
     * courses it knows, which the user takes.
     *
     * @param int $userid
     * @param int $hostid the peer
     * @param \stdClass[] $courses by remote id
     */
    private static function tell_enrolment_service(int $userid, int $hostid, array $courses): void {
        global $DB;
        $tables = $DB->get_manager();
        if (!$tables->table_exists('mnetservice_enrol_courses') || !$tables->table_exists('mnetservice_enrol_enrolments')) {
            return;
        }
        $known = $DB->get_records('mnetservice_enrol_courses', ['hostid' => $hostid], '', 'remoteid, id');
        $where = ['hostid' => $hostid, 'userid' => $userid];
        // The table lets a course come twice.
        $had = $DB->get_records_menu('mnetservice_enrol_enrolments', $where, '', 'id, remotecourseid');
        $takes = array_intersect_key($courses, $known);
        foreach (array_diff_key($takes, array_flip($had)) as $remoteid => $course) {
            $DB->insert_record('mnetservice_enrol_enrolments', (object) ($where + [
                'remotecourseid' => (int) $remoteid,
                'rolename' => $course->rolename,
                'enroltype' => 'mnet',
                'enroltime' => 0,
            ]));
        }
        $gone = array_keys(array_diff($had, array_keys($takes)));
        if ($gone) {
            $DB->delete_records_list('mnetservice_enrol_enrolments', 'id', $gone);
        }
    }
}
