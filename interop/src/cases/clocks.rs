//! Clocks that do not agree.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::clock;
use crate::failure::{Failure, Held, expect, expect_so, expect_text};
use crate::introduction::introduce;
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "clocks-ten-seconds-apart-do-no-harm",
        shows: "With mnetd's clock 10 s ahead, and 10 s behind, calls pass both ways.",
        needs: &[Need::Faketime],
        run: ten_seconds_apart,
    },
    Case {
        name: "a-clock-twenty-seconds-ahead-is-named",
        shows: "With mnetd's clock 20 s ahead Moodle refuses its answers and says why, and so does mnetd doctor; put right, calls pass.",
        needs: &[Need::Faketime],
        run: |scene| twenty_seconds_off(scene, 20),
    },
    Case {
        name: "a-clock-twenty-seconds-behind-is-named",
        shows: "With mnetd's clock 20 s behind, Moodle's requests are refused with words, and mnetd doctor says why; put right, calls pass.",
        needs: &[Need::Faketime],
        run: |scene| twenty_seconds_off(scene, -20),
    },
];

fn ten_seconds_apart(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;
    for seconds in [10, -10] {
        set_clock(&mut mnetd, seconds)?;
        let answer = moodle_calls(moodle, &mnetd)?;
        expect_so(
            &format!("Moodle's call passes at {seconds} s"),
            answer["ok"] == json!(true),
            &answer,
        )?;
        mnetd.run_at(seconds, &["call", moodle.url(), "system/listServices"])?;
    }
    Ok(Outcome::Held)
}

fn twenty_seconds_off(scene: &Scene, seconds: i64) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;

    set_clock(&mut mnetd, seconds)?;
    let answer = moodle_calls(moodle, &mnetd)?;
    expect("whether Moodle's call passes", &json!(false), &answer["ok"])?;
    let errors = answer["errors"].to_string();
    expect_so(
        "Moodle is told of the clocks",
        speaks_of_time(&errors),
        &errors,
    )?;
    let told = doctor(&mnetd, moodle, seconds)?;
    expect_text("what mnetd doctor says", "clock", &told)?;

    set_clock(&mut mnetd, 0)?;
    let answer = moodle_calls(moodle, &mnetd)?;
    expect_so(
        "Moodle's call passes again",
        answer["ok"] == json!(true),
        &answer,
    )?;
    Ok(Outcome::HeldWith(errors))
}

/// Starts the server again under another clock.
fn set_clock(mnetd: &mut Mnetd, seconds: i64) -> Held {
    mnetd.stop()?;
    mnetd.set_variables(if seconds == 0 {
        Vec::new()
    } else {
        clock::shifted(seconds).unwrap_or_default()
    });
    mnetd.start()
}

fn moodle_calls(moodle: &Moodle, mnetd: &Mnetd) -> Held<Json> {
    moodle.provision(
        "call",
        &json!({"peer": mnetd.url(), "method": "system/listServices"}),
    )
}

/// What `mnetd doctor` says under that clock, of a Moodle that something is wrong with.
fn doctor(mnetd: &Mnetd, moodle: &Moodle, seconds: i64) -> Held<String> {
    match mnetd.run_at(seconds, &["doctor", moodle.url()]) {
        Ok(told) | Err(Failure::Mnetd { told, .. }) => Ok(told),
        Err(failure) => Err(failure),
    }
}

fn speaks_of_time(errors: &str) -> bool {
    let errors = errors.to_lowercase();
    errors.contains("time gap") || errors.contains("clock")
}
