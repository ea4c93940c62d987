//! The server under measurement: started, watched through `/proc`, stopped.

use std::ffi::OsStr;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::Common;

const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A running server and its data.
pub(crate) struct Server {
    process: Child,
    directory: TempDir,
    pub(crate) addresses: Addresses,
    agent: ureq::Agent,
}

/// Where it listens.
pub(crate) struct Addresses {
    pub(crate) otlp_grpc: String,
    pub(crate) otlp_http: String,
    pub(crate) jaeger_grpc: String,
    pub(crate) jaeger_http: String,
    pub(crate) zipkin: String,
    pub(crate) web: String,
}

impl Server {
    /// Starts `binary` on a new data directory, with ports that are free and default settings.
    pub(crate) fn start(binary: &Path, dir: Option<&Path>) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("backtrail-bench-");
        let directory = match dir {
            Some(dir) => builder.tempdir_in(dir),
            None => builder.tempdir(),
        }
        .context("cannot create a data directory")?;
        let port_file = directory.path().join("ports.json");
        let any_port = "127.0.0.1:0";
        let mut process = Command::new(binary)
            .arg("serve")
            .arg("--data-dir")
            .arg(directory.path().join("data"))
            .args(["--otlp-grpc", any_port, "--otlp-http", any_port])
            .args(["--jaeger-grpc", any_port, "--jaeger-http", any_port])
            .args(["--zipkin", any_port, "--web", any_port])
            .args(["--jaeger-query-grpc", "off", "--jaeger-sampling", "off"])
            .args(["--jaeger-agent-compact", "off"])
            .args(["--jaeger-agent-binary", "off"])
            .arg("--port-file")
            .arg(&port_file)
            // The settings of whoever runs this are not what is measured.
            .env_clear()
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let addresses = match wait_for_ports(&mut process, &port_file) {
            Ok(addresses) => addresses,
            Err(error) => {
                process.kill()?;
                process.wait()?;
                return Err(error);
            }
        };
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .proxy(None)
            .build()
            .new_agent();
        Ok(Self {
            process,
            directory,
            addresses,
            agent,
        })
    }

    /// The body of an answer of the web listener.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let url = format!("http://{}{path}", self.addresses.web);
        let mut response = self.agent.get(&url).call().with_context(|| url.clone())?;
        // Whole traces are larger than what ureq reads by default.
        let body = response.body_mut().with_config().limit(1 << 30);
        body.read_to_string().with_context(|| url)
    }

    /// User and system CPU time so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let stat = self.proc("stat")?;
        // Behind the name, which may hold anything: state is field 3, utime 14, stime 15.
        let (_, fields) = stat.rsplit_once(')').context("stat has no name")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let ticks = |field: usize| -> Result<u64> {
            let text = fields.get(field - 3).context("stat is too short")?;
            Ok(text.parse()?)
        };
        Ok((ticks(14)? + ticks(15)?) as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory now.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most that was ever resident.
    pub(crate) fn peak_resident_bytes(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no memory in status")?.trim().parse::<u64>()? * 1024)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.process.id());
        read_to_string(&path).with_context(|| path)
    }

    /// Bytes of all files of the data directory.
    pub(crate) fn data_bytes(&self) -> Result<u64> {
        bytes_below(&self.directory.path().join("data"))
    }

    /// Asks it to end, and waits until it did.
    pub(crate) fn stop(mut self) -> Result<()> {
        terminate(&self.process)?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the server ended with {status}");
            }
            if started.elapsed() > STOP_TIMEOUT {
                bail!("the server did not end within {STOP_TIMEOUT:?} of SIGTERM");
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// Where a run failed, nobody asked the server to end.
impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let killed = self.process.kill().and_then(|()| self.process.wait());
            if let Err(error) = killed {
                eprintln!("the server {} is left behind: {error}", self.process.id());
            }
        }
    }
}

fn terminate(process: &Child) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(process.id())?).context("no process id")?;
    kill_process(pid, Signal::TERM).context("cannot send SIGTERM")
}

fn wait_for_ports(process: &mut Child, port_file: &Path) -> Result<Addresses> {
    let started = Instant::now();
    while !port_file.exists() {
        if let Some(status) = process.try_wait()? {
            bail!("the server ended at its start with {status}");
        }
        if started.elapsed() > START_TIMEOUT {
            bail!("the server did not listen after {START_TIMEOUT:?}");
        }
        sleep(Duration::from_millis(20));
    }
    let text = read_to_string(port_file)?;
    let ports: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("the port file is {text:?}"))?;
    let address = |name: &str| {
        let address = ports[name].as_str().map(str::to_owned);
        address.with_context(|| format!("the port file has no {name}: {text}"))
    };
    Ok(Addresses {
        otlp_grpc: address("otlp-grpc")?,
        otlp_http: address("otlp-http")?,
        jaeger_grpc: address("jaeger-grpc")?,
        jaeger_http: address("jaeger-http")?,
        zipkin: address("zipkin")?,
        web: address("web")?,
    })
}

fn bytes_below(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let entry = entry?;
        // Files come and go while the server works.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        bytes += if metadata.is_dir() {
            bytes_below(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

/// The binary that was named, or the one that cargo builds now.
pub(crate) fn binary(common: &Common) -> Result<PathBuf> {
    if let Some(path) = &common.bin {
        return path
            .canonicalize()
            .with_context(|| format!("--bin {}", path.display()));
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    eprintln!("building backtrail in release mode …");
    let output = Command::new(
        std::env::var_os("CARGO")
            .as_deref()
            .unwrap_or(OsStr::new("cargo")),
    )
    .args(["build", "--release", "--bin", "backtrail", "--locked"])
    .arg("--message-format=json-render-diagnostics")
    .arg("--manifest-path")
    .arg(manifest)
    .stderr(Stdio::inherit())
    .output()
    .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo ended with {}", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "backtrail")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built no backtrail")
}
