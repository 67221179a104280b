//! What stands in an address. As axum's extractors of the same names, but what does not fit is told on a
//! page of ours.

use axum::extract::{FromRequestParts, Path as AxumPath};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Console;
use super::error::WebError;

/// The parts of the path that a route leaves open. One that does not fit leads nowhere.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// What stands behind the question mark.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Console> for Path<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, WebError> {
        let path = AxumPath::from_request_parts(parts, console).await;
        path.map(|AxumPath(path)| Self(path))
            .map_err(|_| WebError::NotFound)
    }
}

impl<T: DeserializeOwned> FromRequestParts<Console> for Query<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, WebError> {
        let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
        query.map(Self).map_err(|error| {
            WebError::Unusable(format!(
                "What stands behind the question mark in this address cannot be used: {error}. Go back to the page that the link stands on, and try again from there."
            ))
        })
    }
}
