//! The layout of a block: an immutable folder of Parquet files with the spans of one tenant and one window of time.
//!
//! | file | one row is |
//! |---|---|
//! | `spans.parquet` | a span; rows of a trace stand together, traces in the order of their start. Attributes that are common in the block are columns of their own (`span.http.route`), the rest is kept in `attributes` |
//! | `events.parquet` | an event of a span, or one that came without its span |
//! | `traces.parquet` | a trace, sorted by id, with a bloom filter |
//! | `footer` | not Parquet: format version, checksums of the other files, key catalogue, operations |
//!
//! [`write()`] makes a block durable, [`Block::open`] reads one, and a [`Block`] is a [`model::Scan`]. `docs/formats/block.md` draws every byte.
//!
//! ```
//! use std::path::Path;
//! use block::{Block, BlockId, Window};
//! use host::sim::SimHost;
//! use model::{Scan, SpanBatch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = SimHost::new(1).host();
//! let id = BlockId::random(&*host.random);
//! let arrived = block::ArrivedRange { min_unix_nano: 5, max_unix_nano: 5 };
//! let meta = block::write(&host, Path::new("default/h0"), &id, Window::Hour(0), arrived, &SpanBatch::empty())?;
//! let block = Block::open(&host, Path::new("default/h0"), &meta)?;
//! assert!(block.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Not for: deciding which block exists (the manifest in `store` does) or when one is merged or deleted. This crate is the only user of `parquet`.

mod attributes;
mod check;
mod checksum;
mod copy;
mod error;
mod footer;
mod meta;
mod read;
mod scan;
mod window;
mod write;

pub use check::{BlockCheck, BlockDefect, check};
pub use copy::{copy, link};
pub use error::BlockError;
pub use meta::{ArrivedRange, BlockId, BlockMeta};
pub use read::Block;
pub use window::{Window, WindowError};
pub use write::write;

/// Version of the layout that this crate writes. It becomes 1 when the layout is final; until then a block of version 0 is only sure to be
/// read by the build that wrote it.
pub const FORMAT_VERSION: u16 = 0;
