//! What all handles of a system share, and how code without a handle finds it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use opentelemetry::Context;
#[cfg(feature = "bridge")]
use opentelemetry::trace::TracerProvider as _;
#[cfg(feature = "bridge")]
use opentelemetry_sdk::trace::SdkTracer;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::config::{Instrumentation, Instrumentations};
use crate::current::has_context;
use crate::processor::Pipeline;
use crate::propagation::Propagator;
use crate::tracer::{Tracer, TracerRef};

/// The system that [`TracingSystem::initialize`](crate::TracingSystem::initialize) made, for all code of the process.
static GLOBAL: OnceLock<System> = OnceLock::new();

/// Set by the first system that makes spans, and never taken back. Until then describing a span costs next to nothing.
static ANY_IS_ACTIVE: AtomicBool = AtomicBool::new(false);

/// A system, cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct System(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) service_name: String,
    /// Nothing when tracing is off: contexts are still handed on.
    pub(super) active: Option<Active>,
    pub(super) propagator: Propagator,
    pub(super) instrumentations: Instrumentations,
    pub(super) sets_ok_status: bool,
    #[cfg(feature = "http")]
    pub(super) duplicates_http_names: bool,
    #[cfg(feature = "http")]
    pub(super) http_client_settings: crate::http::client::HttpClientSettings,
    pub(super) warnings: Vec<String>,
    pub(super) is_global: bool,
    #[cfg(feature = "bridge")]
    pub(super) bridge_level: tracing::level_filters::LevelFilter,
}

#[derive(Debug)]
pub(super) struct Active {
    pub(super) provider: SdkTracerProvider,
    pub(super) tracer: Arc<Tracer>,
}

/// The instrumentation scopes of the crate: which part of a service made a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The service's own code. Its scope has the name of the service.
    Service,
    Http,
    Sql,
    Redis,
    Messaging,
    Fs,
}

impl Scope {
    pub(crate) const ALL: [Self; 6] = [
        Self::Service,
        Self::Http,
        Self::Sql,
        Self::Redis,
        Self::Messaging,
        Self::Fs,
    ];

    /// The scope's name; nothing for the one that is named after the service.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Service => None,
            Self::Http => Some("backtrail::http"),
            Self::Sql => Some("backtrail::sql"),
            Self::Redis => Some("backtrail::redis"),
            Self::Messaging => Some("backtrail::messaging"),
            Self::Fs => Some("backtrail::fs"),
        }
    }
}

impl System {
    pub(super) fn new(inner: Inner) -> Self {
        if inner.active.is_some() {
            ANY_IS_ACTIVE.store(true, Relaxed);
        }
        Self(Arc::new(inner))
    }

    /// Whether any system of the process makes spans.
    #[inline]
    pub(crate) fn any_is_active() -> bool {
        ANY_IS_ACTIVE.load(Relaxed)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Makes this the system of the process. The one that is there already is returned.
    pub(super) fn set_global(self) -> Result<(), &'static Self> {
        match GLOBAL.set(self) {
            Ok(()) => Ok(()),
            Err(_) => Err(Self::global().expect("it is set, since it could not be set")),
        }
    }

    pub(super) fn global() -> Option<&'static Self> {
        GLOBAL.get()
    }

    /// The system of a context: the one that it carries, else the one of the process.
    pub(crate) fn of(context: &Context) -> Option<&Self> {
        context.get::<Self>().or_else(|| GLOBAL.get())
    }

    /// The system of the current context.
    pub(crate) fn current() -> Option<Self> {
        if !has_context() {
            return None;
        }
        Context::map_current(|context| Self::of(context).cloned())
    }

    /// A context in which this is the system. The one of the process needs no mention.
    pub(crate) fn within(&self, context: &Context) -> Context {
        if self.0.is_global {
            context.clone()
        } else {
            context.with_value(self.clone())
        }
    }

    /// What makes the spans of a context, and whether success sets their status Ok; nothing when tracing is off.
    #[inline]
    pub(crate) fn tracer_of(context: &Context) -> Option<(TracerRef, bool)> {
        if let Some(system) = context.get::<Self>() {
            let tracer = Arc::clone(&system.0.active.as_ref()?.tracer);
            return Some((TracerRef::Local(tracer), system.0.sets_ok_status));
        }
        let system = GLOBAL.get()?;
        let tracer = &system.0.active.as_ref()?.tracer;
        Some((TracerRef::Global(tracer), system.0.sets_ok_status))
    }

    /// The SDK's tracer for spans of the service's own code that the crate does not make; nothing when tracing is off.
    #[cfg(feature = "bridge")]
    pub(crate) fn sdk_tracer(&self) -> Option<SdkTracer> {
        let active = self.0.active.as_ref()?;
        let scope = &active.tracer.scopes[Scope::Service as usize];
        Some(active.provider.tracer_with_scope(scope.clone()))
    }

    /// The queue and its worker; nothing when spans are not exported.
    pub(super) fn pipeline(&self) -> Option<&Pipeline> {
        self.0.active.as_ref()?.tracer.pipeline.as_deref()
    }

    /// Whether an instrumentation is to make spans.
    pub(crate) fn makes_spans_of(&self, instrumentation: Instrumentation) -> bool {
        self.0.active.is_some() && self.0.instrumentations.has(instrumentation)
    }

    /// The least important spans and events of `tracing` that are bridged.
    #[cfg(feature = "bridge")]
    pub(crate) fn bridge_level(&self) -> tracing::level_filters::LevelFilter {
        self.0.bridge_level
    }

    pub(crate) fn propagator(&self) -> &Propagator {
        &self.0.propagator
    }

    /// Whether HTTP spans have the names of before the conventions were stable too.
    #[cfg(feature = "http")]
    pub(crate) fn duplicates_http_names(&self) -> bool {
        self.0.duplicates_http_names
    }

    /// What is set for the requests that the service makes.
    #[cfg(feature = "http")]
    pub(crate) fn http_client_settings(&self) -> &crate::http::client::HttpClientSettings {
        &self.0.http_client_settings
    }
}
