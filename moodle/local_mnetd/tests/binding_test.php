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

/**
 * Tests of binding.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\binding
 */
final class binding_test extends \advanced_testcase {
    /** @var int the moment of these tests */
    const NOW = 1795512000;

    /** @var string a nonce */
    const NONCE = '3f0c1e9a5b7d42608c1fa2e4d6b80975';

    public function test_what_is_made_says_for_whom_and_when(): void {
        $binding = binding::make('https://register.example.org/path', self::NOW);

        $this->assertSame(['mnetd_to', 'mnetd_at', 'mnetd_nonce'], array_keys($binding));
        $this->assertSame('https://register.example.org/path', $binding['mnetd_to']);
        $this->assertSame(self::NOW, $binding['mnetd_at']);
        $this->assertMatchesRegularExpression('/\A[0-9a-f]{32}\z/', $binding['mnetd_nonce']);
    }

    public function test_no_two_have_the_same_nonce(): void {
        $nonces = [];
        for ($i = 0; $i < 100; $i++) {
            $nonces[] = binding::make('https://register.example.org', self::NOW)['mnetd_nonce'];
        }
        $this->assertCount(100, array_unique($nonces));
    }

    public function test_what_is_made_for_this_site_is_taken_and_taken_off(): void {
        global $CFG;
        $this->resetAfterTest();

        $params = [['idnumber' => 'STU-1'], binding::make($CFG->wwwroot, self::NOW)];
        $this->assertSame([['idnumber' => 'STU-1']], binding::demand($params, self::NOW));
    }

    /**
     * Every way in which a binding can be wrong, and ways in which it can look odd and is right.
     *
     * @return array
     */
    public static function bindings(): array {
        return [
            'nothing at all' => [[], fault::NOT_BOUND],
            'no last parameter with a recipient' => [[['idnumber' => 'x']], fault::NOT_BOUND],
            'a text where the binding stands' => [[[], 'https://www.example.com/moodle'], fault::NOT_BOUND],
            'the binding is not the last' => [[['mnetd_to' => 'https://www.example.com/moodle'], []], fault::NOT_BOUND],
            'another recipient' => [['mnetd_to' => 'https://other.example.org'], fault::OTHER_RECIPIENT],
            'a trailing slash' => [['mnetd_to' => 'https://www.example.com/moodle/'], fault::OTHER_RECIPIENT],
            'http for https' => [['mnetd_to' => 'http://www.example.com/moodle'], fault::OTHER_RECIPIENT],
            'upper case' => [['mnetd_to' => 'https://WWW.example.com/moodle'], fault::OTHER_RECIPIENT],
            'an empty recipient' => [['mnetd_to' => ''], fault::OTHER_RECIPIENT],
            'a list for a recipient' => [['mnetd_to' => ['https://www.example.com/moodle']], fault::WRONG],
            'a number for a recipient' => [['mnetd_to' => 0], fault::WRONG],
            'no recipient but a null' => [['mnetd_to' => null], fault::WRONG],
            'no date' => [['mnetd_at' => null], fault::WRONG],
            'a date in words' => [['mnetd_at' => 'now'], fault::WRONG],
            'a date with a fraction' => [['mnetd_at' => self::NOW + 0.5], fault::WRONG],
            'true for a date' => [['mnetd_at' => true], fault::WRONG],
            'a date beyond all numbers' => [['mnetd_at' => str_repeat('9', 40)], fault::WRONG],
            'a date as a text' => [['mnetd_at' => (string) self::NOW], 0],
            'as old as may be' => [['mnetd_at' => self::NOW - 300], 0],
            'too old by a second' => [['mnetd_at' => self::NOW - 301], fault::OUTSIDE_WINDOW],
            'as far ahead as may be' => [['mnetd_at' => self::NOW + 15], 0],
            'too far ahead by a second' => [['mnetd_at' => self::NOW + 16], fault::OUTSIDE_WINDOW],
            'long before this site' => [['mnetd_at' => -1], fault::OUTSIDE_WINDOW],
            'the end of time' => [['mnetd_at' => PHP_INT_MAX], fault::OUTSIDE_WINDOW],
            'no nonce' => [['mnetd_nonce' => null], fault::WRONG],
            'an empty nonce' => [['mnetd_nonce' => ''], fault::WRONG],
            'a short nonce' => [['mnetd_nonce' => substr(self::NONCE, 1)], fault::WRONG],
            'a long nonce' => [['mnetd_nonce' => self::NONCE . '0'], fault::WRONG],
            'a nonce with a line end' => [['mnetd_nonce' => self::NONCE . "\n"], fault::WRONG],
            'a nonce of other letters' => [['mnetd_nonce' => str_repeat('g', 32)], fault::WRONG],
            'a list for a nonce' => [['mnetd_nonce' => [self::NONCE]], fault::WRONG],
            'a nonce in upper case' => [['mnetd_nonce' => strtoupper(self::NONCE)], 0],
            'one more member' => [['mnetd_more' => 'x'], 0],
        ];
    }

    /**
     * A binding is taken only where everything in it is right.
     *
     * @dataProvider bindings
     * @param array $changed what differs from a right binding; a list stands for all parameters
     * @param int $code the fault, 0 for none
     */
    public function test_a_binding_is_checked(array $changed, int $code): void {
        global $CFG, $DB;
        $this->resetAfterTest();
        $this->assertSame('https://www.example.com/moodle', $CFG->wwwroot);

        $right = ['mnetd_to' => $CFG->wwwroot, 'mnetd_at' => self::NOW, 'mnetd_nonce' => self::NONCE];
        $params = isset($changed[0]) || !$changed ? $changed : [['idnumber' => 'x'], array_merge($right, $changed)];
        $this->assertSame($code, $this->fault_of($params, self::NOW));
        // Only a call that is for us and of our time may use up a nonce.
        $this->assertSame($code ? 0 : 1, $DB->count_records('local_mnetd_nonce'));
    }

    public function test_a_nonce_is_taken_once(): void {
        global $CFG, $DB;
        $this->resetAfterTest();

        $binding = ['mnetd_to' => $CFG->wwwroot, 'mnetd_at' => self::NOW, 'mnetd_nonce' => self::NONCE];
        $this->assertSame(0, $this->fault_of([[], $binding], self::NOW));
        $this->assertSame(fault::REPLAYED, $this->fault_of([[], $binding], self::NOW + 1));
        $this->assertSame(fault::REPLAYED, $this->fault_of([['idnumber' => 'other'], $binding], self::NOW + 2));
        $this->assertSame(
            fault::REPLAYED,
            $this->fault_of([[], ['mnetd_nonce' => strtoupper(self::NONCE)] + $binding], self::NOW + 3)
        );
        $this->assertSame(1, $DB->count_records('local_mnetd_nonce'));
    }

    public function test_a_nonce_is_forgotten_only_after_its_calls_are_too_old(): void {
        global $CFG;
        $this->resetAfterTest();

        // The call that lives longest is dated as far ahead as may be.
        $at = self::NOW + binding::MAX_AHEAD;
        $binding = ['mnetd_to' => $CFG->wwwroot, 'mnetd_at' => $at, 'mnetd_nonce' => self::NONCE];
        binding::demand([$binding], self::NOW);

        $last = $at + binding::MAX_AGE;
        binding::forget_old($last);
        $this->assertSame(fault::REPLAYED, $this->fault_of([$binding], $last));
        binding::forget_old(self::NOW + binding::REMEMBERED + 1);
        $this->assertSame(fault::OUTSIDE_WINDOW, $this->fault_of([$binding], self::NOW + binding::REMEMBERED + 1));
        $this->assertSame(0, $GLOBALS['DB']->count_records('local_mnetd_nonce'));
    }

    public function test_a_fault_says_what_to_do(): void {
        global $CFG;
        $this->resetAfterTest();

        $binding = ['mnetd_to' => $CFG->wwwroot, 'mnetd_at' => self::NOW - 900, 'mnetd_nonce' => self::NONCE];
        try {
            binding::demand([$binding], self::NOW);
            $this->fail('It was taken.');
        } catch (fault $e) {
            $this->assertStringContainsString('2026-11-24 09:05:00 UTC', $e->getMessage());
            $this->assertStringContainsString('2026-11-24 09:20:00 UTC', $e->getMessage());
            $this->assertStringContainsString('NTP', $e->getMessage());
        }
    }

    /**
     * The code of the fault that some parameters bring.
     *
     * @param array $params all parameters of a call
     * @param int $now unix seconds
     * @return int 0 where they are taken
     */
    protected function fault_of(array $params, int $now): int {
        try {
            binding::demand($params, $now);
        } catch (fault $e) {
            $this->assertNotSame('', $e->getMessage());
            return $e->getCode();
        }
        return 0;
    }
}
