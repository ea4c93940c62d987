//! What must hold of every decoder, whatever bytes it is given. The targets in `fuzz_targets/` call [`decoded`], [`logs`], [`metrics`],
//! [`inflated`], [`stack_trace`], for source maps [`source_map`] and [`source_map_cache`], for uploads [`artifact_bundle`] and
//! [`bundle_manifest`], or, for the SDK, [`propagated`] and [`sanitized`].
//!
//! ```text
//! cargo +nightly fuzz run otlp_json fuzz/corpus/otlp_json crates/codec/tests/fixtures
//! ```
//!
//! The bytes of real clients make a good start, so the last argument names their folder.

mod bundles;
mod propagators;
mod source_maps;
mod stack_trace;
mod statements;

use backtrail_wire::otlp_json;
use bytes::Bytes;
use codec::{
    ContentEncoding, Encoding, OtlpEncoding, decode, decode_logs, inflate, summarize_metrics,
};
use model::{Limits, SpanBatch};

pub use bundles::{artifact_bundle, bundle_manifest};
pub use propagators::propagated;
pub use source_maps::{source_map, source_map_cache};
pub use stack_trace::stack_trace;
pub use statements::sanitized;

/// 2026-01-01.
const RECEIVED_UNIX_NANO: u64 = 1_767_225_600_000_000_000;

/// Decodes a body. What is accepted can be kept, read again, and admitted again in other encodings.
pub fn decoded(encoding: Encoding, body: &[u8]) {
    let limits = Limits::default();
    let Ok(decoded) = decode(
        encoding,
        Bytes::copy_from_slice(body),
        &limits,
        RECEIVED_UNIX_NANO,
    ) else {
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
        let again = decode(encoding, body.into(), &limits, RECEIVED_UNIX_NANO)
            .expect("what was written can be read");
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

/// Sorts log records. What is kept can be replayed, and is kept again.
pub fn logs(data: &[u8]) {
    let Some((encoding, body)) = otlp_encoding(data) else {
        return;
    };
    let limits = Limits::default();
    let Ok(decoded) = decode_logs(encoding, body, &limits) else {
        return;
    };
    let others = decoded.ignored.count() + decoded.rejected.count();
    assert_eq!(decoded.received, decoded.kept + others);
    let events = decoded.batch.event_columns().lone_rows().len();
    assert_eq!(events, decoded.kept);

    let replayed = SpanBatch::from_otlp_logs(&decoded.payload).expect("replay never rejects");
    assert_eq!(replayed.events(), decoded.batch.events());
    let again = decode_logs(OtlpEncoding::Protobuf, &decoded.payload, &limits)
        .expect("what was written can be read");
    assert_eq!((again.kept, again.received), (decoded.kept, decoded.kept));
}

/// Looks into metrics.
pub fn metrics(data: &[u8]) {
    let Some((encoding, body)) = otlp_encoding(data) else {
        return;
    };
    if let Ok(summary) = summarize_metrics(encoding, body) {
        assert!(summary.data_points <= body.len());
    }
}

fn otlp_encoding(data: &[u8]) -> Option<(OtlpEncoding, &[u8])> {
    let (choice, body) = data.split_first()?;
    let encoding = if choice % 2 == 0 {
        OtlpEncoding::Protobuf
    } else {
        OtlpEncoding::Json
    };
    Some((encoding, body))
}
