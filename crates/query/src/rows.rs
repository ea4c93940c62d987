//! Sets of rows: what [`RowSet`] lacks, and the rows of several traces at once.

use std::ops::Range;

use model::{RowSet, Scan, ScanError, TraceId};

/// Rows that are in either set.
pub(crate) fn union(left: &RowSet, right: &RowSet) -> RowSet {
    if left.is_empty() {
        return right.clone();
    }
    if right.is_empty() {
        return left.clone();
    }
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    RowSet::from_sorted(std::iter::from_fn(move || {
        match (left.peek(), right.peek()) {
            (Some(l), Some(r)) if l <= r => left.next(),
            (_, Some(_)) => right.next(),
            (_, None) => left.next(),
        }
    }))
}

/// Rows of `all` that are not in `without`.
pub(crate) fn difference(all: &RowSet, without: &RowSet) -> RowSet {
    if without.is_empty() {
        return all.clone();
    }
    let mut without = without.iter().peekable();
    RowSet::from_sorted(all.iter().filter(|row| {
        while without.next_if(|other| other < row).is_some() {}
        without.peek() != Some(row)
    }))
}

/// The rows that several traces have in one scan.
#[derive(Default)]
pub(crate) struct TraceRows {
    /// Ranges in row order, each with the place of its trace in the list that was asked for.
    ranges: Vec<(Range<usize>, u32)>,
}

impl TraceRows {
    /// Finds the rows of `traces`.
    pub(crate) fn find<'a>(
        scan: &dyn Scan,
        traces: impl IntoIterator<Item = &'a TraceId>,
    ) -> Result<Self, ScanError> {
        let mut ranges = Vec::new();
        for (place, trace) in traces.into_iter().enumerate() {
            if scan.may_contain_trace(trace) {
                let rows = scan.trace_rows(trace)?;
                ranges.extend(
                    rows.ranges()
                        .iter()
                        .map(|range| (range.clone(), place as u32)),
                );
            }
        }
        ranges.sort_unstable_by_key(|(range, _)| range.start);
        Ok(Self { ranges })
    }

    /// Cuts the rows of each trace to what `left` still allows it, and takes them off; says which traces were cut.
    pub(crate) fn cut(&mut self, left: &mut [usize], mut on_cut: impl FnMut(usize)) {
        for (range, place) in &mut self.ranges {
            let left = &mut left[*place as usize];
            if range.len() > *left {
                range.end = range.start + *left;
                on_cut(*place as usize);
            }
            *left -= range.len();
        }
        self.ranges.retain(|(range, _)| !range.is_empty());
    }

    /// The rows, at most `max_rows` at a time, with the place of its trace for each.
    pub(crate) fn chunks(&self, max_rows: usize) -> impl Iterator<Item = (RowSet, Vec<u32>)> {
        let mut rows = self
            .ranges
            .iter()
            .flat_map(|(range, place)| range.clone().map(move |row| (row, *place)))
            .peekable();
        std::iter::from_fn(move || {
            rows.peek()?;
            let mut places = Vec::new();
            let set = RowSet::from_sorted(rows.by_ref().take(max_rows).map(|(row, place)| {
                places.push(place);
                row
            }));
            Some((set, places))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &[usize]) -> RowSet {
        RowSet::from_sorted(rows.iter().copied())
    }

    #[test]
    fn sets_of_rows_are_joined_and_subtracted() {
        assert_eq!(
            union(&set(&[1, 4, 5]), &set(&[0, 4, 9])),
            set(&[0, 1, 4, 5, 9])
        );
        assert_eq!(union(&set(&[]), &set(&[2])), set(&[2]));
        assert_eq!(union(&set(&[3]), &set(&[])), set(&[3]));
        assert_eq!(difference(&set(&[0, 1, 2, 7]), &set(&[1, 7])), set(&[0, 2]));
        assert_eq!(difference(&set(&[5]), &set(&[1, 9])), set(&[5]));
        assert_eq!(difference(&set(&[5]), &set(&[5])), set(&[]));
    }

    #[test]
    fn a_trace_is_cut_to_what_it_may_have() {
        let mut rows = TraceRows {
            ranges: vec![(0..3, 0), (3..5, 1), (5..9, 0)],
        };
        let mut cut = Vec::new();
        rows.cut(&mut [5, 2], |place| cut.push(place));
        assert_eq!(rows.ranges, [(0..3, 0), (3..5, 1), (5..7, 0)]);
        assert_eq!(cut, [0]);
        let chunks: Vec<_> = rows.chunks(4).collect();
        assert_eq!(chunks[0], (set(&[0, 1, 2, 3]), vec![0, 0, 0, 1]));
        assert_eq!(chunks[1], (set(&[4, 5, 6]), vec![1, 0, 0]));
    }
}
