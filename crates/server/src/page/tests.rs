use std::io::Read as _;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn send(method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Request::builder(), |request, (name, value)| {
            request.header(*name, *value)
        })
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response: Response = router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

async fn get(path: &str) -> Answer {
    send(Method::GET, path, &[]).await
}

fn address(path: &str) -> String {
    format!("/assets/{}/{path}", Tree::read().hash())
}

#[tokio::test]
async fn every_view_is_the_index_with_the_addresses_of_this_tree() {
    let hash = Tree::read().hash().to_owned();
    for view in [
        "/",
        "/search",
        "/search?service=cart",
        "/trace/463ac35c9f6413ad",
        "/trace/1/",
    ] {
        let answer = get(view).await;
        assert_eq!(answer.status, StatusCode::OK, "{view}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(
            answer
                .text()
                .contains(&format!("\"/assets/{hash}/app.js\""))
        );
        assert!(!answer.text().contains("__ASSETS__"));
    }
}

#[tokio::test]
async fn what_is_no_view_is_not_found() {
    for path in [
        "/api",
        "/api/v1/nothing",
        "/assets/app.js",
        "/metrics",
        "/healthz",
        "/v1/traces",
        "/favicon.ico",
        "/.git/config",
        "/ui/index.html",
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_view_is_only_read() {
    let answer = send(Method::POST, "/search", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET, HEAD");
}

#[tokio::test]
async fn assets_have_their_type_and_are_kept_for_ever() {
    for (path, content_type) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("vendor/preact/preact.js", "text/javascript; charset=utf-8"),
        ("styles/base.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("vendor/preact/LICENSE", "text/plain; charset=utf-8"),
    ] {
        let answer = get(&address(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        let on_disk = std::path::Path::new("../../ui").join(path);
        assert_eq!(answer.body, std::fs::read(on_disk).unwrap(), "{path}");
    }
}

#[tokio::test]
async fn only_what_browsers_need_is_served() {
    for path in [
        "index.html",
        "package.json",
        "package-lock.json",
        "jsconfig.json",
        "vendor.mjs",
        "vendor/preact/preact.d.ts",
        "node_modules/preact/package.json",
        "node_modules/preact/dist/preact.js",
        "tests/unit/ids.test.js",
        "../Cargo.toml",
        "nothing.js",
    ] {
        let answer = get(&address(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let tree = Tree::read();
    let foreign: Vec<_> = tree
        .paths()
        .filter(|path| path.contains("node_modules") || path.contains("tests/"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[tokio::test]
async fn an_asset_of_another_version_is_not_found() {
    let answer = get("/assets/0123456789abcdef/app.js").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.text().contains("reload the page"));
}

#[tokio::test]
async fn files_are_compressed_for_who_takes_gzip() {
    for path in [address("app.js"), "/".to_owned()] {
        let plain = get(&path).await;
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.header("vary"), "accept-encoding");
        let compressed = send(Method::GET, &path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(compressed.header("content-encoding"), "gzip");
        assert_eq!(compressed.header("vary"), "accept-encoding");
        assert_ne!(compressed.header("etag"), plain.header("etag"));
        assert!(compressed.body.len() < plain.body.len());
        let mut inflated = Vec::new();
        flate2::read::GzDecoder::new(&*compressed.body)
            .read_to_end(&mut inflated)
            .unwrap();
        assert_eq!(inflated, plain.body, "{path}");
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    for path in [address("app.js"), "/".to_owned()] {
        let gzip = ("accept-encoding", "gzip");
        let first = send(Method::GET, &path, &[gzip]).await;
        let again = [gzip, ("if-none-match", first.header("etag"))];
        let second = send(Method::GET, &path, &again).await;
        assert_eq!(second.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(second.header("etag"), first.header("etag"));
        assert_eq!(
            second.header("cache-control"),
            first.header("cache-control")
        );
        assert!(second.body.is_empty());
        let other_form = send(Method::GET, &path, &again[1..]).await;
        assert_eq!(other_form.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn head_says_what_get_would() {
    for path in [address("app.js"), "/trace/1".to_owned()] {
        let get = get(&path).await;
        let head = send(Method::HEAD, &path, &[]).await;
        assert_eq!(head.status, StatusCode::OK, "{path}");
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        for name in ["content-type", "cache-control", "etag", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_strict_headers() {
    for path in [
        address("app.js"),
        address("nothing"),
        "/".to_owned(),
        "/api/x".to_owned(),
    ] {
        let answer = get(&path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}

/// What the index and the modules load is there, so no view breaks on a file that was left out.
#[test]
fn every_address_and_import_of_the_page_is_a_file_of_it() {
    let tree = Tree::read();
    let mut missing = Vec::new();
    let index = String::from_utf8(tree.index().bytes().to_vec()).unwrap();
    let folder = format!("\"/assets/{}/", tree.hash());
    for (at, _) in index.match_indices(&folder) {
        let path = index[at + folder.len()..].split('"').next().unwrap();
        if tree.asset(path).is_none() {
            missing.push(format!("index.html loads {path}"));
        }
    }
    for path in tree
        .paths()
        .filter(|path| path.split('.').next_back() == Some("js"))
    {
        let source = String::from_utf8(tree.asset(path).unwrap().bytes().to_vec()).unwrap();
        for import in imports(&source) {
            if !import.starts_with('.') {
                missing.push(format!(
                    "{path} imports {import}, which is not a relative path"
                ));
            } else if tree.asset(&resolve(path, import)).is_none() {
                missing.push(format!("{path} imports {import}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The specifiers of `import … from '…'`, `export … from '…'` and `import '…'`. `import('…')` stands
/// only in the types of comments.
fn imports(source: &str) -> Vec<&str> {
    let keywords = source
        .match_indices("from")
        .chain(source.match_indices("import"));
    keywords
        .filter_map(|(at, keyword)| {
            let before = source[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_$.'\"".contains(c)) {
                return None;
            }
            let after = source[at + keyword.len()..].trim_start_matches(' ');
            let quote = after.chars().next().filter(|c| ['\'', '"'].contains(c))?;
            after[1..].split(quote).next()
        })
        .collect()
}

fn resolve(from: &str, import: &str) -> String {
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                folders.pop();
            }
            name => folders.push(name),
        }
    }
    folders.join("/")
}

#[test]
fn imports_are_found_in_all_their_forms() {
    let source = "import { a } from './a.js';\nimport {\n  b,\n} from \"../b.js\";\nimport './c.js';\n\
                  export*from'./d.js';/** @type {import('x')} */import\"./e.js\";const text = 'Array.from(\"it\")';\n";
    let mut found = imports(source);
    found.sort_unstable();
    assert_eq!(found, ["../b.js", "./a.js", "./c.js", "./d.js", "./e.js"]);
    assert_eq!(
        resolve("views/search/page.js", "../html.js"),
        "views/html.js"
    );
    assert_eq!(resolve("app.js", "./views/html.js"), "views/html.js");
}
