//! The pages: one file each, with its addresses.

pub mod assessment;
pub mod grade;
pub mod gradebook;
pub mod home;
pub mod people;
pub mod setup;
pub mod sign_in;
pub mod style;

use axum::Router;

use super::Console;
use super::error::WebError;

/// Every address of the console, relative to the site.
pub fn routes() -> Router<Console> {
    Router::new()
        .merge(assessment::routes())
        .merge(grade::routes())
        .merge(gradebook::routes())
        .merge(home::routes())
        .merge(people::routes())
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(style::routes())
        .fallback(nothing_here)
}

async fn nothing_here() -> WebError {
    WebError::NotFound
}
