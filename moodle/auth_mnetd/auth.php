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
 * The authentication plugin, and the functions peers call.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

require_once($CFG->libdir . '/authlib.php');

/**
 * Single sign-on over MNet.
 *
 * Core's dispatcher calls the functions of db/mnet.php on an object of this class. What comes from a peer may
 * be of any type, so their parameters have none; each is looked at.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class auth_plugin_mnetd extends auth_plugin_base {
    /** @var mnet_peer|null who calls; null: whom core's dispatcher let in */
    private $caller;

    /**
     * The plugin.
     *
     * @param mnet_peer|null $caller who calls a function; null: whom core's dispatcher let in
     */
    public function __construct(?mnet_peer $caller = null) {
        $this->caller = $caller;
        $this->authtype = 'mnetd';
        $this->config = get_config('auth_mnetd');
    }

    /**
     * Nobody signs in here with a password: peers vouch for their users.
     *
     * @param string $username
     * @param string $password
     * @return bool never
     */
    public function user_login($username, $password) {
        return false;
    }

    /**
     * Passwords are kept at home.
     *
     * @return bool
     */
    public function prevent_local_passwords() {
        return true;
    }

    /**
     * Accounts are kept by peers.
     *
     * @return bool
     */
    public function is_internal() {
        return false;
    }

    /**
     * Passwords are changed at home.
     *
     * @return bool
     */
    public function can_change_password() {
        return false;
    }

    /**
     * Hosts to sign in through.
     *
     * @param string $wantsurl where somebody wants to go
     * @return array list of url, name and iconurl
     */
    public function loginpage_idp_list($wantsurl) {
        return \auth_mnetd\menu::identity_providers((string) $wantsurl);
    }

    /**
     * Sends who came from a peer back there after logging out.
     */
    public function logoutpage_hook() {
        global $redirect;
        $host = \auth_mnetd\log_out::return_to(\auth_mnetd\sessions::hash((string) session_id()));
        if ($host) {
            $redirect = $host->wwwroot . '/';
        }
    }

    /**
     * Ends the session where it came from and where it went. Whatever goes wrong with it, nobody stays signed in.
     */
    public function prelogout_hook() {
        try {
            \auth_mnetd\log_out::here(\auth_mnetd\sessions::hash((string) session_id()));
        } catch (\Throwable $e) {
            debugging('auth_mnetd: ' . $e->getMessage(), DEBUG_DEVELOPER);
        }
    }

    /**
     * What an administrator should know, on the page "Test settings".
     */
    public function test_settings() {
        echo \auth_mnetd\check::html();
    }

    /**
     * sso_idp: vouches for a user of ours who arrived at the calling peer.
     *
     * @param string $token what the browser came with
     * @param string $useragent SHA-1 of its User-Agent
     * @return array user data
     */
    public function user_authorise($token = '', $useragent = '') {
        return $this->home()->authorise($this->text($token), $this->text($useragent));
    }

    /**
     * sso_idp: keeps the sessions of users of ours alive who are busy at the calling peer.
     *
     * @param array $usernames their usernames
     * @return array code, message, last log id
     */
    public function keepalive_server($usernames = []) {
        return $this->home()->keep_alive(array_filter(is_array($usernames) ? $usernames : [], 'is_scalar'));
    }

    /**
     * sso_idp: a user of ours logged out at the calling peer.
     *
     * @param string $username the username
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return string what was done, in words
     */
    public function kill_children($username = '', $useragent = '') {
        $hostid = (int) $this->caller()->id;
        $ended = \auth_mnetd\log_out::at_peer($hostid, $this->text($username), $this->text($useragent));
        return $ended ? str_repeat("Deleting session\n", $ended) : "Could find no remote sessions\n";
    }

    /**
     * sso_idp: takes note of what users did at the calling peer. Like core since 2.8 this keeps nothing: a
     * peer that still sends it hears that all is well.
     *
     * @param array $entries the log
     * @return array code and message
     */
    public function refresh_log($entries = []) {
        $this->caller();
        return ['code' => 0, 'message' => 'All ok'];
    }

    /**
     * sso_idp: the picture of a user of ours who is at the calling peer.
     *
     * @param string $username the username
     * @return array f1, f1_mimetype, f2, f2_mimetype
     */
    public function fetch_user_image($username = '') {
        return $this->home()->picture($this->text($username));
    }

    /**
     * sso_idp: what this site looks like.
     *
     * @return array themename and logourl
     */
    public function fetch_theme_info() {
        $this->caller();
        return \auth_mnetd\home::theme();
    }

    /**
     * sso_idp: takes the courses a user of ours has at the calling peer.
     *
     * @param string $username the username
     * @param array $courses keyed by the id at the peer
     * @return bool whether that user is at that peer
     */
    public function update_enrolments($username = '', $courses = []) {
        $hostid = (int) $this->caller()->id;
        return \auth_mnetd\courses::take($hostid, $this->text($username), is_array($courses) ? $courses : [], time());
    }

    /**
     * sso_sp: tells the calling peer which of its users are busy here.
     *
     * @return bool whether it could be told
     */
    public function keepalive_client() {
        $hostid = (int) $this->caller()->id;
        $told = \auth_mnetd\keep_alive::tell(time(), $hostid);
        return ($told[$hostid] ?? 0) >= 0;
    }

    /**
     * sso_sp: a user of the calling peer logged out there.
     *
     * @param string $username the username
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return bool whether a session ended
     */
    public function kill_child($username = '', $useragent = '') {
        $hostid = (int) $this->caller()->id;
        return \auth_mnetd\log_out::at_home($hostid, $this->text($username), $this->text($useragent));
    }

    /**
     * This site as identity provider of who calls.
     *
     * @return \auth_mnetd\home
     */
    private function home(): \auth_mnetd\home {
        return new \auth_mnetd\home($this->caller(), time());
    }

    /**
     * Who calls. Core's dispatcher serves a host that was deleted all the same, for its certificate and services stay.
     *
     * @return mnet_peer
     * @throws mnet_server_exception 707: it is no host of this site any more
     */
    private function caller(): mnet_peer {
        global $CFG;
        require_once($CFG->dirroot . '/mnet/xmlrpc/serverlib.php');
        $caller = $this->caller ?? get_mnet_remote_client();
        if (!$caller || !\auth_mnetd\host::find((int) $caller->id)) {
            throw new mnet_server_exception(707, 'fault:nohost', 'auth_mnetd');
        }
        return $caller;
    }

    /**
     * A parameter as text.
     *
     * @param mixed $value
     * @return string '' where it is none
     */
    private function text($value): string {
        return is_scalar($value) ? \core_text::substr((string) $value, 0, 255) : '';
    }
}
