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
 * Compares all there is with what a register holds, chunk by chunk.
 *
 * A full synchronisation sends everything anew; a reconciliation only what differs. Both end by taking away what is gone. What
 * has been done is written down with every chunk, in the same transaction, so that cron may stop anywhere and go on from there.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class synchroniser {
    /** @var string everything is sent */
    const FULL = 'full';

    /** @var string what differs is sent */
    const RECONCILE = 'reconcile';

    /** @var string[] what is looked at, in this order: what there is, each kind after those it needs; then what is gone */
    const PHASES = ['users', 'sections', 'enrolments', 'assessments', 'grades', 'remove'];

    /** @var string[] the kind of state that a phase is about */
    const PHASEKINDS = [
        'users' => state::USER,
        'sections' => state::SECTION,
        'enrolments' => state::ENROLMENT,
        'assessments' => state::ITEM,
        'grades' => state::GRADE,
    ];

    /** @var string the phase after the last one */
    const FINISHED = 'finished';

    /** @var int how many rows are looked at in one step */
    const CHUNK = 500;

    /** @var int no more is queued while so many calls wait */
    const ENOUGH = 2000;

    /** @var int how often, in seconds, it is looked whether enrolments have ended by themselves */
    const ENDING = 600;

    /**
     * Starts to synchronise a register.
     *
     * @param int $hostid in mnet_host
     * @param string $mode FULL or RECONCILE
     * @return bool false for a reconciliation where something runs already: another one follows then
     */
    public static function start(int $hostid, string $mode): bool {
        global $DB;
        if (!in_array($mode, [self::FULL, self::RECONCILE], true)) {
            throw new \coding_exception("There is no synchronisation of the mode '$mode'.");
        }
        $row = $DB->get_record('local_mnetd_sync', ['hostid' => $hostid]);
        if ($row && self::running($row) && $mode === self::RECONCILE) {
            $DB->set_field('local_mnetd_sync', 'timewanted', time(), ['id' => $row->id]);
            return false;
        }
        $new = (object)[
            'hostid' => $hostid,
            'mode' => $mode,
            'phase' => self::PHASES[0],
            'place' => 0,
            'done' => 0,
            'total' => array_sum(array_map([snapshot::class, 'count'], state::KINDS)),
            'queued' => 0,
            'timestarted' => time(),
            'timefinished' => 0,
            'timewanted' => 0,
            'error' => null,
        ];
        if ($row) {
            $new->id = $row->id;
            $DB->update_record('local_mnetd_sync', $new);
        } else {
            $DB->insert_record('local_mnetd_sync', $new);
        }
        return true;
    }

    /**
     * Asks for a reconciliation at cron's next run.
     *
     * @param int $hostid in mnet_host, 0 for all
     * @param string $why shown to administrators
     */
    public static function want(int $hostid, string $why): void {
        global $DB;
        $where = $hostid ? 'hostid = :host' : '1 = 1';
        $rows = $DB->get_records_select('local_mnetd_sync', $where, $hostid ? ['host' => $hostid] : [], '', 'id');
        foreach (array_keys($rows) as $id) {
            $DB->update_record('local_mnetd_sync', (object)['id' => $id, 'timewanted' => time(), 'error' => $why]);
        }
    }

    /**
     * The settings say otherwise what is to be sent.
     */
    public static function scope_changed(): void {
        scope::reset();
        self::want(0, snapshot::text('wantedsettings'));
    }

    /**
     * Starts what is due: a full synchronisation of a register that is new, reconciliations that were asked for. Forgets
     * registers that are gone.
     */
    public static function watch(): void {
        $lock = \core\lock\lock_config::get_lock_factory('local_mnetd')->get_lock('watch', 0);
        if (!$lock) {
            return;
        }
        try {
            self::start_due();
            self::end_enrolments(scope::hosts());
        } finally {
            $lock->release();
        }
    }

    /**
     * Starts what is due, and lets go of what is gone.
     */
    private static function start_due(): void {
        global $DB;
        $hostids = scope::hosts();
        $rows = $DB->get_records('local_mnetd_sync', null, '', 'hostid, id, phase, timefinished, timewanted');
        foreach ($hostids as $hostid) {
            if (!isset($rows[$hostid])) {
                self::start($hostid, self::FULL);
            } else if ($rows[$hostid]->timewanted && !self::running($rows[$hostid])) {
                self::start($hostid, self::RECONCILE);
            }
        }
        foreach (array_diff(array_keys($rows), $hostids) as $hostid) {
            if (!$DB->record_exists('mnet_host', ['id' => $hostid, 'deleted' => 0])) {
                self::forget($hostid);
            } else if (!$rows[$hostid]->timewanted) {
                // Nothing is followed for it meanwhile.
                self::want($hostid, snapshot::text('wantedunsubscribed'));
            }
        }
    }

    /**
     * Starts the nightly reconciliation of every register, unless the settings say that there is none.
     */
    public static function nightly(): void {
        global $DB;
        if (get_config('local_mnetd', 'nightly') === '0') {
            return;
        }
        foreach (scope::hosts() as $hostid) {
            $row = $DB->get_record('local_mnetd_sync', ['hostid' => $hostid]);
            if (!$row) {
                self::start($hostid, self::FULL);
            } else if (!self::running($row)) {
                self::start($hostid, self::RECONCILE);
            }
        }
    }

    /**
     * Looks at one more chunk.
     *
     * @param int $hostid in mnet_host
     * @return bool whether to go on at once; false when all is done, when enough waits to be sent, when another process is at it,
     *     or on an error, which is then written down with the synchronisation
     */
    public static function step(int $hostid): bool {
        global $DB;
        $lock = \core\lock\lock_config::get_lock_factory('local_mnetd')->get_lock("sync_$hostid", 0);
        if (!$lock) {
            return false;
        }
        try {
            $row = $DB->get_record('local_mnetd_sync', ['hostid' => $hostid]);
            if (!$row || !self::running($row) || queue::waiting($hostid) >= self::ENOUGH) {
                return false;
            }
            try {
                $difference = new difference([$hostid], 0, $row->mode === self::FULL);
                $transaction = $DB->start_delegated_transaction();
                $goeson = self::advance($row, $difference);
                $transaction->allow_commit();
                $difference->verify();
                return $goeson;
            } catch (\Throwable $e) {
                self::failed($row, $e);
                return false;
            }
        } finally {
            $lock->release();
        }
    }

    /**
     * How far a register's synchronisation is.
     *
     * @param int $hostid in mnet_host
     * @return \stdClass|null the row of local_mnetd_sync, with running (bool) and percent (int); null if there was none
     */
    public static function progress(int $hostid): ?\stdClass {
        global $DB;
        $row = $DB->get_record('local_mnetd_sync', ['hostid' => $hostid]);
        if (!$row) {
            return null;
        }
        $row->running = self::running($row);
        $row->percent = 100;
        if ($row->running) {
            // The last hundredth is for what is gone, which cannot be counted beforehand.
            $row->percent = (int)min(99, floor(100 * $row->done / max(1, $row->total)));
        }
        return $row;
    }

    /**
     * Forgets a register and all that was to be sent to it.
     *
     * @param int $hostid in mnet_host
     */
    public static function forget(int $hostid): void {
        global $DB;
        foreach (['queue', 'state', 'sync', 'peer'] as $table) {
            $DB->delete_records("local_mnetd_$table", ['hostid' => $hostid]);
        }
    }

    /**
     * Whether a synchronisation is under way.
     *
     * @param \stdClass $row of local_mnetd_sync
     * @return bool
     */
    private static function running(\stdClass $row): bool {
        return $row->phase !== self::FINISHED && !$row->timefinished;
    }

    /**
     * Looks at the next chunk and writes down how far that was.
     *
     * @param \stdClass $row of local_mnetd_sync
     * @param difference $difference for that host
     * @return bool whether there is more to do
     */
    private static function advance(\stdClass $row, difference $difference): bool {
        global $DB;
        $hostid = (int)$row->hostid;
        if ($row->phase === 'remove') {
            $finished = !self::remove($difference, $hostid);
        } else {
            $kind = self::PHASEKINDS[$row->phase];
            $page = snapshot::page($kind, (int)$row->place, self::CHUNK);
            $difference->present($kind, $page);
            $row->done += count($page);
            $row->place = $page ? end($page)->id : 0;
            $finished = count($page) < self::CHUNK;
        }
        $row->queued += $difference->queued();
        if ($finished) {
            $row->phase = self::PHASES[array_search($row->phase, self::PHASES, true) + 1] ?? self::FINISHED;
            $row->place = 0;
        }
        if ($row->phase === self::FINISHED) {
            self::tidy($hostid);
            $row->timefinished = time();
        }
        // Not timewanted, nor why: somebody may have asked for another one meanwhile.
        $DB->update_record('local_mnetd_sync', (object)array_intersect_key((array)$row, array_flip([
            'id', 'phase', 'place', 'done', 'queued', 'timefinished',
        ])));
        // What failed before has been done now.
        $DB->set_field_select('local_mnetd_sync', 'error', null, 'id = :id AND timewanted = 0', ['id' => $row->id]);
        return $row->phase !== self::FINISHED;
    }

    /**
     * Takes away a chunk of what is gone: grades first, users last.
     *
     * @param difference $difference for that host
     * @param int $hostid in mnet_host
     * @return bool whether there was anything
     */
    private static function remove(difference $difference, int $hostid): bool {
        foreach (array_reverse(state::KINDS) as $kind) {
            $gone = snapshot::missing($kind, $hostid, self::CHUNK);
            if ($gone) {
                $difference->gone($kind, $gone);
                return true;
            }
        }
        return false;
    }

    /**
     * Forgets rows that nothing will ever ask for again: the grades of grade items that no longer exist.
     *
     * @param int $hostid in mnet_host
     */
    private static function tidy(int $hostid): void {
        global $DB;
        $DB->delete_records_select(
            'local_mnetd_state',
            'hostid = :host AND kind = :grade AND NOT EXISTS (SELECT 1 FROM {grade_items} gi WHERE gi.id = a)',
            ['host' => $hostid, 'grade' => state::GRADE]
        );
    }

    /**
     * Writes down that a step failed. The next run tries it again.
     *
     * @param \stdClass $row of local_mnetd_sync
     * @param \Throwable $e what went wrong
     */
    private static function failed(\stdClass $row, \Throwable $e): void {
        global $DB;
        if ($DB->is_transaction_started()) {
            $DB->force_transaction_rollback();
        }
        $what = get_class($e) . ': ' . $e->getMessage();
        if ($e instanceof \moodle_exception && !empty($e->debuginfo)) {
            $what .= ' (' . \core_text::substr($e->debuginfo, 0, 1000) . ')';
        }
        debugging("The synchronisation with host {$row->hostid} failed in phase {$row->phase}: $what", DEBUG_NORMAL);
        $DB->set_field('local_mnetd_sync', 'error', $what, ['id' => $row->id]);
    }

    /**
     * Ends enrolments whose time is over: that is no event in Moodle.
     *
     * @param int[] $hostids registers, in mnet_host
     */
    private static function end_enrolments(array $hostids): void {
        global $DB;
        $now = time();
        $seen = (int)get_config('local_mnetd', 'endingseen');
        if (!$hostids || $now - $seen < self::ENDING) {
            return;
        }
        if ($seen) {
            $sql = "SELECT DISTINCT e.courseid, ue.userid
                      FROM {user_enrolments} ue
                      JOIN {enrol} e ON e.id = ue.enrolid
                     WHERE ue.timeend > :seen AND ue.timeend <= :now
                  ORDER BY e.courseid";
            $ended = [];
            $rows = $DB->get_recordset_sql($sql, ['seen' => $seen, 'now' => $now]);
            foreach ($rows as $row) {
                $ended[$row->courseid][] = (int)$row->userid;
            }
            $rows->close();
            $difference = new difference($hostids);
            foreach ($ended as $courseid => $userids) {
                foreach (array_chunk($userids, ids::CHUNK) as $chunk) {
                    $difference->enrolments($courseid, $chunk);
                }
            }
        }
        set_config('endingseen', $now, 'local_mnetd');
    }
}
