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
 * Keeps what is known in order.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd\task;

/**
 * Once an hour.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class tidy_up extends \core\task\scheduled_task {
    /**
     * What it is called.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('task:tidyup', 'auth_mnetd');
    }

    /**
     * Does it.
     */
    public function execute(): void {
        global $CFG, $DB;
        \auth_mnetd\sessions::tidy_up(time());
        $made = \auth_mnetd\functions::permit_calls();
        $withdrawn = \auth_mnetd\functions::withdraw_orphans();
        if ($made || $withdrawn) {
            mtrace("$made calls to peers were not permitted any more, $withdrawn functions of auth_mnet had no code");
        }
        if (($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict' || !is_enabled_auth('mnetd')) {
            return;
        }
        $hosts = \auth_mnetd\host::all();
        foreach ($hosts as $host) {
            if ($host->takes_our_users() || $host->sends_its_users()) {
                $known = (new \auth_mnetd\peer($host))->ask();
                mtrace("{$host->wwwroot}: " . ($known->error ?: count($known->methods) . ' functions'));
            }
        }
        $gone = array_diff($DB->get_fieldset_select('auth_mnetd_peer', 'hostid', '1 = 1'), array_keys($hosts));
        if ($gone) {
            $DB->delete_records_list('auth_mnetd_peer', 'hostid', $gone);
        }
    }
}
