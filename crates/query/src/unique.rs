//! Repeats of a span, which collapse, and spans that merely share an id, which do not.

use model::SpanId;

use crate::QueryError;

/// How many spans have their canonical forms in memory at one time, unless more than these share one id and start.
const MAX_FORMS: usize = 4096;

/// What tells spans of one trace apart before anything else is read.
pub(crate) trait SpanKey {
    fn start_unix_nano(&self) -> u64;
    fn span_id(&self) -> SpanId;
}

/// Puts the spans of one trace into their order, by start, then id, then content, and removes repeats: spans that are equal in
/// everything. Says how many.
///
/// `canonical` gives a form of each span that it is asked for; only spans whose id and start occur twice are asked for.
pub(crate) fn collapse<R: SpanKey + Copy>(
    spans: &mut Vec<R>,
    mut canonical: impl FnMut(&[R]) -> Result<Vec<Vec<u8>>, QueryError>,
) -> Result<u64, QueryError> {
    let key = |span: &R| (span.start_unix_nano(), span.span_id());
    spans.sort_unstable_by_key(key);
    if spans.windows(2).all(|pair| key(&pair[0]) != key(&pair[1])) {
        return Ok(0);
    }
    let before = spans.len();
    let mut unique = Vec::with_capacity(spans.len());
    let mut suspects: Vec<R> = Vec::new();
    for group in spans.chunk_by(|left, right| key(left) == key(right)) {
        if group.len() > 1 {
            suspects.extend(group);
        } else {
            unique.extend(group);
        }
        if suspects.len() >= MAX_FORMS {
            unique.extend(distinct(&mut suspects, key, &mut canonical)?);
        }
    }
    unique.extend(distinct(&mut suspects, key, &mut canonical)?);
    // Spans with one key stay in the order of their content: the sort is stable.
    unique.sort_by_key(key);
    *spans = unique;
    Ok((before - spans.len()) as u64)
}

/// Empties `suspects` and gives those that differ, spans with one key in the order of their content.
fn distinct<R, K: Ord + Copy>(
    suspects: &mut Vec<R>,
    key: impl Fn(&R) -> K,
    canonical: &mut impl FnMut(&[R]) -> Result<Vec<Vec<u8>>, QueryError>,
) -> Result<Vec<R>, QueryError> {
    let forms = canonical(suspects)?;
    let mut spans: Vec<(K, Vec<u8>, R)> = suspects
        .drain(..)
        .zip(forms)
        .map(|(span, form)| (key(&span), form, span))
        .collect();
    spans.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    spans.dedup_by(|right, left| (left.0, &left.1) == (right.0, &right.1));
    Ok(spans.into_iter().map(|(_, _, span)| span).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Row(u64, u8, &'static str);

    impl SpanKey for Row {
        fn start_unix_nano(&self) -> u64 {
            self.0
        }

        fn span_id(&self) -> SpanId {
            SpanId([self.1; 8])
        }
    }

    #[test]
    fn equal_spans_collapse_and_shared_ids_stay() {
        let mut rows = vec![
            Row(2, 1, "b"),
            Row(1, 2, "x"),
            Row(2, 1, "a"),
            Row(3, 1, "a"),
            Row(2, 1, "b"),
            Row(2, 1, "b"),
        ];
        let mut asked = 0;
        let repeats = collapse(&mut rows, |rows| {
            asked += rows.len();
            Ok(rows.iter().map(|row| row.2.as_bytes().to_vec()).collect())
        });
        assert_eq!(repeats.unwrap(), 2);
        assert_eq!(asked, 4, "only spans with an id and start that occur twice");
        assert_eq!(
            rows,
            [
                Row(1, 2, "x"),
                Row(2, 1, "a"),
                Row(2, 1, "b"),
                Row(3, 1, "a")
            ]
        );
    }
}
