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

/**
 * Where somebody wants to go.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace auth_mnetd;

/**
 * A place on one site, as single sign-on names it: the rest of an address after the site's own.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
final class wantsurl {
    /** @var int the longest that is taken, in bytes: what every browser and server carries */
    const LONGEST = 2000;

    /**
     * The place on a site that an address means.
     *
     * @param string $raw relative to the site, or a full address on it; '' is its front page
     * @param string $wwwroot the site's address
     * @return string|null begins with a single slash; null: it leads elsewhere
     */
    public static function on(string $raw, string $wwwroot): ?string {
        $raw = trim($raw);
        if (strlen($raw) > self::LONGEST || preg_match('/[\x00-\x20\x7f\\\\]/', $raw)) {
            return null;
        }
        $length = strlen($wwwroot);
        if (strncmp($raw, $wwwroot, $length) === 0 && preg_match('~^(?:[/?#]|$)~', substr($raw, $length))) {
            $raw = substr($raw, $length);
        }
        if ($raw === '' || $raw[0] === '?' || $raw[0] === '#') {
            $raw = '/' . $raw;
        }
        if ($raw[0] !== '/' || substr($raw, 0, 2) === '//') {
            return null;
        }
        // A step upwards would leave a site that stands behind a path.
        $path = preg_split('/[?#]/', $raw, 2)[0];
        if (preg_match('~/(?:\.|%2e){1,2}(?:/|$)~i', $path)) {
            return null;
        }
        return $raw;
    }
}
