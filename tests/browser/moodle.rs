//! Moodle's part, as far as the console has to do with it: a site that listens, answers sealed calls, tells
//! the register, and has the pages between which a browser jumps.
#![allow(dead_code, reason = "the kit is there before every test that uses it")]

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use mnetd::clock::{Clock, UnixTime};
use mnetd::keys::{Certificate, KeyPair};
use mnetd::store::peers::{self, Application, NewPeer, PeerService, TextDialect};
use mnetd::store::{Store, StoreError};
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{
    Encoding, Fault, Limits, MethodCall, MethodResponse, Struct, Value, decode_call,
    encode_response,
};
use sha1::{Digest, Sha1};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::support::http::{self, RPC_PATH};
use crate::support::program::{Program, Running};
use crate::support::site::{self, Answer, Stranger, fields};

/// Where a Moodle takes people who come from a peer, and where it sends them from.
const LAND: &str = "/auth/mnet/land.php";
const JUMP: &str = "/auth/mnet/jump.php";

/// How long our certificates last, in days: Moodle's default.
const KEY_LIFETIME: u32 = 28;

/// Everything a Moodle may do with us and we with it: (service, publish, subscribe).
pub const ALL_SERVICES: [(&str, bool, bool); 4] = [
    ("register", true, true),
    ("sso_idp", true, true),
    ("sso_sp", true, true),
    ("mnet_enrol", true, true),
];

/// A Moodle; it stops when this is dropped.
pub struct Moodle {
    site: Arc<Site>,
    mnetd: SocketAddr,
    /// mnetd's.
    directory: PathBuf,
    runtime: Runtime,
}

/// Who is signed in at this Moodle and jumps from it.
pub type User = BTreeMap<&'static str, &'static str>;

struct Site {
    stranger: Stranger,
    title: String,
    mnetd: String,
    certificate: Certificate,
    /// Who is signed in here.
    user: Mutex<Option<User>>,
    /// Tokens handed out, each with the SHA-1 of the user agent it was handed to.
    tokens: Mutex<HashMap<String, String>>,
    /// Usernames of mnetd's in the course that is offered to it.
    enrolled: Mutex<Vec<Value>>,
    calls: Mutex<Vec<(String, Vec<Value>)>>,
}

impl Moodle {
    /// A Moodle that mnetd has as a peer already, with every service both ways.
    pub fn known_to(program: &Program, running: &Running, title: &str) -> Self {
        let moodle = Self::start(program, running, title);
        let (wwwroot, certificate) = (
            moodle.wwwroot().to_owned(),
            moodle.site.stranger.pair.certificate().pem().to_owned(),
        );
        let title = title.to_owned();
        Store::open(&program.directory().join("mnetd.db"))
            .unwrap()
            .write_blocking(move |tx| -> Result<(), StoreError> {
                let peer = NewPeer {
                    wwwroot: &wwwroot,
                    name: &title,
                    application: Application::Moodle,
                    certificate: Some(&certificate),
                    text_dialect: TextDialect::Utf8,
                };
                let id = peers::register(tx, &peer, now())?;
                for (service, publish, subscribe) in ALL_SERVICES {
                    let service = PeerService {
                        service: service.to_owned(),
                        publish,
                        subscribe,
                    };
                    peers::set_service(tx, id, &service)?;
                }
                Ok(())
            })
            .unwrap();
        moodle
    }

    /// A Moodle that mnetd knows nothing of yet.
    pub fn start(program: &Program, running: &Running, title: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let wwwroot = format!("http://{}", listener.local_addr().unwrap());
        let wwwroot = Wwwroot::parse(&wwwroot).unwrap();
        let pair = KeyPair::generate(&wwwroot, now(), KEY_LIFETIME).unwrap();
        let site = Arc::new(Site {
            stranger: Stranger { wwwroot, pair },
            title: title.to_owned(),
            mnetd: running.wwwroot(),
            certificate: running.certificate(),
            user: Mutex::new(None),
            tokens: Mutex::default(),
            enrolled: Mutex::default(),
            calls: Mutex::default(),
        });
        let routes = Router::new()
            .route("/", get(front))
            .route("/mnet/publickey.php", get(certificate))
            .route(RPC_PATH, post(called))
            .route(LAND, get(landed))
            .route(JUMP, get(jumped))
            .with_state(Arc::clone(&site));
        runtime.spawn(async { axum::serve(listener, routes).await });
        Self {
            site,
            mnetd: running.address,
            directory: program.directory().to_owned(),
            runtime,
        }
    }

    /// Its address.
    pub fn wwwroot(&self) -> &str {
        self.site.stranger.wwwroot.as_str()
    }

    /// Its certificate's fingerprint, as an administrator compares it.
    pub fn fingerprint(&self) -> String {
        self.site
            .stranger
            .pair
            .certificate()
            .fingerprint()
            .to_string()
    }

    /// Its page from which its user jumps to mnetd.
    pub fn jump(&self) -> String {
        let to: String = url::form_urlencoded::byte_serialize(self.site.mnetd.as_bytes()).collect();
        format!("{}{JUMP}?hostwwwroot={to}", self.wwwroot())
    }

    /// Signs a user in here.
    pub fn sign_in(&self, user: &[(&'static str, &'static str)]) {
        *self.site.user.lock().unwrap() = Some(user.iter().copied().collect());
    }

    /// Sends mnetd a call, signed and sealed, and opens the answer.
    pub fn call(&self, method: &str, params: Vec<Value>) -> Answer {
        self.runtime
            .block_on(self.site.call(self.mnetd, method, params))
    }

    /// Tells the register something that it has to take, and returns its answer.
    pub fn tell(&self, method: &str, members: &[(&str, &str)]) -> Value {
        let answer = self.call(&format!("register/{method}"), vec![fields(members)]);
        answer.value().clone()
    }

    /// Tells the register many things in one message, each of which it has to take.
    pub fn tell_all(&self, calls: &[(&str, Value)]) {
        let answer = self.call("system/multicall", vec![together(calls)]);
        assert_all_taken(&answer, calls.len());
    }

    /// As [`Moodle::tell_all`], but it was told, and written down, at another moment.
    pub fn told_at(&self, moment: UnixTime, calls: &[(&str, Value)]) {
        let site = site::Site::beside(&self.directory, &self.site.mnetd, moment);
        let params = vec![together(calls)];
        let stranger = &self.site.stranger;
        let answer = self
            .runtime
            .block_on(site.call(stranger, "system/multicall", params));
        assert_all_taken(&answer, calls.len());
    }

    /// The parameters of each call of a method that mnetd has made, by the last part of its path.
    pub fn heard(&self, function: &str) -> Vec<Vec<Value>> {
        let calls = self.site.calls.lock().unwrap();
        calls
            .iter()
            .filter(|(method, _)| method.rsplit('/').next() == Some(function))
            .map(|(_, params)| params.clone())
            .collect()
    }
}

impl Site {
    async fn call(&self, mnetd: SocketAddr, method: &str, params: Vec<Value>) -> Answer {
        let call = MethodCall::new(method, params);
        let message = self.stranger.seal(&call, &self.certificate, now());
        let reply = http::exchange(mnetd, http::post(&message)).await.unwrap();
        let reply = reply.expect("mnetd closed without an answer");
        assert_eq!(reply.status, 200, "{}", reply.head);
        self.stranger.open(&reply.body, &self.certificate)
    }

    fn answer(&self, call: &MethodCall) -> MethodResponse {
        self.calls
            .lock()
            .unwrap()
            .push((call.method.clone(), call.params.clone()));
        let function = call.method.rsplit(['/', '.']).next().unwrap_or_default();
        MethodResponse::Success(match function {
            "listServices" => ALL_SERVICES.iter().map(listed).collect::<Vec<_>>().into(),
            "listMethods" => METHODS
                .iter()
                .map(|method| Value::from(*method))
                .collect::<Vec<_>>()
                .into(),
            "user_authorise" => return self.authorise(&call.params),
            "keepalive_server" | "keepalive_client" | "kill_children" | "kill_child"
            | "update_enrolments" | "refresh_log" => Value::from("done"),
            "fetch_user_image" | "fetch_theme_info" => Value::Array(Vec::new()),
            "available_courses" => Value::Array(vec![fields(&COURSE)]),
            "enrol_user" => self.enrol(&call.params),
            "unenrol_user" => {
                let username = call.params[0].clone();
                self.enrolled
                    .lock()
                    .unwrap()
                    .retain(|user| *user != username);
                Value::Boolean(true)
            }
            "course_enrolments" => {
                let enrolled = self.enrolled.lock().unwrap();
                Value::Array(enrolled.iter().map(enrolled_user).collect())
            }
            _ => return fault(7012, "The function does not exist"),
        })
    }

    fn enrol(&self, params: &[Value]) -> Value {
        let username = params[0].get("username").unwrap().clone();
        self.enrolled.lock().unwrap().push(username);
        Value::Boolean(true)
    }

    fn authorise(&self, params: &[Value]) -> MethodResponse {
        let [Value::String(token), Value::String(agent)] = params else {
            return fault(1, "No session exists with the specified token");
        };
        let handed = self.tokens.lock().unwrap().remove(token);
        let user = self.user.lock().unwrap().clone();
        let (Some(handed), Some(user)) = (handed, user) else {
            return fault(1, "No session exists with the specified token");
        };
        if handed != *agent {
            return fault(3, "The user agent is another one");
        }
        let mut answer: Struct = user
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect();
        answer.insert("auth", "manual");
        answer.insert("wwwroot", self.stranger.wwwroot.as_str());
        answer.insert("session.gc_maxlifetime", "1440");
        answer.insert("myhosts", Value::Array(Vec::new()));
        MethodResponse::Success(answer.into())
    }
}

/// The methods this Moodle answers.
const METHODS: [&str; 16] = [
    "auth/mnet/auth.php/user_authorise",
    "auth/mnet/auth.php/keepalive_server",
    "auth/mnet/auth.php/kill_children",
    "auth/mnet/auth.php/refresh_log",
    "auth/mnet/auth.php/fetch_user_image",
    "auth/mnet/auth.php/fetch_theme_info",
    "auth/mnet/auth.php/update_enrolments",
    "auth/mnet/auth.php/keepalive_client",
    "auth/mnet/auth.php/kill_child",
    "enrol/mnet/enrol.php/available_courses",
    "enrol/mnet/enrol.php/enrol_user",
    "enrol/mnet/enrol.php/unenrol_user",
    "enrol/mnet/enrol.php/course_enrolments",
    "system/listMethods",
    "system/listServices",
    "system/keyswap",
];

/// The course this Moodle offers to mnetd's users.
const COURSE: [(&str, &str); 8] = [
    ("remoteid", "7"),
    ("fullname", "Latin for beginners"),
    ("shortname", "LAT1"),
    ("idnumber", "LAT-1"),
    ("summary", ""),
    ("cat_name", "Languages"),
    ("startdate", "1787529600"),
    ("rolename", "Student"),
];

fn together(calls: &[(&str, Value)]) -> Value {
    let calls = calls.iter().map(|(method, argument)| {
        Struct::new()
            .with("methodName", format!("register/{method}"))
            .with("params", Value::Array(vec![argument.clone()]))
            .into()
    });
    Value::Array(calls.collect())
}

fn assert_all_taken(answer: &Answer, count: usize) {
    let answers = answer.value().as_array().unwrap();
    assert_eq!(answers.len(), count);
    for (number, answer) in answers.iter().enumerate() {
        assert!(answer.get("faultCode").is_none(), "{number}: {answer:?}");
    }
}

async fn front(State(site): State<Arc<Site>>) -> Html<String> {
    Html(format!(
        "<!DOCTYPE html><title>{0}</title><h1>{0}</h1><p>Nobody in particular is greeted.",
        site.title
    ))
}

async fn certificate(State(site): State<Arc<Site>>) -> String {
    site.stranger.pair.certificate().pem().to_owned()
}

async fn called(State(site): State<Arc<Site>>, message: Bytes) -> Vec<u8> {
    // Certificate against certificate goes in the clear.
    if let Ok(call) = decode_call(&message, Encoding::Utf8, &Limits::default()) {
        assert_eq!(call.message.method, "system/keyswap");
        let pem = Value::from(site.stranger.pair.certificate().pem());
        return encode_response(&MethodResponse::Success(pem), Encoding::Utf8);
    }
    let payload = site.stranger.open_payload(&message, &site.certificate);
    let call = decode_call(&payload, Encoding::Utf8, &Limits::default()).unwrap();
    let answer = encode_response(&site.answer(&call.message), Encoding::Utf8);
    let signed = site.stranger.sign_payload(&answer, now());
    site.stranger.seal_bytes(signed, &site.certificate)
}

/// The jump page of an identity provider: a token for the user who is signed in here.
async fn jumped(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> impl IntoResponse {
    let query = parameters(query);
    assert_eq!(query.get("hostwwwroot"), Some(&site.mnetd));
    let token = hex::encode(rand::random::<[u8; 20]>());
    let mut tokens = site.tokens.lock().unwrap();
    tokens.insert(token.clone(), agent_of(&headers));
    let target = url::Url::parse_with_params(
        &format!("{}{LAND}", site.mnetd),
        [
            ("token", token.as_str()),
            ("idp", site.stranger.wwwroot.as_str()),
            ("wantsurl", query.get("wantsurl").map_or("", String::as_str)),
        ],
    )
    .unwrap();
    Redirect::to(target.as_str())
}

/// The land page of a service provider: asks who comes, and greets.
async fn landed(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Html<String> {
    let query = parameters(query);
    assert_eq!(query.get("idp"), Some(&site.mnetd));
    let params = vec![
        Value::from(query["token"].as_str()),
        Value::from(agent_of(&headers)),
    ];
    let address = site.mnetd.strip_prefix("http://").unwrap().parse().unwrap();
    let answer = site
        .call(address, "auth/mnet/auth.php/user_authorise", params)
        .await;
    let user = answer.value();
    let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or("?");
    Html(format!(
        "<!DOCTYPE html><title>{0}</title><h1>{0}</h1><p>Welcome, {1} {2} ({3}, {4})",
        site.title,
        text("firstname"),
        text("lastname"),
        text("username"),
        text("email"),
    ))
}

fn parameters(query: Option<String>) -> HashMap<String, String> {
    let query = query.unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

fn agent_of(headers: &HeaderMap) -> String {
    let agent = headers
        .get(header::USER_AGENT)
        .map_or(&[][..], |value| value.as_bytes());
    hex::encode(Sha1::digest(agent))
}

fn enrolled_user(username: &Value) -> Value {
    Struct::new()
        .with("username", username.clone())
        .with("enrol", "mnet")
        .with("shortname", "student")
        .with("name", "")
        .with("timemodified", "1787529600")
        .into()
}

fn listed((service, publish, subscribe): &(&str, bool, bool)) -> Value {
    Struct::new()
        .with("name", *service)
        .with("apiversion", 1)
        .with("publish", i32::from(*publish))
        .with("subscribe", i32::from(*subscribe))
        .into()
}

fn fault(code: i32, message: &str) -> MethodResponse {
    MethodResponse::Fault(Fault::new(code, message))
}

fn now() -> UnixTime {
    Clock::System.now()
}
