//! XML-RPC documents, signed and sealed as they should be, or in the clear.

use super::forge::*;
use mnetd::xmlrpc::Value;

pub fn table() -> Vec<Case> {
    [documents(), values(), in_the_clear()]
        .into_iter()
        .flatten()
        .collect()
}

/// Payloads that are no XML-RPC; all signed and sealed as they should be.
fn documents() -> Vec<Case> {
    use Outcome::Fault;
    let document = |name: &'static str, make: fn() -> Vec<u8>| payload(name, Fault(713), make);
    vec![
        document("a payload of white space", || b"  \n".to_vec()),
        document("a payload of prose", || b"hello".to_vec()),
        document("a payload of HTML", || {
            b"<html><body>Error</body></html>".to_vec()
        }),
        document("a response for a call", || {
            b"<methodResponse><params><param><value>1</value></param></params></methodResponse>"
                .to_vec()
        }),
        document("two calls", || [good_payload(), good_payload()].concat()),
        document("two method names", || {
            replace(
                &good_payload(),
                "<params>",
                "<methodName>a/b</methodName><params>",
            )
        }),
        document("no method name", || {
            b"<methodCall><params></params></methodCall>".to_vec()
        }),
        document("a payload with a DOCTYPE", || {
            doctype(&good_payload(), "<!DOCTYPE methodCall>")
        }),
        document("an external DTD in the payload", || {
            doctype(
                &good_payload(),
                r#"<!DOCTYPE methodCall SYSTEM "http://127.0.0.1:1/a.dtd">"#,
            )
        }),
        document("an external entity in the payload", || {
            let entity = r#"<!DOCTYPE a [<!ENTITY file SYSTEM "file:///etc/passwd">]>"#;
            doctype(&with_value("&file;"), entity)
        }),
        document("an entity bomb in the payload", || {
            doctype(&with_value("&e9;"), &entity_bomb())
        }),
        document("an entity nobody declared in the payload", || {
            with_value("&file;")
        }),
        document("a reference to NUL in the payload", || with_value("&#0;")),
        document("a reference to a surrogate", || with_value("&#xD800;")),
        document("a reference beyond Unicode in the payload", || {
            with_value("&#x110000;")
        }),
        document("a reference with a number that overflows", || {
            with_value("&#99999999999999999999;")
        }),
        document("a NUL in the payload", || with_value("a\0b")),
        document("a control character in the payload", || {
            with_value("\u{1b}[2J")
        }),
        document("a noncharacter in the payload", || with_value("\u{ffff}")),
        document("a byte that is no UTF-8", || raw_value(&[0xFF])),
        document("overlong UTF-8", || raw_value(&[0xC0, 0xAF])),
        document("a surrogate in UTF-8", || raw_value(&[0xED, 0xA0, 0x80])),
        document("half a character", || raw_value(&[0xE6, 0x97])),
        document("a payload in UTF-16", || utf16(&good_payload())),
        document("a payload in UTF-7", || declared("utf-7")),
        document("a payload in EBCDIC", || declared("ebcdic-cp-us")),
        document("a payload in an encoding with a name of 100 KB", || {
            declared(&"a".repeat(100_000))
        }),
        document("XML 1.1", || {
            let declaration = b"<?xml version=\"1.1\"?>".to_vec();
            [
                declaration,
                b"<methodCall><methodName>a</methodName></methodCall>".to_vec(),
            ]
            .concat()
        }),
        document("a tag with 100,000 attributes", || {
            let attributes = (0..100_000).map(|n| format!(" a{n}=\"\""));
            let attributes = attributes.collect::<Vec<_>>().concat();
            replace_once(
                &good_payload(),
                "<struct>",
                &format!("<struct{attributes}>"),
            )
        }),
        document("an end tag too many", || with_value("</value></value>")),
        document("a payload of more than 4 MiB", || {
            with_value(&"a".repeat(4 * 1024 * 1024))
        }),
        document("a call that ends in prose", || {
            [good_payload(), b"hello".to_vec()].concat()
        }),
    ]
}

/// Values no peer sends; all in documents that are XML.
fn values() -> Vec<Case> {
    use Outcome::Fault;
    let value = |name: &'static str, text: &'static str| {
        payload(name, Fault(713), move || with_value(text))
    };
    vec![
        payload("values 33 deep", Fault(713), || with_value(&arrays(33))),
        payload("values 100,000 deep", Fault(713), || {
            with_value(&arrays(60_000))
        }),
        payload("values that never close", Fault(713), || {
            with_value(&"<array><data><value>".repeat(100_000))
        }),
        payload("structs 1,000 deep", Fault(713), || {
            with_value(&"<struct><member><name>a</name><value>".repeat(1_000))
        }),
        payload("300,000 values", Fault(713), || {
            with_value(&format!(
                "<array><data>{}</data></array>",
                "<value/>".repeat(300_000)
            ))
        }),
        value("an int of 20 digits", "<int>99999999999999999999</int>"),
        value("an i4 of 33 bits", "<i4>4294967296</i4>"),
        value("an int with a point", "<int>1.5</int>"),
        value("an int that is none", "<int>many</int>"),
        value("an empty int", "<int></int>"),
        value("a double that is none", "<double>NaN</double>"),
        value("an infinite double", "<double>inf</double>"),
        value("a double beyond all bounds", "<double>1e400</double>"),
        value("a hexadecimal double", "<double>0x1p1</double>"),
        value("a boolean of 2", "<boolean>2</boolean>"),
        value(
            "a date that is none",
            "<dateTime.iso8601>tomorrow</dateTime.iso8601>",
        ),
        value("base64 that is none", "<base64>!</base64>"),
        value("a type that is none", "<decimal>1</decimal>"),
        value("two types in one value", "<int>1</int><int>2</int>"),
        value(
            "a struct without a name",
            "<struct><member><value>1</value></member></struct>",
        ),
        value("an array without data", "<array><value>1</value></array>"),
        payload("an int of a million digits", Fault(713), || {
            with_value(&format!("<int>{}</int>", "9".repeat(1_000_000)))
        }),
        payload("a double of a million digits", Fault(713), || {
            with_value(&format!("<double>{}</double>", "9".repeat(1_000_000)))
        }),
    ]
}

fn in_the_clear() -> Vec<Case> {
    use Outcome::FaultInTheClear;
    let clear =
        |name: &'static str, make: fn(&Forge) -> Vec<u8>| case(name, FaultInTheClear(7021), make);
    vec![
        clear("a call in the clear", |_| good_payload()),
        clear("a signed call in the clear", Forge::signed),
        clear("a system call in the clear", |_| {
            plain("system/listServices", Vec::new())
        }),
        clear("a multicall in the clear", |_| {
            plain("system/multicall", vec![Value::Array(Vec::new())])
        }),
        clear("another document in the clear", |_| {
            b"<feed><title>News</title></feed>".to_vec()
        }),
        clear("a call cut short in the clear", |_| {
            good_payload()[..60].to_vec()
        }),
        clear("a depth bomb in the clear", |_| with_value(&arrays(10_000))),
        clear("300,000 values in the clear", |_| {
            with_value(&format!(
                "<array><data>{}</data></array>",
                "<value/>".repeat(300_000)
            ))
        }),
    ]
}
