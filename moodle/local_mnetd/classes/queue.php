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
 * The calls that wait to be sent, and those that were refused.
 *
 * Whoever adds a call does so inside the transaction of the change it tells of: where that is rolled back, the call goes with it.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class queue {
    /** @var string a call that is still to be sent */
    const WAITING = 'waiting';

    /** @var string a call that the register refused for good */
    const REFUSED = 'refused';

    /** @var string[] calls that take something away */
    const ENDING = ['remove_user', 'remove_section', 'drop_enrolment', 'remove_assessment', 'remove_grade'];

    /** @var int characters of a fault's text that are kept */
    const LONGESTTEXT = 4000;

    /**
     * Puts calls into the queue, in the order given, and has them sent soon.
     *
     * @param \stdClass[] $jobs made by job()
     */
    public static function add(array $jobs): void {
        global $DB;
        if (!$jobs) {
            return;
        }
        $DB->insert_records('local_mnetd_queue', $jobs);
        self::nudge();
    }

    /**
     * One call, ready to be added.
     *
     * @param int $hostid in mnet_host
     * @param string $kind one of the kinds of state
     * @param string $objectkey as made by state::key()
     * @param string $method the register's method without its path
     * @param array $data the argument
     * @return \stdClass a row of local_mnetd_queue
     */
    public static function job(int $hostid, string $kind, string $objectkey, string $method, array $data): \stdClass {
        return (object)[
            'hostid' => $hostid,
            'objectkey' => $objectkey,
            'kind' => $kind,
            'method' => $method,
            // Fractions keep their point, so that points stay doubles on the wire.
            'payload' => json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION
                | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR),
            'timecreated' => time(),
            'attempts' => 0,
            'nextattempt' => 0,
            'state' => self::WAITING,
            'faultcode' => null,
            'faulttext' => null,
        ];
    }

    /**
     * The argument of a call.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @return array as it was given to job()
     */
    public static function data(\stdClass $job): array {
        return json_decode($job->payload, true, 64, JSON_THROW_ON_ERROR);
    }

    /**
     * What may go into the next message: the first calls in order, up to the second one of any object.
     *
     * No message has two calls of one object, so that it can be sent again as a whole where its answer was lost. It ends there
     * rather than pass that call over, since later calls of other objects may need it. A call that has to wait holds up its own
     * object only.
     *
     * @param int $hostid in mnet_host
     * @param int $limit at most so many
     * @param int|null $now Unix seconds, now if left out
     * @return \stdClass[] rows of local_mnetd_queue by id, in the order in which they have to be sent
     */
    public static function due(int $hostid, int $limit, ?int $now = null): array {
        global $DB;
        $now = $now ?? time();
        $sql = "SELECT q.*
                  FROM {local_mnetd_queue} q
                 WHERE q.hostid = :host AND q.state = :state AND q.nextattempt <= :now
                       AND NOT EXISTS (SELECT 1
                                         FROM {local_mnetd_queue} earlier
                                        WHERE earlier.hostid = q.hostid AND earlier.objectkey = q.objectkey
                                              AND earlier.state = :earlierstate AND earlier.id < q.id
                                              AND earlier.nextattempt > :earliernow)
              ORDER BY q.id";
        $params = ['host' => $hostid, 'state' => self::WAITING, 'now' => $now];
        $params += ['earlierstate' => self::WAITING, 'earliernow' => $now];
        $due = [];
        $objects = [];
        foreach ($DB->get_records_sql($sql, $params, 0, $limit) as $row) {
            if (isset($objects[$row->objectkey])) {
                break;
            }
            $objects[$row->objectkey] = true;
            $due[$row->id] = $row;
        }
        return $due;
    }

    /**
     * How many calls wait for a register.
     *
     * @param int $hostid in mnet_host
     * @return int
     */
    public static function waiting(int $hostid): int {
        global $DB;
        return $DB->count_records('local_mnetd_queue', ['hostid' => $hostid, 'state' => self::WAITING]);
    }

    /**
     * How many calls a register has refused.
     *
     * @param int $hostid in mnet_host
     * @return int
     */
    public static function refused(int $hostid): int {
        global $DB;
        return $DB->count_records('local_mnetd_queue', ['hostid' => $hostid, 'state' => self::REFUSED]);
    }

    /**
     * A call was acknowledged.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     */
    public static function done(\stdClass $job): void {
        self::done_many([$job]);
    }

    /**
     * Calls were acknowledged. What was refused of the same objects before is thereby out of date and goes too.
     *
     * @param \stdClass[] $jobs rows of local_mnetd_queue, all of one host
     */
    public static function done_many(array $jobs): void {
        global $DB;
        foreach (array_chunk($jobs, ids::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal(array_column($chunk, 'id'), SQL_PARAMS_NAMED);
            $DB->delete_records_select('local_mnetd_queue', "id $in", $params);
            [$in, $params] = $DB->get_in_or_equal(array_column($chunk, 'objectkey'), SQL_PARAMS_NAMED);
            $params += ['host' => reset($chunk)->hostid, 'state' => self::REFUSED, 'last' => max(array_column($chunk, 'id'))];
            $DB->delete_records_select(
                'local_mnetd_queue',
                "hostid = :host AND state = :state AND id < :last AND objectkey $in",
                $params
            );
        }
    }

    /**
     * A call could not be carried out this time.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @param int $when Unix seconds: not to be sent again before
     * @param int|null $code the fault's code, where there was one
     * @param string|null $text the fault's text
     */
    public static function later(\stdClass $job, int $when, ?int $code = null, ?string $text = null): void {
        global $DB;
        $DB->update_record('local_mnetd_queue', (object)[
            'id' => $job->id,
            'attempts' => $job->attempts + 1,
            'nextattempt' => $when,
            'faultcode' => $code,
            'faulttext' => $text === null ? null : \core_text::substr($text, 0, self::LONGESTTEXT),
        ]);
    }

    /**
     * A register has refused a call for good. It stays visible, and the next reconciliation tries again what is then true.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @param int $code the fault's code
     * @param string $text the fault's text
     */
    public static function refuse(\stdClass $job, int $code, string $text): void {
        global $DB;
        $transaction = $DB->start_delegated_transaction();
        $DB->delete_records_select(
            'local_mnetd_queue',
            'hostid = :host AND objectkey = :object AND method = :method AND state = :state AND id < :id',
            [
                'host' => $job->hostid,
                'object' => $job->objectkey,
                'method' => $job->method,
                'state' => self::REFUSED,
                'id' => $job->id,
            ]
        );
        $DB->update_record('local_mnetd_queue', (object)[
            'id' => $job->id,
            'attempts' => $job->attempts + 1,
            'state' => self::REFUSED,
            'faultcode' => $code,
            'faulttext' => \core_text::substr($text, 0, self::LONGESTTEXT),
        ]);
        if (!in_array($job->method, self::ENDING, true)) {
            difference::unsure($job->hostid, $job->objectkey);
        }
        $transaction->allow_commit();
    }

    /**
     * Sends again what was refused: the object as it is now, or its removal where that is what was refused and still holds.
     *
     * @param int $jobid a refused row of local_mnetd_queue
     * @return bool false if there is no such call, or nothing is left to be said
     */
    public static function resend(int $jobid): bool {
        global $DB;
        $job = $DB->get_record('local_mnetd_queue', ['id' => $jobid, 'state' => self::REFUSED]);
        if (!$job) {
            return false;
        }
        $transaction = $DB->start_delegated_transaction();
        if (in_array($job->method, self::ENDING, true) && !difference::held($job->hostid, $job->objectkey)) {
            $DB->delete_records('local_mnetd_queue', ['id' => $job->id]);
            unset($job->id);
            self::add([self::job($job->hostid, $job->kind, $job->objectkey, $job->method, self::data($job))]);
            $queued = 1;
        } else {
            $DB->delete_records('local_mnetd_queue', ['id' => $job->id]);
            difference::unsure($job->hostid, $job->objectkey);
            $queued = difference::object($job->objectkey, [$job->hostid]);
        }
        $transaction->allow_commit();
        return $queued > 0;
    }

    /**
     * Sends again all that a register has refused.
     *
     * @param int $hostid in mnet_host
     * @return int how many calls there were
     */
    public static function resend_all(int $hostid): int {
        global $DB;
        $refused = $DB->get_fieldset_select(
            'local_mnetd_queue',
            'id',
            'hostid = :host AND state = :state ORDER BY id',
            ['host' => $hostid, 'state' => self::REFUSED]
        );
        foreach ($refused as $jobid) {
            self::resend($jobid);
        }
        return count($refused);
    }

    /**
     * Has what waits sent soon. Cron's own run, once a minute, sends it in any case.
     */
    private static function nudge(): void {
        // Asked each time: one that was queued a moment ago may have run by now, or gone with a transaction that was rolled back.
        if (class_exists(task\send_now::class)) {
            \core\task\manager::queue_adhoc_task(new task\send_now(), true);
        }
    }
}
