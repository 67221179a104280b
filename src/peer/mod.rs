//! Peers: who we know, what each may call, and how we call them.
//!
//! [`Peer`] is what we know of one; [`Introduction`] how one is met; [`Client`] calls them, and
//! follows their key rotations by the authenticated path alone.

mod acceptance;
pub mod address;
pub mod binding;
mod client;
mod introduction;
mod methods;
mod rights;
pub mod services;
mod transport;

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;
use tracing::info;

use crate::clock::UnixTime;
use crate::keys::Certificate;
use crate::store::peers::PeerService;
use crate::store::{MAX_PAGE, Page, PeerId, ReadTx, Store, StoreError, peers};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{DecodeError, Decoded, Encoding, TextEvidence};

pub use crate::store::peers::{Application, TextDialect as Dialect};
pub use acceptance::{AcceptError, OtherFingerprint};
pub use client::{CallError, Client, ClientSettings, FAULT_CANNOT_OPEN, KEY_CHANGE_MAX_AGE};
pub use introduction::{Introduction, IntroductionError, introduce};
pub use rights::{first_rights, known_services, service_of};
pub use transport::{Transport, TransportError};

/// A peer as we know it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Our row id.
    pub id: PeerId,
    /// Its name in MNet.
    pub wwwroot: Wwwroot,
    /// Its name for people: the title of its home page.
    pub name: String,
    /// Which of the two sets of paths it answers.
    pub application: Application,
    /// The certificate it is recognised by.
    pub certificate: Certificate,
    /// How it reads and writes text.
    pub dialect: Dialect,
    /// Whether an administrator chose the dialect.
    pub dialect_fixed: bool,
    /// Whether its register calls must be bound from now on.
    pub binding_required: bool,
    /// Services in force between us.
    pub rights: Vec<PeerService>,
    /// Where its calls must come from; empty: from anywhere.
    pub source_addresses: Vec<IpNet>,
}

/// What is wrong with a peer's row.
#[derive(Debug, Error)]
pub enum PeerError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored text that no longer reads.
    #[error("the stored peer {wwwroot} cannot be used: {reason}. Remove it and add it again")]
    Damaged {
        /// Which peer.
        wwwroot: String,
        /// What is wrong.
        reason: String,
    },
}

impl Peer {
    /// The peer registered under `wwwroot`; `None` for one that was removed.
    ///
    /// # Errors
    /// When the database fails or the row cannot be used.
    pub fn find(tx: &ReadTx<'_>, wwwroot: &str) -> Result<Option<Self>, PeerError> {
        match peers::find(tx, wwwroot)? {
            Some(row) if row.removed_at.is_none() => Self::from_row(tx, row).map(Some),
            _ => Ok(None),
        }
    }

    /// The registered peer in row `id`; `None` for one that was removed.
    ///
    /// # Errors
    /// When the database fails or the row cannot be used.
    pub fn get(tx: &ReadTx<'_>, id: PeerId) -> Result<Option<Self>, PeerError> {
        match peers::get(tx, id)? {
            Some(row) if row.removed_at.is_none() => Self::from_row(tx, row).map(Some),
            _ => Ok(None),
        }
    }

    /// Every registered peer, in the order they were added.
    ///
    /// # Errors
    /// When the database fails or a row cannot be used.
    pub fn all(tx: &ReadTx<'_>) -> Result<Vec<Self>, PeerError> {
        let mut found = Vec::new();
        let mut page = Page {
            after: None,
            limit: MAX_PAGE,
        };
        loop {
            let rows = peers::list(tx, page)?;
            let Some(last) = rows.last().map(|row| row.id.0) else {
                return Ok(found);
            };
            for row in rows {
                found.push(Self::from_row(tx, row)?);
            }
            page = page.following(last);
        }
    }

    fn from_row(tx: &ReadTx<'_>, row: peers::Peer) -> Result<Self, PeerError> {
        let damaged = |reason: String| PeerError::Damaged {
            wwwroot: row.wwwroot.clone(),
            reason,
        };
        let certificate = row.certificate.as_deref().unwrap_or_default();
        let certificate =
            Certificate::parse_stored(certificate).map_err(|error| damaged(error.to_string()))?;
        let wwwroot = Wwwroot::parse(&row.wwwroot).map_err(|error| damaged(error.to_string()))?;
        let source_addresses = peers::source_addresses(tx, row.id)?
            .iter()
            .map(|text| parse_network(text).map_err(|error| damaged(error.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            id: row.id,
            wwwroot,
            name: row.name,
            application: row.application,
            certificate,
            dialect: row.text_dialect,
            dialect_fixed: row.text_dialect_fixed,
            binding_required: row.binding_required,
            rights: peers::services(tx, row.id)?,
            source_addresses,
        })
    }

    /// The dialect that an administrator names, and whether it is to stay whatever is found out later:
    /// `auto` is the usual one of such a site until something else shows. `None`: there is no such dialect.
    #[must_use]
    pub fn chosen_dialect(&self, word: &str) -> Option<(Dialect, bool)> {
        match word {
            "auto" => Some((self.application.usual_dialect(), false)),
            word => Dialect::from_word(word).map(|dialect| (dialect, true)),
        }
    }

    /// Reads a document of this peer's in the dialect known of it, or in the one the document shows,
    /// which is then returned as well. A dialect that an administrator set is not departed from.
    ///
    /// # Errors
    /// Those of `decode`.
    pub fn read<T>(
        &self,
        decode: impl Fn(Encoding) -> Result<Decoded<T>, DecodeError>,
    ) -> Result<(T, Option<Dialect>), DecodeError> {
        let known = self.dialect.reading();
        let decoded = decode(known);
        if self.dialect_fixed {
            return decoded.map(|decoded| (decoded.message, None));
        }
        let (decoded, read_as) = match decoded {
            // PHP's old extension writes references that XML forbids (docs/protocol.md, Characters).
            Err(error) if known == Encoding::Utf8 => {
                let old = Encoding::BytesAsLatin1;
                (decode(old).map_err(|_| error)?, old)
            }
            decoded => (decoded?, known),
        };
        let shown = self.dialect.corrected_by(decoded.text, self.application);
        match shown.map(Dialect::reading) {
            Some(reading) if reading != read_as => {
                decode(reading).map(|again| (again.message, shown))
            }
            _ => Ok((decoded.message, shown)),
        }
    }

    /// Remembers the dialect that a document of this peer's showed.
    pub(crate) fn note_dialect(&self, store: &Store, dialect: Dialect) {
        info!(peer = %self.wwwroot, dialect = dialect.as_str(), "the peer writes text in another dialect than thought");
        let id = self.id;
        store.write_behind(move |tx| peers::set_dialect(tx, id, dialect, false));
    }

    /// The same peer with another certificate.
    fn with_certificate(&self, certificate: Certificate) -> Self {
        Self {
            certificate,
            ..self.clone()
        }
    }

    /// Whether calls in this peer's name may come from `address`.
    #[must_use]
    pub fn may_call_from(&self, address: IpAddr) -> bool {
        self.source_addresses.is_empty() || contains(&self.source_addresses, address)
    }

    /// Whether anything at all was agreed on with this peer. Nothing was with a site that registered
    /// itself until an administrator allows it something: it may call, but not make us call it.
    #[must_use]
    pub fn is_agreed_with(&self) -> bool {
        self.rights
            .iter()
            .any(|right| right.publish || right.subscribe)
    }

    /// Whether this peer may call our service.
    #[must_use]
    pub fn may_call(&self, service: &str) -> bool {
        self.right(service).is_some_and(|right| right.publish)
    }

    /// Whether we may call this peer's service.
    #[must_use]
    pub fn we_may_call(&self, service: &str) -> bool {
        self.right(service).is_some_and(|right| right.subscribe)
    }

    /// The address of its XML-RPC server.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        self.wwwroot.join(self.application.rpc_path())
    }

    /// Days until its certificate expires; negative when it has.
    #[must_use]
    pub fn days_left(&self, now: UnixTime) -> i64 {
        self.certificate.not_after().since(now).div_euclid(86_400)
    }

    fn right(&self, service: &str) -> Option<&PeerService> {
        self.rights.iter().find(|right| right.service == service)
    }
}

/// Where a site with our own plugin for single sign-on has its page for a browser that comes with a token. A
/// Moodle that registers such a site as an `mnetd` goes there too.
pub const PLUGIN_LAND_PATH: &str = "/auth/mnetd/land.php";

/// Where such a site has the page that sends its own users on to a peer.
pub const PLUGIN_JUMP_PATH: &str = "/auth/mnetd/jump.php";

impl Application {
    /// The path of its XML-RPC server.
    #[must_use]
    pub const fn rpc_path(self) -> &'static str {
        match self {
            Self::Moodle => "/mnet/xmlrpc/server.php",
            Self::Mahara => "/api/xmlrpc/server.php",
        }
    }

    /// The path of the page to which a browser comes with a token.
    #[must_use]
    pub const fn land_path(self) -> &'static str {
        match self {
            Self::Moodle => "/auth/mnet/land.php",
            Self::Mahara => "/auth/xmlrpc/land.php",
        }
    }

    /// The path of the page that sends its own users on to a peer.
    #[must_use]
    pub const fn jump_path(self) -> &'static str {
        match self {
            Self::Moodle => "/auth/mnet/jump.php",
            Self::Mahara => "/auth/xmlrpc/jump.php",
        }
    }

    /// The dialect such a site most likely speaks.
    #[must_use]
    pub const fn usual_dialect(self) -> Dialect {
        match self {
            Self::Moodle => Dialect::Utf8,
            Self::Mahara => Dialect::Mahara,
        }
    }
}

impl Dialect {
    /// How text stands in a request to such a peer.
    #[must_use]
    pub const fn request(self) -> Encoding {
        match self {
            Self::Utf8 | Self::Mahara => Encoding::Utf8,
            Self::OldPhp => Encoding::BytesAsLatin1,
        }
    }

    /// How text stands in a response to such a peer.
    #[must_use]
    pub const fn response(self) -> Encoding {
        match self {
            Self::Utf8 => Encoding::Utf8,
            Self::Mahara | Self::OldPhp => Encoding::BytesAsLatin1,
        }
    }

    /// How text stands in what such a peer writes.
    #[must_use]
    pub const fn reading(self) -> Encoding {
        match self {
            Self::Utf8 => Encoding::Utf8,
            Self::Mahara | Self::OldPhp => Encoding::BytesAsLatin1,
        }
    }

    /// What a document shows of its sender: `None` where it fits `self`, or shows nothing.
    ///
    /// Where nothing shows PHP's old extension for certain, a text such as `Ã¸` is taken as it
    /// stands: schools have names in their data that some import once garbled.
    #[must_use]
    pub fn corrected_by(self, evidence: TextEvidence, application: Application) -> Option<Self> {
        let shown = match (evidence.dialect()?, application) {
            (Encoding::BytesAsLatin1, _) if !evidence.shows_the_old_extension() => return None,
            (Encoding::BytesAsLatin1, Application::Mahara) => Self::Mahara,
            (Encoding::BytesAsLatin1, Application::Moodle) => Self::OldPhp,
            (Encoding::Utf8, Application::Moodle) => Self::Utf8,
            // Mahara's requests may show either; its reading of responses does not change.
            (Encoding::Utf8, Application::Mahara) => return None,
        };
        (shown != self).then_some(shown)
    }
}

/// A text that is no network address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("“{0}” is not an address or network such as 192.0.2.7 or 192.0.2.0/24")]
pub struct NotANetwork(String);

/// Reads `192.0.2.7` or `192.0.2.0/24`, IPv4 or IPv6.
///
/// # Errors
/// When it is neither.
pub fn parse_network(text: &str) -> Result<IpNet, NotANetwork> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| NotANetwork(text.to_owned()))
}

/// Whether one of `networks` holds `address`; an IPv4 address that comes mapped into IPv6 counts as
/// the IPv4 address it is.
#[must_use]
pub fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}
