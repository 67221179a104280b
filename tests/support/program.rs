//! The program itself, run in a directory of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use mnetd::keys::Certificate;
use serde_json::Value as Json;

/// How long anything is waited for. What is waited for comes within a second or two; a slow machine
/// must not fail a test.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// A directory that commands are run in.
pub struct Program {
    directory: tempfile::TempDir,
}

/// What a command printed and exited with.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

/// A server; it is killed when this is dropped.
pub struct Running {
    /// Where it listens, as its log says.
    pub address: SocketAddr,
    child: Child,
    log: Receiver<String>,
}

impl Program {
    /// A directory with nothing in it.
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A directory in which a server has run, so that there is a register.
    pub fn with_register() -> Self {
        let program = Self::new();
        assert_eq!(program.serve().stop(), Some(0));
        program
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a command with nobody at the keyboard.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        Ran::from(output.unwrap())
    }

    /// Runs a command with `input` typed into it.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses before it reads closes its end: that is its answer, not a fault.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Runs a command with a variable set.
    pub fn run_under(&self, variable: &str, value: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output = command.env(variable, value).stdin(Stdio::null()).output();
        Ran::from(output.unwrap())
    }

    /// Runs a command whose output nobody reads, as behind `head` when it has ended.
    pub fn run_unread(&self, arguments: &[&str]) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = self.command(arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(command);
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Runs a command that has to succeed, and returns what it printed.
    pub fn done(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Starts the server on a port of the system's choosing, and waits until it says where it listens.
    pub fn serve(&self) -> Running {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts the server, and waits until it says where it listens.
    pub fn serve_at(&self, listen: &str) -> Running {
        let mut child = self
            .command(&["serve", "--listen", listen])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = Running {
            address: ([0; 4], 0).into(),
            child,
            log,
        };
        let line = running.wait_for_line("mnetd is serving");
        running.address = word_after(&line, "listen=").parse().unwrap();
        running
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mnetd"));
        command
            .arg("--data")
            .arg(self.directory())
            .args(arguments)
            // Dates on pages and in reports are the machine's.
            .env("TZ", "UTC")
            // No mnetd.toml and no variable of whoever runs the tests.
            .current_dir(self.directory());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MNETD_") {
                command.env_remove(name);
            }
        }
        command
    }
}

impl Ran {
    /// What it printed, as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Running {
    /// Its wwwroot where none was named.
    pub fn wwwroot(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The body of one of its pages.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let host = self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        body.to_owned()
    }

    /// The certificate it hands out.
    pub fn certificate(&self) -> Certificate {
        Certificate::parse(&self.get("/mnet/publickey.php")).unwrap()
    }

    /// Waits for a line of its log with `part` in it.
    pub fn wait_for_line(&self, part: &str) -> String {
        let end = Instant::now() + DEADLINE;
        let mut heard = Vec::new();
        while let Ok(line) = self
            .log
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            if line.contains(part) {
                return line;
            }
            heard.push(line);
        }
        panic!("the server never said “{part}”, but: {heard:#?}");
    }

    /// Asks it to stop, as an init system does, and waits for its end. Returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &id])
            .status()
            .unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The word that stands behind `label` in `text`.
pub fn word_after<'a>(text: &'a str, label: &str) -> &'a str {
    let start = text
        .find(label)
        .unwrap_or_else(|| panic!("{label}: {text}"))
        + label.len();
    text[start..].split_whitespace().next().unwrap()
}
