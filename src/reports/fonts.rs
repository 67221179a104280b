//! Text as glyphs of a font: which font has a character, in which order they stand, how wide they are.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use krilla::geom::Point;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::BidiInfo;

use super::ReportError;

/// The font `DejaVu` Sans Condensed 2.37: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic among
/// others. Its licence lies beside it.
const OWN_FONT: &[u8] = include_bytes!("../../assets/fonts/DejaVuSansCondensed.ttf");

/// Fonts for Chinese, Japanese and Korean where Debian's packages fonts-droid-fallback,
/// fonts-wqy-microhei, fonts-wqy-zenhei and fonts-noto-cjk put them, the smaller ones first: the
/// whole file is held while a report that needs it is made.
const FALLBACK_FONTS: [&str; 4] = [
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
];

/// Noto Sans CJK, the largest of [`FALLBACK_FONTS`], has 19 MB.
const MAX_FALLBACK_BYTES: u64 = 24 * 1024 * 1024;

/// The bytes of a font found on this machine.
pub(super) type FontBytes = Arc<Vec<u8>>;

/// The fonts of a document: our own, and one of this machine for what ours lacks.
pub(super) struct Fonts<'a> {
    faces: Vec<Face<'a>>,
}

struct Face<'a> {
    font: Font,
    shaper: rustybuzz::Face<'a>,
}

/// A line of text as it is drawn.
#[derive(Clone)]
pub(super) struct Line {
    runs: Vec<Run>,
    /// Its width in units of the font's size.
    pub(super) width: f32,
}

/// A stretch of one font and one direction.
#[derive(Clone)]
struct Run {
    face: usize,
    text: String,
    glyphs: Vec<KrillaGlyph>,
    width: f32,
}

/// A font of this machine, where one of `texts` has a character that ours lacks; `None` also where the
/// machine has no such font.
pub(super) fn fallback_for<'t>(
    mut texts: impl Iterator<Item = &'t str>,
    candidates: &[impl AsRef<Path>],
) -> Option<FontBytes> {
    let own = rustybuzz::Face::from_slice(OWN_FONT, 0)?;
    let lacking = texts.any(|text| visible(text).any(|c| own.glyph_index(c).is_none()));
    if !lacking {
        return None;
    }
    candidates.iter().find_map(|path| {
        let size = fs::metadata(path).ok()?.len();
        let bytes = (size <= MAX_FALLBACK_BYTES)
            .then(|| fs::read(path).ok())
            .flatten()?;
        rustybuzz::Face::from_slice(&bytes, 0)?;
        Some(Arc::new(bytes))
    })
}

/// Where [`fallback_for`] looks.
pub(super) const fn usual_fallbacks() -> &'static [&'static str] {
    &FALLBACK_FONTS
}

impl<'a> Fonts<'a> {
    /// Our own font, with `fallback` behind it.
    pub(super) fn new(fallback: Option<&'a FontBytes>) -> Result<Self, ReportError> {
        let own = Face {
            font: Font::new(OWN_FONT.into(), 0).ok_or(UNREADABLE)?,
            shaper: rustybuzz::Face::from_slice(OWN_FONT, 0).ok_or(UNREADABLE)?,
        };
        let fallback = fallback.and_then(|bytes| {
            Some(Face {
                font: Font::new(Arc::clone(bytes).into(), 0)?,
                shaper: rustybuzz::Face::from_slice(bytes, 0)?,
            })
        });
        Ok(Self {
            faces: std::iter::once(own).chain(fallback).collect(),
        })
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

    /// Draws a line with its baseline beginning at `(x, y)`.
    pub(super) fn draw(&self, surface: &mut Surface<'_>, line: &Line, x: f32, y: f32, size: f32) {
        let mut x = x;
        for run in &line.runs {
            surface.draw_glyphs(
                Point::from_xy(x, y),
                &run.glyphs,
                self.faces[run.face].font.clone(),
                &run.text,
                size,
                false,
            );
            x += run.width * size;
        }
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

    #[allow(clippy::cast_precision_loss)] // advances are 16-bit numbers
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
        let em = shaper.units_per_em() as f32;
        let mut starts: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        starts.push(text.len());
        starts.sort_unstable();
        let glyphs: Vec<KrillaGlyph> = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .map(|(info, position)| {
                let start = info.cluster as usize;
                let next = starts.partition_point(|other| *other <= start);
                KrillaGlyph::new(
                    GlyphId::new(info.glyph_id),
                    position.x_advance as f32 / em,
                    position.x_offset as f32 / em,
                    position.y_offset as f32 / em,
                    position.y_advance as f32 / em,
                    start..starts.get(next).copied().unwrap_or(text.len()),
                    None,
                )
            })
            .collect();
        let advances = shaped.glyph_positions().iter().map(|one| one.x_advance);
        Run {
            face,
            text: text.to_owned(),
            width: advances.sum::<i32>() as f32 / em,
            glyphs,
        }
    }
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

    const NOWHERE: [&str; 1] = ["/nonexistent.ttf"];

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_nothing() {
        let fonts = Fonts::new(None).unwrap();
        let text = "A withdrawal of Donaudampfschifffahrtsgesellschaftskapitän for medical reasons";
        let lines = fonts.wrap(text, 8.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| line.width <= 8.0));
        let drawn: String = lines
            .iter()
            .flat_map(|line| line.runs.iter().map(|run| run.text.as_str()))
            .collect();
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
            let missing = GlyphId::new(0);
            let all_there = line.runs.iter().all(|run| {
                use krilla::text::Glyph;
                run.glyphs.iter().all(|glyph| glyph.glyph_id() != missing)
            });
            assert!(all_there, "{text}");
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
        let first_of_each: Vec<&str> = line.runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(first_of_each, ["Ali (", "علي", ") Ben"]);
        let ranges: Vec<usize> = line.runs[1]
            .glyphs
            .iter()
            .map(|glyph| krilla::text::Glyph::text_range(glyph).start)
            .collect();
        assert!(ranges.is_sorted_by(|one, next| one > next), "{ranges:?}");
    }

    #[test]
    fn what_turns_the_direction_is_left_out() {
        let text: String = visible("a\u{202E}b\nc\u{2029}d").collect();
        assert_eq!(text, "ab c d");
    }
}
