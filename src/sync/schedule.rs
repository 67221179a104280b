//! When the server synchronises by itself (docs/synchronising.md, By itself).

use std::collections::HashMap;
use std::time::Duration;

use tracing::{debug, warn};

use super::lists::function;
use super::{Order, SyncError, Synchroniser};
use crate::clock::UnixTime;
use crate::peer::Peer;
use crate::store::syncs::{self, Kind, Run, RunState};
use crate::store::{PeerId, StoreError};

/// Who asks for the runs of the timer.
pub const TIMER: &str = "timer";

/// How often it is looked which peers are due.
pub const LOOK: Duration = Duration::from_mins(1);

/// How long after a peer was first seen to offer its lists the first run begins, in seconds: whoever sets up
/// a plugin is still at it, and its own queue may be under way.
pub const FIRST_WAIT: i64 = 300;

/// The waits of peers differ by up to so many seconds, so that not all are synchronised at once.
pub const SPREAD: i64 = 600;

/// How long after the first of some failures the next try comes, in seconds; it doubles with each.
pub const FIRST_RETRY: i64 = 300;

/// How long it is believed that a peer offers no lists, or cannot be asked, in seconds.
const ASK_AGAIN: i64 = 3_600;

/// Runs that are looked at: more failures in a row make the wait no longer.
const RUNS_LOOKED_AT: u32 = 20;

/// When the next run of a peer is due; `None`: one is under way.
///
/// `runs`: its latest, the latest first; those of a single section do not count. `seen_at`: when it was
/// first seen to offer its lists, for one that was never synchronised. `every`: the seconds between runs.
#[must_use]
pub fn due_at(runs: &[Run], seen_at: UnixTime, offset: i64, every: i64) -> Option<UnixTime> {
    if runs.iter().any(|run| run.state == RunState::Running) {
        return None;
    }
    let mut whole = runs.iter().filter(|run| run.section.is_none());
    let Some(last) = whole.next() else {
        return Some(seen_at.plus(FIRST_WAIT + offset));
    };
    if last.state == RunState::Done {
        return Some(last.started_at.plus(every));
    }
    let further = whole.take_while(|run| run.state != RunState::Done).count();
    let doublings = u32::try_from(further).unwrap_or(u32::MAX);
    let wait = 2_i64
        .checked_pow(doublings)
        .and_then(|times| FIRST_RETRY.checked_mul(times))
        .map_or(every, |wait| wait.min(every));
    let ended = last.finished_at.unwrap_or(last.heartbeat_at);
    Some(ended.plus(wait))
}

/// What is added to a peer's first wait, in seconds: always the same for the same peer.
#[must_use]
pub fn offset(peer: PeerId) -> i64 {
    // Multiplied by a prime, neighbours fall far apart.
    peer.0.wrapping_mul(211).rem_euclid(SPREAD)
}

impl Synchroniser {
    /// Synchronises each peer whose register we subscribe to, and which offers its lists, every so often;
    /// one after the other. Does not end by itself.
    pub async fn keep(&self, every: Duration) {
        let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
        let mut offers = HashMap::new();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Err(error) = self.look(every, &mut offers).await {
                warn!(%error, "it could not be looked which peers are to be synchronised");
            }
        }
    }

    /// Synchronises the peers that are due.
    async fn look(&self, every: i64, offers: &mut HashMap<PeerId, Offer>) -> Result<(), SyncError> {
        let peers = self.store.read(Peer::all).await?;
        for peer in peers.iter().filter(|peer| peer.we_may_call("register")) {
            if !self.is_offered(peer, offers).await {
                continue;
            }
            let Some(Offer::Offered(seen_at)) = offers.get(&peer.id).copied() else {
                continue;
            };
            let id = peer.id;
            let runs = self
                .store
                .read(move |tx| syncs::latest(tx, id, RUNS_LOOKED_AT));
            let runs: Vec<Run> = runs.await?;
            let due = due_at(&self.still_running(runs), seen_at, offset(id), every);
            if due.is_none_or(|due| due > self.clock.now()) {
                continue;
            }
            let order = Order {
                asked_by: TIMER.to_owned(),
                ..Order::default()
            };
            // It has noted and logged what went wrong.
            match self.run(peer, order, &|_| {}).await {
                Err(SyncError::Store(error)) => return Err(StoreError::into(error)),
                Err(SyncError::Stopped(_)) => return Ok(()),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Those runs, without one that only seems to be under way.
    fn still_running(&self, mut runs: Vec<Run>) -> Vec<Run> {
        let silent_since = self.clock.now().plus(-super::DEAD_AFTER);
        for run in &mut runs {
            if run.state == RunState::Running && run.heartbeat_at <= silent_since {
                run.state = RunState::Interrupted;
            }
        }
        runs
    }

    /// Whether a peer offers its lists, as far as it was asked lately. One that once did is not asked again:
    /// if it does no longer, that is a failure to be seen.
    async fn is_offered(&self, peer: &Peer, offers: &mut HashMap<PeerId, Offer>) -> bool {
        let now = self.clock.now();
        match offers.get(&peer.id) {
            Some(Offer::Offered(_)) => return true,
            Some(Offer::NotSince(at)) if now.since(*at) < ASK_AGAIN => return false,
            _ => {}
        }
        let id = peer.id;
        let runs = self
            .store
            .read(move |tx| syncs::latest(tx, id, RUNS_LOOKED_AT));
        let has_worked = |runs: Vec<Run>| runs.iter().any(|run| run.state == RunState::Done);
        let is_known = runs.await.is_ok_and(has_worked);
        let found = if is_known {
            true
        } else {
            match self.client.find_function(peer, function(Kind::Users)).await {
                Ok(found) => found.is_some(),
                Err(error) => {
                    debug!(peer = %peer.wwwroot, %error, "it could not be asked whether it offers its lists");
                    false
                }
            }
        };
        let offer = if found {
            Offer::Offered(now)
        } else {
            Offer::NotSince(now)
        };
        offers.insert(peer.id, offer);
        found
    }
}

/// Whether a peer offers its lists, and since when that is known.
#[derive(Clone, Copy, Debug)]
enum Offer {
    Offered(UnixTime),
    NotSince(UnixTime),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SyncRunId;

    const EVERY: i64 = 86_400;
    const SEEN: UnixTime = UnixTime(1_800_000_000);

    fn run(state: RunState, started: i64, section: Option<&str>) -> Run {
        Run {
            id: SyncRunId(1),
            peer: PeerId(1),
            section: section.map(str::to_owned),
            asked_by: TIMER.to_owned(),
            state,
            phase: String::new(),
            read: 0,
            total: None,
            started_at: SEEN.plus(started),
            heartbeat_at: SEEN.plus(started),
            finished_at: (state != RunState::Running).then(|| SEEN.plus(started + 10)),
            report: "{}".to_owned(),
            error: None,
        }
    }

    #[test]
    fn the_first_run_comes_some_minutes_after_a_peer_was_seen() {
        assert_eq!(due_at(&[], SEEN, 40, EVERY), Some(SEEN.plus(340)));
        // That of a single section is none.
        let partial = [run(RunState::Done, 5, Some("bio"))];
        assert_eq!(due_at(&partial, SEEN, 40, EVERY), Some(SEEN.plus(340)));
    }

    #[test]
    fn the_next_one_comes_after_the_interval_and_none_beside_another() {
        let done = [run(RunState::Done, 100, None)];
        assert_eq!(due_at(&done, SEEN, 0, EVERY), Some(SEEN.plus(100 + EVERY)));
        let running = [
            run(RunState::Running, 200, Some("bio")),
            run(RunState::Done, 100, None),
        ];
        assert_eq!(due_at(&running, SEEN, 0, EVERY), None);
    }

    #[test]
    fn a_failure_is_tried_again_later_and_later() {
        let mut runs = vec![run(RunState::Failed, 1_000, None)];
        assert_eq!(due_at(&runs, SEEN, 0, EVERY), Some(SEEN.plus(1_310)));
        runs.insert(0, run(RunState::Interrupted, 2_000, None));
        assert_eq!(due_at(&runs, SEEN, 0, EVERY), Some(SEEN.plus(2_610)));
        for started in 3..20 {
            runs.insert(0, run(RunState::Failed, started * 1_000, None));
        }
        assert_eq!(
            due_at(&runs, SEEN, 0, EVERY),
            Some(SEEN.plus(19_010 + EVERY))
        );
        // One that went well ends the row of failures.
        runs.insert(1, run(RunState::Done, 18_500, None));
        assert_eq!(due_at(&runs, SEEN, 0, EVERY), Some(SEEN.plus(19_310)));
    }

    #[test]
    fn peers_are_spread() {
        let offsets: std::collections::BTreeSet<i64> =
            (1..=20).map(|id| offset(PeerId(id))).collect();
        assert_eq!(offsets.len(), 20);
        assert!(offsets.iter().all(|offset| (0..SPREAD).contains(offset)));
    }
}
