//! What each side may call, by what is ticked and allowed where.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Failure, Held, expect, expect_so, expect_text};
use crate::introduction::{allow, introduce, offered};
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;
use crate::moodle_pages::{Administrator, Ticked};
use crate::sign_on::SignOn;

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "what-moodle-ticks-decides-who-may-call",
        shows: "Each service, each way of ticking its two boxes in Moodle: mnetd's call is heard where published, else 707 or 7012; Moodle calls where subscribed, else refuses itself.",
        needs: &[],
        run: what_moodle_ticks,
    },
    Case {
        name: "what-mnetd-allows-decides-who-may-call",
        shows: "Each service, each way of allowing it in mnetd: Moodle's call is heard where published, else 707; mnetd calls where subscribed, else refuses itself.",
        needs: &[],
        run: what_mnetd_allows,
    },
    Case {
        name: "one-box-is-not-enough-for-single-sign-on",
        shows: "With one of the two boxes ticked in Moodle nobody gets through, and mnetd doctor names the box that is missing.",
        needs: &[Need::SingleSignOn],
        run: one_box_is_not_enough,
    },
];

/// The four ways of setting publish and subscribe.
const WAYS: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It reached the service, whatever that said to it.
    Heard,
    /// The side that was called does not let the caller.
    NotPublished,
    /// The side that was to call does not: nothing was sent.
    NotCalled,
}

/// A call that changes nothing, by which it is seen whether a service is open.
struct Probe<'a> {
    service: &'a str,
    function: &'static str,
    parameters: Json,
}

fn probe(service: &str) -> Probe<'_> {
    let (function, parameters) = match service {
        "sso_idp" => (
            "user_authorise",
            json!(["no-such-token", "no-such-browser"]),
        ),
        "sso_sp" => ("kill_child", json!(["interop-nobody", "no-such-browser"])),
        "mnet_enrol" => ("available_courses", json!([])),
        _ => ("get_user", json!([{"idnumber": "interop-nobody"}])),
    };
    Probe {
        service,
        function,
        parameters,
    }
}

fn what_moodle_ticks(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    let host = introduce(moodle, &mut mnetd)?;
    let services = offered(moodle)?;
    for (publish, subscribe) in WAYS {
        let ticked: Vec<Ticked<'_>> = services
            .iter()
            .map(|service| Ticked {
                service,
                publish,
                subscribe,
            })
            .collect();
        Administrator::of(moodle)?.tick_services(host, &ticked)?;
        for service in &services {
            let way = format!("{service} with publish={publish}, subscribe={subscribe} in Moodle");
            let from_mnetd = if publish {
                Answer::Heard
            } else {
                Answer::NotPublished
            };
            let from_moodle = if subscribe {
                Answer::Heard
            } else {
                Answer::NotCalled
            };
            expect(
                &format!("mnetd's call, {way}"),
                &from_mnetd,
                &mnetd_calls(&mnetd, moodle, service)?,
            )?;
            expect(
                &format!("Moodle's call, {way}"),
                &from_moodle,
                &moodle_calls(moodle, &mnetd, service)?,
            )?;
        }
    }
    Ok(Outcome::HeldWith(services.join(", ")))
}

fn what_mnetd_allows(scene: &Scene) -> Held<Outcome> {
    let moodle = &scene.moodle;
    let mut mnetd = scene.mnetd()?;
    introduce(moodle, &mut mnetd)?;
    let services = offered(moodle)?;
    for (publish, subscribe) in WAYS {
        for service in &services {
            allow(&mnetd, moodle, service, publish, subscribe)?;
        }
        for service in &services {
            let way = format!("{service} with publish={publish}, subscribe={subscribe} in mnetd");
            let from_moodle = if publish {
                Answer::Heard
            } else {
                Answer::NotPublished
            };
            let from_mnetd = if subscribe {
                Answer::Heard
            } else {
                Answer::NotCalled
            };
            expect(
                &format!("Moodle's call, {way}"),
                &from_moodle,
                &moodle_calls(moodle, &mnetd, service)?,
            )?;
            expect(
                &format!("mnetd's call, {way}"),
                &from_mnetd,
                &mnetd_calls(&mnetd, moodle, service)?,
            )?;
        }
    }
    Ok(Outcome::HeldWith(services.join(", ")))
}

fn one_box_is_not_enough(scene: &Scene) -> Held<Outcome> {
    let sso = SignOn::between(scene)?;
    // So that nothing but the boxes can be the reason.
    sso.kim_at_mnetd()?;
    let published = Ticked {
        service: "sso_idp",
        publish: true,
        subscribe: false,
    };
    let subscribed = Ticked {
        service: "sso_sp",
        publish: false,
        subscribe: true,
    };
    nobody_gets_through(&sso, published, "Subscribe under SSO (Service Provider)")?;
    nobody_gets_through(&sso, subscribed, "Publish under SSO (Identity Provider)")?;
    Ok(Outcome::Held)
}

/// With that box alone; the doctor has to name the missing one.
fn nobody_gets_through(sso: &SignOn<'_>, alone: Ticked<'_>, missing: &str) -> Held {
    let way = format!("with {} alone", alone.service);
    Administrator::of(sso.moodle)?.tick_services(sso.host(), &[alone])?;
    let mut browser = sso.kim_at_moodle()?;
    let page = browser.open(&sso.way_to_mnetd("/mine"))?;
    expect_so(
        &format!("the page complains, {way}"),
        !page.complaints().is_empty(),
        &page.text(),
    )?;
    let who = sso.who_is_at_mnetd(&mut browser)?;
    expect(&format!("who is signed in at mnetd, {way}"), &None, &who)?;
    let told = doctor(&sso.mnetd, sso.moodle)?;
    expect_text(&format!("what the doctor says {way}"), missing, &told)
}

/// What `mnetd doctor` says about a Moodle that it finds something wrong with.
fn doctor(mnetd: &Mnetd, moodle: &Moodle) -> Held<String> {
    match mnetd.run(&["doctor", moodle.url()]) {
        Ok(told) | Err(Failure::Mnetd { told, .. }) => Ok(told),
        Err(failure) => Err(failure),
    }
}

/// What comes of mnetd calling a service of Moodle's.
fn mnetd_calls(mnetd: &Mnetd, moodle: &Moodle, service: &str) -> Held<Answer> {
    let probe = probe(service);
    let method = path_of(moodle, "methods", &probe)?;
    let parameters: Vec<String> = probe
        .parameters
        .as_array()
        .into_iter()
        .flatten()
        .map(Json::to_string)
        .collect();
    let mut arguments = vec!["call", moodle.url(), &method];
    arguments.extend(parameters.iter().map(String::as_str));
    match mnetd.run(&arguments) {
        Ok(_) => Ok(Answer::Heard),
        Err(Failure::Mnetd { complaint, .. }) if complaint.contains("--subscribe") => {
            Ok(Answer::NotCalled)
        }
        Err(Failure::Mnetd { complaint, .. }) if unpublished(&complaint) => {
            Ok(Answer::NotPublished)
        }
        Err(Failure::Mnetd { complaint, .. }) if complaint.contains("answered with fault") => {
            Ok(Answer::Heard)
        }
        Err(failure) => Err(failure),
    }
}

/// Moodle says 707 of a service that it does not publish to the caller, and 7012 of one that it publishes to nobody.
fn unpublished(complaint: &str) -> bool {
    complaint.contains("fault 707:") || complaint.contains("fault 7012:")
}

/// What comes of Moodle calling a service of mnetd's.
fn moodle_calls(moodle: &Moodle, mnetd: &Mnetd, service: &str) -> Held<Answer> {
    let (method, parameters, bind) = if service == "register" {
        (
            "register/remove_user".to_owned(),
            json!([{"idnumber": "interop-nobody"}]),
            true,
        )
    } else {
        let probe = probe(service);
        (
            path_of(moodle, "remote-methods", &probe)?,
            probe.parameters,
            false,
        )
    };
    let call = json!({"peer": mnetd.url(), "method": method, "params": parameters, "bind": bind});
    let told = moodle.provision("call", &call)?;
    if told["errors"].to_string().contains("unauthorised method") {
        return Ok(Answer::NotCalled);
    }
    match told["response"]["faultCode"].as_i64() {
        Some(707) => Ok(Answer::NotPublished),
        Some(_) => Ok(Answer::Heard),
        None if told["ok"] == json!(true) => Ok(Answer::Heard),
        None => Err(Failure::Otherwise {
            what: format!("Moodle's call of {method}"),
            expected: "an answer or a fault".to_owned(),
            seen: told.to_string(),
        }),
    }
}

/// Under which path a Moodle knows a function, its own or its peers'.
fn path_of(moodle: &Moodle, side: &str, probe: &Probe<'_>) -> Held<String> {
    let paths = moodle.provision(side, &json!({"service": probe.service}))?;
    let found = paths
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str);
    let end = format!("/{}", probe.function);
    let path = found.into_iter().find(|path| path.ends_with(&end));
    path.map(str::to_owned).ok_or_else(|| Failure::Shape {
        what: format!("the {side} of {} in {}", probe.service, moodle.url()),
        expected: "list with the function that is probed",
        seen: paths.to_string(),
    })
}
