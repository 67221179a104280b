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
 * Tells how the exchange with the registers stands.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

define('CLI_SCRIPT', true);

require(__DIR__ . '/../../../config.php');
require_once($CFG->libdir . '/clilib.php');

use local_mnetd\scope;
use local_mnetd\status;

[$options, $unknown] = cli_get_params(['peer' => '', 'json' => false, 'help' => false], ['h' => 'help']);
if ($unknown) {
    cli_error(get_string('cli_unknown', 'local_mnetd', implode(' ', $unknown)), 2);
}
if ($options['help']) {
    cli_writeln(get_string('cli_statushelp', 'local_mnetd'));
    exit(0);
}

// No register at all is an answer too, for a program.
$hosts = [];
if (scope::hosts() || !$options['json'] || $options['peer'] !== '') {
    try {
        $hosts = status::chosen((string) $options['peer']);
    } catch (moodle_exception $e) {
        cli_error($e->getMessage(), 2);
    }
}
$all = array_map([status::class, 'of'], $hosts);
if ($options['json']) {
    cli_writeln(json_encode($all, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES
        | JSON_INVALID_UTF8_SUBSTITUTE));
} else {
    foreach ($all as $status) {
        foreach (status::lines($status) as $line) {
            cli_writeln($line);
        }
    }
}
