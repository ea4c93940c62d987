//! What a service sees of the pipeline, with exporters of its own.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod custom;
