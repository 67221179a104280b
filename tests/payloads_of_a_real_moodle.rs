//! The XML-RPC a real Moodle wrote is read as it was meant, and what we write is what it would have written.
#![allow(
    clippy::unwrap_used,
    reason = "what cannot be unwrapped has failed the test"
)]

mod support;

use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Value, decode_call, decode_response, encode_call,
    encode_response,
};
use serde_json::{Value as Json, json};
use support::Vector;

/// Calls that can be read in the recording: what stood in envelopes that could be opened, and what came in the clear.
const CALLS: usize = 35;

/// Calls among them that Moodle wrote.
const CALLS_OF_MOODLE: usize = 13;

/// Responses that can be read in the recording, all of them Moodle's.
const RESPONSES: usize = 24;

fn read_call(payload: &str) -> MethodCall {
    decode_call(payload.as_bytes(), Encoding::Utf8, &Limits::default())
        .unwrap()
        .message
}

fn read_response(payload: &str) -> MethodResponse {
    decode_response(payload.as_bytes(), Encoding::Utf8, &Limits::default())
        .unwrap()
        .message
}

/// The recorded payload of a call, and the call.
fn calls() -> Vec<(Vector, String)> {
    with_payload("request")
}

/// The recorded payload of a response. Responses in the clear stand in the body.
fn responses() -> Vec<(Vector, String)> {
    with_payload("response")
}

fn with_payload(part: &'static str) -> Vec<(Vector, String)> {
    Vector::all()
        .into_iter()
        .filter_map(|vector| {
            let sealed = vector.text(part, "payload");
            let clear = vector
                .text(part, "body")
                .filter(|body| body.contains("<methodResponse>") || body.contains("<methodCall>"));
            let payload = sealed.or(clear)?.to_owned();
            Some((vector, payload))
        })
        .collect()
}

#[test]
fn every_call_is_read_as_recorded() {
    let calls = calls();
    for (vector, payload) in &calls {
        let call = read_call(payload);
        let name = &vector.name;
        if let Some(method) = vector.json["method"].as_str() {
            assert_eq!(call.method, method, "{name}");
        }
        if let Some(params) = vector.json.get("params") {
            let read: Json = call.params.iter().map(Json::from).collect();
            assert_eq!(read, *params, "{name}");
        }
    }
    assert_eq!(calls.len(), CALLS);
}

#[test]
fn every_response_is_read_as_recorded() {
    let responses = responses();
    for (vector, payload) in &responses {
        let name = &vector.name;
        match read_response(payload) {
            MethodResponse::Success(value) => {
                assert_eq!(Json::from(&value), vector.json["result"], "{name}");
            }
            MethodResponse::Fault(fault) => {
                let read = json!({"faultCode": fault.code, "faultString": fault.message});
                assert_eq!(read, vector.json["fault"], "{name}");
            }
        }
    }
    assert_eq!(responses.len(), RESPONSES);
}

#[test]
fn our_calls_are_moodles_to_the_byte() {
    let mut compared = 0;
    for (vector, payload) in calls() {
        if vector.direction() == "from_moodle" {
            let payload = without_nulls(&payload);
            let ours = encode_call(&read_call(&payload), Encoding::Utf8);
            // The files of the site that was recorded had DOS line ends; Moodle's own have not.
            let payload = payload.replace("\r\n", "\n");
            assert_eq!(String::from_utf8(ours).unwrap(), payload, "{}", vector.name);
            compared += 1;
        }
    }
    assert_eq!(compared, CALLS_OF_MOODLE);
}

/// PHP's NULL travels as a value without a type, which is an empty string by the time it is read (28: the
/// description of a category that has none).
fn without_nulls(payload: &str) -> String {
    payload.replace("<value></value>", "<value><string></string></value>")
}

#[test]
fn our_responses_are_moodles_to_the_byte() {
    let mut compared = 0;
    for (vector, payload) in responses() {
        if vector.direction() == "to_moodle" {
            let ours = encode_response(&read_response(&payload), Encoding::Utf8);
            // The files of the site that was recorded had DOS line ends; Moodle's own have not.
            let payload = payload.replace("\r\n", "\n");
            assert_eq!(String::from_utf8(ours).unwrap(), payload, "{}", vector.name);
            compared += 1;
        }
    }
    assert_eq!(compared, RESPONSES);
}

#[test]
fn recorded_text_beyond_ascii_is_true_utf_8() {
    let (_, payload) = calls()
        .into_iter()
        .find(|(vector, _)| vector.name.starts_with("32"))
        .unwrap();
    let read = decode_call(payload.as_bytes(), Encoding::Utf8, &Limits::default()).unwrap();
    assert_eq!(read.text.dialect(), Some(Encoding::Utf8));
    let lastname = read.message.params[0].get("lastname");
    assert_eq!(lastname, Some(&Value::from("Sünglasses Ōta")));
}
