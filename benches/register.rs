//! How many grades a second the register takes in, a multicall of a hundred at a time.
//!
//! Each iteration is one job of the writer, as `system/multicall` has it, with one `fsync`: what is measured is what a peer waits for, the envelope apart.

#![allow(clippy::unwrap_used)] // nothing is measured where something fails
#![allow(missing_docs)] // criterion's macros make undocumented items

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mnetd::clock::UnixTime;
use mnetd::register::{Author, Call, RegisterError, apply};
use mnetd::store::peers::{self, Application, NewPeer, TextDialect};
use mnetd::store::{PeerId, Store, StoreError};
use mnetd::xmlrpc::{Struct, Value};
use tempfile::TempDir;

const CALLS: usize = 100;
const USERS: usize = 2_000;
const ASSESSMENTS: usize = 500;
/// A step that has no factor in common with the number of places visits each once.
const SCATTER: usize = 7_919;
const NOW: UnixTime = UnixTime(1_800_000_000);

struct Bench {
    store: Store,
    peer: PeerId,
    _folder: TempDir,
}

impl Bench {
    /// A register with people and assessments, and no grade yet.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("mnetd.db")).unwrap();
        let peer = store
            .write_blocking::<_, StoreError, _>(|tx| {
                let peer = NewPeer {
                    wwwroot: "https://moodle.example.org",
                    name: "A Moodle",
                    application: Application::Moodle,
                    certificate: None,
                    text_dialect: TextDialect::Utf8,
                };
                peers::insert(tx, &peer, NOW)
            })
            .unwrap();
        let bench = Self {
            store,
            peer,
            _folder: folder,
        };
        let section = Struct::new().with("idnumber", "S").with("name", "Biology");
        let users = (0..USERS).map(|number| {
            let user = Struct::new()
                .with("idnumber", format!("U{number}"))
                .with("username", format!("user{number}"))
                .with("firstname", "Kari")
                .with("lastname", "Nordmann")
                .with("email", "kari@example.org");
            call("fetch_user", user)
        });
        let assessments = (0..ASSESSMENTS).map(|number| {
            let assessment = Struct::new()
                .with("idnumber", format!("A{number}"))
                .with("sectionid", "S")
                .with("name", format!("Quiz {number}"));
            call("new_assessment", assessment)
        });
        let calls = [call("new_section", section)]
            .into_iter()
            .chain(users)
            .chain(assessments);
        bench.carry_out(calls.collect());
        bench
    }

    fn carry_out(&self, calls: Vec<Call>) {
        let author = Author::Peer { id: self.peer };
        self.store
            .write_blocking::<_, RegisterError, _>(move |tx| {
                for call in &calls {
                    apply(tx, &author, call, NOW)?;
                }
                Ok(())
            })
            .unwrap();
    }
}

fn call(method: &str, argument: Struct) -> Call {
    Call::parse(method, &[Value::from(argument)])
        .unwrap()
        .unwrap()
}

/// A hundred grades from the `from`th place in the gradebook on: one assessment's, as a peer sends them
/// that goes through its gradebook (`step` 1), or each in another assessment for another user.
fn grades(from: usize, step: usize, points: &str) -> Vec<Value> {
    (from..from + CALLS)
        .map(|number| {
            let place = number * step % (USERS * ASSESSMENTS);
            Struct::new()
                .with("assessmentid", format!("A{}", place / USERS))
                .with("userid", format!("U{}", place % USERS))
                .with("points_earned", points)
                .with("attempt_num", "1")
                .into()
        })
        .collect()
}

fn parse(arguments: &[Value]) -> Vec<Call> {
    arguments
        .iter()
        .map(|argument| {
            Call::parse("register/new_grade", std::slice::from_ref(argument))
                .unwrap()
                .unwrap()
        })
        .collect()
}

fn new_grade(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("new_grade");
    group.throughput(Throughput::Elements(CALLS as u64));
    for (name, step) in [("created", 1), ("created, scattered", SCATTER)] {
        let mut from = 0;
        let bench = Bench::new();
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    from += CALLS;
                    grades(from, step, "7.50000")
                },
                |arguments| bench.carry_out(parse(&arguments)),
                BatchSize::SmallInput,
            );
        });
    }
    let bench = Bench::new();
    let mut turn = 0;
    group.bench_function("updated", |bencher| {
        bencher.iter_batched(
            || {
                turn += 1;
                grades(CALLS, 1, &format!("{}.5", turn % 100))
            },
            |arguments| bench.carry_out(parse(&arguments)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("unchanged", |bencher| {
        let arguments = grades(2 * CALLS, 1, "7.50000");
        bencher.iter(|| bench.carry_out(parse(&arguments)));
    });
    group.finish();
}

criterion_group!(benches, new_grade);
criterion_main!(benches);
