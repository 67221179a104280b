//! What the tests of single sign-on share: two sites that trust each other, and peers that answer what
//! a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use mnetd::keys::Certificate;
use mnetd::peer::Peer;
use mnetd::sso::session::{self, Browser, Live};
use mnetd::sso::{Landing, NewMember, Password, Sso, Token, accounts, user_agent_hash};
use mnetd::store::accounts::AccountRole;
use mnetd::store::sessions::{self, Session, SignedIn};
use mnetd::store::{AccountId, PeerId, PersonId, SessionId, StoreError, people};
use mnetd::xmlrpc::{
    Encoding, Fault, Limits, MethodCall, MethodResponse, Struct, Value, decode_call,
    encode_response,
};
use tokio::net::TcpListener;

use super::site::{NOW, Served, Site, Stranger};

/// A browser.
pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// What every peer of these tests agrees on with a site: everything about single sign-on.
pub const SSO: [(&str, bool, bool); 2] = [("sso_idp", true, true), ("sso_sp", true, true)];

/// What a peer answers: the method and its parameters in, the response out.
type Answers = Box<dyn Fn(&str, &[Value]) -> MethodResponse + Send + Sync>;

/// A method and its parameters.
type Asked = (String, Vec<Value>);

/// A peer that listens, answers what the test wants, and remembers what it was asked.
pub struct Played {
    /// Its name and keys.
    pub stranger: Stranger,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Single sign-on of a site.
pub fn sso(site: &Site) -> Sso {
    Sso::new(
        site.wwwroot.clone(),
        site.store.clone(),
        site.client.clone(),
        site.clock.clone(),
    )
}

/// Two sites that agree on everything about single sign-on.
pub async fn two_sites() -> (Served, Served) {
    let (home, away) = (Site::served().await, Site::served().await);
    introduce(&home.site, &away.site);
    introduce(&away.site, &home.site);
    (home, away)
}

/// Makes `peer` a peer of `site`.
pub fn introduce(site: &Site, peer: &Site) -> PeerId {
    site.register_peer(peer.wwwroot.as_str(), &peer.certificate(), &SSO)
}

/// The browser of these tests.
pub fn firefox() -> Browser {
    Browser {
        user_agent: user_agent_hash(FIREFOX.as_bytes()),
        address: "192.0.2.1".to_owned(),
    }
}

/// A landing in that browser, with what a link holds.
pub fn landing(link: &str) -> Landing {
    let url = url::Url::parse(link).unwrap();
    let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    Landing {
        token: Token::presented(&query["token"]),
        idp: query["idp"].clone(),
        wantsurl: query.get("wantsurl").cloned().unwrap_or_default(),
        remoteurl: query.contains_key("remoteurl"),
        browser: firefox(),
        before: None,
    }
}

/// A landing with a token of `idp`'s.
pub fn token_of(idp: &str, token: &str) -> Landing {
    Landing {
        token: Token::presented(token),
        idp: idp.to_owned(),
        wantsurl: String::new(),
        remoteurl: false,
        browser: firefox(),
        before: None,
    }
}

/// Makes an account.
pub fn account(site: &Site, username: &str, person: Option<PersonId>) -> AccountId {
    let member = NewMember {
        username: username.to_owned(),
        firstname: "Zoë".to_owned(),
        lastname: "Prøbe".to_owned(),
        email: "zoe@example.org".to_owned(),
        role: AccountRole::Member,
        person,
    };
    let hash = Password::typed("four words are long").hash().unwrap();
    site.store
        .write_blocking(move |tx| accounts::add(tx, &member, &hash, NOW))
        .unwrap()
}

/// Signs an account in, in the browser of these tests.
pub fn signed_in(site: &Site, account: AccountId) -> Live {
    let now = site.clock.now();
    let (token, _) = site
        .store
        .write_blocking(move |tx| {
            session::begin(tx, SignedIn::Account { account }, &firefox(), None, now)
        })
        .unwrap();
    alive(site, &token).unwrap()
}

/// Signs a peer's person in, in the browser of these tests, as after a landing.
pub fn person_signed_in(site: &Site, person: PersonId, peer: PeerId) -> Live {
    let now = site.clock.now();
    let (token, _) = site
        .store
        .write_blocking(move |tx| {
            let who = SignedIn::Person { person, peer };
            session::begin(tx, who, &firefox(), None, now)
        })
        .unwrap();
    alive(site, &token).unwrap()
}

/// The session that a token opens, if it lives.
pub fn alive(site: &Site, token: &Token) -> Option<Live> {
    let (now, token) = (site.clock.now(), token.clone());
    site.store
        .read_blocking(|tx| session::find(tx, &token, now))
        .unwrap()
}

/// A session, alive or not.
pub fn stored(site: &Site, id: SessionId) -> Session {
    site.store
        .read_blocking(|tx| sessions::get(tx, id))
        .unwrap()
        .unwrap()
}

/// Gives every person of the register the right to sign in.
pub fn let_all_in(site: &Site) {
    for person in everybody(site) {
        let id = person.id;
        site.store
            .write_blocking(move |tx| people::set_may_sign_in(tx, id, Some(true)))
            .unwrap();
    }
}

/// Everybody in the register.
pub fn everybody(site: &Site) -> Vec<people::Person> {
    let filter = people::PeopleFilter {
        removed: true,
        ..people::PeopleFilter::default()
    };
    let now = site.clock.now();
    let listed = site
        .store
        .read_blocking(|tx| people::list(tx, &filter, now, mnetd::store::Page::default()));
    let listed: Result<_, StoreError> = listed;
    listed
        .unwrap()
        .into_iter()
        .map(|listed| listed.person)
        .collect()
}

/// Takes a user up as a peer's call would.
pub fn take_up(site: &Site, peer: Option<PeerId>, user: Value) -> PersonId {
    use mnetd::register::{Author, Call, apply};
    let author = match peer {
        Some(id) => Author::Peer { id },
        None => Author::Admin {
            name: "office".to_owned(),
        },
    };
    let reply = site
        .store
        .write_blocking(move |tx| {
            let call = Call::parse("fetch_user", &[user])?;
            apply(tx, &author, &call.unwrap(), NOW)
        })
        .unwrap();
    PersonId(reply.id)
}

/// Lets everything that runs in the background end: until `done` holds. A bound, and no sleep for luck:
/// it fails where nothing ever happens.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if done() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen within 10 s");
}

impl Played {
    /// A peer of `site` that agrees on everything about single sign-on and answers as `answers` says;
    /// `system/listMethods` is a fault unless that answers it.
    pub async fn beside(
        site: &Site,
        answers: impl Fn(&str, &[Value]) -> MethodResponse + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stranger = Stranger::new(&format!("http://{}", listener.local_addr().unwrap()));
        site.befriend(&stranger, &SSO);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let played = Self {
            stranger: Stranger {
                wwwroot: stranger.wwwroot.clone(),
                pair: stranger.pair.clone(),
            },
            asked: Arc::clone(&asked),
        };
        let (stranger, ours) = (Arc::new(stranger), site.certificate());
        let clock = site.clock.clone();
        let answers: Arc<Answers> = Arc::new(Box::new(answers));
        let serve = move |body: Bytes| {
            let call = read_call(&stranger, &ours, &body);
            asked
                .lock()
                .unwrap()
                .push((call.method.clone(), call.params.clone()));
            let response = answers(&call.method, &call.params);
            let payload = encode_response(&response, Encoding::Utf8);
            let signed = stranger.sign_payload(&payload, clock.now());
            let sealed = stranger.seal_bytes(signed, &ours);
            std::future::ready(sealed)
        };
        let routes = Router::new().route("/mnet/xmlrpc/server.php", post(serve));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        played
    }

    /// What it was asked by `function`, each with its parameters.
    pub fn asked(&self, function: &str) -> Vec<Vec<Value>> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(method, _)| method.rsplit('/').next() == Some(function))
            .map(|(_, params)| params.clone())
            .collect()
    }

    /// The methods it was asked, in order.
    pub fn methods(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(method, _)| method.clone()).collect()
    }

    /// As the site knows it.
    pub fn peer(&self, site: &Site) -> Peer {
        site.peer(&self.stranger.wwwroot)
    }
}

fn read_call(stranger: &Stranger, signer: &Certificate, body: &[u8]) -> MethodCall {
    let payload = stranger.open_payload(body, signer);
    decode_call(&payload, Encoding::Utf8, &Limits::default())
        .unwrap()
        .message
}

/// A fault.
pub fn fault(code: i32, message: &str) -> MethodResponse {
    MethodResponse::Fault(Fault::new(code, message))
}

/// A success.
pub fn success(value: impl Into<Value>) -> MethodResponse {
    MethodResponse::Success(value.into())
}

/// What a Moodle answers to `user_authorise`, as it was recorded.
pub fn moodles_account(wwwroot: &str, username: &str) -> Struct {
    Struct::new()
        .with("auth", "mnet")
        .with("username", username)
        .with("firstname", "Tommy")
        .with("lastname", "Trackstar")
        .with("email", "ttrackstar@example.org")
        .with("wwwroot", wwwroot)
        .with("session.gc_maxlifetime", "1440")
        .with("myhosts", Vec::new())
}

/// A peer that vouches for `username`, whatever the token.
pub async fn vouching(site: &Site, username: &'static str) -> Played {
    Played::beside(site, move |method, _| {
        match method.rsplit('/').next().unwrap() {
            "user_authorise" => success(
                Struct::new()
                    .with("username", username)
                    .with("firstname", "Tommy")
                    .with("lastname", "Trackstar")
                    .with("email", "ttrackstar@example.org"),
            ),
            "kill_children" => success("Deleting session\n"),
            "kill_child" | "update_enrolments" => success(true),
            "keepalive_server" => success(
                Struct::new()
                    .with("code", 0)
                    .with("message", "All ok")
                    .with("last log id", "0"),
            ),
            _ => fault(7018, "no such method"),
        }
    })
    .await
}
