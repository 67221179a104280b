//! mnetd: a peer for Moodle's MNet, and the school register behind it.
//!
//! Data flows one way, **bytes → envelope → call → register → store**, and back.
//!
//! # Layout
//!
//! In reading order: a module may use those above it, never those below.
//!
//! - [`clock`]: the time as an argument, so that rules about dates can be tested.
//! - [`wwwroot`]: the name of a peer, checked once where it enters.
//! - [`service`]: how a service and its methods describe themselves.
//! - [`config`]: flags over environment over `mnetd.toml`.
//! - [`keys`]: certificates, our own key pairs, and the directory they rotate in.
//! - [`envelope`]: sign, verify, seal, open: functions over bytes and keys.
//! - [`xmlrpc`]: values, calls and responses as XML, in both text dialects. Knows nothing of MNet.
//! - [`store`]: the only place with SQL; one file a family of tables, typed rows in and out.
//! - [`workers`]: the bounded pool for RSA work.
//! - [`peer`]: who we know, what each may call, how they are met, called, and followed when they rotate.
//! - [`register`]: the school: people, sections, enrolments, assessments, grades, their histories.
//! - [`reports`]: how the school stood at a date: as data, CSV and PDF.
//! - [`demo`]: a made-up school of a chosen size.
//! - [`sso`]: who may sign in and is signed in; jumps out to peers, landings from them, log-out.
//! - [`enrol`]: our accounts in courses of peers.
//! - [`sync`]: a peer is asked for everything it has, and the register made to agree.
//! - [`rpc`]: one HTTP request: open, check, dispatch, seal; one file a service.
//! - [`web`]: the only place with HTML.
//! - [`cli`]: one file a subcommand.

#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod enrol;
pub mod envelope;
pub mod exchange;
pub mod ims;
pub mod keys;
pub mod peer;
pub mod register;
pub mod reports;
pub mod rpc;
pub mod service;
pub mod sso;
pub mod store;
pub mod sync;
pub mod web;
pub mod workers;
pub mod wwwroot;
pub mod xmlrpc;
