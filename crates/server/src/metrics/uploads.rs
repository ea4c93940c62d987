//! Counters of uploads of source maps.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::uploads::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// What is kept of source maps, at the moment when somebody asks.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct SourceMapReadings {
    /// Bundles and single files.
    pub(crate) bundles: u64,
    /// Bytes of files as clients have them.
    pub(crate) bytes: u64,
    /// Bytes of chunks of bundles.
    pub(crate) chunk_bytes: u64,
}

/// What an upload was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadKind {
    /// A bundle, assembled of chunks.
    Bundle,
    /// One file of the old protocol.
    File,
}

impl UploadKind {
    const ALL: [Self; 2] = [Self::Bundle, Self::File];

    fn label(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::File => "file",
        }
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct UploadCounters {
    uploads: Family<KindLabel, Counter>,
    bytes: Counter,
    refused: Family<ReasonLabel, Counter>,
    bundles: Gauge,
    stored_bytes: Gauge,
    chunk_bytes: Gauge,
}

impl UploadCounters {
    pub(super) fn register(&self, ours: &mut Registry) {
        ours.register(
            "sourcemap_uploads",
            "Uploads that were answered with success, by what they were; the same content again counts again",
            self.uploads.clone(),
        );
        ours.register_with_unit(
            "sourcemap_upload",
            "Chunks and files on the wire",
            Unit::Bytes,
            self.bytes.clone(),
        );
        ours.register(
            "sourcemap_requests_refused",
            "Requests of the upload API that were not followed, by reason",
            self.refused.clone(),
        );
        for (name, help, gauge) in [
            (
                "sourcemap_bundles",
                "Bundles and single files of source maps that are kept",
                &self.bundles,
            ),
            (
                "sourcemap_stored_bytes",
                "Bytes of their files, as the clients have them",
                &self.stored_bytes,
            ),
            (
                "sourcemap_chunk_bytes",
                "Bytes of chunks of bundles, which go a day after they came",
                &self.chunk_bytes,
            ),
        ] {
            ours.register(name, help, gauge.clone());
        }
        // Alerts on a rate need the series before the first event.
        for kind in UploadKind::ALL.map(UploadKind::label) {
            drop(self.uploads.get_or_create(&KindLabel { kind }));
        }
        for reason in Refusal::LABELS {
            drop(self.refused.get_or_create(&ReasonLabel { reason }));
        }
    }

    /// A bundle or a file is kept from now on.
    pub(crate) fn count_upload(&self, kind: UploadKind) {
        let kind = kind.label();
        self.uploads.get_or_create(&KindLabel { kind }).inc();
    }

    /// A chunk or a file of so many bytes was received.
    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
    }

    /// A request was not followed.
    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        let reason = refusal.label();
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(super) fn set(&self, readings: &SourceMapReadings) {
        for (gauge, value) in [
            (&self.bundles, readings.bundles),
            (&self.stored_bytes, readings.bytes),
            (&self.chunk_bytes, readings.chunk_bytes),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
}
