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

namespace local_mnetd;

/**
 * Ids are pinned once, and never change.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_mnetd\ids
 */
final class ids_test extends \advanced_testcase {
    protected function setUp(): void {
        parent::setUp();
        $this->resetAfterTest();
    }

    /**
     * The id of one user.
     *
     * @param \stdClass $user the user
     * @return string
     */
    private function id_of(\stdClass $user): string {
        return ids::pin(ids::USER, [$user->id])[$user->id];
    }

    public function test_an_own_id_number_is_taken(): void {
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'STU-1']);
        $this->assertSame('STU-1', $this->id_of($user));
        $this->assertSame((int)$user->id, ids::find(ids::USER, 'STU-1'));
    }

    public function test_without_one_it_is_derived_and_stays_so(): void {
        global $DB;
        $user = $this->getDataGenerator()->create_user();
        $this->assertSame("moodle-user-$user->id", $this->id_of($user));
        $DB->set_field('user', 'idnumber', 'LATE-1', ['id' => $user->id]);
        $this->assertSame("moodle-user-$user->id", $this->id_of($user));
        $this->assertSame(0, ids::find(ids::USER, 'LATE-1'));
    }

    public function test_a_changed_id_number_does_not_change_the_id(): void {
        global $DB;
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'OLD']);
        $this->id_of($user);
        $DB->set_field('user', 'idnumber', 'NEW', ['id' => $user->id]);
        $this->assertSame('OLD', $this->id_of($user));
    }

    public function test_two_with_the_same_id_number_both_get_derived_ones(): void {
        $one = $this->getDataGenerator()->create_user(['idnumber' => 'SAME']);
        $two = $this->getDataGenerator()->create_user(['idnumber' => 'SAME']);
        $expected = [$one->id => "moodle-user-$one->id", $two->id => "moodle-user-$two->id"];
        $this->assertEquals($expected, ids::pin(ids::USER, [$one->id, $two->id]));
    }

    public function test_an_account_of_another_host_shares_no_id_number(): void {
        global $DB;
        $host = $DB->insert_record('mnet_host', (object)['wwwroot' => 'https://peer.example.org', 'ip_address' => '192.0.2.1',
            'name' => 'A peer', 'public_key' => '', 'public_key_expires' => 0, 'applicationid' => 1]);
        $this->getDataGenerator()->create_user(['idnumber' => 'STU-1', 'auth' => 'nologin', 'mnethostid' => $host]);
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'STU-1']);
        $this->assertSame('STU-1', $this->id_of($user));
    }

    public function test_who_was_first_keeps_it(): void {
        global $DB;
        $one = $this->getDataGenerator()->create_user(['idnumber' => 'MINE']);
        $this->assertSame('MINE', $this->id_of($one));
        $DB->set_field('user', 'idnumber', '', ['id' => $one->id]);
        $two = $this->getDataGenerator()->create_user(['idnumber' => 'MINE']);
        $this->assertSame("moodle-user-$two->id", $this->id_of($two));
        $this->assertSame('MINE', $this->id_of($one));
    }

    public function test_the_id_of_somebody_deleted_is_not_given_to_another(): void {
        $one = $this->getDataGenerator()->create_user(['idnumber' => 'GONE']);
        $this->id_of($one);
        delete_user($one);
        $two = $this->getDataGenerator()->create_user(['idnumber' => 'GONE']);
        $this->assertSame("moodle-user-$two->id", $this->id_of($two));
        $this->assertSame((int)$one->id, ids::find(ids::USER, 'GONE'));
    }

    public function test_what_looks_like_the_derived_id_of_another_is_not_taken(): void {
        global $DB;
        $victim = $this->getDataGenerator()->create_user();
        $thief = $this->getDataGenerator()->create_user(['idnumber' => "moodle-user-$victim->id"]);
        $shouting = $this->getDataGenerator()->create_user(['idnumber' => "MOODLE-USER-$thief->id"]);
        $own = $this->getDataGenerator()->create_user();
        $DB->set_field('user', 'idnumber', "moodle-user-$own->id", ['id' => $own->id]);

        $this->assertSame("moodle-user-$thief->id", $this->id_of($thief));
        $this->assertSame("moodle-user-$shouting->id", $this->id_of($shouting));
        $this->assertSame("moodle-user-$victim->id", $this->id_of($victim));
        $this->assertSame("moodle-user-$own->id", $this->id_of($own));
    }

    /**
     * ID numbers that are no use as ids.
     *
     * @return array
     */
    public static function unusable(): array {
        return [
            'a space before' => [' A1'],
            'a space behind' => ['A1 '],
            'a line break within' => ["A\n1"],
            'only a space' => [' '],
            'a control character beyond ASCII' => ["A\u{85}1"],
        ];
    }

    /**
     * They are passed over.
     *
     * @dataProvider unusable
     * @param string $idnumber as it stands in the database
     */
    public function test_what_cannot_be_an_id_is_not_taken(string $idnumber): void {
        global $DB;
        $user = $this->getDataGenerator()->create_user();
        $DB->set_field('user', 'idnumber', $idnumber, ['id' => $user->id]);
        $this->assertSame("moodle-user-$user->id", $this->id_of($user));
    }

    public function test_ids_that_differ_in_case_only_are_as_different_as_the_database_has_them(): void {
        $one = $this->getDataGenerator()->create_user(['idnumber' => 'abc']);
        $this->assertSame('abc', $this->id_of($one));
        $two = $this->getDataGenerator()->create_user(['idnumber' => 'ABC']);
        $expected = $GLOBALS['DB']->get_dbfamily() === 'postgres' ? ['abc', 'ABC'] : ['abc', "moodle-user-$two->id"];
        $this->assertSame($expected, [$this->id_of($one), $this->id_of($two)]);
        $this->assertSame((int)$one->id, ids::find(ids::USER, 'abc'));
    }

    public function test_it_does_not_matter_whether_they_are_pinned_together(): void {
        global $DB;
        $one = $this->getDataGenerator()->create_user(['idnumber' => 'xyz']);
        $two = $this->getDataGenerator()->create_user(['idnumber' => 'XYZ']);
        $expected = [$one->id => 'xyz', $two->id => $DB->get_dbfamily() === 'postgres' ? 'XYZ' : "moodle-user-$two->id"];
        $this->assertEquals($expected, ids::pin(ids::USER, [$one->id, $two->id]));
    }

    public function test_a_zero_is_an_id(): void {
        $user = $this->getDataGenerator()->create_user(['idnumber' => '0']);
        $this->assertSame('0', $this->id_of($user));
    }

    public function test_kinds_do_not_mix(): void {
        $user = $this->getDataGenerator()->create_user(['idnumber' => 'X']);
        $course = $this->getDataGenerator()->create_course(['idnumber' => 'X']);
        $this->assertSame('X', $this->id_of($user));
        $this->assertSame('X', ids::pin(ids::COURSE, [$course->id])[$course->id]);
    }

    public function test_items_of_two_courses_may_have_the_same_id_number_but_not_the_same_id(): void {
        $items = [];
        foreach ([1, 2] as $n) {
            $course = $this->getDataGenerator()->create_course();
            $items[] = $this->getDataGenerator()->create_grade_item(['courseid' => $course->id, 'idnumber' => 'ESSAY'])->id;
        }
        $this->assertEquals(["moodle-item-$items[0]", "moodle-item-$items[1]"], array_values(ids::pin(ids::ITEM, $items)));
    }

    public function test_many_cost_few_queries(): void {
        global $DB;
        $users = [];
        for ($i = 0; $i < 60; $i++) {
            $users[] = $this->getDataGenerator()->create_user(['idnumber' => $i % 2 ? "N$i" : ''])->id;
        }
        $reads = $DB->perf_get_reads();
        $this->assertCount(60, ids::pin(ids::USER, $users));
        $this->assertLessThanOrEqual(5, $DB->perf_get_reads() - $reads);
    }
}
