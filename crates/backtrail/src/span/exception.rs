//! Errors of every kind, as what an exception event says.

use std::any::{Any, type_name};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};
use std::iter::successors;
use std::num::{ParseFloatError, ParseIntError};

use super::driver;

/// How many sources of an error are told. A chain that is longer is a loop, or nobody reads it.
const MAX_SOURCES: usize = 16;
/// Bytes of one message that are kept.
const MAX_MESSAGE_LEN_BYTES: usize = 8 * 1024;
/// Bytes of what `Debug` says that are searched for a name.
const MAX_NAME_LEN_BYTES: usize = 256;
/// Bytes of a stack trace that are kept.
const MAX_STACKTRACE_LEN_BYTES: usize = 64 * 1024;

/// What is recorded of an error. Of errors of `sqlx` and `redis`, also among the sources of others, what is quoted in messages becomes `?`, where these
/// features are on: databases quote values there. Source: semantic conventions, exceptions in spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionDetails {
    /// `exception.type`: the name of the type.
    pub kind: Cow<'static, str>,
    /// `exception.message`.
    pub message: String,
    /// `exception.stacktrace`: the chain of sources, and a backtrace where `RUST_BACKTRACE` asks for one.
    pub stacktrace: Option<String>,
}

/// An error that a span can record: every [`std::error::Error`]; `Box<dyn Error>` with and without `Send + Sync`; `anyhow::Error` (with the
/// feature `anyhow`); and text, for code that has no better error.
///
/// The parameter `M` tells the implementations apart; it is inferred and means nothing.
pub trait Exception<M> {
    /// What is to be recorded. Called for spans that record, and only then.
    fn details(&self) -> ExceptionDetails;
}

/// Marks errors that implement [`Error`].
#[derive(Debug)]
pub enum Typed {}
/// Marks boxed errors.
#[derive(Debug)]
pub enum Boxed {}
/// Marks text.
#[derive(Debug)]
pub enum Text {}

impl<E: Error> Exception<Typed> for E {
    fn details(&self) -> ExceptionDetails {
        let kind = type_name::<E>();
        // It may borrow, and can't be asked what it is.
        let is_of_driver = driver::is_named(kind);
        describe(
            Cow::Borrowed(kind),
            self,
            is_of_driver,
            Backtrace::capture(),
        )
    }
}

impl Exception<Boxed> for Box<dyn Error> {
    fn details(&self) -> ExceptionDetails {
        boxed(&**self)
    }
}

impl Exception<Boxed> for Box<dyn Error + Send + Sync> {
    fn details(&self) -> ExceptionDetails {
        boxed(&**self)
    }
}

#[cfg(feature = "anyhow")]
impl Exception<Boxed> for anyhow::Error {
    fn details(&self) -> ExceptionDetails {
        let root = self.root_cause();
        let error = self.as_ref();
        let is_of_driver = driver::made(error);
        let mut details = describe(name_of(root), error, is_of_driver, Backtrace::disabled());
        // Taken where the error was made, which says more than where it arrived.
        append_backtrace(&mut details, self.backtrace());
        details
    }
}

impl Exception<Text> for String {
    fn details(&self) -> ExceptionDetails {
        text(self)
    }
}

impl Exception<Text> for &str {
    fn details(&self) -> ExceptionDetails {
        text(self)
    }
}

impl Exception<Text> for Cow<'_, str> {
    fn details(&self) -> ExceptionDetails {
        text(self)
    }
}

fn text(message: &str) -> ExceptionDetails {
    let mut details = ExceptionDetails {
        kind: Cow::Borrowed("error"),
        message: bounded(message.to_owned(), MAX_MESSAGE_LEN_BYTES),
        stacktrace: None,
    };
    append_backtrace(&mut details, &Backtrace::capture());
    details
}

fn boxed(error: &(dyn Error + 'static)) -> ExceptionDetails {
    let is_of_driver = driver::made(error);
    describe(name_of(error), error, is_of_driver, Backtrace::capture())
}

fn describe(
    kind: Cow<'static, str>,
    error: &dyn Error,
    is_of_driver: bool,
    backtrace: Backtrace,
) -> ExceptionDetails {
    let sources: Vec<_> = successors(error.source(), |&source| source.source())
        .take(MAX_SOURCES + 1)
        .collect();
    let text = |error: &dyn Error| told_within(format_args!("{error}"), MAX_MESSAGE_LEN_BYTES);
    let mut texts = vec![text(error)];
    texts.extend(sources.iter().take(MAX_SOURCES).map(|source| text(source)));
    driver::conceal(is_of_driver, &sources, &mut texts);
    let stacktrace = (!sources.is_empty()).then(|| {
        let more = (sources.len() > MAX_SOURCES).then_some("\nCaused by: …");
        let chain = texts.join("\nCaused by: ");
        let text = format!("{kind}: {chain}{}", more.unwrap_or_default());
        bounded(text, MAX_STACKTRACE_LEN_BYTES)
    });
    let mut details = ExceptionDetails {
        stacktrace,
        kind,
        message: texts.swap_remove(0),
    };
    append_backtrace(&mut details, &backtrace);
    details
}

fn append_backtrace(details: &mut ExceptionDetails, backtrace: &Backtrace) {
    if backtrace.status() != BacktraceStatus::Captured {
        return;
    }
    let mut text = details
        .stacktrace
        .take()
        .unwrap_or_else(|| format!("{}: {}", details.kind, details.message));
    let _infallible = write!(text, "\n{backtrace}");
    details.stacktrace = Some(bounded(text, MAX_STACKTRACE_LEN_BYTES));
}

/// A boxed error does not tell its type. The common ones of the standard library can be asked for; of the others, what a derived `Debug`
/// begins with is the name of the type or of its variant.
fn name_of(error: &(dyn Error + 'static)) -> Cow<'static, str> {
    macro_rules! ask {
        ($($kind:ty),*) => {
            $(if error.is::<$kind>() {
                return Cow::Borrowed(type_name::<$kind>());
            })*
        };
    }
    ask!(
        std::io::Error,
        ParseIntError,
        ParseFloatError,
        fmt::Error,
        std::str::Utf8Error,
        std::string::FromUtf8Error,
        http::Error
    );
    let debug = told_within(format_args!("{error:?}"), MAX_NAME_LEN_BYTES);
    let name: String = debug
        .chars()
        .take_while(|&c| c.is_alphanumeric() || c == '_')
        .collect();
    let is_name = name.starts_with(char::is_uppercase);
    if is_name {
        Cow::Owned(name)
    } else {
        Cow::Borrowed("dyn Error")
    }
}

/// The payload of a panic, if `panic!` was given text.
pub(super) fn panic_message(payload: &(dyn Any + Send)) -> Option<&str> {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// What a panic says.
pub(super) fn panic_details(
    payload: &(dyn Any + Send),
    place: Option<(String, Option<String>)>,
) -> ExceptionDetails {
    let message = panic_message(payload).unwrap_or("a value that is not text");
    let message = bounded(message.to_owned(), MAX_MESSAGE_LEN_BYTES);
    let stacktrace = place.map(|(location, backtrace)| {
        let mut text = format!("panic: {message}\nat {location}");
        if let Some(backtrace) = backtrace {
            let _infallible = write!(text, "\n{backtrace}");
        }
        bounded(text, MAX_STACKTRACE_LEN_BYTES)
    });
    ExceptionDetails {
        kind: Cow::Borrowed("panic"),
        message,
        stacktrace,
    }
}

/// What an error says of itself, as much as is kept of a message.
#[cfg(feature = "http")]
pub(crate) fn told(error: fmt::Arguments<'_>) -> String {
    told_within(error, MAX_MESSAGE_LEN_BYTES)
}

/// What an error says of itself. One that fails to say it has said what came before: `to_string` would panic.
fn told_within(error: fmt::Arguments<'_>, max_len_bytes: usize) -> String {
    let mut text = Bounded {
        kept: String::new(),
        max_len_bytes,
    };
    let _cut_or_failed = text.write_fmt(error);
    bounded(text.kept, max_len_bytes)
}

/// Text that takes no more when it is long enough.
struct Bounded {
    kept: String,
    max_len_bytes: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        // One character more than is told, so that it is known that there is more.
        let room = (self.max_len_bytes + char::MAX_LEN_UTF8).saturating_sub(self.kept.len());
        self.kept.push_str(&more[..more.floor_char_boundary(room)]);
        if more.len() > room {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

fn bounded(mut text: String, max_len_bytes: usize) -> String {
    if text.len() > max_len_bytes {
        let end = text.floor_char_boundary(max_len_bytes);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("can't load order {0}")]
    struct LoadError(u64, #[source] ParseIntError);

    fn details<M>(error: &impl Exception<M>) -> ExceptionDetails {
        error.details()
    }

    #[test]
    fn a_typed_error_tells_its_type_and_its_sources() {
        let source = "x".parse::<u64>().unwrap_err();
        let told = details(&LoadError(7, source));
        assert_eq!(
            told.kind, "backtrail::span::exception::tests::LoadError",
            "{told:?}"
        );
        assert_eq!(told.message, "can't load order 7");
        assert!(
            told.stacktrace
                .unwrap()
                .contains("can't load order 7\nCaused by: invalid digit found in string")
        );
    }

    #[test]
    fn a_boxed_error_tells_the_name_that_its_debug_begins_with() {
        let boxed: Box<dyn Error + Send + Sync> =
            Box::new(LoadError(7, "x".parse::<u64>().unwrap_err()));
        assert_eq!(details(&boxed).kind, "LoadError");
        let boxed: Box<dyn Error> = Box::new("x".parse::<u64>().unwrap_err());
        assert_eq!(details(&boxed).kind, "core::num::error::ParseIntError");
        let boxed: Box<dyn Error> = "plain".into();
        assert_eq!(details(&boxed).kind, "dyn Error");
    }

    #[test]
    fn text_is_an_error_too() {
        assert_eq!(details(&"no order").message, "no order");
        assert_eq!(details(&String::from("no order")).kind, "error");
    }

    #[test]
    fn a_chain_without_end_is_cut() {
        #[derive(Debug)]
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again")
            }
        }
        impl Error for Endless {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self)
            }
        }
        let stacktrace = details(&Endless).stacktrace.unwrap();
        assert!(stacktrace.contains("\nCaused by: …"), "{stacktrace}");
    }

    #[test]
    fn an_error_that_fails_to_say_what_it_is_has_said_what_came_before() {
        #[derive(Debug)]
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("no or")?;
                Err(fmt::Error)
            }
        }
        impl Error for Broken {}
        assert_eq!(details(&Broken).message, "no or");
    }

    #[test]
    fn an_error_that_talks_without_end_is_interrupted() {
        #[derive(Debug)]
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("again and ")?;
                }
            }
        }
        impl Error for Endless {}
        let told = details(&Endless).message;
        assert!(told.len() <= MAX_MESSAGE_LEN_BYTES + '…'.len_utf8());
        assert!(told.ends_with('…'));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let told = details(&"é".repeat(MAX_MESSAGE_LEN_BYTES));
        assert!(told.message.len() <= MAX_MESSAGE_LEN_BYTES + '…'.len_utf8());
        assert!(told.message.ends_with('…'));
    }
}
