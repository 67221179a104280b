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
 * Calls to a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A peer as it is called: its functions are found by name, for it may have one of two plugins, or both.
 *
 * All goes through core's MNet client, which seals, checks the signature, heeds the site's permissions
 * and follows a peer's new key.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class peer {
    /** @var string[] where the functions of single sign-on may stand, the one to prefer first */
    const PREFIXES = ['auth/mnetd/auth.php/', 'auth/mnet/auth.php/'];

    /** @var string where they stand at a peer that does not tell */
    const USUAL = 'auth/mnet/auth.php/';

    /** @var int for how many seconds it is believed what a peer told about its functions */
    const BELIEVED = 300;

    /** @var int after how many seconds a peer is asked again that could not be asked */
    const ASK_AGAIN = 60;

    /** @var int seconds a peer may take to list its functions */
    const LIST_TIMEOUT = 10;

    /** @var callable|null what carries calls in tests instead of the network */
    private static $carrier = null;

    /** @var host who it is */
    private $host;

    /**
     * A peer.
     *
     * @param host $host who it is
     */
    public function __construct(host $host) {
        $this->host = $host;
    }

    /**
     * Lets tests carry calls.
     *
     * @param callable|null $carrier of (host, path, params, timeout); null: the network again
     */
    public static function carry_with(?callable $carrier): void {
        if (!PHPUNIT_TEST) {
            throw new \coding_exception('Calls are only carried by something else in tests.');
        }
        self::$carrier = $carrier;
    }

    /**
     * Where the peer offers a function, the place to prefer first.
     *
     * @param string $function its name
     * @return string[] prefixes; none: the peer listed its functions and this is not among them
     */
    public function prefixes(string $function): array {
        $now = time();
        $known = $this->known();
        if (!$known || $known->timeasked < $now - self::BELIEVED) {
            $known = $this->ask();
        }
        $found = self::among($known->methods, $function);
        // What was not there a moment ago may have been ticked since.
        if (!$found && $known->timeanswered && $known->timeasked < $now - 5) {
            $known = $this->ask();
            $found = self::among($known->methods, $function);
        }
        return $found || $known->timeanswered ? $found : [self::USUAL];
    }

    /**
     * Where the peer offered a function when it was last asked; asks nobody.
     *
     * @param string $function its name
     * @return string|null null: not known
     */
    public function known_prefix(string $function): ?string {
        $known = $this->known();
        $found = $known ? self::among($known->methods, $function) : [];
        return $found ? $found[0] : null;
    }

    /**
     * Whether the peer has core's plugin and not this one. Core's calls under its own path only, so users have to
     * go there, and come from there, by core's plugin on this side too, where it is here.
     *
     * @param string $function by which that is seen
     * @return bool
     */
    public function has_only_core(string $function): bool {
        return $this->prefixes($function) === [self::USUAL];
    }

    /**
     * Calls a function at the first place where the peer offers it.
     *
     * @param string $function its name
     * @param array $params of the call; a list becomes an array, one with keys a struct
     * @param int $timeout seconds
     * @return mixed what it answers
     * @throws fault
     * @throws unreachable
     */
    public function call(string $function, array $params, int $timeout) {
        $prefixes = $this->prefixes($function);
        if (!$prefixes) {
            throw new unreachable($this->host, get_string('peerlacks', 'auth_mnetd', $function));
        }
        return $this->call_at($prefixes[0], $function, $params, $timeout);
    }

    /**
     * Calls a function at one place.
     *
     * @param string $prefix the place
     * @param string $function its name
     * @param array $params of the call
     * @param int $timeout seconds
     * @return mixed what it answers
     * @throws fault
     * @throws unreachable
     */
    public function call_at(string $prefix, string $function, array $params, int $timeout) {
        return $this->carry($prefix . $function, $params, $timeout);
    }

    /**
     * The page of the peer on which our users land.
     *
     * @return string its address
     */
    public function land_page(): string {
        $prefixes = $this->prefixes('kill_child');
        return $this->page($prefixes ? $prefixes[0] : null, $this->host->landpath, 'land.php');
    }

    /**
     * The page of the peer from which its users jump, from what is known of it; asks nobody.
     *
     * @return string its address
     */
    public function jump_page(): string {
        return $this->page($this->known_prefix('user_authorise'), $this->host->jumppath, 'jump.php');
    }

    /**
     * Asks the peer for its functions and remembers them.
     *
     * @return \stdClass methods, error, timeasked, timeanswered
     */
    public function ask(): \stdClass {
        global $DB;
        $now = time();
        $known = $this->known() ?: (object) ['methods' => [], 'timeanswered' => 0];
        try {
            $known->methods = self::ours($this->carry('system/listMethods', [], self::LIST_TIMEOUT));
            $known->timeanswered = $now;
            $known->timeasked = $now;
            $known->error = null;
        } catch (\moodle_exception $e) {
            // What it told earlier still holds; it is asked again soon.
            $known->timeasked = $now - self::BELIEVED + self::ASK_AGAIN;
            $known->error = $e->getMessage();
        }
        $row = (object) [
            'hostid' => $this->host->id,
            'methods' => json_encode($known->methods),
            'error' => $known->error,
            'timeasked' => $known->timeasked,
            'timeanswered' => $known->timeanswered,
        ];
        $id = $DB->get_field('auth_mnetd_peer', 'id', ['hostid' => $this->host->id]);
        if ($id) {
            $row->id = $id;
            $DB->update_record('auth_mnetd_peer', $row);
        } else {
            try {
                $DB->insert_record('auth_mnetd_peer', $row);
            } catch (\dml_write_exception $e) {
                // Another request asked at the same moment and wrote it down first.
                if (!$DB->record_exists('auth_mnetd_peer', ['hostid' => $this->host->id])) {
                    throw $e;
                }
            }
        }
        return $known;
    }

    /**
     * What is remembered of the peer's functions.
     *
     * @return \stdClass|null methods, error, timeasked, timeanswered
     */
    public function known(): ?\stdClass {
        global $DB;
        $row = $DB->get_record('auth_mnetd_peer', ['hostid' => $this->host->id]);
        if (!$row) {
            return null;
        }
        $methods = json_decode($row->methods);
        return (object) [
            'methods' => is_array($methods) ? $methods : [],
            'error' => $row->error,
            'timeasked' => (int) $row->timeasked,
            'timeanswered' => (int) $row->timeanswered,
        ];
    }

    /**
     * Where a function is among paths.
     *
     * @param string[] $methods paths
     * @param string $function its name
     * @return string[] prefixes, the one to prefer first
     */
    private static function among(array $methods, string $function): array {
        return array_values(array_filter(self::PREFIXES, function (string $prefix) use ($methods, $function): bool {
            return in_array($prefix . $function, $methods, true);
        }));
    }

    /**
     * Of what a peer lists, the functions of single sign-on. Moodle lists paths, Mahara maps them to names.
     *
     * @param mixed $answer of system/listMethods
     * @return string[] paths
     */
    private static function ours($answer): array {
        $paths = [];
        foreach (is_array($answer) ? $answer : [] as $key => $value) {
            $path = is_int($key) ? $value : $key;
            foreach (self::PREFIXES as $prefix) {
                if (is_string($path) && strpos($path, $prefix) === 0 && strlen($path) <= 80) {
                    $paths[] = $path;
                }
            }
        }
        return array_values(array_unique($paths));
    }

    /**
     * A page of single sign-on: the plugin whose functions the peer offers has it; what is not known, the
     * application says.
     *
     * @param string|null $prefix where the functions stand
     * @param string $ofapplication path the application has
     * @param string $file land.php or jump.php
     * @return string its address
     */
    private function page(?string $prefix, string $ofapplication, string $file): string {
        $path = $ofapplication;
        if ($prefix === self::PREFIXES[0]) {
            $path = '/auth/mnetd/' . $file;
        } else if ($prefix === self::USUAL && $ofapplication === '/auth/mnetd/' . $file) {
            $path = '/auth/mnet/' . $file;
        }
        return $this->host->wwwroot . $path;
    }

    /**
     * Carries a call.
     *
     * @param string $path of the function
     * @param array $params of the call
     * @param int $timeout seconds
     * @return mixed what it answers
     * @throws fault
     * @throws unreachable
     */
    private function carry(string $path, array $params, int $timeout) {
        global $CFG;
        if (self::$carrier) {
            return call_user_func(self::$carrier, $this->host, $path, $params, $timeout);
        }
        require_once($CFG->dirroot . '/mnet/xmlrpc/client.php');
        try {
            $client = new \mnet_xmlrpc_client();
            $client->set_timeout($timeout);
            $client->set_method($path);
            foreach ($params as $param) {
                $client->add_param($param, is_array($param) ? 'array' : 'string');
            }
            if ($client->send($this->host->core_peer()) === true) {
                return $client->response;
            }
        } catch (\Throwable $e) {
            // Sealing fails with an error of PHP where OpenSSL has no RC4.
            throw new unreachable($this->host, $e->getMessage());
        }
        $isfault = is_array($client->response) && isset($client->response['faultCode']);
        if ($isfault && !in_array('Invalid signature', $client->error, true)) {
            throw new fault($this->host, (int) $client->response['faultCode'], (string) ($client->response['faultString'] ?? ''));
        }
        throw new unreachable($this->host, implode("\n", $client->error));
    }
}
