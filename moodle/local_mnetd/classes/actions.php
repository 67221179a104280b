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

use core\check\result;
use core\output\notification;

/**
 * What the buttons of the status page do. Each gives the sentence to show next, and how good the news is.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class actions {
    /** @var string[] what a button can ask for. */
    const ALL = ['test', 'send', 'full', 'reconcile', 'retry', 'retryall', 'discard', 'discardall'];

    /** @var int seconds that sending from a page may take: somebody waits for it, and cron does the rest. */
    const SENDING_TIME = 20;

    /** @var sender sends what waits. */
    private $sender;

    /** @var client|null calls the register; null for the real one. */
    private $client;

    /** @var callable|null gets a page of the register; null for the real one. */
    private $fetch;

    /**
     * The actions.
     *
     * @param sender|null $sender sends what waits; null for the real one
     * @param client|null $client calls the register; null for the real one
     * @param callable|null $fetch gets a page of the register; null for the real one
     */
    public function __construct(?sender $sender = null, ?client $client = null, ?callable $fetch = null) {
        $this->sender = $sender ?: new sender();
        $this->client = $client;
        $this->fetch = $fetch;
    }

    /**
     * Does what a button asks for. Whether the user may is for the page to see to.
     *
     * @param string $action one of ALL
     * @param \stdClass $host the register's row of mnet_host
     * @param int $jobid the refused job, for retry and discard
     * @return array [sentence as HTML, one of the types of core\output\notification]
     * @throws \moodle_exception where there is no such action
     */
    public function carry_out(string $action, \stdClass $host, int $jobid = 0): array {
        switch ($action) {
            case 'test':
                return $this->test($host);
            case 'send':
                return $this->send($host);
            case 'full':
            case 'reconcile':
                return $this->synchronise($host, $action);
            case 'retry':
                return $this->retry($host, $jobid);
            case 'retryall':
                return $this->counted('retry', queue::resend_all($host->id));
            case 'discard':
                return $this->counted('discard', $this->discard($host, $jobid));
            case 'discardall':
                return $this->counted('discard', $this->discard($host));
        }
        throw new \moodle_exception('unknownaction', 'local_mnetd', new \moodle_url('/local/mnetd/index.php'));
    }

    /**
     * Tries the way to the register.
     *
     * @param \stdClass $host the register
     * @return array as for carry_out()
     */
    private function test(\stdClass $host): array {
        $worst = livetest::run($host, $this->client, $this->fetch)->worst();
        if ($worst->status === result::OK) {
            return [get_string('done_test', 'local_mnetd', s(peers::name($host))), notification::NOTIFY_SUCCESS];
        }
        $a = ['peer' => s(peers::name($host)), 'summary' => $worst->summary()];
        $type = $worst->status === result::ERROR ? notification::NOTIFY_ERROR : notification::NOTIFY_WARNING;
        return [get_string('done_testwrong', 'local_mnetd', $a), $type];
    }

    /**
     * Sends what waits, and takes a synchronisation further, for as long as somebody can be made to wait for a page.
     *
     * @param \stdClass $host the register
     * @return array as for carry_out()
     */
    private function send(\stdClass $host): array {
        $courier = new courier(function (string $line): void {
            // The page has a sentence of its own.
        }, $this->sender);
        // Where cron has not run since the register was connected, this is what begins the first synchronisation.
        synchroniser::watch();
        $outcome = $courier->serve([$host->id], time() + self::SENDING_TIME, true)[$host->id];
        if ($outcome->end === outcome::FAILED) {
            return [get_string('done_sendfailed', 'local_mnetd', s($outcome->error)), notification::NOTIFY_ERROR];
        }
        if ($outcome->end === outcome::BUSY) {
            return [get_string('done_sendbusy', 'local_mnetd'), notification::NOTIFY_INFO];
        }
        $a = ['sent' => $outcome->sent, 'refused' => $outcome->refused, 'waiting' => queue::waiting($host->id)];
        $type = $outcome->refused ? notification::NOTIFY_WARNING : notification::NOTIFY_SUCCESS;
        return [get_string('done_send', 'local_mnetd', $a), $type];
    }

    /**
     * Has everything sent, or compared.
     *
     * @param \stdClass $host the register
     * @param string $mode full or reconcile
     * @return array as for carry_out()
     */
    private function synchronise(\stdClass $host, string $mode): array {
        if (!in_array((int) $host->id, scope::hosts(), true)) {
            return [get_string('notsubscribed', 'local_mnetd'), notification::NOTIFY_ERROR];
        }
        if (!synchroniser::start($host->id, $mode)) {
            return [get_string('done_reconcilelater', 'local_mnetd'), notification::NOTIFY_INFO];
        }
        return [get_string('done_' . $mode, 'local_mnetd'), notification::NOTIFY_SUCCESS];
    }

    /**
     * Sends one refused job again.
     *
     * @param \stdClass $host the register
     * @param int $jobid the job
     * @return array as for carry_out()
     */
    private function retry(\stdClass $host, int $jobid): array {
        global $DB;
        if (!$DB->record_exists('local_mnetd_queue', $this->refused($host, $jobid))) {
            return [get_string('nosuchjob', 'local_mnetd'), notification::NOTIFY_WARNING];
        }
        if (!queue::resend($jobid)) {
            return [get_string('nothingtosend', 'local_mnetd'), notification::NOTIFY_INFO];
        }
        return $this->counted('retry', 1);
    }

    /**
     * Deletes refused jobs.
     *
     * @param \stdClass $host the register
     * @param int|null $jobid one of them, or null for all
     * @return int how many there were
     */
    private function discard(\stdClass $host, ?int $jobid = null): int {
        global $DB;
        $which = $this->refused($host, $jobid);
        $count = $DB->count_records('local_mnetd_queue', $which);
        $DB->delete_records('local_mnetd_queue', $which);
        return $count;
    }

    /**
     * Which refused jobs are meant. That they are this register's and refused is part of it: what waits is nobody's to discard.
     *
     * @param \stdClass $host the register
     * @param int|null $jobid one of them, or null for all
     * @return array conditions
     */
    private function refused(\stdClass $host, ?int $jobid): array {
        $which = ['hostid' => $host->id, 'state' => queue::REFUSED];
        return $jobid === null ? $which : $which + ['id' => $jobid];
    }

    /**
     * What to say of a number of jobs.
     *
     * @param string $what retry or discard
     * @param int $count how many
     * @return array as for carry_out()
     */
    private function counted(string $what, int $count): array {
        if ($count === 0) {
            return [get_string('nosuchjob', 'local_mnetd'), notification::NOTIFY_WARNING];
        }
        $key = $count === 1 ? 'done_' . $what . '_one' : 'done_' . $what;
        return [get_string($key, 'local_mnetd', $count), notification::NOTIFY_SUCCESS];
    }
}
