//! Traffic that flows while something else happens: changes made in Moodle and sent to the register, and calls of mnetd's
//! to Moodle, each in a thread of its own.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::failure::{Failure, Held, expect};
use crate::mnetd::Mnetd;
use crate::moodle::Moodle;
use crate::waiting::{Look, PATIENCE, until};

/// How long a queue may take to empty itself: the plugin waits a minute after a message that failed, then two.
const QUEUE_PATIENCE: Duration = Duration::from_mins(5);

/// What has flowed so far.
#[derive(Debug, Default)]
pub struct Flowed {
    /// Users made in Moodle, each a change that has to reach the register.
    changes: AtomicU32,
    /// Calls of mnetd's to Moodle.
    calls: AtomicU32,
    /// How often a call of mnetd's had to be made again.
    repeated: AtomicU32,
    over: AtomicBool,
}

/// Lets traffic flow both ways while `meanwhile` happens, and looks afterwards that not one change was lost. What flowed,
/// in words.
///
/// # Errors
/// When `meanwhile` fails, a call fails twice, or a change does not arrive.
pub fn flows_while(
    moodle: &Moodle,
    mnetd: &Mnetd,
    meanwhile: impl FnOnce(&Flowed) -> Held,
) -> Held<String> {
    let flowed = Flowed::default();
    thread::scope(|scope| {
        let changes = scope.spawn(|| flowed.until_over(|| make_change(moodle, mnetd, &flowed)));
        let calls = scope.spawn(|| flowed.until_over(|| make_call(moodle, mnetd, &flowed)));
        let happened = meanwhile(&flowed);
        flowed.over.store(true, Ordering::Relaxed);
        // Where traffic came to a halt, the reason is worth more than that it did.
        joined(changes.join())?;
        joined(calls.join())?;
        happened
    })?;
    everything_arrived(moodle, mnetd, &flowed)?;
    Ok(flowed.told())
}

impl Flowed {
    /// Waits until more has flowed both ways, so that what comes next happens in the midst of it.
    ///
    /// # Errors
    /// When nothing flows any more.
    pub fn goes_on(&self) -> Held {
        const MORE: u32 = 2;
        let (changes, calls) = (
            self.changes.load(Ordering::Relaxed),
            self.calls.load(Ordering::Relaxed),
        );
        until("more traffic both ways", PATIENCE * 2, || {
            let more_changes = self.changes.load(Ordering::Relaxed) >= changes + MORE;
            let more_calls = self.calls.load(Ordering::Relaxed) >= calls + MORE;
            let stopped = self.over.load(Ordering::Relaxed);
            Ok(if (more_changes && more_calls) || stopped {
                Look::There(())
            } else {
                Look::NotYet(self.told())
            })
        })
    }

    fn told(&self) -> String {
        format!(
            "{} changes in Moodle, {} calls by mnetd, {} made again",
            self.changes.load(Ordering::Relaxed),
            self.calls.load(Ordering::Relaxed),
            self.repeated.load(Ordering::Relaxed),
        )
    }

    /// Does something again and again, until it is over or fails; then it is over for all.
    fn until_over(&self, mut step: impl FnMut() -> Held) -> Held {
        while !self.over.load(Ordering::Relaxed) {
            let done = step();
            if done.is_err() {
                self.over.store(true, Ordering::Relaxed);
                return done;
            }
        }
        Ok(())
    }
}

/// Makes a user in Moodle, and sends what waits there.
fn make_change(moodle: &Moodle, mnetd: &Mnetd, flowed: &Flowed) -> Held {
    let number = flowed.changes.load(Ordering::Relaxed) + 1;
    let user = json!({"username": username(number), "idnumber": idnumber(number)});
    moodle.provision("user", &user)?;
    flowed.changes.store(number, Ordering::Relaxed);
    // What cannot be sent now stays in the queue.
    moodle.send_queue(&mnetd.url()).map(drop)
}

/// Calls Moodle. A call that fails while keys change is made again until it passes, and counted; it has to pass soon.
fn make_call(moodle: &Moodle, mnetd: &Mnetd, flowed: &Flowed) -> Held {
    let call = ["call", moodle.url(), "system/listServices"];
    until("a call by mnetd that passes", PATIENCE, || {
        Ok(match mnetd.run(&call) {
            Ok(_) => Look::There(()),
            Err(failure) => {
                flowed.repeated.fetch_add(1, Ordering::Relaxed);
                Look::NotYet(failure.to_string())
            }
        })
    })?;
    flowed.calls.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Every change is in the register, and Moodle's queue is empty, with nothing refused in it.
fn everything_arrived(moodle: &Moodle, mnetd: &Mnetd, flowed: &Flowed) -> Held {
    until("an empty queue in Moodle", QUEUE_PATIENCE, || {
        let all_sent = moodle.send_queue(&mnetd.url())?;
        Ok(if all_sent {
            Look::There(())
        } else {
            Look::NotYet(moodle.run_script("local/mnetd/cli/status.php", &[])?)
        })
    })?;
    let made = flowed.changes.load(Ordering::Relaxed);
    let missing: Vec<String> = (1..=made)
        .map(username)
        .filter_map(|name| match is_registered(mnetd, &name) {
            Ok(true) => None,
            Ok(false) => Some(Ok(name)),
            Err(failure) => Some(Err(failure)),
        })
        .collect::<Held<Vec<String>>>()?;
    expect(
        "users of Moodle that are not in the register",
        &Vec::<String>::new(),
        &missing,
    )
}

fn is_registered(mnetd: &Mnetd, username: &str) -> Held<bool> {
    let count: i64 = mnetd.one(
        "SELECT count(*) FROM person WHERE sent_username = ?1 AND removed_at IS NULL",
        [username],
    )?;
    Ok(count == 1)
}

fn username(number: u32) -> String {
    format!("interop-flow-{number:04}")
}

fn idnumber(number: u32) -> String {
    format!("INTEROP-FLOW-{number:04}")
}

/// What a thread came to.
fn joined(ended: thread::Result<Held>) -> Held {
    ended.unwrap_or_else(|_| {
        Err(Failure::Otherwise {
            what: "a thread of traffic".to_owned(),
            expected: "an end".to_owned(),
            seen: "a panic".to_owned(),
        })
    })
}
