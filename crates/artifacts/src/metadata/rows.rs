//! The values of the tables: JSON, so that a field can be added without a new format. See docs/formats/artifacts.md.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrganisationRow {
    pub(crate) id: u64,
    pub(crate) created_ms: u64,
    pub(crate) projects: u64,
    pub(crate) releases: u64,
    pub(crate) bundles: u64,
    pub(crate) bytes: u64,
    pub(crate) chunk_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProjectRow {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) created_ms: u64,
    /// Services that were mapped to it; its own name is not among them.
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReleaseRow {
    pub(crate) id: u64,
    /// Rises with each change; newest first is by it.
    pub(crate) seq: u64,
    pub(crate) created_ms: u64,
    pub(crate) changed_ms: u64,
    pub(crate) started: Option<String>,
    pub(crate) released: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) url: Option<String>,
    /// Ids of its projects.
    pub(crate) projects: Vec<u64>,
    /// Bundles and single files that are in it.
    pub(crate) bundles: u64,
    pub(crate) commits: u64,
    pub(crate) deploys: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BundleKindRow {
    Bundle,
    File,
}

/// Where a bundle may be looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PlaceRow {
    pub(crate) project: u64,
    pub(crate) release: Option<u64>,
    pub(crate) dist: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BundleRow {
    pub(crate) organisation: u64,
    pub(crate) kind: BundleKindRow,
    /// The key in the table of identities.
    pub(crate) identity: String,
    pub(crate) sha1: String,
    pub(crate) sha256: String,
    pub(crate) debug_id: Option<String>,
    pub(crate) seq: u64,
    pub(crate) places: Vec<PlaceRow>,
    pub(crate) created_ms: u64,
    pub(crate) uploaded_ms: u64,
    pub(crate) used_day: u64,
    pub(crate) files: u32,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileRow {
    pub(crate) path: String,
    pub(crate) url: String,
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) debug_id: Option<String>,
    pub(crate) source_mapping_url: Option<String>,
    #[serde(default)]
    pub(crate) inline_map: bool,
    pub(crate) map_file: Option<String>,
    pub(crate) len: u64,
    pub(crate) sha1: String,
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommitRow {
    pub(crate) id: String,
    pub(crate) repository: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) author_name: Option<String>,
    pub(crate) author_email: Option<String>,
    pub(crate) time: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeployRow {
    pub(crate) environment: String,
    pub(crate) name: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) started: Option<String>,
    pub(crate) finished: Option<String>,
    pub(crate) created_ms: u64,
}

pub(crate) fn encode<R: Serialize>(row: &R) -> Result<Vec<u8>> {
    serde_json::to_vec(row).map_err(|error| Error::Damaged(format!("a row has no JSON: {error}")))
}

pub(crate) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Damaged(format!("a row cannot be read: {error}")))
}

/// A text of a row that this crate wrote.
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| Error::Damaged(format!("{text:?} in a row cannot be read")))
}
