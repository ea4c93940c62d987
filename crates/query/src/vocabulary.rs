//! Keys and values of attributes that recent spans have: what a form proposes, not what a search finds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use hashbrown::HashMap;
use model::{AttributeScope, AttributeValue, RowSet, Scan};
use store::Snapshot;

use crate::Budget;
use crate::condition::{Plan, started_in};
use crate::lone_events::LoneEvents;
use crate::rows::difference;
use crate::{Condition, QueryError};

/// Spans that are read for their keys: the newest.
const MAX_SPANS_FOR_KEYS: usize = 10_000;
/// Rows that are read at one time.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Names that were found, and whether there may be more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    /// Sorted.
    pub names: Vec<String>,
    /// Whether the time was over, or there were as many as were wanted, before all spans were looked at.
    pub truncated: bool,
}

/// The values that are strings of the span attributes `keys`, among spans that meet all conditions and started in a range; the newest spans are
/// looked at first. A span has the value of the first of the keys that it has.
pub fn attribute_values(
    snapshot: &Snapshot,
    keys: &[&str],
    conditions: &[Condition],
    starts_unix_nano: RangeInclusive<u64>,
    max_values: usize,
    budget: &Budget<'_>,
) -> Result<Vocabulary, QueryError> {
    let lone_events = LoneEvents::gather(snapshot.scans(), conditions, &starts_unix_nano, budget)?;
    let plan = Plan::new(conditions, starts_unix_nano.clone(), lone_events);
    let values = RefCell::new(BTreeSet::new());
    let is_full = Cell::new(false);
    let truncated = for_newest(snapshot, &starts_unix_nano, budget, |scan, rows| {
        let mut rows = plan.filter(scan, rows)?;
        for key in keys {
            if rows.is_empty() || !scan.may_have_attribute(AttributeScope::Span, key) {
                continue;
            }
            let collect = |value: AttributeValue<'_>| {
                let AttributeValue::String(text) = value else {
                    return false;
                };
                let mut values = values.borrow_mut();
                if values.len() < max_values {
                    values.insert(text.to_owned());
                } else if !values.contains(text) {
                    is_full.set(true);
                }
                true
            };
            let having = scan.filter_attribute(AttributeScope::Span, key, &rows, &collect)?;
            rows = difference(&rows, &having);
        }
        Ok(!is_full.get())
    })?;
    Ok(Vocabulary {
        names: values.into_inner().into_iter().collect(),
        truncated: truncated || plan.is_truncated(),
    })
}

/// The keys of the newest spans' attributes, at most `max_keys`: those that most spans have.
pub fn attribute_keys(
    snapshot: &Snapshot,
    max_keys: usize,
    budget: &Budget<'_>,
) -> Result<Vocabulary, QueryError> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut left = MAX_SPANS_FOR_KEYS;
    let mut truncated = for_newest(snapshot, &(0..=u64::MAX), budget, |scan, rows| {
        let rows = RowSet::from_sorted(rows.iter().take(left));
        left -= rows.len();
        let batch = scan.read(&rows)?;
        let columns = batch.columns();
        for row in 0..columns.len() {
            for attribute in columns.attributes(row).iter() {
                let key = attribute?.key;
                match counts.get_mut(key) {
                    Some(count) => *count += 1,
                    None => _ = counts.insert(key.to_owned(), 1),
                }
            }
        }
        Ok(left > 0)
    })?;
    let mut by_count: Vec<(usize, String)> = counts
        .into_iter()
        .map(|(key, count)| (count, key))
        .collect();
    by_count.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    truncated |= by_count.len() > max_keys;
    by_count.truncate(max_keys);
    let mut names: Vec<String> = by_count.into_iter().map(|(_, key)| key).collect();
    names.sort();
    Ok(Vocabulary { names, truncated })
}

/// Calls `each` with rows of the partitions, the newest first, until it has enough. Says whether rows were left out.
fn for_newest(
    snapshot: &Snapshot,
    starts: &RangeInclusive<u64>,
    budget: &Budget<'_>,
    mut each: impl FnMut(&dyn Scan, &RowSet) -> Result<bool, QueryError>,
) -> Result<bool, QueryError> {
    let mut partitions = Vec::new();
    for scan in snapshot.scans() {
        for partition in scan.partitions() {
            if partition.min_start_unix_nano <= *starts.end()
                && partition.max_start_unix_nano >= *starts.start()
            {
                partitions.push((partition.max_start_unix_nano, &**scan, &partition.rows));
            }
        }
    }
    partitions.sort_by_key(|(latest, ..)| std::cmp::Reverse(*latest));
    let pieces = partitions.iter().flat_map(|(_, scan, rows)| {
        let rows = RowSet::range((*rows).clone());
        let pieces: Vec<RowSet> = rows.pieces(ROWS_AT_ONCE).collect();
        pieces.into_iter().map(move |rows| (*scan, rows))
    });
    for (scan, rows) in pieces {
        if (budget.is_over)() {
            return Ok(true);
        }
        let rows = started_in(scan, &rows, starts)?;
        if !each(scan, &rows)? {
            return Ok(true);
        }
    }
    Ok(false)
}
