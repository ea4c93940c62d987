//! A program that runs, and what it says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::collector::PATIENCE;
use crate::programs::VARIABLE;

pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
    ended: Receiver<String>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Program {
    /// Starts a program whose spans go to this address.
    pub(crate) fn start(name: &str, collector: &str) -> Self {
        Self::start_with(name, collector, [])
    }

    pub(crate) fn start_with<'a>(
        name: &str,
        collector: &str,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        for (variable, _) in std::env::vars() {
            if variable.starts_with("OTEL_") || variable.starts_with("JAEGER_") {
                command.env_remove(variable);
            }
        }
        let mut child = command
            .args(["--exact", "programs::program", "--nocapture"])
            .env(VARIABLE, name)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
            .env_remove("RUST_LOG")
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix("program: ") {
                    let _told = sender.send(line.to_owned());
                }
            }
        });
        // Its stderr ends when it does.
        let (sender, ended) = channel();
        let mut stderr = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            let _told = sender.send(text);
        });
        Self {
            stdin: child.stdin.take(),
            child,
            said,
            ended,
        }
    }

    /// The next thing it says.
    pub(crate) fn says(&self) -> String {
        self.said.recv_timeout(PATIENCE).unwrap()
    }

    /// The address that it says it listens at.
    pub(crate) fn address(&self) -> String {
        let said = self.says();
        said.strip_prefix("listens at ").unwrap().to_owned()
    }

    pub(crate) fn is_told(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    pub(crate) fn is_sent(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal)
            .unwrap();
    }

    pub(crate) fn ends(mut self) -> Ended {
        let stderr = self.ended.recv_timeout(PATIENCE).unwrap();
        Ended {
            status: self.child.wait().unwrap(),
            stderr,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Ended {
    /// The one line about the spans.
    pub(crate) fn line(&self) -> &str {
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("Tracing terminated"))
            .collect();
        assert_eq!(lines.len(), 1, "{}", self.stderr);
        lines[0]
    }
}

/// Asks for a page, and does not wait for it.
pub(crate) fn ask(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    stream
}

/// The first line of the response; nothing when the connection was cut.
pub(crate) fn status_line(stream: TcpStream) -> String {
    let mut line = String::new();
    let _cut = BufReader::new(stream).read_line(&mut line);
    line.trim_end().to_owned()
}
