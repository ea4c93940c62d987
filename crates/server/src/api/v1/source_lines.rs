//! Whether an answer holds lines of source: where a token with the scope `sources` exists, only for who brings one.
//!
//! Whoever puts what a source holds into an answer asks here.

use artifacts::resolve::{Context, Location, Outcome, Resolved};
use axum::Extension;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use http::request::Parts;

use crate::auth::Guard;

/// What an answer says in place of the lines.
const WITHHELD: &str =
    "the lines of source are left out: seeing them needs a token with the scope sources";

/// What the sender of a request sees of sources. Handlers take it of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceLines {
    /// The lines around a place.
    Shown,
    /// Names and places alone.
    Withheld,
}

impl<S: Send + Sync> FromRequestParts<S> for SourceLines {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Extension(guard) = Extension::<Guard>::from_request_parts(parts, state).await?;
        Ok(if guard.shows_sources(&parts.headers) {
            Self::Shown
        } else {
            Self::Withheld
        })
    }
}

impl SourceLines {
    /// The lines around a place, as far as the answer may hold them.
    pub(super) fn of(self, location: &Location) -> Option<&Context> {
        match self {
            Self::Shown => location.context.as_ref(),
            Self::Withheld => None,
        }
    }

    /// What to say of a stack whose lines are left out. Nothing where there are none.
    pub(super) fn withheld_of(self, resolved: &Resolved) -> Option<&'static str> {
        let has_lines = resolved.frames.iter().any(|frame| match &frame.outcome {
            Outcome::Resolved(location) => location.context.is_some(),
            Outcome::Kept(_) => false,
        });
        (self == Self::Withheld && has_lines).then_some(WITHHELD)
    }
}
