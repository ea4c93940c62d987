//! The real binary, started on free ports with a directory of its own.

#![allow(
    dead_code,
    reason = "each test target uses its own part of what they share"
)]

pub(crate) mod grpc;
pub(crate) mod jaeger;
pub(crate) mod jaeger_model;
pub(crate) mod jaeger_proto;
pub(crate) mod jaeger_query;
pub(crate) mod otlp;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Long enough for a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to start it.
pub(crate) struct Start {
    args: Vec<String>,
    env: Vec<(OsString, OsString)>,
    data_dir: Option<PathBuf>,
}

/// A server that runs; killed when dropped.
pub(crate) struct Backtrail {
    child: Child,
    ports: BTreeMap<String, SocketAddr>,
    data_dir: PathBuf,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    /// Working directory, port file and, unless one was given, data directory.
    _dir: TempDir,
}

/// The binary with no settings but what the test gives it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.env_clear();
    command
}

/// Runs it to its end in a directory that may hold a `backtrail.toml`.
pub(crate) fn run_in(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    command()
        .args(args)
        .envs(env.iter().copied())
        .current_dir(dir)
        .output()
        .unwrap()
}

impl Start {
    /// `serve` on free ports.
    pub(crate) fn new() -> Self {
        let args = [
            "serve",
            "--otlp-grpc=0",
            "--otlp-http=0",
            "--jaeger-http=0",
            "--jaeger-grpc=0",
            "--jaeger-sampling=0",
            "--jaeger-agent-compact=0",
            "--jaeger-agent-binary=0",
            "--zipkin=0",
            "--jaeger-query-grpc=0",
            "--web=0",
        ];
        Self {
            args: args.map(str::to_owned).to_vec(),
            env: Vec::new(),
            data_dir: None,
        }
    }

    /// One more flag; later ones of the same name replace earlier ones.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        let arg = arg.into();
        let name = |arg: &str| arg.split('=').next().map(str::to_owned);
        self.args.retain(|known| name(known) != name(&arg));
        self.args.push(arg);
        self
    }

    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn data_dir(mut self, path: &Path) -> Self {
        self.data_dir = Some(path.to_owned());
        self
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> Backtrail {
        self.try_start()
            .unwrap_or_else(|(status, log)| panic!("ended with {status}:\n{log}"))
    }

    /// Starts it; how it ended and what it said when it did not come to listen.
    pub(crate) fn try_start(self) -> Result<Backtrail, (ExitStatus, String)> {
        let dir = TempDir::new().unwrap();
        let port_file = dir.path().join("ports.json");
        let data_dir = self
            .data_dir
            .unwrap_or_else(|| dir.path().join("backtrail-data"));
        let mut child = command()
            .args(self.args)
            .arg("--data-dir")
            .arg(&data_dir)
            .arg("--port-file")
            .arg(&port_file)
            .envs(self.env)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let reader = {
            let lines = BufReader::new(child.stderr.take().unwrap());
            let stderr = Arc::clone(&stderr);
            std::thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    let mut all = stderr.lock().unwrap();
                    all.push_str(&line);
                    all.push('\n');
                }
            })
        };
        let mut server = Backtrail {
            child,
            ports: BTreeMap::new(),
            data_dir,
            stderr,
            reader: Some(reader),
            _dir: dir,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = std::fs::read_to_string(&port_file) {
                server.ports = serde_json::from_str(&text).unwrap();
                return Ok(server);
            }
            if server.child.try_wait().unwrap().is_some() {
                return Err(server.wait());
            }
            assert!(Instant::now() < deadline, "no port file:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Backtrail {
    /// With defaults, on free ports.
    pub(crate) fn start() -> Self {
        Start::new().start()
    }

    pub(crate) fn ports(&self) -> &BTreeMap<String, SocketAddr> {
        &self.ports
    }

    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        self.ports[listener]
    }

    pub(crate) fn url(&self, listener: &str, path: &str) -> String {
        format!("http://{}{path}", self.address(listener))
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What it wrote to stderr so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (status, self.log())
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(&mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// GET on the web listener: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let reply = agent().get(self.url("web", path)).call().unwrap();
        let reply = Reply::from(reply);
        (reply.status, reply.text())
    }

    /// The value of a sample in `/metrics`, without its fraction; 0 when it is not there.
    pub(crate) fn metric(&self, sample: &str) -> u64 {
        let [value] = self.metrics([sample]);
        value
    }

    /// Several of one instant.
    pub(crate) fn metrics<const N: usize>(&self, samples: [&str; N]) -> [u64; N] {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        samples.map(|sample| {
            text.lines()
                .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
                .map_or(0, |value: f64| value as u64)
        })
    }

    /// Waits until a sample of `/metrics` is this.
    pub(crate) fn eventually(&self, sample: &str, value: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(sample) != value {
            let found = self.metric(sample);
            assert!(
                Instant::now() < deadline,
                "{sample} is {found} and not {value}:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has said this on stderr.
    pub(crate) fn eventually_logs(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            let log = self.log();
            assert!(Instant::now() < deadline, "not said: {text}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until there are spans in blocks and none in memory.
    pub(crate) fn wait_until_flushed(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let [in_memory, in_blocks] =
                self.metrics(["backtrail_memtable_spans", "backtrail_block_spans"]);
            if in_memory == 0 && in_blocks > 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{in_memory} spans in memory");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All spans that are there, in memory or in blocks.
    pub(crate) fn stored_spans(&self) -> u64 {
        self.metrics(["backtrail_memtable_spans", "backtrail_block_spans"])
            .into_iter()
            .sum()
    }
}

impl Drop for Backtrail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that hands back every status as a reply.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

/// An HTTP reply, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl From<http::Response<ureq::Body>> for Reply {
    fn from(reply: http::Response<ureq::Body>) -> Self {
        let (parts, mut body) = reply.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.read_to_vec().unwrap(),
        }
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// POST with these headers.
pub(crate) fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    try_post(&agent(), url, headers, body).unwrap()
}

/// The same, where the server may be killed meanwhile.
pub(crate) fn try_post(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply, ureq::Error> {
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, mut body) = request.send(body)?.into_parts();
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.read_to_vec()?,
    })
}

/// An HTTP/1.1 connection by hand, for what no client library does.
pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Whether anything comes in this time. What comes stays to be read.
    pub(crate) fn answers_within(&self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(time)).unwrap();
        let answers = self.0.peek(&mut [0]).is_ok();
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        answers
    }

    /// Everything until the server closes, as text.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
