//! `backtrail sourcemaps resolve`.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::Context;

use super::filter::Filter;
use super::stacks::{StackArgs, Stacks};

/// A stack is written out after so long, though nothing came that ends it: the process may have nothing more to say.
const QUIET: Duration = Duration::from_millis(100);
/// Lines that may wait: whoever writes faster than stacks are resolved has to wait, as in any pipe.
const MAX_WAITING: usize = 1024;
/// A line that is longer is taken in pieces.
const MAX_LINE_BYTES: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct ResolveArgs {
    /// Files with stack traces; standard input without any
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    stacks: StackArgs,
}

pub(super) fn run(args: &ResolveArgs) -> anyhow::Result<bool> {
    let stacks = args.stacks.open()?;
    let mut complaint = None;
    let mut out = io::stdout().lock();
    if args.files.is_empty() {
        pass(io::stdin(), &mut out, &stacks, &mut complaint)?;
    }
    for path in &args.files {
        let file = host::Files::open(&host::RealFiles, path);
        let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read_exact_at(&mut bytes, 0)?;
        pass(io::Cursor::new(bytes), &mut out, &stacks, &mut complaint)?;
    }
    match complaint {
        None => Ok(true),
        Some(error) => Err(error.context("stack traces were left as they came")),
    }
}

/// Passes everything on, stacks resolved. A failure to resolve is remembered: what comes must come out.
fn pass(
    input: impl io::Read + Send + 'static,
    out: &mut impl Write,
    stacks: &Stacks,
    complaint: &mut Option<anyhow::Error>,
) -> anyhow::Result<()> {
    let (give, take) = sync_channel::<io::Result<Vec<u8>>>(MAX_WAITING);
    let reader = std::thread::spawn(move || {
        let mut input = io::BufReader::new(input);
        loop {
            let mut line = Vec::new();
            let read = io::Read::take(&mut input, MAX_LINE_BYTES).read_until(b'\n', &mut line);
            let is_over = matches!(read, Ok(0) | Err(_));
            let sent = match read {
                Ok(0) => Ok(()),
                Ok(_) => give.send(Ok(line)),
                Err(error) => give.send(Err(error)),
            };
            if is_over || sent.is_err() {
                return;
            }
        }
    });
    let mut filter = Filter::default();
    loop {
        let line = match take.recv_timeout(QUIET) {
            Ok(line) => line.context("the input cannot be read")?,
            Err(RecvTimeoutError::Timeout) => {
                write_stack(filter.end(), out, stacks, complaint)?;
                out.flush()?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let Ok(text) = str::from_utf8(&line) else {
            // No frame is written in bytes that are no text.
            write_stack(filter.end(), out, stacks, complaint)?;
            out.write_all(&line)?;
            continue;
        };
        let passed = filter.take(text);
        write_stack(passed.stack, out, stacks, complaint)?;
        if let Some(line) = passed.line {
            out.write_all(line.as_bytes())?;
            out.flush()?;
        }
    }
    write_stack(filter.end(), out, stacks, complaint)?;
    out.flush()?;
    // It has ended: the channel is closed.
    reader.join().ok();
    Ok(())
}

fn write_stack(
    stack: Option<String>,
    out: &mut impl Write,
    stacks: &Stacks,
    complaint: &mut Option<anyhow::Error>,
) -> io::Result<()> {
    let Some(stack) = stack else {
        return Ok(());
    };
    match stacks.resolve(&stack) {
        Ok(resolved) => out.write_all(resolved.as_bytes()),
        Err(error) => {
            complaint.get_or_insert(error);
            out.write_all(stack.as_bytes())
        }
    }
}
