//! Who may do what: tokens, and what each listener asks of a request.
//!
//! A token has scopes. It closes only what needs them: as long as no token has the scope `ingest`, spans are taken from anybody who reaches a listener, and a listener is on
//! loopback unless its owner said otherwise. So a token for uploads changes nothing for a service that knows no more than an address.
//!
//! | scope | what needs it |
//! |---|---|
//! | `ingest` | sending spans, logs and metrics |
//! | `read` | the read APIs, the page's data, `/metrics` |
//! | `sources` | the lines of source in what is read |
//! | `upload` | `/api/0` |
//! | `admin` | deleting; it stands for all others, too |
//!
//! A listener that other machines reach needs a token for everything but health, whatever tokens there are, unless `allow_anonymous` is set.
//! Who may read and has no `sources` is answered without the lines, and told so: it is the one scope whose lack refuses nothing.
//! Every route asks its listener's [`Guard`]; what is refused is [`Denied`], which each protocol puts into its own words.

mod authority;
mod credential;
mod denied;
mod file;
mod guard;
mod instant;
mod loaded;
mod scope;
mod secret;
mod session;

pub(crate) use authority::{Authority, KnownToken};
pub(crate) use denied::Denied;
pub(crate) use file::{NewToken, TokenFile, TokenRecord, read as read_tokens};
pub(crate) use guard::{Guard, Peer, Principal};
pub(crate) use instant::rfc3339;
pub(crate) use scope::{Scope, Scopes};
pub(crate) use secret::{Secret, SecretError};
pub(crate) use session::{clearing_cookie, session_cookie};
