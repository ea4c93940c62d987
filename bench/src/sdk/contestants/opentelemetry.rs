//! `opentelemetry_sdk`, called directly.

use std::time::{Duration, Instant};

use anyhow::Result;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{Span as _, SpanKind, TracerProvider as _};
use opentelemetry::{KeyValue, trace};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::drop_reports::DropReports;
use super::{Contestant, pipeline};
use crate::sdk::request::{METHOD, NAME, PROTOCOL_VERSION, ROUTE, Request, SCHEME};
use crate::sdk::task::{Mode, Task};

pub(in crate::sdk) struct OpenTelemetry {
    tracer: Tracer,
    drops: DropReports,
}

enum Tracer {
    Sdk(SdkTracer, SdkTracerProvider),
    /// What a library gets when nobody has set up an SDK.
    None(BoxedTracer),
}

impl Contestant for OpenTelemetry {
    fn start(task: &Task) -> Result<Self> {
        let drops = DropReports::default();
        if task.mode == Mode::Disable {
            let tracer = Tracer::None(global::tracer("bench"));
            return Ok(Self { tracer, drops });
        }
        drops.listen()?;
        let provider = pipeline::provider(task)?;
        let tracer = Tracer::Sdk(provider.tracer("bench"), provider);
        Ok(Self { tracer, drops })
    }

    #[inline]
    fn span(&self, request: &Request) {
        match &self.tracer {
            Tracer::Sdk(tracer, _) => span(tracer, request),
            Tracer::None(tracer) => span(tracer, request),
        }
    }

    fn flush(&self, _created: u64, until: Instant) {
        if let Tracer::Sdk(_, provider) = &self.tracer {
            pipeline::flush(provider, until);
        }
    }

    fn finish(self, timeout: Duration) -> Option<u64> {
        if let Tracer::Sdk(_, provider) = &self.tracer {
            pipeline::shut_down(provider, timeout);
        }
        Some(self.drops.total())
    }
}

#[inline]
pub(super) fn span<T: trace::Tracer>(tracer: &T, request: &Request) {
    let mut span = tracer
        .span_builder(NAME)
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", METHOD),
            KeyValue::new("url.path", request.path.clone()),
            KeyValue::new("url.scheme", SCHEME),
            KeyValue::new("http.route", ROUTE),
            KeyValue::new("server.address", request.host.clone()),
            KeyValue::new("server.port", request.port),
            KeyValue::new("user_agent.original", request.user_agent.clone()),
            KeyValue::new("network.protocol.version", PROTOCOL_VERSION),
        ])
        .start(tracer);
    span.set_attribute(KeyValue::new("http.response.status_code", request.status));
    span.end();
}
