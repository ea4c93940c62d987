//! The little of gRPC that a unary call of bytes needs. Source: "gRPC over HTTP2".

use std::time::Duration;

use backtrail_wire::protobuf::Fields;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;

use super::http_sender::SendError;
use crate::config::percent_decoded;

/// A message with its prefix: one byte that says whether it is compressed, four with its length.
pub(super) fn framed(message: &[u8], is_compressed: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(5 + message.len());
    body.push(u8::from(is_compressed));
    // A batch is bounded far below 4 GiB.
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    body
}

/// The first message of a body, without its prefix. Nothing when it is compressed, which nobody asked for.
pub(super) fn message(body: &[u8]) -> Option<&[u8]> {
    let (prefix, rest) = body
        .split_at_checked(5)
        .filter(|(prefix, _)| prefix[0] == 0)?;
    let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    rest.get(..len)
}

/// `grpc-timeout`: at most eight digits and a unit.
pub(super) fn timeout(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 100_000_000 {
        format!("{millis}m")
    } else {
        format!("{}S", duration.as_secs().min(99_999_999))
    }
}

/// The status in trailers, or in the headers of a response without a body.
pub(super) fn status(trailers: &HeaderMap) -> Result<(), SendError> {
    let text = |name| trailers.get(name).and_then(|value| value.to_str().ok());
    let Some(code) = text("grpc-status") else {
        return Err(SendError::retryable(
            "the response has no grpc-status".to_owned(),
        ));
    };
    if code == "0" {
        return Ok(());
    }
    let message = text("grpc-message").unwrap_or_default();
    let message = percent_decoded(message).unwrap_or_else(|| message.to_owned());
    let name = CODES
        .iter()
        .find(|(number, ..)| *number == code)
        .map_or(code, |(_, name, _)| name);
    let pushback = text("grpc-retry-pushback-ms").map(|ms| ms.parse().ok());
    // What the retries of gRPC itself go by goes before what is said to applications.
    let retry_after = match pushback {
        Some(ms) => ms.map(Duration::from_millis),
        None => text("grpc-status-details-bin").and_then(retry_delay),
    };
    let is_too_large = retry_after.is_none() && says_too_large(code, &message);
    // A time to come back that is negative or none at all asks not to. Source: gRPC proposal A6, "Pushback".
    let is_retryable = pushback != Some(None)
        && !is_too_large
        && CODES
            .iter()
            .any(|&(number, _, is_retryable)| number == code && is_retryable);
    Err(SendError {
        message: format!("gRPC status {name}: {message}"),
        is_retryable,
        retry_after,
        is_too_large,
    })
}

/// The delay that a `google.rpc.RetryInfo` among the details of a `google.rpc.Status` asks for. Source: OTLP specification, "OTLP/gRPC
/// Throttling"; `google/rpc/status.proto`, `error_details.proto`; `google/protobuf/any.proto`, `duration.proto`.
fn retry_delay(details: &str) -> Option<Duration> {
    /// Without padding too, as gRPC has it for binary metadata.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let status = LENIENT.decode(details).ok()?;
    let delay = members(&status, 3).find_map(|detail| {
        let kind = members(detail, 1).next()?;
        let info = members(detail, 2).next()?;
        kind.ends_with(b"/google.rpc.RetryInfo")
            .then(|| members(info, 1).next())?
    })?;
    let number = |wanted| {
        let mut fields = Fields::new(delay).map_while(Result::ok);
        let field = fields.find(|field| field.number == wanted);
        field.map_or(Some(0), |field| field.varint().ok())
    };
    // A number that is negative is a very large one here: no delay, as it should be.
    let seconds = number(1)?.cast_signed().try_into().ok()?;
    let nanos = u32::try_from(number(2)?).ok()?;
    (nanos < 1_000_000_000).then_some(Duration::new(seconds, nanos))
}

/// Messages or texts of one number in a message.
fn members(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::new(message)
        .map_while(Result::ok)
        .filter(move |field| field.number == number)
        .filter_map(|field| field.bytes().ok())
}

/// gRPC has no code of its own for a message that is too large: the implementations answer one of these two, and say it in words.
fn says_too_large(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().all(|word| message.contains(word));
    matches!(code, RESOURCE_EXHAUSTED | OUT_OF_RANGE)
        && (says(&["larger than"]) || says(&["too large"]) || says(&["message", "exceeds", "size"]))
}

const RESOURCE_EXHAUSTED: &str = "8";
const OUT_OF_RANGE: &str = "11";

/// Codes, and whether trying again makes sense. Source: OTLP specification, "OTLP/gRPC Response"; `RESOURCE_EXHAUSTED` is there only with a time to
/// come back, and most servers that are busy leave that out, so it is tried again here.
const CODES: [(&str, &str, bool); 16] = [
    ("1", "CANCELLED", true),
    ("2", "UNKNOWN", false),
    ("3", "INVALID_ARGUMENT", false),
    ("4", "DEADLINE_EXCEEDED", true),
    ("5", "NOT_FOUND", false),
    ("6", "ALREADY_EXISTS", false),
    ("7", "PERMISSION_DENIED", false),
    (RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", true),
    ("9", "FAILED_PRECONDITION", false),
    ("10", "ABORTED", true),
    (OUT_OF_RANGE, "OUT_OF_RANGE", true),
    ("12", "UNIMPLEMENTED", false),
    ("13", "INTERNAL", false),
    ("14", "UNAVAILABLE", true),
    ("15", "DATA_LOSS", true),
    ("16", "UNAUTHENTICATED", false),
];

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use http::HeaderValue;
    use proptest::prelude::*;
    use prost::Message as _;
    use prost_types::Any;

    use super::*;

    #[test]
    fn a_message_is_framed_and_read_back() {
        assert_eq!(framed(b"ab", false), [0, 0, 0, 0, 2, b'a', b'b']);
        assert_eq!(message(&framed(b"ab", false)), Some(&b"ab"[..]));
        assert_eq!(message(&framed(b"ab", true)), None, "it is compressed");
        assert_eq!(message(&[0, 0, 0, 0, 9, 1]), None);
        assert_eq!(message(&[0, 0]), None);
    }

    #[test]
    fn a_status_says_whether_to_try_again() {
        let of = |code: &'static str| {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(code));
            trailers.insert("grpc-message", HeaderValue::from_static("why"));
            status(&trailers).map_err(|error| (error.message, error.is_retryable))
        };
        assert_eq!(of("0"), Ok(()));
        assert_eq!(
            of("14"),
            Err(("gRPC status UNAVAILABLE: why".to_owned(), true))
        );
        assert_eq!(
            of("16"),
            Err(("gRPC status UNAUTHENTICATED: why".to_owned(), false))
        );
        assert_eq!(of("99"), Err(("gRPC status 99: why".to_owned(), false)));
    }

    #[test]
    fn a_message_is_decoded_and_a_time_to_come_back_below_zero_is_a_no() {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("14"));
        trailers.insert("grpc-message", HeaderValue::from_static("too%20many"));
        assert_eq!(
            status(&trailers),
            Err(SendError::retryable(
                "gRPC status UNAVAILABLE: too many".to_owned()
            ))
        );
        trailers.insert("grpc-retry-pushback-ms", HeaderValue::from_static("-1"));
        trailers.insert("grpc-message", HeaderValue::from_static("100%"));
        let error = status(&trailers).unwrap_err();
        assert_eq!(error.message, "gRPC status UNAVAILABLE: 100%");
        assert!(!error.is_retryable);
    }

    /// `google.rpc.Status`.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }

    /// `google.rpc.RetryInfo`.
    #[derive(Clone, PartialEq, prost::Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        retry_delay: Option<prost_types::Duration>,
    }

    fn details(seconds: i64, nanos: i32) -> Vec<u8> {
        let detail = |name: &str, value| Any {
            type_url: format!("type.googleapis.com/google.rpc.{name}"),
            value,
        };
        let delay = prost_types::Duration { seconds, nanos };
        let retry = RetryInfo {
            retry_delay: Some(delay),
        };
        let status = Status {
            code: 8,
            message: "full".to_owned(),
            details: vec![
                detail("DebugInfo", vec![255, 255]),
                detail("RetryInfo", retry.encode_to_vec()),
            ],
        };
        status.encode_to_vec()
    }

    #[test]
    fn a_delay_among_the_details_is_read_with_padding_and_without() {
        let expected = Some(Duration::from_millis(1_500));
        let details_1500 = details(1, 500_000_000);
        for engine in [STANDARD, STANDARD_NO_PAD] {
            assert_eq!(retry_delay(&engine.encode(&details_1500)), expected);
        }
        let of = |seconds, nanos| retry_delay(&STANDARD.encode(details(seconds, nanos)));
        assert_eq!(of(0, 0), Some(Duration::ZERO));
        assert_eq!(of(7, 0), Some(Duration::from_secs(7)));
        assert_eq!(of(-1, 0), None);
        assert_eq!(of(1, -1), None);
        for other in ["", "????", "AAAA", "CAg="] {
            assert_eq!(retry_delay(other), None, "{other}");
        }
    }

    #[test]
    fn a_busy_server_says_when_and_one_that_finds_a_message_too_large_says_so() {
        let of = |code: &'static str, message: &'static str, details: Option<String>| {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(code));
            trailers.insert("grpc-message", HeaderValue::from_static(message));
            if let Some(details) = details {
                let details = HeaderValue::from_str(&details).unwrap();
                trailers.insert("grpc-status-details-bin", details);
            }
            let error = status(&trailers).unwrap_err();
            (error.is_retryable, error.retry_after, error.is_too_large)
        };
        let soon = STANDARD_NO_PAD.encode(details(0, 7_000_000));
        let delay = Some(Duration::from_millis(7));
        assert_eq!(of("8", "full", Some(soon.clone())), (true, delay, false));
        let is_busy = (true, delay, false);
        assert_eq!(of("8", "backlog larger than 9", Some(soon)), is_busy);
        assert_eq!(of("8", "full", None), (true, None, false));
        let is_too_large = (false, None, true);
        // grpc-go and grpc-js, grpc-java, grpc-dotnet, tonic.
        for (code, message) in [
            ("8", "grpc: received message larger than max (5 vs. 4)"),
            ("8", "gRPC message exceeds maximum size 4: 5"),
            (
                "8",
                "Received message exceeds the maximum configured message size.",
            ),
            (
                "11",
                "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
            ),
        ] {
            assert_eq!(of(code, message, None), is_too_large, "{message}");
        }
        assert_eq!(of("3", "name too large", None), (false, None, false));
        assert_eq!(of("8", "quota exceeds", None), (true, None, false));
    }

    proptest! {
        #[test]
        fn any_details_are_taken(details in prop::collection::vec(any::<u8>(), 0..60)) {
            retry_delay(&STANDARD.encode(details));
        }
    }

    #[test]
    fn a_long_timeout_fits_into_eight_digits() {
        assert_eq!(timeout(Duration::from_millis(1_500)), "1500m");
        assert_eq!(timeout(Duration::MAX), "99999999S");
    }
}
