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
 * Before the tables go.
 *
 * @package    auth_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Takes the plugin's functions out of Moodle's lists, which uninstalling a plugin does not do by itself.
 *
 * Accounts are not touched: Moodle does not let the plugin go while an account signs in with it, and
 * cli/accounts.php hands accounts over.
 *
 * @return bool always true
 */
function xmldb_auth_mnetd_uninstall(): bool {
    \auth_mnetd\functions::forget_all();
    return true;
}
