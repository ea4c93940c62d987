//! How this API writes an exception.

use artifacts::ladder::{Miss, Step};
use artifacts::resolve::{Context, Frame, Kept, Location, Outcome, Resolved, Script};
use serde::Serialize;

use super::source_lines::SourceLines;
use crate::api::failure::Failure;
use crate::api::stacks::{ExceptionEvent, Stacks};

/// An exception with its stack, raw and resolved.
#[derive(Serialize)]
pub(super) struct ExceptionBody {
    #[serde(rename = "type")]
    exception_type: String,
    message: String,
    stack: Option<StackBody>,
}

impl ExceptionBody {
    pub(super) fn of(
        event: &ExceptionEvent<'_>,
        stacks: &Stacks,
        lines: SourceLines,
    ) -> Result<Self, Failure> {
        let stack = match event.stack_trace() {
            Some(trace) => {
                let resolved = stacks.resolve(&trace).map_err(Failure::internal)?;
                Some(StackBody::of(trace.stack, &resolved, lines))
            }
            None => None,
        };
        Ok(Self {
            exception_type: event.exception_type.to_owned(),
            message: event.message.to_owned(),
            stack,
        })
    }
}

/// A stack trace as this API writes it, for whoever resolved one without a server.
pub(crate) fn stack_json(raw: &str, resolved: &Resolved) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(StackBody::of(raw, resolved, SourceLines::Shown))
}

/// A stack trace, raw and resolved.
#[derive(Serialize)]
pub(super) struct StackBody {
    raw: String,
    resolved: String,
    resolved_frames: usize,
    frames: Vec<FrameBody>,
    frames_left_out: usize,
    /// Why no frame has lines of source, where some would have.
    source_withheld: Option<&'static str>,
    scripts: Vec<ScriptBody>,
}

impl StackBody {
    pub(super) fn of(raw: &str, resolved: &Resolved, lines: SourceLines) -> Self {
        let frames = resolved.frames.iter();
        Self {
            raw: raw.to_owned(),
            resolved: resolved.text.clone(),
            resolved_frames: resolved.resolved_count(),
            frames: frames.map(|frame| FrameBody::of(frame, lines)).collect(),
            frames_left_out: resolved.frames_left_out,
            source_withheld: lines.withheld_of(resolved),
            scripts: resolved.scripts.iter().map(ScriptBody::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct FrameBody {
    text_line: usize,
    raw: RawFrame,
    resolved: Option<LocationBody>,
    kept: Option<KeptBody>,
    script: Option<usize>,
}

#[derive(Serialize)]
struct RawFrame {
    function: Option<String>,
    url: String,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct LocationBody {
    file: String,
    source: String,
    line: u32,
    column: u32,
    function: Option<String>,
    in_app: bool,
    context: Option<ContextBody>,
}

#[derive(Serialize)]
struct ContextBody {
    first_line: u32,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct KeptBody {
    code: &'static str,
    message: &'static str,
}

impl FrameBody {
    fn of(frame: &Frame, lines: SourceLines) -> Self {
        let (resolved, kept, script) = match &frame.outcome {
            Outcome::Resolved(location) => (
                Some(LocationBody::of(location, lines)),
                None,
                Some(location.script),
            ),
            Outcome::Kept(kept) => (None, Some(KeptBody::of(kept)), script_of(kept)),
        };
        Self {
            text_line: frame.text_line,
            raw: RawFrame {
                function: frame.raw_function.clone(),
                url: frame.raw_url.clone(),
                line: frame.raw_line,
                column: frame.raw_column,
            },
            resolved,
            kept,
            script,
        }
    }
}

impl LocationBody {
    fn of(location: &Location, lines: SourceLines) -> Self {
        let context = lines
            .of(location)
            .map(|Context { first_line, lines }| ContextBody {
                first_line: *first_line,
                lines: lines.clone(),
            });
        Self {
            file: location.file.clone(),
            source: location.source.clone(),
            line: location.line,
            column: location.column,
            function: location.function.clone(),
            in_app: location.is_in_app,
            context,
        }
    }
}

impl KeptBody {
    fn of(kept: &Kept) -> Self {
        Self {
            code: kept.code(),
            message: kept.message(),
        }
    }
}

fn script_of(kept: &Kept) -> Option<usize> {
    match kept {
        Kept::Native | Kept::Original => None,
        Kept::NoMap { script } | Kept::NotCovered { script } | Kept::BadMap { script } => {
            Some(*script)
        }
    }
}

/// A script of the stack: which map serves it and how that was found, or why there is none and what to do.
#[derive(Serialize)]
pub(super) struct ScriptBody {
    url: String,
    map: Option<MapBody>,
    bad_map: Option<String>,
    reasons: Vec<ReasonBody>,
    fix: Option<String>,
}

#[derive(Serialize)]
struct MapBody {
    step: u8,
    step_name: &'static str,
    bundle_step: Option<u8>,
    bundle_step_name: Option<&'static str>,
    release: Option<String>,
    bundle: Option<String>,
    map: Option<String>,
}

#[derive(Serialize)]
struct ReasonBody {
    step: Option<u8>,
    step_name: Option<&'static str>,
    code: &'static str,
    message: String,
    fix: Option<String>,
}

impl ScriptBody {
    pub(super) fn of(script: &Script) -> Self {
        let map = script.found.as_ref().map(|found| MapBody {
            step: found.step.number(),
            step_name: found.step.name(),
            bundle_step: found.bundle_step.map(Step::number),
            bundle_step_name: found.bundle_step.map(Step::name),
            release: found
                .release
                .as_ref()
                .map(|release| release.version.clone()),
            bundle: found.bundle_url.clone(),
            map: found.map_url.clone(),
        });
        Self {
            url: script.url.clone(),
            map,
            bad_map: script.bad_map.clone(),
            reasons: script.misses.iter().map(ReasonBody::of).collect(),
            fix: script.fix(),
        }
    }
}

impl ReasonBody {
    fn of(miss: &Miss) -> Self {
        Self {
            step: miss.step().map(Step::number),
            step_name: miss.step().map(Step::name),
            code: miss.code(),
            message: miss.to_string(),
            fix: miss.fix(),
        }
    }
}
