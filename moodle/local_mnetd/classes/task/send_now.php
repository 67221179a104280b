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

use local_mnetd\courier;
use local_mnetd\scope;

/**
 * Sends what waits at once, after something changed.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class send_now extends \core\task\adhoc_task {
    /** @var int seconds to wait for whoever is sending: what this task was made for may have come too late for them */
    const PATIENCE = 5;

    /**
     * The component, for Moodle's lists of tasks.
     *
     * @return string
     */
    public function get_component() {
        return 'local_mnetd';
    }

    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('task_sendnow', 'local_mnetd');
    }

    /**
     * Serves all registers. What fails is noted and left to the scheduled task: this one is done either way.
     *
     * @return void
     */
    public function execute() {
        (new courier('mtrace'))->serve(scope::hosts(), time() + send::TIME, false, self::PATIENCE);
    }
}
