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
 * Courses, enrolments, roles, assessments, grades: what a school does in its Moodle. All of it through Moodle's own API, so that
 * Moodle's own events fire. The classes are in school/.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

foreach (glob(__DIR__ . '/school/*.php') as $interopfile) {
    require_once($interopfile);
}

/**
 * Deletes all of the suite's courses and categories.
 */
function interop_delete_school(): void {
    mnetd_interop\cleanup::run(new mnetd_interop\input(['people' => false]));
}

/**
 * A command that a class carries out. Its answer has "done_at": when it was done, in Unix seconds with fractions.
 *
 * @param string $method of a class of ours, such as courses::create
 * @return callable
 */
function interop_school(string $method): callable {
    return function ($in) use ($method) {
        $input = new mnetd_interop\input(json_decode(json_encode($in), true) ?: []);
        return call_user_func("mnetd_interop\\$method", $input) + ['done_at' => microtime(true)];
    };
}

return array_map('interop_school', [
    'category-create' => 'courses::category_create',
    'course-create' => 'courses::create',
    'course-update' => 'courses::update',
    'course-move' => 'courses::move',
    'course-delete' => 'courses::delete',
    'enrol' => 'enrolments::enrol',
    'unenrol' => 'enrolments::unenrol',
    'enrolment-suspend' => 'enrolments::suspend',
    'role-assign' => 'enrolments::role_assign',
    'role-unassign' => 'enrolments::role_unassign',
    'assignment-create' => 'activities::assignment_create',
    'quiz-create' => 'activities::quiz_create',
    'quiz-attempt' => 'activities::quiz_attempt',
    'activity-delete' => 'activities::delete',
    'item-create' => 'gradebook::item_create',
    'item-update' => 'gradebook::item_update',
    'item-delete' => 'gradebook::item_delete',
    'grade' => 'gradebook::grade',
    'grade-override' => 'gradebook::override',
    'grade-exclude' => 'gradebook::exclude',
    'grade-remove' => 'gradebook::remove',
    'grade-get' => 'gradebook::get',
    'regrade' => 'gradebook::regrade',
    'fill' => 'bulk::fill',
    'change' => 'changes::run',
    'school-delete' => 'cleanup::run',
]);
