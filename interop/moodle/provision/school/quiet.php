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
 * Events that nobody hears.
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

namespace mnetd_interop;

defined('MOODLE_INTERNAL') || die();

/**
 * Takes the observers away for a while, in this process alone.
 */
class quiet {
    /**
     * From here on no event reaches an observer. Moodle offers this to its unit tests only, hence the detour.
     */
    public static function begin(): void {
        self::observers()->setValue(null, []);
    }

    /**
     * Events are heard again: the list is read anew when next needed.
     */
    public static function end(): void {
        self::observers()->setValue(null, null);
    }

    /**
     * The list of observers.
     *
     * @return \ReflectionProperty
     */
    private static function observers(): \ReflectionProperty {
        $property = new \ReflectionProperty('\core\event\manager', 'allobservers');
        $property->setAccessible(true);
        return $property;
    }
}
