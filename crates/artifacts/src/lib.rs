//! What was uploaded: organisations, projects, releases, bundles and debug ids; and which map serves a frame of a stack trace.
//!
//! A server keeps uploads in [`Artifacts`] and resolves with [`Uploads`]. A program that runs JavaScript resolves with the folder of its build alone:
//!
//! ```
//! use std::sync::Arc;
//!
//! use artifacts::folder::{FOLDER_VERSION, Folder};
//! use artifacts::ladder::Origin;
//! use artifacts::resolve::{Exception, Resolver};
//!
//! # let dist = tempfile::tempdir()?;
//! # let dist = dist.path().to_owned();
//! let folder = Folder::read(&host::RealFiles, &[dist])?;
//! let resolver = Resolver::new(Arc::new(folder));
//!
//! let stack = "Error: no\n    at n (/app/main.js:1:404)";
//! let origin = Origin { service: "", version: Some(FOLDER_VERSION), dist: None };
//! let exception = Exception { origin, stack, message: "no", debug_images: &[] };
//! let resolved = resolver.resolve(&exception)?;
//!
//! // There is no bundle in the folder: the stack stays as it is, and the reason is named.
//! assert_eq!(resolved.text, stack);
//! assert!(resolved.scripts[0].fix().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not for: HTTP (`server` has the upload API), and not for reading maps ([`srcmap`] does).

mod assemble;
mod blobs;
mod bundle;
mod bundles;
mod caches;
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
pub use blobs::BlobReader;
pub use bundle::{BundleError, FileKind, Manifest, ManifestFile, ReadAt, check_bundle};
pub use bundles::{BundleFilter, BundleId, BundleKind, Place, StoredBundle, StoredFile};
pub use caches::CacheFailure;
pub use digest::{DigestError, Sha1, Sha256};
pub use error::{Error, ErrorClass, Result};
pub use lookup::{Candidate, Candidates, ReleaseRef, Serving};
pub use options::{BundleLimits, Options, Quotas};
pub use organisations::{IfMissing, Organisation, Project};
pub use page::{Listed, Page};
pub use releases::{Commit, Deploy, Release, ReleaseChange, ReleaseId};
pub use retention::Swept;
pub use single_files::SingleFile;
pub use store::Artifacts;
pub use uploads::Uploads;
