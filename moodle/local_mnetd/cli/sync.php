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
 * Synchronises the registers with this site, and shows how far that is.
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
use local_mnetd\synchroniser;

[$options, $unknown] = cli_get_params(
    ['full' => false, 'reconcile' => false, 'peer' => '', 'time' => '86400', 'help' => false],
    ['h' => 'help']
);
if ($unknown) {
    cli_error(get_string('cli_unknown', 'local_mnetd', implode(' ', $unknown)), 2);
}
if ($options['help']) {
    cli_writeln(get_string('cli_synchelp', 'local_mnetd'));
    exit(0);
}
if ($options['full'] == $options['reconcile']) {
    cli_error(get_string('cli_modes', 'local_mnetd'), 2);
}

try {
    $hosts = status::chosen((string) $options['peer']);
} catch (moodle_exception $e) {
    cli_error($e->getMessage(), 2);
}
foreach ($hosts as $hostid) {
    synchroniser::start($hostid, $options['full'] ? synchroniser::FULL : synchroniser::RECONCILE);
}

// Each chunk is shown as it is looked at; a step that had nothing to do is not.
$shown = [];
$courier = new courier('cli_writeln', null, function (int $hostid) use (&$shown): bool {
    $more = synchroniser::step($hostid);
    $status = status::of($hostid);
    $line = get_string('cli_progress', 'local_mnetd', ['peer' => $status['wwwroot'], 'waiting' => $status['waiting']]
        + $status['sync']);
    if ($line !== ($shown[$hostid] ?? '')) {
        cli_writeln($line);
        $shown[$hostid] = $line;
    }
    return $more;
});
$courier->serve($hosts, time() + max(1, (int) $options['time']), true, 60);

$left = 0;
foreach ($hosts as $hostid) {
    $status = status::of($hostid);
    if ($status['sync']['error'] !== '') {
        cli_problem($status['wwwroot'] . ': ' . $status['sync']['error']);
    }
    $left += $status['waiting'] + $status['refused'] + ($status['sync']['running'] ? 1 : 0);
}
exit($left ? 1 : 0);
