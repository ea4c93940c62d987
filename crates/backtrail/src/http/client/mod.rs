//! Requests that a service makes.
//!
//! [`TracingSystem::http_client`](crate::TracingSystem::http_client) is a tower layer for any service that takes `http::Request`s: the client of `hyper-util`,
//! a channel of tonic. With the feature `reqwest`, `TracedRequest` does the same for each request of reqwest. [`HttpClientSettings`] say what becomes
//! of them: for the whole system, for one layer, or for one request.
//!
//! ```
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use tower::Layer;
//!
//! # let traces = backtrail::testing::Recorder::new();
//! # let tracing = traces.tracing();
//! let client = Client::builder(TokioExecutor::new()).build_http::<String>();
//! let client = tracing.http_client().layer(client);
//! # drop(client);
//! ```

mod attributes;
mod layer;
#[cfg(feature = "reqwest")]
mod reqwest;
mod service;
mod settings;
mod watch;

pub use layer::HttpClientLayer;
#[cfg(feature = "reqwest")]
pub use reqwest::TracedRequest;
#[cfg(feature = "reqwest")]
pub(super) use reqwest::details_of as details_of_reqwest;
pub use service::HttpClient;
pub use settings::HttpClientSettings;

pub use super::request_body::{AsIs, Captured, CapturedBody, RequestBody};
