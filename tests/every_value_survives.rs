//! Whatever is written is read again as it was, in both text dialects.

use mnetd::xmlrpc::{
    Encoding, Fault, Limits, MethodCall, MethodResponse, Struct, Value, decode_call,
    decode_response, encode_call, encode_response,
};
use proptest::prelude::*;

const DIALECTS: [Encoding; 2] = [Encoding::Utf8, Encoding::BytesAsLatin1];

/// Text of any characters XML allows, with those more often that are easily lost.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        2 => proptest::char::range('\u{80}', '\u{FF}'),
        2 => prop::sample::select(vec!['\r', '\n', '\t', ' ', '&', '<', '>', '"', '\'', ']', ';', '#', '\u{FEFF}', '\u{FFFD}']),
        4 => proptest::char::range('a', 'z'),
    ];
    let allowed = |character: &char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    prop::collection::vec(character.prop_filter("not in XML", allowed), 0..24)
        .prop_map(|characters| characters.into_iter().collect())
}

/// Nil is left out: it is written as empty text, for want of a form that PHP reads.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::I8),
        any::<bool>().prop_map(Value::Boolean),
        any::<f64>()
            .prop_filter("not in XML-RPC", |number| number.is_finite())
            .prop_map(Value::Double),
        text().prop_map(Value::String),
        (1000..9999, 1..=12, 1..=28, 0..24)
            .prop_map(|(y, m, d, h)| Value::DateTime(format!("{y:04}{m:02}{d:02}T{h:02}:00:59"))),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Base64),
    ];
    scalar.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..8)
                .prop_map(|members| Value::Struct(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_call_is_read_as_it_was_written(
        method in "[a-z/._]{1,40}",
        params in prop::collection::vec(value(), 0..4),
    ) {
        let call = MethodCall::new(method, params);
        for dialect in DIALECTS {
            let document = encode_call(&call, dialect);
            let read = decode_call(&document, dialect, &Limits::default());
            prop_assert_eq!(read.map(|read| read.message), Ok(call.clone()));
        }
    }

    #[test]
    fn a_response_is_read_as_it_was_written(value in value()) {
        let response = MethodResponse::Success(value);
        for dialect in DIALECTS {
            let document = encode_response(&response, dialect);
            let read = decode_response(&document, dialect, &Limits::default());
            prop_assert_eq!(read.map(|read| read.message), Ok(response.clone()));
        }
    }

    #[test]
    fn a_fault_is_read_as_it_was_written(code in any::<i32>(), message in text()) {
        let response = MethodResponse::Fault(Fault::new(code, message));
        for dialect in DIALECTS {
            let document = encode_response(&response, dialect);
            let read = decode_response(&document, dialect, &Limits::default());
            prop_assert_eq!(read.map(|read| read.message), Ok(response.clone()));
        }
    }

    #[test]
    fn the_document_tells_its_dialect(text in text()) {
        let call = MethodCall::new("m", vec![Value::from(text.as_str())]);
        for dialect in DIALECTS {
            let document = encode_call(&call, dialect);
            let told = decode_call(&document, Encoding::Utf8, &Limits::default()).unwrap().text.dialect();
            // in true UTF-8 a text may look like bytes by chance, and ASCII tells nothing
            if !text.is_ascii() && (dialect == Encoding::BytesAsLatin1 || text.chars().any(|c| c > '\u{FF}')) {
                prop_assert_eq!(told, Some(dialect));
            }
        }
    }

    #[test]
    fn any_text_makes_a_document_that_can_be_read(text in any::<String>()) {
        let call = MethodCall::new("m", vec![Value::from(text.as_str())]);
        for dialect in DIALECTS {
            let document = encode_call(&call, dialect);
            prop_assert!(decode_call(&document, dialect, &Limits::default()).is_ok());
        }
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for dialect in DIALECTS {
            let _ = decode_call(&bytes, dialect, &Limits::default());
            let _ = decode_response(&bytes, dialect, &Limits::default());
        }
    }
}

#[test]
fn what_has_no_form_on_the_wire_arrives_as_empty_text() {
    for nothing in [
        Value::Nil,
        Value::Double(f64::NAN),
        Value::Double(f64::INFINITY),
    ] {
        let response = MethodResponse::Success(nothing);
        let document = encode_response(&response, Encoding::Utf8);
        let read = decode_response(&document, Encoding::Utf8, &Limits::default()).unwrap();
        assert_eq!(read.message, MethodResponse::Success(Value::from("")));
    }
}

#[test]
fn characters_that_xml_forbids_are_replaced() {
    let call = MethodCall::new(
        "m",
        vec![Value::from("a\0b\u{1f}c\u{fffe}d\u{ffff}\u{fffd}")],
    );
    for dialect in DIALECTS {
        let document = encode_call(&call, dialect);
        let read = decode_call(&document, dialect, &Limits::default()).unwrap();
        let text = "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}";
        assert_eq!(read.message.params, [Value::from(text)]);
    }
}

/// With so many members, values and references, work that grows by the square would not end while anybody waits.
#[test]
fn large_messages_take_time_in_proportion() {
    let members: Struct = (0..100_000).map(|id| (format!("id{id}"), id)).collect();
    let call = MethodCall::new(
        "m",
        vec![Value::Struct(members), Value::from("\r".repeat(200_000))],
    );
    let limits = Limits {
        max_bytes: 32 << 20,
        ..Limits::default()
    };
    for dialect in DIALECTS {
        let document = encode_call(&call, dialect);
        let read = decode_call(&document, dialect, &limits).unwrap();
        assert_eq!(read.message, call);
    }
}
