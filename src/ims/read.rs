//! Reads a file record by record.
//!
//! The file may be broken XML in the ways such files are: what can be read as it was meant is ([`Repair`]), a record that
//! cannot is handed out as a [`Skipped`] one, and the next is looked for.

use std::io::{self, Read};
use std::sync::Arc;

use quick_xml::escape::{resolve_html5_entity, resolve_xml_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader as XmlReader, XmlVersion};
use thiserror::Error;

use super::element::{Tree, local};
use super::fields;
use super::record::{Properties, Record, SourcedId};
use super::repair::{Problem, Repair, Repairs};
use super::text::Text;

/// The longest record there may be, in bytes as held in memory. A person of a school's system has one or two kilobytes; a
/// record that is not ended would take in the rest of the file.
pub const MAX_RECORD: usize = 1024 * 1024;

/// The longest text, tag or comment there may be, in bytes: the parser holds each in memory. A comment may hide a part
/// of a file.
const MAX_TOKEN: u64 = 32 * 1024 * 1024;

/// How deep elements may stand in each other: the specification's go to seven.
pub const MAX_DEPTH: usize = 64;

/// Why nothing more can be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read, or is in an unknown encoding.
    #[error("the file cannot be read: {0}")]
    Input(#[from] io::Error),
    /// No XML at all.
    #[error(
        "line {line}: this is no XML that can be read on ({reason}); expected an IMS Enterprise file, which begins with <enterprise>"
    )]
    NotXml {
        /// Where.
        line: u64,
        /// The parser's words.
        reason: String,
    },
    /// XML of another kind.
    #[error(
        "the file holds <{0}>; expected an IMS Enterprise file, which begins with <enterprise>"
    )]
    NotEnterprise(String),
    /// Nothing in it.
    #[error("the file is empty; expected an IMS Enterprise file, which begins with <enterprise>")]
    Empty,
}

/// A record that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The line it begins on.
    pub line: u64,
    /// `person`, `group`, `member`.
    pub what: &'static str,
    /// Its id, as far as it has one.
    pub id: String,
    /// Why.
    pub problem: Problem,
}

/// Reads records.
pub struct Reader<R: Read> {
    xml: XmlReader<Text<R>>,
    buffer: Vec<u8>,
    tree: Tree,
    place: Place,
    /// The kind of the record that is being read.
    kind: Option<Kind>,
    /// That record was given up; its end is still looked for.
    given_up: bool,
    group: Option<Arc<SourcedId>>,
    properties: Properties,
    repairs: Repairs,
    cut_off: bool,
    at_end: bool,
}

/// Which element a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Properties,
    Person,
    Group,
    /// The `sourcedid` of a `membership`.
    MembershipId,
    Member,
}

/// Where between records the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    Enterprise,
    Membership,
    After,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Properties => "properties",
            Self::Person => "person",
            Self::Group => "group",
            Self::MembershipId => "sourcedid",
            Self::Member => "member",
        }
    }
}

impl<R: Read> Reader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// Where the input cannot be read, or declares an encoding that nobody knows.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let mut xml = XmlReader::from_reader(Text::new(input)?);
        let config = xml.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Ok(Self {
            xml,
            buffer: Vec::new(),
            tree: Tree::default(),
            place: Place::Before,
            kind: None,
            given_up: false,
            group: None,
            properties: Properties::default(),
            repairs: Repairs::default(),
            cut_off: false,
            at_end: false,
        })
    }

    /// The next record, or one that cannot be used; `None`: there are no more.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn read(&mut self) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        while !self.at_end {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let outcome = self.step(&mut buffer);
            self.buffer = buffer;
            if let Some(record) = outcome? {
                self.note_wrong_bytes();
                return Ok(Some(record));
            }
        }
        self.note_wrong_bytes();
        Ok(None)
    }

    /// Where the file says it comes from; complete once the first record was read.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// What was put right so far.
    pub fn repairs(&self) -> &Repairs {
        &self.repairs
    }

    /// [`Reader::repairs`], at the end.
    pub fn into_repairs(self) -> Repairs {
        self.repairs
    }

    /// Whether the file ended before its end: then nobody is absent from it.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// What the file is written in.
    pub fn encoding(&self) -> &'static str {
        self.xml.get_ref().encoding()
    }

    /// The line that is being read.
    pub fn line(&self) -> u64 {
        self.xml.get_ref().line()
    }

    fn step(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        self.xml.get_mut().allow(MAX_TOKEN);
        let event = match self.xml.read_event_into(buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                return Err(io::Error::new(error.kind(), error.to_string()).into());
            }
            Err(error) => return self.broken(&error),
        };
        match event {
            Event::Start(tag) => self.start(&tag, false),
            Event::Empty(tag) => self.start(&tag, true),
            Event::End(tag) => Ok(self.end(tag.name().as_ref())),
            Event::Text(text) => Ok(self.text(&text)),
            Event::CData(text) => Ok(self.text(&text)),
            Event::GeneralRef(name) => {
                self.reference(&name);
                Ok(None)
            }
            Event::Eof => self.end_of_file(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Ok(None),
        }
    }

    /// The parser cannot go on: mostly the file ends within a tag or a comment.
    fn broken(
        &mut self,
        error: &quick_xml::Error,
    ) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        if self.place == Place::Before || self.place == Place::After {
            return Err(ReadError::NotXml {
                line: self.line(),
                reason: error.to_string(),
            });
        }
        self.cut_off = true;
        self.end_of_file()
    }

    fn end_of_file(&mut self) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        self.at_end = true;
        match self.place {
            Place::Before => Err(ReadError::Empty),
            Place::After => Ok(None),
            Place::Enterprise | Place::Membership => {
                self.cut_off = true;
                let kind = self.kind.take();
                Ok(kind.and_then(|kind| self.skipped(kind, Problem::CutOff)))
            }
        }
    }

    fn start(
        &mut self,
        tag: &BytesStart<'_>,
        is_empty: bool,
    ) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        let name = tag.name();
        let name = name.as_ref();
        if let Some(kind) = self.kind {
            // A record within a record: the end of the one before is missing.
            if begins_record(local(name)) && !self.belongs_within(kind, local(name)) {
                let line = self.line();
                self.repairs
                    .note(Repair::NotEnded(kind.name().to_owned()), line);
                while self.tree.depth() > 0 {
                    self.tree.close();
                }
                let before = self.finish(kind);
                self.begin(tag, is_empty)?;
                return Ok(before);
            }
            return Ok(self.within(kind, tag, is_empty));
        }
        self.begin(tag, is_empty)
    }

    /// Extensions may hold anything.
    fn belongs_within(&self, kind: Kind, name: &str) -> bool {
        self.tree.levels_to("extension").is_some()
            || (kind != Kind::Member && name.eq_ignore_ascii_case("member"))
    }

    /// An element between records.
    fn begin(
        &mut self,
        tag: &BytesStart<'_>,
        is_empty: bool,
    ) -> Result<Option<Result<Record, Skipped>>, ReadError> {
        let name = tag.name();
        let name = local(name.as_ref()).to_ascii_lowercase();
        let kind = match (self.place, name.as_str()) {
            (Place::Before, "enterprise") => {
                self.place = if is_empty {
                    Place::After
                } else {
                    Place::Enterprise
                };
                return Ok(None);
            }
            (Place::Before, _) => return Err(ReadError::NotEnterprise(name)),
            (Place::Enterprise | Place::Membership, "membership") => {
                self.group = None;
                self.place = if is_empty {
                    Place::Enterprise
                } else {
                    Place::Membership
                };
                return Ok(None);
            }
            (Place::Enterprise, "properties") => Kind::Properties,
            (Place::Enterprise | Place::Membership, "person") => Kind::Person,
            (Place::Enterprise | Place::Membership, "group") => Kind::Group,
            (Place::Membership, "sourcedid") => Kind::MembershipId,
            (Place::Membership, "member") => Kind::Member,
            // What stands between records and is none, such as comments of a membership.
            _ => return Ok(None),
        };
        if matches!(kind, Kind::Person | Kind::Group) {
            self.place = Place::Enterprise;
        }
        self.tree.clear();
        self.given_up = false;
        self.kind = Some(kind);
        Ok(self.within(kind, tag, is_empty))
    }

    /// An element of a record, or the record itself.
    fn within(
        &mut self,
        kind: Kind,
        tag: &BytesStart<'_>,
        is_empty: bool,
    ) -> Option<Result<Record, Skipped>> {
        let line = self.line();
        if self.given_up {
            return None;
        }
        let name = tag.name();
        self.tree.open(name.as_ref(), line);
        self.attributes(tag, line);
        if self.tree.size() > MAX_RECORD || self.tree.depth() > MAX_DEPTH {
            let problem = if self.tree.depth() > MAX_DEPTH {
                Problem::TooDeep
            } else {
                Problem::TooLong
            };
            return self.give_up(kind, problem);
        }
        if is_empty {
            self.tree.close();
            if self.tree.depth() == 0 {
                self.kind = None;
                return self.finish(kind);
            }
        }
        None
    }

    fn attributes(&mut self, tag: &BytesStart<'_>, line: u64) {
        for attribute in tag.html_attributes().with_checks(false) {
            let Ok(attribute) = attribute else {
                let name = tag.name().as_ref().to_owned();
                self.repairs.note(Repair::Attribute(name), line);
                continue;
            };
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .unwrap_or_else(|_| attribute.value.clone());
            self.tree.attribute(attribute.key.as_ref(), &value);
        }
    }

    fn end(&mut self, name: &str) -> Option<Result<Record, Skipped>> {
        let line = self.line();
        let Some(kind) = self.kind else {
            match (self.place, local(name).to_ascii_lowercase().as_str()) {
                (Place::Membership, "membership") => self.place = Place::Enterprise,
                (Place::Enterprise | Place::Membership, "enterprise") => self.place = Place::After,
                _ => {}
            }
            return None;
        };
        if self.given_up {
            if local(name).eq_ignore_ascii_case(kind.name()) {
                self.kind = None;
            }
            return None;
        }
        let Some(levels) = self.tree.levels_to(name) else {
            return self.stray_end(kind, name, line);
        };
        for level in 1..=levels {
            if level < levels {
                self.repairs
                    .note(Repair::NotEnded("in a record".to_owned()), line);
            }
            self.tree.close();
        }
        if self.tree.depth() > 0 {
            return None;
        }
        self.kind = None;
        self.finish(kind)
    }

    /// The end of something that is not open in the record: mostly of what is around it, where the record is not ended.
    fn stray_end(&mut self, kind: Kind, name: &str, line: u64) -> Option<Result<Record, Skipped>> {
        let is_around = ["membership", "enterprise"]
            .iter()
            .any(|around| local(name).eq_ignore_ascii_case(around));
        if !is_around {
            let name = local(name).chars().take(40).collect();
            self.repairs.note(Repair::StrayEnd(name), line);
            return None;
        }
        self.repairs
            .note(Repair::NotEnded(kind.name().to_owned()), line);
        while self.tree.depth() > 0 {
            self.tree.close();
        }
        self.kind = None;
        let record = self.finish(kind);
        self.end(name);
        record
    }

    fn text(&mut self, text: &str) -> Option<Result<Record, Skipped>> {
        let kind = self.kind.filter(|_| !self.given_up)?;
        if text.bytes().any(is_forbidden) {
            let line = self.line();
            self.repairs.note(Repair::ControlCharacter, line);
            let clean: String = text.chars().filter(|c| !is_control(*c)).collect();
            self.tree.push_text(&clean);
        } else {
            self.tree.push_text(text);
        }
        if self.tree.size() > MAX_RECORD {
            return self.give_up(kind, Problem::TooLong);
        }
        None
    }

    fn reference(&mut self, name: &BytesRef<'_>) {
        if self.kind.is_none() || self.given_up {
            return;
        }
        let line = self.line();
        if let Ok(Some(character)) = name.resolve_char_ref() {
            if is_control(character) {
                self.repairs.note(Repair::ControlCharacter, line);
            } else {
                self.tree.push_text(character.encode_utf8(&mut [0; 4]));
            }
            return;
        }
        if let Some(text) = resolve_xml_entity(name) {
            self.tree.push_text(text);
            return;
        }
        let shown: String = name.chars().take(40).collect();
        if let Some(text) = resolve_html5_entity(name) {
            self.tree.push_text(text);
            self.repairs.note(Repair::HtmlEntity(shown), line);
        } else {
            self.tree.push_text("&");
            self.tree.push_text(name);
            self.tree.push_text(";");
            self.repairs.note(Repair::UnknownEntity(shown), line);
        }
    }

    /// Turns the tree into a record.
    fn finish(&mut self, kind: Kind) -> Option<Result<Record, Skipped>> {
        if self.given_up {
            return None;
        }
        let root = self.tree.root()?;
        let repairs = &mut self.repairs;
        let record = match kind {
            Kind::Properties => {
                self.properties = fields::properties(root);
                return None;
            }
            Kind::MembershipId => {
                self.group = fields::sourcedid(root, repairs).map(Arc::new);
                return None;
            }
            Kind::Person => fields::person(root, repairs).map(Record::Person),
            Kind::Group => fields::group(root, repairs).map(Record::Group),
            Kind::Member => match &self.group {
                Some(group) => fields::member(root, group, repairs).map(Record::Member),
                None => Err(Problem::NoGroup),
            },
        };
        match record {
            Ok(record) => Some(Ok(record)),
            Err(problem) => self.skipped(kind, problem),
        }
    }

    fn give_up(&mut self, kind: Kind, problem: Problem) -> Option<Result<Record, Skipped>> {
        let skipped = self.skipped(kind, problem);
        self.given_up = true;
        skipped
    }

    fn skipped(&mut self, kind: Kind, problem: Problem) -> Option<Result<Record, Skipped>> {
        let root = self.tree.root()?;
        let id = root
            .first("sourcedid")
            .and_then(|sourcedid| sourcedid.value("id"));
        Some(Err(Skipped {
            line: root.line(),
            what: kind.name(),
            id: id.unwrap_or_default().chars().take(255).collect(),
            problem,
        }))
    }

    fn note_wrong_bytes(&mut self) {
        let encoding = self.encoding();
        let (lines, count) = self.xml.get_mut().take_wrong();
        for line in lines
            .iter()
            .take(usize::try_from(count).unwrap_or(usize::MAX))
        {
            self.repairs.note(Repair::WrongBytes(encoding), *line);
        }
    }
}

fn begins_record(name: &str) -> bool {
    ["person", "group", "membership", "member"]
        .iter()
        .any(|record| name.eq_ignore_ascii_case(record))
}

/// Bytes that begin or are a character which XML forbids.
fn is_forbidden(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn is_control(character: char) -> bool {
    (character < ' ' && !matches!(character, '\t' | '\n' | '\r'))
        || ('\u{7f}'..='\u{9f}').contains(&character)
}
