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
 * Is there a certificate of the register here, made out for its address, and not long expired?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class peer_key extends peer_base {
    /**
     * Reads the certificate that is stored with the host.
     *
     * @return result
     */
    protected function look(): result {
        $this->mend_at('/admin/mnet/peers.php', ['hostid' => $this->host->id], get_string('managemnetpeers', 'mnet'));
        $details = trim((string) $this->host->public_key) === '' ? false : @openssl_x509_parse($this->host->public_key);
        if (!$details) {
            return $this->found(result::ERROR, 'missing', $this->names());
        }
        $subject = $details['subject'];
        $for = isset($subject['subjectAltName']) ? $subject['subjectAltName'] : ($subject['CN'] ?? '');
        $wanted = isset($subject['subjectAltName']) ? $this->host->wwwroot : substr($this->host->wwwroot, 0, 64);
        if ($for !== $wanted) {
            return $this->found(result::ERROR, 'other', $this->names(['for' => s($for)]));
        }
        $until = userdate($details['validTo_time_t'], get_string('strftimedatetime', 'core_langconfig'));
        if ($details['validTo_time_t'] <= time()) {
            // The next call that is answered brings the new one, as long as the register still has the old key.
            return $this->found(result::WARNING, 'expired', $this->names(['until' => $until]));
        }
        return $this->found(result::OK, 'ok', $this->names(['until' => $until]));
    }
}
