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
 * English texts of the exchange with the school register.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['actions_help'] = '<em>Test now</em> tries the way to the register and changes nothing. <em>Send now</em> sends what waits, without waiting for cron. <em>Compare now</em> sends or withdraws what differs from what was sent before. <em>Send everything again</em> sends all of it, as after a restored backup of the register; sending twice does no harm.';
$string['actionshead'] = 'Actions';
$string['attemptshead'] = 'Attempts';
$string['categories'] = 'Course categories';
$string['categories_desc'] = 'Only courses in these categories are sent, and in the categories below them. Choose none to send all courses.';
$string['check_cron'] = 'Cron';
$string['check_cron_late'] = 'Cron has not run for {$a}. Changes wait until it does.';
$string['check_cron_late_help'] = 'Cron should run every minute, as the web server\'s user: <code>* * * * * php admin/cli/cron.php</code>. Look at the log of the machine\'s own cron for why it does not.';
$string['check_cron_never'] = 'Cron has never run. Nothing gets to the register without it.';
$string['check_cron_never_help'] = 'Have it run every minute, as the web server\'s user: <code>* * * * * php admin/cli/cron.php</code>';
$string['check_cron_ok'] = 'Cron ran {$a} ago.';
$string['check_inputvars'] = 'Saving the settings';
$string['check_inputvars_low'] = 'This site has so many course categories that PHP may drop part of the settings when they are saved: max_input_vars is {$a->limit}, about {$a->needed} are needed.';
$string['check_inputvars_low_help'] = 'In <code>php.ini</code>, set <code>max_input_vars = 5000</code> and restart PHP.';
$string['check_inputvars_ok'] = 'PHP takes the whole form (max_input_vars is {$a->limit}).';
$string['check_network'] = 'Networking';
$string['check_network_off'] = 'Networking is off, so that this site neither calls nor answers.';
$string['check_network_off_help'] = 'Under <em>Site administration › General › Advanced features</em>, set <em>Networking</em> to <em>On</em> and save.';
$string['check_network_ok'] = 'Networking is on.';
$string['check_ownkey'] = 'This site\'s own key';
$string['check_ownkey_expired'] = 'It expired on {$a->until}.';
$string['check_ownkey_expired_help'] = 'Moodle makes a new key with the next call. If this line stays, open <em>Networking › Settings</em> and press <em>Delete this key</em>; the register has to be told the new fingerprint then.';
$string['check_ownkey_missing'] = 'This site has no MNet key yet.';
$string['check_ownkey_missing_help'] = 'Switch networking on, then open the page <em>Networking › Settings</em>: Moodle makes a key when it is first needed.';
$string['check_ownkey_ok'] = 'Valid until {$a->until}. Moodle then makes a new one by itself, and the register learns it from the next call.';
$string['check_ownkey_other'] = 'It is made out for {$a->for}, but this site is {$a->here}.';
$string['check_ownkey_other_help'] = 'Was this site copied, or has its address changed? Open <em>Networking › Settings</em> and press <em>Delete this key</em>, so that Moodle makes one for its present address. Then, on the register\'s machine: <code>mnetd peer add {$a->here}</code>';
$string['check_peer_address'] = 'Address';
$string['check_peer_address_blocked'] = 'Moodle\'s cURL security blocks {$a->hostname}, port {$a->port}.';
$string['check_peer_address_blocked_help'] = 'MNet\'s own calls pass it by in most versions of Moodle, but <em>Manage peers</em> does not: adding the host may fail, or it gets its address for a name. Under <em>HTTP security</em>, take its network off the <em>cURL blocked hosts list</em>, and add its port to the <em>cURL allowed ports list</em>, as far as they are in the way.';
$string['check_peer_address_ok'] = 'Moodle\'s block list does not hold it back.';
$string['check_peer_delivery'] = 'Delivery';
$string['check_peer_delivery_failing'] = 'Failed attempts to send in a row: {$a->failures}, the last one {$a->since} ago: {$a->error}';
$string['check_peer_delivery_failing_help'] = '{$a->jobs} wait, the oldest for {$a->age}; nothing is lost. The next attempt is at {$a->next}, or when you press <em>Send now</em>. <em>Test now</em> shows where it stops.';
$string['check_peer_delivery_never'] = 'Nothing has been sent yet.';
$string['check_peer_delivery_never_help'] = 'Sending begins by itself with the next run of cron. <em>Test now</em> tries the way there.';
$string['check_peer_delivery_ok'] = 'Nothing waits. Last success {$a->last} ago.';
$string['check_peer_delivery_slow'] = '{$a->jobs} wait to be sent, the oldest for {$a->age}.';
$string['check_peer_delivery_slow_help'] = 'Does cron run, and are the tasks of this plugin switched on? See above. <em>Send now</em> sends at once.';
$string['check_peer_delivery_waiting'] = '{$a->jobs} wait to be sent, the oldest for {$a->age}. Last success {$a->last} ago.';
$string['check_peer_key'] = 'The register\'s key';
$string['check_peer_key_expired'] = 'The key stored here expired on {$a->until}.';
$string['check_peer_key_expired_help'] = 'The next call that is answered brings the new one: press <em>Test now</em>. If the line stays, open the host under <em>Manage peers</em>, compare <em>Current public key</em> with what <code>mnetd key show</code> prints, and store it.';
$string['check_peer_key_missing'] = 'No certificate of the register is stored here.';
$string['check_peer_key_missing_help'] = 'Open the host under <em>Manage peers</em> and store the certificate that <code>mnetd key show</code> prints on the register\'s machine.';
$string['check_peer_key_ok'] = 'Valid until {$a->until}. The register then makes a new one by itself.';
$string['check_peer_key_other'] = 'The certificate stored here is made out for {$a->for}, but the host is {$a->url}.';
$string['check_peer_key_other_help'] = 'The host has to be registered under exactly the register\'s <code>wwwroot</code>. Delete it and add it under that address.';
$string['check_peer_refused'] = 'Refused jobs';
$string['check_peer_refused_ok'] = 'None.';
$string['check_peer_refused_some'] = 'The register refused {$a->count}.';
$string['check_peer_refused_some_help'] = 'They are listed on the status page, each with its reason. Mend the cause, and send them again.';
$string['check_peer_services'] = 'Services';
$string['check_peer_services_application'] = 'The host is registered with the application type “{$a->application}”, whose address mnetd does not answer for a register.';
$string['check_peer_services_application_help'] = 'Under <em>Manage peers</em>, open the host and set <em>Application type</em> to <em>mnetd</em> (<em>moodle</em> serves as well).';
$string['check_peer_services_neither'] = 'Neither box of the service “School register” is ticked.';
$string['check_peer_services_neither_help'] = 'On the host\'s <em>Services</em> tab, under <em>School register</em>, tick <em>Publish</em> and <em>Subscribe</em>, and save.';
$string['check_peer_services_nopublish'] = '“Publish” is not ticked, so that the register can ask nothing.';
$string['check_peer_services_nopublish_help'] = 'On the host\'s <em>Services</em> tab, under <em>School register</em>, tick <em>Publish</em>, and save. The register then asks for users it does not know, and can fetch everything by itself (<code>mnetd sync {$a->here}</code>).';
$string['check_peer_services_nosubscribe'] = '“Subscribe” is not ticked, so that this site sends nothing.';
$string['check_peer_services_nosubscribe_help'] = 'On the host\'s <em>Services</em> tab, under <em>School register</em>, tick <em>Subscribe</em>, and save.';
$string['check_peer_services_ok'] = 'The service is published and subscribed to.';
$string['check_peer_sync'] = 'Synchronisation';
$string['check_peer_sync_failed'] = '{$a->mode} stopped: {$a->error}';
$string['check_peer_sync_failed_help'] = 'It goes on where it stopped as soon as the cause is mended. <em>Compare now</em> begins anew.';
$string['check_peer_sync_late'] = 'Nothing was compared for {$a->ago}, though it should be each night.';
$string['check_peer_sync_late_help'] = 'Are cron and the tasks of this plugin running? See above.';
$string['check_peer_sync_never'] = 'Nothing has been sent yet. It begins by itself with the next run of cron.';
$string['check_peer_sync_ok'] = '{$a->mode} ended {$a->ago} ago ({$a->done}).';
$string['check_peer_sync_running'] = '{$a->mode} is under way: {$a->done} of {$a->total}.';
$string['check_peer_sync_wanted'] = 'A comparison is due and begins with the next run of cron. {$a->error}';
$string['check_peer_test'] = 'Last test';
$string['check_peer_test_never'] = 'Never tested.';
$string['check_peer_test_never_help'] = 'Press <em>Test now</em> on the status page.';
$string['check_peer_test_ok'] = 'Everything was right {$a->ago} ago.';
$string['check_peer_test_wrong'] = '{$a->ago} ago: {$a->step}: {$a->summary}';
$string['check_rc4'] = 'Sealing messages (RC4)';
$string['check_rc4_extension'] = 'PHP lacks what MNet needs: {$a}. Install it and restart PHP.';
$string['check_rc4_ok'] = 'PHP can seal and open MNet messages ({$a->openssl}).';
$string['check_rc4_wrong'] = 'PHP cannot seal MNet messages: RC4 is switched off in {$a->openssl}. Nothing can be sent or received.';
$string['check_rc4_wrong_help'] = '<p>OpenSSL 3 has RC4 in its legacy provider, which is off unless told otherwise. On this machine, edit <code>{$a->file}</code> so that it reads as follows. Each section may be there only once: change the ones that are there.</p><pre>{$a->lines}</pre><p>The first line must stand above the first section, and both providers need <code>activate = 1</code>. Where the legacy module is not installed, it is a package of its own (on newer Debian, <code>openssl-provider-legacy</code>).</p><p>Then <strong>restart what runs PHP</strong>: for example <code>systemctl restart php{$a->php}-fpm</code>, or <code>apache2</code>. The PHP that runs cron may read another file: <code>php -r \'var_dump(in_array("rc4", openssl_get_cipher_methods()));\'</code> must print <code>bool(true)</code> there.</p>';
$string['check_registers'] = 'Register';
$string['check_registers_noapplication'] = 'The application type “mnetd” is missing from Moodle\'s list.';
$string['check_registers_noapplication_help'] = 'The installation of this plugin makes it. Uninstall and install the plugin again, or choose the application type <em>moodle</em>, which serves as well.';
$string['check_registers_none'] = 'No register is connected: for no host is the service “School register” subscribed to.';
$string['check_registers_none_help'] = 'On the register\'s machine: <code>mnetd peer add {$a}</code>. Here, under <em>Networking › Manage peers</em>, add its address with the application type <em>mnetd</em>; then tick both boxes of <em>School register</em> on its <em>Services</em> tab.';
$string['check_registers_ok'] = 'Connected: {$a}.';
$string['check_scope'] = 'What is sent';
$string['check_scope_both'] = 'Sent both as student and as teacher: {$a}. A role can be one of them only.';
$string['check_scope_nocategory'] = 'None of the chosen course categories exists any more, so that no course is sent.';
$string['check_scope_nofield'] = 'The term is to come from the custom course field “{$a}”, which does not exist. All courses stand under “ongoing”.';
$string['check_scope_nostudents'] = 'No role counts as student, so that no student\'s enrolment is sent.';
$string['check_scope_noteachers'] = 'No role counts as teacher, so that no teacher\'s enrolment is sent.';
$string['check_scope_ok'] = 'The settings fit this site.';
$string['check_signon'] = 'Single sign-on';
$string['check_signon_disabled'] = 'It is switched off. The exchange of data does not need it.';
$string['check_signon_disabled_help'] = 'Under <em>Manage authentication</em>, enable <em>MNet single sign-on (mnetd)</em> or <em>MNet authentication</em>.';
$string['check_signon_noplugin'] = 'No authentication plugin for it is installed. The exchange of data does not need one.';
$string['check_signon_noplugin_help'] = 'Moodle 5 no longer brings MNet authentication. The plugin auth_mnetd, which comes with mnetd, does it.';
$string['check_signon_notallowed'] = 'Nobody may use it: no role has the permission “Roam to a remote application via MNet”.';
$string['check_signon_notallowed_help'] = 'Under <em>Define roles</em>, edit <em>Authenticated user</em> and allow <code>moodle/site:mnetlogintoremote</code>.';
$string['check_signon_ok'] = 'Users whose role allows it can go to the register.';
$string['check_tasks'] = 'Tasks of this plugin';
$string['check_tasks_cronoff'] = 'The running of tasks by cron is switched off for the whole site.';
$string['check_tasks_cronoff_help'] = 'Under <em>Site administration › Server › Tasks › Task processing</em>, tick <em>Enable cron processing</em>.';
$string['check_tasks_disabled'] = 'Switched off: {$a}.';
$string['check_tasks_disabled_help'] = 'Under <em>Scheduled tasks</em>, edit each of them and take the tick off <em>Disabled</em>.';
$string['check_tasks_failing'] = 'Failed at the last run: {$a}.';
$string['check_tasks_failing_help'] = 'The log of each task, linked from <em>Scheduled tasks</em>, has the reason. It is tried again by itself.';
$string['check_tasks_ok'] = 'All of them are switched on.';
$string['checkhead'] = 'Check';
$string['checkofpeer'] = 'School register: {$a->check} ({$a->peer})';
$string['checkofsite'] = 'School register: {$a}';
$string['checksofsite'] = 'This site';
$string['cli_badpeer'] = 'No register has the address {$a->peer}. Connected are: {$a->registers}';
$string['cli_modes'] = 'Say either --full (send everything) or --reconcile (compare, and send what differs).';
$string['cli_progress'] = '{$a->peer}: {$a->phase}, {$a->done} of {$a->total} looked at ({$a->percent} %), {$a->queued} queued, {$a->waiting} waiting';
$string['cli_sendhelp'] = 'Sends what waits to the registers, now, until nothing waits any more.

Options:
 --peer=URL      only to this register
 --time=SECONDS  stop after so many seconds (default: 3600)
 -h, --help      print this help

The exit code is 0 when everything was sent, and 1 when something still waits or was refused.';
$string['cli_statushelp'] = 'Tells how the exchange with each register stands: what waits, what was refused, the last success, the synchronisation.

Options:
 --peer=URL  only this register
 --json      for programs
 -h, --help  print this help';
$string['cli_synchelp'] = 'Synchronises the registers with this site, and waits until it is done.

Options:
 --full          send everything
 --reconcile     compare with what was sent before, and send what differs
 --peer=URL      only with this register
 --time=SECONDS  stop after so many seconds (default: 86400); the sending task goes on
 -h, --help      print this help

The exit code is 0 when everything was sent, and 1 when something still waits or was refused.';
$string['cli_unknown'] = 'Unknown option: {$a}. Try --help.';
$string['client_badsignature'] = 'The answer of {$a->peer} was not signed with the key that this site knows of it, so it was not believed. If that site was restored, copied or moved, open Site administration > Networking > Manage peers there and here, compare the two keys, and save the new one.';
$string['client_cannotseal'] = 'This site cannot seal a message for {$a->peer}: the certificate that is stored of it is of no use. Open Site administration > Networking > Manage peers, choose the peer, and save the certificate that it hands out now.';
$string['client_clockahead'] = 'The clock of {$a->peer} is {$a->seconds} seconds ahead of the clock of this site, so its answer was not taken. Set the clocks of both servers by NTP.';
$string['client_fault'] = '{$a->peer} refused the whole message with fault {$a->code}: {$a->text}';
$string['client_fault7012'] = '{$a->peer} does not know the call that this site made, or does not let this site make it (fault {$a->code}). If it is mnetd, run there: mnetd peer allow {$a->here} register --publish. If that was done, the versions of mnetd and of this plugin do not fit: update the older one. It said: {$a->text}';
$string['client_fault7020'] = '{$a->peer} does not know this site (fault 7020). On the machine of mnetd, run: mnetd peer add {$a->here}. The address must be spelt exactly so. It said: {$a->text}';
$string['client_fault7021'] = '{$a->peer} says that the message was not sealed (fault 7021). A proxy may have changed it on its way: {$a->text}';
$string['client_fault7023'] = '{$a->peer} cannot open what this site sealed for it (fault 7023): the certificate that is stored of it is too old, or not its own. Open Site administration > Networking > Manage peers, choose the peer, and save the certificate that it hands out now.';
$string['client_fault7025'] = '{$a->peer} changed its key twice while one message was sent (fault 7025). It will be sent again. If this stays so, run "mnetd peer check {$a->here}" on the machine of mnetd.';
$string['client_fault704'] = '{$a->peer} has its networking turned off (fault 704). Turn it on there.';
$string['client_fault707'] = '{$a->peer} does not let this site use its service "register" (fault 707). On the machine of mnetd, run: mnetd peer allow {$a->here} register --publish';
$string['client_fault710'] = '{$a->peer} cannot verify the signature of this site (fault 710): it knows another key. On the machine of mnetd, run: mnetd peer check {$a->here}. If this site was restored or copied, compare the fingerprints and take the new key with --accept-key.';
$string['client_fault711'] = '{$a->peer} says that the message was not signed (fault 711). A proxy may have changed it on its way: {$a->text}';
$string['client_fault713'] = '{$a->peer} could not read the message (fault 713): {$a->text}';
$string['client_fault8010'] = '{$a->peer} says that it received this very message before (fault 8010). It will be made anew and sent again. If this happens often, a proxy between the two sends messages twice, or somebody repeats recorded ones: {$a->text}';
$string['client_fault8011'] = 'The clocks of this site and of {$a->peer} differ too much (fault 8011). Set the clocks of both servers by NTP. It said: {$a->text}';
$string['client_fault8011ahead'] = 'The clock of this site is {$a->seconds} seconds ahead of the clock of {$a->peer} (fault 8011). Set the clocks of both servers by NTP. It said: {$a->text}';
$string['client_fault8011behind'] = 'The clock of this site is {$a->seconds} seconds behind the clock of {$a->peer}, or the message was that long on its way (fault 8011). Set the clocks of both servers by NTP. It said: {$a->text}';
$string['client_fault8012'] = '{$a->peer} says that the message was not bound to it (fault 8012). Something between the two sites changed it, or this plugin is damaged: {$a->text}';
$string['client_fault8013'] = '{$a->peer} goes by another address than the one under which this site knows it (fault 8013). Remove the peer under Site administration > Networking > Manage peers, and add it under its own address. It said: {$a->text}';
$string['client_garbled'] = 'What answered at {$a->peer} was not a readable answer of an MNet site. A proxy, a firewall or an error page may stand in its place, or PHP there cannot use RC4. Details: {$a->cause}';
$string['client_http'] = '{$a->peer} cannot take the message at present: the web server in front of it reports an error. It will be tried again. Details: {$a->cause}';
$string['client_https'] = 'The https connection to {$a->peer} failed: its certificate for https is not trusted, has expired, or is made out for another name. Put it right there, or choose another "SSL verification" for this peer under Site administration > Networking > Manage peers. Details: {$a->cause}';
$string['client_networkingoff'] = 'Networking is turned off on this site. Turn it on under Site administration > Networking > Settings (or Advanced features).';
$string['client_nocertificate'] = 'This site has no certificate of {$a->peer}. Open Site administration > Networking > Manage peers, choose the peer, and save its certificate.';
$string['client_nopeer'] = 'There is no peer number {$a->id}, or it was removed under Site administration > Networking > Manage peers.';
$string['client_norc4'] = 'PHP on this server cannot seal messages, because its OpenSSL ({$a->openssl}) has RC4 turned off, and Moodle\'s network messages use it. In the openssl.cnf that PHP uses, activate the default and the legacy provider: under [provider_sect] write "default = default_sect" and "legacy = legacy_sect", then add the sections [default_sect] and [legacy_sect], each with the line "activate = 1". Then restart PHP (PHP-FPM or the web server); cron needs the same file.';
$string['client_noresult'] = 'an answer is neither a result nor a fault';
$string['client_notsubscribed'] = 'This site does not subscribe to the service "School register" of {$a->peer}, so it may not call {$a->method} there. Open Site administration > Networking > Manage peers, choose the peer, and on the tab Services tick Subscribe.';
$string['client_threw'] = 'The answer of {$a->peer} could not be read. Details: {$a->cause}';
$string['client_timeout'] = '{$a->peer} did not answer in time. It may be overloaded, or a firewall drops the connection. It will be tried again. Details: {$a->cause}';
$string['client_unreachable'] = '{$a->peer} cannot be reached. Is it running, is the address right, does a firewall let this server through? It will be tried again. Details: {$a->cause}';
$string['client_wrongcount'] = '{$a->calls} calls were sent, and {$a->answers} answers came';
$string['comparenow'] = 'Compare now';
$string['courier_wentwrong'] = 'something went wrong on this site: {$a}';
$string['deliveryheading'] = 'How it is sent';
$string['discard'] = 'Discard';
$string['discardall'] = 'Discard all';
$string['discardallconfirm'] = 'Discard all {$a->count} refused jobs for {$a->peer}? The register will not hear of them until they change again, or until everything is compared.';
$string['discardconfirm'] = 'Discard this job? It is about: {$a}. The register will not hear of it until it changes again, or until everything is compared.';
$string['done_discard'] = '{$a} jobs were discarded.';
$string['done_discard_one'] = 'One job was discarded.';
$string['done_full'] = 'Sending everything has been queued. It begins with the next run of cron, and goes on in parts.';
$string['done_reconcile'] = 'The comparison has been queued. It begins with the next run of cron.';
$string['done_reconcilelater'] = 'A synchronisation is under way. When it is done, everything is compared.';
$string['done_retry'] = '{$a} jobs will be sent again.';
$string['done_retry_one'] = 'One job will be sent again.';
$string['done_send'] = '{$a->sent} sent, {$a->refused} refused, {$a->waiting} still waiting.';
$string['done_sendbusy'] = 'Something is being sent to this register at this moment. Look again in a minute.';
$string['done_sendfailed'] = 'Nothing could be sent now: {$a}';
$string['done_test'] = '{$a} was tested: everything is right.';
$string['done_testwrong'] = '{$a->peer} was tested: {$a->summary} The lines below say what to do.';
$string['fault_bindingmember'] = 'the binding\'s {$a->member} is missing or malformed; expected {$a->expected}';
$string['fault_cursor'] = 'the field "cursor" holds {$a}, which is no cursor of this list; expected what an earlier page had as "next", or nothing for the first page';
$string['fault_hexdigits'] = '32 hexadecimal digits';
$string['fault_limit'] = 'the field "limit" is no whole number from 1 to {$a}';
$string['fault_nostruct'] = 'the first parameter is no struct';
$string['fault_notallowed'] = 'this site takes no such call from {$a}: it is not a peer, was removed, or did not sign the call';
$string['fault_notbound'] = 'the call is not bound: expected a last parameter {mnetd_to, mnetd_at, mnetd_nonce}';
$string['fault_notbyname'] = 'this site does not publish the service "register" to {$a} itself, and to "All hosts" it is not given: its administrator has to tick Publish on the Services tab of that host';
$string['fault_notext'] = 'the field "{$a}" is no text of at most 1333 bytes';
$string['fault_nouserasked'] = 'neither "idnumber" nor "username" is there; expected one of them at least';
$string['fault_otherrecipient'] = 'the call is bound to {$a->to}, this is {$a->wwwroot}';
$string['fault_outsidewindow'] = 'the call is dated {$a->dated}, here it is {$a->now}: at most {$a->maxage} s back and {$a->maxahead} s ahead are allowed. Set the clocks of both servers by NTP';
$string['fault_replayed'] = 'the nonce {$a} was used before; a repeated call has to be bound anew';
$string['fault_unixseconds'] = 'unix seconds';
$string['fault_unknownsection'] = 'unknown section: this site sends no course with the id {$a}';
$string['fault_unknownuser'] = 'unknown user: this site sends no user with the id or username {$a}';
$string['faulthead'] = 'What the register said';
$string['foundhead'] = 'What was found';
$string['includecategorytotal'] = 'Send category totals';
$string['includecategorytotal_desc'] = 'Send the totals of grade categories, too. Mind that the register adds up a course by itself, from all that has points: what is in a total is then counted twice.';
$string['includecoursetotal'] = 'Send course totals';
$string['includecoursetotal_desc'] = 'Send the totals of courses, too. They are counted twice in the same way.';
$string['includemanual'] = 'Send grade items made by hand';
$string['includemanual_desc'] = 'Send the grade items that teachers add to the gradebook by hand, such as “Oral exam”.';
$string['itemmodules'] = 'Activities with grades';
$string['itemmodules_desc'] = 'Only the grades of these activities are sent. Choose none to send those of all activities.';
$string['itemtotal'] = 'a total';
$string['jobfault_0'] = 'What stands in the queue, or what the register answered to it, could not be read. Send again: it is made anew from what Moodle holds now.';
$string['jobfault_32603'] = 'Something went wrong inside the register: its log has the cause. Send again when that is mended.';
$string['jobfault_7012'] = 'The register does not know this call. Plugin and mnetd are of different versions: bring both up to date.';
$string['jobfault_707'] = 'The register does not let this site call. On its machine: <code>mnetd peer allow {$a->here} register --publish</code>';
$string['jobfault_713'] = 'The register could not read the call. Plugin and mnetd may be of different versions.';
$string['jobfault_8001'] = 'Something that the register needs is empty in Moodle. Fill it in, then send again.';
$string['jobfault_8002'] = 'Something is longer, or of another kind, than the register takes. Correct it in Moodle, then send again.';
$string['jobfault_8003'] = 'The user is not in the register, or is marked as removed there. Check that the user is among those that are sent (Settings, Users), then send again.';
$string['jobfault_8004'] = 'The course is not in the register, or is marked as removed there. Check that its category is among those that are sent (Settings, Course categories), then send again.';
$string['jobfault_8005'] = 'The grade item is not in the register, or is marked as removed there; or there is no such grade to remove.';
$string['jobfault_8006'] = 'This was made or changed by hand in the register, and what was entered there stands. Change it there, or discard this.';
$string['jobfault_8007'] = 'The register knows students and teachers only.';
$string['jobfault_8010'] = 'The register had received this very message before. Send again.';
$string['jobfault_8011'] = 'The clocks of the two machines differ too much. Set both by network time (<code>timedatectl</code>), then send again.';
$string['jobfault_8012'] = 'The register wants bound calls of this site. Plugin and mnetd may be of different versions.';
$string['jobfault_8013'] = 'The register goes by another address than the one it is registered with here. Compare the host\'s address with the register\'s <code>wwwroot</code>.';
$string['jobfault_other'] = 'The register refused it (fault {$a->code}).';
$string['lasttest'] = 'Last test: {$a}';
$string['livetest'] = 'The way to the register';
$string['method_drop_enrolment'] = 'End the enrolment';
$string['method_fetch_user'] = 'Send the user';
$string['method_new_assessment'] = 'Send the assessment';
$string['method_new_enrolment'] = 'Send the enrolment';
$string['method_new_grade'] = 'Send the grade';
$string['method_new_section'] = 'Send the course';
$string['method_remove_assessment'] = 'Mark the assessment as removed';
$string['method_remove_grade'] = 'Take the grade back';
$string['method_remove_section'] = 'Mark the course as removed';
$string['method_remove_user'] = 'Mark the user as removed';
$string['method_update_assessment'] = 'Change the assessment';
$string['method_update_section'] = 'Change the course';
$string['method_update_user'] = 'Change the user';
$string['mnetd:manage'] = 'Act on the exchange with the school register: test, send, compare, discard';
$string['mnetd:viewstatus'] = 'See how the exchange with the school register stands';
$string['mode_full'] = 'Sending everything';
$string['mode_reconcile'] = 'Comparing';
$string['nightly'] = 'Compare each night';
$string['nightly_desc'] = 'Each night, compare everything with what was sent, and send or withdraw the difference. This catches what was changed past Moodle, such as by an import straight into the database.';
$string['nopeer'] = 'No register is connected yet';
$string['nopeer_help'] = '<ol><li>On the register\'s machine: <code>mnetd peer add {$a->here}</code></li><li>Here, under <a href="{$a->peers}">Manage peers</a>: add its address as a new host, with the application type <em>mnetd</em>, and compare the fingerprints.</li><li>Open the host\'s <em>Services</em> tab, tick both boxes of <em>School register</em>, and save.</li><li>Come back to this page, and press <em>Test now</em>. Everything is then sent by itself, with the next runs of cron.</li></ol>';
$string['norefusedjobs'] = 'Nothing was refused.';
$string['noregister'] = 'No register is connected: this site does not subscribe to the service "School register" of any host.';
$string['nosuchjob'] = 'There is no such refused job any more. Perhaps it was sent again in the meantime.';
$string['nosync'] = 'Nothing has been synchronised yet.';
$string['notallowedtoact'] = 'You may see how things stand. Testing, sending and discarding need the permission “{$a}”.';
$string['notecoursedeleted'] = 'course deleted in Moodle';
$string['notecourseleft'] = 'course no longer sent by Moodle';
$string['noteended'] = 'enrolment ended in Moodle';
$string['noteinstancedisabled'] = 'enrolment method disabled in Moodle';
$string['noteroleremoved'] = 'role removed in Moodle';
$string['notestartslater'] = 'starts later in Moodle';
$string['notested'] = 'Not tested yet. Press “Test now”.';
$string['notesuspended'] = 'suspended in Moodle';
$string['noteunenrolled'] = 'unenrolled in Moodle';
$string['noteuserleft'] = 'account deleted in Moodle, or no longer sent';
$string['nothingtosend'] = 'Nothing is left to be sent: the register holds what Moodle says.';
$string['notsubscribed'] = 'This site sends nothing to that host: tick “Subscribe” of the service on its Services tab first.';
$string['object_assessment'] = 'Assessment {$a->item} in {$a->course}';
$string['object_enrolment'] = 'Enrolment of {$a->user} in {$a->course} as {$a->role}';
$string['object_gone'] = '{$a} (no longer in Moodle)';
$string['object_grade'] = 'Grade of {$a->user} for {$a->item} in {$a->course}';
$string['object_grade_lost'] = 'Grade of {$a->user} for {$a->item}';
$string['object_item'] = 'Assessment {$a->item} in {$a->course}';
$string['object_item_lost'] = 'Assessment {$a->item}';
$string['object_section'] = 'Course {$a->course}';
$string['object_user'] = 'User {$a->user}';
$string['objecthead'] = 'About';
$string['outcome_busy'] = 'another process is sending to it';
$string['outcome_failed'] = 'failed: {$a->error}';
$string['outcome_outoftime'] = 'the time is up, the rest follows';
$string['outcome_paused'] = 'pausing after a failure until {$a->error}';
$string['outcome_postponed'] = 'postponed: {$a->postponed}';
$string['outcome_refused'] = 'refused: {$a->refused}, see the status page';
$string['outcome_repaired'] = 'of them behind something that the register lacked: {$a->repaired}';
$string['outcome_sent'] = 'changes sent: {$a->sent}, in messages: {$a->messages}';
$string['ownkeypage'] = 'Networking settings';
$string['peerchecks'] = 'The exchange with this register';
$string['phase_assessments'] = 'Assessments';
$string['phase_enrolments'] = 'Enrolments';
$string['phase_grades'] = 'Grades';
$string['phase_remove'] = 'What is to be withdrawn';
$string['phase_sections'] = 'Courses';
$string['phase_users'] = 'Users';
$string['phasestate_done'] = 'Done';
$string['phasestate_later'] = 'To come';
$string['phasestate_now'] = 'Under way';
$string['pluginname'] = 'School register (mnetd)';
$string['privacy:metadata:id'] = 'The id under which the register knows somebody. It stays the same when the ID number in Moodle changes.';
$string['privacy:metadata:id:idnumber'] = 'The id.';
$string['privacy:metadata:id:itemid'] = 'The user.';
$string['privacy:metadata:queue'] = 'What waits to be sent to the register, and what the register refused. Rows are deleted once the register has taken them.';
$string['privacy:metadata:queue:faulttext'] = 'Why the register refused it.';
$string['privacy:metadata:queue:method'] = 'What is to be done: send, change or remove a user, an enrolment or a grade.';
$string['privacy:metadata:queue:objectkey'] = 'The user, and the course or grade item.';
$string['privacy:metadata:queue:payload'] = 'The data to be sent.';
$string['privacy:metadata:queue:state'] = 'Whether it waits or was refused.';
$string['privacy:metadata:queue:timecreated'] = 'When it happened.';
$string['privacy:metadata:register'] = 'The school register, another program of the school, gets its users, courses, enrolments and grades from this site. It keeps their history. When a user is deleted here, the register is told to mark them as removed.';
$string['privacy:metadata:register:city'] = 'The town.';
$string['privacy:metadata:register:country'] = 'The country.';
$string['privacy:metadata:register:department'] = 'The department.';
$string['privacy:metadata:register:email'] = 'The e-mail address.';
$string['privacy:metadata:register:enrolments'] = 'The courses that somebody is enrolled in, as student or teacher, and since when.';
$string['privacy:metadata:register:firstname'] = 'The first name.';
$string['privacy:metadata:register:grades'] = 'The grades, their dates and attempts, and whether somebody is excepted.';
$string['privacy:metadata:register:idnumber'] = 'The ID number, or an id made of the user\'s number in Moodle.';
$string['privacy:metadata:register:institution'] = 'The institution.';
$string['privacy:metadata:register:lang'] = 'The preferred language.';
$string['privacy:metadata:register:lastname'] = 'The last name.';
$string['privacy:metadata:register:moodle_id'] = 'The user\'s number in Moodle.';
$string['privacy:metadata:register:moodle_idnumber'] = 'The ID number in Moodle, where it differs from the id that the register knows somebody by.';
$string['privacy:metadata:register:suspended'] = 'Whether the account is suspended.';
$string['privacy:metadata:register:username'] = 'The username.';
$string['privacy:metadata:state'] = 'A note of what the register holds about somebody, with a check sum of the values that were sent, so that only differences are sent.';
$string['privacy:metadata:state:a'] = 'The user, the course or the grade item.';
$string['privacy:metadata:state:b'] = 'The user, for enrolments and grades.';
$string['privacy:metadata:state:hostid'] = 'The register.';
$string['privacy:metadata:state:kind'] = 'Whether it is about the account, an enrolment or a grade.';
$string['privacy:metadata:state:role'] = 'The role, for enrolments.';
$string['privacy:queue'] = 'Waiting to be sent';
$string['privacy:state'] = 'Held by the register';
$string['progressagain'] = 'When it is done, everything is compared once more.';
$string['progressdone'] = '{$a->mode} ended on {$a->when}: {$a->done} looked at, {$a->queued} put into the queue.';
$string['progresshelp'] = 'Reload this page to see how far it is. It goes on with each run of cron, also after an interruption.';
$string['progressnow'] = '{$a->mode}: {$a->phase}, {$a->done} of {$a->total} ({$a->percent}%), begun {$a->ago} ago';
$string['progresswanted'] = 'A comparison is due and begins with the next run of cron.';
$string['refusedjobs'] = 'Refused by the register';
$string['refusedjobs_help'] = 'The register did not take these. Mend the cause, then send again: what is sent then is as things stand then. What you discard is not sent until it changes again or everything is compared.';
$string['register_description'] = '<p>Sends users, courses, enrolments, assessments and grades of this site to the school register {$a}, and lets the register ask for them. Tick <em>Subscribe</em>, so that this site may send; tick <em>Publish</em>, so that the register may ask.</p>';
$string['register_name'] = 'School register';
$string['role_student'] = 'student';
$string['role_teacher'] = 'teacher';
$string['rolesinboth'] = 'Not saved: {$a->roles} cannot be ticked here and under “{$a->other}” as well. Take it off one of the two.';
$string['scopechanged'] = 'What is sent has changed. The comparison with what was sent before has been queued and begins with the next run of cron; the status page of the school register shows how far it is.';
$string['scopechangednopeer'] = 'What is sent has changed. No register is connected yet; it takes hold with the first synchronisation.';
$string['scopeheading'] = 'What is sent';
$string['scopeheading_desc'] = 'Changes are sent to the register within about a minute. When you change anything here, this site compares everything with what it sent before, and sends or withdraws the difference. The <a href="{$a}">status page</a> shows how far that is.';
$string['segmentfield'] = 'Custom field';
$string['segmentfield_desc'] = 'The custom field of courses that holds the term. Make one under <a href="{$a}">Course custom fields</a>.';
$string['segmentsource'] = 'Term of a course';
$string['segmentsource_category'] = 'The name of the course\'s category';
$string['segmentsource_desc'] = 'The register sorts courses by term. Without one, a course stands under “ongoing”.';
$string['segmentsource_field'] = 'A custom field of the course';
$string['segmentsource_none'] = 'None';
$string['segmentsource_topcategory'] = 'The name of the category at the top, above the course\'s own';
$string['sendagain'] = 'Send again';
$string['sendall'] = 'Send everything again';
$string['sendallagain'] = 'Send all again';
$string['sender_refused'] = 'refused: {$a->method} of {$a->object}, fault {$a->code}: {$a->text}';
$string['sendnow'] = 'Send now';
$string['servicestab'] = 'Services of this host';
$string['settings'] = 'School register settings';
$string['status'] = 'School register status';
$string['status_errorat'] = '  failed attempts in a row: {$a->failures}, next try {$a->nexttry}: {$a->lasterror}';
$string['status_lastsuccess'] = '  last success: {$a}';
$string['status_queue'] = '  waiting: {$a->waiting}, refused: {$a->refused}';
$string['status_sync'] = '  synchronisation ({$a->mode}): {$a->phase}, {$a->done} of {$a->total}';
$string['statushead'] = 'Status';
$string['studentroles'] = 'Roles that count as student';
$string['studentroles_desc'] = 'Somebody with one of these roles in a course, and an active enrolment there, is sent as a student of it. Roles that are ticked neither here nor for teachers are not sent.';
$string['sync_started'] = 'registers to be compared with by the sending task: {$a}';
$string['synchronisation'] = 'Synchronisation';
$string['task_reconcile'] = 'Compare with the school register, every night';
$string['task_send'] = 'Send changes to the school register';
$string['task_sendnow'] = 'Send changes to the school register at once';
$string['teacherroles'] = 'Roles that count as teacher';
$string['teacherroles_desc'] = 'As above, for teachers. A role cannot be both.';
$string['test_binding'] = 'It takes a bound call';
$string['test_binding_failed'] = '{$a->reason}';
$string['test_binding_ok'] = 'It does: address, clock and key fit.';
$string['test_call'] = 'It answers a signed and sealed call';
$string['test_call_failed'] = '{$a->reason}';
$string['test_call_ok'] = 'It does.';
$string['test_clock'] = 'The clocks agree';
$string['test_clock_ahead'] = 'The register\'s clock is {$a->seconds} seconds ahead of this site\'s. At {$a->limit} seconds messages are refused.';
$string['test_clock_ahead_help'] = 'Set both clocks by network time: <code>timedatectl</code> must say <code>System clock synchronized: yes</code> on both machines.';
$string['test_clock_behind'] = 'The register\'s clock is {$a->seconds} seconds behind this site\'s. At {$a->limit} seconds messages are refused.';
$string['test_clock_behind_help'] = 'Set both clocks by network time: <code>timedatectl</code> must say <code>System clock synchronized: yes</code> on both machines.';
$string['test_clock_ok'] = 'The difference is {$a->seconds} seconds.';
$string['test_clock_undated'] = 'The register\'s answer had no date, so that the clocks could not be compared.';
$string['test_key'] = 'Its certificate is the one stored here';
$string['test_key_ok'] = 'It is.';
$string['test_key_other'] = 'The register hands out a certificate with the fingerprint {$a->theirs}; the one stored here has {$a->ours}.';
$string['test_key_other_help'] = 'Compare with what <code>mnetd key show</code> prints on the register\'s machine. If that is the register\'s, open the host under <em>Manage peers</em>, copy <em>Current public key</em> over <em>Public key</em>, and save. If it is not, somebody stands between the two machines.';
$string['test_key_renewed'] = 'It had a new one, which it proved with its old key, and which is now stored here.';
$string['test_methods'] = 'It knows the calls that this plugin makes';
$string['test_methods_failed'] = '{$a->reason}';
$string['test_methods_missing'] = 'It does not know {$a->missing}.';
$string['test_methods_missing_help'] = 'Is {$a->url} an mnetd, and is it as new as this plugin? <code>mnetd --version</code> on the register\'s machine tells.';
$string['test_methods_ok'] = 'All {$a->count} of them.';
$string['test_reach'] = 'The register answers at its address';
$string['test_reach_elsewhere'] = '{$a->url} redirects to another address (HTTP status {$a->status}).';
$string['test_reach_elsewhere_help'] = 'Register the host under exactly the register\'s <code>wwwroot</code>: mind http and https, www, and a slash at the end.';
$string['test_reach_ok'] = '{$a->url} answers.';
$string['test_reach_silent'] = '{$a->url} does not answer: {$a->error}';
$string['test_reach_silent_help'] = 'Does mnetd run there (<code>systemctl status mnetd</code>), does its reverse proxy, and does a firewall let this machine through? From this machine: <code>curl {$a->url}/mnet/publickey.php</code>. With a certificate of the school\'s own for https, add its authority to this machine, or set <em>SSL verification</em> of the host to <em>None</em>.';
$string['test_reach_stranger'] = 'Something answers at {$a->url}, but it is no MNet peer (HTTP status {$a->status}).';
$string['test_reach_stranger_help'] = 'Does the reverse proxy before mnetd pass all paths on? From this machine: <code>curl {$a->url}/mnet/publickey.php</code> must print a certificate.';
$string['test_services'] = 'It lets this site send, and may ask';
$string['test_services_nopublish'] = 'The register does not let this site send.';
$string['test_services_nopublish_help'] = 'On the register\'s machine: <code>mnetd peer allow {$a->here} register --publish</code>';
$string['test_services_nosubscribe'] = 'It lets this site send, but does not ask back for users it does not know.';
$string['test_services_nosubscribe_help'] = 'On the register\'s machine: <code>mnetd peer allow {$a->here} register --subscribe</code>';
$string['test_services_ok'] = 'Both.';
$string['test_untried'] = 'Not tried, since a step before it failed.';
$string['testnow'] = 'Test now';
$string['unknownaction'] = 'There is no such action. Go back to the status page and use its buttons.';
$string['unknownpeer'] = 'There is no such register any more. Perhaps the host was deleted, or its service was taken away, while you had the page open.';
$string['userscope'] = 'Users';
$string['userscope_all'] = 'All users of this site';
$string['userscope_desc'] = 'Guests, deleted and unconfirmed users, and users who came from another site by single sign-on, are never sent. Somebody who is no longer to be sent is marked as removed in the register, where the history stays.';
$string['userscope_enrolled'] = 'Only users with an enrolment that is sent';
$string['wantedcategory'] = 'A category with many courses was changed; the comparison sends the differences.';
$string['wantedlargecourse'] = 'A large course was restored, reset or moved; the comparison sends the differences.';
$string['wantedmissed'] = 'A change could not be followed as it happened; the comparison finds it. {$a}';
$string['wantedsettings'] = 'The settings of what is sent were changed.';
$string['wantedunsubscribed'] = 'The service was not subscribed to for a while, or networking was off.';
$string['whenhead'] = 'Since';
