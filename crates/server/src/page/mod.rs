//! The page's files, from inside the binary.
//!
//! `index.html` names its scripts and styles below `/assets/<hash of the tree>/`, so the browser
//! keeps them for a year and still never mixes two versions: another version is another address.
//! Modules import each other by relative paths, which stay below the same hash. Debug builds read
//! the files from disk again whenever `index.html` is asked for.

mod headers;
mod tree;

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub(crate) use headers::with_strict_headers;
use headers::{accepts_gzip, matches_etag};
use tree::{Asset, Tree};

/// The hash in the address changes with any byte of the tree.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Ask each time; a 304 is cheap.
const REVALIDATE: &str = "no-cache";

/// First segments of addresses that are never views of the page.
const NOT_VIEWS: &[&str] = &[
    "api", "assets", "metrics", "healthz", "readyz", "tempo", "v1",
];

/// The page at `/` and at every address that is a view of it, and its assets. It is the fallback of
/// the web listener, so it is merged with routers that have none.
pub(crate) fn router() -> Router {
    let router = Router::new()
        .route("/assets/{hash}/{*path}", get(asset))
        .fallback(view)
        .with_state(Page::new());
    with_strict_headers(router)
}

/// The tree that is served now.
#[derive(Clone)]
struct Page {
    tree: Arc<RwLock<Arc<Tree>>>,
}

impl Page {
    fn new() -> Self {
        Self {
            tree: Arc::new(RwLock::new(Arc::new(Tree::read()))),
        }
    }

    fn tree(&self) -> Arc<Tree> {
        // The lock only guards a pointer: there is no half-changed state to be seen.
        Arc::clone(&self.tree.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tree as it is now: of the disk in debug builds, of the binary otherwise.
    fn newest_tree(&self) -> Arc<Tree> {
        if cfg!(debug_assertions) {
            let newest = Tree::read();
            let mut tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            if tree.hash() != newest.hash() {
                *tree = Arc::new(newest);
            }
        }
        self.tree()
    }
}

/// `index.html` for every view: which view it is, the page reads from the address itself.
async fn view(State(page): State<Page>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !is_view(uri.path()) {
        return missing(&format!("nothing is served at {}", uri.path()));
    }
    if method != Method::GET && method != Method::HEAD {
        let allowed = [("allow", "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allowed).into_response();
    }
    respond(page.newest_tree().index(), REVALIDATE, &headers)
}

fn is_view(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let first = segments.next().unwrap_or_default();
    // What looks like a file is one that is not there: favicon.ico, .git/config.
    !NOT_VIEWS.contains(&first) && !path.contains('.')
}

async fn asset(
    State(page): State<Page>,
    Path((hash, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let tree = page.tree();
    if hash != tree.hash() {
        return missing("these assets belong to another version of Backtrail: reload the page");
    }
    match tree.asset(&path) {
        Some(asset) => respond(asset, FOR_EVER, &headers),
        None => missing(&format!("the page has no file {path}")),
    }
}

fn missing(why: &str) -> Response {
    (
        StatusCode::NOT_FOUND,
        [(CACHE_CONTROL, "no-store")],
        format!("{why}\n"),
    )
        .into_response()
}

/// The file as the client can take it; HEAD is cut short by axum.
fn respond(asset: &Asset, cache_control: &'static str, request: &HeaderMap) -> Response {
    let gzip = asset
        .gzip()
        .filter(|_| accepts_gzip(request.get_all(ACCEPT_ENCODING)));
    let etag = asset.etag(gzip.is_some());
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static(cache_control));
    headers.insert(VARY, http::HeaderValue::from_static("accept-encoding"));
    let unchanged = matches_etag(request.get_all(IF_NONE_MATCH), &etag);
    headers.insert(ETAG, etag);
    if unchanged {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static(asset.content_type()),
    );
    if gzip.is_some() {
        headers.insert(CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
    }
    let body = gzip.unwrap_or_else(|| asset.bytes());
    (headers, body).into_response()
}

#[cfg(test)]
mod tests;
