//! Grades from a spreadsheet: the file to fill in, a look at what it would change, and doing that.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::assessment::section_in_use;
use super::gradebook;
use crate::register::RegisterError;
use crate::register::spreadsheet::{
    self, Applied, MAX_BYTES, Plan, PlannedCell, Spreadsheet, SpreadsheetError,
};
use crate::store::sections::Section;
use crate::store::{SectionId, StoreError};
use crate::web::extract::Path;
use crate::web::hand::Hand;
use crate::web::page::{self, Layout, Place};
use crate::web::{Administrator, Console, Member, Uploaded, WebError, numbers};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sections/{id}/grades/template.csv", get(template))
        .route("/sections/{id}/grades/import", get(form).post(preview))
        .route("/sections/{id}/grades/import/apply", post(apply))
}

/// What stands in the history of a grade that came in this way.
const NOTE: &str = "from a spreadsheet";

#[derive(Template)]
#[template(path = "pages/grade_import.html")]
struct ImportPage {
    layout: Layout,
    problem: Option<String>,
    section: i64,
    most_kib: usize,
}

#[derive(Template)]
#[template(path = "pages/grade_import_preview.html")]
struct PreviewPage {
    layout: Layout,
    problem: Option<String>,
    section: i64,
    plan: Plan,
    /// The file, to come back with the form.
    file: String,
    digest: String,
}

/// Why a file changed nothing.
#[derive(Debug, Error)]
enum ImportError {
    #[error(transparent)]
    Spreadsheet(#[from] SpreadsheetError),
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// It would do something else than what was looked at.
    #[error(
        "the register has changed since you looked, so the file would do something else now: look again at what would change. Nothing was changed"
    )]
    Changed(Box<Plan>),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl PreviewPage {
    fn column(&self, cell: &PlannedCell) -> &str {
        let column = self.plan.columns.get(cell.column);
        column.map_or("", |column| column.name.as_str())
    }
}

async fn template(
    State(console): State<Console>,
    member: Member,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let now = console.clock().now();
    let file = console
        .store()
        .read(move |tx| {
            let section = gradebook::readable(tx, &member, SectionId(id), now)?;
            spreadsheet::template(tx, section.id, now).map_err(|error| WebError::internal(&error))
        })
        .await?;
    let name = format!("grades-section-{id}.csv");
    Ok(page::download("text/csv; charset=utf-8", &name, file))
}

async fn form(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let section = section_in_use(&console, SectionId(id)).await?;
    let page = import_page(&console, &administrator, &section, None);
    Ok(page::ok(&page, &page.layout))
}

fn import_page(
    console: &Console,
    administrator: &Administrator,
    section: &Section,
    problem: Option<String>,
) -> ImportPage {
    let title = format!("Grades from a spreadsheet for {}", section.fields.name);
    ImportPage {
        layout: Layout::new(console, administrator, Place::Sections, title),
        problem,
        section: section.id.0,
        most_kib: MAX_BYTES / 1024,
    }
}

async fn preview(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    uploaded: Uploaded,
) -> Result<Response<Body>, WebError> {
    let section = section_in_use(&console, SectionId(id)).await?;
    let Some(file) = uploaded.file("file").cloned() else {
        let problem = "Choose a file first.".to_owned();
        return Ok(refuse(&console, &administrator, &section, problem));
    };
    let (read, now) = (file.clone(), console.clock().now());
    let planned = console
        .store()
        .read(move |tx| spreadsheet::plan(tx, SectionId(id), &Spreadsheet::read(&read)?, now))
        .await;
    match planned {
        Ok(plan) => {
            let page = preview_page(&console, &administrator, &section, plan, &file, None);
            Ok(page::ok(&page, &page.layout))
        }
        Err(SpreadsheetError::Store(error)) => Err(error.into()),
        Err(problem) => {
            let problem = page::sentence(&problem);
            Ok(refuse(&console, &administrator, &section, problem))
        }
    }
}

fn refuse(
    console: &Console,
    administrator: &Administrator,
    section: &Section,
    problem: String,
) -> Response<Body> {
    let page = import_page(console, administrator, section, Some(problem));
    page::respond(StatusCode::UNPROCESSABLE_ENTITY, &page, &page.layout)
}

fn preview_page(
    console: &Console,
    administrator: &Administrator,
    section: &Section,
    plan: Plan,
    file: &[u8],
    problem: Option<String>,
) -> PreviewPage {
    let title = format!(
        "What the spreadsheet would change in {}",
        section.fields.name
    );
    PreviewPage {
        layout: Layout::new(console, administrator, Place::Sections, title),
        problem,
        section: section.id.0,
        digest: plan.digest(),
        plan,
        file: STANDARD.encode(file),
    }
}

async fn apply(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    uploaded: Uploaded,
) -> Result<Response<Body>, WebError> {
    let section = section_in_use(&console, SectionId(id)).await?;
    let file = uploaded.field("sheet").unwrap_or_default();
    let Ok(file) = STANDARD.decode(file) else {
        let problem = "The form came back without the file: choose it again.".to_owned();
        return Ok(refuse(&console, &administrator, &section, problem));
    };
    let digest = uploaded.field("digest").unwrap_or_default().to_owned();
    let (read, hand) = (file.clone(), Hand::of(&administrator, &console));
    let name = section.fields.name.clone();
    let done = console
        .store()
        .write(move |tx| -> Result<Applied, ImportError> {
            let plan = spreadsheet::plan(tx, SectionId(id), &Spreadsheet::read(&read)?, hand.now)?;
            if plan.digest() != digest {
                return Err(ImportError::Changed(Box::new(plan)));
            }
            let applied = spreadsheet::apply(tx, &hand.author, &plan, NOTE, hand.now)?;
            if applied != Applied::default() {
                let action = "grades entered from a spreadsheet";
                hand.note(tx, action, &name, &in_words(applied))?;
            }
            Ok(applied)
        })
        .await;
    match done {
        Ok(applied) => {
            let path = format!("/sections/{id}/gradebook");
            let notice = format!("Done: {}.", in_words(applied));
            Ok(page::see_other(&console, &path, Some(&notice)))
        }
        Err(
            ImportError::Register(RegisterError::Store(error))
            | ImportError::Spreadsheet(SpreadsheetError::Store(error)),
        ) => Err(error.into()),
        Err(changed @ ImportError::Changed(_)) => {
            let problem = Some(page::sentence(&changed));
            let ImportError::Changed(plan) = changed else {
                return Err(WebError::Internal);
            };
            let page = preview_page(&console, &administrator, &section, *plan, &file, problem);
            Ok(page::respond(StatusCode::CONFLICT, &page, &page.layout))
        }
        Err(problem) => {
            let problem = page::sentence(&problem);
            Ok(refuse(&console, &administrator, &section, problem))
        }
    }
}

fn in_words(applied: Applied) -> String {
    let grades = match applied.grades {
        1 => "1 grade entered or changed".to_owned(),
        many => format!("{many} grades entered or changed"),
    };
    match applied.assessments {
        0 => grades,
        1 => format!("{grades}, 1 assessment made"),
        many => format!("{grades}, {many} assessments made"),
    }
}
