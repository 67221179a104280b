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
 * Tokens.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/network_testcase.php');

/**
 * A token is good once, for one peer and one browser, for half a minute.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \auth_mnetd\tokens
 */
final class tokens_test extends network_testcase {
    /** @var int */
    const NOW = 1800000000;

    /**
     * A token of a new user for a host.
     *
     * @param host $host
     * @return string
     */
    private function token(host $host): string {
        $user = $this->getDataGenerator()->create_user();
        return tokens::issue((int) $user->id, $host->id, sha1(self::BROWSER), sessions::hash('s1'), self::NOW);
    }

    /**
     * Redeems a token.
     *
     * @param string $token
     * @param int $hostid
     * @param string $browser
     * @param int $later seconds after it was issued
     * @return int the fault
     */
    private static function redeem(string $token, int $hostid, string $browser = self::BROWSER, int $later = 1): int {
        return self::fault_of(function () use ($token, $hostid, $browser, $later) {
            tokens::redeem($token, $hostid, sha1($browser), self::NOW + $later);
        });
    }

    public function test_a_token_is_random_and_stored_as_a_hash(): void {
        global $DB;
        $host = $this->host('sp');
        $token = $this->token($host);
        $this->assertMatchesRegularExpression('/^[0-9a-f]{40}$/', $token);
        $this->assertNotEquals($token, $this->token($host));
        $stored = json_encode($DB->get_records('auth_mnetd_token'));
        $this->assertStringNotContainsString($token, $stored);
    }

    public function test_it_is_good_once(): void {
        $host = $this->host('sp');
        $token = $this->token($host);
        $this->assertSame(0, self::redeem($token, $host->id));
        $this->assertSame(1, self::redeem($token, $host->id));
    }

    public function test_it_is_good_for_half_a_minute(): void {
        $host = $this->host('sp');
        $this->assertSame(0, self::redeem($this->token($host), $host->id, self::BROWSER, 30));
        $this->assertSame(2, self::redeem($this->token($host), $host->id, self::BROWSER, 31));
    }

    public function test_another_browser_spends_it_in_vain(): void {
        $host = $this->host('sp');
        $token = $this->token($host);
        $this->assertSame(1, self::redeem($token, $host->id, 'another'));
        $this->assertSame(1, self::redeem($token, $host->id));
    }

    public function test_another_host_neither_uses_nor_spends_it(): void {
        $host = $this->host('sp');
        $other = $this->host('other');
        $token = $this->token($host);
        $this->assertSame(1, self::redeem($token, $other->id));
        $this->assertSame(0, self::redeem($token, $host->id));
    }

    public function test_who_comes_while_another_has_claimed_it_gets_nothing(): void {
        global $DB;
        $host = $this->host('sp');
        $token = $this->token($host);
        // Where the first of two stands after its UPDATE and before it reads the row.
        $DB->set_field('auth_mnetd_token', 'claim', str_repeat('a', 40), ['hostid' => $host->id]);
        $this->assertSame(1, self::redeem($token, $host->id));
        $this->assertSame(1, $DB->count_records('auth_mnetd_token', ['claim' => str_repeat('a', 40)]));
    }

    public function test_logging_out_cancels_it(): void {
        $host = $this->host('sp');
        $token = $this->token($host);
        tokens::cancel(sessions::hash('another'));
        tokens::cancel(sessions::hash('s1'));
        $this->assertSame(1, self::redeem($token, $host->id));
    }

    public function test_a_token_of_a_peer_is_presented_once(): void {
        $host = $this->host('idp');
        $other = $this->host('other');
        $this->assertTrue(tokens::present('abc', $host->id, self::NOW));
        $this->assertFalse(tokens::present('abc', $host->id, self::NOW + 60));
        $this->assertTrue(tokens::present('abc', $other->id, self::NOW));
        tokens::forget(self::NOW + 60);
        $this->assertFalse(tokens::present('abc', $host->id, self::NOW + 60));
    }

    public function test_one_that_the_peer_does_not_know_is_remembered_for_an_hour_only(): void {
        global $DB;
        $host = $this->host('idp');
        $other = $this->host('other');
        tokens::present('abc', $host->id, self::NOW);
        tokens::present('abc', $other->id, self::NOW);
        tokens::refused('abc', $host->id, self::NOW);
        tokens::forget(self::NOW + HOURSECS);
        $this->assertFalse(tokens::present('abc', $host->id, self::NOW + HOURSECS));
        tokens::forget(self::NOW + HOURSECS + 1);
        $this->assertEquals([$other->id], $DB->get_fieldset_select('auth_mnetd_seen', 'hostid', '1 = 1'));
    }

    public function test_what_is_long_over_is_forgotten(): void {
        global $DB;
        $host = $this->host('sp');
        $this->token($host);
        tokens::forget(self::NOW + HOURSECS);
        $this->assertSame(1, $DB->count_records('auth_mnetd_token'));
        tokens::forget(self::NOW + HOURSECS + 31);
        $this->assertSame(0, $DB->count_records('auth_mnetd_token'));
    }
}
