//! Decides who may do what, by the tokens that are in force at this moment.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use host::{Clock, Host};
use http::HeaderMap;

use super::credential::Credential;
use super::denied::Denied;
use super::file::{TokenFile, TokenFileError, TokenRecord};
use super::guard::{Peer, Principal};
use super::loaded::LoadedTokens;
use super::scope::{Scope, Scopes};
use super::secret::Secret;

/// How old a look at the file may be when somebody asks. So long a revoked token is good, and a new one is not.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Knows the tokens of a data directory, and notices when they change. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Authority(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    /// None where there are never tokens.
    file: Option<TokenFile>,
    in_force: RwLock<Arc<LoadedTokens>>,
    look_again_ms: AtomicU64,
    seen: Mutex<Seen>,
}

/// What was last in the file.
struct Seen {
    bytes: Option<Vec<u8>>,
    /// What is wrong with it, said once.
    trouble: Option<String>,
}

/// A token as its owner may see it, who has proved that they have it.
pub(crate) struct KnownToken {
    /// What its owner calls it.
    pub(crate) name: String,
    /// What it is good for.
    pub(crate) scopes: Scopes,
}

impl Authority {
    /// Reads the tokens of a data directory. Fails when there is a file that can't be read: nobody may then be let in, or kept out, by guess.
    pub(crate) fn open(host: &Host, data_dir: &Path) -> Result<Self, TokenFileError> {
        let file = TokenFile::of(host, data_dir);
        let bytes = file.bytes()?;
        let tokens = bytes
            .as_deref()
            .map(|bytes| file.parse(bytes))
            .transpose()?;
        let clock = Arc::clone(&host.clock);
        Ok(Self::new(
            clock,
            Some(file),
            tokens.unwrap_or_default(),
            bytes,
        ))
    }

    /// One that never knows a token.
    #[cfg(test)]
    pub(crate) fn without_tokens(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, None, Vec::new(), None)
    }

    fn new(
        clock: Arc<dyn Clock>,
        file: Option<TokenFile>,
        tokens: Vec<TokenRecord>,
        bytes: Option<Vec<u8>>,
    ) -> Self {
        let look_again = clock.monotonic() + LOOK_AGAIN_AFTER;
        Self(Arc::new(Inner {
            clock,
            file,
            in_force: RwLock::new(Arc::new(LoadedTokens::new(tokens))),
            look_again_ms: AtomicU64::new(as_ms(look_again)),
            seen: Mutex::new(Seen {
                bytes,
                trouble: None,
            }),
        }))
    }

    /// Who asks for something that needs `scope` at `peer`, by the headers of their request.
    ///
    /// A scope that nothing closes is open to all, with one exception: an upload brings some token, whichever, as every client does. A page of another site can't make a browser send one.
    pub(crate) fn authorize(
        &self,
        scope: Scope,
        headers: &HeaderMap,
        peer: Peer,
    ) -> Result<Principal, Denied> {
        let tokens = self.in_force();
        if !peer.always_needs_token && !tokens.close(scope) {
            return match scope {
                Scope::Read | Scope::Sources | Scope::Ingest | Scope::Admin => {
                    Ok(Principal::Anonymous)
                }
                Scope::Upload => match Credential::of(headers, false) {
                    Ok(Some(_)) => Ok(Principal::Anonymous),
                    Ok(None) => Err(Denied::NoToken { scope }),
                    Err(_) => Err(Denied::Malformed { scope }),
                },
            };
        }
        let takes_cookies =
            peer.takes_cookies && matches!(scope, Scope::Read | Scope::Sources | Scope::Admin);
        let credential = match Credential::of(headers, takes_cookies) {
            Ok(Some(credential)) => credential,
            Ok(None) => return Err(Denied::NoToken { scope }),
            Err(_) => return Err(Denied::Malformed { scope }),
        };
        let token = self.good_for(&tokens, scope, &credential)?;
        Ok(Principal::Token {
            id: token.id.clone(),
            name: token.name.clone(),
        })
    }

    /// Whether a request that may read sees what sources hold, too. One that does not is answered all the same, without them.
    ///
    /// Nothing but a token with the scope closes that, wherever the request came in: that it may read was decided before.
    pub(crate) fn shows_sources(&self, headers: &HeaderMap, peer: Peer) -> bool {
        let peer = Peer {
            always_needs_token: false,
            ..peer
        };
        self.authorize(Scope::Sources, headers, peer).is_ok()
    }

    /// Whether a token closes this.
    pub(crate) fn closes(&self, scope: Scope) -> bool {
        self.in_force().close(scope)
    }

    /// Whether a request at `peer` needs a token for this.
    pub(crate) fn needs_token(&self, scope: Scope, peer: Peer) -> bool {
        peer.always_needs_token || self.closes(scope)
    }

    /// A token in clear, if it is good for this.
    pub(crate) fn check(&self, scope: Scope, secret: &Secret) -> Result<KnownToken, Denied> {
        let tokens = self.in_force();
        let credential = Credential::Token(secret.clone());
        Ok(KnownToken::of(self.good_for(
            &tokens,
            scope,
            &credential,
        )?))
    }

    /// The token of a request that can read, if it has one.
    pub(crate) fn reader(&self, headers: &HeaderMap, peer: Peer) -> Option<KnownToken> {
        let tokens = self.in_force();
        let credential = Credential::of(headers, peer.takes_cookies).ok()??;
        let token = self.good_for(&tokens, Scope::Read, &credential).ok()?;
        Some(KnownToken::of(token))
    }

    fn good_for<'a>(
        &self,
        tokens: &'a LoadedTokens,
        scope: Scope,
        credential: &Credential,
    ) -> Result<&'a TokenRecord, Denied> {
        let token = tokens.find(credential);
        let token = token.ok_or(Denied::UnknownToken { scope })?;
        if token.has_expired(self.0.clock.now_unix_nano()) {
            return Err(Denied::ExpiredToken { scope });
        }
        let has = token.scopes;
        if has.allow(scope) {
            Ok(token)
        } else {
            Err(Denied::WrongScope { scope, has })
        }
    }

    fn in_force(&self) -> Arc<LoadedTokens> {
        let inner = &*self.0;
        let now_ms = as_ms(inner.clock.monotonic());
        if now_ms >= inner.look_again_ms.load(Ordering::Acquire) {
            inner.look_again(now_ms);
        }
        // The lock only guards a pointer: there is no half-changed state to be seen.
        let in_force = inner
            .in_force
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&in_force)
    }
}

impl Inner {
    /// Reads the file again. While one request does, the others go by what was in force before.
    fn look_again(&self, now_ms: u64) {
        let Some(file) = &self.file else { return };
        let mut seen = match self.seen.try_lock() {
            Ok(seen) => seen,
            Err(TryLockError::WouldBlock) => return,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        };
        let next_ms = now_ms.saturating_add(as_ms(LOOK_AGAIN_AFTER));
        self.look_again_ms.store(next_ms, Ordering::Release);
        match read_changed(file, &seen) {
            Ok(None) => seen.trouble = None,
            Ok(Some(Changed { bytes, tokens })) => {
                tracing::info!("the tokens have changed: {} are in force", tokens.len());
                let mut in_force = self
                    .in_force
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *in_force = Arc::new(LoadedTokens::new(tokens));
                *seen = Seen {
                    bytes: Some(bytes),
                    trouble: None,
                };
            }
            Err(trouble) => {
                if seen.trouble.as_ref() != Some(&trouble) {
                    tracing::error!(
                        "the tokens are not read again, those before stay in force: {trouble}"
                    );
                }
                seen.trouble = Some(trouble);
            }
        }
    }
}

/// What is new in the file.
struct Changed {
    bytes: Vec<u8>,
    tokens: Vec<TokenRecord>,
}

fn read_changed(file: &TokenFile, seen: &Seen) -> Result<Option<Changed>, String> {
    let bytes = file.bytes().map_err(|error| error.to_string())?;
    match bytes {
        bytes if bytes == seen.bytes => Ok(None),
        // `backtrail tokens revoke` leaves a file without tokens. One that is gone must not open what it closed.
        None => {
            Err("the file is gone; tokens are taken back with `backtrail tokens revoke`".to_owned())
        }
        Some(bytes) => {
            let tokens = file.parse(&bytes).map_err(|error| error.to_string())?;
            Ok(Some(Changed { bytes, tokens }))
        }
    }
}

impl KnownToken {
    fn of(token: &TokenRecord) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes,
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
