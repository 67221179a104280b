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
 * The hosts this site has agreed something with.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A registered network host and what is ticked for it here.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class host {
    /** @var int id in mnet_host */
    public $id;

    /** @var string its address, as registered */
    public $wwwroot;

    /** @var string what it is called */
    public $name;

    /** @var string land page of its application */
    public $landpath;

    /** @var string jump page of its application */
    public $jumppath;

    /** @var array publish and subscribe by service, "all hosts" included */
    private $rights;

    /**
     * A host.
     *
     * @param \stdClass $row of mnet_host with the paths of its application
     * @param array $rights publish and subscribe by service
     */
    private function __construct(\stdClass $row, array $rights) {
        $this->id = (int) $row->id;
        $this->wwwroot = $row->wwwroot;
        $this->name = trim((string) $row->name) === '' ? $row->wwwroot : trim($row->name);
        $this->landpath = $row->sso_land_url;
        $this->jumppath = $row->sso_jump_url;
        $this->rights = $rights;
    }

    /**
     * All registered hosts, by name; neither this site nor "all hosts" nor one that was deleted.
     *
     * @return host[] by id
     */
    public static function all(): array {
        return self::read('', []);
    }

    /**
     * One host.
     *
     * @param int $id in mnet_host
     * @return host|null null: none that counts
     */
    public static function find(int $id): ?host {
        $found = self::read('AND h.id = :id', ['id' => $id]);
        return $found ? reset($found) : null;
    }

    /**
     * One host by its address; a slash at the end makes no difference.
     *
     * @param string $wwwroot its address
     * @return host|null null: none that counts
     */
    public static function find_by_wwwroot(string $wwwroot): ?host {
        $found = self::read('AND h.wwwroot = :wwwroot', ['wwwroot' => rtrim(trim($wwwroot), '/')]);
        return $found ? reset($found) : null;
    }

    /**
     * Whether users of this site may go there as far as this site's ticks go.
     *
     * @return bool
     */
    public function takes_our_users(): bool {
        return $this->missing_to_go() === [];
    }

    /**
     * Whether its users may come here as far as this site's ticks go.
     *
     * @return bool
     */
    public function sends_its_users(): bool {
        return $this->missing_to_come() === [];
    }

    /**
     * The ticks that are missing for users of this site to go there.
     *
     * @return string[] keys of texts
     */
    public function missing_to_go(): array {
        return $this->missing(['sso_idp' => 'publish', 'sso_sp' => 'subscribe']);
    }

    /**
     * The ticks that are missing for its users to come here.
     *
     * @return string[] keys of texts
     */
    public function missing_to_come(): array {
        return $this->missing(['sso_sp' => 'publish', 'sso_idp' => 'subscribe']);
    }

    /**
     * The row of core's own class, for its client.
     *
     * @return \mnet_peer
     */
    public function core_peer(): \mnet_peer {
        global $CFG;
        require_once($CFG->dirroot . '/mnet/lib.php');
        $peer = new \mnet_peer();
        $peer->set_id($this->id);
        return $peer;
    }

    /**
     * Which of some ticks are not there.
     *
     * @param array $wanted service => publish or subscribe
     * @return string[] keys of texts
     */
    private function missing(array $wanted): array {
        $missing = [];
        foreach ($wanted as $service => $direction) {
            if (empty($this->rights[$service][$direction])) {
                $missing[] = $direction . '_' . $service;
            }
        }
        return $missing;
    }

    /**
     * Reads hosts.
     *
     * @param string $where a further condition
     * @param array $params its parameters
     * @return host[] by id
     */
    private static function read(string $where, array $params): array {
        global $CFG, $DB;
        $all = empty($CFG->mnet_all_hosts_id) ? 0 : (int) $CFG->mnet_all_hosts_id;
        $sql = "SELECT h.id, h.wwwroot, h.name, a.sso_land_url, a.sso_jump_url
                  FROM {mnet_host} h
                  JOIN {mnet_application} a ON a.id = h.applicationid
                 WHERE h.deleted = 0 AND h.wwwroot <> :nowhere AND h.id <> :here AND h.id <> :everywhere $where
              ORDER BY h.name, h.id";
        $params += ['nowhere' => '', 'here' => (int) ($CFG->mnet_localhost_id ?? 0), 'everywhere' => $all];
        $rows = $DB->get_records_sql($sql, $params);
        if (!$rows) {
            return [];
        }
        $rights = self::rights();
        $hosts = [];
        foreach ($rows as $row) {
            $own = $rights[$row->id] ?? [];
            foreach ($rights[$all] ?? [] as $service => $ticks) {
                foreach ($ticks as $direction => $isticked) {
                    $own[$service][$direction] = !empty($own[$service][$direction]) || $isticked;
                }
            }
            $hosts[(int) $row->id] = new self($row, $own);
        }
        return $hosts;
    }

    /**
     * What is ticked for the two services of single sign-on, for all hosts.
     *
     * @return array host id => service => publish, subscribe
     */
    private static function rights(): array {
        global $DB;
        $sql = "SELECT hs.id, hs.hostid, s.name, hs.publish, hs.subscribe
                  FROM {mnet_host2service} hs
                  JOIN {mnet_service} s ON s.id = hs.serviceid
                 WHERE s.name IN (:idp, :sp)";
        $rights = [];
        foreach ($DB->get_records_sql($sql, ['idp' => 'sso_idp', 'sp' => 'sso_sp']) as $row) {
            $rights[$row->hostid][$row->name] = [
                'publish' => (bool) $row->publish,
                'subscribe' => (bool) $row->subscribe,
            ];
        }
        return $rights;
    }
}
