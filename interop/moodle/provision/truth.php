<?php
// What stands in Moodle's database, for comparing it with the register.

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
