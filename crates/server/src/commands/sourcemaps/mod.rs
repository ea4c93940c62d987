//! `backtrail sourcemaps`: debug ids into a build, a build to a server, and stack traces back to source, with a server or without.

mod bundle;
mod check;
mod explain;
mod filter;
mod inject;
mod pairs;
mod resolve;
mod server;
mod services;
mod stacks;
mod upload;

use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  backtrail sourcemaps inject dist                    debug ids into bundles and maps, before they are deployed
  backtrail sourcemaps upload dist --release 1.4.2    to the server that runs here
  backtrail sourcemaps check dist                     for CI: fails when a map is broken or belongs to nothing
  node dist/main.js 2>&1 | backtrail sourcemaps resolve --maps dist
  backtrail sourcemaps explain --service shop < stack.txt

SENTRY_URL, SENTRY_AUTH_TOKEN, SENTRY_ORG and SENTRY_PROJECT are understood where a server is asked, as are
BACKTRAIL_SERVER and BACKTRAIL_TOKEN, which come first.";

/// Source maps: from a minified stack trace to the line of source.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SourcemapsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write debug ids into bundles and their maps; a second run changes nothing
    Inject(inject::InjectArgs),
    /// Send bundles and maps of a build to a server, as a release
    Upload(upload::UploadArgs),
    /// Resolve stack traces on the way through: a filter, with folders of maps or with a server
    Resolve(resolve::ResolveArgs),
    /// Say for each frame of a stack trace which map serves it, or what to do so that one does
    Explain(explain::ExplainArgs),
    /// Check the maps of a build: rules of ECMA-426, and that each belongs to a bundle
    Check(check::CheckArgs),
    /// Show or set which services a project's maps serve
    Services(services::ServicesArgs),
}

/// Exit code 1 is a finding (a broken map, a frame that stays raw with `explain --strict`), 2 a command that could not do its work.
pub(crate) fn run(args: &SourcemapsArgs) -> ExitCode {
    let done = match &args.action {
        Action::Inject(args) => inject::run(args),
        Action::Upload(args) => upload::run(args),
        Action::Resolve(args) => resolve::run(args),
        Action::Explain(args) => explain::run(args),
        Action::Check(args) => check::run(args),
        Action::Services(args) => services::run(args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("backtrail: {}", crate::with_causes(&error));
            ExitCode::from(2)
        }
    }
}
