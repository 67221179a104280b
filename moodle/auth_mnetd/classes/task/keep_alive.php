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
 * Tells identity providers who is here.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd\task;

/**
 * Every few minutes: more often than a session anywhere runs out.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class keep_alive extends \core\task\scheduled_task {
    /**
     * What it is called.
     *
     * @return string
     */
    public function get_name(): string {
        return get_string('task:keepalive', 'auth_mnetd');
    }

    /**
     * Does it.
     */
    public function execute(): void {
        global $CFG;
        $now = time();
        \auth_mnetd\tokens::forget($now);
        if (($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict' || !is_enabled_auth('mnetd')) {
            return;
        }
        foreach (\auth_mnetd\keep_alive::tell($now, null, 'mtrace') as $hostid => $users) {
            mtrace("host $hostid: " . ($users < 0 ? 'not reached' : "told of $users users"));
        }
    }
}
