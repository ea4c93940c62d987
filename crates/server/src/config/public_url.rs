//! The origin by which others know this server.

use http::Uri;

use super::value::{SettingValue, quoted};

/// Scheme, name and port, without a slash at the end: `https://traces.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl SettingValue for PublicUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "{text:?} is not an address such as \"https://traces.example\" or \"http://192.0.2.1:16686\"; it has no path, because the clients take none"
            )
        };
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let is_origin = matches!(scheme, "http" | "https")
            && uri.path() == "/"
            && uri.query().is_none()
            && !text.contains('#');
        match uri.authority() {
            Some(authority) if is_origin && !authority.as_str().contains('@') => {
                Ok(Self(format!("{scheme}://{authority}")))
            }
            _ => Err(expected()),
        }
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        for (text, origin) in [
            ("https://traces.example", "https://traces.example"),
            ("http://192.0.2.1:16686/", "http://192.0.2.1:16686"),
            ("https://[::1]:16686", "https://[::1]:16686"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().as_str(), origin);
        }
        for text in [
            "traces.example",
            "ftp://traces.example",
            "https://",
            "https://traces.example/backtrail",
            "https://traces.example/?x",
            "https://traces.example/#x",
            "https://ada@traces.example",
            "/",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
