//! Settings: what they are, where they come from, and what is wrong with them.
//!
//! [`settings::SETTINGS`] is the one list of them. A setting `limits.max_body_bytes` is
//! `max_body_bytes` under `[limits]` in the file, `BACKTRAIL_LIMITS_MAX_BODY_BYTES` in the
//! environment and `--limits-max-body-bytes` on the command line; later ones win.

mod check;
mod endpoint;
mod error;
mod file;
mod hosts;
mod print;
mod public_url;
mod sampling;
mod settings;
mod sources;
mod strategies_file;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use store::{Durability, StoreOptions};

pub(crate) use endpoint::Endpoint;
pub(crate) use hosts::AllowedHosts;
pub(crate) use print::print;
pub(crate) use public_url::PublicUrl;
pub(crate) use sampling::Sampling;
pub(crate) use settings::{SETTINGS, Setting};
pub(crate) use sources::{Effective, Environment, Loader, Sources};
pub(crate) use value::{
    Age, ByteCount, LogFilter, LogFormat, Millis, Origins, SamplingKind, SamplingParam,
    SettingValue,
};

use sampling::Tables;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where log, blocks and manifest live. One process at a time.
    pub(crate) data_dir: PathBuf,
    /// A file to write the bound addresses into, for scripts and tests.
    pub(crate) port_file: Option<PathBuf>,
    /// Whether listeners may bind to addresses that other machines reach.
    pub(crate) allow_anonymous: bool,
    /// How long a stop may take.
    pub(crate) shutdown_timeout: Millis,
    /// Which pages of other origins may send spans from a browser.
    pub(crate) cors_origins: Origins,
    /// Which names the web listener answers to.
    pub(crate) allowed_hosts: AllowedHosts,
    /// The origin at which clients reach the web listener, when it is not the one that they call it by.
    pub(crate) public_url: Option<PublicUrl>,
    /// Where we listen.
    pub(crate) listeners: Listeners,
    /// What a request may ask for.
    pub(crate) limits: Limits,
    /// How spans are kept.
    pub(crate) storage: Storage,
    /// How long spans are kept.
    pub(crate) retention: Retention,
    /// What is kept of source maps.
    pub(crate) sourcemaps: SourceMaps,
    /// What clients that ask for a sampling strategy are told.
    pub(crate) sampling: Sampling,
    /// Our own logs.
    pub(crate) log: Log,
}

/// The listeners' addresses.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    /// OTLP over gRPC.
    pub(crate) otlp_grpc: Endpoint,
    /// OTLP over HTTP.
    pub(crate) otlp_http: Endpoint,
    /// Jaeger's collector endpoint.
    pub(crate) jaeger_http: Endpoint,
    /// Jaeger's collector over gRPC.
    pub(crate) jaeger_grpc: Endpoint,
    /// Jaeger's remote sampling.
    pub(crate) jaeger_sampling: Endpoint,
    /// Jaeger's agent over UDP, at the port for the compact protocol.
    pub(crate) jaeger_agent_compact: Endpoint,
    /// The same at the port for the binary protocol.
    pub(crate) jaeger_agent_binary: Endpoint,
    /// Zipkin's collector and read API.
    pub(crate) zipkin: Endpoint,
    /// Jaeger's query services over gRPC.
    pub(crate) jaeger_query_grpc: Endpoint,
    /// Page, read APIs, metrics and health.
    pub(crate) web: Endpoint,
}

/// Bounds of requests and connections.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Bytes of an HTTP request body on the wire.
    pub(crate) max_body_bytes: ByteCount,
    /// Bytes of a request body after decompression.
    pub(crate) max_inflated_bytes: ByteCount,
    /// Bytes of a gRPC message on the wire.
    pub(crate) grpc_max_message_bytes: ByteCount,
    /// Bytes of one span as OTLP protobuf.
    pub(crate) max_span_bytes: ByteCount,
    /// Levels of arrays and maps inside an attribute value.
    pub(crate) max_value_depth: usize,
    /// Bytes of all requests that are received, decoded or being logged at one time.
    pub(crate) max_in_flight_bytes: ByteCount,
    /// Connections of each listener at one time.
    pub(crate) max_connections: usize,
    /// How long a request's head, and then its body, may take to arrive.
    pub(crate) request_timeout: Millis,
    /// Bytes that the kernel keeps of each UDP socket while we are busy.
    pub(crate) udp_receive_buffer_bytes: ByteCount,
    /// Bytes of datagrams that are decoded or being logged at one time.
    pub(crate) udp_queue_bytes: ByteCount,
}

/// How spans are kept.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    /// What a success reply promises.
    pub(crate) durability: Durability,
    /// Bytes of one segment of the log.
    pub(crate) log_segment_bytes: ByteCount,
    /// Bytes of spans in memory before they are written as blocks.
    pub(crate) memtable_bytes: ByteCount,
    /// Bytes of spans in memory before senders are told to retry.
    pub(crate) max_memtable_bytes: ByteCount,
    /// How long a span waits in memory before idle traces are written as blocks.
    pub(crate) flush_interval: Millis,
    /// How long a trace is quiet before it is taken to be whole.
    pub(crate) trace_idle: Millis,
    /// How long a trace may stay in memory though it is not quiet.
    pub(crate) trace_max_age: Millis,
    /// Bytes of the disk that are left alone.
    pub(crate) min_free_bytes: ByteCount,
}

/// How long spans are kept.
#[derive(Debug, Clone)]
pub(crate) struct Retention {
    /// Age, counted from arrival; off is for ever.
    pub(crate) max_age: Age,
    /// Bytes of all blocks; `None` is no bound.
    pub(crate) max_bytes: Option<ByteCount>,
}

/// What is kept of source maps, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct SourceMaps {
    /// How long an upload is kept that nothing used.
    pub(crate) retention: Age,
    /// Bytes of one bundle as it is sent.
    pub(crate) max_bundle_bytes: ByteCount,
    /// Bytes of all files of an organisation.
    pub(crate) max_organisation_bytes: ByteCount,
    /// Bytes of all files.
    pub(crate) max_bytes: ByteCount,
    /// Whether Jaeger's APIs show the stack traces of exceptions resolved, the raw ones beside.
    pub(crate) resolve_for_jaeger: bool,
}

/// Our own logs.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// Level, or directives as in `RUST_LOG`.
    pub(crate) level: LogFilter,
    /// Lines for people or for machines.
    pub(crate) format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        let spans = model::Limits::default();
        let store = StoreOptions::new("./backtrail-data");
        let sourcemaps = artifacts::Options::default();
        Self {
            data_dir: store.data_dir,
            port_file: None,
            allow_anonymous: false,
            shutdown_timeout: Millis(Duration::from_secs(20)),
            cors_origins: Origins::Any,
            allowed_hosts: AllowedHosts::Local,
            public_url: None,
            listeners: Listeners {
                otlp_grpc: Endpoint::Loopback(4317),
                otlp_http: Endpoint::Loopback(4318),
                jaeger_http: Endpoint::Loopback(14268),
                jaeger_grpc: Endpoint::Loopback(14250),
                jaeger_sampling: Endpoint::Loopback(5778),
                jaeger_agent_compact: Endpoint::Loopback(6831),
                jaeger_agent_binary: Endpoint::Loopback(6832),
                zipkin: Endpoint::Loopback(9411),
                jaeger_query_grpc: Endpoint::Loopback(16685),
                web: Endpoint::Loopback(16686),
            },
            limits: Limits {
                max_body_bytes: ByteCount(16 * MIB),
                max_inflated_bytes: ByteCount(64 * MIB),
                grpc_max_message_bytes: ByteCount(16 * MIB),
                max_span_bytes: ByteCount(spans.max_span_bytes as u64),
                max_value_depth: spans.max_value_depth,
                max_in_flight_bytes: ByteCount(256 * MIB),
                max_connections: 4096,
                request_timeout: Millis(Duration::from_secs(30)),
                udp_receive_buffer_bytes: ByteCount(4 * MIB),
                udp_queue_bytes: ByteCount(64 * MIB),
            },
            storage: Storage {
                durability: Durability::Sync,
                log_segment_bytes: ByteCount(store.segment_bytes),
                memtable_bytes: ByteCount(store.memtable_bytes as u64),
                max_memtable_bytes: ByteCount(store.max_memtable_bytes as u64),
                flush_interval: Millis(store.flush_interval),
                trace_idle: Millis(store.trace_idle),
                trace_max_age: Millis(store.trace_max_age),
                min_free_bytes: ByteCount(store.min_free_bytes),
            },
            retention: Retention {
                max_age: Age(store.retention.max_age),
                max_bytes: store.retention.max_bytes.map(ByteCount),
            },
            sourcemaps: SourceMaps {
                retention: Age(Some(sourcemaps.unused_for)),
                max_bundle_bytes: ByteCount(sourcemaps.bundle.bundle_bytes),
                max_organisation_bytes: ByteCount(sourcemaps.quotas.organisation_bytes),
                max_bytes: ByteCount(sourcemaps.quotas.total_bytes),
                resolve_for_jaeger: true,
            },
            sampling: Sampling {
                kind: SamplingKind::Probabilistic,
                param: SamplingParam(1.0),
                strategies_file: None,
                tables: Tables::default(),
                from_strategies_file: None,
            },
            log: Log {
                level: LogFilter::info(),
                format: LogFormat::Text,
            },
        }
    }
}
