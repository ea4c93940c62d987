//! `backtrail sourcemaps upload`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use artifacts::Sha1;
use artifacts::folder::Folder;
use artifacts::ladder::ShelfKind;
use host::Host;
use serde::{Deserialize, Serialize};

use super::bundle::{self, BundledFile};
use super::inject::read;
use super::pairs::{self, Build, Bundle};
use super::server::{Server, ServerArgs, segment};
use crate::commands::progress::{Progress, bytes};

const BOUNDARY: &str = "backtrail-chunk-boundary-7d1f4c";

#[derive(Debug, clap::Args)]
pub(super) struct UploadArgs {
    /// Folders of the build, or single bundles and maps
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The release's name: what the service says as service.version
    #[arg(long, value_name = "NAME", env = "RELEASE_VERSION")]
    release: Option<String>,
    /// The distribution, where one release is built in several ways
    #[arg(long, value_name = "NAME")]
    dist: Option<String>,
    /// The project; it serves the service of its own name
    #[arg(
        long,
        value_name = "SLUG",
        env = "SENTRY_PROJECT",
        default_value = "default"
    )]
    project: String,
    /// The organisation
    #[arg(
        long,
        value_name = "SLUG",
        env = "SENTRY_ORG",
        default_value = "default"
    )]
    org: String,
    /// Where the files are on the web: what stands before their paths
    #[arg(long, value_name = "URL", default_value = "~/")]
    url_prefix: String,
    /// Delete maps that belong to an uploaded bundle from the disk, once the server has confirmed them
    #[arg(long)]
    delete_after_upload: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
struct Report {
    server: String,
    org: String,
    project: String,
    release: Option<String>,
    bytes: u64,
    bundles: Vec<Entry>,
    lone_maps: Vec<PathBuf>,
    deleted: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Entry {
    bundle: PathBuf,
    map: Option<PathBuf>,
    step: Option<&'static str>,
    fix: Option<String>,
}

pub(super) fn run(args: &UploadArgs) -> anyhow::Result<bool> {
    let host = Host::real();
    let folder = pairs::read(&host, &args.paths)?;
    let mut bar = Progress::new("pairing bundles and maps");
    let build = pairs::pair(&folder, |file| bar.say(format!("pairing {}", file.url)))?;
    if build.bundles.is_empty() && build.lone_maps.is_empty() {
        bail!("there is no bundle and no map in {}", shown(&args.paths));
    }
    let files = files(args, &host, &folder, &build)?;
    let bundle = bundle::write(
        &args.org,
        &args.project,
        args.release.as_deref(),
        args.dist.as_deref(),
        &files,
    )?;
    let server = args.server.connect()?;
    send(args, &server, &bundle, &mut bar)?;

    let mut report = Report {
        server: server.base.clone(),
        org: args.org.clone(),
        project: args.project.clone(),
        release: args.release.clone(),
        bytes: bundle.len() as u64,
        bundles: Vec::new(),
        lone_maps: build
            .lone_maps
            .iter()
            .map(|(_, path)| (*path).to_owned())
            .collect(),
        deleted: Vec::new(),
    };
    for bundle in &build.bundles {
        let map = bundle.found.as_ref().and_then(|(_, path)| *path);
        if args.delete_after_upload {
            for path in maps_of(bundle, &folder) {
                if report.deleted.iter().any(|deleted| deleted == path) {
                    continue;
                }
                host.files.remove_file(path).with_context(|| {
                    format!("{} was uploaded and cannot be deleted", path.display())
                })?;
                report.deleted.push(path.to_owned());
            }
        }
        report.bundles.push(Entry {
            bundle: bundle.path.to_owned(),
            map: map.map(ToOwned::to_owned),
            step: bundle.found.as_ref().map(|(found, _)| found.step.name()),
            fix: bundle.fix(),
        });
    }
    bar.clear();
    print(args, &report)?;
    Ok(true)
}

/// The files that are a bundle's map: copies of it, too.
fn maps_of<'a>(bundle: &Bundle<'_>, folder: &'a Folder) -> impl Iterator<Item = &'a Path> {
    let found = bundle.found.as_ref();
    let map = found.and_then(|(found, path)| path.map(|_| found.pair.map));
    folder
        .files()
        .filter(move |(file, _)| file.kind == ShelfKind::Map && Some(file.content) == map)
        .map(|(_, path)| path)
}

fn files(
    args: &UploadArgs,
    host: &Host,
    folder: &Folder,
    build: &Build<'_>,
) -> anyhow::Result<Vec<BundledFile>> {
    let prefix = args.url_prefix.trim_end_matches('/');
    let url = |url: &str| format!("{prefix}/{}", url.trim_start_matches("~/"));
    let mut files = Vec::new();
    for (file, path) in folder.files() {
        let bundle = build
            .bundles
            .iter()
            .find(|bundle| bundle.file.content == file.content && bundle.path == path);
        let map_url = bundle.and_then(|bundle| bundle.found.as_ref()?.0.map_url.as_deref());
        files.push(BundledFile {
            url: url(&file.url),
            is_map: file.kind == ShelfKind::Map,
            debug_id: file.debug_id.map(|id| id.to_string()),
            source_map: map_url.map(url),
            bytes: read(&*host.files, path)?,
        });
    }
    Ok(files)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChunkOptions {
    url: String,
    chunk_size: usize,
    chunks_per_request: usize,
}

#[derive(Serialize)]
struct Assemble<'a> {
    checksum: String,
    chunks: &'a [String],
    projects: [&'a str; 1],
    version: Option<&'a str>,
    dist: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assembled {
    state: String,
    #[serde(default)]
    missing_chunks: Vec<String>,
    detail: Option<String>,
}

/// Sends the chunks that the server does not have, and has it make a bundle of them.
fn send(
    args: &UploadArgs,
    server: &Server,
    bundle: &[u8],
    bar: &mut Progress,
) -> anyhow::Result<()> {
    let org = segment(&args.org);
    let options: ChunkOptions = server.get(&format!("/api/0/organizations/{org}/chunk-upload/"))?;
    if options.chunk_size == 0 {
        bail!("the server wants chunks of no bytes");
    }
    if let Some(release) = &args.release {
        let body = serde_json::json!({ "version": release, "projects": [args.project] });
        let _: serde_json::Value =
            server.post(&format!("/api/0/organizations/{org}/releases/"), &body)?;
    }
    let chunks: Vec<&[u8]> = bundle.chunks(options.chunk_size).collect();
    let names: Vec<String> = chunks
        .iter()
        .map(|chunk| Sha1::of(chunk).to_string())
        .collect();
    let assemble = || -> anyhow::Result<Assembled> {
        server.post(
            &format!("/api/0/organizations/{org}/artifactbundle/assemble/"),
            &Assemble {
                checksum: Sha1::of(bundle).to_string(),
                chunks: &names,
                projects: [&args.project],
                version: args.release.as_deref(),
                dist: args.dist.as_deref(),
            },
        )
    };
    let answer = assemble()?;
    if answer.state == "ok" {
        return Ok(());
    }
    let total = bundle.len() as u64;
    let mut sent = 0;
    let missing: Vec<usize> = (0..names.len())
        .filter(|index| answer.missing_chunks.contains(&names[*index]))
        .collect();
    bar.say(format!("sending {}", bytes(total)));
    for group in missing.chunks(options.chunks_per_request.clamp(1, 4)) {
        let mut body = Vec::new();
        for index in group {
            body.extend_from_slice(
                format!(
                    "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: application/octet-stream\r\n\r\n",
                    names[*index]
                )
                .as_bytes(),
            );
            body.extend_from_slice(chunks[*index]);
            body.extend_from_slice(b"\r\n");
            sent += chunks[*index].len() as u64;
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        server.post_form(&options.url, BOUNDARY, &body)?;
        bar.show(sent, Some(total));
    }
    let answer = assemble()?;
    match answer.state.as_str() {
        "ok" => Ok(()),
        state => bail!(
            "the server did not take the upload ({state}): {}",
            answer
                .detail
                .unwrap_or_else(|| "it says no reason".to_owned())
        ),
    }
}

fn print(args: &UploadArgs, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    for entry in &report.bundles {
        match (&entry.map, entry.step) {
            (Some(map), Some(step)) => {
                writeln!(
                    out,
                    "{} -> {} ({step})",
                    entry.bundle.display(),
                    map.display()
                )?;
            }
            (None, Some(_)) => writeln!(out, "{} has its map inside", entry.bundle.display())?,
            _ => {
                writeln!(out, "{} has no map", entry.bundle.display())?;
                if let Some(fix) = &entry.fix {
                    writeln!(out, "  fix: {fix}")?;
                }
            }
        }
    }
    for map in &report.lone_maps {
        writeln!(out, "{} belongs to no bundle here", map.display())?;
    }
    for path in &report.deleted {
        writeln!(out, "{} deleted", path.display())?;
    }
    let release = report.release.as_deref().map_or_else(
        || "no release".to_owned(),
        |release| format!("release {release}"),
    );
    writeln!(
        out,
        "uploaded {} to {} (organisation {}, project {}, {release})",
        bytes(report.bytes),
        report.server,
        report.org,
        report.project
    )?;
    Ok(())
}

pub(super) fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
