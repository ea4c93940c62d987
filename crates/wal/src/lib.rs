//! The write-ahead log: what was acknowledged is in it, and comes out of it after a crash.
//!
//! [`Wal::append`] resolves once its record is durable. Whoever appends while a sync runs shares the
//! next one (group commit), so the number of syncs follows the disk and not the load. [`Wal::open`]
//! hands back a [`Replay`], which yields exactly a prefix of what was appended, and all that was
//! acknowledged: a torn tail is cut and reported, damage anywhere else is an error that names file
//! and offset. `docs/formats/log.md` draws every byte.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use host::sim::{Crash, SimHost};
//! use wal::{NewRecord, PayloadCodec, RecordKind, Wal, WalOptions};
//!
//! # fn main() -> Result<(), wal::WalError> {
//! let sim = SimHost::new(7);
//! let dir = Path::new("wal");
//! let (wal, _) = Wal::open(&sim.host(), dir, 1, WalOptions::default())?;
//! let record = NewRecord {
//!     kind: RecordKind::Traces,
//!     codec: PayloadCodec::OtlpProtobuf,
//!     tenant: Arc::from("default"),
//!     arrived_unix_nano: 1_767_225_600_000_000_000,
//!     payload: "spans".into(),
//! };
//! let seq = sim.block_on(wal.append(record, Box::new(|seq| println!("{seq} is searchable"))))?;
//!
//! sim.crash(Crash::DropUnsynced);
//! let (_, replay) = Wal::open(&sim.host(), dir, 2, WalOptions::default())?;
//! let records: Vec<_> = replay.read_from(1).collect::<Result<_, _>>()?;
//! assert_eq!((records[0].seq, &records[0].payload[..]), (seq, &b"spans"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! It does not look into payloads, does not lock its folder (the store does), and is not
//! replicated. One writer at a time.

mod commit;
mod error;
mod frame;
mod inspect;
mod options;
mod reader;
mod record;
mod recover;
mod replay;
mod writer;

pub use commit::{OnDurable, Wal};
pub use error::WalError;
pub use frame::{FORMAT_VERSION, MAX_PAYLOAD_BYTES, MAX_TENANT_BYTES};
pub use inspect::{Inspected, SegmentInspector, SegmentNames};
pub use options::{Durability, OnSync, WalOptions, WalStats};
pub use record::{NewRecord, PayloadCodec, Position, Record, RecordKind};
pub use replay::{Records, Replay, TornTail};
