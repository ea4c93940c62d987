//! The files of `ui/` that a browser needs, their hash, and their compressed forms.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

/// The folder is relative to this crate's manifest. `*` matches across folders here, so what is
/// not for browsers is excluded by name.
#[derive(RustEmbed)]
#[folder = "../../ui"]
#[include = "index.html"]
#[include = "icon.svg"]
#[include = "*.js"]
#[include = "*.css"]
#[include = "vendor/*/LICENSE"]
#[exclude = "node_modules/*"]
#[exclude = "tests/*"]
struct Files;

const INDEX: &str = "index.html";
/// Stands in `index.html` for the folder of the assets.
const PLACEHOLDER: &str = "__ASSETS__";
/// Below this a compressed file saves no packet.
const COMPRESSED_BYTES_MIN: usize = 512;

/// All files of the page at one instant.
pub(super) struct Tree {
    hash: String,
    index: Asset,
    assets: BTreeMap<String, Asset>,
}

impl Tree {
    /// Reads the tree: from the disk in debug builds, from the binary otherwise.
    pub(super) fn read() -> Self {
        let mut tree_hash = Sha256::new();
        let mut template = String::new();
        let mut assets = BTreeMap::new();
        for path in Files::iter() {
            // On disk, a file can be gone by now; then it is not in the tree.
            let Some(file) = Files::get(&path) else {
                continue;
            };
            let hash = file.metadata.sha256_hash();
            tree_hash.update(hash);
            tree_hash.update(path.as_bytes());
            if path == INDEX {
                template = String::from_utf8_lossy(&file.data).into_owned();
                continue;
            }
            let bytes = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let asset = Asset::new(content_type(&path), bytes, &hash);
            assets.insert(path.into_owned(), asset);
        }
        let tree_hash: [u8; 32] = tree_hash.finalize().into();
        let hash = hex(&tree_hash);
        let index = template.replace(PLACEHOLDER, &format!("/assets/{hash}"));
        Self {
            index: Asset::new(content_type(INDEX), Bytes::from(index), &tree_hash),
            hash,
            assets,
        }
    }

    /// Changes with any byte or name of the tree.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// `index.html` with the addresses of this tree's assets.
    pub(super) fn index(&self) -> &Asset {
        &self.index
    }

    /// The file at this path below `ui/`.
    pub(super) fn asset(&self, path: &str) -> Option<&Asset> {
        self.assets.get(path)
    }

    /// The paths of all assets.
    #[cfg(test)]
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.assets.keys().map(String::as_str)
    }
}

/// One file, as it is and compressed.
pub(super) struct Asset {
    content_type: &'static str,
    hash: String,
    bytes: Bytes,
    gzip: OnceLock<Option<Bytes>>,
}

impl Asset {
    fn new(content_type: &'static str, bytes: Bytes, hash: &[u8; 32]) -> Self {
        Self {
            content_type,
            hash: hex(hash),
            bytes,
            gzip: OnceLock::new(),
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        self.content_type
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The compressed file, where that is smaller. Compressed when it is first asked for.
    pub(super) fn gzip(&self) -> Option<Bytes> {
        self.gzip
            .get_or_init(|| {
                if self.bytes.len() < COMPRESSED_BYTES_MIN {
                    return None;
                }
                // Writing into memory does not fail; if it did, the plain file is right too.
                let compressed = compress(&self.bytes).ok()?;
                (compressed.len() < self.bytes.len()).then(|| Bytes::from(compressed))
            })
            .clone()
    }

    /// A strong entity tag: the two forms have different bytes, hence different tags.
    pub(super) fn etag(&self, is_gzip: bool) -> HeaderValue {
        let form = if is_gzip { "-gzip" } else { "" };
        HeaderValue::try_from(format!("\"{}{form}\"", self.hash))
            .unwrap_or_else(|_| unreachable!("hexadecimal digits are a header value"))
    }
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// With `nosniff`, a module of another type than JavaScript is not run.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// The first 64 bits, which is plenty for addresses and entity tags.
fn hex(hash: &[u8; 32]) -> String {
    let first_64 = hash.iter().take(8);
    let bits = first_64.fold(0, |bits: u64, byte| (bits << 8) | u64::from(*byte));
    format!("{bits:016x}")
}
