//! Statements and transactions of `sqlx`.

mod error;
mod executor;
mod transaction;

pub use executor::{Traced, traced};
pub use transaction::Transaction;
