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

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->libdir . '/adminlib.php');
require_once(__DIR__ . '/fixtures/hosts.php');

/**
 * Tests of the settings.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\setting\lists
 * @covers     \local_mnetd\setting\roles
 * @covers     \local_mnetd\setting\scope_change
 */
final class settings_test extends \advanced_testcase {
    use hosts;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->setAdminUser();
    }

    protected function tearDown(): void {
        $_POST = [];
        parent::tearDown();
    }

    /**
     * The id of a role.
     *
     * @param string $shortname its short name
     * @return int
     */
    private function role(string $shortname): int {
        global $DB;
        return (int) $DB->get_field('role', 'id', ['shortname' => $shortname], MUST_EXIST);
    }

    /**
     * Saves settings as the settings page does.
     *
     * @param array $values value by name without the plugin's
     * @return string[] what was refused: error by name
     */
    private function save(array $values): array {
        $data = [];
        foreach ($values as $name => $value) {
            $data['s_local_mnetd_' . $name] = is_array($value) ? ['xxxxx' => '1'] + $value : $value;
        }
        $_POST = $data;
        $root = admin_get_root(true, true);
        $root->errors = [];
        admin_write_settings((object) $data);
        $errors = [];
        foreach ($root->errors as $name => $error) {
            $errors[str_replace('s_local_mnetd_', '', $name)] = $error->error;
        }
        return $errors;
    }

    public function test_roles_are_chosen_by_archetype_at_first(): void {
        admin_get_root(true, true);
        $this->assertSame((string) $this->role('student'), get_config('local_mnetd', 'studentroles'));
        $teachers = explode(',', get_config('local_mnetd', 'teacherroles'));
        $this->assertEqualsCanonicalizing([$this->role('editingteacher'), $this->role('teacher')], $teachers);
        $this->assertSame('all', get_config('local_mnetd', 'userscope'));
        $this->assertSame('', get_config('local_mnetd', 'categories'));
        $this->assertSame('', get_config('local_mnetd', 'itemmodules'));
        $this->assertSame(['1', '0', '0', '1'], [
            get_config('local_mnetd', 'includemanual'), get_config('local_mnetd', 'includecoursetotal'),
            get_config('local_mnetd', 'includecategorytotal'), get_config('local_mnetd', 'nightly'),
        ]);
    }

    public function test_a_role_cannot_be_student_and_teacher(): void {
        $before = get_config('local_mnetd', 'studentroles');
        $errors = $this->save(['studentroles' => [$this->role('student') => 1, $this->role('teacher') => 1]]);
        $this->assertSame(['studentroles'], array_keys($errors));
        $this->assertStringContainsString('Non-editing teacher', $errors['studentroles']);
        $this->assertSame($before, get_config('local_mnetd', 'studentroles'));
    }

    public function test_a_role_moves_from_one_to_the_other_in_one_go(): void {
        $errors = $this->save([
            'studentroles' => [$this->role('student') => 1, $this->role('teacher') => 1],
            'teacherroles' => [$this->role('editingteacher') => 1],
        ]);
        $this->assertSame([], $errors);
        $this->assertEqualsCanonicalizing(
            [$this->role('student'), $this->role('teacher')],
            explode(',', get_config('local_mnetd', 'studentroles'))
        );
        $this->assertSame((string) $this->role('editingteacher'), get_config('local_mnetd', 'teacherroles'));
    }

    public function test_both_are_refused_where_both_are_submitted_with_the_same_role(): void {
        $role = $this->role('manager');
        $errors = $this->save(['studentroles' => [$role => 1], 'teacherroles' => [$role => 1]]);
        $this->assertEqualsCanonicalizing(['studentroles', 'teacherroles'], array_keys($errors));
    }

    public function test_categories_and_activities_offer_what_there_is(): void {
        $category = $this->getDataGenerator()->create_category(['name' => 'Year 7']);
        $below = $this->getDataGenerator()->create_category(['name' => 'Maths', 'parent' => $category->id]);
        $this->assertSame('Year 7 / Maths', setting\lists::categories()[$below->id]);
        $modules = setting\lists::modules();
        $this->assertArrayHasKey('assign', $modules);
        $this->assertArrayNotHasKey('page', $modules);
        $this->save(['categories' => [$below->id, 999999], 'itemmodules' => ['assign', 'page']]);
        $this->assertSame((string) $below->id, get_config('local_mnetd', 'categories'));
        $this->assertSame('assign', get_config('local_mnetd', 'itemmodules'));
    }

    public function test_a_change_of_what_is_sent_queues_a_comparison_for_each_register(): void {
        global $DB;
        $one = $this->make_register();
        $two = $this->make_register('https://second.example.org');
        $third = $this->make_host('https://third.example.org');

        foreach ([$one, $two] as $host) {
            $DB->insert_record('local_mnetd_sync', (object) ['hostid' => $host->id, 'mode' => 'full', 'phase' => 'finished',
                'timestarted' => time() - 20, 'timefinished' => time() - 10]);
        }

        // What is saved as it was changes nothing.
        $this->save(['userscope' => get_config('local_mnetd', 'userscope'), 'nightly' => 0]);
        $this->assertSame(2, $DB->count_records('local_mnetd_sync', ['timewanted' => 0]));

        $this->save(['userscope' => 'enrolled']);
        $this->assertSame(0, $DB->count_records('local_mnetd_sync', ['timewanted' => 0]));
        synchroniser::watch();
        $rows = $DB->get_records('local_mnetd_sync', null, '', 'hostid, mode, timefinished');
        $this->assertEqualsCanonicalizing([$one->id, $two->id], array_keys($rows));
        $this->assertArrayNotHasKey($third->id, $rows);
        $this->assertSame('reconcile', $rows[$one->id]->mode);
        $this->assertEquals(0, $rows[$one->id]->timefinished);
    }

    public function test_what_follows_a_change_needs_no_file_that_moodle_may_not_have_read(): void {
        $page = admin_get_root(true, true)->locate('local_mnetd');
        $followed = [];
        foreach ($page->settings as $setting) {
            $property = new \ReflectionProperty(\admin_setting::class, 'updatedcallback');
            $property->setAccessible(true);
            $callback = $property->getValue($setting);
            if ($callback) {
                $this->assertIsArray($callback);
                $this->assertTrue(is_callable($callback));
                $followed[] = $setting->name;
            }
        }
        $this->assertEqualsCanonicalizing(['userscope', 'categories', 'studentroles', 'teacherroles', 'segmentsource',
            'segmentfield', 'itemmodules', 'includemanual', 'includecategorytotal', 'includecoursetotal'], $followed);
    }

    public function test_the_pages_are_found_where_administrators_look(): void {
        $root = admin_get_root(true, true);
        $this->assertInstanceOf(\admin_settingpage::class, $root->locate('local_mnetd'));
        $this->assertInstanceOf(\admin_externalpage::class, $root->locate('local_mnetd_status'));
        $this->assertInstanceOf(\admin_externalpage::class, $root->locate('local_mnetd_network'));
    }

    public function test_who_may_only_look_finds_the_status_and_no_settings(): void {
        $user = $this->getDataGenerator()->create_user();
        $role = $this->getDataGenerator()->create_role();
        assign_capability('local/mnetd:viewstatus', CAP_ALLOW, $role, \context_system::instance()->id);
        role_assign($role, $user->id, \context_system::instance()->id);
        $this->setUser($user);
        $root = admin_get_root(true, false);
        $status = $root->locate('local_mnetd_status');
        $this->assertNotNull($status);
        $this->assertTrue($status->check_access());
        $this->assertNull($root->locate('local_mnetd'));

        $this->setUser($this->getDataGenerator()->create_user());
        $status = admin_get_root(true, false)->locate('local_mnetd_status');
        $this->assertTrue($status === null || !$status->check_access());
    }

    public function test_the_services_tab_finds_its_texts(): void {
        // The names that Moodle's form of a host's services asks for.
        $this->assertSame('School register', get_string('register_name', 'local_mnetd', 'Our register'));
        $this->assertStringContainsString('Our register', get_string('register_description', 'local_mnetd', 'Our register'));
    }
}
