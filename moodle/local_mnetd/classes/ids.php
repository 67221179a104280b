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
 * The ids under which the registers know this site's users, courses and grade items.
 *
 * An object's own ID number is taken where it is usable and nobody else has it; else one is derived from Moodle's own id. Either
 * way it is written down when first needed and never changes after that, whatever happens to the ID number field: to a register
 * another id would be another person.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class ids {
    /** @var string a row of the table user */
    const USER = 'user';

    /** @var string a row of the table course */
    const COURSE = 'course';

    /** @var string a row of the table grade_items */
    const ITEM = 'item';

    /** @var string[] where objects of a kind have their own ID numbers */
    const TABLES = [self::USER => 'user', self::COURSE => 'course', self::ITEM => 'grade_items'];

    /** @var int how many ids go into one query */
    const CHUNK = 500;

    /**
     * The ids of these objects, made now for those that have none yet.
     *
     * @param string $kind one of the constants
     * @param int[] $itemids Moodle's own ids. One whose object is not in the database and was never pinned gets a derived id
     * @return string[] by Moodle's own id, one for each that was asked for
     */
    public static function pin(string $kind, array $itemids): array {
        $pinned = [];
        foreach (array_chunk(array_unique(array_map('intval', $itemids)), self::CHUNK) as $chunk) {
            $known = self::known($kind, $chunk);
            $missing = array_diff($chunk, array_keys($known));
            if ($missing) {
                $known += self::make($kind, $missing);
            }
            $pinned += $known;
        }
        return $pinned;
    }

    /**
     * Whom an id stands for.
     *
     * @param string $kind one of the constants
     * @param string $idnumber the id on the wire
     * @return int Moodle's own id, 0 if it was never given to anybody
     */
    public static function find(string $kind, string $idnumber): int {
        global $DB;
        // Some databases compare without regard to case; the wire does not.
        foreach ($DB->get_records('local_mnetd_id', ['kind' => $kind, 'idnumber' => $idnumber]) as $row) {
            if ($row->idnumber === $idnumber) {
                return (int)$row->itemid;
            }
        }
        return 0;
    }

    /**
     * The id that is derived from Moodle's own.
     *
     * @param string $kind one of the constants
     * @param int $itemid Moodle's own id
     * @return string such as moodle-user-5
     */
    public static function derived(string $kind, int $itemid): string {
        return "moodle-{$kind}-{$itemid}";
    }

    /**
     * Those that were pinned before.
     *
     * @param string $kind one of the constants
     * @param int[] $itemids Moodle's own ids
     * @return string[] by Moodle's own id
     */
    private static function known(string $kind, array $itemids): array {
        global $DB;
        [$in, $params] = $DB->get_in_or_equal($itemids, SQL_PARAMS_NAMED);
        $params['kind'] = $kind;
        return $DB->get_records_select_menu('local_mnetd_id', "kind = :kind AND itemid $in", $params, '', 'itemid, idnumber');
    }

    /**
     * Chooses ids and writes them down.
     *
     * @param string $kind one of the constants
     * @param int[] $itemids Moodle's own ids, none of them pinned yet
     * @return string[] by Moodle's own id
     */
    private static function make(string $kind, array $itemids): array {
        global $DB;
        $own = self::usable($kind, $itemids);
        $rows = [];
        foreach ($itemids as $itemid) {
            $rows[$itemid] = (object)[
                'kind' => $kind,
                'itemid' => $itemid,
                'idnumber' => $own[$itemid] ?? self::derived($kind, $itemid),
            ];
        }
        try {
            $DB->insert_records('local_mnetd_id', $rows);
            return array_map(function ($row) {
                return $row->idnumber;
            }, $rows);
        } catch (\dml_write_exception $e) {
            // Somebody else was writing the same ones: one at a time then, and theirs are as good as ours.
            $made = [];
            foreach ($rows as $itemid => $row) {
                $made[$itemid] = self::make_one($row);
            }
            return $made;
        }
    }

    /**
     * Writes down one id, or finds the one that was written at the same moment.
     *
     * @param \stdClass $row kind, itemid and idnumber
     * @return string the id that stands
     */
    private static function make_one(\stdClass $row): string {
        global $DB;
        $key = ['kind' => $row->kind, 'itemid' => $row->itemid];
        foreach ([$row->idnumber, self::derived($row->kind, $row->itemid)] as $idnumber) {
            $stands = $DB->get_field('local_mnetd_id', 'idnumber', $key);
            if ($stands !== false) {
                return $stands;
            }
            try {
                $row->idnumber = $idnumber;
                $DB->insert_record('local_mnetd_id', $row);
                return $idnumber;
            } catch (\dml_write_exception $e) {
                continue;
            }
        }
        return $DB->get_field('local_mnetd_id', 'idnumber', $key, MUST_EXIST);
    }

    /**
     * The objects' own ID numbers, as far as they can serve as ids.
     *
     * @param string $kind one of the constants
     * @param int[] $itemids Moodle's own ids
     * @return string[] by Moodle's own id; those without a usable one are left out
     */
    private static function usable(string $kind, array $itemids): array {
        global $CFG, $DB;
        $table = self::TABLES[$kind];
        [$in, $params] = $DB->get_in_or_equal($itemids, SQL_PARAMS_NAMED);
        $own = [];
        foreach ($DB->get_records_select_menu($table, "id $in", $params, '', 'id, idnumber') as $itemid => $idnumber) {
            if (self::well_formed($kind, $itemid, (string)$idnumber)) {
                $own[$itemid] = $idnumber;
            }
        }
        if (!$own) {
            return [];
        }

        // Whoever shares an ID number with another object, or came after its first owner, gets a derived id.
        [$in, $params] = $DB->get_in_or_equal(array_values($own), SQL_PARAMS_NAMED);
        // Accounts of other hosts are never sent, and a host that signs its users on here could bring any ID number.
        $counts = $kind === self::USER ? ' AND deleted = 0 AND mnethostid = :own' : '';
        $countparams = $counts ? ['own' => $CFG->mnet_localhost_id] : [];
        $sharers = $DB->get_records_select_menu($table, "idnumber $in" . $counts, $params + $countparams, '', 'id, idnumber');
        $owners = array_count_values($sharers);
        $params['kind'] = $kind;
        $taken = array_flip($DB->get_fieldset_select('local_mnetd_id', 'idnumber', "kind = :kind AND idnumber $in", $params));
        // What differs in case only is the same to some databases: there the second of the two fails to be written, and is derived.
        return array_filter($own, function ($idnumber) use ($owners, $taken) {
            return ($owners[$idnumber] ?? 0) <= 1 && !isset($taken[$idnumber]);
        });
    }

    /**
     * Whether an ID number can be an id at all.
     *
     * @param string $kind one of the constants
     * @param int $itemid whose it is
     * @param string $idnumber as it stands in Moodle
     * @return bool false also for what looks like the derived id of another object
     */
    private static function well_formed(string $kind, int $itemid, string $idnumber): bool {
        if ($idnumber === '' || $idnumber !== trim($idnumber) || \core_text::strlen($idnumber) > 255) {
            return false;
        }
        // Neither control characters nor broken text, for which the match fails.
        if (preg_match('/[\x{00}-\x{1f}\x{7f}-\x{9f}]/u', $idnumber) !== 0) {
            return false;
        }
        return !preg_match('/^moodle-(user|course|item)-\d+$/i', $idnumber) || $idnumber === self::derived($kind, $itemid);
    }
}
