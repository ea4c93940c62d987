//! Where packages are built to verify them.
//!
//! Cargo unpacks and builds a package once for each version, and ours stay at one version while they change. So each content gets a folder of its own;
//! else a crate would be verified against yesterday's package of the one that it uses.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// What is published.
const CRATES: [&str; 3] = ["backtrail", "backtrail-macros", "backtrail-wire"];
const PREFIX: &str = "package-of-";

/// The folder for the crates as they are now. Those of other contents are removed.
pub(super) fn prepare(root: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for name in CRATES {
        hash_folder(&root.join("crates").join(name), &mut hasher)?;
    }
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let name = format!("{PREFIX}{:016x}", hasher.finish());
    for entry in fs::read_dir(&base).into_iter().flatten() {
        let entry = entry?;
        let other = entry.file_name();
        let other = other.to_string_lossy();
        if other.starts_with(PREFIX) && other != name {
            let path = entry.path();
            fs::remove_dir_all(&path)
                .with_context(|| format!("can't remove {}", path.display()))?;
        }
    }
    Ok(base.join(name).to_string_lossy().into_owned())
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            path.file_name().hash(hasher);
            fs::read(&path)
                .with_context(|| format!("can't read {}", path.display()))?
                .hash(hasher);
        }
    }
    Ok(())
}
