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
 * Does cron run? It sends what waits.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class cron extends base {
    /** @var int seconds: cron is meant to run each minute, so a few missed runs are worth a word. */
    const LATE = 600;

    /** @var int seconds after which nothing gets to the register any more, as far as anybody can tell. */
    const STOPPED = 7200;

    /**
     * Looks when cron began last.
     *
     * @return result
     */
    protected function look(): result {
        $last = (int) get_config('tool_task', 'lastcronstart');
        if (!$last) {
            return $this->found(result::ERROR, 'never');
        }
        $ago = time() - $last;
        if ($ago > self::LATE) {
            return $this->found($ago > self::STOPPED ? result::ERROR : result::WARNING, 'late', self::ago($last));
        }
        return $this->found(result::OK, 'ok', self::ago($last));
    }
}
