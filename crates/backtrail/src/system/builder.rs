//! The description of a system.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{InstrumentationScope, KeyValue, global};
use opentelemetry_sdk::trace::{SdkTracerProvider, ShouldSample};

use super::inner::{Active, Inner, Scope, System};
use super::{InitializeError, TracingSystem};
use crate::config::{
    BatchSettings, Environment, Instrumentations, Limits, Overrides, Warnings, resource,
};
use crate::export::{BuildContext, Exporter, all_of};
use crate::processor::{BatchProcessor, Pipeline};
use crate::propagation::Propagator;
use crate::report::TARGET;
use crate::sampling::{Sampler, SharedSampler};
use crate::span::panics;
use crate::tracer::Tracer;
use crate::{IntoAttributes, IntoValue};

/// A tracing system that is described and not there yet. [`TracingSystem::new`] makes one.
///
/// What is said here goes before the environment for exporter, sampler, propagators and the batch processor; the environment goes before what
/// is said here for the service's name, the resource and the switches of instrumentations, so that whoever runs a service can name it and
/// quieten it.
#[derive(Debug)]
#[must_use = "nothing is traced before `initialize`"]
pub struct TracingSystemBuilder {
    service_name: String,
    env: Environment,
    overrides: Overrides,
    exporters: Option<Vec<Exporter>>,
    sampler: Option<Sampler>,
    propagators: Option<String>,
    switches: Vec<(String, bool)>,
    batch: BatchOverrides,
    is_enabled: Option<bool>,
    sets_ok_status: bool,
    is_local: bool,
    #[cfg(feature = "http")]
    http_client_settings: crate::http::client::HttpClientSettings,
    #[cfg(feature = "bridge")]
    bridges_tracing: bool,
    #[cfg(feature = "bridge")]
    bridge_level: tracing::level_filters::LevelFilter,
}

#[derive(Debug, Default)]
struct BatchOverrides {
    max_queue_spans: Option<usize>,
    max_queue_bytes: Option<usize>,
    max_batch_spans: Option<usize>,
    max_concurrent_exports: Option<usize>,
    schedule_delay: Option<Duration>,
    export_timeout: Option<Duration>,
}

impl TracingSystemBuilder {
    pub(super) fn new(service_name: String) -> Self {
        Self {
            service_name,
            env: Environment::process(),
            overrides: Overrides::default(),
            exporters: None,
            sampler: None,
            propagators: None,
            switches: Vec::new(),
            batch: BatchOverrides::default(),
            is_enabled: None,
            sets_ok_status: true,
            is_local: false,
            #[cfg(feature = "http")]
            http_client_settings: crate::http::client::HttpClientSettings::new(),
            #[cfg(feature = "bridge")]
            bridges_tracing: false,
            #[cfg(feature = "bridge")]
            bridge_level: tracing::level_filters::LevelFilter::INFO,
        }
    }

    /// Reads these variables instead of those of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.env = environment;
        self
    }

    /// `service.version`. Without it `SERVICE_VERSION`, else `1.0.0`.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.overrides.service_version = Some(version.into());
        self
    }

    /// `deployment.environment.name`, and `deployment.environment` as it was called before. Without it `DEPLOYMENT_ENVIRONMENT`, `APP_ENV` or
    /// `NODE_ENV`, else `development`.
    pub fn deployment_environment(mut self, name: impl Into<String>) -> Self {
        self.overrides.environment = Some(name.into());
        self
    }

    /// Adds an attribute to the resource. `OTEL_RESOURCE_ATTRIBUTES` goes before it.
    pub fn resource_attribute(
        mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl IntoValue,
    ) -> Self {
        if let Some(value) = value.into_value() {
            self.overrides.attributes.push(KeyValue::new(key, value));
        }
        self
    }

    /// Adds attributes to the resource. `OTEL_RESOURCE_ATTRIBUTES` goes before them.
    pub fn resource_attributes(mut self, attributes: impl IntoAttributes) -> Self {
        self.overrides
            .attributes
            .extend(attributes.into_attributes());
        self
    }

    /// Exports here, whatever the environment says; called again, here too. Without it decide, in this order: `OTEL_TRACES_EXPORTER` (`otlp`, `jaeger`,
    /// `zipkin`, `console`, `none`, or several), `JAEGER_ENDPOINT` or `OTEL_EXPORTER_JAEGER_ENDPOINT` (Jaeger's Thrift over HTTP), and
    /// `OTEL_EXPORTER_OTLP_…`, whose default is `http://localhost:4318`.
    pub fn exporter(mut self, exporter: Exporter) -> Self {
        self.exporters.get_or_insert_default().push(exporter);
        self
    }

    /// [`Exporter::otlp_http`] in short.
    pub fn otlp_endpoint(self, endpoint: impl Into<String>) -> Self {
        self.exporter(Exporter::otlp_http(endpoint))
    }

    /// Decides which traces are recorded. Without it `OTEL_TRACES_SAMPLER`, else all that the caller has not decided against.
    pub fn sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.sampler = Some(Sampler::of(sampler));
        self
    }

    /// How contexts travel: names as in `OTEL_PROPAGATORS`, which is read without it; else `tracecontext,baggage`.
    pub fn propagators(mut self, names: impl Into<String>) -> Self {
        self.propagators = Some(names.into());
        self
    }

    /// Switches an instrumentation on, by its name ([`Instrumentation::name`](crate::Instrumentation::name)).
    pub fn enable(mut self, instrumentation: impl Into<String>) -> Self {
        self.switches.push((instrumentation.into(), true));
        self
    }

    /// Switches an instrumentation off, by its name ([`Instrumentation::name`](crate::Instrumentation::name)).
    pub fn disable(mut self, instrumentation: impl Into<String>) -> Self {
        self.switches.push((instrumentation.into(), false));
        self
    }

    /// Spans that wait for export at most, and never more than 16,777,215; what ends beyond is dropped and counted. Without it `OTEL_BSP_MAX_QUEUE_SIZE`,
    /// else 2,048.
    pub fn max_queue_spans(mut self, spans: usize) -> Self {
        self.batch.max_queue_spans = Some(spans);
        self
    }

    /// Bytes of waiting spans at most, as OTLP, in which they wait, and never more than 1 TiB. Without it 1 KiB for each span of the queue, and 64 MiB at least.
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.batch.max_queue_bytes = Some(bytes);
        self
    }

    /// Spans of one export at most. Without it `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512.
    pub fn max_batch_spans(mut self, spans: usize) -> Self {
        self.batch.max_batch_spans = Some(spans);
        self
    }

    /// Exports at one time. Without it `OTEL_BSP_MAX_CONCURRENT_EXPORTS`, else 8.
    pub fn max_concurrent_exports(mut self, exports: usize) -> Self {
        self.batch.max_concurrent_exports = Some(exports);
        self
    }

    /// How long a span waits for others at most. Without it `OTEL_BSP_SCHEDULE_DELAY`, else 5 seconds.
    pub fn schedule_delay(mut self, delay: Duration) -> Self {
        self.batch.schedule_delay = Some(delay);
        self
    }

    /// How long a batch is tried at most, all attempts together. Without it `OTEL_BSP_EXPORT_TIMEOUT`, else 30 seconds.
    pub fn export_timeout(mut self, timeout: Duration) -> Self {
        self.batch.export_timeout = Some(timeout);
        self
    }

    /// Whether `Ok` sets the status Ok, as the document does; else it stays unset, as the conventions have it. On without it.
    pub fn ok_status(mut self, is_set: bool) -> Self {
        self.sets_ok_status = is_set;
        self
    }

    /// Turns tracing on or off, whatever `OTEL_SDK_DISABLED` says. Off makes no spans; contexts of others are handed on.
    pub fn enabled(mut self, is_enabled: bool) -> Self {
        self.is_enabled = Some(is_enabled);
        self
    }

    /// Does not make this the system of the process: it is used through its handle, and by code in its [`TracingSystem::context`].
    pub fn local(mut self) -> Self {
        self.is_local = true;
        self
    }

    /// What becomes of the requests that the service makes: those of reqwest that are `traced()`, and the layers of
    /// [`TracingSystem::http_client`], which may be described further.
    #[cfg(feature = "http")]
    pub fn http_client_settings(
        mut self,
        settings: crate::http::client::HttpClientSettings,
    ) -> Self {
        self.http_client_settings = settings;
        self
    }

    /// Has spans of the `tracing` crate join the same traces: installs a subscriber with the bridge, and text on stderr as `RUST_LOG` says,
    /// unless there is a subscriber already. A service with a subscriber of its own adds [`TracingSystem::bridge_layer`] to it instead.
    #[cfg(feature = "bridge")]
    pub fn bridge_tracing(mut self, is_on: bool) -> Self {
        self.bridges_tracing = is_on;
        self
    }

    /// Spans and events of the `tracing` crate that are less important stay out of traces; what is written as text is another matter. Without it
    /// INFO: libraries have many spans at DEBUG and TRACE.
    #[cfg(feature = "bridge")]
    pub fn bridge_level(mut self, level: impl Into<tracing::level_filters::LevelFilter>) -> Self {
        self.bridge_level = level.into();
        self
    }

    /// Sets everything up, and logs where spans go.
    ///
    /// # Errors
    /// When the exporter that code asked for can't be made, when no thread can be started, and when the process has a system already.
    /// What is wrong in the environment is no error: it is logged, and the default holds.
    pub fn initialize(self) -> Result<TracingSystem, InitializeError> {
        #[cfg(feature = "bridge")]
        let bridge_env = self.bridges_tracing.then(|| self.env.clone());
        let is_local = self.is_local;
        if let Some(system) = System::global().filter(|_| !is_local) {
            let name = system.inner().service_name.clone();
            return Err(InitializeError::AlreadyInitialized(name));
        }
        let (system, whereto) = self.build()?;
        let handle = TracingSystem::of(system.clone());
        if !is_local {
            if let Err(system) = system.clone().set_global() {
                let name = system.inner().service_name.clone();
                return Err(InitializeError::AlreadyInitialized(name));
            }
            if let Some(provider) = handle.provider() {
                global::set_tracer_provider(provider.clone());
                panics::remember_places();
            }
            global::set_text_map_propagator(system.propagator().clone());
        }
        #[cfg(feature = "bridge")]
        if let Some(env) = bridge_env {
            handle.install_bridge(&env);
        }
        log(&handle, &whereto);
        Ok(handle)
    }

    fn build(self) -> Result<(System, String), InitializeError> {
        let mut warnings = Warnings::default();
        let env = &self.env;
        let is_disabled = env.flag("OTEL_SDK_DISABLED", &mut warnings);
        let is_enabled = self.is_enabled.unwrap_or(!is_disabled);
        let (propagator, ignored) = match self.propagators.or_else(|| env.get("OTEL_PROPAGATORS")) {
            Some(names) => Propagator::from_names(&names),
            None => (Propagator::default(), Vec::new()),
        };
        for warning in ignored {
            warnings.add(warning);
        }
        let instrumentations = Instrumentations::new(&self.switches, env, &mut warnings);
        #[cfg(feature = "http")]
        let duplicates_http_names = env
            .get("OTEL_SEMCONV_STABILITY_OPT_IN")
            .is_some_and(|list| list.split(',').any(|name| name.trim() == "http/dup"));
        let resource = resource(&self.service_name, &self.overrides, env, &mut warnings);
        let service_name = resource
            .get(&opentelemetry::Key::from_static_str("service.name"))
            .map_or(self.service_name, |name| name.to_string());

        let mut whereto = "nowhere: tracing is off".to_owned();
        let active = if is_enabled {
            let limits = Limits::from_env(env, &mut warnings);
            let batch = self.batch.over(BatchSettings::from_env(env, &mut warnings));
            let context = BuildContext {
                env,
                resource: &resource,
                export_timeout: batch.export_timeout,
            };
            let exporter = match self.exporters {
                Some(exporters) => all_of(exporters, &context, &mut warnings)?,
                None => {
                    let exporters = Exporter::from_env(env, &mut warnings);
                    let built = all_of(exporters, &context, &mut warnings);
                    built.unwrap_or_else(|error| {
                        warnings.add(format!(
                            "spans are not exported, since the environment's exporter can't be made: {error}"
                        ));
                        None
                    })
                }
            };
            whereto = exporter
                .as_ref()
                .map_or_else(|| "nowhere".to_owned(), |exporter| exporter.describe());
            let pipeline = exporter
                .map(|exporter| Pipeline::start(batch, exporter))
                .transpose()
                .map_err(InitializeError::Thread)?;
            let sampler = match self.sampler {
                Some(sampler) => sampler,
                None => {
                    let name = env.get("OTEL_TRACES_SAMPLER");
                    let arg = env.get("OTEL_TRACES_SAMPLER_ARG");
                    let (sampler, ignored) =
                        Sampler::from_env_values(name.as_deref(), arg.as_deref());
                    for warning in ignored {
                        warnings.add(warning);
                    }
                    sampler
                }
            };
            let tracer = Arc::new(Tracer {
                scopes: scopes(&service_name),
                sampler: SharedSampler::new(sampler),
                limits,
                pipeline,
                is_shut_down: Arc::default(),
            });
            let provider = SdkTracerProvider::builder()
                .with_resource(resource)
                .with_span_limits(limits.of_sdk_spans())
                .with_sampler(tracer.sampler.clone())
                .with_span_processor(BatchProcessor::of(&tracer))
                .build();
            Some(Active { provider, tracer })
        } else {
            None
        };
        let system = System::new(Inner {
            service_name,
            active,
            propagator,
            instrumentations,
            sets_ok_status: self.sets_ok_status,
            #[cfg(feature = "http")]
            duplicates_http_names,
            #[cfg(feature = "http")]
            http_client_settings: self.http_client_settings,
            warnings: warnings.into_vec(),
            is_global: !self.is_local,
            #[cfg(feature = "bridge")]
            bridge_level: self.bridge_level,
        });
        Ok((system, whereto))
    }
}

impl BatchOverrides {
    fn over(self, env: BatchSettings) -> BatchSettings {
        let max_queue_spans = self.max_queue_spans.unwrap_or(env.max_queue_spans).max(1);
        BatchSettings {
            max_queue_spans,
            max_queue_bytes: self.max_queue_bytes.or(env.max_queue_bytes),
            max_batch_spans: self
                .max_batch_spans
                .unwrap_or(env.max_batch_spans)
                .clamp(1, max_queue_spans),
            max_concurrent_exports: self
                .max_concurrent_exports
                .unwrap_or(env.max_concurrent_exports)
                .max(1),
            schedule_delay: self.schedule_delay.unwrap_or(env.schedule_delay),
            export_timeout: self.export_timeout.unwrap_or(env.export_timeout),
        }
    }
}

fn scopes(service_name: &str) -> [InstrumentationScope; Scope::ALL.len()] {
    // The SDK clones the scope of each span that ends: a name that lives for ever is a pointer then, and an owned one an allocation.
    let service_name: &'static str = Box::leak(service_name.to_owned().into_boxed_str());
    Scope::ALL.map(|scope| {
        let scope = match scope.name() {
            None => InstrumentationScope::builder(service_name),
            Some(name) => {
                InstrumentationScope::builder(name).with_version(env!("CARGO_PKG_VERSION"))
            }
        };
        scope.build()
    })
}

fn log(handle: &TracingSystem, whereto: &str) {
    tracing::info!(target: TARGET, service = handle.service_name(), "spans go to {whereto}");
    for warning in handle.warnings() {
        tracing::warn!(target: TARGET, "{warning}");
    }
}
