//! Whatever arrives over HTTP: it is answered in time, with the fault or status that belongs to it, in
//! the wrapping that belongs to it; the register, the peers and the server stay as they were.
//!
//! The requests stand in tables: `messages` (envelopes), `payloads` (XML-RPC documents), `calls` (methods
//! and their fields), `requests` (HTTP). `forge` has what they are made with.

mod calls;
mod forge;
mod messages;
mod payloads;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forge::{
    COURIER, Case, Forge, HEARD_NONCE, Outcome, PEER, Request, assessment, enrolment, good_call,
    grade, section,
};
use mnetd::store::{
    MAX_PAGE, Page, StoreError, assessments, enrolments, grades, peers as stored, people, sections,
};
use mnetd::xmlrpc::{MethodResponse, Value};
use support::http;
use support::site::{NOW, Served, Site, Stranger, user};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// How long the server may take over one request, on a slow machine, unoptimised.
const DEADLINE: Duration = Duration::from_secs(10);

/// The longest answer to a hostile request: whoever sends much gets little back. A sealed fault of one
/// sentence takes 3 kB, one with a certificate 5 kB.
const LONGEST_ANSWER: usize = 12 * 1024;

const SHARED: [(&str, bool, bool); 1] = [("register", true, false)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hostile_request_gets_further_than_it_should() {
    let (served, forge) = school().await;
    let cases = table();
    assert!(cases.len() >= 250, "{} cases", cases.len());
    let before = Everything::of(&served.site);
    let panics = count_panics();
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(failure) = attempt(case, &served, &forge, &before).await {
            failures.push(format!("{}: {failure}", case.name));
        }
        if panics.swap(0, Ordering::SeqCst) > 0 {
            failures.push(format!("{}: a panic", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Sends one request and looks at everything afterwards.
async fn attempt(
    case: &Case,
    served: &Served,
    forge: &Forge,
    before: &Everything,
) -> Result<(), String> {
    let request = match (case.make)(forge) {
        Request::Message(body) => http::post(&body),
        Request::Raw(request) => request,
    };
    let reply = exchanged(served, request).await?;
    check(case.outcome, &reply, forge)?;
    Everything::of(&served.site).unchanged_from(before)?;
    let request = http::post(&forge.with_call(&good_call()));
    let reply = exchanged(served, request).await?;
    let served_as_before = check(Outcome::Unchanged, &reply, forge);
    served.site.store.flush().await.unwrap();
    served_as_before.map_err(|error| format!("a good call afterwards: {error}"))
}

async fn exchanged(served: &Served, request: Vec<u8>) -> Result<http::Reply, String> {
    timeout(DEADLINE, http::exchange(served.address, request))
        .await
        .map_err(|_| format!("no answer within {DEADLINE:?}"))?
        .map_err(|error| error.to_string())?
        .ok_or_else(|| "closed without an answer".to_owned())
}

fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counter, usual) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        counter.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    panics
}

/// A served school with one row of everything, where unknown sites may even register themselves.
async fn school() -> (Served, Forge) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::new(&format!("http://{address}"));
    let retired = site.certificate();
    site.keys.rotate(NOW).unwrap();
    let site = site.open_to_all();
    let forge = Forge {
        here: site.wwwroot.to_string(),
        ours: site.certificate(),
        retired,
        peer: Stranger::new(PEER),
        courier: Stranger::new(COURIER),
        forger: Stranger::new(PEER),
        unknown: Stranger::new("http://unknown.example"),
    };
    site.befriend(&forge.peer, &SHARED);
    site.befriend(&forge.courier, &SHARED);
    for (method, argument) in [
        ("register/fetch_user", user("zoe")),
        ("register/new_section", section("s1")),
        ("register/new_enrolment", enrolment()),
        ("register/new_assessment", assessment()),
        ("register/new_grade", grade("87.5")),
    ] {
        let answer = site.call(&forge.peer, method, vec![argument]).await;
        assert_eq!(result_of(&answer.response), "created", "{method}");
    }
    for message in [
        forge.heard_message(NOW),
        forge.bound(&forge.here, NOW.0, HEARD_NONCE),
    ] {
        site.answer(message).await.unwrap();
    }
    // What was only noted has to be written before anything is compared.
    site.store.flush().await.unwrap();
    (site.serve(listener), forge)
}

fn check(outcome: Outcome, reply: &http::Reply, forge: &Forge) -> Result<(), String> {
    let length = reply.body.len();
    if length > LONGEST_ANSWER {
        return Err(format!("{length} bytes came back"));
    }
    if let Outcome::Status(status) = outcome {
        return same("the status", &reply.status, &status);
    }
    same("the status", &reply.status, &200)?;
    let (reader, signer) = match outcome {
        Outcome::FaultToCourier(_) => (&forge.courier, &forge.ours),
        Outcome::KeyChanged => (&forge.peer, &forge.retired),
        _ => (&forge.peer, &forge.ours),
    };
    let answer = reader.open(&reply.body, signer);
    let wrapping = match outcome {
        Outcome::FaultUnsigned(_) => (true, false),
        Outcome::FaultInTheClear(_) | Outcome::OurCertificate => (false, false),
        _ => (true, true),
    };
    let found = result_of(&answer.response);
    same("the answer", &found, &expected(outcome, forge))?;
    same(
        "(sealed, signed)",
        &(answer.sealed, answer.signed),
        &wrapping,
    )
}

/// What of an answer is compared: its fault code, or its value as far as it is told beforehand.
fn result_of(response: &MethodResponse) -> String {
    match response {
        MethodResponse::Fault(fault) if fault.code == 7025 => format!("7025 {}", fault.message),
        MethodResponse::Fault(fault) => fault.code.to_string(),
        MethodResponse::Success(Value::Array(entries)) => {
            let codes: Vec<_> = entries
                .iter()
                .map(|entry| entry.get("faultCode").and_then(Value::to_integer))
                .collect();
            format!("{codes:?}")
        }
        MethodResponse::Success(value) => {
            let text = value.get("status").unwrap_or(value).to_text();
            text.unwrap_or_default().into_owned()
        }
    }
}

fn expected(outcome: Outcome, forge: &Forge) -> String {
    match outcome {
        Outcome::Fault(code)
        | Outcome::FaultToCourier(code)
        | Outcome::FaultUnsigned(code)
        | Outcome::FaultInTheClear(code) => code.to_string(),
        Outcome::KeyChanged => format!("7025 {}", forge.ours.pem()),
        Outcome::Entries(codes) => {
            let codes: Vec<_> = codes.iter().map(|code| Some(i64::from(*code))).collect();
            format!("{codes:?}")
        }
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::OurCertificate => forge.ours.pem().to_owned(),
        Outcome::Status(_) => String::new(),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: {found:?} instead of {expected:?}"))
    }
}

/// All the register and all the peers, as they stand: tables and what is in them.
#[derive(PartialEq)]
struct Everything(Vec<(&'static str, String)>);

impl Everything {
    fn of(site: &Site) -> Self {
        let page = Page {
            after: None,
            limit: MAX_PAGE,
        };
        let people = people::PeopleFilter {
            removed: true,
            ..Default::default()
        };
        let sections = sections::SectionFilter {
            removed: true,
            ..Default::default()
        };
        let enrolments = enrolments::EnrolmentFilter {
            all: true,
            ..Default::default()
        };
        let assessments = assessments::AssessmentFilter {
            removed: true,
            ..Default::default()
        };
        let grades = grades::GradeFilter {
            all: true,
            ..Default::default()
        };
        let tables = site.store.read_blocking(|tx| -> Result<_, StoreError> {
            let enrolments = enrolments::list(tx, &enrolments, NOW, page)?;
            let grades = grades::list(tx, &grades, page)?;
            let peers = stored::list(tx, page)?;
            let histories = (
                each(&enrolments, |row| enrolments::history(tx, row.id))?,
                each(&grades, |row| grades::history(tx, row.id))?,
            );
            let rights = each(&peers, |peer| stored::services(tx, peer.id))?;
            Ok(vec![
                (
                    "people",
                    format!("{:?}", people::list(tx, &people, NOW, page)?),
                ),
                (
                    "sections",
                    format!("{:?}", sections::list(tx, &sections, page)?),
                ),
                ("enrolments", format!("{enrolments:?}")),
                (
                    "assessments",
                    format!("{:?}", assessments::list(tx, &assessments, page)?),
                ),
                ("grades", format!("{grades:?}")),
                ("histories", format!("{histories:?}")),
                (
                    "peers",
                    format!("{:?}", each(&peers, |peer| Ok(settled(peer)))?),
                ),
                ("rights", format!("{rights:?}")),
                (
                    "clear text",
                    format!("{:?}", stored::clear_text_addresses(tx)?),
                ),
            ])
        });
        Self(tables.unwrap())
    }

    fn unchanged_from(&self, before: &Self) -> Result<(), String> {
        for (now, then) in self.0.iter().zip(&before.0) {
            same("stored", now, then)?;
        }
        Ok(())
    }
}

fn each<R, T>(
    rows: &[R],
    read: impl Fn(&R) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

/// A peer without what any contact with it changes.
fn settled(peer: &stored::Peer) -> stored::Peer {
    stored::Peer {
        last_contact_at: None,
        last_fault_at: None,
        last_fault_text: None,
        ..peer.clone()
    }
}

fn table() -> Vec<Case> {
    [
        messages::table(),
        payloads::table(),
        calls::table(),
        requests::table(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
