//! Source maps and JavaScript stack traces: read, look up, resolve.
//!
//! Not for: finding which map belongs to a frame (`artifacts` does), and not for I/O.

pub mod functions;
pub mod stack;
