//! What services do to each other and to their databases, with the attributes that OpenTelemetry's
//! semantic conventions give it.

use super::failure::Failure;
use super::recorder::Recorder;
use super::service::{Layer, Service};
use super::span::{SpanContext, SpanKind};

/// What a handler answers: an HTTP status code.
pub(super) type StatusCode = u16;

/// One hop in the shop's network.
const NETWORK_MS: f64 = 0.4;

/// An HTTP request as seen by the one who makes and the one who serves it.
#[derive(Clone, Copy)]
pub(super) struct HttpRequest<'a> {
    pub(super) method: &'static str,
    /// With placeholders: what spans are called by.
    pub(super) route: &'static str,
    pub(super) path: &'a str,
}

/// `GET /products/{id}` of `/products/17`.
pub(super) const fn http<'a>(
    method: &'static str,
    route: &'static str,
    path: &'a str,
) -> HttpRequest<'a> {
    HttpRequest {
        method,
        route,
        path,
    }
}

/// A PostgreSQL statement.
#[derive(Clone, Copy)]
pub(super) struct Statement {
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    pub(super) text: &'static str,
}

impl Recorder<'_> {
    /// `service` serves a request: a server span, which is an error from status 500 on.
    pub(super) fn serve(
        &mut self,
        service: &'static Service,
        request: HttpRequest<'_>,
        handler: impl FnOnce(&mut Self) -> StatusCode,
    ) -> StatusCode {
        let name = format!("{} {}", request.method, request.route);
        self.span(service, Layer::HttpServer, SpanKind::Server, name, |r| {
            let path = request.path.split('?').next().unwrap_or_default();
            r.set("http.request.method", request.method);
            r.set("http.route", request.route);
            r.set("url.path", path);
            if let Some((_, query)) = request.path.split_once('?') {
                r.set("url.query", query);
            }
            r.set("url.scheme", "http");
            r.set("server.address", service.name);
            r.set("server.port", service.port);
            r.set("network.protocol.version", "1.1");
            let status = handler(r);
            r.set("http.response.status_code", status);
            if status >= 500 {
                r.fail(&status.to_string(), "");
            }
            status
        })
    }

    /// The current service calls another one over HTTP: a client span, which is an error from
    /// status 400 on, around the server span.
    pub(super) fn call(
        &mut self,
        service: &'static Service,
        request: HttpRequest<'_>,
        handler: impl FnOnce(&mut Self) -> StatusCode,
    ) -> StatusCode {
        self.request(service.name, service.port, request, |r| {
            r.work(NETWORK_MS);
            let status = r.serve(service, request, handler);
            r.work(NETWORK_MS);
            status
        })
    }

    /// A client span alone: what is called may be no service of ours.
    pub(super) fn request(
        &mut self,
        host: &'static str,
        port: u16,
        request: HttpRequest<'_>,
        exchange: impl FnOnce(&mut Self) -> StatusCode,
    ) -> StatusCode {
        let scheme = if port == 443 { "https" } else { "http" };
        let client = self.service();
        self.span(
            client,
            Layer::HttpClient,
            SpanKind::Client,
            request.method,
            |r| {
                r.set("http.request.method", request.method);
                r.set(
                    "url.full",
                    format!("{scheme}://{host}:{port}{}", request.path),
                );
                r.set("server.address", host);
                r.set("server.port", port);
                let status = exchange(r);
                r.set("http.response.status_code", status);
                if status >= 400 {
                    r.fail(&status.to_string(), "");
                }
                status
            },
        )
    }

    /// An HTTP request to `host` that gets no answer within `timeout_ms`.
    pub(super) fn request_without_answer(
        &mut self,
        host: &'static str,
        request: HttpRequest<'_>,
        timeout_ms: u64,
        attempt: i64,
        failure: &Failure,
    ) {
        let client = self.service();
        self.span(
            client,
            Layer::HttpClient,
            SpanKind::Client,
            request.method,
            |r| {
                r.set("http.request.method", request.method);
                r.set("url.full", format!("https://{host}{}", request.path));
                r.set("server.address", host);
                r.set("server.port", 443_u16);
                if attempt > 0 {
                    r.set("http.request.resend_count", attempt);
                }
                r.wait_ms(timeout_ms);
                r.throw(failure);
            },
        );
    }

    /// The current service calls a method of another one over gRPC. `handler` says whether it
    /// worked; gRPC's code for "did not" here is `RESOURCE_EXHAUSTED`.
    pub(super) fn rpc(
        &mut self,
        service: &'static Service,
        rpc_service: &'static str,
        method: &'static str,
        handler: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        const RESOURCE_EXHAUSTED: u16 = 8;
        let name = format!("{rpc_service}/{method}");
        let describe = |r: &mut Self| {
            r.set("rpc.system", "grpc");
            r.set("rpc.service", rpc_service);
            r.set("rpc.method", method);
            r.set("server.address", service.name);
            r.set("server.port", service.port);
        };
        let code = |result: &Result<(), Failure>| {
            if result.is_ok() {
                0
            } else {
                RESOURCE_EXHAUSTED
            }
        };
        let client = self.service();
        self.span(client, Layer::Rpc, SpanKind::Client, name.clone(), |r| {
            describe(r);
            r.work(NETWORK_MS);
            let result = r.span(service, Layer::Rpc, SpanKind::Server, name, |r| {
                describe(r);
                let result = handler(r);
                r.set("rpc.grpc.status_code", code(&result));
                if let Err(failure) = &result {
                    r.throw(failure);
                }
                result
            });
            r.work(NETWORK_MS);
            r.set("rpc.grpc.status_code", code(&result));
            if let Err(failure) = &result {
                r.fail(&RESOURCE_EXHAUSTED.to_string(), failure.message.clone());
            }
            result
        })
    }

    /// The current service runs a statement on its PostgreSQL database.
    pub(super) fn sql(&mut self, statement: Statement, typical_ms: f64) {
        self.sql_or_fail(statement, |r| {
            r.work(typical_ms);
            Ok(())
        })
        .unwrap_or_else(|_: Failure| unreachable!("this statement does not fail"));
    }

    /// The same for a statement that may fail.
    pub(super) fn sql_or_fail(
        &mut self,
        statement: Statement,
        body: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let service = self.service();
        let name = format!("{} {}", statement.operation, statement.table);
        self.span(service, Layer::Database, SpanKind::Client, name, |r| {
            r.set("db.system.name", "postgresql");
            r.set("db.namespace", "shop");
            r.set("db.collection.name", statement.table);
            r.set("db.operation.name", statement.operation);
            r.set("db.query.text", statement.text);
            r.set("server.address", "postgres");
            r.set("server.port", 5432_u16);
            let result = body(r);
            if let Err(failure) = &result {
                r.throw(failure);
            }
            result
        })
    }

    /// The current service sends a command to Redis.
    pub(super) fn redis(&mut self, command: &'static str, key: &str) {
        let service = self.service();
        self.span(service, Layer::Cache, SpanKind::Client, command, |r| {
            r.set("db.system.name", "redis");
            r.set("db.operation.name", command);
            r.set("db.query.text", format!("{command} {key}"));
            r.set("server.address", "redis");
            r.set("server.port", 6379_u16);
            r.work(0.5);
        });
    }

    /// The current service publishes a message to Kafka. Returns what consumers link to.
    pub(super) fn publish(
        &mut self,
        topic: &'static str,
        message_id: &str,
        deliver: impl FnOnce(&mut Self),
    ) -> SpanContext {
        let service = self.service();
        let name = format!("send {topic}");
        self.span(service, Layer::Messaging, SpanKind::Producer, name, |r| {
            let bytes = r.random.between(300..2_000) as i64;
            r.set("messaging.system", "kafka");
            r.set("messaging.operation.type", "send");
            r.set("messaging.operation.name", "send");
            r.set("messaging.destination.name", topic);
            r.set("messaging.message.id", message_id);
            r.set("messaging.message.body.size", bytes);
            r.work(2.5);
            deliver(r);
            r.context()
        })
    }

    /// `service` handles a message, or a batch of them, from Kafka.
    pub(super) fn consume<T>(
        &mut self,
        service: &'static Service,
        topic: &'static str,
        handler: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let name = format!("process {topic}");
        self.span(service, Layer::Messaging, SpanKind::Consumer, name, |r| {
            let offset = r.random.between(100_000..9_000_000) as i64;
            r.set("messaging.system", "kafka");
            r.set("messaging.operation.type", "process");
            r.set("messaging.operation.name", "process");
            r.set("messaging.destination.name", topic);
            r.set(
                "messaging.destination.partition.id",
                (offset % 6).to_string(),
            );
            r.set("messaging.consumer.group.name", service.name);
            r.set("messaging.kafka.offset", offset);
            handler(r)
        })
    }
}
