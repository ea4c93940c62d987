//! What is recorded of a service's or a body's error.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::hook::discard;
use crate::span::told;
use crate::{Exception, ExceptionDetails};

/// Layers are generic over the error, and few services promise more than that it can be printed. Of the errors that are usual, the
/// sources are told too. An error whose text panics has none: it is the service's, and the service may never have printed it.
pub(super) fn details_of<E: Display + 'static>(error: &E) -> ExceptionDetails {
    let details = catch_unwind(AssertUnwindSafe(|| details_as_known(error)));
    details.unwrap_or_else(|payload| {
        discard(payload);
        ExceptionDetails {
            kind: Cow::Borrowed(type_name::<E>()),
            message: String::new(),
            stacktrace: None,
        }
    })
}

fn details_as_known<E: Display + 'static>(error: &E) -> ExceptionDetails {
    let any: &dyn Any = error;
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return error.details();
    }
    if let Some(error) = any.downcast_ref::<hyper_util::client::legacy::Error>() {
        return error.details();
    }
    if let Some(error) = any.downcast_ref::<hyper::Error>() {
        return error.details();
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = any.downcast_ref::<reqwest::Error>() {
        return super::client::details_of_reqwest(error);
    }
    ExceptionDetails {
        kind: Cow::Borrowed(type_name::<E>()),
        ..told(format_args!("{error}")).details()
    }
}
