//! HTTP to peers: time and size limits, no proxy, no forbidden address, no redirect to another host.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Certificate as RootCertificate, Client, Response, StatusCode, redirect};
use thiserror::Error;
use url::{Host, Url};

use super::address;
use crate::envelope;

/// How long setting up a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How many redirects a page may take on its own host: Moodle's home page needs one, to its login.
const MAX_REDIRECTS: usize = 5;

/// How much of a home page is read to find its title.
const MAX_PAGE_BYTES: usize = 512 * 1024;

/// Sends requests to peers and to nobody else.
#[derive(Clone, Debug)]
pub struct Transport {
    client: Client,
}

/// Why a request brought no answer.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The HTTP client would not start.
    #[error(
        "the HTTP client could not be set up: {0}. If ca_file is set, check that it holds PEM certificates"
    )]
    Setup(reqwest::Error),
    /// The address is one nothing is sent to.
    #[error("{host} is {reason}; mnetd sends nothing there. Check the address of the peer")]
    Forbidden {
        /// The host as written.
        host: String,
        /// What kind of address it is.
        reason: &'static str,
    },
    /// No connection, or it broke.
    #[error(
        "{url} could not be reached: {reason}. Check the address, that the site is up, and that a firewall lets this machine through"
    )]
    Unreachable {
        /// What was asked for.
        url: String,
        /// The causes, outermost first.
        reason: String,
    },
    /// TLS failed.
    #[error(
        "{url} could not be reached over https: {reason}. If the site's certificate is self-signed or from the school's own authority, name that authority's PEM file in ca_file"
    )]
    Tls {
        /// What was asked for.
        url: String,
        /// The causes, outermost first.
        reason: String,
    },
    /// It took too long.
    #[error("{0} gave no answer in time")]
    TimedOut(String),
    /// The answer points elsewhere.
    #[error(
        "{url} redirects to {location}. Register the peer under the address it calls itself by (its wwwroot), usually the one redirected to"
    )]
    Redirected {
        /// What was asked for.
        url: String,
        /// Where it points.
        location: String,
    },
    /// Another HTTP status than 200.
    #[error("{url} answered HTTP status {status}{hint}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: StatusCode,
        /// What that usually means.
        hint: &'static str,
    },
    /// More than the limit.
    #[error("{url} answered with more than {limit} bytes")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// The address cannot be used at all.
    #[error("“{0}” is not an address that can be called")]
    NotAnAddress(String),
}

impl Transport {
    /// Makes the client. `timeout` bounds a whole request; `ca_pem` holds further root certificates.
    ///
    /// # Errors
    /// [`TransportError::Setup`] when TLS cannot be set up or `ca_pem` is no PEM.
    pub fn new(timeout: Duration, ca_pem: Option<&[u8]>) -> Result<Self, TransportError> {
        let mut builder = Client::builder()
            .user_agent(concat!("mnetd/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver));
        if let Some(pem) = ca_pem {
            for certificate in
                RootCertificate::from_pem_bundle(pem).map_err(TransportError::Setup)?
            {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.build().map_err(TransportError::Setup)?;
        Ok(Self { client })
    }

    /// Posts an XML document and returns the answer's body; follows no redirect.
    ///
    /// # Errors
    /// As [`TransportError`] says.
    pub async fn post_xml(&self, url: &str, body: Vec<u8>) -> Result<Vec<u8>, TransportError> {
        let target = check(url)?;
        let response = self
            .client
            .post(target)
            // Mahara compares the whole header value, so no charset parameter.
            .header(CONTENT_TYPE, "text/xml")
            .body(body)
            .send()
            .await
            .map_err(|error| explain(url, &error))?;
        if let Some(location) = redirection(&response) {
            return Err(TransportError::Redirected {
                url: url.to_owned(),
                location,
            });
        }
        read(url, response, envelope::MAX_BYTES).await
    }

    /// Fetches a page or text; redirects are followed on the same host only.
    ///
    /// # Errors
    /// As [`TransportError`] says.
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, TransportError> {
        let mut target = check(url)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .client
                .get(target.clone())
                .send()
                .await
                .map_err(|error| explain(url, &error))?;
            let Some(location) = redirection(&response) else {
                return read(url, response, MAX_PAGE_BYTES).await;
            };
            let next = target.join(&location).ok();
            match next.filter(|next| is_same_host(&target, next)) {
                Some(next) => target = next,
                None => {
                    return Err(TransportError::Redirected {
                        url: url.to_owned(),
                        location,
                    });
                }
            }
        }
        Err(TransportError::Redirected {
            url: url.to_owned(),
            location: target.into(),
        })
    }
}

/// Parses `url` and refuses a forbidden literal address; names are checked when they are resolved.
fn check(url: &str) -> Result<Url, TransportError> {
    let not_an_address = || TransportError::NotAnAddress(url.to_owned());
    let target = Url::parse(url).map_err(|_| not_an_address())?;
    let literal = match target.host().ok_or_else(not_an_address)? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    match literal.and_then(address::refusal) {
        Some(reason) => Err(TransportError::Forbidden {
            host: target.host_str().unwrap_or_default().to_owned(),
            reason,
        }),
        None => Ok(target),
    }
}

fn is_same_host(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn redirection(response: &Response) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

async fn read(url: &str, mut response: Response, limit: usize) -> Result<Vec<u8>, TransportError> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(TransportError::Status {
            url: url.to_owned(),
            status,
            hint: hint(status),
        });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| explain(url, &error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLong {
                url: url.to_owned(),
                limit,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        404 => {
            ": there is no MNet server at this address. Check the wwwroot and, in Moodle, that networking is on (Site administration › Advanced features)"
        }
        401 | 403 => {
            ": the web server lets nobody through, perhaps for a password or an address list. A Mahara answers so while networking is off (Administration › Configure site › Networking)"
        }
        503 => ": the site is in maintenance mode or overloaded. Try again later",
        502 | 504 => ": the reverse proxy there gets no answer from the site itself",
        500..=599 => {
            ": the site failed while answering. With Moodle the usual cause is PHP's OpenSSL 3 without its legacy provider (RC4); look into its error log"
        }
        _ => "",
    }
}

fn explain(url: &str, error: &reqwest::Error) -> TransportError {
    let url = url.to_owned();
    if error.is_timeout() {
        return TransportError::TimedOut(url);
    }
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(Forbidden { host, reason }) = error.downcast_ref() {
            return TransportError::Forbidden {
                host: host.clone(),
                reason,
            };
        }
        causes.push(error.to_string());
        cause = error.source();
    }
    // The outermost only says that it is the client's error.
    if causes.len() > 1 && causes[0].starts_with("client error") {
        causes.remove(0);
    }
    // Outer errors often repeat the inner one's text.
    causes.dedup_by(|next, previous| previous.contains(next.as_str()));
    let reason = causes.join(": ");
    let lower = reason.to_ascii_lowercase();
    if url.starts_with("https:") && (lower.contains("certificate") || lower.contains("ssl")) {
        TransportError::Tls { url, reason }
    } else {
        TransportError::Unreachable { url, reason }
    }
}

/// The system's resolver, less the addresses nothing is sent to. The connection is made to the very
/// addresses that were checked, so a name cannot change its mind in between.
#[derive(Debug)]
struct GuardedResolver;

#[derive(Debug, Error)]
#[error("{host} is {reason}")]
struct Forbidden {
    host: String,
    reason: &'static str,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            for found in &found {
                if let Some(reason) = address::refusal(found.ip()) {
                    return Err(Forbidden { host, reason }.into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
