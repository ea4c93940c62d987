//! Multipart bodies, part by part: no more than one part and what one read brought is in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;

use super::refusal::Refusal;

/// Bytes between two parts, which are headers of a part; and what one read may bring on top of them.
const MAX_BETWEEN_PARTS_BYTES: usize = 1 << 20;

/// Bounds of a multipart body.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartsLimits {
    /// Bytes of the body on the wire.
    pub(super) body_bytes: u64,
    /// Parts of the body.
    pub(super) parts: usize,
    /// How long nothing may arrive.
    pub(super) idle: Duration,
}

/// The parts of a body.
pub(super) struct Parts {
    multipart: multer::Multipart<'static>,
    /// Bytes since the end of the last part.
    between: Arc<AtomicUsize>,
    limits: PartsLimits,
    taken: usize,
}

impl Parts {
    /// Begins to read a body.
    pub(super) fn of(request: Request, limits: PartsLimits) -> Result<Self, Refusal> {
        let boundary = boundary(&request)?;
        let body = request.into_body();
        let announced = http_body::Body::size_hint(&body).lower();
        if announced > limits.body_bytes {
            return Err(too_large(limits.body_bytes));
        }
        let between = Arc::new(AtomicUsize::new(0));
        let body = Paced {
            body: body.into_data_stream(),
            between: Arc::clone(&between),
            rests: false,
        };
        let constraints = multer::Constraints::new()
            .size_limit(multer::SizeLimit::new().whole_stream(limits.body_bytes));
        let multipart = multer::Multipart::with_constraints(body, boundary, constraints);
        Ok(Self {
            multipart,
            between,
            limits,
            taken: 0,
        })
    }

    /// The next part. The one before it has to be read first.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Refusal> {
        self.between.store(0, Ordering::Relaxed);
        let next = in_time(self.limits.idle, self.multipart.next_field()).await?;
        self.between.store(usize::MAX, Ordering::Relaxed);
        let Some(field) = next.map_err(|error| self.refusal(&error))? else {
            return Ok(None);
        };
        self.taken += 1;
        if self.taken > self.limits.parts {
            let limit = self.limits.parts;
            return Err(Refusal::Invalid(format!(
                "the body has more than {limit} parts"
            )));
        }
        Ok(Some(Part {
            field,
            limits: self.limits,
        }))
    }

    fn refusal(&self, error: &multer::Error) -> Refusal {
        refusal(error, self.limits)
    }
}

/// One part of a body.
pub(super) struct Part {
    field: multer::Field<'static>,
    limits: PartsLimits,
}

impl Part {
    /// The name of its field; "" where there is none.
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The name of its file.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// All of it, when that is no more than so many bytes.
    pub(super) async fn read(mut self, max_bytes: usize) -> Result<Vec<u8>, Refusal> {
        let mut all = Vec::new();
        while let Some(chunk) = in_time(self.limits.idle, self.field.chunk())
            .await?
            .map_err(|error| refusal(&error, self.limits))?
        {
            if all.len() + chunk.len() > max_bytes {
                let name = self.name();
                return Err(Refusal::TooLarge(format!(
                    "part {name:?} has more than {max_bytes} bytes, the limit"
                )));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    /// The same of a text.
    pub(super) async fn text(self, max_bytes: usize) -> Result<String, Refusal> {
        let name = self.name().to_owned();
        let bytes = self.read(max_bytes).await?;
        String::from_utf8(bytes)
            .map_err(|_| Refusal::Invalid(format!("part {name:?} is not UTF-8")))
    }
}

fn boundary(request: &Request) -> Result<String, Refusal> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    multer::parse_boundary(content_type).map_err(|error| {
        Refusal::Invalid(format!(
            "multipart/form-data with a boundary was expected, not {content_type:?}: {error}"
        ))
    })
}

fn refusal(error: &multer::Error, limits: PartsLimits) -> Refusal {
    match error {
        multer::Error::StreamSizeExceeded { .. } => too_large(limits.body_bytes),
        // Its own text says only that something failed.
        multer::Error::StreamReadFailed(cause) => Refusal::Invalid(cause.to_string()),
        error => Refusal::Invalid(format!("the multipart body can't be read: {error}")),
    }
}

fn too_large(limit: u64) -> Refusal {
    Refusal::TooLarge(format!("the body has more than {limit} bytes, the limit"))
}

async fn in_time<T>(idle: Duration, step: impl Future<Output = T>) -> Result<T, Refusal> {
    tokio::time::timeout(idle, step)
        .await
        .map_err(|_| Refusal::TooSlow(idle.as_secs()))
}

/// A body that gives one piece for each time that it is asked: the reader of parts takes all that is ready before it looks at any of it.
struct Paced {
    body: BodyDataStream,
    between: Arc<AtomicUsize>,
    rests: bool,
}

#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body broke off: {0}")]
    BrokenOff(axum::Error),
    #[error("more than {MAX_BETWEEN_PARTS_BYTES} bytes came without the headers of a part")]
    NoPart,
}

impl Stream for Paced {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.rests {
            self.rests = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.body).poll_next(context);
        let Poll::Ready(Some(piece)) = next else {
            return next.map(|_| None);
        };
        self.rests = true;
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Some(Err(BodyError::BrokenOff(error)))),
        };
        let between = self.between.load(Ordering::Relaxed);
        if between != usize::MAX {
            if between > MAX_BETWEEN_PARTS_BYTES {
                return Poll::Ready(Some(Err(BodyError::NoPart)));
            }
            self.between.store(between + piece.len(), Ordering::Relaxed);
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    const LIMITS: PartsLimits = PartsLimits {
        body_bytes: 4 << 20,
        parts: 2,
        idle: Duration::from_secs(10),
    };

    fn request(pieces: Vec<Bytes>) -> Request {
        let pieces = pieces.into_iter().map(Ok::<_, Infallible>);
        Request::post("/")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(Body::from_stream(stream::iter(pieces)))
            .unwrap()
    }

    async fn read_all(
        pieces: Vec<Bytes>,
    ) -> Result<Vec<(String, Option<String>, Vec<u8>)>, Refusal> {
        let mut parts = Parts::of(request(pieces), LIMITS)?;
        let mut all = Vec::new();
        while let Some(part) = parts.next().await? {
            let name = part.name().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            all.push((name, file_name, part.read(100).await?));
        }
        Ok(all)
    }

    const TWO_PARTS: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.js\"\r\n\r\nx\r\n-\r\n--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n~/a.js\r\n--b--\r\n";

    #[tokio::test]
    async fn parts_come_whole_however_the_body_was_cut() {
        for size in 1..TWO_PARTS.len() {
            let pieces = TWO_PARTS.as_bytes().chunks(size);
            let parts = read_all(pieces.map(Bytes::copy_from_slice).collect()).await;
            assert_eq!(
                parts.unwrap(),
                [
                    (
                        "file".to_owned(),
                        Some("a.js".to_owned()),
                        b"x\r\n-".to_vec()
                    ),
                    ("name".to_owned(), None, b"~/a.js".to_vec()),
                ],
                "pieces of {size}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_short_is_refused() {
        let end = TWO_PARTS.len() - "--b--\r\n".len();
        for cut in [0, 1, 60, 70, end - 3] {
            let piece = Bytes::copy_from_slice(&TWO_PARTS.as_bytes()[..cut]);
            let refusal = read_all(vec![piece]).await.unwrap_err();
            assert_eq!(refusal.label(), "invalid", "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn headers_without_an_end_are_refused_before_the_body_is_read() {
        let mut pieces = vec![Bytes::from_static(b"--b\r\nX: ")];
        pieces.extend((0..64).map(|_| Bytes::from(vec![b'x'; 64 << 10])));
        let refusal = read_all(pieces).await.unwrap_err();
        let said = refusal.to_string();
        assert!(said.contains("without the headers of a part"), "{said}");
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused() {
        let part = |bytes: usize| {
            let head = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
            Bytes::from([head.as_bytes(), &vec![b'x'; bytes], b"\r\n"].concat())
        };
        let end = || Bytes::from_static(b"--b--\r\n");
        let large = vec![part(101), end()];
        for pieces in [large, (0..5).map(|_| part(1 << 20)).collect()] {
            let refusal = read_all(pieces).await.unwrap_err();
            assert_eq!(refusal.label(), "too_large");
        }
        let refusal = read_all(vec![part(1), part(1), part(1), end()]).await;
        assert_eq!(refusal.unwrap_err().label(), "invalid");
    }
}
