<?php
// Courses, enrolments, roles, assessments, grades: what a school does in its Moodle.

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/course/lib.php');

/**
 * Deletes all of the suite's courses and categories.
 */
function interop_delete_school(): void {
    global $DB;
    $like = $DB->sql_like('shortname', ':prefix');
    foreach ($DB->get_records_select('course', $like, ['prefix' => 'interop-%']) as $course) {
        delete_course($course, false);
    }
    $like = $DB->sql_like('idnumber', ':prefix');
    foreach ($DB->get_records_select('course_categories', $like, ['prefix' => 'interop-%'], 'depth DESC') as $category) {
        core_course_category::get($category->id, MUST_EXIST, true)->delete_full(false);
    }
}

return [
];
