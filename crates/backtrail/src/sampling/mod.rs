//! Which traces are recorded.
//!
//! ```
//! use backtrail::sampling::{ParentBased, RateLimit, Sampler};
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//!
//! // What callers decided counts; of our own traces ten a second.
//! let sampler = Sampler::from(ParentBased::new(RateLimit::new(10.0)));
//! let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
//! ```

mod environment;
mod parent_based;
mod rate_limit;
mod ratio;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

pub use parent_based::ParentBased;
pub use rate_limit::RateLimit;
pub use ratio::TraceIdRatio;

/// Decides for each new span whether it is recorded and sent, or dropped.
///
/// No sampler but [`Sampler::Custom`] changes `tracestate`, adds attributes, or records without sending. The default is
/// parent-based with every root, as in the OpenTelemetry specification (trace SDK, built-in samplers).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sampler {
    /// Every span.
    AlwaysOn,
    /// No span.
    AlwaysOff,
    /// A share of all traces, chosen by trace id.
    TraceIdRatio(TraceIdRatio),
    /// So many spans a second.
    RateLimit(RateLimit),
    /// Follows the parent; asks another sampler for roots.
    ParentBased(Box<ParentBased>),
    /// One of your own.
    Custom(Box<dyn ShouldSample>),
}

impl Sampler {
    /// The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name: `always_on`, `always_off`, `traceidratio`,
    /// `ratelimited`, and `parentbased_` before each of them (`parentbased_always_on` is the default). The argument is a share from 0 to 1
    /// (default 1), or spans per second for the rate limits (default 100). Empty values are as none; case does not matter.
    ///
    /// The second value has a sentence for each value that can't be used. It counts as if it were not there.
    ///
    /// Source: OpenTelemetry, environment variable specification, general SDK configuration. `ratelimited` and
    /// `parentbased_ratelimited` are ours.
    pub fn from_env_values(name: Option<&str>, arg: Option<&str>) -> (Self, Vec<String>) {
        environment::sampler(name, arg)
    }

    /// The decision, if it takes no look at name, attributes and links; nothing if one of your own has to be asked.
    #[inline]
    pub(crate) fn decides(&self, parent: &Context, trace_id: TraceId) -> Option<bool> {
        match self {
            Self::AlwaysOn => Some(true),
            Self::AlwaysOff => Some(false),
            Self::TraceIdRatio(ratio) => Some(ratio.samples(trace_id)),
            Self::RateLimit(limit) => Some(limit.admits()),
            Self::ParentBased(sampler) => sampler.for_parent(parent).decides(parent, trace_id),
            Self::Custom(_) => None,
        }
    }

    /// Any sampler as what it is here: one of these stays what it is.
    pub(crate) fn of(sampler: impl ShouldSample + 'static) -> Self {
        let mut sampler = Some(sampler);
        let any: &mut dyn Any = &mut sampler;
        let known = any.downcast_mut::<Option<Self>>().and_then(Option::take);
        match (known, sampler) {
            (Some(known), _) => known,
            (None, Some(other)) => Self::Custom(Box::new(other)),
            (None, None) => unreachable!("it is taken only when it is known"),
        }
    }
}

/// One sampler for all who ask, also where its clones would count apart.
#[derive(Clone, Debug)]
pub(crate) struct SharedSampler(Arc<Sampler>);

impl SharedSampler {
    pub(crate) fn new(sampler: Sampler) -> Self {
        Self(Arc::new(sampler))
    }
}

impl Deref for SharedSampler {
    type Target = Sampler;

    #[inline]
    fn deref(&self) -> &Sampler {
        &self.0
    }
}

impl ShouldSample for SharedSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        self.0
            .should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

impl Default for Sampler {
    fn default() -> Self {
        ParentBased::new(Self::AlwaysOn).into()
    }
}

impl From<TraceIdRatio> for Sampler {
    fn from(ratio: TraceIdRatio) -> Self {
        Self::TraceIdRatio(ratio)
    }
}

impl From<RateLimit> for Sampler {
    fn from(limit: RateLimit) -> Self {
        Self::RateLimit(limit)
    }
}

impl From<ParentBased> for Sampler {
    fn from(sampler: ParentBased) -> Self {
        Self::ParentBased(Box::new(sampler))
    }
}

impl From<Box<dyn ShouldSample>> for Sampler {
    fn from(sampler: Box<dyn ShouldSample>) -> Self {
        Self::Custom(sampler)
    }
}

impl ShouldSample for Sampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let root = Context::new();
        let parent = parent_context.unwrap_or(&root);
        if let Some(sampled) = self.decides(parent, trace_id) {
            return result(sampled, parent);
        }
        let other: &dyn ShouldSample = match self {
            Self::ParentBased(sampler) => sampler.for_parent(parent),
            Self::Custom(sampler) => sampler.as_ref(),
            _ => return result(false, parent),
        };
        other.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

fn result(sampled: bool, parent: &Context) -> SamplingResult {
    let decision = if sampled {
        SamplingDecision::RecordAndSample
    } else {
        SamplingDecision::Drop
    };
    SamplingResult {
        decision,
        attributes: Vec::new(),
        trace_state: parent.span().span_context().trace_state().clone(),
    }
}
