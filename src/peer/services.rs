//! Services as a peer lists them, held against what is agreed on here: a service works where both sides
//! ticked their half (docs/protocol.md, Services and methods).

use super::{Application, Peer};
use crate::xmlrpc::Value;

/// The service by which a side says who its users are.
pub const SSO_IDP: &str = "sso_idp";

/// The service by which a side takes users of the other in.
pub const SSO_SP: &str = "sso_sp";

/// The longest name of a service, in characters: Moodle's `mnet_service.name` holds 40.
pub const MAX_SERVICE_NAME: usize = 40;

/// The most services that are read of a peer's list: a Moodle with every plugin there is lists about ten.
const MAX_SERVICES: usize = 100;

/// One service as a peer lists it to us (`system/listServices`): seen from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceThere {
    /// Its name on the wire, control characters made spaces.
    pub name: String,
    /// The peer lets us call its methods.
    pub publish: bool,
    /// The peer wants to call ours.
    pub subscribe: bool,
}

/// Which of two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This site.
    Here,
    /// The peer.
    There,
}

/// Which half of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The other side may call the methods of this one.
    Publish,
    /// This side may call the methods of the other.
    Subscribe,
}

/// A box that is not ticked, though something else asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingBox {
    /// Where it stands.
    pub side: Side,
    /// Of which service.
    pub service: String,
    /// Which of its two.
    pub half: Half,
}

/// Whose users go to the other side by single sign-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Travellers {
    /// Accounts of this site go to the peer.
    Ours,
    /// The peer's users come here.
    Theirs,
}

impl ServiceThere {
    /// The services that an answer to `system/listServices` names; what is none is left out.
    #[must_use]
    pub fn read_all(answer: &Value) -> Vec<Self> {
        let entries = answer.to_list().unwrap_or_default();
        entries
            .into_iter()
            .take(MAX_SERVICES)
            .filter_map(Self::read)
            .collect()
    }

    fn read(entry: &Value) -> Option<Self> {
        let name = entry.get("name").and_then(Value::to_text)?;
        let flag = |name| entry.get(name).and_then(Value::to_boolean).unwrap_or(false);
        Some(Self {
            name: name
                .chars()
                .take(MAX_SERVICE_NAME)
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
            publish: flag("publish"),
            subscribe: flag("subscribe"),
        })
    }
}

impl Half {
    /// As Moodle writes it on the box.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "Publish",
            Self::Subscribe => "Subscribe",
        }
    }
}

/// Whether what a site lists says anything about what is agreed on: a Mahara lists fixed services of its
/// own naming, published and subscribed, to everybody.
#[must_use]
pub const fn lists_what_is_agreed(application: Application) -> bool {
    matches!(application, Application::Moodle)
}

/// The boxes that lack their other half, those over there first. `is_ours` says of which services we have
/// methods: one without does no harm where it is ticked.
#[must_use]
pub fn missing_boxes(
    peer: &Peer,
    there: &[ServiceThere],
    is_ours: impl Fn(&str) -> bool,
) -> Vec<MissingBox> {
    if !lists_what_is_agreed(peer.application) {
        return Vec::new();
    }
    let mut missing = Vec::new();
    let mut miss = |side, service: &str, half| {
        missing.push(MissingBox {
            side,
            service: service.to_owned(),
            half,
        });
    };
    for right in &peer.rights {
        let name = right.service.as_str();
        if right.subscribe && !is_ticked(there, name, Half::Publish) {
            miss(Side::There, name, Half::Publish);
        }
        if right.publish && !is_ticked(there, name, Half::Subscribe) {
            miss(Side::There, name, Half::Subscribe);
        }
    }
    for service in there {
        let name = service.name.as_str();
        if service.subscribe && is_ours(name) && !peer.may_call(name) {
            miss(Side::Here, name, Half::Publish);
        }
        if service.publish && !peer.we_may_call(name) {
            miss(Side::Here, name, Half::Subscribe);
        }
    }
    missing
}

/// The boxes that lack for single sign-on; those over there only where `there` is known.
///
/// A user is vouched for by their own site (`sso_idp`), and taken in by the other (`sso_sp`): each
/// calls methods of the other's, so both services need both halves.
#[must_use]
pub fn missing_for_sign_in(
    peer: &Peer,
    there: Option<&[ServiceThere]>,
    travellers: Travellers,
) -> Vec<MissingBox> {
    let (home, host) = match travellers {
        Travellers::Ours => (Side::Here, Side::There),
        Travellers::Theirs => (Side::There, Side::Here),
    };
    let needed = [
        (home, SSO_IDP, Half::Publish),
        (home, SSO_SP, Half::Subscribe),
        (host, SSO_IDP, Half::Subscribe),
        (host, SSO_SP, Half::Publish),
    ];
    let there = there.filter(|_| lists_what_is_agreed(peer.application));
    needed
        .into_iter()
        .filter(|(side, service, half)| match (side, half, there) {
            (Side::Here, Half::Publish, _) => !peer.may_call(service),
            (Side::Here, Half::Subscribe, _) => !peer.we_may_call(service),
            (Side::There, half, Some(there)) => !is_ticked(there, service, *half),
            (Side::There, _, None) => false,
        })
        .map(|(side, service, half)| MissingBox {
            side,
            service: service.to_owned(),
            half,
        })
        .collect()
}

fn is_ticked(there: &[ServiceThere], name: &str, half: Half) -> bool {
    let found = there.iter().find(|service| service.name == name);
    found.is_some_and(|service| match half {
        Half::Publish => service.publish,
        Half::Subscribe => service.subscribe,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;
    use crate::keys::KeyPair;
    use crate::store::PeerId;
    use crate::store::peers::PeerService;
    use crate::wwwroot::Wwwroot;
    use crate::xmlrpc::Struct;

    fn peer(rights: &[(&str, bool, bool)]) -> Peer {
        let wwwroot = Wwwroot::parse("https://moodle.example.org").unwrap();
        let pair = KeyPair::generate(&wwwroot, UnixTime(1_800_000_000), 28).unwrap();
        Peer {
            id: PeerId(1),
            name: "Moodle".to_owned(),
            application: Application::Moodle,
            certificate: pair.certificate().clone(),
            dialect: super::super::Dialect::Utf8,
            dialect_fixed: false,
            binding_required: false,
            rights: rights
                .iter()
                .map(|(service, publish, subscribe)| PeerService {
                    service: (*service).to_owned(),
                    publish: *publish,
                    subscribe: *subscribe,
                })
                .collect(),
            source_addresses: Vec::new(),
            wwwroot,
        }
    }

    fn there(services: &[(&str, bool, bool)]) -> Vec<ServiceThere> {
        services
            .iter()
            .map(|(name, publish, subscribe)| ServiceThere {
                name: (*name).to_owned(),
                publish: *publish,
                subscribe: *subscribe,
            })
            .collect()
    }

    fn missing(side: Side, service: &str, half: Half) -> MissingBox {
        MissingBox {
            side,
            service: service.to_owned(),
            half,
        }
    }

    #[test]
    fn what_one_side_ticked_is_missed_on_the_other() {
        let peer = peer(&[("register", true, false), ("mnet_enrol", false, true)]);
        let there = there(&[("register", true, false), ("unknown", false, true)]);
        assert_eq!(
            missing_boxes(&peer, &there, |name| name == "register"),
            [
                missing(Side::There, "register", Half::Subscribe),
                missing(Side::There, "mnet_enrol", Half::Publish),
                missing(Side::Here, "register", Half::Subscribe),
            ]
        );
    }

    #[test]
    fn nothing_is_missed_where_both_agree_and_with_a_mahara() {
        let mut peer = peer(&[("register", true, true)]);
        let agreed = there(&[("register", true, true)]);
        assert_eq!(missing_boxes(&peer, &agreed, |_| true), []);
        peer.application = Application::Mahara;
        assert_eq!(missing_boxes(&peer, &[], |_| true), []);
        assert_eq!(
            missing_for_sign_in(&peer, Some(&[]), Travellers::Theirs).len(),
            2
        );
    }

    #[test]
    fn each_direction_of_single_sign_on_needs_four_boxes() {
        let nothing = peer(&[]);
        assert_eq!(
            missing_for_sign_in(&nothing, Some(&[]), Travellers::Ours).len(),
            4
        );
        assert_eq!(
            missing_for_sign_in(&nothing, None, Travellers::Theirs),
            [
                missing(Side::Here, SSO_IDP, Half::Subscribe),
                missing(Side::Here, SSO_SP, Half::Publish),
            ]
        );
        let inward = peer(&[(SSO_IDP, false, true), (SSO_SP, true, false)]);
        let ticked = there(&[(SSO_IDP, true, false), (SSO_SP, false, true)]);
        assert_eq!(
            missing_for_sign_in(&inward, Some(&ticked), Travellers::Theirs),
            []
        );
        assert_eq!(
            missing_for_sign_in(&inward, Some(&ticked), Travellers::Ours).len(),
            4
        );
    }

    #[test]
    fn a_list_is_read_with_care() {
        let entry = |name: &str, publish: &str| {
            Value::from(Struct::new().with("name", name).with("publish", publish))
        };
        let long = "a".repeat(100);
        let answer = Value::Array(vec![
            entry("register\n", "1"),
            entry(&long, "0"),
            Value::from("rubbish"),
        ]);
        let read = ServiceThere::read_all(&answer);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0], there(&[("register ", true, false)])[0]);
        assert_eq!(read[1].name.len(), MAX_SERVICE_NAME);
        let many = Value::Array(vec![entry("register", "1"); 1000]);
        assert_eq!(ServiceThere::read_all(&many).len(), MAX_SERVICES);
    }
}
