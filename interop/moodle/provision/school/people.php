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
 * Users.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

global $CFG;
require_once($CFG->dirroot . '/user/lib.php');

/**
 * Commands about users.
 */
class people {
    /**
     * Makes a user: {"username": ...} and any other column of the user table.
     *
     * @param input $in
     * @return array
     */
    public static function create(input $in): array {
        global $CFG;
        $username = $in->text('username');
        $id = user_create_user((object)($in->without(['password']) + [
            'auth' => 'manual',
            'confirmed' => 1,
            'mnethostid' => $CFG->mnet_localhost_id,
            'firstname' => 'First',
            'lastname' => 'Last',
            'email' => "$username@interop.example",
            'city' => 'Testing',
            'country' => 'GB',
            'password' => hash_internal_user_password($in->text('password', 'Passw0rd-1x')),
        ]), false, true);
        return self::told($id);
    }

    /**
     * Changes columns of a user: {"id": ..., "lastname": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function update(input $in): array {
        self::known($in->int('id'));
        user_update_user((object)$in->without([]), false, true);
        return self::told($in->int('id'));
    }

    /**
     * Suspends a user's account, or lets the user in again: {"id": ..., "suspended": true}.
     *
     * @param input $in
     * @return array
     */
    public static function suspend(input $in): array {
        $user = self::known($in->int('id'));
        user_update_user((object)['id' => $user->id, 'suspended' => (int)$in->bool('suspended', true)], false, true);
        return self::told($user->id);
    }

    /**
     * Deletes a user: {"id": ...}.
     *
     * @param input $in
     * @return array
     */
    public static function delete(input $in): array {
        if (!delete_user(self::known($in->int('id')))) {
            throw new \RuntimeException("Moodle did not delete user {$in->int('id')}");
        }
        return ['id' => $in->int('id')];
    }

    /**
     * The row of a user who is there.
     *
     * @param int $id
     * @return \stdClass
     */
    public static function known(int $id): \stdClass {
        global $DB;
        $user = $DB->get_record('user', ['id' => $id, 'deleted' => 0]);
        if (!$user) {
            throw new \InvalidArgumentException("there is no user $id");
        }
        return $user;
    }

    /**
     * What is answered about a user: as it was stored, for Moodle cleans what it is given.
     *
     * @param int $id
     * @return array
     */
    private static function told(int $id): array {
        $user = self::known($id);
        return [
            'id' => (int)$user->id,
            'username' => $user->username,
            'firstname' => $user->firstname,
            'lastname' => $user->lastname,
            'email' => $user->email,
            'idnumber' => $user->idnumber,
            'suspended' => (bool)$user->suspended,
        ];
    }
}
