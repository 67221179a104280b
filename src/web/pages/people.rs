//! People: the list, a person's page, and who may sign in.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::register::{self, HandMadePerson, RegisterError};
use crate::sso::session;
use crate::store::accounts::{self, Account};
use crate::store::enrolments::Role;
use crate::store::lists::{self, PeopleQuery, PersonRow, PersonSection, ROWS, Slice};
use crate::store::people::{self, Person, SchoolChange};
use crate::store::sessions::SessionFilter;
use crate::store::statuses::{self, Scope, Status};
use crate::store::{PeerId, PersonId, StoreError};
use crate::web::extract::{Path, Query};
use crate::web::hand::{self, Hand};
use crate::web::page::{self, Layout, Place};
use crate::web::pager::{Pager, Turning};
use crate::web::show::{self, PeerNames};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, NoFields, Staff, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/people", get(list))
        .route("/people/new", get(new_form).post(make))
        .route("/people/{id}", get(person))
        .route("/people/{id}/edit", get(edit_form).post(change))
        .route("/people/{id}/remove", post(remove))
        .route("/people/{id}/sign-in", post(set_right))
        .route("/people/{id}/school", post(set_school))
        .route("/sign-in-rights", get(rights).post(set_rights))
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    role: String,
    /// The row number of a peer, or `here`.
    #[serde(default)]
    peer: String,
    #[serde(default)]
    removed: String,
}

#[derive(Template)]
#[template(path = "pages/people.html")]
struct ListPage {
    layout: Layout,
    query: Wanted,
    count: u32,
    origins: Vec<(String, String)>,
    peers: PeerNames,
    slice: Slice<PersonRow>,
    pager: Pager,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "pages/person.html")]
struct PersonPage {
    layout: Layout,
    problem: Option<String>,
    person: Person,
    extras: Vec<(String, String)>,
    peers: PeerNames,
    sections: Vec<PersonSection>,
    school: Vec<SchoolChange>,
    school_statuses: Vec<Status>,
    may_sign_in: bool,
    account: Option<Account>,
    typed: SchoolForm,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "pages/person_new.html")]
struct NewPage {
    layout: Layout,
    problem: Option<String>,
    form: NewForm,
    /// The person to be changed; `None`: a new one.
    known: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct NewForm {
    firstname: String,
    lastname: String,
    username: String,
    email: String,
    idnumber: String,
}

impl NewForm {
    fn entered(&self) -> HandMadePerson {
        let text = |text: &str| text.trim().to_owned();
        HandMadePerson {
            idnumber: hand::said(&self.idnumber).map(str::to_owned),
            username: text(&self.username),
            firstname: text(&self.firstname),
            lastname: text(&self.lastname),
            email: text(&self.email),
        }
    }
}

#[derive(Deserialize)]
struct RightForm {
    right: String,
}

/// What the form starts with is of this kind too: after a refused one, what was typed.
#[derive(Clone, Debug, Deserialize)]
struct SchoolForm {
    /// Empty: none is chosen.
    status: String,
    from: String,
    note: String,
}

#[derive(Template)]
#[template(path = "pages/sign_in_rights.html")]
struct RightsPage {
    layout: Layout,
    rows: Vec<RightsRow>,
    may_change: bool,
}

struct RightsRow {
    name: String,
    /// The row number of a peer; empty: every one.
    value: String,
    student: bool,
    teacher: bool,
}

impl Wanted {
    fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && self.role.is_empty() && self.peer.is_empty()
    }

    fn query(&self) -> PeopleQuery {
        PeopleQuery {
            search: hand::said(&self.q).map(str::to_owned),
            role: Role::from_word(&self.role),
            peer: match self.peer.as_str() {
                "here" => Some(None),
                peer => peer.parse().ok().map(|id| Some(PeerId(id))),
            },
            removed: self.removed == "yes",
        }
    }
}

async fn list(
    State(console): State<Console>,
    staff: Staff,
    Query(wanted): Query<Wanted>,
    Query(turning): Query<Turning>,
) -> Result<Response<Body>, WebError> {
    let (query, now) = (wanted.query(), console.clock().now());
    let (peers, origins, count, slice) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let slice = lists::people(tx, &query, now, turning.turn(PersonId), ROWS)?;
            let peers = PeerNames::read(tx)?;
            let origins = lists::people_of_peers(tx)?;
            Ok((peers, origins, lists::counts(tx)?.people, slice))
        })
        .await?;
    let filters = [
        ("q", wanted.q.as_str()),
        ("role", &wanted.role),
        ("peer", &wanted.peer),
        ("removed", &wanted.removed),
    ];
    let path = format!("{}/people", console.base());
    let pager = Pager::new(&path, &filters, &slice, |row| row.person.id.0);
    let origins = origins
        .into_iter()
        .filter_map(|(peer, _)| Some((peer?.0.to_string(), peers.origin(&peer).to_owned())))
        .collect();
    let page = ListPage {
        layout: Layout::new(&console, &staff, Place::People, "People"),
        query: wanted,
        count,
        origins,
        peers,
        slice,
        pager,
        may_change: staff.access() == Access::Administrator,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn person(
    State(console): State<Console>,
    staff: Staff,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let nothing = SchoolForm {
        status: String::new(),
        from: show::date(console.clock().now()),
        note: String::new(),
    };
    let page = person_page(&console, &staff, PersonId(id), nothing, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn person_page(
    console: &Console,
    visitor: &Visitor,
    id: PersonId,
    typed: SchoolForm,
    problem: Option<String>,
) -> Result<PersonPage, WebError> {
    let now = console.clock().now();
    let (reading, visitor) = (console.clone(), visitor.clone());
    let page = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let Some(person) = people::get(tx, id)? else {
                return Ok(None);
            };
            let name = format!("{} {}", person.fields.firstname, person.fields.lastname);
            let members = person.fields.extra.members();
            let extras = members
                .iter()
                .map(|(name, value)| match value.as_str() {
                    Some(text) => (name.clone(), text.to_owned()),
                    None => (name.clone(), value.to_string()),
                })
                .collect();
            Ok(Some(PersonPage {
                layout: Layout::new(&reading, &visitor, Place::People, name),
                problem,
                extras,
                peers: PeerNames::read(tx)?,
                sections: lists::sections_of_person(tx, id, now)?,
                school: people::school_history(tx, id)?,
                school_statuses: statuses::list(tx, Scope::School)?,
                may_sign_in: people::may_sign_in(tx, id, now)?,
                account: accounts::of_person(tx, id)?,
                typed,
                may_change: visitor.access() == Access::Administrator,
                person,
            }))
        })
        .await?;
    page.ok_or(WebError::NotFound)
}

async fn new_form(State(console): State<Console>, administrator: Administrator) -> Response<Body> {
    let page = NewPage {
        layout: Layout::new(&console, &administrator, Place::People, "Take somebody up"),
        problem: None,
        form: NewForm::default(),
        known: None,
    };
    page::ok(&page, &page.layout)
}

async fn make(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response<Body>, WebError> {
    let new = form.entered();
    let hand = Hand::of(&administrator, &console);
    let made = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let reply = register::make_person(tx, &new, hand.now)?;
            hand.note(tx, "person taken up", &new.username, "by hand")?;
            Ok(reply.id)
        })
        .await;
    match hand::outcome(made)? {
        Ok(id) => {
            let path = format!("/people/{id}");
            Ok(page::see_other(&console, &path, Some("Taken up.")))
        }
        Err(problem) => {
            let page = NewPage {
                layout: Layout::new(&console, &administrator, Place::People, "Take somebody up"),
                problem: Some(problem),
                form,
                known: None,
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

async fn edit_form(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let person = console
        .store()
        .read(move |tx| people::get(tx, PersonId(id)))
        .await?;
    let fields = person.ok_or(WebError::NotFound)?.fields;
    let form = NewForm {
        firstname: fields.firstname,
        lastname: fields.lastname,
        username: fields.username,
        email: fields.email,
        idnumber: fields.idnumber.unwrap_or_default(),
    };
    let page = edit_page(&console, &administrator, id, form, None);
    Ok(page::ok(&page, &page.layout))
}

fn edit_page(
    console: &Console,
    administrator: &Administrator,
    id: i64,
    form: NewForm,
    problem: Option<String>,
) -> NewPage {
    let title = format!("Change {} {}", form.firstname, form.lastname);
    NewPage {
        layout: Layout::new(console, administrator, Place::People, title),
        problem,
        form,
        known: Some(id),
    }
}

async fn change(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response<Body>, WebError> {
    let (hand, new) = (Hand::of(&administrator, &console), form.entered());
    let changed = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(person) = people::get(tx, PersonId(id))? else {
                return Ok(false);
            };
            register::change_person(tx, &person, &new, hand.now)?;
            hand.note(tx, "person changed", &person.fields.username, "")?;
            Ok(true)
        })
        .await;
    match hand::outcome(changed)? {
        Ok(true) => {
            let path = format!("/people/{id}");
            Ok(page::see_other(&console, &path, Some("Saved.")))
        }
        Ok(false) => Err(WebError::NotFound),
        Err(problem) => {
            let page = edit_page(&console, &administrator, id, form, Some(problem));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let removed = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(person) = people::get(tx, PersonId(id))? else {
                return Ok(false);
            };
            register::remove_person(tx, &person, hand.now)?;
            hand.note(tx, "person removed", &person.fields.username, "")?;
            Ok(true)
        })
        .await;
    match hand::outcome(removed)? {
        Ok(true) => {
            let path = format!("/people/{id}");
            Ok(page::see_other(
                &console,
                &path,
                Some("Removed; nothing is erased."),
            ))
        }
        Ok(false) => Err(WebError::NotFound),
        Err(problem) => Err(WebError::Unusable(problem)),
    }
}

async fn set_right(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<RightForm>,
) -> Result<Response<Body>, WebError> {
    let (right, action, notice) = match form.right.as_str() {
        "allow" => (Some(true), "sign-in allowed", "This person may sign in."),
        "deny" => (
            Some(false),
            "sign-in denied",
            "This person may not sign in.",
        ),
        "groups" => (
            None,
            "sign-in left to the groups",
            "Whether this person may sign in is left to the groups.",
        ),
        other => {
            return Err(WebError::Unusable(format!(
                "“{other}” is no right; expected allow, deny or groups."
            )));
        }
    };
    let hand = Hand::of(&administrator, &console);
    let found = console
        .store()
        .write(move |tx| -> Result<_, StoreError> {
            let Some(person) = people::get(tx, PersonId(id))? else {
                return Ok(false);
            };
            people::set_may_sign_in(tx, person.id, right)?;
            session::end_those_without_right(tx, &SessionFilter::of_person(person.id), hand.now)?;
            hand.note(tx, action, &person.fields.username, "")?;
            Ok(true)
        })
        .await?;
    if !found {
        return Err(WebError::NotFound);
    }
    let path = format!("/people/{id}");
    Ok(page::see_other(&console, &path, Some(notice)))
}

async fn set_school(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<SchoolForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let typed = form.clone();
    let set = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(person) = people::get(tx, PersonId(id))? else {
                return Ok(false);
            };
            let effective_at = hand::from_day(&form.from, hand.now)?;
            register::set_school_status(
                tx,
                &hand.author,
                person.id,
                &form.status,
                effective_at,
                hand::said(&form.note),
                hand.now,
            )?;
            let username = &person.fields.username;
            hand.note(tx, "school status set", username, &form.status)?;
            Ok(true)
        })
        .await;
    match hand::outcome(set)? {
        Ok(true) => {
            let path = format!("/people/{id}");
            Ok(page::see_other(&console, &path, Some("The status is set.")))
        }
        Ok(false) => Err(WebError::NotFound),
        Err(problem) => {
            let problem = Some(problem);
            let id = PersonId(id);
            let page = person_page(&console, &administrator, id, typed, problem).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

async fn rights(State(console): State<Console>, staff: Staff) -> Result<Response<Body>, WebError> {
    let (allowed, names) = console
        .store()
        .read(|tx| -> Result<_, StoreError> {
            Ok((people::groups_that_may_sign_in(tx)?, PeerNames::read(tx)?))
        })
        .await?;
    let row = |peer: String, name: &str| {
        let has = |role: Role| {
            let group = parse_right(&format!("{role}-{peer}"));
            group.is_some_and(|group| allowed.contains(&group))
        };
        RightsRow {
            name: name.to_owned(),
            student: has(Role::Student),
            teacher: has(Role::Teacher),
            value: peer,
        }
    };
    let every = std::iter::once(row(String::new(), "everywhere"));
    let rows = every.chain(names.all().into_iter().map(|(peer, name)| row(peer, name)));
    let page = RightsPage {
        rows: rows.collect(),
        layout: Layout::new(&console, &staff, Place::People, "Who may sign in"),
        may_change: staff.access() == Access::Administrator,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn set_rights(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response<Body>, WebError> {
    let chosen = groups(&fields, "right")?;
    // Only what was changed on the page is changed: another administrator may have given or taken
    // other rights meanwhile, and not every right stands on the page.
    let ticked_before = groups(&fields, "was")?;
    let hand = Hand::of(&administrator, &console);
    console
        .store()
        .write(move |tx| -> Result<_, StoreError> {
            let names = PeerNames::read(tx)?;
            let before = people::groups_that_may_sign_in(tx)?;
            let taken = ticked_before.iter().filter(|group| !chosen.contains(group));
            let given = chosen.iter().filter(|group| !ticked_before.contains(group));
            let changes = taken
                .map(|group| (group, false))
                .chain(given.map(|group| (group, true)))
                .filter(|(group, right)| before.contains(group) != *right);
            for ((role, peer), right) in changes {
                people::set_group_may_sign_in(tx, *role, *peer, right)?;
                let of = match peer {
                    Some(_) => format!(" of {}", names.origin(peer)),
                    None => String::new(),
                };
                let action = if right {
                    "sign-in allowed"
                } else {
                    "sign-in denied"
                };
                hand.note(tx, action, &format!("all {role}s{of}"), "")?;
            }
            session::end_those_without_right(tx, &SessionFilter::default(), hand.now)?;
            Ok(())
        })
        .await?;
    let notice = Some("Saved.");
    Ok(page::see_other(&console, "/sign-in-rights", notice))
}

/// The groups that stand in the fields called `wanted`.
fn groups(
    fields: &[(String, String)],
    wanted: &str,
) -> Result<Vec<(Role, Option<PeerId>)>, WebError> {
    fields
        .iter()
        .filter(|(name, _)| name == wanted)
        .map(|(_, value)| parse_right(value))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            WebError::Unusable("A group was expected, such as student or teacher.".to_owned())
        })
}

fn parse_right(value: &str) -> Option<(Role, Option<PeerId>)> {
    let (role, peer) = value.split_once('-')?;
    let peer = match peer {
        "" => None,
        peer => Some(PeerId(peer.parse().ok()?)),
    };
    Some((Role::from_word(role)?, peer))
}
