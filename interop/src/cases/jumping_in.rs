//! Somebody of a Moodle goes to mnetd.

use url::Url;

use crate::browser::Browser;
use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so, expect_text};
use crate::mnetd_pages::signed_in_on;
use crate::sign_on::SignOn;

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-user-of-moodle-jumps-in",
        shows: "From Moodle's link to the page asked for in mnetd, signed in by name; before an administrator gave the right, refused with words.",
        needs: &[Need::SingleSignOn],
        run: jumps_in,
    },
    Case {
        name: "no-jump-without-the-capability",
        shows: "Where Moodle's role may not roam, its link refuses, and nobody is signed in at mnetd.",
        needs: &[Need::SingleSignOn],
        run: no_jump_without_the_capability,
    },
    Case {
        name: "a-token-into-mnetd-is-good-once",
        shows: "The address that Moodle sends the browser to signs in once; once more it is refused.",
        needs: &[Need::SingleSignOn],
        run: a_token_is_good_once,
    },
    Case {
        name: "a-token-into-mnetd-is-good-in-one-browser",
        shows: "The address that Moodle sends the browser to signs nobody in when another browser opens it.",
        needs: &[Need::SingleSignOn],
        run: a_token_is_good_in_one_browser,
    },
    Case {
        name: "a-link-into-mnetd-leads-nowhere-else",
        shows: "A page asked for that lies at another site is not gone to.",
        needs: &[Need::SingleSignOn],
        run: a_link_leads_nowhere_else,
    },
];

fn jumps_in(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.kim_at_moodle()?;

    let refused = browser.open(&sso.way_to_mnetd("/mine"))?;
    expect_text(
        "what mnetd says to one without the right",
        "has no right to sign in",
        &refused.text(),
    )?;
    expect("who is signed in at mnetd", &None, &signed_in_on(&refused))?;

    sso.let_kim_in()?;
    let page = browser.open(&sso.way_to_mnetd("/mine"))?.well()?;
    expect(
        "the page Kim is at",
        sso.mnetd.page("/mine").as_str(),
        page.url.as_str(),
    )?;
    expect_text(
        "who is signed in at mnetd",
        "Kim Øst",
        &signed_in_on(&page).unwrap_or_default(),
    )?;
    expect_text(
        "where mnetd says one came from",
        "You came from",
        &page.text(),
    )?;
    let sessions = sso.mnetd.json(&["session", "list"])?;
    expect(
        "how many sessions mnetd has",
        &Some(1),
        &sessions.as_array().map(Vec::len),
    )?;

    let again = browser.open(&sso.way_to_mnetd("/mine"))?.well()?;
    expect(
        "the page Kim is at, the second time",
        sso.mnetd.page("/mine").as_str(),
        again.url.as_str(),
    )?;
    Ok(Outcome::Held)
}

fn no_jump_without_the_capability(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    sso.let_users_roam(false)?;
    let mut browser = sso.kim_at_moodle()?;
    let page = browser.open(&sso.way_to_mnetd("/mine"))?;
    expect_so(
        "the browser stays at Moodle",
        page.url.as_str().starts_with(sso.moodle.url()),
        &page.url,
    )?;
    // Moodle's own plugin speaks of the permission, ours of the capability.
    let told = page.text();
    let says_why = told.contains("permission") || told.contains("mnetlogintoremote");
    expect_so("Moodle says why", says_why, &told)?;
    expect(
        "who is signed in at mnetd",
        &None,
        &sso.who_is_at_mnetd(&mut browser)?,
    )?;
    Ok(Outcome::Held)
}

fn a_token_is_good_once(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.kim_at_mnetd()?;
    let landing = landing(&mut browser, &sso)?;
    browser.open(landing.as_str())?.well()?;

    let mut twin = Browser::new()?;
    let page = twin.open(landing.as_str())?;
    expect_text(
        "what mnetd says to a token that was used",
        "used already",
        &page.text(),
    )?;
    expect(
        "who is signed in there",
        &None,
        &sso.who_is_at_mnetd(&mut twin)?,
    )?;
    expect_so(
        "Kim stays signed in",
        sso.who_is_at_mnetd(&mut browser)?.is_some(),
        &"nobody",
    )?;
    Ok(Outcome::Held)
}

fn a_token_is_good_in_one_browser(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    let mut browser = sso.kim_at_mnetd()?;
    let landing = landing(&mut browser, &sso)?;

    let mut other = Browser::calling_itself("Mozilla/5.0 (another browser)")?;
    let page = other.open(landing.as_str())?;
    expect_text(
        "what mnetd says in another browser",
        "does not confirm this sign-in",
        &page.text(),
    )?;
    expect(
        "who is signed in there",
        &None,
        &sso.who_is_at_mnetd(&mut other)?,
    )?;
    Ok(Outcome::Held)
}

fn a_link_leads_nowhere_else(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    sso.kim_at_mnetd()?;
    for elsewhere in [
        "//elsewhere.example/",
        "https://elsewhere.example/",
        "/\\elsewhere.example",
        "javascript:alert(1)",
    ] {
        let mut browser = sso.kim_at_moodle()?;
        let page = browser.open(&sso.way_to_mnetd(elsewhere))?;
        // Some plugins refuse at Moodle already.
        let url = page.url.as_str();
        let home = url.starts_with(&sso.mnetd.url()) || url.starts_with(sso.moodle.url());
        expect_so(&format!("{elsewhere} leads nowhere else"), home, &url)?;
    }
    Ok(Outcome::Held)
}

/// The address at mnetd that Moodle sends a browser to: it holds the token.
fn landing(browser: &mut Browser, sso: &SignOn<'_>) -> Held<Url> {
    browser.way_out_of(sso.moodle.url(), &sso.way_to_mnetd("/mine"))
}
