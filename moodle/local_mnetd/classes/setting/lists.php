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

namespace local_mnetd\setting;

/**
 * What the settings offer to choose from.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class lists {
    /**
     * The course categories, with those above them in their names.
     *
     * @return string[] category id => "A / B"
     */
    public static function categories(): array {
        return during_initial_install() ? [] : \core_course_category::make_categories_list();
    }

    /**
     * The activities that can have a grade.
     *
     * @return string[] module name => its title
     */
    public static function modules(): array {
        $modules = [];
        foreach (array_keys(\core_component::get_plugin_list('mod')) as $name) {
            if (plugin_supports('mod', $name, FEATURE_GRADE_HAS_GRADE, false)) {
                $modules[$name] = get_string('modulename', 'mod_' . $name);
            }
        }
        \core_collator::asort($modules);
        return $modules;
    }

    /**
     * The custom fields of courses.
     *
     * @return string[] short name => name, the first one is empty
     */
    public static function course_fields(): array {
        $fields = ['' => get_string('choosedots')];
        if (during_initial_install()) {
            return $fields;
        }
        foreach (\core_course\customfield\course_handler::create()->get_fields() as $field) {
            $fields[$field->get('shortname')] = format_string($field->get('name')) . ' (' . $field->get('shortname') . ')';
        }
        return $fields;
    }
}
