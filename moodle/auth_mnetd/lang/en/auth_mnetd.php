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
 * Texts of the plugin, in English.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['accounts'] = 'Accounts';
$string['accounts_desc'] = 'Somebody who comes from a network host gets the account of that host and username. Who may not come at all is listed under <em>Networking → SSO access control</em>; which profile fields are taken over under <em>Networking → Profile fields</em>.';
$string['autocreate'] = 'Make accounts';
$string['autocreate:always'] = 'For users of every host that may send them';
$string['autocreate:named'] = 'Only for users of the hosts named below';
$string['autocreate:never'] = 'Never: only who has an account may come';
$string['autocreate_desc'] = 'Whether somebody who comes for the first time gets an account.';
$string['autocreatehosts'] = 'Hosts accounts are made for';
$string['autocreatehosts_desc'] = 'Only with the choice "of the hosts named below".';
$string['check:beside_note'] = 'Core\'s plugin "MNet authentication" is enabled as well. That is fine: a peer is asked under the path it answers. The login page lists each host once, through core\'s plugin. Where you want this plugin alone, disable the other one; its accounts go on.';
$string['check:capability_note'] = 'No role has the capability "Roam to a remote application via MNet" (moodle/site:mnetlogintoremote), so nobody but administrators can go to a network host. Give it to a role in <em>Users → Permissions → Define roles</em>, for example Authenticated user.';
$string['check:capability_ok'] = 'The capability to go to network hosts (moodle/site:mnetlogintoremote) is given to: {$a}.';
$string['check:come_error'] = '{$a->host}: its users cannot come here. Tick on <em>Networking → Manage peers → {$a->host} → Services</em>: {$a->missing}.';
$string['check:come_ok'] = '{$a->host}: its users may come here.';
$string['check:comeno_note'] = '{$a->host}: its users do not come here. If they should, tick under Services: {$a->missing}.';
$string['check:enabled_error'] = 'The plugin is not enabled. Enable it in <em>Plugins → Authentication → Manage authentication</em>.';
$string['check:enabled_ok'] = 'The plugin is enabled.';
$string['check:error'] = 'To do';
$string['check:go_error'] = '{$a->host}: users of this site cannot go there. Tick on <em>Networking → Manage peers → {$a->host} → Services</em>: {$a->missing}.';
$string['check:go_ok'] = '{$a->host}: users of this site may go there.';
$string['check:gono_note'] = '{$a->host}: users of this site do not go there. If they should, tick under Services: {$a->missing}.';
$string['check:idnumber_note'] = '{$a->host}: the ID number is not among the profile fields sent there, so it cannot find your users by it. If it should, choose "idnumber" in <em>Networking → Manage peers → {$a->host} → Profile fields</em>.';
$string['check:key_note'] = 'This site\'s network key expired on {$a}. Moodle makes a new one at the next call; peers learn it by themselves.';
$string['check:key_ok'] = 'This site\'s network key is good until {$a}.';
$string['check:network_error'] = 'Networking is off. Switch it on in <em>Advanced features</em>.';
$string['check:network_ok'] = 'Networking is on.';
$string['check:nohost_note'] = 'No network host is registered. Add one in <em>Networking → Manage peers</em>.';
$string['check:note'] = 'Note';
$string['check:ok'] = 'OK';
$string['check:onlycore_note'] = '{$a->host} answers under the paths of core\'s plugin. If it is mnetd, all is well. If it is a Moodle or a Mahara, it knows no other path either and cannot ask this site about its users: install this plugin there too, or use core\'s here where this Moodle has it.';
$string['check:peer_note'] = '{$a->host} told that it offers no function of single sign-on to this site. Its administrator has to tick the services for this site.';
$string['check:peer_ok'] = '{$a->host} offers: {$a->methods}';
$string['check:peererror_error'] = '{$a->host} could not be asked for its functions: {$a->why}';
$string['check:rc4_error'] = 'PHP cannot encrypt with RC4, which MNet needs, so nothing reaches a peer. OpenSSL 3 has it only in its legacy provider: in the openssl.cnf that PHP uses, activate both the default and the legacy provider: under [provider_sect] write "default = default_sect" and "legacy = legacy_sect", then add the sections [default_sect] and [legacy_sect], each with the line "activate = 1". Then restart PHP (PHP-FPM or the web server).';
$string['check:rc4_ok'] = 'PHP can encrypt with RC4, which MNet needs.';
$string['checks'] = 'What stands, and what is to do';
$string['cli:accounts'] = 'Hands the accounts of this plugin over to another way of signing in, so that it can be uninstalled.

  --to=mnet     to core\'s MNet authentication (Moodle up to 4.5)
  --to=local    make them accounts of this site, with manual accounts as their way of signing in; they
                keep their username and get in with a new password ("Forgotten your password?")
  --host=URL    only accounts of this host
  --dry-run     only say what would be done
  -h, --help    this

A username that an account of this site has already is left and named; the exit code is 2 then.';
$string['cli:done'] = '{$a->done} accounts handed over, {$a->left} left.';
$string['cli:nomnet'] = 'This Moodle has no plugin auth_mnet to hand accounts over to. Use --to=local.';
$string['cli:taken'] = 'User {$a->id}: an account of this site has the username "{$a->username}". Rename one of the two, then run this again.';
$string['error:accesscontrol'] = '{$a->user} may not sign in from {$a->host}: the administrator of this site has excluded this user (SSO access control).';
$string['error:authdisabled'] = 'The account "{$a}" cannot be entered through another site, because its way of signing in is disabled or is another one. Please ask the administrator of this site.';
$string['error:disabled'] = 'Single sign-on is not enabled at this site. Please ask its administrator to enable "MNet single sign-on (mnetd)" in Manage authentication.';
$string['error:guest'] = 'Please sign in first: guests cannot go to another site.';
$string['error:idnumberambiguous'] = 'Several accounts of this site have the ID number "{$a}", so it cannot be said which one is yours. Please ask the administrator of this site to correct them.';
$string['error:incomplete'] = '{$a->host} did not tell enough about you to sign you in here: {$a->field} is missing or not usable. Please complete your profile there, or ask its administrator to send this field.';
$string['error:loggedinas'] = 'You are logged in as somebody else, and cannot go to another site under that name. Log out and sign in as yourself.';
$string['error:networkoff'] = 'Networking is switched off at this site. Please ask its administrator.';
$string['error:noaccount'] = 'You have no account here ({$a->user} of {$a->host}), and none is made by itself. Please ask the administrator of this site for one.';
$string['error:nocapability'] = 'You may not go to {$a} from here: your role lacks the capability "Roam to a remote application via MNet" (moodle/site:mnetlogintoremote). Please ask the administrator of this site.';
$string['error:notagreed'] = 'This site and {$a->host} have not agreed on single sign-on in this direction. Please ask the administrator of this site to tick, for that host under Services: {$a->missing}.';
$string['error:peerfault'] = '{$a->host} refused: {$a->text} ({$a->code})';
$string['error:peernotpublishing'] = '{$a} does not vouch for its users to this site. Please ask its administrator to publish "SSO (Identity Provider)" to this site.';
$string['error:peerunreachable'] = '{$a->host} ({$a->wwwroot}) could not be asked. Please try again in a few minutes; if it stays so, tell the administrator: {$a->why}';
$string['error:privileged'] = 'The account "{$a}" has rights over this site, and cannot be entered through another site. Please sign in here with your password.';
$string['error:remoteuser'] = 'You came from another site, and can only go on to {$a} from there. Please return to that site first.';
$string['error:suspended'] = 'The account "{$a}" is suspended or not confirmed. Please ask the administrator of this site.';
$string['error:tokenexpired'] = 'You took longer from {$a} to here than the half minute a sign-on is good for. Please start again there. If it happens each time, the clocks of the two sites differ.';
$string['error:tokenmalformed'] = 'The link you followed is no sign-on of {$a}. Please start again there.';
$string['error:tokenunknown'] = '{$a} does not know this sign-on: it was used already, or began in another browser. Please start again there.';
$string['error:tokenused'] = 'This sign-on from {$a} was used already. Please start again there, not from the history or a bookmark.';
$string['error:tokenuser'] = '{$a} no longer vouches for your account. Please ask its administrator.';
$string['error:unknownhost'] = 'The site "{$a}" is not registered here. Its address must be exactly the one under Networking → Manage peers; please ask the administrator of this site.';
$string['error:username'] = 'The username "{$a}" cannot be used at this site. Please ask the administrator of your own site.';
$string['error:wantsurlelsewhere'] = 'The link leads to a place that is not on {$a}. Please use a link that begins with that site\'s address, or with a single slash.';
$string['fault:nohost'] = 'This site does not know the calling host, or its administrator has deleted it.';
$string['fault:nosuchtoken'] = 'There is no such sign-on: it was used already, is another site\'s, or began in another browser.';
$string['fault:nosuchuser'] = 'The user is gone or suspended.';
$string['fault:tokenexpired'] = 'The sign-on came too late: it is good for half a minute.';
$string['matchidnumber'] = 'Use accounts of this site by ID number';
$string['matchidnumber_desc'] = 'Whoever comes from a host named below with the ID number of an account of this site is signed in to that account. Whoever runs such a host can enter these accounts, so name only hosts you trust like yourself. Accounts with rights over the site or a course category (administrators and managers), suspended accounts, and ID numbers several accounts have are refused. What the host tells about the person is not written into the account.';
$string['matchidnumberhosts'] = 'Hosts trusted with that';
$string['matchidnumberhosts_desc'] = 'None: no host.';
$string['networkservers'] = 'Network servers';
$string['nohosts'] = 'There is no site you can go to from here.';
$string['peerlacks'] = 'it does not offer {$a} to this site';
$string['pluginname'] = 'MNet single sign-on (mnetd)';
$string['privacy:metadata:auth_mnetd_course'] = 'Courses of users at other sites, as these tell them.';
$string['privacy:metadata:auth_mnetd_session'] = 'Sessions that came from another site or went to one, until they end.';
$string['privacy:metadata:auth_mnetd_token'] = 'Users on their way to another site, for about an hour.';
$string['privacy:metadata:field:fullname'] = 'The name of the course.';
$string['privacy:metadata:field:hostid'] = 'The other site.';
$string['privacy:metadata:field:remoteid'] = 'The id of the course at the other site.';
$string['privacy:metadata:field:rolename'] = 'The role of the user in the course.';
$string['privacy:metadata:field:shortname'] = 'The short name of the course.';
$string['privacy:metadata:field:side'] = 'Whether the user came from the other site or went there.';
$string['privacy:metadata:field:timecreated'] = 'When it began.';
$string['privacy:metadata:field:timeexpires'] = 'Until when the sign-on was good.';
$string['privacy:metadata:field:timemodified'] = 'When the other site last told of it.';
$string['privacy:metadata:field:timeseen'] = 'When the other site last had to do with it.';
$string['privacy:metadata:field:useragent'] = 'A hash of the name of the user\'s browser.';
$string['privacy:metadata:field:userid'] = 'The user.';
$string['privacy:metadata:field:username'] = 'The username at the site the user belongs to.';
$string['privacy:metadata:peer'] = 'Another site users go to or come from over MNet.';
$string['privacy:metadata:peer:courses'] = 'The courses here of a user of that site, when the user returns.';
$string['privacy:metadata:peer:fields'] = 'The profile fields the administrator sends to that site, when a user goes there.';
$string['privacy:metadata:peer:picture'] = 'The picture of a user who is at that site, if the administrator sends it.';
$string['privacy:metadata:peer:username'] = 'The username, and a hash of the name of the browser.';
$string['privacy:path:auth_mnetd_course'] = 'Courses at other sites';
$string['privacy:path:auth_mnetd_session'] = 'Sessions';
$string['privacy:path:auth_mnetd_token'] = 'On the way to other sites';
$string['sso_idp_description'] = 'Publish this service so that users of this site can go to {$a} without signing in again. <ul><li><em>Also needed</em>: subscribe to the service SSO (Service Provider) of {$a}.</li></ul>Subscribe to it so that users of {$a} can come here without signing in again. <ul><li><em>Also needed</em>: publish the service SSO (Service Provider) to {$a}.</li></ul>';
$string['sso_idp_name'] = 'SSO (Identity Provider)';
$string['sso_sp_description'] = 'Publish this service so that users of {$a} can come here without signing in again. <ul><li><em>Also needed</em>: subscribe to the service SSO (Identity Provider) of {$a}.</li></ul>Subscribe to it so that users of this site can go to {$a} without signing in again. <ul><li><em>Also needed</em>: publish the service SSO (Identity Provider) to {$a}.</li></ul>';
$string['sso_sp_name'] = 'SSO (Service Provider)';
$string['task:keepalive'] = 'Tell network hosts that their users are here';
$string['task:tidyup'] = 'Keep sessions and functions of network hosts in order';
$string['tick:publish_sso_idp'] = 'SSO (Identity Provider): publish';
$string['tick:publish_sso_sp'] = 'SSO (Service Provider): publish';
$string['tick:subscribe_sso_idp'] = 'SSO (Identity Provider): subscribe';
$string['tick:subscribe_sso_sp'] = 'SSO (Service Provider): subscribe';
