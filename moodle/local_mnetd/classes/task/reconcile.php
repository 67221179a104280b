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

namespace local_mnetd\task;

use local_mnetd\scope;
use local_mnetd\synchroniser;

/**
 * Starts a reconciliation with every register, at night: the task that sends then does it, step by step.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class reconcile extends \core\task\scheduled_task {
    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('task_reconcile', 'local_mnetd');
    }

    /**
     * Starts them.
     *
     * @return void
     */
    public function execute() {
        synchroniser::nightly();
        mtrace(get_string('sync_started', 'local_mnetd', count(scope::hosts())));
    }
}
