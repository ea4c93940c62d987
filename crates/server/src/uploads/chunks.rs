//! How bundles are cut, and their pieces.

use std::io::Read;

use artifacts::Sha1;
use axum::extract::{Path, Request, State};
use flate2::read::GzDecoder;
use http::header::HOST;
use serde::Serialize;

use super::answer::Json;
use super::multipart::{Part, Parts, PartsLimits};
use super::refusal::Refusal;
use super::{Answer, Uploads};

/// Chunks of one request, as [`options`] says.
const CHUNKS_PER_REQUEST: usize = 64;
/// Bytes of the chunks of one request, as [`options`] says.
const MAX_REQUEST_BYTES: u64 = 32 << 20;
/// What boundaries, headers and chunks that gzip makes larger may add to that.
const AROUND_CHUNKS_BYTES: u64 = 1 << 20;
/// What gzip may add to a chunk that it can't make smaller.
const AROUND_CHUNK_BYTES: u64 = 64 << 10;

/// `GET …/chunk-upload/`.
pub(super) async fn options(
    State(uploads): State<Uploads>,
    Path(org): Path<String>,
    request: Request,
) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Options {
        /// Absolute: newer clients refuse another origin than the one that they know.
        url: String,
        /// A power of two: the clients insist.
        chunk_size: u64,
        chunks_per_request: usize,
        max_file_size: u64,
        max_request_size: u64,
        concurrency: usize,
        hash_algorithm: &'static str,
        compression: [&'static str; 1],
        accept: [&'static str; 3],
    }
    let origin = origin(&uploads, &request)?;
    let org = percent_encoded(&org);
    let limits = uploads.artifacts.options();
    Json::ok(&Options {
        url: format!("{origin}/api/0/organizations/{org}/chunk-upload/"),
        chunk_size: limits.chunk_bytes,
        chunks_per_request: CHUNKS_PER_REQUEST,
        max_file_size: limits.bundle.bundle_bytes,
        max_request_size: MAX_REQUEST_BYTES,
        concurrency: super::UPLOADS_AT_ONCE,
        hash_algorithm: "sha1",
        compression: ["gzip"],
        accept: ["release_files", "artifact_bundles", "artifact_bundles_v2"],
    })
}

/// Scheme, name and port by which the client reaches us: the setting, else what it called us. No header of a proxy is believed: with a proxy that
/// speaks another scheme, the setting says so.
pub(super) fn origin(uploads: &Uploads, request: &Request) -> Result<String, Refusal> {
    if let Some(url) = &uploads.public_url {
        return Ok(url.as_str().to_owned());
    }
    // HTTP/2 has the name in the address.
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let header = || request.headers().get(HOST)?.to_str().ok();
    match authority.or_else(header) {
        Some(host) if !host.is_empty() => Ok(format!("http://{host}")),
        _ => Err(Refusal::Invalid(
            "the request has no Host, and public_url is not set".to_owned(),
        )),
    }
}

/// A name as part of a path.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digits =
                [byte >> 4, byte & 15].map(|digit| b"0123456789ABCDEF"[usize::from(digit)]);
            encoded.push('%');
            encoded.extend(digits.map(char::from));
        }
    }
    encoded
}

/// `POST …/chunk-upload/`: parts `file` or `file_gzip`, whose file name is the SHA-1 of the chunk as it is without compression.
pub(super) async fn upload(
    State(uploads): State<Uploads>,
    Path(org): Path<String>,
    request: Request,
) -> Answer {
    let limits = PartsLimits {
        body_bytes: MAX_REQUEST_BYTES + AROUND_CHUNKS_BYTES,
        parts: CHUNKS_PER_REQUEST,
        idle: uploads.idle,
    };
    let chunks = async {
        let mut parts = Parts::of(request, limits)?;
        let mut chunks = 0;
        while let Some(part) = parts.next().await? {
            put_chunk(&uploads, &org, part).await?;
            chunks += 1;
        }
        Ok(chunks)
    };
    if uploads.read(chunks).await? == 0 {
        return Err(Refusal::Invalid("the body has no chunk".to_owned()));
    }
    Ok(Json::empty())
}

async fn put_chunk(uploads: &Uploads, org: &str, part: Part) -> Result<(), Refusal> {
    let is_gzip = match part.name() {
        "file_gzip" => true,
        "file" => false,
        other => {
            return Err(Refusal::Invalid(format!(
                "a part is named {other:?}; chunks are named file or file_gzip"
            )));
        }
    };
    let claimed = part.file_name().unwrap_or_default();
    let claimed: Sha1 = claimed.parse().map_err(|error| {
        Refusal::Invalid(format!(
            "a chunk's file name is its SHA-1, not {claimed:?}: {error}"
        ))
    })?;
    let chunk_bytes = uploads.artifacts.options().chunk_bytes;
    let bytes = part
        .read((chunk_bytes + AROUND_CHUNK_BYTES) as usize)
        .await?;
    uploads.metrics.uploads().count_bytes(bytes.len());
    let org = org.to_owned();
    let if_missing = uploads.if_missing();
    uploads
        .run(move |artifacts| {
            // One byte more than is allowed shows that it is too large.
            let mut chunk: Box<dyn Read> = if is_gzip {
                Box::new(GzDecoder::new(&bytes[..]).take(chunk_bytes + 1))
            } else {
                Box::new(&bytes[..])
            };
            artifacts.put_chunk(&org, claimed, &mut chunk, if_missing)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_parts_of_a_path() {
        assert_eq!(percent_encoded("acme-1._~"), "acme-1._~");
        assert_eq!(percent_encoded("a b/é"), "a%20b%2F%C3%A9");
    }
}
