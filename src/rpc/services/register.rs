//! The service `register`, and `system/multicall`, which is many calls of it in one envelope.
//!
//! A message is one transaction: the mark that it was heard, its nonce, and what every call in it
//! changes are on disk together before it is answered. Each call of a multicall has a savepoint of its
//! own, so that one refused call leaves the others standing.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::{debug, warn};

use super::super::State;
use super::super::binding::Binding;
use super::super::fault::Refusal;
use super::super::receive::internal;
use super::super::replay::Place;
use super::{find, no_such_method, system};
use crate::clock::UnixTime;
use crate::peer::{CallError, Peer};
use crate::register::{self as school, Call, FetchUser, RegisterError, Reply, UserKey};
use crate::store::{Author, StoreError, WriteTx, peers, requests};
use crate::xmlrpc::{MethodCall, Struct, Value};

/// How many calls one multicall may hold: what a full synchronisation sends at a time is some
/// hundreds; beyond this one message would keep the single writer from all others for seconds.
pub const MAX_CALLS_IN_ONE: usize = 2_000;

/// How much of a peer's own words is repeated in a fault, in characters.
const MAX_REASON: usize = 500;

/// How many users are asked back for in one message: each is a call of its own to the peer.
const MAX_QUESTIONS: usize = 20;

/// How long a peer may take to answer such a question. Its own call is waiting meanwhile, and holds a
/// worker of its web server: where all of them wait so, none is left to answer, and the site stands
/// still for this long.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);

const SERVICE: &str = "register";
const GET_USER: &str = "get_user";

/// One call of a message: what to do, or why it is refused before anything is done.
type Slot = Result<Call, Refusal>;

/// How the calls of a message ended, in their order; `None` where one is still to be carried out.
type Endings = Vec<Option<Result<Reply, Refusal>>>;

/// What one message asks for.
#[derive(Debug)]
pub struct Order {
    slots: Vec<Slot>,
    binding: Option<Binding>,
    is_multicall: bool,
}

/// Carries out one message to the register.
pub async fn answer(
    state: &Arc<State>,
    peer: &Peer,
    mut order: Order,
    place: Option<Place>,
) -> Result<Value, Refusal> {
    let mut questions = MAX_QUESTIONS;
    for slot in &mut order.slots {
        if let Ok(Call::FetchUser(FetchUser::Ask(key))) = slot {
            let fetched = ask_back(state, peer, key, &mut questions).await;
            *slot = fetched;
        }
    }
    let (calls, mut endings) = split(order.slots);
    let calls = Arc::new(calls);
    let done = carry_out(state, peer, Arc::clone(&calls), order.binding, place).await?;
    for (number, reply) in done {
        endings[number] = Some(reply.map_err(Refusal::Register));
    }
    ask_for_missing(state, peer, &calls, &mut endings, &mut questions).await;
    let mut replies = endings
        .into_iter()
        .map(|ending| ending.unwrap_or(Err(Refusal::Internal)));
    if order.is_multicall {
        return Ok(Value::Array(replies.map(result_entry).collect()));
    }
    replies
        .next()
        .unwrap_or(Err(Refusal::Internal))
        .map(Value::from)
}

/// Parts what can be carried out, with its number in the message, from what is refused already.
fn split(slots: Vec<Slot>) -> (Vec<(usize, Call)>, Endings) {
    let mut calls = Vec::with_capacity(slots.len());
    let mut endings = Vec::with_capacity(slots.len());
    for (number, slot) in slots.into_iter().enumerate() {
        match slot {
            Ok(call) => {
                calls.push((number, call));
                endings.push(None);
            }
            Err(refusal) => endings.push(Some(Err(refusal))),
        }
    }
    (calls, endings)
}

impl Order {
    /// Reads a message of `peer`, and checks that it may send it. The transaction has the last word on
    /// nonces and on whether binding is required; this comes before the peer is asked anything. Runs on a
    /// worker: it takes thousands of calls apart and reads the database.
    pub fn take(state: &State, peer: &Peer, call: MethodCall) -> Result<Self, Refusal> {
        let order = Self::read(call)?;
        if !peer.may_call(SERVICE) {
            return Err(Refusal::NotPublished {
                service: SERVICE,
                wwwroot: peer.wwwroot.to_string(),
            });
        }
        match &order.binding {
            Some(binding) => {
                binding.check(&state.wwwroot, state.window, state.clock.now())?;
                let used = state
                    .store
                    .read_blocking(|tx| requests::was_nonce_used(tx, peer.id, &binding.nonce))
                    .map_err(|error: StoreError| internal(&error))?;
                if used {
                    return Err(Refusal::NonceUsed(hex::encode(binding.nonce)));
                }
            }
            None if peer.binding_required => {
                return Err(Refusal::NotBound(peer.wwwroot.to_string()));
            }
            None => {}
        }
        Ok(order)
    }

    fn read(mut call: MethodCall) -> Result<Self, Refusal> {
        let binding = Binding::take_from(&mut call.params)?;
        if system::Method::named(&call.method) == Some(system::Method::Multicall) {
            return Ok(Self {
                slots: read_multicall(&call.params)?,
                binding,
                is_multicall: true,
            });
        }
        Ok(Self {
            slots: vec![Ok(read_call(&call.method, &call.params)?)],
            binding,
            is_multicall: false,
        })
    }
}

/// `system/multicall([{methodName, params}, …])`.
fn read_multicall(params: &[Value]) -> Result<Vec<Slot>, Refusal> {
    let refuse = |expected| Refusal::Parameters {
        method: "system/multicall",
        expected,
    };
    let [calls] = params else {
        return Err(refuse("one parameter: an array of {methodName, params}"));
    };
    let calls = items(calls).ok_or_else(|| refuse("an array of {methodName, params}"))?;
    if calls.len() > MAX_CALLS_IN_ONE {
        return Err(refuse("at most 2,000 calls in one"));
    }
    Ok(calls.iter().map(read_entry).collect())
}

fn read_entry(entry: &Value) -> Slot {
    let refuse = |expected| Refusal::Parameters {
        method: "system/multicall",
        expected,
    };
    let Value::Struct(entry) = entry else {
        return Err(refuse("each call as a struct {methodName, params}"));
    };
    let method = entry
        .get("methodName")
        .and_then(Value::to_text)
        .ok_or_else(|| refuse("a methodName in each call"))?;
    let params = match entry.get("params") {
        None => Cow::Borrowed(&[] as &[Value]),
        Some(params) => items(params).ok_or_else(|| refuse("params as an array in each call"))?,
    };
    if system::Method::named(&method).is_some() {
        return Err(refuse(
            "calls of the register; system methods are called by themselves",
        ));
    }
    read_call(&method, &params)
}

/// The items of an array, of what PHP makes of an empty one, or of a struct that is a PHP list with gaps.
fn items(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value.as_array() {
        Some(items) => Some(Cow::Borrowed(items)),
        None => Some(value.to_list()?.into_iter().cloned().collect()),
    }
}

fn read_call(method: &str, params: &[Value]) -> Slot {
    let Some((_, known)) = find(method) else {
        return Err(no_such_method(method));
    };
    match Call::parse(known.path, params)? {
        Some(call) => Ok(call),
        None => Err(no_such_method(method)),
    }
}

/// The one transaction of a message.
async fn carry_out(
    state: &Arc<State>,
    peer: &Peer,
    calls: Arc<Vec<(usize, Call)>>,
    binding: Option<Binding>,
    place: Option<Place>,
) -> Result<Vec<(usize, Result<Reply, RegisterError>)>, Refusal> {
    let now = state.clock.now();
    let forget_before = state.window.forget_before(now);
    let author = Author::Peer { id: peer.id };
    let (id, wwwroot) = (peer.id, peer.wwwroot.to_string());
    super::once(state, peer, place, move |tx| {
        match &binding {
            Some(binding) => {
                if !requests::mark_nonce(tx, id, &binding.nonce, now, forget_before)? {
                    return Ok(Err(Refusal::NonceUsed(hex::encode(binding.nonce))));
                }
                peers::set_binding_required(tx, id, true)?;
            }
            None if peers::is_binding_required(tx, id)? => {
                return Ok(Err(Refusal::NotBound(wwwroot)));
            }
            None => {}
        }
        let replies = calls
            .iter()
            .map(|(number, call)| Ok((*number, apply(tx, &author, call, now)?)));
        replies.collect::<Result<_, _>>().map(Ok)
    })
    .await
}

/// One call under its own savepoint. A failure of the database ends the whole message: the outer
/// error.
fn apply(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &Call,
    now: UnixTime,
) -> Result<Result<Reply, RegisterError>, StoreError> {
    match tx.savepoint(|tx| school::apply(tx, author, call, now)) {
        Err(RegisterError::Store(error)) => Err(error),
        ending => Ok(ending),
    }
}

/// Where a call named a user the register has not seen, asks the peer for that user, stores the
/// answer and carries the call out again; a section may name several.
async fn ask_for_missing(
    state: &Arc<State>,
    peer: &Peer,
    calls: &Arc<Vec<(usize, Call)>>,
    endings: &mut Endings,
    questions: &mut usize,
) {
    for (index, (number, call)) in calls.iter().enumerate() {
        let ending = &mut endings[*number];
        while let Some(key) = missing_user(call, ending.as_ref()) {
            let fetched = match ask_back(state, peer, &key, questions).await {
                Ok(call) => call,
                Err(refusal) => {
                    debug!(peer = %peer.wwwroot, %refusal, "a missing user could not be asked for");
                    break;
                }
            };
            let author = Author::Peer { id: peer.id };
            let now = state.clock.now();
            let calls = Arc::clone(calls);
            let again = state.store.write(move |tx| -> Result<_, StoreError> {
                match apply(tx, &author, &fetched, now)? {
                    Ok(_) => apply(tx, &author, &calls[index].1, now),
                    Err(error) => Ok(Err(error)),
                }
            });
            match again.await {
                Ok(reply) => *ending = Some(reply.map_err(Refusal::Register)),
                Err(error) => {
                    warn!(%error, "a missing user could not be stored");
                    break;
                }
            }
        }
    }
}

/// The user that has to be there before `call` can be carried out, where it is a call that brings
/// something in: nobody is asked for so as to be removed.
fn missing_user(call: &Call, ending: Option<&Result<Reply, Refusal>>) -> Option<UserKey> {
    let brings_in = matches!(
        call,
        Call::NewSection(_) | Call::UpdateSection(_) | Call::NewEnrolment(_) | Call::NewGrade(_)
    );
    let Some(Err(Refusal::Register(error))) = ending.filter(|_| brings_in) else {
        return None;
    };
    Some(UserKey::Id {
        idnumber: error.wanted_user()?.to_owned(),
        username: None,
    })
}

/// A result of a multicall: an array of one value, or a fault as a struct, as XML-RPC's multicall has it.
fn result_entry(reply: Result<Reply, Refusal>) -> Value {
    match reply {
        Ok(reply) => Value::Array(vec![Value::from(reply)]),
        Err(refusal) => {
            let fault: Struct = [
                ("faultCode".to_owned(), Value::from(refusal.code())),
                ("faultString".to_owned(), Value::from(refusal.to_string())),
            ]
            .into_iter()
            .collect();
            Value::Struct(fault)
        }
    }
}

/// Asks `peer` for one user and makes a complete `fetch_user` of the answer.
async fn ask_back(state: &State, peer: &Peer, key: &UserKey, questions: &mut usize) -> Slot {
    let in_vain = |reason: String| Refusal::AskedInVain(reason);
    if *questions == 0 {
        return Err(in_vain(format!(
            "at most {MAX_QUESTIONS} users are asked back for in one message, and none after a question that was not answered in time; send users in full, or fewer in a message"
        )));
    }
    // Counted before anything is sent: a peer that fails at once must not be asked 2,000 times.
    *questions -= 1;
    let asking = async {
        let found = state.client.find_function(peer, GET_USER).await;
        let method = found.map_err(|error| in_vain(shortened(&error)))?;
        let method = method.ok_or_else(|| {
            in_vain(format!(
                "{} offers no {GET_USER}; send username, firstname, lastname and email along",
                peer.wwwroot
            ))
        })?;
        let answer = state.client.call(peer, &method, vec![question(key)]).await;
        answer.map_err(|error| in_vain(shortened(&error)))
    };
    let Ok(answer) = timeout(QUESTION_TIMEOUT, asking).await else {
        *questions = 0;
        return Err(in_vain(format!(
            "{} was asked back for {} and did not answer within {} s; if all its web server's workers wait for answers of ours, send from a scheduled task instead, or users in full",
            peer.wwwroot,
            key.as_str(),
            QUESTION_TIMEOUT.as_secs()
        )));
    };
    let answer = answer?;
    if is_nobody(&answer) {
        return Err(in_vain(format!(
            "{} was asked back for {} and knows no such user",
            peer.wwwroot,
            key.as_str()
        )));
    }
    let user = key.answer(&answer)?;
    Ok(Call::FetchUser(FetchUser::Complete(user)))
}

/// A peer's words may be megabytes long, and stand in a fault for each of many calls.
fn shortened(error: &CallError) -> String {
    error.to_string().chars().take(MAX_REASON).collect()
}

/// The one argument of `get_user`: the key as a struct.
fn question(key: &UserKey) -> Value {
    let (idnumber, username) = match key {
        UserKey::Id { idnumber, username } => (Some(idnumber), username.as_ref()),
        UserKey::Username(username) => (None, Some(username)),
    };
    [("idnumber", idnumber), ("username", username)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?.as_str()))))
        .collect::<Struct>()
        .into()
}

/// Whether an answer of `get_user` says that there is no such user: PHP's empty array, `false`, null
/// or an empty string, or a struct without members.
fn is_nobody(answer: &Value) -> bool {
    answer.to_list().is_some_and(|items| items.is_empty())
}
