//! What a form sent, after its origin and its token were checked.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, HeaderMap, ORIGIN};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use super::Console;
use super::error::WebError;
use super::visitor::Visitor;

/// The most bytes of a form without a file.
pub const MAX_FORM_BYTES: usize = 64 * 1024;

/// The most bytes of a form with a file: a grade spreadsheet of a thousand students and a hundred columns
/// as CSV has about one mebibyte.
pub const MAX_UPLOAD_BYTES: usize = 4 * 1024 * 1024;

/// How long a form may take to come.
const FORM_TIMEOUT: std::time::Duration = crate::rpc::BODY_TIMEOUT;

/// The field that carries the token.
const CSRF: &str = "csrf";

/// A form, as `application/x-www-form-urlencoded`. Put it behind the argument that says who may send it.
#[derive(Debug)]
pub struct Submitted<T>(pub T);

/// A form that is nothing but its button.
#[derive(Debug, serde::Deserialize)]
pub struct NoFields {}

/// A form with files, as `multipart/form-data`: the text fields by name, and the files.
#[derive(Debug, Default)]
pub struct Uploaded {
    /// Text fields, in order.
    pub fields: Vec<(String, String)>,
    /// Files that were chosen, by the name of their field.
    pub files: Vec<(String, Bytes)>,
}

impl Uploaded {
    /// The text of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The content of a file that was chosen.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        let found = self.files.iter().find(|(key, _)| key == name);
        found
            .map(|(_, content)| content)
            .filter(|file| !file.is_empty())
    }
}

impl<T: DeserializeOwned> FromRequest<Console> for Submitted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let body = read(
            request,
            console,
            MAX_FORM_BYTES,
            "application/x-www-form-urlencoded",
        )
        .await
        .map_err(IntoResponse::into_response)?;
        let token = url::form_urlencoded::parse(&body.bytes)
            .find(|(name, _)| name == CSRF)
            .map(|(_, value)| value.into_owned());
        body.check(token.as_deref())
            .map_err(IntoResponse::into_response)?;
        let form = serde_urlencoded::from_bytes(&body.bytes);
        form.map(Self).map_err(|error| {
            WebError::Unusable(format!("The form cannot be used: {error}.")).into_response()
        })
    }
}

impl FromRequest<Console> for Uploaded {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let body = read(request, console, MAX_UPLOAD_BYTES, "multipart/form-data")
            .await
            .map_err(IntoResponse::into_response)?;
        let uploaded = parse_multipart(&body)
            .await
            .map_err(IntoResponse::into_response)?;
        body.check(uploaded.field(CSRF))
            .map_err(IntoResponse::into_response)?;
        Ok(uploaded)
    }
}

/// A body that was read, and what is known of who sent it.
struct Body {
    bytes: Bytes,
    content_type: String,
    expected: String,
    same_origin: bool,
}

impl Body {
    /// Both have to hold: the token, which another site cannot know, and the origin, where the browser
    /// says it.
    fn check(&self, token: Option<&str>) -> Result<(), WebError> {
        let token = token.unwrap_or_default().as_bytes();
        let expected = self.expected.as_bytes();
        let fits = token.len() == expected.len() && openssl::memcmp::eq(token, expected);
        if fits && self.same_origin {
            Ok(())
        } else {
            Err(WebError::ForeignForm)
        }
    }
}

async fn read(
    request: Request,
    console: &Console,
    most: usize,
    expected_type: &str,
) -> Result<Body, WebError> {
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::from_request_parts(&mut parts, console).await?;
    if visitor.new_visit().is_some() {
        return Err(WebError::NoCookie(console.wwwroot().to_string()));
    }
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    if !content_type.starts_with(expected_type) {
        return Err(WebError::Unusable(format!(
            "A form as {expected_type} was expected."
        )));
    }
    let collected = tokio::time::timeout(FORM_TIMEOUT, Limited::new(body, most).collect()).await;
    let bytes = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(WebError::TooLong(most / 1024));
        }
        Ok(Err(_)) => {
            return Err(WebError::Unusable(
                "The form was broken off on its way. Nothing was changed.".to_owned(),
            ));
        }
        Err(_) => {
            return Err(WebError::Unusable(
                "The form came too slowly. Nothing was changed.".to_owned(),
            ));
        }
    };
    Ok(Body {
        bytes,
        content_type,
        expected: visitor.csrf().to_owned(),
        same_origin: is_same_origin(&parts.headers, console),
    })
}

/// Whether a form comes from a page of ours, as far as the browser says. `Sec-Fetch-Site` decides where
/// it is sent (Fetch Metadata; only under https and on this machine), else `Origin`; one that sends
/// neither is old, or no browser, and has the token alone.
fn is_same_origin(headers: &HeaderMap, console: &Console) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(ORIGIN) {
        Some(origin) => {
            let ours = console.wwwroot().url().origin().ascii_serialization();
            origin.as_bytes() == ours.as_bytes()
        }
        None => true,
    }
}

async fn parse_multipart(body: &Body) -> Result<Uploaded, WebError> {
    let unusable =
        |error: multer::Error| WebError::Unusable(format!("The form cannot be used: {error}."));
    let boundary = multer::parse_boundary(&body.content_type).map_err(unusable)?;
    let bytes = body.bytes.clone();
    let stream = futures_util::stream::once(async move { Ok::<_, std::io::Error>(bytes) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut uploaded = Uploaded::default();
    while let Some(part) = parts.next_field().await.map_err(unusable)? {
        let name = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_some() {
            uploaded
                .files
                .push((name, part.bytes().await.map_err(unusable)?));
        } else {
            uploaded
                .fields
                .push((name, part.text().await.map_err(unusable)?));
        }
    }
    Ok(uploaded)
}
