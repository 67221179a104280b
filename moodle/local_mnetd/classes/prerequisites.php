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

namespace local_mnetd;

/**
 * What a register has to know before it can carry out a call, as it is now.
 *
 * A register loses things where it is set back to an older copy, or where an administrator removes them; and it never had what
 * it refused. Then a call that names one of them is refused as well.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class prerequisites {
    /** @var string[] the call that brings a thing in full, by its kind, in the order in which they need each other */
    const CALLS = [
        state::USER => 'register/fetch_user',
        state::SECTION => 'register/new_section',
        state::ITEM => 'register/new_assessment',
    ];

    /**
     * The calls that bring everything a job may lack.
     *
     * That is more than the one thing that its fault names: a register tells of one at a time, and the job is repeated once.
     *
     * @param \stdClass $job the row of local_mnetd_queue, with its argument in ->struct
     * @return array[] [method, struct] by the name of the object, in the order in which they need each other; empty where this
     *      site has none of them any more
     */
    public function of(\stdClass $job): array {
        $parts = state::parts($job->objectkey);
        if ($parts === null) {
            return [];
        }
        [$kind, $a, $b] = $parts;
        $users = $courses = $items = [];
        switch ($kind) {
            case state::USER:
                $users[] = $a;
                break;
            case state::SECTION:
                $courses[] = $a;
                break;
            case state::ENROLMENT:
                $courses[] = $a;
                $users[] = $b;
                break;
            case state::ITEM:
                $items[] = $a;
                break;
            case state::GRADE:
                $items[] = $a;
                $users[] = $b;
                break;
        }

        $items = $items ? snapshot::all(state::ITEM, ['ids' => $items]) : [];
        $courses = array_merge($courses, array_column($items, 'b'));
        $sections = $courses ? snapshot::all(state::SECTION, ['ids' => $courses]) : [];
        foreach ($sections as $section) {
            foreach ((array) $section->data['teacheridnumber'] as $teacher) {
                $users[] = ids::find(ids::USER, $teacher);
            }
        }
        $users = $users ? snapshot::all(state::USER, ['ids' => array_unique($users)]) : [];

        $calls = [];
        foreach ($users + $sections + $items as $name => $entry) {
            $calls[$name] = [self::CALLS[$entry->kind], $entry->data];
        }
        return $calls;
    }

    /**
     * Brings calls for several jobs into the order in which they need each other.
     *
     * @param array[] $calls [method, struct] by the name of the object
     * @return array[] the same in order
     */
    public static function in_order(array $calls): array {
        $ordered = [];
        foreach (self::CALLS as $method) {
            $ordered += array_filter($calls, function ($call) use ($method) {
                return $call[0] === $method;
            });
        }
        return $ordered;
    }
}
