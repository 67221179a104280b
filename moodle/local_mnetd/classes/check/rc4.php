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
 * Can this PHP seal and open MNet messages?
 *
 * @package    local_mnetd
 * @copyright  2026 the mnetd authors
 * @license    https://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class rc4 extends base {
    /** @var string[] the extensions of PHP that MNet stands on. */
    const EXTENSIONS = ['openssl', 'curl'];

    /** @var string the lines of openssl.cnf that switch RC4 on in OpenSSL 3. */
    const CONFIGURATION = <<<CNF
openssl_conf = openssl_init

[openssl_init]
providers = provider_sect

[provider_sect]
default = default_sect
legacy = legacy_sect

[default_sect]
activate = 1

[legacy_sect]
activate = 1
CNF;

    /**
     * Looks for the extensions, then seals a word and opens it.
     *
     * @return result
     */
    protected function look(): result {
        $missing = array_filter(self::EXTENSIONS, function ($name) {
            return !extension_loaded($name);
        });
        if ($missing) {
            return $this->found(result::CRITICAL, 'extension', implode(', ', $missing));
        }
        $a = [
            'openssl' => s(OPENSSL_VERSION_TEXT),
            'file' => s(self::configuration_file()),
            'lines' => s(self::CONFIGURATION),
            'php' => PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION,
        ];
        if (self::seals()) {
            return $this->found(result::OK, 'ok', $a);
        }
        return $this->found(result::CRITICAL, 'wrong', $a);
    }

    /**
     * Seals a word with RC4 and opens it again. That a cipher is listed does not mean that it works.
     *
     * @return bool
     */
    public static function seals(): bool {
        $word = 'local_mnetd';
        $sealed = $opened = '';
        $keys = [];
        try {
            $private = self::private_key();
            if (!$private) {
                return false;
            }
            $public = openssl_pkey_get_public(openssl_pkey_get_details($private)['key']);
            return @openssl_seal($word, $sealed, $keys, [$public], 'RC4')
                && @openssl_open($sealed, $opened, $keys[0], $private, 'RC4')
                && $opened === $word;
        } catch (\Throwable $e) {
            // PHP 8 throws where it does not know the cipher at all.
            return false;
        } finally {
            while (openssl_error_string() !== false) {
                // OpenSSL keeps its errors in a queue, where the next caller would find them.
                continue;
            }
        }
    }

    /**
     * The file that OpenSSL reads in this PHP.
     *
     * @return string
     */
    public static function configuration_file(): string {
        $given = getenv('OPENSSL_CONF');
        if ($given !== false && $given !== '') {
            return $given;
        }
        // PHP calls OpenSSL's folder by this name, with a word twice.
        return (openssl_get_cert_locations()['default_default_cert_area'] ?? '') . '/openssl.cnf';
    }

    /**
     * This site's own key, since making one takes a while; else a new one.
     *
     * @return mixed OpenSSL's key, or false
     */
    private static function private_key() {
        $pair = explode('@@@@@@@@', (string) get_config('mnet', 'openssl'));
        if (isset($pair[1]) && ($key = @openssl_pkey_get_private($pair[1]))) {
            return $key;
        }
        return @openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
    }
}
