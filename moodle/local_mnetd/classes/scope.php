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
 * What is sent, and to whom: the plugin's settings as conditions of SQL.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class scope {
    /** @var int how long, in seconds, a process goes by what it last read: cron's processes live for up to an hour */
    const REMEMBERED = 30;

    /** @var int[]|null the hosts that were read last */
    private static $hosts = null;

    /** @var scope|null the settings that were read last */
    private static $current = null;

    /** @var bool whether only users with an enrolment are sent */
    private $onlyenrolled;

    /** @var int[] course categories, empty for all */
    private $categories;

    /** @var int[][] Moodle's role ids by the register's role */
    private $roles;

    /** @var string[] activity modules, empty for all */
    private $modules;

    /** @var string[] item types besides those of activities */
    private $itemtypes;

    /** @var int makes the names of parameters unique in a query */
    private static $serial = 0;

    /**
     * Reads the settings.
     */
    private function __construct() {
        $config = get_config('local_mnetd');
        $this->onlyenrolled = ($config->userscope ?? 'all') === 'enrolled';
        $this->categories = array_map('intval', self::listed($config->categories ?? ''));
        $teachers = isset($config->teacherroles) ? self::listed($config->teacherroles)
            : self::by_archetype(['editingteacher', 'teacher']);
        $students = isset($config->studentroles) ? self::listed($config->studentroles) : self::by_archetype(['student']);
        $teachers = array_map('intval', $teachers);
        // A role means one thing: who teaches is not also a student by the same role.
        $students = array_values(array_diff(array_map('intval', $students), $teachers));
        $this->roles = array_filter(['student' => $students, 'teacher' => $teachers]);
        $this->modules = self::listed($config->itemmodules ?? '');
        $this->itemtypes = [];
        $included = ['manual' => 'includemanual', 'course' => 'includecoursetotal', 'category' => 'includecategorytotal'];
        foreach ($included as $type => $setting) {
            if ($config->$setting ?? $type === 'manual') {
                $this->itemtypes[] = $type;
            }
        }
    }

    /**
     * The registers: every network host to whose service "register" this site subscribes.
     *
     * @return int[] ids in mnet_host; none while Moodle's networking is off
     */
    public static function hosts(): array {
        global $CFG, $DB;
        self::refresh();
        if (self::$hosts !== null) {
            return self::$hosts;
        }
        if (($CFG->mnet_dispatcher_mode ?? 'off') !== 'strict') {
            self::$hosts = [];
        } else {
            $sql = "SELECT DISTINCT h.id
                      FROM {mnet_host} h
                      JOIN {mnet_host2service} hs ON hs.hostid = h.id AND hs.subscribe = 1
                      JOIN {mnet_service} s ON s.id = hs.serviceid AND s.name = :service
                     WHERE h.deleted = 0 AND h.id <> :all AND h.id <> :own
                  ORDER BY h.id";
            self::$hosts = array_map('intval', $DB->get_fieldset_sql($sql, [
                'service' => 'register',
                'all' => $CFG->mnet_all_hosts_id ?? 0,
                'own' => $CFG->mnet_localhost_id ?? 0,
            ]));
        }
        return self::$hosts;
    }

    /**
     * The settings as they are.
     *
     * @return scope read at most half a minute ago
     */
    public static function current(): scope {
        self::refresh();
        if (self::$current === null) {
            self::$current = new scope();
        }
        return self::$current;
    }

    /**
     * Forgets what was read, so that a change of the settings or the network is seen at once.
     */
    public static function reset(): void {
        self::$hosts = null;
        self::$current = null;
    }

    /**
     * Which users are sent.
     *
     * @param string $u alias of the table user
     * @return array condition and its named parameters
     */
    public function users(string $u): array {
        global $CFG;
        $n = ++self::$serial;
        $where = "$u.deleted = 0 AND $u.confirmed = 1 AND $u.mnethostid = :own$n AND $u.id <> :guest$n";
        $params = ["own$n" => $CFG->mnet_localhost_id, "guest$n" => (int)($CFG->siteguest ?? 0)];
        if ($this->onlyenrolled) {
            // Who was enrolled once stays: the register's histories speak of them.
            [$incourse, $courseparams] = $this->courses("c$n");
            $where .= " AND (EXISTS (SELECT 1
                                       FROM {user_enrolments} ue$n
                                       JOIN {enrol} e$n ON e$n.id = ue$n.enrolid
                                       JOIN {course} c$n ON c$n.id = e$n.courseid
                                      WHERE ue$n.userid = $u.id AND $incourse)
                          OR EXISTS (SELECT 1
                                       FROM {local_mnetd_state} st$n
                                      WHERE st$n.kind = :enrolment$n AND st$n.b = $u.id))";
            $params += $courseparams + ["enrolment$n" => state::ENROLMENT];
        }
        return [$where, $params];
    }

    /**
     * Which courses are sent.
     *
     * @param string $c alias of the table course
     * @return array condition and its named parameters
     */
    public function courses(string $c): array {
        global $DB;
        $n = ++self::$serial;
        $where = "$c.id <> :site$n";
        $params = ["site$n" => SITEID];
        if ($this->categories) {
            $any = [];
            foreach ($this->categories as $i => $category) {
                $any[] = "cat$n.id = :cat{$n}x$i OR " . $DB->sql_like("cat$n.path", ":path{$n}x$i");
                $params["cat{$n}x$i"] = $category;
                $params["path{$n}x$i"] = "%/$category/%";
            }
            $where .= " AND $c.category IN (SELECT cat$n.id FROM {course_categories} cat$n WHERE " . implode(' OR ', $any) . ")";
        }
        return [$where, $params];
    }

    /**
     * Which role assignments make an enrolment.
     *
     * Where somebody has several roles that mean the same, only the first assignment counts, so that each enrolment is one row.
     *
     * @param string $ra alias of the table role_assignments
     * @return array condition and its named parameters
     */
    public function assignments(string $ra): array {
        global $DB;
        $any = [];
        $params = [];
        foreach ($this->roles as $roleids) {
            $n = ++self::$serial;
            [$in, $inparams] = $DB->get_in_or_equal($roleids, SQL_PARAMS_NAMED, "role{$n}x");
            [$infirst, $firstparams] = $DB->get_in_or_equal($roleids, SQL_PARAMS_NAMED, "first{$n}x");
            $any[] = "($ra.roleid $in AND NOT EXISTS (SELECT 1
                                                        FROM {role_assignments} ra$n
                                                       WHERE ra$n.userid = $ra.userid AND ra$n.contextid = $ra.contextid
                                                             AND ra$n.id < $ra.id AND ra$n.roleid $infirst))";
            $params += $inparams + $firstparams;
        }
        return $any ? ['(' . implode(' OR ', $any) . ')', $params] : ['1 = 0', []];
    }

    /**
     * What a role of Moodle means to a register.
     *
     * @param int $roleid id in the table role
     * @return string student, teacher, or empty for neither
     */
    public function role(int $roleid): string {
        foreach ($this->roles as $role => $roleids) {
            if (in_array($roleid, $roleids, true)) {
                return $role;
            }
        }
        return '';
    }

    /**
     * Moodle's roles for one of the register's.
     *
     * @param string $role student or teacher
     * @return int[] ids in the table role
     */
    public function roles(string $role): array {
        return $this->roles[$role] ?? [];
    }

    /**
     * Which grade items are sent. That of the course is to be asked for besides.
     *
     * @param string $gi alias of the table grade_items
     * @return array condition and its named parameters
     */
    public function items(string $gi): array {
        global $DB;
        $n = ++self::$serial;
        $params = ["value$n" => 1, "scale$n" => 2, "mod$n" => 'mod'];
        $any = ["$gi.itemtype = :mod$n"];
        if ($this->modules) {
            [$in, $inparams] = $DB->get_in_or_equal($this->modules, SQL_PARAMS_NAMED, "module{$n}x");
            $any = ["($gi.itemtype = :mod$n AND $gi.itemmodule $in)"];
            $params += $inparams;
        }
        if ($this->itemtypes) {
            [$in, $inparams] = $DB->get_in_or_equal($this->itemtypes, SQL_PARAMS_NAMED, "type{$n}x");
            $any[] = "$gi.itemtype $in";
            $params += $inparams;
        }
        return ["$gi.gradetype IN (:value$n, :scale$n) AND (" . implode(' OR ', $any) . ')', $params];
    }

    /**
     * Lets go of what was read too long ago, or before Moodle's caches were purged.
     */
    private static function refresh(): void {
        $cache = \cache::make_from_params(\cache_store::MODE_REQUEST, 'local_mnetd', 'scope');
        $read = $cache->get('read');
        if ($read === false || abs(time() - $read) >= self::REMEMBERED) {
            self::reset();
            $cache->set('read', time());
        }
    }

    /**
     * The parts of a setting that is a list.
     *
     * @param string $setting parts with commas between
     * @return string[] without empty ones
     */
    private static function listed(string $setting): array {
        return array_values(array_filter(array_map('trim', explode(',', $setting)), 'strlen'));
    }

    /**
     * The roles that a site has for a purpose, where nobody has chosen any.
     *
     * @param string[] $archetypes what the roles were made from
     * @return int[] ids in the table role
     */
    private static function by_archetype(array $archetypes): array {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($archetypes);
        return $DB->get_fieldset_select('role', 'id', "archetype $in", $params);
    }
}
