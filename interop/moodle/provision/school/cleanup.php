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
 * Takes away what was made.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

/**
 * Deletes by prefix.
 */
class cleanup {
    /** What the suite's own things begin with. Nothing else can be cleaned up. */
    const PREFIX = 'interop-';

    /**
     * Deletes courses by short name, users by username and categories by ID number: {"prefix": "interop-", "quiet": false,
     * "people": true}. With quiet no plugin hears of it.
     *
     * @param input $in
     * @return array how many there were of each
     */
    public static function run(input $in): array {
        global $DB;
        $prefix = $in->text('prefix', self::PREFIX);
        if (strpos($prefix, self::PREFIX) !== 0) {
            throw new \InvalidArgumentException('only what begins with “' . self::PREFIX . '” is cleaned up');
        }
        $found = function (string $table, string $column, string $and = '') use ($DB, $prefix) {
            return $DB->get_records_select(
                $table,
                $DB->sql_like($column, ':prefix') . $and,
                ['prefix' => $DB->sql_like_escape($prefix) . '%'],
                'id'
            );
        };
        if ($in->bool('quiet', false)) {
            quiet::begin();
        }
        $courses = $found('course', 'shortname');
        foreach ($courses as $course) {
            delete_course($course->id, false);
        }
        $users = $in->bool('people', true) ? $found('user', 'username', ' AND deleted = 0') : [];
        foreach ($users as $user) {
            delete_user($user);
        }
        $categories = $found('course_categories', 'idnumber');
        // Those within others first.
        foreach (array_reverse($categories) as $row) {
            $category = \core_course_category::get($row->id, IGNORE_MISSING, true);
            if ($category) {
                $category->delete_full(false);
            }
        }
        quiet::end();
        self::forget_ids($prefix);
        return ['courses' => count($courses), 'users' => count($users), 'categories' => count($categories)];
    }

    /**
     * Forgets under which ids registers knew what is gone: an id once given is given to nobody else, and the next run gives the same.
     *
     * @param string $prefix
     */
    private static function forget_ids(string $prefix): void {
        global $DB;
        if (!$DB->get_manager()->table_exists('local_mnetd_id')) {
            return;
        }
        $DB->delete_records_select(
            'local_mnetd_id',
            $DB->sql_like('idnumber', ':prefix', false),
            ['prefix' => $DB->sql_like_escape($prefix) . '%']
        );
    }
}
