//! `/session`: the page's login. It is open to all, for who is not logged in has to get there.

use axum::Extension;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{Error, Json};
use crate::api::failure::Failure;
use crate::api::same_site::refuse_other_sites;
use crate::auth::{Guard, KnownToken, Scope, Secret, clearing_cookie, session_cookie};

/// More than a token takes.
const MAX_BODY_BYTES: usize = 4096;

/// What the page has to know.
#[derive(Serialize)]
struct Session {
    /// Whether reading needs a token.
    needs_token: bool,
    /// Of the token that this request read with.
    token: Option<Token>,
}

#[derive(Serialize)]
struct Token {
    name: String,
    scopes: Vec<&'static str>,
}

impl From<KnownToken> for Token {
    fn from(token: KnownToken) -> Self {
        Self {
            name: token.name,
            scopes: token.scopes.iter().map(Scope::name).collect(),
        }
    }
}

pub(super) async fn show(
    Extension(guard): Extension<Guard>,
    headers: HeaderMap,
) -> Result<Json, Error> {
    let token = guard.authority().reader(&headers, guard.peer());
    Ok(Json::write(&session(&guard, token))?)
}

pub(super) async fn begin(
    Extension(guard): Extension<Guard>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    #[derive(Deserialize)]
    struct Login {
        token: String,
    }
    // Or a page of another site could log its visitors in with a token of its own.
    refuse_other_sites(&headers)?;
    // What is wrong with the body is not said in the words of its parser, which quote it.
    let unreadable = || Failure::Invalid("the body is not {\"token\": \"…\"}".to_owned());
    if body.len() > MAX_BODY_BYTES {
        return Err(Error(unreadable()));
    }
    let login: Login = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    let secret: Secret = login
        .token
        .parse()
        .map_err(|error: crate::auth::SecretError| Failure::Invalid(error.to_string()))?;
    let known = guard.authority().check(Scope::Read, &secret);
    let known = guard.counted(known).map_err(Failure::from)?;
    let cookie = session_cookie(&secret, &headers);
    with_cookie(&session(&guard, Some(known)), cookie)
}

pub(super) async fn end(
    Extension(guard): Extension<Guard>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    refuse_other_sites(&headers)?;
    with_cookie(&session(&guard, None), clearing_cookie(&headers))
}

fn session(guard: &Guard, token: Option<KnownToken>) -> Session {
    Session {
        needs_token: guard.authority().needs_token(Scope::Read, guard.peer()),
        token: token.map(Token::from),
    }
}

fn with_cookie(session: &Session, cookie: Option<HeaderValue>) -> Result<Response, Error> {
    let cookie = cookie.ok_or_else(|| Failure::internal("the cookie is no header"))?;
    let mut response = Json::write(session)?.into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}
