//! `#[traced]`, the attribute of the crate `backtrail` that runs a function in a span of its own.
//!
//! ```ignore
//! use backtrail::traced;
//!
//! #[traced(name = "load order", attributes(order.id = id))]
//! async fn load(id: u64) -> Result<Order, LoadError> {
//!     // `Err` is recorded as `backtrail::create_span` records it.
//! }
//! ```
//!
//! Services do not use this crate: `backtrail::traced` is the same attribute, with its documentation and with examples that are tested. What the attribute
//! expands to needs a dependency that is named `backtrail`.
//!
//! It is not for functions that are called so often that a span each would be too much, and it records no arguments but those
//! that are named.

mod expand;
mod options;

use proc_macro::TokenStream;

/// Runs a function in a span of its own: see `backtrail::traced`.
#[proc_macro_attribute]
pub fn traced(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::expand(options.into(), function.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
