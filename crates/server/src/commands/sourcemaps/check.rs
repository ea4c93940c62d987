//! `backtrail sourcemaps check`.

use std::io::Write as _;
use std::path::PathBuf;

use host::Host;
use serde::Serialize;
use srcmap::map::{MapLimits, check};

use super::upload::shown;
use super::{inject, pairs};
use artifacts::ladder::ShelfKind;

/// Violations of one map that are printed.
const MAX_SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Folders of the build, or single bundles and maps
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    bundles: usize,
    maps: usize,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    file: PathBuf,
    code: String,
    message: String,
    fix: Option<String>,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<bool> {
    let host = Host::real();
    let folder = pairs::read(&host, &args.paths)?;
    let mut report = Report {
        bundles: 0,
        maps: 0,
        findings: Vec::new(),
    };
    let skipped = folder.skipped().iter();
    let skipped = skipped.map(|(path, why)| (path.as_path(), Some(why)));
    let maps = folder
        .files()
        .filter(|(file, _)| file.kind == ShelfKind::Map)
        .map(|(_, path)| (path, None));
    for (path, why) in skipped.chain(maps) {
        report.maps += 1;
        let json = inject::read(&*host.files, path)?;
        let violations = check(&json, &MapLimits::default());
        let count = violations.len();
        if let (Some(why), 0) = (why, count) {
            report.findings.push(Finding {
                file: path.to_owned(),
                code: "unreadable".to_owned(),
                message: why.clone(),
                fix: None,
            });
        }
        report.findings.extend(
            violations
                .into_iter()
                .take(MAX_SHOWN)
                .map(|violation| Finding {
                    file: path.to_owned(),
                    code: format!("{:?}", violation.rule),
                    message: violation.to_string(),
                    fix: None,
                }),
        );
        if count > MAX_SHOWN {
            report.findings.push(Finding {
                file: path.to_owned(),
                code: "more".to_owned(),
                message: format!("{} more violations", count - MAX_SHOWN),
                fix: None,
            });
        }
    }
    let build = pairs::pair(&folder, |_| {})?;
    report.bundles = build.bundles.len();
    anyhow::ensure!(
        report.bundles + report.maps > 0,
        "there is no bundle and no map in {}",
        shown(&args.paths)
    );
    for bundle in &build.bundles {
        if bundle.found.is_none() && bundle.should_have_map() {
            let last = bundle.misses.iter().max_by_key(|miss| miss.weight());
            report.findings.push(Finding {
                file: bundle.path.to_owned(),
                code: last.map_or("no_map", |miss| miss.code()).to_owned(),
                message: last.map(ToString::to_string).unwrap_or_default(),
                fix: bundle.fix(),
            });
        }
    }
    for (_, path) in &build.lone_maps {
        report.findings.push(Finding {
            file: (*path).to_owned(),
            code: "belongs_to_nothing".to_owned(),
            message: "no bundle of the build is what this map is a map of".to_owned(),
            fix: Some(
                "check the folder that holds the bundle too, or remove maps of earlier builds"
                    .to_owned(),
            ),
        });
    }
    print(args, &report)?;
    Ok(report.findings.is_empty())
}

fn print(args: &CheckArgs, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    for finding in &report.findings {
        writeln!(
            out,
            "{}: {} [{}]",
            finding.file.display(),
            finding.message,
            finding.code
        )?;
        if let Some(fix) = &finding.fix {
            writeln!(out, "  fix: {fix}")?;
        }
    }
    let findings = report.findings.len();
    let verdict = if findings == 0 {
        "good".to_owned()
    } else {
        format!("{findings} findings")
    };
    writeln!(
        out,
        "{} bundles, {} maps: {verdict}",
        report.bundles, report.maps
    )?;
    Ok(())
}
