//! Somebody of mnetd's goes to a Moodle.

use serde_json::{Value as Json, json};
use url::Url;

use crate::browser::{Browser, ORDINARY};
use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so, expect_text};
use crate::mnetd_pages;
use crate::sign_on::{SignOn, ZORA};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "an-account-of-mnetd-jumps-out",
        shows: "From mnetd's link to the page asked for in Moodle, signed in by name, as a user of that peer.",
        needs: &[Need::SingleSignOn],
        run: jumps_out,
    },
    Case {
        name: "who-is-not-signed-in-signs-in-on-the-way-out",
        shows: "mnetd's link to Moodle asks for name and password first, and then goes on to Moodle.",
        needs: &[Need::SingleSignOn],
        run: signs_in_on_the_way,
    },
    Case {
        name: "a-token-into-moodle-is-good-once-and-in-one-browser",
        shows: "The address that mnetd sends the browser to signs nobody in when it was used, nor in another browser.",
        needs: &[Need::SingleSignOn],
        run: a_token_is_good_once,
    },
    Case {
        name: "who-came-from-a-peer-does-not-go-on-to-another",
        shows: "A user of Moodle who came to mnetd is not vouched for by mnetd, and is told to start from Moodle.",
        needs: &[Need::SingleSignOn],
        run: no_second_jump,
    },
];

fn jumps_out(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.zora_at_mnetd()?;
    let page = browser.open(&sso.way_to_moodle("/user/profile.php"))?;
    expect_so(
        "Zora is at the page asked for",
        page.url.path().ends_with("/user/profile.php"),
        &page.url,
    )?;
    expect_text(
        "who is signed in at Moodle",
        "Zora Šebek",
        &signed_in(&sso, &mut browser)?,
    )?;

    let user = known_user(&sso)?;
    expect(
        "Zora's last name in Moodle",
        &json!("Šebek"),
        &user["lastname"],
    )?;
    let by_single_sign_on = user["auth"]
        .as_str()
        .is_some_and(|auth| auth.starts_with("mnet"));
    expect_so(
        "Moodle lets Zora in by single sign-on alone",
        by_single_sign_on,
        &user["auth"],
    )?;
    Ok(Outcome::Held)
}

fn signs_in_on_the_way(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = Browser::new()?;
    let asked = browser.open(&sso.way_to_moodle("/user/profile.php"))?;
    expect_so(
        "one is asked to sign in at mnetd",
        asked.url.as_str().starts_with(&sso.mnetd.url()),
        &asked.url,
    )?;
    let page = mnetd_pages::sign_in_at(&mut browser, &asked, &sso.zora)?;
    expect_so(
        "Zora is at the page asked for",
        page.url.path().ends_with("/user/profile.php"),
        &page.url,
    )?;
    expect_text(
        "who is signed in at Moodle",
        "Zora Šebek",
        &signed_in(&sso, &mut browser)?,
    )?;
    Ok(Outcome::Held)
}

fn a_token_is_good_once(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.zora_at_mnetd()?;

    let fresh = landing(&mut browser, &sso)?;
    nobody_comes_in(&sso, &fresh, "Mozilla/5.0 (another browser)")?;

    let used = landing(&mut browser, &sso)?;
    browser.open(used.as_str())?;
    expect_text(
        "who is signed in at Moodle",
        "Zora Šebek",
        &signed_in(&sso, &mut browser)?,
    )?;
    nobody_comes_in(&sso, &used, ORDINARY)?;
    Ok(Outcome::Held)
}

fn no_second_jump(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.kim_at_mnetd()?;
    let page = browser.open_only(&sso.way_to_moodle("/my/"))?;
    expect("where mnetd sends Kim on to", &None, &page.location)?;
    expect_so(
        "mnetd says why",
        !page.complaints().is_empty(),
        &page.text(),
    )?;
    Ok(Outcome::Held)
}

fn nobody_comes_in(sso: &SignOn<'_>, landing: &Url, user_agent: &str) -> Held {
    let mut other = Browser::calling_itself(user_agent)?;
    other.open(landing.as_str())?;
    expect(
        "who comes in by a token that is not theirs",
        &None,
        &sso.who_is_at_moodle(&mut other)?,
    )
}

fn signed_in(sso: &SignOn<'_>, browser: &mut Browser) -> Held<String> {
    Ok(sso
        .who_is_at_moodle(browser)?
        .unwrap_or_else(|| "nobody".to_owned()))
}

fn known_user(sso: &SignOn<'_>) -> Held<Json> {
    sso.moodle.provision(
        "user-get",
        &json!({"username": ZORA, "wwwroot": sso.mnetd.url()}),
    )
}

/// The address at Moodle that mnetd sends a browser to: it holds the token.
fn landing(browser: &mut Browser, sso: &SignOn<'_>) -> Held<Url> {
    browser.way_out_of(&sso.mnetd.url(), &sso.way_to_moodle("/user/profile.php"))
}
