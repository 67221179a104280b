//! Why a call is refused, and the one table that makes MNet faults of it.

use std::net::IpAddr;

use thiserror::Error;

use crate::envelope::EnvelopeError;
use crate::register::RegisterError;
use crate::register::remote::RemoteEnrolmentError;
use crate::sso::AuthoriseError;
use crate::wwwroot::MAX_LENGTH;
use crate::xmlrpc::{DecodeError, Fault};

/// Why a message gets no XML-RPC answer at all, only an HTTP status: it is not even an envelope.
#[derive(Debug, Error)]
pub enum Rejected {
    /// Not XML, or XML of a kind no peer sends. HTTP 400.
    #[error("expected a sealed MNet message (XML) in the body of the request: {0}")]
    Malformed(EnvelopeError),
    /// Longer than the limit. HTTP 413.
    #[error("{0}")]
    TooLong(EnvelopeError),
    /// The server is stopping or a thread of it failed. HTTP 503.
    #[error(
        "the server could not finish the call; send it again, which does no harm if it was carried out"
    )]
    Interrupted,
}

/// Why a call is refused with a fault.
#[derive(Debug, Error)]
pub enum Refusal {
    /// No peer of that name.
    #[error(
        "{0} is not a peer of the mnetd that was called; the administrator of that mnetd can add it there, with: mnetd peer add {0}"
    )]
    UnknownPeer(String),
    /// The envelope names nobody.
    #[error("the envelope has no wwwroot, so nobody knows whose call this is")]
    Nameless,
    /// A peer whose calls must come from elsewhere.
    #[error(
        "the mnetd that was called takes no calls in the name of {wwwroot} from the address {address}; the administrator of that mnetd can allow it there, with: mnetd peer allow {wwwroot} --from ADDRESS"
    )]
    Address {
        /// The peer named.
        wwwroot: String,
        /// Where the call came from.
        address: IpAddr,
    },
    /// None of our keys opens it.
    #[error("mnet/encryption-invalid")]
    NotForUs,
    /// The ciphers are empty: what Mahara sends when PHP fails at sealing.
    #[error(
        "the envelope holds nothing: the PHP of the sender could not seal it, most likely because its OpenSSL 3 lacks the legacy provider (RC4)"
    )]
    NothingSealed,
    /// It was sealed to an old key: the text is our present certificate.
    #[error("{0}")]
    KeyChanged(String),
    /// Neither sealed nor from an address that may call in the clear.
    #[error("The transport method you are trying to use is not permitted.")]
    InTheClear,
    /// Sealed, but not signed.
    #[error("The signature verification failed. An error has occurred.")]
    NotSigned,
    /// Signed by another key than the peer's.
    #[error(
        "The signature verification failed. It appears that this payload was not signed by you."
    )]
    BadSignature,
    /// Outer and inner wwwroot differ.
    #[error("the message was sealed by {outer} and signed by {inner}; both must be the same site")]
    TwoSenders {
        /// Who sealed.
        outer: String,
        /// Who signed.
        inner: String,
    },
    /// A session key seen before.
    #[error("this message was received before; a repeated call has to be sealed anew")]
    Replayed,
    /// A bound call whose nonce was seen before.
    #[error("the nonce {0} was used before; every bound call needs a fresh one")]
    NonceUsed(String),
    /// Dated outside the window.
    #[error(
        "the call is dated {dated}, here it is {now}: at most {max_age} s back and {max_ahead} s ahead are allowed. Set the clocks of both servers by NTP"
    )]
    Date {
        /// What the message says.
        dated: String,
        /// Our time.
        now: String,
        /// How old it may be.
        max_age: i64,
        /// How far ahead it may be.
        max_ahead: i64,
    },
    /// A register call without a binding, from a peer that has sent one before.
    #[error(
        "this peer binds its register calls, and this one is not bound: expected a last parameter {{mnetd_to, mnetd_at, mnetd_nonce}}. If the plugin there was downgraded, the administrator of the mnetd that was called can reset this there, with: mnetd peer allow {0} --unbound"
    )]
    NotBound(String),
    /// A binding to somebody else.
    #[error("the call is bound to {bound_to}, this is {wwwroot}")]
    OtherRecipient {
        /// Whom it names.
        bound_to: String,
        /// Who we are.
        wwwroot: String,
    },
    /// A binding with something wrong in it.
    #[error("the binding's {field} is {problem}")]
    Binding {
        /// Which member.
        field: &'static str,
        /// What is wrong, and what was expected.
        problem: &'static str,
    },
    /// The payload is no method call.
    #[error("the payload is not a readable XML-RPC method call: {0}")]
    Payload(DecodeError),
    /// A name that is none.
    #[error("Unable to locate function, or function prohibited for RPC.")]
    MalformedName,
    /// A method that does not exist.
    #[error("Unable to locate function, or function prohibited for RPC.")]
    UnknownMethod,
    /// A system method that does not exist.
    #[error(
        "there is no such system method here; there are listMethods, listServices, methodSignature, methodHelp, keyswap and multicall"
    )]
    UnknownSystemMethod,
    /// `methodHelp` or `methodSignature` about a method that does not exist.
    #[error("there is no method {0} here, or it is not published to you")]
    NothingToTell(String),
    /// A service the peer may not call.
    #[error(
        "the mnetd that was called does not publish the service {service} to {wwwroot}; the administrator of that mnetd can change it there, with: mnetd peer allow {wwwroot} {service} --publish"
    )]
    NotPublished {
        /// Which service.
        service: &'static str,
        /// The caller.
        wwwroot: String,
    },
    /// A system method with wrong parameters.
    #[error("{method} expects {expected}")]
    Parameters {
        /// Which method.
        method: &'static str,
        /// What it expects.
        expected: &'static str,
    },
    /// A certificate in a keyswap that is none or another site's.
    #[error("the certificate sent along cannot be used: {0}")]
    Certificate(String),
    /// The register's own refusals.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// What remote enrolment refuses.
    #[error(transparent)]
    RemoteEnrolment(RemoteEnrolmentError),
    /// A token of a jump that does not hold.
    #[error(transparent)]
    Authorise(#[from] AuthoriseError),
    /// A user that had to be asked for could not be.
    #[error("the user could not be asked for: {0}")]
    AskedInVain(String),
    /// Our own fault.
    #[error(
        "the call could not be carried out because of an error here; nothing was stored, send it again. The log of the server has the cause"
    )]
    Internal,
}

/// XML-RPC's own code for an internal error (specification of fault code interoperability, 2001).
const INTERNAL: i32 = -32603;

impl Refusal {
    /// The number on the wire: MNet's own where there is one (docs/protocol.md, Faults), 80xx for the
    /// register's, −32603 (XML-RPC's "internal error") for ours.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::UnknownPeer(_) | Self::Nameless | Self::Address { .. } => 7020,
            Self::NotForUs | Self::NothingSealed => 7023,
            Self::KeyChanged(_) => 7025,
            Self::InTheClear => 7021,
            Self::NotSigned => 711,
            Self::BadSignature | Self::TwoSenders { .. } => 710,
            Self::Replayed | Self::NonceUsed(_) => 8010,
            Self::Date { .. } => 8011,
            Self::NotBound(_) => 8012,
            Self::OtherRecipient { .. } => 8013,
            Self::Binding { .. } | Self::Parameters { .. } | Self::Certificate(_) => 8002,
            Self::Payload(_) | Self::MalformedName => 713,
            Self::UnknownMethod => 7012,
            Self::UnknownSystemMethod => 7018,
            Self::NothingToTell(_) => 7019,
            Self::NotPublished { .. } => 707,
            Self::Register(error) => error.code().unwrap_or(INTERNAL),
            Self::RemoteEnrolment(error) => error.code().unwrap_or(INTERNAL),
            Self::Authorise(error) => error.code(),
            Self::AskedInVain(_) => 8003,
            Self::Internal => INTERNAL,
        }
    }

    /// The fault as it goes out.
    #[must_use]
    pub fn to_fault(&self) -> Fault {
        Fault::new(self.code(), self.to_string())
    }
}

/// A name as it is repeated in a fault: no longer than a wwwroot can be, so that nobody gets a megabyte
/// back that they sent as one.
pub(super) fn named(wwwroot: &str) -> String {
    wwwroot.chars().take(MAX_LENGTH).collect()
}

/// What a defective envelope comes to: a refusal where it is XML and only lacks something, a
/// rejection where it is no envelope at all.
pub(super) fn defective(error: EnvelopeError) -> Result<Refusal, Rejected> {
    match error {
        EnvelopeError::TooLong(_) => Err(Rejected::TooLong(error)),
        EnvelopeError::NotXml { .. }
        | EnvelopeError::DocumentType
        | EnvelopeError::TooDeep
        | EnvelopeError::TooManyElements => Err(Rejected::Malformed(error)),
        EnvelopeError::Missing("wwwroot") => Ok(Refusal::Nameless),
        EnvelopeError::Missing("CipherValue") => Ok(Refusal::NothingSealed),
        EnvelopeError::NotBase64("CipherValue") => Ok(Refusal::NotForUs),
        EnvelopeError::Missing(_) | EnvelopeError::NotBase64(_) | EnvelopeError::NotATime => {
            Ok(Refusal::BadSignature)
        }
    }
}
