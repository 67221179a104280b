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
 * What stands in Moodle's database, for comparing it with the register.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/school/input.php');
require_once(__DIR__ . '/school/truth.php');

return [
    // Everything that the register has to hold, by kind.
    'truth' => function ($in) {
        return mnetd_interop\truth::tell();
    },

    // Under which ids the register knows things, by Moodle's own ids: {kind: "user", "course" or "item", ids: []}.
    'ids' => function ($in) {
        return mnetd_interop\truth::ids($in->kind, $in->ids);
    },

    // Changes rows behind Moodle's back, so that no event fires: {sql, params: []}.
    'execute' => function ($in) {
        global $DB;
        return $DB->execute($in->sql, (array)($in->params ?? []));
    },

    // Rows of Moodle's database: {sql, params: []}. The first column has to be unique.
    'select' => function ($in) {
        global $DB;
        return array_values($DB->get_records_sql($in->sql, (array)($in->params ?? [])));
    },
];
