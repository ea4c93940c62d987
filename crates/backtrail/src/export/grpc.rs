//! The little of gRPC that a unary call of bytes needs. Source: "gRPC over HTTP2".

use std::time::Duration;

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
    // A time to come back that is negative or none at all asks not to. Source: gRPC proposal A6, "Pushback".
    let is_retryable = pushback != Some(None)
        && CODES
            .iter()
            .any(|&(number, _, is_retryable)| number == code && is_retryable);
    Err(SendError {
        message: format!("gRPC status {name}: {message}"),
        is_retryable,
        retry_after: pushback.flatten().map(Duration::from_millis),
    })
}

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
    ("8", "RESOURCE_EXHAUSTED", true),
    ("9", "FAILED_PRECONDITION", false),
    ("10", "ABORTED", true),
    ("11", "OUT_OF_RANGE", true),
    ("12", "UNIMPLEMENTED", false),
    ("13", "INTERNAL", false),
    ("14", "UNAVAILABLE", true),
    ("15", "DATA_LOSS", true),
    ("16", "UNAUTHENTICATED", false),
];

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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

    #[test]
    fn a_long_timeout_fits_into_eight_digits() {
        assert_eq!(timeout(Duration::from_millis(1_500)), "1500m");
        assert_eq!(timeout(Duration::MAX), "99999999S");
    }
}
