//! One connection that sends bodies, over HTTP or gRPC.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Buf, BufMut as _, Bytes};
use tokio::runtime::{Builder, Runtime};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::wire::{Body, Target};

const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// All of it is kept.
    Taken,
    /// To be sent again.
    Busy,
}

/// A connection of one thread.
pub(crate) enum Client<'a> {
    Http {
        agent: ureq::Agent,
        url: &'a str,
        content_type: &'static str,
    },
    Grpc {
        runtime: Runtime,
        grpc: tonic::client::Grpc<Channel>,
        method: &'static str,
    },
}

impl<'a> Client<'a> {
    pub(crate) fn new(target: &'a Target) -> Result<Self> {
        match target {
            Target::Http { url, content_type } => Ok(Self::Http {
                agent: ureq::Agent::config_builder()
                    .timeout_global(Some(REQUEST_TIMEOUT))
                    .http_status_as_error(false)
                    .proxy(None)
                    .build()
                    .new_agent(),
                url,
                content_type,
            }),
            Target::Grpc { origin, method } => {
                let runtime = Builder::new_current_thread().enable_all().build()?;
                let endpoint = Endpoint::new(origin.clone())?.timeout(REQUEST_TIMEOUT);
                let channel = runtime
                    .block_on(endpoint.connect())
                    .with_context(|| format!("cannot connect to {origin}"))?;
                Ok(Self::Grpc {
                    runtime,
                    grpc: tonic::client::Grpc::new(channel),
                    method,
                })
            }
        }
    }

    pub(crate) fn send(&mut self, body: &Body) -> Result<Reply> {
        match self {
            Self::Http {
                agent,
                url,
                content_type,
            } => post(agent, url, content_type, &body.bytes),
            Self::Grpc {
                runtime,
                grpc,
                method,
            } => runtime.block_on(call(grpc, method, body.bytes.clone())),
        }
    }
}

fn post(agent: &ureq::Agent, url: &str, content_type: &str, body: &[u8]) -> Result<Reply> {
    let mut response = agent
        .post(url)
        .header("content-type", content_type)
        .send(body)
        .with_context(|| format!("POST {url}"))?;
    let status = response.status().as_u16();
    let reply = response.body_mut().read_to_string()?;
    match status {
        // A partial success would be a loss that no figure shows.
        200 | 202 if matches!(reply.as_str(), "" | "{}" | r#"{"partialSuccess":{}}"#) => {
            Ok(Reply::Taken)
        }
        429 | 503 => Ok(Reply::Busy),
        _ => bail!("POST {url}: status {status}: {reply:?}"),
    }
}

async fn call(
    grpc: &mut tonic::client::Grpc<Channel>,
    method: &'static str,
    body: Bytes,
) -> Result<Reply> {
    grpc.ready().await?;
    let path = PathAndQuery::from_static(method);
    match grpc.unary(Request::new(body), path, AsItIs).await {
        // A partial success would be a loss that no figure shows.
        Ok(reply) if reply.get_ref().is_empty() => Ok(Reply::Taken),
        Ok(reply) => bail!("{method}: answered {:?}", reply.into_inner()),
        Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) => {
            Ok(Reply::Busy)
        }
        Err(status) => Err(status).context(method),
    }
}

/// Messages are encoded already.
#[derive(Clone, Copy, Default)]
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
