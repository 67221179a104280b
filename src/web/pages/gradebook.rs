//! The gradebook of a section: students × assessments.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

use crate::clock::UnixTime;
use crate::register;
use crate::store::assessments::Assessment;
use crate::store::lists::{self, Cell, GradebookPage, GradebookStudent, ROWS};
use crate::store::sections::{self, Section};
use crate::store::statuses::Meaning;
use crate::store::{AssessmentId, PersonId, ReadTx, SectionId};
use crate::web::extract::{Path, Query};
use crate::web::page::{self, Layout, Place};
use crate::web::pager::{Pager, Turning};
use crate::web::visitor::Access;
use crate::web::{Console, Member, Visitor, WebError, numbers, show};

pub fn routes() -> Router<Console> {
    Router::new().route("/sections/{id}/gradebook", get(gradebook))
}

/// Who may read a section's grades.
pub(super) const READERS: &str = "the school’s office and the teachers of the section";

#[derive(Template)]
#[template(path = "pages/gradebook.html")]
struct Page {
    layout: Layout,
    section: i64,
    removed: bool,
    is_staff: bool,
    may_change: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

struct Column {
    id: i64,
    name: String,
    points: Option<String>,
    by_hand: bool,
}

struct Row {
    person: i64,
    name: String,
    username: String,
    /// The status, where it is not that of somebody who attends.
    status: Option<String>,
    cells: Vec<Entry>,
}

/// A cell; its number is the assessment's.
struct Entry {
    assessment: i64,
    grade: Option<Shown>,
}

/// A grade as a table shows it.
pub(super) struct Shown {
    /// The points, or “excepted”.
    pub(super) text: String,
    /// What part of the most points they are.
    pub(super) percent: Option<String>,
    /// The attempt, where it is not the first.
    pub(super) attempt: Option<i64>,
    /// Whether the value was entered here, not by a peer.
    pub(super) by_hand: bool,
}

impl Shown {
    pub(super) fn of(cell: &Cell, pointval: Option<f64>) -> Self {
        let value = &cell.value;
        let earned = value.points_earned.filter(|_| !value.excepted);
        Self {
            text: earned.map_or_else(|| "excepted".to_owned(), show::points),
            percent: earned
                .zip(pointval)
                .and_then(|(points, most)| numbers::percent(points, most)),
            attempt: (value.attempt_num > 1).then_some(value.attempt_num),
            by_hand: cell.peer.is_none(),
        }
    }
}

async fn gradebook(
    State(console): State<Console>,
    member: Member,
    Path(section): Path<i64>,
    Query(turning): Query<Turning>,
) -> Result<Response<Body>, WebError> {
    let (section, now) = (SectionId(section), console.clock().now());
    let reader = member.clone();
    let (section, book) = console
        .store()
        .read(move |tx| -> Result<_, WebError> {
            let section = readable(tx, &reader, section, now)?;
            let book = lists::gradebook(tx, section.id, now, turning.turn(PersonId), ROWS)?;
            Ok((section, book))
        })
        .await?;
    let title = format!("Gradebook of {}", section.fields.name);
    let path = format!("{}/sections/{}/gradebook", console.base(), section.id.0);
    let page = Page {
        layout: Layout::new(&console, &member, place(&member), title),
        section: section.id.0,
        removed: section.removed_at.is_some(),
        is_staff: member.access() >= Access::Reader,
        may_change: member.access() >= Access::Administrator,
        columns: book.assessments.iter().map(column).collect(),
        pager: Pager::new(&path, &[], &book.students, |student| student.person.0),
        rows: rows(book),
    };
    Ok(page::ok(&page, &page.layout))
}

/// The section, for somebody who may read its grades: the office, and whoever teaches it now. Others do
/// not learn whether there is such a section.
pub(super) fn readable(
    tx: &ReadTx<'_>,
    visitor: &Visitor,
    section: SectionId,
    now: UnixTime,
) -> Result<Section, WebError> {
    let may_read = visitor.access() >= Access::Reader
        || match visitor.person() {
            Some(person) => register::teaches(tx, section, person, now)?,
            None => false,
        };
    if !may_read {
        return Err(WebError::Forbidden(READERS));
    }
    sections::get(tx, section)?.ok_or(WebError::NotFound)
}

/// Where pages about sections stand in a visitor's navigation.
pub(super) fn place(visitor: &Visitor) -> Place {
    if visitor.access() >= Access::Reader {
        Place::Sections
    } else {
        Place::Mine
    }
}

fn column(assessment: &Assessment) -> Column {
    Column {
        id: assessment.id.0,
        name: assessment.fields.name.clone(),
        points: assessment.fields.pointval.map(show::points),
        by_hand: assessment.peer.is_none(),
    }
}

fn rows(book: GradebookPage) -> Vec<Row> {
    let cells: HashMap<(PersonId, AssessmentId), Cell> = book
        .grades
        .into_iter()
        .map(|cell| ((cell.person, cell.assessment), cell))
        .collect();
    let entry = |student: &GradebookStudent, assessment: &Assessment| Entry {
        assessment: assessment.id.0,
        grade: cells
            .get(&(student.person, assessment.id))
            .map(|cell| Shown::of(cell, assessment.fields.pointval)),
    };
    book.students
        .rows
        .into_iter()
        .map(|student| Row {
            cells: book
                .assessments
                .iter()
                .map(|assessment| entry(&student, assessment))
                .collect(),
            person: student.person.0,
            name: format!("{} {}", student.firstname, student.lastname),
            status: (student.status.meaning != Meaning::Active).then_some(student.status.title),
            username: student.username,
        })
        .collect()
}
