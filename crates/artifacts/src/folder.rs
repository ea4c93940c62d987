//! A folder of a build, searched as uploads are: for resolving without a server, and for what an upload consists of.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::{FileBytes, Files, RealFiles};
use srcmap::DebugId;
use srcmap::map::head;
use srcmap::minified::inspect;

use crate::digest::Sha256;
use crate::ladder::{ScriptPath, Shelf, ShelfError, ShelfFile, ShelfKind};
use crate::lookup::ReleaseRef;
use crate::releases::ReleaseId;

/// The version under which a folder is searched; [`Exception::of_folder`](crate::resolve::Exception::of_folder) says it as [`Origin::version`](crate::ladder::Origin::version).
pub const FOLDER_VERSION: &str = "folder";

/// Files that are looked at.
const MAX_FILES: usize = 20_000;
/// Folders below each other.
const MAX_DEPTH: usize = 32;
/// A file that is larger is no bundle and no map.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Bundles and maps in folders, as they are on the disk now.
#[derive(Debug)]
pub struct Folder {
    files: Arc<[ShelfFile]>,
    contents: HashMap<Sha256, Arc<[u8]>>,
    paths: Vec<PathBuf>,
    skipped: Vec<(PathBuf, String)>,
}

/// A folder that cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// It is no folder of a build.
    #[error("{path}: more than {MAX_FILES} bundles and maps", path = path.display())]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
    },
}

impl Folder {
    /// [`Folder::read`] of the file system.
    pub fn open(roots: &[impl AsRef<Path>]) -> Result<Self, FolderError> {
        let roots: Vec<PathBuf> = roots.iter().map(|root| root.as_ref().into()).collect();
        Self::read(&RealFiles, &roots)
    }

    /// Reads the bundles and maps (`.js`, `.mjs`, `.cjs`, `.map`) of `roots`, which are folders or files, but for folders that are called `node_modules` or begin with a dot.
    pub fn read(files: &dyn Files, roots: &[PathBuf]) -> Result<Self, FolderError> {
        let mut found = Vec::new();
        let mut roots_of_found = Vec::new();
        for root in roots {
            let io = |source| FolderError::Io {
                path: root.clone(),
                source,
            };
            if files.list(root).is_ok() {
                collect(files, root, root, 0, &mut found)?;
            } else {
                files.open(root).map_err(io)?;
                let name = root.file_name().map(PathBuf::from).unwrap_or_default();
                found.push((root.clone(), name));
            }
            roots_of_found.resize(found.len(), root);
        }
        tell_apart(&mut found, &roots_of_found);
        let mut folder = Self {
            files: Arc::new([]),
            contents: HashMap::new(),
            paths: Vec::new(),
            skipped: Vec::new(),
        };
        let mut entries = Vec::new();
        for (path, name) in found {
            let bytes = match read(files, &path) {
                Ok(bytes) => bytes,
                Err(source) => return Err(FolderError::Io { path, source }),
            };
            match ShelfFile::of_bytes(&url_of(&name), &bytes) {
                Ok(file) => {
                    folder.contents.insert(file.content, bytes);
                    folder.paths.push(path);
                    entries.push(file);
                }
                Err(why) => folder.skipped.push((path, why)),
            }
        }
        folder.files = entries.into();
        Ok(folder)
    }

    /// What was found, with where it is on the disk.
    pub fn files(&self) -> impl Iterator<Item = (&ShelfFile, &Path)> {
        self.files
            .iter()
            .zip(self.paths.iter().map(PathBuf::as_path))
    }

    /// Files that were passed over, and why.
    pub fn skipped(&self) -> &[(PathBuf, String)] {
        &self.skipped
    }
}

impl ShelfFile {
    /// What can be said of a file by its name and its bytes. An error is why it is neither bundle nor map.
    pub fn of_bytes(url: &str, bytes: &[u8]) -> Result<Self, String> {
        let is_map = Path::new(url).extension().is_some_and(|end| end == "map");
        let mut file = Self {
            url: url.to_owned(),
            path: ScriptPath::parse(url),
            kind: if is_map {
                ShelfKind::Map
            } else {
                ShelfKind::Minified
            },
            dists: Vec::new(),
            debug_id: None,
            map_reference: None,
            map_file: None,
            content: Sha256::of(bytes),
            len_bytes: bytes.len() as u64,
            bundle: 0,
        };
        if is_map {
            let head = head(bytes).map_err(|error| error.to_string())?;
            file.debug_id = head.debug_id;
            file.map_file = head.file;
        } else {
            file.debug_id = inspect(bytes).debug_id;
        }
        Ok(file)
    }
}

impl Shelf for Folder {
    fn generation(&self) -> u64 {
        1
    }

    fn with_debug_id(&self, _: &str, id: DebugId) -> Result<Vec<ShelfFile>, ShelfError> {
        let files = self.files.iter().filter(|file| file.debug_id == Some(id));
        Ok(files.cloned().collect())
    }

    fn releases(&self, _: &str, _: Option<&str>) -> Result<Vec<ReleaseRef>, ShelfError> {
        Ok(vec![ReleaseRef {
            id: ReleaseId(0),
            version: FOLDER_VERSION.to_owned(),
            seq: 0,
        }])
    }

    fn files(&self, _: &str, _: &ReleaseRef) -> Result<Arc<[ShelfFile]>, ShelfError> {
        Ok(Arc::clone(&self.files))
    }

    fn read(&self, content: Sha256) -> Result<Arc<[u8]>, ShelfError> {
        let bytes = self.contents.get(&content).cloned();
        bytes.ok_or_else(|| ShelfError::Unreadable(format!("{content} is not in the folder")))
    }

    fn cached(
        &self,
        _: Sha256,
        _: bool,
        build: &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>,
    ) -> Result<FileBytes, ShelfError> {
        build().map(FileBytes::new)
    }

    fn was_used(&self, _: u64) {}
}

/// The files below `dir` that may be bundles or maps, each with its path from `root`.
fn collect(
    files: &dyn Files,
    root: &Path,
    dir: &Path,
    depth: usize,
    found: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), FolderError> {
    let entries = files.list(dir).map_err(|source| FolderError::Io {
        path: dir.to_owned(),
        source,
    })?;
    for entry in entries {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            let is_foreign = entry.name == "node_modules" || entry.name.starts_with('.');
            if !is_foreign && depth < MAX_DEPTH {
                collect(files, root, &path, depth + 1, found)?;
            }
            continue;
        }
        let is_wanted = [".js", ".mjs", ".cjs", ".map"]
            .iter()
            .any(|end| entry.name.ends_with(end));
        if !is_wanted || entry.name.ends_with(".css.map") || entry.len > MAX_FILE_BYTES {
            continue;
        }
        if found.len() == MAX_FILES {
            return Err(FolderError::TooManyFiles {
                path: root.to_owned(),
            });
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
        found.push((path, name));
    }
    Ok(())
}

/// Files of one name in several roots get the name of their root's folder in front, all of them: none of them is more the file of that name than
/// another.
fn tell_apart(found: &mut [(PathBuf, PathBuf)], roots: &[&PathBuf]) {
    let mut counts: HashMap<PathBuf, usize> = HashMap::new();
    for (_, name) in found.iter() {
        *counts.entry(name.clone()).or_default() += 1;
    }
    for ((path, name), root) in found.iter_mut().zip(roots) {
        let is_file = path == *root;
        let folder = if is_file {
            root.parent()
        } else {
            Some(root.as_path())
        };
        let folder = folder.and_then(Path::file_name);
        if counts.get(name).is_some_and(|count| *count > 1)
            && let Some(folder) = folder
        {
            *name = Path::new(folder).join(&name);
        }
    }
}

/// `~/` and the path with `/` between its segments.
fn url_of(name: &Path) -> String {
    let segments: Vec<String> = name
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    format!("~/{}", segments.join("/"))
}

fn read(files: &dyn Files, path: &Path) -> io::Result<Arc<[u8]>> {
    let file = files.open(path)?;
    let mut bytes = vec![0; file.len()? as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes.into())
}
