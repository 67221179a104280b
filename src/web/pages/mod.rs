//! The pages: one file each, with its addresses.

pub mod accounts;
pub mod activity;
pub mod assessment;
mod boxes;
pub mod distribution;
pub mod enrolments;
pub mod first_run;
pub mod grade;
pub mod grade_import;
pub mod gradebook;
pub mod home;
pub mod keys;
pub mod mine;
pub mod network;
pub mod peer;
pub mod peers;
pub mod people;
pub mod remote;
pub mod reports;
pub mod sections;
pub mod setup;
pub mod sign_in;
pub mod sso;
pub mod style;
pub mod synchronisation;

use axum::Router;

use super::Console;
use super::error::WebError;

/// Every address of the console, relative to the site.
pub fn routes() -> Router<Console> {
    Router::new()
        .merge(accounts::routes())
        .merge(activity::routes())
        .merge(assessment::routes())
        .merge(distribution::routes())
        .merge(enrolments::routes())
        .merge(first_run::routes())
        .merge(grade::routes())
        .merge(grade_import::routes())
        .merge(gradebook::routes())
        .merge(home::routes())
        .merge(keys::routes())
        .merge(mine::routes())
        .merge(network::routes())
        .merge(peer::routes())
        .merge(peers::routes())
        .merge(people::routes())
        .merge(remote::routes())
        .merge(reports::routes())
        .merge(sections::routes())
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(sso::routes())
        .merge(style::routes())
        .merge(synchronisation::routes())
        .fallback(nothing_here)
}

async fn nothing_here() -> WebError {
    WebError::NotFound
}
