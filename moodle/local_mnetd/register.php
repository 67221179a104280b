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

/**
 * What registers may ask this site.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

use local_mnetd\binding;
use local_mnetd\client;
use local_mnetd\fault;
use local_mnetd\ids;
use local_mnetd\snapshot;
use local_mnetd\state;

/**
 * The functions of the service "register" that are published over MNet.
 *
 * Moodle's MNet server lets a peer call them to which the service is published, and no other. Each call has to be bound: what
 * is asked for is personal data, and the signature alone does not say whom a call is for.
 *
 * Moodle reads the comments of these functions for system/methodSignature and system/methodHelp, each parameter on one line.
 * The binding, which each call has as its last parameter, is taken by func_get_args().
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class local_mnetd_register {
    /** @var int rows in a page where the caller does not say */
    const ROWS = 500;

    /** @var int the most rows in a page */
    const MOST_ROWS = 2000;

    /** @var int a page ends after so many bytes, as JSON; as XML it is some three times as long, and 4 MiB are read */
    const MOST_BYTES = 1000000;

    /**
     * One user of this site.
     *
     * @param array $query a struct with idnumber, username, or both; with both it has to be the same user
     * @return array a struct as for fetch_user, or an empty array where there is no such user
     */
    public function get_user($query = []) {
        $query = $this->query(func_get_args());
        if ($this->text($query, 'idnumber') === '' && $this->text($query, 'username') === '') {
            throw new fault(fault::WRONG, 'fault_nouserasked');
        }
        $user = $this->find_user($query);
        return $user ? client::clean($user->data) : [];
    }

    /**
     * The users of this site, page by page.
     *
     * @param array $query a struct with cursor and limit, each of which may be left out
     * @return array a struct with items (as for fetch_user), next, total and as_of
     */
    public function list_users($query = []) {
        return $this->page(state::USER, $this->query(func_get_args()));
    }

    /**
     * The sections (courses) of this site, page by page.
     *
     * @param array $query a struct with cursor and limit, each of which may be left out
     * @return array a struct with items (as for new_section), next, total and as_of
     */
    public function list_sections($query = []) {
        return $this->page(state::SECTION, $this->query(func_get_args()));
    }

    /**
     * Who is in which section, page by page.
     *
     * @param array $query a struct with cursor, limit and sectionid, each of which may be left out
     * @return array a struct with items (as for new_enrolment), next, total and as_of
     */
    public function list_enrolments($query = []) {
        $query = $this->query(func_get_args());
        return $this->page(state::ENROLMENT, $query, $this->section_filter($query));
    }

    /**
     * The assessments (grade items) of this site, page by page.
     *
     * @param array $query a struct with cursor, limit and sectionid, each of which may be left out
     * @return array a struct with items (as for new_assessment), next, total and as_of
     */
    public function list_assessments($query = []) {
        $query = $this->query(func_get_args());
        return $this->page(state::ITEM, $query, $this->section_filter($query));
    }

    /**
     * The grades of this site, page by page.
     *
     * @param array $query a struct with cursor, limit and sectionid, each of which may be left out
     * @return array a struct with items (as for new_grade), next, total and as_of
     */
    public function list_grades($query = []) {
        $query = $this->query(func_get_args());
        return $this->page(state::GRADE, $query, $this->section_filter($query));
    }

    /**
     * Which sections one user is in, page by page.
     *
     * @param array $query a struct with idnumber or username, and cursor and limit, which may be left out
     * @return array a struct with items (as for new_enrolment), next, total and as_of
     */
    public function list_user_enrolments($query = []) {
        $query = $this->query(func_get_args());
        $user = $this->find_user($query);
        if (!$user) {
            $asked = $this->text($query, 'idnumber') ?: $this->text($query, 'username');
            throw new fault(fault::UNKNOWN_USER, $asked === '' ? 'fault_nouserasked' : 'fault_unknownuser', $asked);
        }
        return $this->page(state::ENROLMENT, $query, ['userid' => $user->a]);
    }

    /**
     * Checks who calls and the binding, and gives the query.
     *
     * @param array $params all parameters of the call
     * @return array
     */
    protected function query(array $params): array {
        $this->demand_peer();
        $params = binding::demand($params);
        $query = $params ? reset($params) : [];
        if (!is_array($query)) {
            throw new fault(fault::WRONG, 'fault_nostruct');
        }
        return $query;
    }

    /**
     * Lets nobody in but a peer that signed its call, was not removed since, and has the service published to it by name.
     *
     * Moodle's server sees to the signature and to the service. It serves a peer that an administrator has removed all the same,
     * since removing leaves its certificate and services in place; and where the service is published to "All hosts", it serves
     * any host: with Moodle's "register all hosts" that is whoever comes along, and what is told here is personal data.
     *
     * @return void
     */
    protected function demand_peer(): void {
        global $DB;

        $caller = get_mnet_remote_client();
        if (
            !$caller || empty($caller->id) || !$caller->signatureok
                || !$DB->record_exists('mnet_host', ['id' => $caller->id, 'deleted' => 0])
        ) {
            throw new fault(fault::NOT_ALLOWED, 'fault_notallowed', $caller->wwwroot ?? '');
        }
        $byname = $DB->record_exists_sql(
            "SELECT 1
               FROM {mnet_host2service} hs
               JOIN {mnet_service} s ON s.id = hs.serviceid
              WHERE s.name = :service AND hs.hostid = :hostid AND hs.publish = 1",
            ['service' => 'register', 'hostid' => $caller->id]
        );
        if (!$byname) {
            throw new fault(fault::NOT_ALLOWED, 'fault_notbyname', $caller->wwwroot);
        }
    }

    /**
     * One page of a list.
     *
     * @param string $kind one of the kinds of state
     * @param array $query what the caller asks for
     * @param array $filter which rows of that kind
     * @return array
     */
    protected function page(string $kind, array $query, array $filter = []): array {
        $now = time();
        $after = $this->after($kind, $query);
        $limit = $this->limit($query);
        $total = $after === 0 ? snapshot::count($kind, $filter) : -1;

        // One row more than asked for tells whether there is another page.
        $entries = snapshot::page($kind, $after, $limit + 1, $filter);
        $items = [];
        $bytes = 0;
        $last = 0;
        foreach ($entries as $entry) {
            $bytes += strlen(json_encode($entry->data, JSON_INVALID_UTF8_SUBSTITUTE));
            if (count($items) === $limit || ($items && $bytes > self::MOST_BYTES)) {
                break;
            }
            $items[] = client::clean($entry->data);
            $last = $entry->id;
        }
        return [
            'items' => $items,
            'next' => count($items) < count($entries) ? self::cursor($kind, $last) : '',
            'total' => $total,
            'as_of' => $now,
        ];
    }

    /**
     * The cursor that asks for what stands behind a row.
     *
     * @param string $kind one of the kinds of state
     * @param int $id the row
     * @return string
     */
    protected static function cursor(string $kind, int $id): string {
        return $kind . '-' . $id;
    }

    /**
     * Behind which row a page begins.
     *
     * @param string $kind one of the kinds of state
     * @param array $query what the caller asks for
     * @return int 0 for the first page
     */
    protected function after(string $kind, array $query): int {
        $cursor = $this->text($query, 'cursor');
        if ($cursor === '') {
            return 0;
        }
        if (!preg_match('/\A' . $kind . '-([1-9][0-9]{0,17})\z/', $cursor, $found)) {
            throw new fault(fault::WRONG, 'fault_cursor', core_text::substr($cursor, 0, 100));
        }
        return (int) $found[1];
    }

    /**
     * How many rows a page may have.
     *
     * @param array $query what the caller asks for
     * @return int
     */
    protected function limit(array $query): int {
        $limit = $query['limit'] ?? '';
        if ($limit === '') {
            return self::ROWS;
        }
        $whole = is_int($limit) || (is_string($limit) && preg_match('/\A[0-9]{1,9}\z/', $limit));
        if (!$whole || $limit < 1 || $limit > self::MOST_ROWS) {
            throw new fault(fault::WRONG, 'fault_limit', self::MOST_ROWS);
        }
        return (int) $limit;
    }

    /**
     * Which rows a section has.
     *
     * @param array $query what the caller asks for
     * @return array a filter for snapshot::page()
     */
    protected function section_filter(array $query): array {
        $sectionid = $this->text($query, 'sectionid');
        if ($sectionid === '') {
            return [];
        }
        foreach ($this->candidates(ids::COURSE, $sectionid) as $courseid) {
            foreach (snapshot::all(state::SECTION, ['ids' => [$courseid]]) as $section) {
                if ($section->data['idnumber'] === $sectionid) {
                    return ['courseid' => $courseid];
                }
            }
        }
        throw new fault(fault::UNKNOWN_SECTION, 'fault_unknownsection', $sectionid);
    }

    /**
     * The user whom a caller names.
     *
     * @param array $query what the caller asks for
     * @return \stdClass|null an entry of snapshot; null where this site has no such user to tell of
     */
    protected function find_user(array $query): ?\stdClass {
        global $CFG, $DB;

        $idnumber = $this->text($query, 'idnumber');
        $username = $this->text($query, 'username');
        if ($idnumber !== '') {
            $userids = $this->candidates(ids::USER, $idnumber);
        } else if ($username !== '') {
            $userids = $DB->get_fieldset_select(
                'user',
                'id',
                'username = ? AND mnethostid = ? AND deleted = 0',
                [core_text::strtolower($username), $CFG->mnet_localhost_id]
            );
        } else {
            return null;
        }
        foreach (snapshot::all(state::USER, ['ids' => $userids]) as $user) {
            $sameid = $idnumber === '' || $user->data['idnumber'] === $idnumber;
            $samename = $username === '' || $user->data['username'] === core_text::strtolower($username);
            if ($sameid && $samename) {
                return $user;
            }
        }
        return null;
    }

    /**
     * Whom an id may stand for: who has it, or would get it when somebody first speaks of them.
     *
     * @param string $kind one of the kinds of ids
     * @param string $id the id
     * @return int[] Moodle's own ids; whose id it really is has to be looked at
     */
    protected function candidates(string $kind, string $id): array {
        global $DB;

        if ($found = ids::find($kind, $id)) {
            return [$found];
        }
        $fields = $DB->get_fieldset_select(ids::TABLES[$kind], 'id', 'idnumber = ?', [$id]);
        if (preg_match('/\Amoodle-' . $kind . '-([1-9][0-9]{0,17})\z/', $id, $derived)) {
            $fields[] = (int) $derived[1];
        }
        return array_slice($fields, 0, 10);
    }

    /**
     * A member of the query that is a text, or a number taken for one.
     *
     * @param array $query what the caller asks for
     * @param string $member its name
     * @return string '' where it is left out
     */
    protected function text(array $query, string $member): string {
        $value = $query[$member] ?? '';
        if (is_int($value)) {
            return (string) $value;
        }
        if (!is_string($value) || strlen($value) > 1333 || $value !== client::clean($value)) {
            throw new fault(fault::WRONG, 'fault_notext', $member);
        }
        return $value;
    }
}
