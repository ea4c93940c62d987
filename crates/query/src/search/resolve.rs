//! When the traces that the sweep found really started.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use model::{Scan, ScanError};

use super::Position;
use crate::columns;
use crate::condition::Plan;
use crate::rows::TraceRows;

/// Rows of one column in memory at one time.
const ROWS_AT_ONCE: usize = 1 << 18;

/// A trace that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its place in the answer.
    pub(crate) result: Position,
    /// Its place in the sweep.
    pub(crate) swept: Position,
}

/// Gives the place of each trace in the answer, in the order of `swept`. A sweep that began at `from` did not look at spans
/// before it: a trace that has a matching one there belongs to an earlier page, and is left out.
pub(crate) fn resolve(
    scans: &[Arc<dyn Scan>],
    plan: &Plan<'_>,
    from: Option<Position>,
    swept: &[Position],
) -> Result<Vec<Found>, ScanError> {
    let mut starts: Vec<u64> = swept
        .iter()
        .map(|position| position.start_unix_nano)
        .collect();
    let mut belongs_here = vec![true; swept.len()];
    for scan in scans {
        let traces = swept.iter().map(|position| &position.trace_id);
        let trace_rows = TraceRows::find(&**scan, traces)?;
        for (rows, places) in trace_rows.chunks(ROWS_AT_ONCE) {
            let row_starts = columns::starts(&**scan, &rows)?;
            for (start, place) in row_starts.values().iter().zip(&places) {
                let earliest = &mut starts[*place as usize];
                *earliest = (*earliest).min(*start);
            }
            let Some(from) = from else { continue };
            let is_before = |row: usize| {
                let trace_id = swept[places[row] as usize].trace_id;
                let start_unix_nano = row_starts.value(row);
                Position {
                    start_unix_nano,
                    trace_id,
                } < from
            };
            let mask = BooleanBuffer::collect_bool(places.len(), is_before);
            if mask.count_set_bits() == 0 {
                continue;
            }
            let before = rows.filter(&mask);
            let matching = plan.filter(&**scan, &before)?;
            let mut matching = matching.iter().peekable();
            for (row, place) in rows.iter().zip(&places) {
                if matching.next_if_eq(&row).is_some() {
                    belongs_here[*place as usize] = false;
                }
            }
        }
    }
    let found = swept.iter().zip(starts).zip(belongs_here);
    Ok(found
        .filter(|(_, belongs_here)| *belongs_here)
        .map(|((swept, start_unix_nano), _)| Found {
            result: Position {
                start_unix_nano,
                trace_id: swept.trace_id,
            },
            swept: *swept,
        })
        .collect())
}
