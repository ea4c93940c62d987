//! What a token is good for.

use std::fmt;

/// One thing that a token may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scope {
    /// Upload source maps and bundles, under /api/0
    Upload,
    /// Read traces, source maps and metrics: the read APIs and the page
    Read,
    /// See the lines of source around the frames of a stack trace, beside what read shows
    Sources,
    /// Send spans, logs and metrics
    Ingest,
    /// Delete, and everything that the others allow
    Admin,
}

impl Scope {
    /// All of them, as files and messages list them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Upload,
        Self::Read,
        Self::Sources,
        Self::Ingest,
        Self::Admin,
    ];

    /// Its name in files, messages and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Read => "read",
            Self::Sources => "sources",
            Self::Ingest => "ingest",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    /// Whether this very scope is among them.
    pub(crate) fn names(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether they allow what needs this scope: it is among them, or `admin` is.
    pub(crate) fn allow(self, scope: Scope) -> bool {
        self.names(scope) || self.names(Scope::Admin)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are named.
    pub(crate) fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.names(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_allows_everything_and_names_only_itself() {
        let admin = Scopes::from_iter([Scope::Admin]);
        for scope in Scope::ALL {
            assert!(admin.allow(scope), "{scope}");
            assert_eq!(admin.names(scope), scope == Scope::Admin, "{scope}");
        }
    }

    #[test]
    fn a_scope_allows_nothing_but_itself() {
        for scope in [Scope::Upload, Scope::Read, Scope::Sources, Scope::Ingest] {
            let one = Scopes::from_iter([scope]);
            for other in Scope::ALL {
                assert_eq!(one.allow(other), other == scope, "{scope} {other}");
            }
        }
    }

    #[test]
    fn scopes_are_listed_by_their_names() {
        let scopes = Scopes::from_iter([Scope::Ingest, Scope::Upload, Scope::Ingest]);
        assert_eq!(scopes.to_string(), "upload, ingest");
        for scope in Scope::ALL {
            assert_eq!(Scope::find(scope.name()), Some(scope));
        }
        assert_eq!(Scope::find("Read"), None);
    }
}
