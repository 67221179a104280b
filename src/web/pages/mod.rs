//! The pages: one file each, with its addresses.

mod boxes;
pub mod first_run;
pub mod home;
pub mod keys;
pub mod network;
pub mod peer;
pub mod peers;
pub mod setup;
pub mod sign_in;
pub mod style;

use axum::Router;

use super::Console;
use super::error::WebError;

/// Every address of the console, relative to the site.
pub fn routes() -> Router<Console> {
    Router::new()
        .merge(first_run::routes())
        .merge(home::routes())
        .merge(keys::routes())
        .merge(network::routes())
        .merge(peer::routes())
        .merge(peers::routes())
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(style::routes())
        .fallback(nothing_here)
}

async fn nothing_here() -> WebError {
    WebError::NotFound
}
