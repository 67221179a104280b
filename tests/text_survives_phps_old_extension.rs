//! Every character arrives at PHP's old XML-RPC extension as it was meant, and from it: what Mahara and Moodle up to
//! 4.0 run. The table is "Text dialects" in docs/protocol.md.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_call, decode_response,
    encode_call, encode_response,
};
use serde_json::{Value as Json, json};
use support::php::Php;

/// Names as schools have them, one of each alphabet's trouble, and every character of two bytes that ISO-8859-1 has.
fn texts() -> Vec<String> {
    let latin1: Vec<char> = ('\u{80}'..='\u{FF}').collect();
    [
        "Zoë",
        "Prøbe",
        "日本",
        "Ōta ø",
        "Ольга",
        "Αθηνά",
        "Ștefan",
        "😀 & <b>'\"",
        "plain",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([latin1.iter().collect()])
    .chain(latin1.iter().map(char::to_string))
    .collect()
}

/// The text as a value and as the name of a member.
fn value(text: &str) -> Value {
    Value::Struct(Struct::new().with(text, text))
}

fn call(text: &str) -> MethodCall {
    MethodCall::new("a/b", vec![value(text)])
}

/// Gives PHP one job a text.
fn jobs(php: &Php, job: impl Fn(&str) -> Json) -> Vec<(String, Json)> {
    let texts = texts();
    let jobs: Json = texts.iter().map(|text| job(text)).collect();
    let output = php.run("xmlrpc_text.php", jobs.to_string().as_bytes());
    let results: Vec<Json> = serde_json::from_slice(&output).unwrap();
    assert_eq!(results.len(), texts.len());
    texts.into_iter().zip(results).collect()
}

/// What PHP read: whether both the text and the member's name are the bytes of `text`.
fn is_read_right(text: &str, read: &Json) -> bool {
    let meant = json!(BASE64.encode(text));
    read["text"] == meant && read["name"] == meant
}

fn document(result: &Json) -> Vec<u8> {
    BASE64.decode(result.as_str().unwrap()).unwrap()
}

fn assert_php_reads(job: &str, encoding: Option<&str>, write: impl Fn(&str) -> Vec<u8>) {
    let Some(php) = Php::with(&["xmlrpc"]) else {
        return;
    };
    let results = jobs(
        &php,
        |text| json!({"job": job, "encoding": encoding, "document": BASE64.encode(write(text))}),
    );
    for (text, read) in results {
        assert!(is_read_right(&text, &read), "{text:?} was read as {read}");
    }
}

#[test]
fn mahara_reads_our_calls() {
    // it decodes requests as UTF-8
    assert_php_reads("decode_call", Some("utf-8"), |text| {
        encode_call(&call(text), Encoding::Utf8)
    });
}

#[test]
fn moodle_up_to_4_0_reads_our_calls() {
    assert_php_reads("decode_call", None, |text| {
        encode_call(&call(text), Encoding::BytesAsLatin1)
    });
}

#[test]
fn both_read_our_responses() {
    assert_php_reads("decode_response", None, |text| {
        encode_response(
            &MethodResponse::Success(value(text)),
            Encoding::BytesAsLatin1,
        )
    });
}

#[test]
fn the_other_dialect_would_be_garbled() {
    let Some(php) = Php::with(&["xmlrpc"]) else {
        return;
    };
    let results = jobs(&php, |text| {
        let response = MethodResponse::Success(value(text));
        let document = encode_response(&response, Encoding::Utf8);
        json!({"job": "decode_response", "encoding": null, "document": BASE64.encode(document)})
    });
    for (text, read) in results {
        let garbled = text
            .chars()
            .any(|character| ('\u{80}'..='\u{FF}').contains(&character));
        assert_eq!(is_read_right(&text, &read), !garbled, "{text:?}: {read}");
    }
}

#[test]
fn we_read_what_the_extension_writes() {
    let Some(php) = Php::with(&["xmlrpc"]) else {
        return;
    };
    // without options, and with Mahara's: each byte is a numeric reference, whatever charset is declared
    for options in [json!(null), json!({"encoding": "utf-8"})] {
        for (text, result) in jobs(
            &php,
            |text| json!({"job": "encode_call", "options": options, "text": BASE64.encode(text)}),
        ) {
            let document = document(&result);
            let read = decode_call(&document, Encoding::BytesAsLatin1, &Limits::default()).unwrap();
            assert_eq!(read.message, call(&text), "{options}");
            if !text.is_ascii() {
                assert_eq!(
                    read.text.dialect(),
                    Some(Encoding::BytesAsLatin1),
                    "{text:?}"
                );
            }
        }
        for (text, result) in jobs(
            &php,
            |text| json!({"job": "encode_response", "options": options, "text": BASE64.encode(text)}),
        ) {
            let document = document(&result);
            let read =
                decode_response(&document, Encoding::BytesAsLatin1, &Limits::default()).unwrap();
            assert_eq!(
                read.message,
                MethodResponse::Success(value(&text)),
                "{options}"
            );
        }
    }
}

#[test]
fn we_read_the_calls_of_moodle_up_to_4_0() {
    let Some(php) = Php::with(&["xmlrpc"]) else {
        return;
    };
    // Moodle asks the extension for markup to be escaped and nothing else: that is true UTF-8
    let options = json!({"encoding": "utf-8", "escaping": "markup"});
    for (text, result) in jobs(
        &php,
        |text| json!({"job": "encode_call", "options": options, "text": BASE64.encode(text)}),
    ) {
        let document = document(&result);
        for sender in [Encoding::Utf8, Encoding::BytesAsLatin1] {
            let read = decode_call(&document, sender, &Limits::default()).unwrap();
            assert_eq!(read.message, call(&text), "{sender:?}");
        }
    }
}

#[test]
fn a_server_on_the_extension_hands_back_what_we_sent() {
    let Some(php) = Php::with(&["xmlrpc"]) else {
        return;
    };
    for (text, result) in jobs(&php, |text| {
        let document = encode_call(&call(text), Encoding::BytesAsLatin1);
        json!({"job": "serve", "options": {}, "document": BASE64.encode(document)})
    }) {
        let document = document(&result);
        let read = decode_response(&document, Encoding::BytesAsLatin1, &Limits::default()).unwrap();
        assert_eq!(read.message, MethodResponse::Success(value(&text)));
    }
}
