//! Sections: the list by term, a section's page, and what is done there by hand.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::register::{self, HandMadeSection, RegisterError};
use crate::store::enrolments::Role;
use crate::store::lists::{
    self, Member, MemberFilter, ROWS, SectionQuery, SectionRow, SectionTeacher, SegmentCounts,
    Slice,
};
use crate::store::sections::{self, Section, SegmentFilter, TeacherChange, TeacherRecord};
use crate::store::statuses::{self, Meaning, Scope, Status};
use crate::store::{EnrolmentId, ReadTx, SectionId, StoreError, people};
use crate::web::extract::{Path, Query};
use crate::web::hand::{self, Hand};
use crate::web::page::{self, Layout, Place};
use crate::web::pager::{Pager, Turning};
use crate::web::show::{self, PeerNames};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, NoFields, Staff, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sections", get(list))
        .route("/sections/new", get(new_form).post(make))
        .route("/sections/{id}", get(section))
        .route("/sections/{id}/edit", get(edit_form).post(change))
        .route("/sections/{id}/remove", post(remove))
        .route("/sections/{id}/enrol", post(enrol))
        .route("/sections/{id}/teacher", post(set_teacher))
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    term: String,
    #[serde(default)]
    ongoing: String,
    #[serde(default)]
    removed: String,
}

#[derive(Template)]
#[template(path = "pages/sections.html")]
struct ListPage {
    layout: Layout,
    query: Wanted,
    terms: SegmentCounts,
    peers: PeerNames,
    slice: Slice<SectionRow>,
    pager: Pager,
    may_change: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Shown {
    #[serde(default)]
    q: String,
    #[serde(default)]
    meaning: String,
    #[serde(default)]
    all: String,
}

#[derive(Template)]
#[template(path = "pages/section.html")]
struct SectionPage {
    layout: Layout,
    problem: Option<String>,
    section: Section,
    segments: Vec<String>,
    peers: PeerNames,
    teachers: Vec<SectionTeacher>,
    history: Vec<(TeacherRecord, String)>,
    query: Shown,
    meanings: &'static [Meaning],
    students: Slice<Member>,
    pager: Pager,
    statuses: Vec<Status>,
    today: String,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "pages/section_new.html")]
struct NewPage {
    layout: Layout,
    problem: Option<String>,
    form: NewForm,
    terms: Vec<String>,
    /// The section to be changed; `None`: a new one.
    known: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct NewForm {
    name: String,
    idnumber: String,
    terms: String,
}

impl NewForm {
    fn segments(&self) -> Vec<String> {
        let terms = self.terms.split(',');
        terms.map(|term| term.trim().to_owned()).collect()
    }
}

#[derive(Deserialize)]
struct EnrolForm {
    who: String,
    role: String,
    status: String,
    from: String,
}

#[derive(Deserialize)]
struct TeacherForm {
    who: String,
    change: String,
}

impl Wanted {
    fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && self.term.is_empty() && self.ongoing.is_empty()
    }

    fn query(&self) -> SectionQuery {
        let segment = if self.ongoing == "yes" {
            Some(SegmentFilter::Ongoing)
        } else {
            hand::said(&self.term).map(|term| SegmentFilter::Named(term.to_owned()))
        };
        SectionQuery {
            search: hand::said(&self.q).map(str::to_owned),
            segment,
            removed: self.removed == "yes",
            ..SectionQuery::default()
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
    let (terms, peers, slice) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let slice = lists::sections(tx, &query, now, turning.turn(SectionId), ROWS)?;
            Ok((lists::segments(tx)?, PeerNames::read(tx)?, slice))
        })
        .await?;
    let filters = [
        ("q", wanted.q.as_str()),
        ("term", &wanted.term),
        ("ongoing", &wanted.ongoing),
        ("removed", &wanted.removed),
    ];
    let path = format!("{}/sections", console.base());
    let page = ListPage {
        layout: Layout::new(&console, &staff, Place::Sections, "Sections"),
        pager: Pager::new(&path, &filters, &slice, |row| row.section.id.0),
        query: wanted,
        terms,
        peers,
        slice,
        may_change: staff.access() == Access::Administrator,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn section(
    State(console): State<Console>,
    staff: Staff,
    Path(id): Path<i64>,
    Query(shown): Query<Shown>,
    Query(turning): Query<Turning>,
) -> Result<Response<Body>, WebError> {
    let page = section_page(&console, &staff, SectionId(id), shown, turning, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn section_page(
    console: &Console,
    visitor: &Visitor,
    id: SectionId,
    query: Shown,
    turning: Turning,
    problem: Option<String>,
) -> Result<SectionPage, WebError> {
    let now = console.clock().now();
    let (reading, visitor) = (console.clone(), visitor.clone());
    let page = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let Some(section) = sections::get(tx, id)? else {
                return Ok(None);
            };
            let filter = MemberFilter {
                role: Some(Role::Student),
                meaning: Meaning::from_word(&query.meaning),
                search: hand::said(&query.q).map(str::to_owned),
                all: query.all == "yes",
            };
            let turn = turning.turn(EnrolmentId);
            let students = lists::members(tx, id, &filter, now, turn, ROWS)?;
            let filters = [
                ("q", query.q.as_str()),
                ("meaning", &query.meaning),
                ("all", &query.all),
            ];
            let path = format!("{}/sections/{}", reading.base(), id.0);
            let name = section.fields.name.clone();
            Ok(Some(SectionPage {
                layout: Layout::new(&reading, &visitor, Place::Sections, name),
                problem,
                segments: sections::segments(tx, id)?,
                peers: PeerNames::read(tx)?,
                teachers: lists::teachers(tx, id, now)?,
                history: teacher_history(tx, id)?,
                meanings: Meaning::ALL,
                pager: Pager::new(&path, &filters, &students, |row| row.enrolment.0),
                students,
                query,
                statuses: statuses::list(tx, Scope::Section)?,
                today: show::date(now),
                may_change: visitor.access() == Access::Administrator,
                section,
            }))
        })
        .await?;
    page.ok_or(WebError::NotFound)
}

fn teacher_history(
    tx: &ReadTx<'_>,
    id: SectionId,
) -> Result<Vec<(TeacherRecord, String)>, StoreError> {
    let mut named = Vec::new();
    for record in sections::teacher_history(tx, id)? {
        let person = people::get(tx, record.person)?.map(|person| person.fields);
        let name = person.map(|fields| format!("{} {}", fields.firstname, fields.lastname));
        named.push((record, name.unwrap_or_default()));
    }
    Ok(named)
}

async fn new_form(
    State(console): State<Console>,
    administrator: Administrator,
) -> Result<Response<Body>, WebError> {
    let form = NewForm::default();
    let page = new_page(&console, &administrator, None, form, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn new_page(
    console: &Console,
    administrator: &Administrator,
    known: Option<i64>,
    form: NewForm,
    problem: Option<String>,
) -> Result<NewPage, WebError> {
    let terms = console.store().read(lists::segments).await?;
    let title = match known {
        None => "Make a section".to_owned(),
        Some(_) => format!("Change {}", form.name),
    };
    Ok(NewPage {
        layout: Layout::new(console, administrator, Place::Sections, title),
        known,
        problem,
        form,
        terms: terms.segments.into_iter().map(|term| term.name).collect(),
    })
}

async fn make(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response<Body>, WebError> {
    let new = HandMadeSection {
        idnumber: form.idnumber.trim().to_owned(),
        name: form.name.trim().to_owned(),
        segments: form.segments(),
    };
    let hand = Hand::of(&administrator, &console);
    let made = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let reply = register::make_section(tx, &hand.author, &new, hand.now)?;
            hand.note(tx, "section made", &new.name, &new.idnumber)?;
            Ok(reply.id)
        })
        .await;
    match hand::outcome(made)? {
        Ok(id) => {
            let path = format!("/sections/{id}");
            Ok(page::see_other(
                &console,
                &path,
                Some("The section is made."),
            ))
        }
        Err(problem) => {
            let page = new_page(&console, &administrator, None, form, Some(problem)).await?;
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
    let found = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(None);
            };
            let segments = sections::segments(tx, section.id)?;
            Ok(Some((section, segments)))
        })
        .await?;
    let (section, segments) = found.ok_or(WebError::NotFound)?;
    let form = NewForm {
        name: section.fields.name,
        idnumber: section.fields.idnumber.unwrap_or_default(),
        terms: segments.join(", "),
    };
    let page = new_page(&console, &administrator, Some(id), form, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn change(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let (name, segments) = (form.name.trim().to_owned(), form.segments());
    let changed = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(false);
            };
            register::change_section(tx, &hand.author, &section, &name, &segments, hand.now)?;
            hand.note(tx, "section changed", &section.fields.name, &name)?;
            Ok(true)
        })
        .await;
    match hand::outcome(changed)? {
        Ok(true) => {
            let path = format!("/sections/{id}");
            Ok(page::see_other(&console, &path, Some("Saved.")))
        }
        Ok(false) => Err(WebError::NotFound),
        Err(problem) => {
            let problem = Some(problem);
            let page = new_page(&console, &administrator, Some(id), form, problem).await?;
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
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(None);
            };
            register::remove_section(tx, &section, hand.now)?;
            hand.note(tx, "section removed", &section.fields.name, "")?;
            Ok(Some("Removed; nothing is erased.".to_owned()))
        })
        .await;
    answer(&console, &administrator, id, removed).await
}

async fn enrol(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<EnrolForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let role = Role::from_word(&form.role)
        .ok_or_else(|| WebError::Unusable("A role was expected: student or teacher.".to_owned()))?;
    let enrolled = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(None);
            };
            let person = hand::person_named(tx, &form.who)?;
            let place = register::Place {
                section: section.id,
                person: person.id,
                role,
            };
            let effective_at = hand::from_day(&form.from, hand.now)?;
            let status = &form.status;
            register::enrol(tx, &hand.author, place, status, effective_at, hand.now)?;
            let details = format!("{role} in {}", section.fields.name);
            hand.note(tx, "enrolled by hand", &person.fields.username, &details)?;
            Ok(Some(format!("{} is enrolled.", person.fields.username)))
        })
        .await;
    answer(&console, &administrator, id, enrolled).await
}

async fn set_teacher(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<TeacherForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let change = TeacherChange::from_word(&form.change)
        .ok_or_else(|| WebError::Unusable("A change was expected: came or left.".to_owned()))?;
    let teaches = change == TeacherChange::Came;
    let set = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(None);
            };
            let person = hand::person_named(tx, &form.who)?;
            register::set_teacher(tx, &hand.author, section.id, person.id, teaches, hand.now)?;
            let username = &person.fields.username;
            let (action, notice) = if teaches {
                ("teacher given", format!("{username} teaches this section."))
            } else {
                (
                    "teacher taken away",
                    format!("{username} no longer teaches this section."),
                )
            };
            hand.note(tx, action, &section.fields.name, username)?;
            Ok(Some(notice))
        })
        .await;
    answer(&console, &administrator, id, set).await
}

/// Back to the section with what was done, or with what could not be.
async fn answer(
    console: &Console,
    administrator: &Administrator,
    id: i64,
    done: Result<Option<String>, RegisterError>,
) -> Result<Response<Body>, WebError> {
    match hand::outcome(done)? {
        Ok(Some(notice)) => {
            let path = format!("/sections/{id}");
            Ok(page::see_other(console, &path, Some(&notice)))
        }
        Ok(None) => Err(WebError::NotFound),
        Err(problem) => {
            let (shown, first) = (Shown::default(), Turning::default());
            let id = SectionId(id);
            let page =
                section_page(console, administrator, id, shown, first, Some(problem)).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}
