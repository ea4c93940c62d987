//! Why there is no exporter.

use std::io;
use std::path::PathBuf;

/// What is wrong with what an exporter was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExporterError {
    /// The address has no scheme `http` or `https`, or no host.
    #[error("`{0}` is no address like http://localhost:4318")]
    Endpoint(String),
    /// A header's name or value is none. The value is not told, since it may be a credential.
    #[error("the header `{0}` is malformed")]
    Header(String),
    /// The address is https, and the feature `tls` is off.
    #[error("`{0}` needs the feature `tls` of the crate backtrail")]
    TlsIsOff(String),
    /// A file with a certificate or key can't be read.
    #[error("can't read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file has no certificate or key that can be used.
    #[error("{} is of no use: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A client's certificate without its key, or a key without its certificate.
    #[error("{named} is set and {missing} is not: a client needs both")]
    HalfAnIdentity {
        /// The variable that is set.
        named: String,
        /// The one that is not.
        missing: String,
    },
    /// The machine has no roots to trust, and no file was named.
    #[error("no trusted root certificates were found on this machine: {0}")]
    NoRoots(String),
}
