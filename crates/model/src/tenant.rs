//! Whose data it is.

use std::fmt;
use std::sync::Arc;

/// A tenant's name. It is the first folder of every path, so it is restricted to what every file system takes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// Text that is no tenant's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant {0:?} must be 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit")]
pub struct TenantError(pub String);

impl TenantId {
    /// Checks and takes a name.
    pub fn new(name: &str) -> Result<Self, TenantError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && name.len() <= 64 && name.chars().all(allowed) {
            Ok(Self(name.into()))
        } else {
            Err(TenantError(name.to_owned()))
        }
    }

    /// The one tenant there is until tokens exist.
    pub fn default_tenant() -> Self {
        Self("default".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, shared.
    pub fn to_arc(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_never_leave_its_folder() {
        assert!(TenantId::new("team-a_1").is_ok());
        for name in ["", "..", "a/b", "A", "-a", &"a".repeat(65), "a\0"] {
            assert!(TenantId::new(name).is_err(), "{name:?}");
        }
    }
}
