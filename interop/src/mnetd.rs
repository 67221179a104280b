//! An mnetd of the case's own: started, stopped, killed, asked; its database read.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::clock;
use crate::failure::{Failure, Held, shortened};
use crate::waiting::{Look, PATIENCE, until};

/// The path of an mnetd that is a site under one.
const UNDER_PATH: &str = "/register";

/// How many ports are tried from the first on.
const PORTS: u16 = 20;

/// An mnetd of the case's own; killed, and its directory removed, when this is dropped.
pub struct Mnetd {
    program: PathBuf,
    directory: TempDir,
    port: u16,
    path: &'static str,
    options: Vec<String>,
    variables: Vec<(String, String)>,
    server: Option<Child>,
}

impl Mnetd {
    /// An mnetd on the first free port from `first_port` on, with nothing in its directory. It does not run yet.
    ///
    /// # Errors
    /// When no port is free, or no directory to be had.
    pub fn new(program: &Path, first_port: u16) -> Held<Self> {
        let directory = tempfile::Builder::new()
            .prefix("mnetd-interop-")
            .tempdir()
            .map_err(|source| Failure::File {
                path: std::env::temp_dir(),
                source,
            })?;
        Ok(Self {
            program: program.to_owned(),
            directory,
            port: free_port(first_port)?,
            path: "",
            options: Vec::new(),
            variables: Vec::new(),
            server: None,
        })
    }

    /// The same, as a site under a path. Before its first start only.
    #[must_use]
    pub fn under_path(mut self) -> Self {
        self.path = UNDER_PATH;
        self
    }

    /// Options of the server and of every command from now on, such as `--max-ahead`.
    pub fn set_options(&mut self, options: &[&str]) {
        self.options = options.iter().map(|&option| option.to_owned()).collect();
    }

    /// Variables of the server, and of it alone, from its next start on: a clock that is wrong, say.
    pub fn set_variables(&mut self, variables: Vec<(String, String)>) {
        self.variables = variables;
    }

    /// Its wwwroot.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// The address of one of its pages.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url())
    }

    /// Starts the server and waits until it answers. On the same port as ever.
    ///
    /// # Errors
    /// When it does not come up, with the end of its log.
    pub fn start(&mut self) -> Held {
        let log = self.log_file()?;
        let mut command = self.command(&["serve", "--listen"]);
        command
            .arg(format!("127.0.0.1:{}", self.port))
            .args(["--wwwroot", &self.url()])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.server = Some(command.spawn().map_err(|source| self.no_program(source))?);
        self.wait_until_it_answers()
    }

    /// Stops the server as a service manager does, and waits for its end.
    ///
    /// # Errors
    /// When it does not end in good order.
    pub fn stop(&mut self) -> Held {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        if let Ok(id) = i32::try_from(server.id()) {
            // One that is gone already is found so below.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let ended = until("the end of mnetd", PATIENCE, || {
            let ended = server
                .try_wait()
                .map_err(|source| self.no_program(source))?;
            Ok(ended.map_or(Look::NotYet("it runs".to_owned()), Look::There))
        })?;
        if ended.success() {
            Ok(())
        } else {
            Err(self.server_failure("ended with an error"))
        }
    }

    /// Kills the server in the middle of whatever it does.
    ///
    /// # Errors
    /// When the system does not let it be killed.
    pub fn kill(&mut self) -> Held {
        if let Some(mut server) = self.server.take() {
            server
                .kill()
                .and_then(|()| server.wait())
                .map_err(|source| self.no_program(source))?;
        }
        Ok(())
    }

    /// Whether the server was started and not stopped or killed by us.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.server.is_some()
    }

    /// Runs a command beside the server: `["peer", "list"]`. What it printed.
    ///
    /// # Errors
    /// When it exits with another code than 0, with its complaint.
    pub fn run(&self, arguments: &[&str]) -> Held<String> {
        self.run_with_input(arguments, "")
    }

    /// Runs a command with something typed into it.
    ///
    /// # Errors
    /// As [`Mnetd::run`].
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Held<String> {
        self.run_command(self.command(arguments), arguments, input)
    }

    /// Runs a command under a clock that is so many seconds ahead, or behind where negative.
    ///
    /// # Errors
    /// As [`Mnetd::run`].
    pub fn run_at(&self, seconds: i64, arguments: &[&str]) -> Held<String> {
        let mut command = self.command(arguments);
        command.envs(clock::shifted(seconds).unwrap_or_default());
        self.run_command(command, arguments, "")
    }

    fn run_command(&self, mut command: Command, arguments: &[&str], input: &str) -> Held<String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| self.no_program(source))?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that refuses before it reads closes its end: that is its answer.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|source| self.no_program(source))?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(told);
        }
        Err(Failure::Mnetd {
            command: arguments.join(" "),
            code: output.status.code().unwrap_or(-1),
            complaint: shortened(String::from_utf8_lossy(&output.stderr).trim()),
            told,
        })
    }

    /// Runs a command with `--format json` and reads what it printed.
    ///
    /// # Errors
    /// As [`Mnetd::run`]; or when it printed no JSON.
    pub fn json(&self, arguments: &[&str]) -> Held<Json> {
        let arguments = [arguments, &["--format", "json"]].concat();
        let printed = self.run(&arguments)?;
        serde_json::from_str(&printed).map_err(|_| Failure::Shape {
            what: format!("mnetd {}", arguments.join(" ")),
            expected: "JSON",
            seen: shortened(&printed),
        })
    }

    /// Its database, to be read only.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn database(&self) -> Held<Connection> {
        let path = self.directory.path().join("mnetd.db");
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(connection)
    }

    /// The first column of the first row that a query finds in its database.
    ///
    /// # Errors
    /// When there is no row, or another type stands there.
    pub fn one<T: rusqlite::types::FromSql>(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
    ) -> Held<T> {
        Ok(self
            .database()?
            .query_row(query, parameters, |row| row.get(0))?)
    }

    /// The end of what the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        const LINES: usize = 8;
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--data")
            .arg(self.directory.path())
            .args(&self.options)
            .args(arguments)
            .current_dir(self.directory.path());
        command
    }

    fn wait_until_it_answers(&mut self) -> Held {
        let mut browser = Browser::new()?;
        let health = format!("http://127.0.0.1:{}/healthz", self.port);
        let came = until("mnetd", Duration::from_secs(30), || {
            if self.has_ended() {
                return Err(self.server_failure("ended at once"));
            }
            Ok(match browser.open_only(&health) {
                Ok(page) if page.status == 200 => Look::There(()),
                Ok(page) => Look::NotYet(page.status.to_string()),
                Err(failure) => Look::NotYet(failure.to_string()),
            })
        });
        came.map_err(|failure| match failure {
            Failure::NotInTime { .. } => self.server_failure("did not come up"),
            other => other,
        })
    }

    fn has_ended(&mut self) -> bool {
        let ended = self.server.as_mut().map(Child::try_wait);
        !matches!(ended, Some(Ok(None)))
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("serve.log")
    }

    fn log_file(&self) -> Held<File> {
        let path = self.log_path();
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|source| Failure::File { path, source })
    }

    fn no_program(&self, source: std::io::Error) -> Failure {
        Failure::Program {
            program: self.program.display().to_string(),
            source,
        }
    }

    fn server_failure(&self, happened: &'static str) -> Failure {
        Failure::Server {
            wwwroot: self.url(),
            happened,
            log: self.log(),
        }
    }
}

impl Drop for Mnetd {
    fn drop(&mut self) {
        // Nothing is left to tell a failure to.
        let _ = self.kill();
    }
}

/// Every address that an mnetd of the suite's may have, for those who forget its peers.
#[must_use]
pub fn addresses(first_port: u16) -> Vec<String> {
    let ports = first_port..first_port.saturating_add(PORTS);
    ports
        .flat_map(|port| ["", UNDER_PATH].map(|path| format!("http://127.0.0.1:{port}{path}")))
        .collect()
}

/// A port that nobody listens at. Below those that the system gives to connections that go out, so that it is still free
/// when the server comes back to it.
fn free_port(first: u16) -> Held<u16> {
    let last = first.saturating_add(PORTS - 1);
    (first..=last)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .ok_or(Failure::NoPort { first, last })
}
