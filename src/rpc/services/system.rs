//! `system/…`: what a peer asks about the services themselves, and the exchange of keys.

use std::sync::Arc;

use tracing::{info, warn};

use super::super::State;
use super::super::fault::Refusal;
use super::super::receive::{Caller, internal};
use super::{CATALOGUE, find};
use crate::keys::Certificate;
use crate::peer::{Application, Peer};
use crate::service::{Method as Described, Service};
use crate::store::StoreError;
use crate::store::peers::{self, NewPeer, PeerService};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{Struct, Value};

/// The system methods. Heard as `system/x` and `system.x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The methods this peer may call.
    ListMethods,
    /// The services between us.
    ListServices,
    /// Parameters and result of a method.
    Signature,
    /// What a method does.
    Help,
    /// Certificate against certificate.
    Keyswap,
    /// Many register calls in one envelope.
    Multicall,
}

impl Method {
    /// The method of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let bare = name
            .strip_prefix("system/")
            .or_else(|| name.strip_prefix("system."))?;
        match bare {
            "listMethods" => Some(Self::ListMethods),
            "listServices" => Some(Self::ListServices),
            "methodSignature" => Some(Self::Signature),
            "methodHelp" => Some(Self::Help),
            "keyswap" => Some(Self::Keyswap),
            "multicall" => Some(Self::Multicall),
            _ => None,
        }
    }

    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ListMethods => "system/listMethods",
            Self::ListServices => "system/listServices",
            Self::Signature => "system/methodSignature",
            Self::Help => "system/methodHelp",
            Self::Keyswap => "system/keyswap",
            Self::Multicall => "system/multicall",
        }
    }
}

/// Answers any system method but multicall.
pub fn answer(
    state: &Arc<State>,
    caller: &Caller,
    method: Method,
    params: &[Value],
) -> Result<Value, Refusal> {
    match method {
        Method::ListMethods => list_methods(caller, params),
        Method::ListServices => Ok(list_services(caller)),
        Method::Signature => described(caller, method, params).map(signature),
        Method::Help => described(caller, method, params).map(|method| Value::from(method.help)),
        Method::Keyswap => keyswap(state, params),
        // Carried out where it can wait for the disk.
        Method::Multicall => Err(Refusal::UnknownSystemMethod),
    }
}

/// `system/listMethods([service])`: the paths of the methods published to the caller, as an array.
fn list_methods(caller: &Caller, params: &[Value]) -> Result<Value, Refusal> {
    let wanted = match params {
        [] => None,
        [service] => Some(service.to_text().ok_or(Refusal::Parameters {
            method: "system/listMethods",
            expected: "no parameter, or the name of a service",
        })?),
        _ => {
            return Err(Refusal::Parameters {
                method: "system/listMethods",
                expected: "at most one parameter, the name of a service",
            });
        }
    };
    let methods = CATALOGUE
        .iter()
        .filter(|service| may_call(caller, service))
        .filter(|service| wanted.as_deref().is_none_or(|name| name == service.name))
        .flat_map(|service| service.methods)
        .map(|method| Value::from(method.path))
        .collect();
    Ok(Value::Array(methods))
}

/// `system/listServices()`: `[{name, apiversion, publish, subscribe}]`, all strings, as Moodle has them.
fn list_services(caller: &Caller) -> Value {
    let Caller::Peer(peer) = caller else {
        return Value::Array(Vec::new());
    };
    let in_force = peer
        .rights
        .iter()
        .filter(|right| right.publish || right.subscribe);
    Value::Array(in_force.map(service_entry).collect())
}

fn service_entry(right: &PeerService) -> Value {
    let flag = |on: bool| Value::from(if on { "1" } else { "0" });
    let entry: Struct = [
        ("name".to_owned(), Value::from(right.service.as_str())),
        ("apiversion".to_owned(), Value::from("1")),
        ("publish".to_owned(), flag(right.publish)),
        ("subscribe".to_owned(), flag(right.subscribe)),
    ]
    .into_iter()
    .collect();
    Value::Struct(entry)
}

/// The method a `methodHelp` or `methodSignature` asks about.
fn described(
    caller: &Caller,
    method: Method,
    params: &[Value],
) -> Result<&'static Described, Refusal> {
    let name = match params {
        [name] => name.to_text(),
        _ => None,
    }
    .ok_or(Refusal::Parameters {
        method: method.path(),
        expected: "one parameter, the path of a method",
    })?;
    find(&name)
        .filter(|(service, _)| may_call(caller, service))
        .map(|(_, method)| method)
        .ok_or_else(|| Refusal::NothingToTell(name.chars().take(80).collect()))
}

/// `{parameters: [{name, type, description}], return: {type, description}}`.
fn signature(method: &'static Described) -> Value {
    let text = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let parameters = method.parameters.iter().map(|parameter| {
        Value::Struct(
            [
                text("name", parameter.name),
                text("type", parameter.kind),
                text("description", parameter.help),
            ]
            .into_iter()
            .collect(),
        )
    });
    let returns: Struct = [
        text("type", method.returns),
        text("description", method.returns_help),
    ]
    .into_iter()
    .collect();
    Value::Struct(
        [
            ("parameters".to_owned(), Value::Array(parameters.collect())),
            ("return".to_owned(), Value::Struct(returns)),
        ]
        .into_iter()
        .collect(),
    )
}

fn may_call(caller: &Caller, service: &Service) -> bool {
    match caller {
        Caller::Peer(peer) => peer.may_call(service.name),
        Caller::Unsigned => false,
    }
}

/// `system/keyswap(wwwroot, certificate, application)`: our certificate. Where unknown sites may
/// register themselves, the caller becomes a peer, with no rights until an administrator gives it
/// some; a known peer's certificate is never changed this way.
fn keyswap(state: &Arc<State>, params: &[Value]) -> Result<Value, Refusal> {
    let ring = state.keys.ring();
    let ours = Value::from(ring.current().certificate().pem());
    let Some(wwwroot) = params.first().and_then(Value::to_text) else {
        // Some peers ask without introducing themselves.
        return Ok(ours);
    };
    let wwwroot =
        Wwwroot::parse(&wwwroot).map_err(|error| Refusal::Certificate(error.to_string()))?;
    let known = state
        .store
        .read_blocking(|tx| Peer::find(tx, wwwroot.as_str()))
        .map_err(|error: crate::peer::PeerError| internal(&error))?
        .is_some();
    if known || wwwroot == state.wwwroot {
        return Ok(ours);
    }
    if !state.register_all_hosts {
        info!(%wwwroot, "an unknown site asked for our certificate; to make it a peer: mnetd peer add {wwwroot}");
        return Ok(ours);
    }
    register_caller(state, &wwwroot, params)?;
    Ok(ours)
}

fn register_caller(state: &Arc<State>, wwwroot: &Wwwroot, params: &[Value]) -> Result<(), Refusal> {
    let pem = params.get(1).and_then(Value::to_text).unwrap_or_default();
    let certificate =
        Certificate::parse(&pem).map_err(|error| Refusal::Certificate(error.to_string()))?;
    certificate
        .matches(wwwroot)
        .map_err(|error| Refusal::Certificate(error.to_string()))?;
    // A Moodle sends, as a third parameter, which application it takes *us* for; Mahara sends none.
    let application = match params.len() {
        2 => Application::Mahara,
        _ => Application::Moodle,
    };
    let (name, pem, now) = (
        wwwroot.to_string(),
        certificate.pem().to_owned(),
        state.clock.now(),
    );
    state
        .store
        .write_blocking(move |tx| {
            let peer = NewPeer {
                wwwroot: &name,
                name: &name,
                application,
                certificate: Some(&pem),
                text_dialect: application.usual_dialect(),
            };
            peers::register(tx, &peer, now)
        })
        .map_err(|error: StoreError| internal(&error))?;
    warn!(%wwwroot, fingerprint = %certificate.fingerprint(), "an unknown site registered itself; it has no rights yet");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_heard() {
        for method in [
            Method::ListMethods,
            Method::ListServices,
            Method::Signature,
            Method::Help,
            Method::Keyswap,
            Method::Multicall,
        ] {
            assert_eq!(Method::named(method.path()), Some(method));
            assert_eq!(
                Method::named(&method.path().replace('/', ".")),
                Some(method)
            );
        }
        assert_eq!(Method::named("listMethods"), None);
        assert_eq!(Method::named("system/"), None);
    }
}
