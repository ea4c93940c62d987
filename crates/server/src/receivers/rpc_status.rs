//! `google.rpc.Status`: what OTLP says when a whole request is refused, over HTTP and gRPC alike.

use prost::Message;
use prost_types::Any;
use tonic::Code;

use crate::ingest::Refusal;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

const RETRY_INFO_URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl RpcStatus {
    /// A status without details.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code as i32,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// As JSON, for HTTP. The details are for programs, which find them in `Retry-After`.
    pub(super) fn to_json(&self) -> String {
        serde_json::json!({ "code": self.code, "message": self.message }).to_string()
    }

    /// As a gRPC status, details included.
    pub(super) fn to_grpc(&self) -> tonic::Status {
        let code = Code::from_i32(self.code);
        if self.details.is_empty() {
            tonic::Status::new(code, &self.message)
        } else {
            tonic::Status::with_details(code, &self.message, self.encode_to_vec().into())
        }
    }
}

impl From<&Refusal> for RpcStatus {
    fn from(refusal: &Refusal) -> Self {
        let mut status = Self::new(refusal.grpc_code(), refusal.to_string());
        if let Some(delay) = refusal.retry_after() {
            let info = RetryInfo {
                retry_delay: Some(prost_types::Duration {
                    seconds: delay.as_secs() as i64,
                    nanos: delay.subsec_nanos() as i32,
                }),
            };
            status.details.push(Any {
                type_url: RETRY_INFO_URL.to_owned(),
                value: info.encode_to_vec(),
            });
        }
        status
    }
}
