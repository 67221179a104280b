//! What stands in a list, as the call that would create it.

use crate::register::{
    Call, DropEnrolment, FetchUser, NewEnrolment, NewGrade, RegisterError, RemoveAssessment,
    RemoveGrade, RemoveSection, RemoveUser, UserKey, UserRecord,
};
use crate::store::Extra;
use crate::store::enrolments::Role;
use crate::store::syncs::{Key, Kind};
use crate::xmlrpc::Value;

/// Characters of an id in a message.
const SHOWN: usize = 80;

/// A row of a list.
#[derive(Debug)]
pub struct Item {
    /// What points at it; `None`: nothing in it can be read as an id.
    pub key: Option<Key>,
    /// The call, or why there is none.
    pub call: Result<Call, RegisterError>,
}

impl Item {
    /// Takes a row apart.
    pub fn read(kind: Kind, value: &Value) -> Self {
        let call = call(kind, value);
        let key = match &call {
            Ok(call) => key_of(call),
            Err(_) => guess(kind, value),
        };
        Self { key, call }
    }

    /// What it is called in messages.
    pub fn label(&self) -> String {
        match &self.key {
            Some(key) => label(key),
            None => "(no readable id)".to_owned(),
        }
    }
}

/// What a row is called in messages.
pub fn label(key: &Key) -> String {
    let text = match key {
        Key::User { idnumber, username } => idnumber
            .as_ref()
            .or(username.as_ref())
            .cloned()
            .unwrap_or_default(),
        Key::Section(id) | Key::Assessment(id) => id.clone(),
        Key::Enrolment {
            sectionid,
            userid,
            role,
        } => format!("{userid} in {sectionid} as {role}"),
        Key::Grade {
            assessmentid,
            userid,
        } => format!("{userid} in {assessmentid}"),
    };
    text.chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The call that takes out of use what `key` points at; an enrolment is dropped, with `note`.
pub fn removal(key: Key, note: &str) -> Option<Call> {
    Some(match key {
        Key::User { idnumber, username } => {
            let user = match (idnumber, username) {
                (Some(idnumber), _) => UserKey::Id {
                    idnumber,
                    username: None,
                },
                (None, Some(username)) => UserKey::Username(username),
                (None, None) => return None,
            };
            Call::RemoveUser(RemoveUser { user })
        }
        Key::Section(idnumber) => Call::RemoveSection(RemoveSection { idnumber }),
        Key::Enrolment {
            sectionid,
            userid,
            role,
        } => Call::DropEnrolment(DropEnrolment {
            sectionid,
            userid,
            role: Role::from_word(&role)?,
            status: None,
            note: Some(note.to_owned()),
            effective_at: None,
            extra: Extra::default(),
        }),
        Key::Assessment(idnumber) => Call::RemoveAssessment(RemoveAssessment { idnumber }),
        Key::Grade {
            assessmentid,
            userid,
        } => Call::RemoveGrade(RemoveGrade {
            assessmentid,
            userid,
        }),
    })
}

fn call(kind: Kind, value: &Value) -> Result<Call, RegisterError> {
    let method = match kind {
        // Not by its method: that would ask the peer back for what is missing, which is what it has just said.
        Kind::Users => {
            let record = UserRecord::from_value(value)?;
            return Ok(Call::FetchUser(FetchUser::Complete(record)));
        }
        Kind::Sections => "new_section",
        Kind::Enrolments => "new_enrolment",
        Kind::Assessments => "new_assessment",
        Kind::Grades => "new_grade",
    };
    let parsed = Call::parse(method, std::slice::from_ref(value))?;
    parsed.ok_or(RegisterError::Missing {
        field: "method",
        expected: "a method of the register",
    })
}

fn key_of(call: &Call) -> Option<Key> {
    Some(match call {
        Call::FetchUser(FetchUser::Complete(user)) => Key::User {
            idnumber: user.idnumber.clone(),
            username: Some(user.username.clone()),
        },
        Call::NewSection(section) => Key::Section(section.idnumber.clone()),
        Call::NewEnrolment(NewEnrolment {
            sectionid,
            userid,
            role,
            ..
        }) => Key::Enrolment {
            sectionid: sectionid.clone(),
            userid: userid.clone(),
            role: role.as_str().to_owned(),
        },
        Call::NewAssessment(assessment) => Key::Assessment(assessment.idnumber.clone()),
        Call::NewGrade(NewGrade {
            assessmentid,
            userid,
            ..
        }) => Key::Grade {
            assessmentid: assessmentid.clone(),
            userid: userid.clone(),
        },
        _ => return None,
    })
}

/// What a row that cannot be used seems to point at: what it means is there, and must not be taken for gone.
fn guess(kind: Kind, value: &Value) -> Option<Key> {
    let text = |name| {
        let text = value.get(name).and_then(Value::to_text)?;
        Some(text.into_owned()).filter(|text| !text.is_empty())
    };
    match kind {
        Kind::Users => {
            let (idnumber, username) = (text("idnumber"), text("username"));
            (idnumber.is_some() || username.is_some()).then_some(Key::User { idnumber, username })
        }
        Kind::Sections => text("idnumber").map(Key::Section),
        Kind::Assessments => text("idnumber").map(Key::Assessment),
        Kind::Enrolments => Some(Key::Enrolment {
            sectionid: text("sectionid")?,
            userid: text("userid")?,
            // As something else than the register knows, either of the two may be meant.
            role: text("role").filter(|role| Role::from_word(role).is_some())?,
        }),
        Kind::Grades => Some(Key::Grade {
            assessmentid: text("assessmentid")?,
            userid: text("userid")?,
        }),
    }
}
