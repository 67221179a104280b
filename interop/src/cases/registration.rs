//! mnetd and Moodle are made known to each other by their administrators.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so, expect_text};
use crate::introduction::{introduce, offered};
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;
use crate::moodle_pages::{Administrator, Ticked};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "an-administrator-adds-mnetd-as-a-moodle",
        shows: "Moodle's own pages take mnetd up under the application Moodle; both keep the other's key, and calls pass both ways.",
        needs: &[],
        run: |scene| registered_as(scene, scene.mnetd()?, "Moodle", "moodle"),
    },
    Case {
        name: "an-administrator-adds-mnetd-by-its-own-name",
        shows: "With local_mnetd the list of applications has mnetd; registered so, all is as with the application Moodle.",
        needs: &[Need::LocalMnetd],
        run: |scene| registered_as(scene, scene.mnetd()?, "mnetd", "mnetd"),
    },
    Case {
        name: "mnetd-itself-may-stand-under-a-path",
        shows: "An mnetd whose wwwroot has a path is registered and called like any other.",
        needs: &[],
        run: |scene| registered_as(scene, scene.mnetd()?.under_path(), "Moodle", "moodle"),
    },
    Case {
        name: "a-second-look-changes-nothing",
        shows: "Registered once more under the same address, the peer stays one, with its number and its services.",
        needs: &[],
        run: registered_twice,
    },
];

fn registered_as(scene: &Scene, mut mnetd: Mnetd, label: &str, application: &str) -> Held<Outcome> {
    let moodle = &scene.moodle;
    mnetd.start()?;
    let mut administrator = Administrator::of(moodle)?;
    let host = administrator.add_peer(&mnetd.url(), label)?;
    let services = offered(moodle)?;
    let ticked: Vec<Ticked<'_>> = services
        .iter()
        .map(|service| Ticked::both(service))
        .collect();
    administrator.tick_services(host, &ticked)?;
    moodle_has_what_mnetd_is(moodle, &mnetd, application)?;
    mnetd_has_what_moodle_is(&mnetd, moodle)?;
    calls_pass_both_ways(moodle, &mnetd)?;
    Ok(Outcome::HeldWith(format!(
        "services: {}",
        services.join(", ")
    )))
}

fn moodle_has_what_mnetd_is(moodle: &Moodle, mnetd: &Mnetd, application: &str) -> Held {
    let host = known_host(moodle, mnetd)?;
    expect(
        "the application that Moodle keeps",
        &json!(application),
        &host["application"],
    )?;
    expect(
        "whether the peer is deleted",
        &json!(false),
        &host["deleted"],
    )?;
    expect(
        "the fingerprint of mnetd's key in Moodle",
        &fingerprint(mnetd)?,
        &host["fingerprint"],
    )?;
    // Moodle takes the name from the title of the peer's front page.
    expect_so(
        "mnetd has a name in Moodle",
        host["name"].as_str().is_some_and(|name| !name.is_empty()),
        &host["name"],
    )
}

fn mnetd_has_what_moodle_is(mnetd: &Mnetd, moodle: &Moodle) -> Held {
    mnetd.run(&["peer", "add", moodle.url(), "--yes"])?;
    let shown = mnetd.run(&["peer", "show", moodle.url()])?;
    let key = moodle.provision("key", &json!({}))?;
    let fingerprint = key["fingerprint"].as_str().unwrap_or("no fingerprint");
    expect_text(
        "the fingerprint of Moodle's key in mnetd",
        fingerprint,
        &shown,
    )
}

fn calls_pass_both_ways(moodle: &Moodle, mnetd: &Mnetd) -> Held {
    let call = json!({"peer": mnetd.url(), "method": "system/listServices"});
    let answer = moodle.provision("call", &call)?;
    expect(
        "whether Moodle's call went well",
        &json!(true),
        &answer["ok"],
    )?;
    mnetd.run(&["call", moodle.url(), "system/listServices"])?;
    mnetd.run(&["peer", "check", moodle.url()]).map(drop)
}

fn registered_twice(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    let first = introduce(moodle, &mut mnetd)?;
    let before = known_host(moodle, &mnetd)?;
    let complaint = Administrator::of(moodle)?.add_peer(&mnetd.url(), "Moodle");
    expect_so(
        "Moodle does not take it up a second time",
        complaint.is_err(),
        &complaint,
    )?;
    expect(
        "what Moodle knows of mnetd",
        &before,
        &known_host(moodle, &mnetd)?,
    )?;
    expect(
        "the number that mnetd has there",
        &json!(first),
        &before["id"],
    )?;
    calls_pass_both_ways(moodle, &mnetd)?;
    Ok(Outcome::Held)
}

/// mnetd as a Moodle knows it.
fn known_host(moodle: &Moodle, mnetd: &Mnetd) -> Held<Json> {
    moodle.provision("host", &json!({"wwwroot": mnetd.url()}))
}

/// The fingerprint of mnetd's present key.
fn fingerprint(mnetd: &Mnetd) -> Held<Json> {
    let keys = mnetd.json(&["key", "list"])?;
    Ok(keys[0]["fingerprint"].clone())
}
