//! The style sheet.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::http::{Response, StatusCode};
use axum::routing::get;

use crate::web::{Console, page};

const STYLE: &str = include_str!("../style.css");

/// Changes with each release, which is when the sheet changes.
const TAG: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");

pub fn routes() -> Router<Console> {
    Router::new().route("/style.css", get(style))
}

async fn style(headers: HeaderMap) -> Response<Body> {
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == TAG);
    let (status, body) = if known {
        (StatusCode::NOT_MODIFIED, Vec::new())
    } else {
        (StatusCode::OK, STYLE.as_bytes().to_vec())
    };
    let mut response = page::content(status, "text/css; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_static(TAG));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
