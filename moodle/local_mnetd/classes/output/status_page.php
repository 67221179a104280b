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

namespace local_mnetd\output;

use core\check\result;
use local_mnetd\check\base;
use local_mnetd\checks;
use local_mnetd\labels;
use local_mnetd\livetest;
use local_mnetd\peers;
use local_mnetd\queue;

/**
 * The status page: how this site stands, and the exchange with each register.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class status_page implements \renderable, \templatable {
    /** @var int refused jobs on a page. */
    const PER_PAGE = 25;

    /** @var bool whether the buttons are there. */
    private $mayact;

    /** @var int the register whose refused jobs are leafed through. */
    private $hostid;

    /** @var int on which page of them. */
    private $page;

    /**
     * The page.
     *
     * @param bool $mayact whether the buttons are there
     * @param int $hostid the register whose refused jobs are leafed through
     * @param int $page on which page of them, from 0
     */
    public function __construct(bool $mayact, int $hostid = 0, int $page = 0) {
        $this->mayact = $mayact;
        $this->hostid = $hostid;
        $this->page = max(0, $page);
    }

    /**
     * What the template needs.
     *
     * @param \renderer_base $output renders what the template does not
     * @return array
     */
    public function export_for_template(\renderer_base $output): array {
        global $CFG;
        $peersurl = new \moodle_url('/admin/mnet/peers.php');
        $sitechecks = checks::of_site();
        $peers = [];
        foreach (peers::all() as $host) {
            $peers[] = $this->peer($host, $output);
        }
        return [
            'mayact' => $this->mayact,
            'mayconfigure' => has_capability('moodle/site:config', \context_system::instance()),
            'settingsurl' => (new \moodle_url('/admin/settings.php', ['section' => 'local_mnetd']))->out(false),
            'peersurl' => $peersurl->out(false),
            'permission' => get_string('mnetd:manage', 'local_mnetd'),
            'haspeers' => (bool) $peers,
            'here' => $CFG->wwwroot,
            'nextsteps' => get_string('nopeer_help', 'local_mnetd', ['here' => s($CFG->wwwroot), 'peers' => $peersurl->out()]),
            'peers' => $peers,
            'sitefirst' => self::is_wrong($sitechecks),
            'site' => [
                'caption' => get_string('checksofsite', 'local_mnetd'),
                'checks' => $this->checks($sitechecks, $output),
            ],
        ];
    }

    /**
     * One register.
     *
     * @param \stdClass $host its row of mnet_host
     * @param \renderer_base $output renders badges and buttons
     * @return array
     */
    private function peer(\stdClass $host, \renderer_base $output): array {
        $test = livetest::last($host->id);
        $steps = [];
        foreach ($test ? $test->steps : [] as $step) {
            $steps[] = [
                'name' => $step->name(),
                'badge' => $this->badge($step->status, $output),
                'summary' => $step->summary(),
                'help' => $step->help(),
                'url' => '',
                'link' => '',
            ];
        }
        return [
            'id' => (int) $host->id,
            'name' => peers::name($host),
            'wwwroot' => $host->wwwroot,
            'buttons' => $this->buttons($host, ['test' => 'testnow', 'send' => 'sendnow', 'reconcile' => 'comparenow',
                'full' => 'sendall'], $output),
            'caption' => get_string('peerchecks', 'local_mnetd'),
            'checks' => $this->checks(checks::of_peer($host), $output),
            'tested' => $test ? userdate($test->time, get_string('strftimedatetime', 'core_langconfig')) : '',
            'test' => ['caption' => get_string('livetest', 'local_mnetd'), 'checks' => $steps],
            'progress' => progress::of($host->id),
            'refused' => $this->refused($host, $output),
        ];
    }

    /**
     * The jobs that a register refused.
     *
     * @param \stdClass $host its row of mnet_host
     * @param \renderer_base $output renders links and buttons
     * @return array
     */
    private function refused(\stdClass $host, \renderer_base $output): array {
        global $DB;
        $count = queue::refused($host->id);
        $page = $this->hostid === (int) $host->id ? min($this->page, (int) (max(0, $count - 1) / self::PER_PAGE)) : 0;
        $jobs = $DB->get_records(
            'local_mnetd_queue',
            ['hostid' => $host->id, 'state' => queue::REFUSED],
            'id',
            '*',
            $page * self::PER_PAGE,
            self::PER_PAGE
        );
        $labels = new labels($jobs);
        $rows = [];
        foreach ($jobs as $job) {
            $url = $labels->url($job);
            $rows[] = [
                'about' => $labels->text($job),
                'url' => $url ? $url->out(false) : '',
                'method' => labels::method($job),
                'meaning' => labels::fault($job),
                'code' => (int) $job->faultcode,
                'text' => (string) $job->faulttext,
                'since' => userdate($job->timecreated, get_string('strftimedatetimeshort', 'core_langconfig')),
                'attempts' => (int) $job->attempts,
                'buttons' => $this->buttons($host, ['retry' => 'sendagain', 'discard' => 'discard'], $output, $job->id),
            ];
        }
        $url = new \moodle_url('/local/mnetd/index.php', ['hostid' => $host->id]);
        $url->set_anchor('refused-' . $host->id);
        return [
            'count' => $count,
            'any' => $count > 0,
            'rows' => $rows,
            'buttons' => $this->buttons($host, ['retryall' => 'sendallagain', 'discardall' => 'discardall'], $output),
            'paging' => $output->render(new \paging_bar($count, $page, self::PER_PAGE, $url)),
        ];
    }

    /**
     * Checks as lines of a table.
     *
     * @param base[] $checks the checks
     * @param \renderer_base $output renders badges
     * @return array
     */
    private function checks(array $checks, \renderer_base $output): array {
        $lines = [];
        foreach ($checks as $check) {
            $result = $check->get_result();
            $link = $check->get_action_link();
            $lines[] = [
                'name' => $check->get_short_name(),
                'badge' => $this->badge($result->get_status(), $output),
                'summary' => $result->get_summary(),
                'help' => $result->get_details(),
                'url' => $link && $result->get_status() !== result::OK ? $link->url->out(false) : '',
                'link' => $link ? (string) $link->text : '',
            ];
        }
        return $lines;
    }

    /**
     * Is something so wrong that the rest of the page matters less?
     *
     * @param base[] $checks the checks
     * @return bool
     */
    private static function is_wrong(array $checks): bool {
        foreach ($checks as $check) {
            if (in_array($check->get_result()->get_status(), [result::ERROR, result::CRITICAL], true)) {
                return true;
            }
        }
        return false;
    }

    /**
     * A status as Moodle's own reports show it.
     *
     * @param string $status one of result's constants
     * @param \renderer_base $output renders it
     * @return string HTML
     */
    private function badge(string $status, \renderer_base $output): string {
        return $output->check_result(new result($status, ''));
    }

    /**
     * Buttons that post an action. They work without JavaScript.
     *
     * @param \stdClass $host the register it is about
     * @param string[] $buttons action => name of the string on it
     * @param \renderer_base $output renders them
     * @param int $jobid the job it is about
     * @return string[] HTML, empty for those who may only look
     */
    private function buttons(\stdClass $host, array $buttons, \renderer_base $output, int $jobid = 0): array {
        $html = [];
        foreach ($this->mayact ? $buttons : [] as $action => $text) {
            $params = ['action' => $action, 'hostid' => $host->id] + ($jobid ? ['jobid' => $jobid] : []);
            $url = new \moodle_url('/local/mnetd/index.php', $params);
            $html[] = $output->render(new \single_button($url, get_string($text, 'local_mnetd'), 'post'));
        }
        return $html;
    }
}
