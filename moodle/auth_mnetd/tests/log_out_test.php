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
 * Logging out.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * Whose word ends which session.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\log_out
 * @covers     \auth_mnetd\sessions
 * @covers     \auth_mnetd\keep_alive
 */
final class log_out_test extends network_testcase {
    /** @var string[] every host answers under both paths */
    const BOTH = [
        'auth/mnet/auth.php/kill_child', 'auth/mnetd/auth.php/kill_child',
        'auth/mnet/auth.php/user_authorise', 'auth/mnetd/auth.php/user_authorise',
    ];

    /**
     * A session that crosses sites.
     *
     * @param string $side
     * @param \stdClass $user
     * @param host $host
     * @param string $sid
     * @param string $browser
     */
    private function crossed(string $side, \stdClass $user, host $host, string $sid, string $browser = self::BROWSER): void {
        global $DB;
        $hash = sessions::hash($sid);
        if (!$DB->record_exists('sessions', ['sid' => $sid])) {
            $this->session((int) $user->id, $sid);
        }
        sessions::note($side, (int) $user->id, $host->id, $user->username, sha1($browser), $hash, peer::PREFIXES[1], time());
    }

    /**
     * Which sessions are still there.
     *
     * @return string[]
     */
    private function live(): array {
        global $DB;
        return array_values($DB->get_fieldset_select('sessions', 'sid', '1 = 1 ORDER BY sid'));
    }

    /**
     * Calls without those for a list.
     *
     * @return array [host id, path, params]
     */
    private function told_peers(): array {
        return array_values(array_filter($this->calls, function (array $call): bool {
            return $call[1] !== 'system/listMethods';
        }));
    }

    public function test_logging_out_here_ends_the_session_wherever_it_went(): void {
        global $DB;
        $one = $this->host('one');
        $two = $this->host('two');
        $user = $this->getDataGenerator()->create_user();
        $this->crossed(sessions::OUT, $user, $one, 's1');
        $this->crossed(sessions::OUT, $user, $two, 's1');
        $this->crossed(sessions::OUT, $user, $one, 's2', 'another browser');
        $this->answers['auth/mnet/auth.php/kill_child'] = true;
        $this->answers['system/listMethods'] = ['auth/mnet/auth.php/kill_child'];
        log_out::here(sessions::hash('s1'));
        $params = [$user->username, sha1(self::BROWSER)];
        $this->assertEquals([
            [$one->id, 'auth/mnet/auth.php/kill_child', $params],
            [$two->id, 'auth/mnet/auth.php/kill_child', $params],
        ], $this->told_peers());
        $this->assertSame(1, $DB->count_records('auth_mnetd_session'));
    }

    public function test_logging_out_here_ends_it_where_it_came_from(): void {
        $home = $this->host('home');
        $user = $this->getDataGenerator()->create_user();
        $this->crossed(sessions::IN, $user, $home, 's1');
        $this->assertSame($home->id, log_out::return_to(sessions::hash('s1'))->id);
        $this->assertNull(log_out::return_to(sessions::hash('s2')));
        $this->answers['auth/mnet/auth.php/kill_children'] = "Deleting session\n";
        log_out::here(sessions::hash('s1'));
        $this->assertEquals(
            [[$home->id, 'auth/mnet/auth.php/kill_children', [$user->username, sha1(self::BROWSER)]]],
            $this->told_peers()
        );
    }

    public function test_a_peer_with_both_plugins_is_asked_at_each(): void {
        $host = $this->host('sp');
        $user = $this->getDataGenerator()->create_user();
        $this->crossed(sessions::OUT, $user, $host, 's1');
        $this->answers['system/listMethods'] = self::BOTH;
        $this->answers['auth/mnetd/auth.php/kill_child'] = false;
        $this->answers['auth/mnet/auth.php/kill_child'] = true;
        log_out::here(sessions::hash('s1'));
        $this->assertSame(
            ['auth/mnetd/auth.php/kill_child', 'auth/mnet/auth.php/kill_child'],
            array_column($this->told_peers(), 1)
        );
    }

    public function test_a_peer_that_fails_hinders_nobody(): void {
        $one = $this->host('one');
        $two = $this->host('two');
        $user = $this->getDataGenerator()->create_user();
        $this->crossed(sessions::OUT, $user, $one, 's1');
        $this->crossed(sessions::OUT, $user, $two, 's1');
        $this->answers['auth/mnet/auth.php/kill_child'] = function (host $host) use ($one) {
            if ($host->id === $one->id) {
                throw new unreachable($host, 'no route');
            }
            return true;
        };
        $this->answers['system/listMethods'] = function (host $host) {
            throw new unreachable($host, 'no route');
        };
        log_out::here(sessions::hash('s1'));
        $this->assertDebuggingCalled();
        $this->assertEquals([$one->id, $two->id], array_column($this->told_peers(), 0));
    }

    public function test_at_a_peer_ends_the_session_here_and_at_others_and_not_what_it_has_nothing_to_do_with(): void {
        global $DB;
        $one = $this->host('one');
        $two = $this->host('two');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->crossed(sessions::OUT, $user, $one, 's1');
        $this->crossed(sessions::OUT, $user, $two, 's1');
        $this->crossed(sessions::OUT, $user, $one, 's2', 'another browser');
        $this->session((int) $user->id, 's3');
        $this->crossed(sessions::OUT, $user, $two, 's4');
        $this->answers['auth/mnet/auth.php/kill_child'] = true;
        $this->answers['system/listMethods'] = ['auth/mnet/auth.php/kill_child'];
        $said = $this->called_by($one)->kill_children('zora', strtoupper(sha1(self::BROWSER)));
        $this->assertSame("Deleting session\n", $said);
        $this->assertSame(['s2', 's3', 's4'], $this->live());
        $this->assertEquals([[$two->id, 'auth/mnet/auth.php/kill_child', ['zora', sha1(self::BROWSER)]]], $this->told_peers());
        $this->assertSame(2, $DB->count_records('auth_mnetd_session'));
        $this->assertSame("Could find no remote sessions\n", $this->called_by($one)->kill_children('zora', sha1(self::BROWSER)));
    }

    public function test_at_home_ends_the_session_here(): void {
        $home = $this->host('home');
        $other = $this->host('other');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->crossed(sessions::IN, $user, $home, 's1');
        $this->crossed(sessions::IN, $user, $home, 's2', 'another browser');
        $this->assertFalse($this->called_by($other)->kill_child('zora', sha1(self::BROWSER)));
        $this->assertFalse($this->called_by($home)->kill_child('zora', sha1('a third')));
        $this->assertFalse($this->called_by($home)->kill_child('yana', sha1(self::BROWSER)));
        $this->assertSame(['s1', 's2'], $this->live());
        $this->assertTrue($this->called_by($home)->kill_child('zora', sha1(self::BROWSER)));
        $this->assertSame(['s2'], $this->live());
        $this->assertSame([], $this->told_peers());
    }

    public function test_neither_side_has_the_others_say(): void {
        $host = $this->host('sp');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->crossed(sessions::OUT, $user, $host, 's1');
        $this->assertFalse($this->called_by($host)->kill_child('zora', sha1(self::BROWSER)));
        $guest = $this->getDataGenerator()->create_user(['username' => 'yana']);
        $this->crossed(sessions::IN, $guest, $host, 's2');
        $this->called_by($host)->kill_children('yana', sha1(self::BROWSER));
        $this->assertSame(['s1', 's2'], $this->live());
    }

    public function test_rows_of_sessions_that_are_over_go_and_those_of_deleted_hosts_end(): void {
        global $DB;
        $host = $this->host('home');
        $gone = $this->host('gone');
        $user = $this->getDataGenerator()->create_user();
        $this->crossed(sessions::IN, $user, $host, 's1');
        $this->crossed(sessions::IN, $user, $gone, 's2');
        $this->crossed(sessions::OUT, $user, $host, 's3');
        $DB->delete_records('sessions', ['sid' => 's3']);
        sessions::tidy_up(time());
        $this->assertSame(3, $DB->count_records('auth_mnetd_session'));
        $this->assertSame(['s1', 's2'], $this->live());
        // However busy somebody is who came from a host that is gone.
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $gone->id]);
        $this->answers['auth/mnet/auth.php/keepalive_server'] = ['code' => 0, 'message' => 'All ok', 'last log id' => 0];
        keep_alive::tell(time());
        sessions::tidy_up(time());
        $this->assertSame(['s1'], $this->live());
        $this->assertSame(2, $DB->count_records('auth_mnetd_session'));
        sessions::tidy_up(time() + sessions::SETTLING + 1);
        $this->assertSame(['s1'], $this->live());
        $this->assertSame(1, $DB->count_records('auth_mnetd_session'));
    }

    public function test_a_site_without_any_host_keeps_nobody_of_one(): void {
        global $DB;
        $gone = $this->host('gone');
        $this->crossed(sessions::IN, $this->getDataGenerator()->create_user(), $gone, 's1');
        $DB->delete_records('mnet_host', ['id' => $gone->id]);
        sessions::tidy_up(time());
        $this->assertSame([], $this->live());
        $this->assertSame(0, $DB->count_records('auth_mnetd_session'));
    }

    public function test_a_host_that_was_deleted_has_no_say(): void {
        global $DB;
        $host = $this->host('sp');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->crossed(sessions::OUT, $user, $host, 's1');
        $plugin = $this->called_by($host);
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $host->id]);
        $calls = [
            'user_authorise' => ['abc', sha1(self::BROWSER)], 'keepalive_server' => [['zora']],
            'kill_children' => ['zora', sha1(self::BROWSER)], 'refresh_log' => [[]], 'fetch_user_image' => ['zora'],
            'fetch_theme_info' => [], 'update_enrolments' => ['zora', []], 'keepalive_client' => [],
            'kill_child' => ['zora', sha1(self::BROWSER)],
        ];
        foreach ($calls as $function => $params) {
            $this->assertSame(707, self::fault_of(function () use ($plugin, $function, $params) {
                $plugin->$function(...$params);
            }), $function);
        }
        $this->assertSame(['s1'], $this->live());
    }

    public function test_a_call_of_a_peer_prints_nothing_into_its_answer(): void {
        $home = $this->host('home');
        $this->crossed(sessions::IN, $this->getDataGenerator()->create_user(['username' => 'zora']), $home, 's1');
        $this->expectOutputString('');
        $this->assertFalse($this->called_by($home)->keepalive_client());
        $this->assertDebuggingCalled();
    }

    public function test_those_in_use_are_told_to_their_home_and_no_others(): void {
        global $DB;
        $home = $this->host('home');
        $second = $this->host('second');
        $no = $this->host('no', ['publish_sso_idp']);
        $zora = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $yana = $this->getDataGenerator()->create_user(['username' => 'yana']);
        $this->crossed(sessions::IN, $zora, $home, 's1');
        $this->crossed(sessions::IN, $yana, $home, 's2');
        $this->crossed(sessions::IN, $yana, $second, 's3');
        $this->crossed(sessions::IN, $yana, $no, 's4');
        $DB->set_field('sessions', 'timemodified', time() - keep_alive::IN_USE - 1, ['sid' => 's2']);
        $this->answers['auth/mnet/auth.php/keepalive_server'] = ['code' => 0, 'message' => 'All ok', 'last log id' => 0];
        $this->assertEquals([$home->id => 1, $second->id => 1], keep_alive::tell(time()));
        $this->assertEquals([
            [$home->id, 'auth/mnet/auth.php/keepalive_server', [['zora']]],
            [$second->id, 'auth/mnet/auth.php/keepalive_server', [['yana']]],
        ], $this->calls);
        $this->calls = [];
        $this->assertTrue($this->called_by($second)->keepalive_client());
        $this->assertEquals([$second->id], array_column($this->calls, 0));
    }
}
