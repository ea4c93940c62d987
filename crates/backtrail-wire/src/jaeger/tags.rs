//! The tags of a span that OTLP has fields for.

use super::fault::Fault;
use super::model::Model;
use crate::otlp::{AnyValue, Status};

/// A tag's value, and where it stands among the tags.
type Found<T> = Option<(usize, T)>;

/// The tags of a span that say what OTLP says in a field. Of several with one name the last counts.
#[derive(Debug, Default)]
struct SpecialTags<'a> {
    kind: Found<i32>,
    is_error: Found<bool>,
    status_code: Found<i32>,
    status_description: Found<&'a str>,
    http_status_code: Found<i64>,
    http_status_message: Found<&'a str>,
    trace_state: Found<&'a str>,
    scope_name: Found<&'a str>,
    scope_version: Found<&'a str>,
    library_name: Found<&'a str>,
    library_version: Found<&'a str>,
}

impl<'a> SpecialTags<'a> {
    fn note(&mut self, index: usize, key: &str, value: AnyValue<'a>) {
        match (key, value) {
            ("span.kind", AnyValue::String(text)) => {
                if let Some(kind) = span_kind(text) {
                    self.kind = Some((index, kind));
                }
            }
            ("error", AnyValue::Bool(value)) => self.is_error = Some((index, value)),
            ("otel.status_code", AnyValue::String(text)) => {
                if let Some(code) = status_code(text) {
                    self.status_code = Some((index, code));
                }
            }
            ("otel.status_description", AnyValue::String(text)) => {
                self.status_description = Some((index, text));
            }
            ("http.status_code", AnyValue::Int(code)) => {
                self.http_status_code = Some((index, code));
            }
            ("http.status_code", AnyValue::String(text)) => {
                if let Ok(code) = text.parse() {
                    self.http_status_code = Some((index, code));
                }
            }
            ("http.status_message", AnyValue::String(text)) => {
                self.http_status_message = Some((index, text));
            }
            ("w3c.tracestate", AnyValue::String(text)) => self.trace_state = Some((index, text)),
            ("otel.scope.name", AnyValue::String(text)) => self.scope_name = Some((index, text)),
            ("otel.scope.version", AnyValue::String(text)) => {
                self.scope_version = Some((index, text));
            }
            ("otel.library.name", AnyValue::String(text)) => {
                self.library_name = Some((index, text));
            }
            ("otel.library.version", AnyValue::String(text)) => {
                self.library_version = Some((index, text));
            }
            _ => {}
        }
    }
}

fn span_kind(text: &str) -> Option<i32> {
    Some(match text {
        "internal" => 1,
        "server" => SERVER,
        "client" => CLIENT,
        "producer" => 4,
        "consumer" => 5,
        _ => return None,
    })
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;

const UNSET: i32 = 0;
const OK: i32 = 1;
const ERROR: i32 = 2;

fn status_code(text: &str) -> Option<i32> {
    [("UNSET", UNSET), ("OK", OK), ("ERROR", ERROR)]
        .into_iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, code)| code)
}

/// What the special tags of a span say in OTLP's words.
#[derive(Debug, Default)]
pub(super) struct Meaning<'a> {
    pub kind: i32,
    pub status: Option<Status<'a>>,
    pub trace_state: &'a str,
    pub scope_name: &'a str,
    pub scope_version: &'a str,
    /// Indexes of the tags that are told by this, and are no attributes therefore.
    told: [Option<usize>; 10],
    told_len: usize,
}

impl<'a> Meaning<'a> {
    pub(super) fn of<M: Model<'a>>(tags: M::List) -> Result<Self, Fault> {
        let mut special = SpecialTags::default();
        for (index, tag) in M::key_values(tags).enumerate() {
            let (key, value) = tag?;
            special.note(index, key, value);
        }
        let mut meaning = Self::default();
        meaning.kind = meaning.tell(special.kind).unwrap_or_default();
        meaning.trace_state = meaning.tell(special.trace_state).unwrap_or_default();
        meaning.set_status(&special);
        meaning.set_scope(&special);
        Ok(meaning)
    }

    /// Whether the tag at `index` is told by a field already.
    pub(super) fn tells(&self, index: usize) -> bool {
        self.told[..self.told_len].contains(&Some(index))
    }

    fn tell<T>(&mut self, found: Found<T>) -> Option<T> {
        let (index, value) = found?;
        self.told[self.told_len] = Some(index);
        self.told_len += 1;
        Some(value)
    }

    /// A tag `error` that is true counts for more than a status code, and that for more than an HTTP status.
    fn set_status(&mut self, special: &SpecialTags<'a>) {
        let is_error = special.is_error.is_some_and(|(_, is_error)| is_error);
        let http_message = special.http_status_message.map(|(_, message)| message);
        let explicit_code = self.tell(special.status_code);
        if is_error {
            self.tell(special.is_error);
            let description = self.tell(special.status_description);
            let message = description.or(http_message).unwrap_or_default();
            self.status = Some(Status {
                message,
                code: ERROR,
            });
        } else if let Some(code) = explicit_code {
            let message = self.tell(special.status_description).unwrap_or_default();
            self.status = Some(Status { message, code });
        } else if let Some((_, http_status)) = special.http_status_code
            && is_http_error(http_status, self.kind)
        {
            let message = http_message.unwrap_or_default();
            self.status = Some(Status {
                message,
                code: ERROR,
            });
        }
    }

    /// `otel.library.…` is the older name. Where a client writes both alike, both are told.
    fn set_scope(&mut self, special: &SpecialTags<'a>) {
        let same = |new: Found<&str>, old: Found<&str>| match (new, old) {
            (Some((_, new)), Some((_, old))) => new == old,
            _ => false,
        };
        match self.tell(special.scope_name) {
            Some(name) => {
                self.scope_name = name;
                if same(special.scope_name, special.library_name) {
                    self.tell(special.library_name);
                }
            }
            None => match self.tell(special.library_name) {
                Some(name) => self.scope_name = name,
                None => return,
            },
        }
        match self.tell(special.scope_version) {
            Some(version) => {
                self.scope_version = version;
                if same(special.scope_version, special.library_version) {
                    self.tell(special.library_version);
                }
            }
            None => self.scope_version = self.tell(special.library_version).unwrap_or_default(),
        }
    }
}

/// A 4xx is the client's error, so the server's span is none.
const fn is_http_error(status: i64, kind: i32) -> bool {
    match status {
        400..=499 if kind == SERVER => false,
        400..=499 if kind == CLIENT => true,
        status => !matches!(status, 100..=399),
    }
}
