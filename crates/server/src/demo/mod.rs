//! `backtrail demo`: a server with a temporary data directory and a small shop's traffic.

/// What `backtrail demo` takes on the command line beside the settings of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {}
