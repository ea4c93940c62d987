//! Writes Zipkin's spans as a `TracesData`.

use std::collections::HashMap;
use std::fmt::{self, Display};

use super::endpoint::{Endpoint, EndpointKeys, LOCAL, REMOTE, Told, plainly_told, remote_told};
use super::fault::{Fault, PlacedFault};
use super::key;
use super::span::Span;
use crate::otlp::{self, AnyValue, Attributes, SpanLimits, Status, put_key_value};
use crate::protobuf::{begin_message, put_bytes, put_fixed64, put_int, put_message, put_str};
use crate::{RejectReason, Rejections, Transcoded};

const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;

/// The spans of one request, on their way.
pub(super) struct Request {
    max_span_bytes: usize,
    services: Vec<Service>,
    by_name: HashMap<String, usize>,
    /// When the earliest span of each trace starts.
    earliest: HashMap<[u8; 16], u64>,
    /// When the earliest span of each id starts.
    starts: HashMap<([u8; 16], [u8; 8]), u64>,
    timeless: Vec<Timeless>,
    accepted: usize,
    rejected: Rejections,
}

/// The spans of one service.
struct Service {
    name: String,
    scopes: Vec<Scope>,
    /// Places by name and version.
    by_scope: HashMap<String, HashMap<String, usize>>,
}

/// The spans of one scope.
struct Scope {
    name: String,
    version: String,
    /// `Span` messages as field 2.
    spans: Vec<u8>,
}

/// A span that was written before its time is known.
struct Timeless {
    service: usize,
    scope: usize,
    /// Of its start among the scope's bytes. Start and end have a fixed width.
    offset: usize,
    trace_id: [u8; 16],
    /// Of the span itself, and of its parent.
    ids: [[u8; 8]; 2],
    duration_nano: u64,
}

/// `[3].localEndpoint`.
struct SpanPath<'p>(usize, &'p str);

impl Display for SpanPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]{}", self.0, self.1)
    }
}

impl Request {
    pub(super) fn new(limits: &SpanLimits) -> Self {
        Self {
            max_span_bytes: limits.max_span_bytes,
            services: Vec::new(),
            by_name: HashMap::new(),
            earliest: HashMap::new(),
            starts: HashMap::new(),
            timeless: Vec::new(),
            accepted: 0,
            rejected: Rejections::default(),
        }
    }

    /// Adds the span that stands at `index` in the request, or rejects it.
    pub(super) fn put(&mut self, index: usize, span: Result<Span<'_>, PlacedFault>) {
        let written = span.and_then(|mut span| {
            span.normalise();
            self.write(&span)
        });
        match written {
            Ok(()) => self.accepted += 1,
            Err(PlacedFault { path, fault }) => {
                self.reject(index, fault.reason(), &path, fault);
            }
        }
    }

    /// The same for a span that became several.
    pub(super) fn put_all(&mut self, index: usize, spans: Result<Vec<Span<'_>>, PlacedFault>) {
        match spans {
            Ok(spans) => spans.into_iter().for_each(|span| self.put(index, Ok(span))),
            Err(fault) => self.put(index, Err(fault)),
        }
    }

    fn reject(&mut self, index: usize, reason: RejectReason, path: &str, detail: impl Display) {
        self.rejected.add(1, reason, SpanPath(index, path), detail);
    }

    fn write(&mut self, span: &Span<'_>) -> Result<(), PlacedFault> {
        let meaning = Meaning::of(span);
        let first_annotation = span.annotations.first().map(|first| first.timestamp_micros);
        let start_micros = match span.timestamp_micros {
            0 => first_annotation.unwrap_or_default(),
            timestamp => timestamp,
        };
        let start_unix_nano =
            unix_nano("timestamp", start_micros).map_err(|fault| fault.at(".timestamp"))?;
        let duration_nano =
            unix_nano("duration", span.duration_micros).map_err(|fault| fault.at(".duration"))?;
        let end_unix_nano = start_unix_nano
            .checked_add(duration_nano)
            .ok_or_else(|| time_fault("duration", span.duration_micros).at(".duration"))?;

        let service = self.service(&span.local.service_name);
        let scope = self.services[service].scope(meaning.scope_name, meaning.scope_version);
        let out = &mut self.services[service].scopes[scope].spans;
        let open = begin_message(out, 2);
        let times = (start_unix_nano, end_unix_nano);
        let written = put_span(out, span, &meaning, times, self.max_span_bytes).and_then(|place| {
            otlp::Span::parse_valid(&out[open.body()..], self.max_span_bytes)?;
            Ok(place)
        });
        let time_place = match written {
            Ok(place) => place,
            Err(fault) => {
                open.discard(out);
                return Err(fault);
            }
        };
        let len_before = out.len();
        open.end(out);
        if start_unix_nano == 0 {
            self.timeless.push(Timeless {
                service,
                scope,
                // The message moved when its length took more bytes than were left for it.
                offset: time_place + out.len() - len_before,
                trace_id: span.trace_id,
                ids: [span.id, span.parent_id],
                duration_nano,
            });
        } else {
            let of_trace = self.earliest.entry(span.trace_id);
            let of_id = self.starts.entry((span.trace_id, span.id));
            for earliest in [of_trace.or_insert(u64::MAX), of_id.or_insert(u64::MAX)] {
                *earliest = (*earliest).min(start_unix_nano);
            }
        }
        Ok(())
    }

    fn service(&mut self, name: &str) -> usize {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let place = self.services.len();
        self.by_name.insert(name.to_owned(), place);
        self.services.push(Service {
            name: name.to_owned(),
            scopes: Vec::new(),
            by_scope: HashMap::new(),
        });
        place
    }

    /// The whole. A span without any time starts with the other half of its id, else with its parent, else with its trace; or when the request
    /// arrived.
    pub(super) fn finish(mut self, received_unix_nano: u64) -> Transcoded {
        for timeless in &self.timeless {
            let trace_id = timeless.trace_id;
            let mut of_ids = timeless.ids.into_iter();
            let start = of_ids
                .find_map(|id| self.starts.get(&(trace_id, id)))
                .or_else(|| self.earliest.get(&trace_id));
            let start = start.copied().unwrap_or(received_unix_nano);
            let end = start.saturating_add(timeless.duration_nano);
            let spans = &mut self.services[timeless.service].scopes[timeless.scope].spans;
            let mut times = Vec::with_capacity(TIMES_BYTES);
            put_times(&mut times, start, end);
            spans[timeless.offset..timeless.offset + TIMES_BYTES].copy_from_slice(&times);
        }
        let mut protobuf = Vec::new();
        for service in &self.services {
            service.put(&mut protobuf);
        }
        Transcoded {
            protobuf,
            accepted: self.accepted,
            rejected: self.rejected,
        }
    }
}

impl Service {
    fn scope(&mut self, name: &str, version: &str) -> usize {
        let known = self.by_scope.get(name);
        if let Some(place) = known.and_then(|versions| versions.get(version)) {
            return *place;
        }
        let place = self.scopes.len();
        let versions = self.by_scope.entry(name.to_owned()).or_default();
        versions.insert(version.to_owned(), place);
        self.scopes.push(Scope {
            name: name.to_owned(),
            version: version.to_owned(),
            spans: Vec::new(),
        });
        place
    }

    /// Appends it as `ResourceSpans`, but for scopes whose spans were all rejected.
    fn put(&self, out: &mut Vec<u8>) {
        if self.scopes.iter().all(|scope| scope.spans.is_empty()) {
            return;
        }
        put_message(out, 1, |out| {
            if !self.name.is_empty() {
                put_message(out, 1, |out| {
                    put_key_value(out, 1, "service.name", AnyValue::String(&self.name));
                });
            }
            for scope in self.scopes.iter().filter(|scope| !scope.spans.is_empty()) {
                scope.put(out);
            }
        });
    }
}

impl Scope {
    fn put(&self, out: &mut Vec<u8>) {
        put_message(out, 2, |out| {
            if !self.name.is_empty() || !self.version.is_empty() {
                put_message(out, 1, |out| {
                    for (number, text) in [(1, &self.name), (2, &self.version)] {
                        if !text.is_empty() {
                            put_str(out, number, text);
                        }
                    }
                });
            }
            out.extend_from_slice(&self.spans);
        });
    }
}

fn time_fault(what: &'static str, micros: u64) -> Fault {
    let micros = micros.to_string();
    Fault::Time { what, micros }
}

fn unix_nano(what: &'static str, micros: u64) -> Result<u64, Fault> {
    micros
        .checked_mul(1000)
        .ok_or_else(|| time_fault(what, micros))
}

/// What the tags of a span say in OTLP's words.
struct Meaning<'s> {
    status: Option<Status<'s>>,
    scope_name: &'s str,
    scope_version: &'s str,
    trace_state: &'s str,
    /// Keys of the tags that are told by this, and are no attributes therefore.
    told: [Option<&'static str>; 5],
}

impl<'s> Meaning<'s> {
    fn of(span: &'s Span<'_>) -> Self {
        let mut told = [None; 5];
        let mut tell = |place: usize, key: &'static str| {
            // An empty text would not be written again.
            let text = span.tag(key).filter(|text| !text.is_empty())?;
            told[place] = Some(key);
            Some(text)
        };
        let scope_name = tell(0, "otel.scope.name").unwrap_or_default();
        let scope_version = tell(1, "otel.scope.version").unwrap_or_default();
        let trace_state = tell(2, "w3c.tracestate").unwrap_or_default();

        let (ok, failed) = (1, 2);
        let status = match (span.tag("otel.status_code"), span.tag("error")) {
            (Some("ERROR"), Some(message)) => {
                told[3] = Some("otel.status_code");
                told[4] = Some("error");
                Some((failed, message))
            }
            (Some("OK"), None) => {
                told[3] = Some("otel.status_code");
                Some((ok, ""))
            }
            (Some("OK"), Some(_)) => Some((ok, "")),
            (Some("ERROR"), None) | (_, Some("true" | "")) => Some((failed, "")),
            (_, None | Some("false")) => None,
            (_, Some(message)) => Some((failed, message)),
        };
        Self {
            status: status.map(|(code, message)| Status { message, code }),
            scope_name,
            scope_version,
            trace_state,
            told,
        }
    }
}

/// Appends the fields of a `Span` and says where its times stand.
fn put_span(
    out: &mut Vec<u8>,
    span: &Span<'_>,
    meaning: &Meaning<'_>,
    (start_unix_nano, end_unix_nano): (u64, u64),
    max_bytes: usize,
) -> Result<usize, PlacedFault> {
    let begin = out.len();
    // Looked at after each part, so that a list of many small things can't grow far beyond the limit.
    let check_len = |out: &Vec<u8>| match out.len() - begin {
        len_bytes if len_bytes > max_bytes => Err(otlp::SpanFault::TooLarge {
            len_bytes,
            max_bytes,
        }),
        _ => Ok(()),
    };
    put_bytes(out, 1, &span.trace_id);
    put_bytes(out, 2, &span.id);
    if !meaning.trace_state.is_empty() {
        put_str(out, 3, meaning.trace_state);
    }
    if span.parent_id != [0; 8] {
        put_bytes(out, 4, &span.parent_id);
    }
    // Before what may be long, so that their place does not depend on it.
    let times = out.len();
    put_times(out, start_unix_nano, end_unix_nano);
    put_str(out, 5, &span.name);
    if span.kind != 0 {
        put_int(out, 6, i64::from(span.kind));
    }
    put_made_attributes(out, span);
    for (key, value) in &span.tags {
        if !meaning.told.contains(&Some(&**key)) {
            put_key_value(out, ATTRIBUTES, key, AnyValue::String(value));
            check_len(out)?;
        }
    }
    for (index, annotation) in span.annotations.iter().enumerate() {
        let time_unix_nano = unix_nano("timestamp", annotation.timestamp_micros)
            .map_err(|fault| fault.at(format_args!(".annotations[{index}].timestamp")))?;
        put_message(out, EVENTS, |out| {
            put_fixed64(out, 1, time_unix_nano);
            put_str(out, 2, &annotation.value);
        });
        check_len(out)?;
    }
    if let Some(status) = meaning.status {
        put_message(out, 15, |out| {
            if !status.message.is_empty() {
                put_str(out, 2, status.message);
            }
            put_int(out, 3, i64::from(status.code));
        });
    }
    Ok(times)
}

/// Two fields with a tag of one byte each.
const TIMES_BYTES: usize = 18;

fn put_times(out: &mut Vec<u8>, start_unix_nano: u64, end_unix_nano: u64) {
    put_fixed64(out, 7, start_unix_nano);
    put_fixed64(out, 8, end_unix_nano);
}

/// The attributes that no tag is.
fn put_made_attributes(out: &mut Vec<u8>, span: &Span<'_>) {
    put_endpoint(out, span, &LOCAL, &span.local);
    put_endpoint(out, span, &REMOTE, &span.remote);
    for (key, is_so) in [
        (key::DEBUG, span.debug),
        (key::SHARED, span.shared),
        (key::NO_TIMESTAMP, span.timestamp_micros == 0),
    ] {
        if is_so {
            put_key_value(out, ATTRIBUTES, key, AnyValue::Bool(true));
        }
    }
}

fn put_endpoint(out: &mut Vec<u8>, span: &Span<'_>, keys: &EndpointKeys, endpoint: &Endpoint<'_>) {
    let address = endpoint.address().map(|address| address.to_string());
    let service_name = keys
        .service_name
        .filter(|_| !endpoint.service_name.is_empty());
    let made = [
        service_name.map(|key| (key, AnyValue::String(&endpoint.service_name))),
        address
            .as_deref()
            .map(|address| (keys.address, AnyValue::String(address))),
        (endpoint.port != 0).then(|| (keys.port, AnyValue::Int(i64::from(endpoint.port)))),
    ];
    let made = made.into_iter().flatten();
    let made: Vec<_> = made.filter(|(key, _)| span.tag(key).is_none()).collect();
    for (key, value) in &made {
        put_key_value(out, ATTRIBUTES, key, *value);
    }

    let get = |key: &str| {
        let made = made.iter().find(|made| made.0 == key);
        made.map(|made| made.1)
            .or_else(|| span.tag(key).map(AnyValue::String))
    };
    let Told { endpoint: told, by } = match keys.service_name {
        Some(_) => remote_told(span.kind, get),
        None => Told {
            endpoint: Endpoint {
                service_name: endpoint.service_name.clone(),
                ..plainly_told(keys, get).endpoint
            },
            ..plainly_told(keys, get)
        },
    };
    let is_tag_taken = by.iter().flatten().any(|key| span.tag(key).is_some());
    if told != *endpoint || is_tag_taken {
        put_explicit(out, span, keys, endpoint);
    }
}

fn put_explicit(out: &mut Vec<u8>, span: &Span<'_>, keys: &EndpointKeys, endpoint: &Endpoint<'_>) {
    let mut map = Vec::new();
    if keys.service_name.is_some() && !endpoint.service_name.is_empty() {
        let name = AnyValue::String(&endpoint.service_name);
        put_key_value(&mut map, 1, "serviceName", name);
    }
    let ipv4 = endpoint.ipv4.map(|address| address.to_string());
    let ipv6 = endpoint.ipv6.map(|address| address.to_string());
    for (key, address) in [("ipv4", ipv4), ("ipv6", ipv6)] {
        if let Some(address) = address {
            put_key_value(&mut map, 1, key, AnyValue::String(&address));
        }
    }
    if endpoint.port != 0 {
        let port = AnyValue::Int(i64::from(endpoint.port));
        put_key_value(&mut map, 1, "port", port);
    }
    let mut tags = Vec::new();
    for key in keys.plain().filter(|key| span.tag(key).is_some()) {
        put_message(&mut tags, 1, |out| put_str(out, 1, key));
    }
    if !tags.is_empty() {
        let tags = AnyValue::Array(otlp::ArrayValue::new(&tags));
        put_key_value(&mut map, 1, "tags", tags);
    }
    let map = AnyValue::Map(Attributes::new(&map));
    put_key_value(out, ATTRIBUTES, keys.explicit, map);
}
