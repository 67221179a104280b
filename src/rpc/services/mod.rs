//! What can be called: one file a service.

mod mnet_enrol;
mod register;
mod sso_idp;
mod sso_sp;
pub mod system;

use std::sync::Arc;

use super::State;
use super::fault::Refusal;
use super::receive::{Caller, internal};
use super::replay::Place;
use crate::peer::Peer;
use crate::register as school;
use crate::service::{Method, Service};
use crate::sso;
use crate::store::{StoreError, WriteTx, peers, requests};
use crate::xmlrpc::{MethodCall, Value};

pub use register::MAX_CALLS_IN_ONE;
pub use sso_idp::{MAX_LOG_ENTRIES, MAX_USERNAMES};

/// Every service this side offers, in the order they are listed. The system methods belong to none:
/// every peer may call them.
pub static CATALOGUE: [&Service; 4] = [
    &school::SERVICE,
    &school::remote::SERVICE,
    &sso::service::IDENTITY_PROVIDER,
    &sso::service::SERVICE_PROVIDER,
];

/// What becomes of a call at once.
#[derive(Debug)]
pub enum Dispatched {
    /// It only reads, and this is the answer.
    Answered(Value),
    /// It writes: for whom, and what.
    Waits(Box<Peer>, Order),
}

/// A call that writes, read and found allowed.
#[derive(Debug)]
pub enum Order {
    /// Of the register, or several.
    Register(register::Order),
    /// Of remote enrolment.
    Enrolment(mnet_enrol::Order),
    /// Of single sign-on, where we are the identity provider.
    IdentityProvider(sso_idp::Order),
    /// Of single sign-on, where we are the service provider.
    ServiceProvider(sso_sp::Order),
}

impl Order {
    /// Carries the call out, and waits until what it changed, and that it was heard, is on disk.
    pub async fn carry_out(
        self,
        state: &Arc<State>,
        peer: &Peer,
        place: Option<Place>,
    ) -> Result<Value, Refusal> {
        match self {
            Self::Register(order) => register::answer(state, peer, order, place).await,
            Self::Enrolment(order) => mnet_enrol::write(state, peer, order, place).await,
            Self::IdentityProvider(order) => sso_idp::write(state, peer, order, place).await,
            Self::ServiceProvider(order) => sso_sp::write(state, peer, order, place).await,
        }
    }
}

/// Carries out a call that only reads, or takes the order of one that writes. Runs on a worker.
pub fn dispatch(
    state: &Arc<State>,
    caller: &Caller,
    call: MethodCall,
) -> Result<Dispatched, Refusal> {
    use system::Method::Multicall;
    let system_method = system::Method::named(&call.method);
    if let Some(method) = system_method.filter(|method| *method != Multicall) {
        return system::answer(state, caller, method, &call.params).map(Dispatched::Answered);
    }
    let Caller::Peer(peer) = caller else {
        return Err(Refusal::NotSigned);
    };
    let waits = |order| Ok(Dispatched::Waits(peer.clone(), order));
    if system_method.is_some() {
        return waits(Order::Register(register::Order::take(state, peer, call)?));
    }
    let Some((service, method)) = find(&call.method) else {
        return Err(no_such_method(&call.method));
    };
    if service.name == school::SERVICE.name {
        return waits(Order::Register(register::Order::take(state, peer, call)?));
    }
    if !peer.may_call(service.name) {
        return Err(Refusal::NotPublished {
            service: service.name,
            wwwroot: peer.wwwroot.to_string(),
        });
    }
    if let Some(method) = mnet_enrol::Method::named(method.path) {
        return match method {
            mnet_enrol::Method::Change(change) => waits(Order::Enrolment(
                mnet_enrol::Order::parse(change, &call.params)?,
            )),
            method => mnet_enrol::read(state, peer, method, &call.params).map(Dispatched::Answered),
        };
    }
    match service.name {
        "sso_idp" => sso_idp::dispatch(method.path, &call.params, peer),
        _ => sso_sp::dispatch(method.path, &call.params, peer),
    }
}

/// Runs `job` in the transaction that marks a call as heard, and waits until both are on disk. What
/// `job` refuses stays heard; what it wrote before it refused stays as well.
async fn once<T: Send + 'static>(
    state: &State,
    peer: &Peer,
    place: Option<Place>,
    job: impl FnOnce(&WriteTx<'_>) -> Result<Result<T, Refusal>, StoreError> + Send + 'static,
) -> Result<T, Refusal> {
    let (id, now) = (peer.id, state.clock.now());
    let place = Arc::new(place);
    // Held until the message is on disk.
    let held = Arc::clone(&place);
    let marked = move |tx: &WriteTx<'_>| {
        if let Some(place) = place.as_ref() {
            let identity = place.identity();
            if !requests::mark_seen(tx, identity.key_pair.as_bytes(), identity.session_key.0)? {
                return Ok(Err(Refusal::Replayed));
            }
        }
        peers::note_contact(tx, id, now, None)?;
        job(tx)
    };
    let outcome = state.store.write(marked).await;
    drop(held);
    outcome.unwrap_or_else(|error: StoreError| Err(internal(&error)))
}

/// A method of the catalogue by its path; of the register by its bare name as well; of a service that
/// Moodle has in plugins by its function under any plugin's path (docs/protocol.md, Services and
/// methods).
#[must_use]
pub fn find(name: &str) -> Option<(&'static Service, &'static Method)> {
    CATALOGUE.iter().copied().find_map(|service| {
        let answers = |method: &&Method| match method.path.rsplit_once('/') {
            Some((folder, function)) if folder == service.name => {
                name == method.path || name == function
            }
            Some((_, function)) => name
                .rsplit_once('/')
                .is_some_and(|(plugin, named)| !plugin.is_empty() && named == function),
            None => false,
        };
        let method = service.methods.iter().find(answers)?;
        Some((service, method))
    })
}

/// The name under which a method is counted; one word for all that do not exist.
#[must_use]
pub fn canonical(name: &str) -> &'static str {
    if let Some(method) = system::Method::named(name) {
        return method.path();
    }
    find(name).map_or("unknown", |(_, method)| method.path)
}

/// Which fault a name that nothing answers to brings, as Moodle has it: 7018 for `system/…`, 713 for
/// what is no path of a function, 7012 for a path that leads nowhere.
#[must_use]
pub fn no_such_method(name: &str) -> Refusal {
    let in_alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if name.starts_with("system/") || name.starts_with("system.") {
        Refusal::UnknownSystemMethod
    } else if name.contains('/') && name.chars().all(in_alphabet) {
        Refusal::UnknownMethod
    } else {
        Refusal::MalformedName
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_method_is_heard_by_both_names() {
        for name in ["register/new_grade", "new_grade"] {
            assert_eq!(find(name).unwrap().1.path, "register/new_grade");
        }
        for name in [
            "grade",
            "register/",
            "register",
            "",
            "register/new_grade/",
            "/new_grade",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_plugins_function_is_heard_under_any_plugin() {
        for name in [
            "auth/mnet/auth.php/user_authorise",
            "auth/mnetd/auth.php/user_authorise",
            "local/mnetd/rpc.php/user_authorise",
        ] {
            let (service, method) = find(name).unwrap();
            assert_eq!(service.name, "sso_idp");
            assert_eq!(method.path, "auth/mnet/auth.php/user_authorise");
        }
        for name in [
            "user_authorise",
            "/user_authorise",
            "auth/mnet/auth.php/",
            "auth/mnet/auth.php/user_authorise/",
            "auth/mnet/auth.php/kill_parent",
            "local/other/lib.php/new_grade",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn names_that_lead_nowhere_are_told_apart() {
        for (name, code) in [
            ("nothing", 713),
            ("", 713),
            ("a b/c", 713),
            ("local/none/lib.php/nothing", 7012),
            ("system/nothing", 7018),
            ("system.nothing", 7018),
        ] {
            assert_eq!(no_such_method(name).code(), code, "{name}");
        }
    }
}
