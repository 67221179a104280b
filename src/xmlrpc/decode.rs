//! From bytes to a message: strictly, within limits, in time and memory proportional to the input.
//!
//! quick-xml finds tags and text and matches end tags to start tags. What it leaves to its user is done here: the
//! charset, the characters XML forbids, references, attributes, and the structure of XML-RPC. A DOCTYPE is refused,
//! so nothing can expand to more than what was sent.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::declaration::Declaration;
use super::error::{DecodeError, Snippet};
use super::text::{forbidden_character, is_xml_char, to_unicode};
use super::{
    Charset, Encoding, Fault, MethodCall, MethodResponse, Struct, TextEvidence, Value, datetime,
};

/// How much one message may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document.
    pub max_bytes: usize,
    /// How deep values may stand in each other; a parameter is at depth 1. [`Limits::DEPTH_CEILING`] bounds it.
    pub max_depth: usize,
    /// Values in the whole message, those inside arrays and structs included.
    pub max_values: usize,
}

impl Limits {
    /// 4 MiB: the list of courses of a site that offers 3000 of them (1.4 kB a course, as recorded from Moodle 4.5).
    pub const DEFAULT_MAX_BYTES: usize = 4 * 1024 * 1024;

    /// The deepest value in recorded traffic stands at 4; 32 leaves room for any service.
    pub const DEFAULT_MAX_DEPTH: usize = 32;

    /// The shortest value takes 8 bytes on the wire (`<value/>`) and 32 in memory, the shortest member of a struct 37 and
    /// about 100: this keeps the memory of a message within a few times [`Limits::DEFAULT_MAX_BYTES`].
    pub const DEFAULT_MAX_VALUES: usize = 200_000;

    /// No setting goes beyond this depth: values are read, written and dropped by functions that call themselves, and
    /// this many calls fit any thread's stack many times over.
    pub const DEPTH_CEILING: usize = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: Self::DEFAULT_MAX_BYTES,
            max_depth: Self::DEFAULT_MAX_DEPTH,
            max_values: Self::DEFAULT_MAX_VALUES,
        }
    }
}

/// A message, and what its document shows of who wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The message.
    pub message: T,
    /// What the document shows of its sender's dialect.
    pub text: TextEvidence,
}

/// Reads a `<methodCall>` written by somebody who speaks `sender`'s dialect.
///
/// # Errors
/// Whatever is wrong with the document; nothing is guessed at or passed over.
pub fn decode_call(
    document: &[u8],
    sender: Encoding,
    limits: &Limits,
) -> Result<Decoded<MethodCall>, DecodeError> {
    decode(document, sender, limits, call)
}

/// Reads a `<methodResponse>` written by somebody who speaks `sender`'s dialect.
///
/// # Errors
/// Whatever is wrong with the document; nothing is guessed at or passed over.
pub fn decode_response(
    document: &[u8],
    sender: Encoding,
    limits: &Limits,
) -> Result<Decoded<MethodResponse>, DecodeError> {
    decode(document, sender, limits, response)
}

/// A finite number in decimal notation, with or without fraction and exponent.
pub(super) fn finite_double(text: &str) -> Option<f64> {
    let decimal =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(decimal) {
        return None; // Rust's parser also takes words such as "inf"
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// No peer sends attributes; phpxmlrpc may put one (`php_class`) on a struct, others a namespace on the root.
const MAX_ATTRIBUTES: usize = 8;

/// Padding may be missing, as PHP takes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode<T>(
    document: &[u8],
    sender: Encoding,
    limits: &Limits,
    message: impl FnOnce(&mut Parser<'_>) -> Result<T, DecodeError>,
) -> Result<Decoded<T>, DecodeError> {
    if document.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge {
            bytes: document.len(),
            limit: limits.max_bytes,
        });
    }
    let declaration = Declaration::of(document)?;
    let text = to_unicode(document, declaration.charset.unwrap_or(Charset::Utf8))?;
    let place = Place {
        text: &text,
        one_byte_a_character: matches!(text, Cow::Owned(_)),
    };
    if let Some((at, character)) = forbidden_character(&text) {
        return Err(DecodeError::ForbiddenCharacter {
            code: character.into(),
            at: place.in_document(at),
        });
    }
    let mut parser = Parser::new(place, declaration.length, sender, limits);
    parser.evidence.declared = declaration.charset;
    let message = message(&mut parser)?;
    parser.end_of_document()?;
    Ok(Decoded {
        message,
        text: parser.evidence,
    })
}

/// The document as text, and how a position in it is told in bytes of the document as received.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    one_byte_a_character: bool,
}

impl Place<'_> {
    fn in_document(self, at: usize) -> usize {
        if self.one_byte_a_character {
            self.text[..at].chars().count()
        } else {
            at
        }
    }
}

struct Parser<'a> {
    place: Place<'a>,
    reader: Reader<&'a [u8]>,
    /// Where in `place.text` the reader began.
    start: usize,
    /// Where in `place.text` the last token began.
    token_at: usize,
    limits: Limits,
    values: usize,
    sender: Encoding,
    evidence: TextEvidence,
    /// Most documents have neither; then no text in them is searched for either.
    has_returns: bool,
    has_cdata_ends: bool,
}

/// What XML-RPC sees of the document; comments and processing instructions are nothing.
enum Token<'a> {
    Start(Tag),
    End,
    Text(Cow<'a, str>),
    Character(char),
    EndOfDocument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    MethodCall,
    MethodName,
    MethodResponse,
    Params,
    Param,
    Fault,
    Value,
    Array,
    Data,
    Struct,
    Member,
    Name,
    Integer(IntegerType),
    Boolean,
    Double,
    String,
    DateTime,
    Base64,
    Nil,
    Unknown,
}

impl Tag {
    fn named(name: &[u8]) -> Self {
        match name {
            b"value" => Self::Value,
            b"string" => Self::String,
            b"name" => Self::Name,
            b"member" => Self::Member,
            b"struct" => Self::Struct,
            b"array" => Self::Array,
            b"data" => Self::Data,
            b"int" => Self::Integer(IntegerType::INT),
            b"i4" => Self::Integer(IntegerType::I4),
            b"i8" | b"ex:i8" => Self::Integer(IntegerType::I8),
            b"i1" | b"ex:i1" => Self::Integer(IntegerType::I1),
            b"i2" | b"ex:i2" => Self::Integer(IntegerType::I2),
            b"boolean" => Self::Boolean,
            b"double" => Self::Double,
            b"dateTime.iso8601" => Self::DateTime,
            b"base64" => Self::Base64,
            b"nil" | b"ex:nil" => Self::Nil,
            b"param" => Self::Param,
            b"params" => Self::Params,
            b"fault" => Self::Fault,
            b"methodCall" => Self::MethodCall,
            b"methodName" => Self::MethodName,
            b"methodResponse" => Self::MethodResponse,
            _ => Self::Unknown,
        }
    }
}

/// A type of whole numbers and what fits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IntegerType {
    name: &'static str,
    min: i64,
    max: i64,
}

impl IntegerType {
    const I1: Self = Self::new("i1", -0x80, 0x7F);
    const I2: Self = Self::new("i2", -0x8000, 0x7FFF);
    const I4: Self = Self::new("i4", -0x8000_0000, 0x7FFF_FFFF);
    /// 32 bits by the specification, but PHP's ints have 64 and phpxmlrpc puts them all into `<int>`.
    const INT: Self = Self::new("int", i64::MIN, i64::MAX);
    const I8: Self = Self::new("i8", i64::MIN, i64::MAX);

    const fn new(name: &'static str, min: i64, max: i64) -> Self {
        Self { name, min, max }
    }

    fn value(self, number: i64) -> Option<Value> {
        if self == Self::I8 {
            return Some(Value::I8(number));
        }
        let number = Some(number).filter(|number| (self.min..=self.max).contains(number))?;
        Some(Value::from(number))
    }
}

fn call(parser: &mut Parser<'_>) -> Result<MethodCall, DecodeError> {
    parser.start(Tag::MethodCall, "<methodCall>")?;
    parser.start(Tag::MethodName, "<methodName>")?;
    let name = parser.text("the name of a method and </methodName>")?;
    let method = parser.meant_by(name);
    let method = method.trim_matches(is_xml_space).to_owned();
    let mut params = Vec::new();
    match parser.markup()? {
        Token::Start(Tag::Params) => {
            while parser.another(Tag::Param, "<param> or </params>")? {
                params.push(parser.value_in(1, "<value>", "</param>")?);
            }
            parser.end("</methodCall>")?;
        }
        Token::End => {}
        other => return Err(parser.unexpected("<params> or </methodCall>", &other)),
    }
    Ok(MethodCall { method, params })
}

fn response(parser: &mut Parser<'_>) -> Result<MethodResponse, DecodeError> {
    parser.start(Tag::MethodResponse, "<methodResponse>")?;
    let response = match parser.markup()? {
        Token::Start(Tag::Params) => {
            parser.start(Tag::Param, "<param>")?;
            let value = parser.value_in(1, "<value>", "</param>")?;
            parser.end("</params>, a response having one value,")?;
            MethodResponse::Success(value)
        }
        Token::Start(Tag::Fault) => {
            let at = parser.token_at;
            let value = parser.value_in(1, "<value>", "</fault>")?;
            MethodResponse::Fault(parser.fault(&value, at)?)
        }
        other => return Err(parser.unexpected("<params> or <fault>", &other)),
    };
    parser.end("</methodResponse>")?;
    Ok(response)
}

/// Values, and what stands in them.
impl Parser<'_> {
    fn fault(&self, value: &Value, at: usize) -> Result<Fault, DecodeError> {
        let code = value.get("faultCode").and_then(Value::to_integer);
        let message = value.get("faultString").and_then(Value::to_text);
        match (code.map(i32::try_from), message) {
            (Some(Ok(code)), Some(message)) => Ok(Fault::new(code, message)),
            _ => Err(DecodeError::BadValue {
                kind: "fault",
                found: Snippet::of(value.kind()),
                expected: "a struct with an int called faultCode and a string called faultString",
                at: self.place.in_document(at),
            }),
        }
    }

    /// One `<value>` with nothing beside it, up to the end of the element it stands in.
    fn value_in(
        &mut self,
        depth: usize,
        expected: &'static str,
        end: &'static str,
    ) -> Result<Value, DecodeError> {
        self.start(Tag::Value, expected)?;
        let value = self.value(depth)?;
        self.end(end)?;
        Ok(value)
    }

    /// What stands after `<value>`, up to and with `</value>`.
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        self.count_value(depth)?;
        let mut text = Cow::Borrowed("");
        loop {
            match self.token()? {
                Token::Text(piece) => append(&mut text, piece),
                Token::Character(character) => text.to_mut().push(character),
                Token::End => return Ok(Value::String(self.meant_by(text).into_owned())),
                Token::Start(tag) if is_blank(&text) => {
                    let value = self.typed(tag, depth)?;
                    self.end("</value>")?;
                    return Ok(value);
                }
                other => return Err(self.unexpected("text and </value>", &other)),
            }
        }
    }

    fn count_value(&mut self, depth: usize) -> Result<(), DecodeError> {
        let at = self.token_at;
        let limit = self.limits.max_depth.min(Limits::DEPTH_CEILING);
        if depth > limit {
            let at = self.place.in_document(at);
            return Err(DecodeError::TooDeep { limit, at });
        }
        self.values += 1;
        let limit = self.limits.max_values;
        if self.values > limit {
            let at = self.place.in_document(at);
            return Err(DecodeError::TooManyValues { limit, at });
        }
        Ok(())
    }

    /// What stands after the tag of a type, up to and with its end.
    fn typed(&mut self, tag: Tag, depth: usize) -> Result<Value, DecodeError> {
        match tag {
            Tag::String => {
                let text = self.text("text and </string>")?;
                Ok(Value::String(self.meant_by(text).into_owned()))
            }
            Tag::Struct => self.members(depth),
            Tag::Array => self.items(depth),
            Tag::Integer(integer) => self.integer(integer),
            Tag::Boolean => self.scalar("boolean", "0 or 1", |text| match text {
                "0" => Some(Value::Boolean(false)),
                "1" => Some(Value::Boolean(true)),
                _ => None,
            }),
            Tag::Double => self.scalar("double", "a finite decimal number", |text| {
                finite_double(text).map(Value::Double)
            }),
            Tag::DateTime => {
                let shape = "a date and time such as 20261124T08:27:38";
                self.scalar("dateTime.iso8601", shape, |text| {
                    datetime::has_the_shape(text).then(|| Value::DateTime(text.to_owned()))
                })
            }
            Tag::Base64 => self.scalar("base64", "base64", |text| {
                from_base64(text).map(Value::Base64)
            }),
            Tag::Nil => {
                self.end("</nil>")?;
                Ok(Value::Nil)
            }
            other => Err(self.unexpected(
                "a type of XML-RPC such as <string>, <int>, <struct> or <array>",
                &Token::Start(other),
            )),
        }
    }

    fn members(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let mut members = Struct::new();
        while self.another(Tag::Member, "<member> or </struct>")? {
            self.start(Tag::Name, "<name>")?;
            let name = self.text("the name of a member and </name>")?;
            let name = self.meant_by(name).into_owned();
            let value = self.value_in(depth + 1, "<value> after <name>", "</member>")?;
            members.insert(name, value);
        }
        Ok(Value::Struct(members))
    }

    fn items(&mut self, depth: usize) -> Result<Value, DecodeError> {
        self.start(Tag::Data, "<data>")?;
        let mut items = Vec::new();
        while self.another(Tag::Value, "<value> or </data>")? {
            items.push(self.value(depth + 1)?);
        }
        self.end("</array>")?;
        Ok(Value::Array(items))
    }

    fn integer(&mut self, integer: IntegerType) -> Result<Value, DecodeError> {
        let at = self.token_at;
        let text = self.text("a whole number")?;
        let text = text.trim_matches(is_xml_space);
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.bad_value(integer.name, text, "a whole number", at));
        }
        let number = text.parse().ok();
        number
            .and_then(|number| integer.value(number))
            .ok_or_else(|| DecodeError::OutOfRange {
                kind: integer.name,
                found: Snippet::of(text),
                min: integer.min,
                max: integer.max,
                at: self.place.in_document(at),
            })
    }

    /// A value that is all text, white space around it being nothing.
    fn scalar(
        &mut self,
        kind: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<Value, DecodeError> {
        let at = self.token_at;
        let text = self.text(expected)?;
        let text = text.trim_matches(is_xml_space);
        read(text).ok_or_else(|| self.bad_value(kind, text, expected, at))
    }
}

/// Tokens, and what may stand between them.
impl<'a> Parser<'a> {
    fn new(place: Place<'a>, start: usize, sender: Encoding, limits: &Limits) -> Self {
        let mut reader = Reader::from_str(&place.text[start..]);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self {
            place,
            reader,
            start,
            token_at: start,
            limits: *limits,
            values: 0,
            sender,
            evidence: TextEvidence::default(),
            has_returns: place.text.contains('\r'),
            has_cdata_ends: place.text.contains("]]>"),
        }
    }

    /// Reads the start tag that has to come next.
    fn start(&mut self, tag: Tag, expected: &'static str) -> Result<(), DecodeError> {
        match self.markup()? {
            Token::Start(found) if found == tag => Ok(()),
            other => Err(self.unexpected(expected, &other)),
        }
    }

    /// Reads the end tag that has to come next; that it is the right one is the XML reader's to see.
    fn end(&mut self, expected: &'static str) -> Result<(), DecodeError> {
        match self.markup()? {
            Token::End => Ok(()),
            other => Err(self.unexpected(expected, &other)),
        }
    }

    /// Whether another `tag` starts here, or the element around it ends.
    fn another(&mut self, tag: Tag, expected: &'static str) -> Result<bool, DecodeError> {
        match self.markup()? {
            Token::Start(found) if found == tag => Ok(true),
            Token::End => Ok(false),
            other => Err(self.unexpected(expected, &other)),
        }
    }

    fn end_of_document(&mut self) -> Result<(), DecodeError> {
        match self.markup()? {
            Token::EndOfDocument => Ok(()),
            other => Err(self.unexpected("nothing after the message", &other)),
        }
    }

    /// The text up to the next end tag, which is read as well.
    fn text(&mut self, expected: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.token()? {
                Token::Text(piece) => append(&mut text, piece),
                Token::Character(character) => text.to_mut().push(character),
                Token::End => return Ok(text),
                other => return Err(self.unexpected(expected, &other)),
            }
        }
    }

    /// The next token that is not white space.
    fn markup(&mut self) -> Result<Token<'a>, DecodeError> {
        loop {
            match self.token()? {
                Token::Text(text) if is_blank(&text) => {}
                other => return Ok(other),
            }
        }
    }

    fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        loop {
            self.token_at = self.start + position(self.reader.buffer_position());
            match self.reader.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => {
                    self.check_attributes(&tag)?;
                    return Ok(Token::Start(Tag::named(tag.name().as_ref().as_bytes())));
                }
                Ok(Event::End(_)) => return Ok(Token::End),
                Ok(Event::Text(text)) => {
                    let text = self.with_line_feeds(text.into_inner());
                    if self.has_cdata_ends && text.contains("]]>") {
                        return Err(self.not_well_formed("\"]]>\" stands outside a CDATA section"));
                    }
                    return Ok(Token::Text(text));
                }
                Ok(Event::CData(text)) => {
                    return Ok(Token::Text(self.with_line_feeds(text.into_inner())));
                }
                Ok(Event::GeneralRef(name)) => return Ok(Token::Character(self.character(&name)?)),
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::DocType(_)) => {
                    let at = self.place.in_document(self.token_at);
                    return Err(DecodeError::DocumentType { at });
                }
                Ok(Event::Decl(_)) => {
                    return Err(
                        self.not_well_formed("an XML declaration stands only at the very start")
                    );
                }
                Ok(Event::Eof) => return Ok(Token::EndOfDocument),
                Err(error) => {
                    self.token_at = self.start + position(self.reader.error_position());
                    return Err(self.not_well_formed(&error.to_string()));
                }
            }
        }
    }

    /// Text as XML hands it out: every line end is a line feed (section 2.11).
    fn with_line_feeds(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        if self.has_returns && text.contains('\r') {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            text
        }
    }

    fn check_attributes(&self, tag: &BytesStart<'_>) -> Result<(), DecodeError> {
        if tag.attributes_raw().is_empty() {
            return Ok(());
        }
        for (count, attribute) in tag.attributes().enumerate() {
            if count == MAX_ATTRIBUTES {
                return Err(DecodeError::TooManyAttributes {
                    limit: MAX_ATTRIBUTES,
                    at: self.place.in_document(self.token_at),
                });
            }
            let attribute = attribute.map_err(|error| self.not_well_formed(&error.to_string()))?;
            attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|error| self.not_well_formed(&error.to_string()))?;
            if attribute.value.contains('<') {
                return Err(self.not_well_formed("\"<\" stands in an attribute"));
            }
        }
        Ok(())
    }

    /// The character of `&name;`.
    fn character(&mut self, name: &str) -> Result<char, DecodeError> {
        let at = self.place.in_document(self.token_at);
        let unknown = || DecodeError::UnknownReference {
            name: Snippet::of(name),
            at,
        };
        let Some(number) = name.strip_prefix('#') else {
            return match name {
                "amp" => Ok('&'),
                "lt" => Ok('<'),
                "gt" => Ok('>'),
                "quot" => Ok('"'),
                "apos" => Ok('\''),
                _ => Err(unknown()),
            };
        };
        let (digits, radix) = match number.strip_prefix('x') {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err(unknown());
        }
        let code = match self.sender {
            Encoding::BytesAsLatin1 => byte_with_its_zero_dropped(number),
            Encoding::Utf8 => None,
        };
        let code = code.unwrap_or_else(|| u32::from_str_radix(digits, radix).unwrap_or(u32::MAX));
        self.evidence.references |= code >= 0x80;
        char::from_u32(code)
            .filter(|&character| is_xml_char(character))
            .ok_or(DecodeError::ForbiddenCharacter { code, at })
    }

    fn meant_by(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.evidence.meant_by(text, self.sender)
    }
}

/// What to say when something is wrong.
impl Parser<'_> {
    fn unexpected(&self, expected: &'static str, found: &Token<'_>) -> DecodeError {
        let source = &self.place.text[self.token_at..];
        let tag = || source.find('>').map_or(source, |end| &source[..=end]);
        DecodeError::Unexpected {
            expected,
            found: match found {
                Token::Start(_) => Snippet::of(tag()),
                Token::End if source.starts_with("</") => Snippet::of(tag()),
                Token::End => Snippet::of("an empty element"),
                Token::Text(text) => Snippet::of(text.trim_matches(is_xml_space)),
                Token::Character(_) => Snippet::of("a reference"),
                Token::EndOfDocument => Snippet::of("the end of the message"),
            },
            at: self.place.in_document(self.token_at),
        }
    }

    fn not_well_formed(&self, problem: &str) -> DecodeError {
        DecodeError::NotWellFormed {
            problem: Snippet::of(problem),
            at: self.place.in_document(self.token_at),
        }
    }

    fn bad_value(
        &self,
        kind: &'static str,
        text: &str,
        expected: &'static str,
        at: usize,
    ) -> DecodeError {
        DecodeError::BadValue {
            kind,
            found: Snippet::of(text),
            expected,
            at: self.place.in_document(at),
        }
    }
}

/// The bytes 200 to 209, which PHP's old extension writes as `&#20;` to `&#29;`: its library (libxmlrpc-epi 0.54) puts
/// no tens digit where that is zero. Greek, Cyrillic and Romanian letters begin with these bytes. The characters 20 to
/// 29 are forbidden in XML, so nothing else can be meant.
fn byte_with_its_zero_dropped(number: &str) -> Option<u32> {
    match number.as_bytes() {
        [b'2', units @ b'0'..=b'9'] => Some(200 + u32::from(units - b'0')),
        _ => None,
    }
}

fn append<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

fn is_xml_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| is_xml_space(char::from(byte)))
}

/// The reader counts in 64 bits; a document in memory is never longer than `usize`.
fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(is_xml_space) {
        let joined: String = text.split(is_xml_space).collect();
        BASE64.decode(joined).ok()
    } else {
        BASE64.decode(text).ok()
    }
}
