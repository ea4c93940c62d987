//! What every `Files` promises, asked of the real file system and of the simulated one alike.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::sim::SimHost;
use host::{File, Files, RealFiles};

/// Runs `check` on both file systems, each in an empty folder of its own.
fn on_both(check: impl Fn(&dyn Files, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    check(&RealFiles, folder.path());

    let sim = SimHost::new(1);
    let files = sim.host().files;
    files.create_dir_all(Path::new("/data")).unwrap();
    check(&*files, Path::new("/data"));
}

fn put(files: &dyn Files, path: PathBuf, bytes: &[u8]) -> Arc<dyn File> {
    let file = files.create_new(&path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

fn bytes_of(files: &dyn Files, path: PathBuf) -> Vec<u8> {
    let file = files.open(&path).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn a_file_is_created_once() {
    on_both(|files, dir| {
        put(files, dir.join("a"), b"first");
        let again = files.create_new(&dir.join("a"));
        assert_eq!(kind(again), Some(ErrorKind::AlreadyExists));
        assert_eq!(bytes_of(files, dir.join("a")), b"first");
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    on_both(|files, dir| {
        let missing = dir.join("missing");
        assert!(!files.exists(&missing).unwrap());
        assert_eq!(kind(files.open(&missing)), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.open_write(&missing)), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.remove_file(&missing)), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.list(&missing)), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.free_bytes(&missing)), Some(ErrorKind::NotFound));
        let orphan = files.create_new(&missing.join("child"));
        assert_eq!(kind(orphan), Some(ErrorKind::NotFound));
    });
}

#[test]
fn writes_land_where_they_say_and_gaps_read_as_zeros() {
    on_both(|files, dir| {
        let file = put(files, dir.join("a"), b"head");
        file.write_all_at(b"tail", 2000).unwrap();
        assert_eq!(file.len().unwrap(), 2004);
        let mut middle = [1; 6];
        file.read_exact_at(&mut middle, 2).unwrap();
        assert_eq!(&middle, b"ad\0\0\0\0");
        let mut past_end = [0; 5];
        let read = file.read_exact_at(&mut past_end, 2000);
        assert_eq!(kind(read), Some(ErrorKind::UnexpectedEof));
    });
}

#[test]
fn a_cut_file_grows_again_with_zeros() {
    on_both(|files, dir| {
        let file = put(files, dir.join("a"), &[7; 1500]);
        file.set_len(700).unwrap();
        file.set_len(1500).unwrap();
        let bytes = bytes_of(files, dir.join("a"));
        assert!(bytes[..700].iter().all(|byte| *byte == 7));
        assert!(bytes[700..].iter().all(|byte| *byte == 0));
    });
}

#[test]
fn preallocation_extends_and_never_cuts() {
    on_both(|files, dir| {
        let file = put(files, dir.join("a"), b"kept");
        file.preallocate(10_000).unwrap();
        assert_eq!(file.len().unwrap(), 10_000);
        file.preallocate(5_000).unwrap();
        file.preallocate(0).unwrap();
        assert_eq!(file.len().unwrap(), 10_000);
        assert_eq!(&bytes_of(files, dir.join("a"))[..6], b"kept\0\0");
    });
}

#[test]
fn a_file_opened_for_reading_refuses_writes() {
    on_both(|files, dir| {
        put(files, dir.join("a"), b"kept");
        let file = files.open(&dir.join("a")).unwrap();
        assert!(file.write_all_at(b"lost", 0).is_err());
        assert_eq!(bytes_of(files, dir.join("a")), b"kept");
        let file = files.open_write(&dir.join("a")).unwrap();
        file.write_all_at(b"K", 0).unwrap();
        file.sync_all().unwrap();
        assert_eq!(bytes_of(files, dir.join("a")), b"Kept");
    });
}

#[test]
fn publishing_by_link_lets_one_win() {
    on_both(|files, dir| {
        put(files, dir.join("mine"), b"mine");
        put(files, dir.join("yours"), b"yours");
        let name = dir.join("published");
        files.link_new(&dir.join("mine"), &name).unwrap();
        let second = files.link_new(&dir.join("yours"), &name);
        assert_eq!(kind(second), Some(ErrorKind::AlreadyExists));
        files.remove_file(&dir.join("mine")).unwrap();
        assert_eq!(bytes_of(files, name), b"mine");
    });
}

#[test]
fn a_rename_replaces() {
    on_both(|files, dir| {
        put(files, dir.join("new"), b"new");
        put(files, dir.join("old"), b"old");
        files.rename(&dir.join("new"), &dir.join("old")).unwrap();
        assert_eq!(bytes_of(files, dir.join("old")), b"new");
        assert!(!files.exists(&dir.join("new")).unwrap());
    });
}

#[test]
fn a_folder_moves_with_what_is_in_it() {
    on_both(|files, dir| {
        files.create_dir_all(&dir.join("x/draft")).unwrap();
        files.create_dir_all(&dir.join("y")).unwrap();
        put(files, dir.join("x/draft/part"), b"part");
        let to = dir.join("y/final");
        files.rename(&dir.join("x/draft"), &to).unwrap();
        assert_eq!(bytes_of(files, to.join("part")), b"part");
        assert!(files.list(&dir.join("x")).unwrap().is_empty());
    });
}

#[test]
fn folders_list_by_name_with_lengths() {
    on_both(|files, dir| {
        put(files, dir.join("b"), b"12345");
        put(files, dir.join("a"), b"");
        files.create_dir_all(&dir.join("c/d")).unwrap();
        files.sync_dir(dir).unwrap();
        let listed: Vec<_> = files
            .list(dir)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name, entry.is_dir, entry.len))
            .collect();
        let expected = [("a", false, 0), ("b", false, 5), ("c", true, 0)];
        assert_eq!(listed, expected.map(|(n, d, l)| (n.to_owned(), d, l)));
    });
}

#[test]
fn folders_are_created_and_removed_with_all_below() {
    on_both(|files, dir| {
        files.create_dir_all(&dir.join("a/b/c")).unwrap();
        files.create_dir_all(&dir.join("a/b/c")).unwrap();
        put(files, dir.join("a/b/file"), b"x");
        files.remove_dir_all(&dir.join("a")).unwrap();
        assert!(!files.exists(&dir.join("a")).unwrap());
        put(files, dir.join("file"), b"x");
        assert!(files.create_dir_all(&dir.join("file")).is_err());
    });
}

#[test]
fn a_lock_has_one_holder() {
    on_both(|files, dir| {
        let path = dir.join("LOCK");
        let held = files.lock_exclusive(&path).unwrap();
        let second = files.lock_exclusive(&path);
        assert_eq!(kind(second), Some(ErrorKind::WouldBlock));
        drop(held);
        drop(files.lock_exclusive(&path).unwrap());
        assert!(files.exists(&path).unwrap());
    });
}

#[test]
fn free_space_is_part_of_all_space() {
    on_both(|files, dir| {
        let space = files.free_bytes(dir).unwrap();
        assert!(space.free > 0 && space.free <= space.total, "{space:?}");
    });
}

#[test]
fn the_top_of_the_file_system_is_there() {
    for path in ["/", ".", ""] {
        RealFiles.create_dir_all(Path::new(path)).unwrap();
        let files = SimHost::new(1).host().files;
        files.create_dir_all(Path::new(path)).unwrap();
    }
}
