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
 * What each register will hold when its queue is drained: a hash for every object that was sent.
 *
 * It is written in the same transaction as the queue, so the two never disagree.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class state {
    /** @var string a user: a is its id */
    const USER = 'user';

    /** @var string a course: a is its id */
    const SECTION = 'section';

    /** @var string somebody in a course: a is the course, b the user, role student or teacher */
    const ENROLMENT = 'enrolment';

    /** @var string a grade item: a is its id, b the course */
    const ITEM = 'item';

    /** @var string a grade: a is the grade item, b the user */
    const GRADE = 'grade';

    /** @var string[] in the order in which they need each other */
    const KINDS = [self::USER, self::SECTION, self::ENROLMENT, self::ITEM, self::GRADE];

    /** @var string the role of whatever is no enrolment (Oracle takes an empty string for none) */
    const NOROLE = '-';

    /** @var string the hash of an enrolment that was sent and has been ended */
    const DROPPED = 'dropped';

    /** @var string the hash of what has to be sent again whatever it is */
    const UNSURE = '?';

    /** @var int how many keys go into one query */
    const CHUNK = 200;

    /**
     * The name of an object in the queue and in lists.
     *
     * @param string $kind one of the kinds
     * @param int $a see the kinds
     * @param int $b see the kinds
     * @param string $role see the kinds
     * @return string such as enrolment:3:5:student. An item's course is not part of its name
     */
    public static function key(string $kind, int $a, int $b = 0, string $role = self::NOROLE): string {
        switch ($kind) {
            case self::ENROLMENT:
                return "$kind:$a:$b:$role";
            case self::GRADE:
                return "$kind:$a:$b";
            default:
                return "$kind:$a";
        }
    }

    /**
     * The parts of such a name.
     *
     * @param string $key as made by key()
     * @return array kind, a, b, role; null if it is no such name
     */
    public static function parts(string $key): ?array {
        $parts = explode(':', $key);
        if (!in_array($parts[0], self::KINDS, true) || count($parts) < 2) {
            return null;
        }
        return [$parts[0], (int)$parts[1], (int)($parts[2] ?? 0), $parts[3] ?? self::NOROLE];
    }

    /**
     * The rows of a host under these names.
     *
     * @param int $hostid in mnet_host
     * @param string $kind one of the kinds
     * @param array $pairs of [a, b]; b null for any
     * @return \stdClass[] by name
     */
    public static function load(int $hostid, string $kind, array $pairs): array {
        global $DB;
        $groups = [];
        $whole = [];
        foreach ($pairs as [$a, $b]) {
            if ($b === null) {
                $whole[$a] = $a;
            } else {
                $groups[$a][$b] = $b;
            }
        }
        $found = [];
        foreach (array_chunk($whole, self::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $found += self::select("hostid = :host AND kind = :kind AND a $in", $params + ['host' => $hostid, 'kind' => $kind]);
        }
        foreach (self::bundles($groups) as $bundle) {
            $any = [];
            $params = ['host' => $hostid, 'kind' => $kind];
            foreach ($bundle as $i => [$a, $bs]) {
                [$in, $inparams] = $DB->get_in_or_equal($bs, SQL_PARAMS_NAMED, "b{$i}x");
                $any[] = "(a = :a$i AND b $in)";
                $params += $inparams + ["a$i" => $a];
            }
            $found += self::select('hostid = :host AND kind = :kind AND (' . implode(' OR ', $any) . ')', $params);
        }
        return $found;
    }

    /**
     * All rows of a host that a condition holds for.
     *
     * @param string $where of local_mnetd_state
     * @param array $params of the condition
     * @param int $limit at most so many, in the order of their ids; 0 for all
     * @return \stdClass[] by name
     */
    public static function select(string $where, array $params, int $limit = 0): array {
        global $DB;
        $found = [];
        foreach ($DB->get_records_select('local_mnetd_state', $where, $params, 'id', '*', 0, $limit) as $row) {
            $found[self::key($row->kind, $row->a, $row->b, $row->role)] = $row;
        }
        return $found;
    }

    /**
     * Writes down what was queued.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $entries with kind, a, b, role and hash
     * @param \stdClass[] $known the rows that there are, by name
     */
    public static function write(int $hostid, array $entries, array $known): void {
        global $DB;
        $new = [];
        $updated = [];
        foreach ($entries as $entry) {
            $row = (object)[
                'hostid' => $hostid,
                'kind' => $entry->kind,
                'a' => $entry->a,
                'b' => $entry->b,
                'role' => $entry->role,
                'hash' => $entry->hash,
            ];
            $there = $known[self::key($entry->kind, $entry->a, $entry->b, $entry->role)] ?? null;
            if ($there === null) {
                $new[] = $row;
            } else if ($there->hash !== $entry->hash) {
                $DB->set_field('local_mnetd_state', 'hash', $entry->hash, ['id' => $there->id]);
                $updated[$there->id] = $row;
            }
        }
        // Somebody may have taken a row away at the same moment. It has to stand, or nothing would ever correct what is now said.
        foreach (array_chunk($updated, ids::CHUNK, true) as $chunk) {
            $standing = $DB->get_records_list('local_mnetd_state', 'id', array_keys($chunk), '', 'id');
            $new = array_merge($new, array_values(array_diff_key($chunk, $standing)));
        }
        if (!$new) {
            return;
        }
        try {
            $DB->insert_records('local_mnetd_state', $new);
        } catch (\dml_write_exception $e) {
            // Another process was as quick.
            foreach ($new as $row) {
                self::write_one($row);
            }
        }
    }

    /**
     * Waits for those who are changing rows, and keeps others from it until the end of the transaction.
     *
     * @param int[] $rowids ids in local_mnetd_state
     */
    public static function lock(array $rowids): void {
        global $DB;
        sort($rowids);
        foreach (array_chunk($rowids, ids::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            // Writing what is there is the one way to do so that all databases know.
            $DB->execute("UPDATE {local_mnetd_state} SET hash = hash WHERE id $in", $params);
        }
    }

    /**
     * Gives rows another hash.
     *
     * @param int[] $rowids ids in local_mnetd_state
     * @param string $hash the new one
     */
    public static function mark(array $rowids, string $hash): void {
        global $DB;
        foreach (array_chunk($rowids, ids::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $DB->set_field_select('local_mnetd_state', 'hash', $hash, "id $in", $params);
        }
    }

    /**
     * Forgets what a register no longer holds.
     *
     * @param int[] $rowids ids in local_mnetd_state
     */
    public static function forget(array $rowids): void {
        global $DB;
        foreach (array_chunk($rowids, ids::CHUNK) as $chunk) {
            $DB->delete_records_list('local_mnetd_state', 'id', $chunk);
        }
    }

    /**
     * One row, whether it is there or not.
     *
     * @param \stdClass $row all but the id
     */
    private static function write_one(\stdClass $row): void {
        global $DB;
        $key = (array)$row;
        unset($key['hash']);
        if ($id = $DB->get_field('local_mnetd_state', 'id', $key)) {
            $DB->set_field('local_mnetd_state', 'hash', $row->hash, ['id' => $id]);
        } else {
            $DB->insert_record('local_mnetd_state', $row);
        }
    }

    /**
     * Groups of keys that fit one query.
     *
     * @param int[][] $groups lists of b by a
     * @return \Generator of arrays of [a, list of b]
     */
    private static function bundles(array $groups): \Generator {
        $bundle = [];
        $size = 0;
        foreach ($groups as $a => $bs) {
            foreach (array_chunk($bs, self::CHUNK) as $chunk) {
                if ($size + count($chunk) > self::CHUNK && $bundle) {
                    yield $bundle;
                    $bundle = [];
                    $size = 0;
                }
                $bundle[] = [$a, $chunk];
                $size += count($chunk);
            }
        }
        if ($bundle) {
            yield $bundle;
        }
    }
}
