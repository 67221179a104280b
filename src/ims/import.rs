//! Takes a file into the register, or says what that would change.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::convert::{Converted, Converter};
use super::record::Properties;
use super::{ReadError, Reader, Repairs, Skipped};
use crate::clock::Clock;
use crate::exchange::{ExchangeError, Item, Mode, Report, SkippedItem, Taking};
use crate::store::imports::Brought;
use crate::store::{ReadTx, Store, WriteTx};

/// How many items the reading thread hands over at a time.
const BATCH: usize = 1_000;

/// How many batches are read ahead.
const AHEAD: usize = 4;

/// How long batches go into one transaction: a peer's call that comes meanwhile waits as long. The longer, the fewer pages
/// of the database are written twice.
const HELD: Duration = Duration::from_millis(300);

/// How long a transaction waits for a batch that is still being read, before it lets others have their turn.
const PATIENCE: Duration = Duration::from_millis(10);

/// How many absent rows are taken out in one transaction.
const PAGE: usize = 2_000;

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
    // The channel goes with it: where taking up fails, the reader must not wait for somebody to take its next batch.
    let _room = if options.preview {
        None
    } else {
        Some(store.bulk().map_err(ExchangeError::from)?)
    };
    let taken = take_up(store, clock, batches, options, progress);
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
    batches: Receiver<Batch>,
    options: &Options,
    mut progress: impl FnMut(u64),
) -> Result<Option<Taking>, ImportError> {
    let Ok(first) = batches.recv() else {
        return Ok(None);
    };
    let taking = begin(store, clock, options, first.datasource.clone())?;
    let mut step = Step {
        taking,
        batches,
        next: Some(first),
        count: 0,
    };
    while step.next.is_some() {
        step = if options.preview {
            store.read_blocking(|tx| step.look(tx))?
        } else {
            store.write_blocking(|tx| step.take(tx))?
        };
        progress(step.count);
        // Outside of transactions: a pipe may pause for hours.
        step.next = step.batches.recv().ok();
    }
    Ok(Some(step.taking))
}

/// What goes from one transaction to the next.
struct Step {
    taking: Taking,
    batches: Receiver<Batch>,
    next: Option<Batch>,
    count: u64,
}

impl Step {
    /// Takes up what there is, for [`HELD`] at most.
    fn take(mut self, tx: &WriteTx<'_>) -> Result<Self, ExchangeError> {
        self.taking.begin_transaction();
        let begun = Instant::now();
        while let Some(batch) = self.next.take() {
            self.count += counted(&batch);
            for item in batch.items {
                each(&mut self.taking, item, |taking, item| taking.take(tx, item))?;
            }
            if begun.elapsed() >= HELD {
                break;
            }
            self.next = self.batches.recv_timeout(PATIENCE).ok();
        }
        Ok(self)
    }

    fn look(mut self, tx: &ReadTx<'_>) -> Result<Self, ExchangeError> {
        self.taking.begin_transaction();
        if let Some(batch) = self.next.take() {
            self.count += counted(&batch);
            for item in batch.items {
                each(&mut self.taking, item, |taking, item| taking.look(tx, item))?;
            }
        }
        Ok(self)
    }
}

fn counted(batch: &Batch) -> u64 {
    u64::try_from(batch.items.len()).unwrap_or_default()
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
        for page in rows.chunks(PAGE) {
            let (page, note) = (page.to_vec(), note.clone());
            taking = store.write_blocking(move |tx| {
                taking.drop_absent(tx, what, &page, &note).map(|()| taking)
            })?;
        }
    }
    Ok(taking)
}
