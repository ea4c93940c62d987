//! `backtrail sourcemaps inject`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use host::{Files, Host};
use serde::Serialize;
use srcmap::inject::{InjectMode, inject};

use super::pairs;
use crate::commands::progress::Progress;

/// Folders below each other that pages are looked for in.
const MAX_DEPTH: usize = 32;
/// Pages that are read.
const MAX_PAGES: usize = 1000;

#[derive(Debug, clap::Args)]
pub(super) struct InjectArgs {
    /// Folders of the build, or single bundles and maps
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write only the comment at the end: tools then know the id, exceptions do not carry it
    #[arg(long)]
    comment_only: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    files: Vec<Entry>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    bundle: PathBuf,
    map: Option<PathBuf>,
    debug_id: String,
    changed: bool,
}

pub(super) fn run(args: &InjectArgs) -> anyhow::Result<bool> {
    let host = Host::real();
    let folder = pairs::read(&host, &args.paths)?;
    let mode = if args.comment_only {
        InjectMode::CommentOnly
    } else {
        InjectMode::Snippet
    };
    let bar = Progress::new("inject");
    let build = pairs::pair(&folder, |file| bar.say(file.url.clone()))?;
    let mut report = Report {
        files: Vec::new(),
        warnings: Vec::new(),
    };
    for bundle in &build.bundles {
        let text = read_text(&*host.files, bundle.path)?;
        let is_inline = matches!(&bundle.found, Some((found, _)) if found.is_inline);
        // A line more would leave the map in the bundle one line behind.
        let mode = if is_inline {
            InjectMode::CommentOnly
        } else {
            mode
        };
        let map_path = bundle.found.as_ref().and_then(|(_, path)| *path);
        let map = map_path.map(|path| read(&*host.files, path)).transpose()?;
        // A map that may be its own must not end up one line off.
        let may_have_map = map.is_none() && !build.lone_maps.is_empty() && !bundle.is_inline();
        let mode = if may_have_map && mode == InjectMode::Snippet {
            report.warnings.push(format!(
                "{}: none of the maps here could be paired with it, so it gets the comment alone, and exceptions do not carry its id",
                bundle.path.display()
            ));
            InjectMode::CommentOnly
        } else {
            mode
        };
        let injected = inject(&text, map.as_deref(), mode)
            .with_context(|| format!("{}", map_path.unwrap_or(bundle.path).display()))?;
        let changed = injected.bundle.is_some() || injected.map.is_some();
        if !args.dry_run {
            if let (Some(path), Some(map)) = (map_path, &injected.map) {
                replace(&*host.files, path, map)?;
            }
            if let Some(text) = &injected.bundle {
                replace(&*host.files, bundle.path, text.as_bytes())?;
            }
        }
        if injected.bundle.is_some() && artifacts::ladder::has_hash(bundle.file.path.name()) {
            report.warnings.push(format!(
                "{}: the hash in its name is of the content before; caches that have the old file keep it, so deploy under a new name or purge",
                bundle.path.display()
            ));
        }
        if injected.bundle.is_some() && is_inline && !args.comment_only {
            report.warnings.push(format!(
                "{}: its map is within it, so it gets only the comment, and exceptions do not carry the id; write the map as a file of its own",
                bundle.path.display()
            ));
        }
        report.files.push(Entry {
            bundle: bundle.path.to_owned(),
            map: map_path.map(Path::to_owned),
            debug_id: injected.debug_id.to_string(),
            changed,
        });
    }
    warn_of_integrity(&*host.files, &args.paths, &mut report);
    bar.clear();
    print(args, &report)?;
    Ok(true)
}

/// A page that names the hash of a script refuses the script once it was changed.
fn warn_of_integrity(files: &dyn Files, roots: &[PathBuf], report: &mut Report) {
    if report.files.iter().all(|entry| !entry.changed) {
        return;
    }
    let mut pages = Vec::new();
    for root in roots {
        collect_pages(files, root, 0, &mut pages);
    }
    for path in pages {
        let has_integrity = read_text(files, &path).is_ok_and(|text| text.contains("integrity="));
        if has_integrity {
            report.warnings.push(format!(
                "{}: names the integrity of scripts, which has to be computed after inject",
                path.display()
            ));
        }
    }
}

/// Pages in a folder and below it. One that cannot be listed has none: this is for a warning alone.
fn collect_pages(files: &dyn Files, dir: &Path, depth: usize, pages: &mut Vec<PathBuf>) {
    let Ok(entries) = files.list(dir) else {
        return;
    };
    for entry in entries {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            let is_foreign = entry.name == "node_modules" || entry.name.starts_with('.');
            if !is_foreign && depth < MAX_DEPTH {
                collect_pages(files, &path, depth + 1, pages);
            }
        } else if is_page(&entry.name) && pages.len() < MAX_PAGES {
            pages.push(path);
        }
    }
}

fn is_page(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("html"))
}

fn print(args: &InjectArgs, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    for entry in &report.files {
        let what = match (entry.changed, args.dry_run) {
            (false, _) => "has it already",
            (true, false) => "written",
            (true, true) => "would be written",
        };
        let map = entry
            .map
            .as_deref()
            .map_or_else(|| "no map".to_owned(), |map| map.display().to_string());
        writeln!(
            out,
            "{}  {}  {} ({map})",
            entry.debug_id,
            what,
            entry.bundle.display()
        )?;
    }
    if report.files.is_empty() {
        writeln!(out, "no bundle was found")?;
    }
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}

pub(super) fn read(files: &dyn Files, path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || {
        let file = files.open(path)?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok::<_, std::io::Error>(bytes)
    };
    read().with_context(|| format!("{} cannot be read", path.display()))
}

fn read_text(files: &dyn Files, path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read(files, path)?)
        .map_err(|error| error.utf8_error())
        .with_context(|| format!("{} is no UTF-8", path.display()))
}

/// Puts the new bytes in the place of the old in one step, so that nobody sees half of them.
fn replace(files: &dyn Files, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".backtrail-new");
    let new = path.with_file_name(name);
    let write = || {
        // A run that was interrupted may have left one.
        if files.exists(&new)? {
            files.remove_file(&new)?;
        }
        let file = files.create_new(&new)?;
        file.write_all_at(bytes, 0)?;
        file.sync_data()?;
        files.copy_permissions(path, &new)?;
        files.rename(&new, path)
    };
    let written = write();
    if written.is_err() {
        // What was begun must not stay; the error that is told is the first one.
        let _ = files.remove_file(&new);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}
