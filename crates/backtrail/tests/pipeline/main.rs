//! What a service sees of the pipeline, with exporters of its own.

mod custom;
