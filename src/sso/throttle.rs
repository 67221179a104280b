//! Slows down whoever guesses passwords.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many failures are let pass at once, and how long one takes to be forgotten.
#[derive(Clone, Copy, Debug)]
struct Limit {
    burst: u32,
    pace: Duration,
}

/// Failures on one account from one address. A person who forgot the password tries four or five; at one
/// a minute a word list of 10,000 takes a week.
const ACCOUNT_FROM_ADDRESS: Limit = Limit {
    burst: 5,
    pace: Duration::from_mins(1),
};

/// Failures on one account from anywhere. Much looser, so that somebody with one address cannot keep the
/// account's owner out from another; tight enough for a word list spread over a thousand addresses: 8,640
/// words a day.
const ACCOUNT: Limit = Limit {
    burst: 100,
    pace: Duration::from_secs(10),
};

/// Failures from one address on any account. A whole school may sit behind one address.
const ADDRESS: Limit = Limit {
    burst: 30,
    pace: Duration::from_secs(6),
};

/// How many accounts and addresses are remembered of each kind: two mebibytes or so. With 100 passwords
/// hashed a second, and one failure forgotten after a minute, a flood comes to 6,000.
const MAX_REMEMBERED: usize = 10_000;

const TENTH: usize = MAX_REMEMBERED / 10;

/// Remembers failures in memory: a restart forgives, which costs an attacker nothing to wait for and
/// an administrator nothing to use.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    addresses: Table<Network>,
    accounts_from: Table<(String, Network)>,
    accounts: Table<String>,
}

/// An attempt that was let pass. It counts as a failure, also while it is under way, so that many at a
/// time are no way round the limits; until [`Throttle::forgive`] takes it back.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    account: String,
    network: Network,
}

/// Whom an address counts for: itself, or its /64 where it is an IPv6 address, since every customer of an
/// IPv6 provider has that many to choose from (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    V6(u64),
}

impl Throttle {
    /// Lets an attempt pass to sign in as `username`, which is at most
    /// [`MAX_USERNAME`](crate::register::MAX_USERNAME) long, whether there is such an account or not.
    ///
    /// # Errors
    /// How long to wait where there were too many failures; the attempt is then not to be looked at, and
    /// counts nowhere.
    pub fn attempt(
        &self,
        username: &str,
        address: IpAddr,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let attempt = Attempt {
            account: username.to_lowercase(),
            network: Network::of(address),
        };
        let mut failures = self.failures();
        failures.addresses.check(&attempt.network, ADDRESS, now)?;
        let here = attempt.account_from();
        let tables = &mut *failures;
        tables
            .accounts_from
            .check(&here, ACCOUNT_FROM_ADDRESS, now)?;
        tables.accounts.check(&attempt.account, ACCOUNT, now)?;
        tables.addresses.charge(attempt.network, ADDRESS, now);
        tables.accounts_from.charge(here, ACCOUNT_FROM_ADDRESS, now);
        tables
            .accounts
            .charge(attempt.account.clone(), ACCOUNT, now);
        Ok(attempt)
    }

    /// Takes back an attempt that was none to guess: the password was right.
    pub fn forgive(&self, attempt: &Attempt) {
        let mut failures = self.failures();
        failures.addresses.forgive(&attempt.network, ADDRESS);
        failures
            .accounts_from
            .forgive(&attempt.account_from(), ACCOUNT_FROM_ADDRESS);
        failures.accounts.forgive(&attempt.account, ACCOUNT);
    }

    /// A thread that panicked here left each number whole.
    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    fn account_from(&self) -> (String, Network) {
        (self.account.clone(), self.network)
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(prefix(address)),
        }
    }
}

/// The first 64 bits.
fn prefix(address: Ipv6Addr) -> u64 {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
        .into_iter()
        .fold(0, |bits, segment| (bits << 16) | u64::from(segment))
}

/// For each key the moment at which its last failure will be forgotten.
#[derive(Debug)]
struct Table<K> {
    forgotten_at: HashMap<K, Instant>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            forgotten_at: HashMap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn check(&self, key: &K, limit: Limit, now: Instant) -> Result<(), Duration> {
        let Some(forgotten_at) = self.forgotten_at.get(key) else {
            return Ok(());
        };
        // With one failure less than the limit, one more may come.
        let most = limit.pace * (limit.burst - 1);
        let left = forgotten_at.saturating_duration_since(now);
        match left.checked_sub(most) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    fn charge(&mut self, key: K, limit: Limit, now: Instant) {
        if self.forgotten_at.len() >= MAX_REMEMBERED && !self.forgotten_at.contains_key(&key) {
            self.make_room(now);
        }
        let forgotten_at = self.forgotten_at.entry(key).or_insert(now);
        *forgotten_at = now.max(*forgotten_at) + limit.pace;
    }

    fn forgive(&mut self, key: &K, limit: Limit) {
        if let Some(forgotten_at) = self.forgotten_at.get_mut(key) {
            *forgotten_at -= limit.pace;
        }
    }

    /// Drops what is forgotten, and, where that is too little, the tenth that would be next: those of the
    /// fewest failures.
    fn make_room(&mut self, now: Instant) {
        self.forgotten_at
            .retain(|_, forgotten_at| *forgotten_at > now);
        if self.forgotten_at.len() > MAX_REMEMBERED - TENTH {
            let mut moments: Vec<Instant> = self.forgotten_at.values().copied().collect();
            let (_, last, _) = moments.select_nth_unstable(TENTH);
            let last = *last;
            self.forgotten_at
                .retain(|_, forgotten_at| *forgotten_at > last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn v4(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    /// How many failures are let pass, of at most 1,000.
    fn passing(mut attempt: impl FnMut(u16) -> Result<Attempt, Duration>) -> u32 {
        (0..1_000_u16)
            .find(|n| attempt(*n).is_err())
            .unwrap_or(1_000)
            .into()
    }

    #[test]
    fn the_sixth_failure_on_an_account_has_to_wait_where_it_comes_from() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let passed = passing(|n| {
            let name = if n % 2 == 0 { "Admin" } else { "admin" };
            throttle.attempt(name, HERE, now)
        });
        assert_eq!(passed, ACCOUNT_FROM_ADDRESS.burst);
        let wait = throttle.attempt("admin", HERE, now).unwrap_err();
        assert_eq!(wait, ACCOUNT_FROM_ADDRESS.pace);
        assert!(throttle.attempt("other", HERE, now).is_ok());
        // The owner is elsewhere.
        assert!(throttle.attempt("admin", v4(1), now).is_ok());
        assert!(throttle.attempt("admin", HERE, now + wait).is_ok());
        assert!(throttle.attempt("admin", HERE, now + wait).is_err());
    }

    #[test]
    fn an_account_is_guessed_at_from_many_addresses_no_faster_than_its_own_limit() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let passed = passing(|n| throttle.attempt("admin", v4(n.into()), now));
        assert_eq!(passed, ACCOUNT.burst);
        let wait = throttle.attempt("admin", v4(5_000), now).unwrap_err();
        assert_eq!(wait, ACCOUNT.pace);
        assert!(throttle.attempt("admin", v4(5_000), now + wait).is_ok());
    }

    #[test]
    fn the_thirty_first_failure_from_an_address_has_to_wait_and_counts_for_no_account() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let passed = passing(|n| throttle.attempt(&format!("user{n}"), HERE, now));
        assert_eq!(passed, ADDRESS.burst);
        for _ in 0..2 * ACCOUNT.burst {
            assert!(throttle.attempt("admin", HERE, now).is_err());
        }
        assert!(throttle.attempt("admin", v4(1), now).is_ok());
        assert!(throttle.attempt("admin", HERE, now + ADDRESS.pace).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let within = |n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 1, n));
        let passed = passing(|n| throttle.attempt("admin", within(n), now));
        assert_eq!(passed, ACCOUNT_FROM_ADDRESS.burst);
        let next: IpAddr = "2001:db8:0:8::1".parse().unwrap();
        assert!(throttle.attempt("admin", next, now).is_ok());
        // An IPv4 address in its IPv6 form is the IPv4 address.
        let mapped = |n: u16| {
            let address = Ipv4Addr::from_bits(0xc000_0200 + u32::from(n));
            IpAddr::V6(address.to_ipv6_mapped())
        };
        assert_eq!(
            passing(|n| throttle.attempt("b", mapped(n), now)),
            ACCOUNT.burst
        );
    }

    #[test]
    fn who_knows_the_password_is_never_kept_waiting() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..1_000 {
            let attempt = throttle.attempt("admin", HERE, now).unwrap();
            throttle.forgive(&attempt);
        }
        let passed = passing(|_| throttle.attempt("admin", HERE, now));
        assert_eq!(passed, ACCOUNT_FROM_ADDRESS.burst);
    }

    #[test]
    fn what_is_remembered_has_an_end_and_a_flood_pushes_no_guesser_out() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        passing(|_| throttle.attempt("admin", HERE, now));
        let most = u32::try_from(MAX_REMEMBERED).unwrap();
        for n in 0..2 * most {
            let _ = throttle.attempt(&format!("user{n}"), v4(n), now);
        }
        assert!(throttle.attempt("admin", HERE, now).is_err());
        let failures = throttle.failures();
        assert!(failures.addresses.forgotten_at.len() <= MAX_REMEMBERED);
        assert!(failures.accounts_from.forgotten_at.len() <= MAX_REMEMBERED);
        assert!(failures.accounts.forgotten_at.len() <= MAX_REMEMBERED);
    }
}
