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
 * Which account somebody from a peer gets.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * The account here of a user of a peer: the one of that host and name, or, where the administrator wants
 * that, an account of this site with the same ID number.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class accounts {
    /** @var int no accounts are made for users of peers */
    const CREATE_NEVER = 0;

    /** @var int for users of every peer, as core does */
    const CREATE_ALWAYS = 1;

    /** @var int for users of the hosts that are named */
    const CREATE_NAMED = 2;

    /**
     * @var string[] who holds one of these, or one that Moodle says is a risk to the site's configuration, in the whole site or
     * in a course category, signs in here, not through a peer
     */
    const PRIVILEGES = [
        'moodle/site:config',
        'moodle/site:uploadusers',
        'moodle/role:manage',
        'moodle/role:assign',
        'moodle/role:override',
        'moodle/user:create',
        'moodle/user:update',
        'moodle/user:delete',
        'moodle/user:editprofile',
        'moodle/user:loginas',
        'moodle/backup:userinfo',
        'moodle/restore:createuser',
        'moodle/restore:userinfo',
    ];

    /** @var string[] fields of an account no peer ever sets, whatever is imported */
    const OURS = [
        'id', 'auth', 'confirmed', 'policyagreed', 'deleted', 'suspended', 'mnethostid', 'username', 'password', 'secret',
        'emailstop', 'firstaccess', 'lastaccess', 'lastlogin', 'currentlogin', 'lastip', 'picture', 'timecreated',
        'timemodified', 'trustbitmask', 'moodlenetprofile', 'theme',
    ];

    /** @var host whose users */
    private $host;

    /** @var \stdClass settings of the plugin */
    private $config;

    /**
     * Accounts for users of a host.
     *
     * @param host $host
     */
    public function __construct(host $host) {
        $this->host = $host;
        $this->config = get_config('auth_mnetd');
    }

    /**
     * The account of somebody the peer vouched for, made or brought up to date.
     *
     * @param array $told what the peer told
     * @return \stdClass with isnew and islocal
     * @throws refusal
     */
    public function account(array $told): \stdClass {
        $username = self::username($told);
        $this->heed_access_control($username);
        $local = $this->local_account($told);
        if ($local) {
            $local->isnew = false;
            $local->islocal = true;
            return $local;
        }
        global $DB;
        $user = $DB->get_record('user', ['username' => $username, 'mnethostid' => $this->host->id, 'deleted' => 0]);
        $fields = $this->fields($told);
        if ($user) {
            $this->require_usable($user);
            $user = $this->bring_up_to_date($user, $fields);
            $user->isnew = false;
        } else {
            $user = $this->create($username, $fields);
            $user->isnew = true;
        }
        $user->islocal = false;
        return $user;
    }

    /**
     * The username an account here has.
     *
     * @param array $told what the peer told
     * @return string
     * @throws refusal
     */
    private static function username(array $told): string {
        $raw = isset($told['username']) && is_scalar($told['username']) ? trim((string) $told['username']) : '';
        $username = \core_text::strtolower($raw);
        $isusable = $username !== '' && \core_text::strlen($username) <= 100 && $username !== 'guest'
            && $username === \core_user::clean_field($username, 'username');
        if (!$isusable) {
            throw new refusal('username', s(\core_text::substr($raw, 0, 100)));
        }
        return $username;
    }

    /**
     * Heeds the list the administrator keeps under Network, SSO access control.
     *
     * @param string $username
     * @throws refusal
     */
    private function heed_access_control(string $username): void {
        global $DB;
        if (!$DB->get_manager()->table_exists('mnet_sso_access_control')) {
            return;
        }
        $where = ['username' => $username, 'mnet_host_id' => $this->host->id];
        $rule = $DB->get_field('mnet_sso_access_control', 'accessctrl', $where);
        if ($rule !== false && $rule !== 'allow') {
            throw new refusal('accesscontrol', (object) ['user' => s($username), 'host' => s($this->host->name)]);
        }
    }

    /**
     * The account of this site with the ID number the peer told, where that is wanted for this host.
     *
     * @param array $told what the peer told
     * @return \stdClass|null null: not wanted, or there is none
     * @throws refusal there is one, but it may not be entered this way
     */
    private function local_account(array $told): ?\stdClass {
        global $CFG, $DB;
        $idnumber = isset($told['idnumber']) && is_scalar($told['idnumber']) ? trim((string) $told['idnumber']) : '';
        $hosts = explode(',', (string) ($this->config->matchidnumberhosts ?? ''));
        if (empty($this->config->matchidnumber) || !in_array((string) $this->host->id, $hosts, true) || $idnumber === '') {
            return null;
        }
        $where = ['idnumber' => $idnumber, 'mnethostid' => $CFG->mnet_localhost_id, 'deleted' => 0];
        $found = $DB->get_records('user', $where, 'id');
        // Some databases take upper and lower case, accents or spaces at the end for the same.
        $found = array_filter($found, function (\stdClass $user) use ($idnumber): bool {
            return $user->idnumber === $idnumber;
        });
        if (!$found) {
            return null;
        }
        if (count($found) > 1) {
            throw new refusal('idnumberambiguous', s($idnumber));
        }
        $user = reset($found);
        self::require_unprivileged($user);
        if ($user->suspended || !$user->confirmed || isguestuser($user)) {
            throw new refusal('suspended', s($user->username));
        }
        if ($user->auth === 'nologin' || !is_enabled_auth($user->auth)) {
            throw new refusal('authdisabled', s($user->username));
        }
        return $user;
    }

    /**
     * Who may change the site does not come in on a peer's word.
     *
     * @param \stdClass $user
     * @throws refusal
     */
    private static function require_unprivileged(\stdClass $user): void {
        global $DB;
        $risky = $DB->get_fieldset_select('capabilities', 'name', $DB->sql_bitand('riskbitmask', RISK_CONFIG) . ' <> 0');
        $privileges = array_unique(array_merge(self::PRIVILEGES, $risky));
        $contexts = [\context_system::instance()->id];
        $sql = "SELECT DISTINCT ra.contextid
                  FROM {role_assignments} ra
                  JOIN {context} ctx ON ctx.id = ra.contextid
                 WHERE ra.userid = :userid AND ctx.contextlevel = :category";
        $contexts = array_merge($contexts, $DB->get_fieldset_sql($sql, ['userid' => $user->id, 'category' => CONTEXT_COURSECAT]));
        foreach ($contexts as $contextid) {
            if (has_any_capability($privileges, \context::instance_by_id($contextid), $user->id)) {
                throw new refusal('privileged', s($user->username));
            }
        }
    }

    /**
     * Whether an account of the host can be used.
     *
     * @param \stdClass $user
     * @throws refusal
     */
    private function require_usable(\stdClass $user): void {
        if ($user->suspended || !$user->confirmed) {
            throw new refusal('suspended', s($user->username));
        }
        if ($user->auth !== 'mnet' && $user->auth !== 'mnetd') {
            throw new refusal('authdisabled', s($user->username));
        }
    }

    /**
     * What the peer told of a user, as far as the administrator imports it and it fits an account.
     *
     * @param array $told
     * @return array field => value
     * @throws refusal something is missing no account can do without
     */
    private function fields(array $told): array {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/mnet/lib.php');
        $columns = $DB->get_columns('user');
        $fields = [];
        foreach (array_unique(mnet_fields_to_import($this->host->core_peer())) as $field) {
            $isgiven = isset($told[$field]) && is_scalar($told[$field]);
            if (!$isgiven || !isset($columns[$field]) || in_array($field, self::OURS, true)) {
                continue;
            }
            $value = self::clean($field, (string) $told[$field], $columns[$field]);
            if ($value !== null) {
                $fields[$field] = $value;
            }
        }
        foreach (['firstname', 'lastname', 'email'] as $needed) {
            if (!isset($fields[$needed]) || trim($fields[$needed]) === '') {
                throw new refusal('incomplete', (object) ['host' => s($this->host->name), 'field' => $needed]);
            }
        }
        if (!validate_email($fields['email'])) {
            throw new refusal('incomplete', (object) ['host' => s($this->host->name), 'field' => 'email']);
        }
        return $fields;
    }

    /**
     * A value as the field may hold it.
     *
     * @param string $field
     * @param string $value as told
     * @param \database_column_info $column
     * @return string|null null: none that fits
     */
    private static function clean(string $field, string $value, \database_column_info $column): ?string {
        if ($field === 'lang') {
            // Moodle 1.x had this at the end of its languages. One that is not installed is none.
            $value = str_replace('_utf8', '', $value);
        }
        $isplace = $field === 'lang' || $field === 'timezone' || $field === 'country';
        try {
            $type = \core_user::get_property_type($field);
            // Core replaces a choice that is none by the usual one. Of a place that is none nothing is taken.
            $cleaned = (string) ($isplace ? clean_param($value, $type) : \core_user::clean_field($value, $field));
        } catch (\moodle_exception $e) {
            $cleaned = clean_param($value, PARAM_NOTAGS);
        }
        if ($column->meta_type === 'I' || $column->meta_type === 'N') {
            return is_numeric($cleaned) && $cleaned === trim($value) ? $cleaned : null;
        }
        if ($isplace && $cleaned === '') {
            return null;
        }
        if ($field === 'country' && !array_key_exists($cleaned, get_string_manager()->get_list_of_countries(true))) {
            return null;
        }
        return $column->max_length > 0 ? \core_text::substr($cleaned, 0, $column->max_length) : $cleaned;
    }

    /**
     * Makes an account.
     *
     * @param string $username
     * @param array $fields
     * @return \stdClass
     * @throws refusal accounts are not made for users of this host
     */
    private function create(string $username, array $fields): \stdClass {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/user/lib.php');
        if (!$this->may_create()) {
            throw new refusal('noaccount', (object) ['user' => s($username), 'host' => s($this->host->name)]);
        }
        $user = (object) ($fields + [
            'username' => $username,
            'mnethostid' => $this->host->id,
            'auth' => 'mnetd',
            'confirmed' => 1,
            'password' => AUTH_PASSWORD_NOT_CACHED,
            'firstaccess' => 0,
        ]);
        $id = user_create_user($user, false);
        return $DB->get_record('user', ['id' => $id], '*', MUST_EXIST);
    }

    /**
     * Whether accounts are made for users of this host.
     *
     * @return bool
     */
    private function may_create(): bool {
        $rule = (int) ($this->config->autocreate ?? self::CREATE_ALWAYS);
        $named = explode(',', (string) ($this->config->autocreatehosts ?? ''));
        return $rule === self::CREATE_ALWAYS
            || ($rule === self::CREATE_NAMED && in_array((string) $this->host->id, $named, true));
    }

    /**
     * Brings an account up to date, and takes it over where the plugin it signed in with is gone.
     *
     * @param \stdClass $user
     * @param array $fields
     * @return \stdClass
     */
    private function bring_up_to_date(\stdClass $user, array $fields): \stdClass {
        global $CFG, $DB;
        require_once($CFG->dirroot . '/user/lib.php');
        if ($user->auth === 'mnet' && !\core_component::get_plugin_directory('auth', 'mnet')) {
            $fields['auth'] = 'mnetd';
        }
        $changed = array_filter($fields, function ($value, string $field) use ($user): bool {
            return (string) $user->$field !== (string) $value;
        }, ARRAY_FILTER_USE_BOTH);
        if ($changed) {
            user_update_user((object) (['id' => $user->id] + $changed), false);
        }
        return $DB->get_record('user', ['id' => $user->id], '*', MUST_EXIST);
    }
}
