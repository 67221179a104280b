//! Turning the pages of a list.

use serde::Deserialize;
use url::form_urlencoded;

use crate::store::lists::{Slice, Turn};

/// What a link of a [`Pager`] says.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Turning {
    /// The page that follows this row.
    pub after: Option<i64>,
    /// The page that ends before this row.
    pub before: Option<i64>,
}

impl Turning {
    /// Which page that is.
    pub fn turn<Id>(self, id: impl Fn(i64) -> Id) -> Turn<Id> {
        match (self.after, self.before) {
            (Some(after), _) => Turn::After(id(after)),
            (None, Some(before)) => Turn::Before(id(before)),
            (None, None) => Turn::First,
        }
    }
}

/// The links to the pages beside the one shown.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    /// The page before.
    pub earlier: Option<String>,
    /// The page behind.
    pub later: Option<String>,
}

impl Pager {
    /// The links beside `slice`, which the page at `path` shows with the filters `query`.
    pub fn new<T>(
        path: &str,
        query: &[(&str, &str)],
        slice: &Slice<T>,
        id: impl Fn(&T) -> i64,
    ) -> Self {
        let link = |turn: &str, row: Option<&T>| {
            let row = row.map(&id)?.to_string();
            let pairs = query.iter().filter(|(_, value)| !value.is_empty());
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .append_pair(turn, &row)
                .finish();
            Some(format!("{path}?{query}"))
        };
        Self {
            earlier: slice
                .earlier
                .then(|| link("before", slice.rows.first()))
                .flatten(),
            later: slice
                .later
                .then(|| link("after", slice.rows.last()))
                .flatten(),
        }
    }
}
