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

namespace local_mnetd\check;

use core\check\result;

/**
 * Are both boxes of the service ticked on the register's Services tab, and is it the right kind of application?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_services extends peer_base {
    /** @var string[] the applications whose paths mnetd answers for the register. */
    const APPLICATIONS = ['mnetd', 'moodle'];

    /**
     * Looks at the host's row and at its Services tab.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $application = $DB->get_record('mnet_application', ['id' => $this->host->applicationid]);
        if (!$application || !in_array($application->name, self::APPLICATIONS, true)) {
            $this->mend_at('/admin/mnet/peers.php', ['hostid' => $this->host->id], get_string('managemnetpeers', 'mnet'));
            $name = $application ? $application->display_name : '';
            return $this->found(result::ERROR, 'application', $this->names(['application' => s($name)]));
        }
        $ticked = $DB->get_record_sql(
            "SELECT hs.publish, hs.subscribe
               FROM {mnet_host2service} hs
               JOIN {mnet_service} s ON s.id = hs.serviceid
              WHERE s.name = :service AND hs.hostid = :hostid",
            ['service' => 'register', 'hostid' => $this->host->id],
            IGNORE_MULTIPLE
        ) ?: (object) ['publish' => 0, 'subscribe' => 0];
        if ($ticked->publish && $ticked->subscribe) {
            return $this->found(result::OK, 'ok', $this->names());
        }
        $this->mend_at('/admin/mnet/services.php', ['hostid' => $this->host->id], get_string('servicestab', 'local_mnetd'));
        if (!$ticked->subscribe) {
            return $this->found(result::ERROR, $ticked->publish ? 'nosubscribe' : 'neither', $this->names());
        }
        return $this->found(result::WARNING, 'nopublish', $this->names());
    }
}
