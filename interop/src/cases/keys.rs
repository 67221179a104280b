//! Keys are replaced and certificates run out, and nothing is lost.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::clock;
use crate::failure::{Held, expect, expect_so, expect_text};
use crate::introduction::introduce;
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;
use crate::traffic::flows_while;
use crate::waiting::{Look, PATIENCE, until};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "mnetd-rotates-its-key-while-traffic-flows",
        shows: "mnetd key rotate, twice, while changes are sent and calls are made: every change is in the register.",
        needs: &[Need::LocalMnetd],
        run: |scene| {
            rotated(scene, |moodle, mnetd| {
                let _ = moodle;
                mnetd.run(&["key", "rotate"]).map(drop)
            })
        },
    },
    Case {
        name: "moodle-replaces-its-key-while-traffic-flows",
        shows: "Moodle's key expires, twice, while changes are sent and calls are made: every change is in the register.",
        needs: &[Need::LocalMnetd],
        run: |scene| rotated(scene, |moodle, _| expire(moodle)),
    },
    Case {
        name: "both-replace-their-keys-at-once-while-traffic-flows",
        shows: "mnetd's and Moodle's keys are replaced at once, twice, while changes are sent: every change is in the register.",
        needs: &[Need::LocalMnetd],
        run: |scene| {
            rotated(scene, |moodle, mnetd| {
                expire(moodle)?;
                mnetd.run(&["key", "rotate"]).map(drop)
            })
        },
    },
    Case {
        name: "mnetd-comes-back-after-its-certificate-expired",
        shows: "mnetd was off when its certificate ran out; started again it has a new one, and both sides take it up by themselves.",
        needs: &[Need::Faketime],
        run: mnetd_comes_back,
    },
    Case {
        name: "moodle-is-called-after-its-certificate-expired",
        shows: "Nobody came to Moodle when its certificate ran out; the next call in each direction passes, under a new one.",
        needs: &[Need::Faketime],
        run: moodle_is_called,
    },
];

/// How long mnetd's or Moodle's certificate still holds when a case with an expired one begins.
const STILL_HOLDS: i64 = 40;

/// A day, the shortest life of a key of mnetd's, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// How long Moodle's keys hold.
const MOODLES_DAYS: i64 = 28;

fn rotated(scene: &Scene, replace: fn(&Moodle, &Mnetd) -> Held) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;
    let told = flows_while(moodle, &mnetd, |flowed| {
        flowed.goes_on()?;
        replace(moodle, &mnetd)?;
        flowed.goes_on()?;
        replace(moodle, &mnetd)?;
        flowed.goes_on()
    })?;
    each_has_the_others_key(moodle, &mnetd)?;
    Ok(Outcome::HeldWith(told))
}

fn mnetd_comes_back(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    // A day ago by its own clock, so that a key of a day's life runs out while we watch. It has to bear Moodle's clock then,
    // which is a day ahead of it.
    mnetd.set_options(&["--key-lifetime-days", "1", "--max-ahead", "86400"]);
    mnetd.set_variables(clock::shifted(STILL_HOLDS - DAY).unwrap_or_default());
    introduce(moodle, &mut mnetd)?;
    mnetd.stop()?;
    let key = present_key(&mnetd)?;
    let expires: i64 = expiry(&key)?;
    until_past(expires, "the expiry of mnetd's certificate")?;

    mnetd.set_options(&[]);
    mnetd.set_variables(Vec::new());
    mnetd.start()?;
    let renewed = present_key(&mnetd)?;
    expect_so(
        "mnetd has another key",
        renewed["fingerprint"] != key["fingerprint"],
        &renewed,
    )?;
    calls_pass(moodle, &mnetd)?;
    each_has_the_others_key(moodle, &mnetd)?;
    Ok(Outcome::Held)
}

fn moodle_is_called(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;
    // Moodle has a key as of four weeks ago, which runs out while we watch, and mnetd takes it up.
    let weeks_ago = clock::shifted(STILL_HOLDS - MOODLES_DAYS * DAY).unwrap_or_default();
    let made = moodle.key_pair(MOODLES_DAYS, &weeks_ago)?;
    let key = moodle.provision("key-set", &made)?;
    mnetd.run(&["call", moodle.url(), "system/listServices"])?;
    each_has_the_others_key(moodle, &mnetd)?;
    let expires = key["expires"].as_i64().unwrap_or_default();
    until_past(expires, "the expiry of Moodle's certificate")?;

    calls_pass(moodle, &mnetd)?;
    let renewed = moodle.provision("key", &json!({}))?;
    expect_so(
        "Moodle has another key",
        renewed["fingerprint"] != key["fingerprint"],
        &renewed,
    )?;
    each_has_the_others_key(moodle, &mnetd)?;
    Ok(Outcome::Held)
}

/// Lets Moodle's key expire: it makes another with its next request, and keeps the old one.
fn expire(moodle: &Moodle) -> Held {
    moodle.provision("key-expire", &json!({})).map(drop)
}

/// A call in each direction, first by Moodle.
fn calls_pass(moodle: &Moodle, mnetd: &Mnetd) -> Held {
    let call = json!({"peer": mnetd.url(), "method": "system/listServices"});
    let answer = moodle.provision("call", &call)?;
    expect_so("Moodle's call passes", answer["ok"] == json!(true), &answer)?;
    mnetd
        .run(&["call", moodle.url(), "system/listServices"])
        .map(drop)
}

/// Each side keeps the certificate that the other one uses now.
fn each_has_the_others_key(moodle: &Moodle, mnetd: &Mnetd) -> Held {
    // A last call each way, for the one who was not called since the other's key was replaced.
    calls_pass(moodle, mnetd)?;
    let known = moodle.provision("host", &json!({"wwwroot": mnetd.url()}))?;
    expect(
        "mnetd's key in Moodle",
        &present_key(mnetd)?["fingerprint"],
        &known["fingerprint"],
    )?;
    let key = moodle.provision("key", &json!({}))?;
    let shown = mnetd.run(&["peer", "show", moodle.url()])?;
    expect_text(
        "Moodle's key in mnetd",
        key["fingerprint"].as_str().unwrap_or("none"),
        &shown,
    )
}

fn present_key(mnetd: &Mnetd) -> Held<Json> {
    let keys = mnetd.json(&["key", "list"])?;
    let present = keys
        .as_array()
        .into_iter()
        .flatten()
        .find(|key| key["state"] == "present");
    Ok(present.cloned().unwrap_or(Json::Null))
}

/// When a key of mnetd's expires, in Unix seconds.
fn expiry(key: &Json) -> Held<i64> {
    let text = key["expires"].as_str().unwrap_or_default();
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment
        .map(jiff::Timestamp::as_second)
        .map_err(|_| crate::failure::Failure::Shape {
            what: "the expiry of mnetd's key".to_owned(),
            expected: "moment",
            seen: text.to_owned(),
        })
}

fn until_past(moment: i64, what: &str) -> Held {
    until(what, PATIENCE * 3, || {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let left = moment - i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Ok(if left < 0 {
            Look::There(())
        } else {
            Look::NotYet(format!("{left} s to go"))
        })
    })
}
