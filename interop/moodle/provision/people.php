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
 * People and what they may do.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

require_once($CFG->dirroot . '/user/lib.php');

/**
 * A local user by name: made, or brought up to date.
 *
 * @param string $username begins with interop-
 * @param array $fields of the user table; password in the clear
 * @return stdClass the row
 */
function interop_person(string $username, array $fields): stdClass {
    global $DB, $CFG;
    if (strpos($username, 'interop-') !== 0) {
        throw new invalid_argument_exception("$username is not one of the suite's users: their names begin with interop-");
    }
    $user = $DB->get_record('user', ['username' => $username, 'mnethostid' => $CFG->mnet_localhost_id, 'deleted' => 0]);
    if ($user) {
        user_update_user((object)($fields + ['id' => $user->id]), isset($fields['password']));
    } else {
        $unsaid = [
            'username' => $username, 'auth' => 'manual', 'confirmed' => 1, 'mnethostid' => $CFG->mnet_localhost_id,
            'firstname' => 'Interop', 'lastname' => ucfirst(substr($username, 8)), 'email' => "$username@example.test",
            'city' => 'Testford', 'country' => 'GB', 'lang' => 'en', 'password' => 'Aa1-' . random_string(20),
        ];
        $user = (object)['id' => user_create_user((object)($fields + $unsaid), true)];
    }
    return $DB->get_record('user', ['id' => $user->id], '*', MUST_EXIST);
}

/**
 * One of the suite's users as the database has it.
 *
 * @param string $username of a local user
 * @return stdClass
 */
function interop_user(string $username): stdClass {
    global $DB, $CFG;
    $user = $DB->get_record('user', ['username' => $username, 'mnethostid' => $CFG->mnet_localhost_id, 'deleted' => 0]);
    if (!$user) {
        throw new invalid_argument_exception("there is no local user $username");
    }
    return $user;
}

/**
 * Deletes all of the suite's users.
 */
function interop_delete_people(): void {
    global $DB;
    $like = $DB->sql_like('username', ':prefix');
    foreach ($DB->get_records_select('user', "$like AND deleted = 0", ['prefix' => 'interop-%']) as $user) {
        delete_user($user);
    }
}

/**
 * Puts capabilities back that were changed.
 */
function interop_restore_capabilities(): void {
    $saved = json_decode(get_config('mnetd_interop', 'capabilities') ?: '{}', true);
    foreach ($saved as $key => $permission) {
        [$roleid, $capability] = explode('|', $key, 2);
        assign_capability($capability, $permission, $roleid, context_system::instance()->id, true);
    }
    unset_config('capabilities', 'mnetd_interop');
}

/**
 * What the suite may know of a user.
 *
 * @param stdClass $user the row
 * @return array
 */
function interop_told(stdClass $user): array {
    $wanted = ['id', 'username', 'idnumber', 'firstname', 'lastname', 'email', 'auth', 'city', 'country', 'department',
        'institution', 'lang', 'suspended', 'mnethostid'];
    return array_intersect_key((array)$user, array_flip($wanted));
}

return [
    // Makes a user, or brings one up to date: {username, and any fields of the user table}.
    'user' => function (stdClass $in) {
        return interop_told(interop_person($in->username, (array)$in));
    },

    // Deletes a user as an administrator does: {username}.
    'user-delete' => function (stdClass $in) {
        return delete_user(interop_user($in->username));
    },

    // A user as the database has it, null for nobody: {username, wwwroot: the peer it came from, none for a local one}.
    'user-get' => function (stdClass $in) {
        global $DB, $CFG;
        $hostid = isset($in->wwwroot) ? interop_host($in->wwwroot)->id : $CFG->mnet_localhost_id;
        $user = $DB->get_record('user', ['username' => $in->username, 'mnethostid' => $hostid, 'deleted' => 0]);
        return $user ? interop_told($user) : null;
    },

    // Allows a role something, or not, until the clean-up: {role: shortname, capability, allow: bool}.
    'capability' => function (stdClass $in) {
        global $DB;
        $roleid = $DB->get_field('role', 'id', ['shortname' => $in->role], MUST_EXIST);
        $context = context_system::instance();
        $saved = json_decode(get_config('mnetd_interop', 'capabilities') ?: '{}', true);
        $key = "$roleid|{$in->capability}";
        if (!array_key_exists($key, $saved)) {
            $where = ['roleid' => $roleid, 'capability' => $in->capability, 'contextid' => $context->id];
            $saved[$key] = (int)$DB->get_field('role_capabilities', 'permission', $where);
            set_config('capabilities', json_encode($saved), 'mnetd_interop');
        }
        assign_capability($in->capability, $in->allow ? CAP_ALLOW : CAP_INHERIT, $roleid, $context->id, true);
        return true;
    },
];
