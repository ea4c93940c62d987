//! What is recorded of a service's or a body's error.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;

use crate::{Exception, ExceptionDetails};

/// Layers are generic over the error, and few services promise more than that it can be printed. Of the errors that are usual, the
/// sources are told too.
pub(super) fn details_of<E: Display + 'static>(error: &E) -> ExceptionDetails {
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
    ExceptionDetails {
        kind: Cow::Borrowed(type_name::<E>()),
        ..error.to_string().details()
    }
}
