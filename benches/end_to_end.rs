//! Load on the served program over keep-alive HTTP: `cargo bench --bench end_to_end`.
//!
//! Every request is sealed beforehand and sent once. The RSA ceiling is measured in the same run: an
//! answered call costs two private and two public operations (open, verify, sign, seal), so the cores
//! of this machine can do at most cores ÷ (2 private + 2 public) calls a second, with no time for
//! anything else — and the load comes from the same cores.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mnetd::clock::{Clock, UnixTime};
use mnetd::envelope::{self, Outer};
use mnetd::keys::{Certificate, KeyPair, KeyStore};
use mnetd::store::peers::{self, Application, NewPeer, PeerService, TextDialect};
use mnetd::store::{Store, StoreError};
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_response, encode_call,
};
use openssl::pkey::{PKey, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

/// Connections that send at a time: a Moodle's cron has one, a school's peers together some tens.
const CONNECTIONS: usize = 32;

/// How long the RSA ceiling is measured, before and again after each round.
const CEILING_TIME: Duration = Duration::from_secs(1);

/// A load is sent in so many rounds, each between two measurements of the ceiling: on a shared machine
/// the processor's speed drifts by half within seconds. The median of the rounds counts.
const ROUNDS: usize = 5;

/// How long each load is to last, about.
const LOAD_SECONDS: usize = 4;

/// Students and assessments of the section that the grades are for.
const STUDENTS: usize = 500;
const ASSESSMENTS: usize = 40;

const GRADES_IN_ONE: usize = 100;
const MULTICALLS: usize = 800;

/// One answer in so many is opened and looked at afterwards.
const LOOKED_AT: usize = 50;

fn main() {
    let school = School::new();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("machine: {cores} cores, {}", processor());

    let server = school.serve();
    school.prepare();
    drop(server);
    start_times(&school);

    let server = school.serve();
    let calls = rsa_ceiling(&school.peer, cores) * LOAD_SECONDS;
    println!(
        "ceiling: cores ÷ (2 private + 2 public operations of 2048 bits), measured before and after each of the rounds"
    );

    let requests = school.seal_all(calls, |_| {
        MethodCall::new("system/listServices", Vec::new())
    });
    let run = load(&school, &server, &requests, cores);
    run.report("listServices", &school, Some(0.75));

    let requests = school.seal_all(calls, |number| {
        MethodCall::new("register/new_grade", vec![grade(number)])
    });
    let run = load(&school, &server, &requests, cores);
    run.report("new_grade (durable)", &school, Some(0.65));

    let requests = school.seal_all(MULTICALLS, |number| {
        let entries = (0..GRADES_IN_ONE).map(|place| {
            Struct::new()
                .with("methodName", "register/new_grade")
                .with("params", vec![grade(number * GRADES_IN_ONE + place)])
                .into()
        });
        MethodCall::new("system/multicall", vec![Value::Array(entries.collect())])
    });
    let run = load(&school, &server, &requests, cores);
    run.report("multicall of 100 new_grade", &school, None);
    println!(
        "  {:.0} grades/s (to reach: 10000)",
        run.rate() * GRADES_IN_ONE as f64
    );
}

/// A site with a database and keys in a directory of its own, and a peer that calls it.
struct School {
    directory: tempfile::TempDir,
    address: SocketAddr,
    wwwroot: Wwwroot,
    certificate: Certificate,
    peer: KeyPair,
    peer_wwwroot: Wwwroot,
}

impl School {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let wwwroot = Wwwroot::parse(&format!("http://{address}")).unwrap();
        let peer_wwwroot = Wwwroot::parse("http://moodle.example").unwrap();
        let now = Clock::System.now();
        let keys = KeyStore::open(&directory.path().join("keys"), &wwwroot, now, 28).unwrap();
        let school = Self {
            certificate: keys.ring().current().certificate().clone(),
            peer: KeyPair::generate(&peer_wwwroot, now, 28).unwrap(),
            directory,
            address,
            wwwroot,
            peer_wwwroot,
        };
        school.add_peer(now);
        school
    }

    fn add_peer(&self, now: UnixTime) {
        let store = Store::open(&self.directory.path().join("mnetd.db")).unwrap();
        let wwwroot = self.peer_wwwroot.to_string();
        let pem = self.peer.certificate().pem().to_owned();
        store
            .write_blocking(move |tx| -> Result<(), StoreError> {
                let peer = NewPeer {
                    wwwroot: &wwwroot,
                    name: "Moodle",
                    application: Application::Moodle,
                    certificate: Some(&pem),
                    text_dialect: TextDialect::Utf8,
                };
                let id = peers::insert(tx, &peer, now)?;
                let right = PeerService {
                    service: "register".to_owned(),
                    publish: true,
                    subscribe: false,
                };
                peers::set_service(tx, id, &right)
            })
            .unwrap();
    }

    fn serve(&self) -> Server {
        let process = Command::new(env!("CARGO_BIN_EXE_mnetd"))
            .arg("serve")
            .arg("--data")
            .arg(self.directory.path())
            .args(["--listen", &self.address.to_string()])
            .args(["--wwwroot", self.wwwroot.as_str()])
            .args(["--log", "warn"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { process };
        while TcpStream::connect(self.address).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
        server
    }

    /// Sends the users, the section and the assessments that the grades are for.
    fn prepare(&self) {
        let mut calls = vec![entry(
            "new_section",
            &[("idnumber", "s1"), ("name", "Algebra")],
        )];
        for student in 0..STUDENTS {
            let id = format!("u{student}");
            let user = [
                ("idnumber", id.as_str()),
                ("username", &id),
                ("firstname", "Zoë"),
                ("lastname", "Prøbe"),
                ("email", "zoe@example.org"),
            ];
            calls.push(entry("fetch_user", &user));
            let enrolment = [("sectionid", "s1"), ("userid", &id), ("role", "student")];
            calls.push(entry("new_enrolment", &enrolment));
        }
        for assessment in 0..ASSESSMENTS {
            let id = format!("a{assessment}");
            let assessment = [
                ("sectionid", "s1"),
                ("idnumber", id.as_str()),
                ("name", &id),
                ("pointval", "100"),
            ];
            calls.push(entry("new_assessment", &assessment));
        }
        let multicall = MethodCall::new("system/multicall", vec![Value::Array(calls)]);
        let request = self.request(&self.seal(&multicall));
        let answer = Connection::open(self.address).send(&request);
        let results = self.open(&answer);
        for result in results.as_array().unwrap() {
            assert!(result.as_array().is_some(), "{result:?}");
        }
    }

    fn seal(&self, call: &MethodCall) -> Vec<u8> {
        let payload = encode_call(call, Encoding::Utf8);
        let (wwwroot, now) = (self.peer_wwwroot.as_str(), Clock::System.now());
        let signed = envelope::sign(&payload, wwwroot, now, self.peer.private_key()).unwrap();
        envelope::seal(signed, wwwroot, self.certificate.public_key()).unwrap()
    }

    fn request(&self, body: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "POST /mnet/xmlrpc/server.php HTTP/1.1\r\nHost: {}\r\nUser-Agent: Moodle\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        request
    }

    /// Seals `count` calls, on every core; each as the bytes of an HTTP request.
    fn seal_all(&self, count: usize, make: impl Fn(usize) -> MethodCall + Sync) -> Vec<Vec<u8>> {
        let next = AtomicUsize::new(0);
        let seal_some = || {
            let mut sealed = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return sealed;
                }
                sealed.push(self.request(&self.seal(&make(number))));
            }
        };
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(seal_some)).collect();
            workers
                .into_iter()
                .flat_map(|w| w.join().unwrap())
                .collect()
        })
    }

    /// Opens and verifies an answer; panics on a fault.
    fn open(&self, answer: &[u8]) -> Value {
        let Outer::Encrypted(sealed) = Outer::read(answer).unwrap() else {
            panic!("not sealed: {}", String::from_utf8_lossy(answer));
        };
        let opened = sealed.open(self.peer.private_key()).unwrap();
        let (signed, _) = opened.into_signed().unwrap();
        let verified = signed.verify(self.certificate.public_key()).unwrap();
        let decoded = decode_response(verified.payload(), Encoding::Utf8, &Limits::default());
        match decoded.unwrap().message {
            MethodResponse::Success(value) => value,
            MethodResponse::Fault(fault) => panic!("{fault:?}"),
        }
    }
}

/// One call of a multicall.
fn entry(method: &str, fields: &[(&str, &str)]) -> Value {
    let fields: Struct = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    Struct::new()
        .with("methodName", method)
        .with("params", vec![Value::Struct(fields)])
        .into()
}

/// A grade that differs from the one sent before for the same student and assessment.
fn grade(number: usize) -> Value {
    let cell = number % (STUDENTS * ASSESSMENTS);
    let turn = number / (STUDENTS * ASSESSMENTS);
    Struct::new()
        .with("assessmentid", format!("a{}", cell % ASSESSMENTS))
        .with("userid", format!("u{}", cell / ASSESSMENTS))
        .with("points_earned", format!("{}.5", (number + turn) % 97))
        .with("excepted", "0")
        .with("attempt_num", "1")
        .into()
}

/// The served program; killed when dropped.
struct Server {
    process: Child,
}

impl Server {
    fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.unwrap().split_whitespace().nth(1);
        number.unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
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
        Self {
            stream: BufReader::with_capacity(64 * 1024, stream),
        }
    }

    fn send(&mut self, request: &[u8]) -> Vec<u8> {
        self.stream.get_mut().write_all(request).unwrap();
        let mut status = String::new();
        self.stream.read_line(&mut status).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(status.starts_with("HTTP/1.1 200"), "{status}{text}");
        body
    }
}

/// What a load brought.
struct Run {
    /// Of each round: its calls a second as a part of the ceiling at that time; sorted.
    ratios: Vec<f64>,
    seconds: f64,
    /// Sorted.
    latencies: Vec<Duration>,
    answers: Vec<Vec<u8>>,
    resident_kib: u64,
}

/// Sends every request once, in [`ROUNDS`] rounds over [`CONNECTIONS`] connections.
fn load(school: &School, server: &Server, requests: &[Vec<u8>], cores: usize) -> Run {
    let mut run = Run {
        ratios: Vec::new(),
        seconds: 0.0,
        latencies: Vec::new(),
        answers: Vec::new(),
        resident_kib: 0,
    };
    let in_a_round = requests.len().div_ceil(ROUNDS);
    let mut before = rsa_ceiling(&school.peer, cores);
    for round in requests.chunks(in_a_round) {
        let seconds = send_round(school, server, round, &mut run);
        let after = rsa_ceiling(&school.peer, cores);
        let ceiling = (before + after) as f64 / 2.0;
        run.ratios.push(round.len() as f64 / seconds / ceiling);
        run.seconds += seconds;
        before = after;
    }
    run.ratios.sort_by(f64::total_cmp);
    run.latencies.sort();
    run
}

/// Sends `requests` and adds what came of it to `run`; how many seconds it took.
fn send_round(school: &School, server: &Server, requests: &[Vec<u8>], run: &mut Run) -> f64 {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| send_some(school.address, requests, &next)))
            .collect();
        while next.load(Ordering::Relaxed) < requests.len() {
            run.resident_kib = run.resident_kib.max(server.resident_kib());
            thread::sleep(Duration::from_millis(50));
        }
        for sender in senders {
            let (latencies, answers) = sender.join().unwrap();
            run.latencies.extend(latencies);
            run.answers.extend(answers);
        }
    });
    started.elapsed().as_secs_f64()
}

fn send_some(
    address: SocketAddr,
    requests: &[Vec<u8>],
    next: &AtomicUsize,
) -> (Vec<Duration>, Vec<Vec<u8>>) {
    let mut connection = Connection::open(address);
    let (mut latencies, mut answers) = (Vec::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(number) else {
            return (latencies, answers);
        };
        let sent = Instant::now();
        let answer = connection.send(request);
        latencies.push(sent.elapsed());
        if number.is_multiple_of(LOOKED_AT) {
            answers.push(answer);
        }
    }
}

impl Run {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    fn percentile(&self, percent: usize) -> f64 {
        let place = (self.latencies.len() - 1) * percent / 100;
        self.latencies[place].as_secs_f64() * 1e3
    }

    fn report(&self, name: &str, school: &School, to_reach: Option<f64>) {
        for answer in &self.answers {
            school.open(answer);
        }
        println!(
            "{name}: {} calls, {:.0} calls/s, p50 {:.1} ms, p99 {:.1} ms, resident {:.1} MB (to stay below: 48)",
            self.latencies.len(),
            self.rate(),
            self.percentile(50),
            self.percentile(99),
            self.resident_kib as f64 * 1024.0 / 1e6,
        );
        let to_reach = to_reach.map_or_else(String::new, |ratio| format!(" (to reach: {ratio})"));
        println!(
            "  {:.2} of the RSA ceiling, the median of rounds from {:.2} to {:.2}{to_reach}",
            self.ratios[self.ratios.len() / 2],
            self.ratios[0],
            self.ratios[self.ratios.len() - 1]
        );
    }
}

/// Calls a second whose RSA operations alone keep every core busy.
fn rsa_ceiling(pair: &KeyPair, cores: usize) -> usize {
    let private = PKey::private_key_from_pem(pair.to_pem().unwrap().as_bytes()).unwrap();
    let public = PKey::public_key_from_pem(&private.public_key_to_pem().unwrap()).unwrap();
    let started = Instant::now();
    let work = || {
        let mut calls = 0;
        while started.elapsed() < CEILING_TIME {
            operations_of_a_call(&private, &public);
            calls += 1;
        }
        calls
    };
    let calls: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|w| w.join().unwrap()).sum()
    });
    calls / usize::try_from(CEILING_TIME.as_secs()).unwrap()
}

fn operations_of_a_call(private: &PKey<Private>, public: &PKey<Public>) {
    let (digest, session_key) = ([7; 20], [9; 16]);
    let (mut signature, mut sealed, mut opened) = (Vec::new(), Vec::new(), Vec::new());

    let mut sign = PkeyCtx::new(private).unwrap();
    sign.sign_init().unwrap();
    sign.set_rsa_padding(Padding::PKCS1).unwrap();
    sign.set_signature_md(openssl::md::Md::sha1()).unwrap();
    sign.sign_to_vec(&digest, &mut signature).unwrap();

    let mut verify = PkeyCtx::new(public).unwrap();
    verify.verify_init().unwrap();
    verify.set_rsa_padding(Padding::PKCS1).unwrap();
    verify.set_signature_md(openssl::md::Md::sha1()).unwrap();
    assert!(verify.verify(&digest, &signature).unwrap());

    let mut encrypt = PkeyCtx::new(public).unwrap();
    encrypt.encrypt_init().unwrap();
    encrypt.set_rsa_padding(Padding::PKCS1).unwrap();
    encrypt.encrypt_to_vec(&session_key, &mut sealed).unwrap();

    let mut decrypt = PkeyCtx::new(private).unwrap();
    decrypt.decrypt_init().unwrap();
    decrypt.set_rsa_padding(Padding::PKCS1).unwrap();
    decrypt.decrypt_to_vec(&sealed, &mut opened).unwrap();
    assert_eq!(opened, session_key);
}

/// From the start of the process to the first sealed answer, keys and database present.
fn start_times(school: &School) {
    let mut times: Vec<f64> = (0..10)
        .map(|_| {
            let sealed = school.seal(&MethodCall::new("system/listServices", Vec::new()));
            let request = school.request(&sealed);
            let started = Instant::now();
            let server = school.serve();
            let answer = Connection::open(school.address).send(&request);
            let elapsed = started.elapsed();
            school.open(&answer);
            drop(server);
            elapsed.as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "start to first answer, keys present: median {:.0} ms, worst of 10 {:.0} ms (to stay below: 150)",
        times[5], times[9]
    );
}

fn processor() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    information
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or_else(
            || "unknown processor".to_owned(),
            |name| name.trim_start_matches(['\t', ' ', ':']).to_owned(),
        )
}
