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
 * Has everything been sent once, and is it compared each night?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_sync extends peer_base {
    /** @var int seconds: three nights without a comparison mean that the nightly task does not do its work. */
    const LATE = 259200;

    /**
     * Looks at the last synchronisation.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $run = $DB->get_record('local_mnetd_sync', ['hostid' => $this->host->id]);
        if (!$run || !($run->timestarted || $run->timewanted)) {
            return $this->found(result::INFO, 'never', $this->names());
        }
        $names = $this->names([
            'done' => (int) $run->done,
            'total' => max((int) $run->done, (int) $run->total),
            'mode' => get_string('mode_' . $run->mode, 'local_mnetd'),
            'ago' => self::ago((int) ($run->timefinished ?: $run->timestarted)),
            'error' => s((string) $run->error),
        ]);
        if (!$run->timefinished && $run->timestarted) {
            return (string) $run->error === '' || $run->timewanted ? $this->found(result::INFO, 'running', $names)
                : $this->found(result::ERROR, 'failed', $names);
        }
        if ($run->timewanted) {
            return $this->found(result::INFO, 'wanted', $names);
        }
        if (get_config('local_mnetd', 'nightly') && time() - $run->timefinished > self::LATE) {
            return $this->found(result::WARNING, 'late', $names);
        }
        return $this->found(result::OK, 'ok', $names);
    }
}
