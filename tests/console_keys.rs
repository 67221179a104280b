//! Keys in the console: who sees them, and that only an administrator makes new ones.

mod support;

use mnetd::keys::OLD_PAIRS_KEPT;
use mnetd::store::accounts::AccountRole;
use mnetd::store::audit;
use reqwest::StatusCode;
use support::site::{NOW, Served, Site};
use support::visitor::{Visitor, add_account};

async fn site() -> (Served, String) {
    let served = Site::served().await;
    add_account(&served.site, "admin", AccountRole::Administrator);
    add_account(&served.site, "reader", AccountRole::Reader);
    add_account(&served.site, "member", AccountRole::Member);
    let base = served.site.wwwroot.to_string();
    (served, base)
}

fn fingerprint(served: &Served) -> String {
    served.site.certificate().fingerprint().to_string()
}

#[tokio::test]
async fn the_page_shows_what_peers_compare() {
    let (served, base) = site().await;
    let mut reader = Visitor::signed_in(&base, "reader").await;
    let page = reader.get("/keys").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(&fingerprint(&served)));
    let pem = served.site.certificate().pem().to_owned();
    let line = pem.lines().nth(5).unwrap();
    assert!(page.text.contains(line), "{}", page.text);
    assert!(page.text.contains("28 days left") || page.text.contains("27 days left"));
    assert!(!page.text.contains("/keys/rotate"), "no button for readers");
}

#[tokio::test]
async fn an_administrator_makes_a_new_pair_and_it_is_noted() {
    let (served, base) = site().await;
    let before = fingerprint(&served);
    let mut admin = Visitor::signed_in(&base, "admin").await;
    let page = admin.get("/keys/rotate").await;
    assert!(page.text.contains(&before), "{}", page.text);
    let page = admin.post_from("/keys/rotate", "/keys/rotate", &[]).await;
    assert_eq!(page.location.as_deref(), Some("/keys"), "{}", page.text);
    let after = fingerprint(&served);
    assert_ne!(before, after);
    let page = admin.get("/keys").await;
    assert!(page.text.contains(&after));
    assert!(page.text.contains(&before), "the old pair is listed");
    assert!(page.text.contains("until the 3 next new pairs are made"));
    let noted = served
        .site
        .store
        .read_blocking(|tx| audit::list(tx, None, 1))
        .unwrap();
    assert_eq!(noted[0].action, "key rotated");
    assert_eq!(noted[0].actor, "admin");
    assert!(noted[0].details.contains(&after));
}

#[tokio::test]
async fn the_pair_that_is_pushed_out_is_named_before() {
    let (served, base) = site().await;
    let oldest = fingerprint(&served);
    for turn in 0..OLD_PAIRS_KEPT {
        let at = NOW.plus(1 + i64::try_from(turn).unwrap());
        served.site.keys.rotate(at).unwrap();
    }
    let mut admin = Visitor::signed_in(&base, "admin").await;
    let page = admin.get("/keys/rotate").await;
    assert!(page.text.contains(&oldest), "{}", page.text);
    let page = admin.get("/keys").await;
    assert!(page.text.contains("until the next new pair"));
}

#[tokio::test]
async fn nobody_else_makes_a_new_pair() {
    let (served, base) = site().await;
    let before = fingerprint(&served);
    for username in ["reader", "member"] {
        let mut visitor = Visitor::signed_in(&base, username).await;
        let home = if username == "reader" {
            "/keys"
        } else {
            "/network"
        };
        let page = visitor.get("/keys/rotate").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{username}");
        let page = visitor.post_from(home, "/keys/rotate", &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{username}");
    }
    let mut member = Visitor::signed_in(&base, "member").await;
    assert_eq!(member.get("/keys").await.status, StatusCode::FORBIDDEN);
    let page = Visitor::new(&base).get("/keys").await;
    assert_eq!(page.location.as_deref(), Some("/sign-in?next=%2Fkeys"));
    assert_eq!(fingerprint(&served), before);
}

#[tokio::test]
async fn without_the_forms_token_nothing_happens() {
    let (served, base) = site().await;
    let before = fingerprint(&served);
    let mut admin = Visitor::signed_in(&base, "admin").await;
    let page = admin.post("/keys/rotate", &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(fingerprint(&served), before);
}
