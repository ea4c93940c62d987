//! What clients ask before they begin: whether their token is good, where the organisation lives, which repositories it has.

use axum::extract::{Path, Request, State};
use serde::Serialize;

use super::answer::Json;
use super::{Answer, Uploads, chunks};

/// The scopes that the clients check for.
const SCOPES: [&str; 5] = [
    "org:ci",
    "org:read",
    "project:read",
    "project:releases",
    "project:write",
];

/// `GET /`.
pub(super) async fn auth() -> Answer {
    #[derive(Serialize)]
    struct Body {
        version: &'static str,
        auth: Auth,
        user: User,
    }
    #[derive(Serialize)]
    struct Auth {
        scopes: [&'static str; 5],
    }
    #[derive(Serialize)]
    struct User {
        id: &'static str,
        email: &'static str,
        name: &'static str,
    }
    Json::ok(&Body {
        version: "0",
        auth: Auth { scopes: SCOPES },
        user: User {
            id: "1",
            email: "nobody@localhost",
            name: "backtrail",
        },
    })
}

/// `GET /organizations/{org}/`. Newer clients send everything to the region that is named here.
pub(super) async fn organization(
    State(uploads): State<Uploads>,
    Path(org): Path<String>,
    request: Request,
) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        id: &'static str,
        slug: &'a str,
        name: &'a str,
        features: [&'static str; 0],
        links: Links<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Links<'a> {
        organization_url: &'a str,
        region_url: &'a str,
    }
    let origin = chunks::origin(&uploads, &request)?;
    Json::ok(&Body {
        id: "1",
        slug: &org,
        name: &org,
        features: [],
        links: Links {
            organization_url: &origin,
            region_url: &origin,
        },
    })
}

/// `GET /organizations/{org}/repos/`: none, so that clients read commits from the checkout in which they run.
pub(super) async fn repositories() -> Answer {
    Json::ok(&[(); 0])
}
