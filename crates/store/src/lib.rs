//! Keeps spans: log, memtable, blocks and manifest as one durable, searchable whole.
//!
//! [`Store::append`] resolves when a batch is in the log; from then on it is in every [`Snapshot`], and after a crash too. The memtable is written
//! as blocks in the background ([`Store::run_maintenance`]), small blocks are merged, old ones removed. A snapshot does not change by any of it.
//!
//! ```
//! use host::sim::SimHost;
//! use model::{Signal, SpanBatch, TenantId};
//! use store::{Store, StoreOptions};
//!
//! # fn main() -> Result<(), store::StoreError> {
//! let sim = SimHost::new(1);
//! let tenant = TenantId::default_tenant();
//! let store = sim.block_on(Store::open(sim.host(), StoreOptions::new("data")))?;
//! // A request of the tracing protocol, here an empty one: the batch for searching, its bytes for the log.
//! sim.block_on(store.append(&tenant, Signal::Traces, SpanBatch::empty(), "".into()))?;
//! assert!(store.snapshot(&tenant).scans().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Not for: deciding what is accepted (`codec`), or answering a question (`query` reads snapshots).

mod backup;
mod check;
mod compact;
mod delete;
mod deletion;
mod error;
mod flush;
mod live_block;
mod maintenance;
mod manifest;
mod masked;
mod memory_scan;
mod memtable;
mod open;
mod options;
mod retention;
mod snapshot;
mod stats;
mod store;
mod tables;
mod upkeep;

pub use backup::{Alongside, BackupError, BackupPlace, BackupReport, backup};
pub use check::{CheckReport, Defect, Progress, check};
pub use deletion::{Deleted, Deletion};
pub use error::StoreError;
pub use memory_scan::MemoryScan;
pub use options::{ReadPayload, Retention, StoreOptions};
pub use snapshot::Snapshot;
pub use stats::StoreStats;
pub use store::Store;
pub use wal::{Durability, OnSync};
