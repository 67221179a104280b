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
 * What the register has to hold, as Moodle's own tables say.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

/**
 * An independent witness: reads with SQL of its own, and nothing by way of local_mnetd's classes. Only the settings (what is sent) and
 * the pinned ids (under which id) are local_mnetd's.
 */
class truth {
    /**
     * Everything that is to be sent. An object without a pinned id has the id null: the register cannot have it.
     *
     * @return array
     */
    public static function tell(): array {
        return [
            'users' => self::users(),
            'sections' => self::sections(),
            'enrolments' => self::enrolments(),
            'assessments' => self::assessments(),
            'grades' => self::grades(),
        ];
    }

    /**
     * The ids under which the register knows things.
     *
     * @param string $kind user, course or item
     * @param int[] $objects Moodle's own ids
     * @return string[] by Moodle's own id; null where none is pinned
     */
    public static function ids(string $kind, array $objects): array {
        global $DB;
        $ids = [];
        foreach ($objects as $object) {
            $pin = $DB->get_field('local_mnetd_id', 'idnumber', ['kind' => $kind, 'itemid' => (int)$object]);
            $ids["of $object"] = $pin === false ? null : $pin;
        }
        return $ids;
    }

    /**
     * Users.
     *
     * @return array
     */
    private static function users(): array {
        [$where, $params] = self::user_in_scope();
        return self::rows("SELECT u.id, p.idnumber AS pin, u.username, u.firstname, u.lastname, u.email, u.suspended
                             FROM {user} u
                        LEFT JOIN {local_mnetd_id} p ON p.kind = 'user' AND p.itemid = u.id
                            WHERE $where
                         ORDER BY u.id", $params, function ($row) {
            return ['idnumber' => $row->pin, 'moodle_id' => (int)$row->id, 'username' => $row->username, 'firstname' => $row->firstname,
                'lastname' => $row->lastname, 'email' => $row->email, 'suspended' => (bool)$row->suspended];
        });
    }

    /**
     * Sections.
     *
     * @return array
     */
    private static function sections(): array {
        [$where, $params] = self::course_in_scope();
        return self::rows("SELECT c.id, p.idnumber AS pin, c.fullname, c.shortname, c.visible
                             FROM {course} c
                        LEFT JOIN {local_mnetd_id} p ON p.kind = 'course' AND p.itemid = c.id
                            WHERE $where
                         ORDER BY c.id", $params, function ($row) {
            return ['idnumber' => $row->pin, 'moodle_id' => (int)$row->id, 'name' => $row->fullname, 'shortname' => $row->shortname,
                'visible' => (bool)$row->visible];
        });
    }

    /**
     * Enrolments: an enrolment that is active or begins later, and a role that counts.
     *
     * @return array
     */
    private static function enrolments(): array {
        [$where, $params] = self::course_in_scope();
        [$wherewho, $paramswho] = self::user_in_scope();
        $rows = [];
        foreach (['student' => self::roles('studentroles', ['student']),
                'teacher' => self::roles('teacherroles', ['editingteacher', 'teacher'])] as $role => $roleids) {
            if (!$roleids) {
                continue;
            }
            $found = self::rows("SELECT DISTINCT c.id AS courseid, u.id AS userid, pc.idnumber AS coursepin, pu.idnumber AS userpin
                                   FROM {user_enrolments} ue
                                   JOIN {enrol} e ON e.id = ue.enrolid AND e.status = 0
                                   JOIN {course} c ON c.id = e.courseid
                                   JOIN {user} u ON u.id = ue.userid
                                   JOIN {context} x ON x.contextlevel = 50 AND x.instanceid = c.id
                                   JOIN {role_assignments} ra ON ra.contextid = x.id AND ra.userid = u.id
                              LEFT JOIN {local_mnetd_id} pc ON pc.kind = 'course' AND pc.itemid = c.id
                              LEFT JOIN {local_mnetd_id} pu ON pu.kind = 'user' AND pu.itemid = u.id
                                  WHERE ue.status = 0 AND (ue.timeend = 0 OR ue.timeend > :now)
                                        AND ra.roleid IN (" . implode(',', $roleids) . ")
                                        AND $where AND $wherewho
                               ORDER BY c.id, u.id", ['now' => time()] + $params + $paramswho, function ($row) use ($role) {
                return ['sectionid' => $row->coursepin, 'userid' => $row->userpin, 'role' => $role,
                    'moodle_course' => (int)$row->courseid, 'moodle_user' => (int)$row->userid];
            });
            $rows = array_merge($rows, $found);
        }
        return $rows;
    }

    /**
     * Assessments.
     *
     * @return array
     */
    private static function assessments(): array {
        [$where, $params] = self::item_in_scope();
        return self::rows("SELECT i.id, pi.idnumber AS pin, pc.idnumber AS coursepin, i.itemname, i.grademax, i.itemtype
                             FROM {grade_items} i
                             JOIN {course} c ON c.id = i.courseid
                        LEFT JOIN {local_mnetd_id} pi ON pi.kind = 'item' AND pi.itemid = i.id
                        LEFT JOIN {local_mnetd_id} pc ON pc.kind = 'course' AND pc.itemid = c.id
                            WHERE $where
                         ORDER BY i.id", $params, function ($row) {
            return ['idnumber' => $row->pin, 'moodle_id' => (int)$row->id, 'sectionid' => $row->coursepin, 'name' => $row->itemname,
                'pointval' => (float)$row->grademax, 'itemtype' => $row->itemtype];
        });
    }

    /**
     * Grades.
     *
     * @return array
     */
    private static function grades(): array {
        [$where, $params] = self::item_in_scope();
        [$wherewho, $paramswho] = self::user_in_scope();
        return self::rows("SELECT g.id, pi.idnumber AS itempin, pu.idnumber AS userpin, g.finalgrade, g.excluded, g.itemid, g.userid
                             FROM {grade_grades} g
                             JOIN {grade_items} i ON i.id = g.itemid
                             JOIN {course} c ON c.id = i.courseid
                             JOIN {user} u ON u.id = g.userid
                        LEFT JOIN {local_mnetd_id} pi ON pi.kind = 'item' AND pi.itemid = i.id
                        LEFT JOIN {local_mnetd_id} pu ON pu.kind = 'user' AND pu.itemid = u.id
                            WHERE (g.finalgrade IS NOT NULL OR g.excluded > 0) AND $where AND $wherewho
                         ORDER BY g.id", $params + $paramswho, function ($row) {
            return ['assessmentid' => $row->itempin, 'userid' => $row->userpin,
                'points_earned' => $row->finalgrade === null ? null : (float)$row->finalgrade, 'excepted' => $row->excluded > 0,
                'moodle_item' => (int)$row->itemid, 'moodle_user' => (int)$row->userid];
        });
    }

    /**
     * Which users are sent.
     *
     * @return array SQL about u, and its parameters
     */
    private static function user_in_scope(): array {
        global $CFG;
        $sql = "u.deleted = 0 AND u.confirmed = 1 AND u.mnethostid = :localhost AND u.id <> :guest";
        $params = ['localhost' => $CFG->mnet_localhost_id, 'guest' => $CFG->siteguest];
        if (self::setting('userscope', 'all') === 'enrolled') {
            [$where, $inner] = self::course_in_scope('sc', 'who');
            $sql .= " AND EXISTS (SELECT 1
                                    FROM {user_enrolments} sue
                                    JOIN {enrol} se ON se.id = sue.enrolid
                                    JOIN {course} sc ON sc.id = se.courseid
                                   WHERE sue.userid = u.id AND $where)";
            $params += $inner;
        }
        return [$sql, $params];
    }

    /**
     * Which courses are sent.
     *
     * @param string $alias the course table's
     * @param string $suffix of parameters' names
     * @return array SQL and its parameters
     */
    private static function course_in_scope(string $alias = 'c', string $suffix = ''): array {
        global $DB;
        $sql = "$alias.id <> :site$suffix";
        $params = ["site$suffix" => SITEID];
        $categories = array_filter(array_map('intval', explode(',', self::setting('categories', ''))));
        if ($categories) {
            $within = [];
            foreach ($categories as $index => $category) {
                $within[] = "cc.id = :cat$suffix$index OR " . $DB->sql_like('cc.path', ":path$suffix$index");
                $params["cat$suffix$index"] = $category;
                $params["path$suffix$index"] = "%/$category/%";
            }
            $sql .= " AND $alias.category IN (SELECT cc.id FROM {course_categories} cc WHERE " . implode(' OR ', $within) . ')';
        }
        return [$sql, $params];
    }

    /**
     * Which grade items are sent.
     *
     * @return array SQL about i and c, and its parameters
     */
    private static function item_in_scope(): array {
        [$sql, $params] = self::course_in_scope();
        $types = [];
        $modules = array_filter(array_map('trim', explode(',', self::setting('itemmodules', ''))));
        if ($modules) {
            $names = [];
            foreach (array_values($modules) as $index => $module) {
                $names[] = ":module$index";
                $params["module$index"] = $module;
            }
            $types[] = "(i.itemtype = 'mod' AND i.itemmodule IN (" . implode(',', $names) . '))';
        } else {
            $types[] = "i.itemtype = 'mod'";
        }
        foreach (['manual' => 'includemanual', 'course' => 'includecoursetotal', 'category' => 'includecategorytotal']
                as $type => $setting) {
            if (self::setting($setting, $type === 'manual' ? '1' : '0')) {
                $types[] = "i.itemtype = '$type'";
            }
        }
        // Grades as numbers and by scales; not items without a grade or with a text.
        return ["$sql AND i.gradetype IN (1, 2) AND (" . implode(' OR ', $types) . ')', $params];
    }

    /**
     * The ids of roles that a setting names; without one, those of some archetypes.
     *
     * @param string $setting
     * @param string[] $archetypes
     * @return int[]
     */
    private static function roles(string $setting, array $archetypes): array {
        global $DB;
        $set = get_config('local_mnetd', $setting);
        if ($set !== false) {
            return array_values(array_filter(array_map('intval', explode(',', $set))));
        }
        [$in, $params] = $DB->get_in_or_equal($archetypes);
        return array_map('intval', array_keys($DB->get_records_select('role', "archetype $in", $params, '', 'id')));
    }

    /**
     * A setting of local_mnetd.
     *
     * @param string $name
     * @param string $default
     * @return string
     */
    private static function setting(string $name, string $default): string {
        $value = get_config('local_mnetd', $name);
        return $value === false || $value === '' ? $default : (string)$value;
    }

    /**
     * Rows, each made into what is told.
     *
     * @param string $sql
     * @param array $params
     * @param callable $make
     * @return array
     */
    private static function rows(string $sql, array $params, callable $make): array {
        global $DB;
        $told = [];
        $rows = $DB->get_recordset_sql($sql, $params);
        foreach ($rows as $row) {
            $told[] = $make($row);
        }
        $rows->close();
        return $told;
    }
}
