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
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;
use core_privacy\tests\provider_testcase;
use local_mnetd\ids;
use local_mnetd\queue;
use local_mnetd\state;

defined('MOODLE_INTERNAL') || die();

require_once(__DIR__ . '/../fixtures/hosts.php');

/**
 * Tests of the privacy provider.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\privacy\provider
 */
final class provider_test extends provider_testcase {
    use \local_mnetd\hosts;

    /** @var \stdClass the register. */
    protected $host;

    /** @var \stdClass the user it is about. */
    protected $user;

    /** @var \stdClass somebody whose id begins with the same digits, or has them within. */
    protected $other;

    protected function setUp(): void {
        global $DB;
        parent::setUp();
        $this->resetAfterTest();
        $this->user = $this->getDataGenerator()->create_user(['idnumber' => 'STU-1', 'firstname' => 'Uma']);
        $this->other = $this->getDataGenerator()->create_user(['idnumber' => 'STU-2']);
        $this->host = $this->make_register();
        foreach (['id', 'queue', 'state'] as $table) {
            $DB->delete_records('local_mnetd_' . $table);
        }
    }

    /**
     * Puts rows of every kind about a user into the tables.
     *
     * @param int $userid the user
     * @param string $idnumber the id under which the register knows the user
     */
    private function fill(int $userid, string $idnumber): void {
        global $DB;
        $DB->insert_record('local_mnetd_id', (object) ['kind' => ids::USER, 'itemid' => $userid, 'idnumber' => $idnumber]);
        $jobs = [
            [state::USER, "user:$userid", 'fetch_user', ['idnumber' => $idnumber, 'firstname' => 'Uma']],
            [state::ENROLMENT, "enrolment:3:$userid:student", 'new_enrolment', ['sectionid' => 'S3', 'userid' => $idnumber]],
            [state::GRADE, "grade:9:$userid", 'new_grade', ['assessmentid' => 'I9', 'userid' => $idnumber]],
        ];
        foreach ($jobs as [$kind, $key, $method, $data]) {
            queue::add([queue::job($this->host->id, $kind, $key, $method, $data)]);
        }
        $rows = [[state::USER, $userid, 0, '-'], [state::ENROLMENT, 3, $userid, 'student'], [state::GRADE, 9, $userid, '-']];
        foreach ($rows as [$kind, $a, $b, $role]) {
            $DB->insert_record('local_mnetd_state', (object) ['hostid' => $this->host->id, 'kind' => $kind, 'a' => $a,
                'b' => $b, 'role' => $role, 'hash' => sha1('x')]);
        }
    }

    /**
     * How many rows there are.
     *
     * @return int[] of ids, queue and state
     */
    private function counts(): array {
        global $DB;
        return [$DB->count_records('local_mnetd_id'), $DB->count_records('local_mnetd_queue'),
            $DB->count_records('local_mnetd_state')];
    }

    /**
     * The contexts of a user, approved.
     *
     * @param \stdClass $user the user
     * @return approved_contextlist
     */
    private function approved(\stdClass $user): approved_contextlist {
        return new approved_contextlist($user, 'local_mnetd', [\context_user::instance($user->id)->id]);
    }

    public function test_metadata_names_tables_and_the_register_with_strings_that_exist(): void {
        global $DB;
        $collection = provider::get_metadata(new collection('local_mnetd'));
        $names = [];
        foreach ($collection->get_collection() as $item) {
            $names[] = $item->get_name();
            $strings = array_merge([$item->get_summary()], array_values($item->get_privacy_fields()));
            foreach ($strings as $string) {
                $this->assertTrue(get_string_manager()->string_exists($string, 'local_mnetd'), $string);
            }
            if (strpos($item->get_name(), 'local_mnetd_') === 0) {
                $columns = array_keys($DB->get_columns($item->get_name()));
                $this->assertSame([], array_diff(array_keys($item->get_privacy_fields()), $columns));
            }
        }
        $this->assertSame(['local_mnetd_id', 'local_mnetd_queue', 'local_mnetd_state', 'register'], $names);
    }

    public function test_what_leaves_the_site_is_named_to_the_last_field(): void {
        $fields = [];
        foreach (provider::get_metadata(new collection('local_mnetd'))->get_collection() as $item) {
            if ($item->get_name() === 'register') {
                $fields = array_keys($item->get_privacy_fields());
            }
        }
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'STU-9', 'city' => 'Ulm', 'country' => 'DE',
            'department' => 'd', 'institution' => 'i']);
        // The id is pinned before the field changes, so that both ids are sent.
        ids::pin(ids::USER, [$user->id]);
        global $DB;
        $DB->set_field('user', 'idnumber', 'STU-10', ['id' => $user->id]);
        \local_mnetd\scope::reset();
        $entries = \local_mnetd\snapshot::page(state::USER, $user->id - 1, 1);
        $entry = reset($entries);
        $this->assertSame([], array_values(array_diff(array_keys($entry->data), $fields)));
    }

    public function test_the_user_is_found_in_their_own_context_only(): void {
        $this->assertCount(0, provider::get_contexts_for_userid($this->user->id));
        $this->fill($this->user->id, 'STU-1');
        $contexts = provider::get_contexts_for_userid($this->user->id);
        $this->assertEquals([\context_user::instance($this->user->id)->id], $contexts->get_contextids());
        $this->assertCount(0, provider::get_contexts_for_userid($this->other->id));

        $userlist = new userlist(\context_user::instance($this->user->id), 'local_mnetd');
        provider::get_users_in_context($userlist);
        $this->assertEquals([$this->user->id], $userlist->get_userids());
        foreach ([\context_user::instance($this->other->id), \context_system::instance()] as $context) {
            $userlist = new userlist($context, 'local_mnetd');
            provider::get_users_in_context($userlist);
            $this->assertSame([], $userlist->get_userids());
        }
    }

    /**
     * One row is enough to be found by.
     *
     * @dataProvider single_rows
     * @param string $table the table
     * @param array $row the row; USER stands for the user's id
     */
    public function test_any_single_row_is_found(string $table, array $row): void {
        global $DB;
        $row = array_map(function ($value) {
            return is_string($value) ? str_replace('USER', $this->user->id, $value) : $value;
        }, $row);
        $DB->insert_record($table, (object) ($row + ['hostid' => $this->host->id]));
        $this->assertCount(1, provider::get_contexts_for_userid($this->user->id));
        $this->assertCount(0, provider::get_contexts_for_userid($this->other->id));
    }

    /**
     * A row of each kind.
     *
     * @return array[]
     */
    public static function single_rows(): array {
        $job = ['kind' => 'x', 'method' => 'x', 'payload' => '{}', 'timecreated' => 1];
        return [
            'id' => ['local_mnetd_id', ['kind' => 'user', 'itemid' => 'USER', 'idnumber' => 'a']],
            'job about the account' => ['local_mnetd_queue', ['objectkey' => 'user:USER'] + $job],
            'job about an enrolment' => ['local_mnetd_queue', ['objectkey' => 'enrolment:1:USER:teacher'] + $job],
            'job about a grade' => ['local_mnetd_queue', ['objectkey' => 'grade:1:USER'] + $job],
            'state of the account' => ['local_mnetd_state', ['kind' => 'user', 'a' => 'USER', 'role' => '-', 'hash' => 'x']],
            'state of a grade' => ['local_mnetd_state',
                ['kind' => 'grade', 'a' => 1, 'b' => 'USER', 'role' => '-', 'hash' => 'x']],
        ];
    }

    public function test_everything_is_exported(): void {
        $this->fill($this->user->id, 'STU-1');
        $this->fill($this->other->id, 'STU-2');
        provider::export_user_data($this->approved($this->user));
        $writer = writer::with_context(\context_user::instance($this->user->id));
        $top = get_string('pluginname', 'local_mnetd');
        $this->assertSame('STU-1', $writer->get_data([$top])->idnumber);
        $jobs = $writer->get_data([$top, get_string('privacy:queue', 'local_mnetd')])->jobs;
        $this->assertSame(['fetch_user', 'new_enrolment', 'new_grade'], array_column($jobs, 'method'));
        $this->assertSame('Uma', $jobs[0]->payload['firstname']);
        $this->assertSame('https://register.example.org', $jobs[0]->register);
        $held = $writer->get_data([$top, get_string('privacy:state', 'local_mnetd')])->held;
        $this->assertEqualsCanonicalizing(['user', 'enrolment', 'grade'], array_column($held, 'kind'));
        $this->assertFalse(writer::with_context(\context_user::instance($this->other->id))->has_any_data());
    }

    public function test_deleting_one_user_tells_the_register_and_leaves_the_others(): void {
        global $DB;
        $this->fill($this->user->id, 'STU-1');
        $this->fill($this->other->id, 'STU-2');
        provider::delete_data_for_user($this->approved($this->user));
        $this->assertSame([1, 4, 3], $this->counts());
        $job = $DB->get_record('local_mnetd_queue', ['objectkey' => 'user:' . $this->user->id]);
        $this->assertSame(['remove_user', ['idnumber' => 'STU-1']], [$job->method, queue::data($job)]);
        $this->assertTrue($DB->record_exists('local_mnetd_id', ['itemid' => $this->other->id]));
    }

    public function test_a_removal_that_waits_already_is_kept_and_not_doubled(): void {
        global $DB;
        $this->fill($this->user->id, 'STU-1');
        queue::add([queue::job($this->host->id, state::USER, 'user:' . $this->user->id, 'remove_user', ['idnumber' => 'STU-1'])]);
        provider::delete_data_for_user($this->approved($this->user));
        $this->assertSame([0, 1, 0], $this->counts());
        $this->assertSame('remove_user', $DB->get_field('local_mnetd_queue', 'method', []));
    }

    public function test_who_was_never_sent_is_not_removed_from_the_register(): void {
        global $DB;
        $this->fill($this->user->id, 'STU-1');
        $DB->delete_records('local_mnetd_state');
        provider::delete_data_for_user($this->approved($this->user));
        $this->assertSame([0, 0, 0], $this->counts());
    }

    public function test_deleting_by_context_takes_that_user_only(): void {
        $this->fill($this->user->id, 'STU-1');
        $this->fill($this->other->id, 'STU-2');
        provider::delete_data_for_all_users_in_context(\context_system::instance());
        $this->assertSame([2, 6, 6], $this->counts());
        provider::delete_data_for_all_users_in_context(\context_user::instance($this->user->id));
        $this->assertSame([1, 4, 3], $this->counts());
    }

    public function test_deleting_a_list_takes_the_contexts_own_user_only(): void {
        $this->fill($this->user->id, 'STU-1');
        $this->fill($this->other->id, 'STU-2');
        $context = \context_user::instance($this->user->id);
        provider::delete_data_for_users(new approved_userlist($context, 'local_mnetd', [$this->other->id]));
        $this->assertSame([2, 6, 6], $this->counts());
        provider::delete_data_for_users(new approved_userlist($context, 'local_mnetd', [$this->user->id, $this->other->id]));
        $this->assertSame([1, 4, 3], $this->counts());
    }

    public function test_a_foreign_context_deletes_nothing(): void {
        $this->fill($this->user->id, 'STU-1');
        provider::delete_data_for_user(new approved_contextlist($this->user, 'local_mnetd', [\context_system::instance()->id]));
        $this->assertSame([1, 3, 3], $this->counts());
    }
}
