use std::sync::atomic::AtomicU64 as Nanos;

use host::sim::SimHost;
use http::header::{AUTHORIZATION, COOKIE, HOST};

use super::super::NewToken;
use super::*;

const LOCAL: Peer = Peer {
    listener: "web",
    always_needs_token: false,
    takes_cookies: true,
};
const PUBLIC: Peer = Peer {
    always_needs_token: true,
    ..LOCAL
};

/// A clock that a test moves.
#[derive(Default)]
struct HandClock(Nanos);

impl HandClock {
    fn advance(&self, by: Duration) {
        let nano = u64::try_from(by.as_nanos()).unwrap();
        self.0.fetch_add(nano, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now_unix_nano(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

struct Fixture {
    clock: Arc<HandClock>,
    host: Host,
    authority: Authority,
}

impl Fixture {
    fn new() -> Self {
        let clock = Arc::new(HandClock::default());
        let host = Host {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..SimHost::new(1).host()
        };
        let authority = Authority::open(&host, Path::new("data")).unwrap();
        Self {
            clock,
            host,
            authority,
        }
    }

    fn file(&self) -> TokenFile {
        TokenFile::of(&self.host, Path::new("data"))
    }

    /// A token, as `backtrail tokens create` makes it beside a server that runs, and the second until that sees it.
    fn create(&self, name: &str, scopes: &[Scope], expires_after_s: Option<u64>) -> Secret {
        let new = NewToken {
            name: name.to_owned(),
            scopes: scopes.iter().copied().collect(),
            expires_after_s,
        };
        let (secret, _) = self.file().create(new).unwrap();
        self.clock.advance(LOOK_AGAIN_AFTER);
        secret
    }

    fn ask(&self, scope: Scope, headers: &HeaderMap, peer: Peer) -> Result<String, Denied> {
        let principal = self.authority.authorize(scope, headers, peer)?;
        Ok(match principal {
            Principal::Anonymous => "anybody".to_owned(),
            Principal::Token { name, .. } => name,
        })
    }
}

fn nothing() -> HeaderMap {
    HeaderMap::new()
}

fn bearer(token: &Secret) -> HeaderMap {
    let value = format!("Bearer {}", token.reveal()).parse().unwrap();
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

fn cookie(token: &Secret) -> HeaderMap {
    let session = token.session();
    let value = format!("backtrail_session_1={}", session.reveal());
    HeaderMap::from_iter([
        (HOST, "localhost:1".parse().unwrap()),
        (COOKIE, value.parse().unwrap()),
    ])
}

#[test]
fn without_tokens_everything_is_open_on_loopback_and_nothing_elsewhere() {
    let server = Fixture::new();
    for scope in [Scope::Read, Scope::Ingest, Scope::Admin] {
        assert_eq!(
            server.ask(scope, &nothing(), LOCAL),
            Ok("anybody".to_owned())
        );
        assert_eq!(
            server.ask(scope, &nothing(), PUBLIC),
            Err(Denied::NoToken { scope })
        );
    }
}

#[test]
fn while_there_is_no_upload_token_any_will_do_but_one_must_be_there() {
    let server = Fixture::new();
    let any = bearer(&Secret::presented("whatever"));
    let scope = Scope::Upload;
    assert_eq!(server.ask(scope, &any, LOCAL), Ok("anybody".to_owned()));
    assert_eq!(
        server.ask(scope, &nothing(), LOCAL),
        Err(Denied::NoToken { scope })
    );
    assert_eq!(
        server.ask(scope, &any, PUBLIC),
        Err(Denied::UnknownToken { scope })
    );
    let token = server.create("ci", &[scope], None);
    assert_eq!(
        server.ask(scope, &any, LOCAL),
        Err(Denied::UnknownToken { scope })
    );
    for peer in [LOCAL, PUBLIC] {
        assert_eq!(
            server.ask(scope, &bearer(&token), peer),
            Ok("ci".to_owned())
        );
    }
}

#[test]
fn an_upload_token_leaves_sending_and_reading_open_on_loopback() {
    let server = Fixture::new();
    let token = server.create("ci", &[Scope::Upload], None);
    for scope in [Scope::Read, Scope::Ingest, Scope::Admin] {
        for headers in [nothing(), bearer(&token)] {
            assert_eq!(server.ask(scope, &headers, LOCAL), Ok("anybody".to_owned()));
        }
        let has = Scopes::from_iter([Scope::Upload]);
        assert_eq!(
            server.ask(scope, &bearer(&token), PUBLIC),
            Err(Denied::WrongScope { scope, has })
        );
    }
}

#[test]
fn with_a_token_to_read_deleting_needs_admin() {
    let server = Fixture::new();
    let reader = server.create("me", &[Scope::Read], None);
    let admin = server.create("root", &[Scope::Admin], None);
    let scope = Scope::Admin;
    let has = Scopes::from_iter([Scope::Read]);
    assert_eq!(
        server.ask(scope, &bearer(&reader), LOCAL),
        Err(Denied::WrongScope { scope, has })
    );
    assert_eq!(
        server.ask(scope, &bearer(&admin), LOCAL),
        Ok("root".to_owned())
    );
    assert_eq!(
        server.ask(Scope::Ingest, &nothing(), LOCAL),
        Ok("anybody".to_owned())
    );
}

#[test]
fn a_cookie_counts_for_reading_and_deleting_at_the_page_and_nowhere_else() {
    let server = Fixture::new();
    let token = server.create("root", &[Scope::Admin], None);
    for scope in [Scope::Read, Scope::Admin] {
        assert_eq!(
            server.ask(scope, &cookie(&token), PUBLIC),
            Ok("root".to_owned())
        );
        let elsewhere = Peer {
            takes_cookies: false,
            ..PUBLIC
        };
        assert_eq!(
            server.ask(scope, &cookie(&token), elsewhere),
            Err(Denied::NoToken { scope })
        );
    }
    for scope in [Scope::Ingest, Scope::Upload] {
        assert_eq!(
            server.ask(scope, &cookie(&token), PUBLIC),
            Err(Denied::NoToken { scope })
        );
    }
}

#[test]
fn who_may_read_sees_sources_until_a_token_with_that_scope_exists() {
    let server = Fixture::new();
    let reader = server.create("me", &[Scope::Read], None);
    let admin = server.create("root", &[Scope::Admin], None);
    let sees = |headers: &HeaderMap, peer| server.authority.shows_sources(headers, peer);
    for peer in [LOCAL, PUBLIC] {
        for headers in [nothing(), bearer(&reader), cookie(&reader)] {
            assert!(sees(&headers, peer), "{headers:?}");
        }
    }
    let developer = server.create("dev", &[Scope::Read, Scope::Sources], None);
    let stranger = Secret::presented("whatever");
    let mut malformed = HeaderMap::new();
    malformed.insert(AUTHORIZATION, "Digest x".parse().unwrap());
    for peer in [LOCAL, PUBLIC] {
        for token in [&developer, &admin] {
            assert!(sees(&bearer(token), peer));
            assert!(sees(&cookie(token), peer));
        }
        for token in [&reader, &stranger] {
            assert!(!sees(&bearer(token), peer));
            assert!(!sees(&cookie(token), peer));
        }
        assert!(!sees(&nothing(), peer));
        assert!(!sees(&malformed, peer));
        // Where no page is, nobody has a session.
        let elsewhere = Peer {
            takes_cookies: false,
            ..peer
        };
        assert!(!sees(&cookie(&developer), elsewhere));
    }
    assert_eq!(
        server.ask(Scope::Read, &bearer(&reader), LOCAL),
        Ok("me".to_owned())
    );
}

#[test]
fn sources_stay_closed_when_their_token_expires_and_open_when_it_is_revoked() {
    let server = Fixture::new();
    let token = server.create("dev", &[Scope::Sources], Some(60));
    let sees = |headers: &HeaderMap| server.authority.shows_sources(headers, LOCAL);
    assert!(sees(&bearer(&token)));
    assert_eq!(
        server.ask(Scope::Read, &nothing(), LOCAL),
        Ok("anybody".to_owned())
    );
    server.clock.advance(Duration::from_mins(1));
    assert!(!sees(&bearer(&token)));
    assert!(!sees(&nothing()));
    server.file().revoke("dev").unwrap();
    server.clock.advance(LOOK_AGAIN_AFTER);
    assert!(sees(&nothing()));
}

#[test]
fn an_expired_token_opens_nothing_and_goes_on_to_close() {
    let server = Fixture::new();
    let scope = Scope::Read;
    let token = server.create("short", &[scope], Some(60));
    assert_eq!(
        server.ask(scope, &bearer(&token), LOCAL),
        Ok("short".to_owned())
    );
    server.clock.advance(Duration::from_mins(1));
    for headers in [bearer(&token), cookie(&token)] {
        assert_eq!(
            server.ask(scope, &headers, LOCAL),
            Err(Denied::ExpiredToken { scope })
        );
    }
    assert_eq!(
        server.ask(scope, &nothing(), LOCAL),
        Err(Denied::NoToken { scope })
    );
}

#[test]
fn a_revoked_token_ends_its_sessions_within_a_second() {
    let server = Fixture::new();
    let scope = Scope::Read;
    let token = server.create("one", &[scope], None);
    server.create("other", &[scope], None);
    assert_eq!(
        server.ask(scope, &cookie(&token), LOCAL),
        Ok("one".to_owned())
    );
    server.file().revoke("one").unwrap();
    server.clock.advance(LOOK_AGAIN_AFTER);
    for headers in [bearer(&token), cookie(&token)] {
        assert_eq!(
            server.ask(scope, &headers, LOCAL),
            Err(Denied::UnknownToken { scope })
        );
    }
    server.file().revoke("other").unwrap();
    server.clock.advance(LOOK_AGAIN_AFTER);
    assert_eq!(
        server.ask(scope, &nothing(), LOCAL),
        Ok("anybody".to_owned())
    );
}

#[test]
fn a_file_that_is_broken_or_gone_leaves_the_tokens_in_force() {
    let server = Fixture::new();
    let scope = Scope::Ingest;
    let token = server.create("service", &[scope], None);
    assert_eq!(
        server.ask(scope, &bearer(&token), LOCAL),
        Ok("service".to_owned())
    );
    let path = Path::new("data/tokens.json");
    let files = &server.host.files;
    for broken in [true, false] {
        files.remove_file(path).unwrap();
        if broken {
            files
                .create_new(path)
                .unwrap()
                .write_all_at(b"{", 0)
                .unwrap();
        }
        server.clock.advance(LOOK_AGAIN_AFTER);
        assert_eq!(
            server.ask(scope, &bearer(&token), LOCAL),
            Ok("service".to_owned())
        );
        assert_eq!(
            server.ask(scope, &nothing(), LOCAL),
            Err(Denied::NoToken { scope })
        );
    }
}

#[test]
fn a_server_does_not_start_on_tokens_that_it_cannot_read() {
    let server = Fixture::new();
    server.create("service", &[Scope::Ingest], None);
    let path = Path::new("data/tokens.json");
    server.host.files.remove_file(path).unwrap();
    let file = server.host.files.create_new(path).unwrap();
    file.write_all_at(b"{", 0).unwrap();
    assert!(Authority::open(&server.host, Path::new("data")).is_err());
}
