//! `POST /sourcemaps/resolve`: a stack trace from somewhere else, resolved with what was uploaded here.

use axum::body::{Body, to_bytes};
use axum::extract::State;
use serde::Deserialize;

use super::Answer;
use super::exception::StackBody;
use super::source_lines::SourceLines;
use crate::api::failure::Failure;
use crate::api::stacks::StackTrace;
use crate::api::{Api, Json, READ_TIMEOUT};

/// A stack trace in a request.
const MAX_STACK_BYTES: usize = 4 << 20;
/// The body around it: a stack with many escapes, and debug ids.
const MAX_BODY_BYTES: usize = 16 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    service: String,
    version: Option<String>,
    dist: Option<String>,
    stack: String,
    /// The exception's message, whose lines may look like frames.
    #[serde(default)]
    message: String,
    #[serde(default)]
    debug_images: Vec<DebugImage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DebugImage {
    code_file: String,
    debug_id: String,
}

pub(super) async fn resolve(State(api): State<Api>, lines: SourceLines, body: Body) -> Answer {
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        Failure::Invalid(format!(
            "the body cannot be read, of which {MAX_BODY_BYTES} bytes may be: {error}"
        ))
    })?;
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| Failure::Invalid(format!("the body cannot be read: {error}")))?;
    if request.stack.len() > MAX_STACK_BYTES {
        let message = format!(
            "stack: {} bytes, and {MAX_STACK_BYTES} may be",
            request.stack.len()
        );
        return Err(Failure::Invalid(message).into());
    }
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let images = request.debug_images.iter();
        let trace = StackTrace {
            service: &request.service,
            version: request
                .version
                .as_deref()
                .filter(|version| !version.is_empty()),
            dist: request.dist.as_deref().filter(|dist| !dist.is_empty()),
            stack: &request.stack,
            message: &request.message,
            debug_images: images
                .map(|image| (image.code_file.as_str(), image.debug_id.as_str()))
                .collect(),
        };
        let resolved = question.stacks.resolve(&trace).map_err(Failure::internal)?;
        Json::write(&StackBody::of(trace.stack, &resolved, lines))
    });
    Ok(answer.await?)
}
