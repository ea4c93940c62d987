//! A gRPC client of tonic's.

use std::net::SocketAddr;

use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio::runtime::Runtime;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::otlp::{RetryInfo, RpcStatus};

/// A connection, and the threads that it needs.
pub(crate) struct GrpcClient {
    runtime: Runtime,
    channel: Channel,
}

impl GrpcClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self { runtime, channel }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// `TraceService/Export`.
    pub(crate) fn export(
        &self,
        request: ExportTraceServiceRequest,
        compression: Option<CompressionEncoding>,
    ) -> Result<ExportTraceServiceResponse, Status> {
        self.call(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request,
            compression,
        )
    }

    /// Any unary method.
    pub(crate) fn call<Q, R>(
        &self,
        path: &'static str,
        request: Q,
        compression: Option<CompressionEncoding>,
    ) -> Result<R, Status>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut client = Grpc::new(self.channel.clone());
        if let Some(encoding) = compression {
            client = client.send_compressed(encoding);
        }
        self.runtime.block_on(async move {
            client
                .ready()
                .await
                .map_err(|error| Status::unavailable(error.to_string()))?;
            let reply = client
                .unary(
                    Request::new(request),
                    PathAndQuery::from_static(path),
                    ProstCodec::<Q, R>::default(),
                )
                .await?;
            Ok(reply.into_inner())
        })
    }
}

impl GrpcClient {
    /// Any unary method, with an `authorization`.
    pub(crate) fn call_as<Q, R>(
        &self,
        authorization: Option<&str>,
        path: &'static str,
        message: Q,
    ) -> Result<R, Status>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut request = Request::new(message);
        if let Some(authorization) = authorization {
            let value = authorization.parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        let mut client = Grpc::new(self.channel.clone());
        self.runtime.block_on(async move {
            let ready = client.ready().await;
            ready.map_err(|error| Status::unavailable(error.to_string()))?;
            let path = PathAndQuery::from_static(path);
            let reply = client.unary(request, path, ProstCodec::<Q, R>::default());
            Ok(reply.await?.into_inner())
        })
    }
}

/// What came of a streaming call: the messages, and the metadata behind them.
pub(crate) struct Streamed<R> {
    pub(crate) messages: Vec<R>,
    pub(crate) trailers: MetadataMap,
}

impl GrpcClient {
    /// Any method with a stream of answers, read to its end.
    pub(crate) fn stream<Q, R>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<Streamed<R>, Status>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut client = Grpc::new(self.channel.clone());
        self.runtime.block_on(async move {
            let ready = client.ready().await;
            ready.map_err(|error| Status::unavailable(error.to_string()))?;
            let path = PathAndQuery::from_static(path);
            let codec = ProstCodec::<Q, R>::default();
            let reply = client.server_streaming(request, path, codec).await?;
            let mut stream = reply.into_inner();
            let mut messages = Vec::new();
            while let Some(message) = stream.message().await? {
                messages.push(message);
            }
            let trailers = stream.trailers().await?.unwrap_or_default();
            Ok(Streamed { messages, trailers })
        })
    }
}

/// The retry time in a status, in seconds.
pub(crate) fn retry_seconds(status: &Status) -> Option<i64> {
    let status = RpcStatus::decode(status.details()).unwrap();
    let info = status
        .details
        .iter()
        .find(|any| any.type_url == "type.googleapis.com/google.rpc.RetryInfo")?;
    let info = RetryInfo::decode(info.value.as_slice()).unwrap();
    Some(info.retry_delay?.seconds)
}
