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

use local_mnetd\binding;
use local_mnetd\courier;
use local_mnetd\scope;
use local_mnetd\synchroniser;

/**
 * Sends what waits, every minute, and takes synchronisations further.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class send extends \core\task\scheduled_task {
    /** @var int seconds that one run may take, so that it ends before the next one begins */
    const TIME = 50;

    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('task_send', 'local_mnetd');
    }

    /**
     * Serves all registers.
     *
     * @return void
     */
    public function execute() {
        binding::forget_old();
        synchroniser::watch();
        $hosts = scope::hosts();
        if (!$hosts) {
            mtrace(get_string('noregister', 'local_mnetd'));
            return;
        }
        (new courier('mtrace'))->serve($hosts, time() + self::TIME);
    }
}
