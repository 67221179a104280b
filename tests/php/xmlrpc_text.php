<?php
// PHP's old XML-RPC extension as the judge of our text: what Mahara and Moodle up to 4.0 run.
//
// Input: a JSON list of jobs. Output: a JSON list of their results. Text goes in and out as base64, since what the
// extension hands out need not be UTF-8.
//
//   {"job": "decode_call" or "decode_response", "document": …, "encoding": "utf-8" or null}   → the value
//   {"job": "encode_call" or "encode_response", "text": …, "options": {…} or null}            → the document
//   {"job": "serve", "document": …, "options": {…}}      → the document of a server that answers its first parameter
//
// A value is what stands in the one parameter or result: {"text": …, "name": …} for a struct of one member.

declare(strict_types=1);

function decode(array $job): array {
    $document = base64_decode($job['document'], true);
    $more = $job['encoding'] === null ? [] : [$job['encoding']];
    if ($job['job'] === 'decode_call') {
        $method = null;
        $value = $more ? xmlrpc_decode_request($document, $method, ...$more) : xmlrpc_decode_request($document, $method);
        $value = $value[0] ?? null;
    } else {
        $value = xmlrpc_decode($document, ...$more);
    }
    if (!is_array($value) || count($value) !== 1) {
        return ['name' => null, 'text' => null];
    }
    return ['name' => base64_encode((string) array_key_first($value)), 'text' => base64_encode((string) reset($value))];
}

function encode(array $job): string {
    $text = base64_decode($job['text'], true);
    $value = [$text => $text];
    $more = $job['options'] === null ? [] : [$job['options']];
    $document = $job['job'] === 'encode_call'
        ? xmlrpc_encode_request('a/b', [$value], ...$more)
        : xmlrpc_encode_request(null, $value, ...$more);
    return base64_encode($document);
}

function serve(array $job): string {
    $server = xmlrpc_server_create();
    xmlrpc_server_register_method($server, 'a/b', fn (string $method, array $params) => $params[0]);
    $document = base64_decode($job['document'], true);
    return base64_encode(xmlrpc_server_call_method($server, $document, null, $job['options']));
}

$results = [];
foreach (json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR) as $job) {
    $results[] = match ($job['job']) {
        'decode_call', 'decode_response' => decode($job),
        'encode_call', 'encode_response' => encode($job),
        'serve' => serve($job),
    };
}
echo json_encode($results, JSON_THROW_ON_ERROR);
