//! A peer's user comes with a token, is taken up in the register, and is signed in.

mod support;

use mnetd::peer::Application;
use mnetd::register::{Author, Call, apply};
use mnetd::sso::LandError;
use mnetd::store::people;
use mnetd::store::sessions::SignedIn;
use mnetd::xmlrpc::{Struct, Value};
use support::site::{NOW, Site, fields, user};
use support::sso::{
    FIREFOX, Played, account, alive, everybody, fault, firefox, introduce, landing, let_all_in,
    moodles_account, signed_in, sso, stored, success, take_up, token_of, two_sites, until,
    vouching,
};

const TOKEN: &str = "3641aaca182eaa7c3cdd74935267447af5d0de7b";

#[tokio::test]
async fn an_account_of_one_site_is_signed_in_at_the_other() {
    let (home, away) = two_sites().await;
    let person = take_up(&home.site, None, user("L-7"));
    let live = signed_in(&home.site, account(&home.site, "zoe", Some(person)));
    let to = home.site.peer(&away.site.wwwroot);
    let link = sso(&home.site)
        .jump(&live, firefox(), &to, "/sections")
        .await
        .unwrap();

    // The first visit makes the person known, and says who can let her in.
    let refused = sso(&away.site).land(landing(&link)).await.unwrap_err();
    assert!(
        matches!(refused, LandError::NotPermitted { .. }),
        "{refused}"
    );
    let said = refused.to_string();
    assert!(said.contains("mnetd signin allow --user zoe"), "{said}");
    let known = everybody(&away.site);
    assert_eq!(known.len(), 1);
    let fields = &known[0].fields;
    assert_eq!(known[0].peer, Some(away.site.peer(&home.site.wwwroot).id));
    assert_eq!(fields.idnumber.as_deref(), Some("L-7"));
    assert_eq!((&*fields.firstname, &*fields.lastname), ("Zoë", "Prøbe"));
    assert_eq!(fields.email, "zoe@example.org");

    let_all_in(&away.site);
    let link = sso(&home.site)
        .jump(&live, firefox(), &to, "/sections")
        .await
        .unwrap();
    let landed = sso(&away.site).land(landing(&link)).await.unwrap();
    assert_eq!(landed.go_to, away.site.wwwroot.join("/sections"));
    assert_eq!(landed.peer.wwwroot, home.site.wwwroot);
    let there = alive(&away.site, &landed.token).unwrap();
    assert_eq!(there.session.id, landed.session);
    assert_eq!(there.session.user_agent, firefox().user_agent);
    let expected = SignedIn::Person {
        person: known[0].id,
        peer: landed.peer.id,
    };
    assert_eq!(there.session.who, expected);
    assert_eq!(everybody(&away.site).len(), 1);
}

#[tokio::test]
async fn a_moodle_is_asked_as_it_expects() {
    let site = Site::new("https://register.example");
    let moodle = Played::beside(&site, |method, params| match method {
        "auth/mnet/auth.php/user_authorise" if params[0] == TOKEN.into() => {
            success(moodles_account("", "ttrackstar"))
        }
        _ => fault(7018, "no such method"),
    });
    let moodle = moodle.await;
    take_up(&site, Some(moodle.peer(&site).id), trackstar("ttrackstar"));
    let_all_in(&site);
    let idp = format!("{}/", moodle.stranger.wwwroot);
    let landed = sso(&site).land(token_of(&idp, TOKEN)).await.unwrap();
    assert_eq!(landed.go_to, "https://register.example/");
    let asked = moodle.asked("user_authorise");
    assert_eq!(asked.len(), 1);
    let hash = mnetd::sso::user_agent_hash(FIREFOX.as_bytes());
    assert_eq!(asked[0], [TOKEN.into(), Value::from(hash)]);
    // A first sign-in: Moodle tells about enrolments on later ones only.
    assert!(moodle.asked("update_enrolments").is_empty());
}

fn trackstar(username: &str) -> Value {
    fields(&[
        ("username", username),
        ("firstname", "Tommy"),
        ("lastname", "Trackstar"),
        ("email", "ttrackstar@example.org"),
    ])
}

#[tokio::test]
async fn methods_are_found_by_their_names() {
    for mahara in [false, true] {
        let site = Site::new("https://register.example");
        let peer = Played::beside(&site, move |method, _| match method {
            "system/listMethods" if mahara => success(
                Struct::new()
                    .with("local/mnetd/rpc.php/user_authorise", "user_authorise")
                    .with("local/mnetd/rpc.php/keepalive_server", "keepalive_server"),
            ),
            "system/listMethods" => success(vec![
                Value::from("local/mnetd/rpc.php/user_authorise"),
                Value::from("local/mnetd/rpc.php/keepalive_server"),
            ]),
            "local/mnetd/rpc.php/user_authorise" => success(moodles_account("", "tom")),
            "local/mnetd/rpc.php/keepalive_server" => success(true),
            _ => fault(7012, "unknown"),
        })
        .await;
        take_up(&site, Some(peer.peer(&site).id), trackstar("tom"));
        let_all_in(&site);
        let idp = peer.stranger.wwwroot.to_string();
        sso(&site).land(token_of(&idp, TOKEN)).await.unwrap();
        sso(&site).keep_alive().await;
        assert_eq!(
            peer.methods(),
            [
                "system/listMethods",
                "local/mnetd/rpc.php/user_authorise",
                "local/mnetd/rpc.php/keepalive_server",
            ],
            "asked once where its functions are"
        );
    }
}

#[tokio::test]
async fn a_user_the_register_knows_stays_the_same_person() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let peer = moodle.peer(&site).id;
    // The register got her id; the sign-in does not tell it.
    let known = take_up(&site, Some(peer), user_with_id("L-1", "tom"));
    let_all_in(&site);
    let idp = moodle.stranger.wwwroot.to_string();
    let landed = sso(&site).land(token_of(&idp, TOKEN)).await.unwrap();
    let live = alive(&site, &landed.token).unwrap();
    let expected = SignedIn::Person {
        person: known,
        peer,
    };
    assert_eq!(live.session.who, expected);
    let everybody = everybody(&site);
    assert_eq!(everybody.len(), 1);
    assert_eq!(everybody[0].fields.idnumber.as_deref(), Some("L-1"));
    assert_eq!(everybody[0].fields.lastname, "Trackstar");
}

fn user_with_id(id: &str, username: &str) -> Value {
    fields(&[
        ("idnumber", id),
        ("username", username),
        ("firstname", "T."),
        ("lastname", "Older"),
        ("email", "older@example.org"),
    ])
}

#[tokio::test]
async fn whoever_was_signed_in_before_is_signed_out_first() {
    for permitted in [true, false] {
        let site = Site::new("https://register.example");
        let moodle = vouching(&site, "tom").await;
        take_up(&site, Some(moodle.peer(&site).id), trackstar("tom"));
        if permitted {
            let_all_in(&site);
        }
        let before = signed_in(&site, account(&site, "office", None)).session.id;
        let mut landing = token_of(moodle.stranger.wwwroot.as_str(), TOKEN);
        landing.before = Some(before);
        assert_eq!(sso(&site).land(landing).await.is_ok(), permitted);
        assert!(stored(&site, before).ended_at.is_some());
    }
}

#[tokio::test]
async fn the_browser_goes_where_it_wants_within_one_of_the_two_sites() {
    let site = Site::new("https://school.example/register");
    let moodle = vouching(&site, "tom").await;
    take_up(&site, Some(moodle.peer(&site).id), trackstar("tom"));
    let_all_in(&site);
    let idp = moodle.stranger.wwwroot.to_string();
    let (ours, theirs) = ("https://school.example/register", idp.as_str());
    for (number, (wantsurl, remoteurl, expected)) in [
        ("/sections/5", false, format!("{ours}/sections/5")),
        (
            "/course/view.php?id=2",
            true,
            format!("{theirs}/course/view.php?id=2"),
        ),
        ("//evil.example", false, format!("{ours}/")),
        ("//evil.example", true, format!("{theirs}/")),
        ("https://evil.example/", true, format!("{theirs}/")),
        ("/../admin", false, format!("{ours}/")),
        ("javascript:alert(1)", true, format!("{theirs}/")),
        (
            "https://school.example/register/people",
            true,
            format!("{theirs}/"),
        ),
        (
            "https://school.example/register/people",
            false,
            format!("{ours}/people"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut landing = token_of(&idp, &format!("token-number-{number}"));
        wantsurl.clone_into(&mut landing.wantsurl);
        landing.remoteurl = remoteurl;
        let landed = sso(&site).land(landing).await.unwrap();
        assert_eq!(landed.go_to, expected, "{wantsurl} {remoteurl}");
    }
}

#[tokio::test]
async fn a_user_who_comes_back_brings_home_the_list_of_courses() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let peer = moodle.peer(&site).id;
    take_up(&site, Some(peer), user_with_id("L-1", "tom"));
    for call in [
        (
            "new_section",
            fields(&[("idnumber", "S1"), ("name", "Biology")]),
        ),
        (
            "new_section",
            fields(&[("idnumber", "S2"), ("name", "Art")]),
        ),
        (
            "new_enrolment",
            fields(&[("userid", "L-1"), ("sectionid", "S1"), ("role", "student")]),
        ),
    ] {
        let author = Author::Peer { id: peer };
        site.store
            .write_blocking(move |tx| {
                let (method, params) = call;
                apply(tx, &author, &Call::parse(method, &[params])?.unwrap(), NOW)
            })
            .unwrap();
    }
    let_all_in(&site);
    let idp = moodle.stranger.wwwroot.to_string();
    for token in ["token-number-one", "token-number-two"] {
        sso(&site).land(token_of(&idp, token)).await.unwrap();
    }
    until("update_enrolments", || {
        !moodle.asked("update_enrolments").is_empty()
    })
    .await;
    let asked = moodle.asked("update_enrolments");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0][0], "tom".into());
    let courses = asked[0][1].as_struct().unwrap();
    assert_eq!(courses.len(), 1);
    let (id, course) = courses.iter().next().unwrap();
    assert_eq!(course.get("id"), Some(&id.into()));
    assert_eq!(course.get("fullname"), Some(&"Biology".into()));
    assert_eq!(course.get("idnumber"), Some(&"S1".into()));
    for member in [
        "shortname",
        "summary",
        "startdate",
        "sortorder",
        "cat_id",
        "cat_name",
        "cat_description",
        "defaultroleid",
        "defaultrolename",
    ] {
        assert!(course.get(member).is_some(), "{member}");
    }
}

#[tokio::test]
async fn somebody_without_courses_brings_home_an_empty_array() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    take_up(&site, Some(moodle.peer(&site).id), trackstar("tom"));
    let_all_in(&site);
    let idp = moodle.stranger.wwwroot.to_string();
    for token in ["token-number-one", "token-number-two"] {
        sso(&site).land(token_of(&idp, token)).await.unwrap();
    }
    until("update_enrolments", || {
        !moodle.asked("update_enrolments").is_empty()
    })
    .await;
    let asked = moodle.asked("update_enrolments");
    assert_eq!(asked[0], ["tom".into(), Value::Array(Vec::new())]);
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let idp = moodle.stranger.wwwroot.to_string();
    let sso = sso(&site);
    let unknown = sso.land(token_of("https://nobody.example", TOKEN)).await;
    let unknown = unknown.unwrap_err();
    assert!(matches!(unknown, LandError::UnknownPeer(_)));
    assert!(unknown.to_string().contains("mnetd peer add"));
    // Letter by letter, but for one slash.
    for spelling in [format!("{idp}//"), idp.to_uppercase(), format!(" {idp}")] {
        let refused = sso.land(token_of(&spelling, TOKEN)).await.unwrap_err();
        assert!(matches!(refused, LandError::UnknownPeer(_)), "{spelling}");
    }
    let other = Site::new("https://other.example");
    site.register_peer(
        other.wwwroot.as_str(),
        &other.certificate(),
        &[("sso_idp", true, false)],
    );
    let refused = sso.land(token_of(other.wwwroot.as_str(), TOKEN)).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, LandError::NotSubscribed(_)));
    assert!(refused.to_string().contains("sso_idp --subscribe"));
}

#[tokio::test]
async fn what_the_peer_says_against_it_is_told() {
    for code in 1..=3 {
        let site = Site::new("https://register.example");
        let moodle = Played::beside(&site, move |method, _| match method {
            "auth/mnet/auth.php/user_authorise" => fault(code, "Authorisation failed: so it is."),
            _ => fault(7018, "no such method"),
        })
        .await;
        let idp = moodle.stranger.wwwroot.to_string();
        let refused = sso(&site).land(token_of(&idp, TOKEN)).await.unwrap_err();
        match &refused {
            LandError::NotConfirmed { code: said, .. } => assert_eq!(*said, code),
            other => panic!("{other}"),
        }
        assert!(refused.to_string().contains("so it is"), "{refused}");
        assert!(everybody(&site).is_empty());
    }
}

#[tokio::test]
async fn the_right_to_sign_in_is_asked_anew_each_time() {
    let site = Site::new("https://register.example");
    let moodle = vouching(&site, "tom").await;
    let person = take_up(&site, Some(moodle.peer(&site).id), trackstar("tom"));
    let_all_in(&site);
    let idp = moodle.stranger.wwwroot.to_string();
    let landed = sso(&site).land(token_of(&idp, "token-number-one")).await;
    let token = landed.unwrap().token;
    site.store
        .write_blocking(move |tx| people::set_may_sign_in(tx, person, Some(false)))
        .unwrap();
    assert!(alive(&site, &token).is_none());
    let refused = sso(&site).land(token_of(&idp, "token-number-two")).await;
    assert!(matches!(refused, Err(LandError::NotPermitted { .. })));
}

#[test]
fn pages_stand_where_each_application_looks_for_them() {
    assert_eq!(Application::Moodle.land_path(), "/auth/mnet/land.php");
    assert_eq!(Application::Moodle.jump_path(), "/auth/mnet/jump.php");
    assert_eq!(Application::Mahara.land_path(), "/auth/xmlrpc/land.php");
    assert_eq!(Application::Mahara.jump_path(), "/auth/xmlrpc/jump.php");
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_told_from_one_that_says_no() {
    let site = Site::new("https://register.example");
    let silent = Site::new("http://127.0.0.1:1");
    introduce(&site, &silent);
    let refused = sso(&site).land(token_of("http://127.0.0.1:1", TOKEN)).await;
    assert!(matches!(refused, Err(LandError::Call(_))));
}
