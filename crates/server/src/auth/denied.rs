//! Why a request may not do what it asks for.

use http::{HeaderValue, StatusCode};
use tonic::Code;

use super::scope::{Scope, Scopes};

/// Why not. The text tells the sender what to do, and never holds what they sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// It brings no token.
    #[error(
        "this needs a token with scope {scope}: send Authorization: Bearer TOKEN, or Basic with the token as the password; \
         `backtrail tokens create --name NAME --scope {scope}` makes one"
    )]
    NoToken {
        /// What is missing.
        scope: Scope,
    },
    /// Its header can't be read.
    #[error(
        "the authorization is neither Bearer TOKEN nor Basic with a token as the password; this needs a token with scope {scope}"
    )]
    Malformed {
        /// What is missing.
        scope: Scope,
    },
    /// There is no such token.
    #[error("the token is not known here, or was revoked; this needs one with scope {scope}")]
    UnknownToken {
        /// What is missing.
        scope: Scope,
    },
    /// Its time is over.
    #[error("the token has expired; this needs one with scope {scope}")]
    ExpiredToken {
        /// What is missing.
        scope: Scope,
    },
    /// It is good for other things.
    #[error("the token has no scope {scope}, which this needs, only {has}")]
    WrongScope {
        /// What is missing.
        scope: Scope,
        /// What it has.
        has: Scopes,
    },
}

impl Denied {
    /// All labels, for metrics that are there from the start.
    pub(crate) const LABELS: [&str; 5] = [
        "no_token",
        "malformed_token",
        "unknown_token",
        "expired_token",
        "wrong_scope",
    ];

    /// Its name as a label of a metric.
    pub(crate) fn label(self) -> &'static str {
        let [no, malformed, unknown, expired, wrong] = Self::LABELS;
        match self {
            Self::NoToken { .. } => no,
            Self::Malformed { .. } => malformed,
            Self::UnknownToken { .. } => unknown,
            Self::ExpiredToken { .. } => expired,
            Self::WrongScope { .. } => wrong,
        }
    }

    /// What HTTP says.
    pub(crate) fn http_status(self) -> StatusCode {
        match self {
            Self::WrongScope { .. } => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// What gRPC says.
    pub(crate) fn grpc_code(self) -> Code {
        match self {
            Self::WrongScope { .. } => Code::PermissionDenied,
            _ => Code::Unauthenticated,
        }
    }

    /// `WWW-Authenticate`, as RFC 6750, section 3 has it. `Basic` is taken and not offered: a browser would ask for a name and a password in a window of its own.
    pub(crate) fn challenge(self) -> HeaderValue {
        let scope = match self {
            Self::NoToken { scope }
            | Self::Malformed { scope }
            | Self::UnknownToken { scope }
            | Self::ExpiredToken { scope }
            | Self::WrongScope { scope, .. } => scope,
        };
        let error = match self {
            Self::NoToken { .. } => "",
            Self::Malformed { .. } => r#", error="invalid_request""#,
            Self::UnknownToken { .. } | Self::ExpiredToken { .. } => r#", error="invalid_token""#,
            Self::WrongScope { .. } => r#", error="insufficient_scope""#,
        };
        let text = format!(r#"Bearer realm="backtrail", scope="{scope}"{error}"#);
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_scope_is_told_by_name_and_is_no_missing_token() {
        let denied = Denied::WrongScope {
            scope: Scope::Admin,
            has: Scopes::from_iter([Scope::Read, Scope::Upload]),
        };
        assert_eq!(
            denied.to_string(),
            "the token has no scope admin, which this needs, only upload, read"
        );
        assert_eq!(denied.http_status(), StatusCode::FORBIDDEN);
        assert_eq!(denied.grpc_code(), Code::PermissionDenied);
        assert_eq!(
            denied.challenge(),
            r#"Bearer realm="backtrail", scope="admin", error="insufficient_scope""#
        );
    }

    #[test]
    fn who_brings_no_token_is_asked_for_one() {
        let scope = Scope::Ingest;
        for denied in [
            Denied::NoToken { scope },
            Denied::Malformed { scope },
            Denied::UnknownToken { scope },
            Denied::ExpiredToken { scope },
        ] {
            assert_eq!(denied.http_status(), StatusCode::UNAUTHORIZED);
            assert_eq!(denied.grpc_code(), Code::Unauthenticated);
            assert!(denied.to_string().contains("scope ingest"), "{denied}");
            assert!(Denied::LABELS.contains(&denied.label()));
        }
    }
}
