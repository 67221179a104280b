//! The web console as people use it, in a browser: each test runs the program itself, in a data directory
//! of its own.
//!
//! Without Chromium and chromedriver the tests say so and are skipped, unless `MNETD_REQUIRE_BROWSER` is
//! set; without axe-core (`MNETD_AXE`) only what it checks is.

#[path = "../support/browser.rs"]
mod browser;
mod first_run;
mod home;
mod kit;
mod moodle;
mod office;
mod pages;
mod school;
mod sign_in;
mod sso_in;
mod sso_out;
#[path = "../support/mod.rs"]
mod support;
