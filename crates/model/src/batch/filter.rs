//! Finds the rows of a batch by an attribute.

use arrow_array::Array;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use backtrail_wire::otlp::{ResourceSpans, ScopeSpans};

use super::SpanBatch;
use crate::{AttributeScope, AttributeValue, Attributes, RowSet, SpanId, TraceId, WireError};

/// Whether `test` holds for a value of `key` in the list.
pub fn attribute_matches(
    attributes: Attributes<'_>,
    key: &str,
    test: &dyn Fn(AttributeValue<'_>) -> bool,
) -> Result<bool, WireError> {
    for attribute in attributes.iter() {
        let attribute = attribute?;
        if attribute.key == key && test(attribute.value) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `test` holds for a value of `key` in a resource's envelope.
pub fn resource_matches(
    envelope: &[u8],
    key: &str,
    test: &dyn Fn(AttributeValue<'_>) -> bool,
) -> Result<bool, WireError> {
    let mut list = Vec::new();
    ResourceSpans::new(envelope).put_attributes(&mut list)?;
    attribute_matches(Attributes::new(&list), key, test)
}

/// Whether `test` holds for a value of `key` in a scope's envelope; `name` and `version` are the scope's own.
pub fn scope_matches(
    envelope: &[u8],
    key: &str,
    test: &dyn Fn(AttributeValue<'_>) -> bool,
) -> Result<bool, WireError> {
    let scope = ScopeSpans::new(envelope);
    match key {
        "name" if scope.has_scope()? && test(AttributeValue::String(scope.name()?)) => Ok(true),
        "version" if scope.has_scope()? && test(AttributeValue::String(scope.version()?)) => {
            Ok(true)
        }
        _ => {
            let mut list = Vec::new();
            scope.put_attributes(&mut list)?;
            attribute_matches(Attributes::new(&list), key, test)
        }
    }
}

impl SpanBatch {
    /// What [`crate::Scan::spans_of_lone_events`] promises.
    pub fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<Vec<(TraceId, SpanId)>, WireError> {
        let events = self.event_columns();
        let mut found = Vec::new();
        for row in events.lone_rows() {
            let time_unix_nano = events.times.value(row);
            let is_in_time = time_unix_nano == 0 || time_unix_nano >= since_unix_nano;
            if is_in_time && attribute_matches(events.attributes(row), key, test)? {
                found.push((events.trace_id(row), events.span_id(row)));
            }
        }
        Ok(found)
    }

    /// Those of `rows` that have an event of this name: what [`crate::Scan::filter_event_name`] promises.
    pub fn filter_event_name(&self, name: &str, rows: &RowSet) -> RowSet {
        let columns = self.columns();
        let has_event = rows.iter().map(|row| {
            let mut events = columns.event_rows(row);
            events.any(|event| columns.events.names.value(event) == name)
        });
        rows.filter(&has_event.collect())
    }

    /// Those of `rows` that have at least one value of the attribute for which `test` holds: what [`crate::Scan::filter_attribute`] promises.
    pub fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<RowSet, WireError> {
        let columns = self.columns();
        let mask = match scope {
            AttributeScope::Span => mask_of(rows, |row| {
                attribute_matches(columns.attributes(row), key, test)
            })?,
            AttributeScope::Event => mask_of(rows, |row| {
                for event in columns.event_rows(row) {
                    if attribute_matches(columns.events.attributes(event), key, test)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?,
            AttributeScope::Resource => {
                let values = columns.resource_envelopes;
                let matching = matching_values(values.len(), |index| {
                    resource_matches(values.value(index), key, test)
                })?;
                mask_of(rows, |row| {
                    Ok(matching[columns.resources.keys().value(row) as usize])
                })?
            }
            AttributeScope::Instrumentation => {
                let values = columns.scope_envelopes;
                let matching = matching_values(values.len(), |index| {
                    scope_matches(values.value(index), key, test)
                })?;
                mask_of(rows, |row| {
                    Ok(matching[columns.scopes.keys().value(row) as usize])
                })?
            }
        };
        Ok(rows.filter(&mask))
    }
}

/// Each distinct resource or scope is judged once, not once a span.
fn matching_values(
    len: usize,
    test: impl Fn(usize) -> Result<bool, WireError>,
) -> Result<Vec<bool>, WireError> {
    (0..len).map(test).collect()
}

fn mask_of(
    rows: &RowSet,
    test: impl Fn(usize) -> Result<bool, WireError>,
) -> Result<BooleanBuffer, WireError> {
    let mut mask = BooleanBufferBuilder::new(rows.len());
    for row in rows.iter() {
        mask.append(test(row)?);
    }
    Ok(mask.finish())
}
