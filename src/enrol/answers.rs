//! Reads what peers answer about their courses, within bounds: the numbers Moodle sends as texts, and
//! texts of any length.

use super::EnrolError;
use crate::clock::UnixTime;
use crate::register::{MAX_ID, MAX_NAME, MAX_USERNAME};
use crate::store::peer_courses::PeerCourseFields;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::Value;

/// Courses in one answer: a school offers some tens, a large one all of a few thousand.
pub const MAX_COURSES: usize = 5_000;

/// Enrolments in one answer about one course: more than any course has.
pub const MAX_ENROLLED: usize = 20_000;

/// Characters of a course's summary that are kept: a long page of HTML.
pub const MAX_SUMMARY: usize = 20_000;

/// Moodle's word for an enrolment that came by this very service (`enrol.enrol`).
const BY_REMOTE_ENROLMENT: &str = "mnet";

/// Somebody in a peer's course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Enrolled {
    pub(super) username: String,
    pub(super) role: String,
    pub(super) by_us: bool,
    pub(super) since: Option<UnixTime>,
}

/// Reads the answer to `available_courses`.
///
/// # Errors
/// [`EnrolError::Answer`].
pub fn courses(peer: &Wwwroot, answer: &Value) -> Result<Vec<PeerCourseFields>, EnrolError> {
    let unread = |problem: String| EnrolError::Answer {
        peer: peer.clone(),
        function: "available_courses",
        problem,
    };
    list(answer, MAX_COURSES)
        .map_err(unread)?
        .into_iter()
        .map(|course| {
            let remote_id = text(course, "remoteid", MAX_ID);
            if remote_id.is_empty() {
                return Err(unread("a course without remoteid".to_owned()));
            }
            Ok(PeerCourseFields {
                remote_id,
                fullname: text(course, "fullname", MAX_NAME),
                shortname: text(course, "shortname", MAX_NAME),
                idnumber: text(course, "idnumber", MAX_ID),
                summary: text(course, "summary", MAX_SUMMARY),
                category: text(course, "cat_name", MAX_NAME),
                starts_at: moment(course, "startdate"),
            })
        })
        .collect()
}

/// The answer to `course_enrolments`; one entry a user, the one that came from us where there are several.
pub(super) fn enrolled(peer: &Wwwroot, answer: &Value) -> Result<Vec<Enrolled>, EnrolError> {
    let unread = |problem: String| EnrolError::Answer {
        peer: peer.clone(),
        function: "course_enrolments",
        problem,
    };
    let mut found: indexmap::IndexMap<String, Enrolled> = indexmap::IndexMap::new();
    for entry in list(answer, MAX_ENROLLED).map_err(unread)? {
        let username = text(entry, "username", MAX_USERNAME);
        if username.is_empty() {
            // Moodle before 2.0 keyed its list by username (MDL-19219).
            return Err(unread("an entry without username".to_owned()));
        }
        let name = text(entry, "name", MAX_NAME);
        let enrolled = Enrolled {
            role: if name.is_empty() {
                // Moodle's own roles have no name of their own there.
                text(entry, "shortname", MAX_NAME)
            } else {
                name
            },
            by_us: text(entry, "enrol", MAX_ID) == BY_REMOTE_ENROLMENT,
            since: moment(entry, "timemodified"),
            username: username.clone(),
        };
        let known = found.get(&username);
        if known.is_none_or(|known| !known.by_us) {
            found.insert(username, enrolled);
        }
    }
    Ok(found.into_values().collect())
}

fn list(answer: &Value, most: usize) -> Result<Vec<&Value>, String> {
    let items = answer
        .to_list()
        .ok_or_else(|| format!("a {}; expected an array", answer.kind()))?;
    if items.len() > most {
        return Err(format!("{} entries; at most {most} are read", items.len()));
    }
    Ok(items)
}

fn text(entry: &Value, name: &str, most: usize) -> String {
    let text = entry.get(name).and_then(Value::to_text).unwrap_or_default();
    text.chars().take(most).collect()
}

/// A moment in unix seconds; Moodle says 0 for none.
fn moment(entry: &Value, name: &str) -> Option<UnixTime> {
    let seconds = entry.get(name)?.to_integer()?;
    (seconds > 0).then_some(UnixTime(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmlrpc::Struct;

    fn peer() -> Wwwroot {
        Wwwroot::parse("https://moodle.example").unwrap()
    }

    fn entry(username: &str, enrol: &str) -> Value {
        Struct::new()
            .with("username", username)
            .with("shortname", "student")
            .with("name", "")
            .with("enrol", enrol)
            .with("timemodified", "1795480239")
            .into()
    }

    #[test]
    fn nothing_in_any_of_phps_ways_is_no_course() {
        for nothing in [Value::from(Vec::new()), false.into(), Struct::new().into()] {
            assert!(courses(&peer(), &nothing).unwrap().is_empty());
            assert!(enrolled(&peer(), &nothing).unwrap().is_empty());
        }
    }

    #[test]
    fn an_answer_of_another_kind_is_told() {
        let error = courses(&peer(), &"sorry".into()).unwrap_err().to_string();
        assert!(error.contains("expected an array"), "{error}");
        let nameless = Value::from(vec![Struct::new().with("fullname", "Algebra").into()]);
        let error = courses(&peer(), &nameless).unwrap_err().to_string();
        assert!(error.contains("without remoteid"), "{error}");
        assert!(enrolled(&peer(), &nameless).is_err());
    }

    #[test]
    fn of_two_enrolments_of_a_user_ours_counts() {
        let both = Value::from(vec![
            entry("zoe", "manual"),
            entry("zoe", "mnet"),
            entry("zoe", "self"),
        ]);
        let found = enrolled(&peer(), &both).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].by_us);
        assert_eq!(found[0].role, "student");
        assert_eq!(found[0].since, Some(UnixTime(1_795_480_239)));
    }

    #[test]
    fn no_more_is_read_than_is_kept() {
        let many = Value::from(vec![entry("zoe", "mnet"); MAX_ENROLLED + 1]);
        assert!(enrolled(&peer(), &many).is_err());
        let course: Value = Struct::new().with("remoteid", "1").into();
        let many = Value::from(vec![course; MAX_COURSES + 1]);
        assert!(courses(&peer(), &many).is_err());
        let wordy: Value = Struct::new()
            .with("remoteid", "1")
            .with("summary", "é".repeat(MAX_SUMMARY + 1))
            .into();
        let read = courses(&peer(), &vec![wordy].into()).unwrap();
        assert_eq!(read[0].summary.chars().count(), MAX_SUMMARY);
    }
}
