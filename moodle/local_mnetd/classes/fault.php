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
 * What a function that is published over MNet throws to refuse a call: the caller gets the code and the text.
 *
 * Moodle's MNet server makes a fault of any exception that leaves a published function, with getCode() and getMessage()
 * (mnet_server_dummy_method). A moodle_exception has no number of its own and may have debugging added to its text, so this
 * one stands on PHP's own Exception.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class fault extends \Exception {
    /** A field is of the wrong kind or beyond its bounds. */
    const WRONG = 8002;

    /** The user is unknown. */
    const UNKNOWN_USER = 8003;

    /** The section is unknown. */
    const UNKNOWN_SECTION = 8004;

    /** The assessment is unknown. */
    const UNKNOWN_ASSESSMENT = 8005;

    /** The nonce of the binding was used before. */
    const REPLAYED = 8010;

    /** The call was made too long ago, or is dated in the future. */
    const OUTSIDE_WINDOW = 8011;

    /** The call has no binding. */
    const NOT_BOUND = 8012;

    /** The call is for another recipient. */
    const OTHER_RECIPIENT = 8013;

    /** The caller may not call this: the code that Moodle's own server has for it. */
    const NOT_ALLOWED = 707;

    /**
     * A fault with its number.
     *
     * @param int $code the fault code
     * @param string $identifier the string of local_mnetd that says what is wrong, where, and what to do
     * @param mixed $a what the string wants filled in
     */
    public function __construct(int $code, string $identifier, $a = null) {
        parent::__construct(get_string($identifier, 'local_mnetd', $a), $code);
    }
}
