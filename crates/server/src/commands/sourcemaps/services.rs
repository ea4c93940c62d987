//! `backtrail sourcemaps services`.

use std::io::Write as _;

use serde::{Deserialize, Serialize};

use super::server::{ServerArgs, segment};

#[derive(Debug, clap::Args)]
pub(super) struct ServicesArgs {
    /// The project; without one, all of them are shown
    #[arg(value_name = "PROJECT")]
    project: Option<String>,
    /// The organisation
    #[arg(
        long,
        value_name = "SLUG",
        env = "SENTRY_ORG",
        default_value = "default"
    )]
    org: String,
    /// A service that the project's maps shall serve, besides the one of its own name; may be repeated
    #[arg(long, value_name = "SERVICE", requires = "project")]
    add: Vec<String>,
    /// A service that they shall serve no longer; may be repeated
    #[arg(long, value_name = "SERVICE", requires = "project")]
    remove: Vec<String>,
    /// Print the projects as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

#[derive(Deserialize, Serialize)]
struct Project {
    slug: String,
    services: Vec<String>,
}

pub(super) fn run(args: &ServicesArgs) -> anyhow::Result<bool> {
    let server = args.server.connect()?;
    let of_org = format!(
        "/api/v1/sourcemaps/organizations/{}/projects",
        segment(&args.org)
    );
    if let Some(project) = &args.project {
        let path = |service: &str| {
            format!(
                "{of_org}/{}/services/{}",
                segment(project),
                segment(service)
            )
        };
        for service in &args.add {
            let _: Project = server.put(&path(service), &serde_json::json!({}))?;
        }
        for service in &args.remove {
            let _: Project = server.delete(&path(service))?;
        }
    }
    let Projects { mut projects } = server.get(&format!("{of_org}?limit=1000"))?;
    if let Some(wanted) = &args.project {
        projects.retain(|project| project.slug == *wanted);
        anyhow::ensure!(
            !projects.is_empty(),
            "organisation {} has no project {wanted}",
            args.org
        );
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &projects)?;
        writeln!(out)?;
        return Ok(true);
    }
    for project in &projects {
        let also = project
            .services
            .iter()
            .map(|service| format!(", {service}"));
        let also: Vec<String> = also.collect();
        let also = also.concat();
        writeln!(out, "{0}: serves {0}{also}", project.slug)?;
    }
    Ok(true)
}
