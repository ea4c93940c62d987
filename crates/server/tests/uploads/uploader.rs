//! A client of the upload API that does what it is told.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::bundle::sha1;
use crate::running::{Backtrail, Reply, agent};

const TOKEN: &str = "Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const BOUNDARY: &str = "------------------------56105e5975eb7420";

/// A part of a multipart body.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) file_name: Option<&'a str>,
    pub(crate) content: &'a [u8],
}

/// Asks below `/api/0`. Every answer is JSON in the clients' form, or empty.
pub(crate) fn ask(server: &Backtrail, method: &str, path: &str, body: Option<Value>) -> Reply {
    let content = body.map(|body| body.to_string().into_bytes());
    send(server, method, path, "application/json", content.as_deref())
}

/// The same, which must be answered so; the answer.
pub(crate) fn expect(
    server: &Backtrail,
    status: u16,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Value {
    let reply = ask(server, method, path, body);
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/json");
    match reply.body.as_slice() {
        [] => Value::Null,
        body => serde_json::from_slice(body).unwrap(),
    }
}

/// What is refused says why in the clients' form.
pub(crate) fn detail(reply: &Reply) -> String {
    assert_eq!(reply.header("content-type"), "application/json");
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let object = body.as_object().unwrap();
    assert_eq!(object.len(), 1, "{body}");
    let detail = object["detail"].as_str().unwrap();
    assert!(!detail.is_empty());
    detail.to_owned()
}

/// Sends parts.
pub(crate) fn post_parts(server: &Backtrail, path: &str, parts: &[Part<'_>]) -> Reply {
    let mut body = Vec::new();
    for part in parts {
        let file_name = part
            .file_name
            .map_or_else(String::new, |name| format!("; filename=\"{name}\""));
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"{file_name}\r\n\r\n",
            part.name
        )
        .unwrap();
        body.extend_from_slice(part.content);
        body.extend_from_slice(b"\r\n");
    }
    write!(body, "--{BOUNDARY}--\r\n").unwrap();
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    send(server, "POST", path, &content_type, Some(&body))
}

/// Sends one chunk under the name of its checksum.
pub(crate) fn post_chunk(server: &Backtrail, org: &str, chunk: &[u8]) -> Reply {
    let (name, content) = (sha1(chunk), gzip(chunk));
    let part = Part {
        name: "file_gzip",
        file_name: Some(&name),
        content: &content,
    };
    post_parts(server, &chunk_upload(org), &[part])
}

/// Uploads a bundle as one chunk and assembles it; the answer.
pub(crate) fn upload(server: &Backtrail, org: &str, bundle: &[u8], about: &Value) -> Value {
    let reply = post_chunk(server, org, bundle);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assemble(server, org, bundle, about)
}

/// Asks to assemble one chunk.
pub(crate) fn assemble(server: &Backtrail, org: &str, bundle: &[u8], about: &Value) -> Value {
    let checksum = sha1(bundle);
    let mut body = json!({"checksum": checksum, "chunks": [checksum], "projects": ["web"]});
    let more = about.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let path = format!("/organizations/{org}/artifactbundle/assemble/");
    expect(server, 200, "POST", &path, Some(body))
}

pub(crate) fn chunk_upload(org: &str) -> String {
    format!("/organizations/{org}/chunk-upload/")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What the public API lists.
pub(crate) fn listed(server: &Backtrail, path: &str) -> Value {
    let path = format!("/api/v1/sourcemaps/organizations{path}");
    let (status, body) = server.get(&path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// A request with any body.
pub(crate) fn send(
    server: &Backtrail,
    method: &str,
    path: &str,
    content_type: &str,
    body: Option<&[u8]>,
) -> Reply {
    let url = server.url("web", &format!("/api/0{path}"));
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("Authorization", TOKEN);
    let agent = agent();
    let reply = match body {
        Some(body) => {
            let request = request.header("Content-Type", content_type);
            agent.run(request.body(body).unwrap())
        }
        None => agent.run(request.body(()).unwrap()),
    };
    Reply::from(reply.unwrap())
}
