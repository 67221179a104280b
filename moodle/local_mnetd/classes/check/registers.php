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
use local_mnetd\scope as sent;

/**
 * Is there a register to send to?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class registers extends base {
    /**
     * Looks for hosts that the service is ticked for, or that are meant for it.
     *
     * @return result
     */
    protected function look(): result {
        global $CFG, $DB;
        $registers = sent::hosts();
        if ($registers) {
            return $this->found(result::OK, 'ok', count($registers));
        }
        if (!$DB->record_exists('mnet_application', ['name' => 'mnetd'])) {
            $this->mend_at('/admin/plugins.php', [], get_string('pluginsoverview', 'core_admin'));
            return $this->found(result::ERROR, 'noapplication');
        }
        $this->mend_at('/admin/mnet/peers.php', [], get_string('managemnetpeers', 'mnet'));
        return $this->found(result::ERROR, 'none', s($CFG->wwwroot));
    }
}
