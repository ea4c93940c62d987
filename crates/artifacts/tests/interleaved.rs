//! Whatever a server commits and removes between two reads of a backup or a check, both find the store whole.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use artifacts::{Artifacts, BundleFilter, Page};
use bundle_maker::{ORG, bundle, file, upload};
use host::sim::SimHost;
use host::{DirEntry, File, FileBytes, FileLock, Files, Host, Space};
use serde_json::json;

const DATA: &str = "data";

/// What happens between two reads.
type Act = Box<dyn FnMut() + Send>;

/// Files of which each opening and each read in the data directory waits for the act that is due then.
struct Interleaved {
    files: Arc<dyn Files>,
    acts: Arc<Acts>,
}

/// Counts reads, and acts before those that are due.
struct Acts {
    reads: AtomicU64,
    is_due: Box<dyn Fn(u64) -> bool + Send + Sync>,
    act: Mutex<Act>,
}

impl Acts {
    fn read(&self, path: &Path) {
        if path.starts_with(DATA) && (self.is_due)(self.reads.fetch_add(1, Ordering::Relaxed)) {
            (self.act.lock().unwrap())();
        }
    }
}

struct InterleavedFile {
    file: Arc<dyn File>,
    path: PathBuf,
    acts: Arc<Acts>,
}

impl Files for Interleaved {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.acts.read(path);
        Ok(Arc::new(InterleavedFile {
            file: self.files.open(path)?,
            path: path.to_owned(),
            acts: Arc::clone(&self.acts),
        }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.acts.read(path);
        self.files.list(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.files.create_new(path)
    }

    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        self.files.map(path)
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.files.open_write(path)
    }

    fn link_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.link_new(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.copy_permissions(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.files.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.files.remove_dir_all(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.files.create_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.files.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.files.exists(path)
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.real_path(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<Space> {
        self.files.free_bytes(path)
    }

    fn lock_exclusive(&self, path: &Path) -> io::Result<Box<dyn FileLock>> {
        self.files.lock_exclusive(path)
    }
}

impl File for InterleavedFile {
    fn len(&self) -> io::Result<u64> {
        self.acts.read(&self.path);
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.acts.read(&self.path);
        self.file.read_exact_at(buf, offset)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.acts.read(&self.path);
        self.file.read_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.file.preallocate(len)
    }
}

fn open(host: &Host, dir: &str) -> Artifacts {
    Artifacts::open(host, Path::new(dir), bundle_maker::small_options()).unwrap()
}

fn upload_numbered(artifacts: &Artifacts, number: u64) {
    let map = format!(r#"{{"version":3,"file":"{number}.js","mappings":""}}"#);
    let files = [
        file(
            "app.js",
            "minified_source",
            json!({}),
            format!("run({number})"),
        ),
        file("app.js.map", "source_map", json!({}), map),
    ];
    let version = format!("1.{number}");
    upload(artifacts, &bundle(Some(&version), &files), Some(&version)).unwrap();
}

/// The numbers of the bundles, newest first.
fn numbers(artifacts: &Artifacts) -> Vec<u64> {
    let listed = artifacts.bundles(ORG, &BundleFilter::default(), &Page::first(Page::MAX));
    let bundles = listed.unwrap().items;
    let numbers = bundles.iter().map(|bundle| {
        let files = artifacts.bundle_files(ORG, bundle.id, &Page::first(Page::MAX));
        let text = files.unwrap().items.into_iter().map(|file| {
            let bytes = artifacts.read_blob(file.sha256, 1000).unwrap();
            String::from_utf8(bytes).unwrap()
        });
        let text: Vec<String> = text.collect();
        let script = text.iter().find_map(|text| text.strip_prefix("run("));
        script.unwrap().trim_end_matches(')').parse().unwrap()
    });
    numbers.collect()
}

/// A store with three bundles, and a host on which, before each read that is due, the oldest goes and a newer one comes.
fn changing(
    sim: &SimHost,
    is_due: impl Fn(u64) -> bool + Send + Sync + 'static,
) -> (Artifacts, Host, Arc<Acts>) {
    let host = sim.host();
    let artifacts = open(&host, DATA);
    for number in 0..3 {
        upload_numbered(&artifacts, number);
    }
    let mut next = 3;
    let changed = artifacts.clone();
    let act = move || {
        let listed = changed.bundles(ORG, &BundleFilter::default(), &Page::first(Page::MAX));
        let oldest = listed.unwrap().items.last().unwrap().id;
        changed.delete_bundle(ORG, oldest).unwrap();
        changed.delete_release(ORG, "1.0").unwrap();
        upload_numbered(&changed, next);
        next += 1;
    };
    let acts = Arc::new(Acts {
        reads: AtomicU64::new(0),
        is_due: Box::new(is_due),
        act: Mutex::new(Box::new(act)),
    });
    let files = Arc::new(Interleaved {
        files: Arc::clone(&host.files),
        acts: Arc::clone(&acts),
    });
    (artifacts, Host { files, ..host }, acts)
}

/// Backs up and checks with changes before the reads that are due; the numbers that the copy has, and how many reads it took.
fn run(seed: u64, is_due: impl Fn(u64) -> bool + Send + Sync + 'static) -> (Vec<u64>, u64) {
    let sim = SimHost::new(seed);
    let (artifacts, host, acts) = changing(&sim, is_due);
    let (data, copy) = (Path::new(DATA), Path::new("copy"));
    artifacts::backup(&host, data, None, copy, &mut |_| {}).unwrap();
    let reads = acts.reads.swap(0, Ordering::Relaxed);
    let live = artifacts::check(&host, data, &mut |_| {}).unwrap();
    assert_eq!(live.unwrap().defects, []);
    let copied = artifacts::check(&sim.host(), copy, &mut |_| {}).unwrap();
    let copied = copied.unwrap();
    assert_eq!((&copied.defects[..], &copied.notes[..]), (&[][..], &[][..]));
    drop(artifacts);
    (numbers(&open(&sim.host(), "copy")), reads)
}

#[test]
fn a_change_before_any_one_read_leaves_the_backup_as_before_or_as_after() {
    let (before, reads) = run(1, |_| false);
    assert_eq!(before, [2, 1, 0]);
    let mut seen = [0, 0];
    for nth in 0..reads {
        let (numbers, _) = run(1, move |read| read == nth);
        match &numbers[..] {
            [2, 1, 0] => seen[0] += 1,
            [3, 2, 1] => seen[1] += 1,
            _ => panic!("before read {nth}: {numbers:?}"),
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?} of {reads}");
}

#[test]
fn changes_before_every_few_reads_leave_three_bundles_in_a_row() {
    let mut newest = 0;
    for (seed, every) in [(1, 7), (2, 11), (3, 17), (4, 23)] {
        let (numbers, reads) = run(seed, move |read| read % every == every - 1);
        assert!(reads > every, "every {every}: {reads}");
        let expected: Vec<u64> = (numbers[0] - 2..=numbers[0]).rev().collect();
        assert_eq!(numbers, expected, "every {every}");
        newest = newest.max(numbers[0]);
    }
    assert!(newest > 3, "no backup met a change: {newest}");
}
