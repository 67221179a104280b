//! A sheet on paper: A4, with the site, the date and the page at the head of each page, and each table's
//! header again on every page it goes over to.

use std::ops::Range;

use super::ReportError;
use super::document::{Document, HEIGHT, Mark, WIDTH};
use super::fonts::{Fonts, Line, fallback_for, usual_fallbacks};
use super::sheet::{Align, Cell, Column, Sheet, SheetTable};

/// 18 mm, which printers can do and which leaves room for a punch.
const MARGIN: f32 = 51.0;

/// Where the text of a page begins, below the page's head, and where it ends.
const TOP: f32 = MARGIN + 22.0;
const BOTTOM: f32 = HEIGHT - MARGIN;

const TITLE_SIZE: f32 = 16.0;
const HEADING_SIZE: f32 = 11.0;
const TEXT_SIZE: f32 = 9.0;
const SMALL_SIZE: f32 = 8.0;

/// The height of a line in units of the font's size, and how far its baseline lies below its top:
/// `DejaVu`'s ascent and descent are 0.93 and 0.24.
const LINE_HEIGHT: f32 = 1.25;
const BASELINE: f32 = 0.97;

/// Room around the text of a cell.
const PADDING: f32 = 3.0;

/// The height of a table's header, and of a line in its rows.
const HEADER_HEIGHT: f32 = SMALL_SIZE * LINE_HEIGHT + 2.0 * PADDING;
const ROW_LINE: f32 = TEXT_SIZE * LINE_HEIGHT;

/// Room above a table.
const GAP: f32 = 14.0;

/// How wide the names of the facts are.
const FACT_NAME_WIDTH: f32 = 80.0;

/// Shades of grey, from 0 (black) to 255 (white). The text's is dark enough for contrast AA.
const BLACK: u8 = 0;
const TEXT_GREY: u8 = 85;
const RULE_GREY: u8 = 170;
const HEAD_GREY: u8 = 232;

impl Sheet {
    /// The sheet as a PDF. The same sheet gives the same bytes on the same machine.
    ///
    /// Names are drawn with a font that mnetd brings along, and what it lacks (Chinese, Japanese,
    /// Korean) with one of this machine where there is one, else as empty boxes.
    ///
    /// # Errors
    /// [`ReportError::Pdf`].
    pub fn to_pdf(&self) -> Result<Vec<u8>, ReportError> {
        let fallback = fallback_for(self.texts(), usual_fallbacks());
        let fonts = Fonts::new(fallback.as_ref())?;
        let mut layout = Layout::new(&fonts);
        layout.title(&self.title);
        for (name, value) in &self.facts {
            layout.fact(name, value);
        }
        for table in &self.tables {
            layout.table(table);
        }
        let count = layout.pages.len();
        for (index, marks) in layout.pages.iter_mut().enumerate() {
            marks.extend(self.head(&fonts, index + 1, count));
        }
        let document = Document {
            fonts: &fonts,
            title: self.subject(),
            made_at: self.printed_at,
            pages: layout.pages,
        };
        document.to_bytes()
    }

    /// Every text that comes from the register.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let cells = self.tables.iter().flat_map(|table| {
            let cells = table.rows.iter().flatten().map(Cell::as_str);
            let notes = table.notes.iter().map(String::as_str);
            cells.chain(notes).chain([table.heading.as_str()])
        });
        let facts = self.facts.iter().map(|(_, value)| value.as_str());
        cells.chain(facts).chain([self.site.as_str()])
    }

    /// What stands at the head of a page: site, date, page.
    fn head(&self, fonts: &Fonts<'_>, page: usize, pages: usize) -> Vec<Mark> {
        let text = |line: Line, x| Mark::Text {
            line,
            x,
            y: MARGIN + SMALL_SIZE * BASELINE,
            size: SMALL_SIZE,
            grey: TEXT_GREY,
        };
        let number = fonts.line(&format!("Page {page} of {pages}"));
        let number_x = WIDTH - MARGIN - number.width * SMALL_SIZE;
        let date = fonts.line(&self.printed);
        let date_x = (WIDTH - date.width * SMALL_SIZE) / 2.0;
        let room = (date_x - MARGIN - GAP) / SMALL_SIZE;
        let site = fonts.wrap(&self.site, room).into_iter().take(1);
        let rule = Mark::Box {
            x: MARGIN,
            y: MARGIN + SMALL_SIZE * LINE_HEIGHT + PADDING,
            width: WIDTH - 2.0 * MARGIN,
            height: 0.5,
            grey: RULE_GREY,
        };
        site.map(|line| text(line, MARGIN))
            .chain([text(date, date_x), text(number, number_x), rule])
            .collect()
    }

    /// What the file is about: the report, and of whom or what.
    fn subject(&self) -> String {
        let mut facts = self.facts.iter();
        match facts.find(|(what, _)| matches!(*what, "Name" | "Section")) {
            Some((_, name)) => format!("{}: {name}", self.title),
            None => self.title.clone(),
        }
    }
}

/// Puts text on pages, from top to bottom.
struct Layout<'f, 'a> {
    fonts: &'f Fonts<'a>,
    pages: Vec<Vec<Mark>>,
    /// How far down the last page is filled.
    y: f32,
}

/// A column with its place on the page.
struct Place<'c> {
    column: &'c Column,
    x: f32,
    width: f32,
}

impl<'f, 'a> Layout<'f, 'a> {
    fn new(fonts: &'f Fonts<'a>) -> Self {
        Self {
            fonts,
            pages: vec![Vec::new()],
            y: TOP,
        }
    }

    fn title(&mut self, title: &str) {
        self.text(title, MARGIN, TITLE_SIZE, BLACK);
        self.y += PADDING;
    }

    fn fact(&mut self, name: &str, value: &str) {
        let value = self.wrapped(value, WIDTH - 2.0 * MARGIN - FACT_NAME_WIDTH, TEXT_SIZE);
        self.room_for(TEXT_SIZE * LINE_HEIGHT);
        let name = self.fonts.line(name);
        self.put(name, MARGIN, TEXT_SIZE, TEXT_GREY);
        for line in value {
            self.room_for(TEXT_SIZE * LINE_HEIGHT);
            self.put(line, MARGIN + FACT_NAME_WIDTH, TEXT_SIZE, BLACK);
            self.y += TEXT_SIZE * LINE_HEIGHT;
        }
    }

    fn table(&mut self, table: &SheetTable) {
        let places = places(&table.columns);
        let header: Vec<Cell> = table
            .columns
            .iter()
            .map(|column| Cell::text(column.name))
            .collect();
        self.y += GAP;
        self.room_for(self.least_height(table));
        if !table.heading.is_empty() {
            self.text(&table.heading, MARGIN, HEADING_SIZE, BLACK);
        }
        for note in &table.notes {
            self.text(note, MARGIN, SMALL_SIZE, TEXT_GREY);
        }
        self.y += PADDING;
        self.room_for(HEADER_HEIGHT + ROW_LINE + 2.0 * PADDING);
        self.header(&places, &header);
        for row in &table.rows {
            self.row(&places, row, &header);
        }
        if let Some(total) = &table.total {
            self.rule(1.0);
            self.row(&places, total, &header);
        }
        self.rule(0.5);
    }

    /// What of a table must not be parted from its beginning: heading, notes, header, one row.
    #[allow(clippy::cast_precision_loss)] // as many notes as fit a page
    fn least_height(&self, table: &SheetTable) -> f32 {
        let width = WIDTH - 2.0 * MARGIN;
        let lines = |text: &str, size: f32| {
            self.wrapped(text, width, size).len() as f32 * size * LINE_HEIGHT
        };
        let notes: f32 = table.notes.iter().map(|note| lines(note, SMALL_SIZE)).sum();
        lines(&table.heading, HEADING_SIZE) + notes + HEADER_HEIGHT + ROW_LINE + 3.0 * PADDING
    }

    fn header(&mut self, places: &[Place<'_>], header: &[Cell]) {
        let band = Mark::Box {
            x: MARGIN,
            y: self.y,
            width: WIDTH - 2.0 * MARGIN,
            height: HEADER_HEIGHT,
            grey: HEAD_GREY,
        };
        self.mark(band);
        self.y += PADDING;
        for (place, cell) in places.iter().zip(header) {
            let line = self.fonts.line(cell.as_str());
            self.put(
                line.clone(),
                place.x_of(&line, SMALL_SIZE),
                SMALL_SIZE,
                BLACK,
            );
        }
        self.y += HEADER_HEIGHT - PADDING;
    }

    /// A row, on the next page where this one has no room. One that no page has room for is parted.
    fn row(&mut self, places: &[Place<'_>], row: &[Cell], header: &[Cell]) {
        let cells: Vec<Vec<Line>> = places
            .iter()
            .zip(row)
            .map(|(place, cell)| {
                self.wrapped(cell.as_str(), place.width - 2.0 * PADDING, TEXT_SIZE)
            })
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        let fits = lines_below(self.y);
        if fits < lines && (fits == 0 || lines <= lines_below(TOP + HEADER_HEIGHT)) {
            self.next_page_of_table(places, header);
        }
        let mut from = 0;
        while from < lines {
            if from > 0 {
                self.next_page_of_table(places, header);
            }
            let to = lines.min(from + lines_below(self.y).max(1));
            self.part_of_row(places, &cells, from..to);
            from = to;
        }
        self.rule(0.25);
    }

    /// Some of the lines of a row's cells.
    fn part_of_row(&mut self, places: &[Place<'_>], cells: &[Vec<Line>], part: Range<usize>) {
        self.y += PADDING;
        for index in part {
            for (place, lines) in places.iter().zip(cells) {
                if let Some(line) = lines.get(index) {
                    self.put(line.clone(), place.x_of(line, TEXT_SIZE), TEXT_SIZE, BLACK);
                }
            }
            self.y += ROW_LINE;
        }
        self.y += PADDING;
    }

    fn next_page_of_table(&mut self, places: &[Place<'_>], header: &[Cell]) {
        self.next_page();
        self.header(places, header);
    }

    /// Text over the whole width.
    fn text(&mut self, text: &str, x: f32, size: f32, grey: u8) {
        for line in self.wrapped(text, WIDTH - MARGIN - x, size) {
            self.room_for(size * LINE_HEIGHT);
            self.put(line, x, size, grey);
            self.y += size * LINE_HEIGHT;
        }
    }

    fn wrapped(&self, text: &str, width: f32, size: f32) -> Vec<Line> {
        self.fonts.wrap(text, width / size)
    }

    /// A line at the present height, without going on below it.
    fn put(&mut self, line: Line, x: f32, size: f32, grey: u8) {
        let y = self.y + size * BASELINE;
        self.mark(Mark::Text {
            line,
            x,
            y,
            size,
            grey,
        });
    }

    fn rule(&mut self, height: f32) {
        let rule = Mark::Box {
            x: MARGIN,
            y: self.y,
            width: WIDTH - 2.0 * MARGIN,
            height,
            grey: RULE_GREY,
        };
        self.mark(rule);
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Goes on to the next page where this one has less than `height` left.
    fn room_for(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.next_page();
        }
    }

    fn next_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }
}

impl Place<'_> {
    /// Where a line begins so that it stands to its side of the column.
    fn x_of(&self, line: &Line, size: f32) -> f32 {
        match self.column.align {
            Align::Left => self.x + PADDING,
            Align::Right => self.x + self.width - PADDING - line.width * size,
        }
    }
}

/// How many lines of a row have room on a page below `y`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a page is small, and it is no less than 0
fn lines_below(y: f32) -> usize {
    ((BOTTOM - y - 2.0 * PADDING) / ROW_LINE).max(0.0).floor() as usize
}

/// The columns over the width of the page, each with its share.
fn places(columns: &[Column]) -> Vec<Place<'_>> {
    let shares: f32 = columns.iter().map(|column| column.share).sum();
    let mut x = MARGIN;
    columns
        .iter()
        .map(|column| {
            let width = (WIDTH - 2.0 * MARGIN) * column.share / shares;
            let place = Place { column, x, width };
            x += width;
            place
        })
        .collect()
}
