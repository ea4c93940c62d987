//! Calls of services that nobody generated: a handler takes the request's message and gives messages that are written already.

use std::marker::PhantomData;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::BufMut as _;
use futures_util::Stream;
use http::Response;
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, EncodeBuf, Encoder};
use tonic::server::Grpc;
use tonic_prost::ProstDecoder;
use tower::service_fn;

/// Questions are small.
const MAX_REQUEST_BYTES: usize = 1 << 20;
/// From a call's head to the first message of the answer. It ends what no other limit ends: a request that never comes to its end.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

/// A call with one answer.
pub(crate) async fn unary<Q, R, F>(
    request: Request,
    mut answer: impl FnMut(Q) -> F,
) -> Response<Body>
where
    Q: Message + Default + 'static,
    R: Message,
    F: Future<Output = Result<R, Status>>,
{
    let service = service_fn(|request: tonic::Request<Q>| {
        let answer = answer(request.into_inner());
        async { Ok(tonic::Response::new(answer.await?.encode_to_vec())) }
    });
    let mut call = call();
    in_time(call.unary(service, request)).await
}

/// A call whose answer is a stream of encoded messages.
pub(crate) async fn streaming<Q, S, F>(
    request: Request,
    mut answer: impl FnMut(Q) -> F,
) -> Response<Body>
where
    Q: Message + Default + 'static,
    S: Stream<Item = Result<Vec<u8>, Status>> + Send + 'static,
    F: Future<Output = Result<S, Status>>,
{
    let service = service_fn(|request: tonic::Request<Q>| {
        let answer = answer(request.into_inner());
        async { Ok(tonic::Response::new(answer.await?)) }
    });
    let mut call = call();
    in_time(call.server_streaming(service, request)).await
}

async fn in_time(reply: impl Future<Output = Response<tonic::body::Body>>) -> Response<Body> {
    match tokio::time::timeout(FIRST_ANSWER_TIMEOUT, reply).await {
        Ok(reply) => reply.map(Body::new),
        Err(_) => {
            let message = format!("no answer within {FIRST_ANSWER_TIMEOUT:?}");
            Status::deadline_exceeded(message).into_http()
        }
    }
}

fn call<Q: Message + Default + 'static>() -> Grpc<WrittenAnswers<Q>> {
    let encodings = [CompressionEncoding::Gzip, CompressionEncoding::Zstd];
    let call = Grpc::new(WrittenAnswers(PhantomData)).max_decoding_message_size(MAX_REQUEST_BYTES);
    encodings.into_iter().fold(call, |call, encoding| {
        call.accept_compressed(encoding).send_compressed(encoding)
    })
}

/// Reads requests of one type and sends bytes.
struct WrittenAnswers<Q>(PhantomData<fn() -> Q>);

impl<Q: Message + Default + 'static> Codec for WrittenAnswers<Q> {
    type Encode = Vec<u8>;
    type Decode = Q;
    type Encoder = Written;
    type Decoder = ProstDecoder<Q>;

    fn encoder(&mut self) -> Written {
        Written
    }

    fn decoder(&mut self) -> ProstDecoder<Q> {
        ProstDecoder::default()
    }
}

struct Written;

impl Encoder for Written {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}
