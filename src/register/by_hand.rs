//! What an administrator does, by row number rather than by a peer's ids.

use super::enrolments::{Place, Said as SaidStatus, say};
use super::error::RegisterError;
use super::fields::{MAX_ATTEMPT, MAX_NAME, MAX_NOTE, MAX_POINTS, shown};
use super::grades::{Said as SaidGrade, give};
use super::users;
use super::{Call, Reply, UserRecord, assessments};
use crate::clock::UnixTime;
use crate::store::assessments::{self as rows, Assessment};
use crate::store::enrolments::{self, EnrolmentChange, NewChange};
use crate::store::grades::{self, GradeChange, GradeValue};
use crate::store::people::{self, Person, PersonFields};
use crate::store::sections::{self as store_sections, Section, TeacherChange};
use crate::store::statuses::{self, Scope};
use crate::store::{
    AssessmentId, Author, EnrolmentId, Extra, GradeId, PeerId, PersonId, ReadTx, SectionId,
    StatusId, WriteTx,
};
use crate::xmlrpc::{Struct, Value};

/// An assessment as somebody enters it.
#[derive(Clone, Debug, PartialEq)]
pub struct HandMadeAssessment {
    /// The section, whosever it is.
    pub section: SectionId,
    /// Its name. A peer that sends one of exactly this name there later takes it over.
    pub name: String,
    /// The most points there are to earn.
    pub pointval: Option<f64>,
}

/// Makes an assessment by hand.
///
/// # Errors
/// [`RegisterError::Missing`] without a name; [`RegisterError::Wrong`] where it is too long or the points are
/// out of range; [`RegisterError::Store`].
pub fn make_assessment(
    tx: &WriteTx<'_>,
    new: &HandMadeAssessment,
    now: UnixTime,
) -> Result<AssessmentId, RegisterError> {
    check_assessment(&new.name, new.pointval)?;
    let fields = rows::AssessmentFields {
        pointval: new.pointval,
        ..assessments::blank(new.section, new.name.clone())
    };
    Ok(rows::insert(tx, None, &fields, now)?)
}

/// A number as somebody types it into the field called `field`: digits, with a sign before them or not,
/// and a point or a comma before the decimals. Nothing between the thousands: `1,234` is a bit more
/// than one.
///
/// # Errors
/// [`RegisterError::Wrong`] where it is anything else.
pub fn typed_number(field: &'static str, text: &str) -> Result<f64, RegisterError> {
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+', '−']);
    let signs = text.chars().count() - digits.chars().count();
    let separators = digits.matches(['.', ',']).count();
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let plain = text.replace(',', ".").replace('−', "-");
    plain
        .parse()
        .ok()
        .filter(|_| is_plain && signs <= 1 && separators <= 1)
        .ok_or_else(|| RegisterError::Wrong {
            field,
            found: shown(text),
            expected: "a number such as 7, 7.5 or 7,5".to_owned(),
        })
}

/// Gives an assessment that was made by hand another name and other points, and brings it back where it
/// was removed.
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent it; [`RegisterError::Wrong`] where the points are out
/// of range; [`RegisterError::Store`].
pub fn change_assessment(
    tx: &WriteTx<'_>,
    assessment: &Assessment,
    name: &str,
    pointval: Option<f64>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("assessment", assessment.peer, &assessment.fields.name)?;
    check_assessment(name, pointval)?;
    let fields = rows::AssessmentFields {
        name: name.to_owned(),
        pointval,
        ..assessment.fields.clone()
    };
    let changed = fields != assessment.fields || assessment.removed_at.is_some();
    if changed {
        rows::update(tx, assessment.id, &fields, now)?;
    }
    Ok(Reply::changed_if(changed, assessment.id.0))
}

/// Removes an assessment that was made by hand, which takes it and its grades out of the gradebook. They
/// come back with [`change_assessment`].
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent it; [`RegisterError::Store`].
pub fn remove_assessment(
    tx: &WriteTx<'_>,
    assessment: &Assessment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("assessment", assessment.peer, &assessment.fields.name)?;
    let changed = assessment.removed_at.is_none();
    if changed {
        rows::remove(tx, assessment.id, now)?;
    }
    Ok(Reply::changed_if(changed, assessment.id.0))
}

fn check_assessment(name: &str, pointval: Option<f64>) -> Result<(), RegisterError> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        return Err(RegisterError::Missing {
            field: "name",
            expected: "a name",
        });
    }
    if length > MAX_NAME {
        return Err(RegisterError::Wrong {
            field: "name",
            found: format!("{length} characters long"),
            expected: format!("at most {MAX_NAME}"),
        });
    }
    match pointval {
        Some(points) => check_points("pointval", points, 0.0),
        None => Ok(()),
    }
}

/// Enters a grade by hand, whosever the assessment is. It stands until the peer sends a new one. `note`
/// goes into the history with it.
///
/// # Errors
/// [`RegisterError::Wrong`] where the points or the attempt are out of range, or the note is too long;
/// [`RegisterError::Missing`] where there are neither points nor an exception; [`RegisterError::Store`].
pub fn enter_grade(
    tx: &WriteTx<'_>,
    author: &Author,
    assessment: AssessmentId,
    person: PersonId,
    value: &GradeValue,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    check_grade(value)?;
    check_note(note)?;
    let standing = grades::find(tx, assessment, person)?;
    let said = SaidGrade {
        points_earned: value.points_earned,
        excepted: value.excepted,
        attempt_num: Some(value.attempt_num),
        extra: &Extra::default(),
        note,
    };
    give(tx, author, assessment, person, standing, &said, now)
}

fn check_grade(value: &GradeValue) -> Result<(), RegisterError> {
    match value.points_earned {
        Some(points) => check_points("points_earned", points, -MAX_POINTS)?,
        None if value.excepted => {}
        None => {
            return Err(RegisterError::Missing {
                field: "points_earned",
                expected: "a number, or an exception",
            });
        }
    }
    if (1..=MAX_ATTEMPT).contains(&value.attempt_num) {
        return Ok(());
    }
    Err(RegisterError::Wrong {
        field: "attempt_num",
        found: value.attempt_num.to_string(),
        expected: format!("a whole number from 1 to {MAX_ATTEMPT}"),
    })
}

fn check_note(note: Option<&str>) -> Result<(), RegisterError> {
    let length = note.map_or(0, |note| note.chars().count());
    if length <= MAX_NOTE {
        return Ok(());
    }
    Err(RegisterError::Wrong {
        field: "note",
        found: format!("{length} characters long"),
        expected: format!("at most {MAX_NOTE}"),
    })
}

fn check_points(field: &'static str, points: f64, least: f64) -> Result<(), RegisterError> {
    if (least..=MAX_POINTS).contains(&points) {
        return Ok(());
    }
    Err(RegisterError::Wrong {
        field,
        found: format!("“{points}”"),
        expected: format!("a number from {least} to {MAX_POINTS}"),
    })
}

/// Gives an enrolment a status by its code, title or meaning; `effective_at` may lie ahead, `None` is
/// now.
///
/// # Errors
/// [`RegisterError::Wrong`] where the school has no such status; [`RegisterError::Store`].
pub fn set_enrolment_status(
    tx: &WriteTx<'_>,
    author: &Author,
    enrolment: EnrolmentId,
    status: &str,
    effective_at: Option<UnixTime>,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let status = status_named(tx, Scope::Section, status)?;
    let said = SaidStatus {
        status,
        effective_at,
        note,
    };
    let changed = say(tx, author, enrolment, &said, now)?;
    Ok(Reply::changed_if(changed, enrolment.0))
}

/// Marks an enrolment as added in error, which takes it out of every report, or lifts that mark.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn mark_enrolment_in_error(
    tx: &WriteTx<'_>,
    author: &Author,
    enrolment: EnrolmentId,
    in_error: bool,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let marked = enrolments::get(tx, enrolment)?.is_some_and(|row| row.in_error_at.is_some());
    if marked != in_error {
        let change = NewChange {
            change: if in_error {
                EnrolmentChange::InError
            } else {
                EnrolmentChange::NotInError
            },
            status: None,
            effective_at: now,
            note,
        };
        enrolments::add_change(tx, enrolment, &change, author, now)?;
    }
    Ok(Reply::changed_if(marked != in_error, enrolment.0))
}

/// Marks a grade as added in error, which takes it out of every report, or lifts that mark. A new
/// value lifts it too.
///
/// # Errors
/// [`RegisterError::Wrong`] where the note is too long; [`RegisterError::Store`].
pub fn mark_grade_in_error(
    tx: &WriteTx<'_>,
    author: &Author,
    grade: GradeId,
    in_error: bool,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    check_note(note)?;
    let row = grades::get(tx, grade)?.filter(|row| row.in_error_at.is_some() != in_error);
    if let Some(row) = &row {
        let change = if in_error {
            GradeChange::InError
        } else {
            GradeChange::NotInError
        };
        grades::mark(tx, row, change, author, note, now)?;
    }
    Ok(Reply::changed_if(row.is_some(), grade.0))
}

/// Gives a person's own enrolment in the school a status by its code, title or meaning;
/// `effective_at` may lie ahead, `None` is now.
///
/// # Errors
/// [`RegisterError::Wrong`] where the school has no such status; [`RegisterError::Store`].
pub fn set_school_status(
    tx: &WriteTx<'_>,
    author: &Author,
    person: PersonId,
    status: &str,
    effective_at: Option<UnixTime>,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let status = status_named(tx, Scope::School, status)?;
    let effective_at = effective_at.unwrap_or(now);
    let changed = people::school_status_at(tx, person, effective_at)? != Some(status);
    if changed {
        people::add_school_change(tx, person, status, effective_at, author, note, now)?;
    }
    Ok(Reply::changed_if(changed, person.0))
}

/// A person as somebody enters them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandMadePerson {
    /// The school's id of the person; `None` where there is none.
    pub idnumber: Option<String>,
    /// Username.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
}

/// Takes somebody up by hand: always a new person. A username that a peer's person has gets a number
/// behind it, as with peers.
///
/// # Errors
/// [`RegisterError::Wrong`] or [`RegisterError::Missing`] where a field cannot be used, or the id or the username
/// is taken by another hand-made row, removed ones included; [`RegisterError::Store`].
pub fn make_person(
    tx: &WriteTx<'_>,
    new: &HandMadePerson,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    if let Some(idnumber) = &new.idnumber
        && people::by_idnumber(tx, None, idnumber)?.is_some()
    {
        return Err(taken("idnumber", idnumber));
    }
    let record = UserRecord::from_value(&record_of(new))?;
    if is_hand_made(tx, &record.username)? {
        return Err(taken("username", &record.username));
    }
    users::create(tx, None, &record, now)
}

/// Whether somebody made by hand is, or was meant to be, called `username`.
fn is_hand_made(tx: &ReadTx<'_>, username: &str) -> Result<bool, RegisterError> {
    let called = people::by_username(tx, username)?;
    Ok(called.is_some_and(|person| person.peer.is_none())
        || people::by_sent_username(tx, None, username)?.is_some())
}

/// What a peer would send of somebody.
fn record_of(new: &HandMadePerson) -> Value {
    let members = [
        ("idnumber", new.idnumber.as_deref()),
        ("username", Some(&*new.username)),
        ("firstname", Some(&*new.firstname)),
        ("lastname", Some(&*new.lastname)),
        ("email", Some(&*new.email)),
    ];
    let record: Struct = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect();
    Value::Struct(record)
}

/// A section as somebody enters it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandMadeSection {
    /// The school's id of it.
    pub idnumber: String,
    /// Its name.
    pub name: String,
    /// The terms it runs over, by name; none: it is ongoing.
    pub segments: Vec<String>,
}

/// Makes a section by hand.
///
/// # Errors
/// [`RegisterError::Wrong`] or [`RegisterError::Missing`] where a field cannot be used, or the id is taken by
/// another hand-made row; [`RegisterError::Store`].
pub fn make_section(
    tx: &WriteTx<'_>,
    author: &Author,
    new: &HandMadeSection,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    if store_sections::by_idnumber(tx, None, &new.idnumber)?.is_some() {
        return Err(taken("idnumber", &new.idnumber));
    }
    save_section(tx, author, new, now)
}

fn save_section(
    tx: &WriteTx<'_>,
    author: &Author,
    new: &HandMadeSection,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let segments = new.segments.iter().map(|name| Value::from(name.as_str()));
    let record = Struct::with_capacity(3)
        .with("idnumber", new.idnumber.as_str())
        .with("name", new.name.as_str())
        .with("segment", Value::Array(segments.collect()));
    match Call::parse("new_section", &[record.into()])? {
        Some(call) => super::apply(tx, author, &call, now),
        None => unreachable!("new_section is a call of the register"),
    }
}

/// Changes what was entered of a person by hand, and brings the person back where they were removed. The
/// username stays, for it is what people know them by.
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent the person; otherwise as [`make_person`].
pub fn change_person(
    tx: &WriteTx<'_>,
    person: &Person,
    new: &HandMadePerson,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("person", person.peer, &person.fields.username)?;
    let record = UserRecord::from_value(&record_of(new))?;
    if let Some(idnumber) = &record.idnumber
        && people::by_idnumber(tx, None, idnumber)?.is_some_and(|other| other.id != person.id)
    {
        return Err(taken("idnumber", idnumber));
    }
    let fields = PersonFields {
        idnumber: record.idnumber,
        firstname: record.firstname,
        lastname: record.lastname,
        email: record.email,
        ..person.fields.clone()
    };
    let changed = fields != person.fields || person.removed_at.is_some();
    if changed {
        people::update(tx, person.id, &fields, now)?;
    }
    Ok(Reply::changed_if(changed, person.id.0))
}

/// Takes a person who was entered by hand out of use. Nothing is erased; [`change_person`] brings them back.
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent the person; [`RegisterError::Store`].
pub fn remove_person(
    tx: &WriteTx<'_>,
    person: &Person,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("person", person.peer, &person.fields.username)?;
    let changed = person.removed_at.is_none();
    if changed {
        people::remove(tx, person.id, now)?;
    }
    Ok(Reply::changed_if(changed, person.id.0))
}

/// Changes the name and the terms of a section that was made by hand, and brings it back where it was
/// removed.
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent it; otherwise as [`make_section`].
pub fn change_section(
    tx: &WriteTx<'_>,
    author: &Author,
    section: &Section,
    name: &str,
    segments: &[String],
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("section", section.peer, &section.fields.name)?;
    let new = HandMadeSection {
        idnumber: section.fields.idnumber.clone().unwrap_or_default(),
        name: name.to_owned(),
        segments: segments.to_vec(),
    };
    save_section(tx, author, &new, now)
}

/// Takes a section that was made by hand out of use. Nothing is erased; [`change_section`] brings it back.
///
/// # Errors
/// [`RegisterError::PeersOwn`] where a peer has sent it; [`RegisterError::Store`].
pub fn remove_section(
    tx: &WriteTx<'_>,
    section: &Section,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    made_by_hand("section", section.peer, &section.fields.name)?;
    let changed = section.removed_at.is_none();
    if changed {
        store_sections::remove(tx, section.id, now)?;
    }
    Ok(Reply::changed_if(changed, section.id.0))
}

/// A peer's row would be as the peer has it again with its next call.
fn made_by_hand(row: &'static str, owner: Option<PeerId>, name: &str) -> Result<(), RegisterError> {
    match owner {
        None => Ok(()),
        Some(_) => Err(RegisterError::PeersOwn {
            row,
            id: name.to_owned(),
        }),
    }
}

/// Enrols a person in a section by hand, whosever they are; beside what a peer says of the same two.
///
/// # Errors
/// [`RegisterError::Wrong`] where the school has no such status; [`RegisterError::Store`].
pub fn enrol(
    tx: &WriteTx<'_>,
    author: &Author,
    place: Place,
    status: &str,
    effective_at: Option<UnixTime>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let status = status_named(tx, Scope::Section, status)?;
    let said = SaidStatus {
        status,
        effective_at,
        note: None,
    };
    super::enrolments::enrol(tx, author, place, &said, &Extra::default(), now)
}

/// Gives a section to a teacher, or takes it away, by hand.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn set_teacher(
    tx: &WriteTx<'_>,
    author: &Author,
    section: SectionId,
    person: PersonId,
    teaches: bool,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let does = store_sections::teachers(tx, section)?.contains(&person);
    if does != teaches {
        let change = if teaches {
            TeacherChange::Came
        } else {
            TeacherChange::Left
        };
        store_sections::change_teacher(tx, section, person, change, author, now)?;
    }
    Ok(Reply::changed_if(does != teaches, section.0))
}

fn taken(field: &'static str, found: &str) -> RegisterError {
    RegisterError::Wrong {
        field,
        found: shown(found),
        expected: "one that no other hand-made row has, removed ones included".to_owned(),
    }
}

fn status_named(tx: &ReadTx<'_>, scope: Scope, word: &str) -> Result<StatusId, RegisterError> {
    if let Some(status) = statuses::find(tx, scope, word)? {
        return Ok(status.id);
    }
    let offered: Vec<String> = statuses::list(tx, scope)?
        .into_iter()
        .map(|status| format!("{} ({})", status.code, status.title))
        .collect();
    Err(RegisterError::Wrong {
        field: "status",
        found: shown(word),
        expected: offered.join(", "),
    })
}
