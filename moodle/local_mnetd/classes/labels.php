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
 * Names what jobs are about, so that a person knows where to look.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class labels {
    /** @var string[][] names by table and id. */
    private $names = ['user' => [], 'course' => [], 'grade_items' => []];

    /** @var int[] the course of each grade item. */
    private $courses = [];

    /**
     * Reads the names for some jobs in as few queries as there are tables.
     *
     * @param \stdClass[] $jobs rows of local_mnetd_queue
     */
    public function __construct(array $jobs) {
        $wanted = ['user' => [], 'course' => [], 'grade_items' => []];
        foreach ($jobs as $job) {
            foreach (self::ids($job) as $table => $id) {
                $wanted[$table][$id] = $id;
            }
        }
        foreach ($this->rows('grade_items', $wanted['grade_items']) as $item) {
            $this->courses[$item->id] = $item->courseid;
            $wanted['course'][$item->courseid] = $item->courseid;
            $this->names['grade_items'][$item->id] = trim((string) $item->itemname) === ''
                ? get_string('itemtotal', 'local_mnetd') : format_string($item->itemname, true, ['escape' => false]);
        }
        foreach ($this->rows('course', $wanted['course']) as $course) {
            $this->names['course'][$course->id] = format_string($course->fullname, true, ['escape' => false]);
        }
        foreach ($this->rows('user', $wanted['user']) as $user) {
            if (!$user->deleted) {
                $this->names['user'][$user->id] = fullname($user);
            }
        }
    }

    /**
     * What a job is about.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @return string plain text
     */
    public function text(\stdClass $job): string {
        $ids = self::ids($job);
        $a = [
            'user' => $this->name($job, 'user', $ids['user'] ?? 0),
            'item' => $this->name($job, 'grade_items', $ids['grade_items'] ?? 0),
            'course' => $this->name($job, 'course', $ids['course'] ?? $this->courses[$ids['grade_items'] ?? 0] ?? 0),
        ];
        $parts = state::parts($job->objectkey);
        $kind = $parts ? $parts[0] : '';
        if ($kind === state::ENROLMENT) {
            $known = in_array($parts[3], ['student', 'teacher'], true);
            $a['role'] = $known ? get_string('role_' . $parts[3], 'local_mnetd') : $parts[3];
        }
        if (!in_array($kind, state::KINDS, true)) {
            return $job->objectkey;
        }
        // Where a grade item is gone, nobody knows any more which course it was in.
        $lost = isset($ids['grade_items']) && !isset($this->courses[$ids['grade_items']]);
        return get_string('object_' . $kind . ($lost ? '_lost' : ''), 'local_mnetd', $a);
    }

    /**
     * The page in Moodle where it can be looked at.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @return \moodle_url|null null where it is gone
     */
    public function url(\stdClass $job): ?\moodle_url {
        $ids = self::ids($job);
        $itemid = $ids['grade_items'] ?? 0;
        if ($itemid) {
            return isset($this->courses[$itemid])
                ? new \moodle_url('/grade/report/grader/index.php', ['id' => $this->courses[$itemid]]) : null;
        }
        $courseid = $ids['course'] ?? 0;
        if ($courseid) {
            $page = isset($ids['user']) ? '/user/index.php' : '/course/view.php';
            return isset($this->names['course'][$courseid]) ? new \moodle_url($page, ['id' => $courseid]) : null;
        }
        return isset($this->names['user'][$ids['user'] ?? 0])
            ? new \moodle_url('/user/profile.php', ['id' => $ids['user']]) : null;
    }

    /**
     * What is to be done with it.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @return string plain text
     */
    public static function method(\stdClass $job): string {
        $key = 'method_' . $job->method;
        return get_string_manager()->string_exists($key, 'local_mnetd') ? get_string($key, 'local_mnetd') : $job->method;
    }

    /**
     * What a fault means, and what to do.
     *
     * @param \stdClass $job a refused row of local_mnetd_queue
     * @return string HTML
     */
    public static function fault(\stdClass $job): string {
        global $CFG;
        $key = 'jobfault_' . abs((int) $job->faultcode);
        if (!get_string_manager()->string_exists($key, 'local_mnetd')) {
            $key = 'jobfault_other';
        }
        return get_string($key, 'local_mnetd', ['code' => (int) $job->faultcode, 'here' => s($CFG->wwwroot)]);
    }

    /**
     * The rows behind a job's name.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @return int[] id by table
     */
    private static function ids(\stdClass $job): array {
        $parts = state::parts($job->objectkey);
        if (!$parts) {
            return [];
        }
        [$kind, $a, $b] = $parts;
        switch ($kind) {
            case state::USER:
                return ['user' => $a];
            case state::SECTION:
                return ['course' => $a];
            case state::ENROLMENT:
                return ['course' => $a, 'user' => $b];
            case state::ITEM:
                return ['grade_items' => $a];
            default:
                return ['grade_items' => $a, 'user' => $b];
        }
    }

    /**
     * A name, or what the job itself calls it where Moodle has it no longer.
     *
     * @param \stdClass $job a row of local_mnetd_queue
     * @param string $table user, course or grade_items
     * @param int $id the row
     * @return string plain text
     */
    private function name(\stdClass $job, string $table, int $id): string {
        if (isset($this->names[$table][$id])) {
            return $this->names[$table][$id];
        }
        $data = json_decode($job->payload, true) ?: [];
        $fields = [
            'user' => ['userid', 'username', 'idnumber'],
            'course' => ['sectionid', 'name', 'idnumber'],
            'grade_items' => ['assessmentid', 'name', 'idnumber'],
        ];
        foreach ($fields[$table] as $field) {
            if (isset($data[$field]) && is_string($data[$field]) && $data[$field] !== '') {
                return get_string('object_gone', 'local_mnetd', $data[$field]);
            }
        }
        return get_string('object_gone', 'local_mnetd', (string) $id);
    }

    /**
     * Rows of a table.
     *
     * @param string $table the table
     * @param int[] $ids their ids
     * @return \stdClass[]
     */
    private function rows(string $table, array $ids): array {
        global $DB;
        return $ids ? $DB->get_records_list($table, 'id', $ids) : [];
    }
}
