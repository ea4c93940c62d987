//! Rules between settings.

use super::error::{ConfigError, Origin};
use super::sources::Effective;
use super::value::SettingValue;
use super::{Config, Endpoint, Setting};

/// What carries a listener's bytes. Two listeners may have one port when these differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Udp,
}

/// The listeners by the key of their setting.
fn listeners(config: &Config) -> Vec<(&'static str, Endpoint, Transport)> {
    let listeners = &config.listeners;
    let tcp = [
        ("otlp_grpc", listeners.otlp_grpc),
        ("otlp_http", listeners.otlp_http),
        ("jaeger_http", listeners.jaeger_http),
        ("jaeger_grpc", listeners.jaeger_grpc),
        ("jaeger_sampling", listeners.jaeger_sampling),
        ("zipkin", listeners.zipkin),
        ("jaeger_query_grpc", listeners.jaeger_query_grpc),
        ("web", listeners.web),
    ];
    let udp = [
        ("jaeger_agent_compact", listeners.jaeger_agent_compact),
        ("jaeger_agent_binary", listeners.jaeger_agent_binary),
    ];
    let over = |transport| move |(key, endpoint)| (key, endpoint, transport);
    tcp.into_iter()
        .map(over(Transport::Tcp))
        .chain(udp.into_iter().map(over(Transport::Udp)))
        .collect()
}

/// Everything that is wrong between settings that are each right.
pub(super) fn check(effective: &Effective) -> Vec<ConfigError> {
    let config = &effective.config;
    let mut errors = Vec::new();
    let mut complain = |key: &'static str, message: String| {
        errors.push(ConfigError {
            origin: effective.origins.get(key).cloned(),
            message: format!("{key}: {message}"),
        });
    };

    let listeners = listeners(config);
    for (index, (key, endpoint, transport)) in listeners.iter().enumerate() {
        if endpoint.is_public() && !config.allow_anonymous {
            let ways = Setting::find("allow_anonymous").map_or_else(String::new, Setting::ways);
            complain(
                key,
                format!(
                    "{endpoint} can be reached by other machines, and there is no authentication; \
                     use a bare port to listen on this machine alone, or allow it with {ways}"
                ),
            );
        }
        for (other_key, other, other_transport) in &listeners[..index] {
            if transport == other_transport && endpoint.collides_with(*other) {
                complain(key, format!("{endpoint} is taken by {other_key} already"));
            }
        }
    }
    if listeners
        .iter()
        .all(|(_, endpoint, _)| *endpoint == Endpoint::Off)
    {
        complain(
            "web",
            "every listener is off; nothing could be received or asked".to_owned(),
        );
    }

    let limits = &config.limits;
    for (wide_key, wide, narrow_key, narrow) in [
        (
            "limits.max_inflated_bytes",
            limits.max_inflated_bytes,
            "limits.max_body_bytes",
            limits.max_body_bytes,
        ),
        (
            "limits.max_inflated_bytes",
            limits.max_inflated_bytes,
            "limits.grpc_max_message_bytes",
            limits.grpc_max_message_bytes,
        ),
        (
            "limits.max_inflated_bytes",
            limits.max_inflated_bytes,
            "limits.max_span_bytes",
            limits.max_span_bytes,
        ),
        (
            "limits.max_in_flight_bytes",
            limits.max_in_flight_bytes,
            "limits.max_inflated_bytes",
            limits.max_inflated_bytes,
        ),
        (
            "storage.max_memtable_bytes",
            config.storage.max_memtable_bytes,
            "storage.memtable_bytes",
            config.storage.memtable_bytes,
        ),
    ] {
        if wide < narrow {
            complain(
                wide_key,
                format!(
                    "{} is below {narrow_key}, {}",
                    wide.to_toml(),
                    narrow.to_toml()
                ),
            );
        }
    }
    if limits.grpc_max_message_bytes.0 > u64::from(u32::MAX) {
        complain(
            "limits.grpc_max_message_bytes",
            "gRPC messages have at most 4294967295 bytes".to_owned(),
        );
    }
    if limits.max_inflated_bytes.as_usize() > wal::MAX_PAYLOAD_BYTES {
        complain(
            "limits.max_inflated_bytes",
            format!(
                "a record of the log has at most {} bytes",
                wal::MAX_PAYLOAD_BYTES
            ),
        );
    }
    errors.extend(
        config
            .sampling
            .check()
            .into_iter()
            .map(|(origin, message)| {
                let origin = origin.or_else(|| effective.origins.get("sampling.param").cloned());
                ConfigError { origin, message }
            }),
    );
    errors
}

/// Where the value of a setting comes from.
pub(super) fn origin<'a>(effective: &'a Effective, key: &str) -> &'a Origin {
    effective.origins.get(key).unwrap_or(&Origin::Default)
}
