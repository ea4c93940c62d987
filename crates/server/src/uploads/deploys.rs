//! Where releases run.

use artifacts::Deploy;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};

use super::answer::Json;
use super::rfc3339::rfc3339;
use super::{Answer, Uploads, body};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentDeploy {
    environment: String,
    name: Option<String>,
    url: Option<String>,
    date_started: Option<String>,
    date_finished: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    /// Deploys have no number of their own here.
    id: String,
    environment: &'a str,
    name: Option<&'a str>,
    url: Option<&'a str>,
    date_started: Option<&'a str>,
    /// The clients need one.
    date_finished: String,
}

impl<'a> Shape<'a> {
    fn of(deploy: &'a Deploy) -> Self {
        let created = || rfc3339(deploy.created_ms);
        Self {
            id: deploy.created_ms.to_string(),
            environment: &deploy.environment,
            name: deploy.name.as_deref(),
            url: deploy.url.as_deref(),
            date_started: deploy.started.as_deref(),
            date_finished: deploy.finished.clone().unwrap_or_else(created),
        }
    }
}

/// `GET …/deploys/`.
pub(super) async fn list(
    State(uploads): State<Uploads>,
    Path((org, version)): Path<(String, String)>,
) -> Answer {
    let deploys = uploads
        .run(move |artifacts| artifacts.deploys(&org, &version))
        .await?;
    let deploys: Vec<Shape> = deploys.iter().map(Shape::of).collect();
    Json::ok(&deploys)
}

/// `POST …/deploys/`.
pub(super) async fn create(
    State(uploads): State<Uploads>,
    Path((org, version)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let sent: SentDeploy = body::json(request, uploads.idle).await?;
    let deploy = Deploy {
        environment: sent.environment,
        name: sent.name,
        url: sent.url,
        started: sent.date_started,
        finished: sent.date_finished,
        created_ms: 0,
    };
    let deploy = uploads
        .run(move |artifacts| artifacts.add_deploy(&org, &version, &deploy))
        .await?;
    Json::created(&Shape::of(&deploy))
}
