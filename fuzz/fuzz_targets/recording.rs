//! The recorded traffic: the keys it was sealed and signed with, and what was signed.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use mnetd::keys::{Certificate, KeyPair};
use serde_json::Value as Json;

/// Read once, at the first input.
pub static RECORDING: LazyLock<Recording> = LazyLock::new(Recording::read);

/// What both sides knew.
pub struct Recording {
    /// The recorded peer's pair: what opens.
    pub ours: KeyPair,
    /// Moodle's certificate: what its signatures are checked against.
    #[allow(dead_code, reason = "each target uses its own part of this")]
    pub moodle: Certificate,
    /// Every payload that either side signed.
    #[allow(dead_code, reason = "each target uses its own part of this")]
    pub signed: HashSet<Vec<u8>>,
}

impl Recording {
    fn read() -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/moodle-4.5.6");
        let keys = json(&directory.join("keys.json"));
        let text = |site: &str, key: &str| keys[site][key].as_str().unwrap().to_owned();
        let ours = text("probe", "private_key") + &text("probe", "certificate");
        let exchanges = fs::read_dir(&directory).unwrap();
        Self {
            ours: KeyPair::parse(&ours).unwrap(),
            moodle: Certificate::parse(&text("moodle", "certificate")).unwrap(),
            signed: exchanges
                .map(|entry| json(&entry.unwrap().path()))
                .flat_map(|exchange| ["request", "response"].map(|part| payload(&exchange[part])))
                .flatten()
                .collect(),
        }
    }
}

fn payload(side: &Json) -> Option<Vec<u8>> {
    Some(side.get("payload")?.as_str()?.as_bytes().to_vec())
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
