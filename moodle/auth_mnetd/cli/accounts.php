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
 * Hands accounts over to another way of signing in, so that the plugin can be uninstalled.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

define('CLI_SCRIPT', true);

require(__DIR__ . '/../../../config.php');
require_once($CFG->libdir . '/clilib.php');
require_once($CFG->dirroot . '/user/lib.php');

[$options, $unrecognised] = cli_get_params(
    ['help' => false, 'to' => '', 'host' => '', 'dry-run' => false],
    ['h' => 'help']
);
if ($unrecognised) {
    cli_error(get_string('cliunknowoption', 'admin', implode("\n  ", $unrecognised)));
}
if ($options['help'] || !in_array($options['to'], ['mnet', 'local'], true)) {
    cli_writeln(get_string('cli:accounts', 'auth_mnetd'));
    exit($options['help'] ? 0 : 1);
}
if ($options['to'] === 'mnet' && !core_component::get_plugin_directory('auth', 'mnet')) {
    cli_error(get_string('cli:nomnet', 'auth_mnetd'));
}

$where = ['auth' => 'mnetd', 'deleted' => 0];
if ($options['host'] !== '') {
    $host = \auth_mnetd\host::find_by_wwwroot($options['host']);
    if (!$host) {
        cli_error(get_string('error:unknownhost', 'auth_mnetd', $options['host']));
    }
    $where['mnethostid'] = $host->id;
}
$done = 0;
$left = 0;
foreach ($DB->get_records('user', $where, 'id', 'id, username, mnethostid') as $user) {
    $change = ['id' => $user->id, 'auth' => 'mnet'];
    if ($options['to'] === 'local') {
        $change = ['id' => $user->id, 'auth' => 'manual', 'mnethostid' => $CFG->mnet_localhost_id];
        $taken = ['username' => $user->username, 'mnethostid' => $CFG->mnet_localhost_id];
        if ($DB->record_exists_select('user', 'username = :username AND mnethostid = :mnethostid', $taken)) {
            cli_problem(get_string('cli:taken', 'auth_mnetd', $user));
            $left++;
            continue;
        }
    }
    if (!$options['dry-run']) {
        // Core's own function for changing users keeps out of the host an account belongs to.
        $DB->update_record('user', (object) ($change + ['timemodified' => time()]));
        \core\event\user_updated::create_from_userid($user->id)->trigger();
    }
    $done++;
}
// Accounts that were deleted keep the plugin from going as well, and nobody signs in with them.
if (!$options['dry-run'] && $options['host'] === '') {
    $DB->set_field('user', 'auth', $options['to'] === 'mnet' ? 'mnet' : 'manual', ['auth' => 'mnetd', 'deleted' => 1]);
}
cli_writeln(get_string('cli:done', 'auth_mnetd', (object) ['done' => $done, 'left' => $left]));
exit($left ? 2 : 0);
