//! `backtrail data`: looks after a data directory, whether a server uses it or not.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::bail;
use host::Host;
use store::{CheckReport, ReadPayload};

use super::progress::{Progress, bytes};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum DataAction {
    /// Verify every checksum and reference of a data directory, uploads included; nothing is written, and a server may be using it
    Check {
        /// The directory
        #[arg(value_name = "DIR", default_value = "backtrail-data")]
        dir: PathBuf,
    },
    /// Copy a data directory with its uploads, of a running server too, to a folder that a server can be started on
    Backup {
        /// The directory to copy
        #[arg(long, value_name = "DIR", default_value = "backtrail-data")]
        data_dir: PathBuf,
        /// Where to: a folder that is missing, empty, or an earlier backup, to which only new blocks and uploads are copied then
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
    let mut defects = report.defect_count;
    let mut bar = Progress::new(dir.join("artifacts").display().to_string());
    let uploads = artifacts::check(&host, dir, &mut |progress| {
        bar.show(progress.bytes_done, Some(progress.bytes_total));
    });
    bar.clear();
    if let Some(uploads) = uploads? {
        print_uploads(&uploads);
        defects += uploads.defect_count;
    }
    if defects > 0 {
        bail!("{} is damaged: {defects} defects", dir.display());
    }
    println!("{} is whole", dir.display());
    Ok(())
}

fn backup(data_dir: &Path, target: &Path) -> anyhow::Result<()> {
    let host = Host::real();
    let bar = RefCell::new(Progress::new(target.display().to_string()));
    let show = |done, total| bar.borrow_mut().show(done, Some(total));
    let mut uploads = None;
    let report = store::backup(
        &host,
        data_dir,
        target,
        &mut |place| {
            uploads = artifacts::backup(&host, data_dir, place.earlier, place.into, &mut |at| {
                show(at.bytes_done, at.bytes_total);
            })
            .map_err(|error| error.to_string())?;
            Ok(uploads
                .map(|_| artifacts::backup_metadata())
                .into_iter()
                .collect())
        },
        &mut |at| show(at.bytes_done, at.bytes_total),
    );
    bar.into_inner().clear();
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
    if let Some(uploads) = uploads {
        println!(
            "{} bundles of source maps in {} files, of which {} were there already; {} copied",
            uploads.bundles,
            uploads.kept_files,
            uploads.shared_files,
            bytes(uploads.bytes_copied)
        );
    }
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

fn print_uploads(report: &artifacts::CheckReport) {
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
    let unnamed = report.note_count - report.notes.len() as u64;
    if unnamed > 0 {
        println!("note: {unnamed} more");
    }
    println!(
        "{} bundles of source maps with {} files in {} blobs, and {} chunks; {} bytes read",
        report.bundles, report.files, report.blobs, report.chunks, report.bytes
    );
}
