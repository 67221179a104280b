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
 * Does Moodle's own block list stand between this site and the register?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_address extends peer_base {
    /**
     * Asks the block list.
     *
     * @return result
     */
    protected function look(): result {
        global $CFG;
        require_once($CFG->libdir . '/filelib.php');
        if ((new \core\files\curl_security_helper())->url_is_blocked($this->host->wwwroot)) {
            $this->mend_at('/admin/settings.php', ['section' => 'httpsecurity'], get_string('httpsecurity', 'admin'));
            $port = parse_url($this->host->wwwroot, PHP_URL_PORT);
            $https = parse_url($this->host->wwwroot, PHP_URL_SCHEME) === 'https';
            return $this->found(result::WARNING, 'blocked', $this->names([
                'hostname' => s(parse_url($this->host->wwwroot, PHP_URL_HOST)),
                'port' => $port ?: ($https ? 443 : 80),
            ]));
        }
        return $this->found(result::OK, 'ok', $this->names());
    }
}
