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
 * What is followed. Observers run at once, inside the transaction of what they follow.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$observers = array_map(function ($event) {
    return [
        'eventname' => "\\core\\event\\$event",
        'callback' => '\local_mnetd\observer::notice',
        'internal' => true,
    ];
}, [
    'user_created',
    'user_updated',
    'user_deleted',
    'course_created',
    'course_updated',
    'course_deleted',
    'course_restored',
    'course_reset_ended',
    'course_category_updated',
    'user_enrolment_created',
    'user_enrolment_updated',
    'user_enrolment_deleted',
    'enrol_instance_updated',
    'enrol_instance_deleted',
    'role_assigned',
    'role_unassigned',
    'grade_item_created',
    'grade_item_updated',
    'grade_item_deleted',
    'user_graded',
    'grade_deleted',
]);
