//! Zipkin's spans of version 1: what was annotated becomes spans of version 2, whether it came in JSON or in Thrift.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use backtrail_wire::zipkin::from_otlp;
use codec::{Encoding, RejectReason, decode};
use model::Limits;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

fn read_back(encoding: Encoding, body: Vec<u8>) -> Vec<Value> {
    let decoded = decode(encoding, body.into(), &Limits::default(), 1_000_000_000).unwrap();
    assert!(decoded.rejected.is_empty(), "{}", decoded.rejected);
    let kept = decoded.batch.to_otlp().unwrap();
    serde_json::from_slice(&from_otlp(&kept).unwrap()).unwrap()
}

fn converted(span: &Value) -> Vec<Value> {
    read_back(Encoding::ZipkinJsonV1, json!([span]).to_string().into())
}

fn endpoint(service_name: &str) -> Value {
    json!({ "serviceName": service_name, "ipv4": "192.0.2.1", "port": 8080 })
}

fn annotation(timestamp: u64, value: &str, service_name: &str) -> Value {
    json!({ "timestamp": timestamp, "value": value, "endpoint": endpoint(service_name) })
}

fn address(key: &str, service_name: &str) -> Value {
    json!({ "key": key, "value": true, "endpoint": endpoint(service_name) })
}

#[test]
fn a_span_with_both_halves_of_a_call_becomes_two() {
    let spans = converted(&json!({
        "traceId": "1", "id": "2", "parentId": "1", "name": "get", "timestamp": 100, "duration": 50,
        "annotations": [
            annotation(100, "cs", "web"), annotation(110, "sr", "shop"), annotation(120, "looked up", "shop"),
            annotation(140, "ss", "shop"), annotation(150, "cr", "web"),
        ],
        "binaryAnnotations": [
            { "key": "http.path", "value": "/a", "endpoint": endpoint("web") },
            { "key": "http.route", "value": "/{id}", "endpoint": endpoint("shop") },
            address("sa", "shop"), address("ca", "web"),
        ],
        "debug": true,
    }));
    let client = json!({
        "traceId": "0000000000000001", "parentId": "0000000000000001", "id": "0000000000000002", "kind": "CLIENT", "name": "get",
        "timestamp": 100, "duration": 50, "localEndpoint": endpoint("web"), "remoteEndpoint": endpoint("shop"),
        "tags": { "http.path": "/a" }, "debug": true,
    });
    let server = json!({
        "traceId": "0000000000000001", "parentId": "0000000000000001", "id": "0000000000000002", "kind": "SERVER", "name": "get",
        "timestamp": 110, "duration": 30, "localEndpoint": endpoint("shop"), "remoteEndpoint": endpoint("web"),
        "annotations": [{ "timestamp": 120, "value": "looked up" }],
        "tags": { "http.route": "/{id}" }, "debug": true, "shared": true,
    });
    assert_eq!(spans, [client, server]);
}

#[test]
fn a_service_that_calls_itself_has_two_spans() {
    let spans = converted(&json!({
        "traceId": "1", "id": "2", "name": "get",
        "annotations": [
            annotation(100, "cs", "shop"), annotation(110, "sr", "shop"),
            annotation(140, "ss", "shop"), annotation(150, "cr", "shop"),
        ],
    }));
    let of = |span: &Value| {
        (
            span["kind"].clone(),
            span["timestamp"].clone(),
            span["duration"].clone(),
        )
    };
    assert_eq!(of(&spans[0]), (json!("CLIENT"), json!(100), json!(50)));
    assert_eq!(of(&spans[1]), (json!("SERVER"), json!(110), json!(30)));
    assert_eq!(spans[1]["shared"], json!(true));
}

#[test]
fn halves_and_messages_have_the_times_that_are_known() {
    let times = |annotations: &[Value]| {
        let spans = converted(&json!({ "traceId": "1", "id": "2", "annotations": annotations }));
        assert_eq!(spans.len(), 1);
        let span = &spans[0];
        let values: Vec<Value> = span["annotations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|a| a["value"].clone())
            .collect();
        json!([
            span["kind"],
            span["timestamp"],
            span["duration"],
            values,
            span["shared"]
        ])
    };
    let at = |timestamp, value| annotation(timestamp, value, "shop");
    for (annotations, expected) in [
        (
            vec![at(10, "cs"), at(30, "cr")],
            json!(["CLIENT", 10, 20, [], null]),
        ),
        (
            vec![at(10, "sr"), at(30, "ss")],
            json!(["SERVER", 10, 20, [], true]),
        ),
        (vec![at(10, "cs")], json!(["CLIENT", 10, null, [], null])),
        (
            vec![at(30, "cr")],
            json!(["CLIENT", null, null, ["cr"], null]),
        ),
        (
            vec![at(30, "ss")],
            json!(["SERVER", null, null, ["ss"], null]),
        ),
        (
            vec![at(10, "ms"), at(15, "ws")],
            json!(["PRODUCER", 10, 5, [], null]),
        ),
        (
            vec![at(10, "wr"), at(15, "mr")],
            json!(["CONSUMER", 10, 5, [], null]),
        ),
        (
            vec![at(10, "ms"), at(15, "wr")],
            json!(["PRODUCER", 10, null, ["wr"], null]),
        ),
        (
            vec![at(10, "ws"), at(15, "wr")],
            json!([null, null, null, ["ws", "wr"], null]),
        ),
        // A clock that went back gives no duration.
        (
            vec![at(30, "cs"), at(10, "cr")],
            json!(["CLIENT", 30, null, [], null]),
        ),
        // Without an endpoint nobody did it.
        (
            vec![json!({ "timestamp": 1, "value": "cs" })],
            json!([null, null, null, ["cs"], null]),
        ),
    ] {
        assert_eq!(times(&annotations), expected, "{annotations:?}");
    }
}

#[test]
fn addresses_name_the_other_side() {
    let of = |binary_annotations: &[Value]| {
        let spans = converted(
            &json!({ "traceId": "1", "id": "2", "binaryAnnotations": binary_annotations }),
        );
        assert_eq!(spans.len(), 1);
        json!([
            spans[0]["kind"],
            spans[0]["localEndpoint"]["serviceName"],
            spans[0]["remoteEndpoint"]["serviceName"],
            spans[0]["tags"]
        ])
    };
    let local = json!({ "key": "lc", "value": "", "endpoint": endpoint("shop") });
    for (binary_annotations, expected) in [
        (
            vec![local.clone(), address("sa", "db")],
            json!([null, "shop", "db", null]),
        ),
        (
            vec![local.clone(), address("ca", "web")],
            json!(["SERVER", "shop", "web", null]),
        ),
        (
            vec![address("ca", "web"), address("sa", "shop")],
            json!([null, "web", "shop", null]),
        ),
        (
            vec![local, json!({ "key": "sa", "value": "text" })],
            json!([null, "shop", null, { "sa": "text" }]),
        ),
    ] {
        assert_eq!(of(&binary_annotations), expected, "{binary_annotations:?}");
    }
}

#[test]
fn values_in_thrift_have_types() {
    let values: [(i32, &[u8], &str); 9] = [
        (0, &[0], "false"),
        (0, &[1], "true"),
        (1, &[0xff], "/w=="),
        (2, &[0xff, 0xfe], "-2"),
        (3, &[0, 0, 1, 0], "256"),
        (4, &[0, 0, 0, 0, 0, 0, 0, 7], "7"),
        (5, &[0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5"),
        (6, "ü".as_bytes(), "ü"),
        (3, &[1], "AQ=="),
    ];
    for (kind, bytes, expected) in values {
        let mut out = Thrift::list(1);
        out.int(1, 1).int(4, 2).begin_list(8, 1);
        out.text(1, b"key")
            .text(2, bytes)
            .int32(3, kind)
            .end()
            .end();
        let spans = read_back(Encoding::ZipkinThrift, out.0);
        assert_eq!(spans[0]["tags"]["key"], expected, "type {kind}");
    }
}

#[test]
fn what_is_wrong_with_a_span_is_said_of_it_alone() {
    let mut out = Thrift::list(3);
    out.int(1, 1).int(4, 2).text(3, b"\xff").end();
    out.int(1, 1).int(4, 2).end();
    out.int(1, 1)
        .int(4, 3)
        .begin_list(6, 1)
        .int(1, 5)
        .text(2, b"\xff")
        .end()
        .end();
    let decoded = decode(Encoding::ZipkinThrift, out.0.into(), &Limits::default(), 0).unwrap();
    assert_eq!((decoded.received, decoded.batch.len()), (3, 1));
    assert_eq!(
        decoded.rejected.examples(),
        [
            "[0].name: the name is not valid UTF-8",
            "[2].annotations[0]: the value is not valid UTF-8"
        ]
    );

    let annotations: Vec<Value> = (0..9)
        .map(|n| annotation(n + 1, "a", &format!("service {n}")))
        .collect();
    let body = json!([{ "traceId": "1", "id": "2", "annotations": annotations }]).to_string();
    let decoded = decode(Encoding::ZipkinJsonV1, body.into(), &Limits::default(), 0).unwrap();
    assert_eq!(
        decoded.rejected.by_reason().collect::<Vec<_>>(),
        [(RejectReason::TooLarge, 1)]
    );
    assert_eq!(
        decoded.rejected.examples(),
        ["[0]: the span tells of more than 8 services"]
    );
}

#[test]
fn an_agent_of_jaegers_takes_the_same_list() {
    let mut list = Thrift::list(1);
    list.int(1, 1).int(4, 2).text(3, b"get").end();
    // A one-way call with version 1, its name and sequence number, and field 1: a list.
    let mut message = vec![0x80, 1, 0, 4, 0, 0, 0, 15];
    message.extend(b"emitZipkinBatch\0\0\0\x01\x0f\0\x01");
    message.extend(&list.0);
    message.push(0);
    let spans = read_back(Encoding::JaegerAgentMessage, message);
    assert_eq!(spans, read_back(Encoding::ZipkinThrift, list.0));
    assert_eq!(spans[0]["name"], "get");
}

/// A list of spans in Thrift's binary protocol.
struct Thrift(Vec<u8>);

impl Thrift {
    fn list(spans: usize) -> Self {
        let mut out = vec![12];
        out.extend((spans as i32).to_be_bytes());
        Self(out)
    }

    fn field(&mut self, kind: u8, number: i16) -> &mut Self {
        self.0.push(kind);
        self.0.extend(number.to_be_bytes());
        self
    }

    fn begin_list(&mut self, number: i16, len: usize) -> &mut Self {
        self.field(15, number).0.push(12);
        self.0.extend((len as i32).to_be_bytes());
        self
    }

    fn int(&mut self, number: i16, value: i64) -> &mut Self {
        self.field(10, number).0.extend(value.to_be_bytes());
        self
    }

    fn int32(&mut self, number: i16, value: i32) -> &mut Self {
        self.field(8, number).0.extend(value.to_be_bytes());
        self
    }

    fn text(&mut self, number: i16, text: &[u8]) -> &mut Self {
        self.field(11, number)
            .0
            .extend((text.len() as i32).to_be_bytes());
        self.0.extend(text);
        self
    }

    fn end(&mut self) -> &mut Self {
        self.0.push(0);
        self
    }

    fn host(&mut self, number: i16, host: &Host) -> &mut Self {
        self.field(12, number);
        if host.ipv4 != 0 {
            self.int32(1, host.ipv4 as i32);
        }
        self.field(6, 2).0.extend(host.port.to_be_bytes());
        self.text(3, host.service_name.as_bytes()).end()
    }
}

#[derive(Debug, Clone)]
struct Host {
    service_name: &'static str,
    ipv4: u32,
    port: u16,
}

impl Host {
    fn json(&self) -> Value {
        let ipv4 = (self.ipv4 != 0).then(|| std::net::Ipv4Addr::from_bits(self.ipv4).to_string());
        json!({ "serviceName": self.service_name, "ipv4": ipv4, "port": self.port })
    }
}

#[derive(Debug, Clone)]
struct Spec {
    ids: (u128, u64, u64),
    times: (u64, u64),
    name: String,
    debug: bool,
    annotations: Vec<(u64, &'static str, Option<Host>)>,
    /// The value of an address is `None`.
    binary_annotations: Vec<(&'static str, Option<&'static str>, Option<Host>)>,
}

fn spec() -> impl Strategy<Value = Spec> {
    const MICROS: u64 = 1 << 50;
    let host = || {
        let name = select(vec!["", "web", "shop", "db"]);
        let host = (
            name,
            select(vec![0, 0xc000_0201]),
            select(vec![0, 80, 65535]),
        );
        of(host.prop_map(|(service_name, ipv4, port)| Host {
            service_name,
            ipv4,
            port,
        }))
    };
    let value = select(vec![
        "cs", "cr", "sr", "ss", "ms", "mr", "ws", "wr", "error", "",
    ]);
    let key = select(vec!["ca", "sa", "ma", "lc", "error", "http.path"]);
    let text = select(vec![None, Some(""), Some("/a"), Some("true")]);
    let ids = (1..=u128::MAX, 1..=u64::MAX, any::<u64>());
    let times = (0..MICROS, select(vec![0, 5, 1 << 40]));
    let annotations = vec((1..MICROS, value, host()), 0..6);
    let binary_annotations = vec((key, text, host()), 0..6);
    (
        ids,
        times,
        "[a-z ]{0,9}",
        any::<bool>(),
        annotations,
        binary_annotations,
    )
        .prop_map(
            |(ids, times, name, debug, annotations, binary_annotations)| Spec {
                ids,
                times,
                name,
                debug,
                annotations,
                binary_annotations,
            },
        )
}

impl Spec {
    fn json(&self) -> Value {
        let annotations: Vec<Value> = self.annotations.iter().map(|(timestamp, value, host)| {
            json!({ "timestamp": timestamp, "value": value, "endpoint": host.as_ref().map(Host::json) })
        }).collect();
        let binary_annotations: Vec<Value> = self
            .binary_annotations
            .iter()
            .map(|(key, value, host)| {
                let value = value.map_or(json!(true), Value::from);
                json!({ "key": key, "value": value, "endpoint": host.as_ref().map(Host::json) })
            })
            .collect();
        json!({
            "traceId": format!("{:032x}", self.ids.0), "id": format!("{:x}", self.ids.1), "parentId": format!("{:x}", self.ids.2),
            "name": self.name, "timestamp": self.times.0, "duration": self.times.1, "debug": self.debug,
            "annotations": annotations, "binaryAnnotations": binary_annotations,
        })
    }

    fn put(&self, out: &mut Thrift) {
        out.int(1, self.ids.0 as i64)
            .int(12, (self.ids.0 >> 64) as i64);
        out.int(4, self.ids.1 as i64).int(5, self.ids.2 as i64);
        out.text(3, self.name.as_bytes())
            .begin_list(6, self.annotations.len());
        for (timestamp, value, host) in &self.annotations {
            out.int(1, *timestamp as i64).text(2, value.as_bytes());
            if let Some(host) = host {
                out.host(3, host);
            }
            out.end();
        }
        out.begin_list(8, self.binary_annotations.len());
        for (key, value, host) in &self.binary_annotations {
            out.text(1, key.as_bytes());
            match value {
                Some(value) => out.text(2, value.as_bytes()).int32(3, 6),
                None => out.text(2, &[1]).int32(3, 0),
            };
            if let Some(host) = host {
                out.host(4, host);
            }
            out.end();
        }
        out.field(2, 9).0.push(u8::from(self.debug));
        out.int(10, self.times.0 as i64)
            .int(11, self.times.1 as i64)
            .end();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn json_and_thrift_say_the_same(specs in vec(spec(), 1..4)) {
        let json: Vec<Value> = specs.iter().map(Spec::json).collect();
        let mut thrift = Thrift::list(specs.len());
        for spec in &specs {
            spec.put(&mut thrift);
        }
        let from_json = read_back(Encoding::ZipkinJsonV1, serde_json::to_vec(&json).unwrap());
        assert_eq!(read_back(Encoding::ZipkinThrift, thrift.0), from_json);
        assert!(from_json.len() >= specs.len());
    }
}
