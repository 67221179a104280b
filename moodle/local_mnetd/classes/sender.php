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
 * Sends what waits in the queue of a peer, in order.
 *
 * A job leaves the queue only after its answer came. So whatever happens in between, it is sent again; and since a register
 * answers "unchanged" to what it knows, sending twice is harmless. For that to hold, no message has two jobs of one object:
 * repeated as a whole, the first of them would undo the second for a moment.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class sender {
    /** @var int the most jobs in one message */
    const MOST_JOBS = 500;

    /** @var int the most bytes of payload, as JSON, in one message; as XML it is some four times as long, of 4 MiB allowed */
    const MOST_BYTES = 800000;

    /** @var int how many refused jobs are looked after in one message; each may need a few calls in front of it */
    const MOST_REPAIRS = 100;

    /** @var int the most calls in such a message, before and behind, where it can be parted */
    const MOST_REPAIR_CALLS = 1000;

    /** @var int the pause after the first failure, in seconds; it doubles with each further one */
    const FIRST_PAUSE = 60;

    /** @var int the longest pause, in seconds */
    const LONGEST_PAUSE = 3600;

    /** @var int after so many attempts that the register could not carry out for reasons of its own, a job counts as refused */
    const MOST_ATTEMPTS = 10;

    /** @var int how many seconds beyond the deadline a lock is held for us, where locks do not end with their process */
    const LOCK_SLACK = 300;

    /** @var int[] faults of a single call that mean the peer as a whole: it would answer every other call so too */
    const OF_THE_PEER = [704, 707, 710, 711, 7012, 7018, 7020, 7021, 7023, 7025, 8010, 8011, 8012, 8013];

    /** @var int[] faults that mean that something has to be sent first */
    const SOMETHING_MISSING = [fault::UNKNOWN_USER, fault::UNKNOWN_SECTION, fault::UNKNOWN_ASSESSMENT];

    /** @var client calls the peer */
    protected $client;

    /** @var prerequisites builds what has to be sent first */
    protected $prerequisites;

    /** @var callable|null takes lines for people */
    protected $say;

    /**
     * A sender.
     *
     * @param client|null $client calls the peer; null for the real one
     * @param callable|null $say takes lines for people
     * @param prerequisites|null $prerequisites builds what has to be sent first; null for the real one
     */
    public function __construct(?client $client = null, ?callable $say = null, ?prerequisites $prerequisites = null) {
        $this->client = $client ?? new client();
        $this->say = $say;
        $this->prerequisites = $prerequisites ?? new prerequisites();
    }

    /**
     * Sends what waits for one peer, until nothing waits, the peer fails, or the time is up.
     *
     * @param int $hostid the peer, its id in mnet_host
     * @param int $deadline unix seconds: no message is begun after it
     * @param bool $now send even where the pause after a failure is not over
     * @param int $patience how many seconds to wait where somebody else is sending to this peer
     * @return outcome
     */
    public function run(int $hostid, int $deadline, bool $now = false, int $patience = 0): outcome {
        $outcome = new outcome();
        $lock = \core\lock\lock_config::get_lock_factory('local_mnetd')->get_lock(
            'send_' . $hostid,
            $patience,
            max(0, $deadline - $this->time()) + self::LOCK_SLACK
        );
        if (!$lock) {
            $outcome->end = outcome::BUSY;
            return $outcome;
        }
        try {
            $this->drain($hostid, $deadline, $now, $outcome);
        } finally {
            $lock->release();
        }
        return $outcome;
    }

    /**
     * Sends message after message. The caller holds the lock.
     *
     * @param int $hostid the peer
     * @param int $deadline unix seconds
     * @param bool $now whether a pause is passed over
     * @param outcome $outcome where what happens is counted
     * @return void
     */
    protected function drain(int $hostid, int $deadline, bool $now, outcome $outcome): void {
        while ($jobs = $this->next_jobs($hostid, $outcome)) {
            $nexttry = $now ? 0 : $this->next_try($hostid);
            if ($nexttry > $this->time()) {
                $outcome->end = outcome::PAUSED;
                $outcome->error = userdate($nexttry, get_string('strftimedatetimeshort', 'core_langconfig'));
                return;
            }
            if ($this->time() >= $deadline) {
                $outcome->end = outcome::OUT_OF_TIME;
                return;
            }
            try {
                $this->deliver($hostid, $jobs, $outcome);
            } catch (client_exception $e) {
                $this->note_failure($hostid, $e->getMessage());
                $this->set_aside($hostid, $jobs, $e, $outcome);
                $outcome->end = outcome::FAILED;
                $outcome->error = $e->getMessage();
                return;
            }
            $this->peer_answered($hostid);
        }
    }

    /**
     * The jobs of the next message. With each failure in a row it is half as long, down to one job: what was too much for the
     * register's time then gets through, and one job that spoils the message is found.
     *
     * @param int $hostid the peer
     * @param outcome $outcome where what happens is counted
     * @return \stdClass[] rows of local_mnetd_queue by id, in order, with their arguments in ->struct
     */
    protected function next_jobs(int $hostid, outcome $outcome): array {
        $halvings = min($this->failures($hostid), 9);
        $most = $halvings ? max(1, min(self::MOST_JOBS, queue::waiting($hostid)) >> $halvings) : self::MOST_JOBS;
        do {
            $jobs = [];
            $bytes = 0;
            $unreadable = false;
            foreach (queue::due($hostid, $most, $this->time()) as $id => $job) {
                $bytes += strlen($job->payload);
                if ($jobs && $bytes > self::MOST_BYTES >> $halvings) {
                    break;
                }
                try {
                    $job->struct = queue::data($job);
                } catch (\JsonException $e) {
                    // It would keep everything behind it from being sent.
                    $this->refuse($job, 0, $e->getMessage(), $outcome);
                    $unreadable = true;
                    continue;
                }
                $jobs[$id] = $job;
            }
        } while (!$jobs && $unreadable);
        return $jobs;
    }

    /**
     * Lets others pass a job that fails whenever it is in a message, though what failed was the message as a whole.
     *
     * As long as the register answers nothing else either, it may be the register, and the job is not given up.
     *
     * @param int $hostid the peer
     * @param \stdClass[] $jobs the jobs of the message, rows of the queue by id
     * @param client_exception $why how it failed
     * @param outcome $outcome where what happens is counted
     * @return void
     */
    protected function set_aside(int $hostid, array $jobs, client_exception $why, outcome $outcome): void {
        global $DB;

        $maybethejob = $why->kind === client_exception::GARBLED
            || ($why->kind === client_exception::REFUSED && !in_array($why->faultcode, self::OF_THE_PEER, true));
        if (!$maybethejob || count($jobs) !== 1 || $this->failures($hostid) < 2 || queue::waiting($hostid) < 2) {
            return;
        }
        $job = reset($jobs);
        $lastsuccess = (int) $DB->get_field('local_mnetd_peer', 'lastsuccess', ['hostid' => $hostid]);
        if ($job->attempts + 1 >= self::MOST_ATTEMPTS && $lastsuccess > $job->timecreated) {
            $this->refuse($job, $why->faultcode, $why->getMessage(), $outcome);
        } else {
            // Longer than the register's own pause, so that at the next try it is another job's turn.
            queue::later($job, $this->time() + 2 * self::LONGEST_PAUSE, $why->faultcode, $why->getMessage());
            $outcome->postponed++;
        }
    }

    /**
     * Gives a job up, for somebody to look at.
     *
     * @param \stdClass $job the row of the queue
     * @param int $code the code of the fault, 0 where there is none
     * @param string $text what is wrong
     * @param outcome $outcome where what happens is counted
     * @return void
     */
    protected function refuse(\stdClass $job, int $code, string $text, outcome $outcome): void {
        queue::refuse($job, $code, $text);
        $outcome->refused++;
        $this->say(get_string('sender_refused', 'local_mnetd', (object) ['method' => $job->method,
            'object' => $job->objectkey, 'code' => $code, 'text' => $text]));
    }

    /**
     * Sends some jobs, and does with each what its answer asks for.
     *
     * @param int $hostid the peer
     * @param \stdClass[] $jobs rows of the queue by id
     * @param outcome $outcome where what happens is counted
     * @return void
     * @throws client_exception where the peer as a whole failed
     */
    protected function deliver(int $hostid, array $jobs, outcome $outcome): void {
        $results = $this->send($hostid, $jobs, [], $outcome);
        $missing = [];
        foreach ($results as $id => $result) {
            if (in_array($result->faultcode, self::SOMETHING_MISSING, true) && !$this->is_removal($jobs[$id])) {
                $missing[$id] = $jobs[$id];
                $missing[$id]->refusal = $result;
                unset($results[$id]);
            } else if ($result->is_done()) {
                $outcome->sent++;
            }
        }
        $this->settle($hostid, $jobs, $results, $outcome);
        foreach (array_chunk($missing, self::MOST_REPAIRS, true) as $some) {
            $this->repair($hostid, $some, $outcome);
        }
    }

    /**
     * Sends what the register lost or never had, and the jobs that need it behind that: once.
     *
     * Nothing of it is written into the queue. Whoever is killed here finds the jobs waiting, has them refused and comes here
     * again.
     *
     * @param int $hostid the peer
     * @param \stdClass[] $jobs rows of the queue by id, each with its fault in ->refusal
     * @param outcome $outcome where what happens is counted
     * @return void
     * @throws client_exception where the peer as a whole failed
     */
    protected function repair(int $hostid, array $jobs, outcome $outcome): void {
        $before = [];
        $results = [];
        $again = [];
        foreach ($jobs as $id => $job) {
            $needed = $this->prerequisites->of($job);
            if ($needed) {
                $before += $needed;
                $again[$id] = $job;
            } else {
                $results[$id] = $job->refusal;
            }
        }
        if (count($jobs) > 1 && count($before) + count($again) > self::MOST_REPAIR_CALLS) {
            foreach (array_chunk($jobs, intdiv(count($jobs) + 1, 2), true) as $half) {
                $this->repair($hostid, $half, $outcome);
            }
            return;
        }
        if ($again) {
            $repeated = $this->send($hostid, $again, array_values(prerequisites::in_order($before)), $outcome);
            foreach ($repeated as $result) {
                if ($result->is_done()) {
                    $outcome->sent++;
                    $outcome->repaired++;
                }
            }
            $results += $repeated;
        }
        $this->settle($hostid, $jobs, $results, $outcome);
    }

    /**
     * Sends one message.
     *
     * @param int $hostid the peer
     * @param \stdClass[] $jobs rows of the queue by id
     * @param array $before calls to be made in front of them, [method, struct] each
     * @param outcome $outcome where what happens is counted
     * @return call_result[] what became of the jobs, by id
     * @throws client_exception where the message as a whole brought no result
     */
    protected function send(int $hostid, array $jobs, array $before, outcome $outcome): array {
        $calls = $before;
        foreach ($jobs as $job) {
            $calls[] = ['register/' . $job->method, $job->struct];
        }
        $results = $this->client->multicall($hostid, $calls);
        $outcome->messages++;
        return array_combine(array_keys($jobs), array_slice($results, count($before)));
    }

    /**
     * Writes down what became of jobs: those that are done leave the queue, those that were refused stay to be seen.
     *
     * @param int $hostid the peer
     * @param \stdClass[] $jobs rows of the queue by id
     * @param call_result[] $results what became of them, by id
     * @param outcome $outcome where what happens is counted
     * @return void
     * @throws client_exception where an answer means the peer as a whole; everything else is written down by then
     */
    protected function settle(int $hostid, array $jobs, array $results, outcome $outcome): void {
        global $DB;

        $done = [];
        $ofthepeer = null;
        $transaction = $DB->start_delegated_transaction();
        try {
            foreach ($results as $id => $result) {
                $job = $jobs[$id];
                if ($result->is_done()) {
                    $done[$id] = $job;
                } else if ($this->is_removal($job) && in_array($result->faultcode, self::SOMETHING_MISSING, true)) {
                    // It was to be gone, and it is.
                    $done[$id] = $job;
                    $outcome->sent++;
                } else if (in_array($result->faultcode, self::OF_THE_PEER, true)) {
                    $ofthepeer = $result;
                } else if ($this->is_rule($result) || $job->attempts + 1 >= self::MOST_ATTEMPTS) {
                    $this->refuse($job, $result->faultcode, $result->faulttext, $outcome);
                } else {
                    queue::later($job, $this->time() + self::pause($job->attempts + 1), $result->faultcode, $result->faulttext);
                    $outcome->postponed++;
                }
            }
            queue::done_many($done);
            $transaction->allow_commit();
        } catch (\Throwable $e) {
            $transaction->rollback($e);
        }

        if ($ofthepeer) {
            throw $this->client->refusal($hostid, $ofthepeer->faultcode, $ofthepeer->faulttext);
        }
    }

    /**
     * Does a job take something away?
     *
     * @param \stdClass $job the row of the queue
     * @return bool
     */
    protected function is_removal(\stdClass $job): bool {
        return in_array($job->method, queue::ENDING, true);
    }

    /**
     * Does a fault come from a rule of the register, so that the same call would bring it again?
     *
     * @param call_result $result what the register said
     * @return bool
     */
    protected function is_rule(call_result $result): bool {
        return $result->faultcode >= 8001 && $result->faultcode <= 8009;
    }

    /**
     * When the peer may be tried again.
     *
     * @param int $hostid the peer
     * @return int unix seconds, 0 for at any time
     */
    protected function next_try(int $hostid): int {
        global $DB;

        return (int) $DB->get_field('local_mnetd_peer', 'nexttry', ['hostid' => $hostid]);
    }

    /**
     * How often in a row sending failed.
     *
     * @param int $hostid the peer
     * @return int
     */
    protected function failures(int $hostid): int {
        global $DB;

        return (int) $DB->get_field('local_mnetd_peer', 'failures', ['hostid' => $hostid]);
    }

    /**
     * Writes down that the peer answered.
     *
     * @param int $hostid the peer
     * @return void
     */
    protected function peer_answered(int $hostid): void {
        $this->save_peer($hostid, ['lastsuccess' => $this->time(), 'failures' => 0, 'nexttry' => 0, 'lasterror' => null]);
    }

    /**
     * Writes down that sending failed and why, and makes a pause: a minute, doubling up to an hour.
     *
     * @param int $hostid the peer
     * @param string $why for an administrator
     * @return void
     */
    public function note_failure(int $hostid, string $why): void {
        $failures = 1 + $this->failures($hostid);
        $this->save_peer($hostid, ['failures' => $failures, 'nexttry' => $this->time() + self::pause($failures),
            'lasterror' => $why, 'lasterrortime' => $this->time()]);
    }

    /**
     * Writes into the row of a peer, which is made by the first that holds its lock.
     *
     * @param int $hostid the peer
     * @param array $fields what changes
     * @return void
     */
    protected function save_peer(int $hostid, array $fields): void {
        global $DB;

        $id = $DB->get_field('local_mnetd_peer', 'id', ['hostid' => $hostid]);
        if ($id) {
            $DB->update_record('local_mnetd_peer', (object) (['id' => $id] + $fields));
        } else {
            $DB->insert_record('local_mnetd_peer', (object) (['hostid' => $hostid] + $fields));
        }
    }

    /**
     * How long to wait after so many failures.
     *
     * @param int $failures 1 after the first
     * @return int seconds
     */
    public static function pause(int $failures): int {
        // Beyond six doublings the hour is reached; the bound keeps the shift small.
        return min(self::LONGEST_PAUSE, self::FIRST_PAUSE << min(max($failures, 1) - 1, 6));
    }

    /**
     * The present moment.
     *
     * @return int unix seconds
     */
    protected function time(): int {
        return time();
    }

    /**
     * Tells somebody who watches.
     *
     * @param string $line a line for people
     * @return void
     */
    protected function say(string $line): void {
        if ($this->say) {
            ($this->say)($line);
        }
    }
}
