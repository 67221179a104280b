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
 * This site as identity provider.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * What peers hear of our users.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\home
 * @covers     \auth_mnetd\courses
 * @covers     \auth_plugin_mnetd
 */
final class home_test extends network_testcase {
    /**
     * A user at a host.
     *
     * @param \stdClass $user
     * @param host $host
     * @param string $sid
     * @return string hash of the session
     */
    private function visits(\stdClass $user, host $host, string $sid): string {
        $hash = $this->session((int) $user->id, $sid);
        sessions::note(sessions::OUT, (int) $user->id, $host->id, $user->username, sha1(self::BROWSER), $hash, '', time());
        return $hash;
    }

    /**
     * Arrives at a host.
     *
     * @param \stdClass $user
     * @param host $host
     * @return array what the host hears
     */
    private function arrive(\stdClass $user, host $host): array {
        global $DB;
        if (!$DB->record_exists('sessions', ['sid' => 's1'])) {
            $this->session((int) $user->id, 's1');
        }
        $token = tokens::issue((int) $user->id, $host->id, sha1(self::BROWSER), sessions::hash('s1'), time());
        return $this->called_by($host)->user_authorise($token, sha1(self::BROWSER));
    }

    public function test_a_peer_hears_what_the_protocol_wants_and_what_is_exported(): void {
        global $CFG, $DB;
        $host = $this->host('sp');
        set_config('mnetprofileexportfields', 'city,picture');
        $user = $this->getDataGenerator()->create_user(['city' => 'Brno', 'idnumber' => 'STU-1', 'lastnamephonetic' => null]);
        $told = $this->arrive($user, $host);
        foreach (['username', 'email', 'firstname', 'lastname', 'city'] as $field) {
            $this->assertSame($user->$field, $told[$field]);
        }
        $this->assertSame(['mnet', $CFG->wwwroot], [$told['auth'], $told['wwwroot']]);
        $this->assertSame((string) $CFG->sessiontimeout, $told['session.gc_maxlifetime']);
        $this->assertSame([], $told['myhosts']);
        foreach (['idnumber', 'password', 'secret', 'id'] as $kept) {
            $this->assertArrayNotHasKey($kept, $told);
        }
        set_config('mnetprofileexportfields', 'idnumber');
        $this->assertSame('STU-1', $this->arrive($user, $host)['idnumber']);
        // Whatever an administrator chooses there.
        set_config('mnetprofileexportfields', 'secret,password');
        $this->assertSame([], array_intersect_key($this->arrive($user, $host), ['secret' => 1, 'password' => 1]));
        $row = $DB->get_record('auth_mnetd_session', [], '*', MUST_EXIST);
        $this->assertEquals([sessions::OUT, $host->id, sessions::hash('s1')], [$row->side, $row->hostid, $row->sidhash]);
    }

    public function test_who_may_not_travel_any_more_is_not_vouched_for(): void {
        global $DB;
        $host = $this->host('sp');
        foreach (['suspended' => 1, 'deleted' => 1, 'confirmed' => 0, 'mnethostid' => $host->id] as $field => $value) {
            $user = $this->getDataGenerator()->create_user();
            $DB->set_field('user', $field, $value, ['id' => $user->id]);
            $DB->delete_records('sessions');
            $this->assertSame($field === 'mnethostid' ? 1 : 3, self::fault_of(function () use ($user, $host) {
                $this->arrive($user, $host);
            }), $field);
        }
    }

    public function test_who_lost_the_session_on_the_way_is_not_vouched_for(): void {
        global $DB;
        $host = $this->host('sp');
        $user = $this->getDataGenerator()->create_user();
        $this->session((int) $user->id, 's1');
        $token = tokens::issue((int) $user->id, $host->id, sha1(self::BROWSER), sessions::hash('s1'), time());
        $DB->delete_records('sessions');
        $this->session((int) $user->id, 's2');
        $this->assertSame(1, self::fault_of(function () use ($token, $host) {
            $this->called_by($host)->user_authorise($token, sha1(self::BROWSER));
        }));
    }

    public function test_nonsense_is_answered_with_a_fault(): void {
        $plugin = $this->called_by($this->host('sp'));
        foreach ([[], ['x'], [['x'], ['y']], [null, null], ['', '']] as $params) {
            $this->assertSame(1, self::fault_of(function () use ($plugin, $params) {
                $plugin->user_authorise(...$params);
            }));
        }
        $this->assertSame(0, $plugin->keepalive_server('x')['code']);
        $this->assertSame("Could find no remote sessions\n", $plugin->kill_children(['x']));
        $this->assertFalse($plugin->kill_child());
        $this->assertFalse($plugin->update_enrolments('nobody', 'x'));
        $this->assertSame(['code' => 0, 'message' => 'All ok'], $plugin->refresh_log([['remoteid' => 1]]));
    }

    public function test_only_sessions_at_the_caller_are_kept_alive(): void {
        global $DB;
        $host = $this->host('sp');
        $other = $this->host('other');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->visits($user, $host, 's1');
        $DB->set_field('sessions', 'timemodified', 1000, ['sid' => 's1']);
        $answer = $this->called_by($other)->keepalive_server(['zora']);
        $this->assertSame(1, $answer['code']);
        $this->assertStringContainsString('zora', $answer['message']);
        $this->assertEquals(1000, $DB->get_field('sessions', 'timemodified', ['sid' => 's1']));
        $answer = $this->called_by($host)->keepalive_server(['zora']);
        $this->assertSame(['code' => 0, 'message' => 'All ok', 'last log id' => 0], $answer);
        $this->assertGreaterThan(time() - 60, $DB->get_field('sessions', 'timemodified', ['sid' => 's1']));
    }

    public function test_a_picture_is_for_the_peer_the_user_is_at_and_only_if_exported(): void {
        global $CFG, $DB;
        require_once($CFG->libdir . '/gdlib.php');
        $host = $this->host('sp');
        $other = $this->host('other');
        set_config('mnetprofileexportfields', 'picture');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->visits($user, $host, 's1');
        $this->assertSame([], $this->called_by($host)->fetch_user_image('zora'));
        $image = imagecreatetruecolor(120, 120);
        $path = make_request_directory() . '/p.png';
        imagepng($image, $path);
        $revision = process_new_icon(\context_user::instance($user->id), 'user', 'icon', 0, $path);
        $DB->set_field('user', 'picture', $revision, ['id' => $user->id]);
        $picture = $this->called_by($host)->fetch_user_image('zora');
        $this->assertSame(['f1', 'f1_mimetype', 'f2', 'f2_mimetype'], array_keys($picture));
        $this->assertNotFalse(imagecreatefromstring(base64_decode($picture['f1'])));
        $this->assertSame('image/png', $picture['f1_mimetype']);
        $this->assertSame([], $this->called_by($other)->fetch_user_image('zora'));
        $told = $this->arrive($DB->get_record('user', ['id' => $user->id]), $host);
        $this->assertSame('image/png', $told['_mnet_userpicture_mimetype']);
        set_config('mnetprofileexportfields', 'city');
        $this->assertSame([], $this->called_by($host)->fetch_user_image('zora'));
    }

    public function test_the_look_is_a_name_and_an_address(): void {
        $theme = $this->called_by($this->host('sp'))->fetch_theme_info();
        $this->assertSame(['themename', 'logourl'], array_keys($theme));
        $this->assertSame('', $theme['logourl']);
        set_config('logo', '/logo.png', 'core_admin');
        $this->assertStringContainsString('logo.png', home::theme()['logourl']);
    }

    public function test_courses_at_the_peer_are_what_it_last_told(): void {
        global $DB;
        $host = $this->host('sp');
        $user = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $this->assertFalse($this->called_by($host)->update_enrolments('zora', [7 => ['id' => '7', 'fullname' => 'Art']]));
        $this->visits($user, $host, 's1');
        $plugin = $this->called_by($host);
        $course = ['id' => '7', 'fullname' => 'Art <b>1</b>', 'shortname' => 'A', 'defaultrolename' => 'Student'];
        $this->assertTrue($plugin->update_enrolments('zora', [7 => $course, 'crs-9' => ['id' => 'crs-9'], 'x' => 'no course']));
        $told = $DB->get_records_menu('auth_mnetd_course', ['userid' => $user->id], 'remoteid', 'remoteid, fullname');
        $this->assertEquals(['7' => 'Art 1', 'crs-9' => 'crs-9'], $told);
        $myhosts = $this->arrive($user, $host)['myhosts'];
        $this->assertSame([2, 'sp'], [$myhosts[0]['count'], $myhosts[0]['name']]);
        $this->assertTrue($plugin->update_enrolments('zora', ['crs-9' => ['id' => 'crs-9', 'fullname' => 'Ceramics']]));
        $told = $DB->get_records_menu('auth_mnetd_course', ['userid' => $user->id], '', 'remoteid, fullname');
        $this->assertEquals(['crs-9' => 'Ceramics'], $told);
        $this->assertTrue($plugin->update_enrolments('zora', []));
        $this->assertSame(0, $DB->count_records('auth_mnetd_course'));
    }

    public function test_courses_here_are_told_as_cores_plugin_tells_them(): void {
        $generator = $this->getDataGenerator();
        $user = $generator->create_user();
        $shown = $generator->create_course(['fullname' => 'Shown', 'idnumber' => 'CRS-1']);
        $hidden = $generator->create_course(['visible' => 0]);
        $generator->enrol_user($user->id, $shown->id);
        $generator->enrol_user($user->id, $hidden->id);
        $told = courses::of_user((int) $user->id);
        $this->assertSame([(int) $shown->id], array_keys($told));
        $this->assertSame([
            'id', 'sortorder', 'fullname', 'shortname', 'idnumber', 'summary', 'startdate', 'cat_id', 'cat_name',
            'cat_description', 'defaultroleid', 'defaultrolename',
        ], array_keys($told[(int) $shown->id]));
        $this->assertSame('CRS-1', $told[(int) $shown->id]['idnumber']);
    }
}
