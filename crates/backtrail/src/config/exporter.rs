//! Which exporter, and where it sends.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::resource::percent_decoded;
use super::{Environment, Warnings};

/// What the environment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExporterChoice {
    Otlp,
    Jaeger { endpoint: Uri, timeout: Duration },
    Zipkin { endpoint: Uri, timeout: Duration },
    Console,
}

const JAEGER_ENDPOINT: &str = "http://localhost:14268/api/traces";
const ZIPKIN_ENDPOINT: &str = "http://localhost:9411/api/v2/spans";

/// `OTEL_TRACES_EXPORTER`, else Jaeger when one of its endpoints is set, else OTLP. An empty list is `none`.
pub(crate) fn choose(env: &Environment, warnings: &mut Warnings) -> Vec<ExporterChoice> {
    let name = "OTEL_TRACES_EXPORTER";
    let Some(value) = env.get(name) else {
        let is_jaeger = env.first(&JAEGER_VARIABLES).is_some();
        return vec![if is_jaeger {
            jaeger(env, warnings)
        } else {
            ExporterChoice::Otlp
        }];
    };
    let mut choices = Vec::new();
    for each in value.split(',').map(str::trim).filter(|e| !e.is_empty()) {
        let choice = match each {
            "otlp" => ExporterChoice::Otlp,
            "jaeger" => jaeger(env, warnings),
            "zipkin" => ExporterChoice::Zipkin {
                endpoint: endpoint(
                    env,
                    &["OTEL_EXPORTER_ZIPKIN_ENDPOINT"],
                    ZIPKIN_ENDPOINT,
                    warnings,
                ),
                timeout: timeout(env, &["OTEL_EXPORTER_ZIPKIN_TIMEOUT"], warnings),
            },
            "console" | "logging" => ExporterChoice::Console,
            "none" => return Vec::new(),
            other => {
                warnings.ignored(name, other, "otlp, jaeger, zipkin, console or none");
                continue;
            }
        };
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    if choices.is_empty() {
        choices.push(ExporterChoice::Otlp);
    }
    choices
}

const JAEGER_VARIABLES: [&str; 2] = ["JAEGER_ENDPOINT", "OTEL_EXPORTER_JAEGER_ENDPOINT"];

fn jaeger(env: &Environment, warnings: &mut Warnings) -> ExporterChoice {
    ExporterChoice::Jaeger {
        endpoint: endpoint(env, &JAEGER_VARIABLES, JAEGER_ENDPOINT, warnings),
        timeout: timeout(env, &["OTEL_EXPORTER_JAEGER_TIMEOUT"], warnings),
    }
}

/// For one request.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

fn timeout(env: &Environment, names: &[&str], warnings: &mut Warnings) -> Duration {
    env.duration_ms(names, warnings).unwrap_or(DEFAULT_TIMEOUT)
}

fn endpoint(
    env: &Environment,
    names: &[&str],
    default: &'static str,
    warnings: &mut Warnings,
) -> Uri {
    for &name in names {
        let Some(value) = env.get(name) else { continue };
        if let Some(uri) = absolute_uri(&value) {
            return uri;
        }
        let told = without_credentials(&value);
        let expected = format!("an address like {default}");
        warnings.ignored(name, &told, &expected);
    }
    Uri::from_static(default)
}

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    HttpProtobuf,
    HttpJson,
    Grpc,
}

/// All that an OTLP exporter is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtlpSettings {
    pub(crate) protocol: Protocol,
    /// Whole, with its path.
    pub(crate) endpoint: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) gzip: bool,
    pub(crate) timeout: Duration,
    pub(crate) tls: TlsFiles,
}

/// Certificates in PEM files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Whom to trust instead of the machine's roots.
    pub(crate) certificate: Option<PathBuf>,
    /// Who the service is.
    pub(crate) identity: Option<Identity>,
}

/// What a collector is told of who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    Whole {
        certificate: PathBuf,
        key: PathBuf,
    },
    /// One of both without the other, by the names of their variables.
    Half {
        named: String,
        missing: String,
    },
}

fn identity(env: &Environment) -> Option<Identity> {
    let (certificate, key) = ("CLIENT_CERTIFICATE", "CLIENT_KEY");
    let half = |(named, _): (String, _), this, other| Identity::Half {
        missing: named.replace(this, other),
        named,
    };
    match (setting(env, certificate), setting(env, key)) {
        (None, None) => None,
        (Some((_, certificate)), Some((_, key))) => Some(Identity::Whole {
            certificate: certificate.into(),
            key: key.into(),
        }),
        (Some(set), None) => Some(half(set, certificate, key)),
        (None, Some(set)) => Some(half(set, key, certificate)),
    }
}

/// `OTEL_EXPORTER_OTLP_…`; a variable with `TRACES` in its name goes before the general one.
pub(crate) fn otlp(
    env: &Environment,
    protocol_in_code: Option<Protocol>,
    endpoint_in_code: Option<Uri>,
    warnings: &mut Warnings,
) -> OtlpSettings {
    let protocol = protocol_in_code.unwrap_or_else(|| protocol(env, warnings));
    let endpoint = match endpoint_in_code {
        Some(base) => with_signal_path(&base, protocol),
        None => otlp_endpoint(env, protocol, warnings),
    };
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = setting(env, "HEADERS") {
        headers = header_list(&value).unwrap_or_else(|bad| {
            // The value is not told: it holds credentials.
            warnings.add(format!(
                "the header number {bad} in {name} is ignored: name=value with percent-encoding is expected"
            ));
            header_list_without_bad(&value)
        });
    }
    let gzip = env
        .first_read(
            &names("COMPRESSION").each_ref().map(String::as_str),
            "gzip or none",
            warnings,
            |value| match value {
                "gzip" => Some(true),
                "none" => Some(false),
                _ => None,
            },
        )
        .unwrap_or(false);
    let timeout = timeout(
        env,
        &names("TIMEOUT").each_ref().map(String::as_str),
        warnings,
    );
    OtlpSettings {
        protocol,
        endpoint,
        headers,
        gzip,
        timeout,
        tls: TlsFiles {
            certificate: setting(env, "CERTIFICATE").map(|(_, path)| path.into()),
            identity: identity(env),
        },
    }
}

fn setting(env: &Environment, suffix: &str) -> Option<(String, String)> {
    let names = names(suffix);
    let (name, value) = env.first(&names.each_ref().map(String::as_str))?;
    Some((name.to_owned(), value))
}

/// The variable of traces, which goes before the general one.
fn names(suffix: &str) -> [String; 2] {
    [
        format!("OTEL_EXPORTER_OTLP_TRACES_{suffix}"),
        format!("OTEL_EXPORTER_OTLP_{suffix}"),
    ]
}

fn protocol(env: &Environment, warnings: &mut Warnings) -> Protocol {
    env.first_read(
        &names("PROTOCOL").each_ref().map(String::as_str),
        "http/protobuf, http/json or grpc",
        warnings,
        |value| match value {
            "http/protobuf" => Some(Protocol::HttpProtobuf),
            "http/json" => Some(Protocol::HttpJson),
            "grpc" => Some(Protocol::Grpc),
            _ => None,
        },
    )
    .unwrap_or(Protocol::HttpProtobuf)
}

fn otlp_endpoint(env: &Environment, protocol: Protocol, warnings: &mut Warnings) -> Uri {
    let is_insecure = env
        .first(&[
            "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
            "OTEL_EXPORTER_OTLP_INSECURE",
        ])
        .is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
    let mut parse = |name: &str, value: &str| {
        // Only gRPC may leave out the scheme, and then the variable INSECURE says it.
        let with_scheme = if protocol == Protocol::Grpc && !value.contains("://") {
            let scheme = if is_insecure { "http" } else { "https" };
            format!("{scheme}://{value}")
        } else {
            value.to_owned()
        };
        let uri = absolute_uri(&with_scheme);
        if uri.is_none() {
            let told = without_credentials(value);
            warnings.ignored(name, &told, "an address like http://localhost:4318");
        }
        uri
    };
    let of_traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    if let Some(uri) = env
        .get(of_traces)
        .and_then(|value| parse(of_traces, &value))
    {
        return match protocol {
            Protocol::Grpc => with_signal_path(&uri, protocol),
            // Used as it is: the specification says so.
            Protocol::HttpProtobuf | Protocol::HttpJson => uri,
        };
    }
    let general = "OTEL_EXPORTER_OTLP_ENDPOINT";
    if let Some(uri) = env.get(general).and_then(|value| parse(general, &value)) {
        let path = uri.path().trim_end_matches('/');
        return match protocol {
            Protocol::Grpc => with_signal_path(&uri, protocol),
            Protocol::HttpProtobuf | Protocol::HttpJson => {
                with_path(&uri, &format!("{path}/v1/traces"))
            }
        };
    }
    Uri::from_static(match protocol {
        Protocol::Grpc => {
            "http://localhost:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        }
        Protocol::HttpProtobuf | Protocol::HttpJson => "http://localhost:4318/v1/traces",
    })
}

const GRPC_METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// An address in code: without a path it is the collector's, with one it is taken as it is.
fn with_signal_path(uri: &Uri, protocol: Protocol) -> Uri {
    match protocol {
        Protocol::Grpc => with_path(uri, GRPC_METHOD),
        Protocol::HttpProtobuf | Protocol::HttpJson if uri.path() == "/" => {
            with_path(uri, "/v1/traces")
        }
        Protocol::HttpProtobuf | Protocol::HttpJson => uri.clone(),
    }
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = path.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

/// An address with scheme and host, or nothing.
pub(crate) fn absolute_uri(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// An address as it may be told: without a user and password, and without its query.
pub(crate) fn without_credentials(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let authority_len = rest.find('/').unwrap_or(rest.len());
    match rest[..authority_len].rfind('@') {
        Some(at) => format!("{scheme}REDACTED{}", &rest[at..]),
        None => format!("{scheme}{rest}"),
    }
}

/// `name=value,name=value` with percent-encoding. The error is the number of the first pair that is not one, from 1.
pub(crate) fn header_list(text: &str) -> Result<HeaderMap, usize> {
    let mut headers = HeaderMap::new();
    for (index, pair) in text.split(',').enumerate() {
        if !pair.trim().is_empty() {
            let (name, value) = header(pair).ok_or(index + 1)?;
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn header_list_without_bad(text: &str) -> HeaderMap {
    text.split(',').filter_map(header).collect()
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let name = percent_decoded(name.trim())?.parse().ok()?;
    let mut value = HeaderValue::from_str(&percent_decoded(value.trim())?).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(env: &[(&str, &str)]) -> (Vec<ExporterChoice>, Vec<String>) {
        let mut warnings = Warnings::default();
        let choices = choose(&Environment::of(env.iter().copied()), &mut warnings);
        (choices, warnings.into_vec())
    }

    fn otlp_of(env: &[(&str, &str)]) -> (OtlpSettings, Vec<String>) {
        let mut warnings = Warnings::default();
        let env = Environment::of(env.iter().copied());
        let settings = otlp(&env, None, None, &mut warnings);
        (settings, warnings.into_vec())
    }

    #[test]
    fn the_exporter_is_chosen_in_the_documented_order() {
        use ExporterChoice::{Console, Jaeger, Otlp};
        let jaeger = |endpoint| Jaeger {
            endpoint: Uri::from_static(endpoint),
            timeout: DEFAULT_TIMEOUT,
        };
        assert_eq!(chosen(&[]).0, [Otlp]);
        let document = ("JAEGER_ENDPOINT", "http://j:1/api/traces");
        assert_eq!(chosen(&[document]).0, [jaeger("http://j:1/api/traces")]);
        assert_eq!(
            chosen(&[("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://k:1/x")]).0,
            [jaeger("http://k:1/x")]
        );
        assert_eq!(
            chosen(&[document, ("OTEL_TRACES_EXPORTER", "otlp,console")]).0,
            [Otlp, Console]
        );
        assert_eq!(
            chosen(&[("OTEL_TRACES_EXPORTER", "jaeger")]).0,
            [jaeger(JAEGER_ENDPOINT)]
        );
        assert_eq!(chosen(&[("OTEL_TRACES_EXPORTER", "none")]).0, []);
        let (choices, warnings) = chosen(&[("OTEL_TRACES_EXPORTER", "prometheus")]);
        assert_eq!(choices, [Otlp]);
        assert_eq!(
            warnings,
            [
                "OTEL_TRACES_EXPORTER=prometheus is ignored: otlp, jaeger, zipkin, console or none is expected"
            ]
        );
    }

    #[test]
    fn an_address_that_is_none_is_told_and_the_default_holds() {
        let (choices, warnings) = chosen(&[("JAEGER_ENDPOINT", "localhost")]);
        assert_eq!(
            choices,
            [ExporterChoice::Jaeger {
                endpoint: Uri::from_static(JAEGER_ENDPOINT),
                timeout: DEFAULT_TIMEOUT,
            }]
        );
        assert_eq!(warnings.len(), 1);
        let (settings, warnings) = otlp_of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]);
        assert_eq!(settings.endpoint, "http://localhost:4318/v1/traces");
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn a_value_that_cannot_be_read_leaves_the_word_to_the_next_variable() {
        let (choices, warnings) = chosen(&[
            ("JAEGER_ENDPOINT", "localhost"),
            ("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://k:1/x"),
        ]);
        let expected = ExporterChoice::Jaeger {
            endpoint: Uri::from_static("http://k:1/x"),
            timeout: DEFAULT_TIMEOUT,
        };
        assert_eq!((choices, warnings.len()), (vec![expected], 1));
        let (settings, warnings) = otlp_of(&[
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "7"),
        ]);
        assert_eq!(settings.protocol, Protocol::HttpJson);
        assert!(settings.gzip);
        assert_eq!(settings.timeout, Duration::from_millis(7));
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[test]
    fn jaeger_and_zipkin_have_timeouts_of_their_own() {
        let (choices, warnings) = chosen(&[
            ("OTEL_TRACES_EXPORTER", "jaeger,zipkin"),
            ("OTEL_EXPORTER_JAEGER_TIMEOUT", "5"),
            ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "6"),
        ]);
        let expected = [
            ExporterChoice::Jaeger {
                endpoint: Uri::from_static(JAEGER_ENDPOINT),
                timeout: Duration::from_millis(5),
            },
            ExporterChoice::Zipkin {
                endpoint: Uri::from_static(ZIPKIN_ENDPOINT),
                timeout: Duration::from_millis(6),
            },
        ];
        assert_eq!(choices, expected);
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn an_otlp_address_gets_its_path_as_the_specification_says() {
        let cases = [
            (vec![], "http://localhost:4318/v1/traces"),
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")],
                "http://c:4318/v1/traces",
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/otlp/")],
                "http://c:4318/otlp/v1/traces",
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/spans"),
                ],
                "http://t:1/spans",
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "http://localhost:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317"),
                    ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
                ],
                "http://c:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            ),
        ];
        for (env, expected) in cases {
            let (settings, warnings) = otlp_of(&env);
            assert_eq!(settings.endpoint, expected, "{env:?}");
            assert_eq!(warnings, [""; 0]);
        }
    }

    #[test]
    fn headers_are_decoded_and_their_values_never_told() {
        let (settings, warnings) = otlp_of(&[(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20secret,x-team=shop",
        )]);
        assert_eq!(settings.headers["authorization"], "Bearer secret");
        assert_eq!(settings.headers["x-team"], "shop");
        assert_eq!(warnings, [""; 0]);
        assert!(!format!("{settings:?}").contains("secret"));

        let (settings, warnings) = otlp_of(&[("OTEL_EXPORTER_OTLP_HEADERS", "secret,x-team=shop")]);
        assert_eq!(settings.headers["x-team"], "shop");
        assert_eq!(
            warnings,
            [
                "the header number 1 in OTEL_EXPORTER_OTLP_HEADERS is ignored: name=value with percent-encoding is expected"
            ]
        );
    }

    #[test]
    fn what_is_said_of_traces_goes_before_what_is_said_of_all() {
        let (settings, _) = otlp_of(&[
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "a.pem"),
        ]);
        assert!(!settings.gzip);
        assert_eq!(settings.timeout, Duration::from_millis(2));
        assert_eq!(settings.tls.certificate, Some(PathBuf::from("a.pem")));
    }
}
