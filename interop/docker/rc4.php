<?php
// Whether this PHP can seal and open with RC4, as MNet does: on the command line by its exit code, over HTTP by its status.

/**
 * Seals a text for a new key and opens it again.
 *
 * @return string|null why that failed; null where it did not
 */
function rc4_problem(): ?string {
    $key = openssl_pkey_new(['private_key_bits' => 2048]);
    if (!$key) {
        return 'no key could be made: ' . last_openssl_error();
    }
    $public = openssl_pkey_get_details($key)['key'];
    if (!@openssl_seal('interop', $sealed, $envelopes, [$public], 'RC4')) {
        return 'openssl_seal failed: ' . last_openssl_error();
    }
    if (!@openssl_open($sealed, $opened, $envelopes[0], $key, 'RC4') || $opened !== 'interop') {
        return 'openssl_open failed: ' . last_openssl_error();
    }
    return null;
}

/**
 * The newest of the errors that OpenSSL keeps: the ones before it are of earlier, harmless attempts.
 *
 * @return string
 */
function last_openssl_error(): string {
    $last = 'OpenSSL gives no reason';
    while (($error = openssl_error_string()) !== false) {
        $last = $error;
    }
    return $last;
}

$problem = rc4_problem();
$told = $problem === null
    ? 'RC4 works (' . OPENSSL_VERSION_TEXT . ')'
    : "RC4 does not work here (" . OPENSSL_VERSION_TEXT . "): $problem. MNet needs OpenSSL's legacy provider: "
        . 'OPENSSL_CONF (' . (getenv('OPENSSL_CONF') ?: 'not set') . ') must name a file that turns it on, '
        . 'and the module legacy.so must be installed (Debian 13: openssl-provider-legacy).';
if (PHP_SAPI !== 'cli') {
    http_response_code($problem === null ? 200 : 500);
    header('Content-Type: text/plain; charset=utf-8');
}
echo $told, "\n";
exit($problem === null ? 0 : 1);
