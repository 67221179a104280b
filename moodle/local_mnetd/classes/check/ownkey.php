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
 * Is this site's own MNet key valid, and made out for this site's address?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class ownkey extends base {
    /**
     * Reads the certificate that Moodle hands to its peers.
     *
     * @return result
     */
    protected function look(): result {
        global $CFG, $DB;
        $this->mend_at('/admin/mnet/index.php', [], get_string('ownkeypage', 'local_mnetd'));
        $host = $DB->get_record('mnet_host', ['id' => $CFG->mnet_localhost_id]);
        $details = $host && $host->public_key !== '' ? @openssl_x509_parse($host->public_key) : false;
        if (!$details) {
            return $this->found(result::ERROR, 'missing');
        }
        $a = ['until' => userdate($details['validTo_time_t'], get_string('strftimedatetime', 'core_langconfig'))];
        $subject = $details['subject'];
        $for = isset($subject['subjectAltName']) ? $subject['subjectAltName'] : ($subject['CN'] ?? '');
        $wanted = isset($subject['subjectAltName']) ? $CFG->wwwroot : substr($CFG->wwwroot, 0, 64);
        if ($for !== $wanted || $host->wwwroot !== $CFG->wwwroot) {
            $a += ['for' => s($for !== $wanted ? $for : $host->wwwroot), 'here' => s($CFG->wwwroot)];
            return $this->found(result::ERROR, 'other', $a);
        }
        if ($details['validTo_time_t'] <= time()) {
            return $this->found(result::WARNING, 'expired', $a);
        }
        return $this->found(result::OK, 'ok', $a);
    }
}
