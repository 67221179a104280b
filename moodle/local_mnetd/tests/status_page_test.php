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

namespace local_mnetd;

use local_mnetd\output\progress;
use local_mnetd\output\status_page;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/fixtures/answering_client.php');
require_once(__DIR__ . '/fixtures/hosts.php');

/**
 * Tests of what the status page shows.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\output\status_page
 * @covers     \local_mnetd\output\progress
 * @covers     \local_mnetd\output\discard_question
 * @covers     \local_mnetd\labels
 */
final class status_page_test extends \advanced_testcase {
    use hosts;

    protected function setUp(): void {
        global $PAGE;
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
        $PAGE->set_url('/local/mnetd/index.php');
        $PAGE->set_context(\context_system::instance());
    }

    /**
     * The page.
     *
     * @param bool $mayact whether with buttons
     * @param int $hostid whose refused jobs are leafed through
     * @param int $page to which page
     * @return \DOMXPath it
     */
    private function page(bool $mayact = true, int $hostid = 0, int $page = 0): \DOMXPath {
        global $PAGE;
        $output = $PAGE->get_renderer('core');
        $html = $output->render_from_template(
            'local_mnetd/status_page',
            (new status_page($mayact, $hostid, $page))->export_for_template($output)
        );
        $document = new \DOMDocument();
        libxml_use_internal_errors(true);
        $document->loadHTML('<?xml encoding="utf-8"?><body>' . $html . '</body>');
        libxml_clear_errors();
        return new \DOMXPath($document);
    }

    public function test_without_a_register_it_says_what_to_do_first(): void {
        global $CFG;
        $page = $this->page();
        $this->assertStringContainsString('mnetd peer add ' . $CFG->wwwroot, $page->query('//ol/li')->item(0)->textContent);
        $this->assertSame(0, $page->query('//form')->length);
        $this->assertSame(count(checks::of_site()), $page->query('//tbody/tr')->length);
    }

    public function test_what_is_wrong_with_the_site_comes_first(): void {
        global $CFG;
        set_config('lastcronstart', time(), 'tool_task');
        set_config('mnet_dispatcher_mode', 'strict');
        $own = $this->make_host($CFG->wwwroot . '/');
        $CFG->mnet_localhost_id = $own->id;
        $GLOBALS['DB']->set_field('mnet_host', 'wwwroot', $CFG->wwwroot, ['id' => $own->id]);
        $GLOBALS['DB']->set_field('mnet_host', 'public_key', self::certificate($CFG->wwwroot), ['id' => $own->id]);
        $this->make_register();
        $sections = $this->page()->query('//section/h3');
        $this->assertSame(['Our register', 'This site'], [$sections->item(0)->textContent, $sections->item(1)->textContent]);

        set_config('lastcronstart', time() - DAYSECS, 'tool_task');
        $sections = $this->page()->query('//section/h3');
        $this->assertSame(['This site', 'Our register'], [$sections->item(0)->textContent, $sections->item(1)->textContent]);
    }

    public function test_every_button_posts_with_the_key_of_the_session(): void {
        $host = $this->make_register();
        $this->make_refused($host->id, 'user:5', 'fetch_user');
        $page = $this->page();
        $actions = [];
        foreach ($page->query('//form') as $form) {
            $this->assertSame('post', $form->getAttribute('method'));
            $this->assertSame(sesskey(), $page->query('.//input[@name="sesskey"]/@value', $form)->item(0)->value);
            $actions[] = $page->query('.//input[@name="action"]/@value', $form)->item(0)->value;
        }
        $this->assertEqualsCanonicalizing(actions::ALL, $actions);
    }

    public function test_who_may_only_look_has_no_buttons(): void {
        $host = $this->make_register();
        $this->make_refused($host->id, 'user:5', 'fetch_user');
        $page = $this->page(false);
        $this->assertSame(0, $page->query('//form')->length);
        $this->assertSame(1, $page->query('//div[contains(@class, "alert-info")]')->length);
        $section = $page->query('//section[@id="register-' . $host->id . '"]')->item(0);
        $this->assertStringContainsString('8003', $section->textContent);
    }

    public function test_what_others_wrote_is_shown_as_text(): void {
        global $DB;
        $host = $this->make_register();
        $evil = '<script>alert(1)</script>';
        $DB->update_record('mnet_host', (object) ['id' => $host->id, 'name' => $evil]);
        $this->make_refused($host->id, 'user:999999', 'fetch_user', ['data' => ['idnumber' => $evil], 'faulttext' => $evil]);
        $DB->insert_record('local_mnetd_peer', (object) ['hostid' => $host->id, 'failures' => 1, 'lasterror' => $evil,
            'lasterrortime' => time()]);
        $DB->insert_record('local_mnetd_sync', (object) ['hostid' => $host->id, 'mode' => 'full', 'phase' => 'users',
            'timestarted' => time(), 'error' => $evil]);
        livetest::run($host, new answering_client(), function () use ($evil) {
            return ['status' => 0, 'error' => $evil, 'body' => '', 'date' => null, 'now' => 1.0];
        });
        $page = $this->page();
        $this->assertSame(0, $page->query('//script[contains(., "alert(1)")]')->length);
        $this->assertGreaterThan(3, substr_count($page->document->textContent, $evil));
    }

    public function test_refused_jobs_are_named_explained_and_linked(): void {
        $course = $this->getDataGenerator()->create_course(['fullname' => 'Biology & more']);
        $user = $this->getDataGenerator()->create_user(['firstname' => 'Zoë', 'lastname' => 'Prøbe']);
        $item = $this->getDataGenerator()->create_grade_item(['courseid' => $course->id, 'itemname' => 'Oral exam']);
        $host = $this->make_register();
        $this->make_refused($host->id, "grade:{$item->id}:{$user->id}", 'new_grade', ['faultcode' => 8005]);
        $this->make_refused($host->id, "enrolment:{$course->id}:{$user->id}:student", 'new_enrolment', ['faultcode' => 8004]);
        $this->make_refused($host->id, "section:{$course->id}", 'new_section', ['faultcode' => 8001]);
        $this->make_refused($host->id, "user:{$user->id}", 'fetch_user', ['faultcode' => 4711]);
        $this->make_refused($host->id, 'user:999999', 'remove_user', ['data' => ['idnumber' => 'STU-77'], 'faultcode' => -32603]);
        $this->make_refused(
            $host->id,
            'grade:999999:999999',
            'new_grade',
            ['data' => ['assessmentid' => 'moodle-item-99', 'userid' => 'STU-77']]
        );
        $rows = $this->page()->query('//h4[@id="refused-' . $host->id . '"]/following::table[1]/tbody/tr');
        $texts = [];
        foreach ($rows as $row) {
            $texts[] = preg_replace('/\s+/u', ' ', $row->textContent);
        }
        $this->assertStringContainsString('Grade of Zoë Prøbe for Oral exam in Biology & more', $texts[0]);
        $this->assertStringContainsString(get_string('jobfault_8005', 'local_mnetd'), $texts[0]);
        $this->assertStringContainsString('Enrolment of Zoë Prøbe in Biology & more as student', $texts[1]);
        $this->assertStringContainsString('Course Biology & more', $texts[2]);
        $this->assertStringContainsString('fault 4711', $texts[3]);
        $this->assertStringContainsString('STU-77 (no longer in Moodle)', $texts[4]);
        $this->assertStringContainsString(get_string('jobfault_32603', 'local_mnetd'), $texts[4]);
        $this->assertStringContainsString(
            'Grade of STU-77 (no longer in Moodle) for moodle-item-99 (no longer in Moodle) ',
            $texts[5]
        );
        $links = [];
        foreach ($rows as $row) {
            $link = $row->getElementsByTagName('a')->item(0);
            $links[] = $link ? parse_url($link->getAttribute('href'), PHP_URL_PATH) : '';
        }
        $this->assertStringContainsString('/grade/report/grader/', $links[0]);
        $this->assertStringContainsString('/user/index.php', $links[1]);
        $this->assertStringContainsString('/course/view.php', $links[2]);
        $this->assertStringContainsString('/user/profile.php', $links[3]);
        $this->assertSame('', $links[4]);
    }

    public function test_refused_jobs_are_leafed_through(): void {
        $host = $this->make_register();
        for ($i = 1; $i <= status_page::PER_PAGE + 3; $i++) {
            $this->make_refused($host->id, "user:$i" . '999999', 'fetch_user', ['data' => ['idnumber' => "STU-$i"]]);
        }
        $rows = '//h4[@id="refused-' . $host->id . '"]/following::table[1]/tbody/tr';
        $this->assertSame(status_page::PER_PAGE, $this->page()->query($rows)->length);
        $page = $this->page(true, $host->id, 1);
        $this->assertSame(3, $page->query($rows)->length);
        $this->assertStringContainsString('STU-' . (status_page::PER_PAGE + 1) . ' ', $page->query($rows)->item(0)->textContent);
        $this->assertGreaterThan(0, $page->query('//nav//a[contains(@href, "page=")]')->length);
        // Beyond the end is the last page, as after its last job was discarded; another register's list stands at its beginning.
        $this->assertSame(3, $this->page(true, $host->id, 99)->query($rows)->length);
        $this->assertSame(status_page::PER_PAGE, $this->page(true, $host->id + 1, 1)->query($rows)->length);
    }

    public function test_progress_is_told_by_parts(): void {
        global $DB;
        $host = $this->make_register();
        $this->assertFalse(progress::of($host->id)['running']);
        $id = $DB->insert_record('local_mnetd_sync', (object) ['hostid' => $host->id, 'mode' => 'full', 'phase' => 'enrolments',
            'done' => 250, 'total' => 1000, 'timestarted' => time() - 90]);
        $progress = progress::of($host->id);
        $this->assertSame([true, 25], [$progress['running'], $progress['percent']]);
        $this->assertStringContainsString('250 of 1000', $progress['sentence']);
        $this->assertSame(
            ['Done', 'Done', 'Under way', 'To come', 'To come', 'To come'],
            array_column($progress['phases'], 'state')
        );
        $bar = $this->page()->query('//div[@role="progressbar"]')->item(0);
        $this->assertSame('25', $bar->getAttribute('aria-valuenow'));

        // More rows than were counted at the start are no more than nearly all.
        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'done' => 1200]);
        $progress = progress::of($host->id);
        $this->assertSame(99, $progress['percent']);
        $this->assertStringContainsString('1200 of 1200', $progress['sentence']);

        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'error' => 'Disk full.']);
        $this->assertSame('Disk full.', progress::of($host->id)['error']);

        $DB->update_record('local_mnetd_sync', (object) ['id' => $id, 'timefinished' => time(), 'phase' => 'finished',
            'timewanted' => time(), 'error' => 'The settings were changed.']);
        $progress = progress::of($host->id);
        $this->assertSame([false, ''], [$progress['running'], $progress['error']]);
        $this->assertStringContainsString('The settings were changed.', $progress['wanted']);
    }

    public function test_the_question_before_discarding_names_what_goes(): void {
        $host = $this->make_register();
        $other = $this->make_register('https://second.example.org');
        $user = $this->getDataGenerator()->create_user(['firstname' => 'Uma', 'lastname' => 'Nord & Mann']);
        $id = $this->make_refused($host->id, 'user:' . $user->id, 'fetch_user');
        $question = output\discard_question::of('discard', $host, $id);
        $this->assertStringContainsString('Uma Nord &amp; Mann', $question);
        $this->assertStringContainsString('1', output\discard_question::of('discardall', $host, 0));
        $this->expectException(\moodle_exception::class);
        $this->expectExceptionMessage(get_string('nosuchjob', 'local_mnetd'));
        output\discard_question::of('discard', $other, $id);
    }
}
