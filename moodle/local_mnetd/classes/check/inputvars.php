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
 * Can the settings page be saved whole? PHP silently drops the fields of a form beyond max_input_vars.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class inputvars extends base {
    /** @var int fields of the settings page that are not the list of categories, with room for roles and modules. */
    const OTHER_FIELDS = 300;

    /**
     * Compares the number of categories with PHP's limit.
     *
     * @return result
     */
    protected function look(): result {
        global $DB;
        $limit = (int) ini_get('max_input_vars');
        $needed = $DB->count_records('course_categories') + self::OTHER_FIELDS;
        $a = ['limit' => $limit, 'needed' => $needed];
        if ($limit > 0 && $needed > $limit) {
            return $this->found(result::WARNING, 'low', $a);
        }
        return $this->found(result::OK, 'ok', $a);
    }
}
