//! mnetd and a Moodle are made known to each other, each by its own administrator.

use crate::failure::Held;
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;
use crate::moodle_pages::{Administrator, Ticked};

/// All services there are on either side.
pub const SERVICES: [&str; 4] = ["register", "sso_idp", "sso_sp", "mnet_enrol"];

/// Makes mnetd and a Moodle known to each other, with every service that both have published and subscribed to on both
/// sides. mnetd is started if it does not run. The number that mnetd has in that Moodle.
///
/// # Errors
/// When either side does not take the other up.
pub fn introduce(moodle: &Moodle, mnetd: &mut Mnetd) -> Held<u64> {
    let services = offered(moodle)?;
    introduce_for(moodle, mnetd, &services)
}

/// As [`introduce`], for some services only.
///
/// # Errors
/// When either side does not take the other up.
pub fn introduce_for(moodle: &Moodle, mnetd: &mut Mnetd, services: &[&str]) -> Held<u64> {
    if !mnetd.runs() {
        mnetd.start()?;
    }
    let mut administrator = Administrator::of(moodle)?;
    let host = administrator.add_peer(&mnetd.url(), application(moodle))?;
    let ticked: Vec<Ticked<'_>> = services
        .iter()
        .map(|service| Ticked::both(service))
        .collect();
    administrator.tick_services(host, &ticked)?;
    mnetd.run(&["peer", "add", moodle.url(), "--yes"])?;
    for service in services {
        allow(mnetd, moodle, service, true, true)?;
    }
    Ok(host)
}

/// Says in mnetd what a Moodle may call, and what of the Moodle's is called.
///
/// # Errors
/// When mnetd refuses.
pub fn allow(
    mnetd: &Mnetd,
    moodle: &Moodle,
    service: &str,
    publish: bool,
    subscribe: bool,
) -> Held {
    let publish = format!("--publish={publish}");
    let subscribe = format!("--subscribe={subscribe}");
    mnetd
        .run(&["peer", "allow", moodle.url(), service, &publish, &subscribe])
        .map(drop)
}

/// The services that both sides have.
///
/// # Errors
/// When Moodle cannot say.
pub fn offered(moodle: &Moodle) -> Held<Vec<&'static str>> {
    let there = moodle.provision("services", &serde_json::json!({}))?;
    Ok(SERVICES
        .into_iter()
        .filter(|service| there.get(service).is_some())
        .collect())
}

/// What the list of applications in a Moodle calls mnetd: by its own name where `local_mnetd` brought that.
#[must_use]
pub fn application(moodle: &Moodle) -> &'static str {
    if moodle.has("local/mnetd/version.php") {
        "mnetd"
    } else {
        "Moodle"
    }
}
