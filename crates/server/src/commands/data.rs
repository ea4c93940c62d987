//! `backtrail data`: looks after a data directory, whether a server uses it or not.

use std::path::{Path, PathBuf};

use anyhow::bail;
use host::Host;
use store::{CheckReport, ReadPayload};

use super::progress::{Progress, bytes};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum DataAction {
    /// Verify every checksum and reference of a data directory; nothing is written, and a server may be using it
    Check {
        /// The directory
        #[arg(value_name = "DIR", default_value = "backtrail-data")]
        dir: PathBuf,
    },
    /// Copy a data directory, of a running server too, to a folder that a server can be started on
    Backup {
        /// The directory to copy
        #[arg(long, value_name = "DIR", default_value = "backtrail-data")]
        data_dir: PathBuf,
        /// Where to: a folder that is missing, empty, or an earlier backup, of which only new blocks are copied then
        target: PathBuf,
    },
}

pub(crate) fn run(action: &DataAction) -> anyhow::Result<()> {
    match action {
        DataAction::Check { dir } => check(dir),
        DataAction::Backup { data_dir, target } => backup(data_dir, target),
    }
}

fn check(dir: &Path) -> anyhow::Result<()> {
    let host = Host::real();
    let mut bar = Progress::new(dir.display().to_string());
    let report = store::check(&host, dir, &read_payload(), &mut |progress| {
        bar.show(progress.bytes_done, Some(progress.bytes_total));
    });
    bar.clear();
    let report = report?;
    print(&report);
    if !report.is_whole() {
        bail!(
            "{} is damaged: {} defects",
            dir.display(),
            report.defect_count
        );
    }
    println!("{} is whole", dir.display());
    Ok(())
}

fn backup(data_dir: &Path, target: &Path) -> anyhow::Result<()> {
    let host = Host::real();
    let mut bar = Progress::new(target.display().to_string());
    let report = store::backup(&host, data_dir, target, &mut |progress| {
        bar.show(progress.bytes_done, Some(progress.bytes_total));
    });
    bar.clear();
    let report = report?;
    println!(
        "{} holds {} blocks with {} spans, of which {} blocks were there already, and {} records of the log; {} copied",
        target.display(),
        report.blocks,
        report.spans,
        report.blocks_kept,
        report.records,
        bytes(report.bytes_copied)
    );
    Ok(())
}

/// The log's payloads, as a server reads them at its start.
fn read_payload() -> ReadPayload {
    store::StoreOptions::new("").read_payload
}

fn print(report: &CheckReport) {
    for defect in &report.defects {
        println!("damaged: {defect}");
    }
    let unnamed = report.defect_count - report.defects.len() as u64;
    if unnamed > 0 {
        println!("damaged: {unnamed} more");
    }
    for note in &report.notes {
        println!("note: {note}");
    }
    println!(
        "{} blocks with {} spans, {} events and {} traces; {} log segments with {} records; {} manifest files; {} bytes read",
        report.blocks,
        report.spans,
        report.events,
        report.traces,
        report.segments,
        report.records,
        report.manifest_files,
        report.bytes
    );
}
