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
 * The network servers a user may go to, and the user's courses there.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

require(__DIR__ . '/../../config.php');

require_login(null, false);
$PAGE->set_url(new moodle_url('/auth/mnetd/hosts.php'));
$PAGE->set_context(context_system::instance());
$PAGE->set_pagelayout('standard');
$PAGE->set_title(get_string('networkservers', 'auth_mnetd'));
$PAGE->set_heading(get_string('networkservers', 'auth_mnetd'));

$why = \auth_mnetd\departure::hindrance($USER);
if ($why) {
    throw new \auth_mnetd\refusal($why, s(get_string('networkservers', 'auth_mnetd')));
}
$hosts = \auth_mnetd\menu::hosts($USER);
$courses = [];
foreach ($DB->get_records('auth_mnetd_course', ['userid' => $USER->id], 'fullname, id') as $course) {
    $courses[$course->hostid][] = $course;
}

echo $OUTPUT->header();
if (!$hosts) {
    echo $OUTPUT->notification(get_string('nohosts', 'auth_mnetd'), \core\output\notification::NOTIFY_INFO);
}
foreach ($hosts as $host) {
    echo $OUTPUT->heading(html_writer::link(\auth_mnetd\menu::jump($host), format_string($host->name)), 3);
    $items = array_map(function (stdClass $course) use ($host): string {
        // A Moodle's address of a course; other applications show their front page to what they do not know.
        $url = \auth_mnetd\menu::jump($host, '/course/view.php?id=' . rawurlencode($course->remoteid));
        return html_writer::link($url, format_string($course->fullname));
    }, $courses[$host->id] ?? []);
    echo $items ? html_writer::alist($items) : '';
}
echo $OUTPUT->footer();
