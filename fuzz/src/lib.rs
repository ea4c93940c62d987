//! What must hold for any bytes that a decoder is given. Each target in `fuzz_targets/` applies it to one encoding.
//!
//! Not for finding out whether a decoder reads a protocol rightly: tests do that, with encoders that nobody here wrote.

use bytes::Bytes;
use codec::{Encoding, decode};
use model::{Limits, SpanBatch};

/// Decodes any bytes. A request is refused as a whole, or each of its spans is admitted or counted as rejected; and what the log
/// would keep of it reads back as exactly the spans that were admitted.
///
/// # Panics
/// When that does not hold.
pub fn check(encoding: Encoding, body: &[u8]) {
    let Ok(decoded) = decode(encoding, Bytes::copy_from_slice(body), &Limits::default()) else {
        return;
    };
    assert_eq!(
        decoded.received,
        decoded.batch.len() + decoded.rejected.count(),
        "a span is neither admitted nor rejected"
    );
    let replayed =
        SpanBatch::from_otlp(&decoded.payload).expect("replay rejects what was admitted");
    assert_eq!(
        canonical_spans(&replayed),
        canonical_spans(&decoded.batch),
        "replay reads other spans than were admitted"
    );
}

fn canonical_spans(batch: &SpanBatch) -> Vec<Vec<u8>> {
    let columns = batch.columns();
    let span = |row| {
        columns
            .canonical(row)
            .expect("an admitted span can be read")
    };
    (0..columns.len()).map(span).collect()
}
