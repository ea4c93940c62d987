//! What a listener asks of a request.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::authority::Authority;
use super::denied::Denied;
use super::scope::Scope;
use crate::metrics::Metrics;

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The listener, as metrics and the port file name it.
    pub(crate) listener: &'static str,
    /// Other machines reach it, and its owner did not allow that to anybody: nothing is open there, whatever tokens there are.
    pub(crate) always_needs_token: bool,
    /// Whether a session's cookie counts there. It does where the page is.
    pub(crate) takes_cookies: bool,
}

/// Who may do what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Anybody.
    Anonymous,
    /// Who has this token.
    Token {
        /// The token's id.
        id: String,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anybody"),
            Self::Token { id, name } => write!(f, "{name} ({id})"),
        }
    }
}

/// Lets a listener's requests pass, or counts and denies them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guard {
    authority: Authority,
    peer: Peer,
    metrics: Arc<Metrics>,
}

impl Guard {
    pub(crate) fn new(authority: Authority, peer: Peer, metrics: Arc<Metrics>) -> Self {
        Self {
            authority,
            peer,
            metrics,
        }
    }

    /// One that lets everybody in.
    #[cfg(test)]
    pub(crate) fn open() -> Self {
        let peer = Peer {
            listener: "test",
            always_needs_token: false,
            takes_cookies: true,
        };
        let clock = Arc::new(host::SystemClock::new());
        Self::new(
            Authority::without_tokens(clock),
            peer,
            Arc::new(Metrics::new()),
        )
    }

    /// Whose tokens count.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where the requests come in.
    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }

    /// Who asks for something that needs `scope`, by the headers (in gRPC, the metadata) of their request.
    pub(crate) fn authorize(&self, scope: Scope, headers: &HeaderMap) -> Result<Principal, Denied> {
        self.counted(self.authority.authorize(scope, headers, self.peer))
    }

    /// Whether the answer to a request that may read holds lines of source.
    pub(crate) fn shows_sources(&self, headers: &HeaderMap) -> bool {
        self.authority.shows_sources(headers, self.peer)
    }

    /// The same as [`Guard::authorize`], where an answer was found in another way.
    pub(crate) fn counted<T>(&self, result: Result<T, Denied>) -> Result<T, Denied> {
        if let Err(denied) = &result {
            self.metrics
                .count_denied_request(self.peer.listener, denied.label());
        }
        result
    }
}
