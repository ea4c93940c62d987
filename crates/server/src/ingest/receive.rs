//! Receiving a request's body within bounds.

use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::{InFlight, Refusal, Reservation};

/// What is set aside before anything arrived, however much was announced.
const MAX_INITIAL_CAPACITY: usize = 1 << 20;

/// Bounds of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// Bytes on the wire.
    pub(crate) max_bytes: usize,
    /// The setting that moves it.
    pub(crate) setting: &'static str,
    /// How long the body may take.
    pub(crate) timeout: Duration,
}

impl BodyLimits {
    /// What to say about a body that is too large.
    pub(crate) fn too_large(&self) -> Refusal {
        Refusal::TooLarge {
            limit_bytes: self.max_bytes,
            setting: self.setting,
        }
    }
}

/// Receives a body. What was announced too large, or does not fit into the queue, is refused
/// before any of it is read. `inspect` sees what has arrived so far and may refuse the rest.
pub(crate) async fn receive(
    body: Body,
    limits: BodyLimits,
    in_flight: &InFlight,
    inspect: impl Fn(&[u8]) -> Result<(), Refusal>,
) -> Result<(Bytes, Reservation), Refusal> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.max_bytes {
        return Err(limits.too_large());
    }
    let mut reservation = in_flight.enter(announced)?;
    let collect = collect(body, announced, limits, &mut reservation, inspect);
    let bytes = tokio::time::timeout(limits.timeout, collect)
        .await
        .map_err(|_| Refusal::TooSlow(limits.timeout))??;
    Ok((bytes, reservation))
}

async fn collect(
    mut body: Body,
    announced: usize,
    limits: BodyLimits,
    reservation: &mut Reservation,
    inspect: impl Fn(&[u8]) -> Result<(), Refusal>,
) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::BrokenOff(error.to_string()))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers
        };
        let arrived = first.len() + all.len() + data.remaining();
        if arrived > limits.max_bytes {
            return Err(limits.too_large());
        }
        reservation.grow_to(arrived)?;
        if first.is_empty() && all.is_empty() {
            // Most bodies are one frame: no copy then.
            inspect(&data)?;
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(announced.clamp(arrived, MAX_INITIAL_CAPACITY.max(arrived)));
                all.extend_from_slice(&first);
                first = Bytes::new();
            }
            all.extend_from_slice(&data);
            inspect(&all)?;
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        max_bytes: 10,
        setting: "limits.max_body_bytes",
        timeout: Duration::from_secs(1),
    };

    fn chunked(chunks: &'static [&'static str]) -> Body {
        let chunks = chunks.iter().map(|chunk| Ok::<_, Infallible>(*chunk));
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn chunks_become_one_body_and_are_counted() {
        let queue = InFlight::new(20);
        for (chunks, whole) in [
            (&[][..], ""),
            (&["abc"], "abc"),
            (&["ab", "cd", "", "efghij"], "abcdefghij"),
        ] {
            let (bytes, reservation) = receive(chunked(chunks), LIMITS, &queue, |_| Ok(()))
                .await
                .unwrap();
            assert_eq!(bytes, whole);
            assert_eq!(queue.bytes(), whole.len());
            drop(reservation);
        }
    }

    #[tokio::test]
    async fn too_much_is_refused_announced_or_not() {
        let queue = InFlight::new(20);
        for body in [Body::from("12345678901"), chunked(&["123456", "78901"])] {
            let refusal = receive(body, LIMITS, &queue, |_| Ok(())).await.unwrap_err();
            assert_eq!(refusal, LIMITS.too_large());
        }
        assert_eq!((queue.bytes(), queue.requests()), (0, 0));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let queue = InFlight::new(5);
        for body in [Body::from("123456"), chunked(&["123", "456"])] {
            let refusal = receive(body, LIMITS, &queue, |_| Ok(())).await.unwrap_err();
            assert_eq!(refusal, Refusal::Overloaded);
        }
        assert_eq!((queue.bytes(), queue.requests()), (0, 0));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let queue = InFlight::new(20);
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let limits = BodyLimits {
            timeout: Duration::from_millis(20),
            ..LIMITS
        };
        let refusal = receive(body, limits, &queue, |_| Ok(())).await.unwrap_err();
        assert_eq!(refusal, Refusal::TooSlow(limits.timeout));
        assert_eq!(queue.requests(), 0);
    }
}
