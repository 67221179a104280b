//! The served program is killed under load, again and again: whatever it had acknowledged is in the
//! register when it is back, whatever it had not is there whole or not at all, and nothing it heard is
//! heard a second time.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod support;

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use mnetd::clock::Clock;
use mnetd::keys::{Certificate, KeyPair, KeyStore};
use mnetd::store::Store;
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{MethodCall, Struct, Value};
use rusqlite::{Connection as Database, OpenFlags, OptionalExtension, params};
use support::site::{Answer, Stranger, add_peer, fields, user};

const ROUNDS: usize = 20;
const SENDERS: usize = 8;

const STUDENTS: usize = 40;
const ASSESSMENTS: usize = 10;

/// The calls prepared for a round: as many as the gradebook has cells, so that no two of a round are
/// for the same grade, and those of the next round change what this one gave.
const CALLS: usize = STUDENTS * ASSESSMENTS;

/// The calls of a round that may be acknowledged before the kill, at most; the rest keep the senders
/// busy until it strikes.
const LATEST_KILL: usize = CALLS - 100;

/// How long an answer may take before the test gives up instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// The fault of a request that was heard before (docs/protocol.md, What the envelope does not protect).
const HEARD_BEFORE: i32 = 8010;

#[test]
fn every_call_is_there_that_was_acknowledged_before_a_kill() {
    let school = School::new();
    let mut server = school.serve();
    school.prepare();
    let at_first = Ledger::read(&school.register());

    let mut cut_off = 0;
    for round in 0..ROUNDS {
        let calls = school.seal_calls(round);
        // 211 shares no factor with the range: no two rounds are killed at the same count.
        let kill_at = 1 + round * 211 % LATEST_KILL;
        let load = Load::new(&calls, kill_at);
        let sent = load.run(school.address, &server);
        assert!(server.has_ended_by_sigkill(), "round {round}");
        server = school.serve();

        let register = school.register();
        for (call, answer) in &sent.acknowledged {
            school.assert_done(&register, call, answer);
        }
        assert_nothing_is_half_done(&register, &at_first);
        let (call, _) = &sent.acknowledged[sent.acknowledged.len() / 2];
        let refused = school.send(call);
        assert_eq!(refused.fault(), HEARD_BEFORE, "{call}");
        for call in &sent.cut_off {
            school.assert_done_once_when_sent_again(&register, call);
        }
        assert_nothing_is_half_done(&register, &at_first);
        cut_off += sent.cut_off.len();
    }
    assert!(
        cut_off >= ROUNDS,
        "the kills came when nothing was going on"
    );
}

/// A site with a database and keys in a directory of its own, and a peer that calls it.
struct School {
    directory: tempfile::TempDir,
    address: SocketAddr,
    wwwroot: Wwwroot,
    certificate: Certificate,
    peer: Stranger,
}

impl School {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let wwwroot = Wwwroot::parse(&format!("http://{address}")).unwrap();
        let now = Clock::System.now();
        let keys = KeyStore::open(&directory.path().join("keys"), &wwwroot, now, 28).unwrap();
        let peer_wwwroot = Wwwroot::parse("http://moodle.example").unwrap();
        let peer = Stranger {
            pair: KeyPair::generate(&peer_wwwroot, now, 28).unwrap(),
            wwwroot: peer_wwwroot,
        };
        add_peer(
            &Store::open(&directory.path().join("mnetd.db")).unwrap(),
            peer.wwwroot.as_str(),
            peer.pair.certificate(),
            &[("register", true, false)],
        );
        Self {
            certificate: keys.ring().current().certificate().clone(),
            directory,
            address,
            wwwroot,
            peer,
        }
    }

    fn serve(&self) -> Server {
        let process = Command::new(env!("CARGO_BIN_EXE_mnetd"))
            .arg("serve")
            .arg("--data")
            .arg(self.directory.path())
            .args(["--listen", &self.address.to_string()])
            .args(["--wwwroot", self.wwwroot.as_str()])
            .args(["--log", "warn,mnetd::cli::serve=info"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Server::once_it_listens(process)
    }

    /// Sends the section, the students and the assessments that the grades are for.
    fn prepare(&self) {
        let mut entries = vec![entry(
            "new_section",
            fields(&[("idnumber", "algebra"), ("name", "Algebra")]),
        )];
        for student in 0..STUDENTS {
            entries.push(entry("fetch_user", user(&student_id(student))));
        }
        for assessment in 0..ASSESSMENTS {
            let id = assessment_id(assessment);
            let assessment = fields(&[
                ("sectionid", "algebra"),
                ("idnumber", &id),
                ("name", &id),
                ("pointval", "100"),
            ]);
            entries.push(entry("new_assessment", assessment));
        }
        let multicall = MethodCall::new("system/multicall", vec![Value::Array(entries)]);
        let answer = self.send(&self.seal(Subject::Preparation, &multicall));
        for result in answer.value().as_array().unwrap() {
            assert!(result.as_array().is_some(), "{result:?}");
        }
    }

    /// The calls of a round; none is ever sent in another, nor for the same thing in this one.
    fn seal_calls(&self, round: usize) -> Vec<Sealed> {
        thread::scope(|scope| {
            let sealers: Vec<_> = (0..SENDERS)
                .map(|sealer| {
                    let places = (sealer..CALLS).step_by(SENDERS);
                    let seal = move |place| {
                        let subject = Subject::of(round, place);
                        self.seal(subject, &subject.call())
                    };
                    scope.spawn(move || places.map(seal).collect::<Vec<_>>())
                })
                .collect();
            let sealed = sealers
                .into_iter()
                .flat_map(|sealer| sealer.join().unwrap());
            sealed.collect()
        })
    }

    fn seal(&self, subject: Subject, call: &MethodCall) -> Sealed {
        let now = Clock::System.now();
        let body = self.peer.seal(call, &self.certificate, now);
        let mut request = format!(
            "POST /mnet/xmlrpc/server.php HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend(body);
        Sealed { subject, request }
    }

    /// Sends a call on a connection of its own.
    fn send(&self, call: &Sealed) -> Answer {
        let answer = Connection::open(self.address).send(&call.request);
        self.open(&answer.unwrap())
    }

    fn open(&self, answer: &[u8]) -> Answer {
        let answer = self.peer.open(answer, &self.certificate);
        assert!(answer.sealed && answer.signed);
        answer
    }

    fn register(&self) -> Database {
        let path = self.directory.path().join("mnetd.db");
        Database::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// Checks that what `answer` acknowledged stands in the register, in the very row it named.
    fn assert_done(&self, register: &Database, call: &Sealed, answer: &[u8]) {
        let answer = self.open(answer);
        let Value::Struct(reply) = answer.value() else {
            panic!("{call}: {answer:?}");
        };
        let status = reply.get("status").and_then(Value::as_str).unwrap();
        assert!(["created", "updated"].contains(&status), "{call}: {status}");
        let named = reply.get("id").and_then(Value::to_text).unwrap();
        let row = call.subject.row(register).map(|id| id.to_string().into());
        assert_eq!(row, Some(named), "{call} was acknowledged and is lost");
    }

    /// Checks that a call that went unanswered is either done and refused now, or done now.
    fn assert_done_once_when_sent_again(&self, register: &Database, call: &Sealed) {
        let was_done = call.subject.row(register).is_some();
        let answer = self.send(call);
        if was_done {
            assert_eq!(answer.fault(), HEARD_BEFORE, "{call}");
        } else {
            answer.value();
        }
        let is_done = call.subject.row(register).is_some();
        assert!(is_done, "{call} was acknowledged and is not there yet");
    }
}

/// One call of a multicall.
fn entry(method: &str, fields: Value) -> Value {
    Struct::new()
        .with("methodName", method)
        .with("params", vec![fields])
        .into()
}

fn student_id(student: usize) -> String {
    format!("student-{student}")
}

fn assessment_id(assessment: usize) -> String {
    format!("assessment-{assessment}")
}

/// What a call is about. The number is the call's own, so that what it did can be told from what every
/// other did.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Preparation,
    Section(usize),
    User(usize),
    Grade { cell: usize, points: usize },
}

impl Subject {
    fn of(round: usize, place: usize) -> Self {
        let number = round * CALLS + place;
        match place % 5 {
            0 => Self::Section(number),
            1 => Self::User(number),
            _ => Self::Grade {
                cell: place,
                points: number,
            },
        }
    }

    fn id(self) -> String {
        match self {
            Self::Preparation => "preparation".to_owned(),
            Self::Section(number) => format!("section-{number}"),
            Self::User(number) => format!("user-{number}"),
            Self::Grade { cell, points } => format!("grade-{cell}-{points}"),
        }
    }

    fn call(self) -> MethodCall {
        let id = self.id();
        let (method, fields) = match self {
            Self::Preparation => unreachable!("it is many calls"),
            Self::Section(_) => (
                "register/new_section",
                fields(&[("idnumber", &id), ("name", &id)]),
            ),
            Self::User(_) => ("register/fetch_user", user(&id)),
            Self::Grade { cell, points } => (
                "register/new_grade",
                fields(&[
                    ("assessmentid", &assessment_id(cell % ASSESSMENTS)),
                    ("userid", &student_id(cell / ASSESSMENTS)),
                    ("points_earned", &points.to_string()),
                ]),
            ),
        };
        MethodCall::new(method, vec![fields])
    }

    /// The row that has what the call said, if there is one. A grade has to stand in the gradebook and
    /// be the newest in the history.
    fn row(self, register: &Database) -> Option<i64> {
        let row = match self {
            Self::Preparation => unreachable!("it is many rows"),
            Self::Section(_) => register.query_row(
                "SELECT id FROM section WHERE idnumber = ?1 AND name = ?1",
                [self.id()],
                |row| row.get(0),
            ),
            Self::User(_) => register.query_row(
                "SELECT id FROM person WHERE idnumber = ?1 AND username = ?1",
                [self.id()],
                |row| row.get(0),
            ),
            Self::Grade { cell, points } => register.query_row(
                "SELECT grade.id FROM grade \
                 JOIN person ON person.id = grade.person \
                 JOIN assessment ON assessment.id = grade.assessment \
                 JOIN grade_history AS newest ON newest.id = \
                      (SELECT max(id) FROM grade_history WHERE grade = grade.id) \
                 WHERE person.idnumber = ?1 AND assessment.idnumber = ?2 \
                   AND grade.points_earned = ?3 AND newest.points_earned = ?3",
                params![
                    student_id(cell / ASSESSMENTS),
                    assessment_id(cell % ASSESSMENTS),
                    f64::from(u32::try_from(points).unwrap())
                ],
                |row| row.get(0),
            ),
        };
        row.optional().unwrap()
    }
}

/// A call as the bytes of an HTTP request.
struct Sealed {
    subject: Subject,
    request: Vec<u8>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject.id())
    }
}

/// How many messages were heard, and how many rows they left behind.
#[derive(Debug)]
struct Ledger {
    heard: i64,
    written: i64,
}

impl Ledger {
    fn read(register: &Database) -> Self {
        // In one statement, so that both are of one moment.
        let counts = register.query_row(
            "SELECT (SELECT count(*) FROM seen_request), (SELECT count(*) FROM section) \
             + (SELECT count(*) FROM person) + (SELECT count(*) FROM grade_history)",
            [],
            |row| {
                Ok(Self {
                    heard: row.get(0)?,
                    written: row.get(1)?,
                })
            },
        );
        counts.unwrap()
    }
}

fn assert_nothing_is_half_done(register: &Database, at_first: &Ledger) {
    let verdict: String = register
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    assert_eq!(
        count(register, "SELECT count(*) FROM pragma_foreign_key_check"),
        0
    );
    let astray = count(
        register,
        "SELECT count(*) FROM grade LEFT JOIN grade_history AS newest ON newest.id = \
              (SELECT max(id) FROM grade_history WHERE grade = grade.id) \
         WHERE newest.points_earned IS NOT grade.points_earned \
            OR newest.excepted IS NOT grade.excepted \
            OR newest.attempt_num IS NOT grade.attempt_num",
    );
    assert_eq!(astray, 0, "grades that are not what their history says");
    // Every call of the load leaves one row: a section, a person, or a line of a grade's history.
    let now = Ledger::read(register);
    assert_eq!(
        now.heard - at_first.heard,
        now.written - at_first.written,
        "messages marked as heard, and what they did: {at_first:?} at first, {now:?} now"
    );
}

fn count(register: &Database, sql: &str) -> i64 {
    register.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The calls of a round on their way, and when the server is killed.
struct Load<'c> {
    calls: &'c [Sealed],
    next: AtomicUsize,
    acknowledged: AtomicUsize,
    kill_at: usize,
}

/// How the calls ended that were sent.
#[derive(Default)]
struct Sent<'c> {
    /// With their answers, still sealed.
    acknowledged: Vec<(&'c Sealed, Vec<u8>)>,
    cut_off: Vec<&'c Sealed>,
}

impl<'c> Load<'c> {
    fn new(calls: &'c [Sealed], kill_at: usize) -> Self {
        Self {
            calls,
            next: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            kill_at,
        }
    }

    fn run(&self, address: SocketAddr, server: &Server) -> Sent<'c> {
        let connections: Vec<_> = (0..SENDERS).map(|_| Connection::open(address)).collect();
        thread::scope(|scope| {
            let senders: Vec<_> = connections
                .into_iter()
                .map(|connection| scope.spawn(|| self.send_until_cut_off(connection, server)))
                .collect();
            let mut sent = Sent::default();
            for sender in senders {
                let some = sender.join().unwrap();
                sent.acknowledged.extend(some.acknowledged);
                sent.cut_off.extend(some.cut_off);
            }
            sent
        })
    }

    /// The sender that has the answer that makes it enough kills the server then and there.
    fn send_until_cut_off(&self, mut connection: Connection, server: &Server) -> Sent<'c> {
        let mut sent = Sent::default();
        loop {
            let place = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(call) = self.calls.get(place) else {
                return sent;
            };
            match connection.send(&call.request) {
                Ok(answer) => {
                    sent.acknowledged.push((call, answer));
                    if self.acknowledged.fetch_add(1, Ordering::SeqCst) + 1 == self.kill_at {
                        server.kill();
                    }
                }
                Err(error) => {
                    let acknowledged = self.acknowledged.load(Ordering::SeqCst);
                    assert!(acknowledged >= self.kill_at, "cut off unkilled: {error}");
                    sent.cut_off.push(call);
                    return sent;
                }
            }
        }
    }
}

/// The served program; killed when dropped.
struct Server {
    process: Mutex<Child>,
}

impl Server {
    fn once_it_listens(mut process: Child) -> Self {
        let log = process.stderr.take().unwrap();
        let server = Self {
            process: Mutex::new(process),
        };
        let (listening, listens) = mpsc::channel();
        thread::spawn(move || follow(log, &listening));
        assert!(
            listens.recv().is_ok(),
            "the server ended before it listened"
        );
        server
    }

    fn kill(&self) {
        self.process.lock().unwrap().kill().unwrap();
    }

    fn has_ended_by_sigkill(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let status = self.process.lock().unwrap().wait().unwrap();
        status.signal() == Some(9) // SIGKILL (signal(7))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(process) = self.process.get_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits for the line that says the server listens, and passes on warnings and errors.
fn follow(log: ChildStderr, listening: &Sender<()>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if line.contains("mnetd is serving") {
            let _ = listening.send(());
        } else if !line.contains(" INFO ") {
            eprintln!("{line}");
        }
    }
}

/// One keep-alive connection.
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a request; the body of its answer, all of it.
    fn send(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.get_mut().write_all(request)?;
        let status = self.line()?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        Ok(body)
    }

    /// A line with its end.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if line.ends_with('\n') {
            Ok(line)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}
