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

/**
 * One thing that has to be right between this site and one register.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
abstract class peer_base extends base {
    /** @var \stdClass the register's row of mnet_host. */
    protected $host;

    /**
     * The check of that register.
     *
     * @param \stdClass $host its row of mnet_host
     */
    public function __construct(\stdClass $host) {
        $this->host = $host;
    }

    /**
     * Ids are unique within the plugin, and there may be several registers.
     *
     * @return string
     */
    public function get_id(): string {
        return $this->get_kind() . '_' . $this->host->id;
    }

    /**
     * What the check is called, with the register's name.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('checkofpeer', 'local_mnetd', ['check' => $this->get_short_name(), 'peer' => $this->peer_name()]);
    }

    /**
     * The register's name as plain text. It came from that site's home page.
     *
     * @return string
     */
    protected function peer_name(): string {
        return s(\local_mnetd\peers::name($this->host));
    }

    /**
     * What most strings want filled in.
     *
     * @param array $more what else
     * @return array
     */
    protected function names(array $more = []): array {
        global $CFG;
        return $more + ['peer' => $this->peer_name(), 'url' => s($this->host->wwwroot), 'here' => s($CFG->wwwroot)];
    }
}
