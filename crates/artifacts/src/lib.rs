//! What was uploaded: organisations, projects, releases, bundles and debug ids; and which map serves a frame of a stack trace.
//!
//! A service that embeds JavaScript, in `deno_core`, `rquickjs` or V8, resolves the stacks of its own bundles without a server, as `source-map-support` does in
//! Node:
//!
//! ```
//! use std::sync::Arc;
//!
//! use artifacts::folder::Folder;
//! use artifacts::resolve::{Exception, Resolver};
//!
//! // Once: reads the bundles and maps that the build left.
//! let build = Folder::open(&["tests/fixtures/webpack/hashed"])?;
//! let resolver = Resolver::new(Arc::new(build));
//!
//! // For each error that the engine reports. Frames that no map covers, and all other text, stay as they came.
//! let stack = "PaymentError: limit exceeded: 120
//!     at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404)
//!     at Module._compile (node:internal/modules/cjs/loader:1521:14)";
//! let resolved = resolver.resolve(&Exception::of_folder(stack))?;
//! assert_eq!(
//!     resolved.text,
//!     "PaymentError: limit exceeded: 120
//!     at chargeCustomer (src/payment.js:12:11)
//!     at Module._compile (node:internal/modules/cjs/loader:1521:14)"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Resolved::frames`](resolve::Resolved::frames) has function, file, line, column and five lines of source for each frame, or why it stays raw.
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
