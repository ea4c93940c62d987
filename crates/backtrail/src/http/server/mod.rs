//! Requests that a service answers.
//!
//! | service | how |
//! |---|---|
//! | axum | `Router::layer(tracing.http_server())`, with the feature `axum` for the route |
//! | axum, with the layer around the whole router | the same, and [`RouteLayer`] inside |
//! | tonic | `Server::builder().layer(tracing.http_server())` |
//! | hyper | the layer around a tower service, and [`set_route`](super::set_route) in the handler |
//!
//! **Route.** `Router::layer` and `Router::route_layer` run after axum has matched the route, so the span has it from its start. A layer around
//! the router, such as one that also sees requests before a rewrite of their paths, starts its span before: there the route is told from inside by
//! [`RouteLayer`], or by [`set_route`](super::set_route).

mod attributes;
mod forwarded;
mod layer;
mod route_layer;
mod service;
mod settings;
mod watch;

#[cfg(feature = "actix")]
pub(super) use attributes::{Incoming, record_late_route};
pub use layer::HttpServerLayer;
pub use route_layer::{RouteLayer, RouteService};
pub use service::HttpServer;
#[cfg(feature = "actix")]
pub(super) use settings::{AnsweringHeads, ServerSettings, server_settings};

pub use super::request_body::{AsIs, Captured, CapturedBody, RequestBody};

use std::net::SocketAddr;

/// The peer of a connection, for `client.address` and `network.peer.address`: put it into the extensions of each request of a connection. With the
/// feature `axum`, axum's `ConnectInfo<SocketAddr>` does as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);
