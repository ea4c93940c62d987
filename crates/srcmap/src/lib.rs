//! Source maps and JavaScript stack traces: read, look up, resolve.
//!
//! ```
//! use srcmap::cache::{self, MapCache};
//! use srcmap::map::{MapLimits, SourceMap};
//!
//! let json = br#"{"version":3,"sources":["greet.ts"],"sourcesContent":["hello()"],"names":[],"mappings":"AAAA"}"#;
//! let map = SourceMap::parse(json, &MapLimits::default())?;
//! let file = cache::build(&map, None)?;
//!
//! // Later, in another process: the file is mapped into memory, and nothing is parsed.
//! let cache = MapCache::open(file)?;
//! let place = cache.lookup(0, 0)?.expect("the first token is mapped");
//! assert_eq!((place.source_name, place.line), (Some("greet.ts"), 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Lines and columns are counted from 0, columns in UTF-16 units, as ECMA-426 counts them. Stack traces count from 1.
//!
//! Not for: finding which map belongs to a frame (`artifacts` does), and not for I/O.

pub mod cache;
pub mod debug_id;
pub mod fit;
pub mod functions;
pub mod inject;
pub mod map;
pub mod minified;
pub mod stack;

mod text;

pub use debug_id::DebugId;
