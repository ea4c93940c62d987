//! The one list of settings.

use super::Config;
use super::value::SettingValue;

/// A setting: its name, its meaning, and how to change and show it in a [`Config`].
pub(crate) struct Setting {
    /// Dotted name: `limits.max_body_bytes`.
    pub(crate) key: &'static str,
    /// What stands for the value in help texts.
    pub(crate) value_name: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
    /// Whether its flag may stand without a value.
    pub(crate) is_switch: bool,
    /// Reads one value.
    pub(crate) set: fn(&mut Config, &str) -> Result<(), String>,
    /// Reads a TOML array.
    pub(crate) set_list: fn(&mut Config, &[String]) -> Result<(), String>,
    /// Writes the value as TOML.
    pub(crate) show: fn(&Config) -> String,
}

impl Setting {
    /// The environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("BACKTRAIL_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// The flag, without its dashes.
    pub(crate) fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// The table it stands under in the file, if any.
    pub(crate) fn table(&self) -> Option<&'static str> {
        self.key.split_once('.').map(|(table, _)| table)
    }

    /// All three ways to set it, for messages.
    pub(crate) fn ways(&self) -> String {
        format!(
            "--{}, {} or {} in the file",
            self.flag(),
            self.variable(),
            self.key
        )
    }

    /// The setting with this dotted name.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}

fn assign<T: SettingValue>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

macro_rules! setting {
    ($key:literal, $($field:ident).+, $value_name:literal, $help:literal) => {
        setting!($key, $($field).+, $value_name, $help, false)
    };
    ($key:literal, $($field:ident).+, $value_name:literal, $help:literal, $is_switch:literal) => {
        Setting {
            key: $key,
            value_name: $value_name,
            help: $help,
            is_switch: $is_switch,
            set: |config, text| assign(&mut config.$($field).+, SettingValue::parse(text)),
            set_list: |config, items| assign(&mut config.$($field).+, SettingValue::parse_list(items)),
            show: |config| config.$($field).+.to_toml(),
        }
    };
}

/// All settings, in the order in which people read them.
pub(crate) static SETTINGS: &[Setting] = &[
    setting!(
        "data_dir",
        data_dir,
        "DIR",
        "Where spans are kept; one process at a time"
    ),
    setting!(
        "otlp_grpc",
        listeners.otlp_grpc,
        "ADDR|PORT|off",
        "OTLP over gRPC. A bare port means 127.0.0.1 and ::1; 0 picks a free one"
    ),
    setting!(
        "otlp_http",
        listeners.otlp_http,
        "ADDR|PORT|off",
        "OTLP over HTTP: POST /v1/traces"
    ),
    setting!(
        "jaeger_http",
        listeners.jaeger_http,
        "ADDR|PORT|off",
        "Jaeger's collector: POST /api/traces"
    ),
    setting!(
        "jaeger_grpc",
        listeners.jaeger_grpc,
        "ADDR|PORT|off",
        "Jaeger's collector over gRPC: CollectorService/PostSpans and SamplingManager"
    ),
    setting!(
        "jaeger_sampling",
        listeners.jaeger_sampling,
        "ADDR|PORT|off",
        "Jaeger's remote sampling: GET /sampling?service="
    ),
    setting!(
        "jaeger_agent_compact",
        listeners.jaeger_agent_compact,
        "ADDR|PORT|off",
        "Jaeger's agent over UDP; the compact protocol by custom, either is understood"
    ),
    setting!(
        "jaeger_agent_binary",
        listeners.jaeger_agent_binary,
        "ADDR|PORT|off",
        "Jaeger's agent over UDP; the binary protocol by custom, either is understood"
    ),
    setting!(
        "zipkin",
        listeners.zipkin,
        "ADDR|PORT|off",
        "Zipkin: POST /api/v2/spans and /api/v1/spans, and its read API"
    ),
    setting!(
        "jaeger_query_grpc",
        listeners.jaeger_query_grpc,
        "ADDR|PORT|off",
        "Jaeger's query services over gRPC: jaeger.api_v3 and jaeger.api_v2"
    ),
    setting!(
        "web",
        listeners.web,
        "ADDR|PORT|off",
        "The page, the read APIs, /metrics, /healthz and /readyz"
    ),
    setting!(
        "allow_anonymous",
        allow_anonymous,
        "BOOL",
        "Let anybody in where other machines reach a listener; what a token closes is closed all the same",
        true
    ),
    setting!(
        "cors_origins",
        cors_origins,
        "ORIGINS",
        "Origins whose pages may send spans over OTLP/HTTP and to Zipkin's port: \"*\", \"off\" or a list"
    ),
    setting!(
        "allowed_hosts",
        allowed_hosts,
        "HOSTS",
        "Names by which browsers may call the web port and the read API on Zipkin's: \"\" is localhost and addresses where it listens on this machine alone, else any; or \"*\" or a list"
    ),
    setting!(
        "public_url",
        public_url,
        "URL",
        "Where clients that upload source maps reach the web port, such as \"https://traces.example\"; empty for the name that they call it by"
    ),
    setting!(
        "port_file",
        port_file,
        "FILE",
        "Write the bound addresses into this file, as JSON, once all of them listen"
    ),
    setting!(
        "shutdown_timeout_ms",
        shutdown_timeout,
        "MILLIS",
        "How long a stop may take before unfinished requests are given up"
    ),
    setting!(
        "limits.max_body_bytes",
        limits.max_body_bytes,
        "BYTES",
        "Size of an HTTP request body on the wire"
    ),
    setting!(
        "limits.max_inflated_bytes",
        limits.max_inflated_bytes,
        "BYTES",
        "Size of a request body after decompression"
    ),
    setting!(
        "limits.grpc_max_message_bytes",
        limits.grpc_max_message_bytes,
        "BYTES",
        "Size of a gRPC message on the wire"
    ),
    setting!(
        "limits.max_span_bytes",
        limits.max_span_bytes,
        "BYTES",
        "Size of one span as OTLP protobuf; a larger span is rejected, the rest of its request is kept"
    ),
    setting!(
        "limits.max_value_depth",
        limits.max_value_depth,
        "LEVELS",
        "Levels of arrays and maps inside an attribute value"
    ),
    setting!(
        "limits.max_in_flight_bytes",
        limits.max_in_flight_bytes,
        "BYTES",
        "Size of all requests that are being received, decoded or logged; beyond it senders are told to retry"
    ),
    setting!(
        "limits.max_connections",
        limits.max_connections,
        "COUNT",
        "Open connections of each listener; more wait to be accepted"
    ),
    setting!(
        "limits.request_timeout_ms",
        limits.request_timeout,
        "MILLIS",
        "How long a request's head, and then its body, may take to arrive"
    ),
    setting!(
        "limits.udp_receive_buffer_bytes",
        limits.udp_receive_buffer_bytes,
        "BYTES",
        "Size of the kernel's buffer of each UDP socket; when it is full, datagrams are lost and counted"
    ),
    setting!(
        "limits.udp_queue_bytes",
        limits.udp_queue_bytes,
        "BYTES",
        "Size of all datagrams that are being decoded or logged; beyond it they are dropped and counted"
    ),
    setting!(
        "storage.durability",
        storage.durability,
        "sync|os",
        "What a success reply promises: \"sync\" survives a power cut, \"os\" only the end of this process"
    ),
    setting!(
        "storage.log_segment_bytes",
        storage.log_segment_bytes,
        "BYTES",
        "Size of one segment of the log"
    ),
    setting!(
        "storage.memtable_bytes",
        storage.memtable_bytes,
        "BYTES",
        "Size of the spans in memory at which they are written as blocks"
    ),
    setting!(
        "storage.max_memtable_bytes",
        storage.max_memtable_bytes,
        "BYTES",
        "Size of the spans in memory at which senders are told to retry"
    ),
    setting!(
        "storage.flush_interval_ms",
        storage.flush_interval,
        "MILLIS",
        "How long a span waits in memory before the traces that are quiet are written as blocks"
    ),
    setting!(
        "storage.trace_idle_ms",
        storage.trace_idle,
        "MILLIS",
        "How long a trace is quiet before it is taken to be whole"
    ),
    setting!(
        "storage.trace_max_age_ms",
        storage.trace_max_age,
        "MILLIS",
        "How long a trace may stay in memory though it is not quiet"
    ),
    setting!(
        "storage.min_free_bytes",
        storage.min_free_bytes,
        "BYTES",
        "Room on the disk that is left alone; below it senders are told to retry"
    ),
    setting!(
        "retention.max_age",
        retention.max_age,
        "AGE",
        "How long spans are kept, counted from their arrival: \"14d\", \"36h\"; \"off\" for ever"
    ),
    setting!(
        "retention.max_bytes",
        retention.max_bytes,
        "BYTES",
        "Size of all blocks before the oldest are removed; empty for no bound"
    ),
    setting!(
        "sourcemaps.retention",
        sourcemaps.retention,
        "AGE",
        "How long an uploaded source map is kept that resolved nothing, counted from its upload or last use; \"off\" for ever"
    ),
    setting!(
        "sourcemaps.max_bundle_bytes",
        sourcemaps.max_bundle_bytes,
        "BYTES",
        "Size of one bundle of source maps as it is sent"
    ),
    setting!(
        "sourcemaps.max_organisation_bytes",
        sourcemaps.max_organisation_bytes,
        "BYTES",
        "Size of all uploaded files of one organisation; beyond it uploads are refused"
    ),
    setting!(
        "sourcemaps.max_bytes",
        sourcemaps.max_bytes,
        "BYTES",
        "Size of all uploaded files; beyond it uploads are refused"
    ),
    setting!(
        "sourcemaps.resolve_for_jaeger",
        sourcemaps.resolve_for_jaeger,
        "BOOL",
        "Show stack traces resolved in Jaeger's APIs, with the raw one in exception.stacktrace.raw",
        true
    ),
    setting!(
        "sampling.type",
        sampling.kind,
        "probabilistic|ratelimiting",
        "How services without a strategy of their own sample: by probability, or so many traces in a second"
    ),
    setting!(
        "sampling.param",
        sampling.param,
        "NUMBER",
        "Their probability from 0 to 1, or their traces in a second"
    ),
    setting!(
        "sampling.strategies_file",
        sampling.strategies_file,
        "FILE",
        "Sampling strategies as Jaeger's JSON, in place of the rest of this table"
    ),
    setting!(
        "log.level",
        log.level,
        "LEVEL",
        "error, warn, info, debug, trace, off, or directives as in RUST_LOG"
    ),
    setting!(
        "log.format",
        log.format,
        "text|json",
        "Format of our own log lines on stderr"
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_every_setting_with_its_default_and_meaning() {
        let guide = include_str!("../../../../docs/configuration.md");
        let defaults = Config::default();
        for setting in SETTINGS {
            let row = format!(
                "| `{}` | `{}` | {} |\n",
                setting.key,
                (setting.show)(&defaults),
                setting.help.replace('|', "\\|")
            );
            assert!(
                guide.contains(&row),
                "docs/configuration.md has no row\n{row}"
            );
        }
    }

    #[test]
    fn no_two_settings_have_one_name_in_any_source() {
        let mut names: Vec<String> = SETTINGS
            .iter()
            .flat_map(|setting| [setting.flag(), setting.variable()])
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
