//! `manifest.json`: what a bundle says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{BundleError, cut};
use crate::options::BundleLimits;
use srcmap::DebugId;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// What runs.
    MinifiedSource,
    /// From it to the originals.
    SourceMap,
    /// An original.
    Source,
    /// Anything else; kept, not used.
    Other,
}

impl FileKind {
    /// By the name that manifests use.
    pub fn from_name(name: &str) -> Self {
        match name {
            "minified_source" => Self::MinifiedSource,
            "source_map" => Self::SourceMap,
            "source" => Self::Source,
            _ => Self::Other,
        }
    }

    /// The name that manifests use.
    pub fn name(self) -> &'static str {
        match self {
            Self::MinifiedSource => "minified_source",
            Self::SourceMap => "source_map",
            Self::Source => "source",
            Self::Other => "other",
        }
    }
}

/// One file, as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its name in the archive.
    pub path: String,
    /// Where it runs: `~/app.js` is that path of any host. The path stands in for it when the manifest has none.
    pub url: String,
    /// What it is.
    pub kind: FileKind,
    /// Headers; the names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Of the bundle as a whole, not of a file.
    pub debug_id: Option<DebugId>,
    /// Its organisation.
    pub organisation: Option<String>,
    /// Its project.
    pub project: Option<String>,
    /// Its release.
    pub release: Option<String>,
    /// Its distribution.
    pub dist: Option<String>,
    /// Its files, by path.
    pub files: Vec<ManifestFile>,
}

impl Manifest {
    /// Reads a manifest. Keys that nobody knows are skipped; one key twice is an error.
    pub fn parse(json: &[u8], limits: &BundleLimits) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(json).map_err(|error| BundleError::ManifestNotUtf8 {
            offset: error.valid_up_to(),
        })?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let raw = RawManifest::deserialize(&mut deserializer)
            .and_then(|raw| deserializer.end().map(|()| raw))
            .map_err(|error| BundleError::Manifest(cut(&error.to_string())))?;
        if raw.files.0.len() as u64 > limits.entries {
            return Err(BundleError::TooManyEntries {
                found: raw.files.0.len() as u64,
                limit: limits.entries,
            });
        }
        let mut files = Vec::with_capacity(raw.files.0.len());
        let mut seen = BTreeSet::new();
        for (path, file) in raw.files.0 {
            if !seen.insert(path.clone()) {
                return Err(BundleError::DuplicateEntry { path: cut(&path) });
            }
            files.push(file.check(path, limits)?);
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            debug_id: raw.debug_id.and_then(|id| id.parse().ok()),
            organisation: raw.org,
            project: raw.project,
            release: raw.release,
            dist: raw.dist,
            files,
        })
    }
}

#[derive(Deserialize)]
struct RawManifest {
    #[serde(default)]
    files: Pairs<RawFile>,
    debug_id: Option<String>,
    org: Option<String>,
    project: Option<String>,
    release: Option<String>,
    dist: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: Option<String>,
    headers: Option<Pairs<Value>>,
}

impl RawFile {
    fn check(self, path: String, limits: &BundleLimits) -> Result<ManifestFile, BundleError> {
        let too_long = |what: &str| {
            BundleError::Manifest(format!(
                "{what} of {:?} has more than {} bytes",
                cut(&path),
                limits.text_bytes
            ))
        };
        if path.len() > limits.text_bytes {
            return Err(too_long("the path"));
        }
        let url = self.url.unwrap_or_else(|| path.clone());
        if url.len() > limits.text_bytes {
            return Err(too_long("the url"));
        }
        let raw_headers = self.headers.unwrap_or_default().0;
        if raw_headers.len() > limits.headers {
            return Err(BundleError::Manifest(format!(
                "{:?} has {} headers; {} are the limit",
                cut(&path),
                raw_headers.len(),
                limits.headers
            )));
        }
        let mut headers = BTreeMap::new();
        for (name, value) in raw_headers {
            // A header that is no text means nothing to anybody.
            let Value::String(value) = value else {
                continue;
            };
            if name.len() > limits.text_bytes || value.len() > limits.text_bytes {
                return Err(too_long("a header"));
            }
            headers.insert(name.to_ascii_lowercase(), value);
        }
        Ok(ManifestFile {
            path,
            url,
            kind: self
                .kind
                .map_or(FileKind::Other, |kind| FileKind::from_name(&kind)),
            headers,
        })
    }
}

/// An object as a list, because a map would silently keep one of two values with the same key.
struct Pairs<V>(Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<V> {
    type Value = Pairs<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}
