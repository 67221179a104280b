//! PHP as a judge that shares no code with us.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set where PHP has to be there: a check that was skipped must not look like one that passed.
const REQUIRED: &str = "MNETD_REQUIRE_PHP";

/// OpenSSL 3 has RC4 in its legacy provider only, and with one provider named, the default one has to
/// be named as well.
const OPENSSL_CNF: &str = "openssl_conf = openssl_init\n\
    [openssl_init]\nproviders = providers\n\
    [providers]\ndefault = on\nlegacy = on\n\
    [on]\nactivate = 1\n";

/// A PHP with the extensions asked for and RC4 switched on.
pub struct Php {
    directory: tempfile::TempDir,
}

impl Php {
    /// `None`, with a word why, where this machine has no such PHP and none is required.
    pub fn with(extensions: &[&str]) -> Option<Self> {
        let output = Command::new("php").arg("-m").output();
        let modules = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let missing = match &modules {
            Err(error) => Some(format!("php: {error}")),
            Ok(modules) => extensions
                .iter()
                .find(|extension| !modules.lines().any(|line| line == **extension))
                .map(|extension| format!("PHP has no {extension}")),
        };
        if let Some(missing) = missing {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "{missing}, and {REQUIRED} is set"
            );
            eprintln!("skipped: {missing}");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("openssl.cnf"), OPENSSL_CNF).unwrap();
        Some(Self { directory })
    }

    /// Runs a script of tests/php with `input` and returns what it printed.
    pub fn run(&self, script: &str, input: &[u8]) -> Vec<u8> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/php")
            .join(script);
        let mut child = Command::new("php")
            .arg(&script)
            .env("OPENSSL_CONF", self.openssl_cnf())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn openssl_cnf(&self) -> PathBuf {
        self.directory.path().join("openssl.cnf")
    }
}
