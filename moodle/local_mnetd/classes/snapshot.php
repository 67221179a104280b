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
 * What this site has to tell, as the structs that go over the wire. Nothing else makes them: observers, synchronisations and the
 * lists that a register asks for say the same of the same object.
 *
 * All come in pages of entries. An entry has
 * - id: the number that pages are ordered by; the last one of a page asks for the next;
 * - kind, a, b, role: which object it is (see state);
 * - data: the struct;
 * - hash: of what the struct says, without moments that differ from call to call;
 * - needs: ids by kind (user, section, item) of what a register has to know before;
 * - and for enrolments since: Unix seconds from when it holds, startsahead: the same if that is to come, else 0.
 *
 * A page costs a handful of queries, however long it is.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class snapshot {
    /** @var string[] fields of users that are sent as they are */
    const USERFIELDS = ['username', 'firstname', 'lastname', 'email', 'city', 'country', 'department', 'institution', 'lang'];

    /** @var int[] ways of Moodle to aggregate where a coefficient above 0 means extra credit: see grade_category */
    const EXTRACREDIT = [11, 12, 13];

    /** @var int how many teachers a section can name */
    const MOSTTEACHERS = 100;

    /** @var int quiz: the highest attempt counts */
    const QUIZ_HIGHEST = 1;

    /** @var int quiz: the first attempt counts */
    const QUIZ_FIRST = 3;

    /**
     * One page.
     *
     * @param string $kind one of the kinds of state
     * @param int $after the id of the last entry of the page before, 0 for the first page
     * @param int $limit at most so many entries
     * @param array $filter any of ids (entries' ids; a row of that id), courseid, userid, userids, itemid
     * @return \stdClass[] entries in the order of their ids
     */
    public static function page(string $kind, int $after, int $limit, array $filter = []): array {
        global $DB;
        [$select, $from, $where, $params, $id] = self::query($kind, $filter);
        $params['after'] = $after;
        $rows = $DB->get_records_sql(
            "SELECT $select FROM $from WHERE $where AND $id > :after ORDER BY $id",
            $params,
            0,
            $limit
        );
        return self::entries($kind, $rows);
    }

    /**
     * Everything that a filter leaves, for filters that leave little: one course's, one user's.
     *
     * @param string $kind one of the kinds of state
     * @param array $filter see page()
     * @return \stdClass[] entries by their name, as made by state::key()
     */
    public static function all(string $kind, array $filter): array {
        global $DB;
        foreach (['ids', 'userids'] as $list) {
            if (isset($filter[$list]) && !$filter[$list]) {
                return [];
            }
        }
        [$select, $from, $where, $params, $id] = self::query($kind, $filter);
        $rows = $DB->get_records_sql("SELECT $select FROM $from WHERE $where ORDER BY $id", $params);
        $entries = [];
        foreach (self::entries($kind, $rows) as $entry) {
            $entries[state::key($kind, $entry->a, $entry->b, $entry->role)] = $entry;
        }
        return $entries;
    }

    /**
     * How many entries all pages have together.
     *
     * @param string $kind one of the kinds of state
     * @param array $filter see page()
     * @return int
     */
    public static function count(string $kind, array $filter = []): int {
        global $DB;
        [, $from, $where, $params] = self::query($kind, $filter);
        return $DB->count_records_sql("SELECT COUNT(1) FROM $from WHERE $where", $params);
    }

    /**
     * What a register holds of things that are no longer to be sent.
     *
     * Grades of grade items that it does not hold are left alone: they come back with the item.
     *
     * @param string $kind one of the kinds of state
     * @param int $hostid in mnet_host
     * @param int $limit at most so many rows
     * @return \stdClass[] rows of local_mnetd_state, by id
     */
    public static function missing(string $kind, int $hostid, int $limit): array {
        global $DB;
        [, $from, $where, $params, $id] = self::query($kind, []);
        $params += ['host' => $hostid, 'kind' => $kind, 'dropped' => state::DROPPED];
        $same = "$id = st.a";
        $held = '';
        if ($kind === state::ENROLMENT) {
            $same = 'c.id = st.a AND ra.userid = st.b';
            $any = ['1 = 0'];
            foreach (['student', 'teacher'] as $role) {
                if ($roleids = scope::current()->roles($role)) {
                    [$in, $inparams] = $DB->get_in_or_equal($roleids, SQL_PARAMS_NAMED, $role);
                    $any[] = "(st.role = :is$role AND ra.roleid $in)";
                    $params += $inparams + ["is$role" => $role];
                }
            }
            $same .= ' AND (' . implode(' OR ', $any) . ')';
        } else if ($kind === state::GRADE) {
            $same = 'gg.itemid = st.a AND gg.userid = st.b';
            $held = 'AND EXISTS (SELECT 1
                                   FROM {local_mnetd_state} si
                                  WHERE si.hostid = st.hostid AND si.kind = :item AND si.a = st.a)';
            $params['item'] = state::ITEM;
        }
        $sql = "SELECT st.*
                  FROM {local_mnetd_state} st
                 WHERE st.hostid = :host AND st.kind = :kind AND st.hash <> :dropped $held
                       AND NOT EXISTS (SELECT 1 FROM $from WHERE $where AND $same)
              ORDER BY st.id";
        return $DB->get_records_sql($sql, $params, 0, $limit);
    }

    /**
     * Why somebody is no longer in a course, and since when.
     *
     * @param int $courseid in course
     * @param int[] $userids in user
     * @return array[] by user: note (in the site's language) and since (Unix seconds; 0: now)
     */
    public static function why_dropped(int $courseid, array $userids): array {
        global $DB;
        if (!$DB->record_exists('course', ['id' => $courseid])) {
            return array_fill_keys($userids, ['note' => self::text('notecoursedeleted'), 'since' => 0]);
        }
        [$incourse, $params] = scope::current()->courses('c');
        if (!$DB->record_exists_sql("SELECT 1 FROM {course} c WHERE c.id = :id AND $incourse", $params + ['id' => $courseid])) {
            return array_fill_keys($userids, ['note' => self::text('notecourseleft'), 'since' => 0]);
        }
        $rows = [];
        foreach (array_chunk($userids, ids::CHUNK) as $chunk) {
            [$in, $params] = $DB->get_in_or_equal($chunk, SQL_PARAMS_NAMED);
            $sql = "SELECT ue.id, ue.userid, ue.status, ue.timeend, ue.timemodified, e.status AS instancestatus
                      FROM {user_enrolments} ue
                      JOIN {enrol} e ON e.id = ue.enrolid
                     WHERE e.courseid = :course AND ue.userid $in";
            foreach ($DB->get_records_sql($sql, $params + ['course' => $courseid]) as $row) {
                $rows[$row->userid][] = $row;
            }
        }
        $why = [];
        foreach ($userids as $userid) {
            $why[$userid] = self::reason($rows[$userid] ?? [], time());
        }
        return $why;
    }

    /**
     * Which reason somebody's enrolments give for the end of all of them.
     *
     * @param \stdClass[] $rows of user_enrolments, with the status of their instance
     * @param int $now Unix seconds
     * @return array note and since
     */
    private static function reason(array $rows, int $now): array {
        if (!$rows) {
            return ['note' => self::text('noteunenrolled'), 'since' => 0];
        }
        $found = [];
        $ended = 0;
        foreach ($rows as $row) {
            if ($row->instancestatus != 0) {
                $found['noteinstancedisabled'] = true;
            } else if ($row->status != 0) {
                $found['notesuspended'] = true;
            } else if ($row->timeend != 0 && $row->timeend <= $now) {
                $found['noteended'] = true;
                // An end that was set afterwards says nothing about when.
                $ended = max($ended, $row->timemodified < $row->timeend ? (int)$row->timeend : $now);
            } else {
                $found['noteroleremoved'] = true;
            }
        }
        // The one that comes nearest to still being enrolled.
        foreach (['noteroleremoved', 'notesuspended', 'noteended', 'noteinstancedisabled'] as $note) {
            if (isset($found[$note])) {
                $since = $note === 'noteended' && $ended < $now ? $ended : 0;
                return ['note' => self::text($note), 'since' => $since];
            }
        }
    }

    /**
     * A text in the site's language: what goes to a register must not depend on who is signed in.
     *
     * @param string $identifier of the string
     * @param string $component whose string it is
     * @param string|null $a what the text has a place for
     * @return string
     */
    public static function text(string $identifier, string $component = 'local_mnetd', ?string $a = null): string {
        global $CFG;
        return get_string_manager()->get_string($identifier, $component, $a, $CFG->lang);
    }

    /**
     * The query for the rows behind the entries of a kind.
     *
     * @param string $kind one of the kinds of state
     * @param array $filter see page()
     * @return array columns, tables, condition, parameters, and the column that orders
     */
    private static function query(string $kind, array $filter): array {
        switch ($kind) {
            case state::USER:
                return self::query_users($filter);
            case state::SECTION:
                return self::query_sections($filter);
            case state::ENROLMENT:
                return self::query_enrolments($filter);
            case state::ITEM:
                return self::query_items($filter);
            case state::GRADE:
                return self::query_grades($filter);
        }
        throw new \coding_exception("There are no entries of the kind '$kind'.");
    }

    /**
     * Adds what a filter says.
     *
     * @param string $where the condition so far
     * @param array $params its parameters so far
     * @param array $filter see page()
     * @param string[] $columns by the filter's name
     * @return array condition and parameters
     */
    private static function narrow(string $where, array $params, array $filter, array $columns): array {
        global $DB;
        foreach ($filter as $name => $value) {
            if (!isset($columns[$name])) {
                throw new \coding_exception("A filter '$name' makes no sense here.");
            }
            [$in, $inparams] = $DB->get_in_or_equal((array)$value, SQL_PARAMS_NAMED, "by$name", true, 0);
            $where .= " AND {$columns[$name]} $in";
            $params += $inparams;
        }
        return [$where, $params];
    }

    /**
     * Users.
     *
     * @param array $filter see page(); ids only
     * @return array see query()
     */
    private static function query_users(array $filter): array {
        [$where, $params] = scope::current()->users('u');
        [$where, $params] = self::narrow($where, $params, $filter, ['ids' => 'u.id']);
        $select = 'u.id, u.idnumber, u.suspended, u.' . implode(', u.', self::USERFIELDS);
        return [$select, '{user} u', $where, $params, 'u.id'];
    }

    /**
     * Courses.
     *
     * @param array $filter see page(); ids only
     * @return array see query()
     */
    private static function query_sections(array $filter): array {
        [$where, $params] = scope::current()->courses('c');
        [$where, $params] = self::narrow($where, $params, $filter, ['ids' => 'c.id', 'courseid' => 'c.id']);
        $select = 'c.id, c.fullname, c.shortname, c.startdate, c.enddate, c.visible, cc.path';
        return [$select, '{course} c LEFT JOIN {course_categories} cc ON cc.id = c.category', $where, $params, 'c.id'];
    }

    /**
     * Enrolments: assignments of roles that count, of people who are enrolled as well.
     *
     * @param array $filter see page(); ids are those of role_assignments
     * @return array see query()
     */
    private static function query_enrolments(array $filter): array {
        $scope = scope::current();
        [$incourse, $courseparams] = $scope->courses('c');
        [$ofuser, $userparams] = $scope->users('u');
        [$counts, $roleparams] = $scope->assignments('ra');
        [$active, $activeparams] = self::active('ue', 'e');
        [$activesince, $sinceparams] = self::active('ues', 'es');
        $from = '{role_assignments} ra
                 JOIN {context} ctx ON ctx.id = ra.contextid AND ctx.contextlevel = :courselevel
                 JOIN {course} c ON c.id = ctx.instanceid
                 JOIN {user} u ON u.id = ra.userid';
        $where = "$incourse AND $ofuser AND $counts
                  AND EXISTS (SELECT 1
                                FROM {user_enrolments} ue
                                JOIN {enrol} e ON e.id = ue.enrolid
                               WHERE ue.userid = ra.userid AND e.courseid = c.id AND $active)";
        // Where somebody is enrolled in several ways, the first that counts says since when.
        $select = "ra.id, c.id AS courseid, ra.userid, ra.roleid,
                   (SELECT MIN(CASE WHEN ues.timestart > 0 THEN ues.timestart ELSE ues.timecreated END)
                      FROM {user_enrolments} ues
                      JOIN {enrol} es ON es.id = ues.enrolid
                     WHERE ues.userid = ra.userid AND es.courseid = c.id AND $activesince) AS since";
        $params = $courseparams + $userparams + $roleparams + $activeparams + ['courselevel' => CONTEXT_COURSE];
        $params += $sinceparams;
        [$where, $params] = self::narrow(
            $where,
            $params,
            $filter,
            ['ids' => 'ra.id', 'courseid' => 'c.id', 'userid' => 'ra.userid', 'userids' => 'ra.userid']
        );
        return [$select, $from, $where, $params, 'ra.id'];
    }

    /**
     * Which enrolments count: those that are active now or will be.
     *
     * @param string $ue alias of user_enrolments
     * @param string $e alias of enrol
     * @return array condition and its parameters
     */
    private static function active(string $ue, string $e): array {
        $where = "$ue.status = 0 AND $e.status = 0 AND ($ue.timeend = 0 OR $ue.timeend > :now$ue)";
        return [$where, ["now$ue" => time()]];
    }

    /**
     * Grade items.
     *
     * @param array $filter see page(); ids, courseid
     * @return array see query()
     */
    private static function query_items(array $filter): array {
        $scope = scope::current();
        [$incourse, $courseparams] = $scope->courses('c');
        [$where, $params] = $scope->items('gi');
        [$where, $params] = self::narrow(
            "$incourse AND $where",
            $courseparams + $params,
            $filter,
            ['ids' => 'gi.id', 'itemid' => 'gi.id', 'courseid' => 'gi.courseid']
        );
        $select = 'gi.id, gi.courseid, gi.itemname, gi.itemtype, gi.itemmodule, gi.iteminstance, gi.idnumber, gi.grademax,
                   gi.aggregationcoef, parent.aggregation, own.fullname AS categoryname, above.aggregation AS aboveaggregation';
        $from = '{grade_items} gi
                 JOIN {course} c ON c.id = gi.courseid
                 LEFT JOIN {grade_categories} parent ON parent.id = gi.categoryid
                 LEFT JOIN {grade_categories} own ON own.id = gi.iteminstance AND gi.itemtype = :category
                 LEFT JOIN {grade_categories} above ON above.id = own.parent';
        return [$select, $from, $where, $params + ['category' => 'category'], 'gi.id'];
    }

    /**
     * Grades.
     *
     * @param array $filter see page(); ids are those of grade_grades
     * @return array see query()
     */
    private static function query_grades(array $filter): array {
        $scope = scope::current();
        [$incourse, $courseparams] = $scope->courses('c');
        [$counts, $itemparams] = $scope->items('gi');
        [$ofuser, $userparams] = $scope->users('u');
        [$where, $params] = self::narrow(
            "$incourse AND $counts AND $ofuser AND (gg.finalgrade IS NOT NULL OR gg.excluded > 0)",
            $courseparams + $itemparams + $userparams,
            $filter,
            [
                'ids' => 'gg.id',
                'courseid' => 'gi.courseid',
                'itemid' => 'gg.itemid',
                'userid' => 'gg.userid',
                'userids' => 'gg.userid',
            ]
        );
        $select = 'gg.id, gg.itemid, gg.userid, gg.finalgrade, gg.excluded, gg.timecreated, gg.timemodified,
                   gi.itemtype, gi.itemmodule, gi.iteminstance';
        $from = '{grade_grades} gg
                 JOIN {grade_items} gi ON gi.id = gg.itemid
                 JOIN {course} c ON c.id = gi.courseid
                 JOIN {user} u ON u.id = gg.userid';
        return [$select, $from, $where, $params, 'gg.id'];
    }

    /**
     * Makes entries of rows.
     *
     * @param string $kind one of the kinds of state
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function entries(string $kind, array $rows): array {
        if (!$rows) {
            return [];
        }
        switch ($kind) {
            case state::USER:
                return self::users($rows);
            case state::SECTION:
                return self::sections($rows);
            case state::ENROLMENT:
                return self::enrolments($rows);
            case state::ITEM:
                return self::items($rows);
            default:
                return self::grades($rows);
        }
    }

    /**
     * Users as entries.
     *
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function users(array $rows): array {
        $pins = ids::pin(ids::USER, array_column($rows, 'id'));
        $entries = [];
        foreach ($rows as $row) {
            $data = ['idnumber' => $pins[$row->id]];
            foreach (self::USERFIELDS as $field) {
                $data[$field] = (string)$row->$field;
            }
            $data['suspended'] = (bool)$row->suspended;
            $data['moodle_id'] = (int)$row->id;
            if ((string)$row->idnumber !== '' && $row->idnumber !== $data['idnumber']) {
                $data['moodle_idnumber'] = $row->idnumber;
            }
            $entries[] = self::entry(state::USER, (int)$row->id, (int)$row->id, 0, $data);
        }
        return $entries;
    }

    /**
     * Courses as entries.
     *
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function sections(array $rows): array {
        $pins = ids::pin(ids::COURSE, array_column($rows, 'id'));
        $teachers = self::teachers(array_column($rows, 'id'));
        $paths = self::paths($rows);
        $segments = self::segments($paths);
        $entries = [];
        foreach ($rows as $row) {
            $name = trim((string)$row->fullname);
            $data = [
                'idnumber' => $pins[$row->id],
                'name' => $name !== '' ? $name : $row->shortname,
                'teacheridnumber' => array_values($teachers[$row->id] ?? []),
                'shortname' => (string)$row->shortname,
                'category' => implode(' / ', $paths[$row->id]),
                'visible' => (bool)$row->visible,
                'moodle_id' => (int)$row->id,
            ];
            if (isset($segments[$row->id])) {
                $data['segment'] = $segments[$row->id];
            }
            foreach (['startdate', 'enddate'] as $date) {
                if ($row->$date > 0) {
                    $data[$date] = (int)$row->$date;
                }
            }
            $entry = self::entry(state::SECTION, (int)$row->id, (int)$row->id, 0, $data);
            $entry->needs = [state::USER => array_keys($teachers[$row->id] ?? [])];
            $entries[] = $entry;
        }
        return $entries;
    }

    /**
     * Who teaches.
     *
     * @param int[] $courseids in course
     * @return array[] by course: the teachers' ids on the wire, by their ids in user
     */
    private static function teachers(array $courseids): array {
        global $DB;
        if (!scope::current()->roles('teacher')) {
            return [];
        }
        [, $from, $where, $params] = self::query_enrolments(['courseid' => $courseids]);
        [$in, $roleparams] = $DB->get_in_or_equal(scope::current()->roles('teacher'), SQL_PARAMS_NAMED, 'teacher');
        // The parameters of the columns that are not asked for have to go: some databases take no more than they need.
        $params = array_diff_key($params, ['nowues' => true]);
        $rows = $DB->get_records_sql(
            "SELECT ra.id, c.id AS courseid, ra.userid FROM $from WHERE $where AND ra.roleid $in ORDER BY ra.id",
            $params + $roleparams
        );
        $pins = ids::pin(ids::USER, array_column($rows, 'userid'));
        $teachers = [];
        foreach ($rows as $row) {
            $teachers[$row->courseid][$row->userid] = $pins[$row->userid];
        }
        // In an order that does not depend on who was assigned when. A register takes a hundred at most.
        return array_map(function ($list) {
            asort($list, SORT_STRING);
            return array_slice($list, 0, self::MOSTTEACHERS, true);
        }, $teachers);
    }

    /**
     * Where in the tree of categories courses are.
     *
     * @param \stdClass[] $rows courses with their category's path
     * @return array[] by course: the categories' names from the top down
     */
    private static function paths(array $rows): array {
        global $DB;
        $steps = [];
        $needed = [];
        foreach ($rows as $row) {
            $steps[$row->id] = array_filter(explode('/', (string)$row->path), 'strlen');
            $needed += array_flip($steps[$row->id]);
        }
        $names = $needed ? $DB->get_records_list('course_categories', 'id', array_keys($needed), '', 'id, name') : [];
        return array_map(function ($ids) use ($names) {
            return array_values(array_map(function ($id) use ($names) {
                return isset($names[$id]) ? $names[$id]->name : $id;
            }, $ids));
        }, $steps);
    }

    /**
     * The terms that courses run in, as the settings have it.
     *
     * @param array[] $paths the names of the categories of each course, from the top down
     * @return string[] by course, empty for none; nothing at all where terms are not sent
     */
    private static function segments(array $paths): array {
        switch (get_config('local_mnetd', 'segmentsource')) {
            case 'category':
                return array_map(function ($path) {
                    return (string)end($path);
                }, $paths);
            case 'topcategory':
                return array_map(function ($path) {
                    return (string)reset($path);
                }, $paths);
            case 'field':
                break;
            default:
                return [];
        }
        $field = get_config('local_mnetd', 'segmentfield');
        $segments = array_fill_keys(array_keys($paths), '');
        $data = \core_course\customfield\course_handler::create()->get_instances_data(array_keys($paths));
        foreach ($data as $courseid => $values) {
            foreach ($values as $value) {
                if ($value->get_field()->get('shortname') === $field) {
                    $text = strip_tags((string)$value->export_value());
                    $segments[$courseid] = trim(html_entity_decode($text, ENT_QUOTES, 'UTF-8'));
                }
            }
        }
        return $segments;
    }

    /**
     * Enrolments as entries.
     *
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function enrolments(array $rows): array {
        $now = time();
        $courses = ids::pin(ids::COURSE, array_column($rows, 'courseid'));
        $users = ids::pin(ids::USER, array_column($rows, 'userid'));
        $entries = [];
        foreach ($rows as $row) {
            $role = scope::current()->role((int)$row->roleid);
            $since = (int)$row->since;
            $data = [
                'sectionid' => $courses[$row->courseid],
                'userid' => $users[$row->userid],
                'role' => $role,
                'effective_at' => $since,
            ];
            $entry = self::entry(state::ENROLMENT, (int)$row->id, (int)$row->courseid, (int)$row->userid, $data, $role);
            $entry->needs = [state::USER => [(int)$row->userid], state::SECTION => [(int)$row->courseid]];
            $entry->since = $since;
            $entry->startsahead = $since > $now ? $since : 0;
            // Since when does not matter once it has begun; a new date ahead does.
            $entry->hash = $entry->startsahead ? "ahead:$since" : 'active';
            $entries[] = $entry;
        }
        return $entries;
    }

    /**
     * Grade items as entries.
     *
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function items(array $rows): array {
        $pins = ids::pin(ids::ITEM, array_column($rows, 'id'));
        $courses = ids::pin(ids::COURSE, array_column($rows, 'courseid'));
        $entries = [];
        foreach ($rows as $row) {
            $aggregation = $row->itemtype === 'category' ? $row->aboveaggregation : $row->aggregation;
            $data = [
                'sectionid' => $courses[$row->courseid],
                'idnumber' => $pins[$row->id],
                'name' => self::item_name($row),
                'pointval' => max(0.0, (float)$row->grademax),
                'extra_credit' => in_array((int)$aggregation, self::EXTRACREDIT, true) && $row->aggregationcoef > 0,
                'itemtype' => $row->itemtype,
                'itemmodule' => (string)$row->itemmodule,
                'moodle_id' => (int)$row->id,
            ];
            $entry = self::entry(state::ITEM, (int)$row->id, (int)$row->id, (int)$row->courseid, $data);
            $entry->needs = [state::SECTION => [(int)$row->courseid]];
            $entries[] = $entry;
        }
        return $entries;
    }

    /**
     * What a grade item is called.
     *
     * @param \stdClass $row of grade_items, with categoryname
     * @return string never empty
     */
    private static function item_name(\stdClass $row): string {
        if ($row->itemtype === 'course') {
            return self::text('coursetotal', 'grades');
        }
        foreach ([$row->itemname, $row->itemtype === 'category' ? $row->categoryname : '', $row->idnumber] as $name) {
            $name = trim((string)$name);
            if ($name !== '' && $name !== '?') {
                return $name;
            }
        }
        return self::text('gradeitem', 'grades') . ' ' . $row->id;
    }

    /**
     * Grades as entries.
     *
     * @param \stdClass[] $rows as queried
     * @return \stdClass[] entries
     */
    private static function grades(array $rows): array {
        $items = ids::pin(ids::ITEM, array_column($rows, 'itemid'));
        $users = ids::pin(ids::USER, array_column($rows, 'userid'));
        $attempts = self::attempts($rows);
        $entries = [];
        foreach ($rows as $row) {
            $data = [
                'assessmentid' => $items[$row->itemid],
                'userid' => $users[$row->userid],
                'excepted' => $row->excluded > 0,
            ];
            if ($row->finalgrade !== null) {
                $data['points_earned'] = (float)$row->finalgrade;
            }
            if (isset($attempts[$row->id])) {
                $data['attempt_num'] = $attempts[$row->id];
            }
            $entry = self::entry(state::GRADE, (int)$row->id, (int)$row->itemid, (int)$row->userid, $data);
            // When it was given says nothing new about what was given. The first letter lets a query see who is excepted.
            $entry->hash = ($data['excepted'] ? 'x' : 'g') . substr($entry->hash, 1);
            $entry->needs = [state::USER => [(int)$row->userid], state::ITEM => [(int)$row->itemid]];
            $entry->data['graded_at'] = (int)($row->timemodified ?? $row->timecreated ?? time());
            $entries[] = $entry;
        }
        return $entries;
    }

    /**
     * The attempts that grades stand for, where the activity tells: one query for each kind of activity on the page.
     *
     * @param \stdClass[] $rows grades with the module of their item
     * @return int[] counted from 1, by the id of the grade
     */
    private static function attempts(array $rows): array {
        $bymodule = [];
        foreach ($rows as $row) {
            if ($row->itemtype === 'mod') {
                $bymodule[$row->itemmodule][] = $row;
            }
        }
        return self::assign_attempts($bymodule['assign'] ?? []) + self::quiz_attempts($bymodule['quiz'] ?? []);
    }

    /**
     * The last attempt at an assignment that was marked.
     *
     * @param \stdClass[] $rows grades of assignments
     * @return int[] by the id of the grade
     */
    private static function assign_attempts(array $rows): array {
        global $DB;
        if (!$rows) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal(array_unique(array_column($rows, 'iteminstance')), SQL_PARAMS_NAMED, 'a');
        [$inusers, $userparams] = $DB->get_in_or_equal(array_unique(array_column($rows, 'userid')), SQL_PARAMS_NAMED, 'u');
        $sql = "SELECT MAX(id) AS id, assignment, userid, MAX(attemptnumber) AS attempt
                  FROM {assign_grades}
                 WHERE assignment $in AND userid $inusers AND grade >= 0
              GROUP BY assignment, userid";
        $last = [];
        foreach ($DB->get_records_sql($sql, $params + $userparams) as $row) {
            $last[$row->assignment][$row->userid] = (int)$row->attempt + 1;
        }
        $attempts = [];
        foreach ($rows as $row) {
            if (isset($last[$row->iteminstance][$row->userid])) {
                $attempts[$row->id] = $last[$row->iteminstance][$row->userid];
            }
        }
        return $attempts;
    }

    /**
     * The attempt at a quiz that the grade comes from: the best, the first or the last, as the quiz has it. An average is that of
     * the last.
     *
     * @param \stdClass[] $rows grades of quizzes
     * @return int[] by the id of the grade
     */
    private static function quiz_attempts(array $rows): array {
        global $DB;
        if (!$rows) {
            return [];
        }
        [$in, $params] = $DB->get_in_or_equal(array_unique(array_column($rows, 'iteminstance')), SQL_PARAMS_NAMED, 'q');
        [$inusers, $userparams] = $DB->get_in_or_equal(array_unique(array_column($rows, 'userid')), SQL_PARAMS_NAMED, 'u');
        $sql = "SELECT qa.id, qa.quiz, qa.userid, qa.attempt, qa.sumgrades, q.grademethod
                  FROM {quiz_attempts} qa
                  JOIN {quiz} q ON q.id = qa.quiz
                 WHERE qa.quiz $in AND qa.userid $inusers AND qa.preview = 0 AND qa.state = :state
              ORDER BY qa.attempt";
        $counting = [];
        foreach ($DB->get_records_sql($sql, $params + $userparams + ['state' => 'finished']) as $row) {
            $best = $counting[$row->quiz][$row->userid] ?? null;
            $better = $best === null || ($row->grademethod == self::QUIZ_HIGHEST ? $row->sumgrades > $best->sumgrades
                : $row->grademethod != self::QUIZ_FIRST);
            if ($better) {
                $counting[$row->quiz][$row->userid] = $row;
            }
        }
        $attempts = [];
        foreach ($rows as $row) {
            if (isset($counting[$row->iteminstance][$row->userid])) {
                $attempts[$row->id] = (int)$counting[$row->iteminstance][$row->userid]->attempt;
            }
        }
        return $attempts;
    }

    /**
     * One entry.
     *
     * @param string $kind one of the kinds of state
     * @param int $id orders pages
     * @param int $a see state
     * @param int $b see state
     * @param array $data the struct
     * @param string $role see state
     * @return \stdClass
     */
    private static function entry(string $kind, int $id, int $a, int $b, array $data, string $role = state::NOROLE): \stdClass {
        return (object)[
            'id' => $id,
            'kind' => $kind,
            'a' => $a,
            'b' => $b,
            'role' => $role,
            'data' => $data,
            'needs' => [],
            'hash' => sha1(json_encode($data, JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE)),
        ];
    }
}
