//! What the tests share: the recorded traffic, and sites made on the spot.
#![allow(dead_code, reason = "each test uses its own part of this")]

pub mod classroom;
pub mod http;
pub mod ims_file;
pub mod moodle;
pub mod php;
pub mod program;
pub mod site;
pub mod sso;
pub mod visitor;

use std::fs;
use std::path::PathBuf;

use mnetd::keys::{Certificate, KeyPair};
use serde_json::Value as Json;

/// One recorded exchange.
pub struct Vector {
    /// Its file name without `.json`.
    pub name: String,
    /// Its content.
    pub json: Json,
}

/// The keys of the recording.
pub struct RecordedKeys {
    /// The peer's pair.
    pub peer: KeyPair,
    /// The peer's wwwroot.
    pub peer_wwwroot: String,
    /// Moodle's certificate before its rotation.
    pub moodle: Certificate,
    /// Moodle's certificate after its rotation.
    pub moodle_rotated: Certificate,
    /// Moodle's wwwroot.
    pub moodle_wwwroot: String,
}

impl Vector {
    /// Every exchange, in the order of the recording.
    pub fn all() -> Vec<Self> {
        let mut names: Vec<_> = fs::read_dir(directory())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".json") && name != "keys.json")
            .collect();
        names.sort();
        assert_eq!(names.len(), 43, "the recording is not whole");
        names
            .into_iter()
            .map(|name| Self {
                json: read(&name),
                name: name.trim_end_matches(".json").to_owned(),
            })
            .collect()
    }

    /// The exchange whose name begins with `number`.
    pub fn number(number: &str) -> Self {
        Self::all()
            .into_iter()
            .find(|vector| vector.name.starts_with(number))
            .unwrap()
    }

    /// `to_moodle`, `from_moodle` or `browser`.
    pub fn direction(&self) -> &str {
        self.json["direction"].as_str().unwrap()
    }

    /// The text at `part.key`, where the recording has it.
    pub fn text(&self, part: &str, key: &str) -> Option<&str> {
        self.json.get(part)?.get(key)?.as_str()
    }

    /// Whether this side of the exchange is an encrypted envelope.
    pub fn is_encrypted(&self, part: &str) -> bool {
        self.text(part, "body")
            .is_some_and(|body| body.contains("<encryptedMessage>"))
    }
}

impl RecordedKeys {
    /// Reads them.
    pub fn read() -> Self {
        let keys = read("keys.json");
        let text = |site: &str, key: &str| keys[site][key].as_str().unwrap().to_owned();
        let certificate = |key| Certificate::parse(&text("moodle", key)).unwrap();
        Self {
            peer: KeyPair::parse(&format!(
                "{}{}",
                text("probe", "private_key"),
                text("probe", "certificate")
            ))
            .unwrap(),
            peer_wwwroot: text("probe", "wwwroot"),
            moodle: certificate("certificate"),
            moodle_rotated: certificate("certificate_after_rotation"),
            moodle_wwwroot: text("moodle", "wwwroot"),
        }
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/moodle-4.5.6")
}

fn read(name: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(directory().join(name)).unwrap()).unwrap()
}
