//! Spans as OTLP, in protobuf and in JSON.

use backtrail_wire::WireError;
use backtrail_wire::otlp::{
    AnyValue, Attributes, SpanFields, Status as WireStatus, put_event, put_key_value, put_span,
};
use backtrail_wire::protobuf::{put_bytes, put_message, put_str};
use serde_json::{Value as Json, json};

use super::service::{Scope, Service};
use super::span::{DemoSpan, Status, Value};

const STATUS_ERROR: i32 = 2;
/// W3C's trace flags.
const FLAGS_SAMPLED: u32 = 1;

/// An `ExportTraceServiceRequest` in protobuf. All spans are of `service`.
pub(super) fn protobuf(service: &Service, spans: &[DemoSpan]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    let mut result = Ok(());
    put_message(&mut out, 1, |resource_spans| {
        put_message(resource_spans, 1, |resource| {
            for (key, value) in resource_attributes(service) {
                put_key_value(resource, 1, key, AnyValue::String(value));
            }
        });
        result = by_scope(spans).try_for_each(|(scope, spans)| {
            let mut scope_spans = Vec::new();
            put_scope_spans(&mut scope_spans, scope, &spans)?;
            put_bytes(resource_spans, 2, &scope_spans);
            Ok(())
        });
    });
    result.map(|()| out)
}

fn put_scope_spans(out: &mut Vec<u8>, scope: Scope, spans: &[&DemoSpan]) -> Result<(), WireError> {
    put_message(out, 1, |message| {
        put_str(message, 1, scope.name);
        put_str(message, 2, scope.version);
    });
    for span in spans {
        let mut message = Vec::new();
        put_demo_span(&mut message, span)?;
        put_bytes(out, 2, &message);
    }
    Ok(())
}

fn put_demo_span(out: &mut Vec<u8>, span: &DemoSpan) -> Result<(), WireError> {
    let mut links = Vec::new();
    for link in &span.links {
        put_message(&mut links, 1, |message| {
            put_bytes(message, 1, &link.trace_id.to_be_bytes());
            put_bytes(message, 2, &link.span_id.to_be_bytes());
        });
    }
    let parent = span.parent_span_id.map(u64::to_be_bytes);
    let attributes = key_values(&span.attributes);
    let fields = SpanFields {
        trace_id: &span.context.trace_id.to_be_bytes(),
        span_id: &span.context.span_id.to_be_bytes(),
        parent_span_id: parent.as_ref().map_or(&[], |id| &id[..]),
        flags: FLAGS_SAMPLED,
        name: &span.name,
        kind: span.kind as i32,
        start_unix_nano: span.start_us * 1000,
        end_unix_nano: span.end_us * 1000,
        attributes: Attributes::new(&attributes),
        links: &links,
        status: match &span.status {
            Status::Unset => None,
            Status::Error(message) => Some(WireStatus {
                message,
                code: STATUS_ERROR,
            }),
        },
        ..SpanFields::default()
    };
    put_span(out, &fields, |out| {
        span.events.iter().try_for_each(|event| {
            let attributes = key_values(&event.attributes);
            let time_unix_nano = event.time_us * 1000;
            put_event(
                out,
                time_unix_nano,
                event.name,
                Attributes::new(&attributes),
                0,
            )
        })
    })
}

/// A `KeyValueList`.
fn key_values(attributes: &[(&'static str, Value)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (key, value) in attributes {
        let value = match value {
            Value::String(value) => AnyValue::String(value),
            Value::Int(value) => AnyValue::Int(*value),
            Value::Double(value) => AnyValue::Double(*value),
            Value::Bool(value) => AnyValue::Bool(*value),
        };
        put_key_value(&mut list, 1, key, value);
    }
    list
}

/// The same request in JSON. All spans are of `service`.
pub(super) fn json(service: &Service, spans: &[DemoSpan]) -> Vec<u8> {
    let resource: Vec<Json> = resource_attributes(service)
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}))
        .collect();
    let scope_spans: Vec<Json> = by_scope(spans)
        .map(|(scope, spans)| {
            let spans: Vec<Json> = spans.into_iter().map(json_span).collect();
            json!({"scope": {"name": scope.name, "version": scope.version}, "spans": spans})
        })
        .collect();
    let request = json!({
        "resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": scope_spans}],
    });
    request.to_string().into_bytes()
}

fn json_span(span: &DemoSpan) -> Json {
    let mut json = json!({
        "traceId": format!("{:032x}", span.context.trace_id),
        "spanId": format!("{:016x}", span.context.span_id),
        "flags": FLAGS_SAMPLED,
        "name": span.name,
        "kind": span.kind as i32,
        "startTimeUnixNano": (span.start_us * 1000).to_string(),
        "endTimeUnixNano": (span.end_us * 1000).to_string(),
        "attributes": json_attributes(&span.attributes),
    });
    if let Some(parent) = span.parent_span_id {
        json["parentSpanId"] = format!("{parent:016x}").into();
    }
    if !span.events.is_empty() {
        let events = span.events.iter().map(|event| {
            json!({
                "timeUnixNano": (event.time_us * 1000).to_string(),
                "name": event.name,
                "attributes": json_attributes(&event.attributes),
            })
        });
        json["events"] = events.collect();
    }
    if !span.links.is_empty() {
        let links = span.links.iter().map(|link| {
            json!({
                "traceId": format!("{:032x}", link.trace_id),
                "spanId": format!("{:016x}", link.span_id),
            })
        });
        json["links"] = links.collect();
    }
    if let Status::Error(message) = &span.status {
        json["status"] = json!({"code": STATUS_ERROR, "message": message});
    }
    json
}

fn json_attributes(attributes: &[(&'static str, Value)]) -> Json {
    attributes
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(value) => json!({"stringValue": value}),
                Value::Int(value) => json!({"intValue": value.to_string()}),
                Value::Double(value) => json!({"doubleValue": value}),
                Value::Bool(value) => json!({"boolValue": value}),
            };
            json!({"key": key, "value": value})
        })
        .collect()
}

/// What every span of a service's process has in common.
pub(super) fn resource_attributes(service: &Service) -> [(&'static str, &'static str); 9] {
    [
        ("service.name", service.name),
        ("service.namespace", "shop"),
        ("service.version", service.version),
        ("service.instance.id", service.host),
        ("deployment.environment.name", "demo"),
        ("host.name", service.host),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.language", service.language.name()),
        ("telemetry.sdk.version", service.language.sdk_version()),
    ]
}

/// Groups spans by scope, in the order in which the scopes first appear.
fn by_scope(spans: &[DemoSpan]) -> impl Iterator<Item = (Scope, Vec<&DemoSpan>)> {
    let mut groups: Vec<(Scope, Vec<&DemoSpan>)> = Vec::new();
    for span in spans {
        match groups.iter_mut().find(|(scope, _)| *scope == span.scope) {
            Some((_, group)) => group.push(span),
            None => groups.push((span.scope, vec![span])),
        }
    }
    groups.into_iter()
}
