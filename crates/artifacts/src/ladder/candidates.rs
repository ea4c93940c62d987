//! Maps that may belong to a bundle, by what names and ids say. The content has to confirm each.

use std::sync::Arc;

use super::evidence::Bundle;
use super::{ScriptPath, ShelfFile, mask};
use crate::digest::Sha256;

/// A map that may belong to a bundle.
pub(super) struct MapCandidate {
    pub(super) content: Sha256,
    pub(super) url: Option<String>,
    pub(super) inline: Option<Arc<[u8]>>,
    pub(super) bundle: Option<u64>,
}

impl MapCandidate {
    pub(super) fn of(file: &ShelfFile) -> Self {
        Self {
            content: file.content,
            url: Some(file.url.clone()),
            inline: None,
            bundle: Some(file.bundle),
        }
    }
}

/// Maps that bear the debug id of the bundle: that says more than any name.
pub(super) fn of_debug_id(
    file: &ShelfFile,
    bundle: &Bundle,
    maps: &[&ShelfFile],
) -> Vec<MapCandidate> {
    let Some(id) = file.debug_id.or(bundle.debug_id) else {
        return Vec::new();
    };
    let same = maps.iter().filter(|map| map.debug_id == Some(id));
    same.map(|map| MapCandidate::of(map)).collect()
}

/// Maps that are called as maps of the bundle usually are; of several the ones that were uploaded with it, then the ones in the nearest folder.
pub(super) fn of_usual_name(file: &ShelfFile, maps: &[&ShelfFile]) -> Vec<MapCandidate> {
    let name = file.path.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let names = [format!("{name}.map"), format!("{stem}.map")];
    let rank = |map: &ShelfFile| {
        (
            map.bundle == file.bundle,
            map.path.shared_folders(&file.path),
        )
    };
    let named: Vec<&&ShelfFile> = maps
        .iter()
        .filter(|map| names.iter().any(|name| map.path.name() == name))
        .collect();
    let best = named.iter().map(|map| rank(map)).max();
    let best = named.into_iter().filter(|map| Some(rank(map)) == best);
    best.map(|map| MapCandidate::of(map)).collect()
}

pub(super) fn with_file_field(name: &str, maps: &[&ShelfFile]) -> Vec<MapCandidate> {
    let named = maps.iter().filter(|map| {
        let file = map.map_file.as_deref();
        file.is_some_and(|file| mask::names_bundle(ScriptPath::parse(file).name(), name))
    });
    named.map(|map| MapCandidate::of(map)).collect()
}
