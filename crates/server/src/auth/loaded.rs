//! The tokens that are in force, as requests are compared with them.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::credential::Credential;
use super::file::TokenRecord;
use super::scope::Scope;

/// Tokens, and what they close.
#[derive(Debug, Default)]
pub(super) struct LoadedTokens(Vec<TokenRecord>);

impl LoadedTokens {
    pub(super) fn new(tokens: Vec<TokenRecord>) -> Self {
        Self(tokens)
    }

    /// Whether what needs this scope is closed to who has no token for it. An expired token closes it as well: nothing opens by itself as time goes by.
    /// A token to read closes deleting, too: who may not read must not delete.
    pub(super) fn close(&self, scope: Scope) -> bool {
        let names = |scope| self.0.iter().any(|token| token.scopes.names(scope));
        match scope {
            Scope::Upload | Scope::Read | Scope::Sources | Scope::Ingest => names(scope),
            Scope::Admin => names(Scope::Admin) || names(Scope::Read),
        }
    }

    /// The token of a credential.
    ///
    /// The time that it takes tells nothing about any token: what came is hashed whole, the hash is compared with that of every token to its last byte, and where one
    /// is equal the search goes on as before. That a guess can't come nearer to a token by looking at times follows from the hash alone; this way nobody has to rely on that.
    pub(super) fn find(&self, credential: &Credential) -> Option<&TokenRecord> {
        let presented = credential.secret().hash();
        let (mut found, mut place) = (Choice::from(0), 0);
        for (index, token) in (0_u64..).zip(&self.0) {
            let kept = match credential {
                Credential::Token(_) => &token.hash,
                Credential::Session(_) => &token.session_hash,
            };
            let is_equal = presented.ct_eq(kept);
            place.conditional_assign(&index, is_equal);
            found |= is_equal;
        }
        if bool::from(found) {
            self.0.get(usize::try_from(place).ok()?)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use host::sim::SimHost;

    use super::super::{NewToken, Scopes, Secret, TokenFile};
    use super::*;

    fn tokens(scopes: &[Scope]) -> (LoadedTokens, Vec<Secret>) {
        let sim = SimHost::new(1);
        let file = TokenFile::of(&sim.host(), Path::new("data"));
        let mut secrets = Vec::new();
        for (index, scope) in scopes.iter().enumerate() {
            let new = NewToken {
                name: format!("token {index}"),
                scopes: Scopes::from_iter([*scope]),
                expires_after_s: None,
            };
            secrets.push(file.create(new).unwrap().0);
        }
        (LoadedTokens::new(file.read().unwrap()), secrets)
    }

    #[test]
    fn each_token_is_found_wherever_it_stands_and_nothing_else_is() {
        let (loaded, secrets) = tokens(&[Scope::Upload, Scope::Read, Scope::Ingest]);
        for (index, secret) in secrets.iter().enumerate() {
            let name = format!("token {index}");
            let by_token = loaded.find(&Credential::Token(secret.clone())).unwrap();
            assert_eq!(by_token.name, name);
            let session = Credential::Session(secret.session());
            assert_eq!(loaded.find(&session).unwrap().name, name);
            // Neither stands for the other, and what is kept for neither.
            assert!(loaded.find(&Credential::Session(secret.clone())).is_none());
            assert!(loaded.find(&Credential::Token(secret.session())).is_none());
            let kept = Secret::presented(&secret.hash().to_hex());
            assert!(loaded.find(&Credential::Token(kept.clone())).is_none());
            assert!(loaded.find(&Credential::Session(kept)).is_none());
        }
        for wrong in ["", "bac77a11", &secrets[0].reveal().to_uppercase()] {
            let wrong = Credential::Token(Secret::presented(wrong));
            assert!(loaded.find(&wrong).is_none());
        }
    }

    #[test]
    fn a_token_closes_only_what_needs_its_scope() {
        let closed = |scopes: &[Scope]| {
            let (loaded, _) = tokens(scopes);
            Scope::ALL.map(|scope| loaded.close(scope))
        };
        for (token, closes) in [
            (&[][..], &[][..]),
            (&[Scope::Upload], &[Scope::Upload]),
            (&[Scope::Read], &[Scope::Read, Scope::Admin]),
            (&[Scope::Sources], &[Scope::Sources]),
            (&[Scope::Ingest], &[Scope::Ingest]),
            (&[Scope::Admin], &[Scope::Admin]),
        ] {
            let expected = Scope::ALL.map(|scope| closes.contains(&scope));
            assert_eq!(closed(token), expected, "{token:?}");
        }
    }
}
