//! The service `sso_idp`: what peers ask and tell about accounts of ours, in the shapes of Moodle's own
//! plugin (auth/mnet/auth.php).

use std::sync::Arc;

use super::super::State;
use super::super::fault::Refusal;
use super::super::replay::Place;
use super::{Dispatched, Order as AnyOrder};
use crate::clock::UnixTime;
use crate::enrol::{MAX_COURSES, MAX_SUMMARY};
use crate::peer::Peer;
use crate::register::{MAX_ID, MAX_NAME};
use crate::sso::Token;
use crate::sso::identity_provider::{self as rules, Identity, LogEntry};
use crate::sso::session::IDLE_LIMIT;
use crate::store::peer_courses::PeerCourseFields;
use crate::xmlrpc::{Struct, Value};

/// Usernames in one `keepalive_server`: as many as are online at a large site at once.
pub const MAX_USERNAMES: usize = 1_000;

/// Entries in one `refresh_log`: Moodle ≤ 2.7 sent those of one cron run.
pub const MAX_LOG_ENTRIES: usize = 1_000;

/// The longest log entry that is kept, in bytes of JSON: Moodle's fields are 255 characters at most.
const MAX_LOG_ENTRY: usize = 4_096;

/// The most characters of usernames that are repeated in an answer.
const MAX_NAMED: usize = 1_000;

/// A user agent as MNet names it: SHA-1 in hex.
const USER_AGENT_LENGTH: usize = 40;

/// A call that writes.
#[derive(Clone, Debug)]
pub enum Order {
    /// `user_authorise`.
    UserAuthorise {
        /// What the browser came with.
        token: Token,
        /// The browser.
        user_agent: String,
    },
    /// `keepalive_server`.
    KeepAlive {
        /// Who is active there.
        usernames: Vec<String>,
    },
    /// `kill_children`.
    KillChildren {
        /// Who signed out there.
        username: String,
        /// In which browser.
        user_agent: String,
    },
    /// `refresh_log`.
    RefreshLog {
        /// What happened there.
        entries: Vec<LogEntry>,
        /// How many more cannot be kept.
        unusable: usize,
    },
    /// `update_enrolments`.
    UpdateEnrolments {
        /// Whose.
        username: String,
        /// The courses, each with the role's name.
        courses: Vec<(PeerCourseFields, String)>,
    },
}

/// Answers what only reads, and takes the order of what writes.
pub fn dispatch(path: &'static str, params: &[Value], peer: &Peer) -> Result<Dispatched, Refusal> {
    let order = match path.rsplit('/').next() {
        Some("user_authorise") => {
            let (token, user_agent) = two_texts(path, params)?;
            Order::UserAuthorise {
                token: Token::presented(&token),
                user_agent,
            }
        }
        Some("keepalive_server") => Order::KeepAlive {
            usernames: read_usernames(path, params)?,
        },
        Some("kill_children") => {
            let (username, user_agent) = two_texts(path, params)?;
            Order::KillChildren {
                username,
                user_agent,
            }
        }
        Some("refresh_log") => read_log(path, params)?,
        Some("update_enrolments") => read_enrolments(path, params)?,
        // Mahara ends a login on `false` or a fault, whoever the user is.
        Some("fetch_user_image") => return Ok(Dispatched::Answered(Value::Array(Vec::new()))),
        Some("fetch_theme_info") => return Ok(Dispatched::Answered(theme_info())),
        _ => return Err(Refusal::UnknownMethod),
    };
    Ok(Dispatched::Waits(
        Box::new(peer.clone()),
        AnyOrder::IdentityProvider(order),
    ))
}

/// Carries out what writes.
pub async fn write(
    state: &Arc<State>,
    peer: &Peer,
    order: Order,
    place: Option<Place>,
) -> Result<Value, Refusal> {
    let (id, now) = (peer.id, state.clock.now());
    match order {
        Order::UserAuthorise { token, user_agent } => {
            let identity = super::once(state, peer, place, move |tx| {
                let identity = rules::authorise(tx, id, &token, &user_agent, now)?;
                Ok(identity.map_err(Refusal::Authorise))
            })
            .await?;
            Ok(told(&identity, state.wwwroot.as_str()))
        }
        Order::KeepAlive { usernames } => {
            super::once(state, peer, place, move |tx| {
                let unknown = rules::keep_alive(tx, id, &usernames, now)?;
                Ok(Ok(kept_alive(&unknown)))
            })
            .await
        }
        Order::KillChildren {
            username,
            user_agent,
        } => {
            let ended = super::once(state, peer, place, move |tx| {
                Ok(Ok(rules::end_sessions(
                    tx,
                    id,
                    &username,
                    &user_agent,
                    now,
                )?))
            })
            .await?;
            let said = match ended.len() {
                0 => "There was no such session\n".to_owned(),
                _ => "Deleting session\n".repeat(ended.len()),
            };
            state.sso.end_at_peers_later(ended);
            Ok(said.into())
        }
        Order::RefreshLog { entries, unusable } => {
            super::once(state, peer, place, move |tx| {
                let strangers = rules::keep_log(tx, id, &entries, now)?;
                Ok(Ok(log_kept(strangers + unusable)))
            })
            .await
        }
        Order::UpdateEnrolments { username, courses } => {
            super::once(state, peer, place, move |tx| {
                let known = rules::update_enrolments(tx, id, &username, &courses, now)?;
                Ok(Ok(known.into()))
            })
            .await
        }
    }
}

/// The answer to `user_authorise`: what Moodle sends, and of the rest what a new account there needs.
fn told(identity: &Identity, wwwroot: &str) -> Value {
    let account = &identity.account;
    let mut told = Struct::with_capacity(12)
        .with("auth", "mnet")
        .with("username", account.username.as_str())
        .with("email", account.email.as_str())
        .with("firstname", account.firstname.as_str())
        .with("lastname", account.lastname.as_str())
        .with("lang", "en")
        .with("country", "")
        .with("city", "")
        .with("wwwroot", wwwroot)
        .with("session.gc_maxlifetime", IDLE_LIMIT.to_string())
        .with("myhosts", my_hosts(identity, wwwroot));
    if let Some(idnumber) = &identity.idnumber {
        told.insert("idnumber", idnumber.as_str());
    }
    told.into()
}

/// Where the user has courses: here, where that is so.
fn my_hosts(identity: &Identity, wwwroot: &str) -> Value {
    if identity.courses == 0 {
        return Value::Array(Vec::new());
    }
    let here = Struct::with_capacity(3)
        .with("name", wwwroot)
        .with("url", wwwroot)
        .with("count", identity.courses);
    vec![Value::from(here)].into()
}

fn kept_alive(unknown: &[&str]) -> Value {
    let message = if unknown.is_empty() {
        "All ok".to_owned()
    } else {
        let named: String = unknown.join("\n").chars().take(MAX_NAMED).collect();
        format!("We failed to refresh the session for the following usernames: \n{named}\n\n")
    };
    Struct::with_capacity(3)
        .with("code", i32::from(!unknown.is_empty()))
        .with("message", message)
        .with("last log id", "0")
        .into()
}

fn log_kept(passed_over: usize) -> Value {
    let message = match passed_over {
        0 => "All ok".to_owned(),
        number => format!(
            "{number} entries were passed over: of nobody who has a session at your site, without remoteid or time, or too long"
        ),
    };
    Struct::with_capacity(2)
        .with("code", i32::from(passed_over > 0))
        .with("message", message)
        .into()
}

fn theme_info() -> Value {
    Struct::with_capacity(2)
        .with("themename", "mnetd")
        .with("logourl", "")
        .into()
}

/// The parameters of a function that takes a text, and the name of a browser.
pub(super) fn two_texts(
    method: &'static str,
    params: &[Value],
) -> Result<(String, String), Refusal> {
    let refuse = |expected| Refusal::Parameters { method, expected };
    let [text, user_agent] = params else {
        return Err(refuse("two parameters; the second is a User-Agent's SHA-1"));
    };
    let text = text
        .to_text()
        .filter(|text| !text.is_empty() && text.len() <= MAX_ID);
    let user_agent = user_agent.to_text().filter(|hash| {
        hash.len() == USER_AGENT_LENGTH && hash.chars().all(|c| c.is_ascii_hexdigit())
    });
    match (text, user_agent) {
        (Some(text), Some(hash)) => Ok((text.into_owned(), hash.to_ascii_lowercase())),
        (None, _) => Err(refuse("a text of at most 255 bytes as the first parameter")),
        (_, None) => Err(refuse(
            "the SHA-1 of the browser's User-Agent, 40 hexadecimal digits, as the second parameter",
        )),
    }
}

fn read_usernames(method: &'static str, params: &[Value]) -> Result<Vec<String>, Refusal> {
    let refuse = || Refusal::Parameters {
        method,
        expected: "one parameter: an array of at most 1,000 usernames",
    };
    let [usernames] = params else {
        return Err(refuse());
    };
    let usernames = usernames.to_list().ok_or_else(refuse)?;
    if usernames.len() > MAX_USERNAMES {
        return Err(refuse());
    }
    usernames
        .into_iter()
        .map(|username| Some(username.to_text()?.into_owned()))
        .collect::<Option<_>>()
        .ok_or_else(refuse)
}

fn read_log(method: &'static str, params: &[Value]) -> Result<Order, Refusal> {
    let refuse = || Refusal::Parameters {
        method,
        expected: "one parameter: an array of at most 1,000 structs {remoteid, time, username, …}",
    };
    let [listed] = params else {
        return Err(refuse());
    };
    let listed = listed.to_list().ok_or_else(refuse)?;
    if listed.len() > MAX_LOG_ENTRIES {
        return Err(refuse());
    }
    let entries: Vec<_> = listed
        .iter()
        .filter_map(|entry| read_entry(entry))
        .collect();
    Ok(Order::RefreshLog {
        unusable: listed.len() - entries.len(),
        entries,
    })
}

fn read_entry(entry: &Value) -> Option<LogEntry> {
    let text = |name| Some(entry.get(name)?.to_text()?.into_owned());
    let remote_id = text("remoteid").or_else(|| text("id"))?;
    let json = serde_json::Value::from(entry).to_string();
    let fits = !remote_id.is_empty() && remote_id.len() <= MAX_ID && json.len() <= MAX_LOG_ENTRY;
    fits.then_some(LogEntry {
        remote_id,
        username: text("username")?,
        at: UnixTime(entry.get("time")?.to_integer()?),
        entry: json,
    })
}

fn read_enrolments(method: &'static str, params: &[Value]) -> Result<Order, Refusal> {
    let refuse = || Refusal::Parameters {
        method,
        expected: "two parameters: a username, and at most 5,000 courses as structs with an id, keyed by it or as an array",
    };
    let [username, courses] = params else {
        return Err(refuse());
    };
    let username = username.to_text().ok_or_else(refuse)?.into_owned();
    let courses: Vec<&Value> = match courses {
        Value::Struct(by_id) => by_id.iter().map(|(_, course)| course).collect(),
        other => other.to_list().ok_or_else(refuse)?,
    };
    if courses.len() > MAX_COURSES {
        return Err(refuse());
    }
    let courses = courses.into_iter().map(read_course).collect::<Option<_>>();
    Ok(Order::UpdateEnrolments {
        username,
        courses: courses.ok_or_else(refuse)?,
    })
}

/// A course as `update_enrolments` tells it; longer texts than are kept are cut. `None`: it has no id.
fn read_course(course: &Value) -> Option<(PeerCourseFields, String)> {
    let text = |name: &str, most: usize| -> String {
        let text = course.get(name).and_then(Value::to_text);
        text.unwrap_or_default().chars().take(most).collect()
    };
    let remote_id = course.get("id")?.to_text()?.into_owned();
    if remote_id.is_empty() || remote_id.chars().count() > MAX_ID {
        return None;
    }
    let starts_at = course.get("startdate").and_then(Value::to_integer);
    let fields = PeerCourseFields {
        remote_id,
        fullname: text("fullname", MAX_NAME),
        shortname: text("shortname", MAX_NAME),
        idnumber: text("idnumber", MAX_ID),
        summary: text("summary", MAX_SUMMARY),
        category: text("cat_name", MAX_NAME),
        starts_at: starts_at.filter(|at| *at > 0).map(UnixTime),
    };
    Some((fields, text("defaultrolename", MAX_NAME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courses_come_keyed_by_id_as_a_list_or_not_at_all() {
        let course = |id: &str| Value::from(Struct::new().with("id", id).with("fullname", "Art"));
        let by_id: Value = Struct::new().with("a7", course("a7")).into();
        let read = |courses: Value| {
            let order = read_enrolments("update_enrolments", &["zoe".into(), courses]);
            match order.unwrap() {
                Order::UpdateEnrolments { courses, .. } => courses.len(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(by_id), 1);
        assert_eq!(read(vec![course("1"), course("2")].into()), 2);
        for nothing in [Value::Nil, "".into(), false.into(), Vec::new().into()] {
            assert_eq!(read(nothing), 0);
        }
        let many = Value::from(vec![course("1"); MAX_COURSES + 1]);
        for wrong in [many, "courses".into(), vec![Value::from("1")].into()] {
            assert!(read_enrolments("update_enrolments", &["zoe".into(), wrong]).is_err());
        }
    }

    #[test]
    fn no_more_users_and_entries_are_read_than_one_call_may_hold() {
        let names = |number| [Value::from(vec![Value::from("zoe"); number])];
        assert!(read_usernames("keepalive_server", &names(MAX_USERNAMES)).is_ok());
        assert!(read_usernames("keepalive_server", &names(MAX_USERNAMES + 1)).is_err());
        let entries = |number| {
            let entry = Struct::new().with("remoteid", "1").with("username", "zoe");
            let entry = Value::from(entry.with("time", "1790000000"));
            [Value::from(vec![entry; number])]
        };
        assert!(read_log("refresh_log", &entries(MAX_LOG_ENTRIES)).is_ok());
        assert!(read_log("refresh_log", &entries(MAX_LOG_ENTRIES + 1)).is_err());
    }

    #[test]
    fn an_entry_too_long_to_keep_is_passed_over() {
        let entry = Struct::new().with("remoteid", "1").with("username", "zoe");
        let entry = entry.with("time", "1790000000");
        assert!(read_entry(&entry.clone().into()).is_some());
        let long = entry.with("info", "x".repeat(MAX_LOG_ENTRY));
        assert!(read_entry(&long.into()).is_none());
    }

    #[test]
    fn a_user_agent_is_forty_hexadecimal_digits() {
        let read = |hash: &str| two_texts("user_authorise", &["token".into(), hash.into()]);
        assert!(read(&"Ab".repeat(20)).is_ok());
        for wrong in ["", "ab", &"g".repeat(40), &"a".repeat(41)] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let long = Value::from("x".repeat(MAX_ID + 1));
        assert!(two_texts("user_authorise", &[long, "a".repeat(40).into()]).is_err());
    }
}
