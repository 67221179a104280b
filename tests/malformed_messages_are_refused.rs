//! What is not XML, not XML-RPC, or too much of it is refused, each with a word on what was expected and where.
#![allow(
    clippy::unwrap_used,
    reason = "what cannot be unwrapped has failed the test"
)]

use mnetd::xmlrpc::{
    Charset, DecodeError, Decoded, Encoding, Limits, MethodCall, MethodResponse, Value,
    decode_call, decode_response,
};

fn read(document: impl AsRef<[u8]>) -> Result<Decoded<MethodCall>, DecodeError> {
    decode_call(document.as_ref(), Encoding::Utf8, &Limits::default())
}

/// A call whose one parameter holds `inside`, written as `<value>` would hold it.
fn call(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><methodCall><methodName>m</methodName><params><param><value>{inside}</value></param></params></methodCall>"
    )
}

fn value(inside: &str) -> Result<Value, DecodeError> {
    read(call(inside)).map(|read| read.message.params.into_iter().next().unwrap())
}

macro_rules! assert_refused {
    ($read:expr, $pattern:pat $(if $guard:expr)?) => {{
        let read = $read;
        assert!(matches!(read, Err($pattern) $(if $guard)?), "{}: {read:?}", stringify!($read));
    }};
}

#[test]
fn every_type_is_read() {
    for (inside, meant) in [
        ("<int>-7</int>", Value::Int(-7)),
        ("<i4> +2147483647 </i4>", Value::Int(i32::MAX)),
        ("<int>0000000000000000000012</int>", Value::Int(12)),
        ("<i1>-128</i1>", Value::Int(-128)),
        ("<ex:i2>32767</ex:i2>", Value::Int(32767)),
        ("<i8>5</i8>", Value::I8(5)),
        ("<ex:i8>-9223372036854775808</ex:i8>", Value::I8(i64::MIN)),
        ("<boolean>1</boolean>", Value::Boolean(true)),
        ("<double>-1.50</double>", Value::Double(-1.5)),
        ("<double>2e-14</double>", Value::Double(2e-14)),
        ("<string> a\n</string>", Value::from(" a\n")),
        ("<string/>", Value::from("")),
        (
            "<dateTime.iso8601>20261124T08:27:38</dateTime.iso8601>",
            Value::DateTime("20261124T08:27:38".into()),
        ),
        (
            "<base64>aGVs\r\n bG8=</base64>",
            Value::Base64(b"hello".to_vec()),
        ),
        ("<base64>aGVsbG8</base64>", Value::Base64(b"hello".to_vec())),
        ("<base64/>", Value::Base64(vec![])),
        ("<nil/>", Value::Nil),
        ("<ex:nil></ex:nil>", Value::Nil),
        ("<array>\n <data/>\n</array>", Value::Array(vec![])),
        (
            "<struct/>",
            Value::Struct([("", 0); 0].into_iter().collect()),
        ),
        (
            "\n<struct>\n<member>\n<name>a b</name>\n<value/>\n</member></struct>\n",
            Value::Struct([("a b", "")].into_iter().collect()),
        ),
    ] {
        assert_eq!(value(inside), Ok(meant), "{inside}");
    }
}

#[test]
fn text_without_a_type_keeps_its_white_space() {
    assert_eq!(value("  a\tb\n "), Ok(Value::from("  a\tb\n ")));
    assert_eq!(value(""), Ok(Value::from("")));
    assert_eq!(value(" "), Ok(Value::from(" ")));
}

#[test]
fn text_is_put_together_from_all_xml_has() {
    assert_eq!(
        value(
            "<string>a&amp;<![CDATA[<b>&amp;]]]]><![CDATA[>]]><!-- not this -->&#10;&#xA;<?nor this?>&#248;&#x1F600;é&quot;&apos;&gt;&lt;</string>"
        ),
        Ok(Value::from("a&<b>&amp;]]>\n\nø😀é\"'><"))
    );
}

#[test]
fn line_ends_become_line_feeds_unless_written_as_references() {
    assert_eq!(
        value("<string>a\r\nb\rc&#13;&#10;d</string>"),
        Ok(Value::from("a\nb\nc\r\nd"))
    );
}

#[test]
fn a_call_may_lack_parameters() {
    for document in [
        "<methodCall><methodName> system/listServices\n</methodName></methodCall>",
        "<methodCall><methodName>system/listServices</methodName><params/></methodCall>\n<!-- end -->\n",
    ] {
        let read = read(document).unwrap();
        assert_eq!(read.message, MethodCall::new("system/listServices", vec![]));
    }
}

#[test]
fn other_charsets_are_read_as_declared() {
    let document = |charset: &str, text: &[u8]| {
        let [before, after] = ["<methodCall><methodName>", "</methodName></methodCall>"];
        let declaration = format!("<?xml version='1.0' encoding='{charset}'?>{before}");
        [declaration.as_bytes(), text, after.as_bytes()].concat()
    };
    let method = |charset, text| read(document(charset, text)).map(|read| read.message.method);
    assert_eq!(method("ISO-8859-1", b"Zo\xEB"), Ok("Zoë".to_owned()));
    assert_eq!(method("windows-1252", b"\x80"), Ok("€".to_owned()));
    assert_eq!(method("us-ascii", b"&#8364;"), Ok("€".to_owned()));
    assert_eq!(method("UTF-8", "日本".as_bytes()), Ok("日本".to_owned()));
    assert_refused!(
        method("us-ascii", b"ab\xE9"),
        DecodeError::NotInCharset {
            charset: Charset::UsAscii,
            at: 67
        }
    );
    assert_refused!(
        method("utf-8", b"ab\xE9x"),
        DecodeError::NotInCharset {
            charset: Charset::Utf8,
            at: 64
        }
    );
    assert_refused!(
        method("utf-16", b""),
        DecodeError::UnsupportedCharset { .. }
    );
}

#[test]
fn positions_are_bytes_of_the_document_as_received() {
    let document =
        b"<?xml version='1.0' encoding='iso-8859-1'?><methodCall><methodName>\xE9\xE9\xE9&no;";
    assert_refused!(read(document), DecodeError::UnknownReference { at: 70, .. });
    let document = "<methodCall><methodName>ééé&no;";
    assert_refused!(read(document), DecodeError::UnknownReference { at: 30, .. });
}

#[test]
fn a_document_type_is_refused() {
    for document in [
        "<!DOCTYPE methodCall><methodCall/>".to_owned(),
        "<!DOCTYPE m [<!ENTITY a \"b\">]><methodCall/>".to_owned(),
        call("<!DOCTYPE m>"),
    ] {
        assert_refused!(read(&document), DecodeError::DocumentType { .. });
    }
}

#[test]
fn only_the_five_entities_and_numbers_are_references() {
    for name in [
        "nbsp", "eacute", "AMP", "", "#", "#x", "#-1", "#+1", "# 1", "#1a", "#xg", "#X41",
    ] {
        assert_refused!(
            value(&format!("&{name};")),
            DecodeError::UnknownReference { .. }
        );
    }
    for bare in ["a & b", "a &", "&amp", "&&amp;"] {
        assert_refused!(
            value(bare),
            DecodeError::NotWellFormed { .. } | DecodeError::UnknownReference { .. }
        );
    }
}

#[test]
fn characters_that_xml_forbids_are_refused_raw_and_as_references() {
    for code in [0_u32, 1, 8, 0xB, 0xC, 0xE, 0x1F, 0xFFFE, 0xFFFF] {
        let raw = char::from_u32(code).unwrap().to_string();
        assert_refused!(value(&raw), DecodeError::ForbiddenCharacter { code: found, .. } if found == code);
        let attribute = format!("<string a='{raw}'/>");
        assert_refused!(value(&attribute), DecodeError::ForbiddenCharacter { .. });
    }
    for reference in [
        "0",
        "1",
        "11",
        "28",
        "xFFFE",
        "xD800",
        "xDFFF",
        "x110000",
        "99999999999999999999",
    ] {
        assert_refused!(
            value(&format!("&#{reference};")),
            DecodeError::ForbiddenCharacter { .. }
        );
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for inside in [
        "<string>a</i4>",
        "<string>a",
        "<string>a</string></string>",
        "]]>",
        "<![CDATA[a",
        "<!-- a",
        "<!-- a -- b -->",
        "<string a>b</string>",
        "<string a=1>b</string>",
        "<string a='1' a='2'>b</string>",
        "<string a='<'>b</string>",
        "<string a='&no;'>b</string>",
        "<?xml version='1.0'?>",
    ] {
        assert_refused!(value(inside), DecodeError::NotWellFormed { .. });
    }
}

#[test]
fn wrong_structure_is_refused() {
    let whole =
        |inside: &str| format!("<methodCall><methodName>m</methodName>{inside}</methodCall>");
    for document in [
        String::new(),
        "  ".to_owned(),
        "not XML".to_owned(),
        "<html></html>".to_owned(),
        "<methodcall><methodName>m</methodName></methodcall>".to_owned(),
        "<methodCall></methodCall>".to_owned(),
        "<methodCall><methodName>m</methodName>".to_owned(),
        "<methodCall><methodName><b>m</b></methodName></methodCall>".to_owned(),
        whole("<param/>"),
        whole("<params><value/></params>"),
        whole("<params><param/></params>"),
        whole("<params><param>text</param></params>"),
        whole("<params><param><value/><value/></param></params>"),
        whole("<params/><params/>"),
        whole("<params>text</params>"),
        whole("<params/>") + "<methodCall/>",
        whole("<params/>") + "x",
        whole("<params/>") + "&#10;",
        whole("<params/>") + "<![CDATA[x]]>",
    ] {
        assert_refused!(read(&document), DecodeError::Unexpected { .. });
    }
    for inside in [
        "<text>a</text>",
        "<value>a</value>",
        "<String>a</String>",
        "a<string>b</string>",
        "<string>b</string>a",
        "<string>a</string><string>b</string>",
        "&#32;<string>a</string>x",
        "<string>a<b/></string>",
        "<nil>a</nil>",
        "<nil><nil/></nil>",
        "<array/>",
        "<array><value/></array>",
        "<array><data/><data/></array>",
        "<array><data>text</data></array>",
        "<array><data><string/></data></array>",
        "<struct>text</struct>",
        "<struct><member/></struct>",
        "<struct><member><name>a</name></member></struct>",
        "<struct><member><value/></member></struct>",
        "<struct><member><value/><name>a</name></member></struct>",
        "<struct><member><name>a</name><value/><value/></member></struct>",
        "<struct><name>a</name><value/></struct>",
    ] {
        assert_refused!(value(inside), DecodeError::Unexpected { .. });
    }
}

#[test]
fn values_that_are_not_of_their_type_are_refused() {
    for inside in [
        "<int/>",
        "<int>-</int>",
        "<int>1.0</int>",
        "<int>1e3</int>",
        "<int>0x10</int>",
        "<int>1 2</int>",
        "<int>٣</int>",
        "<boolean>2</boolean>",
        "<boolean>true</boolean>",
        "<boolean/>",
        "<double>nan</double>",
        "<double>inf</double>",
        "<double>-Infinity</double>",
        "<double>1e999</double>",
        "<double>1,5</double>",
        "<double/>",
        "<dateTime.iso8601>yesterday</dateTime.iso8601>",
        "<base64>*</base64>",
        "<base64>a</base64>",
        "<base64>aGVsbG8=aGVsbG8=</base64>",
    ] {
        assert_refused!(value(inside), DecodeError::BadValue { .. });
    }
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    for (inside, kind) in [
        ("<i4>2147483648</i4>", "i4"),
        ("<i4>-2147483649</i4>", "i4"),
        ("<i1>128</i1>", "i1"),
        ("<i2>-32769</i2>", "i2"),
        ("<i8>9223372036854775808</i8>", "i8"),
        ("<int>99999999999999999999999</int>", "int"),
    ] {
        assert_refused!(value(inside), DecodeError::OutOfRange { kind: found, .. } if found == kind);
    }
    assert_eq!(
        value("<i4>2147483648</i4>").unwrap_err().to_string(),
        "2147483648 does not fit <i4> (at byte 81), which takes -2147483648 to 2147483647: send it as <i8> or <string>"
    );
}

#[test]
fn an_int_of_64_bits_is_taken_as_php_sends_it() {
    assert_eq!(
        value("<int>4102444800</int>").unwrap(),
        Value::I8(4_102_444_800)
    );
}

#[test]
fn a_repeated_member_takes_the_last_value() {
    let members = "<member><name>a</name><value>1</value></member><member><name>a</name><value>2</value></member>";
    let read = value(&format!("<struct>{members}</struct>")).unwrap();
    assert_eq!(read, Value::Struct([("a", "2")].into_iter().collect()));
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| {
        let inner = depth - 1;
        let (open, close) = ("<array><data><value>", "</value></data></array>");
        call(&format!("{}{}", open.repeat(inner), close.repeat(inner)))
    };
    assert!(read(nested(Limits::DEFAULT_MAX_DEPTH)).is_ok());
    assert_refused!(
        read(nested(Limits::DEFAULT_MAX_DEPTH + 1)),
        DecodeError::TooDeep {
            limit: Limits::DEFAULT_MAX_DEPTH,
            ..
        }
    );
    let boundless = Limits {
        max_depth: usize::MAX,
        ..Limits::default()
    };
    let read = |depth| decode_call(nested(depth).as_bytes(), Encoding::Utf8, &boundless);
    assert!(read(Limits::DEPTH_CEILING).is_ok());
    assert_refused!(
        read(Limits::DEPTH_CEILING + 1),
        DecodeError::TooDeep {
            limit: Limits::DEPTH_CEILING,
            ..
        }
    );
    assert_refused!(read(50_000), DecodeError::TooDeep { .. });
}

#[test]
fn values_are_counted_over_the_whole_message() {
    let limits = Limits {
        max_values: 5,
        ..Limits::default()
    };
    let with = |items: usize| {
        let document = call(&format!(
            "<array><data>{}</data></array>",
            "<value/>".repeat(items)
        ));
        decode_call(document.as_bytes(), Encoding::Utf8, &limits)
    };
    assert!(with(4).is_ok());
    assert_refused!(with(5), DecodeError::TooManyValues { limit: 5, .. });
    let too_many = "<value/>".repeat(Limits::DEFAULT_MAX_VALUES);
    assert_refused!(
        value(&format!("<array><data>{too_many}</data></array>")),
        DecodeError::TooManyValues {
            limit: Limits::DEFAULT_MAX_VALUES,
            ..
        }
    );
}

#[test]
fn bytes_are_limited() {
    let document = call("");
    let limits = |max_bytes| Limits {
        max_bytes,
        ..Limits::default()
    };
    let read = |limits| decode_call(document.as_bytes(), Encoding::Utf8, &limits);
    assert!(read(limits(document.len())).is_ok());
    assert_refused!(
        read(limits(document.len() - 1)),
        DecodeError::TooLarge { .. }
    );
    let too_large = vec![b' '; Limits::DEFAULT_MAX_BYTES + 1];
    assert_refused!(
        decode_call(&too_large, Encoding::Utf8, &Limits::default()),
        DecodeError::TooLarge {
            limit: Limits::DEFAULT_MAX_BYTES,
            ..
        }
    );
}

#[test]
fn attributes_are_passed_over_within_reason() {
    assert_eq!(
        value("<string xml:lang='en' a=\"b &amp; c\" >x</string>"),
        Ok(Value::from("x"))
    );
    let attributes = " a1='' a2='' a3='' a4='' a5='' a6='' a7='' a8='' a9=''";
    assert_refused!(
        value(&format!("<string{attributes}/>")),
        DecodeError::TooManyAttributes { limit: 8, .. }
    );
}

#[test]
fn messages_show_little_of_the_document() {
    let secret = "s".repeat(10_000);
    for document in [
        call(&format!("<int>{secret}</int>")),
        call(&format!("<{secret}/>")),
        call(&format!("<string>a</{secret}>")),
        call(&format!("&{secret};")),
        call(&format!("<string/>{secret}")),
        format!("<?xml version='1.0' encoding='{}'?>", &secret[..100]),
        format!("{}\u{1b}[2J", call("<string/>\u{9b}2J")),
    ] {
        let message = read(&document).unwrap_err().to_string();
        assert!(message.len() < 250, "{message}");
        assert!(
            message.chars().all(|character| !character.is_control()),
            "{message}"
        );
    }
}

#[test]
fn a_response_has_one_value_or_a_fault() {
    let read = |inside: &str| {
        let document = format!("<methodResponse>{inside}</methodResponse>");
        decode_response(document.as_bytes(), Encoding::Utf8, &Limits::default())
            .map(|read| read.message)
    };
    let one = "<param><value>a</value></param>";
    assert_eq!(
        read(&format!("<params>{one}</params>")),
        Ok(MethodResponse::Success(Value::from("a")))
    );
    let fault = |members: &str| format!("<fault><value><struct>{members}</struct></value></fault>");
    let code = "<member><name>faultCode</name><value>7012</value></member>";
    let text = "<member><name>faultString</name><value>No &lt;such&gt; method</value></member>";
    assert_eq!(
        read(&fault(&format!("{code}{text}"))),
        Ok(MethodResponse::Fault(mnetd::xmlrpc::Fault::new(
            7012,
            "No <such> method"
        )))
    );
    for wrong in [
        String::new(),
        "<params/>".to_owned(),
        format!("<params>{one}{one}</params>"),
        "<fault/>".to_owned(),
        format!("<params>{one}</params>{}", fault(code)),
    ] {
        assert_refused!(read(&wrong), DecodeError::Unexpected { .. });
    }
    let wide = "<member><name>faultCode</name><value><i8>4294967296</i8></value></member>";
    for wrong in [
        fault(""),
        fault(code),
        fault(text),
        fault(&format!("{wide}{text}")),
    ] {
        assert_refused!(read(&wrong), DecodeError::BadValue { kind: "fault", .. });
    }
    assert_refused!(
        decode_response(call("").as_bytes(), Encoding::Utf8, &Limits::default()),
        DecodeError::Unexpected { .. }
    );
}
