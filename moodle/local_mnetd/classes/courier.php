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
 * Brings registers what is new, within a given time: sends what waits, and takes synchronisations further.
 *
 * The scheduled task, the one that follows a change, and the command line all do it by this class. Each register gets its share
 * of the time, and what goes wrong with one is nothing to the others.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class courier {
    /** @var int the least seconds that a register gets in a round */
    const SLICE = 5;

    /** @var sender sends what waits */
    protected $sender;

    /** @var callable takes lines for people */
    protected $say;

    /** @var callable takes a synchronisation one step further */
    protected $synchronise;

    /**
     * A courier.
     *
     * @param callable $say takes lines for people
     * @param sender|null $sender sends what waits; null for the real one
     * @param callable|null $synchronise takes a synchronisation one step further, given the register's id, and tells whether to
     *      go on at once; null for the real one
     */
    public function __construct(callable $say, ?sender $sender = null, ?callable $synchronise = null) {
        $this->say = $say;
        $this->sender = $sender ?? new sender(null, $say);
        $this->synchronise = $synchronise ?? [synchroniser::class, 'step'];
    }

    /**
     * Serves registers until nothing is left to do for any of them, or the time is up.
     *
     * @param int[] $hostids their ids in mnet_host
     * @param int $deadline unix seconds
     * @param bool $now send even where the pause after a failure is not over
     * @param int $patience how many seconds to wait where somebody else is sending to the same register
     * @return outcome[] what was done for each, by id
     */
    public function serve(array $hostids, int $deadline, bool $now = false, int $patience = 0): array {
        $outcomes = [];
        foreach ($hostids as $hostid) {
            $outcomes[$hostid] = new outcome();
        }
        $open = $outcomes;
        while ($open && time() < $deadline) {
            $waiting = count($open);
            foreach ($open as $hostid => $outcome) {
                $share = max(self::SLICE, intdiv($deadline - time(), $waiting--));
                if (!$this->serve_one($hostid, min($deadline, time() + $share), $now, $patience, $outcome)) {
                    unset($open[$hostid]);
                }
            }
        }
        foreach ($outcomes as $hostid => $outcome) {
            if (isset($open[$hostid])) {
                $outcome->end = outcome::OUT_OF_TIME;
            }
            $this->tell($hostid, $outcome);
        }
        return $outcomes;
    }

    /**
     * Serves one register for its share of the time.
     *
     * @param int $hostid the register
     * @param int $deadline unix seconds
     * @param bool $now whether a pause is passed over
     * @param int $patience seconds to wait for the lock
     * @param outcome $outcome where what happens is counted
     * @return bool whether more is left to do
     */
    protected function serve_one(int $hostid, int $deadline, bool $now, int $patience, outcome $outcome): bool {
        global $DB;

        try {
            do {
                $outcome->add($this->sender->run($hostid, $deadline, $now, $patience));
                // A register that cannot be reached gets no longer queue than it has: it would not be any the wiser.
                if ($outcome->end !== outcome::DRAINED) {
                    return $outcome->end === outcome::OUT_OF_TIME;
                }
                $more = $this->synchronise($hostid, $deadline);
            } while ($more && time() < $deadline);
            return $more;
        } catch (\Throwable $e) {
            // What is wrong here must not keep this site from the other registers.
            if ($DB->is_transaction_started()) {
                $DB->force_transaction_rollback();
            }
            $outcome->end = outcome::FAILED;
            $outcome->error = get_string('courier_wentwrong', 'local_mnetd', get_class($e) . ': ' . $e->getMessage());
            debugging($e->getMessage() . "\n" . $e->getTraceAsString(), DEBUG_DEVELOPER);
            $this->sender->note_failure($hostid, $outcome->error);
            return false;
        }
    }

    /**
     * Takes a synchronisation further, until it is done, or has queued enough.
     *
     * @param int $hostid the register
     * @param int $deadline unix seconds
     * @return bool whether there is something to send again, or more to look at
     */
    protected function synchronise(int $hostid, int $deadline): bool {
        $more = false;
        while (time() < $deadline && ($this->synchronise)($hostid)) {
            $more = true;
        }
        return $more || queue::due($hostid, 1);
    }

    /**
     * Says what was done for a register.
     *
     * @param int $hostid the register
     * @param outcome $outcome what was done
     * @return void
     */
    protected function tell(int $hostid, outcome $outcome): void {
        global $DB;

        $wwwroot = $DB->get_field('mnet_host', 'wwwroot', ['id' => $hostid]);
        ($this->say)($wwwroot . ': ' . $outcome->describe());
    }
}
