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
 * Binding of calls: whom a call is for, when it was made, and a nonce, inside what is signed.
 *
 * The signature of an MNet message covers the call, but neither its recipient nor its date. So a call carries both itself, as
 * one more parameter behind its others.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class binding {
    /** @var int how many seconds old a call may be */
    const MAX_AGE = 300;

    /** @var int how many seconds ahead of this site's clock a call may be dated; Moodle's own limit for replies */
    const MAX_AHEAD = 15;

    /** @var int how many seconds a nonce is remembered: longer than the window, so that a clock may be set back a little */
    const REMEMBERED = 3600;

    /** @var string[] the members of a binding */
    const MEMBERS = ['mnetd_to', 'mnetd_at', 'mnetd_nonce'];

    /**
     * Makes the binding of one message.
     *
     * @param string $wwwroot the address of the peer the message is for, to the letter
     * @param int|null $now unix seconds; null for this moment
     * @return array the struct that goes behind the other parameters
     */
    public static function make(string $wwwroot, ?int $now = null): array {
        return [
            'mnetd_to' => $wwwroot,
            'mnetd_at' => $now ?? time(),
            'mnetd_nonce' => bin2hex(random_bytes(16)),
        ];
    }

    /**
     * Checks the binding of a call that came in, and uses up its nonce.
     *
     * @param array $params all parameters of the call, as func_get_args() has them
     * @param int|null $now unix seconds; null for this moment
     * @return array the parameters without the binding
     * @throws fault 8002, 8010 to 8013
     */
    public static function demand(array $params, ?int $now = null): array {
        global $CFG;

        $now = $now ?? time();
        $binding = $params ? end($params) : null;
        if (!is_array($binding) || !array_key_exists('mnetd_to', $binding)) {
            throw new fault(fault::NOT_BOUND, 'fault_notbound');
        }
        array_pop($params);

        $to = $binding['mnetd_to'];
        $at = self::whole_number($binding['mnetd_at'] ?? null);
        $nonce = $binding['mnetd_nonce'] ?? null;
        if (!is_string($to)) {
            throw new fault(fault::WRONG, 'fault_bindingmember', ['member' => 'mnetd_to', 'expected' => $CFG->wwwroot]);
        }
        if ($at === null) {
            throw new fault(fault::WRONG, 'fault_bindingmember', ['member' => 'mnetd_at',
                'expected' => get_string('fault_unixseconds', 'local_mnetd')]);
        }
        if (!is_string($nonce) || !preg_match('/\A[0-9a-fA-F]{32}\z/', $nonce)) {
            throw new fault(fault::WRONG, 'fault_bindingmember', ['member' => 'mnetd_nonce',
                'expected' => get_string('fault_hexdigits', 'local_mnetd')]);
        }

        if (!hash_equals($CFG->wwwroot, $to)) {
            throw new fault(
                fault::OTHER_RECIPIENT,
                'fault_otherrecipient',
                ['to' => self::shown($to), 'wwwroot' => $CFG->wwwroot]
            );
        }
        if ($at < $now - self::MAX_AGE || $at > $now + self::MAX_AHEAD) {
            throw new fault(fault::OUTSIDE_WINDOW, 'fault_outsidewindow', ['dated' => self::moment($at),
                'now' => self::moment($now), 'maxage' => self::MAX_AGE, 'maxahead' => self::MAX_AHEAD]);
        }
        self::use_up(\core_text::strtolower($nonce), $now);
        return $params;
    }

    /**
     * Forgets the nonces that no call can have any more, since it would be too old.
     *
     * @param int|null $now unix seconds; null for this moment
     * @return void
     */
    public static function forget_old(?int $now = null): void {
        global $DB;

        $DB->delete_records_select('local_mnetd_nonce', 'timecreated < ?', [($now ?? time()) - self::REMEMBERED]);
    }

    /**
     * Writes a nonce down. That the database takes each only once is what tells a repeated call, so two that come at the same
     * moment cannot both pass.
     *
     * @param string $nonce 32 hexadecimal digits in lower case
     * @param int $now unix seconds
     * @return void
     * @throws fault 8010 where it was there already
     */
    protected static function use_up(string $nonce, int $now): void {
        global $DB;

        try {
            $DB->insert_record('local_mnetd_nonce', (object) ['nonce' => $nonce, 'timecreated' => $now], false);
        } catch (\dml_write_exception $e) {
            if (!$DB->record_exists('local_mnetd_nonce', ['nonce' => $nonce])) {
                throw $e;
            }
            throw new fault(fault::REPLAYED, 'fault_replayed', $nonce);
        }
    }

    /**
     * Reads a whole number as PHP peers send it: an int, or a string of digits.
     *
     * @param mixed $value what came
     * @return int|null null where it is none
     */
    protected static function whole_number($value): ?int {
        if (is_int($value)) {
            return $value;
        }
        if (is_string($value) && preg_match('/\A-?[0-9]{1,18}\z/', $value)) {
            return (int) $value;
        }
        return null;
    }

    /**
     * A moment for people, in UTC, whatever the time zone of the site.
     *
     * @param int $seconds unix seconds
     * @return string
     */
    protected static function moment(int $seconds): string {
        if ($seconds < 0 || $seconds > 253402300799) {
            return (string) $seconds;
        }
        return gmdate('Y-m-d H:i:s', $seconds) . ' UTC';
    }

    /**
     * What a peer sent, short enough and clean enough to be shown in a fault.
     *
     * @param string $text what came
     * @return string
     */
    protected static function shown(string $text): string {
        return shorten_text(clean_param($text, PARAM_NOTAGS), 100, true);
    }
}
