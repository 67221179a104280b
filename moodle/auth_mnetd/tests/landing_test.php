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
 * Coming from a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * Whom a peer vouches for.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\landing
 * @covers     \auth_mnetd\observer
 */
final class landing_test extends network_testcase {
    /** @var string */
    const TOKEN = '0123456789abcdef0123456789abcdef01234567';

    /**
     * Lets a peer answer.
     *
     * @param string[] $plugins mnet, mnetd
     * @param mixed $answer of user_authorise, for all of them
     */
    private function peer_with(array $plugins, $answer): void {
        $this->answers['system/listMethods'] = [];
        foreach ($plugins as $plugin) {
            $this->answers['system/listMethods'][] = "auth/$plugin/auth.php/user_authorise";
            $this->answers["auth/$plugin/auth.php/user_authorise"] = $answer;
        }
    }

    /**
     * Lands.
     *
     * @param host $host
     * @param string $token
     * @return string why not; '': landed
     */
    private static function land(host $host, string $token = self::TOKEN): string {
        return self::refusal_of(function () use ($host, $token) {
            // There is no session in tests whose id PHP could change.
            @(new landing($host))->sign_in($token, self::BROWSER);
        });
    }

    public function test_who_is_vouched_for_is_signed_in_and_the_session_is_known(): void {
        global $DB, $USER;
        $host = $this->host('home');
        $this->peer_with(['mnetd'], self::told(['username' => 'Zora']));
        $this->assertSame('', self::land($host));
        $this->assertSame(['zora', (string) $host->id], [$USER->username, (string) $USER->mnethostid]);
        $this->assertEquals([self::TOKEN, sha1(self::BROWSER)], $this->calls[1][2]);
        $row = $DB->get_record('auth_mnetd_session', [], '*', MUST_EXIST);
        // The peer is told of its user by the name it gave.
        $this->assertSame(
            [sessions::IN, 'Zora', sha1(self::BROWSER), 'auth/mnetd/auth.php/', sessions::hash(session_id())],
            [$row->side, $row->username, $row->useragent, $row->prefix, $row->sidhash]
        );
    }

    public function test_a_token_lets_in_once_whatever_the_peer_thinks(): void {
        $host = $this->host('home');
        $this->peer_with(['mnet'], self::told());
        $this->assertSame('', self::land($host));
        $this->assertSame('tokenused', self::land($host));
        $this->assertCount(1, array_keys(array_column($this->calls, 1), 'auth/mnet/auth.php/user_authorise'));
    }

    public function test_every_plugin_of_the_peer_is_asked_until_one_knows_the_token(): void {
        global $DB;
        $host = $this->host('home');
        $this->peer_with(['mnet', 'mnetd'], self::told());
        $this->answers['auth/mnetd/auth.php/user_authorise'] = new fault($host, 1, 'no such session');
        $this->assertSame('', self::land($host));
        $this->assertSame('auth/mnet/auth.php/', $DB->get_field('auth_mnetd_session', 'prefix', []));
    }

    /**
     * What peers say, and what the user hears.
     *
     * @return array
     */
    public static function faults(): array {
        return [
            'no such session' => [1, 'tokenunknown', 2],
            'too late' => [2, 'tokenexpired', 1],
            'user gone' => [3, 'tokenuser', 1],
        ];
    }

    /**
     * A refusal of the peer is told in words.
     *
     * @dataProvider faults
     * @param int $code
     * @param string $why
     * @param int $asked how many plugins are asked
     */
    public function test_a_refusal_of_the_peer_is_told_in_words(int $code, string $why, int $asked): void {
        global $DB;
        $host = $this->host('home');
        $this->peer_with(['mnet', 'mnetd'], new fault($host, $code, 'no'));
        $this->assertSame($why, self::land($host));
        $this->assertLessThanOrEqual(time() + HOURSECS, $DB->get_field('auth_mnetd_seen', 'timeexpires', []));
        $this->assertCount($asked + 1, $this->calls);
        $this->assertFalse(isloggedin());
    }

    public function test_other_faults_and_no_answer_keep_everybody_out(): void {
        $host = $this->host('home');
        foreach ([new fault($host, 8000, 'odd'), new unreachable($host, 'no route')] as $i => $error) {
            $this->peer_with(['mnet'], $error);
            $thrown = null;
            try {
                self::land($host, self::TOKEN . $i);
            } catch (\moodle_exception $e) {
                $thrown = $e;
            }
            $this->assertSame($error, $thrown);
        }
        $this->assertFalse(isloggedin());
    }

    public function test_who_gets_no_account_is_on_record(): void {
        $host = $this->host('home');
        set_config('autocreate', accounts::CREATE_NEVER, 'auth_mnetd');
        $this->peer_with(['mnet'], self::told());
        $sink = $this->redirectEvents();
        $this->assertSame('noaccount', self::land($host));
        $events = $sink->get_events();
        $this->assertCount(1, $events);
        $this->assertInstanceOf(\core\event\user_login_failed::class, $events[0]);
        $this->assertSame('zora (https://home.example)', $events[0]->other['username']);
        $this->assertFalse(isloggedin());
    }

    public function test_answers_that_name_nobody_and_malformed_tokens_are_refused(): void {
        $host = $this->host('home');
        foreach ([true, [], ['username' => ''], 'zora'] as $i => $answer) {
            $this->peer_with(['mnet'], $answer);
            $this->assertSame('incomplete', self::land($host, self::TOKEN . $i));
        }
        $this->calls = [];
        foreach (['', 'short', self::TOKEN . '<', str_repeat('a', 129)] as $token) {
            $this->assertSame('tokenmalformed', self::land($host, $token));
        }
        $this->assertSame([], $this->calls);
    }

    public function test_a_peer_that_offers_nothing_is_told_apart(): void {
        $host = $this->host('home');
        $this->peer_with([], null);
        $this->assertSame('peernotpublishing', self::land($host));
    }

    public function test_courses_are_told_on_a_return_visit_and_failing_that_keeps_nobody_out(): void {
        $host = $this->host('home');
        $this->peer_with(['mnet'], self::told());
        self::land($host);
        $this->assertNotContains('auth/mnet/auth.php/update_enrolments', array_column($this->calls, 1));
        $this->assertSame('', self::land($host, self::TOKEN . '2'));
        $this->assertContains('auth/mnet/auth.php/update_enrolments', array_column($this->calls, 1));
        $this->assertDebuggingCalled();
    }

    public function test_who_was_signed_in_before_is_signed_out_with_all_that_goes_with_it(): void {
        global $DB, $SESSION, $USER;
        $host = $this->host('home');
        $other = $this->getDataGenerator()->create_user();
        $this->setUser($other);
        $SESSION->leftover = 'of somebody else';
        $hash = sessions::hash(session_id());
        sessions::note(sessions::OUT, (int) $other->id, $host->id, $other->username, sha1(self::BROWSER), $hash, '', time());
        $this->peer_with(['mnet'], self::told());
        $this->answers['auth/mnet/auth.php/kill_child'] = true;
        $this->answers['system/listMethods'][] = 'auth/mnet/auth.php/kill_child';
        $this->assertSame('', self::land($host));
        $this->assertSame('zora', $USER->username);
        $this->assertFalse(isset($SESSION->leftover));
        $this->assertContains('auth/mnet/auth.php/kill_child', array_column($this->calls, 1));
        $this->assertSame([sessions::IN], array_values($DB->get_fieldset_select('auth_mnetd_session', 'side', '1 = 1')));
    }

    public function test_a_picture_is_taken_if_it_is_newer(): void {
        global $USER;
        $host = $this->host('home');
        set_config('mnetprofileimportfields', 'picture');
        $image = imagecreatetruecolor(120, 120);
        $path = make_request_directory() . '/p.png';
        imagepng($image, $path);
        $this->peer_with(['mnet'], self::told(['picture' => '1', '_mnet_userpicture_timemodified' => time()]));
        $this->answers['auth/mnet/auth.php/fetch_user_image'] = ['f1' => base64_encode(file_get_contents($path))];
        $this->answers['auth/mnet/auth.php/update_enrolments'] = true;
        $this->assertSame('', self::land($host));
        $this->assertNotEmpty($USER->picture);
        $file = get_file_storage()->get_file(\context_user::instance($USER->id)->id, 'user', 'icon', 0, '/', 'f1.png');
        $this->assertNotFalse($file);
        $this->calls = [];
        $this->peer_with(['mnet'], self::told(['picture' => '1', '_mnet_userpicture_timemodified' => time() - 100]));
        self::land($host, self::TOKEN . '2');
        $this->assertNotContains('auth/mnet/auth.php/fetch_user_image', array_column($this->calls, 1));
    }

    public function test_no_picture_is_made_of_what_is_none(): void {
        global $USER;
        $host = $this->host('home');
        set_config('mnetprofileimportfields', 'picture');
        $this->peer_with(['mnet'], self::told(['picture' => '1', '_mnet_userpicture_timemodified' => time()]));
        $this->answers['auth/mnet/auth.php/fetch_user_image'] = ['f1' => base64_encode('<?php echo 1;')];
        $this->assertSame('', self::land($host));
        $this->assertEmpty($USER->picture);
        $this->resetDebugging();
    }
}
