//! From chunks to files that can be found.

use srcmap::DebugId;

use crate::blobs::{Encoding, Finished};
use crate::bundle::{Bundle, FileKind, ManifestFile, ReadAt};
use crate::bundles::BundleId;
use crate::chunks::{Concatenated, check_count};
use crate::commit::{NewBundle, NewFile, Target, check_quotas};
use crate::digest::{Digests, Sha1, Sha256};
use crate::error::{Error, Result};
use crate::inspect::{Facts, MinifiedWatch, inspect_map};
use crate::metadata::rows::{BundleKindRow, FileRow};
use crate::metadata::tables::{View, stored};
use crate::names::{check_optional, check_version};
use crate::organisations::IfMissing;
use crate::store::Artifacts;

/// What a request wants to have assembled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assemble {
    /// Whose chunks.
    pub organisation: String,
    /// SHA-1 of the bundle.
    pub checksum: Sha1,
    /// Its chunks, in order.
    pub chunks: Vec<Sha1>,
    /// Slugs of the projects that it is for. Without any, the project that its manifest names, else those of the release.
    pub projects: Vec<String>,
    /// The release; without one, the release that its manifest names.
    pub version: Option<String>,
    /// The distribution; without one, what its manifest names.
    pub dist: Option<String>,
}

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assembled {
    /// Its files can be found.
    Done(BundleId),
    /// These chunks are not there.
    Missing(Vec<Sha1>),
}

impl Artifacts {
    /// Assembles a bundle and stores its files. Everything is durable when this returns [`Assembled::Done`]; after an error,
    /// nothing of it is stored. A bundle that is there already gets the projects and the release as further places.
    ///
    /// Both assemblies of the protocol end here: `artifactbundle/assemble`, and `releases/<version>/assemble`, which names
    /// no projects.
    pub fn assemble(&self, request: &Assemble, if_missing: IfMissing) -> Result<Assembled> {
        check_count(&request.chunks)?;
        if let Some(version) = &request.version {
            check_version(version)?;
        }
        check_optional("the dist", request.dist.as_ref())?;
        let inner = &self.inner;
        let _upload = inner.upload();
        let mut target = Target {
            organisation: request.organisation.clone(),
            projects: request.projects.clone(),
            version: request.version.clone(),
            dist: request.dist.clone(),
            if_missing,
        };
        if let Some(id) = self.renew(&target, request.checksum)? {
            return Ok(Assembled::Done(id));
        }
        let view = inner.metadata.view()?;
        let Some(owner) = view.organisation(&request.organisation)? else {
            return Ok(Assembled::Missing(request.chunks.clone()));
        };
        let missing = view.missing(owner.id, &request.chunks)?;
        if !missing.is_empty() {
            return Ok(Assembled::Missing(missing));
        }
        let limits = &inner.options.bundle;
        let source =
            Concatenated::open(self, &view, owner.id, &request.chunks, limits.bundle_bytes)?;
        let (sha1, sha256) = digests(&source)?;
        if sha1 != request.checksum {
            return Err(Error::Checksum {
                what: "the bundle",
                expected: request.checksum,
                found: sha1,
            });
        }
        let bundle = Bundle::open(&source, limits)?;
        let quotas = &inner.options.quotas;
        // Before the disk is filled with what will be refused.
        let bytes = owner.bytes + bundle.inflated_bytes();
        check_quotas(&request.organisation, owner.bundles + 1, bytes, quotas)?;
        let mut pending = Pending::new(self);
        let mut files = Vec::with_capacity(bundle.manifest.files.len());
        for file in &bundle.manifest.files {
            files.push(store_file(&mut pending, &view, &bundle, file)?);
        }
        pending.sync()?;
        target.complete(&bundle.manifest)?;
        let new = NewBundle {
            kind: BundleKindRow::Bundle,
            identity: sha1,
            sha1,
            sha256,
            debug_id: bundle.manifest.debug_id,
            files,
        };
        let now = inner.now_ms();
        let id = inner.change(|tables| {
            let id = tables.commit_bundle(&target, &new, quotas, now)?;
            tables.mark_chunks_used(owner.id, &request.chunks)?;
            Ok(id)
        })?;
        pending.committed()?;
        Ok(Assembled::Done(id))
    }

    /// The bundle with this identity, with its dates renewed, when it is there.
    pub(crate) fn renew(&self, target: &Target, identity: Sha1) -> Result<Option<BundleId>> {
        let inner = &self.inner;
        let view = inner.metadata.view()?;
        let Some(owner) = view.organisation(&target.organisation)? else {
            return Ok(None);
        };
        if view.identities.get((owner.id, &identity.0))?.is_none() {
            return Ok(None);
        }
        let now = inner.now_ms();
        let quotas = &inner.options.quotas;
        inner.change(|tables| {
            let id = tables.identified(owner.id, identity)?;
            if let Some(id) = id {
                tables.renew_bundle(target, owner.id, id, quotas, now)?;
            }
            Ok(id)
        })
    }
}

impl Target {
    /// What the request does not say, the manifest may.
    fn complete(&mut self, manifest: &crate::bundle::Manifest) -> Result<()> {
        if self.projects.is_empty() {
            self.projects.extend(manifest.project.clone());
        }
        if self.version.is_none() {
            self.version.clone_from(&manifest.release);
            if let Some(version) = &self.version {
                check_version(version)?;
            }
        }
        if self.dist.is_none() {
            self.dist.clone_from(&manifest.dist);
            check_optional("the dist", self.dist.as_ref())?;
        }
        Ok(())
    }
}

fn digests(source: &Concatenated) -> Result<(Sha1, Sha256)> {
    let mut digests = Digests::default();
    let mut buffer = vec![0; 256 << 10];
    let mut offset = 0;
    while offset < source.len() {
        let len = (source.len() - offset).min(buffer.len() as u64) as usize;
        source
            .read_exact_at(&mut buffer[..len], offset)
            .map_err(crate::bundle::BundleError::Read)?;
        digests.update(&buffer[..len]);
        offset += len as u64;
    }
    Ok(digests.finish())
}

/// Streams a file of the bundle into its blob, and looks at it on the way.
fn store_file(
    pending: &mut Pending<'_>,
    view: &View,
    bundle: &Bundle<'_, Concatenated>,
    file: &ManifestFile,
) -> Result<NewFile> {
    let mut writer = pending.artifacts.inner.blobs.writer(true)?;
    let mut reader = bundle.file(file)?;
    let mut watch = MinifiedWatch::default();
    while let Some(block) = reader.next_block()? {
        if file.kind == FileKind::MinifiedSource {
            watch.see(block);
        }
        writer.write(block)?;
    }
    let finished = writer.finish()?;
    pending.store(view, file, finished, watch)
}

/// Files that were written and that no metadata names yet. Dropped before [`committed`](Self::committed), they are garbage.
pub(crate) struct Pending<'a> {
    artifacts: &'a Artifacts,
    folders: Vec<crate::blobs::Unsynced>,
    written: Vec<(Sha256, Encoding)>,
}

impl<'a> Pending<'a> {
    pub(crate) fn new(artifacts: &'a Artifacts) -> Self {
        Self {
            artifacts,
            folders: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Publishes a file, unless it is there, and makes its row.
    pub(crate) fn store(
        &mut self,
        view: &View,
        file: &ManifestFile,
        finished: Finished,
        watch: MinifiedWatch,
    ) -> Result<NewFile> {
        let Finished {
            sha1,
            sha256,
            staged,
        } = finished;
        let blobs = &self.artifacts.inner.blobs;
        let stored = match stored(&view.blobs, sha256)? {
            Some(stored) => stored,
            None => {
                let stored = staged.stored;
                self.written.push((sha256, stored.encoding));
                self.folders.push(blobs.publish(sha256, staged)?);
                stored
            }
        };
        let facts = match file.kind {
            FileKind::MinifiedSource => watch.facts(),
            FileKind::SourceMap => inspect_map(blobs.open_blob(sha256, stored)?),
            FileKind::Source | FileKind::Other => Facts::default(),
        };
        let from_header = file.headers.get("debug-id").and_then(|id| id.parse().ok());
        let debug_id = from_header.or(facts.debug_id);
        let row = FileRow {
            path: file.path.clone(),
            url: file.url.clone(),
            kind: file.kind.name().to_owned(),
            headers: file.headers.clone(),
            debug_id: debug_id.map(|id: DebugId| id.to_string()),
            source_mapping_url: facts.source_mapping_url,
            inline_map: facts.inline_map,
            map_file: facts.map_file,
            len: stored.len,
            sha1: sha1.to_string(),
            sha256: sha256.to_string(),
        };
        Ok(NewFile {
            row,
            debug_id,
            sha256,
            stored,
        })
    }

    /// Makes the names of the files durable: the metadata may name them then.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let folders = std::mem::take(&mut self.folders);
        self.artifacts.inner.blobs.sync(folders)
    }

    /// The metadata names the files now; but for those of which another upload brought the same bytes, kept otherwise.
    pub(crate) fn committed(mut self) -> Result<()> {
        let view = self.artifacts.inner.metadata.view()?;
        let mut superfluous = Vec::new();
        for (sha256, encoding) in &self.written {
            let row = stored(&view.blobs, *sha256)?;
            if row.is_none_or(|row| row.encoding != *encoding) {
                superfluous.push((*sha256, *encoding));
            }
        }
        self.written = superfluous;
        Ok(())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let written = std::mem::take(&mut self.written);
        self.artifacts.inner.forget_blobs(written);
    }
}
