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
 * The way in from a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * Somebody who lands here with a token of a peer.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class landing {
    /** @var int seconds a peer may take to vouch for a user */
    const TIMEOUT = 20;

    /** @var int seconds it may take for what is only good to have */
    const EXTRAS_TIMEOUT = 5;

    /** @var int the largest picture that is taken, in bytes */
    const LARGEST_PICTURE = 2097152;

    /** @var int[] faults after which another plugin of the same peer may know the token */
    const ASK_ANOTHER = [1, 705, 706, 707, 708, 7012];

    /** @var \stdClass|null what is noted as soon as Moodle has begun the session: side effects of it may redirect */
    private static $signingin = null;

    /** @var host where somebody comes from */
    private $host;

    /** @var peer */
    private $peer;

    /**
     * A landing.
     *
     * @param host $host where somebody comes from
     */
    public function __construct(host $host) {
        $this->host = $host;
        $this->peer = new peer($host);
    }

    /**
     * Lets in whom the peer vouches for.
     *
     * @param string $token what the browser came with
     * @param string $rawuseragent its User-Agent
     * @return \stdClass the user who is signed in now
     * @throws refusal
     */
    public function sign_in(string $token, string $rawuseragent): \stdClass {
        global $USER;
        $useragent = sha1($rawuseragent);
        $told = $this->vouched($token, $useragent);
        $account = $this->account($told->user);
        $user = get_complete_user_data('id', $account->id, $account->mnethostid);
        if (!$user) {
            throw new refusal('suspended', s($account->username));
        }
        $before = $this->leave_other_session($user);
        self::$signingin = (object) [
            'userid' => (int) $user->id,
            'hostid' => $this->host->id,
            'username' => (string) $told->user['username'],
            'useragent' => $useragent,
            'prefix' => $told->prefix,
            'before' => $before,
        ];
        complete_user_login($user);
        \core\session\manager::apply_concurrent_login_limit($user->id, session_id());
        $USER->mnet_foreign_host_array = self::other_hosts($told->user['myhosts'] ?? []);
        $this->extras($account, $told);
        return $USER;
    }

    /**
     * Notes the session of who just landed; Moodle has given it its id by now.
     *
     * @param int $userid who signed in
     */
    public static function signed_in(int $userid): void {
        $landed = self::$signingin;
        if (!$landed || $landed->userid !== $userid) {
            return;
        }
        self::$signingin = null;
        $sidhash = sessions::hash(session_id());
        if ($landed->before !== null) {
            sessions::moved($landed->before, $sidhash);
        }
        sessions::note(
            sessions::IN,
            $userid,
            $landed->hostid,
            $landed->username,
            $landed->useragent,
            $sidhash,
            $landed->prefix,
            time()
        );
    }

    /**
     * Asks the peer whose token it is.
     *
     * @param string $token
     * @param string $useragent SHA-1 of the browser's User-Agent
     * @return \stdClass user: what the peer told, prefix: where it told that
     * @throws refusal
     */
    public function vouched(string $token, string $useragent): \stdClass {
        if (!preg_match('~^[0-9A-Za-z+/=_-]{16,128}$~', $token)) {
            throw new refusal('tokenmalformed', s($this->host->name));
        }
        // A peer may let a token be used again, or by anybody; here it is good once.
        if (!tokens::present($token, $this->host->id, time())) {
            throw new refusal('tokenused', s($this->host->name));
        }
        $prefixes = $this->peer->prefixes('user_authorise');
        if (!$prefixes) {
            throw new refusal('peernotpublishing', s($this->host->name));
        }
        $last = null;
        foreach ($prefixes as $prefix) {
            try {
                $told = $this->peer->call_at($prefix, 'user_authorise', [$token, $useragent], self::TIMEOUT);
                if (!is_array($told) || empty($told['username'])) {
                    throw new refusal('incomplete', (object) ['host' => s($this->host->name), 'field' => 'username']);
                }
                return (object) ['user' => $told, 'prefix' => $prefix];
            } catch (fault $e) {
                $last = $e;
                if (!in_array($e->faultcode, self::ASK_ANOTHER, true)) {
                    break;
                }
            }
        }
        $why = [1 => 'tokenunknown', 2 => 'tokenexpired', 3 => 'tokenuser'][$last->faultcode] ?? null;
        if ($why) {
            tokens::refused($token, $this->host->id, time());
            throw new refusal($why, s($this->host->name), $last->faulttext);
        }
        throw $last;
    }

    /**
     * The account; who gets none is on record.
     *
     * @param array $user what the peer told
     * @return \stdClass
     * @throws refusal
     */
    private function account(array $user): \stdClass {
        global $CFG;
        require_once($CFG->libdir . '/authlib.php');
        try {
            return (new accounts($this->host))->account($user);
        } catch (refusal $e) {
            $username = is_scalar($user['username']) ? \core_text::substr((string) $user['username'], 0, 100) : '';
            \core\event\user_login_failed::create(['other' => [
                'username' => $username . ' (' . $this->host->wwwroot . ')',
                'reason' => AUTH_LOGIN_UNAUTHORISED,
            ]])->trigger();
            throw $e;
        }
    }

    /**
     * Ends what somebody else, or the same user signed in otherwise, has open in this browser.
     *
     * @param \stdClass $user who comes
     * @return string|null hash of the session's id, where its rows go on with the same user
     */
    private function leave_other_session(\stdClass $user): ?string {
        global $USER;
        if (!isloggedin() || isguestuser()) {
            return null;
        }
        $sidhash = sessions::hash(session_id());
        if ((int) $USER->id === (int) $user->id && !\core\session\manager::is_loggedinas()) {
            return $sidhash;
        }
        log_out::here($sidhash);
        \core\session\manager::init_empty_session();
        return null;
    }

    /**
     * What may fail without anybody being kept out for it.
     *
     * @param \stdClass $account
     * @param \stdClass $told
     */
    private function extras(\stdClass $account, \stdClass $told): void {
        try {
            if (!$account->islocal) {
                $this->fetch_picture($account, $told);
            }
            if (!$account->isnew) {
                $params = [(string) $told->user['username'], courses::of_user((int) $account->id)];
                $this->peer->call_at($told->prefix, 'update_enrolments', $params, self::EXTRAS_TIMEOUT);
            }
        } catch (\moodle_exception $e) {
            debugging('auth_mnetd: ' . $e->getMessage(), DEBUG_DEVELOPER);
        }
    }

    /**
     * Takes the user's picture where the peer has a newer one.
     *
     * @param \stdClass $account
     * @param \stdClass $told
     */
    private function fetch_picture(\stdClass $account, \stdClass $told): void {
        global $CFG, $DB, $USER;
        $modified = $told->user['_mnet_userpicture_timemodified'] ?? 0;
        $iswanted = empty($CFG->disableuserimages) && is_numeric($modified) && $modified > 0
            && in_array('picture', mnet_fields_to_import($this->host->core_peer()), true);
        if (!$iswanted) {
            return;
        }
        $context = \context_user::instance($account->id);
        foreach (['f1.png', 'f1.jpg'] as $name) {
            $file = get_file_storage()->get_file($context->id, 'user', 'icon', 0, '/', $name);
            if ($file && $file->get_timemodified() >= $modified) {
                return;
            }
        }
        $params = [(string) $told->user['username']];
        $answer = $this->peer->call_at($told->prefix, 'fetch_user_image', $params, self::EXTRAS_TIMEOUT);
        $image = is_array($answer) && isset($answer['f1']) ? base64_decode((string) $answer['f1'], true) : false;
        if ($image === false || $image === '' || strlen($image) > self::LARGEST_PICTURE) {
            return;
        }
        require_once($CFG->libdir . '/gdlib.php');
        $path = make_request_directory() . '/picture';
        file_put_contents($path, $image);
        // It looks itself whether this is a picture.
        $revision = process_new_icon($context, 'user', 'icon', 0, $path);
        if ($revision) {
            $DB->set_field('user', 'picture', $revision, ['id' => $account->id]);
            $USER->picture = $revision;
        }
    }

    /**
     * Where else the user has courses, as blocks of core show it.
     *
     * @param mixed $told
     * @return array list of name, url and count
     */
    private static function other_hosts($told): array {
        global $CFG;
        $hosts = [];
        foreach (array_slice(is_array($told) ? $told : [], 0, 50) as $host) {
            if (!is_array($host)) {
                continue;
            }
            $name = clean_param((string) ($host['name'] ?? ''), PARAM_TEXT);
            $url = clean_param((string) ($host['url'] ?? ''), PARAM_URL);
            $count = (int) ($host['count'] ?? 0);
            if ($name !== '' && $url !== '' && $count > 0 && stripos($url, $CFG->wwwroot) === false) {
                $hosts[] = ['name' => $name, 'url' => $url, 'count' => $count];
            }
        }
        return $hosts;
    }
}
