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
 * What installing adds beyond tables.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

/**
 * Adds mnetd to the applications that a network peer can be.
 *
 * @return bool
 */
function xmldb_local_mnetd_install() {
    global $DB;

    $application = [
        'name' => 'mnetd',
        'display_name' => 'mnetd',
        'xmlrpc_server_url' => '/mnet/xmlrpc/server.php',
        'sso_land_url' => '/auth/mnetd/land.php',
        'sso_jump_url' => '/auth/mnetd/jump.php',
    ];
    $id = $DB->get_field('mnet_application', 'id', ['name' => 'mnetd']);
    if ($id) {
        $DB->update_record('mnet_application', (object)($application + ['id' => $id]));
    } else {
        $DB->insert_record('mnet_application', (object)$application);
    }
    return true;
}
