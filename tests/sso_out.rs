//! An account of ours is sent to a peer with a token, and the peer asks who came.

mod support;

use mnetd::sso::identity_provider::{self, LogEntry, MAX_KEPT_ENTRIES, MAX_KNOWN_COURSES};
use mnetd::sso::session::{ABSOLUTE_LIMIT, Browser, IDLE_LIMIT};
use mnetd::sso::{JUMP_LIFETIME, JumpError, MissingRight, user_agent_hash};
use mnetd::store::peer_courses::{self, PeerCourseEnrolmentFilter, PeerCourseFields};
use mnetd::store::sessions::{self, SessionEnd, SignedIn};
use mnetd::store::{people, sign_on};
use mnetd::xmlrpc::{Struct, Value};
use support::site::{Answer, Site, Stranger, fields, user};
use support::sso::{
    SSO, account, alive, firefox, landing, let_all_in, signed_in, sso, stored, take_up, token_of,
    vouching,
};

const USER_AUTHORISE: &str = "auth/mnet/auth.php/user_authorise";

struct Out {
    site: Site,
    moodle: Stranger,
    live: mnetd::sso::session::Live,
}

impl Out {
    fn new() -> Self {
        let site = Site::new("https://register.example");
        let moodle = Stranger::new("https://moodle.example/lms");
        site.befriend(&moodle, &SSO);
        let person = take_up(&site, None, user("L-7"));
        let live = signed_in(&site, account(&site, "zoe", Some(person)));
        Self { site, moodle, live }
    }

    async fn jump(&self) -> String {
        let to = self.site.peer(&self.moodle.wwwroot);
        let sso = sso(&self.site);
        let link = sso
            .jump(&self.live, firefox(), &to, "/course/view.php?id=2")
            .await;
        link.unwrap()
    }

    async fn token(&self) -> String {
        landing(&self.jump().await).token.reveal().to_owned()
    }

    async fn ask(&self, token: &str) -> Answer {
        let params = vec![token.into(), firefox().user_agent.into()];
        self.call(USER_AUTHORISE, params).await
    }

    async fn call(&self, method: &str, params: Vec<Value>) -> Answer {
        self.site.call(&self.moodle, method, params).await
    }
}

#[tokio::test]
async fn the_link_is_what_moodles_landing_page_reads() {
    let out = Out::new();
    let link = out.jump().await;
    let (page, query) = link.split_once('?').unwrap();
    assert_eq!(page, "https://moodle.example/lms/auth/mnet/land.php");
    let query: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!(query[0].0, "token");
    assert_eq!(query[0].1.len(), 40);
    assert!(query[0].1.chars().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(
        (&*query[1].0, &*query[1].1),
        ("idp", "https://register.example")
    );
    assert_eq!(
        (&*query[2].0, &*query[2].1),
        ("wantsurl", "/course/view.php?id=2")
    );
    assert_eq!(query.len(), 3);
}

#[tokio::test]
async fn the_peer_is_told_who_came() {
    let out = Out::new();
    let answer = out.ask(&out.token().await).await;
    let told = answer.value().as_struct().unwrap().clone();
    let text = |name: &str| told.get(name).unwrap().as_str().unwrap().to_owned();
    assert_eq!(text("auth"), "mnet");
    assert_eq!(text("username"), "zoe");
    assert_eq!(text("firstname"), "Zoë");
    assert_eq!(text("lastname"), "Prøbe");
    assert_eq!(text("email"), "zoe@example.org");
    assert_eq!(text("idnumber"), "L-7");
    assert_eq!(text("wwwroot"), "https://register.example");
    assert_eq!(text("session.gc_maxlifetime"), IDLE_LIMIT.to_string());
    assert_eq!(told.get("myhosts"), Some(&Value::Array(Vec::new())));
}

#[tokio::test]
async fn an_account_that_is_nobody_in_the_register_has_no_idnumber() {
    let mut out = Out::new();
    out.live = signed_in(&out.site, account(&out.site, "office", None));
    let answer = out.ask(&out.token().await).await;
    assert_eq!(answer.value().get("username"), Some(&"office".into()));
    assert_eq!(answer.value().get("idnumber"), None);
}

#[tokio::test]
async fn any_plugins_path_leads_to_the_function() {
    let out = Out::new();
    let params = vec![out.token().await.into(), firefox().user_agent.into()];
    let answer = out.call("local/mnetd/rpc.php/user_authorise", params).await;
    assert_eq!(answer.value().get("username"), Some(&"zoe".into()));
}

#[tokio::test]
async fn a_token_is_good_for_half_a_minute() {
    let out = Out::new();
    let (one, two) = (out.token().await, out.token().await);
    out.site
        .clock
        .advance(u32::try_from(JUMP_LIFETIME).unwrap());
    out.ask(&one).await.value();
    out.site.clock.advance(1);
    assert_eq!(out.ask(&two).await.fault(), 2);
}

#[tokio::test]
async fn whoever_signed_out_meanwhile_is_nobody() {
    let out = Out::new();
    let token = out.token().await;
    let (id, now) = (out.live.session.id, out.site.clock.now());
    out.site
        .store
        .write_blocking(move |tx| sessions::end(tx, id, SessionEnd::SignOut, now))
        .unwrap();
    assert_eq!(out.ask(&token).await.fault(), 3);
}

#[tokio::test]
async fn both_services_have_to_be_agreed_on() {
    for (services, missing, command) in [
        (
            [("sso_idp", false, true), ("sso_sp", true, true)],
            MissingRight::PublishIdentity,
            "mnetd peer allow https://moodle.example sso_idp --publish",
        ),
        (
            [("sso_idp", true, true), ("sso_sp", true, false)],
            MissingRight::SubscribeLanding,
            "mnetd peer allow https://moodle.example sso_sp --subscribe",
        ),
    ] {
        let site = Site::new("https://register.example");
        let moodle = Stranger::new("https://moodle.example");
        site.befriend(&moodle, &services);
        let live = signed_in(&site, account(&site, "zoe", None));
        let to = site.peer(&moodle.wwwroot);
        let refused = sso(&site)
            .jump(&live, firefox(), &to, "/")
            .await
            .unwrap_err();
        match &refused {
            JumpError::NotAllowed { missing: found, .. } => assert_eq!(*found, missing),
            other => panic!("{other}"),
        }
        assert!(refused.to_string().contains(command), "{refused}");
    }
}

#[tokio::test]
async fn somebody_whom_a_peer_vouched_for_does_not_roam_on() {
    let site = Site::new("https://register.example");
    let home = vouching(&site, "tom").await;
    let record = fields(&[
        ("username", "tom"),
        ("firstname", "Tom"),
        ("lastname", "T"),
        ("email", "tom@example.org"),
    ]);
    take_up(&site, Some(home.peer(&site).id), record);
    let_all_in(&site);
    let landed = sso(&site)
        .land(token_of(home.stranger.wwwroot.as_str(), "token-number-one"))
        .await
        .unwrap();
    let live = alive(&site, &landed.token).unwrap();
    let next = Stranger::new("https://next.example");
    site.befriend(&next, &SSO);
    let refused = sso(&site)
        .jump(&live, firefox(), &site.peer(&next.wwwroot), "/")
        .await;
    assert!(matches!(refused, Err(JumpError::NotLocal(_))));
}

#[tokio::test]
async fn a_peer_keeps_the_session_alive_that_it_uses() {
    let out = Out::new();
    let names = |names: &[&str]| vec![names.iter().map(|name| Value::from(*name)).collect()];
    let before = out.call("auth/mnet/auth.php/keepalive_server", names(&["zoe"]));
    let before = before.await;
    assert_eq!(before.value().get("code"), Some(&Value::Int(1)));
    let message = before.value().get("message").unwrap().as_str().unwrap();
    assert!(message.contains("zoe"), "{message}");

    out.ask(&out.token().await).await.value();
    out.site.clock.advance(3600);
    let kept = out.call("auth/mnet/auth.php/keepalive_server", names(&["zoe"]));
    let kept = kept.await;
    assert_eq!(kept.value().get("code"), Some(&Value::Int(0)));
    assert_eq!(kept.value().get("message"), Some(&"All ok".into()));
    assert_eq!(kept.value().get("last log id"), Some(&"0".into()));
    let seen = stored(&out.site, out.live.session.id).seen_at;
    assert_eq!(seen, out.site.clock.now());
    let some = out.call(
        "auth/mnet/auth.php/keepalive_server",
        names(&["zoe", "eve"]),
    );
    assert_eq!(some.await.value().get("code"), Some(&Value::Int(1)));
}

#[tokio::test]
async fn a_peer_tells_which_of_its_courses_an_account_is_in() {
    let out = Out::new();
    out.ask(&out.token().await).await.value();
    let course = |id: &str, name: &str| {
        Struct::new()
            .with("id", id)
            .with("fullname", name)
            .with("shortname", name)
            .with("idnumber", "")
            .with("summary", "<p>About it</p>")
            .with("startdate", "1790000000")
            .with("cat_name", "Science")
            .with("defaultrolename", "Student")
    };
    let told = |courses: Value| {
        out.call(
            "auth/mnet/auth.php/update_enrolments",
            vec!["zoe".into(), courses],
        )
    };
    let enrolled = || {
        let filter = PeerCourseEnrolmentFilter::default();
        let found = out
            .site
            .store
            .read_blocking(|tx| peer_courses::enrolments(tx, &filter, None, 100))
            .unwrap();
        let mut names: Vec<_> = found.into_iter().map(|found| found.fullname).collect();
        names.sort_unstable();
        names
    };
    let both: Value = Struct::new()
        .with("7", course("7", "Biology"))
        .with("9", course("9", "Physics"))
        .into();
    assert_eq!(told(both.clone()).await.value(), &true.into());
    assert_eq!(enrolled(), ["Biology", "Physics"]);
    assert_eq!(told(both).await.value(), &true.into());
    assert_eq!(enrolled(), ["Biology", "Physics"]);
    let one: Value = vec![Value::from(course("9", "Physics"))].into();
    assert_eq!(told(one).await.value(), &true.into());
    assert_eq!(enrolled(), ["Physics"]);
    assert_eq!(told(Value::Array(Vec::new())).await.value(), &true.into());
    assert!(enrolled().is_empty());
}

#[tokio::test]
async fn the_small_questions_are_answered() {
    let out = Out::new();
    for user in ["zoe", "nobody"] {
        let image = out.call("auth/mnet/auth.php/fetch_user_image", vec![user.into()]);
        assert_eq!(image.await.value(), &Value::Array(Vec::new()));
    }
    let theme = out.call("auth/mnet/auth.php/fetch_theme_info", Vec::new());
    let theme = theme.await;
    assert!(theme.value().get("themename").is_some());
    assert!(theme.value().get("logourl").is_some());
    let client = out.call("auth/mnet/auth.php/keepalive_client", Vec::new());
    assert_eq!(client.await.value(), &true.into());
}

#[tokio::test]
async fn log_entries_are_kept_once() {
    let out = Out::new();
    out.ask(&out.token().await).await.value();
    let entry = |id: &str, username: &str| {
        Value::from(
            Struct::new()
                .with("remoteid", id)
                .with("time", "1790000000")
                .with("username", username)
                .with("module", "course")
                .with("action", "view"),
        )
    };
    let send = |entries: Vec<Value>| {
        let params = vec![Value::from(entries)];
        out.call("auth/mnet/auth.php/refresh_log", params)
    };
    for _ in 0..2 {
        let kept = send(vec![entry("1", "zoe"), entry("2", "zoe")]).await;
        assert_eq!(kept.value().get("code"), Some(&Value::Int(0)));
        assert_eq!(kept.value().get("message"), Some(&"All ok".into()));
    }
    let peer = out.site.peer(&out.moodle.wwwroot).id;
    let count = out
        .site
        .store
        .read_blocking(|tx| mnetd::store::sign_on::log_entries(tx, peer));
    assert_eq!(count.unwrap(), 2);
    let passed_over = send(vec![entry("3", "nobody"), "rubbish".into()]).await;
    assert_eq!(passed_over.value().get("code"), Some(&Value::Int(1)));
}

#[tokio::test]
async fn a_service_that_is_not_published_is_not_heard() {
    let site = Site::new("https://register.example");
    let moodle = Stranger::new("https://moodle.example");
    site.befriend(
        &moodle,
        &[("sso_idp", false, true), ("sso_sp", false, true)],
    );
    for method in [
        "user_authorise",
        "kill_children",
        "fetch_theme_info",
        "kill_child",
    ] {
        let path = format!("auth/mnet/auth.php/{method}");
        let answer = site.call(&moodle, &path, Vec::new()).await;
        assert_eq!(answer.fault(), 707, "{method}");
    }
}

#[tokio::test]
async fn wrong_parameters_are_told_apart_from_wrong_tokens() {
    let out = Out::new();
    for params in [
        vec![],
        vec!["token".into()],
        vec!["token".into(), "no hash".into()],
        vec![Value::Array(Vec::new()), firefox().user_agent.into()],
    ] {
        assert_eq!(out.call(USER_AUTHORISE, params).await.fault(), 8002);
    }
}

#[tokio::test]
async fn a_person_who_was_removed_still_has_an_account() {
    let out = Out::new();
    let person = support::sso::everybody(&out.site)[0].id;
    let now = out.site.clock.now();
    out.site
        .store
        .write_blocking(move |tx| people::remove(tx, person, now))
        .unwrap();
    let answer = out.ask(&out.token().await).await;
    assert_eq!(answer.value().get("username"), Some(&"zoe".into()));
}

#[tokio::test]
async fn a_browser_that_was_updated_since_it_signed_in_can_jump() {
    let out = Out::new();
    let updated = Browser {
        user_agent: user_agent_hash(b"a newer browser"),
        ..firefox()
    };
    let to = out.site.peer(&out.moodle.wwwroot);
    let link = sso(&out.site)
        .jump(&out.live, updated.clone(), &to, "/")
        .await
        .unwrap();
    let token = landing(&link).token.reveal().to_owned();
    let params = vec![token.into(), updated.user_agent.as_str().into()];
    out.call(USER_AUTHORISE, params).await.value();
    let (id, there) = (out.live.session.id, updated.user_agent);
    let used = out
        .site
        .store
        .read_blocking(|tx| sign_on::peers_of_session(tx, id))
        .unwrap();
    // By that name it is ended there.
    assert_eq!(used[0].user_agent, there);
}

#[tokio::test]
async fn no_more_log_entries_are_kept_than_the_latest_ten_thousand() {
    let out = Out::new();
    out.ask(&out.token().await).await.value();
    let peer = out.site.peer(&out.moodle.wwwroot).id;
    let now = out.site.clock.now();
    let entry = |number: u32| LogEntry {
        remote_id: number.to_string(),
        username: "zoe".to_owned(),
        at: now,
        entry: format!("{{\"info\":\"entry {number}\"}}"),
    };
    let send = |numbers: std::ops::Range<u32>| {
        let entries: Vec<_> = numbers.map(entry).collect();
        let kept = out
            .site
            .store
            .write_blocking(move |tx| identity_provider::keep_log(tx, peer, &entries, now));
        assert_eq!(kept.unwrap(), 0);
    };
    send(0..MAX_KEPT_ENTRIES);
    send(MAX_KEPT_ENTRIES..MAX_KEPT_ENTRIES + 3);
    let account = account_of(&out.live);
    let (count, latest) = out
        .site
        .store
        .read_blocking(|tx| -> Result<_, mnetd::store::StoreError> {
            let latest = sign_on::latest_log_entries(tx, account, 1)?;
            Ok((sign_on::log_entries(tx, peer)?, latest))
        })
        .unwrap();
    assert_eq!(count, MAX_KEPT_ENTRIES);
    let last = MAX_KEPT_ENTRIES + 2;
    assert!(latest[0].entry.contains(&format!("entry {last}")));
    // The oldest are gone, so they count as new where they come again.
    send(0..1);
}

#[tokio::test]
async fn a_peer_makes_no_more_courses_known_than_there_is_room_for() {
    let out = Out::new();
    out.ask(&out.token().await).await.value();
    let peer = out.site.peer(&out.moodle.wwwroot).id;
    let now = out.site.clock.now();
    let course = |number: u32| {
        let fields = PeerCourseFields {
            remote_id: number.to_string(),
            fullname: "Biology".to_owned(),
            shortname: String::new(),
            idnumber: String::new(),
            summary: String::new(),
            category: String::new(),
            starts_at: None,
        };
        (fields, String::new())
    };
    let tell = |numbers: std::ops::Range<u32>| {
        let courses: Vec<_> = numbers.map(course).collect();
        let known = out.site.store.write_blocking(move |tx| {
            identity_provider::update_enrolments(tx, peer, "zoe", &courses, now)
        });
        assert!(known.unwrap());
    };
    let count = || {
        let count = out
            .site
            .store
            .read_blocking(|tx| peer_courses::count_known(tx, peer));
        count.unwrap()
    };
    tell(1..MAX_KNOWN_COURSES);
    assert_eq!(count(), MAX_KNOWN_COURSES - 1);
    tell(MAX_KNOWN_COURSES..MAX_KNOWN_COURSES + 2);
    assert_eq!(count(), MAX_KNOWN_COURSES);
    // Those that are known are still heard of.
    tell(1..3);
    let filter = PeerCourseEnrolmentFilter::default();
    let enrolled = out
        .site
        .store
        .read_blocking(|tx| peer_courses::enrolments(tx, &filter, None, 10));
    assert_eq!(enrolled.unwrap().len(), 2);
}

#[tokio::test]
async fn the_right_to_speak_about_an_account_ends_with_the_longest_session() {
    let out = Out::new();
    out.ask(&out.token().await).await.value();
    let told = || {
        let params = vec!["zoe".into(), Value::Array(Vec::new())];
        out.call("auth/mnet/auth.php/update_enrolments", params)
    };
    let longest = u32::try_from(ABSOLUTE_LIMIT).unwrap();
    out.site.clock.advance(longest - 1);
    assert_eq!(told().await.value(), &true.into());
    out.site.clock.advance(1);
    assert_eq!(told().await.value(), &false.into());
}

#[tokio::test]
async fn the_idnumber_goes_to_no_other_peer_than_the_persons_own() {
    for is_theirs in [true, false] {
        let mut out = Out::new();
        let owner = if is_theirs {
            out.site.peer(&out.moodle.wwwroot).id
        } else {
            let other = Stranger::new("https://mahara.example");
            out.site.befriend(&other, &SSO)
        };
        let person = take_up(&out.site, Some(owner), user("P-9"));
        out.live = signed_in(&out.site, account(&out.site, "tom", Some(person)));
        let answer = out.ask(&out.token().await).await;
        let expected = is_theirs.then(|| Value::from("P-9"));
        assert_eq!(answer.value().get("idnumber"), expected.as_ref());
    }
}

fn account_of(live: &mnetd::sso::session::Live) -> mnetd::store::AccountId {
    match live.session.who {
        SignedIn::Account { account } => account,
        SignedIn::Person { .. } => panic!("not an account"),
    }
}
