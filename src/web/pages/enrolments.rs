//! An enrolment: its history, withdrawing with code and note, and what was added in error.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::clock::UnixTime;
use crate::register::{self, RegisterError};
use crate::store::enrolments::{self, Enrolment, EnrolmentRecord};
use crate::store::statuses::{self, Scope, Status};
use crate::store::{EnrolmentId, ReadTx, StoreError, people, sections};
use crate::web::extract::Path;
use crate::web::hand::{self, Hand};
use crate::web::page::{self, Layout, Place};
use crate::web::show::{self, PeerNames};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, Staff, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/enrolments/{id}", get(enrolment))
        .route("/enrolments/{id}/status", post(set_status))
        .route("/enrolments/{id}/error", post(mark))
}

#[derive(Template)]
#[template(path = "pages/enrolment.html")]
struct Page {
    layout: Layout,
    problem: Option<String>,
    row: Enrolment,
    person: String,
    section: String,
    status: String,
    peers: PeerNames,
    history: Vec<EnrolmentRecord>,
    statuses: Vec<Status>,
    typed: Typed,
    may_change: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct StatusForm {
    status: String,
    from: String,
    note: String,
}

#[derive(Clone, Debug, Deserialize)]
struct MarkForm {
    mark: String,
    note: String,
}

/// What the forms of the page start with: after a refused one, what was typed.
#[derive(Debug)]
struct Typed {
    /// Empty: none is chosen.
    status: String,
    from: String,
    note: String,
    error_note: String,
}

impl Typed {
    fn nothing(now: UnixTime) -> Self {
        Self {
            status: String::new(),
            from: show::date(now),
            note: String::new(),
            error_note: String::new(),
        }
    }
}

async fn enrolment(
    State(console): State<Console>,
    staff: Staff,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let typed = Typed::nothing(console.clock().now());
    let page = show_page(&console, &staff, EnrolmentId(id), typed, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn show_page(
    console: &Console,
    visitor: &Visitor,
    id: EnrolmentId,
    typed: Typed,
    problem: Option<String>,
) -> Result<Page, WebError> {
    let now = console.clock().now();
    let (reading, visitor) = (console.clone(), visitor.clone());
    let page = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let Some(row) = enrolments::get(tx, id)? else {
                return Ok(None);
            };
            let (person, section) = names(tx, &row)?;
            let statuses = statuses::list(tx, Scope::Section)?;
            let standing = enrolments::standing_at(tx, id, now)?;
            let status = standing
                .and_then(|standing| statuses.iter().find(|status| status.id == standing.status))
                .map_or("not begun", |status| &status.title)
                .to_owned();
            let title = format!("{person} in {section}");
            Ok(Some(Page {
                layout: Layout::new(&reading, &visitor, Place::Sections, title),
                problem,
                row,
                person,
                section,
                status,
                peers: PeerNames::read(tx)?,
                history: enrolments::history(tx, id)?,
                statuses,
                typed,
                may_change: visitor.access() == Access::Administrator,
            }))
        })
        .await?;
    page.ok_or(WebError::NotFound)
}

/// The names of the person and the section.
fn names(tx: &ReadTx<'_>, row: &Enrolment) -> Result<(String, String), StoreError> {
    let person = people::get(tx, row.person)?.map(|person| person.fields);
    let section = sections::get(tx, row.section)?.map(|section| section.fields.name);
    let person = person.map(|fields| format!("{} {}", fields.firstname, fields.lastname));
    Ok((person.unwrap_or_default(), section.unwrap_or_default()))
}

async fn set_status(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<StatusForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let typed = Typed {
        status: form.status.clone(),
        from: form.from.clone(),
        note: form.note.clone(),
        error_note: String::new(),
    };
    let set = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(row) = enrolments::get(tx, EnrolmentId(id))? else {
                return Ok(None);
            };
            let (person, section) = names(tx, &row)?;
            let effective_at = hand::from_day(&form.from, hand.now)?;
            register::set_enrolment_status(
                tx,
                &hand.author,
                row.id,
                &form.status,
                effective_at,
                hand::said(&form.note),
                hand.now,
            )?;
            let object = format!("{person} in {section}");
            hand.note(tx, "enrolment status set", &object, &form.status)?;
            Ok(Some("The status is set."))
        })
        .await;
    answer(&console, &administrator, id, typed, set).await
}

async fn mark(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<MarkForm>,
) -> Result<Response<Body>, WebError> {
    let hand = Hand::of(&administrator, &console);
    let in_error = form.mark == "yes";
    let typed = Typed {
        error_note: form.note.clone(),
        ..Typed::nothing(hand.now)
    };
    let marked = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let Some(row) = enrolments::get(tx, EnrolmentId(id))? else {
                return Ok(None);
            };
            let (person, section) = names(tx, &row)?;
            let note = hand::said(&form.note);
            register::mark_enrolment_in_error(tx, &hand.author, row.id, in_error, note, hand.now)?;
            let (action, notice) = if in_error {
                ("marked as added in error", "It is in no report any more.")
            } else {
                ("mark of an error lifted", "It is in the reports again.")
            };
            hand.note(tx, action, &format!("{person} in {section}"), "")?;
            Ok(Some(notice))
        })
        .await;
    answer(&console, &administrator, id, typed, marked).await
}

/// Back to the enrolment with what was done, or with what could not be.
async fn answer(
    console: &Console,
    administrator: &Administrator,
    id: i64,
    typed: Typed,
    done: Result<Option<&'static str>, RegisterError>,
) -> Result<Response<Body>, WebError> {
    match hand::outcome(done)? {
        Ok(Some(notice)) => {
            let path = format!("/enrolments/{id}");
            Ok(page::see_other(console, &path, Some(notice)))
        }
        Ok(None) => Err(WebError::NotFound),
        Err(problem) => {
            let id = EnrolmentId(id);
            let page = show_page(console, administrator, id, typed, Some(problem)).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}
