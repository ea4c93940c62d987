//! Which map of a build belongs to which bundle, by the same ladder that a server climbs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use artifacts::Sha256;
use artifacts::folder::{FOLDER_VERSION, Folder};
use artifacts::ladder::{Found, Ladder, Miss, Origin, Script, ShelfFile, ShelfKind};
use host::Host;

/// A bundle of a build and what became of it.
pub(super) struct Bundle<'a> {
    pub(super) file: &'a ShelfFile,
    pub(super) path: &'a Path,
    /// The map, and where it is on the disk; nowhere when it is in the bundle.
    pub(super) found: Option<(Found, Option<&'a Path>)>,
    pub(super) misses: Vec<Miss>,
}

impl Bundle<'_> {
    /// Whether the build says that the bundle has a map: one that never had any, such as a vendored script, is no fault.
    pub(super) fn should_have_map(&self) -> bool {
        self.misses.iter().any(|miss| {
            matches!(
                miss,
                Miss::ReferenceNotUploaded(_)
                    | Miss::DoesNotFit { .. }
                    | Miss::MapsAmbiguous { .. }
                    | Miss::Unreadable { .. }
            )
        })
    }

    /// Whether its map is in it.
    pub(super) fn is_inline(&self) -> bool {
        self.found
            .as_ref()
            .is_some_and(|(found, _)| found.is_inline)
    }

    /// The one thing to do.
    pub(super) fn fix(&self) -> Option<String> {
        let misses = self.misses.iter().filter(|miss| miss.fix().is_some());
        misses.max_by_key(|miss| miss.weight()).and_then(Miss::fix)
    }
}

/// A build, with its bundles and maps paired.
pub(super) struct Build<'a> {
    pub(super) bundles: Vec<Bundle<'a>>,
    /// Maps that belong to no bundle.
    pub(super) lone_maps: Vec<(&'a ShelfFile, &'a Path)>,
}

/// Reads folders of a build.
pub(super) fn read(host: &Host, roots: &[PathBuf]) -> anyhow::Result<Folder> {
    Folder::read(&*host.files, roots).context("the build cannot be read")
}

/// Finds the map of each bundle, and tells before each how far it is.
pub(super) fn pair<'a>(
    folder: &'a Folder,
    mut on_bundle: impl FnMut(&ShelfFile),
) -> anyhow::Result<Build<'a>> {
    let ladder = Ladder::default();
    let origin = Origin {
        service: "",
        version: Some(FOLDER_VERSION),
        dist: None,
    };
    let mut bundles = Vec::new();
    for (file, path) in folder
        .files()
        .filter(|(file, _)| file.kind == ShelfKind::Minified)
    {
        on_bundle(file);
        let script = Script {
            url: &file.url,
            debug_id: file.debug_id,
            positions: &[],
            starts_words: false,
        };
        let verdict = ladder.find(folder, origin, script)?;
        let found = verdict.found.map(|found| {
            let map = if found.is_inline {
                None
            } else {
                path_of(folder, found.pair.map)
            };
            (found, map)
        });
        bundles.push(Bundle {
            file,
            path,
            found,
            misses: verdict.misses,
        });
    }
    let is_used = |map: &ShelfFile| {
        bundles
            .iter()
            .filter_map(|bundle| bundle.found.as_ref())
            .any(|(found, _)| found.pair.map == map.content)
    };
    let lone_maps = folder
        .files()
        .filter(|(file, _)| file.kind == ShelfKind::Map && !is_used(file))
        .collect();
    Ok(Build { bundles, lone_maps })
}

fn path_of(folder: &Folder, content: Sha256) -> Option<&Path> {
    folder
        .files()
        .find(|(file, _)| file.kind == ShelfKind::Map && file.content == content)
        .map(|(_, path)| path)
}
