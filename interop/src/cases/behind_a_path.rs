//! A Moodle whose address has a path.

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Failure, Held, expect, expect_so, expect_text};
use crate::introduction::introduce;
use crate::mnetd_pages::signed_in_on;
use crate::moodle::Moodle;
use crate::sign_on::{KIM, SignOn, pupil};
use crate::waiting::{Look, PATIENCE, until};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-moodle-behind-a-path-sends-its-users",
        shows: "A Moodle at …/moodle is registered, and a user made there is in the register.",
        needs: &[Need::PathMoodle],
        run: sends_its_users,
    },
    Case {
        name: "one-jumps-both-ways-with-a-moodle-behind-a-path",
        shows: "From a Moodle at …/moodle to mnetd and, as somebody else, back, each to the page asked for.",
        needs: &[Need::PathMoodle],
        run: jumps_both_ways,
    },
];

fn sends_its_users(scene: &Scene) -> Held<Outcome> {
    let moodle = behind_a_path(scene)?;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;
    pupil(moodle, KIM, "Kim", "Øst")?;
    until("Kim in the register", PATIENCE, || {
        moodle.send_queue(&mnetd.url())?;
        let there: i64 = mnetd.one(
            "SELECT count(*) FROM person WHERE sent_username = ?1",
            [KIM],
        )?;
        Ok(if there == 1 {
            Look::There(())
        } else {
            Look::NotYet(format!("{there} rows"))
        })
    })?;
    Ok(Outcome::Held)
}

fn jumps_both_ways(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::at(behind_a_path(scene)?, scene.mnetd()?)?;
    let mut browser = sso.kim_at_mnetd()?;
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

    let mut browser = sso.zora_at_mnetd()?;
    let page = browser.open(&sso.way_to_moodle("/user/profile.php"))?;
    let there = page
        .url
        .as_str()
        .starts_with(&sso.moodle.page("/user/profile.php"));
    expect_so("Zora is at the page asked for", there, &page.url)?;
    let who = sso.who_is_at_moodle(&mut browser)?;
    expect_text(
        "who is signed in at Moodle",
        "Zora Šebek",
        &who.unwrap_or_default(),
    )?;
    Ok(Outcome::Held)
}

fn behind_a_path(scene: &Scene) -> Held<&Moodle> {
    scene.under_path.as_ref().ok_or_else(|| Failure::Shape {
        what: "--path-moodle".to_owned(),
        expected: "Moodle",
        seen: "nothing".to_owned(),
    })
}
