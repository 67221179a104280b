//! From a message to bytes, laid out as Moodle lays them out.
//!
//! Requests are phpxmlrpc's: true UTF-8, and declared so. Its responses declare nothing and keep to ASCII, with
//! everything else as numeric references, so that no reader can take them for another charset; so do ours. Faults
//! have Moodle's own layout. For a reader with PHP's old extension both carry raw UTF-8 under a declaration of
//! ISO-8859-1, see [`Encoding::BytesAsLatin1`].
//!
//! Two things differ from what PHP writes: a carriage return is always a reference, because XML makes a line feed of a
//! raw one, and a character that XML forbids becomes U+FFFD, because the reader would refuse the whole message for it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::text::is_xml_char;
use super::{Encoding, Fault, MethodCall, MethodResponse, Value};

/// Writes a `<methodCall>` for a reader who speaks `reader`'s dialect.
#[must_use]
pub fn encode_call(call: &MethodCall, reader: Encoding) -> Vec<u8> {
    let mut document = Document::new(Characters::Raw);
    document.text.push_str(match reader {
        Encoding::Utf8 => "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n",
        Encoding::BytesAsLatin1 => LATIN1_DECLARATION,
    });
    document.text.push_str("<methodCall>\n<methodName>");
    document.escaped(&call.method);
    document.text.push_str("</methodName>\n<params>\n");
    for param in &call.params {
        document.param(param);
    }
    document.text.push_str("</params>\n</methodCall>");
    document.text.into_bytes()
}

/// Writes a `<methodResponse>` for a reader who speaks `reader`'s dialect.
#[must_use]
pub fn encode_response(response: &MethodResponse, reader: Encoding) -> Vec<u8> {
    let (declaration, characters) = match (reader, response) {
        (Encoding::BytesAsLatin1, _) => (LATIN1_DECLARATION, Characters::Raw),
        (Encoding::Utf8, MethodResponse::Success(_)) => (DECLARATION, Characters::Ascii),
        (Encoding::Utf8, MethodResponse::Fault(_)) => (DECLARATION, Characters::AsciiAndLines),
    };
    let mut document = Document::new(characters);
    document.text.push_str(declaration);
    match response {
        MethodResponse::Success(value) => {
            document.text.push_str("<methodResponse>\n<params>\n");
            document.param(value);
            document.text.push_str("</params>\n</methodResponse>");
        }
        MethodResponse::Fault(fault) => document.fault(fault),
    }
    document.text.into_bytes()
}

const DECLARATION: &str = "<?xml version=\"1.0\"?>\n";
const LATIN1_DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n";

/// Most calls fit this; what is longer grows it.
const USUAL_BYTES: usize = 2048;

/// Which characters stand as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Characters {
    /// All that XML allows, but for the carriage return.
    Raw,
    /// Those of ASCII, without controls.
    Ascii,
    /// Those of ASCII, line feeds and tabs: Moodle's faults.
    AsciiAndLines,
}

struct Document {
    text: String,
    characters: Characters,
}

impl Document {
    fn new(characters: Characters) -> Self {
        Self {
            text: String::with_capacity(USUAL_BYTES),
            characters,
        }
    }

    fn param(&mut self, value: &Value) {
        self.text.push_str("<param>\n");
        self.value(value);
        self.text.push_str("</param>\n");
    }

    /// Moodle's own layout of a fault.
    fn fault(&mut self, fault: &Fault) {
        self.text.push_str(concat!(
            "<methodResponse>\n   <fault>\n      <value>\n         <struct>\n",
            "            <member>\n               <name>faultCode</name>\n",
            "               <value><int>"
        ));
        self.number(fault.code);
        self.text.push_str(concat!(
            "</int></value>\n            </member>\n",
            "            <member>\n               <name>faultString</name>\n",
            "               <value><string>"
        ));
        self.escaped(&fault.message);
        self.text.push_str(concat!(
            "</string></value>\n            </member>\n",
            "         </struct>\n      </value>\n   </fault>\n</methodResponse>"
        ));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.text.push_str("<value><string>");
                self.escaped(text);
                self.text.push_str("</string></value>\n");
            }
            Value::Int(number) => {
                self.text.push_str("<value><int>");
                self.number(number);
                self.text.push_str("</int></value>\n");
            }
            Value::I8(number) => {
                self.text.push_str("<value><i8>");
                self.number(number);
                self.text.push_str("</i8></value>\n");
            }
            Value::Boolean(truth) => self.text.push_str(if *truth {
                "<value><boolean>1</boolean></value>\n"
            } else {
                "<value><boolean>0</boolean></value>\n"
            }),
            Value::Double(number) if number.is_finite() => {
                self.text.push_str("<value><double>");
                self.number(number); // decimal, without exponent, and read back to the same number
                self.text.push_str("</double></value>\n");
            }
            Value::Double(_) | Value::Nil => {
                self.text.push_str("<value></value>\n"); // as phpxmlrpc writes NULL
            }
            Value::DateTime(text) => {
                self.text.push_str("<value><dateTime.iso8601>");
                self.escaped(text);
                self.text.push_str("</dateTime.iso8601></value>\n");
            }
            Value::Base64(bytes) => {
                self.text.push_str("<value><base64>");
                BASE64.encode_string(bytes, &mut self.text);
                self.text.push_str("</base64></value>\n");
            }
            Value::Array(items) => {
                self.text.push_str("<value><array>\n<data>\n");
                for item in items {
                    self.value(item);
                }
                self.text.push_str("</data>\n</array></value>\n");
            }
            Value::Struct(members) => {
                self.text.push_str("<value><struct>\n");
                for (name, value) in members.iter() {
                    self.text.push_str("<member><name>");
                    self.escaped(name);
                    self.text.push_str("</name>\n");
                    self.value(value);
                    self.text.push_str("</member>\n");
                }
                self.text.push_str("</struct></value>\n");
            }
        }
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        // writing to a String cannot fail
        let _ = write!(self.text, "{number}");
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| self.may_need_escape(byte)) {
            let (plain, special) = rest.split_at(at);
            self.text.push_str(plain);
            let mut characters = special.chars();
            if let Some(character) = characters.next() {
                self.escape(character);
            }
            rest = characters.as_str();
        }
        self.text.push_str(rest);
    }

    /// Whether a character that begins with `byte` has to be looked at.
    fn may_need_escape(&self, byte: u8) -> bool {
        match byte {
            b'\t' | b'\n' => self.characters == Characters::Ascii,
            0..0x20 | b'&' | b'<' | b'>' | b'"' | b'\'' => true,
            0x20..0x80 => false,
            // in UTF-8, U+FFFE and U+FFFF begin with 0xEF
            _ => self.characters != Characters::Raw || byte == 0xEF,
        }
    }

    fn escape(&mut self, character: char) {
        match character {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '"' => self.text.push_str("&quot;"),
            '\'' => self.text.push_str("&apos;"),
            character if !is_xml_char(character) => self.escape(char::REPLACEMENT_CHARACTER),
            character if self.characters == Characters::Raw && character != '\r' => {
                self.text.push(character);
            }
            character => {
                let _ = write!(self.text, "&#{};", u32::from(character));
            }
        }
    }
}
