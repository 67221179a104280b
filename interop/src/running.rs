//! Programs that run beside a case: killed in the middle, or asked again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::failure::{Failure, Held, shortened};
use crate::waiting::{Look, until};

/// A program that runs; killed when this is dropped.
pub struct Running {
    program: String,
    child: Child,
}

impl Running {
    /// Starts a program. What it prints is thrown away.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn begin(mut command: Command) -> Held<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Failure::Program {
                program: program.clone(),
                source,
            })?;
        Ok(Self { program, child })
    }

    /// Whether it has ended by itself, and how.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn ended(&mut self) -> Held<Option<ExitStatus>> {
        self.child.try_wait().map_err(|source| Failure::Program {
            program: self.program.clone(),
            source,
        })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it has not ended after `within`.
    pub fn wait(&mut self, within: Duration) -> Held<ExitStatus> {
        until("the end of a program", within, || {
            Ok(self
                .ended()?
                .map_or(Look::NotYet("it runs".to_owned()), Look::There))
        })
    }

    /// Kills it with a signal that it cannot catch, in the middle of whatever it does.
    ///
    /// # Errors
    /// When the system does not let it be killed.
    pub fn kill(&mut self) -> Held {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(drop)
            .map_err(|source| Failure::Program {
                program: self.program.clone(),
                source,
            })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The provisioning script as a process that stays: a line in, a line out.
pub struct Serving {
    moodle: String,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Serving {
    /// Starts it; `moodle` is whom to name in complaints.
    ///
    /// # Errors
    /// When PHP cannot be run.
    pub fn begin(mut command: Command, moodle: &str) -> Held<Self> {
        let failure = |source| Failure::Program {
            program: "php".to_owned(),
            source,
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failure)?;
        let missing = || failure(std::io::Error::other("its input or output is not there"));
        let requests = child.stdin.take().ok_or_else(missing)?;
        let answers = child.stdout.take().ok_or_else(missing)?;
        Ok(Self {
            moodle: moodle.to_owned(),
            child,
            requests,
            answers: BufReader::new(answers),
        })
    }

    /// Has one thing done.
    ///
    /// # Errors
    /// What the script complains of.
    pub fn ask(&mut self, subcommand: &str, input: &Json) -> Held<Json> {
        self.ask_with_progress(subcommand, input, |_| Ok(()))
    }

    /// Has something done that takes long; `on_progress` is given each word on how far it is.
    ///
    /// # Errors
    /// What the script, or `on_progress`, complains of.
    pub fn ask_with_progress(
        &mut self,
        subcommand: &str,
        input: &Json,
        mut on_progress: impl FnMut(&Json) -> Held,
    ) -> Held<Json> {
        let request = json!({"do": subcommand, "with": input}).to_string() + "\n";
        self.requests
            .write_all(request.as_bytes())
            .and_then(|()| self.requests.flush())
            .map_err(|source| self.refused(subcommand, &source.to_string()))?;
        loop {
            let line = self.line(subcommand)?;
            if let Some(progress) = line.get("progress") {
                on_progress(progress)?;
            } else if let Some(error) = line.get("error") {
                return Err(self.refused(subcommand, error.as_str().unwrap_or("no reason")));
            } else {
                return Ok(line["answer"].clone());
            }
        }
    }

    fn line(&mut self, subcommand: &str) -> Held<Json> {
        let mut line = String::new();
        let read = self
            .answers
            .read_line(&mut line)
            .map_err(|source| self.refused(subcommand, &source.to_string()))?;
        if read == 0 {
            return Err(self.refused(subcommand, "PHP ended without an answer"));
        }
        serde_json::from_str(&line).map_err(|_| self.refused(subcommand, &line))
    }

    fn refused(&self, action: &str, reason: &str) -> Failure {
        Failure::Moodle {
            moodle: self.moodle.clone(),
            action: action.to_owned(),
            reason: shortened(reason.trim()),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended already is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_is_told_on_the_way_comes_before_the_answer() {
        let script = r#"read line; echo '{"progress":{"done":1}}'; echo "{\"answer\":$line}""#;
        let mut serving = Serving::begin(shell(script), "a Moodle").unwrap();
        let mut told = Vec::new();
        let answer = serving
            .ask_with_progress("count", &json!([1]), |progress| {
                told.push(progress["done"].clone());
                Ok(())
            })
            .unwrap();
        assert_eq!(answer, json!({"do": "count", "with": [1]}));
        assert_eq!(told, [json!(1)]);
    }

    #[test]
    fn what_ends_without_an_answer_is_a_failure() {
        let mut serving = Serving::begin(shell("read line"), "a Moodle").unwrap();
        let failure = serving.ask("anything", &json!({})).unwrap_err();
        assert!(
            failure.to_string().contains("ended without an answer"),
            "{failure}"
        );
    }

    #[test]
    fn what_is_killed_has_ended() {
        let mut running = Running::begin(shell("sleep 60")).unwrap();
        assert!(running.ended().unwrap().is_none());
        running.kill().unwrap();
        assert!(running.ended().unwrap().is_some());
    }
}
