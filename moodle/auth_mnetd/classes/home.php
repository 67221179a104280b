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
 * What a peer may ask of us about our users.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

defined('MOODLE_INTERNAL') || die();

require_once($GLOBALS['CFG']->dirroot . '/mnet/xmlrpc/serverlib.php');

/**
 * This site as identity provider: the functions of the service sso_idp, for the peer that calls.
 *
 * A peer only hears of users that went to it, and only has a say over their sessions.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class home {
    /** @var int usernames in one call at most: as many as are online at a large site at once */
    const MOST_USERNAMES = 1000;

    /** @var \mnet_peer who calls */
    private $caller;

    /** @var int */
    private $now;

    /**
     * For one call.
     *
     * @param \mnet_peer $caller who calls
     * @param int $now
     */
    public function __construct(\mnet_peer $caller, int $now) {
        $this->caller = $caller;
        $this->now = $now;
    }

    /**
     * Vouches for a user who arrived at the peer.
     *
     * @param string $token what the browser came with
     * @param string $useragent SHA-1 of its User-Agent
     * @return array the user's data
     * @throws \mnet_server_exception 1: no such token or session, 2: too late, 3: the user may not travel
     */
    public function authorise(string $token, string $useragent): array {
        global $CFG, $DB;
        $journey = tokens::redeem($token, (int) $this->caller->id, $useragent, $this->now);
        $user = $DB->get_record('user', ['id' => $journey->userid, 'mnethostid' => $CFG->mnet_localhost_id]);
        // Whoever ended the session the user set out from, ended the journey.
        if (!$user || !isset(sessions::of_moodle($journey->userid)[$journey->sidhash])) {
            throw new \mnet_server_exception(1, 'fault:nosuchtoken', 'auth_mnetd');
        }
        if ($user->deleted || $user->suspended || !$user->confirmed || isguestuser($user)) {
            throw new \mnet_server_exception(3, 'fault:nosuchuser', 'auth_mnetd');
        }
        sessions::note(
            sessions::OUT,
            (int) $user->id,
            (int) $this->caller->id,
            $user->username,
            \core_text::strtolower($useragent),
            $journey->sidhash,
            '',
            $this->now
        );
        return $this->data_of($user);
    }

    /**
     * Keeps the sessions of users alive who are busy at the peer.
     *
     * @param array $usernames
     * @return array code, message and last log id
     */
    public function keep_alive(array $usernames): array {
        global $DB;
        $unknown = [];
        foreach (array_slice(array_values($usernames), 0, self::MOST_USERNAMES) as $username) {
            $isalive = false;
            $row = ['side' => sessions::OUT, 'hostid' => $this->caller->id, 'username' => (string) $username];
            foreach ($DB->get_records('auth_mnetd_session', $row, 'id') as $session) {
                if (sessions::touch((int) $session->userid, $session->sidhash)) {
                    $isalive = true;
                    $DB->set_field('auth_mnetd_session', 'timeseen', $this->now, ['id' => $session->id]);
                }
            }
            if (!$isalive) {
                $unknown[] = \core_text::substr((string) $username, 0, 100);
            }
        }
        $lastlog = (int) $this->caller->last_log_id;
        if (!$unknown) {
            return ['code' => 0, 'message' => 'All ok', 'last log id' => $lastlog];
        }
        $message = "We failed to refresh the session for the following usernames: \n"
            . implode("\n", array_slice($unknown, 0, 30)) . "\n\n";
        return ['code' => 1, 'message' => $message, 'last log id' => $lastlog];
    }

    /**
     * The picture of a user who is at the peer.
     *
     * @param string $username
     * @return array f1, f1_mimetype, f2, f2_mimetype; nothing: no picture, or not for this peer
     */
    public function picture(string $username): array {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/mnet/lib.php');
        $isthere = $DB->record_exists('auth_mnetd_session', [
            'side' => sessions::OUT, 'hostid' => $this->caller->id, 'username' => $username,
        ]);
        if (!$isthere || !in_array('picture', mnet_fields_to_send($this->caller), true)) {
            return [];
        }
        $where = ['username' => $username, 'mnethostid' => $CFG->mnet_localhost_id, 'deleted' => 0];
        $user = $DB->get_record('user', $where, 'id, picture');
        $picture = [];
        foreach (['f1', 'f2'] as $size) {
            $file = $user && $user->picture ? self::icon((int) $user->id, $size) : null;
            if ($file) {
                $picture[$size] = base64_encode($file->get_content());
                $picture[$size . '_mimetype'] = $file->get_mimetype();
            }
        }
        return $picture;
    }

    /**
     * What this site looks like.
     *
     * @return array themename and logourl
     */
    public static function theme(): array {
        global $CFG;
        $logo = (string) get_config('core_admin', 'logo');
        $address = '';
        if ($logo !== '') {
            $contextid = \context_system::instance()->id;
            $address = \moodle_url::make_pluginfile_url(
                $contextid,
                'core_admin',
                'logo',
                '0x200/',
                theme_get_revision(),
                $logo
            )->out(false);
        }
        return ['themename' => (string) $CFG->theme, 'logourl' => $address];
    }

    /**
     * What the peer hears of a user: the fields the administrator exports to it, and what the protocol wants.
     *
     * @param \stdClass $user
     * @return array
     */
    private function data_of(\stdClass $user): array {
        global $CFG;
        require_once($CFG->dirroot . '/mnet/lib.php');
        $data = [];
        // Moodle lets an administrator choose any column. What opens an account here is nobody else's.
        $own = array_diff_key((array) $user, ['password' => true, 'secret' => true]);
        foreach (mnet_strip_user($own, mnet_fields_to_send($this->caller)) as $field => $value) {
            $data[$field] = (string) $value;
        }
        $icon = isset($data['picture']) && $user->picture ? self::icon((int) $user->id, 'f1') : null;
        if ($icon) {
            $data['_mnet_userpicture_timemodified'] = (int) $icon->get_timemodified();
            $data['_mnet_userpicture_mimetype'] = $icon->get_mimetype();
        }
        $data['auth'] = 'mnet';
        $data['wwwroot'] = $CFG->wwwroot;
        $data['session.gc_maxlifetime'] = (string) $CFG->sessiontimeout;
        $data['myhosts'] = courses::hosts_of($user, (int) $this->caller->id);
        return $data;
    }

    /**
     * A user's picture.
     *
     * @param int $userid
     * @param string $size f1 or f2
     * @return \stored_file|null
     */
    private static function icon(int $userid, string $size): ?\stored_file {
        $context = \context_user::instance($userid, IGNORE_MISSING);
        foreach ($context ? ['.png', '.jpg'] : [] as $extension) {
            $file = get_file_storage()->get_file($context->id, 'user', 'icon', 0, '/', $size . $extension);
            if ($file) {
                return $file;
            }
        }
        return null;
    }
}
