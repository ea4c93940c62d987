//! What a block's footer says of its spans and events.

use hashbrown::HashMap;
use model::SpanBatch;

use crate::footer::{LoneEvents, MAX_OPERATIONS, Operation};

pub(crate) fn lone_events(batch: &SpanBatch) -> LoneEvents {
    let events = batch.event_columns();
    let times = || events.lone_rows().map(|row| events.times.value(row));
    LoneEvents {
        events: events.lone_rows().len() as u64,
        min_time_unix_nano: times().min().unwrap_or(0),
        max_time_unix_nano: times().max().unwrap_or(0),
    }
}

pub(crate) fn operations(batch: &SpanBatch) -> Option<Vec<Operation>> {
    let columns = batch.columns();
    let mut counts: HashMap<(&str, &str, i32), u64> = HashMap::new();
    for row in 0..columns.len() {
        let key = (
            columns.service(row),
            columns.names.value(row),
            columns.kinds.value(row),
        );
        *counts.entry(key).or_default() += 1;
        if counts.len() > MAX_OPERATIONS {
            return None;
        }
    }
    let mut operations: Vec<Operation> = counts
        .into_iter()
        .map(|((service, name, kind), spans)| Operation {
            service: service.to_owned(),
            name: name.to_owned(),
            kind,
            spans,
        })
        .collect();
    operations.sort_by(|a, b| (&a.service, &a.name, a.kind).cmp(&(&b.service, &b.name, b.kind)));
    Some(operations)
}
