//! Pages for what went wrong.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use thiserror::Error;
use tracing::error;

use super::Console;
use super::page::{self, Layout, Place};
use super::visitor::Visitor;
use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug, Error)]
pub enum WebError {
    /// Nothing at that address, or no such row.
    #[error("There is nothing at this address. It may have been removed, or the link is misspelt.")]
    NotFound,
    /// Signed in, but without the right.
    #[error(
        "You are signed in, but this page is for {0}. If you should see it, ask an administrator of this site for an account that may."
    )]
    Forbidden(&'static str),
    /// A form that did not come from one of our pages, or from one of an earlier session.
    #[error(
        "This form did not come from a page that is still yours: you signed in or out meanwhile, or another site sent it. Nothing was changed. Open the page again and repeat."
    )]
    ForeignForm,
    /// A form without any cookie of ours.
    #[error(
        "Your browser sent no cookie along, so this form cannot be told from a stranger’s. Nothing was changed. This site is {0}: open it at exactly that address, and let it set cookies."
    )]
    NoCookie(String),
    /// What was sent cannot be used; the text says what was expected.
    #[error("{0}")]
    Unusable(String),
    /// More than a form may hold.
    #[error("What was sent is longer than allowed ({0} KiB). Nothing was changed.")]
    TooLong(usize),
    /// Too much of this is under way; the text says what.
    #[error("{0}")]
    Busy(&'static str),
    /// Something failed here; the log has the cause.
    #[error(
        "Something went wrong here, and nothing was changed. Try again; if it stays so, the log of mnetd has the cause."
    )]
    Internal,
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage {
    layout: Layout,
    text: String,
}

impl WebError {
    /// Notes an error of ours in the log; the visitor learns only that there was one.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        error!(%error, "a page could not be made");
        Self::Internal
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::ForeignForm | Self::NoCookie(_) => StatusCode::FORBIDDEN,
            Self::Unusable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Forbidden(_) => "Not for you",
            Self::ForeignForm | Self::NoCookie(_) => "Form refused",
            Self::Unusable(_) | Self::TooLong(_) => "That cannot be used",
            Self::Busy(_) => "Too busy",
            Self::Internal => "Something went wrong",
        }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

/// The page itself is made where it is known who asks ([`dress`]).
impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let text = self.to_string().into_bytes();
        let mut response = page::content(self.status(), "text/plain; charset=utf-8", text);
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Makes a page of an error, in the frame of the one who asked.
pub async fn dress(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::from_request_parts(&mut parts, &console).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(error) = response.extensions().get::<Arc<WebError>>() else {
        return response;
    };
    let Ok(visitor) = visitor else {
        return response;
    };
    let page = ErrorPage {
        layout: Layout::new(&console, &visitor, Place::Elsewhere, error.title()),
        text: error.to_string(),
    };
    page::respond(error.status(), &page, &page.layout)
}
