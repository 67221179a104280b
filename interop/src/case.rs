//! What a case is, and the scene it plays in.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::failure::Held;
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;

/// A case: one thing that has to hold between mnetd and a Moodle.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name, a sentence in lower case with hyphens: `a-user-is-heard-within-one-cron-run`.
    pub name: &'static str,
    /// What it shows, as a sentence for the table.
    pub shows: &'static str,
    /// Without what it is skipped.
    pub needs: &'static [Need],
    /// The case itself.
    pub run: fn(&Scene) -> Held<Outcome>,
}

/// What a case cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The plugin `local_mnetd` in the first Moodle.
    LocalMnetd,
    /// Some plugin for single sign-on in the first Moodle: `auth_mnet` or `auth_mnetd`.
    SingleSignOn,
    /// A second Moodle with `local_mnetd`.
    SecondMoodle,
    /// A Moodle under a path with `local_mnetd`.
    PathMoodle,
    /// libfaketime, for clocks that are wrong.
    Faketime,
}

/// How a case that held ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All as it had to be.
    Held,
    /// As it had to be; this was measured or is worth knowing.
    HeldWith(String),
    /// As it had to be; these figures were measured on the way.
    Measured(Vec<Figure>),
    /// It could not be played here, and why.
    Skipped(String),
}

/// Something that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Of what.
    pub what: String,
    /// How much or how many.
    pub value: f64,
    /// In what: `ms`, `rows/s`; empty for things that are counted.
    pub unit: &'static str,
}

impl Figure {
    /// Something that was measured.
    #[must_use]
    pub fn of(what: &str, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.to_owned(),
            value,
            unit,
        }
    }

    /// Something that was counted.
    #[must_use]
    pub fn count(what: &str, count: usize) -> Self {
        // Counts of rows are far below the 2^53 from which on this would not be exact.
        #[allow(clippy::cast_precision_loss)]
        Self::of(what, count as f64, "")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value, unit } = self;
        let decimals = usize::from(value.fract() != 0.0 && *value < 1000.0);
        write!(f, "{what} {value:.decimals$}")?;
        if unit.is_empty() {
            Ok(())
        } else {
            write!(f, " {unit}")
        }
    }
}

/// Where a case plays: the Moodles that were given, and an mnetd for the asking.
pub struct Scene {
    /// The Moodle of the run.
    pub moodle: Moodle,
    /// The second one, where one was given.
    pub second: Option<Moodle>,
    /// The one under a path, where one was given.
    pub under_path: Option<Moodle>,
    /// The mnetd to run.
    pub program: PathBuf,
    /// From where on ports are tried.
    pub first_port: u16,
}

impl Scene {
    /// A new mnetd with an empty register, on a free port. It does not run yet.
    ///
    /// # Errors
    /// When no port is free, or no directory to be had.
    pub fn mnetd(&self) -> Held<Mnetd> {
        Mnetd::new(&self.program, self.first_port)
    }
}

impl Scene {
    /// All Moodles that were given.
    pub fn moodles(&self) -> impl Iterator<Item = &Moodle> {
        std::iter::once(&self.moodle)
            .chain(&self.second)
            .chain(&self.under_path)
    }
}
