//! What must hold of every decoder, whatever bytes it is given. The targets in `fuzz_targets/` call [`decoded`] or [`inflated`].
//!
//! ```text
//! cargo +nightly fuzz run otlp_json fuzz/corpus/otlp_json crates/codec/tests/fixtures
//! ```
//!
//! The bytes of real clients make a good start, so the last argument names their folder.

use backtrail_wire::otlp_json;
use bytes::Bytes;
use codec::{ContentEncoding, Encoding, decode, inflate};
use model::{Limits, SpanBatch};

/// 2026-01-01.
const RECEIVED_UNIX_NANO: u64 = 1_767_225_600_000_000_000;

/// Decodes a body. What is accepted can be kept, read again, and admitted again in other encodings.
pub fn decoded(encoding: Encoding, body: &[u8]) {
    let limits = Limits::default();
    let Ok(decoded) = decode(encoding, Bytes::copy_from_slice(body), &limits, RECEIVED_UNIX_NANO) else {
        return;
    };
    let rejected = decoded.rejected.count();
    assert_eq!(decoded.received, decoded.batch.len() + rejected);
    assert!(decoded.payload.len() <= 200 + 10 * body.len());

    let replayed = SpanBatch::from_otlp(&decoded.payload).expect("replay never rejects");
    let kept = decoded.batch.to_otlp().expect("a batch can be written");
    assert_eq!(replayed.to_otlp().as_ref(), Ok(&kept));

    let json = otlp_json::from_protobuf(&kept).expect("a batch can be shown");
    for (encoding, body) in [(Encoding::OtlpProtobuf, kept), (Encoding::OtlpJson, json)] {
        let again = decode(encoding, body.into(), &limits, RECEIVED_UNIX_NANO).expect("what was written can be read");
        assert!(
            again.rejected.is_empty(),
            "{encoding:?}: {}",
            again.rejected
        );
        assert_eq!(again.batch.len(), decoded.batch.len());
    }
}

/// Unpacks a body. The first byte chooses how.
pub fn inflated(data: &[u8]) {
    const MAX_BYTES: usize = 1 << 20;
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let encoding = match choice % 4 {
        0 => ContentEncoding::Identity,
        1 => ContentEncoding::Gzip,
        2 => ContentEncoding::Deflate,
        _ => ContentEncoding::Zstd,
    };
    if let Ok(inflated) = inflate(encoding, Bytes::copy_from_slice(body), MAX_BYTES) {
        assert!(inflated.len() <= MAX_BYTES);
    }
}
