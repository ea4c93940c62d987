//! Listeners: addresses are bound, connections accepted, served and, at the end, finished.

mod accept;
mod bind;
mod linger;

pub(crate) use accept::{ConnectionLimits, serve};
pub(crate) use bind::{BindError, Bound, bind};
