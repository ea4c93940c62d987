//! `backtrail demo`, as a newcomer runs it.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SERVICES: [&str; 8] = [
    "cart",
    "catalog",
    "checkout",
    "email",
    "frontend",
    "inventory",
    "payment",
    "shipping",
];

/// The demo on free ports but for the page's; killed when dropped.
struct Demo(Child);

impl Demo {
    fn start(temporary: &std::path::Path, web: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_backtrail"))
            .env_clear()
            .env("TMPDIR", temporary)
            .current_dir(temporary)
            .args(["demo", "--otlp-grpc=0", "--otlp-http=0", "--jaeger-http=0"])
            .args(["--jaeger-grpc=off", "--jaeger-sampling=off"])
            .args(["--jaeger-agent-compact=off", "--jaeger-agent-binary=off"])
            .args(["--zipkin=0", "--jaeger-query-grpc=off"])
            .args(["--web", web, "--history-minutes=2"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// What it says until it has said how to end it.
    fn welcome(&mut self) -> String {
        let mut text = String::new();
        for line in BufReader::new(self.0.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            text.push_str(&line);
            text.push('\n');
            if line.contains("Ctrl-C") {
                return text;
            }
        }
        panic!("the demo ended:\n{text}{}", self.log());
    }

    /// All that it wrote to stderr, once it has ended.
    fn log(&mut self) -> String {
        let mut log = String::new();
        let stderr = self.0.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(url: &str) -> Value {
    let mut response = ureq::get(url)
        .call()
        .unwrap_or_else(|e| panic!("{url}: {e}"));
    response.body_mut().read_json().unwrap()
}

#[test]
fn what_it_says_to_look_at_is_there_and_ctrl_c_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(temporary.path(), "0");
    let welcome = demo.welcome();
    assert!(!welcome.contains('\x1b'), "colours in a pipe:\n{welcome}");

    let links: Vec<(&str, &str)> = welcome
        .lines()
        .filter_map(|line| line.trim().split_once("/trace/"))
        .collect();
    let [(page, slow), (_, failed), (_, import)] = links[..] else {
        panic!("three traces are shown first:\n{welcome}");
    };
    let skeleton = |id: &str| get(&format!("{page}/api/v1/traces/{id}/skeleton"));
    assert!(skeleton(slow)["duration_nano"].as_u64() > Some(3_000_000_000));
    assert_eq!(skeleton(import)["span_count"], 10_000);
    let has_exception = |flags: &Value| flags.as_u64().unwrap() & 4 != 0;
    let flags = &skeleton(failed)["columns"]["flags"];
    assert!(flags.as_array().unwrap().iter().any(has_exception));

    let services = &get(&format!("{page}/api/v1/services"))["services"];
    assert_eq!(*services, Value::from(SERVICES.to_vec()));
    let index = ureq::get(page).call().unwrap();
    assert_eq!(index.headers()["content-type"], "text/html; charset=utf-8");

    let asked = Instant::now();
    let pid = Pid::from_raw(demo.0.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = demo.0.wait().unwrap();
    let log = demo.log();
    assert!(status.success(), "{status}:\n{log}");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert!(!log.contains("WARN"), "{log}");
    let left = std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "the temporary directory is removed");
}

#[test]
fn a_busy_port_is_named_with_the_setting_that_moves_it() {
    let temporary = tempfile::tempdir().unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let mut demo = Demo::start(temporary.path(), &address);
    assert_eq!(demo.0.wait().unwrap().code(), Some(1));
    let log = demo.log();
    assert!(log.contains("is in use"), "{log}");
    assert!(log.contains("--web"), "{log}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
