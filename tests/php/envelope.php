<?php
// An independent judge of envelopes: PHP's own openssl_sign, openssl_verify, openssl_seal and openssl_open, and DOM, put
// together by docs/protocol.md. It shares no code with mnetd and none with Moodle.
//
// One JSON object on standard input, one on standard output:
//   {"do": "make", "payload": base64, "wwwroot", "timestamp", "key": PEM, "recipient": certificate PEM} -> {"message": text}
//   {"do": "read", "message": text, "key": PEM, "signer": certificate PEM}
//       -> {"payload": base64, "outer", "inner", "timestamp", "digest": bool}

function fail(string $what): never {
    while ($detail = openssl_error_string()) {
        $what .= "; $detail";
    }
    fwrite(STDERR, "$what\n");
    exit(1);
}

function make(array $order): array {
    $payload = base64_decode($order['payload'], true);
    openssl_sign($payload, $signature, $order['key'], OPENSSL_ALGO_SHA1) || fail('openssl_sign');
    $signed = '<?xml version="1.0" encoding="iso-8859-1"?><signedMessage>'
        . '<Signature Id="S" xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><Reference URI="#XMLRPC-MSG">'
        . '<DigestValue>' . sha1($payload) . '</DigestValue></Reference></SignedInfo>'
        . '<SignatureValue>' . base64_encode($signature) . '</SignatureValue></Signature>'
        . '<object ID="XMLRPC-MSG">' . chunk_split(base64_encode($payload)) . '</object>'
        . "<wwwroot>{$order['wwwroot']}</wwwroot><timestamp>{$order['timestamp']}</timestamp></signedMessage>";
    openssl_seal($signed, $body, $keys, [$order['recipient']], 'RC4') || fail('openssl_seal');
    return ['message' => '<?xml version="1.0" encoding="iso-8859-1"?><encryptedMessage>'
        . '<EncryptedData Id="ED"><CipherData><CipherValue>' . base64_encode($body) . '</CipherValue></CipherData></EncryptedData>'
        . '<EncryptedKey Id="EK"><CipherData><CipherValue>' . base64_encode($keys[0]) . '</CipherValue></CipherData></EncryptedKey>'
        . "<wwwroot>{$order['wwwroot']}</wwwroot></encryptedMessage>"];
}

function text(DOMDocument $document, string $element, int $nth = 0): string {
    $found = $document->getElementsByTagNameNS('*', $element)->item($nth)
        ?? $document->getElementsByTagName($element)->item($nth)
        ?? fail("no $element");
    return trim($found->textContent);
}

function parse(string $text): DOMDocument {
    $document = new DOMDocument();
    $document->loadXML($text) || fail('not XML');
    return $document;
}

function read(array $order): array {
    $outer = parse($order['message']);
    $body = base64_decode(text($outer, 'CipherValue'), true);
    $key = base64_decode(text($outer, 'CipherValue', 1), true);
    openssl_open($body, $signed, $key, $order['key'], 'RC4') || fail('openssl_open');
    $inner = parse($signed);
    $payload = base64_decode(text($inner, 'object'), true);
    $signature = base64_decode(text($inner, 'SignatureValue'), true);
    openssl_verify($payload, $signature, $order['signer'], OPENSSL_ALGO_SHA1) === 1 || fail('openssl_verify');
    return [
        'payload' => base64_encode($payload),
        'outer' => text($outer, 'wwwroot'),
        'inner' => text($inner, 'wwwroot'),
        'timestamp' => (int) text($inner, 'timestamp'),
        'digest' => sha1($payload) === text($inner, 'DigestValue'),
    ];
}

$order = json_decode(stream_get_contents(STDIN), true, 8, JSON_THROW_ON_ERROR);
echo json_encode($order['do'] === 'make' ? make($order) : read($order), JSON_THROW_ON_ERROR), "\n";
