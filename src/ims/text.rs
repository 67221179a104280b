//! The bytes of a file as text: its encoding found out, its lines counted.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding, UTF_8, WINDOWS_1252};

/// How much is read at a time, and how much of a file is looked at for the declaration of its encoding.
const CHUNK: usize = 64 * 1024;

/// The room that as many bytes may need as text: three for each where a byte becomes a character of
/// Windows-1252 or a replacement.
const DECODED: usize = 3 * CHUNK + 16;

/// A file as UTF-8, from whatever encoding its byte order mark or its XML declaration names. Bytes that are wrong in
/// that encoding are read as Windows-1252, which is what they are where a system declares UTF-8 and writes Latin-1.
pub struct Text<R> {
    input: R,
    bytes: Vec<u8>,
    /// The part of `bytes` that is still to be decoded.
    undecoded: std::ops::Range<usize>,
    text: Vec<u8>,
    /// The part of `text` that is still to be consumed.
    ready: std::ops::Range<usize>,
    decoder: Decoder,
    encoding: &'static Encoding,
    at_end: bool,
    finished: bool,
    line: u64,
    /// How many bytes may still be consumed before the reader says that it goes on.
    allowed: u64,
    /// The lines on which bytes were wrong, since they were last asked for.
    wrong: Vec<u64>,
    wrong_count: u64,
}

/// How many lines with wrong bytes are remembered between two looks at them: the reader looks after each record.
const MAX_WRONG: usize = 100;

impl<R: Read> Text<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// Where the input cannot be read, or declares an encoding that nobody knows.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut bytes = vec![0; CHUNK];
        let length = fill(&mut input, &mut bytes)?;
        let encoding = encoding_of(&bytes[..length])?;
        Ok(Self {
            input,
            at_end: length < CHUNK,
            bytes,
            undecoded: 0..length,
            text: vec![0; DECODED],
            ready: 0..0,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            finished: false,
            line: 1,
            allowed: u64::MAX,
            wrong: Vec::new(),
            wrong_count: 0,
        })
    }

    /// What the file is written in.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// The number of the line that what comes next stands on, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Lets `amount` more bytes be consumed; then reading fails.
    pub fn allow(&mut self, amount: u64) {
        self.allowed = amount;
    }

    /// The lines on which there were wrong bytes since this was last called, and how many there were.
    pub fn take_wrong(&mut self) -> (Vec<u64>, u64) {
        (
            std::mem::take(&mut self.wrong),
            std::mem::take(&mut self.wrong_count),
        )
    }

    /// Decodes until there is text, or the input ends.
    fn decode_some(&mut self) -> io::Result<()> {
        self.ready = 0..0;
        while self.ready.is_empty() && !self.finished {
            if self.undecoded.is_empty() && !self.at_end {
                let length = fill(&mut self.input, &mut self.bytes)?;
                self.at_end = length < self.bytes.len();
                self.undecoded = 0..length;
            }
            self.decode_chunk();
        }
        Ok(())
    }

    fn decode_chunk(&mut self) {
        let last = self.at_end;
        loop {
            let source = &self.bytes[self.undecoded.clone()];
            let target = &mut self.text[self.ready.end..];
            let (result, read, written) = self
                .decoder
                .decode_to_utf8_without_replacement(source, target, last);
            let malformed_end = self.undecoded.start + read;
            self.undecoded.start += read;
            self.ready.end += written;
            match result {
                DecoderResult::InputEmpty => {
                    self.finished = last;
                    return;
                }
                // The room is enough for a chunk unless much was wrong: what is there is handed out first.
                DecoderResult::OutputFull => return,
                DecoderResult::Malformed(length, after) => {
                    let end = malformed_end.saturating_sub(usize::from(after));
                    let start = end.saturating_sub(usize::from(length));
                    self.take_as_latin(start, end);
                }
            }
        }
    }

    /// Reads wrong bytes as Windows-1252. A few that stood at the end of the chunk before are gone: they become a
    /// replacement character.
    fn take_as_latin(&mut self, start: usize, end: usize) {
        let line = self.line + newlines(&self.text[self.ready.clone()]);
        self.wrong_count += 1;
        if self.wrong.last() != Some(&line) && self.wrong.len() < MAX_WRONG {
            self.wrong.push(line);
        }
        let bytes = &self.bytes[start..end];
        let target = &mut self.text[self.ready.end..];
        let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
        let (result, _, written, _) = if bytes.is_empty() {
            UTF_8
                .new_decoder_without_bom_handling()
                .decode_to_utf8(b"\xEF\xBF\xBD", target, true)
        } else {
            decoder.decode_to_utf8(bytes, target, true)
        };
        debug_assert!(matches!(result, CoderResult::InputEmpty));
        self.ready.end += written;
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(target.len());
        target[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Text<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.allowed == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a single text, tag or comment goes on for many megabytes; most likely its end is missing",
            ));
        }
        if self.ready.is_empty() {
            self.decode_some()?;
        }
        Ok(&self.text[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.ready.start + amount).min(self.ready.end);
        self.line += newlines(&self.text[self.ready.start..end]);
        self.allowed = self.allowed.saturating_sub(amount as u64);
        self.ready.start = end;
    }
}

fn newlines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// By the byte order mark, else by `encoding="…"` in the XML declaration, else UTF-8.
fn encoding_of(beginning: &[u8]) -> io::Result<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(beginning) {
        return Ok(encoding);
    }
    let Some(label) = declared(beginning) else {
        return Ok(UTF_8);
    };
    let known = Encoding::for_label(label.as_bytes());
    known.map(as_written).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the file says that its encoding is “{label}”, which is none that is known; expected UTF-8, ISO-8859-1, windows-1252 or another of that kind"),
        )
    })
}

/// A declaration that can be read as bytes of ASCII does not stand in UTF-16, whatever it says.
fn as_written(encoding: &'static Encoding) -> &'static Encoding {
    if encoding.is_ascii_compatible() {
        encoding
    } else {
        UTF_8
    }
}

fn declared(beginning: &[u8]) -> Option<String> {
    let beginning = beginning.trim_ascii_start();
    let declaration = beginning.strip_prefix(b"<?xml")?;
    let end = declaration
        .windows(2)
        .take(500)
        .position(|two| two == b"?>")?;
    let declaration = String::from_utf8_lossy(&declaration[..end]);
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = value[1..].split_once(quote)?;
    Some(label.trim().to_owned()).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Vec<u64>, &'static str) {
        let mut text = Text::new(bytes).unwrap();
        let mut all = String::new();
        text.read_to_string(&mut all).unwrap();
        let encoding = text.encoding();
        (all, text.take_wrong().0, encoding)
    }

    #[test]
    fn the_declared_encoding_is_believed() {
        let (text, wrong, encoding) =
            read(b"<?xml version='1.0' encoding = \"ISO-8859-1\"?><family>\xD8deg\xE5rd</family>");
        assert!(text.ends_with("<family>Ødegård</family>"), "{text}");
        assert_eq!((wrong, encoding), (vec![], "windows-1252"));
        let (text, ..) = read("<family>Ødegård</family>".as_bytes());
        assert_eq!(text, "<family>Ødegård</family>");
        let utf16: Vec<u8> = "\u{feff}<id>日本</id>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&utf16).0, "<id>日本</id>");
        assert_eq!(read(b"\xEF\xBB\xBF<id/>").0, "<id/>");
    }

    #[test]
    fn latin_letters_in_a_file_that_calls_itself_utf_8_are_read_and_told_with_their_line() {
        let (text, wrong, _) = read(b"<a>\n<b>\xD8de</b>\n<c>\xC3\xB8</c>\nG\xFCnther");
        assert_eq!(text, "<a>\n<b>Øde</b>\n<c>ø</c>\nGünther");
        assert_eq!(wrong, [2, 4]);
    }

    #[test]
    fn characters_over_the_edge_of_a_chunk_stay_whole() {
        for shift in 0..4 {
            let mut file = "x".repeat(CHUNK - shift);
            file.push_str("日本\n語");
            let (text, wrong, _) = read(file.as_bytes());
            assert_eq!(text, file);
            assert!(wrong.is_empty());
        }
    }

    #[test]
    fn an_encoding_that_nobody_knows_is_told() {
        let error = Text::new(&b"<?xml version='1.0' encoding='KLINGON-7'?><a/>"[..])
            .err()
            .unwrap();
        assert!(error.to_string().contains("KLINGON-7"), "{error}");
    }

    #[test]
    fn lines_are_counted_as_they_are_consumed() {
        let mut text = Text::new(&b"one\ntwo\nthree"[..]).unwrap();
        let mut line = String::new();
        text.read_line(&mut line).unwrap();
        assert_eq!(text.line(), 2);
        text.read_line(&mut line).unwrap();
        assert_eq!(text.line(), 3);
    }
}
