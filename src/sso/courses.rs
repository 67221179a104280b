//! What a peer is told about the sections its person is in here (`update_enrolments`).

use serde_json::Value as Json;

use crate::register::ONGOING;
use crate::store::sign_on::CourseOfPerson;
use crate::xmlrpc::{Struct, Value};

/// The role of everybody who comes from a peer: Moodle's number for a student is its own affair, ours
/// is the one that `mnet_enrol` names.
const ROLE: (&str, &str) = ("1", "Student");

/// Courses keyed by id, in the shape of Moodle's `update_enrolments`; an empty array for none.
pub(super) fn told(courses: &[CourseOfPerson]) -> Value {
    if courses.is_empty() {
        return Value::Array(Vec::new());
    }
    courses
        .iter()
        .enumerate()
        .map(|(place, course)| (course.section.0.to_string(), told_one(place + 1, course)))
        .collect::<Struct>()
        .into()
}

fn told_one(place: usize, course: &CourseOfPerson) -> Struct {
    let fields = &course.fields;
    let idnumber = fields.idnumber.as_deref().unwrap_or_default();
    // What a Moodle sent along with its course is handed on as it came.
    let sent = |name: &str| match fields.extra.members().get(name) {
        Some(Json::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let shortname = sent("shortname").unwrap_or_else(|| match idnumber {
        "" => fields.name.clone(),
        idnumber => idnumber.to_owned(),
    });
    let (category, category_name) = match &course.segment {
        Some(segment) => (segment.id, segment.name.as_str()),
        None => (0, ONGOING),
    };
    Struct::with_capacity(12)
        .with("id", course.section.0.to_string())
        .with("sortorder", place.to_string())
        .with("fullname", fields.name.as_str())
        .with("shortname", shortname)
        .with("idnumber", idnumber)
        .with("summary", sent("summary").unwrap_or_default())
        .with(
            "startdate",
            sent("startdate").unwrap_or_else(|| "0".to_owned()),
        )
        .with("cat_id", category.to_string())
        .with("cat_name", category_name)
        .with("cat_description", "")
        .with("defaultroleid", ROLE.0)
        .with("defaultrolename", ROLE.1)
}
