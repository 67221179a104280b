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
 * A school day in a hurry.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

/**
 * Makes changes of all kinds, one after another, the same from the same seed.
 */
class changes {
    /** How often each kind of change comes, relative to the others. */
    const WEIGHTS = [
        'grade' => 340,
        'override' => 30,
        'exclude' => 30,
        'grade_empty' => 30,
        'grade_delete' => 20,
        'item_create' => 40,
        'item_rename' => 30,
        'item_delete' => 20,
        'user_rename' => 90,
        'user_suspend' => 30,
        'user_create' => 30,
        'user_delete' => 10,
        'course_rename' => 40,
        'course_create' => 6,
        'course_delete' => 4,
        'course_move' => 20,
        'enrol' => 100,
        'unenrol' => 40,
        'enrolment_suspend' => 40,
        'role_change' => 40,
    ];

    /** Names that have met trouble before: accents, other scripts, markup, four-byte letters. */
    const NAMES = ['Ødegård', '日本 太郎', 'O\'Neil & Söhne', 'A < B', '🎓 Ada', 'Zoë', 'Ñandú Gßner', 'Quote " Mark', 'ﬁ ligature', '𝒜lef'];

    /** @var int */
    private $seed;
    /** @var int how many numbers were drawn */
    private $drawn = 0;
    /** @var string */
    private $prefix;
    /** @var int|null category that is sent */
    private $inside;
    /** @var int|null category that is not */
    private $outside;
    /** @var int[] ids of users */
    private $users = [];
    /** @var bool[] by user id: suspended */
    private $suspended = [];
    /** @var array by course id: 'outside' (bool), 'members' (user id => ['suspended', 'role']), 'items' (id => assignment?) */
    private $courses = [];
    /** @var int to make names unique */
    private $number = 0;

    /**
     * Makes changes: {"seed": 1, "count": 2000, "prefix": "interop-mix-", "category": id, "outside": id, "users": 40, "courses": 6,
     * "every": 50, "pause_ms": 0}. Prints {"progress": {"done": n, "of": n}} after every so many, and in the end how many there
     * were of each kind. The school that is changed is made first, and its making is not counted.
     *
     * @param input $in
     * @return array
     */
    public static function run(input $in): array {
        $school = new self($in);
        $begin = microtime(true);
        $school->found($in->int('users', 40), $in->int('courses', 6));
        $founded = microtime(true);
        \interop_line(['progress' => ['done' => 0, 'of' => $in->int('count')]]);
        $kinds = [];
        for ($done = 1; $done <= $in->int('count'); $done++) {
            $kind = $school->change();
            $kinds[$kind] = ($kinds[$kind] ?? 0) + 1;
            if ($done % $in->int('every', 50) === 0) {
                \interop_line(['progress' => ['done' => $done, 'of' => $in->int('count')]]);
            }
            usleep(1000 * $in->int('pause_ms', 0));
        }
        ksort($kinds);
        return ['kinds' => $kinds, 'seconds_founding' => $founded - $begin, 'seconds' => microtime(true) - $founded];
    }

    /**
     * Takes the input; makes nothing yet.
     *
     * @param input $in
     */
    private function __construct(input $in) {
        $this->seed = $in->int('seed');
        $this->prefix = $in->text('prefix');
        $this->inside = $in->int('category');
        $this->outside = $in->int('outside');
    }

    /**
     * Founds the school.
     *
     * @param int $users
     * @param int $courses
     */
    private function found(int $users, int $courses): void {
        for ($i = 0; $i < $users; $i++) {
            $this->user_create();
        }
        for ($i = 0; $i < $courses; $i++) {
            $this->course_create();
        }
    }

    /**
     * Makes one change.
     *
     * @return string its kind
     */
    private function change(): string {
        // A kind for which there is nothing to change just now is drawn again.
        for ($try = 0; $try < 1000; $try++) {
            $ticket = $this->draw(array_sum(self::WEIGHTS));
            foreach (self::WEIGHTS as $kind => $weight) {
                $ticket -= $weight;
                if ($ticket < 0) {
                    break;
                }
            }
            if ($this->$kind()) {
                return $kind;
            }
        }
        throw new \RuntimeException('nothing in the school is left to be changed');
    }

    /**
     * Grades somebody, or gives another grade.
     *
     * @return bool whether there was anything to do; so in all the others
     */
    private function grade(): bool {
        [$item, $user] = $this->item_and_member(null);
        return $item && gradebook::grade(new input(['item' => $item, 'user' => $user, 'value' => $this->draw(401) / 4]));
    }

    /**
     * Gives a grade against what an assignment says.
     */
    private function override(): bool {
        [$item, $user] = $this->item_and_member(true);
        return $item && gradebook::override(new input(['item' => $item, 'user' => $user, 'value' => $this->draw(401) / 4]));
    }

    /**
     * Excludes a grade, or counts it again. Moodle has no event for that, only one for the total that changes with it: where none does,
     * nobody can hear of it before the nightly comparison, and it is undone here.
     */
    private function exclude(): bool {
        [$item, $user] = $this->item_and_member(null);
        if (!$item) {
            return false;
        }
        $about = ['item' => $item, 'user' => $user];
        $excluded = gradebook::get(new input($about))['excluded'];
        $before = $this->total($item, $user);
        gradebook::exclude(new input($about + ['excluded' => !$excluded]));
        $after = $this->total($item, $user);
        if ($before !== $after && $after !== null) {
            return true;
        }
        gradebook::exclude(new input($about + ['excluded' => $excluded]));
        return false;
    }

    /**
     * Somebody's total in the course of an item.
     *
     * @param int $item
     * @param int $user
     * @return string|null as the database has it; null for none
     */
    private function total(int $item, int $user): ?string {
        global $DB;
        $total = $DB->get_field_sql("SELECT g.finalgrade
                                       FROM {grade_grades} g
                                       JOIN {grade_items} t ON t.id = g.itemid AND t.itemtype = 'course'
                                       JOIN {grade_items} i ON i.courseid = t.courseid
                                      WHERE i.id = ? AND g.userid = ?", [$item, $user]);
        return $total === false ? null : $total;
    }

    /**
     * Clears a grade.
     */
    private function grade_empty(): bool {
        [$item, $user] = $this->item_and_member(false);
        if (!$item || gradebook::get(new input(['item' => $item, 'user' => $user]))['final'] === null) {
            return false;
        }
        gradebook::remove(new input(['item' => $item, 'user' => $user, 'how' => 'empty']));
        return true;
    }

    /**
     * Deletes a grade.
     */
    private function grade_delete(): bool {
        [$item, $user] = $this->item_and_member(false);
        if (!$item || gradebook::get(new input(['item' => $item, 'user' => $user]))['final'] === null) {
            return false;
        }
        gradebook::remove(new input(['item' => $item, 'user' => $user, 'how' => 'delete']));
        return true;
    }

    /**
     * Makes a grade item; one in four belongs to an assignment.
     */
    private function item_create(): bool {
        $course = $this->pick(array_keys($this->courses));
        if (!$course) {
            return false;
        }
        $this->number++;
        $what = ['course' => $course, 'name' => "Test {$this->number} " . $this->name(),
            'idnumber' => $this->draw(2) ? "{$this->prefix}item-{$this->number}" : ''];
        $assignment = $this->draw(4) === 0;
        $item = $assignment
            ? activities::assignment_create(new input($what + ['grade' => 100]))['item']
            : gradebook::item_create(new input($what + ['grademax' => 100]))['item'];
        $this->courses[$course]['items'][$item] = $assignment;
        return true;
    }

    /**
     * Renames a grade item.
     */
    private function item_rename(): bool {
        [, $item] = $this->course_and_item(false);
        if (!$item) {
            return false;
        }
        $this->number++;
        gradebook::item_update(new input(['item' => $item, 'itemname' => "Test {$this->number} " . $this->name()]));
        return true;
    }

    /**
     * Deletes a grade item with its grades.
     */
    private function item_delete(): bool {
        [$course, $item] = $this->course_and_item(false);
        if (!$item || count($this->courses[$course]['items']) < 3) {
            return false;
        }
        gradebook::item_delete(new input(['item' => $item]));
        unset($this->courses[$course]['items'][$item]);
        return true;
    }

    /**
     * Gives a user another name.
     */
    private function user_rename(): bool {
        $this->number++;
        people::update(new input(['id' => $this->pick($this->users), 'firstname' => $this->name(),
            'lastname' => $this->name() . ' ' . $this->number]));
        return true;
    }

    /**
     * Suspends an account, or lets the user in again.
     */
    private function user_suspend(): bool {
        $user = $this->pick($this->users);
        $this->suspended[$user] = !$this->suspended[$user];
        people::suspend(new input(['id' => $user, 'suspended' => $this->suspended[$user]]));
        return true;
    }

    /**
     * Makes a user; every second one has an ID number.
     */
    private function user_create(): bool {
        $this->number++;
        $username = "{$this->prefix}{$this->number}";
        $id = people::create(new input(['username' => $username, 'firstname' => $this->name(), 'lastname' => $this->name(),
            'idnumber' => $this->draw(2) ? strtoupper($username) : '']))['id'];
        $this->users[] = $id;
        $this->suspended[$id] = false;
        return true;
    }

    /**
     * Deletes a user.
     */
    private function user_delete(): bool {
        if (count($this->users) < 10) {
            return false;
        }
        $user = $this->pick($this->users);
        people::delete(new input(['id' => $user]));
        $this->users = array_values(array_diff($this->users, [$user]));
        foreach (array_keys($this->courses) as $course) {
            unset($this->courses[$course]['members'][$user]);
        }
        return true;
    }

    /**
     * Renames a course.
     */
    private function course_rename(): bool {
        $course = $this->pick(array_keys($this->courses));
        $this->number++;
        courses::update(new input(['id' => $course, 'fullname' => "Course {$this->number} " . $this->name()]));
        return true;
    }

    /**
     * Makes a course with some members and items.
     */
    private function course_create(): bool {
        $this->number++;
        $shortname = "{$this->prefix}{$this->number}";
        $course = courses::create(new input(['shortname' => $shortname, 'fullname' => "Course {$this->number} " . $this->name(),
            'category' => $this->inside, 'idnumber' => $this->draw(2) ? strtoupper($shortname) : '']))['id'];
        $this->courses[$course] = ['outside' => false, 'members' => [], 'items' => []];
        for ($i = 0; $i < 8; $i++) {
            $this->enrol_in($course);
        }
        foreach (['manual', 'assign'] as $kind) {
            $this->number++;
            $what = ['course' => $course, 'name' => "Test {$this->number}"];
            $item = $kind === 'assign'
                ? activities::assignment_create(new input($what))['item']
                : gradebook::item_create(new input($what + ['grademax' => 100]))['item'];
            $this->courses[$course]['items'][$item] = $kind === 'assign';
        }
        return true;
    }

    /**
     * Deletes a course.
     */
    private function course_delete(): bool {
        if (count($this->courses) < 4) {
            return false;
        }
        $course = $this->pick(array_keys($this->courses));
        courses::delete(new input(['id' => $course]));
        unset($this->courses[$course]);
        return true;
    }

    /**
     * Moves a course out of what is sent, or back.
     */
    private function course_move(): bool {
        $course = $this->pick(array_keys($this->courses));
        $out = !$this->courses[$course]['outside'];
        if ($out && count($this->courses) < 4) {
            return false;
        }
        courses::move(new input(['id' => $course, 'category' => $out ? $this->outside : $this->inside]));
        $this->courses[$course]['outside'] = $out;
        return true;
    }

    /**
     * Enrols somebody somewhere.
     */
    private function enrol(): bool {
        return $this->enrol_in($this->pick(array_keys($this->courses)));
    }

    /**
     * Enrols somebody in a course.
     *
     * @param int $course
     */
    private function enrol_in(int $course): bool {
        $user = $this->pick(array_values(array_diff($this->users, array_keys($this->courses[$course]['members']))));
        if (!$user) {
            return false;
        }
        $role = $this->draw(6) === 0 ? 'editingteacher' : 'student';
        enrolments::enrol(new input(['course' => $course, 'user' => $user, 'role' => $role]));
        $this->courses[$course]['members'][$user] = ['suspended' => false, 'role' => $role];
        return true;
    }

    /**
     * Ends an enrolment.
     */
    private function unenrol(): bool {
        [$course, $user] = $this->course_and_member();
        if (!$user) {
            return false;
        }
        enrolments::unenrol(new input(['course' => $course, 'user' => $user]));
        unset($this->courses[$course]['members'][$user]);
        return true;
    }

    /**
     * Suspends an enrolment, or makes it active again.
     */
    private function enrolment_suspend(): bool {
        [$course, $user] = $this->course_and_member();
        if (!$user) {
            return false;
        }
        $member = &$this->courses[$course]['members'][$user];
        $member['suspended'] = !$member['suspended'];
        enrolments::suspend(new input(['course' => $course, 'user' => $user, 'suspended' => $member['suspended']]));
        return true;
    }

    /**
     * Makes a student a teacher, or the other way round.
     */
    private function role_change(): bool {
        [$course, $user] = $this->course_and_member();
        if (!$user) {
            return false;
        }
        $member = &$this->courses[$course]['members'][$user];
        $new = $member['role'] === 'student' ? 'editingteacher' : 'student';
        enrolments::role_assign(new input(['course' => $course, 'user' => $user, 'role' => $new]));
        enrolments::role_unassign(new input(['course' => $course, 'user' => $user, 'role' => $member['role']]));
        $member['role'] = $new;
        return true;
    }

    /**
     * An item and somebody in its course.
     *
     * @param bool|null $assignment whether it has to be an assignment's; null: either
     * @return array item and user, or nulls
     */
    private function item_and_member(?bool $assignment): array {
        [$course, $item] = $this->course_and_item($assignment);
        $user = $item ? $this->pick(array_keys(array_filter($this->courses[$course]['members'], function ($member) {
            return $member['role'] === 'student' && !$member['suspended'];
        }))) : null;
        return $user ? [$item, $user] : [null, null];
    }

    /**
     * A course and one of its items.
     *
     * @param bool|null $assignment whether it has to be an assignment's; null: either
     * @return array course and item, or nulls
     */
    private function course_and_item(?bool $assignment): array {
        $course = $this->pick(array_keys($this->courses));
        $item = $this->pick(array_keys(array_filter($this->courses[$course]['items'], function ($is) use ($assignment) {
            return $assignment === null || $is === $assignment;
        })));
        return $item ? [$course, $item] : [null, null];
    }

    /**
     * A course and one of its members.
     *
     * @return array course and user, or nulls
     */
    private function course_and_member(): array {
        $course = $this->pick(array_keys($this->courses));
        $user = $this->pick(array_keys($this->courses[$course]['members']));
        return $user ? [$course, $user] : [null, null];
    }

    /**
     * A name.
     *
     * @return string
     */
    private function name(): string {
        return self::NAMES[$this->draw(count(self::NAMES))];
    }

    /**
     * One of a list; null if it is empty.
     *
     * @param int[] $list
     * @return int|null
     */
    private function pick(array $list): ?int {
        return $list ? $list[$this->draw(count($list))] : null;
    }

    /**
     * The next number by chance. Of our own making: Moodle draws from PHP's generator as well, and the same seed has to give the same
     * changes.
     *
     * @param int $below
     * @return int 0 to below − 1
     */
    private function draw(int $below): int {
        $this->drawn++;
        return hexdec(substr(sha1("{$this->seed}/{$this->drawn}"), 0, 7)) % $below;
    }
}
