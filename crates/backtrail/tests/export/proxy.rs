use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use backtrail::Exporter;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::collector::{Collector, PATIENCE, Reply};
use crate::{described, export, reason, system};

/// The name of no machine: only the proxy knows where it is.
const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.test:4318");
const BASIC: &str = "Basic YW5uOnNAY3JldA==";

fn with_password(address: SocketAddr) -> String {
    format!("http://ann:s%40cret@{address}")
}

#[test]
fn a_proxy_is_asked_in_the_collectors_place() {
    // What a proxy gets is what a collector gets, but for the address.
    let proxy = Collector::start();
    let url = with_password(proxy.address);
    let tracing = system(&[ENDPOINT, ("HTTP_PROXY", &url)]);
    assert_eq!(export(&tracing), Ok(()));
    let request = proxy.next();
    assert_eq!(request.authority.as_deref(), Some("collector.test:4318"));
    assert_eq!(request.path, "/v1/traces");
    assert_eq!(request.headers["host"], "collector.test:4318");
    assert_eq!(request.headers["proxy-authorization"], BASIC);
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(request.span_names(), ["checkout"]);

    let jaeger = Exporter::jaeger("http://jaeger.test/api/traces");
    let tracing = described(&[("http_proxy", &url)])
        .exporter(jaeger)
        .initialize()
        .unwrap();
    assert_eq!(export(&tracing), Ok(()));
    let request = proxy.next();
    assert_eq!(request.authority.as_deref(), Some("jaeger.test"));
    assert_eq!(request.path, "/api/traces");
}

#[test]
fn a_refusal_of_the_proxy_names_it_without_its_password() {
    let proxy = Collector::start();
    proxy.reply(Reply::status(407));
    let url = with_password(proxy.address);
    let reason = reason(export(&system(&[ENDPOINT, ("ALL_PROXY", &url)])));
    let expected = format!("through the proxy http://{}/ answered 407", proxy.address);
    assert!(
        reason.contains(&expected) && !reason.contains("cret"),
        "{reason}"
    );
}

#[test]
fn a_collector_on_this_machine_and_one_that_is_excepted_is_asked_directly() {
    let collector = Collector::start();
    let proxy = Collector::start();
    let proxy_url = proxy.url();
    let url = collector.url();
    let direct = ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str());
    let tracing = system(&[direct, ("HTTP_PROXY", &proxy_url)]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.authority, None);
    assert!(proxy.try_next().is_none());

    // It is not found, and the proxy that would know it is not asked.
    let tracing = system(&[
        ENDPOINT,
        ("HTTP_PROXY", &proxy_url),
        ("NO_PROXY", ".test"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "300"),
    ]);
    reason(export(&tracing));
    assert!(proxy.try_next().is_none());
}

#[test]
fn grpc_goes_through_a_tunnel() {
    let collector = Collector::start();
    let (proxy, asked) = tunnel_to(collector.address);
    let url = with_password(proxy);
    let tracing = system(&[
        ENDPOINT,
        ("HTTP_PROXY", &url),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.authority.as_deref(), Some("collector.test:4318"));
    assert!(!request.headers.contains_key("proxy-authorization"));
    let head = asked.recv_timeout(PATIENCE).unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("connect collector.test:4318 http/1.1\r\n"),
        "{head}"
    );
    let authorization = format!("proxy-authorization: {BASIC}\r\n").to_ascii_lowercase();
    assert!(head.contains(&authorization), "{head}");
}

#[cfg(feature = "tls")]
#[test]
fn tls_goes_through_a_tunnel_to_the_collector_whose_certificate_was_named() {
    let directory = tempfile::TempDir::new().unwrap();
    let certified = rcgen::generate_simple_self_signed(["collector.test".to_owned()]).unwrap();
    let path = directory.path().join("certificate.pem");
    std::fs::write(&path, certified.cert.pem()).unwrap();
    let collector = Collector::start_with_tls(crate::tls::acceptor(&certified));
    let (proxy, asked) = tunnel_to(collector.address);
    let url = format!("http://{proxy}");
    let tracing = system(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.test"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", path.to_str().unwrap()),
        ("HTTPS_PROXY", &url),
    ]);
    assert_eq!(export(&tracing), Ok(()));
    assert_eq!(collector.next().span_names(), ["checkout"]);
    let head = asked.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("CONNECT collector.test:443 "), "{head}");
}

/// A proxy that connects to this address, whatever it is asked for, and tells what it was asked.
fn tunnel_to(collector: SocketAddr) -> (SocketAddr, Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, asked) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let mut client = BufReader::new(listener.accept().await.unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                client.read_line(&mut head).await.unwrap();
            }
            sender.send(head).unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(collector).await.unwrap();
            // Either may close first.
            let _closed = copy_bidirectional(&mut client, &mut server).await;
        });
    });
    (address, asked)
}
