<?php
// Part of mnetd's interop suite: makes a key pair such as Moodle makes for itself, without Moodle. Run under a clock that is weeks
// behind it gives one that is about to expire; Moodle's own caches do not bear such a clock.
//
//   php key.php < {"wwwroot": …, "days": …}     answers {"answer": {"certificate": PEM, "key": PEM}}

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
