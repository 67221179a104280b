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
 * The way in: signs in whom a peer vouches for.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

// Who lands is not signed in yet.
// phpcs:ignore moodle.Files.RequireLogin.Missing
require(__DIR__ . '/../../config.php');

$token = required_param('token', PARAM_RAW_TRIMMED);
$idp = required_param('idp', PARAM_RAW_TRIMMED);
$wantsurl = optional_param('wantsurl', '', PARAM_RAW_TRIMMED);
$isremote = optional_param('remoteurl', false, PARAM_BOOL);

// The token stays out of what pages, logs and blocks make of their address.
$PAGE->set_url(new moodle_url('/auth/mnetd/land.php'));
$PAGE->set_context(context_system::instance());

if (($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict') {
    throw new \auth_mnetd\refusal('networkoff');
}
$host = \auth_mnetd\host::find_by_wwwroot($idp);
if (!$host) {
    throw new \auth_mnetd\refusal('unknownhost', s($idp));
}
if (!is_enabled_auth('mnetd')) {
    // A peer sees that the code is here, and not which plugin is the one in use.
    if (\auth_mnetd\functions::is_core_in_use() && (new \auth_mnetd\peer($host))->has_only_core('user_authorise')) {
        $params = ['token' => $token, 'idp' => $idp, 'wantsurl' => $wantsurl] + ($isremote ? ['remoteurl' => 1] : []);
        redirect(new moodle_url('/auth/mnet/land.php', $params));
    }
    throw new \auth_mnetd\refusal('disabled');
}
$missing = $host->missing_to_come();
if ($missing) {
    $a = (object) ['host' => s($host->name), 'missing' => \auth_mnetd\departure::ticks($missing)];
    throw new \auth_mnetd\refusal('notagreed', $a);
}

$landing = new \auth_mnetd\landing($host);
$landing->sign_in($token, $_SERVER['HTTP_USER_AGENT'] ?? '');

// To this site, or back to a place at the peer; a place anywhere else becomes the front page.
$site = $isremote ? $host->wwwroot : $CFG->wwwroot;
redirect($site . (\auth_mnetd\wantsurl::on($wantsurl, $site) ?? '/'));
