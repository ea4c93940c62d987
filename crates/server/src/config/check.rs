//! Rules between settings.

use std::path::Path;

use host::Files;

use super::error::{ConfigError, Origin};
use super::sources::Effective;
use super::value::SettingValue;
use super::{Config, Endpoint, Setting};
use crate::auth::{Scope, TokenRecord, read_tokens};

/// What carries a listener's bytes. Two listeners may have one port when these differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Udp,
}

/// A listener as the rules see it.
struct Listener {
    /// Of its setting.
    key: &'static str,
    endpoint: Endpoint,
    transport: Transport,
    /// What its requests need where other machines reach it. None for datagrams, which can carry no token.
    scopes: &'static [Scope],
}

fn listeners(config: &Config) -> [Listener; 10] {
    const SEND: &[Scope] = &[Scope::Ingest];
    const READ: &[Scope] = &[Scope::Read];
    const BOTH: &[Scope] = &[Scope::Ingest, Scope::Read];
    let of = |key, endpoint, transport, scopes| Listener {
        key,
        endpoint,
        transport,
        scopes,
    };
    let tcp = |key, endpoint, scopes| of(key, endpoint, Transport::Tcp, scopes);
    let udp = |key, endpoint| of(key, endpoint, Transport::Udp, &[]);
    let listeners = &config.listeners;
    [
        tcp("otlp_grpc", listeners.otlp_grpc, SEND),
        tcp("otlp_http", listeners.otlp_http, SEND),
        tcp("jaeger_http", listeners.jaeger_http, SEND),
        tcp("jaeger_grpc", listeners.jaeger_grpc, SEND),
        tcp("jaeger_sampling", listeners.jaeger_sampling, SEND),
        tcp("zipkin", listeners.zipkin, BOTH),
        tcp("jaeger_query_grpc", listeners.jaeger_query_grpc, READ),
        tcp("web", listeners.web, READ),
        udp("jaeger_agent_compact", listeners.jaeger_agent_compact),
        udp("jaeger_agent_binary", listeners.jaeger_agent_binary),
    ]
}

impl Config {
    /// A listener that other machines reach, as a setting and its value.
    pub(crate) fn public_listener(&self) -> Option<String> {
        let listeners = listeners(self);
        let public = listeners
            .iter()
            .find(|listener| listener.endpoint.is_public())?;
        Some(format!("{} {}", public.key, public.endpoint))
    }
}

/// Why a listener must not be where other machines reach it.
fn forbidden(listener: &Listener, tokens: &[TokenRecord], data_dir: &Path) -> Option<String> {
    let ways = Setting::find("allow_anonymous").map_or_else(String::new, Setting::ways);
    let endpoint = listener.endpoint;
    if listener.transport == Transport::Udp {
        return Some(format!(
            "{endpoint} can be reached by other machines, and datagrams carry no token; \
             use a bare port to listen on this machine alone, or allow it with {ways}"
        ));
    }
    let has = |scope: Scope| tokens.iter().any(|token| token.scopes.allow(scope));
    let missing = listener.scopes.iter().find(|scope| !has(**scope))?;
    Some(format!(
        "{endpoint} can be reached by other machines, and there is no token with scope {missing} in {}; \
         make one with `backtrail tokens create --name NAME --scope {missing}`, use a bare port to listen on this machine alone, or allow it with {ways}",
        data_dir.display()
    ))
}

/// Everything that is wrong between settings that are each right.
pub(super) fn check(effective: &Effective, files: &dyn Files) -> Vec<ConfigError> {
    let config = &effective.config;
    let mut errors = Vec::new();
    let mut complain = |key: &'static str, message: String| {
        errors.push(ConfigError {
            origin: effective.origins.get(key).cloned(),
            message: format!("{key}: {message}"),
        });
    };

    let listeners = listeners(config);
    let tokens = match read_tokens(files, &config.data_dir) {
        Ok(tokens) => tokens,
        Err(error) => {
            complain("data_dir", error.to_string());
            Vec::new()
        }
    };
    for (index, listener) in listeners.iter().enumerate() {
        let Listener { key, endpoint, .. } = listener;
        if endpoint.is_public()
            && !config.allow_anonymous
            && let Some(why) = forbidden(listener, &tokens, &config.data_dir)
        {
            complain(key, why);
        }
        for other in &listeners[..index] {
            if listener.transport == other.transport && endpoint.collides_with(other.endpoint) {
                complain(key, format!("{endpoint} is taken by {} already", other.key));
            }
        }
    }
    if listeners
        .iter()
        .all(|listener| listener.endpoint == Endpoint::Off)
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
