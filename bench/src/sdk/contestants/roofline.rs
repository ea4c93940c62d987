//! What no SDK can avoid: two readings of the clock, 24 random bytes and a copy of the attributes
//! for each span, and writing bytes to a socket for each batch.
//!
//! The span is encoded once, before anything is measured; then only ids and times change.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::Contestant;
use crate::random::Random;
use crate::sdk::request::{METHOD, NAME, PROTOCOL_VERSION, ROUTE, Request, SCHEME};
use crate::sdk::task::{Mode, Task};

const TRACE_ID: [u8; 16] = [0xa1; 16];
const SPAN_ID: [u8; 8] = [0xb2; 8];
const START: [u8; 8] = [0xc3; 8];
const END: [u8; 8] = [0xd4; 8];

pub(in crate::sdk) struct Roofline {
    records: bool,
    template: Template,
    batch_spans: usize,
    connection: Mutex<BufReader<TcpStream>>,
    head: String,
}

/// An encoded span with its key and length, and where in it the bytes are that change.
struct Template {
    bytes: Vec<u8>,
    trace_id: usize,
    span_id: usize,
    start: usize,
    end: usize,
}

struct Buffer {
    random: Random,
    bytes: Vec<u8>,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const {
        RefCell::new(Buffer { random: Random::new(7), bytes: Vec::new() })
    };
}

impl Contestant for Roofline {
    fn start(task: &Task) -> Result<Self> {
        let connection = TcpStream::connect(("127.0.0.1", task.sink_port))?;
        connection.set_nodelay(true)?;
        Ok(Self {
            records: task.mode == Mode::Record,
            template: Template::new(&Request::new())?,
            batch_spans: task.pipeline.batch_spans,
            connection: Mutex::new(BufReader::new(connection)),
            head: format!(
                "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: application/x-protobuf\r\n",
                task.sink_port
            ),
        })
    }

    #[inline]
    fn span(&self, _request: &Request) {
        if !self.records {
            return;
        }
        let start = SystemTime::now();
        BUFFER.with_borrow_mut(|buffer| self.template.put(buffer, start));
    }

    fn flush(&self, _created: u64, _until: Instant) {
        BUFFER.with_borrow_mut(|buffer| {
            let batch_bytes = self.template.bytes.len() * self.batch_spans;
            for batch in buffer.bytes.chunks(batch_bytes) {
                if let Err(error) = self.send(batch) {
                    eprintln!("cannot send to the sink: {error:#}");
                }
            }
            buffer.bytes.clear();
        });
    }

    fn finish(self, _timeout: Duration) -> Option<u64> {
        None
    }
}

impl Roofline {
    fn send(&self, spans: &[u8]) -> Result<()> {
        // `ResourceSpans.scope_spans` around the spans, and `resource_spans` around that.
        let mut scope = Vec::new();
        encode_key(2, WireType::LengthDelimited, &mut scope);
        encode_varint(spans.len() as u64, &mut scope);
        let mut outer = Vec::new();
        encode_key(1, WireType::LengthDelimited, &mut outer);
        encode_varint((scope.len() + spans.len()) as u64, &mut outer);
        let len = outer.len() + scope.len() + spans.len();
        let head = format!("{}content-length: {len}\r\n\r\n", self.head);

        let mut connection = self
            .connection
            .lock()
            .ok()
            .context("a thread has panicked")?;
        let start = [head.as_bytes(), &outer, &scope].concat();
        connection.get_mut().write_all(&start)?;
        connection.get_mut().write_all(spans)?;
        let mut line = String::new();
        while connection.read_line(&mut line)? > 2 {
            if line.starts_with("HTTP/") && !line.contains(" 200 ") {
                bail!("the sink says {line:?}");
            }
            line.clear();
        }
        Ok(())
    }
}

impl Template {
    fn new(request: &Request) -> Result<Self> {
        let text = |key: &str, value: &str| attribute(key, Value::StringValue(value.to_owned()));
        let number = |key: &str, value| attribute(key, Value::IntValue(value));
        let span = Span {
            trace_id: TRACE_ID.to_vec(),
            span_id: SPAN_ID.to_vec(),
            name: NAME.to_owned(),
            kind: SpanKind::Server as i32,
            start_time_unix_nano: u64::from_le_bytes(START),
            end_time_unix_nano: u64::from_le_bytes(END),
            attributes: vec![
                text("http.request.method", METHOD),
                text("url.path", &request.path),
                text("url.scheme", SCHEME),
                text("http.route", ROUTE),
                text("server.address", &request.host),
                number("server.port", request.port),
                text("user_agent.original", &request.user_agent),
                text("network.protocol.version", PROTOCOL_VERSION),
                number("http.response.status_code", request.status),
            ],
            ..Span::default()
        };
        let mut bytes = Vec::new();
        encode_key(2, WireType::LengthDelimited, &mut bytes);
        encode_varint(span.encoded_len() as u64, &mut bytes);
        span.encode(&mut bytes)?;
        let place = |mark: &[u8]| {
            let found = bytes.windows(mark.len()).position(|window| window == mark);
            found.context("an encoded span lacks one of its fields")
        };
        Ok(Self {
            trace_id: place(&TRACE_ID)?,
            span_id: place(&SPAN_ID)?,
            start: place(&START)?,
            end: place(&END)?,
            bytes,
        })
    }

    #[inline]
    fn put(&self, buffer: &mut Buffer, start: SystemTime) {
        let at = buffer.bytes.len();
        buffer.bytes.extend_from_slice(&self.bytes);
        let Buffer { random, bytes } = buffer;
        let mut set = |offset: usize, value: u64| {
            bytes[at + offset..at + offset + 8].copy_from_slice(&value.to_le_bytes());
        };
        set(self.trace_id, random.next_u64());
        set(self.trace_id + 8, random.next_u64());
        set(self.span_id, random.next_u64());
        set(self.start, unix_ns(start));
        set(self.end, unix_ns(SystemTime::now()));
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn unix_ns(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}
