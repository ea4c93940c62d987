//! Both services by one command, the warehouse as a process of its own: a service is what has a process, a resource and a pipeline of spans.

use std::env;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use shop::orders;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Serves until SIGTERM or SIGINT. The warehouse ends after the shop, whose last orders may still need it.
pub(crate) async fn serve() -> Result<()> {
    let mut warehouse = Command::new(env::current_exe()?)
        .arg("warehouse")
        .env(
            "PORT",
            env::var("WAREHOUSE_PORT").unwrap_or_else(|_| "3001".to_owned()),
        )
        // Ctrl-C goes to a whole group of processes: this one is to be asked by us, and later.
        .process_group(0)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the warehouse can't be started")?;
    let stdout = warehouse
        .stdout
        .take()
        .context("the warehouse has no output")?;
    let mut printed = BufReader::new(stdout).lines();
    let warehouse_url = address(&mut printed).await?;
    let forwarding = tokio::spawn(forward(printed));

    let served = orders::serve(&warehouse_url).await;
    stop(&mut warehouse).await?;
    forwarding.await??;
    served
}

async fn address(printed: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    while let Some(line) = printed.next_line().await? {
        println!("{line}");
        if let Some((_, url)) = line.split_once(" listens on ") {
            return Ok(url.to_owned());
        }
    }
    bail!("the warehouse ended before it listened")
}

async fn forward(mut printed: Lines<BufReader<ChildStdout>>) -> Result<()> {
    while let Some(line) = printed.next_line().await? {
        println!("{line}");
    }
    Ok(())
}

async fn stop(warehouse: &mut Child) -> Result<()> {
    let pid = warehouse
        .id()
        .and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM).context("the warehouse can't be stopped")?;
    }
    let status = warehouse.wait().await?;
    if !status.success() {
        bail!("the warehouse ended with {status}");
    }
    Ok(())
}
