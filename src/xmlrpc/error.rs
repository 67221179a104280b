//! Why a document was refused.

use std::fmt;

use super::Charset;

/// Why a document was refused. Positions count bytes from 0 in the document as it was received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The document is longer than [`Limits::max_bytes`](super::Limits::max_bytes).
    #[error(
        "the message has {bytes} bytes, at most {limit} are accepted: send it in smaller parts"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Arrays and structs stand in each other deeper than [`Limits::max_depth`](super::Limits::max_depth).
    #[error("values are nested deeper than {limit} levels (at byte {at})")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where the limit was passed.
        at: usize,
    },
    /// More values than [`Limits::max_values`](super::Limits::max_values) in the whole message.
    #[error("the message has more than {limit} values (at byte {at}): send it in smaller parts")]
    TooManyValues {
        /// The limit.
        limit: usize,
        /// Where the limit was passed.
        at: usize,
    },
    /// A tag with more attributes than anybody sends; XML-RPC has none.
    #[error("a tag has more than {limit} attributes (at byte {at})")]
    TooManyAttributes {
        /// The limit.
        limit: usize,
        /// Where the tag begins.
        at: usize,
    },
    /// An encoding that is not read.
    #[error(
        "the encoding \"{name}\" is not understood: UTF-8, US-ASCII, ISO-8859-1 or windows-1252 was expected"
    )]
    UnsupportedCharset {
        /// Its name, as declared.
        name: Snippet,
    },
    /// The XML declaration is unclosed, of another version than 1.0, or contradicts the byte order mark.
    #[error(
        "the XML declaration is malformed (at byte {at}): <?xml version=\"1.0\"?> was expected"
    )]
    BadDeclaration {
        /// Where it begins.
        at: usize,
    },
    /// Bytes that the declared encoding (UTF-8 where none is declared) does not have.
    #[error(
        "the message is not valid {charset} (at byte {at}); {charset} is what it declares, or UTF-8 for want of a declaration"
    )]
    NotInCharset {
        /// The encoding.
        charset: Charset,
        /// The first such byte.
        at: usize,
    },
    /// A character that XML 1.0 does not allow, raw or as a reference.
    #[error("the character U+{code:04X} is not allowed in XML (at byte {at})")]
    ForbiddenCharacter {
        /// The character's number; it need not be a Unicode character.
        code: u32,
        /// Where it stands.
        at: usize,
    },
    /// A document type declaration: entities could grow without bound, so none is read.
    #[error("a DOCTYPE is not accepted (at byte {at})")]
    DocumentType {
        /// Where it begins.
        at: usize,
    },
    /// A reference to an entity other than the five that XML has, or one that is no reference.
    #[error(
        "\"&{name};\" is not a known reference (at byte {at}): only &amp; &lt; &gt; &quot; &apos; and numbers are"
    )]
    UnknownReference {
        /// What stood between `&` and `;`.
        name: Snippet,
        /// Where it begins.
        at: usize,
    },
    /// Not well-formed XML.
    #[error("the message is not well-formed XML (at byte {at}): {problem}")]
    NotWellFormed {
        /// What the XML parser says.
        problem: Snippet,
        /// Where.
        at: usize,
    },
    /// Something else than the structure of XML-RPC asks for at that place.
    #[error("expected {expected}, found {found} (at byte {at})")]
    Unexpected {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: Snippet,
        /// Where.
        at: usize,
    },
    /// The text of a value is not of the type it is declared to be.
    #[error("\"{found}\" is not a valid <{kind}> (at byte {at}): {expected} was expected")]
    BadValue {
        /// The XML-RPC type.
        kind: &'static str,
        /// The text.
        found: Snippet,
        /// What such a value looks like.
        expected: &'static str,
        /// Where the value's tag begins.
        at: usize,
    },
    /// A whole number beyond what its type can hold.
    #[error(
        "{found} does not fit <{kind}> (at byte {at}), which takes {min} to {max}: send it as <i8> or <string>"
    )]
    OutOfRange {
        /// The XML-RPC type.
        kind: &'static str,
        /// The number.
        found: Snippet,
        /// The smallest number of that type.
        min: i64,
        /// The greatest.
        max: i64,
        /// Where the value's tag begins.
        at: usize,
    },
}

/// A short piece of a document, safe to print: at most [`Snippet::LONGEST`] characters, controls and whatever does not
/// print in ASCII escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Snippet(Box<str>);

impl Snippet {
    /// How many characters of the document are shown: enough to find the place, too few to carry a secret or a
    /// pupil's record into a log.
    pub const LONGEST: usize = 40;

    /// The beginning of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut characters = text.chars();
        let mut shown: String = characters
            .by_ref()
            .take(Self::LONGEST)
            .flat_map(Escaped::of)
            .collect();
        if characters.next().is_some() {
            shown.push('…');
        }
        Self(shown.into())
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// One character of a document as it may be printed.
enum Escaped {
    Plain(Option<char>),
    Escape(std::char::EscapeUnicode),
}

impl Escaped {
    fn of(character: char) -> Self {
        if character == ' ' || character.is_ascii_graphic() {
            Self::Plain(Some(character))
        } else {
            Self::Escape(character.escape_unicode())
        }
    }
}

impl Iterator for Escaped {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Plain(character) => character.take(),
            Self::Escape(escape) => escape.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Snippet;

    #[test]
    fn a_snippet_is_short_and_printable() {
        assert_eq!(
            Snippet::of("a\n\u{1b}[2J\u{202e}é").to_string(),
            "a\\u{a}\\u{1b}[2J\\u{202e}\\u{e9}"
        );
        assert_eq!(
            Snippet::of(&"x".repeat(500)).to_string(),
            format!("{}…", "x".repeat(Snippet::LONGEST))
        );
    }
}
