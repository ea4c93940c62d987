//! Thrift's binary and compact protocols: what reads the structs of Jaeger and of Zipkin, and what
//! writes Jaeger's in the binary protocol.

mod binary;
mod compact;
mod protocol;
mod structs;
pub(crate) mod write;

pub(crate) use binary::Binary;
pub(crate) use compact::Compact;
pub(crate) use protocol::{Read, Result, Type};
pub use protocol::{ThriftError, ThriftErrorKind};
pub(crate) use structs::{List, read_fields};
