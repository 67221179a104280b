//! The office at the console: people, sections and enrolments by hand, accounts, sessions, the audit log; and
//! who may do what.

mod support;

use mnetd::register::{self, Author, Call, RegisterError};
use mnetd::sso::session::Live;
use mnetd::store::accounts::AccountRole;
use mnetd::store::sessions::{self, SessionFilter};
use mnetd::store::{AccountId, Page, people, sign_on};
use reqwest::StatusCode;
use support::site::{NOW, Served, Site, Stranger, fields, user};
use support::sso::{until, vouching};
use support::visitor::{PASSWORD, Visitor, add_account};

async fn office() -> (Served, Visitor) {
    let served = Site::served().await;
    add_account(&served.site, "admin", AccountRole::Administrator);
    let visitor = Visitor::signed_in(served.site.wwwroot.as_str(), "admin").await;
    (served, visitor)
}

/// Sends a form from a page, and looks at the page it leads to.
async fn done(visitor: &mut Visitor, form: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let page = visitor.post_from(form, path, fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}: {}", page.text);
    visitor.get(&page.location.unwrap()).await.text
}

async fn take_up(visitor: &mut Visitor, username: &str, lastname: &str) -> String {
    let fields = [
        ("firstname", "Zoë"),
        ("lastname", lastname),
        ("username", username),
        ("email", "somebody@school.example"),
        ("idnumber", ""),
    ];
    done(visitor, "/people/new", "/people/new", &fields).await
}

async fn make_choir(visitor: &mut Visitor) -> String {
    let fields = [
        ("name", "Choir <A>"),
        ("idnumber", "CHOIR-1"),
        ("terms", "Autumn 2026, Spring 2027"),
    ];
    done(visitor, "/sections/new", "/sections/new", &fields).await
}

#[tokio::test]
async fn a_course_without_moodle_is_made_and_filled_by_hand() {
    let (_served, mut admin) = office().await;
    take_up(&mut admin, "zoe", "Prøbe").await;
    take_up(&mut admin, "ada", "Teacher").await;
    let page = make_choir(&mut admin).await;
    assert!(page.contains("Choir &#60;A&#62;"), "{page}");
    assert!(page.contains("Autumn 2026, Spring 2027"), "{page}");
    let enrol = [
        ("who", "zoe"),
        ("role", "student"),
        ("status", "a"),
        ("from", ""),
    ];
    let page = done(&mut admin, "/sections/1", "/sections/1/enrol", &enrol).await;
    assert!(page.contains("Prøbe, Zoë"), "{page}");
    let given = [("who", "ada"), ("change", "came")];
    let page = done(&mut admin, "/sections/1", "/sections/1/teacher", &given).await;
    assert!(page.contains("Zoë Teacher"), "{page}");
    let taken = [("who", "#2"), ("change", "left")];
    let page = done(&mut admin, "/sections/1", "/sections/1/teacher", &taken).await;
    assert!(page.contains("Who taught it"), "{page}");
    assert!(page.contains("<td>left</td>"), "{page}");
}

#[tokio::test]
async fn somebody_withdrawn_keeps_code_note_and_history() {
    let (_served, mut admin) = office().await;
    take_up(&mut admin, "zoe", "Prøbe").await;
    make_choir(&mut admin).await;
    let enrol = [
        ("who", "zoe"),
        ("role", "student"),
        ("status", "a"),
        ("from", ""),
    ];
    done(&mut admin, "/sections/1", "/sections/1/enrol", &enrol).await;
    let withdrawn = [("status", "i"), ("from", ""), ("note", "moved to Bergen")];
    let page = done(
        &mut admin,
        "/enrolments/1",
        "/enrolments/1/status",
        &withdrawn,
    )
    .await;
    assert!(page.contains("Withdrawn (i)"), "{page}");
    assert!(page.contains("Enrolled (a)"), "the history stays: {page}");
    let page = admin.get("/sections/1?meaning=withdrawn").await.text;
    assert!(page.contains("moved to Bergen"), "{page}");

    let marked = [("mark", "yes"), ("note", "typed twice")];
    let page = done(&mut admin, "/enrolments/1", "/enrolments/1/error", &marked).await;
    assert!(page.contains("added in error"), "{page}");
    let page = admin.get("/sections/1").await.text;
    assert!(!page.contains("Prøbe, Zoë"), "{page}");
    let page = admin.get("/sections/1?all=yes").await.text;
    assert!(page.contains("Prøbe, Zoë"), "{page}");
}

#[tokio::test]
async fn what_was_made_by_hand_is_corrected_removed_and_brought_back() {
    let (_served, mut admin) = office().await;
    take_up(&mut admin, "zoe", "Misprint").await;
    make_choir(&mut admin).await;
    let person = [
        ("firstname", "Zoë"),
        ("lastname", "Prøbe"),
        ("username", "zoe"),
        ("email", "zoe@school.example"),
        ("idnumber", "S-1"),
    ];
    let page = done(&mut admin, "/people/1/edit", "/people/1/edit", &person).await;
    assert!(page.contains("Zoë Prøbe") && page.contains("S-1"), "{page}");
    let page = done(&mut admin, "/people/1/edit", "/people/1/remove", &[]).await;
    assert!(page.contains("The row stays"), "{page}");
    assert!(!admin.get("/people").await.text.contains("Prøbe, Zoë"));
    done(&mut admin, "/people/1/edit", "/people/1/edit", &person).await;
    assert!(admin.get("/people").await.text.contains("Prøbe, Zoë"));

    let section = [
        ("name", "Chamber choir"),
        ("idnumber", "CHOIR-1"),
        ("terms", ""),
    ];
    let page = done(&mut admin, "/sections/1/edit", "/sections/1/edit", &section).await;
    assert!(page.contains("Chamber choir"), "{page}");
    assert!(page.contains("<dd>ongoing</dd>"), "{page}");
    let page = done(&mut admin, "/sections/1/edit", "/sections/1/remove", &[]).await;
    assert!(page.contains("The row stays"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_used_is_told_beside_the_form_and_nothing_is_lost() {
    let (_served, mut admin) = office().await;
    make_choir(&mut admin).await;
    let enrol = [
        ("who", "nobody"),
        ("role", "student"),
        ("status", "a"),
        ("from", ""),
    ];
    let page = admin
        .post_from("/sections/1", "/sections/1/enrol", &enrol)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("“nobody”"), "{}", page.text);

    let again = [
        ("name", "Another choir"),
        ("idnumber", "CHOIR-1"),
        ("terms", ""),
    ];
    let page = admin
        .post_from("/sections/new", "/sections/new", &again)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("CHOIR-1"), "{}", page.text);
    assert!(
        page.text.contains("value=\"Another choir\""),
        "{}",
        page.text
    );

    let no_date = [("status", "a"), ("from", "next week"), ("note", "")];
    take_up(&mut admin, "zoe", "Prøbe").await;
    let page = admin
        .post_from("/people/1", "/people/1/school", &no_date)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("2026-07-01"), "{}", page.text);
}

#[tokio::test]
async fn a_reader_sees_everything_and_changes_nothing() {
    let (served, mut admin) = office().await;
    add_account(&served.site, "principal", AccountRole::Reader);
    take_up(&mut admin, "zoe", "Prøbe").await;
    make_choir(&mut admin).await;
    let base = served.site.wwwroot.to_string();
    let mut reader = Visitor::signed_in(&base, "principal").await;
    for path in [
        "/",
        "/people",
        "/people/1",
        "/sections",
        "/sections/1",
        "/sign-in-rights",
        "/activity",
        "/audit",
        "/peers",
    ] {
        let page = reader.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text.contains("<button class=\"danger\""), "{path}");
    }
    let csrf = reader.get("/people").await.csrf();
    for path in [
        "/people/new",
        "/people/1/sign-in",
        "/people/1/school",
        "/sign-in-rights",
        "/sections/new",
        "/sections/1/enrol",
        "/sections/1/teacher",
        "/sections/1/offers",
        "/enrolments/1/status",
        "/accounts/new",
        "/accounts/1",
        "/accounts/1/password",
        "/accounts/1/disabled",
        "/sessions/1/end",
    ] {
        let page = reader.post(path, &[("csrf", &csrf)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/accounts", "/sessions", "/administration", "/people/new"] {
        assert_eq!(
            reader.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_member_sees_their_own_page_alone_and_a_stranger_none() {
    let (served, _admin) = office().await;
    add_account(&served.site, "member", AccountRole::Member);
    let base = served.site.wwwroot.to_string();
    let mut member = Visitor::signed_in(&base, "member").await;
    assert_eq!(member.get("/mine").await.status, StatusCode::OK);
    let mut stranger = Visitor::new(&base);
    for path in [
        "/people",
        "/people/1",
        "/sections",
        "/sections/1",
        "/enrolments/1",
        "/peers",
        "/activity",
        "/audit",
        "/accounts",
        "/sessions",
        "/sign-in-rights",
    ] {
        assert_eq!(
            member.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
        let page = stranger.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(
            page.location.unwrap().starts_with("/sign-in?next="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_an_administrator_did_stands_in_the_audit_log() {
    let (_served, mut admin) = office().await;
    take_up(&mut admin, "zoe", "Prøbe").await;
    done(
        &mut admin,
        "/people/1",
        "/people/1/sign-in",
        &[("right", "allow")],
    )
    .await;
    let rights = [("right", "teacher-")];
    done(&mut admin, "/sign-in-rights", "/sign-in-rights", &rights).await;
    let page = admin.get("/audit").await.text;
    for deed in [
        "person taken up",
        "sign-in allowed",
        "all teachers",
        "127.0.0.1",
    ] {
        assert!(page.contains(deed), "{deed}: {page}");
    }
}

#[tokio::test]
async fn rights_that_were_not_changed_on_the_page_stay() {
    let (served, mut admin) = office().await;
    let stranger = Stranger::new("https://moodle.example");
    let peer = served.site.befriend(&stranger, &[]).0;
    let box_of = |group: &str| format!("name=\"right\" value=\"{group}-{peer}\"");
    let (students, teachers) = (format!("student-{peer}"), format!("teacher-{peer}"));
    let page = admin.get("/sign-in-rights").await.text;
    assert!(page.contains(&box_of("student")), "nobody came yet: {page}");

    // One administrator ticks one box; the other, whose page is older, another.
    let first = [("right", students.as_str())];
    done(&mut admin, "/sign-in-rights", "/sign-in-rights", &first).await;
    let second = [("right", teachers.as_str())];
    let page = done(&mut admin, "/sign-in-rights", "/sign-in-rights", &second).await;
    for group in [&students, &teachers] {
        let was = format!("name=\"was\" value=\"{group}\"");
        assert!(page.contains(&was), "{group}: {page}");
    }
    // And who unticks a box takes that right away.
    let unticked = [("was", students.as_str())];
    let page = done(&mut admin, "/sign-in-rights", "/sign-in-rights", &unticked).await;
    assert!(!page.contains(&format!("name=\"was\" value=\"{students}\"")));
    assert!(page.contains(&format!("name=\"was\" value=\"{teachers}\"")));
}

#[tokio::test]
async fn a_status_is_chosen_and_never_set_by_a_note_alone() {
    let (_served, mut admin) = office().await;
    take_up(&mut admin, "zoe", "Prøbe").await;
    make_choir(&mut admin).await;
    let enrol = [
        ("who", "zoe"),
        ("role", "student"),
        ("status", "a"),
        ("from", ""),
    ];
    done(&mut admin, "/sections/1", "/sections/1/enrol", &enrol).await;
    for (page, form) in [
        ("/enrolments/1", "/enrolments/1/status"),
        ("/people/1", "/people/1/school"),
    ] {
        let shown = admin.get(page).await.text;
        assert!(
            shown.contains("name=\"status\" required><option value=\"\">choose</option>"),
            "{shown}"
        );
        for (fields, kept) in [
            (
                [("status", ""), ("from", "2026-07-02"), ("note", "a cold")],
                "value=\"2026-07-02\"",
            ),
            (
                [("status", "i"), ("from", "next week"), ("note", "a cold")],
                "<option value=\"i\" selected>",
            ),
        ] {
            let refused = admin.post_from(page, form, &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
            for kept in [kept, "value=\"a cold\""] {
                assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
            }
        }
    }
}

#[tokio::test]
async fn an_administrator_ends_sessions_and_takes_accounts_out_of_use() {
    let (served, mut admin) = office().await;
    add_account(&served.site, "member", AccountRole::Member);
    let base = served.site.wwwroot.to_string();
    let mut member = Visitor::signed_in(&base, "member").await;
    let page = done(&mut admin, "/sessions", "/sessions/2/end", &[]).await;
    assert!(!page.contains("of member"), "{page}");
    assert_eq!(member.get("/mine").await.status, StatusCode::SEE_OTHER);

    let mut member = Visitor::signed_in(&base, "member").await;
    let disabled = [("disabled", "yes")];
    done(&mut admin, "/accounts/2", "/accounts/2/disabled", &disabled).await;
    assert_eq!(member.get("/mine").await.status, StatusCode::SEE_OTHER);
    let page = member.sign_in("member", PASSWORD).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);

    let page = admin
        .post_from("/accounts/1", "/accounts/1/disabled", &disabled)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("last administrator"), "{}", page.text);
}

#[tokio::test]
async fn ones_own_password_is_changed_by_who_knows_the_present_one() {
    let (served, mut admin) = office().await;
    let mut fields = [
        ("old", "not the present one"),
        ("password", "another long password"),
        ("again", "another long password"),
    ];
    let page = admin
        .post_from("/mine/password", "/mine/password", &fields)
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    fields[0].1 = PASSWORD;
    done(&mut admin, "/mine/password", "/mine/password", &fields).await;
    let mut other = Visitor::new(served.site.wwwroot.as_str());
    let page = other.sign_in("admin", PASSWORD).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_address_that_a_client_makes_up_is_not_believed() {
    let (served, _admin) = office().await;
    let base = served.site.wwwroot.to_string();
    let mut visitor = Visitor::new(&base);
    visitor.headers = vec![
        ("x-forwarded-for".to_owned(), "198.51.100.7".to_owned()),
        ("x-forwarded-host".to_owned(), "evil.example".to_owned()),
        ("x-forwarded-proto".to_owned(), "https".to_owned()),
    ];
    let page = visitor.sign_in("admin", PASSWORD).await;
    assert_eq!(page.location.as_deref(), Some("/"));
    let page = visitor.get("/sessions").await.text;
    assert!(page.contains("127.0.0.1"), "{page}");
    assert!(!page.contains("198.51.100.7"), "{page}");
    assert!(!page.contains("evil.example"), "{page}");
    // Nor does another made-up address each time get round the limit on attempts.
    let mut attempts = Vec::new();
    let mut visitor = Visitor::new(&base);
    for n in 0..31 {
        visitor.headers = vec![("x-forwarded-for".to_owned(), format!("198.51.100.{n}"))];
        let name = format!("user{n}");
        attempts.push(visitor.sign_in(&name, "wrong wrong wrong").await.status);
    }
    assert!(
        attempts.contains(&StatusCode::TOO_MANY_REQUESTS),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn somebody_taken_up_by_hand_replaces_nobody() {
    let (served, mut admin) = office().await;
    let stranger = Stranger::new("https://moodle.example");
    let peer = served.site.befriend(&stranger, &[]);
    support::sso::take_up(&served.site, Some(peer), user("tom"));
    take_up(&mut admin, "zoe", "Prøbe").await;
    // A name that a peer's person has gets a number.
    let page = take_up(&mut admin, "tom", "Namesake").await;
    assert!(page.contains("tom1"), "{page}");
    let everybody = || support::sso::everybody(&served.site);
    let refuse = async |admin: &mut Visitor, username: &str| {
        let before = everybody();
        let fields = [
            ("firstname", "Somebody"),
            ("lastname", "Else"),
            ("username", username),
            ("email", "else@school.example"),
            ("idnumber", ""),
        ];
        let page = admin.post_from("/people/new", "/people/new", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{username}");
        assert!(page.text.contains("“username”"), "{}", page.text);
        assert_eq!(everybody(), before, "{username}");
    };
    for username in ["zoe", "ZOE", "tom", "tom1"] {
        refuse(&mut admin, username).await;
    }
    let zoe = everybody()
        .into_iter()
        .find(|person| person.fields.username == "zoe")
        .unwrap();
    served
        .site
        .store
        .write(move |tx| people::remove(tx, zoe.id, NOW))
        .await
        .unwrap();
    refuse(&mut admin, "zoe").await;
}

#[tokio::test]
async fn who_loses_the_right_to_sign_in_is_out_for_good() {
    let (served, mut admin) = office().await;
    let stranger = Stranger::new("https://moodle.example");
    let peer = served.site.befriend(&stranger, &support::sso::SSO);
    let person = support::sso::take_up(&served.site, Some(peer), user("tom"));
    let path = format!("/people/{}", person.0);
    let right = format!("{path}/sign-in");
    done(&mut admin, &path, &right, &[("right", "allow")]).await;
    let begin = || support::sso::person_signed_in(&served.site, person, peer);
    let is_over = |live: &Live| {
        let session = support::sso::stored(&served.site, live.session.id);
        session.ended_at.is_some()
    };
    let live = begin();
    done(&mut admin, &path, &right, &[("right", "allow")]).await;
    assert!(!is_over(&live));
    done(&mut admin, &path, &right, &[("right", "deny")]).await;
    assert!(is_over(&live));

    // By the group.
    done(&mut admin, &path, &right, &[("right", "groups")]).await;
    served
        .site
        .store
        .write(move |tx| -> Result<(), RegisterError> {
            let author = Author::Peer { id: peer };
            let section = fields(&[("idnumber", "S1"), ("name", "Biology")]);
            let enrolment = fields(&[("userid", "tom"), ("sectionid", "S1"), ("role", "student")]);
            for (method, argument) in [("new_section", section), ("new_enrolment", enrolment)] {
                let call = Call::parse(method, &[argument])?.unwrap();
                register::apply(tx, &author, &call, NOW)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let rights = [("right", "student-")];
    done(&mut admin, "/sign-in-rights", "/sign-in-rights", &rights).await;
    let live = begin();
    done(&mut admin, "/sign-in-rights", "/sign-in-rights", &rights).await;
    assert!(!is_over(&live));
    let taken = [("was", "student-")];
    done(&mut admin, "/sign-in-rights", "/sign-in-rights", &taken).await;
    assert!(is_over(&live));
}

#[tokio::test]
async fn a_session_that_ends_here_ends_at_once_at_the_peers_it_was_used_at() {
    let (served, mut admin) = office().await;
    let site = &served.site;
    let away = vouching(site, "nobody").await;
    let peer = away.peer(site).id;
    // What ends the newest session, which is used at the peer.
    for (number, deed) in ["sign-in", "password", "own password", "disabled"]
        .into_iter()
        .enumerate()
    {
        // Each with an account of its own: one signs in so often at once and no oftener.
        let name = format!("member{number}");
        add_account(site, &name, AccountRole::Member);
        let account = format!("/accounts/{}", number + 2);
        let mut member = Visitor::signed_in(site.wwwroot.as_str(), &name).await;
        let sessions = site
            .store
            .read_blocking(|tx| sessions::list(tx, &SessionFilter::default(), Page::default()));
        let session = sessions.unwrap().last().unwrap().id;
        let used = site
            .store
            .write(move |tx| sign_on::begin_at_peer(tx, session, peer, "its user agent", NOW));
        used.await.unwrap();
        let chosen = [("password", PASSWORD), ("again", PASSWORD)];
        match deed {
            "sign-in" => {
                let csrf = member.get("/mine").await.csrf();
                let fields = [
                    ("username", name.as_str()),
                    ("password", PASSWORD),
                    ("csrf", csrf.as_str()),
                ];
                member.post("/sign-in", &fields).await;
            }
            "password" => {
                let form = format!("{account}/password");
                done(&mut admin, &account, &form, &chosen).await;
            }
            "own password" => {
                let mut other = Visitor::signed_in(site.wwwroot.as_str(), &name).await;
                let form = "/mine/password";
                let fields = [("old", PASSWORD), chosen[0], chosen[1]];
                done(&mut other, form, form, &fields).await;
            }
            _ => {
                let form = format!("{account}/disabled");
                done(&mut admin, &account, &form, &[("disabled", "yes")]).await;
            }
        }
        until(deed, || away.asked("kill_child").len() > number).await;
        let told = away.asked("kill_child").pop().unwrap();
        assert_eq!(told, [name.into(), "its user agent".into()], "{deed}");
    }
}

#[tokio::test]
async fn teachers_are_led_to_the_gradebooks_they_may_see() {
    let (served, mut admin) = office().await;
    take_up(&mut admin, "ada", "Teacher").await;
    for (name, idnumber) in [("Given", "S-1"), ("Pending", "S-2"), ("Active", "S-3")] {
        let made = [("name", name), ("idnumber", idnumber), ("terms", "")];
        done(&mut admin, "/sections/new", "/sections/new", &made).await;
    }
    let given = [("who", "ada"), ("change", "came")];
    done(&mut admin, "/sections/1", "/sections/1/teacher", &given).await;
    for (section, status) in [("2", "p"), ("3", "a")] {
        let path = format!("/sections/{section}");
        let enrol = [
            ("who", "ada"),
            ("role", "teacher"),
            ("status", status),
            ("from", ""),
        ];
        done(&mut admin, &path, &format!("{path}/enrol"), &enrol).await;
    }
    let account = [
        ("username", "ada"),
        ("firstname", "Ada"),
        ("lastname", "Teacher"),
        ("email", "ada@school.example"),
        ("role", "member"),
        ("person", "1"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    done(&mut admin, "/accounts/new", "/accounts/new", &account).await;
    let mut ada = Visitor::signed_in(served.site.wwwroot.as_str(), "ada").await;
    let page = ada.get("/mine").await.text;
    for (section, may) in [(1, true), (2, false), (3, true)] {
        let path = format!("/sections/{section}/gradebook");
        assert_eq!(page.contains(&path), may, "{section}: {page}");
        let expected = if may {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(ada.get(&path).await.status, expected, "{section}");
    }
}

#[tokio::test]
async fn of_an_account_that_is_changed_the_log_says_how() {
    let (served, mut admin) = office().await;
    add_account(&served.site, "member", AccountRole::Member);
    let page = admin.get("/accounts/2").await.text;
    let value = |name: &str| {
        let (_, rest) = page.split_once(&format!("name=\"{name}\"")).unwrap();
        let (_, rest) = rest.split_once("value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (firstname, lastname) = (value("firstname"), value("lastname"));
    let fields = [
        ("firstname", firstname.as_str()),
        ("lastname", lastname.as_str()),
        ("email", "new@school.example"),
        ("role", "reader"),
    ];
    done(&mut admin, "/accounts/2", "/accounts/2", &fields).await;
    let page = admin.get("/audit").await.text;
    assert!(page.contains("role: member → reader; e-mail: "), "{page}");
    assert!(page.contains(" → new@school.example<"), "{page}");
}

#[tokio::test]
async fn what_other_sites_told_of_an_account_stands_on_its_page() {
    let (served, mut admin) = office().await;
    let stranger = Stranger::new("https://moodle.example");
    let peer = served.site.befriend(&stranger, &[]);
    let entry =
        r#"{"coursename": "Biology <2>", "module": "quiz", "action": "view", "info": "No. 1"}"#;
    served
        .site
        .store
        .write_blocking(move |tx| {
            let at = mnetd::clock::UnixTime(1_790_000_000);
            sign_on::keep_log_entry(tx, peer, AccountId(1), "1", at, entry)
        })
        .unwrap();
    let page = admin.get("/accounts/1").await.text;
    for told in ["Biology &#60;2&#62;", "quiz view No. 1"] {
        assert!(page.contains(told), "{told}: {page}");
    }
}
