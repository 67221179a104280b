//! Slows down whoever tries passwords.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// Failed attempts on one account at once; then one a minute. A person who forgot the password tries
/// four or five; at one a minute a word list of 10,000 takes a week.
const PER_ACCOUNT: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Failed attempts from one address at once; then one every six seconds. A whole school may sit behind
/// one address.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(30).unwrap();

/// How long one attempt on an account takes to be forgotten.
const ACCOUNT_PACE: Duration = Duration::from_mins(1);

/// How long one attempt from an address takes to be forgotten.
const ADDRESS_PACE: Duration = Duration::from_secs(6);

/// From how many remembered names and addresses on those without recent attempts are dropped.
const FORGET_FROM: usize = 10_000;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// Remembers attempts in memory: a restart forgives, which costs an attacker nothing to wait for and
/// an administrator nothing to use.
#[derive(Debug)]
pub struct Throttle {
    accounts: Limiter<String>,
    addresses: Limiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for Throttle {
    fn default() -> Self {
        let quota = |pace, burst| {
            Quota::with_period(pace)
                .unwrap_or_else(|| Quota::per_minute(burst))
                .allow_burst(burst)
        };
        Self {
            accounts: RateLimiter::hashmap(quota(ACCOUNT_PACE, PER_ACCOUNT)),
            addresses: RateLimiter::hashmap(quota(ADDRESS_PACE, PER_ADDRESS)),
            clock: DefaultClock::default(),
        }
    }
}

impl Throttle {
    /// Counts an attempt to sign in as `username` from `address`, whether there is such an account or
    /// not.
    ///
    /// # Errors
    /// How long to wait where there were too many; the attempt is then not to be looked at.
    pub fn attempt(&self, username: &str, address: IpAddr) -> Result<(), Duration> {
        self.forget_old();
        let by_address = self.addresses.check_key(&address);
        let by_account = self.accounts.check_key(&username.to_lowercase());
        match (by_address, by_account) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(wait), Ok(())) | (Ok(()), Err(wait)) => Err(wait.wait_time_from(self.clock.now())),
            (Err(one), Err(other)) => {
                let now = self.clock.now();
                Err(one.wait_time_from(now).max(other.wait_time_from(now)))
            }
        }
    }

    fn forget_old(&self) {
        if self.accounts.len() >= FORGET_FROM {
            self.accounts.retain_recent();
        }
        if self.addresses.len() >= FORGET_FROM {
            self.addresses.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_sixth_attempt_on_an_account_has_to_wait_wherever_it_comes_from() {
        let throttle = Throttle::default();
        for n in 0..5u8 {
            let from = IpAddr::from([192, 0, 2, n]);
            assert!(throttle.attempt("Admin", from).is_ok());
        }
        let wait = throttle.attempt("admin", HERE).unwrap_err();
        assert!(wait <= ACCOUNT_PACE && wait > Duration::ZERO, "{wait:?}");
        assert!(throttle.attempt("other", HERE).is_ok());
    }

    #[test]
    fn the_thirty_first_attempt_from_an_address_has_to_wait_whatever_account_it_is_for() {
        let throttle = Throttle::default();
        for n in 0..30 {
            assert!(throttle.attempt(&format!("user{n}"), HERE).is_ok());
        }
        assert!(throttle.attempt("one more", HERE).is_err());
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        assert!(throttle.attempt("one more", elsewhere).is_ok());
    }
}
