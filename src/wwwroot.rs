//! The name of a peer, checked once where it enters.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::Url;

/// The longest wwwroot taken: Moodle's `mnet_host.wwwroot` holds 255 characters.
pub const MAX_LENGTH: usize = 255;

/// How much of a wwwroot fits a certificate's common name (X.520 `ub-common-name`); Moodle cuts there.
pub const COMMON_NAME_LENGTH: usize = 64;

/// The address a site calls itself by, and so its name in MNet: `https://moodle.example.org/school`.
///
/// An absolute `http` or `https` URL with no trailing slash, query, fragment, user or password, in
/// the spelling it was given: peers compare it letter by letter.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wwwroot(String);

/// Why a text is no wwwroot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WwwrootError {
    /// Longer than [`MAX_LENGTH`].
    #[error("the address is {0} characters long; a wwwroot has at most {MAX_LENGTH}")]
    TooLong(usize),
    /// No absolute URL at all.
    #[error(
        "“{text}” is not a web address ({reason}); expected something like {suggested}", suggested = suggestion(.text)
    )]
    NotAnAddress {
        /// What was given.
        text: String,
        /// What the URL parser found wrong.
        reason: url::ParseError,
    },
    /// Another scheme than http and https.
    #[error("“{0}” does not begin with https:// or http://; expected something like {suggested}", suggested = suggestion(.0))]
    Scheme(String),
    /// A part that a wwwroot has not.
    #[error(
        "“{text}” holds {part}; a wwwroot is the plain address of the site, such as https://moodle.example.org/school"
    )]
    Extra {
        /// What was given.
        text: String,
        /// The part, in words.
        part: &'static str,
    },
}

/// The text with `https://` before it, where that makes an address of it.
fn suggestion(text: &str) -> String {
    let name = text.split_once("://").map_or(text, |(_, name)| name);
    let name = name.strip_prefix("https:").unwrap_or(name);
    let address = format!("https://{name}");
    if name.contains('.') && Wwwroot::parse(&address).is_ok() {
        return address;
    }
    "https://moodle.example.org".to_owned()
}

impl Wwwroot {
    /// Takes `text` as a wwwroot; trailing slashes are dropped, everything else stays as written.
    ///
    /// # Errors
    /// When it is not an absolute http(s) URL of at most [`MAX_LENGTH`] characters without
    /// credentials, query, fragment, white space or control characters.
    pub fn parse(text: &str) -> Result<Self, WwwrootError> {
        let text = text.trim_end_matches('/');
        if text.chars().count() > MAX_LENGTH {
            return Err(WwwrootError::TooLong(text.chars().count()));
        }
        let extra = |part| WwwrootError::Extra {
            text: text.to_owned(),
            part,
        };
        // The URL parser trims and drops white space in silence; a name must not change so.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(extra("white space or a control character"));
        }
        let url = Url::parse(text).map_err(|reason| WwwrootError::NotAnAddress {
            text: text.to_owned(),
            reason,
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WwwrootError::Scheme(text.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(extra("a user name or password"));
        }
        if url.query().is_some() {
            return Err(extra("a query (“?”)"));
        }
        if url.fragment().is_some() {
            return Err(extra("a fragment (“#”)"));
        }
        // `https:example.org` parses as a URL with a host; as a name it is a misprint.
        if !text[url.scheme().len()..].starts_with("://") {
            return Err(WwwrootError::Scheme(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as written, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of `path` (which begins with `/`) below this site.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The common name a certificate for this site bears: the first 64 characters
    /// (docs/protocol.md, Identity; Moodle's `mnet_generate_keypair`).
    #[must_use]
    pub fn common_name(&self) -> String {
        self.0.chars().take(COMMON_NAME_LENGTH).collect()
    }

    /// The parsed URL.
    ///
    /// # Panics
    /// Never: the text was parsed when this value was made.
    #[must_use]
    pub fn url(&self) -> Url {
        Url::parse(&self.0).unwrap_or_else(|_| unreachable!("checked in Wwwroot::parse"))
    }

    /// Whether requests to this site travel under TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url().scheme() == "https"
    }
}

impl fmt::Display for Wwwroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Wwwroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wwwroot({})", self.0)
    }
}

impl FromStr for Wwwroot {
    type Err = WwwrootError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_spelling_and_drops_the_trailing_slash() {
        for (given, kept) in [
            ("https://Moodle.example.org/", "https://Moodle.example.org"),
            ("http://127.0.0.1:8045", "http://127.0.0.1:8045"),
            ("https://example.org/moodle//", "https://example.org/moodle"),
        ] {
            assert_eq!(Wwwroot::parse(given).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn refuses_what_is_no_plain_site_address() {
        for given in [
            "",
            "moodle.example.org",
            "ftp://example.org",
            "https:example.org",
            "https://user@example.org",
            "https://:pw@example.org",
            "https://example.org/?a=b",
            "https://example.org/#top",
            "https://exa mple.org",
            " https://example.org",
            "https://example.org/\n",
            "https://",
        ] {
            assert!(Wwwroot::parse(given).is_err(), "{given:?} was taken");
        }
        let long = format!("https://example.org/{}", "a".repeat(MAX_LENGTH));
        assert!(matches!(
            Wwwroot::parse(&long),
            Err(WwwrootError::TooLong(_))
        ));
    }

    #[test]
    fn what_was_meant_is_suggested() {
        for (given, meant) in [
            ("moodle.school.org", "like https://moodle.school.org"),
            (
                "moodle.school.org:8443/m",
                "like https://moodle.school.org:8443/m",
            ),
            ("https:moodle.school.org", "like https://moodle.school.org"),
            ("ftp://moodle.school.org", "like https://moodle.school.org"),
            ("no address", "holds white space"),
            ("", "like https://moodle.example.org"),
        ] {
            let error = Wwwroot::parse(given).unwrap_err().to_string();
            assert!(error.contains(meant), "{given}: {error}");
        }
    }

    #[test]
    fn the_common_name_is_the_first_64_characters() {
        let long = format!("https://example.org/{}", "a".repeat(100));
        assert_eq!(
            Wwwroot::parse(&long).unwrap().common_name(),
            &long[..COMMON_NAME_LENGTH]
        );
    }
}
