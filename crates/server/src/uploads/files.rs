//! Files one by one, as clients send them that know nothing of bundles.

use std::collections::BTreeMap;

use artifacts::SingleFile;
use axum::extract::{Path, Request, State};
use http::Uri;
use serde::{Deserialize, Serialize};

use super::answer::Json;
use super::multipart::{Parts, PartsLimits};
use super::refusal::Refusal;
use super::rfc3339::rfc3339;
use super::{Answer, Uploads};
use crate::metrics::UploadKind;

/// Bytes of one file, which is in memory: what is larger comes as a bundle.
const MAX_FILE_BYTES: usize = 64 << 20;
const AROUND_FILE_BYTES: u64 = 1 << 20;
/// The file, its name and its dist; and each header is a part of its own.
const MAX_PARTS: usize = 64;
const MAX_TEXT_BYTES: usize = 8 << 10;

/// An address of a release's files.
#[derive(Deserialize)]
pub(super) struct OfRelease {
    org: String,
    project: String,
    version: String,
}

/// `GET …/files/`: none. Clients ask for it to leave out what is there, and what they leave out would not be in the bundle that they send.
pub(super) async fn list() -> Answer {
    Json::ok(&[(); 0])
}

/// `POST …/files/`.
pub(super) async fn upload(
    State(uploads): State<Uploads>,
    Path(of): Path<OfRelease>,
    request: Request,
) -> Answer {
    let limits = PartsLimits {
        body_bytes: MAX_FILE_BYTES as u64 + AROUND_FILE_BYTES,
        parts: MAX_PARTS,
        idle: uploads.idle,
    };
    // The turn holds until the file is kept: so many are in memory.
    let keep = async {
        let sent = Sent::read(Parts::of(request, limits)?).await?;
        uploads.metrics.uploads().count_bytes(sent.content.len());
        let (dist, headers) = (sent.file.dist.clone(), sent.file.headers.clone());
        let if_missing = uploads.if_missing();
        let kept = uploads.run(move |artifacts| {
            let projects = [of.project];
            let (file, bytes) = (&sent.file, &mut &sent.content[..]);
            artifacts.put_file(&of.org, &projects, &of.version, file, bytes, if_missing)
        });
        Ok((kept.await?, dist, headers))
    };
    let (stored, dist, headers) = uploads.read(keep).await?;
    uploads.metrics.uploads().count_upload(UploadKind::File);
    Json::created(&Shape {
        id: stored.bundle.0.to_string(),
        sha1: stored.sha1.to_string(),
        name: stored.url,
        dist,
        size: stored.len,
        headers,
        date_created: rfc3339(uploads.now_ms()),
    })
}

struct Sent {
    content: Vec<u8>,
    file: SingleFile,
}

impl Sent {
    async fn read(mut parts: Parts) -> Result<Self, Refusal> {
        let (mut content, mut file) = (None, SingleFile::default());
        let mut name = None;
        while let Some(part) = parts.next().await? {
            match part.name() {
                "file" => {
                    let file_name = part.file_name().map(str::to_owned);
                    name = name.or(file_name);
                    content = Some(part.read(MAX_FILE_BYTES).await?);
                }
                "name" => name = Some(part.text(MAX_TEXT_BYTES).await?),
                "dist" => file.dist = Some(part.text(MAX_TEXT_BYTES).await?),
                "header" => {
                    let header = part.text(MAX_TEXT_BYTES).await?;
                    let (name, value) = header.split_once(':').ok_or_else(|| {
                        Refusal::Invalid(format!("the header {header:?} has no colon"))
                    })?;
                    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
                    file.headers.insert(name, value);
                }
                // The client's own affair, and read past.
                _ => drop(part.read(MAX_TEXT_BYTES).await?),
            }
        }
        let missing = |what: &str| Refusal::Invalid(format!("the body has no part {what:?}"));
        file.name = name.ok_or_else(|| missing("name"))?;
        Ok(Self {
            content: content.ok_or_else(|| missing("file"))?,
            file,
        })
    }
}

/// A file as the clients read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    id: String,
    sha1: String,
    name: String,
    dist: Option<String>,
    size: u64,
    headers: BTreeMap<String, String>,
    date_created: String,
}

/// `DELETE …/files/source-maps/?name={version}`: what the project has in that release, which stays.
pub(super) async fn delete_of_release(
    State(uploads): State<Uploads>,
    Path((org, project)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    #[derive(Deserialize)]
    struct Wanted {
        name: String,
    }
    let wanted = axum::extract::Query::<Wanted>::try_from_uri(&uri)
        .map_err(|error| Refusal::Invalid(format!("parameter name is missing: {error}")))?;
    let version = wanted.0.name;
    let deleted = uploads
        .run(move |artifacts| artifacts.delete_release_files(&org, Some(&project), &version))
        .await;
    match deleted {
        // Clients clean up before they upload, also where nothing is.
        Ok(_) | Err(Refusal::NotFound(_)) => Ok(Json::no_content()),
        Err(refusal) => Err(refusal),
    }
}
