//! Marks on pages as a PDF file (ISO 32000-1), with the fonts cut down to the glyphs in use and the text
//! behind them, so that it can be searched and copied.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use super::ReportError;
use super::fonts::{Face, Fonts, Glyph, Line, Run};
use crate::clock::UnixTime;

/// A4 in points (ISO 216: 210 × 297 mm; a point is 1/72 inch).
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;

/// As zlib itself has it: harder takes twice the time for a hundredth of the size.
const COMPRESSION: u8 = 6;

/// A glyph less far from where the one before it leads to, in units of the font's size, stands there.
const CLOSE_ENOUGH: f32 = 0.0005;

/// What a glyph says that stands for a character the fonts lack.
const LACKING: &str = "\u{FFFD}";

/// The width of a stem, which nothing that embeds its font goes by; the format asks for a number.
const STEM: f32 = 80.0;

const SYSTEM_INFO: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// A document to be written.
pub(super) struct Document<'f, 'a> {
    /// What its lines are made with.
    pub(super) fonts: &'f Fonts<'a>,
    /// What it is about.
    pub(super) title: String,
    /// When it was made.
    pub(super) made_at: UnixTime,
    /// What stands on each page.
    pub(super) pages: Vec<Vec<Mark>>,
}

/// Something on a page; measures are points from the upper left corner.
pub(super) enum Mark {
    /// A line of text, by the left end of its baseline.
    Text {
        /// The line.
        line: Line,
        /// From the left.
        x: f32,
        /// From above.
        y: f32,
        /// The font's size in points.
        size: f32,
        /// From 0 (black) to 255 (white).
        grey: u8,
    },
    /// A filled box, by its upper left corner.
    Box {
        /// From the left.
        x: f32,
        /// From above.
        y: f32,
        /// To the right.
        width: f32,
        /// Downwards.
        height: f32,
        /// From 0 (black) to 255 (white).
        grey: u8,
    },
}

/// The glyphs in use of one font.
#[derive(Default)]
struct InUse {
    remapper: GlyphRemapper,
    /// By the number in the file: the width by itself, and the text.
    glyphs: Vec<(f32, String)>,
}

/// Gives out the numbers of the objects in the file.
struct Numbers(i32);

impl Numbers {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

impl Document<'_, '_> {
    /// The file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ReportError> {
        let faces = self.fonts.faces();
        let mut in_use: Vec<InUse> = faces.iter().map(InUse::new).collect();
        let contents: Vec<Vec<u8>> = self
            .pages
            .iter()
            .map(|marks| content(marks, faces, &mut in_use))
            .collect();
        let mut numbers = Numbers(0);
        let (catalog, tree) = (numbers.next(), numbers.next());
        let mut pdf = Pdf::new();
        pdf.catalog(catalog)
            .pages(tree)
            .lang(TextStr("en"))
            .viewer_preferences()
            .display_doc_title(true);
        self.info(&mut pdf, numbers.next());
        let pages: Vec<Ref> = contents
            .iter()
            .map(|content| write_page(&mut pdf, &mut numbers, tree, content))
            .collect();
        let mut fonts = Vec::new();
        for (index, (face, used)) in faces.iter().zip(&in_use).enumerate() {
            fonts.push(write_font(&mut pdf, &mut numbers, index, face, used)?);
        }
        write_tree(&mut pdf, tree, &pages, &fonts);
        Ok(pdf.finish())
    }

    fn info(&self, pdf: &mut Pdf, id: Ref) {
        let mut info = pdf.document_info(id);
        info.title(TextStr(&self.title));
        info.creator(TextStr("mnetd"));
        if let Some(date) = date(self.made_at) {
            info.creation_date(date);
        }
    }
}

fn date(at: UnixTime) -> Option<Date> {
    let at = Timestamp::from_second(at.0).ok()?;
    let at = at.to_zoned_datetime(TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).ok();
    Some(
        Date::new(u16::try_from(at.year()).ok()?)
            .month(small(at.month())?)
            .day(small(at.day())?)
            .hour(small(at.hour())?)
            .minute(small(at.minute())?)
            .second(small(at.second())?)
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}

fn content(marks: &[Mark], faces: &[Face<'_>], in_use: &mut [InUse]) -> Vec<u8> {
    let mut content = Content::new();
    for mark in marks {
        match mark {
            Mark::Text {
                line,
                x,
                y,
                size,
                grey,
            } => {
                content.set_fill_gray(f32::from(*grey) / 255.0);
                let mut x = *x;
                for run in &line.runs {
                    let used = &mut in_use[run.face];
                    show(
                        &mut content,
                        run,
                        &faces[run.face],
                        used,
                        (x, HEIGHT - y),
                        *size,
                    );
                    x += run.width * size;
                }
            }
            Mark::Box {
                x,
                y,
                width,
                height,
                grey,
            } => {
                content.set_fill_gray(f32::from(*grey) / 255.0);
                content.rect(*x, HEIGHT - y - height, *width, *height);
                content.fill_nonzero();
            }
        }
    }
    content.finish().into_vec()
}

/// Shows a run with its baseline beginning at a point from the lower left corner. Glyphs that follow
/// each other by their own widths are one string.
fn show(
    content: &mut Content,
    run: &Run,
    face: &Face<'_>,
    used: &mut InUse,
    (x, y): (f32, f32),
    size: f32,
) {
    content.begin_text();
    content.set_font(Name(font_name(run.face).as_bytes()), size);
    let mut string: Vec<u8> = Vec::new();
    // In units of the font's size: where the next glyph belongs, and where the string leads to.
    let mut pen = 0.0;
    let mut led_to = (f32::NAN, f32::NAN);
    for glyph in &run.glyphs {
        let place = (pen + glyph.offset.0, glyph.offset.1);
        let follows =
            (place.0 - led_to.0).abs() < CLOSE_ENOUGH && (place.1 - led_to.1).abs() < CLOSE_ENOUGH;
        if !follows {
            if !string.is_empty() {
                content.show(Str(&string));
                string.clear();
            }
            let (x, y) = (x + place.0 * size, y + place.1 * size);
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, y]);
        }
        string.extend(used.number(glyph, face).to_be_bytes());
        led_to = (place.0 + face.width(glyph.id), place.1);
        pen += glyph.advance;
    }
    if !string.is_empty() {
        content.show(Str(&string));
    }
    content.end_text();
}

impl InUse {
    fn new(face: &Face<'_>) -> Self {
        Self {
            remapper: GlyphRemapper::new(),
            glyphs: vec![(face.width(0), LACKING.to_owned())],
        }
    }

    /// The number of a glyph in the file, which it is given here where it has none yet.
    fn number(&mut self, glyph: &Glyph, face: &Face<'_>) -> u16 {
        let number = self.remapper.remap(glyph.id);
        if usize::from(number) == self.glyphs.len() {
            self.glyphs.push((face.width(glyph.id), glyph.text.clone()));
        }
        number
    }
}

fn write_page(pdf: &mut Pdf, numbers: &mut Numbers, tree: Ref, content: &[u8]) -> Ref {
    let (page, stream) = (numbers.next(), numbers.next());
    pdf.page(page).parent(tree).contents(stream);
    pdf.stream(stream, &compress_to_vec_zlib(content, COMPRESSION))
        .filter(Filter::FlateDecode);
    page
}

/// What all pages share: their size and the fonts.
fn write_tree(pdf: &mut Pdf, tree: Ref, pages: &[Ref], fonts: &[Ref]) {
    let mut writer = pdf.pages(tree);
    writer
        .kids(pages.iter().copied())
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX))
        .media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
    let mut resources = writer.resources();
    let mut dictionary = resources.fonts();
    for (index, font) in fonts.iter().enumerate() {
        dictionary.pair(Name(font_name(index).as_bytes()), font);
    }
}

/// The name of a font on the pages.
fn font_name(index: usize) -> String {
    format!("F{index}")
}

/// A font with two-byte glyph numbers (ISO 32000-1, 9.7): glyphs, widths, measures, and the text.
fn write_font(
    pdf: &mut Pdf,
    numbers: &mut Numbers,
    index: usize,
    face: &Face<'_>,
    used: &InUse,
) -> Result<Ref, ReportError> {
    let (font, cid_font) = (numbers.next(), numbers.next());
    let (descriptor, cmap, file) = (numbers.next(), numbers.next(), numbers.next());
    // A subset's name begins with six capitals (ISO 32000-1, 9.6.4).
    let name = format!("MNETD{}+Report{index}", if index == 0 { 'A' } else { 'B' });
    let name = Name(name.as_bytes());
    pdf.type0_font(font)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid_font)
        .to_unicode(cmap);
    let mut writer = pdf.cid_font(cid_font);
    writer
        .subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(SYSTEM_INFO)
        .font_descriptor(descriptor)
        .default_width(0.0)
        .cid_to_gid_map_predefined(Name(b"Identity"))
        .widths()
        .consecutive(0, used.glyphs.iter().map(|(width, _)| width * 1000.0));
    writer.finish();
    let measures = face.measures();
    let [left, bottom, right, top] = measures.bounds;
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(measures.ascent)
        .descent(measures.descent)
        .cap_height(measures.cap_height)
        .stem_v(STEM)
        .font_file2(file);
    let mut texts = UnicodeCmap::new(Name(b"Text"), SYSTEM_INFO);
    for (number, (_, text)) in (0_u16..).zip(&used.glyphs) {
        if !text.is_empty() {
            texts.pair_with_multiple(number, text.chars());
        }
    }
    pdf.cmap(cmap, &compress_to_vec_zlib(&texts.finish(), COMPRESSION))
        .filter(Filter::FlateDecode);
    let subset = face.subset(&used.remapper)?;
    pdf.stream(file, &compress_to_vec_zlib(&subset, COMPRESSION))
        .filter(Filter::FlateDecode)
        .pair(
            Name(b"Length1"),
            i32::try_from(subset.len()).unwrap_or(i32::MAX),
        );
    Ok(font)
}
