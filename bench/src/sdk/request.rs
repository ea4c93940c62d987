//! What the span of every contestant says: an HTTP server span with the nine attributes that the
//! stable semantic conventions ask for.

use std::hint::black_box;

/// Low-cardinality, as the conventions want it: method and route.
pub(super) const NAME: &str = "GET /orders/{id}";
pub(super) const METHOD: &str = "GET";
pub(super) const SCHEME: &str = "http";
pub(super) const ROUTE: &str = "/orders/{id}";
pub(super) const PROTOCOL_VERSION: &str = "1.1";
pub(super) const ATTRIBUTES: usize = 9;

/// What differs between requests of a real service, so that nobody can treat it as a constant.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) host: String,
    pub(super) user_agent: String,
    pub(super) port: i64,
    pub(super) status: i64,
}

impl Request {
    pub(super) fn new() -> Self {
        black_box(Self {
            path: "/orders/8f14e45f-ceea-467f-ab8c-2c1d5b2e7a31".to_owned(),
            host: "orders.shop.example".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
                .to_owned(),
            port: 8_080,
            status: 200,
        })
    }
}
