//! A wwwroot with a path, such as `https://school.example/people`: every address is there with the path in
//! front, and without it where a reverse proxy takes it off; also where the path is that of a page.

mod support;

use mnetd::store::accounts::AccountRole;
use reqwest::{Method, StatusCode};
use support::site::{Served, Site};
use support::sso::{let_all_in, vouching};
use support::visitor::{PASSWORD, Visitor, add_account};
use tokio::net::TcpListener;

const TOKEN: &str = "3641aaca182eaa7c3cdd74935267447af5d0de7b";

/// The path of a page, the beginning of one's, and one of two segments.
const PATHS: [&str; 3] = ["/people", "/a", "/moodle/school"];

async fn served_under(path: &str) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = Site::new(&format!("http://{address}{path}")).serve(listener);
    add_account(&served.site, "admin", AccountRole::Administrator);
    served
}

/// A browser in front of a reverse proxy that leaves the path as it is, and one in front of a proxy that
/// takes it off.
fn browsers(served: &Served) -> [Visitor; 2] {
    let kept = Visitor::new(served.site.wwwroot.as_str());
    let taken_off = Visitor::new(&format!("http://{}", served.address));
    [kept, taken_off]
}

#[tokio::test]
async fn mnet_and_the_console_are_found_with_the_path_and_without() {
    for path in PATHS {
        let served = served_under(path).await;
        for mut visitor in browsers(&served) {
            let base = visitor.base.clone();
            for (path, status, text) in [
                ("/healthz", StatusCode::OK, "ok"),
                ("/mnet/publickey.php", StatusCode::OK, "BEGIN CERTIFICATE"),
                (
                    "/mnet/xmlrpc/server.php",
                    StatusCode::METHOD_NOT_ALLOWED,
                    "MNet calls",
                ),
                (
                    "/api/xmlrpc/server.php",
                    StatusCode::METHOD_NOT_ALLOWED,
                    "MNet calls",
                ),
                ("/", StatusCode::OK, "Sign in"),
                (
                    "/no/such/page",
                    StatusCode::NOT_FOUND,
                    "nothing at this address",
                ),
            ] {
                let page = visitor.get(path).await;
                assert_eq!(page.status, status, "{base}{path}: {}", page.text);
                assert!(page.text.contains(text), "{base}{path}: {}", page.text);
            }
        }
        // The wwwroot itself, as people type it and as Moodle reads the site's name from it.
        let home = Visitor::new(served.site.wwwroot.as_str()).get("").await;
        assert_eq!(home.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_wanted() {
    for path in PATHS {
        let served = served_under(path).await;
        for mut visitor in browsers(&served) {
            let base = visitor.base.clone();
            for (wanted, next) in [
                ("/accounts", "%2Faccounts"),
                ("/people/new", "%2Fpeople%2Fnew"),
                ("/activity?to=/a/b", "%2Factivity%3Fto%3D%2Fa%2Fb"),
            ] {
                visitor.cookies.clear();
                let page = visitor.get(wanted).await;
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{base}{wanted}");
                let sign_in = format!("{path}/sign-in?next={next}");
                assert_eq!(page.location.as_deref(), Some(sign_in.as_str()), "{base}");
                let form = format!("/sign-in?next={next}");
                let shown = visitor.get(&form).await;
                let text = format!("action=\"{path}/sign-in\"");
                assert!(shown.text.contains(&text), "{base}: {}", shown.text);
                let fields = [
                    ("username", "admin"),
                    ("password", PASSWORD),
                    ("next", wanted),
                ];
                let page = visitor.post_from(&form, "/sign-in", &fields).await;
                let page_wanted = format!("{path}{wanted}");
                assert_eq!(
                    page.location.as_deref(),
                    Some(page_wanted.as_str()),
                    "{base}"
                );
                let page = visitor.get(wanted).await;
                assert_eq!(page.status, StatusCode::OK, "{base}{wanted}: {}", page.text);
            }
        }
    }
}

#[tokio::test]
async fn landings_and_jumps_work_there() {
    for path in PATHS {
        let served = served_under(path).await;
        let peer = vouching(&served.site, "tom").await;
        let idp = peer.stranger.wwwroot.to_string();
        for (number, mut visitor) in browsers(&served).into_iter().enumerate() {
            let base = visitor.base.clone();
            let land = |token: &str| {
                format!("/auth/mnet/land.php?token={token}{number}&idp={idp}&wantsurl=/mine")
            };
            // The first landing makes the person, who may not sign in yet.
            if number == 0 {
                visitor.get(&land("anothertoken")).await;
                let_all_in(&served.site);
            }
            let page = visitor.get(&land(TOKEN)).await;
            let mine = served.site.wwwroot.join("/mine");
            assert_eq!(
                page.location.as_deref(),
                Some(mine.as_str()),
                "{base}: {}",
                page.text
            );
            let page = visitor.get("/mine").await;
            assert!(page.text.contains("Tommy"), "{base}: {}", page.text);

            visitor.cookies.clear();
            let jump = format!("/auth/mnet/jump.php?hostwwwroot={idp}");
            let page = visitor.get(&jump).await;
            let location = page.location.unwrap();
            let sign_in = format!("{path}/sign-in?next=%2Fauth%2Fmnet%2Fjump.php%3F");
            assert!(location.starts_with(&sign_in), "{base}: {location}");
            visitor.sign_in("admin", PASSWORD).await;
            let page = visitor.get(&jump).await;
            let location = page.location.unwrap();
            let there = format!("{idp}/auth/mnet/land.php?");
            assert!(location.starts_with(&there), "{base}: {location}");
        }
    }
}

#[tokio::test]
async fn whoever_only_asks_whether_a_landing_answers_uses_no_token_up() {
    let served = served_under("").await;
    let peer = vouching(&served.site, "tom").await;
    let idp = peer.stranger.wwwroot.to_string();
    let address = served
        .site
        .wwwroot
        .join(&format!("/auth/mnet/land.php?token={TOKEN}&idp={idp}"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for door in [address.clone(), address.replace("land", "jump")] {
        let answer = client.request(Method::HEAD, door).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "GET");
    }
    assert!(peer.methods().is_empty());
    client.get(address).send().await.unwrap();
    assert_eq!(peer.asked("user_authorise").len(), 1);
}
