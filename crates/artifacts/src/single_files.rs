//! Files one by one, as the old protocol uploads and lists them.

use std::collections::BTreeMap;
use std::io::Read;

use crate::assemble::Pending;
use crate::blobs::Finished;
use crate::bundle::{FileKind, ManifestFile};
use crate::bundles::{BundleId, StoredFile, stored_file};
use crate::commit::{NewBundle, Target};
use crate::digest::Sha1;
use crate::error::{Error, Result};
use crate::inspect::{MinifiedWatch, kind_of_name};
use crate::metadata::rows::{BundleKindRow, decode};
use crate::metadata::tables::row;
use crate::names::{check_optional, check_version};
use crate::organisations::IfMissing;
use crate::page::{Listed, Page};
use crate::store::Artifacts;

/// A file that comes alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SingleFile {
    /// Where it runs: `~/app.js`.
    pub name: String,
    /// Distribution within the release.
    pub dist: Option<String>,
    /// Headers, such as `Sourcemap`; their names in any case.
    pub headers: BTreeMap<String, String>,
}

impl Artifacts {
    /// Stores one file of a release. Without projects, it is for those of the release. The same file again changes only
    /// dates; another one of the same name stands beside the first.
    pub fn put_file(
        &self,
        organisation: &str,
        projects: &[String],
        version: &str,
        file: &SingleFile,
        bytes: &mut dyn Read,
        if_missing: IfMissing,
    ) -> Result<StoredFile> {
        check_version(version)?;
        check_optional("the dist", file.dist.as_ref())?;
        let inner = &self.inner;
        let described = describe(
            file,
            inner.options.bundle.text_bytes,
            inner.options.bundle.headers,
        )?;
        let _upload = inner.upload();
        let limit = inner.options.bundle.file_bytes;
        let mut watch = MinifiedWatch::default();
        let mut watched = Watched {
            bytes,
            watch: (described.kind == FileKind::MinifiedSource).then_some(&mut watch),
        };
        let finished = self.receive("the file", &mut watched, limit, true)?;
        let Finished { sha1, sha256, .. } = finished;
        let dist = file.dist.as_deref().unwrap_or("");
        let identity =
            Sha1::of(format!("file\0{version}\0{dist}\0{}\0{sha1}", file.name).as_bytes());
        let target = Target {
            organisation: organisation.to_owned(),
            projects: projects.to_vec(),
            version: Some(version.to_owned()),
            dist: file.dist.clone(),
            if_missing,
        };
        let view = inner.metadata.view()?;
        let mut pending = Pending::new(self);
        let new_file = pending.store(&view, &described, finished, watch)?;
        pending.sync()?;
        let row = new_file.row.clone();
        let new = NewBundle {
            kind: BundleKindRow::File,
            identity,
            sha1,
            sha256,
            debug_id: None,
            files: vec![new_file],
        };
        let now = inner.now_ms();
        let quotas = &inner.options.quotas;
        let id = inner.change(|tables| tables.commit_bundle(&target, &new, quotas, now))?;
        pending.committed()?;
        stored_file(id, 0, row)
    }

    /// Files of a release, also those in bundles: what came last stands first.
    pub fn release_files(
        &self,
        organisation: &str,
        project: Option<&str>,
        version: &str,
        page: &Page,
    ) -> Result<Listed<StoredFile>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let release = view.known_release(organisation, version)?;
        let project = match project {
            Some(slug) => Some(view.known_project(owner.id, slug)?.id),
            None => None,
        };
        let cursor = page.after.as_deref().and_then(parse_cursor);
        let (first_seq, mut from) = cursor.unwrap_or((u64::MAX, 0));
        let mut items = Vec::new();
        let range = (release.id, 0)..=(release.id, first_seq);
        for entry in view.release_bundles.range(range)?.rev() {
            let (key, id) = entry?;
            let (seq, id) = (key.value().1, BundleId(id.value()));
            let bundle = view.bundle_row(id)?;
            let is_wanted = bundle.places.iter().any(|place| {
                place.release == Some(release.id)
                    && project.is_none_or(|project| place.project == project)
            });
            let start = if seq == first_seq { from } else { 0 };
            from = 0;
            if !is_wanted {
                continue;
            }
            for entry in view.files.range((id.0, start)..=(id.0, u32::MAX))? {
                let (key, value) = entry?;
                let index = key.value().1;
                if items.len() == page.limit() {
                    let next = Some(format!("{seq}.{index}"));
                    return Ok(Listed { items, next });
                }
                items.push(stored_file(id, index, decode(value.value())?)?);
            }
        }
        Ok(Listed { items, next: None })
    }

    /// A file of a release, by the numbers that lists give.
    pub fn release_file(
        &self,
        organisation: &str,
        bundle: BundleId,
        index: u32,
    ) -> Result<Option<StoredFile>> {
        if self.bundle(organisation, bundle)?.is_none() {
            return Ok(None);
        }
        let view = self.inner.metadata.view()?;
        match row(&view.files, (bundle.0, index))? {
            Some(row) => stored_file(bundle, index, row).map(Some),
            None => Ok(None),
        }
    }
}

/// A cursor of [`Artifacts::release_files`]: where it goes on.
fn parse_cursor(text: &str) -> Option<(u64, u32)> {
    let (seq, index) = text.split_once('.')?;
    Some((seq.parse().ok()?, index.parse().ok()?))
}

fn describe(file: &SingleFile, text_bytes: usize, max_headers: usize) -> Result<ManifestFile> {
    let rule = if file.name.is_empty() {
        Some("is empty")
    } else if file.name.len() > text_bytes {
        Some("is too long")
    } else if file.name.chars().any(char::is_control) {
        Some("has control characters")
    } else {
        None
    };
    if let Some(rule) = rule {
        return Err(Error::invalid("the name of the file", &file.name, rule));
    }
    if file.headers.len() > max_headers {
        let count = file.headers.len().to_string();
        return Err(Error::invalid(
            "the number of headers",
            &count,
            "is over the limit",
        ));
    }
    let mut headers = BTreeMap::new();
    for (name, value) in &file.headers {
        if name.len() + value.len() > text_bytes {
            return Err(Error::invalid("the header", name, "is too long"));
        }
        headers.insert(name.to_ascii_lowercase(), value.clone());
    }
    Ok(ManifestFile {
        path: file.name.clone(),
        url: file.name.clone(),
        kind: kind_of_name(&file.name),
        headers,
    })
}

/// Shows what is read.
struct Watched<'a> {
    bytes: &'a mut dyn Read,
    watch: Option<&'a mut MinifiedWatch>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.bytes.read(buf)?;
        if let Some(watch) = &mut self.watch {
            watch.see(&buf[..read]);
        }
        Ok(read)
    }
}
