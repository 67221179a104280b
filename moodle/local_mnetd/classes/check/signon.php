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

namespace local_mnetd\check;

use core\check\result;

/**
 * May users go to the register by single sign-on? The exchange of data does not need it.
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class signon extends base {
    /**
     * Looks for an authentication plugin that can do it, and for a role that may.
     *
     * @return result
     */
    protected function look(): result {
        $plugins = array_intersect(['mnetd', 'mnet'], array_keys(\core_component::get_plugin_list('auth')));
        if (!$plugins) {
            return $this->found(result::INFO, 'noplugin');
        }
        if (!array_filter($plugins, 'is_enabled_auth')) {
            $this->mend_at('/admin/settings.php', ['section' => 'manageauths'], get_string('authsettings', 'admin'));
            return $this->found(result::INFO, 'disabled');
        }
        if (!get_roles_with_capability('moodle/site:mnetlogintoremote', CAP_ALLOW)) {
            $this->mend_at('/admin/roles/manage.php', [], get_string('defineroles', 'role'));
            return $this->found(result::WARNING, 'notallowed');
        }
        return $this->found(result::OK, 'ok');
    }
}
