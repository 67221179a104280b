//! Whatever bytes come in, reading them ends in a message or a refusal; and a message that was read can be written and
//! read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnetd::xmlrpc::{
    Encoding, Limits, MethodResponse, Value, decode_call, decode_response, encode_call,
    encode_response,
};

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    for dialect in [Encoding::Utf8, Encoding::BytesAsLatin1] {
        if let Ok(read) = decode_call(document, dialect, &limits) {
            let written = encode_call(&read.message, dialect);
            let again = decode_call(&written, dialect, &UNBOUND).unwrap().message;
            assert_eq!(again.method, read.message.method);
            assert_eq!(again.params, written_values(read.message.params));
        }
        if let Ok(read) = decode_response(document, dialect, &limits) {
            let written = encode_response(&read.message, dialect);
            let again = decode_response(&written, dialect, &UNBOUND).unwrap().message;
            assert_eq!(again, written_response(read.message));
        }
    }
});

/// What we write may be longer than what was read.
const UNBOUND: Limits = Limits {
    max_bytes: usize::MAX,
    max_depth: Limits::DEPTH_CEILING,
    max_values: usize::MAX,
};

fn written_response(response: MethodResponse) -> MethodResponse {
    match response {
        MethodResponse::Success(value) => MethodResponse::Success(written(value)),
        fault @ MethodResponse::Fault(_) => fault,
    }
}

fn written_values(values: Vec<Value>) -> Vec<Value> {
    values.into_iter().map(written).collect()
}

/// Nil is written as empty text.
fn written(value: Value) -> Value {
    match value {
        Value::Nil => Value::from(""),
        Value::Array(items) => Value::Array(written_values(items)),
        Value::Struct(members) => Value::Struct(
            members
                .into_iter()
                .map(|(name, value)| (name, written(value)))
                .collect(),
        ),
        other => other,
    }
}
