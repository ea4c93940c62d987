//! What a request says about who sends it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::secret::Secret;
use super::session;

/// What somebody proves who they are with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A token, in a header.
    Token(Secret),
    /// A session that was begun with a token, in a cookie.
    Session(Secret),
}

/// The header is there and holds no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MalformedCredential;

impl Credential {
    /// What a request presents: `Authorization`, or else a session's cookie where those count. gRPC's metadata are headers, too.
    pub(super) fn of(
        headers: &HeaderMap,
        takes_cookies: bool,
    ) -> Result<Option<Self>, MalformedCredential> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) if takes_cookies => Ok(session::of(headers).map(Self::Session)),
            (None, _) => Ok(None),
            (Some(value), None) => token(value).map(|token| Some(Self::Token(token))),
            // Which of two would count is a question that proxies and we may answer differently.
            (Some(_), Some(_)) => Err(MalformedCredential),
        }
    }

    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Token(secret) | Self::Session(secret) => secret,
        }
    }
}

/// `Bearer TOKEN`, or `Basic` with the token as the password of any user.
fn token(value: &HeaderValue) -> Result<Secret, MalformedCredential> {
    let text = value.to_str().map_err(|_| MalformedCredential)?;
    let (scheme, rest) = text.trim().split_once(' ').ok_or(MalformedCredential)?;
    let rest = rest.trim();
    if rest.len() > 2 * Secret::MAX_BYTES {
        return Err(MalformedCredential);
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return rest.parse().map_err(|_| MalformedCredential);
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(rest).map_err(|_| MalformedCredential)?;
        let pair = String::from_utf8(pair).map_err(|_| MalformedCredential)?;
        let (_user, password) = pair.split_once(':').ok_or(MalformedCredential)?;
        return password.parse().map_err(|_| MalformedCredential);
    }
    Err(MalformedCredential)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(value: &str) -> Result<Option<Credential>, MalformedCredential> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        Credential::of(&headers, false)
    }

    #[test]
    fn bearer_and_the_password_of_basic_are_tokens() {
        let token = Ok(Some(Credential::Token(Secret::presented("abc"))));
        for value in [
            "Bearer abc",
            "bearer  abc ",
            "BEARER abc",
            "Basic YW55Ym9keTphYmM=", // anybody:abc
            "basic OmFiYw==",         // :abc
        ] {
            assert_eq!(presented(value), token, "{value}");
        }
    }

    #[test]
    fn what_is_neither_is_no_credential() {
        for value in [
            "",
            "abc",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Digest abc",
            "Basic abc",
            "Basic YW55Ym9keQ==", // anybody
            "Basic YW55Ym9keTo=", // anybody:
            &format!("Bearer {}", "a".repeat(2000)),
        ] {
            assert_eq!(presented(value), Err(MalformedCredential), "{value}");
        }
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, "Bearer a".parse().unwrap());
        twice.append(AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(Credential::of(&twice, false), Err(MalformedCredential));
        assert_eq!(Credential::of(&HeaderMap::new(), true), Ok(None));
    }
}
