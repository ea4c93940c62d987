//! Which names are taken.

use crate::error::{Error, Result};

const MAX_SLUG: usize = 100;
const MAX_VERSION: usize = 250;
const MAX_TEXT: usize = 1024;

/// A name in an address: of an organisation or a project.
pub(crate) fn check_slug(what: &'static str, slug: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let rule = if slug.is_empty() {
        "is empty"
    } else if slug.len() > MAX_SLUG {
        "has more than 100 bytes"
    } else if !slug.chars().all(is_allowed) || slug.starts_with('.') {
        "has other characters than letters, digits, '-', '_' and '.', or begins with '.'"
    } else {
        return Ok(());
    };
    Err(Error::invalid(what, slug, rule))
}

/// The version of a release.
pub(crate) fn check_version(version: &str) -> Result<()> {
    let rule = if version.trim().is_empty() {
        "is empty"
    } else if version.len() > MAX_VERSION {
        "has more than 250 bytes"
    } else if version.chars().any(char::is_control) {
        "has control characters"
    } else if version == "." || version == ".." {
        "is a folder and not a version"
    } else {
        return Ok(());
    };
    Err(Error::invalid("the version", version, rule))
}

/// A text that is kept as it came.
pub(crate) fn check_text(what: &'static str, text: &str) -> Result<()> {
    if text.len() > MAX_TEXT {
        return Err(Error::invalid(what, text, "has more than 1024 bytes"));
    }
    if text.contains('\0') {
        return Err(Error::invalid(what, text, "has a NUL character"));
    }
    Ok(())
}

/// As [`check_text`], of a text that need not be there.
pub(crate) fn check_optional(what: &'static str, text: Option<&String>) -> Result<()> {
    text.map_or(Ok(()), |text| check_text(what, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_as_a_version_is_taken() {
        for version in ["web@1.2.3+45", "1.0.0", "feature/x", "d34db33f", "é 1"] {
            check_version(version).unwrap();
        }
    }

    #[test]
    fn a_version_or_a_slug_that_breaks_a_rule_is_refused_with_it() {
        let error = check_version("a\nb").unwrap_err().to_string();
        assert_eq!(error, r#"the version "a\nb" has control characters"#);
        assert!(check_version("..").is_err());
        assert!(check_version(&"v".repeat(251)).is_err());
        for slug in ["", "a/b", "..", ".hidden", "a b", &"s".repeat(101)] {
            assert!(check_slug("the project", slug).is_err(), "{slug:?}");
        }
    }
}
