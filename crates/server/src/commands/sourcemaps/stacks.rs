//! Where a command has stack traces resolved: with folders of maps here, or by a server.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use artifacts::resolve::{Exception, Resolver};
use host::Host;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pairs;
use super::server::{Server, ServerArgs};

/// What stacks are resolved with.
#[derive(Debug, clap::Args)]
pub(super) struct StackArgs {
    /// Folders of bundles and maps, instead of a server; may be repeated
    #[arg(long, value_name = "PATH")]
    maps: Vec<PathBuf>,
    /// The service that threw, as its resource says; with a server
    #[arg(
        long,
        value_name = "NAME",
        env = "OTEL_SERVICE_NAME",
        default_value = "unknown_service"
    )]
    service: String,
    /// Its service.version
    #[arg(long, value_name = "VERSION", env = "SERVICE_VERSION")]
    version: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) enum Stacks {
    Folder(Box<Resolver>),
    Server {
        server: Server,
        service: String,
        version: Option<String>,
    },
}

impl StackArgs {
    pub(super) fn open(&self) -> anyhow::Result<Stacks> {
        if self.maps.is_empty() {
            return Ok(Stacks::Server {
                server: self.server.connect()?,
                service: self.service.clone(),
                version: self.version.clone(),
            });
        }
        anyhow::ensure!(
            !self.server.is_named() || std::env::var_os("BACKTRAIL_SERVER").is_some(),
            "--maps and --server exclude each other: stacks are resolved here or there"
        );
        let folder = pairs::read(&Host::real(), &self.maps)?;
        Ok(Stacks::Folder(Box::new(Resolver::new(Arc::new(folder)))))
    }
}

/// A stack as the commands show it: what a server answers, or the same made here.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Explained {
    pub(super) resolved: String,
    pub(super) frames: Vec<Value>,
    /// Why a server gives no lines of source.
    #[serde(default)]
    source_withheld: Option<String>,
    pub(super) scripts: Vec<Value>,
}

impl Stacks {
    /// The stack with what can be resolved of it resolved.
    pub(super) fn resolve(&self, stack: &str) -> anyhow::Result<String> {
        match self {
            Self::Folder(resolver) => {
                Ok(resolver.resolve(&Exception::of_folder(stack))?.text.clone())
            }
            Self::Server { .. } => Ok(self.explain(stack)?.resolved),
        }
    }

    pub(super) fn explain(&self, stack: &str) -> anyhow::Result<Explained> {
        match self {
            Self::Folder(resolver) => {
                let resolved = resolver.resolve(&Exception::of_folder(stack))?;
                let body = crate::api::stack_json(stack, &resolved)?;
                serde_json::from_value(body).context("a stack cannot be written")
            }
            Self::Server {
                server,
                service,
                version,
            } => {
                let question =
                    serde_json::json!({ "service": service, "version": version, "stack": stack });
                server.post("/api/v1/sourcemaps/resolve", &question)
            }
        }
    }
}

/// Whether a frame that a map could serve stays raw.
pub(super) fn is_unresolved(frame: &Value) -> bool {
    frame["kept"]["code"]
        .as_str()
        .is_some_and(|code| matches!(code, "no_map" | "bad_map"))
}
