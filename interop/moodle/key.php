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
 * Part of mnetd's interop suite: makes a key pair such as Moodle makes for itself, without Moodle. Run under a clock that is weeks
 * behind it gives one that is about to expire; Moodle's own caches do not bear such a clock.
 *
 *   php key.php < {"wwwroot": …, "days": …}     answers {"answer": {"certificate": PEM, "key": PEM}}
 *
 * @package    mnetd_interop
 * @copyright  2026 the mnetd authors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

$input = json_decode(stream_get_contents(STDIN));
$key = openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
// The names that mnet_generate_keypair() gives; the whole address stands in a subject attribute.
$names = [
    'countryName' => 'GB', 'stateOrProvinceName' => 'Testford', 'localityName' => 'Testford', 'organizationName' => 'Interop',
    'organizationalUnitName' => 'Moodle', 'commonName' => substr($input->wwwroot, 0, 64), 'subjectAltName' => $input->wwwroot,
];
$certificate = openssl_csr_sign(openssl_csr_new($names, $key), null, $key, $input->days);
openssl_x509_export($certificate, $certificatepem);
openssl_pkey_export($key, $keypem);
echo json_encode(['answer' => ['certificate' => $certificatepem, 'key' => $keypem]]), "\n";
