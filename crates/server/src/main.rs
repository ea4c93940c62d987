//! `backtrail`: receives spans, keeps them, answers searches and shows traces in a page.

mod api;
mod demo;
mod metrics;
mod page;
mod state;
mod web;

fn main() {}
