//! How a class did in each of a section's assessments.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use axum::routing::get;

use super::gradebook;
use crate::store::{SectionId, assessments, lists};
use crate::web::chart::Chart;
use crate::web::page::{self, Layout};
use crate::web::{Console, Member, WebError};

pub fn routes() -> Router<Console> {
    Router::new().route("/sections/{id}/distribution", get(distribution))
}

#[derive(Template)]
#[template(path = "pages/distribution.html")]
struct Page {
    layout: Layout,
    section: i64,
    charts: Vec<(i64, String, Chart)>,
}

async fn distribution(
    State(console): State<Console>,
    member: Member,
    Path(section): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let (section, now) = (SectionId(section), console.clock().now());
    let reader = member.clone();
    let (section, charts) = console
        .store()
        .read(move |tx| -> Result<_, WebError> {
            let section = gradebook::readable(tx, &reader, section, now)?;
            let mut charts = Vec::new();
            for distribution in lists::distribution(tx, section.id, now)? {
                if let Some(assessment) = assessments::get(tx, distribution.assessment)? {
                    let chart = Chart::of(&distribution.bands);
                    charts.push((assessment.id.0, assessment.fields.name, chart));
                }
            }
            Ok((section, charts))
        })
        .await?;
    let title = format!("How the class did in {}", section.fields.name);
    let page = Page {
        layout: Layout::new(&console, &member, gradebook::place(&member), title),
        section: section.id.0,
        charts,
    };
    Ok(page::ok(&page, &page.layout))
}
