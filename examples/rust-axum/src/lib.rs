//! A shop of two services, traced with Backtrail: `orders-shop` knows the orders, `warehouse` counts what is in stock.
//!
//! It is the Express shop beside it in Rust, with the same paths and the same JSON, and a database. Not a library: what is public here is for
//! `main` and the tests.

pub mod database;
mod failure;
mod listener;
pub mod orders;
pub mod stock_client;
pub mod warehouse;
