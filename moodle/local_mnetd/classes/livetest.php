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

/**
 * Tries the way to a register from end to end, as “Test now” does, and keeps what it found for the reports.
 *
 * Each step needs those before it; where one fails, the others are not tried. Nothing in the register is changed.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class livetest {
    /** @var string[] the steps in their order. */
    const STEPS = ['reach', 'clock', 'call', 'key', 'services', 'methods', 'binding'];

    /** @var string[] the calls that this plugin makes of a register. */
    const METHODS = [
        'register/fetch_user', 'register/update_user', 'register/remove_user',
        'register/new_section', 'register/update_section', 'register/remove_section',
        'register/new_enrolment', 'register/drop_enrolment',
        'register/new_assessment', 'register/update_assessment', 'register/remove_assessment',
        'register/new_grade', 'register/remove_grade',
    ];

    /** @var int seconds that a step may take: a person waits for the page. */
    const TIMEOUT = 10;

    /** @var int seconds that clocks may differ before it is worth a word. A date in a header is a whole second. */
    const CLOCK_NOTE = 5;

    /** @var int seconds at which either side refuses the other's messages: Moodle's own limit, and the register's. */
    const CLOCK_LIMIT = 15;

    /** @var int unix seconds of the test. */
    public $time;

    /** @var livetest_step[] what was found, in order. */
    public $steps = [];

    /**
     * What was found.
     *
     * @param int $time unix seconds of the test
     * @param livetest_step[] $steps what was found, in order
     */
    public function __construct(int $time, array $steps) {
        $this->time = $time;
        $this->steps = $steps;
    }

    /**
     * Tries the way to a register and writes down what was found.
     *
     * @param \stdClass $host its row of mnet_host
     * @param client|null $client makes the calls
     * @param callable|null $fetch gets a page: takes address and host, gives an array like get_page()'s
     * @return self
     */
    public static function run(\stdClass $host, ?client $client = null, ?callable $fetch = null): self {
        $client = $client ?: new client();
        $page = call_user_func($fetch ?: [self::class, 'get_page'], $host->wwwroot . '/mnet/publickey.php', $host);
        $steps = [self::reach($host, $page)];
        if ($steps[0]->status === result::OK) {
            $steps[] = self::clock($page);
            $steps = array_merge($steps, self::calls($host, $client));
            // The call may have brought the register's new key, so its certificate is compared only now.
            $steps[] = self::key($host, $page);
        }
        $steps = self::in_order($steps);
        $test = new self(time(), $steps);
        $test->store($host->id);
        return $test;
    }

    /**
     * What the last test of a register found.
     *
     * @param int $hostid its id in mnet_host
     * @return self|null null where there was none
     */
    public static function last(int $hostid): ?self {
        $stored = json_decode((string) get_config('local_mnetd', 'test_' . $hostid), true);
        if (!isset($stored['time'], $stored['steps'])) {
            return null;
        }
        $steps = [];
        foreach ($stored['steps'] as $step) {
            $steps[] = new livetest_step($step['kind'], $step['outcome'], $step['status'], $step['a']);
        }
        return new self((int) $stored['time'], $steps);
    }

    /**
     * The worst of the steps, the first of several.
     *
     * @return livetest_step
     */
    public function worst(): livetest_step {
        $worst = $this->steps[0];
        foreach ($this->steps as $step) {
            if ($step->weight() > $worst->weight()) {
                $worst = $step;
            }
        }
        return $worst;
    }

    /**
     * Gets a page of the register, without a key and without following it elsewhere.
     *
     * @param string $url the page
     * @param \stdClass $host the register's row of mnet_host
     * @return array status (0 without an answer), error, body, date (the answer's own, unix seconds or null), and now (this
     *      site's clock, in the middle of the exchange)
     */
    public static function get_page(string $url, \stdClass $host): array {
        global $CFG;
        require_once($CFG->libdir . '/filelib.php');
        require_once($CFG->dirroot . '/mnet/lib.php');
        // Moodle's block list does not hold MNet's own calls back either; a check of its own tells of it.
        // Nor do they go through a proxy.
        $curl = new \curl(['ignoresecurity' => true, 'proxy' => false]);
        $verify = (int) $host->sslverification;
        $began = microtime(true);
        $body = $curl->get($url, [], [
            'CURLOPT_TIMEOUT' => self::TIMEOUT,
            'CURLOPT_CONNECTTIMEOUT' => self::TIMEOUT,
            'CURLOPT_FOLLOWLOCATION' => 0,
            'CURLOPT_SSL_VERIFYPEER' => $verify === \mnet_peer::SSL_HOST_AND_PEER ? 1 : 0,
            'CURLOPT_SSL_VERIFYHOST' => $verify === \mnet_peer::SSL_NONE ? 0 : 2,
        ]);
        $ended = microtime(true);
        $date = null;
        foreach ($curl->getResponse() as $name => $value) {
            if (strtolower($name) === 'date') {
                $date = strtotime(is_array($value) ? end($value) : $value) ?: null;
            }
        }
        $failed = (bool) $curl->get_errno();
        return [
            'status' => $failed ? 0 : (int) ($curl->info['http_code'] ?? 0),
            'error' => $failed ? (string) $curl->error : '',
            'body' => (string) $body,
            'date' => $date,
            'now' => ($began + $ended) / 2,
        ];
    }

    /**
     * Did the register's address answer?
     *
     * @param \stdClass $host its row of mnet_host
     * @param array $page what get_page() gave
     * @return livetest_step
     */
    private static function reach(\stdClass $host, array $page): livetest_step {
        $a = ['url' => $host->wwwroot, 'status' => $page['status'], 'error' => $page['error']];
        if ($page['status'] === 0) {
            return new livetest_step('reach', 'silent', result::ERROR, $a);
        }
        if ($page['status'] >= 300 && $page['status'] < 400) {
            return new livetest_step('reach', 'elsewhere', result::ERROR, $a);
        }
        if ($page['status'] !== 200 || !@openssl_x509_parse($page['body'])) {
            return new livetest_step('reach', 'stranger', result::ERROR, $a);
        }
        return new livetest_step('reach', 'ok', result::OK, $a);
    }

    /**
     * Do the clocks agree?
     *
     * @param array $page what get_page() gave
     * @return livetest_step
     */
    private static function clock(array $page): livetest_step {
        if ($page['date'] === null) {
            return new livetest_step('clock', 'undated', result::UNKNOWN);
        }
        // The header leaves out the fraction of its second, so its moment is half a second later on average.
        $ahead = (int) round($page['date'] + 0.5 - $page['now']);
        $a = ['seconds' => abs($ahead), 'limit' => self::CLOCK_LIMIT];
        if (abs($ahead) <= self::CLOCK_NOTE) {
            return new livetest_step('clock', 'ok', result::OK, $a);
        }
        $status = abs($ahead) > self::CLOCK_LIMIT ? result::ERROR : result::WARNING;
        return new livetest_step('clock', $ahead > 0 ? 'ahead' : 'behind', $status, $a);
    }

    /**
     * Is the certificate that the register hands out the one that is stored here?
     *
     * @param \stdClass $host its row of mnet_host, as it was before the calls
     * @param array $page what get_page() gave
     * @return livetest_step
     */
    private static function key(\stdClass $host, array $page): livetest_step {
        global $DB;
        $stored = (string) $DB->get_field('mnet_host', 'public_key', ['id' => $host->id]);
        $theirs = @openssl_x509_fingerprint($page['body'], 'sha256');
        $ours = @openssl_x509_fingerprint($stored, 'sha256');
        $a = ['theirs' => self::fingerprint($theirs), 'ours' => self::fingerprint($ours), 'url' => $host->wwwroot];
        if ($ours === $theirs) {
            return new livetest_step('key', trim($stored) === trim($host->public_key) ? 'ok' : 'renewed', result::OK, $a);
        }
        return new livetest_step('key', 'other', result::ERROR, $a);
    }

    /**
     * The steps that are sealed calls. They end with the first one that fails.
     *
     * @param \stdClass $host the register's row of mnet_host
     * @param client $client makes the calls
     * @return livetest_step[]
     */
    private static function calls(\stdClass $host, client $client): array {
        $steps = [];
        $tries = [
            'call' => ['system/listServices', []],
            'methods' => ['system/listMethods', []],
            // Bound, and with nothing in it: the register looks at who calls, to whom, when, and does nothing.
            'binding' => ['system/multicall', [[]]],
        ];
        foreach ($tries as $kind => [$method, $params]) {
            try {
                $answer = $client->call($host->id, $method, $params, self::TIMEOUT);
            } catch (client_exception $e) {
                $steps[] = new livetest_step($kind, 'failed', result::ERROR, ['reason' => $e->getMessage()]);
                return $steps;
            }
            if ($kind === 'call') {
                $steps[] = new livetest_step('call', 'ok', result::OK);
                $steps[] = self::services($host, $answer);
            } else if ($kind === 'methods') {
                $steps[] = self::methods($host, $answer);
            } else {
                $steps[] = new livetest_step('binding', 'ok', result::OK);
            }
            if (end($steps)->status === result::ERROR) {
                return $steps;
            }
        }
        return $steps;
    }

    /**
     * What the register says of the service between us.
     *
     * @param \stdClass $host its row of mnet_host
     * @param mixed $answer what system/listServices brought
     * @return livetest_step
     */
    private static function services(\stdClass $host, $answer): livetest_step {
        global $CFG;
        $publishes = $subscribes = false;
        foreach (is_array($answer) ? $answer : [] as $service) {
            if (is_array($service) && ($service['name'] ?? '') === 'register') {
                $publishes = !empty($service['publish']);
                $subscribes = !empty($service['subscribe']);
            }
        }
        $a = ['here' => $CFG->wwwroot, 'url' => $host->wwwroot];
        if (!$publishes) {
            return new livetest_step('services', 'nopublish', result::ERROR, $a);
        }
        if (!$subscribes) {
            return new livetest_step('services', 'nosubscribe', result::WARNING, $a);
        }
        return new livetest_step('services', 'ok', result::OK, $a);
    }

    /**
     * Does the register have all the calls that are made of it?
     *
     * @param \stdClass $host its row of mnet_host
     * @param mixed $answer what system/listMethods brought
     * @return livetest_step
     */
    private static function methods(\stdClass $host, $answer): livetest_step {
        $theirs = [];
        foreach (is_array($answer) ? $answer : [] as $key => $value) {
            // Some peers answer with the path as the name of a member.
            $theirs[] = is_string($key) ? $key : (is_string($value) ? $value : '');
        }
        $missing = array_diff(self::METHODS, $theirs);
        if ($missing) {
            return new livetest_step(
                'methods',
                'missing',
                result::ERROR,
                ['missing' => implode(', ', $missing), 'url' => $host->wwwroot]
            );
        }
        return new livetest_step('methods', 'ok', result::OK, ['count' => count(self::METHODS)]);
    }

    /**
     * Puts the steps in order and adds those that were not tried, so that a test always has the same lines.
     *
     * @param livetest_step[] $steps those that were
     * @return livetest_step[] all of them
     */
    private static function in_order(array $steps): array {
        $tried = [];
        foreach ($steps as $step) {
            $tried[$step->kind] = $step;
        }
        $all = [];
        foreach (self::STEPS as $kind) {
            $all[] = $tried[$kind] ?? new livetest_step($kind, 'untried', result::NA);
        }
        return $all;
    }

    /**
     * A fingerprint as it is shown elsewhere: pairs of digits with colons between.
     *
     * @param string|false $digits hexadecimal digits
     * @return string
     */
    private static function fingerprint($digits): string {
        return $digits ? strtoupper(implode(':', str_split($digits, 2))) : '';
    }

    /**
     * Writes it down.
     *
     * @param int $hostid the register's id in mnet_host
     * @return void
     */
    private function store(int $hostid): void {
        $steps = [];
        foreach ($this->steps as $step) {
            $steps[] = ['kind' => $step->kind, 'outcome' => $step->outcome, 'status' => $step->status, 'a' => $step->a];
        }
        set_config(
            'test_' . $hostid,
            json_encode(['time' => $this->time, 'steps' => $steps], JSON_PARTIAL_OUTPUT_ON_ERROR),
            'local_mnetd'
        );
    }
}
