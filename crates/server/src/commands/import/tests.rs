//! What is in a file is told by its content, and is cut into requests without changing a span.

use std::io::Write;

use backtrail_wire::otlp::TracesData;
use backtrail_wire::protobuf::{put_bytes, put_message, put_str};

use super::input::{Document, Documents, InputError, Source};
use super::split::for_each_request;
use super::*;

fn read(bytes: &[u8], format: Option<Format>) -> Result<Vec<Document>, InputError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source::open(&Host::real(), file.path())?;
    Documents::new(source, format)?.collect()
}

fn formats(bytes: &[u8]) -> Vec<Format> {
    let documents = read(bytes, None).unwrap();
    documents.iter().map(|document| document.format).collect()
}

fn span(name: &str) -> Vec<u8> {
    let mut span = Vec::new();
    put_bytes(&mut span, 1, &[1; 16]);
    put_bytes(&mut span, 2, &[2; 8]);
    put_str(&mut span, 5, name);
    span
}

/// Resources of scopes of spans, each by its name.
fn traces(resources: &[&[&[&str]]]) -> Vec<u8> {
    let mut out = Vec::new();
    for (resource, scopes) in resources.iter().enumerate() {
        put_message(&mut out, 1, |out| {
            put_str(out, 3, &format!("resource {resource}"));
            for (scope, spans) in scopes.iter().enumerate() {
                put_message(out, 2, |out| {
                    put_str(out, 3, &format!("scope {scope}"));
                    for name in *spans {
                        put_bytes(out, 2, &span(name));
                    }
                });
            }
        });
    }
    out
}

/// Each span with its resource, its scope and its bytes.
fn told(traces: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let mut all = Vec::new();
    for resource_spans in TracesData::new(traces).resource_spans() {
        let resource_spans = resource_spans.unwrap();
        for scope_spans in resource_spans.scope_spans() {
            let scope_spans = scope_spans.unwrap();
            for span in scope_spans.raw_spans() {
                let resource = resource_spans.schema_url().unwrap().to_owned();
                let scope = scope_spans.schema_url().unwrap().to_owned();
                all.push((resource, scope, span.unwrap().to_vec()));
            }
        }
    }
    all
}

#[test]
fn the_format_is_told_by_the_content() {
    use Format::{JaegerJson, OtlpJson, OtlpProtobuf, ZipkinJson};
    for (text, expected) in [
        ("", &[][..]),
        (
            "\n {\"resourceSpans\":[]}\n{\"resource_spans\":[]}\n",
            &[OtlpJson, OtlpJson],
        ),
        ("\u{feff}{\"resourceMetrics\":[]}", &[OtlpJson]),
        ("{}", &[OtlpJson]),
        ("{\"data\":[],\"total\":0}", &[JaegerJson]),
        (
            "{\"traceID\":\"1\",\"spans\":[],\"processes\":{}}",
            &[JaegerJson],
        ),
        ("[{\"traceID\":\"1\",\"spans\":[]}]", &[JaegerJson]),
        ("[]", &[ZipkinJson]),
        ("[[],[{\"traceId\":\"1\",\"id\":\"2\"}]]", &[ZipkinJson]),
        ("[{\"traceId\":\"1\",\"id\":\"2\"}]", &[ZipkinJson]),
        ("{\"traceId\":\"1\",\"id\":\"2\"}", &[ZipkinJson]),
    ] {
        assert_eq!(formats(text.as_bytes()), expected, "{text}");
    }
    assert_eq!(formats(&traces(&[&[&["a"]], &[&["b"]]])), [OtlpProtobuf; 2]);
    let unknown = read(b"{\"a\":1}", None).unwrap_err();
    assert!(unknown.to_string().contains("--format"), "{unknown}");
    assert_eq!(read(b"{\"a\":1}", Some(OtlpJson)).unwrap().len(), 1);
}

#[test]
fn lists_of_lists_become_a_list() {
    let [document] = &read(
        b"[[{\"traceId\":\"1\",\"id\":\"2\"}],[{\"traceId\":\"2\",\"id\":\"3\"},{}]]",
        None,
    )
    .unwrap()[..] else {
        panic!("one document");
    };
    assert_eq!(
        document.bytes,
        b"[{\"traceId\":\"1\",\"id\":\"2\"},{\"traceId\":\"2\",\"id\":\"3\"},{}]"
    );
}

#[test]
fn packed_files_and_frames_are_read() {
    let text = b"{\"resourceSpans\":[]}\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    // Two members one behind the other, as appending to a packed file makes them.
    let gzip = gzip.finish().unwrap().repeat(2);
    assert_eq!(formats(&gzip), [Format::OtlpJson; 2]);
    assert_eq!(
        formats(&zstd::encode_all(&text[..], 1).unwrap()),
        [Format::OtlpJson]
    );

    let message = traces(&[&[&["a"]], &[&["b"]]]);
    let mut framed = Vec::new();
    for _ in 0..3 {
        framed.extend((message.len() as u32).to_be_bytes());
        framed.extend(&message);
    }
    let documents = read(&framed, None).unwrap();
    assert!(documents.iter().all(|document| document.bytes == message));
    assert_eq!(documents.len(), 3);
}

#[test]
fn what_breaks_off_is_an_error_after_what_was_whole() {
    let message = traces(&[&[&["a"]]]);
    for (bytes, expected) in [
        (&b"{\"resourceSpans\":[]}\n{\"resou"[..], "document 2: EOF"),
        (&[&message[..], &message[..9]].concat(), "document 2 ends"),
        (b"\x12\x01\x01", "does not begin as OTLP protobuf does"),
        (b"hello", "nor as JSON, with { or ["),
        (b"\x00\x00\x00\x09ab", "ends 7 bytes early"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x01", "of at most"),
    ] {
        let error = read(bytes, None).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn requests_are_within_the_bound_and_change_no_span() {
    let names: Vec<String> = (0..50)
        .map(|number| format!("{number:0>width$}", width = 1 + number % 7))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let whole = traces(&[&[&names[..20], &[], &names[20..21]], &[], &[&names[21..]]]);
    for max_bytes in [1, 60, 200, 1000, 1 << 20] {
        let mut sent = Vec::new();
        let mut spans = 0;
        for_each_request(&whole, max_bytes, &mut |request| {
            assert!(request.spans == 1 || request.body.len() <= max_bytes + 30);
            assert_eq!(told(&request.body).len() as u64, request.spans);
            spans += request.spans;
            sent.extend(told(&request.body));
            Ok(())
        })
        .unwrap();
        assert_eq!(sent, told(&whole), "{max_bytes}");
        assert_eq!(spans, 50);
    }
}
