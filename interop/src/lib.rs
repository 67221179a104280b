//! Proves mnetd and its Moodle plugins against Moodle sites that run.
//!
//! # Layout
//!
//! In reading order: a module may use those above it, never those below.
//!
//! - [`failure`]: why a case did not hold.
//! - [`waiting`]: until something is so, or too late.
//! - [`page`]: HTML as a browser's user sees it: forms, titles, texts, links.
//! - [`browser`]: somebody's browser: cookies, redirects, forms filled in and sent.
//! - [`clock`]: clocks that are wrong.
//! - [`running`]: programs that run beside a case: killed in the middle, or asked again and again.
//! - [`moodle`]: a Moodle: what is arranged in it, its cron, its pages for administrators and users.
//! - [`mnetd`]: an mnetd of the case's own: started, stopped, killed, asked; its database read.
//! - [`moodle_pages`], [`mnetd_pages`]: their pages, as people go through them.
//! - [`introduction`]: the two are made known to each other.
//! - [`case`]: what a case is, and the scene it plays in.
//! - [`sign_on`]: who goes from one to the other by which link.
//! - [`traffic`]: changes and calls that flow while something else happens.
//! - [`agreement`]: whether Moodle's tables and the register say the same.
//! - [`school`]: a Moodle that feeds the register of an mnetd.
//! - [`cases`]: the cases themselves, one file a subject.
//! - [`turn`]: one run at a time against a Moodle.
//! - [`report`]: the table at the end.
//! - [`options`]: what is given on the command line.
//! - [`suite`]: all of it, in order.

pub mod agreement;
pub mod browser;
pub mod case;
pub mod cases;
pub mod clock;
pub mod failure;
pub mod introduction;
pub mod mnetd;
pub mod mnetd_pages;
pub mod moodle;
pub mod moodle_pages;
pub mod options;
pub mod page;
pub mod report;
pub mod running;
pub mod school;
pub mod sign_on;
pub mod suite;
pub mod traffic;
pub mod turn;
pub mod waiting;
