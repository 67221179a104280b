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
 * Are the tasks of this plugin switched on, and do they come to their end?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class tasks extends base {
    /**
     * Looks at each scheduled task of the plugin.
     *
     * @return result
     */
    protected function look(): result {
        global $CFG;
        $this->mend_at('/admin/tool/task/scheduledtasks.php', [], get_string('scheduledtasks', 'tool_task'));
        if (isset($CFG->cron_enabled) && !$CFG->cron_enabled) {
            $this->mend_at('/admin/settings.php', ['section' => 'taskprocessing'], get_string('taskprocessing', 'admin'));
            return $this->found(result::ERROR, 'cronoff');
        }
        $disabled = $failing = [];
        foreach (\core\task\manager::load_scheduled_tasks_for_component('local_mnetd') as $task) {
            if ($task->get_disabled()) {
                $disabled[] = $task->get_name();
            } else if ($task->get_fail_delay() > 0) {
                $failing[] = $task->get_name();
            }
        }
        if ($disabled) {
            return $this->found(result::ERROR, 'disabled', implode(', ', $disabled));
        }
        if ($failing) {
            return $this->found(result::WARNING, 'failing', implode(', ', $failing));
        }
        return $this->found(result::OK, 'ok');
    }
}
