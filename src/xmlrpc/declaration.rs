//! The XML declaration at the start of a document: `<?xml version="1.0" encoding="utf-8"?>`.

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, Event};

use super::Charset;
use super::error::{DecodeError, Snippet};

/// What a document says of itself before its root element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    /// The charset it names; `None` where it names none, or where there is no declaration.
    pub charset: Option<Charset>,
    /// How many bytes it takes, a byte order mark included.
    pub length: usize,
}

/// A declaration has three short attributes; this is several times what they take.
const LONGEST: usize = 256;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Declaration {
    /// Reads the declaration, if there is one, at the very start of `document`.
    pub(super) fn of(document: &[u8]) -> Result<Self, DecodeError> {
        if let [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..] | [b'<', 0, ..] = document {
            let name = Snippet::of("UTF-16");
            return Err(DecodeError::UnsupportedCharset { name });
        }
        let unmarked = document.strip_prefix(UTF8_MARK).unwrap_or(document);
        let mark = document.len() - unmarked.len();
        let malformed = DecodeError::BadDeclaration { at: mark };
        let declaration = match text_of(unmarked) {
            Ok(None) => Self {
                charset: None,
                length: mark,
            },
            Ok(Some(text)) => Self {
                charset: charset_in(text, &malformed)?,
                length: mark + text.len(),
            },
            Err(Unreadable) => return Err(malformed),
        };
        let contradicted =
            mark > 0 && declaration.charset.unwrap_or(Charset::Utf8) != Charset::Utf8;
        // the XML reader would pass over a second mark without a word
        let marked_again = document[declaration.length..].starts_with(UTF8_MARK);
        if contradicted || marked_again {
            return Err(malformed);
        }
        Ok(declaration)
    }
}

/// The declaration is unclosed, or not ASCII.
struct Unreadable;

fn text_of(document: &[u8]) -> Result<Option<&str>, Unreadable> {
    let (Some(b' ' | b'\t' | b'\r' | b'\n' | b'?'), true) =
        (document.get(5), document.starts_with(b"<?xml"))
    else {
        return Ok(None);
    };
    let end = document[..document.len().min(LONGEST)]
        .windows(2)
        .position(|pair| pair == b"?>")
        .ok_or(Unreadable)?;
    match str::from_utf8(&document[..end + 2]) {
        Ok(text) if text.is_ascii() => Ok(Some(text)),
        _ => Err(Unreadable),
    }
}

fn charset_in(text: &str, malformed: &DecodeError) -> Result<Option<Charset>, DecodeError> {
    let Ok(Event::Decl(declaration)) = Reader::from_str(text).read_event() else {
        return Err(malformed.clone());
    };
    if !is_xml_1_0(&declaration) {
        return Err(malformed.clone());
    }
    match declaration.encoding() {
        None => Ok(None),
        Some(Err(_)) => Err(malformed.clone()),
        Some(Ok(name)) => match Charset::named(&name) {
            Some(charset) => Ok(Some(charset)),
            None => Err(DecodeError::UnsupportedCharset {
                name: Snippet::of(&name),
            }),
        },
    }
}

fn is_xml_1_0(declaration: &BytesDecl<'_>) -> bool {
    declaration.version().is_ok_and(|version| version == "1.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charset(document: &[u8]) -> Result<Option<Charset>, DecodeError> {
        Declaration::of(document).map(|declaration| declaration.charset)
    }

    #[test]
    fn the_charset_is_read_in_every_usual_spelling() {
        assert_eq!(charset(b"<a/>"), Ok(None));
        assert_eq!(charset(b""), Ok(None));
        assert_eq!(charset(b"<?xml version='1.0'?><a/>"), Ok(None));
        assert_eq!(
            charset(b"<?xml version=\"1.0\" encoding=\"utf-8\" ?>"),
            Ok(Some(Charset::Utf8))
        );
        assert_eq!(
            charset(b"<?xml version='1.0' encoding='ISO-8859-1'?>"),
            Ok(Some(Charset::Latin1))
        );
        assert_eq!(
            charset(b"<?xml version='1.0' encoding='US-ASCII'?>"),
            Ok(Some(Charset::UsAscii))
        );
        assert_eq!(
            charset(b"<?xml version='1.0' encoding='Windows-1252'?>"),
            Ok(Some(Charset::Windows1252))
        );
    }

    #[test]
    fn a_byte_order_mark_is_counted_and_may_not_be_contradicted() {
        let marked = b"\xEF\xBB\xBF<?xml version='1.0'?><a/>";
        assert_eq!(
            Declaration::of(marked),
            Ok(Declaration {
                charset: None,
                length: 24
            })
        );
        for bad in [
            &b"\xEF\xBB\xBF<?xml version='1.0' encoding='iso-8859-1'?>"[..],
            b"\xEF\xBB\xBF\xEF\xBB\xBF<a/>",
            b"<?xml version='1.0'?>\xEF\xBB\xBF<a/>",
        ] {
            assert!(
                matches!(charset(bad), Err(DecodeError::BadDeclaration { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn other_charsets_and_versions_are_refused() {
        for other in [
            &b"<?xml version='1.0' encoding='utf-7'?>"[..],
            b"<?xml version='1.0' encoding='iso-8859-15'?>",
            b"\xFF\xFE<\0a\0",
            b"<\0?\0",
        ] {
            assert!(
                matches!(charset(other), Err(DecodeError::UnsupportedCharset { .. })),
                "{other:?}"
            );
        }
        let endless = [b"<?xml version='1.0'".as_slice(), &[b' '; 300], b"?>"].concat();
        for bad in [
            &b"<?xml version='1.1'?>"[..],
            b"<?xml?>",
            b"<?xml encoding='utf-8'?>",
            b"<?xml version='1.0'",
            b"<?xml version='1.0' encoding='\xE9'?>",
            &endless,
        ] {
            assert!(
                matches!(charset(bad), Err(DecodeError::BadDeclaration { .. })),
                "{bad:?}"
            );
        }
    }
}
