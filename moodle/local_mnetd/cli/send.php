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

/**
 * Sends what waits to the registers, now.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

define('CLI_SCRIPT', true);

require(__DIR__ . '/../../../config.php');
require_once($CFG->libdir . '/clilib.php');

use local_mnetd\courier;
use local_mnetd\queue;
use local_mnetd\status;

[$options, $unknown] = cli_get_params(['peer' => '', 'time' => '3600', 'help' => false], ['h' => 'help']);
if ($unknown) {
    cli_error(get_string('cli_unknown', 'local_mnetd', implode(' ', $unknown)), 2);
}
if ($options['help']) {
    cli_writeln(get_string('cli_sendhelp', 'local_mnetd'));
    exit(0);
}

try {
    $hosts = status::chosen((string) $options['peer']);
} catch (moodle_exception $e) {
    cli_error($e->getMessage(), 2);
}
(new courier('cli_writeln'))->serve($hosts, time() + max(1, (int) $options['time']), true, 60);
$left = 0;
foreach ($hosts as $hostid) {
    $left += queue::waiting($hostid) + queue::refused($hostid);
}
exit($left ? 1 : 0);
