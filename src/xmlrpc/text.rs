//! How characters stand in a document, and how a peer's dialect shows.
//!
//! XML leaves no doubt what a document says, but PHP's old XML-RPC extension does: it writes the *bytes* of UTF-8
//! as if each were a character of ISO-8859-1, and reads likewise. `ø` is the two characters `Ã¸` to every other XML
//! parser. So a peer speaks one of two dialects, see [`Encoding`] and "Text dialects" in docs/protocol.md.

use std::borrow::Cow;
use std::fmt;

use super::error::DecodeError;

/// How text stands in one document: the dialect of whoever wrote it, or of whoever shall read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// A character is a character, whatever the charset: Moodle ≥ 4.1, and everybody else.
    #[default]
    Utf8,
    /// The bytes of UTF-8 pass for characters of ISO-8859-1: PHP's old extension.
    BytesAsLatin1,
}

/// The charset a document declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// Bytes below 0x80 only.
    UsAscii,
    /// ISO-8859-1: every byte is the character of that number.
    Latin1,
    /// Windows-1252: ISO-8859-1 with printable characters at 0x80–0x9F.
    Windows1252,
}

impl Charset {
    /// The charset an XML declaration names, in any case and under its usual names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "us-ascii" | "ascii" => Some(Self::UsAscii),
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" => Some(Self::Latin1),
            "windows-1252" | "cp1252" | "cp-1252" => Some(Self::Windows1252),
            _ => None,
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::UsAscii => "US-ASCII",
            Self::Latin1 => "ISO-8859-1",
            Self::Windows1252 => "windows-1252",
        })
    }
}

/// What a document shows of its sender's dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextEvidence {
    /// The charset of the XML declaration; `None` where none is declared.
    pub declared: Option<Charset>,
    /// A text beyond ASCII has characters up to U+00FF only, and their numbers, taken for bytes, are UTF-8: the
    /// old extension's hand.
    pub bytes_as_latin1: bool,
    /// A text has characters beyond U+00FF, or some up to U+00FF that are no UTF-8 when taken for bytes: the
    /// characters are meant as they stand.
    pub true_characters: bool,
    /// Some character beyond ASCII is written as a numeric reference.
    pub references: bool,
}

impl TextEvidence {
    /// The sender's dialect, as far as this one document tells; `None` where it does not (text in ASCII only).
    ///
    /// What the texts show goes before what is declared, and true characters before the other: the old extension
    /// cannot write them, while `Ã¸` may be meant. ISO-8859-1 declared over nothing but ASCII is the old extension's
    /// habit; Moodle ≥ 4.1 declares UTF-8 or nothing.
    #[must_use]
    pub fn dialect(&self) -> Option<Encoding> {
        if self.true_characters {
            Some(Encoding::Utf8)
        } else if self.bytes_as_latin1 || self.declared == Some(Charset::Latin1) {
            Some(Encoding::BytesAsLatin1)
        } else {
            None
        }
    }

    /// Whether characters that may be bytes are bytes for certain, and no name that some import garbled.
    ///
    /// They are under ISO-8859-1, which nobody else declares, and where references stand under UTF-8: asked to
    /// declare UTF-8 (as Mahara asks it), the old extension still writes each byte as a reference, while Moodle ≥ 4.1
    /// writes characters under that declaration and references under none.
    #[must_use]
    pub fn shows_the_old_extension(&self) -> bool {
        match self.declared {
            Some(Charset::Latin1) => true,
            Some(Charset::Utf8) => self.references,
            _ => false,
        }
    }

    /// Takes note of one text, and hands out what its sender meant by it.
    pub(super) fn meant_by<'a>(&mut self, text: Cow<'a, str>, sender: Encoding) -> Cow<'a, str> {
        if text.is_ascii() {
            return text;
        }
        let Some(meant) = utf8_under_latin1(&text) else {
            self.true_characters = true;
            return text;
        };
        self.bytes_as_latin1 = true;
        match sender {
            Encoding::BytesAsLatin1 => Cow::Owned(meant),
            Encoding::Utf8 => text,
        }
    }
}

/// The UTF-8 that `text` is when each of its characters is taken for a byte.
fn utf8_under_latin1(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        bytes.push(u8::try_from(character).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// `bytes` as text; nothing is copied where the bytes are that text already.
pub(super) fn to_unicode(bytes: &[u8], charset: Charset) -> Result<Cow<'_, str>, DecodeError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if charset == Charset::Utf8 || text.is_ascii() => Ok(Cow::Borrowed(text)),
        outcome => match charset {
            Charset::Utf8 => Err(DecodeError::NotInCharset {
                charset,
                at: outcome.map_or_else(|error| error.valid_up_to(), str::len),
            }),
            Charset::UsAscii => Err(DecodeError::NotInCharset {
                charset,
                at: bytes.iter().take_while(|byte| byte.is_ascii()).count(),
            }),
            Charset::Latin1 => Ok(Cow::Owned(transcoded(bytes, char::from))),
            Charset::Windows1252 => Ok(Cow::Owned(transcoded(bytes, windows_1252))),
        },
    }
}

/// `bytes` of a charset that has ASCII and `character` for the rest; most blocks are ASCII and copied whole.
fn transcoded(bytes: &[u8], character: impl Fn(u8) -> char) -> String {
    const BLOCK: usize = 32;
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for block in bytes.chunks(BLOCK) {
        match str::from_utf8(block) {
            Ok(ascii) if block.is_ascii() => text.push_str(ascii),
            _ => text.extend(block.iter().map(|&byte| character(byte))),
        }
    }
    text
}

/// The character of a byte in windows-1252; the five bytes it leaves open stay the controls they are in
/// ISO-8859-1 (WHATWG Encoding Standard, index windows-1252).
fn windows_1252(byte: u8) -> char {
    #[rustfmt::skip]
    const FROM_0X80: [char; 32] = [
        '\u{20AC}', '\u{81}',   '\u{201A}', '\u{192}',  '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}',
        '\u{2C6}',  '\u{2030}', '\u{160}',  '\u{2039}', '\u{152}',  '\u{8D}',   '\u{17D}',  '\u{8F}',
        '\u{90}',   '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}',
        '\u{2DC}',  '\u{2122}', '\u{161}',  '\u{203A}', '\u{153}',  '\u{9D}',   '\u{17E}',  '\u{178}',
    ];
    match byte {
        0x80..=0x9F => FROM_0X80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Whether XML 1.0 allows a character at all, raw or as a reference (section 2.2, production `Char`).
pub(super) const fn is_xml_char(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// The first character that XML 1.0 does not allow, and where it stands.
pub(super) fn forbidden_character(text: &str) -> Option<(usize, char)> {
    // Blocks of bytes without a suspect are passed over at the speed of the machine's vectors.
    const BLOCK: usize = 64;
    let mut start = 0;
    for block in text.as_bytes().chunks(BLOCK) {
        if block
            .iter()
            .fold(false, |any, &byte| any | is_suspect(byte))
        {
            for (offset, &byte) in block.iter().enumerate() {
                if let Some(character) = is_suspect(byte)
                    .then(|| text[start + offset..].chars().next())
                    .flatten()
                    .filter(|&character| !is_xml_char(character))
                {
                    return Some((start + offset, character));
                }
            }
        }
        start += block.len();
    }
    None
}

/// Whether a byte may begin a forbidden character: a control, or the lead byte of U+FFFE and U+FFFF.
const fn is_suspect(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r') || byte == 0xEF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_under_latin1_are_seen_and_undone_only_for_that_dialect() {
        let garbled = "PrÃ¸be æ\u{97}¥æ\u{9C}¬";
        let mut evidence = TextEvidence::default();
        let read = evidence.meant_by(Cow::Borrowed(garbled), Encoding::BytesAsLatin1);
        assert_eq!(read, "Prøbe 日本");
        assert_eq!(evidence.dialect(), Some(Encoding::BytesAsLatin1));
        assert_eq!(
            evidence.meant_by(Cow::Borrowed(garbled), Encoding::Utf8),
            garbled
        );
    }

    #[test]
    fn true_characters_stay_in_either_dialect_and_outweigh_the_rest() {
        for sender in [Encoding::Utf8, Encoding::BytesAsLatin1] {
            for text in ["Zoë", "日本", "Ōta ø"] {
                let mut evidence = TextEvidence {
                    declared: Some(Charset::Latin1),
                    bytes_as_latin1: true,
                    true_characters: false,
                    references: false,
                };
                assert_eq!(evidence.meant_by(Cow::Borrowed(text), sender), text);
                assert_eq!(evidence.dialect(), Some(Encoding::Utf8));
            }
        }
    }

    #[test]
    fn ascii_tells_nothing_but_for_the_declaration() {
        let mut evidence = TextEvidence::default();
        evidence.meant_by(Cow::Borrowed("plain"), Encoding::Utf8);
        assert_eq!(evidence.dialect(), None);
        evidence.declared = Some(Charset::Utf8);
        assert_eq!(evidence.dialect(), None);
        evidence.declared = Some(Charset::Latin1);
        assert_eq!(evidence.dialect(), Some(Encoding::BytesAsLatin1));
    }

    #[test]
    fn forbidden_characters_are_found_wherever_they_stand() {
        for bad in ['\0', '\u{1F}', '\u{B}', '\u{FFFE}', '\u{FFFF}'] {
            for before in [0, 1, 62, 63, 64, 65, 130] {
                let text = format!("{}{bad}x", "é".repeat(before));
                assert_eq!(forbidden_character(&text), Some((2 * before, bad)));
            }
        }
        assert_eq!(
            forbidden_character("\t\r\n \u{7F}\u{85}\u{FEFF}\u{FFFD}ﬀ\u{10FFFF}"),
            None
        );
    }

    #[test]
    fn windows_1252_has_the_euro_sign_and_quotes() {
        assert_eq!(
            to_unicode(b"\x80 \x93x\x94 \xE9", Charset::Windows1252).unwrap(),
            "€ “x” é"
        );
    }
}
