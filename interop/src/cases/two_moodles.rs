//! Two Moodles feed one register, and both have a user of the same name.

use serde_json::json;

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Failure, Held, expect, expect_so, expect_text};
use crate::introduction::introduce;
use crate::mnetd::Mnetd;
use crate::mnetd_pages::signed_in_on;
use crate::moodle::Moodle;
use crate::sign_on::{KIM, SignOn, pupil};
use crate::waiting::{Look, PATIENCE, until};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "users-of-two-moodles-with-one-name-stay-apart",
        shows: "Both Moodles send a user interop-kim: two rows, the later under a free name, with both spellings shown.",
        needs: &[Need::LocalMnetd, Need::SecondMoodle],
        run: stay_apart,
    },
    Case {
        name: "each-kim-lands-on-their-own-row",
        shows: "Each interop-kim jumps in from their own Moodle and is signed in as who they are there.",
        needs: &[Need::LocalMnetd, Need::SingleSignOn, Need::SecondMoodle],
        run: each_lands_on_their_own_row,
    },
];

fn stay_apart(scene: &Scene) -> Held<Outcome> {
    let (first, second) = both(scene)?;
    let mut mnetd = scene.mnetd()?;
    introduce(first, &mut mnetd)?;
    introduce(second, &mut mnetd)?;
    send_kim(first, &mnetd, "Østlund")?;
    send_kim(second, &mnetd, "Vestergaard")?;

    let names = spellings(&mnetd)?;
    expect(
        "the names here of those whom the Moodles call interop-kim",
        &vec![
            (first.url().to_owned(), KIM.to_owned(), "Østlund".to_owned()),
            (
                second.url().to_owned(),
                format!("{KIM}1"),
                "Vestergaard".to_owned(),
            ),
        ],
        &names,
    )?;
    let listed = mnetd.run(&["register", "users", "--format", "json"])?;
    expect_text(
        "the name here, in the list",
        &format!("\"{KIM}1\""),
        &listed,
    )?;
    expect_text(
        "the name there, in the list",
        &format!("\"{KIM}\""),
        &listed,
    )?;
    Ok(Outcome::HeldWith(format!("{KIM} and {KIM}1")))
}

fn each_lands_on_their_own_row(scene: &Scene) -> Held<Outcome> {
    let (first, second) = both(scene)?;
    let at_first = SignOn::at(first, scene.mnetd()?)?;
    pupil(first, KIM, "Kim", "Østlund")?;
    lands(&at_first, "Kim Østlund")?;

    let at_second = at_first.also_at(second)?;
    pupil(second, KIM, "Kim", "Vestergaard")?;
    lands(&at_second, "Kim Vestergaard")?;

    let rows: i64 = at_second.mnetd.one(
        "SELECT count(*) FROM person WHERE sent_username = ?1",
        [KIM],
    )?;
    expect("how many rows there are of that name", &2, &rows)?;
    Ok(Outcome::Held)
}

/// Kim jumps in and is who they are.
fn lands(sso: &SignOn<'_>, name: &str) -> Held {
    let mut browser = sso.kim_at_mnetd()?;
    let page = browser.open(&sso.way_to_mnetd("/mine"))?.well()?;
    expect_text(
        "who is signed in at mnetd",
        name,
        &signed_in_on(&page).unwrap_or_default(),
    )
}

/// Makes Kim in a Moodle and waits until mnetd has heard of it.
fn send_kim(moodle: &Moodle, mnetd: &Mnetd, lastname: &str) -> Held {
    pupil(moodle, KIM, "Kim", lastname)?;
    until("Kim in the register", PATIENCE, || {
        moodle.send_queue(&mnetd.url())?;
        let there: i64 = mnetd.one(
            "SELECT count(*) FROM person WHERE lastname = ?1",
            [lastname],
        )?;
        Ok(if there == 1 {
            Look::There(())
        } else {
            Look::NotYet(format!("{there} rows"))
        })
    })
}

/// Of each whom a Moodle calls Kim: the Moodle, the name here, the last name.
fn spellings(mnetd: &Mnetd) -> Held<Vec<(String, String, String)>> {
    let database = mnetd.database()?;
    let mut rows = database.prepare(
        "SELECT peer.wwwroot, person.username, person.lastname FROM person JOIN peer ON peer.id = person.peer
         WHERE person.sent_username = ?1 ORDER BY person.id",
    )?;
    let found = rows.query_map([KIM], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn both(scene: &Scene) -> Held<(&Moodle, &Moodle)> {
    let second = scene.second.as_ref().ok_or_else(|| Failure::Shape {
        what: "--second-moodle".to_owned(),
        expected: "Moodle",
        seen: "nothing".to_owned(),
    })?;
    expect_so(
        "the two Moodles are two",
        scene.moodle.url() != second.url(),
        &json!([second.url()]),
    )?;
    Ok((&scene.moodle, second))
}
