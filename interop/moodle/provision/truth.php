<?php
// What stands in Moodle's database, for comparing it with the register.

defined('MOODLE_INTERNAL') || die();

return [
];
