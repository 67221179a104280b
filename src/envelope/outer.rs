//! Reading an envelope's XML: which of the two it is, and its parts.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::{EnvelopeError, Sealed, Signed};
use crate::clock::UnixTime;

/// The longest message read: a payload grows by 16/9 in two layers of base64, and the largest
/// payload taken is 4 MiB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How deep an envelope's elements may nest; the real ones go down to 5.
pub const MAX_DEPTH: usize = 16;

/// How many elements an envelope may have; the real ones have 18, Mahara's one more.
pub const MAX_ELEMENTS: usize = 64;

/// A message by its outermost element.
#[derive(Debug)]
pub enum Outer {
    /// An `encryptedMessage`.
    Encrypted(Sealed),
    /// A `signedMessage` that is not encrypted.
    Signed(Signed),
    /// Anything else that begins like XML: perhaps a bare method call or response.
    Plain,
}

/// The text of the elements that matter, in the order they came.
#[derive(Default)]
struct Parts<'a> {
    root: Option<String>,
    found: Vec<(Element, Cow<'a, str>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    CipherValue,
    SignatureValue,
    Object,
    Wwwroot,
    Timestamp,
}

impl Element {
    const ALL: [(Self, &'static str); 5] = [
        (Self::CipherValue, "CipherValue"),
        (Self::SignatureValue, "SignatureValue"),
        (Self::Object, "object"),
        (Self::Wwwroot, "wwwroot"),
        (Self::Timestamp, "timestamp"),
    ];

    /// Peers find elements by name, case-blind and whatever the prefix (docs/protocol.md, Envelopes).
    fn named(local_name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(local_name))
            .map(|(element, _)| *element)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::CipherValue => "CipherValue",
            Self::SignatureValue => "SignatureValue",
            Self::Object => "object",
            Self::Wwwroot => "wwwroot",
            Self::Timestamp => "timestamp",
        }
    }
}

impl Outer {
    /// Reads a message. A root element other than the two envelopes is [`Outer::Plain`] without
    /// being read further.
    ///
    /// # Errors
    /// When the message is too long, no well-formed XML, nested too deep, or lacks a part.
    pub fn read(message: &[u8]) -> Result<Self, EnvelopeError> {
        if message.len() > MAX_BYTES {
            return Err(EnvelopeError::TooLong(message.len()));
        }
        let text = decode_text(message);
        let Some(parts) = Parts::read(&text)? else {
            return Ok(Self::Plain);
        };
        if parts.is_root("encryptedMessage") {
            parts.into_sealed().map(Self::Encrypted)
        } else {
            parts.into_signed().map(Self::Signed)
        }
    }
}

impl<'a> Parts<'a> {
    /// Reads the document to its end; `None` where the root is no envelope.
    fn read(text: &'a str) -> Result<Option<Self>, EnvelopeError> {
        let mut reader = Reader::from_str(text);
        let mut parts = Self::default();
        let mut open: Vec<Option<Element>> = Vec::with_capacity(MAX_DEPTH);
        let mut elements = 0;
        loop {
            let event = reader.read_event().map_err(|error| EnvelopeError::NotXml {
                position: reader.error_position(),
                reason: error.to_string(),
            })?;
            match event {
                Event::Start(start) => {
                    let name = start.local_name();
                    elements += 1;
                    if elements > MAX_ELEMENTS {
                        return Err(EnvelopeError::TooManyElements);
                    }
                    if open.is_empty() && !parts.take_root(name.as_ref(), &reader)? {
                        return Ok(None);
                    }
                    if open.len() == MAX_DEPTH {
                        return Err(EnvelopeError::TooDeep);
                    }
                    let element = Element::named(name.as_ref());
                    if let Some(element) = element {
                        parts.found.push((element, Cow::Borrowed("")));
                    }
                    open.push(element);
                }
                Event::Empty(empty) => {
                    elements += 1;
                    if elements > MAX_ELEMENTS {
                        return Err(EnvelopeError::TooManyElements);
                    }
                    let name = empty.local_name();
                    if open.is_empty() && !parts.take_root(name.as_ref(), &reader)? {
                        return Ok(None);
                    }
                    // Counted like `<a></a>`: which cipher is the second must not depend on the spelling.
                    if let Some(element) = Element::named(name.as_ref()) {
                        parts.found.push((element, Cow::Borrowed("")));
                    }
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(text) => parts.append(&open, text.into_inner(), &reader)?,
                Event::CData(text) => parts.append(&open, text.into_inner(), &reader)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference)?;
                    parts.append(&open, Cow::Owned(character.to_string()), &reader)?;
                }
                Event::DocType(_) => return Err(EnvelopeError::DocumentType),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof if open.is_empty() && parts.root.is_some() => return Ok(Some(parts)),
                Event::Eof => return Err(not_xml(&reader, "it ends too early")),
            }
        }
    }

    /// Notes the root element; says whether it is an envelope.
    fn take_root(&mut self, name: &str, reader: &Reader<&[u8]>) -> Result<bool, EnvelopeError> {
        if self.root.is_some() {
            return Err(not_xml(reader, "there is a second root element"));
        }
        self.root = Some(name.to_owned());
        Ok(self.is_root("encryptedMessage") || self.is_root("signedMessage"))
    }

    fn is_root(&self, name: &str) -> bool {
        self.root
            .as_deref()
            .is_some_and(|root| root.eq_ignore_ascii_case(name))
    }

    fn append(
        &mut self,
        open: &[Option<Element>],
        text: Cow<'a, str>,
        reader: &Reader<&[u8]>,
    ) -> Result<(), EnvelopeError> {
        match open.last() {
            Some(Some(_)) => {
                if let Some((_, value)) = self.found.last_mut() {
                    if value.is_empty() {
                        *value = text;
                    } else {
                        value.to_mut().push_str(&text);
                    }
                }
                Ok(())
            }
            None if !text.trim_start_matches('\u{feff}').trim().is_empty() => {
                Err(not_xml(reader, "there is text outside the root element"))
            }
            _ => Ok(()),
        }
    }

    fn into_sealed(self) -> Result<Sealed, EnvelopeError> {
        Ok(Sealed {
            body: self.base64(Element::CipherValue, 0)?,
            session_key: self.base64(Element::CipherValue, 1)?,
            wwwroot: self.text(Element::Wwwroot, 0)?.to_owned(),
        })
    }

    fn into_signed(self) -> Result<Signed, EnvelopeError> {
        let timestamp = self.text(Element::Timestamp, 0)?;
        Ok(Signed {
            payload: self.base64(Element::Object, 0)?,
            signature: self.base64(Element::SignatureValue, 0)?,
            wwwroot: self.text(Element::Wwwroot, 0)?.to_owned(),
            timestamp: UnixTime(timestamp.parse().map_err(|_| EnvelopeError::NotATime)?),
        })
    }

    /// The `nth` element of that name, trimmed.
    fn text(&self, element: Element, nth: usize) -> Result<&str, EnvelopeError> {
        self.found
            .iter()
            .filter(|(found, _)| *found == element)
            .nth(nth)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
            .ok_or(EnvelopeError::Missing(element.name()))
    }

    fn base64(&self, element: Element, nth: usize) -> Result<Vec<u8>, EnvelopeError> {
        let text = self.text(element, nth)?;
        let decoded = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            let dense: String = text.split_ascii_whitespace().collect();
            STANDARD.decode(dense)
        } else {
            STANDARD.decode(text)
        };
        decoded.map_err(|_| EnvelopeError::NotBase64(element.name()))
    }
}

/// Envelopes declare iso-8859-1 and hold ASCII; a wwwroot beyond ASCII comes as UTF-8 from some
/// peers and as iso-8859-1 from others.
fn decode_text(message: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(message) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(message.iter().copied().map(char::from).collect()),
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, EnvelopeError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character),
        Ok(None) => match &**reference {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(EnvelopeError::DocumentType),
        },
        Err(_) => Err(EnvelopeError::DocumentType),
    }
}

fn not_xml(reader: &Reader<&[u8]>, reason: &str) -> EnvelopeError {
    EnvelopeError::NotXml {
        position: reader.buffer_position(),
        reason: reason.to_owned(),
    }
}
