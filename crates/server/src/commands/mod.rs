//! Commands that are not the server: each talks to a running one, or reads files.

pub(crate) mod bearer;
pub(crate) mod data;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod import;
mod progress;
pub(crate) mod sourcemaps;
pub(crate) mod tokens;
