//! An assessment: what is known of it, how the class did, and who got what; and making one by hand.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use super::gradebook::{self, Shown};
use crate::clock::UnixTime;
use crate::register::{self, HandMadeAssessment, RegisterError};
use crate::store::assessments::{self, Assessment};
use crate::store::grades::{self, GradeFilter};
use crate::store::lists::{self, Cell, GradebookPage, ROWS};
use crate::store::sections::{self, Section};
use crate::store::{AssessmentId, MAX_PAGE, PeerId, PersonId, ReadTx, SectionId, WriteTx};
use crate::web::chart::Chart;
use crate::web::hand::{self, Hand};
use crate::web::page::{self, Layout, Place};
use crate::web::pager::{Pager, Turning};
use crate::web::show::{self, PeerNames};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, Member, NoFields, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sections/{id}/assessments/new", get(new_form).post(make))
        .route("/assessments/{id}", get(assessment).post(change))
        .route("/assessments/{id}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "pages/assessment.html")]
struct AssessmentPage {
    layout: Layout,
    problem: Option<String>,
    assessment: Assessment,
    section: Section,
    peers: PeerNames,
    facts: Vec<(&'static str, String)>,
    extras: Vec<(String, String)>,
    chart: Option<Chart>,
    rows: Vec<Row>,
    in_error: Vec<(i64, String)>,
    pager: Pager,
    form: Fields,
    is_staff: bool,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "pages/assessment_new.html")]
struct NewPage {
    layout: Layout,
    problem: Option<String>,
    section: i64,
    form: Fields,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Fields {
    name: String,
    points: String,
}

struct Row {
    person: i64,
    name: String,
    username: String,
    grade: Option<Shown>,
    peer: Option<PeerId>,
    changed: Option<UnixTime>,
}

impl Fields {
    fn of(assessment: &Assessment) -> Self {
        Self {
            name: assessment.fields.name.clone(),
            points: assessment
                .fields
                .pointval
                .map_or_else(String::new, |points| points.to_string()),
        }
    }

    /// The most points there are to earn; `None` where the field is empty.
    fn pointval(&self) -> Result<Option<f64>, RegisterError> {
        match self.points.trim() {
            "" => Ok(None),
            text => register::typed_number("points", text).map(Some),
        }
    }
}

async fn assessment(
    State(console): State<Console>,
    member: Member,
    Path(id): Path<i64>,
    Query(turning): Query<Turning>,
) -> Result<Response<Body>, WebError> {
    let page = read_page(&console, &member, AssessmentId(id), turning).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn read_page(
    console: &Console,
    visitor: &Visitor,
    id: AssessmentId,
    turning: Turning,
) -> Result<AssessmentPage, WebError> {
    let (shown_in, visitor, now) = (console.clone(), visitor.clone(), console.clock().now());
    console
        .store()
        .read(move |tx| page_of(tx, &shown_in, &visitor, id, turning, now))
        .await
}

fn page_of(
    tx: &ReadTx<'_>,
    console: &Console,
    visitor: &Visitor,
    id: AssessmentId,
    turning: Turning,
    now: UnixTime,
) -> Result<AssessmentPage, WebError> {
    let (assessment, section) = readable(tx, visitor, id, now)?;
    let book = lists::gradebook(tx, section.id, now, turning.turn(PersonId), ROWS)?;
    let bands = lists::distribution(tx, section.id, now)?
        .into_iter()
        .find(|distribution| distribution.assessment == id)
        .map(|distribution| distribution.bands);
    let path = format!("{}/assessments/{}", console.base(), id.0);
    let title = format!("{} in {}", assessment.fields.name, section.fields.name);
    Ok(AssessmentPage {
        layout: Layout::new(console, visitor, gradebook::place(visitor), title),
        problem: None,
        peers: PeerNames::read(tx)?,
        facts: facts(&assessment),
        extras: extras(&assessment),
        chart: bands.map(|bands| Chart::of(&bands)),
        pager: Pager::new(&path, &[], &book.students, |student| student.person.0),
        rows: rows(book, &assessment),
        in_error: in_error(tx, id)?,
        form: Fields::of(&assessment),
        is_staff: visitor.access() >= Access::Reader,
        may_change: visitor.access() >= Access::Administrator,
        assessment,
        section,
    })
}

/// An assessment with its section, for somebody who may read the grades there.
pub(super) fn readable(
    tx: &ReadTx<'_>,
    visitor: &Visitor,
    id: AssessmentId,
    now: UnixTime,
) -> Result<(Assessment, Section), WebError> {
    let Some(assessment) = assessments::get(tx, id)? else {
        return Err(if visitor.access() >= Access::Reader {
            WebError::NotFound
        } else {
            WebError::Forbidden(gradebook::READERS)
        });
    };
    let section = gradebook::readable(tx, visitor, assessment.fields.section, now)?;
    Ok((assessment, section))
}

fn facts(assessment: &Assessment) -> Vec<(&'static str, String)> {
    let fields = &assessment.fields;
    let yes_or_no = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let facts = [
        ("Id", fields.idnumber.clone()),
        ("Most points", fields.pointval.map(show::points)),
        ("Chapter", fields.chapternum.clone()),
        (
            "Required of honours students",
            fields.honors_required.map(yes_or_no),
        ),
        (
            "Required of the others",
            fields.nonhonors_required.map(yes_or_no),
        ),
        ("Extra credit", fields.extra_credit.map(yes_or_no)),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn extras(assessment: &Assessment) -> Vec<(String, String)> {
    let members = assessment.fields.extra.members();
    members
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) => (name.clone(), text.to_owned()),
            None => (name.clone(), value.to_string()),
        })
        .collect()
}

fn rows(book: GradebookPage, assessment: &Assessment) -> Vec<Row> {
    let cells: HashMap<PersonId, Cell> = book
        .grades
        .into_iter()
        .filter(|cell| cell.assessment == assessment.id)
        .map(|cell| (cell.person, cell))
        .collect();
    let row = |student: lists::GradebookStudent| {
        let cell = cells.get(&student.person);
        Row {
            person: student.person.0,
            name: format!("{} {}", student.firstname, student.lastname),
            grade: cell.map(|cell| Shown::of(cell, assessment.fields.pointval)),
            peer: cell.and_then(|cell| cell.peer),
            changed: cell.map(|cell| cell.updated_at),
            username: student.username,
        }
    };
    book.students.rows.into_iter().map(row).collect()
}

/// Whose grades are marked as added in error: they are in no list, but the mark can be lifted.
fn in_error(tx: &ReadTx<'_>, id: AssessmentId) -> Result<Vec<(i64, String)>, WebError> {
    let filter = GradeFilter {
        assessment: Some(id),
        all: true,
        ..GradeFilter::default()
    };
    let page = crate::store::Page {
        after: None,
        limit: MAX_PAGE,
    };
    let rows = grades::list(tx, &filter, page)?.into_iter();
    Ok(rows
        .filter(|row| row.in_error_at.is_some() && row.removed_at.is_none())
        .map(|row| {
            let name = format!("{} {}", row.firstname, row.lastname);
            (row.person.0, name)
        })
        .collect())
}

async fn new_form(
    State(console): State<Console>,
    administrator: Administrator,
    Path(section): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let section = section_in_use(&console, SectionId(section)).await?;
    let page = new_page(&console, &administrator, &section, None, Fields::default());
    Ok(page::ok(&page, &page.layout))
}

async fn make(
    State(console): State<Console>,
    administrator: Administrator,
    Path(section): Path<i64>,
    Submitted(form): Submitted<Fields>,
) -> Result<Response<Body>, WebError> {
    let section = section_in_use(&console, SectionId(section)).await?;
    let hand = Hand::of(&administrator, &console);
    let (given, id) = (form.clone(), section.id);
    let section_name = section.fields.name.clone();
    let made = console
        .store()
        .write(move |tx| -> Result<_, RegisterError> {
            let new = HandMadeAssessment {
                section: id,
                name: given.name.trim().to_owned(),
                pointval: given.pointval()?,
            };
            let made = register::make_assessment(tx, &new, hand.now)?;
            let details = format!("in section {section_name}");
            hand.note(tx, "assessment made", &new.name, &details)?;
            Ok(made)
        })
        .await;
    match hand::outcome(made)? {
        Ok(made) => {
            let path = format!("/assessments/{}", made.0);
            Ok(page::see_other(
                &console,
                &path,
                Some("The assessment is made."),
            ))
        }
        Err(problem) => {
            let page = new_page(&console, &administrator, &section, Some(problem), form);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

/// A section that grades can be entered in.
pub(super) async fn section_in_use(console: &Console, id: SectionId) -> Result<Section, WebError> {
    let section = console
        .store()
        .read(move |tx| sections::get(tx, id))
        .await?
        .ok_or(WebError::NotFound)?;
    if section.removed_at.is_some() {
        return Err(WebError::Unusable(format!(
            "The section “{}” is removed. Nothing can be entered in it until its peer sends it again.",
            section.fields.name
        )));
    }
    Ok(section)
}

fn new_page(
    console: &Console,
    administrator: &Administrator,
    section: &Section,
    problem: Option<String>,
    form: Fields,
) -> NewPage {
    let title = format!("New assessment in {}", section.fields.name);
    NewPage {
        layout: Layout::new(console, administrator, Place::Sections, title),
        problem,
        section: section.id.0,
        form,
    }
}

async fn change(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<Fields>,
) -> Result<Response<Body>, WebError> {
    let given = form.clone();
    let changed = write(
        &console,
        &administrator,
        AssessmentId(id),
        "assessment changed",
        move |tx, assessment, now| {
            let pointval = given.pointval()?;
            register::change_assessment(tx, assessment, given.name.trim(), pointval, now)
        },
    )
    .await;
    answer(&console, &administrator, id, changed, "Saved.", Some(form)).await
}

async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let removed = write(
        &console,
        &administrator,
        AssessmentId(id),
        "assessment removed",
        register::remove_assessment,
    )
    .await;
    let notice =
        "The assessment is removed, and its grades with it. Saving it again brings them back.";
    answer(&console, &administrator, id, removed, notice, None).await
}

/// Why an assessment was not changed.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    #[error(transparent)]
    Web(#[from] WebError),
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl From<crate::store::StoreError> for ChangeError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Register(error.into())
    }
}

async fn write(
    console: &Console,
    administrator: &Administrator,
    id: AssessmentId,
    action: &'static str,
    rule: impl FnOnce(&WriteTx<'_>, &Assessment, UnixTime) -> Result<register::Reply, RegisterError>
    + Send
    + 'static,
) -> Result<register::Reply, ChangeError> {
    let hand = Hand::of(administrator, console);
    console
        .store()
        .write(move |tx| {
            let assessment = assessments::get(tx, id)?.ok_or(WebError::NotFound)?;
            let reply = rule(tx, &assessment, hand.now)?;
            if reply.status != register::Status::Unchanged {
                let details = format!("row {}", id.0);
                hand.note(tx, action, &assessment.fields.name, &details)?;
            }
            Ok(reply)
        })
        .await
}

async fn answer(
    console: &Console,
    administrator: &Administrator,
    id: i64,
    outcome: Result<register::Reply, ChangeError>,
    notice: &str,
    form: Option<Fields>,
) -> Result<Response<Body>, WebError> {
    let problem = match outcome {
        Ok(reply) => {
            let notice = match reply.status {
                register::Status::Unchanged => "It was so already: nothing changed.",
                _ => notice,
            };
            let path = format!("/assessments/{id}");
            return Ok(page::see_other(console, &path, Some(notice)));
        }
        Err(ChangeError::Web(error)) => return Err(error),
        Err(ChangeError::Register(RegisterError::Store(error))) => return Err(error.into()),
        Err(ChangeError::Register(problem)) => page::sentence(&problem),
    };
    let turning = Turning::default();
    let mut page = read_page(console, administrator, AssessmentId(id), turning).await?;
    page.problem = Some(problem);
    if let Some(form) = form {
        page.form = form;
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}
