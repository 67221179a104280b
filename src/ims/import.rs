//! Takes a file into the register, or says what that would change.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::convert::{Converted, Converter};
use super::record::Properties;
use super::{ReadError, Reader, Repairs, Skipped};
use crate::clock::Clock;
use crate::exchange::{ExchangeError, Item, Mode, Report, SkippedItem, Taking};
use crate::store::Store;
use crate::store::imports::Brought;

/// How many items are taken up in one transaction. A peer's call waits for one at most: some hundredths of a second.
const BATCH: usize = 2_000;

/// How many batches are read ahead.
const AHEAD: usize = 4;

/// What is to be done with a file.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kind of file, by a name of the school's choice. `None`: what the file says it comes from.
    pub feed: Option<String>,
    /// Whether it is the whole picture.
    pub mode: Mode,
    /// Only say what would change.
    pub preview: bool,
    /// The zone of its dates.
    pub zone: TimeZone,
}

/// What came of a file.
#[derive(Debug)]
pub struct Imported {
    /// What changed.
    pub report: Report,
    /// What was put right.
    pub repairs: Repairs,
    /// Where the file says it comes from.
    pub properties: Properties,
    /// What it is written in.
    pub encoding: &'static str,
    /// Whether it ends before its end.
    pub cut_off: bool,
}

/// What stops an import. What was taken up before stays, and taking the file up again goes on from there.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The reader died.
    #[error(
        "reading the file failed within mnetd; that is a fault of the program, please report it"
    )]
    Reader,
}

/// The feed of files that do not say where they come from.
const NO_NAME: &str = "IMS Enterprise";

/// The longest name of a feed, in characters.
const MAX_FEED: usize = 200;

/// What the reading thread hands on.
struct Batch {
    datasource: Option<String>,
    items: Vec<Converted>,
}

/// What the reading thread knows at the end.
struct Reading {
    repairs: Repairs,
    properties: Properties,
    encoding: &'static str,
    cut_off: bool,
}

/// Takes a file up. `progress` is told how many items were.
///
/// # Errors
/// As [`ImportError`] says.
pub fn import(
    store: &Store,
    clock: &Clock,
    input: impl Read + Send + 'static,
    options: &Options,
    progress: impl FnMut(u64),
) -> Result<Imported, ImportError> {
    let (sender, batches) = sync_channel(AHEAD);
    let zone = options.zone.clone();
    let reading = thread::spawn(move || read(input, zone, &sender));
    let taken = take_up(store, clock, &batches, options, progress);
    // Where taking up failed, the reader must not wait for somebody to take its next batch.
    drop(batches);
    let reading = reading.join().map_err(|_| ImportError::Reader)??;
    let taking = taken?.ok_or(ImportError::Reader)?;
    let taking = finish(store, taking, options, &reading, clock)?;
    Ok(Imported {
        report: taking.into_report(),
        repairs: reading.repairs,
        properties: reading.properties,
        encoding: reading.encoding,
        cut_off: reading.cut_off,
    })
}

/// Reads to the end, or until nobody wants the items.
fn read(
    input: impl Read,
    zone: TimeZone,
    sender: &SyncSender<Batch>,
) -> Result<Reading, ReadError> {
    let mut reader = Reader::new(input)?;
    let mut converter = Converter::new(zone);
    let mut items = Vec::with_capacity(BATCH);
    let mut is_wanted = true;
    while is_wanted && let Some(record) = reader.read()? {
        match record {
            Ok(record) => converter.convert(record, &mut items),
            Err(skipped) => items.push(Err(told(skipped))),
        }
        if items.len() >= BATCH {
            is_wanted = hand_on(&reader, sender, &mut items);
        }
    }
    hand_on(&reader, sender, &mut items);
    Ok(Reading {
        encoding: reader.encoding(),
        cut_off: reader.is_cut_off(),
        properties: reader.properties().clone(),
        repairs: reader.into_repairs(),
    })
}

fn hand_on<R: Read>(
    reader: &Reader<R>,
    sender: &SyncSender<Batch>,
    items: &mut Vec<Converted>,
) -> bool {
    let batch = Batch {
        datasource: reader.properties().datasource.clone(),
        items: std::mem::replace(items, Vec::with_capacity(BATCH)),
    };
    sender.send(batch).is_ok()
}

fn told(skipped: Skipped) -> SkippedItem {
    SkippedItem {
        line: skipped.line,
        what: skipped.what.to_owned(),
        id: skipped.id,
        reason: skipped.problem.to_string(),
    }
}

fn take_up(
    store: &Store,
    clock: &Clock,
    batches: &Receiver<Batch>,
    options: &Options,
    mut progress: impl FnMut(u64),
) -> Result<Option<Taking>, ImportError> {
    let mut taking = None;
    let mut count = 0;
    for batch in batches {
        let begun = match taking {
            Some(begun) => begun,
            None => begin(store, clock, options, batch.datasource)?,
        };
        count += u64::try_from(batch.items.len()).unwrap_or_default();
        taking = Some(step(store, begun, batch.items, options.preview)?);
        progress(count);
    }
    Ok(taking)
}

fn begin(
    store: &Store,
    clock: &Clock,
    options: &Options,
    datasource: Option<String>,
) -> Result<Taking, ImportError> {
    let name = options.feed.clone().or(datasource);
    let name: String = name
        .unwrap_or_else(|| NO_NAME.to_owned())
        .chars()
        .take(MAX_FEED)
        .collect();
    let now = clock.now();
    let begun: Result<Taking, ExchangeError> = if options.preview {
        store.read_blocking(|tx| Taking::preview(tx, &name, now))
    } else {
        store.write_blocking(move |tx| Taking::begin(tx, &name, now))
    };
    Ok(begun?)
}

fn step(
    store: &Store,
    mut taking: Taking,
    items: Vec<Converted>,
    preview: bool,
) -> Result<Taking, ExchangeError> {
    if preview {
        return store.read_blocking(|tx| {
            for item in items {
                each(&mut taking, item, |taking, item| taking.look(tx, item))?;
            }
            Ok(taking)
        });
    }
    store.write_blocking(move |tx| {
        for item in items {
            each(&mut taking, item, |taking, item| taking.take(tx, item))?;
        }
        Ok(taking)
    })
}

fn each(
    taking: &mut Taking,
    item: Converted,
    handle: impl FnOnce(&mut Taking, Item) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    match item {
        Ok(item) => handle(taking, item),
        Err(skipped) => {
            taking.skipped(skipped);
            Ok(())
        }
    }
}

/// What waited for the end of the file, and what is absent from it.
fn finish(
    store: &Store,
    mut taking: Taking,
    options: &Options,
    reading: &Reading,
    clock: &Clock,
) -> Result<Taking, ExchangeError> {
    taking = if options.preview {
        store.read_blocking(|tx| taking.look_at_waiting(tx).map(|()| taking))?
    } else {
        store.write_blocking(move |tx| taking.take_waiting(tx).map(|()| taking))?
    };
    if options.mode == Mode::Update {
        return Ok(taking);
    }
    let day = Timestamp::from_second(clock.now().0).map_or_else(
        |_| String::new(),
        |at| options.zone.to_datetime(at).date().to_string(),
    );
    let note = format!("not in the file “{}” of {day}", taking.report().feed);
    // From the leaves inwards: memberships of a section that goes end with their own note.
    for what in [
        Brought::Memberships,
        Brought::Parts,
        Brought::Sections,
        Brought::People,
    ] {
        let rows = store
            .read_blocking(|tx| taking.find_absent(tx, what, options.mode, reading.cut_off))?;
        if options.preview {
            continue;
        }
        for page in rows.chunks(BATCH) {
            let (page, note) = (page.to_vec(), note.clone());
            taking = store.write_blocking(move |tx| {
                taking.drop_absent(tx, what, &page, &note).map(|()| taking)
            })?;
        }
    }
    Ok(taking)
}
