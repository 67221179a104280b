//! Meeting a peer: its name, its certificate, and whether the two belong together.

use reqwest::StatusCode;
use thiserror::Error;

use super::client::CallError;
use super::{Application, Transport, TransportError, first_rights};
use crate::clock::UnixTime;
use crate::keys::{Certificate, CertificateError, Mismatch};
use crate::store::peers::{self, NewPeer};
use crate::store::{PeerId, StoreError, WriteTx};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{self, Encoding, Limits, MethodCall, MethodResponse, Value};

/// The longest name kept; Moodle's `mnet_host.name` holds 80 characters.
const MAX_NAME: usize = 80;

/// What a site tells of itself, before anybody has agreed to it.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Its address.
    pub wwwroot: Wwwroot,
    /// The title of its home page, or its address where there is none.
    pub name: String,
    /// Which paths it answered at.
    pub application: Application,
    /// The certificate it handed out, made out for its wwwroot. Trusted on first use only, after
    /// somebody compared the fingerprint.
    pub certificate: Certificate,
}

impl Introduction {
    /// Makes the site a peer, with what a new peer may do ([`first_rights`]).
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is one already.
    pub fn register(&self, tx: &WriteTx<'_>, now: UnixTime) -> Result<PeerId, StoreError> {
        let peer = NewPeer {
            wwwroot: self.wwwroot.as_str(),
            name: &self.name,
            application: self.application,
            certificate: Some(self.certificate.pem()),
            text_dialect: self.application.usual_dialect(),
        };
        let id = peers::register(tx, &peer, now)?;
        for right in first_rights() {
            peers::set_service(tx, id, &right)?;
        }
        Ok(id)
    }
}

/// Why a site could not be met.
#[derive(Debug, Error)]
pub enum IntroductionError {
    /// The site did not answer a keyswap.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The home page could not be fetched.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The certificate belongs to another site.
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    /// It is ourselves.
    #[error("{0} is this site itself; a peer is another site")]
    Ourselves(Wwwroot),
}

/// Fetches a site's name and certificate, as Moodle's peers page does: the title of `GET /`, and a
/// `system/keyswap` in the clear. Where `application` is `None` both sets of paths are tried.
/// `certificate`, where given, is used instead of the one a keyswap brings.
///
/// # Errors
/// When the site cannot be reached, hands out no certificate, or one that is not its own.
pub async fn introduce(
    transport: &Transport,
    ours: &Wwwroot,
    our_certificate: &Certificate,
    wwwroot: &Wwwroot,
    application: Option<Application>,
    certificate: Option<Certificate>,
) -> Result<Introduction, IntroductionError> {
    if wwwroot == ours {
        return Err(IntroductionError::Ourselves(wwwroot.clone()));
    }
    let (application, certificate) = match certificate {
        Some(certificate) => (application.unwrap_or(Application::Moodle), certificate),
        None => find_certificate(transport, ours, our_certificate, wwwroot, application).await?,
    };
    certificate.matches(wwwroot)?;
    let page = transport.get(&wwwroot.join("/")).await;
    let name = match page {
        Ok(page) => title(&String::from_utf8_lossy(&page)),
        Err(TransportError::Redirected { url, location }) => {
            return Err(TransportError::Redirected { url, location }.into());
        }
        // A home page behind a password or an error is no hindrance once keys are exchanged.
        Err(_) => None,
    };
    Ok(Introduction {
        name: name.unwrap_or_else(|| wwwroot.as_str().chars().take(MAX_NAME).collect()),
        wwwroot: wwwroot.clone(),
        application,
        certificate,
    })
}

async fn find_certificate(
    transport: &Transport,
    ours: &Wwwroot,
    our_certificate: &Certificate,
    wwwroot: &Wwwroot,
    application: Option<Application>,
) -> Result<(Application, Certificate), CallError> {
    let ask = |application| keyswap(transport, ours, our_certificate, wwwroot, application);
    if let Some(application) = application {
        return Ok((application, ask(application).await?));
    }
    let moodle = match ask(Application::Moodle).await {
        Ok(certificate) => return Ok((Application::Moodle, certificate)),
        Err(error) => error,
    };
    let is_elsewhere = matches!(
        moodle,
        CallError::Transport(TransportError::Status { .. }) | CallError::NotMnet { .. }
    );
    if !is_elsewhere {
        return Err(moodle);
    }
    match ask(Application::Mahara).await {
        Ok(certificate) => Ok((Application::Mahara, certificate)),
        // Nothing stands at Mahara's paths either.
        Err(CallError::Transport(TransportError::Status { status, .. }))
            if status == StatusCode::NOT_FOUND =>
        {
            Err(moodle)
        }
        Err(CallError::NotMnet { .. }) => Err(moodle),
        Err(mahara) => Err(mahara),
    }
}

/// `system/keyswap` in the clear: hands over our certificate and asks for theirs.
pub(super) async fn keyswap(
    transport: &Transport,
    ours: &Wwwroot,
    our_certificate: &Certificate,
    wwwroot: &Wwwroot,
    application: Application,
) -> Result<Certificate, CallError> {
    let call = MethodCall {
        method: "system/keyswap".to_owned(),
        params: vec![
            Value::from(ours.as_str()),
            Value::from(our_certificate.pem()),
            // The receiver asks which of *its* applications the caller is.
            Value::from(Application::Moodle.as_str()),
        ],
    };
    let request = xmlrpc::encode_call(&call, Encoding::Utf8);
    let body = transport
        .post_xml(&wwwroot.join(application.rpc_path()), request)
        .await?;
    if body.trim_ascii().is_empty() {
        return Err(CallError::Empty(wwwroot.clone()));
    }
    let decoded = xmlrpc::decode_response(&body, Encoding::Utf8, &Limits::default())
        .map_err(|_| super::client::not_mnet(wwwroot, &body))?;
    match decoded.message {
        MethodResponse::Success(value) => {
            let text = value.to_text().unwrap_or_default();
            Certificate::parse(&text).map_err(|error: CertificateError| CallError::NewCertificate {
                peer: wwwroot.clone(),
                reason: error.to_string(),
            })
        }
        MethodResponse::Fault(fault) => Err(CallError::Fault {
            peer: wwwroot.clone(),
            code: fault.code,
            message: fault.message,
        }),
    }
}

/// The text of the page's first `<title>`, white space folded, the five XML entities resolved.
fn title(page: &str) -> Option<String> {
    let start = find_ignoring_case(page, "<title")?;
    let rest = &page[start..];
    let rest = &rest[rest.find('>')? + 1..];
    let text = &rest[..find_ignoring_case(rest, "</title")?];
    let text = quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Into::into);
    let folded: Vec<_> = text.split_whitespace().collect();
    let name: String = folded
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    (!name.is_empty()).then_some(name)
}

fn find_ignoring_case(text: &str, ascii: &str) -> Option<usize> {
    text.as_bytes()
        .windows(ascii.len())
        .position(|window| window.eq_ignore_ascii_case(ascii.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_title() {
        for (page, expected) in [
            ("<html><title>m45: Home</title>", Some("m45: Home")),
            (
                "<TITLE lang='en'>\n  Zoë &amp; friends \n</TITLE>",
                Some("Zoë & friends"),
            ),
            ("<title></title>", None),
            ("<p>no title", None),
            ("<title>never closed", None),
        ] {
            assert_eq!(title(page).as_deref(), expected, "{page}");
        }
        assert_eq!(
            title(&format!("<title>{}</title>", "é".repeat(300)))
                .unwrap()
                .chars()
                .count(),
            MAX_NAME
        );
    }
}
