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
 * Going to a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * Who may go where, and where they land.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\departure
 * @covers     \auth_mnetd\menu
 * @covers     \auth_mnetd\host
 * @covers     \auth_mnetd\peer
 */
final class departure_test extends network_testcase {
    /**
     * A user who may go.
     *
     * @return \stdClass
     */
    private function traveller(): \stdClass {
        global $DB;
        $user = $this->getDataGenerator()->create_user();
        $roleid = $DB->get_field('role', 'id', ['shortname' => 'user']);
        assign_capability(departure::CAPABILITY, CAP_ALLOW, $roleid, \context_system::instance());
        $this->setUser($user);
        return $user;
    }

    /**
     * Sets out.
     *
     * @param host $host
     * @param string $wantsurl
     * @return string why not
     */
    private static function why_not(host $host, string $wantsurl = ''): string {
        return self::refusal_of(function () use ($host, $wantsurl) {
            departure::begin($host, $wantsurl, self::BROWSER);
        });
    }

    public function test_who_may_goes_with_a_token_that_is_good(): void {
        global $CFG;
        $user = $this->traveller();
        $host = $this->host('sp');
        $url = departure::begin($host, 'https://sp.example/course/view.php?id=2', self::BROWSER);
        $this->assertSame('https://sp.example/auth/mnet/land.php', $url->out_omit_querystring());
        $this->assertSame([$CFG->wwwroot, '/course/view.php?id=2'], [$url->get_param('idp'), $url->get_param('wantsurl')]);
        $journey = tokens::redeem($url->get_param('token'), $host->id, sha1(self::BROWSER), time());
        $this->assertEquals($user->id, $journey->userid);
    }

    public function test_who_may_not_is_told_why(): void {
        global $DB;
        $host = $this->host('sp');
        $this->setUser($this->getDataGenerator()->create_user());
        $this->assertSame('nocapability', self::why_not($host));
        $this->setGuestUser();
        $this->assertSame('guest', self::why_not($host));
        $user = $this->traveller();
        $this->assertSame('wantsurlelsewhere', self::why_not($host, 'https://evil.example/'));
        $DB->set_field('user', 'mnethostid', $host->id, ['id' => $user->id]);
        $this->setUser($DB->get_record('user', ['id' => $user->id]));
        $this->assertSame('remoteuser', self::why_not($host));
        $this->assertSame(0, $DB->count_records('auth_mnetd_token'));
    }

    public function test_both_ticks_are_needed_and_the_missing_one_is_named(): void {
        $this->traveller();
        $this->assertSame('notagreed', self::why_not($this->host('none', [])));
        foreach (['publish_sso_idp' => 'subscribe_sso_sp', 'subscribe_sso_sp' => 'publish_sso_idp'] as $there => $missing) {
            $host = $this->host(str_replace('_', '', $there), [$there]);
            $this->assertSame([$missing], $host->missing_to_go());
            $this->assertSame('notagreed', self::why_not($host));
        }
        $this->assertSame('', self::why_not($this->host('both', ['publish_sso_idp', 'subscribe_sso_sp'])));
    }

    public function test_ticks_for_all_hosts_count_for_each(): void {
        global $CFG, $DB;
        $host = $this->host('sp', []);
        foreach (['sso_idp', 'sso_sp'] as $service) {
            $DB->insert_record('mnet_host2service', (object) [
                'hostid' => $CFG->mnet_all_hosts_id, 'publish' => 1, 'subscribe' => 1,
                'serviceid' => $DB->get_field('mnet_service', 'id', ['name' => $service]),
            ]);
        }
        $this->assertTrue(host::find($host->id)->takes_our_users());
        $this->assertNull(host::find((int) $CFG->mnet_all_hosts_id));
        $this->assertNull(host::find((int) $CFG->mnet_localhost_id));
    }

    public function test_deleted_hosts_are_none(): void {
        global $DB;
        $host = $this->host('sp');
        $this->assertSame($host->id, host::find_by_wwwroot('https://sp.example/')->id);
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $host->id]);
        $this->assertNull(host::find($host->id));
        $this->assertNull(host::find_by_wwwroot('https://sp.example'));
    }

    /**
     * What a peer has, and where one lands there.
     *
     * @return array
     */
    public static function land_pages(): array {
        $ours = 'auth/mnetd/auth.php/kill_child';
        $cores = 'auth/mnet/auth.php/kill_child';
        return [
            'core\'s plugin' => ['moodle', [$cores], '/auth/mnet/land.php'],
            'this plugin' => ['moodle', [$ours], '/auth/mnetd/land.php'],
            'both' => ['moodle', [$cores, $ours], '/auth/mnetd/land.php'],
            'mnetd' => ['mnetd', [$cores, $ours], '/auth/mnetd/land.php'],
            'core\'s plugin, registered as mnetd' => ['mnetd', [$cores], '/auth/mnet/land.php'],
            'another application' => ['xmlrpc', [$cores], '/auth/xmlrpc/land.php'],
            'another application that maps names' => ['xmlrpc', [$cores => 'kill_child'], '/auth/xmlrpc/land.php'],
            'nothing' => ['moodle', [], '/auth/mnet/land.php'],
        ];
    }

    /**
     * One lands where the peer's functions stand.
     *
     * @dataProvider land_pages
     * @param string $application
     * @param array $methods
     * @param string $page
     */
    public function test_one_lands_where_the_functions_of_the_peer_stand(string $application, array $methods, string $page): void {
        $this->answers['system/listMethods'] = $methods;
        $peer = new peer($this->host('sp', null, $application));
        $this->assertSame("https://sp.example$page", $peer->land_page());
    }

    public function test_a_peer_with_cores_plugin_alone_is_told_apart(): void {
        $cases = [
            [['auth/mnet/auth.php/kill_child'], true],
            [['auth/mnetd/auth.php/kill_child'], false],
            [['auth/mnet/auth.php/kill_child', 'auth/mnetd/auth.php/kill_child'], false],
            [['auth/mnet/auth.php/user_authorise'], false],
            [[], false],
        ];
        foreach ($cases as $i => [$methods, $isso]) {
            $this->answers['system/listMethods'] = $methods;
            $this->assertSame($isso, (new peer($this->host("sp$i")))->has_only_core('kill_child'));
        }
    }

    public function test_a_peer_is_asked_for_its_functions_now_and_then(): void {
        global $DB;
        $host = $this->host('sp');
        $peer = new peer($host);
        $this->answers['system/listMethods'] = ['auth/mnetd/auth.php/kill_child'];
        $this->assertSame(['auth/mnetd/auth.php/'], $peer->prefixes('kill_child'));
        $this->assertSame(['auth/mnetd/auth.php/'], $peer->prefixes('kill_child'));
        $this->assertCount(1, $this->calls);
        $this->assertSame([], $peer->prefixes('user_authorise'));
        $this->assertCount(1, $this->calls);
        // What was not there is asked for again soon, what was after some minutes.
        $DB->set_field('auth_mnetd_peer', 'timeasked', time() - 10, ['hostid' => $host->id]);
        $peer->prefixes('kill_child');
        $this->assertCount(1, $this->calls);
        $peer->prefixes('user_authorise');
        $this->assertCount(2, $this->calls);
        $DB->set_field('auth_mnetd_peer', 'timeasked', time() - peer::BELIEVED - 1, ['hostid' => $host->id]);
        $this->answers['system/listMethods'] = new unreachable($host, 'no route');
        $this->assertSame(['auth/mnetd/auth.php/'], $peer->prefixes('kill_child'));
        $this->assertCount(3, $this->calls);
        $peer->prefixes('kill_child');
        $this->assertCount(3, $this->calls);
        $this->assertStringContainsString('no route', $peer->known()->error);
    }

    public function test_a_peer_that_cannot_be_asked_is_called_where_most_answer(): void {
        $host = $this->host('sp');
        $this->answers['system/listMethods'] = new unreachable($host, 'no route');
        $this->assertSame([peer::USUAL], (new peer($host))->prefixes('kill_child'));
    }

    public function test_the_menu_shows_hosts_one_may_go_to(): void {
        global $DB, $PAGE, $USER;
        $user = $this->traveller();
        $may = $this->host('may');
        $this->host('maynot', ['publish_sso_idp', 'publish_sso_sp', 'subscribe_sso_idp']);
        $this->assertSame(['may'], array_column(menu::links($USER), 'title'));
        $PAGE->set_url('/');
        $html = menu::html($USER, $PAGE->get_renderer('core'));
        $this->assertStringContainsString("/auth/mnetd/jump.php?hostid={$may->id}", $html);
        $this->assertStringContainsString(get_string('networkservers', 'auth_mnetd'), $html);
        $this->assertSame(['hostid' => (string) $may->id], array_map('strval', menu::links($USER)[0]['url']->params()));
        for ($i = 0; $i < menu::IN_MENU; $i++) {
            $this->host("h$i");
        }
        $this->assertSame(['/auth/mnetd/hosts.php'], array_map(function (array $link): string {
            return $link['url']->out_as_local_url();
        }, menu::links($USER)));
        set_config('auth', 'email');
        $this->assertSame([], menu::links($USER));
        set_config('auth', 'mnetd');
        set_config('mnet_dispatcher_mode', 'off');
        $this->assertSame([], menu::links($USER));
        set_config('mnet_dispatcher_mode', 'strict');
        $DB->set_field('user', 'mnethostid', $may->id, ['id' => $user->id]);
        $this->assertSame([], menu::links($DB->get_record('user', ['id' => $user->id])));
        $this->setUser($this->getDataGenerator()->create_user());
        unassign_capability(departure::CAPABILITY, $DB->get_field('role', 'id', ['shortname' => 'user']));
        $this->assertSame([], menu::links($USER));
        $this->assertSame('', menu::html($USER, $PAGE->get_renderer('core')));
    }

    public function test_the_user_menu_of_moodle_shows_them(): void {
        global $CFG, $PAGE, $USER;
        require_once($CFG->dirroot . '/user/lib.php');
        if (!class_exists(\core_user\hook\extend_user_menu::class)) {
            $this->markTestSkipped('A plugin can add to the user menu since Moodle 4.5.');
        }
        $this->traveller();
        $this->host('may');
        $PAGE->set_url('/');
        $titles = array_column(user_get_user_navigation_info($USER, $PAGE)->navitems, 'title');
        $this->assertContains('may', $titles);
    }

    public function test_the_login_page_offers_hosts_that_send_their_users(): void {
        global $CFG;
        $this->host('idp');
        $this->host('sponly', ['publish_sso_idp', 'subscribe_sso_sp']);
        $providers = menu::identity_providers($CFG->wwwroot . '/my/');
        $this->assertSame(['idp'], array_column($providers, 'name'));
        $url = $providers[0]['url'];
        $this->assertSame('https://idp.example/auth/mnet/jump.php', $url->out_omit_querystring());
        $this->assertSame(
            ['hostwwwroot' => $CFG->wwwroot, 'wantsurl' => '/my/', 'remoteurl' => '1'],
            array_map('strval', $url->params())
        );
        $this->assertSame('/', menu::identity_providers('https://evil.example/')[0]['url']->get_param('wantsurl'));
        $this->assertSame([], $this->calls);
        if (\core_component::get_plugin_directory('auth', 'mnet')) {
            set_config('auth', 'mnet,mnetd');
            $this->assertSame([], menu::identity_providers(''));
        }
    }
}
