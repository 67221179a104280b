<?php
// This file is part of Moodle - https://moodle.org/
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
// along with Moodle.  If not, see <https://www.gnu.org/licenses/>.

namespace local_mnetd\check;

use core\check\result;

/**
 * Do the settings say that something is sent, and do they name things that are still there?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class scope extends base {
    /**
     * Looks at the settings.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $this->mend_at('/admin/settings.php', ['section' => 'local_mnetd'], get_string('settings', 'local_mnetd'));
        $students = $this->chosen('studentroles');
        $teachers = $this->chosen('teacherroles');
        $roles = get_all_roles();
        if ($both = array_intersect($students, $teachers)) {
            $names = role_fix_names(array_intersect_key($roles, array_flip($both)), null, ROLENAME_ORIGINAL, true);
            return $this->found(result::ERROR, 'both', s(implode(', ', $names)));
        }
        if (!array_intersect($students, array_keys($roles))) {
            return $this->found(result::WARNING, 'nostudents');
        }
        if (!array_intersect($teachers, array_keys($roles))) {
            return $this->found(result::WARNING, 'noteachers');
        }
        $categories = $this->chosen('categories');
        if ($categories) {
            [$in, $params] = $DB->get_in_or_equal($categories);
            $there = $DB->count_records_select('course_categories', 'id ' . $in, $params);
            if ($there === 0) {
                return $this->found(result::ERROR, 'nocategory');
            }
        }
        $config = get_config('local_mnetd');
        if (($config->segmentsource ?? 'none') === 'field') {
            $fields = \local_mnetd\setting\lists::course_fields();
            unset($fields['']);
            if (!isset($fields[$config->segmentfield ?? ''])) {
                return $this->found(result::WARNING, 'nofield', s($config->segmentfield ?? ''));
            }
        }
        return $this->found(result::OK, 'ok');
    }

    /**
     * The ids that a setting holds.
     *
     * @param string $name the setting
     * @return int[]
     */
    private function chosen(string $name): array {
        $value = (string) get_config('local_mnetd', $name);
        return $value === '' ? [] : array_map('intval', explode(',', $value));
    }
}
