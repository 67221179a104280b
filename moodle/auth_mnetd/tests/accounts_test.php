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
 * Accounts.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * Which account somebody gets.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\accounts
 */
final class accounts_test extends network_testcase {
    /**
     * Lets a host match accounts by ID number.
     *
     * @param host[] $hosts
     */
    private function match(array $hosts): void {
        set_config('matchidnumber', 1, 'auth_mnetd');
        set_config('matchidnumberhosts', implode(',', array_column($hosts, 'id')), 'auth_mnetd');
    }

    /**
     * The account of somebody.
     *
     * @param host $host
     * @param array $fields told
     * @return \stdClass
     */
    private static function account(host $host, array $fields = []): \stdClass {
        return (new accounts($host))->account(self::told($fields));
    }

    /**
     * Why there is none.
     *
     * @param host $host
     * @param array $fields told
     * @return string
     */
    private static function why_not(host $host, array $fields = []): string {
        return self::refusal_of(function () use ($host, $fields) {
            self::account($host, $fields);
        });
    }

    public function test_an_account_is_made_and_found_again(): void {
        $host = $this->host('home');
        $made = self::account($host, ['username' => 'Zora']);
        $this->assertTrue($made->isnew);
        $this->assertFalse($made->islocal);
        $this->assertSame(['zora', 'mnetd', (string) $host->id, 'Šebek'], [$made->username, $made->auth, (string) $made->mnethostid,
            $made->lastname]);
        $again = self::account($host, ['lastname' => 'Novák']);
        $this->assertFalse($again->isnew);
        $this->assertSame([$made->id, 'Novák'], [$again->id, $again->lastname]);
    }

    public function test_the_same_name_from_two_hosts_is_two_people_and_neither_is_ours(): void {
        $ours = $this->getDataGenerator()->create_user(['username' => 'zora']);
        $one = self::account($this->host('one'));
        $two = self::account($this->host('two'));
        $this->assertCount(3, array_unique([$ours->id, $one->id, $two->id]));
    }

    public function test_accounts_are_made_as_the_setting_says(): void {
        $host = $this->host('home');
        $named = $this->host('named');
        set_config('autocreate', accounts::CREATE_NEVER, 'auth_mnetd');
        $this->assertSame('noaccount', self::why_not($host));
        set_config('autocreate', accounts::CREATE_NAMED, 'auth_mnetd');
        set_config('autocreatehosts', (string) $named->id, 'auth_mnetd');
        $this->assertSame('noaccount', self::why_not($host));
        $this->assertTrue(self::account($named)->isnew);
    }

    public function test_access_control_is_heeded_before_anything_is_made(): void {
        global $DB;
        $host = $this->host('home');
        mnet_update_sso_access_control('zora', $host->id, 'deny');
        $this->assertSame('accesscontrol', self::why_not($host));
        $this->assertFalse($DB->record_exists('user', ['username' => 'zora']));
        mnet_update_sso_access_control('zora', $host->id, 'allow');
        $this->assertTrue(self::account($host)->isnew);
    }

    public function test_suspended_accounts_and_other_ways_of_signing_in_are_refused(): void {
        global $DB;
        $host = $this->host('home');
        $id = self::account($host)->id;
        $DB->set_field('user', 'suspended', 1, ['id' => $id]);
        $this->assertSame('suspended', self::why_not($host, ['suspended' => '0']));
        $DB->set_field('user', 'suspended', 0, ['id' => $id]);
        $DB->set_field('user', 'confirmed', 0, ['id' => $id]);
        $this->assertSame('suspended', self::why_not($host, ['confirmed' => '1']));
        $DB->set_field('user', 'confirmed', 1, ['id' => $id]);
        $DB->set_field('user', 'auth', 'nologin', ['id' => $id]);
        $this->assertSame('authdisabled', self::why_not($host));
    }

    public function test_a_deleted_account_does_not_come_back(): void {
        global $DB;
        $host = $this->host('home');
        $first = self::account($host);
        delete_user($DB->get_record('user', ['id' => $first->id]));
        $this->assertNotEquals($first->id, self::account($host)->id);
    }

    public function test_an_account_of_cores_plugin_is_used(): void {
        global $DB;
        $host = $this->host('home');
        $id = self::account($host)->id;
        $DB->set_field('user', 'auth', 'mnet', ['id' => $id]);
        $account = self::account($host);
        $this->assertSame($id, $account->id);
        // Taken over where that plugin is gone.
        $expected = \core_component::get_plugin_directory('auth', 'mnet') ? 'mnet' : 'mnetd';
        $this->assertSame($expected, $account->auth);
    }

    public function test_a_peer_sets_only_what_is_imported_and_nothing_that_is_ours(): void {
        $host = $this->host('home');
        set_config('mnetprofileimportfields', 'idnumber,city,country,lang,suspended,policyagreed,description,maildigest');
        $account = self::account($host, [
            'idnumber' => 'STU-1', 'city' => '<b>Praha</b>', 'country' => 'CZ', 'lang' => 'xx_unknown', 'department' => 'none',
            'suspended' => '1', 'policyagreed' => '1', 'id' => '2', 'password' => 'x', 'mnethostid' => '1', 'maildigest' => 'often',
        ]);
        $this->assertSame(['STU-1', 'CZ', 'en', '', '0', '0'], [$account->idnumber, $account->country, $account->lang,
            $account->department, (string) $account->suspended, (string) $account->policyagreed]);
        $this->assertStringNotContainsString('<b>', $account->city);
        $this->assertSame(AUTH_PASSWORD_NOT_CACHED, $account->password);
    }

    /**
     * What cannot make an account.
     *
     * @return array
     */
    public static function unusable(): array {
        return [
            'no username' => [['username' => ''], 'username'],
            'a username with a space' => [['username' => 'zo ra'], 'username'],
            'a username of markup' => [['username' => '<b>zora</b>'], 'username'],
            'the guest' => [['username' => 'Guest'], 'username'],
            'a username that is a list' => [['username' => ['zora']], 'username'],
            'too long a username' => [['username' => str_repeat('z', 101)], 'username'],
            'no first name' => [['firstname' => ' '], 'incomplete'],
            'no address' => [['email' => ''], 'incomplete'],
            'no address to write to' => [['email' => 'zora'], 'incomplete'],
        ];
    }

    /**
     * What cannot make an account is refused.
     *
     * @dataProvider unusable
     * @param array $fields
     * @param string $why
     */
    public function test_what_cannot_make_an_account_is_refused(array $fields, string $why): void {
        $this->assertSame($why, self::why_not($this->host('home'), $fields));
    }

    public function test_an_account_of_this_site_is_matched_only_where_that_is_wanted(): void {
        $host = $this->host('home');
        $other = $this->host('other');
        $ours = $this->getDataGenerator()->create_user(['idnumber' => 'STU-1', 'firstname' => 'Ours']);
        $fields = ['idnumber' => 'STU-1'];
        $this->assertFalse(self::account($host, $fields + ['username' => 'a'])->islocal);
        // The setting alone trusts nobody, and a name alone does not either.
        set_config('matchidnumber', 1, 'auth_mnetd');
        $this->assertFalse(self::account($host, $fields + ['username' => 'b'])->islocal);
        set_config('matchidnumberhosts', (string) $host->id, 'auth_mnetd');
        set_config('matchidnumber', 0, 'auth_mnetd');
        $this->assertFalse(self::account($host, $fields + ['username' => 'c'])->islocal);
        $this->match([$host]);
        $this->assertFalse(self::account($other, $fields)->islocal);
        $account = self::account($host, $fields);
        $this->assertTrue($account->islocal);
        $this->assertSame([$ours->id, 'Ours'], [$account->id, $account->firstname]);
        $this->assertFalse(self::account($host)->islocal);
        $this->assertFalse(self::account($host, ['idnumber' => '', 'username' => 'd'])->islocal);
        $this->assertFalse(self::account($host, ['idnumber' => 'stu-1', 'username' => 'e'])->islocal);
    }

    public function test_no_account_with_rights_over_the_site_is_entered(): void {
        global $DB;
        $host = $this->host('home');
        $this->match([$host]);
        $DB->set_field('user', 'idnumber', 'ADMIN', ['id' => get_admin()->id]);
        $this->assertSame('privileged', self::why_not($host, ['idnumber' => 'ADMIN']));
        $manager = $this->getDataGenerator()->create_user(['idnumber' => 'MAN']);
        role_assign($DB->get_field('role', 'id', ['shortname' => 'manager']), $manager->id, \context_system::instance());
        $this->assertSame('privileged', self::why_not($host, ['idnumber' => 'MAN']));
        $below = $this->getDataGenerator()->create_user(['idnumber' => 'CAT']);
        $category = \context_coursecat::instance($this->getDataGenerator()->create_category()->id);
        role_assign($DB->get_field('role', 'id', ['shortname' => 'manager']), $below->id, $category);
        $this->assertSame('privileged', self::why_not($host, ['idnumber' => 'CAT']));
        // Whatever it is called: what Moodle says is a risk to the configuration.
        $role = $this->getDataGenerator()->create_role();
        assign_capability('moodle/site:doclinks', CAP_ALLOW, $role, \context_system::instance());
        $clerk = $this->getDataGenerator()->create_user(['idnumber' => 'CLE']);
        role_assign($role, $clerk->id, \context_system::instance());
        $this->assertSame($clerk->id, self::account($host, ['idnumber' => 'CLE'])->id);
        $DB->set_field('capabilities', 'riskbitmask', RISK_CONFIG | RISK_SPAM, ['name' => 'moodle/site:doclinks']);
        $this->assertSame('privileged', self::why_not($host, ['idnumber' => 'CLE']));
        $DB->set_field('capabilities', 'riskbitmask', 0, ['name' => 'moodle/site:doclinks']);
        $teacher = $this->getDataGenerator()->create_user(['idnumber' => 'TEA']);
        $course = $this->getDataGenerator()->create_course();
        $this->getDataGenerator()->enrol_user($teacher->id, $course->id, 'editingteacher');
        $this->assertSame($teacher->id, self::account($host, ['idnumber' => 'TEA'])->id);
    }

    public function test_no_account_is_guessed_and_none_that_is_closed_is_entered(): void {
        global $CFG, $DB;
        $host = $this->host('home');
        $this->match([$host]);
        $generator = $this->getDataGenerator();
        $generator->create_user(['idnumber' => 'TWO']);
        $generator->create_user(['idnumber' => 'TWO']);
        $this->assertSame('idnumberambiguous', self::why_not($host, ['idnumber' => 'TWO']));
        $generator->create_user(['idnumber' => 'SUS', 'suspended' => 1]);
        $this->assertSame('suspended', self::why_not($host, ['idnumber' => 'SUS']));
        $generator->create_user(['idnumber' => 'UNC', 'confirmed' => 0]);
        $this->assertSame('suspended', self::why_not($host, ['idnumber' => 'UNC']));
        $generator->create_user(['idnumber' => 'NOL', 'auth' => 'nologin']);
        $this->assertSame('authdisabled', self::why_not($host, ['idnumber' => 'NOL']));
        $gone = $generator->create_user(['idnumber' => 'GON']);
        delete_user($gone);
        $this->assertFalse(self::account($host, ['idnumber' => 'GON', 'username' => 'gone'])->islocal);
        // The account of a peer with this number is no account of this site.
        $remote = $generator->create_user(['idnumber' => 'REM']);
        $DB->set_field('user', 'mnethostid', $this->host('other')->id, ['id' => $remote->id]);
        $this->assertFalse(self::account($host, ['idnumber' => 'REM', 'username' => 'rem'])->islocal);
    }
}
