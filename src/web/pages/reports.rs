//! Reports as they stood at a date: on screen, on paper, as CSV and as PDF.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::form_urlencoded;

use super::gradebook;
use crate::clock::UnixTime;
use crate::reports::{self, Align, Ended, Presentation, Report, ReportError, Sheet};
use crate::store::{PersonId, ReadTx, SectionId};
use crate::web::extract::{Path, Query};
use crate::web::page::{self, Layout, Place};
use crate::web::visitor::Access;
use crate::web::{Console, Member, Staff, Visitor, WebError, show};

/// How long a visitor waits until others' PDFs are laid out.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each report under its own address, and with `.csv` and `.pdf` behind it.
pub fn routes() -> Router<Console> {
    let mut router = Router::new();
    for format in [Format::Page, Format::Csv, Format::Pdf] {
        let end = format.end();
        router = router.route(
            &format!("/sections/{{id}}/class-list{end}"),
            get(
                move |State(console): State<Console>,
                      member: Member,
                      Path(id): Path<i64>,
                      Query(asked): Query<Asked>| async move {
                    class_list(&console, &member, SectionId(id), format, &asked).await
                },
            ),
        );
        for kind in [Kind::Progress, Kind::Transcript] {
            let word = kind.word();
            router = router
                .route(
                    &format!("/people/{{id}}/{word}{end}"),
                    get(
                        move |State(console): State<Console>,
                              staff: Staff,
                              Path(id): Path<i64>,
                              Query(asked): Query<Asked>| async move {
                            let path = format!("/people/{id}/{word}");
                            let of = Of {
                                kind,
                                path,
                                place: Place::People,
                            };
                            of_person(&console, &staff, of, PersonId(id), format, &asked).await
                        },
                    ),
                )
                .route(
                    &format!("/mine/{word}{end}"),
                    get(
                        move |State(console): State<Console>,
                              member: Member,
                              Query(asked): Query<Asked>| async move {
                            let path = format!("/mine/{word}");
                            let of = Of {
                                kind,
                                path,
                                place: Place::Mine,
                            };
                            let person = own_person(&member)?;
                            of_person(&console, &member, of, person, format, &asked).await
                        },
                    ),
                );
        }
    }
    router
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Page,
    Csv,
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Progress,
    Transcript,
    ClassList,
}

/// Which report, and where it stands.
struct Of {
    kind: Kind,
    path: String,
    place: Place,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Asked {
    /// A day, which means its end, or a moment with its time zone; empty: now.
    #[serde(default)]
    at: String,
    /// `yes`: what had ended by then as well.
    #[serde(default)]
    ended: String,
}

#[derive(Template)]
#[template(path = "pages/report.html")]
struct ReportPage {
    layout: Layout,
    problem: Option<String>,
    path: String,
    /// The question again, for links to the same report in other formats.
    query: String,
    asked: Asked,
    /// What the tick box for enrolments that are over says; `None`: the report has them anyway.
    ended: Option<&'static str>,
    sheet: Sheet,
}

impl Format {
    fn end(self) -> &'static str {
        match self {
            Self::Page => "",
            Self::Csv => ".csv",
            Self::Pdf => ".pdf",
        }
    }
}

impl Kind {
    /// As addresses and files have it.
    fn word(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Transcript => "transcript",
            Self::ClassList => "class-list",
        }
    }

    fn ended(self) -> Option<&'static str> {
        match self {
            Self::Progress => Some("With sections that had ended by then"),
            Self::Transcript => None,
            Self::ClassList => Some("With students who had left or finished by then"),
        }
    }
}

impl Asked {
    fn at(&self, now: UnixTime) -> Option<UnixTime> {
        match self.at.trim() {
            "" => Some(now),
            text => show::end_of(text).or_else(|| {
                let moment: Timestamp = text.parse().ok()?;
                Some(UnixTime(moment.as_second()))
            }),
        }
    }

    fn ended(&self) -> Ended {
        if self.ended == "yes" {
            Ended::Included
        } else {
            Ended::LeftOut
        }
    }

    /// With the question mark; empty where nothing is asked.
    fn query(&self) -> String {
        let pairs = [("at", self.at.trim()), ("ended", self.ended.as_str())];
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()))
            .finish();
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }
}

/// Whom a visitor stands for, whose own reports they may see.
fn own_person(member: &Member) -> Result<PersonId, WebError> {
    member.person().ok_or_else(|| {
        WebError::Unusable(
            "Your account stands for nobody in the register, so there are no reports about you. An administrator of this site can make an account for a person there."
                .to_owned(),
        )
    })
}

async fn of_person(
    console: &Console,
    visitor: &Visitor,
    of: Of,
    person: PersonId,
    format: Format,
    asked: &Asked,
) -> Result<Response<Body>, WebError> {
    if of.kind == Kind::Progress {
        let reckon = move |tx: &ReadTx<'_>, at, ended| {
            let report = reports::progress(tx, person, at, ended)?;
            let (name, file) = (report.person.name(), report.person.username.clone());
            Ok((report, name, file))
        };
        give(console, visitor, of, format, asked, reckon).await
    } else {
        let reckon = move |tx: &ReadTx<'_>, at, _| {
            let report = reports::transcript(tx, person, at)?;
            let (name, file) = (report.person.name(), report.person.username.clone());
            Ok((report, name, file))
        };
        give(console, visitor, of, format, asked, reckon).await
    }
}

async fn class_list(
    console: &Console,
    member: &Member,
    section: SectionId,
    format: Format,
    asked: &Asked,
) -> Result<Response<Body>, WebError> {
    let (reader, now) = (member.clone(), console.clock().now());
    let of = Of {
        kind: Kind::ClassList,
        path: format!("/sections/{}/class-list", section.0),
        place: gradebook::place(member),
    };
    let reckon = move |tx: &ReadTx<'_>, at, ended| {
        gradebook::readable(tx, &reader, section, now)?;
        let report = reports::class_list(tx, section, at, ended)?;
        let name = report.section.name.clone();
        Ok((report, name, format!("section-{}", section.0)))
    };
    give(console, member, of, format, asked, reckon).await
}

/// Why a report is not given.
#[derive(Debug, thiserror::Error)]
enum NotGiven {
    #[error(transparent)]
    Web(#[from] WebError),
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl From<crate::store::StoreError> for NotGiven {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Report(error.into())
    }
}

impl From<NotGiven> for WebError {
    fn from(error: NotGiven) -> Self {
        match error {
            NotGiven::Web(error) => error,
            NotGiven::Report(ReportError::NoSuchPerson(_) | ReportError::NoSuchSection(_)) => {
                Self::NotFound
            }
            NotGiven::Report(error) => Self::internal(&error),
        }
    }
}

/// Gives the report that `reckon` makes, together with whom or what it is about: once for people, once for
/// the name of a file.
async fn give<R: Report + Send + 'static>(
    console: &Console,
    visitor: &Visitor,
    of: Of,
    format: Format,
    asked: &Asked,
    reckon: impl FnOnce(&ReadTx<'_>, UnixTime, Ended) -> Result<(R, String, String), NotGiven>
    + Send
    + 'static,
) -> Result<Response<Body>, WebError> {
    let now = console.clock().now();
    let presentation = Presentation {
        site: console.wwwroot().to_string(),
        zone: TimeZone::system(),
        printed_at: now,
    };
    let at = asked.at(now);
    let problem = at.is_none().then(|| {
        let typed: String = asked.at.chars().take(40).collect();
        format!("“{typed}” is no date; expected one like 2026-07-01. This is how things stand now.")
    });
    if let (Some(problem), Format::Csv | Format::Pdf) = (&problem, format) {
        return Err(WebError::Unusable(problem.clone()));
    }
    let at = at.unwrap_or(now);
    let at = match visitor.access() {
        // What is dated ahead is the office's alone until then.
        Access::Nobody | Access::Member => at.min(now),
        Access::Reader | Access::Administrator => at,
    };
    let ended = asked.ended();
    let (report, name, about) = console
        .store()
        .read(move |tx| reckon(tx, at, ended))
        .await
        .map_err(WebError::from)?;
    let file = format!(
        "{}-{about}-{}{}",
        of.kind.word(),
        presentation.date(at),
        format.end()
    );
    match format {
        Format::Csv => {
            let mut bytes = Vec::new();
            report
                .write_csv(&mut bytes, &presentation)
                .map_err(|error| WebError::internal(&error))?;
            Ok(page::download("text/csv; charset=utf-8", &file, bytes))
        }
        Format::Pdf => {
            // Laying out text takes its time.
            let sheet = report.to_sheet(&presentation);
            let place = place_to_lay_out(console.laying_out(), PATIENCE).await?;
            let bytes = tokio::task::spawn_blocking(move || {
                let pdf = sheet.to_pdf();
                drop(place);
                pdf
            })
            .await
            .map_err(|error| WebError::internal(&error))?
            .map_err(|error| WebError::internal(&error))?;
            Ok(page::download("application/pdf", &file, bytes))
        }
        Format::Page => {
            let sheet = report.to_sheet(&presentation);
            let title = format!("{} of {name}", sheet.title);
            let status = match &problem {
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
                None => StatusCode::OK,
            };
            let page = ReportPage {
                layout: Layout::new(console, visitor, of.place, title),
                query: match &problem {
                    Some(_) => String::new(),
                    None => asked.query(),
                },
                problem,
                path: of.path,
                asked: asked.clone(),
                ended: of.kind.ended(),
                sheet,
            };
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

/// A place to lay out a PDF, to be kept until that is done.
async fn place_to_lay_out(
    places: &Arc<Semaphore>,
    patience: Duration,
) -> Result<OwnedSemaphorePermit, WebError> {
    match timeout(patience, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) | Err(_) => Err(WebError::Busy(
            "Too many PDFs are being made at this moment; try again in some seconds.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::PDFS_AT_A_TIME;

    #[tokio::test]
    async fn a_pdf_waits_until_another_is_done_but_not_for_ever() {
        let places = Arc::new(Semaphore::new(PDFS_AT_A_TIME));
        let brief = Duration::from_millis(20);
        let mut kept = Vec::new();
        for _ in 0..PDFS_AT_A_TIME {
            kept.push(place_to_lay_out(&places, brief).await);
        }
        assert!(kept.iter().all(Result::is_ok));
        let refused = place_to_lay_out(&places, brief).await;
        assert!(matches!(refused, Err(WebError::Busy(_))));
        let next = tokio::spawn(async move { place_to_lay_out(&places, PATIENCE).await });
        kept.pop();
        assert!(next.await.is_ok_and(|place| place.is_ok()));
    }

    #[test]
    fn a_day_means_its_end_and_nothing_means_now() {
        let asked = |at: &str| Asked {
            at: at.to_owned(),
            ended: String::new(),
        };
        let now = UnixTime(1_795_480_242);
        assert_eq!(asked("").at(now), Some(now));
        assert_eq!(asked("2026-07-01").at(now), show::end_of("2026-07-01"));
        let moment = asked("2026-07-01T12:00:00Z").at(now);
        assert_eq!(moment, Some(UnixTime(1_782_907_200)));
        assert_eq!(asked("yesterday").at(now), None);
    }
}
