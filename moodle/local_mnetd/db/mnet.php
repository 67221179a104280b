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
 * The service "register": what a register may ask this site, and what this site tells a register.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$publishes = [
    'register' => [
        'apiversion' => 1,
        'classname' => 'local_mnetd_register',
        'filename' => 'register.php',
        'methods' => [
            'get_user',
            'list_users',
            'list_sections',
            'list_enrolments',
            'list_assessments',
            'list_grades',
            'list_user_enrolments',
        ],
    ],
];

$subscribes = [
    'register' => [
        'fetch_user' => 'register/fetch_user',
        'update_user' => 'register/update_user',
        'remove_user' => 'register/remove_user',
        'new_section' => 'register/new_section',
        'update_section' => 'register/update_section',
        'remove_section' => 'register/remove_section',
        'new_enrolment' => 'register/new_enrolment',
        'drop_enrolment' => 'register/drop_enrolment',
        'new_assessment' => 'register/new_assessment',
        'update_assessment' => 'register/update_assessment',
        'remove_assessment' => 'register/remove_assessment',
        'new_grade' => 'register/new_grade',
        'remove_grade' => 'register/remove_grade',
        'multicall' => 'system/multicall',
    ],
];
