//! Signing in by a password.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::password::{Password, PasswordError};
use super::session::{self, Browser, SessionError};
use super::throttle::Throttle;
use super::token::Token;
use crate::clock::Clock;
use crate::register::MAX_USERNAME;
use crate::store::accounts::{self, Account};
use crate::store::sessions::SignedIn;
use crate::store::{SessionId, Store, StoreError};

/// Passwords hashed at a time: each takes 19 MiB and a core for 20 ms.
const HASHED_AT_A_TIME: usize = 2;

/// Signs people in by password. Clones share what is remembered of attempts.
#[derive(Clone, Debug)]
pub struct SignIn {
    store: Store,
    clock: Clock,
    throttle: Arc<Throttle>,
    hashing: Arc<Semaphore>,
}

/// Why somebody is not signed in.
#[derive(Debug, Error)]
pub enum SignInError {
    /// Name and password do not fit, or the account is out of use; which of them is not told.
    #[error(
        "username and password do not fit. If you usually come here from another site, sign in there and follow its link to this one"
    )]
    Wrong,
    /// Too many attempts.
    #[error("there were too many attempts; try again in {} seconds", .0.as_secs().max(1))]
    TooMany(Duration),
    /// The session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Hashing was cut off.
    #[error("mnetd is shutting down")]
    Stopped,
}

impl SignIn {
    /// Signs in to the accounts of `store`.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            throttle: Arc::default(),
            hashing: Arc::new(Semaphore::new(HASHED_AT_A_TIME)),
        }
    }

    /// Begins a session for the account called `username`, if `password` is its own; the session
    /// `before`, of the same browser, ends.
    ///
    /// # Errors
    /// [`SignInError::Wrong`], [`SignInError::TooMany`], or a failure here.
    pub async fn by_password(
        &self,
        username: &str,
        password: Password,
        browser: Browser,
        from: IpAddr,
        before: Option<SessionId>,
    ) -> Result<(Token, Account), SignInError> {
        let account = self.check(username, password, from).await?;
        let who = SignedIn::Account {
            account: account.id,
        };
        let now = self.clock.now();
        let (token, _) = self
            .store
            .write(move |tx| session::begin(tx, who, &browser, before, now))
            .await?;
        info!(account = %account.username, %from, "signed in");
        Ok((token, account))
    }

    /// The account called `username`, if `password` is its own.
    ///
    /// # Errors
    /// [`SignInError::Wrong`], [`SignInError::TooMany`], or a failure here.
    pub async fn check(
        &self,
        username: &str,
        password: Password,
        from: IpAddr,
    ) -> Result<Account, SignInError> {
        if username.chars().nth(MAX_USERNAME).is_some() {
            // Nobody's name; nor is it remembered.
            return Err(SignInError::Wrong);
        }
        let attempt = self
            .throttle
            .attempt(username, from, self.clock.instant())
            .map_err(|wait| {
                warn!(%from, "too many attempts to sign in");
                SignInError::TooMany(wait)
            })?;
        let Some(account) = self.account(username, password).await? else {
            info!(%from, "somebody could not sign in: username and password do not fit");
            return Err(SignInError::Wrong);
        };
        self.throttle.forgive(&attempt);
        Ok(account)
    }

    /// The hash of a password that was chosen, [`Password::hash`] off the async threads.
    ///
    /// # Errors
    /// As [`Password::hash`].
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let permit = Arc::clone(&self.hashing)
            .acquire_owned()
            .await
            .map_err(|_| HashError::Stopped)?;
        let hashing = tokio::task::spawn_blocking(move || {
            let hash = password.hash();
            drop(permit);
            hash
        });
        Ok(hashing.await.map_err(|_| HashError::Stopped)??)
    }

    /// The account, where name and password fit and it is in use. Takes the same time where there is
    /// none of that name.
    async fn account(
        &self,
        username: &str,
        password: Password,
    ) -> Result<Option<Account>, SignInError> {
        let username = username.to_owned();
        let (account, hash) = self
            .store
            .read(move |tx| -> Result<_, StoreError> {
                let account = accounts::find(tx, &username)?;
                let hash = match &account {
                    Some(account) => accounts::password_hash(tx, account.id)?,
                    None => None,
                };
                Ok((account, hash))
            })
            .await?;
        let permit = Arc::clone(&self.hashing)
            .acquire_owned()
            .await
            .map_err(|_| SignInError::Stopped)?;
        let comparing = tokio::task::spawn_blocking(move || {
            let fits = password.matches(hash.as_deref());
            drop(permit);
            fits
        });
        let fits = comparing.await.map_err(|_| SignInError::Stopped)?;
        Ok(account.filter(|account| fits && account.disabled_at.is_none()))
    }
}

/// Why a password was not hashed.
#[derive(Debug, Error)]
pub enum HashError {
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Hashing was cut off.
    #[error("mnetd is shutting down")]
    Stopped,
}
