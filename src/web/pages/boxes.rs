//! The boxes of services, as they are called here and in Moodle.

use crate::peer::services::{Half, MissingBox, Side};

/// What a service is called where there are boxes to tick: Moodle's own names for those it knows.
pub fn title(service: &str) -> Option<&'static str> {
    match service {
        "register" => Some("School register"),
        "sso_idp" => Some("SSO (Identity Provider)"),
        "sso_sp" => Some("SSO (Service Provider)"),
        "mnet_enrol" => Some("Remote enrolment service"),
        _ => None,
    }
}

/// A service by its title and its name on the wire.
pub fn name(service: &str) -> String {
    match title(service) {
        Some(title) => format!("{title}, {service}"),
        None => service.to_owned(),
    }
}

/// Which box to tick, and where.
pub fn in_words(missing: &MissingBox) -> String {
    let side = match missing.side {
        Side::Here => "here",
        Side::There => "there",
    };
    let half = missing.half.as_str();
    let service = name(&missing.service);
    format!("tick {side}: {half} of {service}")
}

/// What it is that lacks its other half, and which box to tick.
pub fn reason(missing: &MissingBox) -> &'static str {
    match (missing.side, missing.half) {
        (Side::There, Half::Publish) => {
            "we subscribe, but the peer does not publish it to us: tick Publish there, if it is to be used"
        }
        (Side::There, Half::Subscribe) => {
            "we publish, but the peer does not subscribe: tick Subscribe there, or install the plugin that brings it"
        }
        (Side::Here, Half::Publish) => {
            "the peer subscribes, but we do not publish it: tick Publish here"
        }
        (Side::Here, Half::Subscribe) => {
            "the peer publishes it, but we do not subscribe: tick Subscribe here, if it is to be used"
        }
    }
}
