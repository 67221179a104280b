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
 * Calls a peer over Moodle's own MNet client, binds what has to be bound, and says in plain words what went wrong.
 *
 * Sealing, signing and the change of keys (fault 7025) are the core client's work. It reports what went wrong as a list of
 * texts of many origins; explain() is the one place that reads them.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class client {
    /** @var int seconds a peer has for its answer */
    const TIMEOUT = 30;

    /** @var int the most calls in one message that a register takes */
    const MOST_CALLS = 2000;

    /**
     * Calls one method.
     *
     * Calls of a register, and system/multicall, are bound. Of the system methods no other one is.
     *
     * @param int $hostid the peer, its id in mnet_host
     * @param string $method such as register/new_grade
     * @param array $params the parameters in order. PHP's int, float and bool leave as int, double and boolean; an array with
     *      names leaves as a struct, one without as an array
     * @param int $timeout seconds the peer has for its answer
     * @return mixed what the peer answered
     * @throws client_exception
     */
    public function call(int $hostid, string $method, array $params = [], int $timeout = self::TIMEOUT) {
        $host = $this->host($hostid);
        if (strpos($method, 'system/') !== 0 || $method === 'system/multicall') {
            $params[] = binding::make($host->wwwroot);
        }
        [$response, $errors] = $this->exchange($host, $method, array_map([self::class, 'clean'], $params), $timeout);
        if ($errors) {
            throw $this->explain($host, $method, $response, $errors);
        }
        return $response;
    }

    /**
     * Makes many calls of a register in one message with one binding.
     *
     * @param int $hostid the peer, its id in mnet_host
     * @param array $calls a list of [method, struct]
     * @param int $timeout seconds the peer has for its answer
     * @return call_result[] what became of each call, in the same order
     * @throws client_exception where the message as a whole brought no result
     */
    public function multicall(int $hostid, array $calls, int $timeout = self::TIMEOUT): array {
        if (count($calls) > self::MOST_CALLS) {
            throw new \coding_exception('A register takes at most ' . self::MOST_CALLS . ' calls in one message.');
        }
        $list = [];
        foreach ($calls as [$method, $struct]) {
            // An array without members would leave as an array, where a struct is meant.
            $list[] = ['methodName' => $method, 'params' => [$struct ?: new \stdClass()]];
        }
        $answers = $this->call($hostid, 'system/multicall', [$list], $timeout);
        if (!is_array($answers) || count($answers) !== count($calls)) {
            throw $this->garbled($this->host($hostid), get_string(
                'client_wrongcount',
                'local_mnetd',
                ['calls' => count($calls), 'answers' => is_array($answers) ? count($answers) : 0]
            ));
        }
        $results = [];
        $odd = 0;
        foreach (array_values($answers) as $answer) {
            try {
                $results[] = $this->result($hostid, $answer);
            } catch (client_exception $e) {
                if (++$odd === count($calls)) {
                    throw $e;
                }
                // Of the others it is known what became of them.
                $results[] = call_result::refused(0, $e->getMessage());
            }
        }
        return $results;
    }

    /**
     * Can PHP seal and open with RC4, which MNet stands on? OpenSSL 3 has it in its legacy provider only.
     *
     * @return bool
     */
    public static function rc4_works(): bool {
        $key = @openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
        if (!$key) {
            return false;
        }
        return self::can_seal(openssl_pkey_get_details($key)['key']);
    }

    /**
     * Tries to seal a word to a certificate or public key, as every call has to.
     *
     * @param string $pem the certificate or public key
     * @return bool
     */
    protected static function can_seal(string $pem): bool {
        try {
            $sealed = '';
            $keys = [];
            return (bool) @openssl_seal('mnetd', $sealed, $keys, [$pem], 'RC4');
        } catch (\Throwable $e) {
            return false;
        } finally {
            // OpenSSL keeps a queue of errors; what is left in it would be taken for the next call's.
            while (openssl_error_string() !== false) {
                continue;
            }
        }
    }

    /**
     * Sends one call by the core client.
     *
     * @param \stdClass $host the row of mnet_host
     * @param string $method the method
     * @param array $params its parameters
     * @param int $timeout seconds
     * @return array [what was answered, the core client's errors: empty where all is well]
     * @throws client_exception where nothing could be sent
     */
    protected function exchange(\stdClass $host, string $method, array $params, int $timeout): array {
        global $CFG;

        require_once($CFG->dirroot . '/mnet/xmlrpc/client.php');

        if (empty($CFG->mnet_dispatcher_mode) || $CFG->mnet_dispatcher_mode === 'off') {
            throw new client_exception(client_exception::HERE, 'client_networkingoff');
        }
        if (!openssl_pkey_get_public($host->public_key)) {
            throw new client_exception(client_exception::HERE, 'client_nocertificate', ['peer' => $host->wwwroot]);
        }
        if (!self::can_seal($host->public_key)) {
            throw new client_exception(
                client_exception::HERE,
                self::rc4_works() ? 'client_cannotseal' : 'client_norc4',
                ['peer' => $host->wwwroot, 'openssl' => OPENSSL_VERSION_TEXT]
            );
        }

        // A fresh one for each call: sending writes the whole object back to its row, and so would undo a change of keys.
        $peer = new \mnet_peer();
        $peer->set_id($host->id);
        $client = new \mnet_xmlrpc_client();
        $client->set_timeout($timeout);
        $client->set_method($method);
        self::fill($client, $params);
        try {
            $ok = $client->send($peer);
        } catch (\dml_exception $e) {
            throw $e;
        } catch (\Throwable $e) {
            // The core client reads whatever answers with functions that throw where it is not what they expect.
            $cause = clean_param($e->getMessage(), PARAM_NOTAGS);
            throw new client_exception(
                client_exception::GARBLED,
                'client_threw',
                ['peer' => $host->wwwroot, 'cause' => $cause],
                0,
                $cause
            );
        }
        if ($ok === true) {
            return [$client->response, []];
        }
        return [$client->response, array_values($client->error) ?: ['']];
    }

    /**
     * Gives the core client the parameters of a call, each as the XML-RPC type that its PHP type stands for.
     *
     * @param \mnet_xmlrpc_client $client the core client
     * @param array $params the parameters
     * @return void
     */
    protected static function fill(\mnet_xmlrpc_client $client, array $params): void {
        foreach ($params as $param) {
            $client->add_param($param, self::type_of($param));
        }
    }

    /**
     * What the core client's errors mean, and what an administrator does about it.
     *
     * @param \stdClass $host the row of mnet_host
     * @param string $method the method that was called
     * @param mixed $response what was read, where it came so far
     * @param string[] $errors the core client's errors
     * @return client_exception
     */
    protected function explain(\stdClass $host, string $method, $response, array $errors): client_exception {
        $error = trim((string) reset($errors));
        $names = ['peer' => $host->wwwroot, 'cause' => self::shown($error)];

        if (in_array('Invalid signature', $errors, true)) {
            return new client_exception(client_exception::GARBLED, 'client_badsignature', $names, 0, 'Invalid signature');
        }
        if (is_array($response) && isset($response['faultCode'])) {
            return $this->refusal((int) $host->id, (int) $response['faultCode'], (string) ($response['faultString'] ?? ''));
        }
        if (preg_match('/remote server error: code: (-?[0-9]*)(?:, message: (.*))?\z/s', $error, $found)) {
            $text = str_replace(', message: ', ' ', $found[2] ?? '');
            return $this->refusal((int) $host->id, (int) $found[1] ?: self::code_in_the_clear($text), $text);
        }
        if (strpos($error, '7:User with ID') === 0) {
            return new client_exception(client_exception::HERE, 'client_notsubscribed', $names + ['method' => $method]);
        }
        if (preg_match('/\A6:.*\((-?[0-9.]+) seconds\)/s', $error, $found)) {
            return new client_exception(
                client_exception::GARBLED,
                'client_clockahead',
                $names + ['seconds' => (int) round((float) $found[1])]
            );
        }
        if (stripos($error, 'timed out') !== false) {
            return new client_exception(client_exception::UNREACHABLE, 'client_timeout', $names, 0, self::shown($error));
        }
        if (stripos($error, 'CURL error') !== false || stripos($error, 'Connect error') !== false) {
            $ssl = stripos($error, 'SSL') !== false || stripos($error, 'certificate') !== false;
            return new client_exception(
                client_exception::UNREACHABLE,
                $ssl ? 'client_https' : 'client_unreachable',
                $names,
                0,
                self::shown($error)
            );
        }
        if (preg_match('~\(HTTP/[0-9.]+ (5[0-9][0-9])~', $error)) {
            return new client_exception(client_exception::UNREACHABLE, 'client_http', $names, 0, self::shown($error));
        }
        return $this->garbled($host, $error);
    }

    /**
     * The code of a fault that came in the clear. The core client reads it only where no white space stands around it, so it is
     * told by the text: a sealed message is answered in the clear by who does not know its sender, or cannot open it.
     *
     * @param string $text the text of the fault, as mnetd or Moodle writes it
     * @return int 0 where the text is none of theirs
     */
    protected static function code_in_the_clear(string $text): int {
        if (preg_match('/is not a peer of|takes no calls in the name of|wrong-wwwroot/', $text)) {
            return 7020;
        }
        return preg_match('/encryption-invalid|the envelope holds nothing/', $text) ? 7023 : 0;
    }

    /**
     * A fault that the peer answered the whole message with.
     *
     * @param int $hostid the peer, its id in mnet_host
     * @param int $code the code of the fault
     * @param string $text its text
     * @return client_exception
     */
    public function refusal(int $hostid, int $code, string $text): client_exception {
        global $CFG;

        $host = $this->host($hostid);
        $text = self::shown($text);
        $known = [704, 707, 710, 711, 713, 7012, 7020, 7021, 7023, 7025, 8010, 8011, 8012, 8013];
        $identifier = in_array($code, $known, true) ? 'client_fault' . $code : 'client_fault';
        if ($code === 7018) {
            // The peer knows no system/multicall, so it is not mnetd.
            $identifier = 'client_fault7012';
        }
        $a = ['peer' => $host->wwwroot, 'here' => $CFG->wwwroot, 'code' => $code, 'text' => $text];
        if ($code === 8011 && ($seconds = self::clocks_apart($text)) !== null) {
            $identifier = $seconds > 0 ? 'client_fault8011ahead' : 'client_fault8011behind';
            $a['seconds'] = abs($seconds);
        }
        return new client_exception(client_exception::REFUSED, $identifier, $a, $code, $text);
    }

    /**
     * How far this site's clock is ahead of the peer's, from a fault that names both moments.
     *
     * @param string $text the text of a fault 8011
     * @return int|null seconds, less than nought where it is behind; null where the text does not say
     */
    protected static function clocks_apart(string $text): ?int {
        $found = preg_match_all(
            '/\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z| UTC)/',
            $text,
            $moments
        );
        if ($found !== 2) {
            return null;
        }
        return strtotime($moments[0][0]) - strtotime($moments[0][1]);
    }

    /**
     * Something answered that is no answer.
     *
     * @param \stdClass $host the row of mnet_host
     * @param string $cause what the core client says, or what is wrong with the answer
     * @return client_exception
     */
    protected function garbled(\stdClass $host, string $cause): client_exception {
        $cause = self::shown($cause);
        return new client_exception(
            client_exception::GARBLED,
            'client_garbled',
            ['peer' => $host->wwwroot, 'cause' => $cause],
            0,
            $cause
        );
    }

    /**
     * Reads what became of one call.
     *
     * @param int $hostid the peer, its id in mnet_host
     * @param mixed $answer as it came
     * @return call_result
     * @throws client_exception where it is neither a result nor a fault
     */
    protected function result(int $hostid, $answer): call_result {
        if (is_array($answer) && isset($answer['faultCode'])) {
            return call_result::refused((int) $answer['faultCode'], self::shown((string) ($answer['faultString'] ?? '')));
        }
        // The results of a multicall stand in a list of one each.
        if (is_array($answer) && isset($answer[0]['status']) && $answer[0]['status'] !== '') {
            return call_result::done((string) $answer[0]['status'], (int) ($answer[0]['id'] ?? 0));
        }
        throw $this->garbled($this->host($hostid), get_string('client_noresult', 'local_mnetd'));
    }

    /**
     * The row of a peer, read anew: a change of keys may have changed it.
     *
     * @param int $hostid its id in mnet_host
     * @return \stdClass
     * @throws client_exception where there is none, or it was removed
     */
    protected function host(int $hostid): \stdClass {
        global $DB;

        $host = $DB->get_record('mnet_host', ['id' => $hostid, 'deleted' => 0]);
        if (!$host || $host->wwwroot === '') {
            throw new client_exception(client_exception::HERE, 'client_nopeer', ['id' => $hostid]);
        }
        return $host;
    }

    /**
     * The XML-RPC type that a PHP value leaves as, by the names that the core client has for them.
     *
     * @param mixed $value a parameter
     * @return string
     */
    protected static function type_of($value): string {
        if (is_int($value)) {
            return 'int';
        } else if (is_float($value)) {
            return 'double';
        } else if (is_bool($value)) {
            return 'boolean';
        } else if (is_array($value)) {
            return !$value || array_keys($value) === range(0, count($value) - 1) ? 'array' : 'struct';
        } else if (is_object($value)) {
            return 'struct';
        }
        return 'string';
    }

    /**
     * Takes out of texts, at any depth, what XML cannot hold: one such character would make the whole message unreadable.
     *
     * @param mixed $value a parameter, or an answer
     * @return mixed
     */
    public static function clean($value) {
        if (is_string($value)) {
            return preg_replace(
                '/[^\x{9}\x{A}\x{D}\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]/u',
                "\u{FFFD}",
                fix_utf8($value)
            );
        } else if (is_array($value)) {
            return array_map([self::class, 'clean'], $value);
        }
        return $value === null ? '' : $value;
    }

    /**
     * What a peer wrote, short enough and clean enough to be stored and shown.
     *
     * @param string $text as it came
     * @return string
     */
    protected static function shown(string $text): string {
        $text = preg_replace('/\s+/u', ' ', self::clean($text));
        return \core_text::substr(trim($text), 0, 1000);
    }
}
