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
require_once($CFG->dirroot . '/mnet/xmlrpc/client.php');

/**
 * Tests of calling a peer, up to where the core client takes over.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\client
 * @covers     \local_mnetd\client_exception
 * @covers     \local_mnetd\call_result
 */
final class client_test extends \advanced_testcase {
    /** @var string the peer's address */
    const PEER = 'https://register.example.org';

    /** @var int the peer, an id of mnet_host */
    protected $host;

    protected function setUp(): void {
        global $DB;
        parent::setUp();
        $this->resetAfterTest();
        $this->host = $DB->insert_record('mnet_host', (object) ['deleted' => 0, 'wwwroot' => self::PEER, 'public_key' => '',
            'ip_address' => '127.0.0.1', 'name' => 'The register', 'public_key_expires' => 0, 'applicationid' => 1]);
    }

    public function test_calls_of_a_register_are_bound_and_other_system_calls_are_not(): void {
        $client = $this->client_that_hears('yes');
        foreach (
            ['register/new_grade' => true, 'system/multicall' => true, 'system/listServices' => false,
                'auth/mnetd/auth.php/keepalive_client' => true] as $method => $bound
        ) {
            $this->assertSame('yes', $client->call($this->host, $method, [['idnumber' => 'x']]));
            [$sent, $params] = $client->sent;
            $this->assertSame($method, $sent);
            $this->assertSame(['idnumber' => 'x'], $params[0]);
            $this->assertCount($bound ? 2 : 1, $params);
            if ($bound) {
                $this->assertSame(self::PEER, $params[1]['mnetd_to']);
                $this->assertEqualsWithDelta(time(), $params[1]['mnetd_at'], 5);
            }
        }
    }

    public function test_many_calls_have_one_binding_and_their_answers_come_in_order(): void {
        $client = $this->client_that_hears([
            [['status' => 'created', 'id' => 42]],
            ['faultCode' => 8003, 'faultString' => "unknown\nuser"],
            [['status' => 'unchanged', 'id' => '7']],
        ]);
        $results = $client->multicall($this->host, [
            ['register/new_section', ['idnumber' => 'S']],
            ['register/new_enrolment', ['sectionid' => 'S']],
            ['register/remove_user', []],
        ]);

        [$method, $params] = $client->sent;
        $this->assertSame('system/multicall', $method);
        $this->assertCount(2, $params);
        $this->assertSame(['methodName' => 'register/new_section', 'params' => [['idnumber' => 'S']]], $params[0][0]);
        $this->assertEquals(new \stdClass(), $params[0][2]['params'][0]);
        $this->assertTrue($results[0]->is_done());
        $this->assertSame(['created', 42, 0], [$results[0]->status, $results[0]->id, $results[0]->faultcode]);
        $this->assertFalse($results[1]->is_done());
        $this->assertSame(['', 8003, 'unknown user'], [$results[1]->status, $results[1]->faultcode, $results[1]->faulttext]);
        $this->assertSame(['unchanged', 7], [$results[2]->status, $results[2]->id]);
    }

    /**
     * Answers to one call that cannot be believed.
     *
     * @return array
     */
    public static function odd_answers(): array {
        return [
            'a text' => ['ok'],
            'nothing' => [null],
            'too few' => [[]],
            'too many' => [[[['status' => 'created', 'id' => 1]], [['status' => 'created', 'id' => 2]]]],
            'no list around the result' => [[['status' => 'created', 'id' => 1]]],
            'an empty result' => [[[]]],
            'an empty status' => [[[['status' => '', 'id' => 1]]]],
        ];
    }

    /**
     * What is no result is not taken for one: the job would be lost.
     *
     * @dataProvider odd_answers
     * @param mixed $answer what came
     */
    public function test_an_answer_that_is_no_result_is_not_taken_for_one($answer): void {
        $client = $this->client_that_hears($answer);
        try {
            $client->multicall($this->host, [['register/new_section', ['idnumber' => 'S']]]);
            $this->fail('It was taken.');
        } catch (client_exception $e) {
            $this->assertSame(client_exception::GARBLED, $e->kind);
            $this->assertStringContainsString(self::PEER, $e->getMessage());
        }
    }

    public function test_one_odd_answer_spoils_no_other(): void {
        $good = [['status' => 'created', 'id' => 42]];
        $calls = array_fill(0, 2, ['register/new_section', ['idnumber' => 'S']]);
        foreach (['ok', null, [], ['status' => 'created', 'id' => 1], [[]], [['status' => '', 'id' => 1]]] as $odd) {
            $results = $this->client_that_hears([$odd, $good])->multicall($this->host, $calls);
            $this->assertSame([false, true], [$results[0]->is_done(), $results[1]->is_done()]);
            $this->assertSame(0, $results[0]->faultcode);
            $this->assertStringContainsString(self::PEER, $results[0]->faulttext);
            try {
                $this->client_that_hears([$odd, $odd])->multicall($this->host, $calls);
                $this->fail('It was taken.');
            } catch (client_exception $e) {
                $this->assertSame(client_exception::GARBLED, $e->kind);
            }
        }
    }

    public function test_no_more_calls_than_a_register_takes(): void {
        $this->expectException(\coding_exception::class);
        $this->client_that_hears([])->multicall($this->host, array_fill(0, 2001, ['register/new_section', ['idnumber' => 'S']]));
    }

    public function test_types_leave_as_what_they_are(): void {
        $xml = $this->on_the_wire([['i' => 5, 'd' => 87.5, 'w' => 10.0, 't' => true, 'f' => false, 's' => '007', 'l' => ['a', 2],
            'e' => [], 'n' => null], 7, 1.5, false, 'text', new \stdClass()]);
        $expected = ['<name>i</name>' => '<value><int>5</int></value>', '<name>d</name>' => '<value><double>87.5</double></value>',
            '<name>w</name>' => '<value><double>10</double></value>', '<name>t</name>' => '<value><boolean>1</boolean></value>',
            '<name>f</name>' => '<value><boolean>0</boolean></value>',
            '<name>s</name>' => '<value><string>007</string></value>',
            '<name>n</name>' => '<value><string></string></value>'];
        foreach ($expected as $name => $value) {
            $this->assertMatchesRegularExpression('~' . preg_quote($name, '~') . '\s*' . preg_quote($value, '~') . '~', $xml);
        }
        $this->assertMatchesRegularExpression(
            '~<array>\s*<data>\s*<value><string>a</string></value>\s*<value><int>2</int></value>~',
            $xml
        );
        $this->assertSame(1, substr_count($xml, '<value><int>7</int></value>'));
        $this->assertSame(1, substr_count($xml, '<value><double>1.5</double></value>'));
        $this->assertSame(1, substr_count($xml, '<value><string>text</string></value>'));
        // Without members it is a struct all the same, for an object.
        $this->assertMatchesRegularExpression('~<param>\s*<value><struct>\s*</struct></value>\s*</param>\s*</params>~', $xml);
    }

    public function test_texts_reach_the_other_side_and_never_break_the_message(): void {
        $texts = ['Zoë Prøbe', '日本 Ōta', "Sam O'Neil & <Co>", '😀', "bell\x07 and null\x00", "broken \xC3\x28 bytes"];
        $client = $this->client_that_hears('yes');
        $client->call($this->host, 'register/fetch_user', [$texts]);
        $xml = $this->on_the_wire($client->sent[1]);
        $request = (new \PhpXmlRpc\Encoder())->decodeXml($xml);
        $this->assertInstanceOf(\PhpXmlRpc\Request::class, $request);
        $read = (new \PhpXmlRpc\Encoder())->decode($request->getParam(0));
        $this->assertSame(array_slice($texts, 0, 4), array_slice($read, 0, 4));
        $this->assertStringContainsString("bell\u{FFFD}", $read[4]);
        $this->assertStringContainsString('bytes', $read[5]);
    }

    /**
     * What the core client says, and what we make of it.
     *
     * @return array
     */
    public static function failures(): array {
        $here = client_exception::HERE;
        $unreachable = client_exception::UNREACHABLE;
        $refused = client_exception::REFUSED;
        $garbled = client_exception::GARBLED;
        $fault = function (int $code, string $text = 'because') {
            return ['faultCode' => $code, 'faultString' => $text];
        };
        $clock = 'the call is dated 2026-11-24T10:00:00Z, here it is %s: at most 300 s back and 15 s ahead are allowed. Set';
        return [
            'nobody there' => ['', ['8:CURL error: Failed to connect to 127.0.0.1 port 9 after 0 ms: Connection refused'],
                $unreachable, 0, 'firewall'],
            'no such name' => [
                '', ['8:CURL error: Could not resolve host: register.example.org'], $unreachable, 0, 'Could not resolve',
            ],
            'no answer in time' => ['', ['8:CURL error: Operation timed out after 29001 milliseconds with 0 bytes received'],
                $unreachable, 0, 'in time'],
            'a bad https certificate' => ['', ['8:CURL error: SSL certificate problem: self-signed certificate'], $unreachable, 0,
                'SSL verification'],
            'an error of the proxy' => [
                '', ["5:Didn't receive 200 OK from remote server. (HTTP/1.1 502 Bad Gateway)"], $unreachable, 0,
                '502',
            ],
            'a page that is not there' => [
                '', ["5:Didn't receive 200 OK from remote server. (HTTP/1.1 404 Not Found)"], $garbled, 0,
                '404',
            ],
            'an error page' => [
                '', ["3:XML Parse error in payload: Mismatched tag\nAt line number: 3\nWhich reads: <hr>"], $garbled, 0,
                'Mismatched tag',
            ],
            'a fault in the clear' => [
                '', ['4: remote server error: code: 7020, message: not a peer, message: here'], $refused, 7020,
                'mnetd peer add https://www.example.com/moodle',
            ],
            'a fault in the clear without its code' => ['', ['4: remote server error: code: , message: so'], $refused, 0, 'so'],
            'a sender unknown to mnetd' => ['', ['4: remote server error: code: , message: https://www.example.com/moodle'
                . ' is not a peer of the mnetd that was called'], $refused, 7020, 'mnetd peer add https://www.example.com/moodle'],
            'a sender unknown to a Moodle' => [
                '', ['4: remote server error: code: , message: x/wrong-wwwroot'], $refused, 7020, 'peer add',
            ],
            'sealed to an old certificate' => [
                '', ['4: remote server error: code: , message: mnet/encryption-invalid'], $refused, 7023,
                'too old',
            ],
            'not sealed' => ['', ['1:Payload not encrypted '], $garbled, 0, 'not encrypted'],
            'not for us' => ['', ['3:No key match'], $garbled, 0, 'No key match'],
            'another key' => [['anything'], ['Invalid signature'], $garbled, 0, 'compare the two keys'],
            'a fault that another key signed' => [$fault(707), ['707 : because', 'Invalid signature'], $garbled, 0, 'compare'],
            'the other clock is ahead' => [
                '', ['6:Time gap with The register (20.5 seconds) is greater than the permitted maximum of 15 seconds'],
                $garbled, 0,
                '21 seconds ahead',
            ],
            'not subscribed' => [
                '', ['7:User with ID 2 attempted to call unauthorised method x on host y'], $here, 0, 'tick Subscribe',
            ],
            'the service is not allowed' => [$fault(707), ['707 : because'], $refused, 707,
                'mnetd peer allow https://www.example.com/moodle register --publish'],
            'no such method' => [$fault(7012), ['x'], $refused, 7012, 'mnetd peer allow https://www.example.com/moodle register'],
            'no such system method' => [$fault(7018), ['x'], $refused, 7018, 'mnetd peer allow'],
            'our clock is ahead' => [$fault(8011, sprintf($clock, '2026-11-24T09:58:00Z')), ['x'], $refused, 8011,
                'The clock of this site is 120 seconds ahead of'],
            'our clock is behind' => [$fault(8011, sprintf($clock, '2026-11-24T10:06:40Z')), ['x'], $refused, 8011,
                'The clock of this site is 400 seconds behind'],
            'the clocks differ by we know not what' => [$fault(8011), ['x'], $refused, 8011, 'NTP'],
            'heard before' => [$fault(8010), ['x'], $refused, 8010, 'fault 8010'],
            'not bound' => [$fault(8012), ['x'], $refused, 8012, 'fault 8012'],
            'bound to another' => [$fault(8013), ['x'], $refused, 8013, 'another address'],
            'a key changed twice' => [$fault(7025), ['x'], $refused, 7025, 'mnetd peer check https://www.example.com/moodle'],
            'any other fault' => [$fault(4711, 'it rains'), ['x'], $refused, 4711, 'fault 4711: it rains'],
            'no reason at all' => ['', [''], $garbled, 0, self::PEER],
        ];
    }

    /**
     * Each failure has its kind, and says what to do.
     *
     * @dataProvider failures
     * @param mixed $response what the core client read
     * @param string[] $errors its errors
     * @param string $kind the kind we give it
     * @param int $code the code of the fault
     * @param string $words what the message has to say
     */
    public function test_a_failure_is_told_in_plain_words($response, array $errors, string $kind, int $code, string $words): void {
        $client = $this->client_that_hears($response, $errors);
        try {
            $client->call($this->host, 'register/new_grade', [[]]);
            $this->fail('It passed.');
        } catch (client_exception $e) {
            $this->assertSame([$kind, $code], [$e->kind, $e->faultcode]);
            $this->assertStringContainsString($words, $e->getMessage());
            $this->assertStringNotContainsString('[[', $e->getMessage());
            $this->assertStringNotContainsString('{$a', $e->getMessage());
        }
    }

    public function test_a_peer_that_was_removed_is_not_called(): void {
        global $DB;
        $DB->set_field('mnet_host', 'deleted', 1, ['id' => $this->host]);
        $client = $this->client_that_hears('yes');
        try {
            $client->call($this->host, 'register/new_grade', [[]]);
            $this->fail('It was called.');
        } catch (client_exception $e) {
            $this->assertSame(client_exception::HERE, $e->kind);
            $this->assertNull($client->sent);
        }
    }

    public function test_without_networking_or_a_certificate_nothing_is_sent(): void {
        set_config('mnet_dispatcher_mode', 'off');
        $this->assert_cannot_send('Networking is turned off');
        set_config('mnet_dispatcher_mode', 'strict');
        $this->assert_cannot_send('no certificate');
    }

    public function test_rc4_is_found_out_by_trying(): void {
        // Whether it works depends on the machine; what must not be is an answer that sealing does not bear out.
        $key = openssl_pkey_get_details(openssl_pkey_new(['private_key_bits' => 2048]))['key'];
        $sealed = '';
        $keys = [];
        try {
            $works = (bool) @openssl_seal('x', $sealed, $keys, [$key], 'RC4');
        } catch (\Throwable $e) {
            $works = false;
        }
        while (openssl_error_string() !== false) {
            continue;
        }
        $this->assertSame($works, client::rc4_works());
        $this->assertFalse(openssl_error_string());
    }

    /**
     * The real client, which stops before it sends.
     *
     * @param string $words what it has to say
     */
    protected function assert_cannot_send(string $words): void {
        try {
            (new client())->call($this->host, 'register/new_grade', [[]]);
            $this->fail('It was sent.');
        } catch (client_exception $e) {
            $this->assertSame(client_exception::HERE, $e->kind);
            $this->assertStringContainsString($words, $e->getMessage());
        }
    }

    /**
     * A client that hears something.
     *
     * @param mixed $response what the core client read
     * @param string[] $errors the core client's errors
     * @return client with the last call in ->sent: [method, parameters]
     */
    protected function client_that_hears($response, array $errors = []): client {
        $client = new class extends client {
            /** @var array|null the last call */
            public $sent = null;

            /** @var array what it hears */
            public $heard;

            /**
             * Sends nothing.
             *
             * @param \stdClass $host the peer
             * @param string $method the method
             * @param array $params its parameters
             * @param int $timeout seconds
             * @return array
             */
            protected function exchange(\stdClass $host, string $method, array $params, int $timeout): array {
                $this->sent = [$method, $params];
                return $this->heard;
            }
        };
        $client->heard = [$response, $errors];
        return $client;
    }

    /**
     * Parameters as the core client would send them, before it signs and seals.
     *
     * @param array $params the parameters
     * @return string
     */
    protected function on_the_wire(array $params): string {
        $filler = new class extends client {
            /**
             * Lets a test see the parameters.
             *
             * @param \mnet_xmlrpc_client $client the core client
             * @param array $params the parameters
             */
            public static function give(\mnet_xmlrpc_client $client, array $params): void {
                self::fill($client, array_map([self::class, 'clean'], $params));
            }
        };
        $core = new \mnet_xmlrpc_client();
        $core->set_method('register/fetch_user');
        $filler::give($core, $params);
        return (new \PhpXmlRpc\Request($core->method, $core->params))->serialize('utf-8');
    }
}
