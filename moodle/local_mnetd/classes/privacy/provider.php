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

namespace local_mnetd\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\transform;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use local_mnetd\queue;
use local_mnetd\state;

/**
 * What this plugin holds about people, and what of them goes to the register.
 *
 * All of it belongs to a user's own context: the id under which the register knows the person, a note of what the register
 * has, and what waits to be sent. The data itself is Moodle's.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /**
     * Names the tables, and what leaves the site.
     *
     * @param collection $collection to add to
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        $collection->add_database_table('local_mnetd_id', [
            'itemid' => 'privacy:metadata:id:itemid',
            'idnumber' => 'privacy:metadata:id:idnumber',
        ], 'privacy:metadata:id');
        $collection->add_database_table('local_mnetd_queue', [
            'objectkey' => 'privacy:metadata:queue:objectkey',
            'method' => 'privacy:metadata:queue:method',
            'payload' => 'privacy:metadata:queue:payload',
            'timecreated' => 'privacy:metadata:queue:timecreated',
            'state' => 'privacy:metadata:queue:state',
            'faulttext' => 'privacy:metadata:queue:faulttext',
        ], 'privacy:metadata:queue');
        $collection->add_database_table('local_mnetd_state', [
            'hostid' => 'privacy:metadata:state:hostid',
            'kind' => 'privacy:metadata:state:kind',
            'a' => 'privacy:metadata:state:a',
            'b' => 'privacy:metadata:state:b',
            'role' => 'privacy:metadata:state:role',
        ], 'privacy:metadata:state');
        $fields = ['idnumber', 'username', 'firstname', 'lastname', 'email', 'city', 'country', 'department', 'institution', 'lang',
            'suspended', 'moodle_id', 'moodle_idnumber', 'enrolments', 'grades'];
        $external = [];
        foreach ($fields as $field) {
            $external[$field] = 'privacy:metadata:register:' . $field;
        }
        $collection->add_external_location_link('register', $external, 'privacy:metadata:register');
        return $collection;
    }

    /**
     * The user's own context, if there is anything about the user.
     *
     * @param int $userid the user
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        $contextlist = new contextlist();
        if (self::has_data($userid)) {
            $contextlist->add_user_context($userid);
        }
        return $contextlist;
    }

    /**
     * The user whose context it is, if there is anything about that user.
     *
     * @param userlist $userlist to add to
     * @return void
     */
    public static function get_users_in_context(userlist $userlist) {
        $context = $userlist->get_context();
        if ($context instanceof \context_user && self::has_data($context->instanceid)) {
            $userlist->add_user($context->instanceid);
        }
    }

    /**
     * Writes out what there is.
     *
     * @param approved_contextlist $contextlist where to look
     * @return void
     */
    public static function export_user_data(approved_contextlist $contextlist) {
        global $DB;
        $userid = $contextlist->get_user()->id;
        if (!self::names_user($contextlist)) {
            return;
        }
        $context = \context_user::instance($userid);
        $top = get_string('pluginname', 'local_mnetd');

        $pinned = $DB->get_field('local_mnetd_id', 'idnumber', ['kind' => 'user', 'itemid' => $userid]);
        if ($pinned !== false) {
            writer::with_context($context)->export_data([$top], (object) ['idnumber' => $pinned]);
        }

        [$where, $params] = self::queue_where($userid);
        $jobs = [];
        foreach ($DB->get_records_select('local_mnetd_queue', $where, $params, 'id') as $job) {
            $jobs[] = (object) [
                'register' => self::register_name($job->hostid),
                'method' => $job->method,
                'payload' => json_decode($job->payload, true),
                'timecreated' => transform::datetime($job->timecreated),
                'state' => $job->state,
                'fault' => $job->faulttext,
            ];
        }
        if ($jobs) {
            writer::with_context($context)->export_data(
                [$top, get_string('privacy:queue', 'local_mnetd')],
                (object) ['jobs' => $jobs]
            );
        }

        [$where, $params] = self::state_where($userid);
        $held = [];
        foreach ($DB->get_records_select('local_mnetd_state', $where, $params, 'id') as $row) {
            $held[] = (object) [
                'register' => self::register_name($row->hostid),
                'kind' => $row->kind,
                'about' => self::about($row),
                'role' => $row->kind === 'enrolment' ? $row->role : '',
            ];
        }
        if ($held) {
            writer::with_context($context)->export_data(
                [$top, get_string('privacy:state', 'local_mnetd')],
                (object) ['held' => $held]
            );
        }
    }

    /**
     * Deletes what there is about the user whose context it is.
     *
     * @param \context $context the context
     * @return void
     */
    public static function delete_data_for_all_users_in_context(\context $context) {
        if ($context instanceof \context_user) {
            self::delete_user($context->instanceid);
        }
    }

    /**
     * Deletes what there is about one user.
     *
     * @param approved_contextlist $contextlist where to look
     * @return void
     */
    public static function delete_data_for_user(approved_contextlist $contextlist) {
        if (self::names_user($contextlist)) {
            self::delete_user($contextlist->get_user()->id);
        }
    }

    /**
     * Deletes what there is about some users of one context.
     *
     * @param approved_userlist $userlist the users
     * @return void
     */
    public static function delete_data_for_users(approved_userlist $userlist) {
        $context = $userlist->get_context();
        if ($context instanceof \context_user && in_array($context->instanceid, $userlist->get_userids())) {
            self::delete_user($context->instanceid);
        }
    }

    /**
     * Is the user's own context among the approved ones?
     *
     * @param approved_contextlist $contextlist the contexts
     * @return bool
     */
    private static function names_user(approved_contextlist $contextlist): bool {
        foreach ($contextlist->get_contexts() as $context) {
            if ($context instanceof \context_user && $context->instanceid == $contextlist->get_user()->id) {
                return true;
            }
        }
        return false;
    }

    /**
     * Is there anything about the user?
     *
     * @param int $userid the user
     * @return bool
     */
    private static function has_data(int $userid): bool {
        global $DB;
        return $DB->record_exists('local_mnetd_id', ['kind' => 'user', 'itemid' => $userid])
            || $DB->record_exists_select('local_mnetd_queue', ...self::queue_where($userid))
            || $DB->record_exists_select('local_mnetd_state', ...self::state_where($userid));
    }

    /**
     * Deletes what there is, having told each register that has the user to remove them.
     *
     * Without that word the registers would keep somebody whom nobody could name to them any more.
     *
     * @param int $userid the user
     * @return void
     */
    private static function delete_user(int $userid): void {
        global $DB;
        $transaction = $DB->start_delegated_transaction();
        $pinned = $DB->get_field('local_mnetd_id', 'idnumber', ['kind' => 'user', 'itemid' => $userid]);
        $hosts = $DB->get_fieldset_select(
            'local_mnetd_state',
            'hostid',
            'kind = :kind AND a = :userid',
            ['kind' => 'user', 'userid' => $userid]
        );
        // A removal that waits already is the last word on that user, and holds no more than the id.
        $removing = $DB->get_fieldset_select(
            'local_mnetd_queue',
            'hostid',
            'objectkey = :key AND method = :method',
            ['key' => 'user:' . $userid, 'method' => 'remove_user']
        );

        [$where, $params] = self::queue_where($userid);
        $DB->delete_records_select('local_mnetd_queue', "($where) AND method <> :kept", $params + ['kept' => 'remove_user']);
        [$where, $params] = self::state_where($userid);
        $DB->delete_records_select('local_mnetd_state', $where, $params);
        $DB->delete_records('local_mnetd_id', ['kind' => 'user', 'itemid' => $userid]);
        if ($pinned !== false) {
            $jobs = [];
            foreach (array_diff($hosts, $removing) as $hostid) {
                $jobs[] = queue::job(
                    $hostid,
                    state::USER,
                    state::key(state::USER, $userid),
                    'remove_user',
                    ['idnumber' => $pinned]
                );
            }
            queue::add($jobs);
        }
        $transaction->allow_commit();
    }

    /**
     * The condition for the jobs about a user: the account, enrolments and grades.
     *
     * @param int $userid the user
     * @return array [SQL, parameters]
     */
    private static function queue_where(int $userid): array {
        global $DB;
        $where = 'objectkey = :user OR ' . $DB->sql_like('objectkey', ':enrolment') . ' OR ' . $DB->sql_like('objectkey', ':grade');
        return [$where, [
            'user' => 'user:' . $userid,
            'enrolment' => 'enrolment:%:' . $userid . ':%',
            'grade' => 'grade:%:' . $userid,
        ]];
    }

    /**
     * The condition for what registers hold about a user.
     *
     * @param int $userid the user
     * @return array [SQL, parameters]
     */
    private static function state_where(int $userid): array {
        return [
            '(kind = :kinduser AND a = :userida) OR (kind IN (:kindenrolment, :kindgrade) AND b = :useridb)',
            [
                'kinduser' => state::USER,
                'userida' => $userid,
                'kindenrolment' => state::ENROLMENT,
                'kindgrade' => state::GRADE,
                'useridb' => $userid,
            ],
        ];
    }

    /**
     * What a row is about, in words.
     *
     * @param \stdClass $row of local_mnetd_state
     * @return string the course or the grade item, empty for the account itself
     */
    private static function about(\stdClass $row): string {
        global $DB;
        if ($row->kind === 'enrolment') {
            return (string) $DB->get_field('course', 'fullname', ['id' => $row->a]);
        }
        if ($row->kind === 'grade') {
            return (string) $DB->get_field('grade_items', 'itemname', ['id' => $row->a]);
        }
        return '';
    }

    /**
     * The address of a register.
     *
     * @param int $hostid its id in mnet_host
     * @return string
     */
    private static function register_name(int $hostid): string {
        global $DB;
        return (string) $DB->get_field('mnet_host', 'wwwroot', ['id' => $hostid]);
    }
}
