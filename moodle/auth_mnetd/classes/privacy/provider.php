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
 * What is kept about people.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\transform;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;

/**
 * Privacy provider.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /** @var string[] tables that hold something of somebody */
    const TABLES = ['auth_mnetd_token', 'auth_mnetd_session', 'auth_mnetd_course'];

    /**
     * What is kept and sent.
     *
     * @param collection $collection
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        $fields = [
            'auth_mnetd_token' => ['userid', 'hostid', 'useragent', 'timeexpires'],
            'auth_mnetd_session' => ['side', 'userid', 'hostid', 'username', 'useragent', 'timecreated', 'timeseen'],
            'auth_mnetd_course' => ['userid', 'hostid', 'remoteid', 'fullname', 'shortname', 'rolename', 'timemodified'],
        ];
        foreach ($fields as $table => $names) {
            $texts = [];
            foreach ($names as $name) {
                $texts[$name] = "privacy:metadata:field:$name";
            }
            $collection->add_database_table($table, $texts, "privacy:metadata:$table");
        }
        $collection->add_external_location_link('peer', [
            'username' => 'privacy:metadata:peer:username',
            'fields' => 'privacy:metadata:peer:fields',
            'picture' => 'privacy:metadata:peer:picture',
            'courses' => 'privacy:metadata:peer:courses',
        ], 'privacy:metadata:peer');
        return $collection;
    }

    /**
     * Where something of somebody is.
     *
     * @param int $userid
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        $list = new contextlist();
        foreach (self::TABLES as $table) {
            $list->add_from_sql(
                "SELECT ctx.id
                   FROM {context} ctx
                   JOIN {{$table}} t ON t.userid = ctx.instanceid
                  WHERE ctx.contextlevel = :level AND t.userid = :userid",
                ['level' => CONTEXT_USER, 'userid' => $userid]
            );
        }
        return $list;
    }

    /**
     * Of whom something is there.
     *
     * @param userlist $userlist
     */
    public static function get_users_in_context(userlist $userlist) {
        $context = $userlist->get_context();
        if (!$context instanceof \context_user) {
            return;
        }
        foreach (self::TABLES as $table) {
            $sql = "SELECT userid FROM {{$table}} WHERE userid = :userid";
            $userlist->add_from_sql('userid', $sql, ['userid' => $context->instanceid]);
        }
    }

    /**
     * Hands it out.
     *
     * @param approved_contextlist $contextlist
     */
    public static function export_user_data(approved_contextlist $contextlist) {
        global $DB;
        $userid = (int) $contextlist->get_user()->id;
        $context = \context_user::instance($userid);
        if (!in_array($context->id, $contextlist->get_contextids())) {
            return;
        }
        $hosts = $DB->get_records_menu('mnet_host', null, '', 'id, wwwroot');
        foreach (self::TABLES as $table) {
            $rows = [];
            foreach ($DB->get_records($table, ['userid' => $userid], 'id') as $row) {
                $row->host = $hosts[$row->hostid] ?? '';
                // Secrets, hashes of them, and numbers that mean nothing elsewhere.
                unset($row->id, $row->userid, $row->hostid, $row->tokenhash, $row->sidhash, $row->claim, $row->prefix);
                foreach (['timecreated', 'timeseen', 'timemodified', 'timeexpires'] as $time) {
                    if (isset($row->$time)) {
                        $row->$time = transform::datetime($row->$time);
                    }
                }
                $rows[] = $row;
            }
            if ($rows) {
                $path = [get_string('pluginname', 'auth_mnetd'), get_string("privacy:path:$table", 'auth_mnetd')];
                writer::with_context($context)->export_data($path, (object) ['rows' => $rows]);
            }
        }
    }

    /**
     * Deletes it in a context.
     *
     * @param \context $context
     */
    public static function delete_data_for_all_users_in_context(\context $context) {
        if ($context instanceof \context_user) {
            self::delete((int) $context->instanceid);
        }
    }

    /**
     * Deletes what there is of somebody.
     *
     * @param approved_contextlist $contextlist
     */
    public static function delete_data_for_user(approved_contextlist $contextlist) {
        $userid = (int) $contextlist->get_user()->id;
        foreach ($contextlist->get_contexts() as $context) {
            if ($context instanceof \context_user && (int) $context->instanceid === $userid) {
                self::delete($userid);
            }
        }
    }

    /**
     * Deletes what there is of several.
     *
     * @param approved_userlist $userlist
     */
    public static function delete_data_for_users(approved_userlist $userlist) {
        $context = $userlist->get_context();
        if ($context instanceof \context_user && in_array($context->instanceid, $userlist->get_userids())) {
            self::delete((int) $context->instanceid);
        }
    }

    /**
     * Deletes.
     *
     * @param int $userid
     */
    private static function delete(int $userid): void {
        global $DB;
        foreach (self::TABLES as $table) {
            $DB->delete_records($table, ['userid' => $userid]);
        }
    }
}
