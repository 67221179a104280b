//! A grade: every value it ever had, and entering one.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use thiserror::Error;

use super::assessment;
use super::gradebook;
use crate::clock::UnixTime;
use crate::register::{self, RegisterError, Reply, Status};
use crate::store::assessments::Assessment;
use crate::store::enrolments::{self, EnrolmentFilter, Role};
use crate::store::grades::{self, Grade, GradeRecord, GradeValue};
use crate::store::people::{self, Person};
use crate::store::sections::Section;
use crate::store::{AssessmentId, Page, PersonId, ReadTx, StoreError, WriteTx};
use crate::web::extract::Path;
use crate::web::hand::{self, Hand};
use crate::web::page::{self, Layout};
use crate::web::show::PeerNames;
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, Member, Submitted, Visitor, WebError, numbers};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/assessments/{id}/grades/{person}", get(grade).post(enter))
        .route("/assessments/{id}/grades/{person}/in-error", post(mark))
}

#[derive(Template)]
#[template(path = "pages/grade.html")]
struct GradePage {
    layout: Layout,
    problem: Option<String>,
    spot: Spot,
    peers: PeerNames,
    history: Vec<GradeRecord>,
    form: Fields,
    is_staff: bool,
    /// Whether the visitor may enter a grade, and there is still something to enter it in.
    may_enter: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    points: String,
    /// `yes`, where it is ticked.
    #[serde(default)]
    excepted: String,
    attempt: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
struct Mark {
    /// `yes`: mark it; anything else: lift the mark.
    in_error: String,
    #[serde(default)]
    note: String,
}

/// Where a grade stands, or could.
struct Spot {
    assessment: Assessment,
    section: Section,
    person: Person,
    grade: Option<Grade>,
}

/// Why no grade was entered.
#[derive(Debug, Error)]
enum EntryError {
    #[error(transparent)]
    Web(#[from] WebError),
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl From<StoreError> for EntryError {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl Fields {
    fn of(grade: Option<&Grade>) -> Self {
        let value = grade.map(|grade| grade.value);
        let points = value.and_then(|value| value.points_earned);
        let is_excepted = value.is_some_and(|value| value.excepted);
        Self {
            points: points.map_or_else(String::new, |points| points.to_string()),
            excepted: if is_excepted { "yes" } else { "" }.to_owned(),
            attempt: value.map_or(1, |value| value.attempt_num).to_string(),
            note: String::new(),
        }
    }

    fn value(&self) -> Result<GradeValue, RegisterError> {
        let attempt = self.attempt.trim();
        Ok(GradeValue {
            points_earned: match self.points.trim() {
                "" => None,
                text => Some(register::typed_number("points", text)?),
            },
            excepted: self.excepted == "yes",
            attempt_num: attempt.parse().map_err(|_| RegisterError::Wrong {
                field: "attempt",
                found: format!("“{}”", attempt.chars().take(20).collect::<String>()),
                expected: "a whole number, 1 for the first attempt".to_owned(),
            })?,
        })
    }
}

impl Spot {
    fn name(&self) -> String {
        let fields = &self.person.fields;
        format!("{} {}", fields.firstname, fields.lastname)
    }

    fn in_error(&self) -> bool {
        let grade = self.grade.as_ref();
        grade.is_some_and(|grade| grade.in_error_at.is_some())
    }

    /// What stands, in words.
    fn standing(&self) -> Option<String> {
        let grade = self.grade.as_ref()?;
        let mut text = numbers::grade(&grade.value);
        let percent = grade
            .value
            .points_earned
            .filter(|_| !grade.value.excepted)
            .zip(self.assessment.fields.pointval)
            .and_then(|(points, most)| numbers::percent(points, most));
        if let Some(percent) = percent {
            text.push_str(", ");
            text.push_str(&percent);
        }
        Some(text)
    }

    fn is_in_use(&self) -> bool {
        self.assessment.removed_at.is_none()
            && self.section.removed_at.is_none()
            && self.person.removed_at.is_none()
    }

    /// For the audit log.
    fn in_words(&self) -> String {
        format!(
            "{} in “{}” of {}",
            self.person.fields.username, self.assessment.fields.name, self.section.fields.name
        )
    }
}

async fn grade(
    State(console): State<Console>,
    member: Member,
    Path((assessment, person)): Path<(i64, i64)>,
) -> Result<Response<Body>, WebError> {
    let at = (AssessmentId(assessment), PersonId(person));
    let page = read_page(&console, &member, at).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn read_page(
    console: &Console,
    visitor: &Visitor,
    at: (AssessmentId, PersonId),
) -> Result<GradePage, WebError> {
    let (shown_in, visitor, now) = (console.clone(), visitor.clone(), console.clock().now());
    console
        .store()
        .read(move |tx| {
            let spot = spot(tx, &visitor, at, now)?;
            let title = format!("{} of {}", spot.assessment.fields.name, spot.name());
            Ok(GradePage {
                layout: Layout::new(&shown_in, &visitor, gradebook::place(&visitor), title),
                problem: None,
                peers: PeerNames::read(tx)?,
                history: match &spot.grade {
                    Some(grade) => grades::history(tx, grade.id)?,
                    None => Vec::new(),
                },
                form: Fields::of(spot.grade.as_ref()),
                is_staff: visitor.access() >= Access::Reader,
                may_enter: visitor.access() >= Access::Administrator && spot.is_in_use(),
                spot,
            })
        })
        .await
}

/// Only somebody who has a grade in the assessment, or is or was a student of its section, has a page
/// there.
fn spot(
    tx: &ReadTx<'_>,
    visitor: &Visitor,
    (assessment, person): (AssessmentId, PersonId),
    now: UnixTime,
) -> Result<Spot, WebError> {
    let (assessment, section) = assessment::readable(tx, visitor, assessment, now)?;
    let person = people::get(tx, person)?.ok_or(WebError::NotFound)?;
    let grade = grades::find(tx, assessment.id, person.id)?;
    if grade.is_none() && !is_student(tx, &section, &person, now)? {
        return Err(WebError::NotFound);
    }
    Ok(Spot {
        assessment,
        section,
        person,
        grade,
    })
}

fn is_student(
    tx: &ReadTx<'_>,
    section: &Section,
    person: &Person,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let filter = EnrolmentFilter {
        section: Some(section.id),
        person: Some(person.id),
        role: Some(Role::Student),
        ..EnrolmentFilter::default()
    };
    let page = Page {
        after: None,
        limit: 1,
    };
    Ok(!enrolments::list(tx, &filter, now, page)?.is_empty())
}

async fn enter(
    State(console): State<Console>,
    administrator: Administrator,
    Path((assessment, person)): Path<(i64, i64)>,
    Submitted(form): Submitted<Fields>,
) -> Result<Response<Body>, WebError> {
    let at = (AssessmentId(assessment), PersonId(person));
    let given = form.clone();
    let entered = write(
        &console,
        &administrator,
        at,
        "grade entered",
        move |tx, spot, hand| {
            if !spot.is_in_use() {
                return Err(EntryError::Web(WebError::Unusable(
                    "The assessment, its section or the student is removed: no grade can be entered."
                        .to_owned(),
                )));
            }
            let (value, note) = (given.value()?, hand::said(&given.note));
            let (assessment, person) = (spot.assessment.id, spot.person.id);
            let Hand { author, now, .. } = hand;
            Ok(register::enter_grade(
                tx, author, assessment, person, &value, note, *now,
            )?)
        },
    )
    .await;
    answer(
        &console,
        &administrator,
        at,
        entered,
        "The grade is entered.",
        Some(form),
    )
    .await
}

async fn mark(
    State(console): State<Console>,
    administrator: Administrator,
    Path((assessment, person)): Path<(i64, i64)>,
    Submitted(form): Submitted<Mark>,
) -> Result<Response<Body>, WebError> {
    let at = (AssessmentId(assessment), PersonId(person));
    let in_error = form.in_error == "yes";
    let (action, notice) = if in_error {
        (
            "grade marked as added in error",
            "The grade is marked as added in error: it is in no list and no report any more.",
        )
    } else {
        (
            "mark of a grade lifted",
            "The mark is lifted: the grade counts again.",
        )
    };
    let marked = write(
        &console,
        &administrator,
        at,
        action,
        move |tx, spot, hand| {
            let grade = spot.grade.as_ref().ok_or(WebError::NotFound)?;
            let note = hand::said(&form.note);
            let Hand { author, now, .. } = hand;
            Ok(register::mark_grade_in_error(
                tx, author, grade.id, in_error, note, *now,
            )?)
        },
    )
    .await;
    answer(&console, &administrator, at, marked, notice, None).await
}

async fn write(
    console: &Console,
    administrator: &Administrator,
    at: (AssessmentId, PersonId),
    action: &'static str,
    rule: impl FnOnce(&WriteTx<'_>, &Spot, &Hand) -> Result<Reply, EntryError> + Send + 'static,
) -> Result<Reply, EntryError> {
    let (hand, administrator) = (Hand::of(administrator, console), administrator.clone());
    console
        .store()
        .write(move |tx| {
            let spot = spot(tx, &administrator, at, hand.now)?;
            let reply = rule(tx, &spot, &hand)?;
            if reply.status != Status::Unchanged {
                let stands = grades::find(tx, spot.assessment.id, spot.person.id)?;
                let stands = stands.map(|grade| numbers::grade(&grade.value));
                let details = stands.unwrap_or_default();
                hand.note(tx, action, &spot.in_words(), &details)?;
            }
            Ok(reply)
        })
        .await
}

async fn answer(
    console: &Console,
    administrator: &Administrator,
    at: (AssessmentId, PersonId),
    outcome: Result<Reply, EntryError>,
    notice: &str,
    form: Option<Fields>,
) -> Result<Response<Body>, WebError> {
    let problem = match outcome {
        Ok(reply) => {
            let notice = match reply.status {
                Status::Unchanged => "It stands so already: nothing changed, and no note was kept.",
                _ => notice,
            };
            let path = format!("/assessments/{}/grades/{}", at.0.0, at.1.0);
            return Ok(page::see_other(console, &path, Some(notice)));
        }
        Err(EntryError::Web(error)) => return Err(error),
        Err(EntryError::Register(RegisterError::Store(error))) => return Err(error.into()),
        Err(EntryError::Register(problem)) => page::sentence(&problem),
    };
    let mut page = read_page(console, administrator, at).await?;
    page.problem = Some(problem);
    if let Some(form) = form {
        page.form = form;
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}
