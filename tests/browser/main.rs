//! The web console as people use it, in a browser: each test runs the program itself, in a data directory
//! of its own.
//!
//! Without Chromium and chromedriver the tests say so and are skipped, unless `MNETD_REQUIRE_BROWSER` is
//! set; without axe-core (`MNETD_AXE`) only what it checks is.

#[path = "../support/browser.rs"]
mod browser;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod activity;
mod adopting_three_years;
mod columns_grow;
mod course_without_moodle;
mod dropped_course;
mod enrolment_seen_in_july;
mod first_run;
mod home;
mod keyboard;
mod kit;
mod lab_grades_by_hand;
mod moodle;
mod office;
mod pages;
mod peers;
mod people;
mod pictures;
mod progress_at_a_past_date;
mod remote_enrolment;
mod school;
mod sign_in;
mod sso_in;
mod sso_out;
