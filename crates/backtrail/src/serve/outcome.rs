//! What servers end with.

use std::convert::Infallible;

/// What the future of a server may end with: `()` or a `Result<(), E>`.
pub trait ServerOutcome {
    /// Why it could not serve.
    type Error;

    /// The same as a result.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl ServerOutcome for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<E> ServerOutcome for Result<(), E> {
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}
