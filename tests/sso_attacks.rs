//! What a browser, a peer or both may try against single sign-on, and that nothing comes of it.

mod support;

use mnetd::sso::{LandError, MAX_LANDINGS, MAX_LANDINGS_OF_A_PEER, Token, user_agent_hash};
use mnetd::store::peer_courses::{self, PeerCourseEnrolmentFilter};
use mnetd::store::peers::{self, PeerService};
use mnetd::store::{people, sign_on};
use mnetd::xmlrpc::{Struct, Value};
use support::site::{Answer, NOW, Site, Stranger, fields};
use support::sso::{
    Played, SSO, account, alive, everybody, fault, firefox, introduce, landing, let_all_in,
    moodles_account, signed_in, sso, stored, success, take_up, token_of, two_sites, until,
    vouching,
};

const TOKEN: &str = "3641aaca182eaa7c3cdd74935267447af5d0de7b";

fn record(username: &str) -> Value {
    fields(&[
        ("username", username),
        ("firstname", "Real"),
        ("lastname", "Owner"),
        ("email", "owner@example.org"),
    ])
}

/// A site with an account that is signed in, and two peers of it.
struct Attacked {
    site: Site,
    live: mnetd::sso::session::Live,
    used: Stranger,
    other: Stranger,
}

impl Attacked {
    fn new() -> Self {
        let site = Site::new("https://register.example");
        let used = Stranger::new("https://used.example");
        let other = Stranger::new("https://other.example");
        site.befriend(&used, &SSO);
        site.befriend(&other, &SSO);
        let live = signed_in(&site, account(&site, "zoe", None));
        Self {
            site,
            live,
            used,
            other,
        }
    }

    async fn token(&self) -> String {
        let to = self.site.peer(&self.used.wwwroot);
        let link = sso(&self.site)
            .jump(&self.live, firefox(), &to, "/")
            .await
            .unwrap();
        landing(&link).token.reveal().to_owned()
    }

    async fn authorise(&self, by: &Stranger, token: &str, user_agent: &str) -> Answer {
        let params = vec![token.into(), user_agent.into()];
        self.tell(by, "user_authorise", params).await
    }

    async fn tell(&self, by: &Stranger, function: &str, params: Vec<Value>) -> Answer {
        let method = format!("auth/mnet/auth.php/{function}");
        self.site.call(by, &method, params).await
    }

    /// The session is used at the peer `used`, and nowhere else.
    async fn use_there(&self) {
        let token = self.token().await;
        let hash = firefox().user_agent;
        self.authorise(&self.used, &token, &hash).await.value();
    }

    fn is_alive(&self) -> bool {
        stored(&self.site, self.live.session.id).ended_at.is_none()
    }
}

#[tokio::test]
async fn a_token_of_ours_is_told_about_once() {
    let attacked = Attacked::new();
    let (token, hash) = (attacked.token().await, firefox().user_agent);
    attacked
        .authorise(&attacked.used, &token, &hash)
        .await
        .value();
    for _ in 0..2 {
        let again = attacked.authorise(&attacked.used, &token, &hash).await;
        assert_eq!(again.fault(), 1);
    }
}

#[tokio::test]
async fn of_many_questions_at_once_one_is_answered() {
    let attacked = Attacked::new();
    let (token, hash) = (attacked.token().await, firefox().user_agent);
    let ask = || attacked.authorise(&attacked.used, &token, &hash);
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let told = answers
        .iter()
        .filter(|answer| matches!(answer.response, mnetd::xmlrpc::MethodResponse::Success(_)));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn a_token_of_ours_is_of_no_use_to_another_peer() {
    let attacked = Attacked::new();
    let (token, hash) = (attacked.token().await, firefox().user_agent);
    let stolen = attacked.authorise(&attacked.other, &token, &hash).await;
    assert_eq!(stolen.fault(), 1);
    // Nor does the attempt take it from the peer it is for.
    attacked
        .authorise(&attacked.used, &token, &hash)
        .await
        .value();
}

#[tokio::test]
async fn a_token_of_ours_is_of_no_use_in_another_browser() {
    let attacked = Attacked::new();
    let token = attacked.token().await;
    let other = user_agent_hash(b"curl/8");
    let refused = attacked.authorise(&attacked.used, &token, &other).await;
    assert_eq!(refused.fault(), 1);
    // And trying browsers one after the other is over after the first.
    let hash = firefox().user_agent;
    let refused = attacked.authorise(&attacked.used, &token, &hash).await;
    assert_eq!(refused.fault(), 1);
}

#[tokio::test]
async fn an_invented_token_says_nothing() {
    let attacked = Attacked::new();
    let hash = firefox().user_agent;
    for token in [TOKEN, "", "' OR 1=1 --"] {
        let refused = attacked.authorise(&attacked.used, token, &hash).await;
        assert!(matches!(refused.fault(), 1 | 8002), "{token}");
    }
}

#[tokio::test]
async fn a_token_is_not_kept_in_the_clear() {
    let attacked = Attacked::new();
    let token = Token::presented(&attacked.token().await);
    let found = |hash: [u8; 32]| {
        attacked
            .site
            .store
            .read_blocking(|tx| sign_on::find_jump(tx, &hash))
            .unwrap()
    };
    assert!(found(token.hash()).is_some());
    let bytes = std::fs::read(attacked.site.store.path()).unwrap();
    let wal = attacked.site.store.path().with_extension("db-wal");
    let wal = std::fs::read(wal).unwrap_or_default();
    for file in [bytes, wal] {
        let needle = token.reveal().as_bytes();
        assert!(!file.windows(needle.len()).any(|window| window == needle));
    }
}

#[tokio::test]
async fn a_link_is_good_once_whatever_the_peer_says() {
    let site = Site::new("https://register.example");
    let careless = vouching(&site, "tom").await;
    take_up(&site, Some(careless.peer(&site).id), record("tom"));
    let_all_in(&site);
    let idp = careless.stranger.wwwroot.to_string();
    sso(&site).land(token_of(&idp, TOKEN)).await.unwrap();
    let again = sso(&site).land(token_of(&idp, TOKEN)).await;
    assert!(matches!(again, Err(LandError::Used(_))));
    assert_eq!(careless.asked("user_authorise").len(), 1);
    // After an hour it is forgotten here; a peer that still confirms it has itself to blame.
    site.clock.advance(3_601);
    sso(&site).keep_alive().await;
    sso(&site).land(token_of(&idp, TOKEN)).await.unwrap();
}

#[tokio::test]
async fn a_link_loaded_twice_at_once_begins_one_session() {
    let site = Site::new("https://register.example");
    let careless = vouching(&site, "tom").await;
    take_up(&site, Some(careless.peer(&site).id), record("tom"));
    let_all_in(&site);
    let idp = careless.stranger.wwwroot.to_string();
    let sso = sso(&site);
    let (one, two) = tokio::join!(
        sso.land(token_of(&idp, TOKEN)),
        sso.land(token_of(&idp, TOKEN))
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(careless.asked("user_authorise").len(), 1);
}

#[tokio::test]
async fn a_token_that_failed_is_used_up_as_well() {
    let site = Site::new("https://register.example");
    let peer = Played::beside(&site, |_, _| fault(2, "too late")).await;
    let idp = peer.stranger.wwwroot.to_string();
    let first = sso(&site).land(token_of(&idp, TOKEN)).await;
    assert!(matches!(first, Err(LandError::NotConfirmed { .. })));
    let again = sso(&site).land(token_of(&idp, TOKEN)).await;
    assert!(matches!(again, Err(LandError::Used(_))));
}

#[tokio::test]
async fn what_no_peer_hands_out_asks_no_peer() {
    let site = Site::new("https://register.example");
    let peer = vouching(&site, "tom").await;
    let idp = peer.stranger.wwwroot.to_string();
    for token in [
        "",
        "short",
        "with a space in it",
        &"a".repeat(129),
        "../../../etc",
    ] {
        let refused = sso(&site).land(token_of(&idp, token)).await;
        assert!(matches!(refused, Err(LandError::Token)), "{token}");
    }
    assert!(peer.methods().is_empty());
}

/// Peers that take connections and answer nothing.
async fn silent_peers(site: &Site, count: usize) -> (tokio::net::TcpListener, Vec<Stranger>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peers = (0..count)
        .map(|number| Stranger::new(&format!("http://{address}/{number}")))
        .inspect(|peer| {
            site.befriend(peer, &SSO);
        });
    let peers = peers.collect();
    (listener, peers)
}

#[tokio::test]
async fn no_more_landings_are_under_way_than_there_are_places() {
    let site = Site::new("https://register.example");
    let count = MAX_LANDINGS / MAX_LANDINGS_OF_A_PEER;
    let (_listener, silent) = silent_peers(&site, count + 1).await;
    let mut landings = tokio::task::JoinSet::new();
    let sso = sso(&site);
    for (number, peer) in silent.iter().enumerate() {
        for place in 0..MAX_LANDINGS_OF_A_PEER {
            if number == count && place > 0 {
                break;
            }
            let token = format!("token-number-{number}-{place}");
            let landing = token_of(peer.wwwroot.as_str(), &token);
            let sso = sso.clone();
            landings.spawn(async move { sso.land(landing).await });
        }
    }
    let first = landings.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(LandError::Busy)));
    assert_eq!(landings.len(), MAX_LANDINGS);
}

#[tokio::test]
async fn a_peer_that_hangs_keeps_nobody_of_other_peers_out_and_is_given_up() {
    let site = Site::new("https://register.example");
    let vouching = vouching(&site, "tom").await;
    let (_listener, silent) = silent_peers(&site, 1).await;
    let mut landings = tokio::task::JoinSet::new();
    let sso = sso(&site);
    for number in 0..=MAX_LANDINGS {
        let token = format!("token-number-{number}");
        let landing = token_of(silent[0].wwwroot.as_str(), &token);
        let sso = sso.clone();
        landings.spawn(async move { sso.land(landing).await });
    }
    // One by one those that got no place of that peer give up, and leave room all the while.
    let first = landings.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(LandError::Busy)));
    let landed = sso
        .land(token_of(vouching.stranger.wwwroot.as_str(), TOKEN))
        .await;
    assert!(matches!(landed, Err(LandError::NotPermitted { .. })));
    let mut given_up = 0;
    while let Some(landed) = landings.join_next().await {
        match landed.unwrap() {
            Err(LandError::Silent(_)) => given_up += 1,
            landed => assert!(matches!(landed, Err(LandError::Busy)), "{landed:?}"),
        }
    }
    assert_eq!(given_up, MAX_LANDINGS_OF_A_PEER);
}

#[tokio::test]
async fn a_link_of_one_browser_is_of_no_use_in_another() {
    let (home, away) = two_sites().await;
    let live = signed_in(&home.site, account(&home.site, "zoe", None));
    let to = home.site.peer(&away.site.wwwroot);
    let link = sso(&home.site)
        .jump(&live, firefox(), &to, "/")
        .await
        .unwrap();
    let mut stolen = landing(&link);
    stolen.browser.user_agent = user_agent_hash(b"the thief's");
    let refused = sso(&away.site).land(stolen).await;
    assert!(matches!(
        refused,
        Err(LandError::NotConfirmed { code: 1, .. })
    ));
    assert!(everybody(&away.site).is_empty());
}

#[tokio::test]
async fn a_link_to_one_site_is_of_no_use_at_another() {
    let (home, away) = two_sites().await;
    let third = Site::served().await;
    introduce(&home.site, &third.site);
    introduce(&third.site, &home.site);
    let live = signed_in(&home.site, account(&home.site, "zoe", None));
    let to = home.site.peer(&away.site.wwwroot);
    let link = sso(&home.site)
        .jump(&live, firefox(), &to, "/")
        .await
        .unwrap();
    // The site it was made for takes it to a third one, in the name of its visitor.
    let refused = sso(&third.site).land(landing(&link)).await;
    assert!(matches!(
        refused,
        Err(LandError::NotConfirmed { code: 1, .. })
    ));
}

#[tokio::test]
async fn no_name_a_peer_sends_takes_somebody_elses_row() {
    let site = Site::new("https://register.example");
    let honest = Stranger::new("https://honest.example");
    let honest_id = site.befriend(&honest, &SSO);
    let by_hand = take_up(&site, None, record("principal"));
    let theirs = take_up(&site, Some(honest_id), record("tom"));
    let theirs_with_id = take_up(
        &site,
        Some(honest_id),
        fields(&[
            ("idnumber", "L-1"),
            ("username", "ann"),
            ("firstname", "Real"),
            ("lastname", "Owner"),
            ("email", "owner@example.org"),
        ]),
    );
    account(&site, "principal", Some(by_hand));
    let before = everybody(&site);
    for (username, idnumber) in [
        ("principal", ""),
        ("PRINCIPAL", ""),
        ("tom", ""),
        ("Tom", ""),
        ("ann", "L-1"),
        ("somebody", "L-1"),
    ] {
        let site = &site;
        let evil = Played::beside(site, move |method, _| match method {
            "auth/mnet/auth.php/user_authorise" => {
                success(moodles_account("", username).with("idnumber", idnumber))
            }
            _ => fault(7018, "no such method"),
        })
        .await;
        let idp = evil.stranger.wwwroot.to_string();
        let refused = sso(site).land(token_of(&idp, "token-number-one")).await;
        let Err(LandError::NotPermitted { person, .. }) = refused else {
            panic!("{username} was let in");
        };
        assert_eq!(person.peer, Some(evil.peer(site).id), "{username}");
        assert!(
            person.fields.username.to_lowercase() != username.to_lowercase()
                || username == "somebody"
        );
        assert_eq!(person.may_sign_in, None);
        // With the right, it is the new person who is signed in.
        let id = person.id;
        site.store
            .write_blocking(move |tx| people::set_may_sign_in(tx, id, Some(true)))
            .unwrap();
        let landed = sso(site).land(token_of(&idp, "token-number-two")).await;
        let live = alive(site, &landed.unwrap().token).unwrap();
        assert_eq!(live.user.username(), person.fields.username);
    }
    for person in before {
        let now = site
            .store
            .read_blocking(|tx| people::get(tx, person.id))
            .unwrap();
        assert_eq!(now, Some(person));
    }
    assert!([by_hand, theirs, theirs_with_id].iter().all(|id| id.0 > 0));
}

#[tokio::test]
async fn an_answer_that_is_no_account_makes_nobody() {
    let long = "x".repeat(2_000);
    let without = |name: &str| {
        let mut account = moodles_account("", "tom");
        account.remove(name);
        Value::from(account)
    };
    let with = |name: &str, value: Value| Value::from(moodles_account("", "tom").with(name, value));
    for (answer, what) in [
        (Value::Nil, "nothing"),
        (false.into(), "false"),
        ("tom".into(), "a text"),
        (Value::Array(Vec::new()), "an empty array"),
        (Struct::new().into(), "an empty struct"),
        (without("username"), "no username"),
        (without("firstname"), "no first name"),
        (without("lastname"), "no last name"),
        (without("email"), "no e-mail address"),
        (with("username", "".into()), "an empty username"),
        (with("username", long.as_str().into()), "a long username"),
        (with("username", "a\nb".into()), "a username of two lines"),
        (with("firstname", long.as_str().into()), "a long first name"),
        (with("email", long.as_str().into()), "a long address"),
        (with("idnumber", long.as_str().into()), "a long id"),
        (
            with("lastname", Value::Array(vec![1.into()])),
            "a list for a name",
        ),
        (
            with("wwwroot", "https://other.example".into()),
            "another site",
        ),
    ] {
        let site = Site::new("https://register.example");
        let peer = Played::beside(&site, move |method, _| match method {
            "auth/mnet/auth.php/user_authorise" => success(answer.clone()),
            _ => fault(7018, "no such method"),
        })
        .await;
        let idp = peer.stranger.wwwroot.to_string();
        let refused = sso(&site).land(token_of(&idp, TOKEN)).await;
        let refused = refused.expect_err(what);
        assert!(
            matches!(
                refused,
                LandError::Account { .. } | LandError::NoAccount(_) | LandError::OtherSite { .. }
            ),
            "{what}: {refused}"
        );
        assert!(everybody(&site).is_empty(), "{what}");
        assert!(refused.to_string().len() < 1_000, "{what}");
    }
}

#[tokio::test]
async fn what_nobody_needs_of_an_answer_is_not_kept() {
    let site = Site::new("https://register.example");
    let peer = Played::beside(&site, move |method, _| match method {
        "auth/mnet/auth.php/user_authorise" => success(
            moodles_account("", "tom")
                .with("city", "Ålesund")
                .with("institution", "x".repeat(100_000))
                .with("description", "x".repeat(100_000))
                .with("password", "secret")
                .with("may_sign_in", "1")
                .with("peer", "1")
                .with("id", "1"),
        ),
        _ => fault(7018, "no such method"),
    })
    .await;
    let idp = peer.stranger.wwwroot.to_string();
    let refused = sso(&site).land(token_of(&idp, TOKEN)).await;
    assert!(matches!(refused, Err(LandError::NotPermitted { .. })));
    let person = everybody(&site).pop().unwrap();
    let kept: Vec<_> = person.fields.extra.members().keys().cloned().collect();
    assert_eq!(kept, ["city"]);
    assert_eq!(person.may_sign_in, None);
}

#[tokio::test]
async fn a_peer_ends_no_session_that_is_used_elsewhere() {
    let attacked = Attacked::new();
    attacked.use_there().await;
    let hash = firefox().user_agent;
    for function in ["kill_children", "kill_child"] {
        let params = vec!["zoe".into(), hash.as_str().into()];
        attacked
            .tell(&attacked.other, function, params)
            .await
            .value();
        assert!(attacked.is_alive(), "{function}");
    }
    // Nor in another browser; nor by the other of the two functions.
    let other = user_agent_hash(b"curl/8");
    let params = vec!["zoe".into(), other.into()];
    attacked
        .tell(&attacked.used, "kill_children", params)
        .await
        .value();
    let params = vec!["zoe".into(), hash.as_str().into()];
    attacked
        .tell(&attacked.used, "kill_child", params.clone())
        .await
        .value();
    assert!(attacked.is_alive());
    attacked
        .tell(&attacked.used, "kill_children", params)
        .await
        .value();
    assert!(!attacked.is_alive());
}

#[tokio::test]
async fn a_peer_ends_no_session_of_another_peers_person() {
    let site = Site::new("https://register.example");
    let home = vouching(&site, "tom").await;
    take_up(&site, Some(home.peer(&site).id), record("tom"));
    let_all_in(&site);
    let landed = sso(&site)
        .land(token_of(home.stranger.wwwroot.as_str(), TOKEN))
        .await
        .unwrap();
    let evil = Stranger::new("https://evil.example");
    let evil_id = site.befriend(&evil, &SSO);
    // Even with a person of that name of its own.
    take_up(&site, Some(evil_id), record("tom"));
    let kill = |by: &Stranger, name: &str, hash: String| {
        let call = mnetd::xmlrpc::MethodCall::new(
            "auth/mnet/auth.php/kill_child",
            vec![name.into(), hash.into()],
        );
        by.seal(&call, &site.certificate(), NOW)
    };
    for name in ["tom", "tom1", "TOM"] {
        let message = kill(&evil, name, firefox().user_agent);
        let answer = evil.open(&site.answer(message).await.unwrap(), &site.certificate());
        assert_eq!(answer.value(), &false.into(), "{name}");
    }
    let other = user_agent_hash(b"curl/8");
    let message = kill(&home.stranger, "tom", other);
    let answer = site.answer(message).await.unwrap();
    let answer = home.stranger.open(&answer, &site.certificate());
    assert_eq!(answer.value(), &false.into());
    assert!(alive(&site, &landed.token).is_some());
    let message = kill(&home.stranger, "tom", firefox().user_agent);
    let answer = site.answer(message).await.unwrap();
    let answer = home.stranger.open(&answer, &site.certificate());
    assert_eq!(answer.value(), &true.into());
    assert!(alive(&site, &landed.token).is_none());
}

#[tokio::test]
async fn a_peer_keeps_no_session_alive_that_is_used_elsewhere() {
    let attacked = Attacked::new();
    attacked.use_there().await;
    attacked.site.clock.advance(600);
    let names = vec![Value::from(vec![Value::from("zoe")])];
    let answer = attacked.tell(&attacked.other, "keepalive_server", names);
    assert_eq!(answer.await.value().get("code"), Some(&Value::Int(1)));
    assert_eq!(
        stored(&attacked.site, attacked.live.session.id).seen_at,
        NOW
    );
}

#[tokio::test]
async fn a_session_that_is_over_is_not_brought_back() {
    let attacked = Attacked::new();
    attacked.use_there().await;
    attacked.site.clock.advance(12 * 3600);
    let names = vec![Value::from(vec![Value::from("zoe")])];
    let answer = attacked.tell(&attacked.used, "keepalive_server", names);
    assert_eq!(answer.await.value().get("code"), Some(&Value::Int(1)));
    let (id, now) = (attacked.live.session.id, attacked.site.clock.now());
    let session = stored(&attacked.site, id);
    assert!(!mnetd::sso::session::is_alive(&session, now));
}

#[tokio::test]
async fn a_peer_says_nothing_about_enrolments_and_doings_of_others() {
    let attacked = Attacked::new();
    attacked.use_there().await;
    let course = Struct::new()
        .with("id", "7")
        .with("fullname", "Hacking")
        .with("defaultrolename", "Student");
    let courses: Value = Struct::new().with("7", course).into();
    let entry = Struct::new()
        .with("remoteid", "1")
        .with("time", "1790000000")
        .with("username", "zoe");
    let told = attacked.tell(
        &attacked.other,
        "update_enrolments",
        vec!["zoe".into(), courses],
    );
    assert_eq!(told.await.value(), &false.into());
    let logged = vec![Value::from(vec![Value::from(entry)])];
    let logged = attacked.tell(&attacked.other, "refresh_log", logged).await;
    assert_eq!(logged.value().get("code"), Some(&Value::Int(1)));
    let filter = PeerCourseEnrolmentFilter::default();
    let other = attacked.site.peer(&attacked.other.wwwroot).id;
    let (enrolments, entries) = attacked
        .site
        .store
        .read_blocking(|tx| -> Result<_, mnetd::store::StoreError> {
            Ok((
                peer_courses::enrolments(tx, &filter, None, 10)?,
                sign_on::log_entries(tx, other)?,
            ))
        })
        .unwrap();
    assert!(enrolments.is_empty());
    assert_eq!(entries, 0);
}

#[tokio::test]
async fn a_call_about_a_session_is_heard_once() {
    let attacked = Attacked::new();
    let (token, hash) = (attacked.token().await, firefox().user_agent);
    let call = mnetd::xmlrpc::MethodCall::new(
        "auth/mnet/auth.php/user_authorise",
        vec![token.into(), hash.into()],
    );
    let message = attacked.used.seal(&call, &attacked.site.certificate(), NOW);
    let certificate = attacked.site.certificate();
    let open = |answer: Vec<u8>| attacked.used.open(&answer, &certificate);
    open(attacked.site.answer(message.clone()).await.unwrap()).value();
    let again = open(attacked.site.answer(message).await.unwrap());
    assert_eq!(again.fault(), 8010);
}

/// A peer that vouches for `username`, with `idnumber` in the profile.
async fn telling(site: &Site, username: &'static str, idnumber: &'static str) -> Played {
    Played::beside(site, move |method, _| match method {
        "auth/mnet/auth.php/user_authorise" => {
            success(moodles_account("", username).with("idnumber", idnumber))
        }
        _ => fault(7018, "no such method"),
    })
    .await
}

fn record_with_id(idnumber: &str, username: &str) -> Value {
    fields(&[
        ("idnumber", idnumber),
        ("username", username),
        ("firstname", "Real"),
        ("lastname", "Owner"),
        ("email", "owner@example.org"),
    ])
}

#[tokio::test]
async fn an_id_number_that_users_write_themselves_takes_nobody_elses_row() {
    for (username, idnumber) in [
        ("mallory", "L-1"),
        ("tom", "L-1"),
        ("eve", "L-1"),
        ("tom", "L-9"),
    ] {
        let site = Site::new("https://register.example");
        let moodle = telling(&site, username, idnumber).await;
        let peer = Some(moodle.peer(&site).id);
        take_up(&site, peer, record_with_id("L-1", "ann"));
        take_up(&site, peer, record_with_id("L-2", "tom"));
        take_up(&site, peer, record("eve"));
        let_all_in(&site);
        let before = everybody(&site);
        let mut landing = token_of(moodle.stranger.wwwroot.as_str(), TOKEN);
        let session = signed_in(&site, account(&site, "office", None)).session.id;
        landing.before = Some(session);
        let refused = sso(&site).land(landing).await;
        let Err(refused @ LandError::NotTheSame { .. }) = refused else {
            panic!("{username} {idnumber}: {refused:?}");
        };
        assert!(refused.to_string().contains(idnumber), "{refused}");
        assert!(!refused.to_string().contains("ann"), "{refused}");
        assert_eq!(everybody(&site), before, "{username} {idnumber}");
        assert_eq!(stored(&site, session).ended_at, None);
    }
}

#[tokio::test]
async fn an_id_number_fills_an_empty_place_and_may_be_left_out() {
    for (username, idnumber, expected) in [
        ("eve", "L-3", Some("L-3")),
        ("eve", "", None),
        ("tom", "L-2", Some("L-2")),
        ("tom", "", Some("L-2")),
    ] {
        let site = Site::new("https://register.example");
        let moodle = telling(&site, username, idnumber).await;
        let peer = Some(moodle.peer(&site).id);
        take_up(&site, peer, record_with_id("L-2", "tom"));
        take_up(&site, peer, record("eve"));
        let_all_in(&site);
        let landing = token_of(moodle.stranger.wwwroot.as_str(), TOKEN);
        let landed = sso(&site).land(landing).await.unwrap();
        let user = alive(&site, &landed.token).unwrap().user;
        assert_eq!(user.username(), username);
        let person = everybody(&site)
            .into_iter()
            .find(|person| person.fields.username == username)
            .unwrap();
        assert_eq!(person.fields.idnumber.as_deref(), expected);
        assert_eq!(everybody(&site).len(), 2);
    }
}

fn said(site: &Site, peer: &Played, method: &'static str, argument: Value) {
    let author = mnetd::register::Author::Peer {
        id: peer.peer(site).id,
    };
    let now = site.clock.now();
    site.store
        .write_blocking(move |tx| {
            let call = mnetd::register::Call::parse(method, &[argument])?;
            mnetd::register::apply(tx, &author, &call.unwrap(), now)
        })
        .unwrap();
}

#[tokio::test]
async fn a_user_whom_the_peer_removed_comes_back_by_its_word_and_with_no_old_right() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let id = take_up(&site, Some(moodle.peer(&site).id), record("tom"));
    let_all_in(&site);
    let land = async |token: &str| {
        let landing = token_of(moodle.stranger.wwwroot.as_str(), token);
        sso(&site).land(landing).await
    };
    let landed = land("token-number-one").await.unwrap();
    said(
        &site,
        &moodle,
        "remove_user",
        fields(&[("username", "tom")]),
    );
    assert!(stored(&site, landed.session).ended_at.is_some());
    let refused = land("token-number-two").await;
    assert!(matches!(refused, Err(LandError::Removed { .. })));
    let person = || {
        site.store
            .read_blocking(|tx| people::get(tx, id))
            .unwrap()
            .unwrap()
    };
    assert!(person().removed_at.is_some());
    said(&site, &moodle, "fetch_user", record("tom"));
    assert_eq!(person().may_sign_in, None);
    assert!(alive(&site, &landed.token).is_none());
    let refused = land("token-number-three").await;
    assert!(matches!(refused, Err(LandError::NotPermitted { .. })));
    // What was denied to somebody is not given back that way.
    site.store
        .write_blocking(move |tx| people::set_may_sign_in(tx, id, Some(false)))
        .unwrap();
    said(
        &site,
        &moodle,
        "remove_user",
        fields(&[("username", "tom")]),
    );
    said(&site, &moodle, "fetch_user", record("tom"));
    assert_eq!(person().may_sign_in, Some(false));
}

#[tokio::test]
async fn a_session_lives_only_while_its_peer_may_vouch() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let peer = moodle.peer(&site).id;
    take_up(&site, Some(peer), record("tom"));
    let_all_in(&site);
    let landing = token_of(moodle.stranger.wwwroot.as_str(), TOKEN);
    let landed = sso(&site).land(landing).await.unwrap();
    let set = |subscribe| {
        let right = PeerService {
            service: "sso_idp".to_owned(),
            publish: true,
            subscribe,
        };
        site.store
            .write_blocking(move |tx| peers::set_service(tx, peer, &right))
            .unwrap();
        alive(&site, &landed.token).is_some()
    };
    assert!(!set(false));
    assert!(set(true));
    site.store
        .write_blocking(move |tx| peers::remove(tx, peer, NOW))
        .unwrap();
    assert!(alive(&site, &landed.token).is_none());
    // Nor does it live because something is agreed on with what is no peer.
    assert!(!set(true));
}

#[tokio::test]
async fn a_refused_landing_ends_nothing_at_peers() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "nobody").await;
    let away_id = away.peer(&site).id;
    let [before, other] = ["zoe", "ada"].map(|username| {
        let id = signed_in(&site, account(&site, username, None)).session.id;
        site.store
            .write_blocking(move |tx| sign_on::begin_at_peer(tx, id, away_id, "hash", NOW))
            .unwrap();
        id
    });
    let arrive = async |moodle: &Played| {
        let mut landing = token_of(moodle.stranger.wwwroot.as_str(), TOKEN);
        landing.before = Some(before);
        sso(&site).land(landing).await
    };
    let killed = || -> Vec<Value> {
        let asked = away.asked("kill_child");
        asked.iter().map(|params| params[0].clone()).collect()
    };
    let moodle = telling(&site, "tom", "L-9").await;
    let peer = Some(moodle.peer(&site).id);
    take_up(&site, peer, record_with_id("L-1", "tom"));
    let refused = arrive(&moodle).await;
    assert!(matches!(refused, Err(LandError::NotTheSame { .. })));
    assert_eq!(stored(&site, before).ended_at, None);
    // What is ended after it comes to the peer after it.
    sso(&site).end_at_peers_later(vec![other]);
    until("the end of the other", || !killed().is_empty()).await;
    assert_eq!(killed(), ["ada".into()]);
    // Who is known and lacks the right takes the place of whoever was there before.
    let refused = arrive(&telling(&site, "tim", "").await).await;
    assert!(matches!(refused, Err(LandError::NotPermitted { .. })));
    until("the end of the first", || killed().len() == 2).await;
}
