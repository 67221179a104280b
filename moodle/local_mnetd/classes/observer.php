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
 * Follows what happens in Moodle, as it happens.
 *
 * Runs inside the transaction of the action it follows, so that what is queued stands or falls with it. Whatever goes wrong here
 * never stops that action: it is shown on the status page, and a reconciliation finds afterwards what was missed.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class observer {
    /** @var int how many courses, enrolments and grades are compared while somebody waits for a page; beyond that cron does it */
    const ATONCE = 2000;

    /**
     * One event.
     *
     * @param \core\event\base $event any that db/events.php names
     */
    public static function notice(\core\event\base $event): void {
        try {
            $hostids = scope::hosts();
            if ($hostids) {
                self::follow($event, $hostids);
            }
        } catch (\Throwable $e) {
            self::missed($event, $e);
        }
    }

    /**
     * Compares what an event is about.
     *
     * @param \core\event\base $event the event
     * @param int[] $hostids registers, in mnet_host
     */
    private static function follow(\core\event\base $event, array $hostids): void {
        $now = new difference($hostids, (int)$event->timecreated);
        $id = (int)$event->objectid;
        $courseid = (int)$event->courseid;
        $userid = (int)$event->relateduserid;
        switch ($event->eventname) {
            case '\core\event\user_created':
            case '\core\event\user_deleted':
                $now->users([$id]);
                break;
            case '\core\event\user_updated':
                self::user_updated($now, $id);
                break;
            case '\core\event\course_created':
            case '\core\event\course_deleted':
                $now->sections([$id]);
                break;
            case '\core\event\course_updated':
                self::courses_updated($now, [$id], $hostids);
                break;
            case '\core\event\course_restored':
                self::whole_courses([$id], $hostids);
                break;
            case '\core\event\course_reset_ended':
                self::whole_courses([$courseid], $hostids);
                break;
            case '\core\event\course_category_updated':
                self::category_updated($now, $id, $hostids);
                break;
            case '\core\event\user_enrolment_created':
            case '\core\event\user_enrolment_updated':
                $now->enrolments($courseid, [$userid]);
                break;
            case '\core\event\user_enrolment_deleted':
                $now->enrolments($courseid, [$userid]);
                self::unenrolled($courseid, $userid);
                // Moodle takes the grades away along with the last enrolment.
                $now->grades_of($userid, $courseid);
                break;
            case '\core\event\enrol_instance_updated':
            case '\core\event\enrol_instance_deleted':
                $now->enrolments($courseid);
                break;
            case '\core\event\role_assigned':
            case '\core\event\role_unassigned':
                if ($event->contextlevel == CONTEXT_COURSE) {
                    $now->enrolments((int)$event->contextinstanceid, [$userid]);
                }
                break;
            case '\core\event\grade_item_created':
            case '\core\event\grade_item_updated':
                $now->items([$id]);
                foreach ($now->entered(state::ITEM) as $itemid) {
                    $now->grades($itemid);
                }
                break;
            case '\core\event\grade_item_deleted':
                $now->items([$id]);
                break;
            case '\core\event\user_graded':
            case '\core\event\grade_deleted':
                $now->grades((int)$event->other['itemid'], [$userid]);
                self::excepted($now, (int)$event->other['itemid'], $userid);
                break;
        }
    }

    /**
     * A user has changed, or was not to be sent until now.
     *
     * @param difference $now the comparison
     * @param int $userid in user
     */
    private static function user_updated(difference $now, int $userid): void {
        $now->users([$userid]);
        if ($now->entered(state::USER)) {
            $now->enrolments_of($userid);
            $now->grades_of($userid);
        }
    }

    /**
     * Courses have changed, or moved into or out of what is sent.
     *
     * @param difference $now the comparison
     * @param int[] $courseids in course
     * @param int[] $hostids registers, in mnet_host
     */
    private static function courses_updated(difference $now, array $courseids, array $hostids): void {
        $now->sections($courseids);
        self::whole_courses($now->entered(state::SECTION), $hostids);
    }

    /**
     * Courses with all that is in them. What is too much for a page to wait for is left to a reconciliation.
     *
     * @param int[] $courseids in course
     * @param int[] $hostids registers, in mnet_host
     */
    private static function whole_courses(array $courseids, array $hostids): void {
        if (!$courseids) {
            return;
        }
        $filter = ['courseid' => $courseids];
        $size = snapshot::count(state::ENROLMENT, $filter) + snapshot::count(state::GRADE, $filter);
        if ($size > self::ATONCE) {
            synchroniser::want(0, snapshot::text('wantedlargecourse'));
            return;
        }
        // Each enrolment with its own date: none of them begins now.
        $difference = new difference($hostids);
        foreach ($courseids as $courseid) {
            $difference->course($courseid);
        }
    }

    /**
     * A category was renamed or moved: its courses' paths are others, and they may have moved into or out of what is sent.
     *
     * @param difference $now the comparison
     * @param int $categoryid in course_categories
     * @param int[] $hostids registers, in mnet_host
     */
    private static function category_updated(difference $now, int $categoryid, array $hostids): void {
        global $DB;
        $path = $DB->get_field('course_categories', 'path', ['id' => $categoryid]);
        if ($path === false) {
            return;
        }
        $sql = "SELECT c.id
                  FROM {course} c
                  JOIN {course_categories} cc ON cc.id = c.category
                 WHERE cc.id = :category OR " . $DB->sql_like('cc.path', ':below');
        $courseids = $DB->get_fieldset_sql($sql, ['category' => $categoryid, 'below' => "$path/%"]);
        if (count($courseids) > self::ATONCE) {
            synchroniser::want(0, snapshot::text('wantedcategory'));
            return;
        }
        foreach (array_chunk(array_map('intval', $courseids), ids::CHUNK) as $chunk) {
            self::courses_updated($now, $chunk, $hostids);
        }
    }

    /**
     * Says of enrolments that ended just now that somebody was unenrolled: Moodle takes the role away first, and only then the
     * enrolment.
     *
     * @param int $courseid in course
     * @param int $userid in user
     */
    private static function unenrolled(int $courseid, int $userid): void {
        global $DB;
        if (snapshot::why_dropped($courseid, [$userid])[$userid]['note'] !== snapshot::text('noteunenrolled')) {
            return;
        }
        $keys = [
            state::key(state::ENROLMENT, $courseid, $userid, 'student'),
            state::key(state::ENROLMENT, $courseid, $userid, 'teacher'),
        ];
        [$in, $params] = $DB->get_in_or_equal($keys, SQL_PARAMS_NAMED);
        $drops = $DB->get_records_select(
            'local_mnetd_queue',
            "objectkey $in AND method = :drop AND state = :waiting AND attempts = 0 AND timecreated >= :lately",
            $params + ['drop' => 'drop_enrolment', 'waiting' => queue::WAITING, 'lately' => time() - 5]
        );
        foreach ($drops as $job) {
            $data = queue::data($job);
            if ($data['note'] === snapshot::text('noteroleremoved')) {
                $data['note'] = snapshot::text('noteunenrolled');
                $payload = queue::job($job->hostid, $job->kind, $job->objectkey, $job->method, $data)->payload;
                $DB->set_field('local_mnetd_queue', 'payload', $payload, ['id' => $job->id]);
            }
        }
    }

    /**
     * Looks for grades whose exclusion has changed: that alone is no event in Moodle, but the total that it changes is one.
     *
     * @param difference $now the comparison
     * @param int $itemid the grade item that was graded
     * @param int $userid in user
     */
    private static function excepted(difference $now, int $itemid, int $userid): void {
        global $DB;
        $courseid = $DB->get_field('grade_items', 'courseid', ['id' => $itemid, 'itemtype' => 'course']);
        if (!$courseid) {
            return;
        }
        $sql = "SELECT DISTINCT gg.itemid
                  FROM {grade_grades} gg
                  JOIN {grade_items} gi ON gi.id = gg.itemid AND gi.courseid = :course
             LEFT JOIN {local_mnetd_state} st ON st.kind = :kind AND st.a = gg.itemid AND st.b = gg.userid
                 WHERE gg.userid = :user
                       AND ((gg.excluded > 0 AND (st.id IS NULL OR st.hash LIKE 'g%')) OR (gg.excluded = 0 AND st.hash LIKE 'x%'))";
        $params = ['course' => $courseid, 'kind' => state::GRADE, 'user' => $userid];
        foreach ($DB->get_fieldset_sql($sql, $params) as $other) {
            $now->grades((int)$other, [$userid]);
        }
    }

    /**
     * Something could not be followed.
     *
     * @param \core\event\base $event the event
     * @param \Throwable $e what went wrong
     */
    private static function missed(\core\event\base $event, \Throwable $e): void {
        $reason = get_class($e) . ': ' . $e->getMessage() . ' (' . basename($e->getFile()) . ':' . $e->getLine() . ')';
        $what = "{$event->eventname}, object {$event->objectid}: $reason";
        try {
            synchroniser::want(0, snapshot::text('wantedmissed', 'local_mnetd', $what));
        } catch (\Throwable $again) {
            $what .= '; and the reconciliation could not be asked for: ' . $again->getMessage();
        }
        debugging("local_mnetd could not follow $what", DEBUG_NORMAL);
    }
}
