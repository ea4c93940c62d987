//! Sampling by the parent's decision.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::Sampler;
use crate::propagation::{CallerDecision, Decision};

/// Does what the parent does, and asks another sampler for spans without a parent.
///
/// Each of the five cases of the OpenTelemetry specification (trace SDK, `ParentBased`) can have a sampler of its own. What a
/// caller said in B3 or Jaeger counts too: if it sent ids and left the decision open, the root's sampler decides; if it sent a
/// decision without ids, the root is sampled as under a remote parent with that decision.
///
/// ```
/// use backtrail::sampling::{ParentBased, Sampler, TraceIdRatio};
///
/// let sampler: Sampler = ParentBased::new(TraceIdRatio::new(0.1))
///     .remote_not_sampled(TraceIdRatio::new(0.01))
///     .into();
/// ```
#[derive(Clone, Debug)]
pub struct ParentBased {
    root: Sampler,
    remote_sampled: Sampler,
    remote_not_sampled: Sampler,
    local_sampled: Sampler,
    local_not_sampled: Sampler,
}

impl ParentBased {
    /// With this sampler for roots. The others are [`Sampler::AlwaysOn`] where the parent is sampled and
    /// [`Sampler::AlwaysOff`] where it is not.
    pub fn new(root: impl Into<Sampler>) -> Self {
        Self {
            root: root.into(),
            remote_sampled: Sampler::AlwaysOn,
            remote_not_sampled: Sampler::AlwaysOff,
            local_sampled: Sampler::AlwaysOn,
            local_not_sampled: Sampler::AlwaysOff,
        }
    }

    /// For spans whose parent is in another process and sampled.
    pub fn remote_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.remote_sampled = sampler.into();
        self
    }

    /// For spans whose parent is in another process and not sampled.
    pub fn remote_not_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.remote_not_sampled = sampler.into();
        self
    }

    /// For spans whose parent is in this process and sampled.
    pub fn local_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.local_sampled = sampler.into();
        self
    }

    /// For spans whose parent is in this process and not sampled.
    pub fn local_not_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.local_not_sampled = sampler.into();
        self
    }

    #[inline]
    pub(super) fn for_parent(&self, cx: &Context) -> &Sampler {
        let span = cx.span();
        let parent = span.span_context();
        if parent.is_valid() && !parent.is_remote() {
            return if parent.is_sampled() {
                &self.local_sampled
            } else {
                &self.local_not_sampled
            };
        }
        let sampled = match CallerDecision::of(cx, parent) {
            Some(Decision::Defer) => None,
            _ if parent.is_valid() => Some(parent.is_sampled()),
            caller => caller.map(Decision::is_sampled),
        };
        match sampled {
            Some(true) => &self.remote_sampled,
            Some(false) => &self.remote_not_sampled,
            None => &self.root,
        }
    }
}
