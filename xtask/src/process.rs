//! Running other programs: what is run is printed first, and their output goes straight to the terminal.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Variables that change what a test does. A run must depend on the checkout, not on the shell it was started from.
const REMOVED: &[&str] = &[
    "CLICOLOR_FORCE",
    "DEBUG",
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PYTHONHOME",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUSTDOCFLAGS",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "RUST_LOG_STYLE",
    "RUST_TEST_NOCAPTURE",
    "RUST_TEST_SHUFFLE",
    "RUST_TEST_THREADS",
    "VIRTUAL_ENV",
];

/// The same, for whole families of variables.
const REMOVED_PREFIXES: &[&str] = &[
    "BACKTRAIL_",
    "INSTA_",
    "JAEGER_",
    "OTEL_",
    "PROPTEST_",
    "PYTEST_",
    "SENTRY_",
];

/// Test traffic stays on this machine, so no proxy has a say in it. Package managers do need theirs.
const PROXIES: &[&str] = &["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];

/// A program that is about to run.
pub(crate) struct Program {
    command: Command,
    /// The program and its arguments.
    name: String,
    /// The variables that were set, as a shell takes them.
    assignments: String,
    /// A program that is still running then is stopped.
    limit: Option<Duration>,
    started: Instant,
    was_stopped: bool,
}

const POLL: Duration = Duration::from_millis(20);
/// How long a program that was asked to end may take for it.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last lines of a program that has ended may take.
const DRAIN: Duration = Duration::from_secs(1);

impl Program {
    /// A step of a test: none of the variables that change results reach it.
    pub(crate) fn test(program: impl AsRef<OsStr>, args: &[&str], dir: &Path) -> Self {
        let mut program = Self::tool(program, args, dir);
        for (name, _) in std::env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            if changes_results(name) || PROXIES.contains(&name.to_ascii_uppercase().as_str()) {
                program.command.env_remove(name);
            }
        }
        program.command.env("RUST_BACKTRACE", "1");
        program
    }

    /// A package manager or another tool that needs the network: proxies are left in place.
    pub(crate) fn tool(program: impl AsRef<OsStr>, args: &[&str], dir: &Path) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.args(args).current_dir(dir).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(changes_results) {
                command.env_remove(name);
            }
        }
        let name = std::iter::once(Path::new(program).file_name().unwrap_or(program))
            .map(OsStr::to_string_lossy)
            .chain(args.iter().map(|arg| (*arg).into()))
            .collect::<Vec<_>>()
            .join(" ");
        Self {
            command,
            name,
            assignments: String::new(),
            limit: None,
            started: Instant::now(),
            was_stopped: false,
        }
    }

    /// Stops it when it runs longer than this, so that a test that hangs fails instead of the whole run never ending.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets a variable; it is shown with the command, so that a line can be copied and run by hand.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        for part in [name, "=", &quoted(&value.to_string_lossy()), " "] {
            self.assignments.push_str(part);
        }
        self.command.env(name, value);
        self
    }

    /// Runs it and fails when it does.
    pub(crate) fn run(mut self) -> Result<()> {
        self.announce();
        let child = self.spawn()?;
        self.judge(child)
    }

    /// Runs it and hands each line of its standard output over as it comes. Its standard error goes to the terminal.
    pub(crate) fn run_lines(mut self, mut each: impl FnMut(&str)) -> Result<()> {
        self.announce();
        self.command.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        let stdout = child.stdout.take().context("the output was not piped")?;
        let (sender, lines) = mpsc::sync_channel(64);
        thread::spawn(move || {
            let read = BufReader::new(stdout).lines().map_while(Result::ok);
            read.take_while(|line| sender.send(line.clone()).is_ok())
                .for_each(drop);
        });
        // What the program left running may hold its output open, so the end of the program counts as the end too.
        let mut drained_by = None;
        loop {
            match lines.recv_timeout(POLL) {
                Ok(line) => each(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.has_ended(&mut child)? {
                let deadline = *drained_by.get_or_insert_with(|| Instant::now() + DRAIN);
                if Instant::now() > deadline {
                    break;
                }
            }
        }
        self.judge(child)
    }

    /// Runs the test runner of Node, for which no test at all is a success.
    pub(crate) fn run_node_tests(self) -> Result<()> {
        let name = self.name.clone();
        let mut found_none = false;
        self.run_lines(|line| {
            println!("{line}");
            // The closing lines begin with `#` or `ℹ`, depending on the reporter.
            found_none |= line.ends_with(" tests 0");
        })?;
        if found_none {
            bail!("`{name}` found no test");
        }
        Ok(())
    }

    fn spawn(&mut self) -> Result<Child> {
        self.started = Instant::now();
        self.command
            .spawn()
            .with_context(|| format!("can't start `{}`", self.name))
    }

    /// Waits for the end of the program and turns its status into a result.
    fn judge(mut self, mut child: Child) -> Result<()> {
        while !self.has_ended(&mut child)? {
            thread::sleep(POLL);
        }
        let status = child.wait()?;
        if self.was_stopped {
            bail!(
                "`{}` was stopped: it had not ended after {:?}",
                self.name,
                self.limit.unwrap_or_default()
            );
        }
        if !status.success() {
            bail!("`{}` failed ({status})", self.name);
        }
        Ok(())
    }

    /// Whether the program is over. One that is over its limit is asked to end, then made to.
    fn has_ended(&mut self, child: &mut Child) -> Result<bool> {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        if self
            .limit
            .is_some_and(|limit| self.started.elapsed() > limit)
        {
            self.was_stopped = true;
            // A runner that is asked ends what it started; one that is killed can't.
            let pid = child.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status()?;
            let deadline = Instant::now() + GRACE;
            while child.try_wait()?.is_none() && Instant::now() < deadline {
                thread::sleep(POLL);
            }
            if child.try_wait()?.is_none() {
                child.kill()?;
                child.wait()?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Runs it silently. `None` when it can't be started or fails: the caller asks whether something is there.
    pub(crate) fn output(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn announce(&self) {
        let dir = self
            .command
            .get_current_dir()
            .map(Path::to_string_lossy)
            .unwrap_or_default();
        let Self {
            name, assignments, ..
        } = self;
        println!("{}", paint(DIM, &format!("{dir} $ {assignments}{name}")));
    }
}

fn changes_results(name: &str) -> bool {
    REMOVED.contains(&name)
        || REMOVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn quoted(value: &str) -> String {
    if value.contains(' ') {
        format!("'{value}'")
    } else {
        value.to_owned()
    }
}

pub(crate) const BOLD: &str = "1";
pub(crate) const DIM: &str = "2";
pub(crate) const RED: &str = "31";
pub(crate) const GREEN: &str = "32";
pub(crate) const YELLOW: &str = "33";

/// Colours for a person at a terminal, plain text for a log.
pub(crate) fn paint(style: &str, text: &str) -> String {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours {
        format!("\u{1b}[{style}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_changes_results_is_recognised() {
        for name in [
            "RUST_LOG",
            "BACKTRAIL_DATA_DIR",
            "OTEL_TRACES_SAMPLER",
            "PYTEST_ADDOPTS",
        ] {
            assert!(changes_results(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_TARGET_DIR",
            "npm_config_cache",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!changes_results(name), "{name}");
        }
    }

    #[test]
    fn a_failing_program_is_named_with_its_status() {
        let error = Program::test("sh", &["-c", "exit 3"], Path::new("."))
            .run()
            .unwrap_err();
        assert!(error.to_string().contains("sh -c exit 3"), "{error}");
        assert!(error.to_string().contains('3'), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Program::test("backtrail-no-such-program", &[], Path::new(".")).run();
        assert!(format!("{:#}", error.unwrap_err()).contains("backtrail-no-such-program"));
    }

    #[test]
    fn a_set_variable_reaches_the_program_and_is_shown() {
        let mut lines = Vec::new();
        let program = Program::test("sh", &["-c", "echo $BACKTRAIL_BIN"], Path::new("."))
            .env("BACKTRAIL_BIN", "/x y");
        assert_eq!(program.assignments, "BACKTRAIL_BIN='/x y' ");
        program
            .run_lines(|line| lines.push(line.to_owned()))
            .unwrap();
        assert_eq!(lines, ["/x y"]);
    }

    #[test]
    fn a_runner_that_finds_no_test_fails() {
        let runner = |text| Program::test("echo", &[text], Path::new("."));
        assert!(runner("# tests 12").run_node_tests().is_ok());
        for closing in ["# tests 0", "\u{2139} tests 0"] {
            let error = runner(closing).run_node_tests().unwrap_err();
            assert!(error.to_string().ends_with("found no test"), "{error}");
        }
    }

    #[test]
    fn a_program_that_hangs_is_stopped_also_when_its_child_holds_the_output() {
        let started = Instant::now();
        let limit = Duration::from_millis(200);
        let quiet = Program::test("sleep", &["60"], Path::new(".")).within(limit);
        let error = quiet.run().unwrap_err();
        assert!(
            error.to_string().contains("had not ended after 200ms"),
            "{error}"
        );

        let args = ["-c", "sleep 30 & echo started; wait"];
        let holding = Program::test("sh", &args, Path::new(".")).within(limit);
        let mut lines = Vec::new();
        let error = holding
            .run_lines(|line| lines.push(line.to_owned()))
            .unwrap_err();
        assert!(
            error.to_string().contains("had not ended after 200ms"),
            "{error}"
        );
        assert_eq!(lines, ["started"]);
        assert!(
            started.elapsed() < Duration::from_secs(25),
            "{:?}",
            started.elapsed()
        );
    }

    #[test]
    fn a_missing_program_has_no_output() {
        assert_eq!(
            Program::tool("backtrail-no-such-program", &[], Path::new(".")).output(),
            None
        );
        let output = Program::tool("sh", &["-c", "echo '  hello '"], Path::new(".")).output();
        assert_eq!(output.as_deref(), Some("hello"));
    }
}
