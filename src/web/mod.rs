//! The only place with HTML: the console.
//!
//! A page is a file in `pages/` with its handlers, and a template in `templates/`. What they share:
//!
//! - [`visitor`]: who asks. A handler says by the type of an argument whom it lets in: [`Visitor`]
//!   anybody, [`Member`] who is signed in, [`Staff`] who may see the register, [`Administrator`] who may
//!   change things.
//! - [`forms`]: what a form sent. [`Submitted`] is only had after its token and its origin were checked.
//! - [`extract`]: what stands in an address.
//! - [`page`]: the frame round each page, and the headers it goes out with.
//! - [`hand`]: changes an administrator makes, with their note in the audit log.
//! - [`show`], [`pager`], [`chart`]: how values stand on a page, and how lists are turned.
//! - [`error`]: pages for what went wrong.
//!
//! A form is answered with a redirect ([`page::see_other`]), so that reloading does nothing twice.

pub mod chart;
mod checks;
pub mod cookies;
pub mod error;
pub mod extract;
pub mod forms;
pub mod hand;
pub mod numbers;
pub mod page;
pub mod pager;
mod pages;
pub mod show;
pub mod visitor;

use std::sync::Arc;

use axum::{Router, middleware};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::keys::KeyStore;
use crate::peer::Client;
use crate::sso::{SignIn, Sso};
use crate::store::Store;
use crate::sync::Synchroniser;
use crate::wwwroot::Wwwroot;

use checks::Checks;

pub use error::WebError;
pub use extract::{Path, Query};
pub use forms::{NoFields, Submitted, Uploaded};
pub use page::Layout;
pub use visitor::{Administrator, Member, Staff, Visitor};

/// PDFs laid out at a time: each takes a core, a long list for a second.
const PDFS_AT_A_TIME: usize = 2;

/// What the console works with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Console {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: ConsoleSettings,
    sign_in: SignIn,
    sso: Sso,
    synchroniser: Synchroniser,
    checks: Checks,
    laying_out: Arc<Semaphore>,
}

/// What a [`Console`] is told.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// The address our site calls itself by.
    pub wwwroot: Wwwroot,
    /// The database.
    pub store: Store,
    /// Our keys.
    pub keys: Arc<KeyStore>,
    /// The time.
    pub clock: Clock,
    /// Calls peers.
    pub client: Client,
    /// Reverse proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Console {
    /// A console for the site that `settings` describes.
    #[must_use]
    pub fn new(settings: ConsoleSettings) -> Self {
        let (store, clock) = (settings.store.clone(), settings.clock.clone());
        let sso = Sso::new(
            settings.wwwroot.clone(),
            store.clone(),
            settings.client.clone(),
            clock.clone(),
        );
        let synchroniser = Synchroniser::new(store.clone(), settings.client.clone(), clock.clone());
        Self {
            inner: Arc::new(Inner {
                settings,
                synchroniser,
                sign_in: SignIn::new(store, clock),
                sso,
                checks: Checks::default(),
                laying_out: Arc::new(Semaphore::new(PDFS_AT_A_TIME)),
            }),
        }
    }

    /// Our own name.
    #[must_use]
    pub fn wwwroot(&self) -> &Wwwroot {
        &self.inner.settings.wwwroot
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.settings.store
    }

    /// Our keys.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.inner.settings.keys
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.settings.clock
    }

    /// Calls peers.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.settings.client
    }

    /// Signs people in by password.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.inner.sign_in
    }

    /// What the last check of each peer brought.
    fn checks(&self) -> &Checks {
        &self.inner.checks
    }

    /// Places for PDFs that are being laid out.
    fn laying_out(&self) -> &Arc<Semaphore> {
        &self.inner.laying_out
    }

    /// Single sign-on.
    #[must_use]
    pub fn sso(&self) -> &Sso {
        &self.inner.sso
    }

    /// Synchronises peers.
    #[must_use]
    pub fn synchroniser(&self) -> &Synchroniser {
        &self.inner.synchroniser
    }

    /// Reverse proxies whose X-Forwarded-For is believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> &[IpNet] {
        &self.inner.settings.trusted_proxies
    }

    /// What stands before every path of ours in a link: the path of the wwwroot, without a slash at its
    /// end; empty where there is none.
    #[must_use]
    pub fn base(&self) -> String {
        let url = self.wwwroot().url();
        url.path().trim_end_matches('/').to_owned()
    }
}

/// Every address of the console.
pub fn router(console: Console) -> Router {
    let dressed = middleware::from_fn_with_state(console.clone(), error::dress);
    pages::routes().layer(dressed).with_state(console)
}
