use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::collector::Collector;
use crate::{described, export, reason, system};

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

pub(crate) fn acceptor(certified: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

fn file(directory: &TempDir, content: &str) -> PathBuf {
    let path = directory.path().join("certificate.pem");
    fs::write(&path, content).unwrap();
    path
}

fn variables<'a>(endpoint: &'a str, path: &'a Path, protocol: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", path.to_str().unwrap()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
    ]
}

#[test]
fn a_collector_whose_certificate_was_named_is_trusted() {
    let certified = certificate();
    let collector = Collector::start_with_tls(acceptor(&certified));
    let endpoint = format!("https://localhost:{}", collector.address.port());
    let directory = TempDir::new().unwrap();
    let path = file(&directory, &certified.cert.pem());
    for protocol in ["http/protobuf", "grpc"] {
        let tracing = system(&variables(&endpoint, &path, protocol));
        assert_eq!(export(&tracing), Ok(()), "{protocol}");
        collector.next();
    }
}

#[test]
fn a_collector_with_another_certificate_gets_nothing_and_the_reason_is_told() {
    let collector = Collector::start_with_tls(acceptor(&certificate()));
    let endpoint = format!("https://localhost:{}", collector.address.port());
    let directory = TempDir::new().unwrap();
    let path = file(&directory, &certificate().cert.pem());
    let mut variables = variables(&endpoint, &path, "http/protobuf").to_vec();
    variables.push(("OTEL_BSP_EXPORT_TIMEOUT", "300"));
    let reason = reason(export(&system(&variables)));
    assert!(reason.contains("certificate"), "{reason}");
    assert!(collector.try_next().is_none());
}

#[test]
fn a_certificate_that_can_not_be_read_is_told_and_the_service_runs() {
    let directory = TempDir::new().unwrap();
    let absent = directory.path().join("absent.pem");
    let garbage = file(&directory, "no certificate");
    for path in [absent, garbage] {
        let variables = variables("https://localhost:1", &path, "http/protobuf");
        let tracing = system(&variables);
        let warnings = tracing.warnings().join("\n");
        assert!(warnings.contains(path.to_str().unwrap()), "{warnings}");
        assert!(tracing.is_enabled());
        assert_eq!(export(&tracing), Ok(()));

        // What code asks for must be there.
        let in_code = described(&variables).exporter(backtrail::Exporter::otlp());
        in_code.initialize().unwrap_err();
    }
}

#[test]
fn a_client_certificate_without_its_key_is_told_by_the_name_of_the_variable() {
    let path = Path::new("client.pem");
    for (named, missing) in [
        ("CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        ("CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        (
            "TRACES_CLIENT_KEY",
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        ),
    ] {
        let named = format!("OTEL_EXPORTER_OTLP_{named}");
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:1"),
            (named.as_str(), path.to_str().unwrap()),
        ];
        let expected = format!("{named} is set and {missing} is not: a client needs both");
        let warnings = system(&variables).warnings().join("\n");
        assert!(warnings.contains(&expected), "{warnings}");

        let in_code = described(&variables).exporter(backtrail::Exporter::otlp());
        let error = in_code.initialize().unwrap_err();
        assert!(format!("{error:?} {error}").contains(missing), "{error}");
    }
}
