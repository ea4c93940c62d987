//! `fastrace` with its export to OpenTelemetry.
//!
//! It has no queue with a limit, no size of batches and no concurrent exports: each thread keeps
//! what its channel has no room for, and a collector sends all that it finds in one request.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace_opentelemetry::{OpenTelemetryReporter, SPAN_KIND};
use opentelemetry::InstrumentationScope;

use super::{Contestant, pipeline};
use crate::sdk::request::{METHOD, NAME, PROTOCOL_VERSION, ROUTE, Request, SCHEME};
use crate::sdk::task::{Mode, Task};

pub(in crate::sdk) struct Fastrace {
    sampled: bool,
    /// Spans handed to the exporter; `None` when there is no reporter.
    reported: Option<Arc<AtomicU64>>,
}

impl Contestant for Fastrace {
    /// A thread's channel holds 10,240 commands, and a root span takes three.
    const IN_FLIGHT_MAX: u64 = 3_000;

    fn start(task: &Task) -> Result<Self> {
        let sampled = task.mode != Mode::SampleOut;
        if task.mode == Mode::Disable {
            let reported = None;
            return Ok(Self { sampled, reported });
        }
        let count = Arc::<AtomicU64>::default();
        let reporter = Counted {
            inner: OpenTelemetryReporter::new(
                pipeline::blocking_exporter(task)?,
                Cow::Owned(pipeline::resource()),
                InstrumentationScope::builder("bench").build(),
            ),
            count: Arc::clone(&count),
        };
        fastrace::set_reporter(reporter, Config::default());
        Ok(Self {
            sampled,
            reported: Some(count),
        })
    }

    #[inline]
    fn span(&self, request: &Request) {
        let context = SpanContext::random().sampled(self.sampled);
        let span = Span::root(NAME, context).with_properties(|| {
            [
                (SPAN_KIND, Cow::Borrowed("server")),
                ("http.request.method", Cow::Borrowed(METHOD)),
                ("url.path", Cow::Owned(request.path.clone())),
                ("url.scheme", Cow::Borrowed(SCHEME)),
                ("http.route", Cow::Borrowed(ROUTE)),
                ("server.address", Cow::Owned(request.host.clone())),
                ("server.port", Cow::Owned(request.port.to_string())),
                (
                    "user_agent.original",
                    Cow::Owned(request.user_agent.clone()),
                ),
                ("network.protocol.version", Cow::Borrowed(PROTOCOL_VERSION)),
            ]
        });
        drop(span.with_property(|| ("http.response.status_code", request.status.to_string())));
    }

    /// What its channel had no room for, a thread keeps until its next span, and loses when it
    /// ends. A span that is cancelled pushes it and is not sent.
    fn release(&self, created: u64, until: Instant) {
        loop {
            fastrace::flush();
            if self.is_done(created) || Instant::now() >= until {
                return;
            }
            Span::root(NAME, SpanContext::random()).cancel();
        }
    }

    fn flush(&self, created: u64, until: Instant) {
        self.release(created, until);
    }

    fn finish(self, _timeout: Duration) -> Option<u64> {
        None
    }
}

impl Fastrace {
    fn is_done(&self, created: u64) -> bool {
        let Some(reported) = &self.reported else {
            return true;
        };
        !self.sampled || reported.load(Ordering::Acquire) >= created
    }
}

struct Counted {
    inner: OpenTelemetryReporter,
    count: Arc<AtomicU64>,
}

impl Reporter for Counted {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let len = spans.len() as u64;
        self.inner.report(spans);
        self.count.fetch_add(len, Ordering::Release);
    }
}
