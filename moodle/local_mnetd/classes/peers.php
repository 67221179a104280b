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
 * The hosts that the status page has a word about.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peers {
    /**
     * Every host that is a register, and every one that looks as if it were meant to become one: its application is mnetd, or
     * the service is published to it.
     *
     * @return \stdClass[] rows of mnet_host by id
     */
    public static function all(): array {
        global $CFG, $DB;
        $sql = "SELECT h.*
                  FROM {mnet_host} h
                 WHERE h.deleted = 0 AND h.wwwroot <> :nowhere AND h.id <> :allhosts AND h.id <> :own
                       AND (EXISTS (SELECT 1
                                      FROM {mnet_application} a
                                     WHERE a.id = h.applicationid AND a.name = :application)
                         OR EXISTS (SELECT 1
                                      FROM {mnet_host2service} hs
                                      JOIN {mnet_service} s ON s.id = hs.serviceid
                                     WHERE hs.hostid = h.id AND s.name = :service
                                           AND (hs.publish = 1 OR hs.subscribe = 1)))
              ORDER BY h.name, h.id";
        return $DB->get_records_sql($sql, [
            'nowhere' => '',
            'allhosts' => $CFG->mnet_all_hosts_id ?? 0,
            'own' => $CFG->mnet_localhost_id ?? 0,
            'application' => 'mnetd',
            'service' => 'register',
        ]);
    }

    /**
     * One of them.
     *
     * @param int $hostid its id in mnet_host
     * @return \stdClass the row
     * @throws \moodle_exception where it is none of them, or no longer
     */
    public static function get(int $hostid): \stdClass {
        $all = self::all();
        if (!isset($all[$hostid])) {
            throw new \moodle_exception('unknownpeer', 'local_mnetd', new \moodle_url('/local/mnetd/index.php'));
        }
        return $all[$hostid];
    }

    /**
     * What a host is called.
     *
     * @param \stdClass $host a row of mnet_host
     * @return string plain text
     */
    public static function name(\stdClass $host): string {
        $name = trim(html_entity_decode((string) $host->name, ENT_QUOTES, 'UTF-8'));
        return $name === '' ? $host->wwwroot : $name;
    }
}
