//! Signing in to the console by password: who gets in, what a session is good for, and what is refused.

mod support;

use mnetd::register::MAX_USERNAME;
use mnetd::sso::accounts;
use mnetd::sso::session::{ABSOLUTE_LIMIT, IDLE_LIMIT};
use mnetd::store::accounts::AccountRole;
use reqwest::StatusCode;
use support::site::{NOW, Served, Site};
use support::visitor::{PASSWORD, Visitor, add_account};

async fn site_with_admin() -> (Served, String) {
    let served = Site::served().await;
    add_account(&served.site, "admin", AccountRole::Administrator);
    let base = served.site.wwwroot.to_string();
    (served, base)
}

#[tokio::test]
async fn with_the_password_one_is_in_and_after_signing_out_one_is_not() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    assert!(visitor.get("/").await.text.contains("Ada of admin"));
    let kept = visitor.cookies.clone();
    let page = visitor.post_from("/", "/sign-out", &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(!visitor.get("/").await.text.contains("Ada of admin"));
    // The old cookie, kept by somebody else, opens nothing any more.
    visitor.cookies = kept;
    assert!(!visitor.get("/").await.text.contains("Ada of admin"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_refused_in_the_same_words() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::new(&base);
    let wrong = visitor.sign_in("admin", "wrong wrong wrong").await;
    let unknown = visitor.sign_in("nobody", PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert_eq!(unknown.status, StatusCode::FORBIDDEN);
    let words = |text: &str| text.replace("value=\"nobody\"", "value=\"admin\"");
    assert_eq!(words(&wrong.text), words(&unknown.text));
}

#[tokio::test]
async fn too_many_attempts_have_to_wait_even_with_the_right_password() {
    let (served, base) = site_with_admin().await;
    let mut visitor = Visitor::new(&base);
    for _ in 0..5 {
        let page = visitor.sign_in("admin", "wrong wrong wrong").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    let page = visitor.sign_in("admin", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text.contains("too many attempts"), "{}", page.text);
    served.site.clock.advance(60);
    let page = visitor.sign_in("admin", PASSWORD).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
}

#[tokio::test]
async fn right_passwords_do_not_count_as_attempts() {
    let (_served, base) = site_with_admin().await;
    for _ in 0..8 {
        Visitor::signed_in(&base, "admin").await;
    }
}

#[tokio::test]
async fn a_name_longer_than_any_account_has_is_refused_in_the_same_words_and_not_counted() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::new(&base);
    let (longest, longer) = ("é".repeat(MAX_USERNAME), "é".repeat(MAX_USERNAME + 1));
    for _ in 0..40 {
        let page = visitor.sign_in(&longer, PASSWORD).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.text.contains("do not fit"), "{}", page.text);
    }
    for _ in 0..5 {
        let page = visitor.sign_in(&longest, PASSWORD).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    let page = visitor.sign_in(&longest, PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_at_its_last_moment() {
    let (served, base) = site_with_admin().await;
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    let is_in = async |visitor: &mut Visitor| visitor.get("/").await.text.contains("Ada of admin");
    served.site.clock.set(NOW.plus(IDLE_LIMIT - 1));
    assert!(is_in(&mut visitor).await);
    served.site.store.flush().await.unwrap();
    served.site.clock.set(NOW.plus(2 * IDLE_LIMIT - 2));
    assert!(is_in(&mut visitor).await, "heard of in the meantime");
    served.site.store.flush().await.unwrap();
    served.site.clock.set(NOW.plus(3 * IDLE_LIMIT));
    assert!(!is_in(&mut visitor).await, "idle for too long");

    served.site.clock.set(NOW);
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    let mut at = 0;
    while at + IDLE_LIMIT / 2 < ABSOLUTE_LIMIT {
        at += IDLE_LIMIT / 2;
        served.site.clock.set(NOW.plus(at));
        assert!(is_in(&mut visitor).await, "after {at} s");
        served.site.store.flush().await.unwrap();
    }
    served.site.clock.set(NOW.plus(ABSOLUTE_LIMIT));
    assert!(!is_in(&mut visitor).await, "its time is over");
}

#[tokio::test]
async fn a_planted_session_is_not_the_one_signed_in_to() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::new(&base);
    let planted = "0123456789abcdef".repeat(4);
    visitor
        .cookies
        .insert("mnetd_session".to_owned(), planted.clone());
    visitor.sign_in("admin", PASSWORD).await;
    assert_ne!(visitor.cookies["mnetd_session"], planted);
    let mut attacker = Visitor::new(&base);
    attacker.cookies.insert("mnetd_session".to_owned(), planted);
    assert!(!attacker.get("/").await.text.contains("Ada of admin"));
}

#[tokio::test]
async fn who_signs_in_again_leaves_the_session_before() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    let first = visitor.cookies.clone();
    let csrf = visitor.get("/").await.csrf();
    let fields = [
        ("username", "admin"),
        ("password", PASSWORD),
        ("csrf", csrf.as_str()),
    ];
    visitor.post("/sign-in", &fields).await;
    assert_ne!(visitor.cookies["mnetd_session"], first["mnetd_session"]);
    visitor.cookies = first;
    assert!(!visitor.get("/").await.text.contains("Ada of admin"));
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    let csrf = visitor.get("/").await.csrf();
    let refused = async |visitor: &mut Visitor, fields: &[(&str, &str)]| {
        let page = visitor.post("/sign-out", fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{fields:?}");
        assert!(visitor.get("/").await.text.contains("Ada of admin"));
    };
    refused(&mut visitor, &[]).await;
    refused(&mut visitor, &[("csrf", "")]).await;
    refused(&mut visitor, &[("csrf", &"0".repeat(64))]).await;
    // Not even with the right token, where the browser names another origin.
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        visitor.headers = vec![(name.to_owned(), value.to_owned())];
        refused(&mut visitor, &[("csrf", &csrf)]).await;
    }
    visitor.headers = vec![("origin".to_owned(), base.clone())];
    let page = visitor.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_token_of_one_visitor_is_none_of_another() {
    let (_served, base) = site_with_admin().await;
    let foreign = Visitor::new(&base).get("/sign-in").await.csrf();
    let mut visitor = Visitor::new(&base);
    visitor.get("/sign-in").await;
    let fields = [
        ("username", "admin"),
        ("password", PASSWORD),
        ("csrf", foreign.as_str()),
    ];
    let page = visitor.post("/sign-in", &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!visitor.cookies.contains_key("mnetd_session"));
}

#[tokio::test]
async fn after_signing_in_one_stays_on_this_site() {
    let (_served, base) = site_with_admin().await;
    for outside in ["//evil.example", "/\\evil.example", "https://evil.example"] {
        let mut visitor = Visitor::new(&base);
        let fields = [
            ("username", "admin"),
            ("password", PASSWORD),
            ("next", outside),
        ];
        let page = visitor.post_from("/sign-in", "/sign-in", &fields).await;
        assert_eq!(page.location.as_deref(), Some("/"), "{outside}");
    }
}

#[tokio::test]
async fn every_page_forbids_scripts_frames_and_foreign_forms() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::new(&base);
    for path in ["/", "/sign-in", "/no/such/page"] {
        let page = visitor.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "form-action 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn the_setup_link_makes_one_administrator_and_is_gone() {
    let served = Site::served().await;
    let base = served.site.wwwroot.to_string();
    let link = served
        .site
        .store
        .write(|tx| accounts::make_setup_link(tx, NOW))
        .await
        .unwrap()
        .unwrap();
    let path = format!("/setup?token={}", link.reveal());
    let fields = [
        ("token", link.reveal()),
        ("username", "head"),
        ("firstname", "Grace"),
        ("lastname", "Hopper"),
        ("email", "head@school.example"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let mut visitor = Visitor::new(&base);
    let mut short = fields;
    short[5].1 = "short";
    let page = visitor.post_from(&path, "/setup", &short).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("at least 12"), "{}", page.text);

    let page = visitor.post_from(&path, "/setup", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert!(visitor.get("/").await.text.contains("Grace Hopper"));

    let page = Visitor::new(&base).get(&path).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("not good any more"), "{}", page.text);
}

#[tokio::test]
async fn a_setup_link_that_is_not_the_one_or_is_a_day_old_opens_nothing() {
    let served = Site::served().await;
    let base = served.site.wwwroot.to_string();
    let link = served
        .site
        .store
        .write(|tx| accounts::make_setup_link(tx, NOW))
        .await
        .unwrap()
        .unwrap();
    let mut visitor = Visitor::new(&base);
    let other = format!("/setup?token={}", "0".repeat(64));
    for path in ["/setup", "/setup?token=", &other] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    served
        .site
        .clock
        .set(NOW.plus(accounts::SETUP_LINK_LIFETIME + 1));
    let page = visitor
        .get(&format!("/setup?token={}", link.reveal()))
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn without_the_setup_link_nothing_else_of_the_form_is_looked_at() {
    let served = Site::served().await;
    let base = served.site.wwwroot.to_string();
    let other = "0".repeat(64);
    let mut visitor = Visitor::new(&base);
    let fields = [
        ("token", other.as_str()),
        ("username", "head"),
        ("firstname", "Grace"),
        ("lastname", "Hopper"),
        ("email", "head@school.example"),
        // Refused for itself, were it looked at.
        ("password", "short"),
        ("again", "short"),
    ];
    let page = visitor.post_from("/sign-in", "/setup", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("not good any more"), "{}", page.text);
}

#[tokio::test]
async fn an_address_that_does_not_fit_is_told_on_a_page_of_ours() {
    let (_served, base) = site_with_admin().await;
    let mut visitor = Visitor::signed_in(&base, "admin").await;
    for (path, status) in [
        ("/people/nobody", StatusCode::NOT_FOUND),
        ("/people/99999999999999999999", StatusCode::NOT_FOUND),
        ("/assessments/1/grades/x", StatusCode::NOT_FOUND),
        ("/people?after=somebody", StatusCode::UNPROCESSABLE_ENTITY),
        ("/sign-in?next=a&next=b", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert!(page.text.contains("Ada of admin"), "{path}: {}", page.text);
        for name in ["content-security-policy", "x-content-type-options"] {
            assert!(page.headers.contains_key(name), "{path}: {name}");
        }
    }
}
