//! From chunks to a bundle, within the request: many clients ask once and go.

use artifacts::{Assemble, Assembled, Sha1};
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};

use super::answer::Json;
use super::refusal::Refusal;
use super::{Answer, Uploads, body};
use crate::metrics::UploadKind;

#[derive(Deserialize)]
struct Sent {
    checksum: String,
    chunks: Vec<String>,
    #[serde(default)]
    projects: Option<Vec<String>>,
    version: Option<String>,
    dist: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    state: &'static str,
    missing_chunks: Vec<String>,
    detail: Option<String>,
}

impl Shape {
    fn of(state: &'static str) -> Self {
        Self {
            state,
            missing_chunks: Vec::new(),
            detail: None,
        }
    }
}

/// `POST …/artifactbundle/assemble/`.
pub(super) async fn bundle(
    State(uploads): State<Uploads>,
    Path(org): Path<String>,
    request: Request,
) -> Answer {
    let sent: Sent = body::json(request, uploads.idle).await?;
    assemble(&uploads, org, sent).await
}

/// `POST …/releases/{version}/assemble/`, which older clients know: the release is the one of the address.
pub(super) async fn release_bundle(
    State(uploads): State<Uploads>,
    Path((org, version)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let mut sent: Sent = body::json(request, uploads.idle).await?;
    sent.version = Some(version);
    assemble(&uploads, org, sent).await
}

async fn assemble(uploads: &Uploads, org: String, sent: Sent) -> Answer {
    let request = Assemble {
        organisation: org,
        checksum: sha1("the checksum", &sent.checksum)?,
        chunks: sent
            .chunks
            .iter()
            .map(|chunk| sha1("a chunk", chunk))
            .collect::<Result<_, _>>()?,
        projects: sent.projects.unwrap_or_default(),
        version: sent.version.filter(|version| !version.is_empty()),
        dist: sent.dist.filter(|dist| !dist.is_empty()),
    };
    let _turn = uploads.assembling.wait().await?;
    let if_missing = uploads.if_missing();
    let assembled = uploads
        .run(move |artifacts| artifacts.assemble(&request, if_missing))
        .await;
    let shape = match assembled {
        Ok(Assembled::Done(_)) => {
            uploads.metrics.uploads().count_upload(UploadKind::Bundle);
            Shape::of("ok")
        }
        Ok(Assembled::Missing(chunks)) => Shape {
            missing_chunks: chunks.iter().map(ToString::to_string).collect(),
            ..Shape::of("not_found")
        },
        // The state says it, and clients print the detail; an HTTP error would be one of the request.
        Err(refusal @ (Refusal::Invalid(_) | Refusal::TooLarge(_) | Refusal::Quota(_))) => {
            uploads.metrics.uploads().count_refusal(&refusal);
            Shape {
                detail: Some(refusal.to_string()),
                ..Shape::of("error")
            }
        }
        Err(refusal) => return Err(refusal),
    };
    Json::ok(&shape)
}

fn sha1(what: &str, text: &str) -> Result<Sha1, Refusal> {
    text.parse()
        .map_err(|error| Refusal::Invalid(format!("{what} {text:?} is no SHA-1: {error}")))
}
