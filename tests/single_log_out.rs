//! Who signs out anywhere is signed out everywhere, as far as peers can be reached; and what the clock
//! ends and tells.

mod support;

use std::time::{Duration, Instant};

use mnetd::sso::session::{self, ABSOLUTE_LIMIT, IDLE_LIMIT};
use mnetd::sso::{Ending, SESSIONS_KEPT, SignedOut, Token, USERS_IN_ONE};
use mnetd::store::audit::{self, Actor};
use mnetd::store::sessions::{self, NewSession, SessionEnd, SignedIn};
use mnetd::store::{MAX_PAGE, SessionId, StoreError, sign_on};
use mnetd::xmlrpc::Value;
use support::site::{Served, Site, fields};
use support::sso::{
    Played, account, alive, fault, firefox, introduce, landing, let_all_in, signed_in, sso, stored,
    success, take_up, token_of, two_sites, until, vouching,
};

/// An account of `home`, signed in at `away` as well.
async fn there_and_here() -> (Served, Served, mnetd::sso::session::Live, Token) {
    let (home, away) = two_sites().await;
    let live = signed_in(&home.site, account(&home.site, "zoe", None));
    let to = home.site.peer(&away.site.wwwroot);
    let go = async || {
        let link = sso(&home.site)
            .jump(&live, firefox(), &to, "/")
            .await
            .unwrap();
        sso(&away.site).land(landing(&link)).await
    };
    go().await.unwrap_err();
    let_all_in(&away.site);
    let token = go().await.unwrap().token;
    (home, away, live, token)
}

fn record(username: &str) -> Value {
    fields(&[
        ("username", username),
        ("firstname", "Tom"),
        ("lastname", "T"),
        ("email", "tom@example.org"),
    ])
}

/// A person for whom `home` vouched, signed in at `site`.
async fn landed_from(site: &Site, home: &Played) -> mnetd::sso::session::Live {
    take_up(site, Some(home.peer(site).id), record("tom"));
    let_all_in(site);
    let landing = token_of(home.stranger.wwwroot.as_str(), "token-number-one");
    let landed = sso(site).land(landing).await.unwrap();
    alive(site, &landed.token).unwrap()
}

/// A session of `site` that a peer was told of: it is used there.
fn used_at(site: &Site, session: SessionId, peer: &Played) {
    let (peer, now) = (peer.peer(site).id, site.clock.now());
    let hash = firefox().user_agent;
    site.store
        .write_blocking(move |tx| sign_on::begin_at_peer(tx, session, peer, &hash, now))
        .unwrap();
}

#[tokio::test]
async fn signing_out_at_home_ends_the_session_away() {
    let (home, away, live, token) = there_and_here().await;
    let out = sso(&home.site).sign_out(&live).await.unwrap();
    assert_eq!(out, SignedOut::default());
    assert!(alive(&away.site, &token).is_none());
    assert!(stored(&home.site, live.session.id).ended_at.is_some());
}

#[tokio::test]
async fn signing_out_away_ends_the_session_at_home_and_leads_there() {
    let (home, away, live, token) = there_and_here().await;
    let there = alive(&away.site, &token).unwrap();
    let out = sso(&away.site).sign_out(&there).await.unwrap();
    let expected = SignedOut {
        return_to: Some(home.site.wwwroot.to_string()),
        unreached: Vec::new(),
    };
    assert_eq!(out, expected);
    assert!(alive(&away.site, &token).is_none());
    assert!(stored(&home.site, live.session.id).ended_at.is_some());
}

#[tokio::test]
async fn signing_out_away_ends_the_session_at_third_sites() {
    let (home, away, live, token) = there_and_here().await;
    let third = Played::beside(&home.site, |method, _| match method {
        "auth/mnet/auth.php/kill_child" => success(true),
        _ => fault(7018, "no such method"),
    })
    .await;
    used_at(&home.site, live.session.id, &third);
    let there = alive(&away.site, &token).unwrap();
    sso(&away.site).sign_out(&there).await.unwrap();
    until("kill_child", || !third.asked("kill_child").is_empty()).await;
    let hash = firefox().user_agent;
    assert_eq!(third.asked("kill_child"), [["zoe".into(), hash.into()]]);
}

#[tokio::test]
async fn an_administrator_ends_a_session_everywhere() {
    let (home, away, live, token) = there_and_here().await;
    let sso = sso(&home.site);
    let (id, how) = (live.session.id, SessionEnd::Administrator);
    let out = sso.end_session(id, how, None).await.unwrap();
    assert_eq!(out, SignedOut::default());
    assert!(alive(&away.site, &token).is_none());
    // What is over is not ended again.
    let again = sso.end_session(id, how, None).await.unwrap();
    assert_eq!(again, SignedOut::default());
}

#[tokio::test]
async fn the_end_of_a_session_is_noted_and_told_though_the_browser_hangs_up() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "nobody").await;
    let live = signed_in(&site, account(&site, "zoe", None));
    used_at(&site, live.session.id, &away);
    let noted = Ending {
        by: Actor {
            name: "head".to_owned(),
            origin: "192.0.2.7".to_owned(),
        },
        username: "zoe".to_owned(),
        details: String::new(),
    };
    let how = SessionEnd::Administrator;
    let sso = sso(&site);
    let hanging_up = sso.end_session(live.session.id, how, Some(noted));
    tokio::time::timeout(Duration::ZERO, hanging_up)
        .await
        .unwrap_err();
    until("kill_child", || !away.asked("kill_child").is_empty()).await;
    let deeds = site.store.read_blocking(|tx| audit::list(tx, None, 9));
    let deeds: Vec<_> = deeds.unwrap().into_iter().map(|deed| deed.action).collect();
    assert_eq!(deeds, ["session ended"]);
}

#[tokio::test]
async fn a_peer_that_cannot_be_reached_keeps_nobody_signed_in() {
    let (home, away, live, token) = there_and_here().await;
    let there = alive(&away.site, &token).unwrap();
    let (home_site, serving) = home.stop();
    serving.await.unwrap().unwrap();
    let out = sso(&away.site).sign_out(&there).await.unwrap();
    let wwwroot = home_site.wwwroot.to_string();
    let expected = SignedOut {
        return_to: Some(wwwroot.clone()),
        unreached: vec![wwwroot],
    };
    assert_eq!(out, expected);
    assert!(alive(&away.site, &token).is_none());
    assert!(stored(&home_site, live.session.id).ended_at.is_none());
}

#[tokio::test]
async fn a_peer_that_does_not_answer_does_not_hold_up_the_log_out() {
    let site = Site::new("https://register.example");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Site::new(&format!("http://{}", listener.local_addr().unwrap()));
    let peer = introduce(&site, &silent);
    let live = signed_in(&site, account(&site, "zoe", None));
    let (session, now, hash) = (live.session.id, site.clock.now(), firefox().user_agent);
    site.store
        .write_blocking(move |tx| sign_on::begin_at_peer(tx, session, peer, &hash, now))
        .unwrap();
    let started = Instant::now();
    let out = sso(&site).sign_out(&live).await.unwrap();
    assert_eq!(out.unreached, [silent.wwwroot.to_string()]);
    assert!(started.elapsed() < mnetd::sso::LOG_OUT_TIMEOUT * 2);
    assert!(stored(&site, session).ended_at.is_some());
}

#[tokio::test]
async fn what_was_not_confirmed_is_ended_by_the_clock() {
    let site = Site::new("https://register.example");
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let away = Played::beside(&site, move |method, _| match method {
        "auth/mnet/auth.php/kill_child" => {
            match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => fault(1, "not at this moment"),
                _ => success(true),
            }
        }
        _ => fault(7018, "no such method"),
    })
    .await;
    let live = signed_in(&site, account(&site, "zoe", None));
    used_at(&site, live.session.id, &away);
    let out = sso(&site).sign_out(&live).await.unwrap();
    assert_eq!(out.unreached, [away.stranger.wwwroot.to_string()]);
    for _ in 0..2 {
        sso(&site).keep_alive().await;
        assert_eq!(away.asked("kill_child").len(), 2, "once more, then no more");
    }
}

#[tokio::test]
async fn a_session_over_its_time_is_ended_where_it_was_used() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "nobody").await;
    let live = signed_in(&site, account(&site, "zoe", None));
    used_at(&site, live.session.id, &away);
    sso(&site).keep_alive().await;
    assert!(away.asked("kill_child").is_empty());
    site.clock.advance(u32::try_from(IDLE_LIMIT).unwrap() + 1);
    sso(&site).keep_alive().await;
    let ended = stored(&site, live.session.id);
    assert!(ended.ended_at.is_some());
    assert_eq!(away.asked("kill_child").len(), 1);
}

#[tokio::test]
async fn a_session_replaced_in_its_browser_is_ended_where_it_was_used() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "tom").await;
    let before = signed_in(&site, account(&site, "zoe", None)).session.id;
    used_at(&site, before, &away);
    let third = vouching(&site, "tom").await;
    take_up(&site, Some(third.peer(&site).id), record("tom"));
    let_all_in(&site);
    let mut landing = token_of(third.stranger.wwwroot.as_str(), "token-number-one");
    landing.before = Some(before);
    sso(&site).land(landing).await.unwrap();
    until("kill_child", || !away.asked("kill_child").is_empty()).await;
    assert!(third.asked("kill_children").is_empty());
}

#[tokio::test]
async fn a_visitor_idle_here_stays_signed_in_at_home() {
    let site = Site::new("https://register.example");
    let home = vouching(&site, "tom").await;
    let live = landed_from(&site, &home).await;
    site.clock.advance(u32::try_from(ABSOLUTE_LIMIT).unwrap());
    sso(&site).keep_alive().await;
    assert!(stored(&site, live.session.id).ended_at.is_some());
    assert!(home.asked("kill_children").is_empty());
    assert!(home.asked("keepalive_server").is_empty());
}

#[tokio::test]
async fn live_sessions_are_told_to_the_peer_that_vouched_as_long_as_they_are_used() {
    let site = Site::new("https://register.example");
    let home = vouching(&site, "tom").await;
    let live = landed_from(&site, &home).await;
    sso(&site).keep_alive().await;
    let names: Value = vec![Value::from("tom")].into();
    assert_eq!(home.asked("keepalive_server"), [[names.clone()]]);

    // Nobody did anything here since: it is not for us to keep the session there alive.
    site.clock.advance(300);
    sso(&site).keep_alive().await;
    assert_eq!(home.asked("keepalive_server").len(), 1);

    let (id, now) = (live.session.id, site.clock.now());
    site.store
        .write_blocking(move |tx| sessions::note_seen(tx, id, now))
        .unwrap();
    sso(&site).keep_alive().await;
    assert_eq!(home.asked("keepalive_server").len(), 2);
    assert!(alive(&site, &Token::presented("nobody's")).is_none());
}

#[tokio::test]
async fn many_names_go_out_in_several_calls() {
    let site = Site::new("https://register.example");
    let home = vouching(&site, "tom").await;
    let (peer, now) = (home.peer(&site).id, site.clock.now());
    for number in 0..=USERS_IN_ONE {
        let person = take_up(&site, Some(peer), record(&format!("user{number}")));
        let who = SignedIn::Person { person, peer };
        site.store
            .write_blocking(move |tx| session::begin(tx, who, &firefox(), None, now))
            .unwrap();
    }
    sso(&site).keep_alive().await;
    let told: Vec<_> = home
        .asked("keepalive_server")
        .iter()
        .map(|params| params[0].as_array().unwrap().len())
        .collect();
    assert_eq!(told, [USERS_IN_ONE, 1]);
}

#[tokio::test]
async fn names_go_out_in_the_spelling_of_their_own_site() {
    let site = Site::new("https://register.example");
    // The name is taken here already, so the peer's user goes by another.
    take_up(&site, None, record("tom"));
    let home = vouching(&site, "tom").await;
    let live = landed_from(&site, &home).await;
    assert_eq!(live.user.username(), "tom1");
    sso(&site).keep_alive().await;
    let names: Value = vec![Value::from("tom")].into();
    assert_eq!(home.asked("keepalive_server"), [[names]]);
    sso(&site).sign_out(&live).await.unwrap();
    let expected: [Value; 2] = ["tom".into(), firefox().user_agent.into()];
    assert_eq!(home.asked("kill_children"), [expected]);
}

#[tokio::test]
async fn a_peer_that_was_removed_is_not_called() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "nobody").await;
    let live = signed_in(&site, account(&site, "zoe", None));
    used_at(&site, live.session.id, &away);
    let (peer, now) = (away.peer(&site).id, site.clock.now());
    site.store
        .write_blocking(move |tx| mnetd::store::peers::remove(tx, peer, now))
        .unwrap();
    let out = sso(&site).sign_out(&live).await.unwrap();
    assert_eq!(out, SignedOut::default());
    assert!(away.methods().is_empty());
}

#[tokio::test]
async fn sessions_that_ended_long_ago_are_forgotten() {
    let site = Site::new("https://register.example");
    let away = vouching(&site, "nobody").await;
    let old = signed_in(&site, account(&site, "zoe", None)).session.id;
    used_at(&site, old, &away);
    sso(&site)
        .end_session(old, SessionEnd::SignOut, None)
        .await
        .unwrap();
    let is_kept = |id: SessionId| {
        let found = site.store.read_blocking(|tx| sessions::get(tx, id));
        found.unwrap().is_some()
    };
    site.clock.advance(u32::try_from(SESSIONS_KEPT).unwrap());
    let live = signed_in(&site, account(&site, "tom", None)).session.id;
    sso(&site).keep_alive().await;
    assert!(is_kept(old));
    site.clock.advance(1);
    sso(&site).keep_alive().await;
    assert!(!is_kept(old));
    assert!(is_kept(live));
}

#[tokio::test]
async fn a_peer_that_never_confirms_holds_back_no_other() {
    let site = Site::new("https://register.example");
    let (dead, away) = (vouching(&site, "a").await, vouching(&site, "b").await);
    let zoe = account(&site, "zoe", None);
    let now = site.clock.now();
    let (first, second) = (dead.peer(&site).id, away.peer(&site).id);
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            // A page full of the one peer's, and behind them one of the other's.
            for number in 0..=MAX_PAGE {
                let peer = if number < MAX_PAGE { first } else { second };
                let new = NewSession {
                    token_hash: &hash_of(number),
                    who: SignedIn::Account { account: zoe },
                    user_agent: "",
                    address: "",
                    expires_at: now,
                };
                let id = sessions::insert(tx, &new, now)?;
                sign_on::begin_at_peer(tx, id, peer, "", now)?;
                sessions::end(tx, id, SessionEnd::SignOut, now)?;
            }
            Ok(())
        })
        .unwrap();
    let left = site
        .store
        .read_blocking(|tx| sign_on::left_at_peers(tx, now))
        .unwrap();
    assert_eq!(left.len(), MAX_PAGE as usize + 1);
    assert!(left.iter().any(|row| row.peer == second));
}

fn hash_of(number: u32) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash
}
