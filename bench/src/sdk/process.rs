//! Starts this very program again: once as the sink, once for each contestant and measure, so that
//! allocators, global tracers and threads of one do not meet those of another.

use std::env::current_exe;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::sink::{Received, STATS_PATH};
use super::task::{Figures, Mode, Task};

const STATS_TIMEOUT: Duration = Duration::from_secs(10);
/// Settings of the one who runs the benchmark would be settings of some contestants.
const FOREIGN_SETTINGS: [&str; 5] = [
    "OTEL_",
    "BACKTRAIL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

/// A sink that runs until this is dropped.
pub(super) struct Sink {
    process: Child,
    pub(super) port: u16,
}

impl Sink {
    pub(super) fn start(delay_ms: u64) -> Result<Self> {
        let mut process = Command::new(current_exe()?)
            .args(["sdk-sink", "--delay-ms", &delay_ms.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the sink")?;
        let output = process.stdout.take().context("the sink has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse();
        let port = port.with_context(|| format!("the sink says {line:?} instead of its port"))?;
        Ok(Self { process, port })
    }

    /// What has arrived; an error if one request could not be read.
    pub(super) fn received(&self) -> Result<Received> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(STATS_TIMEOUT))
            .build()
            .into();
        let address = format!("http://127.0.0.1:{}{STATS_PATH}", self.port);
        let answer = agent.get(&address).call()?.body_mut().read_to_string()?;
        let received: Received = serde_json::from_str(&answer)?;
        match &received.problem {
            Some(problem) => bail!("the sink could not read a request: {problem}"),
            None => Ok(received),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It ends by itself when its input does; whoever drops this has the figures already.
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}

/// Runs `task` in a process of its own.
pub(super) fn measure(task: &Task) -> Result<Figures> {
    let mut command = Command::new(current_exe()?);
    command.args(["sdk-child", &serde_json::to_string(task)?]);
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if FOREIGN_SETTINGS.iter().any(|s| upper.starts_with(s)) {
            command.env_remove(name);
        }
    }
    for (name, value) in settings(task) {
        command.env(name, value);
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start a contestant")?;
    let title = task.name.title();
    if !output.status.success() {
        bail!("{title} ended with {} at {:?}", output.status, task.measure);
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{title} did not answer with figures"))
}

/// All contestants that read the specification's variables are set up by them, and so are set up
/// alike.
fn settings(task: &Task) -> Vec<(&'static str, String)> {
    let pipeline = task.pipeline;
    let mut settings = vec![
        ("OTEL_SERVICE_NAME", "bench".to_owned()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", task.endpoint()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", pipeline.queue_spans.to_string()),
        (
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            pipeline.batch_spans.to_string(),
        ),
        (
            "OTEL_BSP_MAX_CONCURRENT_EXPORTS",
            pipeline.concurrent_exports.to_string(),
        ),
    ];
    match task.mode {
        Mode::Record => {}
        Mode::SampleOut => settings.push(("OTEL_TRACES_SAMPLER", "always_off".to_owned())),
        Mode::Disable => settings.push(("OTEL_SDK_DISABLED", "true".to_owned())),
    }
    settings
}
