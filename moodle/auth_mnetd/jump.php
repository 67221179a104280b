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
 * The way out: sends who is signed in to a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

require(__DIR__ . '/../../config.php');

$hostid = optional_param('hostid', 0, PARAM_INT);
$hostwwwroot = optional_param('hostwwwroot', '', PARAM_RAW_TRIMMED);
$wantsurl = optional_param('wantsurl', '', PARAM_RAW_TRIMMED);

$params = array_filter(['hostid' => $hostid, 'hostwwwroot' => $hostwwwroot, 'wantsurl' => $wantsurl]);
$PAGE->set_url(new moodle_url('/auth/mnetd/jump.php', $params));
$PAGE->set_context(context_system::instance());

if (($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict') {
    throw new \auth_mnetd\refusal('networkoff');
}
if (!isloggedin() || isguestuser()) {
    $SESSION->wantsurl = $PAGE->url->out(false);
    redirect(get_login_url());
}
// What stands before any other page stands before this one: policies, a new password, a second factor.
require_login(null, false);

$host = $hostid ? \auth_mnetd\host::find($hostid) : \auth_mnetd\host::find_by_wwwroot($hostwwwroot);
if (!$host) {
    throw new \auth_mnetd\refusal('unknownhost', s($hostid ? "#$hostid" : $hostwwwroot));
}
\auth_mnetd\departure::require_allowed($host);
if (\auth_mnetd\functions::is_core_in_use() && (new \auth_mnetd\peer($host))->has_only_core('kill_child')) {
    $place = \auth_mnetd\wantsurl::on($wantsurl, $host->wwwroot);
    if ($place === null) {
        throw new \auth_mnetd\refusal('wantsurlelsewhere', s($host->name));
    }
    redirect(new moodle_url('/auth/mnet/jump.php', ['hostid' => $host->id, 'wantsurl' => $place]));
}
if (!is_enabled_auth('mnetd')) {
    throw new \auth_mnetd\refusal('disabled');
}
redirect(\auth_mnetd\departure::begin($host, $wantsurl, $_SERVER['HTTP_USER_AGENT'] ?? ''));
