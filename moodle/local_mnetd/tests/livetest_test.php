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

use core\check\result;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/fixtures/answering_client.php');
require_once(__DIR__ . '/fixtures/hosts.php');

/**
 * Tests of the live test.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\livetest
 * @covers     \local_mnetd\livetest_step
 */
final class livetest_test extends \advanced_testcase {
    use hosts;

    /** @var \stdClass the register's row. */
    protected $host;

    /** @var answering_client the register's end of the line. */
    protected $register;

    /** @var array what its address answers. */
    protected $page;

    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
        $this->host = $this->make_register();
        $this->register = new answering_client();
        $this->register->answers = [
            'system/listServices' => [['name' => 'register', 'apiversion' => '1', 'publish' => '1', 'subscribe' => '1']],
            'system/listMethods' => livetest::METHODS,
            'system/multicall' => [],
        ];
        $this->page = ['status' => 200, 'error' => '', 'body' => $this->host->public_key, 'date' => 1795512000,
            'now' => 1795512000.5];
    }

    /**
     * Runs it.
     *
     * @return string[] outcome by kind
     */
    private function outcomes(): array {
        $test = livetest::run($this->host, $this->register, function () {
            return $this->page;
        });
        return array_combine(array_column($test->steps, 'kind'), array_column($test->steps, 'outcome'));
    }

    public function test_where_all_is_right_each_step_says_so(): void {
        $this->assertSame(array_fill_keys(livetest::STEPS, 'ok'), $this->outcomes());
        $last = livetest::last($this->host->id);
        $this->assertSame(result::OK, $last->worst()->status);
        $this->assertEqualsWithDelta(time(), $last->time, 5);
        // Nothing in the register is changed: the only call of its service has nothing in it.
        $this->assertSame(
            [(int) $this->host->id, 'system/multicall', [[]]],
            [(int) $this->register->calls[2][0], $this->register->calls[2][1], $this->register->calls[2][2]]
        );
        $this->assertCount(3, $this->register->calls);
    }

    public function test_a_silent_address_ends_it(): void {
        $this->page = ['status' => 0, 'error' => 'Connection refused', 'body' => '', 'date' => null, 'now' => 1.0];
        $this->assertSame(
            ['reach' => 'silent'] + array_fill_keys(livetest::STEPS, 'untried'),
            $this->outcomes()
        );
        $this->assertSame([], $this->register->calls);
        $worst = livetest::last($this->host->id)->worst();
        $this->assertStringContainsString('Connection refused', $worst->summary());
        $this->assertStringContainsString('curl https://register.example.org/mnet/publickey.php', $worst->help());
    }

    public function test_a_redirection_and_a_stranger_are_told_apart(): void {
        $this->page['status'] = 301;
        $this->assertSame('elsewhere', $this->outcomes()['reach']);
        $this->page['status'] = 200;
        $this->page['body'] = '<html><title>Welcome</title></html>';
        $this->assertSame('stranger', $this->outcomes()['reach']);
        $this->page['status'] = 404;
        $this->assertSame('stranger', $this->outcomes()['reach']);
    }

    /**
     * Clocks, and what is said of them.
     *
     * @return array[]
     */
    public static function clocks(): array {
        return [
            'together' => [0, 'ok', result::OK],
            'five seconds' => [5, 'ok', result::OK],
            'six seconds ahead' => [6, 'ahead', result::WARNING],
            'fifteen seconds behind' => [-15, 'behind', result::WARNING],
            'twenty seconds ahead' => [20, 'ahead', result::ERROR],
            'an hour behind' => [-3600, 'behind', result::ERROR],
        ];
    }

    /**
     * The clocks are compared.
     *
     * @dataProvider clocks
     * @param int $ahead by how much the register's clock is ahead
     * @param string $outcome what is found
     * @param string $status how bad it is
     */
    public function test_clocks_are_compared(int $ahead, string $outcome, string $status): void {
        $this->page['date'] += $ahead;
        $this->assertSame($outcome, $this->outcomes()['clock']);
        $step = livetest::last($this->host->id)->steps[1];
        $this->assertSame($status, $step->status);
        $this->assertStringContainsString((string) abs($ahead), $step->summary());
    }

    public function test_an_answer_without_a_date_is_no_fault(): void {
        $this->page['date'] = null;
        $outcomes = $this->outcomes();
        $this->assertSame(['undated', 'ok'], [$outcomes['clock'], $outcomes['binding']]);
    }

    public function test_the_reason_of_a_failed_call_is_shown_and_ends_it(): void {
        $this->register->answers['system/listServices'] =
            new client_exception(client_exception::REFUSED, 'unknownpeer', [], 7020, 'not a peer');
        $outcomes = $this->outcomes();
        $this->assertSame(
            ['failed', 'untried', 'untried', 'untried'],
            [$outcomes['call'], $outcomes['services'], $outcomes['methods'], $outcomes['binding']]
        );
        $this->assertStringContainsString(
            s(get_string('unknownpeer', 'local_mnetd')),
            livetest::last($this->host->id)->worst()->summary()
        );
    }

    public function test_an_unpublished_service_is_told_with_the_command_that_mends_it(): void {
        global $CFG;
        $this->register->answers['system/listServices'][0]['publish'] = '0';
        $outcomes = $this->outcomes();
        $this->assertSame(['ok', 'nopublish', 'untried'], [$outcomes['call'], $outcomes['services'], $outcomes['methods']]);
        $this->assertStringContainsString(
            "mnetd peer allow {$CFG->wwwroot} register --publish",
            livetest::last($this->host->id)->worst()->help()
        );

        $this->register->answers['system/listServices'] = [];
        $this->assertSame('nopublish', $this->outcomes()['services']);
    }

    public function test_a_register_that_does_not_ask_back_is_a_warning_only(): void {
        $this->register->answers['system/listServices'][0]['subscribe'] = '0';
        $outcomes = $this->outcomes();
        $this->assertSame(['nosubscribe', 'ok', 'ok'], [$outcomes['services'], $outcomes['methods'], $outcomes['binding']]);
        $this->assertSame(result::WARNING, livetest::last($this->host->id)->worst()->status);
    }

    public function test_missing_methods_are_named(): void {
        $this->register->answers['system/listMethods'] = array_diff(livetest::METHODS, ['register/remove_grade']);
        $this->assertSame('missing', $this->outcomes()['methods']);
        $this->assertStringContainsString('register/remove_grade', livetest::last($this->host->id)->worst()->summary());
    }

    public function test_a_struct_of_methods_is_read_as_well(): void {
        $this->register->answers['system/listMethods'] = array_fill_keys(livetest::METHODS, 'function');
        $this->assertSame('ok', $this->outcomes()['methods']);
    }

    public function test_a_refused_binding_is_told(): void {
        $this->register->answers['system/multicall'] =
            new client_exception(client_exception::REFUSED, 'unknownpeer', [], 8013, 'for another recipient');
        $outcomes = $this->outcomes();
        $this->assertSame(['ok', 'failed'], [$outcomes['methods'], $outcomes['binding']]);
    }

    public function test_another_certificate_is_told_with_both_fingerprints(): void {
        $other = self::certificate('https://other.example.org');
        $this->page['body'] = $other;
        $this->assertSame('other', $this->outcomes()['key']);
        $summary = livetest::last($this->host->id)->worst()->summary();
        $theirs = strtoupper(implode(':', str_split(openssl_x509_fingerprint($other, 'sha256'), 2)));
        $this->assertStringContainsString($theirs, $summary);
        $this->assertStringNotContainsString('PRIVATE', $summary);
    }

    public function test_a_key_that_came_with_the_call_is_told_as_new(): void {
        global $DB;
        $new = self::certificate('https://register.example.org/new');
        $this->page['body'] = $new;
        $this->register->before = function () use ($DB, $new) {
            // As the core client does on fault 7025.
            $DB->set_field('mnet_host', 'public_key', $new, ['id' => $this->host->id]);
        };
        $this->assertSame('renewed', $this->outcomes()['key']);
    }

    public function test_what_a_stranger_wrote_is_shown_as_text(): void {
        $this->page = ['status' => 0, 'error' => '<script>alert(1)</script>', 'body' => '', 'date' => null, 'now' => 1.0];
        $this->outcomes();
        $summary = livetest::last($this->host->id)->worst()->summary();
        $this->assertStringNotContainsString('<script', $summary);
        $this->assertStringContainsString('&lt;script', $summary);
    }

    public function test_a_page_is_got_with_its_date_and_not_followed_elsewhere(): void {
        global $CFG;
        // Neither a proxy nor the block list stands between this site and an MNet peer.
        $CFG->proxyhost = '192.0.2.1';
        set_config('curlsecurityblockedhosts', '127.0.0.1');
        [$process, $pipes, $port] = $this->serve(
            "HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 16:00:00 GMT\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        try {
            $page = livetest::get_page("http://127.0.0.1:$port/mnet/publickey.php", $this->host);
            $this->assertSame(
                [200, '', 'hello', strtotime('2026-11-24 16:00:00 UTC')],
                [$page['status'], $page['error'], $page['body'], $page['date']]
            );
            $this->assertEqualsWithDelta(microtime(true), $page['now'], 10);
            $page = livetest::get_page("http://127.0.0.1:$port/mnet/publickey.php", $this->host);
            $this->assertSame([302, null], [$page['status'], $page['date']]);
        } finally {
            array_map('fclose', $pipes);
            proc_close($process);
        }
        // Now nobody listens there any more.
        $page = livetest::get_page("http://127.0.0.1:$port/mnet/publickey.php", $this->host);
        $this->assertSame(0, $page['status']);
        $this->assertNotSame('', $page['error']);
    }

    /**
     * Answers requests in another process, one after the other, and then ends.
     *
     * @param string ...$answers what to answer
     * @return array the process, its pipes and its port
     */
    private function serve(string ...$answers): array {
        $code = '$server = stream_socket_server("tcp://127.0.0.1:0");'
            . 'echo preg_replace("/.*:/", "", stream_socket_get_name($server, false)), "\n";'
            . 'foreach (json_decode($argv[1]) as $answer) { $client = stream_socket_accept($server, 60);'
            . ' while (trim((string) fgets($client)) !== "") { continue; } fwrite($client, $answer); fclose($client); }';
        $process = proc_open([PHP_BINARY, '-r', $code, json_encode($answers)], [1 => ['pipe', 'w']], $pipes);
        return [$process, $pipes, (int) fgets($pipes[1])];
    }

    public function test_no_test_was_made_of_an_unknown_host(): void {
        $this->assertNull(livetest::last(999999));
        set_config('test_999999', 'no JSON', 'local_mnetd');
        $this->assertNull(livetest::last(999999));
    }
}
