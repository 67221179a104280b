//! IMS Enterprise 1.1 and 1.0: the XML in which student record systems give out people, groups and memberships.
//!
//! [`Reader`] takes a file of any size apart, a [`Record`] at a time. What it makes of sloppy files is told as
//! [`Repair`]s; records that cannot be used are [`Skipped`], with the reason.

mod convert;
mod element;
mod fields;
mod import;
mod read;
mod record;
mod repair;
mod text;

pub use convert::{Converted, Converter};
pub use import::{ImportError, Imported, Options, import};
pub use read::{MAX_DEPTH, MAX_RECORD, ReadError, Reader, Skipped};
pub use record::{
    Address, Bound, GradeResult, Group, GroupType, Member, MemberType, Moment, Person, Properties,
    RecStatus, Record, Relationship, Role, RoleType, SourcedId, Telephone, Timeframe, UserId,
};
pub use repair::{LINES_KEPT, Lines, Problem, Repair, Repairs};
