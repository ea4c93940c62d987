//! `grpc-timeout`: nobody waits for a call any more once its time is over, so the work for it ends, and the client is told
//! `DEADLINE_EXCEEDED` also where its own clock is slow.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;

const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");
/// As many digits as the protocol allows.
const MAX_DIGITS: usize = 8;

/// Ends calls whose time is over, before the reply begins or in the middle of it.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let timeout = match timeout(request.headers()) {
        Ok(None) => return next.run(request).await,
        Ok(Some(timeout)) => timeout,
        Err(status) => return status.into_http(),
    };
    let mut end = Box::pin(tokio::time::sleep(timeout));
    tokio::select! {
        biased;
        response = next.run(request) => {
            response.map(|body| Body::new(UntilDeadline { body: Some(body), timeout, end }))
        }
        () = &mut end => exceeded(timeout).into_http(),
    }
}

fn exceeded(timeout: Duration) -> Status {
    Status::deadline_exceeded(format!("not done within the {timeout:?} of grpc-timeout"))
}

fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let timeout = value.to_str().ok().and_then(parse);
    timeout.map(Some).ok_or_else(|| {
        let found = value.as_bytes().escape_ascii();
        Status::invalid_argument(format!(
            "grpc-timeout: \"{found}\" is not 1 to {MAX_DIGITS} digits and one of H, M, S, m, u, n"
        ))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=MAX_DIGITS).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_hours(number),
        "M" => Duration::from_mins(number),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A reply's body, cut off with a status when the time is over.
struct UntilDeadline {
    /// `None` once it was cut off.
    body: Option<Body>,
    timeout: Duration,
    end: Pin<Box<Sleep>>,
}

impl http_body::Body for UntilDeadline {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        // What is ready in time is given, so that a call that made it is not failed by a clock.
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(self.end.as_mut().poll(cx));
        self.body = None;
        let mut trailers = HeaderMap::new();
        let written = exceeded(self.timeout).add_header(&mut trailers);
        Poll::Ready(Some(
            written
                .map(|()| Frame::trailers(trailers))
                .map_err(axum::Error::new),
        ))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        for (text, timeout) in [
            ("1H", Duration::from_hours(1)),
            ("2M", Duration::from_mins(2)),
            ("3S", Duration::from_secs(3)),
            ("40m", Duration::from_millis(40)),
            ("500u", Duration::from_micros(500)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("99999999H", Duration::from_hours(99_999_999)),
        ] {
            assert_eq!(parse(text), Some(timeout), "{text}");
        }
        for text in [
            "",
            "S",
            "1",
            "1s",
            "-1S",
            "+1S",
            "1.5S",
            "100000000S",
            "1é",
            "é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    async fn slow() {
        std::future::pending::<()>().await;
    }

    /// One frame, and then nothing for ever.
    async fn stalls() -> Body {
        let first = stream::iter([Ok::<_, axum::Error>(Bytes::from_static(b"first"))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    async fn call(path: &str, timeout: &str) -> Response {
        let router = Router::new()
            .route("/slow", post(slow))
            .route("/stalls", post(stalls))
            .route("/quick", post(async || "done"))
            .layer(from_fn(keep));
        let request = Request::post(path).header("grpc-timeout", timeout);
        let request = request.body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_call_ends_with_its_time() {
        let response = call("/slow", "50m").await;
        assert_eq!(response.headers()["grpc-status"], "4");

        let body = call("/stalls", "50m").await.into_body();
        let body = body.collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-status"], "4");
        assert_eq!(body.to_bytes(), "first");

        let body = call("/quick", "60S").await.into_body();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "done");
    }

    #[tokio::test]
    async fn what_is_no_timeout_is_refused() {
        let response = call("/quick", "soon").await;
        assert_eq!(response.headers()["grpc-status"], "3");
    }
}
