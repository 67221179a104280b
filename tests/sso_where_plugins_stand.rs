//! A Moodle has single sign-on in its own plugin, in ours (from 5.0 on the only one), or in both.

mod support;

use mnetd::peer::{PLUGIN_JUMP_PATH, PLUGIN_LAND_PATH};
use mnetd::sso::{LandError, Landing, Token};
use mnetd::store::sessions::SignedIn;
use mnetd::xmlrpc::{MethodResponse, Value};
use support::site::{Site, user};
use support::sso::{
    Played, account, everybody, fault, firefox, let_all_in, moodles_account, signed_in, sso,
    stored, success, take_up, token_of,
};

const STOCK: &str = "auth/mnet/auth.php";
const OURS: &str = "auth/mnetd/auth.php";

/// The functions of single sign-on in each of some plugins.
fn listed(plugins: &[&str]) -> MethodResponse {
    let functions = ["user_authorise", "kill_children", "kill_child"];
    let paths = plugins
        .iter()
        .flat_map(|plugin| functions.map(|function| Value::from(format!("{plugin}/{function}"))));
    success(Value::Array(paths.collect()))
}

/// A Moodle with both plugins, where the plugin `knows` answers to a token as `answer` says, and the other knows
/// of no session.
async fn with_both(site: &Site, knows: &'static str, answer: fn() -> MethodResponse) -> Played {
    Played::beside(site, move |method, _| match method {
        "system/listMethods" => listed(&[STOCK, OURS]),
        method if method == format!("{knows}/user_authorise") => answer(),
        method if method.ends_with("user_authorise") => fault(1, "no such session"),
        method if method == format!("{knows}/kill_children") => success("ended"),
        method if method.ends_with("kill_children") => fault(1, "no such session"),
        _ => fault(7018, "no such method"),
    })
    .await
}

fn tommy() -> MethodResponse {
    let mut account = moodles_account("", "tommy");
    account.remove("wwwroot");
    success(account)
}

fn coming(peer: &Played) -> Landing {
    token_of(peer.stranger.wwwroot.as_str(), "a-token-of-forty-digits")
}

#[tokio::test]
async fn whichever_plugin_made_the_token_confirms_it() {
    for plugin in [STOCK, OURS] {
        let site = Site::new("https://register.example");
        let moodle = with_both(&site, plugin, tommy).await;
        let first = sso(&site).land(coming(&moodle)).await;
        assert!(
            matches!(first, Err(LandError::NotPermitted { .. })),
            "{plugin}: {first:?}"
        );
        assert_eq!(everybody(&site).len(), 1, "{plugin}");
    }
}

/// Moodle's list has each function's name once: ours hides Moodle's own there.
#[tokio::test]
async fn moodles_own_plugin_is_asked_where_ours_hides_it_in_the_list() {
    for (is_there, asked) in [(true, 2), (false, 1)] {
        let site = Site::new("https://register.example");
        let moodle = Played::beside(&site, move |method, _| match method {
            "system/listMethods" => listed(&[OURS]),
            "system/methodHelp" if is_there => success("Says whose token it is."),
            "system/methodHelp" => success(false),
            method if method == format!("{STOCK}/user_authorise") => tommy(),
            _ => fault(1, "no such session"),
        })
        .await;
        let landed = sso(&site).land(coming(&moodle)).await;
        let is_known = matches!(landed, Err(LandError::NotPermitted { .. }));
        assert_eq!(is_known, is_there, "{landed:?}");
        assert_eq!(moodle.asked("user_authorise").len(), asked);
    }
}

#[tokio::test]
async fn a_plugin_that_knows_the_token_and_refuses_it_has_the_last_word() {
    let site = Site::new("https://register.example");
    let moodle = with_both(&site, OURS, || fault(2, "too late")).await;
    let refused = sso(&site).land(coming(&moodle)).await;
    assert!(
        matches!(refused, Err(LandError::NotConfirmed { code: 2, .. })),
        "{refused:?}"
    );
    let asked = moodle.asked("user_authorise");
    assert_eq!(asked.len(), 1, "the other plugin was asked too: {asked:?}");
}

#[tokio::test]
async fn a_token_that_no_plugin_knows_is_refused_by_all() {
    let site = Site::new("https://register.example");
    let moodle = with_both(&site, "auth/none/auth.php", tommy).await;
    let refused = sso(&site).land(coming(&moodle)).await;
    assert!(
        matches!(refused, Err(LandError::NotConfirmed { code: 1, .. })),
        "{refused:?}"
    );
    assert_eq!(moodle.asked("user_authorise").len(), 2);
}

#[tokio::test]
async fn a_peer_that_lists_hundreds_of_plugins_is_not_asked_hundreds_of_times() {
    let site = Site::new("https://register.example");
    let moodle = Played::beside(&site, |method, _| match method {
        "system/listMethods" => {
            let paths = (0..100).map(|n| Value::from(format!("auth/p{n}/auth.php/user_authorise")));
            success(Value::Array(paths.collect()))
        }
        _ => fault(1, "no such session"),
    })
    .await;
    sso(&site).land(coming(&moodle)).await.unwrap_err();
    assert_eq!(moodle.asked("user_authorise").len(), 3);
}

#[tokio::test]
async fn a_log_out_reaches_both_plugins_and_one_that_knows_the_session_is_enough() {
    for plugin in [STOCK, OURS] {
        let site = Site::new("https://register.example");
        let moodle = with_both(&site, plugin, tommy).await;
        let sso = sso(&site);
        sso.land(coming(&moodle)).await.unwrap_err();
        let_all_in(&site);
        let again = Landing {
            token: Token::presented("another-token-of-forty-digits"),
            ..coming(&moodle)
        };
        let landed = sso.land(again).await.unwrap();
        assert!(matches!(
            stored(&site, landed.session).who,
            SignedIn::Person { .. }
        ));
        let live = support::sso::alive(&site, &landed.token).unwrap();
        let _ = sso.sign_out(&live).await;
        assert_eq!(moodle.asked("kill_children").len(), 2, "{plugin}");
    }
}

#[tokio::test]
async fn a_jump_goes_to_the_page_of_our_plugin_where_the_peer_has_it() {
    for (plugins, page) in [
        (&[STOCK][..], "/auth/mnet/land.php"),
        (&[OURS][..], PLUGIN_LAND_PATH),
        (&[STOCK, OURS][..], PLUGIN_LAND_PATH),
        (&[][..], "/auth/mnet/land.php"),
    ] {
        let site = Site::new("https://register.example");
        let moodle = Played::beside(&site, move |_, _| listed(plugins)).await;
        let person = take_up(&site, None, user("L-7"));
        let live = signed_in(&site, account(&site, "zoe", Some(person)));
        let link = sso(&site)
            .jump(&live, firefox(), &moodle.peer(&site), "/")
            .await
            .unwrap();
        let expected = format!("{}{page}?token=", moodle.stranger.wwwroot);
        assert!(link.starts_with(&expected), "{plugins:?}: {link}");
    }
}

#[tokio::test]
async fn a_moodle_that_took_us_for_one_with_the_plugin_finds_both_pages() {
    let served = Site::served().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    for (path, stock) in [
        (PLUGIN_LAND_PATH, "/auth/mnet/land.php"),
        (PLUGIN_JUMP_PATH, "/auth/mnet/jump.php"),
    ] {
        let ask = |path| client.get(format!("{}{path}", served.site.wwwroot)).send();
        let (ours, stock) = (ask(path).await.unwrap(), ask(stock).await.unwrap());
        assert_ne!(ours.status(), 404, "{path}");
        assert_eq!(ours.status(), stock.status(), "{path}");
    }
}
