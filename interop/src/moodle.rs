//! A Moodle: what is arranged in it, its cron, its versions.
//!
//! What a case needs inside a Moodle is done by `moodle/provision.php`, run with that Moodle's PHP. The script is part of
//! this program and is laid out in a directory of its own for the time of the run.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::failure::{Failure, Held, shortened};
use crate::running::{Running, Serving};

/// The script's files, by their path beside one another.
const SCRIPT: &[(&str, &str)] = &[
    ("key.php", include_str!("../moodle/key.php")),
    ("provision.php", include_str!("../moodle/provision.php")),
    (
        "provision/calls.php",
        include_str!("../moodle/provision/calls.php"),
    ),
    (
        "provision/hosts.php",
        include_str!("../moodle/provision/hosts.php"),
    ),
    (
        "provision/pairing.php",
        include_str!("../moodle/provision/pairing.php"),
    ),
    (
        "provision/people.php",
        include_str!("../moodle/provision/people.php"),
    ),
    (
        "provision/school.php",
        include_str!("../moodle/provision/school.php"),
    ),
    (
        "provision/school/activities.php",
        include_str!("../moodle/provision/school/activities.php"),
    ),
    (
        "provision/school/bulk.php",
        include_str!("../moodle/provision/school/bulk.php"),
    ),
    (
        "provision/school/changes.php",
        include_str!("../moodle/provision/school/changes.php"),
    ),
    (
        "provision/school/cleanup.php",
        include_str!("../moodle/provision/school/cleanup.php"),
    ),
    (
        "provision/school/courses.php",
        include_str!("../moodle/provision/school/courses.php"),
    ),
    (
        "provision/school/enrolments.php",
        include_str!("../moodle/provision/school/enrolments.php"),
    ),
    (
        "provision/school/gradebook.php",
        include_str!("../moodle/provision/school/gradebook.php"),
    ),
    (
        "provision/school/input.php",
        include_str!("../moodle/provision/school/input.php"),
    ),
    (
        "provision/school/people.php",
        include_str!("../moodle/provision/school/people.php"),
    ),
    (
        "provision/school/quiet.php",
        include_str!("../moodle/provision/school/quiet.php"),
    ),
    (
        "provision/school/truth.php",
        include_str!("../moodle/provision/school/truth.php"),
    ),
    (
        "provision/site.php",
        include_str!("../moodle/provision/site.php"),
    ),
    (
        "provision/truth.php",
        include_str!("../moodle/provision/truth.php"),
    ),
];

/// How PHP is run.
#[derive(Debug, Clone)]
pub struct Php {
    /// The program and its first arguments.
    pub command: Vec<String>,
    /// Variables it runs with.
    pub variables: Vec<(String, String)>,
}

/// A Moodle that runs.
pub struct Moodle {
    folder: PathBuf,
    url: String,
    php: Php,
    script: TempDir,
    /// Addresses that peers of the suite's have here, for the clean-up.
    peers: Vec<String>,
    admin: Mutex<Option<Account>>,
    sign_on: Vec<SignOnPlugin>,
}

/// A plugin for single sign-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SignOnPlugin {
    /// Moodle's own, up to 4.5.
    Mnet,
    /// The one that comes with mnetd.
    Mnetd,
}

impl SignOnPlugin {
    /// Its name among the authentication plugins.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnet => "mnet",
            Self::Mnetd => "mnetd",
        }
    }
}

/// Somebody's name and password.
#[derive(Debug, Clone)]
pub struct Account {
    /// What one signs in by.
    pub username: String,
    /// The password, made up for this run.
    pub password: String,
}

/// What a Moodle is made of.
#[derive(Debug, Clone)]
pub struct Versions {
    /// As Moodle says it: `4.5.6 (Build: 20250811)`.
    pub moodle: String,
    /// PHP's version.
    pub php: String,
    /// The OpenSSL that PHP was built with and runs with.
    pub openssl: String,
    /// The database's kind and version.
    pub database: String,
    /// The address it calls itself by.
    pub wwwroot: String,
    /// Whether an upgrade waits to be run; until then it serves nobody.
    pub upgrade_waits: bool,
    /// The plugins that matter here, by name, with their versions.
    pub plugins: Vec<(String, String)>,
}

impl Moodle {
    /// A Moodle by its folder and address. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When the script cannot be laid out.
    pub fn new(folder: &Path, url: &str, php: Php, peers: Vec<String>) -> Held<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            url: url.trim_end_matches('/').to_owned(),
            php,
            script: lay_out_script()?,
            peers,
            admin: Mutex::new(None),
            sign_on: vec![SignOnPlugin::Mnet, SignOnPlugin::Mnetd],
        })
    }

    /// The same, with single sign-on by one plugin and no other.
    #[must_use]
    pub fn signing_on_by(mut self, plugin: SignOnPlugin) -> Self {
        self.sign_on = vec![plugin];
        self
    }

    /// Its wwwroot.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder with its config.php.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of one of its pages, such as `/login/index.php`.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Has something done inside this Moodle, or something told, by one of the script's subcommands.
    ///
    /// # Errors
    /// What the script complains of.
    pub fn provision(&self, subcommand: &str, input: &Json) -> Held<Json> {
        let mut command = self.php(&[self.script_file("provision.php")]);
        command.arg(&self.folder).arg(subcommand);
        let output = run(command, &input.to_string())?;
        self.answer(subcommand, &output)
    }

    /// A key pair such as this Moodle makes for itself, made by its PHP under a clock set by `variables`.
    ///
    /// # Errors
    /// When PHP makes none.
    pub fn key_pair(&self, days: i64, variables: &[(String, String)]) -> Held<Json> {
        let mut command = self.php(&[self.script_file("key.php")]);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let input = json!({"wwwroot": self.url, "days": days});
        let output = run(command, &input.to_string())?;
        self.answer("key.php", &output)
    }

    /// Has many things done in one run of PHP, in order; the answers in the same order. The first that fails ends it.
    ///
    /// # Errors
    /// What the script complains of.
    pub fn provision_all(&self, steps: &[(&str, Json)]) -> Held<Vec<Json>> {
        let steps: Vec<Json> = steps
            .iter()
            .map(|(subcommand, input)| json!({"do": subcommand, "with": input}))
            .collect();
        match self.provision("batch", &Json::Array(steps))? {
            Json::Array(answers) => Ok(answers),
            other => Err(self.misshapen("batch", "list", &other)),
        }
    }

    /// The script as a process that stays, for what is done often or takes long.
    ///
    /// # Errors
    /// When PHP cannot be run.
    pub fn serve(&self) -> Held<Serving> {
        let script = self.script.path().join("provision.php");
        let mut command = self.php(&[script.display().to_string()]);
        command.arg(&self.folder).arg("serve");
        Serving::begin(command, &self.url)
    }

    /// Begins one of Moodle's own scripts and does not wait for its end: `admin/cli/cron.php`.
    ///
    /// # Errors
    /// When PHP cannot be run.
    pub fn begin(&self, path: &str, arguments: &[&str]) -> Held<Running> {
        let mut command = self.php(&[self.file(path).display().to_string()]);
        command.args(arguments);
        Running::begin(command)
    }

    /// Runs cron once, as a school's crontab does: what is due of the scheduled tasks, then the ad-hoc ones. All that it
    /// printed.
    ///
    /// # Errors
    /// When cron ends with an error.
    pub fn cron(&self) -> Held<String> {
        self.cli("cron.php", &["--keep-alive=0"])
    }

    /// Runs one scheduled task now, due or not: `local_mnetd\task\send`.
    ///
    /// # Errors
    /// When the task ends with an error.
    pub fn run_task(&self, class: &str) -> Held<String> {
        self.cli("scheduled_task.php", &[&format!("--execute=\\{class}")])
    }

    /// Runs the ad-hoc tasks that are waiting.
    ///
    /// # Errors
    /// When that ends with an error.
    pub fn run_adhoc_tasks(&self) -> Held<String> {
        self.cli("adhoc_task.php", &["--execute", "--keep-alive=0"])
    }

    /// Runs one of the scripts in Moodle's admin/cli.
    ///
    /// # Errors
    /// When it ends with an error.
    pub fn cli(&self, script: &str, arguments: &[&str]) -> Held<String> {
        self.run_script(&format!("admin/cli/{script}"), arguments)
    }

    /// Runs a script of this Moodle by its path, such as `local/mnetd/cli/status.php`.
    ///
    /// # Errors
    /// When there is none, or it ends with an error.
    pub fn run_script(&self, path: &str, arguments: &[&str]) -> Held<String> {
        let mut command = self.php(&[self.file(path).display().to_string()]);
        command.args(arguments);
        let output = run(command, "")?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(printed);
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(self.refused(path, &format!("{printed}{complaint}")))
    }

    /// Sends what waits in `local_mnetd`'s queue for one register, as its own command does.
    ///
    /// # Errors
    /// When the command cannot be run, or refuses; not when something is left in the queue.
    pub fn send_queue(&self, register: &str) -> Held<bool> {
        let mut command = self.php(&[self.file("local/mnetd/cli/send.php").display().to_string()]);
        command.arg(format!("--peer={register}"));
        let output = run(command, "")?;
        match output.status.code() {
            Some(0) => Ok(true),
            // Something is left, and the command says what.
            Some(1) => Ok(false),
            _ => Err(self.refused("send", &String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Whether it has a file: how plugins are found.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.file(path).exists()
    }

    /// Whether PHP can seal a message with RC4, as MNet does; if not, what PHP's OpenSSL says.
    ///
    /// # Errors
    /// When PHP cannot be run.
    pub fn seals(&self) -> Held<Result<(), String>> {
        let told = self.provision("rc4", &json!({}))?;
        Ok(match told["problem"].as_str() {
            None => Ok(()),
            Some(problem) => Err(problem.to_owned()),
        })
    }

    /// Arranges what every case needs: networking on, peers on this machine within reach, an administrator.
    ///
    /// # Errors
    /// What the script complains of.
    pub fn prepare(&self) -> Held {
        let told = self.provision("prepare", &json!({}))?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        *self.lock_admin() = Some(Account {
            username: text("username"),
            password: text("password"),
        });
        Ok(())
    }

    /// Removes what the suite made, and puts back what it changed; also after a run that was cut off.
    ///
    /// # Errors
    /// What the script complains of.
    pub fn clean_up(&self) -> Held {
        self.provision("clean", &json!({"hosts": self.peers}))
            .map(drop)
    }

    /// The administrator to sign in as.
    ///
    /// # Errors
    /// When nothing was prepared.
    pub fn admin(&self) -> Held<Account> {
        let admin = self.lock_admin().clone();
        admin.ok_or_else(|| self.refused("sign in", "no administrator was prepared"))
    }

    /// The plugin by which this Moodle does single sign-on: Moodle's own where it is there, else the one that comes with
    /// mnetd, unless one was named.
    #[must_use]
    pub fn sign_on_plugin(&self) -> Option<&'static str> {
        self.sign_on
            .iter()
            .map(|plugin| plugin.name())
            .find(|name| self.has(&format!("auth/{name}/version.php")))
    }

    /// What it is made of.
    ///
    /// # Errors
    /// When Moodle cannot say.
    pub fn versions(&self) -> Held<Versions> {
        let told = self.provision("versions", &json!({}))?;
        let text = |name: &str| told[name].as_str().unwrap_or("unknown").to_owned();
        let plugins = told["plugins"].as_object().into_iter().flatten();
        Ok(Versions {
            moodle: text("moodle"),
            php: text("php"),
            openssl: text("openssl"),
            database: text("database"),
            wwwroot: text("wwwroot"),
            upgrade_waits: told["upgrade"] == json!(true),
            plugins: plugins
                .map(|(name, version)| {
                    (
                        name.clone(),
                        version.as_str().unwrap_or("not installed").to_owned(),
                    )
                })
                .collect(),
        })
    }

    fn lock_admin(&self) -> MutexGuard<'_, Option<Account>> {
        // What is in it is replaced as a whole, so a thread that failed leaves nothing half done.
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file of its tree. From 5.1 on, what browsers may ask for lies under public/.
    fn file(&self, path: &str) -> PathBuf {
        let plain = self.folder.join(path);
        if plain.exists() {
            plain
        } else {
            self.folder.join("public").join(path)
        }
    }

    fn script_file(&self, name: &str) -> String {
        self.script.path().join(name).display().to_string()
    }

    fn php(&self, arguments: &[String]) -> Command {
        let mut words = self.php.command.iter();
        let mut command = Command::new(words.next().map_or("php", String::as_str));
        command.args(words).args(arguments);
        command.envs(self.php.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn answer(&self, subcommand: &str, output: &Output) -> Held<Json> {
        let printed = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        // PHP's own warnings, if shown, stand before our line.
        let line = printed
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("");
        let Ok(answer) = serde_json::from_str::<Json>(line) else {
            return Err(self.refused(subcommand, &format!("{printed}{complaint}")));
        };
        match answer.get("error").and_then(Json::as_str) {
            Some(error) => Err(self.refused(subcommand, error)),
            None if output.status.success() => Ok(answer["answer"].clone()),
            None => Err(self.refused(subcommand, &complaint)),
        }
    }

    fn refused(&self, action: &str, reason: &str) -> Failure {
        Failure::Moodle {
            moodle: self.url.clone(),
            action: action.to_owned(),
            reason: shortened(reason.trim()),
        }
    }

    fn misshapen(&self, what: &str, expected: &'static str, seen: &Json) -> Failure {
        Failure::Shape {
            what: format!("{}: {what}", self.url),
            expected,
            seen: shortened(&seen.to_string()),
        }
    }
}

impl Versions {
    /// In one line, for the head of a report.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!(
            "Moodle {}, PHP {}, {}, {}",
            self.moodle, self.php, self.openssl, self.database
        );
        for (name, version) in &self.plugins {
            let _ = write!(line, ", {name} {version}");
        }
        line
    }
}

fn lay_out_script() -> Held<TempDir> {
    let directory = tempfile::Builder::new()
        .prefix("mnetd-interop-")
        .tempdir()
        .map_err(|source| Failure::File {
            path: std::env::temp_dir(),
            source,
        })?;
    for (name, text) in SCRIPT {
        let path = directory.path().join(name);
        let folder = path.parent().unwrap_or(directory.path());
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|source| Failure::File {
                path: path.clone(),
                source,
            })?;
    }
    Ok(directory)
}

/// Runs a command with `input` on its standard input.
fn run(mut command: Command, input: &str) -> Held<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failure = |source| Failure::Program {
        program: program.clone(),
        source,
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failure)?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        // Beside the reading, so that neither side waits for the other with a full pipe. What refuses before it reads
        // closes its end: that is its answer, not a failure.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output().map_err(failure)
    })
}
