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

namespace local_mnetd\setting;

use local_mnetd\scope;
use local_mnetd\synchroniser;

/**
 * What follows when somebody changes what is sent.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class scope_change {
    /** @var bool whether this page has said so already: each changed setting is reported by itself. */
    private static $said = false;

    /**
     * Asks for a comparison with each register, and tells the person who saved the settings.
     *
     * @return void
     */
    public static function followed(): void {
        // The defaults of an installation are no change of anything.
        if (during_initial_install() || !get_config('local_mnetd', 'version')) {
            return;
        }
        synchroniser::scope_changed();
        if (!self::$said && !CLI_SCRIPT) {
            self::$said = true;
            \core\notification::info(get_string(scope::hosts() ? 'scopechanged' : 'scopechangednopeer', 'local_mnetd'));
        }
    }
}
