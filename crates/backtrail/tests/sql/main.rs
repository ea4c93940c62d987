//! Statements as spans, around any driver and as an executor of `sqlx`.

#[cfg(feature = "sqlx")]
mod executor;
#[cfg(feature = "sqlx")]
mod outer_spans;
#[cfg(feature = "sqlx")]
mod transactions;
mod wrapper;
