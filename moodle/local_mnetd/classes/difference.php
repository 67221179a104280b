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
 * Compares what there is with what registers hold, and queues what is different.
 *
 * Observers, synchronisations and repairs all go through here. One object of this class serves one purpose, for the hosts it was
 * made for.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class difference {
    /** @var string[] the call that says that there is something, by kind */
    const NEWMETHOD = [
        state::USER => 'fetch_user',
        state::SECTION => 'new_section',
        state::ENROLMENT => 'new_enrolment',
        state::ITEM => 'new_assessment',
        state::GRADE => 'new_grade',
    ];

    /** @var string[] the call that says that something has changed, where it is another */
    const UPDATEMETHOD = [
        state::USER => 'update_user',
        state::SECTION => 'update_section',
        state::ITEM => 'update_assessment',
    ];

    /** @var string[] the call that takes something away, by kind */
    const REMOVEMETHOD = [
        state::USER => 'remove_user',
        state::SECTION => 'remove_section',
        state::ENROLMENT => 'drop_enrolment',
        state::ITEM => 'remove_assessment',
        state::GRADE => 'remove_grade',
    ];

    /** @var int[] in mnet_host */
    private $hostids;

    /** @var int Unix seconds at which the change happened that is being followed, 0 for none */
    private $at;

    /** @var bool whether everything is queued, different or not */
    private $force;

    /** @var int how many calls were queued */
    private $queued = 0;

    /** @var int[][][] what was said or taken away: b by a by kind */
    private $touched = [];

    /** @var int[][] what some register did not hold before, by kind: values of a */
    private $entered = [];

    /**
     * Sets out to compare.
     *
     * @param int[] $hostids registers, in mnet_host
     * @param int $at Unix seconds: when the change happened that is being followed; 0 if that is not known
     * @param bool $force queue everything, different or not
     */
    public function __construct(array $hostids, int $at = 0, bool $force = false) {
        $this->hostids = $hostids;
        $this->at = $at;
        $this->force = $force;
    }

    /**
     * Brings one object up to date.
     *
     * @param string $objectkey as made by state::key()
     * @param int[] $hostids in mnet_host
     * @return int how many calls were queued
     */
    public static function object(string $objectkey, array $hostids): int {
        $parts = state::parts($objectkey);
        if ($parts === null) {
            return 0;
        }
        [$kind, $a, $b] = $parts;
        $difference = new self($hostids);
        switch ($kind) {
            case state::USER:
                return $difference->users([$a]);
            case state::SECTION:
                return $difference->sections([$a]);
            case state::ENROLMENT:
                return $difference->enrolments($a, [$b]);
            case state::ITEM:
                return $difference->items([$a]);
            default:
                return $difference->grades($a, [$b]);
        }
    }

    /**
     * Notes that a register may not hold what it was sent.
     *
     * @param int $hostid in mnet_host
     * @param string $objectkey as made by state::key()
     */
    public static function unsure(int $hostid, string $objectkey): void {
        if ($row = self::row($hostid, $objectkey)) {
            state::mark([$row->id], state::UNSURE);
        }
    }

    /**
     * Whether a register holds an object, once its queue is drained.
     *
     * @param int $hostid in mnet_host
     * @param string $objectkey as made by state::key()
     * @return bool
     */
    public static function held(int $hostid, string $objectkey): bool {
        $row = self::row($hostid, $objectkey);
        return $row && $row->hash !== state::DROPPED;
    }

    /**
     * How many calls were queued so far.
     *
     * @return int
     */
    public function queued(): int {
        return $this->queued;
    }

    /**
     * What some register did not hold before.
     *
     * @param string $kind one of the kinds of state
     * @return int[] values of a
     */
    public function entered(string $kind): array {
        return array_values($this->entered[$kind] ?? []);
    }

    /**
     * Looks again at what was said and taken away, for somebody may have changed it between reading it and saying it.
     *
     * To be called after the transaction, so that what others have done meanwhile is seen.
     *
     * @return int how many calls were queued
     */
    public function verify(): int {
        $again = new self($this->hostids);
        $again->users(array_keys($this->touched[state::USER] ?? []));
        $again->sections(array_keys($this->touched[state::SECTION] ?? []));
        foreach ($this->touched[state::ENROLMENT] ?? [] as $courseid => $userids) {
            $again->enrolments($courseid, array_values($userids));
        }
        $again->items(array_keys($this->touched[state::ITEM] ?? []));
        foreach ($this->touched[state::GRADE] ?? [] as $itemid => $userids) {
            $again->grades($itemid, array_values($userids));
        }
        $this->queued += $again->queued;
        return $again->queued;
    }

    /**
     * Compares users.
     *
     * @param int[] $userids in user
     * @return int how many calls were queued
     */
    public function users(array $userids): int {
        return $this->compare(state::USER, snapshot::all(state::USER, ['ids' => $userids]), self::pairs($userids));
    }

    /**
     * Compares courses, without what is in them.
     *
     * @param int[] $courseids in course
     * @return int how many calls were queued
     */
    public function sections(array $courseids): int {
        return $this->compare(state::SECTION, snapshot::all(state::SECTION, ['ids' => $courseids]), self::pairs($courseids));
    }

    /**
     * Compares enrolments in a course, and the course itself where its teachers have changed.
     *
     * @param int $courseid in course
     * @param int[]|null $userids in user; null for everybody
     * @return int how many calls were queued
     */
    public function enrolments(int $courseid, ?array $userids = null): int {
        $filter = ['courseid' => $courseid];
        $pairs = [[$courseid, null]];
        if ($userids !== null) {
            $filter['userids'] = $userids;
            $pairs = array_map(function ($userid) use ($courseid) {
                return [$courseid, $userid];
            }, $userids);
        }
        return $this->compare(state::ENROLMENT, snapshot::all(state::ENROLMENT, $filter), $pairs);
    }

    /**
     * Compares all enrolments of a user.
     *
     * @param int $userid in user
     * @return int how many calls were queued
     */
    public function enrolments_of(int $userid): int {
        $entries = snapshot::all(state::ENROLMENT, ['userid' => $userid]);
        $pairs = [];
        foreach ($entries as $entry) {
            $pairs[$entry->a] = [$entry->a, $userid];
        }
        foreach (state::select('kind = :kind AND b = :user', ['kind' => state::ENROLMENT, 'user' => $userid]) as $row) {
            $pairs[$row->a] = [(int)$row->a, $userid];
        }
        return $this->compare(state::ENROLMENT, $entries, array_values($pairs));
    }

    /**
     * Compares grade items, without their grades.
     *
     * @param int[] $itemids in grade_items
     * @return int how many calls were queued
     */
    public function items(array $itemids): int {
        $pairs = array_map(function ($itemid) {
            return [$itemid, null];
        }, $itemids);
        return $this->compare(state::ITEM, snapshot::all(state::ITEM, ['ids' => $itemids]), $pairs);
    }

    /**
     * Compares the grades of a grade item.
     *
     * @param int $itemid in grade_items
     * @param int[]|null $userids in user; null for everybody
     * @return int how many calls were queued
     */
    public function grades(int $itemid, ?array $userids = null): int {
        $filter = ['itemid' => $itemid];
        $pairs = [[$itemid, null]];
        if ($userids !== null) {
            $filter['userids'] = $userids;
            $pairs = array_map(function ($userid) use ($itemid) {
                return [$itemid, $userid];
            }, $userids);
        }
        return $this->compare(state::GRADE, snapshot::all(state::GRADE, $filter), $pairs);
    }

    /**
     * Compares a user's grades, in one course or everywhere.
     *
     * @param int $userid in user
     * @param int $courseid in course, 0 for all
     * @return int how many calls were queued
     */
    public function grades_of(int $userid, int $courseid = 0): int {
        $entries = snapshot::all(state::GRADE, ['userid' => $userid] + ($courseid ? ['courseid' => $courseid] : []));
        $pairs = [];
        foreach ($entries as $entry) {
            $pairs[$entry->a] = [$entry->a, $userid];
        }
        $where = 'kind = :kind AND b = :user';
        $params = ['kind' => state::GRADE, 'user' => $userid];
        if ($courseid) {
            $where .= ' AND a IN (SELECT gi.id FROM {grade_items} gi WHERE gi.courseid = :course)';
            $params['course'] = $courseid;
        }
        foreach (state::select($where, $params) as $row) {
            $pairs[$row->a] = [(int)$row->a, $userid];
        }
        return $this->compare(state::GRADE, $entries, array_values($pairs));
    }

    /**
     * Compares a course with all that is in it.
     *
     * @param int $courseid in course
     * @return int how many calls were queued
     */
    public function course(int $courseid): int {
        global $DB;
        $before = $this->queued;
        $this->sections([$courseid]);
        $this->enrolments($courseid);
        $itemids = array_map('intval', $DB->get_fieldset_select('grade_items', 'id', 'courseid = ?', [$courseid]));
        foreach (state::select('kind = :kind AND b = :course', ['kind' => state::ITEM, 'course' => $courseid]) as $row) {
            $itemids[] = (int)$row->a;
        }
        $itemids = array_values(array_unique($itemids));
        $this->items($itemids);
        foreach ($itemids as $itemid) {
            $this->grades($itemid);
        }
        return $this->queued - $before;
    }

    /**
     * Compares what there is; says nothing of what there is not.
     *
     * @param string $kind one of the kinds of state
     * @param \stdClass[] $entries of that kind
     * @return int how many calls were queued
     */
    public function present(string $kind, array $entries): int {
        $named = [];
        foreach ($entries as $entry) {
            $named[state::key($kind, $entry->a, $entry->b, $entry->role)] = $entry;
        }
        return $this->compare($kind, $named, null);
    }

    /**
     * Takes away what is no longer to be sent.
     *
     * @param string $kind one of the kinds of state
     * @param \stdClass[] $rows of local_mnetd_state, all of that kind
     * @return int how many calls were queued
     */
    public function gone(string $kind, array $rows): int {
        $before = $this->queued;
        $byhost = [];
        foreach ($rows as $row) {
            $byhost[$row->hostid][] = $row;
            $this->touched[$kind][(int)$row->a][(int)$row->b] = (int)$row->b;
        }
        foreach ($byhost as $hostid => $rowsofhost) {
            $this->atomically(function () use ($kind, $hostid, $rowsofhost) {
                $this->remove($kind, $hostid, $rowsofhost);
            });
        }
        return $this->queued - $before;
    }

    /**
     * Queues what differs, for each host.
     *
     * @param string $kind one of the kinds of state
     * @param \stdClass[] $entries what there is, by name
     * @param array|null $pairs of [a, b] (b null for any): what is compared, whether it is there or not, so that what is not
     *     among the entries is gone; null to compare the entries alone
     * @return int how many calls were queued
     */
    private function compare(string $kind, array $entries, ?array $pairs): int {
        $before = $this->queued;
        foreach ($this->hostids as $hostid) {
            $known = state::load($hostid, $kind, $pairs ?? self::pairs_of($entries));
            $changed = $this->changed($entries, $known);
            if ($changed && $pairs === null) {
                // What was read may be older than a change that is queued already, or is about to be, and must not follow it.
                state::lock(array_column(array_intersect_key($known, $changed), 'id'));
                $known = state::load($hostid, $kind, self::pairs_of($changed));
                $changed = $this->changed($this->read_again($kind, $changed), $known);
            }
            $gone = [];
            if ($pairs !== null) {
                $gone = array_filter(array_diff_key($known, $entries), function ($row) {
                    return $row->hash !== state::DROPPED;
                });
            }
            if ($changed || $gone) {
                $this->atomically(function () use ($kind, $hostid, $changed, $gone, $known) {
                    // Calls are queued in the order in which rows are locked: so the last word queued is the one the state has.
                    state::lock(array_column(array_intersect_key($known, $changed) + $gone, 'id'));
                    $this->remove($kind, $hostid, $gone);
                    $this->say($kind, $hostid, $changed, $known);
                    $this->teachers($kind, $hostid, $changed, $gone);
                });
            }
        }
        return $this->queued - $before;
    }

    /**
     * The entries that differ from what a register holds.
     *
     * @param \stdClass[] $entries by name
     * @param \stdClass[] $known rows of local_mnetd_state by name
     * @return \stdClass[] entries by name
     */
    private function changed(array $entries, array $known): array {
        return array_filter($entries, function ($entry, $key) use ($known) {
            return $this->force || !isset($known[$key]) || !self::same($known[$key], $entry);
        }, ARRAY_FILTER_USE_BOTH);
    }

    /**
     * The same entries as they are by now.
     *
     * @param string $kind one of the kinds of state
     * @param \stdClass[] $entries of that kind
     * @return \stdClass[] entries by name, without those that are gone
     */
    private function read_again(string $kind, array $entries): array {
        return snapshot::all($kind, ['ids' => array_values(array_column($entries, 'id'))]);
    }

    /**
     * Queues what is new or has changed.
     *
     * @param string $kind one of the kinds of state
     * @param int $hostid in mnet_host
     * @param \stdClass[] $changed entries by name
     * @param \stdClass[] $known rows of local_mnetd_state by name
     */
    private function say(string $kind, int $hostid, array $changed, array $known): void {
        if (!$changed) {
            return;
        }
        $this->provide($hostid, $changed);
        $jobs = [];
        foreach ($changed as $key => $entry) {
            $row = $known[$key] ?? null;
            if ($kind === state::ENROLMENT) {
                array_push($jobs, ...$this->enrolment_jobs($hostid, $key, $entry, $row));
            } else {
                $update = $row !== null && $row->hash !== state::UNSURE && !$this->force;
                $method = $update ? self::UPDATEMETHOD[$kind] ?? self::NEWMETHOD[$kind] : self::NEWMETHOD[$kind];
                $jobs[] = queue::job($hostid, $kind, $key, $method, $entry->data);
            }
            if ($row === null) {
                $this->entered[$kind][$entry->a] = $entry->a;
            }
        }
        $this->queue($jobs);
        state::write($hostid, $changed, $known);
        foreach ($changed as $entry) {
            $this->touched[$kind][$entry->a][$entry->b] = $entry->b;
        }
    }

    /**
     * The calls that tell of an enrolment.
     *
     * @param int $hostid in mnet_host
     * @param string $key the object's name
     * @param \stdClass $entry the enrolment
     * @param \stdClass|null $row what the register holds
     * @return \stdClass[] jobs
     */
    private function enrolment_jobs(int $hostid, string $key, \stdClass $entry, ?\stdClass $row): array {
        $data = $entry->data;
        $jobs = [];
        if ($entry->startsahead) {
            if ($row !== null && $row->hash !== state::DROPPED && $row->hash !== $entry->hash) {
                // Without a date, to overrule what was dated ahead before.
                $end = array_diff_key($data, ['effective_at' => true]) + ['note' => snapshot::text('notestartslater')];
                $jobs[] = queue::job($hostid, state::ENROLMENT, $key, 'drop_enrolment', $end);
            }
        } else if ($this->at) {
            $data['effective_at'] = $this->at;
        } else if ($row !== null && $row->hash === state::DROPPED) {
            // A date before that of the end would leave it ended; and without one it would hold from when the register hears of
            // it, after what is dated meanwhile.
            $data['effective_at'] = time();
        } else if ($row !== null) {
            // Without a date this repeats what is known, or overrules what was dated ahead.
            unset($data['effective_at']);
        }
        $jobs[] = queue::job($hostid, state::ENROLMENT, $key, 'new_enrolment', $data);
        return $jobs;
    }

    /**
     * Sends first what the register has to know before.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $entries what is going to be sent
     */
    private function provide(int $hostid, array $entries): void {
        $needs = [];
        foreach ($entries as $entry) {
            foreach ($entry->needs as $kind => $needed) {
                foreach ($needed as $id) {
                    $needs[$kind][$id] = $id;
                }
            }
        }
        foreach ([state::USER, state::SECTION, state::ITEM] as $kind) {
            if (empty($needs[$kind])) {
                continue;
            }
            $pairs = array_map(function ($id) {
                return [$id, null];
            }, array_values($needs[$kind]));
            foreach (state::load($hostid, $kind, $pairs) as $row) {
                if ($row->hash !== state::UNSURE) {
                    unset($needs[$kind][$row->a]);
                }
            }
            if ($needs[$kind]) {
                $first = new self([$hostid], $this->at);
                $first->present($kind, snapshot::all($kind, ['ids' => array_values($needs[$kind])]));
                $this->queued += $first->queued;
            }
        }
    }

    /**
     * Queues the end of what is gone, and first of what depends on it.
     *
     * @param string $kind one of the kinds of state
     * @param int $hostid in mnet_host
     * @param \stdClass[] $rows of local_mnetd_state
     */
    private function remove(string $kind, int $hostid, array $rows): void {
        foreach (array_chunk($rows, ids::CHUNK) as $chunk) {
            switch ($kind) {
                case state::USER:
                    $this->remove_users($hostid, $chunk);
                    break;
                case state::SECTION:
                    $this->remove_sections($hostid, $chunk);
                    break;
                case state::ENROLMENT:
                    $this->drop($hostid, $chunk);
                    break;
                case state::ITEM:
                    $this->remove_plain($hostid, $kind, ids::ITEM, $chunk);
                    break;
                default:
                    $this->remove_grades($hostid, $chunk);
            }
        }
    }

    /**
     * Users that are gone: their enrolments end first.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $rows of local_mnetd_state
     */
    private function remove_users(int $hostid, array $rows): void {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal(array_column($rows, 'a'), SQL_PARAMS_NAMED);
        $params += ['host' => $hostid, 'enrolment' => state::ENROLMENT];
        $enrolments = state::select("hostid = :host AND kind = :enrolment AND b $in", $params);
        $this->drop($hostid, array_filter($enrolments, function ($row) {
            return $row->hash !== state::DROPPED;
        }), snapshot::text('noteuserleft'));
        $this->remove_plain($hostid, state::USER, ids::USER, $rows);
        $params['grade'] = state::GRADE;
        $DB->delete_records_select('local_mnetd_state', "hostid = :host AND kind IN (:enrolment, :grade) AND b $in", $params);
    }

    /**
     * Courses that are gone: their enrolments end first, their grade items go. The grades' rows stay; they come back with the
     * items.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $rows of local_mnetd_state
     */
    private function remove_sections(int $hostid, array $rows): void {
        global $DB;
        $courseids = array_column($rows, 'a');
        [$in, $params] = $DB->get_in_or_equal($courseids, SQL_PARAMS_NAMED);
        $params += ['host' => $hostid];
        $this->remove(state::ENROLMENT, $hostid, state::select(
            "hostid = :host AND kind = :kind AND hash <> :dropped AND a $in",
            $params + ['kind' => state::ENROLMENT, 'dropped' => state::DROPPED]
        ));
        $items = state::select("hostid = :host AND kind = :kind AND b $in", $params + ['kind' => state::ITEM]);
        $this->remove(state::ITEM, $hostid, $items);
        $this->remove_plain($hostid, state::SECTION, ids::COURSE, $rows);
    }

    /**
     * Ends enrolments. Their rows stay, so that it is known who was once enrolled.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $rows of local_mnetd_state
     * @param string|null $note why; null if that is to be found out
     */
    private function drop(int $hostid, array $rows, ?string $note = null): void {
        if (!$rows) {
            return;
        }
        $courses = ids::pin(ids::COURSE, array_column($rows, 'a'));
        $users = ids::pin(ids::USER, array_column($rows, 'b'));
        $bycourse = [];
        foreach ($rows as $row) {
            $bycourse[$row->a][$row->b] = (int)$row->b;
        }
        $why = [];
        foreach ($note === null ? $bycourse : [] as $courseid => $userids) {
            $why[$courseid] = snapshot::why_dropped($courseid, $userids);
        }
        $jobs = [];
        foreach ($rows as $row) {
            $reason = $why[$row->a][$row->b] ?? ['note' => $note, 'since' => 0];
            $data = [
                'sectionid' => $courses[$row->a],
                'userid' => $users[$row->b],
                'role' => $row->role,
                'note' => $reason['note'],
            ];
            // What was dated ahead is overruled only by a word without a date. Everything else has one: it may wait in the queue
            // while later words are dated.
            $at = $this->at ?: ($reason['since'] ?: time());
            if (strpos($row->hash, 'ahead:') !== 0) {
                $data['effective_at'] = $at;
            }
            $key = state::key(state::ENROLMENT, $row->a, $row->b, $row->role);
            $jobs[] = queue::job($hostid, state::ENROLMENT, $key, 'drop_enrolment', $data);
        }
        $this->queue($jobs);
        state::mark(array_column($rows, 'id'), state::DROPPED);
    }

    /**
     * Takes away what is known by one id.
     *
     * @param int $hostid in mnet_host
     * @param string $kind one of the kinds of state
     * @param string $idkind one of the kinds of ids
     * @param \stdClass[] $rows of local_mnetd_state
     */
    private function remove_plain(int $hostid, string $kind, string $idkind, array $rows): void {
        $pins = ids::pin($idkind, array_column($rows, 'a'));
        $jobs = [];
        foreach ($rows as $row) {
            $data = ['idnumber' => $pins[$row->a]];
            $key = state::key($kind, $row->a);
            $jobs[] = queue::job($hostid, $kind, $key, self::REMOVEMETHOD[$kind], $data);
        }
        $this->queue($jobs);
        state::forget(array_column($rows, 'id'));
    }

    /**
     * Takes away grades. Those of an item that the register does not hold are gone already, or have to wait until it is sent again.
     *
     * @param int $hostid in mnet_host
     * @param \stdClass[] $rows of local_mnetd_state
     */
    private function remove_grades(int $hostid, array $rows): void {
        $held = [];
        foreach (state::load($hostid, state::ITEM, self::pairs(array_column($rows, 'a'), null)) as $item) {
            $held[$item->a] = true;
        }
        $rows = array_filter($rows, function ($row) use ($held) {
            return isset($held[$row->a]);
        });
        $items = ids::pin(ids::ITEM, array_column($rows, 'a'));
        $users = ids::pin(ids::USER, array_column($rows, 'b'));
        $jobs = [];
        foreach ($rows as $row) {
            $data = ['assessmentid' => $items[$row->a], 'userid' => $users[$row->b]];
            $key = state::key(state::GRADE, $row->a, $row->b);
            $jobs[] = queue::job($hostid, state::GRADE, $key, 'remove_grade', $data);
        }
        $this->queue($jobs);
        state::forget(array_column($rows, 'id'));
    }

    /**
     * Tells of a course's teachers anew where they have changed.
     *
     * @param string $kind one of the kinds of state
     * @param int $hostid in mnet_host
     * @param \stdClass[] $changed entries
     * @param \stdClass[] $gone rows of local_mnetd_state
     */
    private function teachers(string $kind, int $hostid, array $changed, array $gone): void {
        if ($kind !== state::ENROLMENT || $this->force) {
            return;
        }
        $courseids = [];
        foreach (array_merge(array_values($changed), array_values($gone)) as $enrolment) {
            if ($enrolment->role === 'teacher') {
                $courseids[$enrolment->a] = (int)$enrolment->a;
            }
        }
        if ($courseids) {
            $sections = new self([$hostid], $this->at);
            $sections->present(state::SECTION, snapshot::all(state::SECTION, ['ids' => array_values($courseids)]));
            $this->queued += $sections->queued;
        }
    }

    /**
     * Puts calls into the queue.
     *
     * @param \stdClass[] $jobs made by queue::job()
     */
    private function queue(array $jobs): void {
        queue::add($jobs);
        $this->queued += count($jobs);
    }

    /**
     * Does something wholly or not at all.
     *
     * Inside a transaction of Moodle's own, that one decides: to roll back one of ours would roll back Moodle's as well. What was
     * done by halves is then found by the next reconciliation, for the state is written last.
     *
     * @param callable $work what is to be done
     */
    private function atomically(callable $work): void {
        global $DB;
        if ($DB->is_transaction_started()) {
            $work();
            return;
        }
        $transaction = $DB->start_delegated_transaction();
        try {
            $work();
            $transaction->allow_commit();
        } catch (\Throwable $e) {
            // Moodle's own takes exceptions only.
            $transaction->rollback($e instanceof \Exception ? $e : new \coding_exception($e->getMessage()));
        }
    }

    /**
     * Whether a register holds just that.
     *
     * @param \stdClass $row of local_mnetd_state
     * @param \stdClass $entry what there is
     * @return bool
     */
    private static function same(\stdClass $row, \stdClass $entry): bool {
        if ($row->hash === $entry->hash) {
            return true;
        }
        // What was dated ahead has begun by itself.
        return $entry->kind === state::ENROLMENT && $entry->hash === 'active' && strpos($row->hash, 'ahead:') === 0
            && (int)substr($row->hash, 6) <= time();
    }

    /**
     * The row of an object.
     *
     * @param int $hostid in mnet_host
     * @param string $objectkey as made by state::key()
     * @return \stdClass|null of local_mnetd_state
     */
    private static function row(int $hostid, string $objectkey): ?\stdClass {
        $parts = state::parts($objectkey);
        if ($parts === null) {
            return null;
        }
        [$kind, $a, $b] = $parts;
        return state::load($hostid, $kind, [[$a, $kind === state::ITEM ? null : $b]])[$objectkey] ?? null;
    }

    /**
     * Keys for state::load().
     *
     * @param \stdClass[] $entries whose
     * @return array of [a, b]
     */
    private static function pairs_of(array $entries): array {
        return array_values(array_map(function ($entry) {
            return [$entry->a, $entry->b];
        }, $entries));
    }

    /**
     * Keys for state::load().
     *
     * @param int[] $ids values of a
     * @param int|null $b the same for all; null for any
     * @return array of [a, b]
     */
    private static function pairs(array $ids, ?int $b = 0): array {
        return array_map(function ($id) use ($b) {
            return [(int)$id, $b];
        }, array_values(array_unique($ids)));
    }
}
