//! Remote enrolment: sections of ours offered to peers, and accounts of ours in courses of peers.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::enrol::{EnrolError, RemoteEnrolment};
use crate::peer::{Peer, PeerError};
use crate::store::accounts;
use crate::store::lists::ROWS;
use crate::store::peer_courses::{
    self, PeerCourse, PeerCourseEnrolment, PeerCourseEnrolmentFilter, PeerCourseFilter,
};
use crate::store::sections::{self, Section};
use crate::store::{MAX_PAGE, Page, PeerCourseId, PeerId, SectionId, StoreError, offers};
use crate::web::extract::{Path, Query};
use crate::web::hand::Hand;
use crate::web::page::{self, Layout, Place};
use crate::web::pager::Pager;
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, NoFields, Staff, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sections/{id}/offers", get(offered).post(set_offers))
        .route("/peers/{id}/courses", get(courses).post(refresh))
        .route("/courses/{id}", get(course))
        .route("/courses/{id}/refresh", post(refresh_course))
        .route("/courses/{id}/enrol", post(enrol))
        .route("/courses/{id}/unenrol", post(unenrol))
}

#[derive(Template)]
#[template(path = "pages/offers.html")]
struct OffersPage {
    layout: Layout,
    section: Section,
    rows: Vec<OfferRow>,
}

struct OfferRow {
    peer: Peer,
    offered: bool,
}

#[derive(Deserialize)]
struct From {
    after: Option<i64>,
}

#[derive(Template)]
#[template(path = "pages/peer_courses.html")]
struct CoursesPage {
    layout: Layout,
    problem: Option<String>,
    peer: Peer,
    courses: Vec<PeerCourse>,
    pager: Pager,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "pages/peer_course.html")]
struct CoursePage {
    layout: Layout,
    problem: Option<String>,
    peer: Peer,
    course: PeerCourse,
    enrolled: Vec<PeerCourseEnrolment>,
    may_change: bool,
}

#[derive(Deserialize)]
struct Named {
    account: String,
}

async fn offered(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let (section, rows) = console
        .store()
        .read(move |tx| -> Result<_, PeerError> {
            let section = sections::get(tx, SectionId(id))?;
            let offered = offers::of_section(tx, SectionId(id))?;
            let rows: Vec<OfferRow> = Peer::all(tx)?
                .into_iter()
                .map(|peer| OfferRow {
                    offered: offered.contains(&peer.id),
                    peer,
                })
                .collect();
            Ok((section, rows))
        })
        .await
        .map_err(|error| WebError::internal(&error))?;
    let section = section.ok_or(WebError::NotFound)?;
    let title = format!("Offer {}", section.fields.name);
    let page = OffersPage {
        layout: Layout::new(&console, &administrator, Place::Sections, title),
        section,
        rows,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn set_offers(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response<Body>, WebError> {
    let chosen: Vec<PeerId> = fields
        .iter()
        .filter(|(name, _)| name == "peer")
        .filter_map(|(_, value)| value.parse().ok().map(PeerId))
        .collect();
    let hand = Hand::of(&administrator, &console);
    let found = console
        .store()
        .write(move |tx| -> Result<_, PeerError> {
            let Some(section) = sections::get(tx, SectionId(id))? else {
                return Ok(false);
            };
            let name = &section.fields.name;
            for peer in Peer::all(tx)? {
                let (changed, action) = if chosen.contains(&peer.id) {
                    let offered = offers::offer(tx, section.id, peer.id, hand.now)?;
                    (offered, "section offered")
                } else {
                    let stopped = offers::stop(tx, section.id, peer.id)?;
                    (stopped, "section no longer offered")
                };
                if changed {
                    hand.note(tx, action, name, peer.wwwroot.as_str())?;
                }
            }
            Ok(true)
        })
        .await
        .map_err(|error| WebError::internal(&error))?;
    if !found {
        return Err(WebError::NotFound);
    }
    let path = format!("/sections/{id}/offers");
    Ok(page::see_other(&console, &path, Some("Saved.")))
}

async fn courses(
    State(console): State<Console>,
    staff: Staff,
    Path(id): Path<i64>,
    Query(from): Query<From>,
) -> Result<Response<Body>, WebError> {
    let peer = find_peer(&console, PeerId(id)).await?;
    let page = courses_page(&console, &staff, peer, from.after, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn courses_page(
    console: &Console,
    visitor: &Visitor,
    peer: Peer,
    after: Option<i64>,
    problem: Option<String>,
) -> Result<CoursesPage, WebError> {
    let filter = PeerCourseFilter {
        peer: Some(peer.id),
        all: true,
    };
    let wanted = Page { after, limit: ROWS };
    let courses = console
        .store()
        .read(move |tx| peer_courses::list(tx, &filter, wanted))
        .await?;
    let last = courses.last().filter(|_| courses.len() == ROWS as usize);
    let (base, number) = (console.base(), peer.id.0);
    let pager = Pager {
        earlier: None,
        later: last.map(|last| format!("{base}/peers/{number}/courses?after={}", last.id.0)),
    };
    let title = format!("Courses of {}", peer.name);
    Ok(CoursesPage {
        layout: Layout::new(console, visitor, Place::Peers, title),
        problem,
        peer,
        courses,
        pager,
        may_change: visitor.access() == Access::Administrator,
    })
}

async fn refresh(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let peer = find_peer(&console, PeerId(id)).await?;
    match remote(&console).refresh_courses(&peer).await {
        Ok(refreshed) => {
            let notice = format!(
                "{} offers {} courses; {} it offered before are no longer among them.",
                peer.name, refreshed.offered, refreshed.withdrawn
            );
            let path = format!("/peers/{id}/courses");
            Ok(page::see_other(&console, &path, Some(&notice)))
        }
        Err(EnrolError::Store(error)) => Err(error.into()),
        Err(problem) => {
            let problem = Some(page::sentence(&problem));
            let page = courses_page(&console, &administrator, peer, None, problem).await?;
            Ok(page::respond(StatusCode::BAD_GATEWAY, &page, &page.layout))
        }
    }
}

async fn course(
    State(console): State<Console>,
    staff: Staff,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let (peer, course) = find_course(&console, id).await?;
    let page = course_page(&console, &staff, peer, course, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn course_page(
    console: &Console,
    visitor: &Visitor,
    peer: Peer,
    course: PeerCourse,
    problem: Option<String>,
) -> Result<CoursePage, WebError> {
    let filter = PeerCourseEnrolmentFilter {
        course: Some(course.id),
        ..PeerCourseEnrolmentFilter::default()
    };
    let enrolled = console
        .store()
        .read(move |tx| peer_courses::enrolments(tx, &filter, None, MAX_PAGE))
        .await?;
    let title = format!("{} at {}", course.fields.fullname, peer.name);
    Ok(CoursePage {
        layout: Layout::new(console, visitor, Place::Peers, title),
        problem,
        peer,
        course,
        enrolled,
        may_change: visitor.access() == Access::Administrator,
    })
}

async fn refresh_course(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let (peer, course) = find_course(&console, id).await?;
    let done = remote(&console).refresh_enrolments(&peer, &course).await;
    let done = done.map(|count| format!("{count} of ours are in it, says {}.", peer.name));
    answer(&console, &administrator, peer, course, done).await
}

async fn enrol(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(named): Submitted<Named>,
) -> Result<Response<Body>, WebError> {
    let (peer, course) = find_course(&console, id).await?;
    let done = match find_account(&console, &named).await? {
        Ok(account) => {
            let by = administrator.actor();
            let enrolled = remote(&console).enrol(&peer, &account, &course, &by).await;
            enrolled.map(|()| format!("{} is enrolled there.", account.username))
        }
        Err(unknown) => {
            return refuse(&console, &administrator, peer, course, unknown).await;
        }
    };
    answer(&console, &administrator, peer, course, done).await
}

async fn unenrol(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(named): Submitted<Named>,
) -> Result<Response<Body>, WebError> {
    let (peer, course) = find_course(&console, id).await?;
    let done = match find_account(&console, &named).await? {
        Ok(account) => {
            let by = administrator.actor();
            let ended = remote(&console)
                .unenrol(&peer, &account, &course, &by)
                .await;
            ended.map(|()| format!("{} is no longer enrolled there.", account.username))
        }
        Err(unknown) => {
            return refuse(&console, &administrator, peer, course, unknown).await;
        }
    };
    answer(&console, &administrator, peer, course, done).await
}

async fn find_account(
    console: &Console,
    named: &Named,
) -> Result<Result<accounts::Account, String>, WebError> {
    let username = named.account.trim().to_owned();
    let wanted = username.clone();
    let found = console
        .store()
        .read(move |tx| -> Result<_, StoreError> { accounts::find(tx, &wanted) })
        .await?;
    Ok(found.ok_or_else(|| {
        format!(
            "There is no account called “{username}”; only accounts of this site, listed under Administration › Accounts, can be enrolled at a peer."
        )
    }))
}

/// Back to the course with what was done, or with what could not be.
async fn answer(
    console: &Console,
    administrator: &Administrator,
    peer: Peer,
    course: PeerCourse,
    done: Result<String, EnrolError>,
) -> Result<Response<Body>, WebError> {
    match done {
        Ok(notice) => {
            let path = format!("/courses/{}", course.id.0);
            Ok(page::see_other(console, &path, Some(&notice)))
        }
        Err(EnrolError::Store(error)) => Err(error.into()),
        Err(problem) => {
            let problem = page::sentence(&problem);
            refuse(console, administrator, peer, course, problem).await
        }
    }
}

async fn refuse(
    console: &Console,
    administrator: &Administrator,
    peer: Peer,
    course: PeerCourse,
    problem: String,
) -> Result<Response<Body>, WebError> {
    let page = course_page(console, administrator, peer, course, Some(problem)).await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}

async fn find_peer(console: &Console, id: PeerId) -> Result<Peer, WebError> {
    let found = console
        .store()
        .read(move |tx| Peer::get(tx, id))
        .await
        .map_err(|error| WebError::internal(&error))?;
    found.ok_or(WebError::NotFound)
}

async fn find_course(console: &Console, id: i64) -> Result<(Peer, PeerCourse), WebError> {
    let course = console
        .store()
        .read(move |tx| peer_courses::get(tx, PeerCourseId(id)))
        .await?;
    let course = course.ok_or(WebError::NotFound)?;
    Ok((find_peer(console, course.peer).await?, course))
}

fn remote(console: &Console) -> RemoteEnrolment {
    RemoteEnrolment::new(
        console.store().clone(),
        console.client().clone(),
        console.clock().clone(),
    )
}
