//! Whom and what somebody means who types an id.

use super::ReportError;
use crate::store::reports as rows;
use crate::store::{PeerId, PersonId, ReadTx, SectionId};

/// The person that `word` names: `#12` the one in row 12, anything else an owner's id or a username.
/// `owner` narrows it to the rows of one peer, whose own spelling of a username then counts as well.
///
/// # Errors
/// [`ReportError::UnknownPerson`], [`ReportError::NoSuchPerson`]; [`ReportError::Ambiguous`] where it
/// may be several; [`ReportError::Store`].
pub fn person_called(
    tx: &ReadTx<'_>,
    word: &str,
    owner: Option<PeerId>,
) -> Result<PersonId, ReportError> {
    if let Some(row) = row_number(word) {
        let id = PersonId(row);
        return match rows::person(tx, id)? {
            Some(_) => Ok(id),
            None => Err(ReportError::NoSuchPerson(id)),
        };
    }
    let found = rows::people_called(tx, word, owner)?;
    match found.as_slice() {
        [] => Err(ReportError::UnknownPerson(word.to_owned())),
        [one] => Ok(one.id),
        several => Err(ReportError::Ambiguous {
            word: word.to_owned(),
            meant: several
                .iter()
                .map(|person| {
                    let name = format!("{} {}", person.firstname, person.lastname);
                    meant(person.id.0, &name, person.peer.as_deref())
                })
                .collect(),
        }),
    }
}

/// The section that `word` names: `#12` the one in row 12, anything else an owner's id. `owner` narrows
/// it to the rows of one peer.
///
/// # Errors
/// [`ReportError::UnknownSection`], [`ReportError::NoSuchSection`]; [`ReportError::Ambiguous`] where it
/// may be several; [`ReportError::Store`].
pub fn section_called(
    tx: &ReadTx<'_>,
    word: &str,
    owner: Option<PeerId>,
) -> Result<SectionId, ReportError> {
    if let Some(row) = row_number(word) {
        let id = SectionId(row);
        return match rows::section(tx, id)? {
            Some(_) => Ok(id),
            None => Err(ReportError::NoSuchSection(id)),
        };
    }
    let found = rows::sections_called(tx, word, owner)?;
    match found.as_slice() {
        [] => Err(ReportError::UnknownSection(word.to_owned())),
        [one] => Ok(one.id),
        several => Err(ReportError::Ambiguous {
            word: word.to_owned(),
            meant: several
                .iter()
                .map(|section| meant(section.id.0, &section.name, section.peer.as_deref()))
                .collect(),
        }),
    }
}

fn row_number(word: &str) -> Option<i64> {
    word.strip_prefix('#')?.parse().ok()
}

/// Whoever or whatever may be meant, for people to read.
fn meant(row: i64, name: &str, peer: Option<&str>) -> String {
    format!("#{row} {} ({})", name.trim(), peer.unwrap_or("made here"))
}
