//! `backtrail sourcemaps explain`.

use std::io::{Read as _, Write};
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use super::stacks::{Explained, StackArgs, is_unresolved};

/// Standard input that is read: a stack trace, not a log of a year.
const MAX_BYTES: u64 = 4 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// A file with a stack trace; standard input without one
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Fail with exit code 1 when a frame stays raw that a map could serve
    #[arg(long)]
    strict: bool,
    /// Print the explanation as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stacks: StackArgs,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<bool> {
    let stacks = args.stacks.open()?;
    let mut bytes = Vec::new();
    match &args.file {
        Some(path) => {
            let file = host::Files::open(&host::RealFiles, path);
            let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
            bytes.resize(file.len()?.min(MAX_BYTES) as usize, 0);
            file.read_exact_at(&mut bytes, 0)?;
        }
        None => {
            std::io::stdin()
                .take(MAX_BYTES)
                .read_to_end(&mut bytes)
                .context("standard input cannot be read")?;
        }
    }
    let stack = text(bytes).context("the stack trace is no UTF-8")?;
    let explained = stacks.explain(&stack)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &explained)?;
        writeln!(out)?;
    } else {
        print(&mut out, &explained)?;
    }
    let is_good = !explained.frames.iter().any(is_unresolved);
    Ok(is_good || !args.strict)
}

/// Where the bytes were cut at the limit, they may end within a character.
fn text(mut bytes: Vec<u8>) -> Result<String, std::string::FromUtf8Error> {
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
        && bytes.len() as u64 == MAX_BYTES
    {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes)
}

fn print(out: &mut impl Write, explained: &Explained) -> anyhow::Result<()> {
    if explained.frames.is_empty() {
        writeln!(
            out,
            "no line of this is a frame of a JavaScript stack trace"
        )?;
        return Ok(());
    }
    for frame in &explained.frames {
        let raw = &frame["raw"];
        writeln!(
            out,
            "{}  {}:{}:{}",
            raw["function"].as_str().unwrap_or("(anonymous)"),
            raw["url"].as_str().unwrap_or_default(),
            raw["line"],
            raw["column"]
        )?;
        let resolved = &frame["resolved"];
        if resolved.is_object() {
            writeln!(
                out,
                "  -> {}  {}:{}:{}",
                resolved["function"].as_str().unwrap_or("(anonymous)"),
                resolved["file"].as_str().unwrap_or_default(),
                resolved["line"],
                resolved["column"]
            )?;
        } else {
            writeln!(
                out,
                "  stays raw: {}",
                frame["kept"]["message"].as_str().unwrap_or_default()
            )?;
        }
    }
    for script in &explained.scripts {
        writeln!(out)?;
        print_script(out, script)?;
    }
    Ok(())
}

fn print_script(out: &mut impl Write, script: &Value) -> anyhow::Result<()> {
    writeln!(out, "{}", script["url"].as_str().unwrap_or_default())?;
    let map = &script["map"];
    for reason in script["reasons"].as_array().into_iter().flatten() {
        let step = match reason["step"].as_u64() {
            Some(number) => format!("step {number}"),
            None => "      ".to_owned(),
        };
        writeln!(
            out,
            "  {step}  {}",
            reason["message"].as_str().unwrap_or_default()
        )?;
    }
    if map.is_object() {
        let name = map["map"].as_str().unwrap_or("the map in the bundle");
        let how = map["step_name"].as_str().unwrap_or_default();
        match (map["bundle"].as_str(), map["release"].as_str()) {
            (Some(bundle), Some(release)) => writeln!(
                out,
                "  step {}  found {name} for {bundle} in {release} ({how})",
                map["step"]
            )?,
            _ => writeln!(out, "  step {}  found by {how}", map["step"])?,
        }
    }
    if let Some(error) = script["bad_map"].as_str() {
        writeln!(out, "  the map cannot be used: {error}")?;
    }
    if let Some(fix) = script["fix"].as_str() {
        writeln!(out, "  fix: {fix}")?;
    }
    Ok(())
}
