//! The service `mnet_enrol`: remote enrolment, in the shapes of Moodle's own (enrol/mnet/enrol.php).
//!
//! Moodle sends and expects texts throughout, also for numbers; only `true` is a boolean.

use std::sync::Arc;

use super::super::State;
use super::super::fault::Refusal;
use super::super::receive::internal;
use super::super::replay::Place;
use crate::clock::UnixTime;
use crate::peer::Peer;
use crate::register::ONGOING;
use crate::register::remote::{self, RemoteEnrolmentError, RemoteUser};
use crate::store::enrolments::{ListedEnrolment, Role};
use crate::store::offers::Offer;
use crate::store::{PeerId, ReadTx, WriteTx};
use crate::xmlrpc::{Struct, Value};

/// Moodle's number for text that is HTML (`FORMAT_HTML`, lib/weblib.php): what a summary most likely is.
const FORMAT_HTML: &str = "1";

/// The methods, by what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The sections offered.
    AvailableCourses,
    /// Where the caller's users are.
    UserEnrolments,
    /// Who of the caller's users is in one course.
    CourseEnrolments,
    /// A change.
    Change(Change),
}

/// The methods that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A user comes.
    Enrol,
    /// A user goes.
    Unenrol,
}

/// What a call that writes says.
#[derive(Clone, Debug)]
pub enum Order {
    /// `enrol_user`.
    Enrol {
        /// Who.
        user: Box<RemoteUser>,
        /// Where.
        courseid: Value,
    },
    /// `unenrol_user`.
    Unenrol {
        /// Who, in the peer's spelling.
        username: String,
        /// Where.
        courseid: Value,
    },
}

impl Method {
    /// The method of that path.
    #[must_use]
    pub fn named(path: &str) -> Option<Self> {
        Some(match path.strip_prefix("enrol/mnet/enrol.php/")? {
            "available_courses" => Self::AvailableCourses,
            "user_enrolments" => Self::UserEnrolments,
            "course_enrolments" => Self::CourseEnrolments,
            "enrol_user" => Self::Change(Change::Enrol),
            "unenrol_user" => Self::Change(Change::Unenrol),
            _ => return None,
        })
    }
}

/// Answers a method that only reads.
pub fn read(
    state: &State,
    peer: &Peer,
    method: Method,
    params: &[Value],
) -> Result<Value, Refusal> {
    let peer = peer.id;
    let now = state.clock.now();
    let question = |tx: &ReadTx<'_>| match method {
        Method::AvailableCourses => Ok(courses(&remote::available(tx, peer)?)),
        Method::UserEnrolments => Ok(remote::enrolled(tx, peer, now)?
            .iter()
            .map(|row| Value::from(entry(peer, row).with("remoteid", row.section.to_string())))
            .collect()),
        Method::CourseEnrolments => course_enrolments(tx, peer, params, now),
        // Carried out where it can wait for the disk.
        Method::Change(_) => Ok(Value::Nil),
    };
    state.store.read_blocking(question).map_err(refused)
}

/// Carries out a method that writes.
pub async fn write(
    state: &Arc<State>,
    peer: &Peer,
    order: Order,
    place: Option<Place>,
) -> Result<Value, Refusal> {
    let (id, now) = (peer.id, state.clock.now());
    super::once(state, peer, place, move |tx| {
        let done = tx.savepoint(|tx| order.carry_out(tx, id, now));
        Ok(done.map(|()| Value::from(true)).map_err(refused))
    })
    .await
}

impl Order {
    /// Reads a call.
    pub fn parse(change: Change, params: &[Value]) -> Result<Self, Refusal> {
        let [first, courseid, ..] = params else {
            return Err(Refusal::Parameters {
                method: match change {
                    Change::Enrol => "enrol_user",
                    Change::Unenrol => "unenrol_user",
                },
                expected: "two parameters: the user, and the id of the course",
            });
        };
        let courseid = courseid.clone();
        match change {
            Change::Enrol => Ok(Self::Enrol {
                user: Box::new(RemoteUser::parse(first).map_err(refused)?),
                courseid,
            }),
            Change::Unenrol => Ok(Self::Unenrol {
                username: first.to_text().unwrap_or_default().trim().to_owned(),
                courseid,
            }),
        }
    }

    fn carry_out(
        &self,
        tx: &WriteTx<'_>,
        peer: PeerId,
        now: UnixTime,
    ) -> Result<(), RemoteEnrolmentError> {
        match self {
            Self::Enrol { user, courseid } => {
                remote::enrol_user(tx, peer, user, courseid, now)?;
            }
            Self::Unenrol { username, courseid } => {
                remote::unenrol_user(tx, peer, username, courseid, now)?;
            }
        }
        Ok(())
    }
}

/// The fault of a refusal; what is ours goes to the log.
fn refused(error: RemoteEnrolmentError) -> Refusal {
    if error.code().is_none() {
        return internal(&error);
    }
    Refusal::RemoteEnrolment(error)
}

/// `available_courses`, with every member that Moodle's client reads.
fn courses(offers: &[Offer]) -> Value {
    offers
        .iter()
        .enumerate()
        .map(|(place, offer)| Value::from(course(place + 1, offer)))
        .collect()
}

fn course(place: usize, offer: &Offer) -> Struct {
    let fields = &offer.section.fields;
    let idnumber = fields.idnumber.as_deref().unwrap_or_default();
    let (category, category_name) = match &offer.segment {
        Some(segment) => (segment.id, segment.name.as_str()),
        None => (0, ONGOING),
    };
    // What a Moodle sent along with its course is handed on as it came.
    let sent = |name: &str| match fields.extra.members().get(name) {
        Some(serde_json::Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let shortname = sent("shortname").unwrap_or_else(|| match idnumber {
        "" => fields.name.clone(),
        idnumber => idnumber.to_owned(),
    });
    Struct::with_capacity(16)
        .with("remoteid", offer.section.id.to_string())
        .with("fullname", fields.name.as_str())
        .with("shortname", shortname)
        .with("idnumber", idnumber)
        .with("summary", sent("summary").unwrap_or_default())
        .with(
            "summaryformat",
            sent("summaryformat").unwrap_or_else(|| FORMAT_HTML.to_owned()),
        )
        .with("sortorder", place.to_string())
        .with(
            "startdate",
            sent("startdate").unwrap_or_else(|| "0".to_owned()),
        )
        .with("cat_id", category.to_string())
        .with("cat_name", category_name)
        .with("cat_description", "")
        .with("cat_descriptionformat", FORMAT_HTML)
        .with("cost", "")
        .with("currency", "")
        .with("defaultroleid", role_number(Role::Student))
        .with("defaultrolename", role_name(Role::Student))
}

/// `course_enrolments(courseid, roles)`. A course that is not there or not offered has none, as in
/// Moodle.
fn course_enrolments(
    tx: &ReadTx<'_>,
    peer: PeerId,
    params: &[Value],
    now: UnixTime,
) -> Result<Value, RemoteEnrolmentError> {
    let Some(section) = params.first().and_then(Value::to_integer) else {
        return Ok(Value::Array(Vec::new()));
    };
    let roles = params.get(1).map(wanted_roles).unwrap_or_default();
    let enrolled = remote::enrolled_in(tx, peer, crate::store::SectionId(section), now)?;
    Ok(enrolled
        .iter()
        .filter(|row| roles.is_empty() || roles.iter().any(|role| role == row.role.as_str()))
        .map(|row| Value::from(entry(peer, row)))
        .collect())
}

/// The roles asked for: an array, or a text with commas; PHP's null (an empty text) asks for all.
fn wanted_roles(value: &Value) -> Vec<String> {
    let listed: Vec<String> = match value.to_list() {
        Some(items) => items
            .into_iter()
            .filter_map(|item| Some(item.to_text()?.into_owned()))
            .collect(),
        None => value
            .to_text()
            .unwrap_or_default()
            .split(',')
            .map(str::to_owned)
            .collect(),
    };
    listed
        .iter()
        .map(|role| role.trim().to_owned())
        .filter(|role| !role.is_empty())
        .collect()
}

fn entry(peer: PeerId, row: &ListedEnrolment) -> Struct {
    // What is not the peer's own it cannot end; Moodle's client goes by this word.
    let enrol = if row.peer == Some(peer) {
        "mnet"
    } else {
        "manual"
    };
    Struct::with_capacity(6)
        .with("username", row.sent_username.as_str())
        .with("shortname", row.role.as_str())
        .with("name", role_name(row.role))
        .with("enrol", enrol)
        .with("timemodified", row.updated_at.0.to_string())
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Student => "Student",
        Role::Teacher => "Teacher",
    }
}

/// Roles go by number in Moodle; here they have names alone, so these numbers are for the wire.
const fn role_number(role: Role) -> &'static str {
    match role {
        Role::Student => "1",
        Role::Teacher => "2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::remote::SERVICE;

    #[test]
    fn every_method_of_the_service_leads_somewhere() {
        for method in SERVICE.methods {
            assert!(Method::named(method.path).is_some(), "{}", method.path);
        }
        assert_eq!(Method::named("enrol/mnet/enrol.php/nothing"), None);
        assert_eq!(Method::named("enrol_user"), None);
    }

    #[test]
    fn roles_come_as_a_list_a_text_or_nothing() {
        let asked = |value: Value| wanted_roles(&value);
        assert_eq!(asked("student, teacher".into()), ["student", "teacher"]);
        assert_eq!(asked(vec![Value::from("student")].into()), ["student"]);
        for nothing in [Value::Nil, "".into(), false.into(), Vec::new().into()] {
            assert!(asked(nothing).is_empty());
        }
    }
}
