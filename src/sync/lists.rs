//! Reads a peer's lists, page by page (docs/synchronising.md, What is asked for).

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::error::SyncError;
use crate::clock::{Clock, UnixTime};
use crate::peer::{CallError, Client, Peer, TransportError};
use crate::store::syncs::Kind;
use crate::xmlrpc::{Struct, Value};

/// Rows on a page, as asked for and as taken at most: two thousand users are 2.5 MB of XML, of the 4 MB
/// that a message may have.
pub const PAGE_ROWS: usize = 2_000;

/// A page that does not get through is asked for once more in a smaller size, down to this many rows.
const LEAST_ROWS: usize = 100;

/// How much smaller.
const SMALLER: usize = 4;

/// Pages of a list at most: five million grades in pages of fifty.
pub const MAX_PAGES: usize = 100_000;

/// Bytes of a cursor: what stands for a place in a list is a few numbers.
pub const MAX_CURSOR: usize = 1_000;

/// A page of a list.
pub struct Page {
    /// Its rows, each to be looked at by itself.
    pub items: Vec<Value>,
    /// When it was asked for, by our clock: it does not know of anything later.
    pub asked_at: UnixTime,
}

/// A list that is being read.
pub struct List<'a> {
    client: &'a Client,
    clock: &'a Clock,
    peer: &'a Peer,
    kind: Kind,
    path: String,
    section: Option<&'a str>,
    /// Where the next page begins; `None`: that was the last.
    cursor: Option<String>,
    seen: HashSet<u64>,
    rows: usize,
    pages: usize,
    /// How many rows the list has, as the peer said with its first page.
    pub total: Option<i64>,
}

/// The function that lists a kind.
pub const fn function(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "list_users",
        Kind::Sections => "list_sections",
        Kind::Enrolments => "list_enrolments",
        Kind::Assessments => "list_assessments",
        Kind::Grades => "list_grades",
    }
}

/// Where a peer has the functions that list `kinds`, in their order.
pub async fn paths(client: &Client, peer: &Peer, kinds: &[Kind]) -> Result<Vec<String>, SyncError> {
    if !peer.we_may_call("register") {
        return Err(SyncError::Call(CallError::NotSubscribed {
            peer: peer.wwwroot.clone(),
            service: "register",
        }));
    }
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    for kind in kinds {
        let name = function(*kind);
        let found = client.find_function(peer, name).await;
        match found.map_err(SyncError::from_call)? {
            Some(path) => paths.push(path),
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Ok(paths);
    }
    Err(SyncError::NotOffered {
        peer: peer.wwwroot.clone(),
        missing,
    })
}

impl<'a> List<'a> {
    /// The list of `kind` that stands at `path`, of one section or of all.
    pub fn new(
        client: &'a Client,
        clock: &'a Clock,
        peer: &'a Peer,
        kind: Kind,
        path: String,
        section: Option<&'a str>,
    ) -> Self {
        Self {
            client,
            clock,
            peer,
            kind,
            path,
            section,
            cursor: Some(String::new()),
            seen: HashSet::new(),
            rows: PAGE_ROWS,
            pages: 0,
            total: None,
        }
    }

    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Page>, SyncError> {
        let Some(cursor) = self.cursor.take() else {
            return Ok(None);
        };
        self.pages += 1;
        if self.pages > MAX_PAGES {
            return Err(SyncError::Endless {
                peer: self.peer.wwwroot.clone(),
                function: function(self.kind),
                most: MAX_PAGES,
            });
        }
        if !self.seen.insert(hash(&cursor)) {
            return Err(SyncError::Circle {
                peer: self.peer.wwwroot.clone(),
                function: function(self.kind),
            });
        }
        let (asked_at, answer) = self.ask(&cursor).await?;
        self.read(answer, asked_at).map(Some)
    }

    /// Asks for a page, in a smaller size where it is too much for the one side or the other.
    async fn ask(&mut self, cursor: &str) -> Result<(UnixTime, Value), SyncError> {
        loop {
            let asked_at = self.clock.now();
            let params = vec![self.question(cursor)];
            match self.client.call(self.peer, &self.path, params).await {
                Ok(answer) => return Ok((asked_at, answer)),
                Err(error) if self.rows > LEAST_ROWS && may_be_too_much(&error) => {
                    self.rows = (self.rows / SMALLER).max(LEAST_ROWS);
                }
                Err(error) => return Err(SyncError::from_call(error)),
            }
        }
    }

    fn question(&self, cursor: &str) -> Value {
        let rows = i32::try_from(self.rows).unwrap_or(i32::MAX);
        let mut question = Struct::with_capacity(3)
            .with("cursor", cursor)
            .with("limit", rows);
        if let Some(section) = self.section {
            question.insert("sectionid", section);
        }
        question.into()
    }

    fn read(&mut self, answer: Value, asked_at: UnixTime) -> Result<Page, SyncError> {
        let kind = answer.kind();
        let Value::Struct(mut page) = answer else {
            return Err(self.wrong(format!("a {kind}; expected a struct with items and next")));
        };
        let items = match page.remove("items") {
            Some(Value::Array(items)) => items,
            Some(other) => match other.to_list() {
                Some(items) => items.into_iter().cloned().collect(),
                None => {
                    return Err(self.wrong(format!(
                        "“items” of type {}; expected an array",
                        other.kind()
                    )));
                }
            },
            None => return Err(self.wrong("no “items”; expected an array".to_owned())),
        };
        if items.len() > PAGE_ROWS {
            return Err(self.wrong(format!(
                "{} rows on a page; {} were asked for, and at most {PAGE_ROWS} are taken",
                items.len(),
                self.rows
            )));
        }
        let next = page.get("next").and_then(Value::to_text);
        let Some(next) = next.map(std::borrow::Cow::into_owned) else {
            return Err(self.wrong(
                "no “next”; expected where the next page begins, or an empty text".to_owned(),
            ));
        };
        if next.len() > MAX_CURSOR {
            return Err(self.wrong(format!(
                "a “next” of {} bytes; expected at most {MAX_CURSOR}",
                next.len()
            )));
        }
        if self.pages == 1 {
            let total = page.get("total").and_then(Value::to_integer);
            self.total = total.filter(|total| *total >= 0);
        }
        self.cursor = Some(next).filter(|next| !next.is_empty());
        Ok(Page { items, asked_at })
    }

    fn wrong(&self, problem: String) -> SyncError {
        SyncError::Answer {
            peer: self.peer.wwwroot.clone(),
            function: function(self.kind),
            problem,
        }
    }
}

/// Whether fewer rows at a time may help.
fn may_be_too_much(error: &CallError) -> bool {
    match error {
        // PHP has run out of memory or time; or what it sent is too long for us.
        CallError::Empty(_)
        | CallError::NothingSealed(_)
        | CallError::Payload { .. }
        | CallError::Transport(TransportError::TimedOut(_) | TransportError::TooLong { .. }) => {
            true
        }
        CallError::Transport(TransportError::Status { status, .. }) => status.is_server_error(),
        _ => false,
    }
}

fn hash(cursor: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}
