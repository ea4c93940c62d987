//! `#[traced]`: what it takes, and that it does what `create_span` and `in_span` do.
#![cfg(feature = "macros")]

mod outcomes;
mod shapes;
