//! What was uploaded: organisations, projects, releases, bundles and debug ids; and which map serves a frame of a stack trace.
//!
//! Not for: HTTP (`server` has the upload API), and not for reading maps ([`srcmap`] does).

mod assemble;
mod backup;
mod blobs;
mod bundle;
mod bundles;
mod caches;
mod check;
mod chunks;
mod commit;
mod deletion;
mod digest;
mod error;
pub mod folder;
mod inspect;
pub mod ladder;
mod lookup;
mod metadata;
mod mishaps;
mod named;
mod names;
mod options;
mod organisations;
mod page;
mod releases;
pub mod resolve;
mod retention;
mod single_files;
mod store;
mod uploads;

pub use assemble::{Assemble, Assembled};
pub use backup::{BackupError, BackupReport, backup, backup_metadata};
pub use blobs::BlobReader;
pub use bundle::{BundleError, FileKind, Manifest, ManifestFile, ReadAt, check_bundle};
pub use bundles::{BundleFilter, BundleId, BundleKind, Place, StoredBundle, StoredFile};
pub use caches::CacheFailure;
pub use check::{CheckReport, Defect, Progress, check};
pub use digest::{DigestError, Sha1, Sha256};
pub use error::{Error, ErrorClass, Result};
pub use lookup::{Candidate, Candidates, ReleaseRef, Serving};
pub use mishaps::Mishap;
pub use options::{BundleLimits, Options, Quotas};
pub use organisations::{IfMissing, Organisation, Project};
pub use page::{Listed, Page};
pub use releases::{Commit, Deploy, Release, ReleaseChange, ReleaseId};
pub use retention::Swept;
pub use single_files::SingleFile;
pub use store::Artifacts;
pub use uploads::Uploads;
