//! `tokens.json` in the data directory: which tokens there are.
//!
//! `docs/formats/tokens.md` draws it. It is replaced whole by a rename, so whoever reads it sees it before a change or after, and a server may be running meanwhile.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use host::{Files, Host};
use serde::{Deserialize, Serialize};

use super::scope::{Scope, Scopes};
use super::secret::{Secret, SecretHash, hex};

/// What the file calls itself.
const FORMAT: &str = "backtrail tokens";
const VERSION: u64 = 1;
const NAME: &str = "tokens.json";
const BESIDE: &str = "tokens.json.new";
const LOCK: &str = "tokens.lock";
/// Tokens that there may be: each is compared with at each request.
pub(crate) const MAX_TOKENS: usize = 1000;
/// Bytes of the name of a token.
const MAX_NAME_BYTES: usize = 64;
/// More than [`MAX_TOKENS`] take.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Of the names that tokens have beside those that people gave them.
const ID_BYTES: usize = 4;
const NANO_PER_S: u64 = 1_000_000_000;

/// What is kept of a token.
#[derive(Debug, Clone)]
pub(crate) struct TokenRecord {
    /// Eight hexadecimal digits, which tell nothing of the token.
    pub(crate) id: String,
    /// What its owner calls it; no two are alike.
    pub(crate) name: String,
    /// What it is good for.
    pub(crate) scopes: Scopes,
    /// Seconds since 1970.
    pub(crate) created_unix_s: u64,
    /// From then on it is refused, in seconds since 1970.
    pub(crate) expires_unix_s: Option<u64>,
    pub(super) hash: SecretHash,
    pub(super) session_hash: SecretHash,
}

impl TokenRecord {
    /// Whether its time is over.
    pub(crate) fn has_expired(&self, now_unix_nano: u64) -> bool {
        self.expires_unix_s
            .is_some_and(|end| now_unix_nano / NANO_PER_S >= end)
    }
}

/// A token that shall be.
pub(crate) struct NewToken {
    pub(crate) name: String,
    pub(crate) scopes: Scopes,
    /// Seconds from now.
    pub(crate) expires_after_s: Option<u64>,
}

/// Why tokens can't be read or changed. No message holds a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFileError {
    /// The operating system says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Of what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is no file of tokens: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody wrote it who knows more than we do.
    #[error(
        "{} has format version {found}, and this backtrail knows {VERSION}; use the version that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// Another command changes it at this moment.
    #[error("another command is changing the tokens in {}; try again", path.display())]
    Busy {
        /// The data directory.
        path: PathBuf,
    },
    /// No good name.
    #[error(
        "{found:?} is no name of a token: 1 to {MAX_NAME_BYTES} bytes, without control characters, and no eight hexadecimal digits, which are an id"
    )]
    Name {
        /// The name.
        found: String,
    },
    /// There is one of that name.
    #[error("there is a token {found:?} already; choose another name, or revoke that one first")]
    NameTaken {
        /// The name.
        found: String,
    },
    /// There is none of that name.
    #[error("there is no token with the name or id {found:?}; `backtrail tokens list` shows all")]
    Unknown {
        /// What was asked for.
        found: String,
    },
    /// As many as may be.
    #[error("there are {MAX_TOKENS} tokens already; revoke those that are not used")]
    TooMany,
}

/// The file of tokens of a data directory.
#[derive(Clone)]
pub(crate) struct TokenFile {
    host: Host,
    dir: PathBuf,
}

impl TokenFile {
    /// That of the data directory `dir`; neither needs to be there.
    pub(crate) fn of(host: &Host, dir: &Path) -> Self {
        Self {
            host: host.clone(),
            dir: dir.to_owned(),
        }
    }

    /// All tokens, as they were made; none where there is no file.
    pub(crate) fn read(&self) -> Result<Vec<TokenRecord>, TokenFileError> {
        read(&*self.host.files, &self.dir)
    }

    /// The bytes of the file; `None` where there is none.
    pub(super) fn bytes(&self) -> Result<Option<Vec<u8>>, TokenFileError> {
        bytes(&*self.host.files, &self.dir)
    }

    /// What the bytes of the file say.
    pub(super) fn parse(&self, bytes: &[u8]) -> Result<Vec<TokenRecord>, TokenFileError> {
        parse(&self.dir.join(NAME), bytes)
    }

    /// Makes a token, and keeps what is kept of it. It is in clear in what is returned, and nowhere else.
    pub(crate) fn create(&self, new: NewToken) -> Result<(Secret, TokenRecord), TokenFileError> {
        check_name(&new.name)?;
        let secret = Secret::generate(&*self.host.random);
        let created_unix_s = self.host.clock.now_unix_nano() / NANO_PER_S;
        let record = self.change(|tokens| {
            if tokens.iter().any(|token| token.name == new.name) {
                return Err(TokenFileError::NameTaken { found: new.name });
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(TokenFileError::TooMany);
            }
            let record = TokenRecord {
                id: self.free_id(tokens),
                name: new.name,
                scopes: new.scopes,
                created_unix_s,
                expires_unix_s: new
                    .expires_after_s
                    .map(|after| created_unix_s.saturating_add(after)),
                hash: secret.hash(),
                session_hash: secret.session().hash(),
            };
            tokens.push(record.clone());
            Ok(record)
        })?;
        Ok((secret, record))
    }

    /// Takes a token back, by its id or its name. What is left is returned, too.
    pub(crate) fn revoke(
        &self,
        id_or_name: &str,
    ) -> Result<(TokenRecord, Vec<TokenRecord>), TokenFileError> {
        self.change(|tokens| {
            let is_meant = |token: &TokenRecord| token.id == id_or_name || token.name == id_or_name;
            let Some(index) = tokens.iter().position(is_meant) else {
                let found = id_or_name.to_owned();
                return Err(TokenFileError::Unknown { found });
            };
            let revoked = tokens.remove(index);
            Ok((revoked, tokens.clone()))
        })
    }

    fn free_id(&self, tokens: &[TokenRecord]) -> String {
        loop {
            let mut bytes = [0; ID_BYTES];
            self.host.random.fill(&mut bytes);
            let id = hex(&bytes);
            // Of four thousand million, a thousand are taken at most.
            if tokens.iter().all(|token| token.id != id) {
                return id;
            }
        }
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<TokenRecord>) -> Result<T, TokenFileError>,
    ) -> Result<T, TokenFileError> {
        let files = &*self.host.files;
        files.create_dir_all(&self.dir).map_err(io(&self.dir))?;
        let lock = self.dir.join(LOCK);
        let _lock = files.lock_exclusive(&lock).map_err(|error| {
            if error.kind() == ErrorKind::WouldBlock {
                let path = self.dir.clone();
                TokenFileError::Busy { path }
            } else {
                io(&lock)(error)
            }
        })?;
        let mut tokens = self.read()?;
        let done = change(&mut tokens)?;
        self.replace(&tokens)?;
        Ok(done)
    }

    fn replace(&self, tokens: &[TokenRecord]) -> Result<(), TokenFileError> {
        let files = &*self.host.files;
        let (path, beside) = (self.dir.join(NAME), self.dir.join(BESIDE));
        let write = || {
            match files.remove_file(&beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = files.create_new(&beside)?;
            file.write_all_at(&to_bytes(tokens)?, 0)?;
            file.sync_all()?;
            files.rename(&beside, &path)?;
            files.sync_dir(&self.dir)
        };
        write().map_err(io(&path))
    }
}

/// All tokens of the data directory `dir`; none where there is no file.
pub(crate) fn read(files: &dyn Files, dir: &Path) -> Result<Vec<TokenRecord>, TokenFileError> {
    match bytes(files, dir)? {
        Some(bytes) => parse(&dir.join(NAME), &bytes),
        None => Ok(Vec::new()),
    }
}

fn bytes(files: &dyn Files, dir: &Path) -> Result<Option<Vec<u8>>, TokenFileError> {
    let path = dir.join(NAME);
    let read = || {
        let file = files.open(&path)?;
        let len = file.len()?;
        if len > MAX_FILE_BYTES {
            let message = format!("it has {len} bytes, more than tokens take");
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(&path)(error)),
    }
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> TokenFileError {
    let path = path.to_owned();
    move |source| TokenFileError::Io { path, source }
}

fn check_name(name: &str) -> Result<(), TokenFileError> {
    let is_id = name.len() == 2 * ID_BYTES && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_good = (1..=MAX_NAME_BYTES).contains(&name.len())
        && !name.chars().any(char::is_control)
        && name.trim() == name
        && !is_id;
    if is_good {
        return Ok(());
    }
    let found = name.chars().take(2 * MAX_NAME_BYTES).collect();
    Err(TokenFileError::Name { found })
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct WireFile {
    format: String,
    version: u64,
    tokens: Vec<WireToken>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireToken {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_unix_s: u64,
    expires_unix_s: Option<u64>,
    sha256: String,
    session_sha256: String,
}

fn to_bytes(tokens: &[TokenRecord]) -> io::Result<Vec<u8>> {
    let tokens = tokens.iter().map(|token| WireToken {
        id: token.id.clone(),
        name: token.name.clone(),
        scopes: token.scopes.iter().map(|scope| scope.to_string()).collect(),
        created_unix_s: token.created_unix_s,
        expires_unix_s: token.expires_unix_s,
        sha256: token.hash.to_hex(),
        session_sha256: token.session_hash.to_hex(),
    });
    let file = WireFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        tokens: tokens.collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<TokenRecord>, TokenFileError> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Head {
        format: String,
        version: u64,
    }
    let malformed = |what: String| TokenFileError::Malformed {
        path: path.to_owned(),
        what,
    };
    let json = |error: serde_json::Error| malformed(error.to_string());
    let head: Head = serde_json::from_slice(bytes).map_err(json)?;
    if head.format != FORMAT {
        return Err(malformed(format!("format is {:?}", head.format)));
    }
    if head.version != VERSION {
        return Err(TokenFileError::Version {
            path: path.to_owned(),
            found: head.version,
        });
    }
    let file: WireFile = serde_json::from_slice(bytes).map_err(json)?;
    if file.tokens.len() > MAX_TOKENS {
        let tokens = file.tokens.len();
        return Err(malformed(format!(
            "it has {tokens} tokens, more than {MAX_TOKENS}"
        )));
    }
    file.tokens
        .into_iter()
        .map(|token| token.read().map_err(malformed))
        .collect()
}

impl WireToken {
    fn read(self) -> Result<TokenRecord, String> {
        let id = self.id;
        let mut scopes = Vec::new();
        for name in &self.scopes {
            let scope = Scope::find(name);
            scopes.push(scope.ok_or_else(|| format!("token {id}: there is no scope {name:?}"))?);
        }
        if scopes.is_empty() {
            return Err(format!("token {id}: it has no scope"));
        }
        let hash = |name: &str, text: &str| {
            SecretHash::from_hex(text).ok_or_else(|| format!("token {id}: {name} is no SHA-256"))
        };
        Ok(TokenRecord {
            hash: hash("sha256", &self.sha256)?,
            session_hash: hash("session_sha256", &self.session_sha256)?,
            id,
            name: self.name,
            scopes: scopes.into_iter().collect(),
            created_unix_s: self.created_unix_s,
            expires_unix_s: self.expires_unix_s,
        })
    }
}

#[cfg(test)]
mod tests {
    use host::sim::{Crash, SimHost};

    use super::*;

    fn new(name: &str, scope: Scope) -> NewToken {
        NewToken {
            name: name.to_owned(),
            scopes: Scopes::from_iter([scope]),
            expires_after_s: None,
        }
    }

    fn file(sim: &SimHost) -> TokenFile {
        TokenFile::of(&sim.host(), Path::new("data"))
    }

    #[test]
    fn a_token_that_was_created_is_there_after_a_power_cut() {
        let sim = SimHost::new(1);
        let (_, created) = file(&sim).create(new("ci", Scope::Upload)).unwrap();
        sim.crash(Crash::DropUnsynced);
        let tokens = file(&sim).read().unwrap();
        assert_eq!(tokens.len(), 1);
        assert_eq!(
            (&tokens[0].id, &tokens[0].name),
            (&created.id, &created.name)
        );
        assert!(tokens[0].scopes.names(Scope::Upload));
    }

    #[test]
    fn the_file_holds_no_token_in_clear_nor_what_a_session_is_made_of() {
        let sim = SimHost::new(2);
        let (secret, _) = file(&sim).create(new("ci", Scope::Read)).unwrap();
        let bytes = sim.disk().read_file("data/tokens.json").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(&secret.hash().to_hex()));
        assert!(!text.contains(secret.reveal()));
        assert!(!text.contains(secret.session().reveal()));
    }

    #[test]
    fn a_token_is_revoked_by_its_name_or_its_id() {
        let sim = SimHost::new(3);
        let file = file(&sim);
        let (_, one) = file.create(new("one", Scope::Read)).unwrap();
        file.create(new("two", Scope::Read)).unwrap();
        let (revoked, left) = file.revoke("two").unwrap();
        assert_eq!((revoked.name.as_str(), left.len()), ("two", 1));
        let (revoked, left) = file.revoke(&one.id).unwrap();
        assert_eq!((revoked.name.as_str(), left.len()), ("one", 0));
        let error = file.revoke("one").unwrap_err();
        assert!(matches!(error, TokenFileError::Unknown { .. }), "{error}");
    }

    #[test]
    fn names_are_unique_and_never_look_like_an_id() {
        let sim = SimHost::new(4);
        let file = file(&sim);
        file.create(new("ci", Scope::Read)).unwrap();
        let error = file.create(new("ci", Scope::Upload)).unwrap_err();
        assert!(matches!(error, TokenFileError::NameTaken { .. }), "{error}");
        for name in ["", " x", "a\nb", "0123abcd", &"x".repeat(65)] {
            let error = file.create(new(name, Scope::Read)).unwrap_err();
            assert!(matches!(error, TokenFileError::Name { .. }), "{name:?}");
        }
    }

    #[test]
    fn two_commands_do_not_lose_each_others_tokens() {
        let sim = SimHost::new(5);
        let host = sim.host();
        host.files.create_dir_all(Path::new("data")).unwrap();
        let other = host.files.lock_exclusive(Path::new("data/tokens.lock"));
        let error = file(&sim).create(new("ci", Scope::Read)).unwrap_err();
        assert!(matches!(error, TokenFileError::Busy { .. }), "{error}");
        drop(other);
        file(&sim).create(new("ci", Scope::Read)).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_or_version_is_refused_by_name() {
        let path = Path::new("tokens.json");
        let error = |text: &str| parse(path, text.as_bytes()).unwrap_err().to_string();
        assert!(error("{").starts_with("tokens.json is no file of tokens: "));
        assert!(error(r#"{"format":"x","version":1}"#).ends_with(r#"format is "x""#));
        let version = error(r#"{"format":"backtrail tokens","version":2}"#);
        assert!(version.contains("format version 2, and this backtrail knows 1"));
        let token = |scopes: &str, hash: &str| {
            format!(
                r#"{{"format":"backtrail tokens","version":1,"tokens":[{{"id":"a","name":"n","scopes":{scopes},
                "created_unix_s":1,"expires_unix_s":null,"sha256":"{hash}","session_sha256":"{hash}"}}]}}"#
            )
        };
        let hash = "ab".repeat(32);
        assert_eq!(
            parse(path, token(r#"["read"]"#, &hash).as_bytes())
                .unwrap()
                .len(),
            1
        );
        assert!(error(&token("[]", &hash)).ends_with("token a: it has no scope"));
        assert!(
            error(&token(r#"["rea"]"#, &hash)).ends_with(r#"token a: there is no scope "rea""#)
        );
        assert!(error(&token(r#"["read"]"#, "ab")).ends_with("token a: sha256 is no SHA-256"));
    }
}
