//! Text as glyphs of a font: which font has a character, in which order they stand, how wide they are.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rustybuzz::ttf_parser::GlyphId;
use rustybuzz::{Direction, UnicodeBuffer};
use subsetter::{GlyphRemapper, subset};
use unicode_bidi::BidiInfo;

use super::ReportError;

/// The font `DejaVu` Sans Condensed 2.37: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic among
/// others. Its licence lies beside it.
const OWN_FONT: &[u8] = include_bytes!("../../assets/fonts/DejaVuSansCondensed.ttf");

/// Fonts for Chinese, Japanese and Korean with TrueType outlines, where Debian's packages
/// fonts-droid-fallback, fonts-wqy-microhei and fonts-wqy-zenhei put them, the smaller ones first: the
/// whole file is held while a report that needs it is made.
const FALLBACK_FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
];

/// The largest of [`FALLBACK_FONTS`] has 16 MB.
const MAX_FALLBACK_BYTES: u64 = 20 * 1024 * 1024;

/// The bytes of a font found on this machine.
pub(super) type FontBytes = Arc<Vec<u8>>;

/// The fonts of a document: our own, and one of this machine for what ours lacks.
pub(super) struct Fonts<'a> {
    faces: Vec<Face<'a>>,
}

/// A font, whole.
pub(super) struct Face<'a> {
    bytes: &'a [u8],
    shaper: rustybuzz::Face<'a>,
}

/// A line of text as it is drawn; all its measures are in units of the font's size.
#[derive(Clone)]
pub(super) struct Line {
    /// From left to right.
    pub(super) runs: Vec<Run>,
    /// How wide it is.
    pub(super) width: f32,
}

/// A stretch of one font and one direction.
#[derive(Clone)]
pub(super) struct Run {
    /// The font, by its place among [`Fonts::faces`].
    pub(super) face: usize,
    /// From left to right.
    pub(super) glyphs: Vec<Glyph>,
    /// How wide it is.
    pub(super) width: f32,
}

/// A glyph in its place.
#[derive(Clone)]
pub(super) struct Glyph {
    /// Its number in the font; 0 is the box for what the font lacks.
    pub(super) id: u16,
    /// How far the next one is from it.
    pub(super) advance: f32,
    /// How far it stands to the right of its place, and above.
    pub(super) offset: (f32, f32),
    /// The text it stands for; empty for one that only adds to another.
    pub(super) text: String,
}

/// A font of this machine, where `texts` have characters that ours lacks: the one that has the most of
/// them. `None` also where no font has any.
pub(super) fn fallback_for<'t>(
    texts: impl Iterator<Item = &'t str>,
    candidates: &[impl AsRef<Path>],
) -> Option<FontBytes> {
    let own = rustybuzz::Face::from_slice(OWN_FONT, 0)?;
    let lacking: BTreeSet<char> = texts
        .flat_map(visible)
        .filter(|c| own.glyph_index(*c).is_none())
        .collect();
    let mut best = (0, None);
    for path in candidates {
        if best.0 == lacking.len() {
            break;
        }
        let Some((bytes, has)) = read_font(path.as_ref(), &lacking) else {
            continue;
        };
        if has > best.0 {
            best = (has, Some(Arc::new(bytes)));
        }
    }
    best.1
}

/// A font with TrueType outlines, and how many of `wanted` it has.
fn read_font(path: &Path, wanted: &BTreeSet<char>) -> Option<(Vec<u8>, usize)> {
    if fs::metadata(path).ok()?.len() > MAX_FALLBACK_BYTES {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let face = rustybuzz::Face::from_slice(&bytes, 0)?;
    face.tables().glyf?;
    let has = wanted.iter().filter(|c| face.glyph_index(**c).is_some());
    let has = has.count();
    Some((bytes, has))
}

/// Where [`fallback_for`] looks.
pub(super) const fn usual_fallbacks() -> &'static [&'static str] {
    &FALLBACK_FONTS
}

impl<'a> Fonts<'a> {
    /// Our own font, with `fallback` behind it.
    pub(super) fn new(fallback: Option<&'a FontBytes>) -> Result<Self, ReportError> {
        let own = Face::new(OWN_FONT).ok_or(UNREADABLE)?;
        let fallback = fallback.and_then(|bytes| Face::new(bytes));
        Ok(Self {
            faces: std::iter::once(own).chain(fallback).collect(),
        })
    }

    /// The fonts, our own first.
    pub(super) fn faces(&self) -> &[Face<'a>] {
        &self.faces
    }

    /// Makes a line of `text`. Line breaks and what else is invisible become spaces; a character that
    /// no font has becomes the box that stands for it.
    pub(super) fn line(&self, text: &str) -> Line {
        let text: String = visible(text).collect();
        let bidi = BidiInfo::new(&text, None);
        let mut runs = Vec::new();
        for paragraph in &bidi.paragraphs {
            let (levels, stretches) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for stretch in stretches {
                let backwards = levels[stretch.start].is_rtl();
                let mut pieces = self.by_face(&text, stretch);
                if backwards {
                    pieces.reverse();
                }
                let shaped = pieces
                    .into_iter()
                    .map(|(face, range)| self.shape(face, &text[range], backwards));
                runs.extend(shaped);
            }
        }
        Line {
            width: runs.iter().map(|run| run.width).sum(),
            runs,
        }
    }

    /// `text` in lines no wider than `width`, in units of the font's size. Breaks at spaces, and within
    /// a word only where the word alone is too wide.
    pub(super) fn wrap(&self, text: &str, width: f32) -> Vec<Line> {
        let whole = self.line(text);
        if whole.width <= width {
            return vec![whole];
        }
        let mut lines = Vec::new();
        let mut filling = String::new();
        for word in text.split_whitespace() {
            let longer = if filling.is_empty() {
                word.to_owned()
            } else {
                format!("{filling} {word}")
            };
            if self.line(&longer).width <= width {
                filling = longer;
                continue;
            }
            if !filling.is_empty() {
                lines.push(self.line(&filling));
            }
            filling = self.break_word(word, width, &mut lines);
        }
        lines.push(self.line(&filling));
        lines
    }

    /// Puts into `lines` what of `word` fills whole lines; the rest.
    fn break_word(&self, word: &str, width: f32, lines: &mut Vec<Line>) -> String {
        let mut filling = String::new();
        for c in word.chars() {
            filling.push(c);
            if filling.chars().count() > 1 && self.line(&filling).width > width {
                filling.pop();
                lines.push(self.line(&filling));
                filling.clear();
                filling.push(c);
            }
        }
        filling
    }

    /// `range` of `text` in stretches that one font has. What none has goes with the first.
    fn by_face(&self, text: &str, range: Range<usize>) -> Vec<(usize, Range<usize>)> {
        let mut pieces: Vec<(usize, Range<usize>)> = Vec::new();
        for (offset, c) in text[range.clone()].char_indices() {
            let at = range.start + offset;
            let has = |face: &Face<'_>| face.shaper.glyph_index(c).is_some();
            let face = self.faces.iter().position(has).unwrap_or(0);
            match pieces.last_mut() {
                Some((last, piece)) if *last == face => piece.end = at + c.len_utf8(),
                _ => pieces.push((face, at..at + c.len_utf8())),
            }
        }
        pieces
    }

    fn shape(&self, face: usize, text: &str, backwards: bool) -> Run {
        let shaper = &self.faces[face].shaper;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(if backwards {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        });
        let shaped = rustybuzz::shape(shaper, &[], buffer);
        let em = self.faces[face].units();
        let clusters: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        let glyphs: Vec<Glyph> = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .zip(texts_of(text, &clusters, backwards))
            .map(|((info, position), text)| Glyph {
                id: u16::try_from(info.glyph_id).unwrap_or(0),
                advance: units(position.x_advance) / em,
                offset: (units(position.x_offset) / em, units(position.y_offset) / em),
                text,
            })
            .collect();
        Run {
            face,
            width: glyphs.iter().map(|glyph| glyph.advance).sum(),
            glyphs,
        }
    }
}

/// The text that each glyph stands for, given where in `text` each glyph's cluster begins. In a cluster
/// of several glyphs each takes a character, and the last takes what is left.
fn texts_of(text: &str, clusters: &[usize], backwards: bool) -> Vec<String> {
    let mut texts = vec![String::new(); clusters.len()];
    let mut glyphs: Vec<usize> = (0..clusters.len()).collect();
    if backwards {
        glyphs.reverse();
    }
    for cluster in glyphs.chunk_by(|one, next| clusters[*one] == clusters[*next]) {
        let (Some(first), Some(last)) = (cluster.first(), cluster.last()) else {
            continue;
        };
        let after = clusters.iter().filter(|start| **start > clusters[*first]);
        let end = after.min().copied().unwrap_or(text.len());
        let mut characters = text[clusters[*first]..end].chars();
        for glyph in cluster {
            texts[*glyph].extend(characters.next());
        }
        texts[*last].extend(characters);
    }
    texts
}

impl<'a> Face<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let shaper = rustybuzz::Face::from_slice(bytes, 0)?;
        Some(Self { bytes, shaper })
    }

    /// The font with these glyphs alone, as TrueType.
    pub(super) fn subset(&self, glyphs: &GlyphRemapper) -> Result<Vec<u8>, ReportError> {
        subset(self.bytes, 0, glyphs)
            .map_err(|_| ReportError::Pdf("the font cannot be cut down to the letters in use"))
    }

    /// How wide a glyph is by itself, in units of the font's size.
    pub(super) fn width(&self, glyph: u16) -> f32 {
        let width = self.shaper.glyph_hor_advance(GlyphId(glyph));
        f32::from(width.unwrap_or_default()) / self.units()
    }

    /// Its measures in thousandths of its size, as PDF has them.
    pub(super) fn measures(&self) -> Measures {
        let thousandths = |units: i16| f32::from(units) * 1000.0 / self.units();
        let bounds = self.shaper.global_bounding_box();
        Measures {
            bounds: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(thousandths),
            ascent: thousandths(self.shaper.ascender()),
            descent: thousandths(self.shaper.descender()),
            cap_height: thousandths(
                self.shaper
                    .capital_height()
                    .unwrap_or_else(|| self.shaper.ascender()),
            ),
        }
    }

    /// Units to the font's size.
    fn units(&self) -> f32 {
        units(self.shaper.units_per_em())
    }
}

/// What a PDF wants to know of a font, in thousandths of its size.
pub(super) struct Measures {
    /// Left, bottom, right and top of the box that every glyph fits in.
    pub(super) bounds: [f32; 4],
    /// How far letters go up.
    pub(super) ascent: f32,
    /// How far letters go down; negative.
    pub(super) descent: f32,
    /// How high a capital is.
    pub(super) cap_height: f32,
}

/// Units of a font. They are 16-bit numbers in the file, and sums of few of them.
#[allow(clippy::cast_precision_loss)]
fn units(number: i32) -> f32 {
    number as f32
}

const UNREADABLE: ReportError = ReportError::Pdf("the font that mnetd brings along cannot be read");

/// The characters that are drawn: controls and breaks as spaces, and without those that turn the
/// direction of what follows (UAX 9, explicit formatting).
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .map(|c| match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by a panic
mod tests {
    use super::*;

    fn text_of(line: &Line) -> String {
        let glyphs = line.runs.iter().flat_map(|run| &run.glyphs);
        glyphs.map(|glyph| glyph.text.as_str()).collect()
    }

    const NOWHERE: [&str; 1] = ["/nonexistent.ttf"];

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_nothing() {
        let fonts = Fonts::new(None).unwrap();
        let text = "A withdrawal of Donaudampfschifffahrtsgesellschaftskapitän for medical reasons";
        let lines = fonts.wrap(text, 8.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| line.width <= 8.0));
        let drawn: String = lines.iter().map(text_of).collect();
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&drawn), letters(text));
    }

    #[test]
    fn a_column_too_narrow_for_a_letter_still_ends() {
        let fonts = Fonts::new(None).unwrap();
        assert_eq!(fonts.wrap("WWW", 0.1).len(), 3);
        assert_eq!(fonts.wrap("", 0.1).len(), 1);
    }

    #[test]
    fn letters_of_three_alphabets_need_no_other_font() {
        let texts = ["Łukasz Ångström Ğ", "Ελένη Παπαδοπούλου", "Наталія Ґалаґан"];
        assert!(fallback_for(texts.into_iter(), &[file!()]).is_none());
        let fonts = Fonts::new(None).unwrap();
        for text in texts {
            let line = fonts.line(text);
            let mut glyphs = line.runs.iter().flat_map(|run| &run.glyphs);
            assert!(glyphs.all(|glyph| glyph.id != 0), "{text}");
            assert_eq!(text_of(&line), text);
        }
    }

    #[test]
    fn a_font_that_is_not_there_or_is_none_is_passed_over() {
        assert!(fallback_for(["李"].into_iter(), &NOWHERE).is_none());
        assert!(fallback_for(["李"].into_iter(), &[file!()]).is_none());
    }

    #[test]
    fn right_to_left_stands_from_right_to_left() {
        let fonts = Fonts::new(None).unwrap();
        let line = fonts.line("Ali (علي) Ben");
        assert_eq!(line.runs.len(), 3);
        assert_eq!(text_of(&line), "Ali (يلع) Ben");
    }

    #[test]
    fn each_glyph_stands_for_its_part_of_the_text() {
        // A ligature; a base with two marks; the same from right to left.
        assert_eq!(texts_of("affe", &[0, 1, 3], false), ["a", "ff", "e"]);
        assert_eq!(texts_of("xyz", &[0, 0, 0], false), ["x", "y", "z"]);
        assert_eq!(texts_of("xyz", &[0, 0], false), ["x", "yz"]);
        assert_eq!(texts_of("xy", &[0, 0, 0], false), ["x", "y", ""]);
        assert_eq!(texts_of("abc", &[1, 1, 0], true), ["c", "b", "a"]);
    }

    #[test]
    fn what_turns_the_direction_is_left_out() {
        let text: String = visible("a\u{202E}b\nc\u{2029}d").collect();
        assert_eq!(text, "ab c d");
    }
}
