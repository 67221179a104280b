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

use local_mnetd\queue;
use local_mnetd\scope;

/**
 * Makes registers for tests, and reads what is queued for them.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class local_mnetd_generator extends component_generator_base {
    /** @var int how many registers were made */
    private $hosts = 0;

    /**
     * Starts from nothing.
     */
    public function reset() {
        $this->hosts = 0;
        scope::reset();
    }

    /**
     * A network host to whose service "register" this site subscribes, networking on.
     *
     * @param array $record columns of mnet_host that are to be other than usual
     * @param bool $subscribe whether the service is subscribed to
     * @return int its id in mnet_host
     */
    public function create_host(array $record = [], bool $subscribe = true): int {
        global $DB;
        set_config('mnet_dispatcher_mode', 'strict');
        $n = ++$this->hosts;
        $hostid = $DB->insert_record('mnet_host', (object)($record + [
            'wwwroot' => "https://register$n.example.org",
            'ip_address' => '127.0.0.1',
            'name' => "Register $n",
            'public_key' => '',
            'public_key_expires' => time() + DAYSECS,
            'applicationid' => $DB->get_field('mnet_application', 'id', ['name' => 'mnetd']),
            'deleted' => 0,
        ]));
        if ($subscribe) {
            $DB->insert_record('mnet_host2service', (object)[
                'hostid' => $hostid,
                'serviceid' => $DB->get_field('mnet_service', 'id', ['name' => 'register'], MUST_EXIST),
                'publish' => 1,
                'subscribe' => 1,
            ]);
        }
        scope::reset();
        return $hostid;
    }

    /**
     * What waits for a register.
     *
     * @param int $hostid in mnet_host
     * @return \stdClass[] rows of local_mnetd_queue in order, with the argument in data
     */
    public function jobs(int $hostid): array {
        global $DB;
        $jobs = array_values($DB->get_records('local_mnetd_queue', ['hostid' => $hostid, 'state' => queue::WAITING], 'id'));
        foreach ($jobs as $job) {
            $job->data = queue::data($job);
        }
        return $jobs;
    }

    /**
     * What waits for a register, taken out of the queue.
     *
     * @param int $hostid in mnet_host
     * @return \stdClass[] as by jobs()
     */
    public function take_jobs(int $hostid): array {
        $jobs = $this->jobs($hostid);
        queue::done_many($jobs);
        return $jobs;
    }

    /**
     * What waits for a register, in short, and taken out of the queue.
     *
     * @param int $hostid in mnet_host
     * @return string[] method and object, such as "new_grade grade:9:5"
     */
    public function take(int $hostid): array {
        return array_map(function ($job) {
            return "$job->method $job->objectkey";
        }, $this->take_jobs($hostid));
    }
}
