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

/**
 * How the exchange with the school register stands, with buttons to test it and to set it going.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

require(__DIR__ . '/../../config.php');
require_once($CFG->libdir . '/adminlib.php');

$action = optional_param('action', '', PARAM_ALPHA);
$hostid = optional_param('hostid', 0, PARAM_INT);
$jobid = optional_param('jobid', 0, PARAM_INT);
$page = optional_param('page', 0, PARAM_INT);

admin_externalpage_setup('local_mnetd_status');
$context = context_system::instance();
require_capability('local/mnetd:viewstatus', $context);

$url = new moodle_url('/local/mnetd/index.php');

if ($action !== '') {
    require_capability('local/mnetd:manage', $context);
    // Nothing is done by a link, with or without the key.
    if (!data_submitted()) {
        redirect($url);
    }
    require_sesskey();
    if (!in_array($action, \local_mnetd\actions::ALL, true)) {
        throw new moodle_exception('unknownaction', 'local_mnetd', $url);
    }
    $host = \local_mnetd\peers::get($hostid);

    if (in_array($action, ['discard', 'discardall'], true) && !optional_param('confirm', 0, PARAM_BOOL)) {
        $question = \local_mnetd\output\discard_question::of($action, $host, $jobid);
        echo $OUTPUT->header();
        echo $OUTPUT->confirm(
            $question,
            new single_button(
                new moodle_url($url, ['action' => $action, 'hostid' => $hostid, 'jobid' => $jobid, 'confirm' => 1]),
                get_string($action, 'local_mnetd'),
                'post'
            ),
            $url
        );
        echo $OUTPUT->footer();
        die();
    }

    [$message, $type] = (new \local_mnetd\actions())->carry_out($action, $host, $jobid);
    redirect($url, $message, null, $type);
}

echo $OUTPUT->header();
echo $OUTPUT->heading(get_string('pluginname', 'local_mnetd'));
$mayact = has_capability('local/mnetd:manage', $context);
echo $OUTPUT->render_from_template(
    'local_mnetd/status_page',
    (new \local_mnetd\output\status_page($mayact, $hostid, $page))->export_for_template($OUTPUT)
);
echo $OUTPUT->footer();
