//! Listeners: addresses are bound, connections accepted, served and, at the end, finished; datagrams received.

mod accept;
mod bind;
mod datagrams;
mod hosts;
mod kernel_drops;
mod linger;

pub(crate) use accept::{ConnectionLimits, serve};
pub(crate) use bind::{BindError, Bound, bind, bind_udp};
pub(crate) use datagrams::receive as receive_datagrams;
pub(crate) use hosts::check_hosts;
pub(crate) use kernel_drops::kernel_drops;
