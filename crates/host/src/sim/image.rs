//! Files and folders of a simulated disk, live and durable. It knows no faults.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};

use super::content::FileData;
use super::random::SimRandom;

pub(super) type NodeId = u64;

const ROOT: NodeId = 0;

enum Node {
    File(FileData),
    Dir(Dir),
}

#[derive(Default)]
struct Dir {
    live: BTreeMap<String, NodeId>,
    durable: BTreeMap<String, NodeId>,
    /// Changes since the last sync, each of which happens whole or not at all.
    unsynced: Vec<DirChange>,
}

#[derive(Clone)]
enum DirChange {
    Add {
        name: String,
        node: NodeId,
    },
    Remove {
        name: String,
        node: NodeId,
    },
    Rename {
        from: String,
        to: String,
        node: NodeId,
    },
    /// Half of a rename into another folder. It never reaches the disk before the other half, so
    /// the file may be found twice, but it is never lost.
    MoveAway {
        name: String,
        node: NodeId,
        to: NodeId,
    },
}

/// A file system.
pub(super) struct Image {
    nodes: BTreeMap<NodeId, Node>,
    last_id: NodeId,
}

impl Image {
    pub(super) fn new() -> Self {
        Self {
            nodes: BTreeMap::from([(ROOT, Node::Dir(Dir::default()))]),
            last_id: ROOT,
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<Option<NodeId>> {
        let mut node = ROOT;
        for name in names(path)? {
            let Some(Node::Dir(dir)) = self.nodes.get(&node) else {
                return Ok(None);
            };
            match dir.live.get(name) {
                Some(next) => node = *next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    pub(super) fn get(&self, path: &Path) -> io::Result<NodeId> {
        self.find(path)?
            .ok_or_else(|| failure(ErrorKind::NotFound, path))
    }

    pub(super) fn get_file(&self, path: &Path) -> io::Result<NodeId> {
        let node = self.get(path)?;
        match self.nodes.get(&node) {
            Some(Node::File(_)) => Ok(node),
            _ => Err(failure(ErrorKind::IsADirectory, path)),
        }
    }

    pub(super) fn is_dir(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(&node), Some(Node::Dir(_)))
    }

    pub(super) fn file(&self, node: NodeId) -> io::Result<&FileData> {
        match self.nodes.get(&node) {
            Some(Node::File(data)) => Ok(data),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn file_mut(&mut self, node: NodeId) -> io::Result<&mut FileData> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(data)) => Ok(data),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Names in a folder with their nodes.
    pub(super) fn entries(&self, path: &Path) -> io::Result<Vec<(String, NodeId)>> {
        let node = self.get(path)?;
        match self.nodes.get(&node) {
            Some(Node::Dir(dir)) => Ok(dir.live.clone().into_iter().collect()),
            _ => Err(failure(ErrorKind::NotADirectory, path)),
        }
    }

    pub(super) fn create_file(&mut self, path: &Path, data: FileData) -> io::Result<NodeId> {
        self.create(path, Node::File(data))
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<NodeId> {
        self.create(path, Node::Dir(Dir::default()))
    }

    fn create(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let (parent, name) = self.place(path)?;
        let dir = self.dir_mut(parent, path)?;
        if dir.live.contains_key(name) {
            return Err(failure(ErrorKind::AlreadyExists, path));
        }
        self.last_id += 1;
        let id = self.last_id;
        self.nodes.insert(id, node);
        self.change(
            parent,
            DirChange::Add {
                name: name.to_owned(),
                node: id,
            },
        );
        Ok(id)
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.get_file(from)?;
        let (parent, name) = self.place(to)?;
        if self.dir_mut(parent, to)?.live.contains_key(name) {
            return Err(failure(ErrorKind::AlreadyExists, to));
        }
        let name = name.to_owned();
        self.change(parent, DirChange::Add { name, node });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.get(from)?;
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        self.dir_mut(to_dir, to)?;
        if let Some(replaced) = self.find(to)? {
            if replaced == node {
                return Ok(());
            }
            self.check_replaceable(node, replaced, to)?;
        }
        if from_dir == to_dir {
            let (from, to) = (from_name.to_owned(), to_name.to_owned());
            self.change(from_dir, DirChange::Rename { from, to, node });
            return Ok(());
        }
        let name = to_name.to_owned();
        self.change(to_dir, DirChange::Add { name, node });
        let (name, to) = (from_name.to_owned(), to_dir);
        self.change(from_dir, DirChange::MoveAway { name, node, to });
        Ok(())
    }

    fn check_replaceable(&self, node: NodeId, replaced: NodeId, to: &Path) -> io::Result<()> {
        match (self.nodes.get(&node), self.nodes.get(&replaced)) {
            (Some(Node::File(_)), Some(Node::Dir(_))) => Err(failure(ErrorKind::IsADirectory, to)),
            (Some(Node::Dir(_)), Some(Node::File(_))) => Err(failure(ErrorKind::NotADirectory, to)),
            (_, Some(Node::Dir(dir))) if !dir.live.is_empty() => {
                Err(failure(ErrorKind::DirectoryNotEmpty, to))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let node = self.get_file(path)?;
        self.remove(path, node)
    }

    pub(super) fn remove_empty_dir(&mut self, path: &Path) -> io::Result<()> {
        if !self.entries(path)?.is_empty() {
            return Err(failure(ErrorKind::DirectoryNotEmpty, path));
        }
        let node = self.get(path)?;
        self.remove(path, node)
    }

    fn remove(&mut self, path: &Path, node: NodeId) -> io::Result<()> {
        let (parent, name) = self.place(path)?;
        let name = name.to_owned();
        self.change(parent, DirChange::Remove { name, node });
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let id = self.get(path)?;
        let changes = std::mem::take(&mut self.dir_mut(id, path)?.unsynced);
        for change in changes {
            if self.may_be_durable(&change) {
                self.make_durable(id, change);
            } else {
                self.dir_mut(id, path)?.unsynced.push(change);
            }
        }
        Ok(())
    }

    /// A sync of the folder failed: its changes show, and no later sync writes them.
    pub(super) fn lose_unsynced_names(&mut self, path: &Path) -> io::Result<()> {
        let id = self.get(path)?;
        self.dir_mut(id, path)?.unsynced.clear();
        Ok(())
    }

    /// Bytes on the disk of all files that have a name.
    pub(super) fn allocated(&self) -> u64 {
        let mut named: Vec<NodeId> = self
            .nodes
            .values()
            .filter_map(|node| match node {
                Node::Dir(dir) => Some(dir.live.values().copied()),
                Node::File(_) => None,
            })
            .flatten()
            .collect();
        named.sort_unstable();
        named.dedup();
        named
            .into_iter()
            .filter_map(|id| self.file(id).ok())
            .map(FileData::allocated)
            .sum()
    }

    /// The power went, and nothing that was not synced is left.
    pub(super) fn drop_unsynced(&mut self) {
        for node in self.nodes.values_mut() {
            match node {
                Node::File(data) => data.drop_unsynced(),
                Node::Dir(dir) => {
                    dir.unsynced.clear();
                    dir.live = dir.durable.clone();
                }
            }
        }
        self.forget_unnamed();
    }

    /// The power went, and of what was not synced any part is left.
    pub(super) fn tear(&mut self, random: &SimRandom) {
        let kept_in_eight = [0, 4, 7, 8][random.below(4) as usize];
        let mut moves = Vec::new();
        let ids: Vec<NodeId> = self.nodes.keys().copied().collect();
        for id in ids {
            match self.nodes.get_mut(&id) {
                Some(Node::File(data)) => data.tear(random),
                Some(Node::Dir(dir)) => {
                    for change in std::mem::take(&mut dir.unsynced) {
                        if random.below(8) >= kept_in_eight {
                            continue;
                        }
                        match change {
                            DirChange::MoveAway { .. } => moves.push((id, change)),
                            _ => self.make_durable(id, change),
                        }
                    }
                }
                None => {}
            }
        }
        for (id, change) in moves {
            if self.may_be_durable(&change) {
                self.make_durable(id, change);
            }
        }
        for node in self.nodes.values_mut() {
            if let Node::Dir(dir) = node {
                dir.live = dir.durable.clone();
            }
        }
        self.forget_unnamed();
    }

    /// Makes a name durable as if its folders had been synced.
    pub(super) fn sync_all_names(&mut self) {
        for node in self.nodes.values_mut() {
            if let Node::Dir(dir) = node {
                dir.unsynced.clear();
                dir.durable = dir.live.clone();
            }
        }
    }

    fn change(&mut self, dir: NodeId, change: DirChange) {
        if let Some(Node::Dir(dir)) = self.nodes.get_mut(&dir) {
            apply(&mut dir.live, &change);
            dir.unsynced.push(change);
        }
    }

    fn make_durable(&mut self, dir: NodeId, change: DirChange) {
        if let Some(Node::Dir(dir)) = self.nodes.get_mut(&dir) {
            apply(&mut dir.durable, &change);
        }
    }

    fn may_be_durable(&self, change: &DirChange) -> bool {
        match change {
            DirChange::MoveAway { node, to, .. } => match self.nodes.get(to) {
                Some(Node::Dir(target)) => target.durable.values().any(|id| id == node),
                _ => true,
            },
            _ => true,
        }
    }

    /// After a crash nobody has a file open: what no name leads to is gone.
    fn forget_unnamed(&mut self) {
        let mut reached = vec![ROOT];
        let mut next = 0;
        while let Some(id) = reached.get(next) {
            if let Some(Node::Dir(dir)) = self.nodes.get(id) {
                reached.extend(dir.live.values());
            }
            next += 1;
        }
        self.nodes.retain(|id, _| reached.contains(id));
    }

    /// The folder of `path`, and its name there.
    fn place<'a>(&self, path: &'a Path) -> io::Result<(NodeId, &'a str)> {
        let mut names = names(path)?;
        let name = names
            .pop()
            .ok_or_else(|| failure(ErrorKind::AlreadyExists, path))?;
        let parent: std::path::PathBuf = names.iter().collect();
        Ok((self.get(&parent)?, name))
    }

    fn dir_mut(&mut self, node: NodeId, path: &Path) -> io::Result<&mut Dir> {
        match self.nodes.get_mut(&node) {
            Some(Node::Dir(dir)) => Ok(dir),
            _ => Err(failure(ErrorKind::NotADirectory, path)),
        }
    }
}

/// Applies a change where it fits: an earlier one that it builds on may not have survived.
fn apply(entries: &mut BTreeMap<String, NodeId>, change: &DirChange) {
    match change {
        DirChange::Add { name, node } => {
            entries.insert(name.clone(), *node);
        }
        DirChange::Remove { name, node } | DirChange::MoveAway { name, node, .. } => {
            if entries.get(name) == Some(node) {
                entries.remove(name);
            }
        }
        DirChange::Rename { from, to, node } => {
            if entries.get(from) == Some(node) {
                entries.remove(from);
                entries.insert(to.clone(), *node);
            }
        }
    }
}

/// The names that lead from the root to `path`; relative paths begin there as well.
fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => names.push(
                name.to_str()
                    .ok_or_else(|| failure(ErrorKind::InvalidInput, path))?,
            ),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(failure(ErrorKind::InvalidInput, path));
            }
        }
    }
    Ok(names)
}

fn failure(kind: ErrorKind, path: &Path) -> io::Error {
    io::Error::new(kind, format!("{kind}: {}", path.display()))
}
