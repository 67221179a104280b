//! The service `sso_sp`: what peers tell about their own people who are signed in here.

use std::sync::Arc;

use super::super::State;
use super::super::fault::Refusal;
use super::super::replay::Place;
use super::sso_idp::two_texts;
use super::{Dispatched, Order as AnyOrder};
use crate::peer::Peer;
use crate::sso::service_provider as rules;
use crate::xmlrpc::Value;

/// `kill_child`.
#[derive(Clone, Debug)]
pub struct Order {
    username: String,
    user_agent: String,
}

/// Answers what only reads, and takes the order of what writes.
pub fn dispatch(path: &'static str, params: &[Value], peer: &Peer) -> Result<Dispatched, Refusal> {
    match path.rsplit('/').next() {
        // Told by the clock: a peer must not make us call out at its pace.
        Some("keepalive_client") => Ok(Dispatched::Answered(true.into())),
        Some("kill_child") => {
            let (username, user_agent) = two_texts(path, params)?;
            Ok(Dispatched::Waits(
                Box::new(peer.clone()),
                AnyOrder::ServiceProvider(Order {
                    username,
                    user_agent,
                }),
            ))
        }
        _ => Err(Refusal::UnknownMethod),
    }
}

/// Carries out what writes.
pub async fn write(
    state: &Arc<State>,
    peer: &Peer,
    order: Order,
    place: Option<Place>,
) -> Result<Value, Refusal> {
    let (id, now) = (peer.id, state.clock.now());
    super::once(state, peer, place, move |tx| {
        let ended = rules::end_sessions(tx, id, &order.username, &order.user_agent, now)?;
        Ok(Ok(ended.into()))
    })
    .await
}
