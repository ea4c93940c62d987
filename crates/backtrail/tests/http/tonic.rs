//! A server and a client of tonic, on a socket.

use backtrail::testing::Recorder;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

#[tokio::test]
async fn calls_of_tonic_are_traced_on_both_sides() {
    let server = Recorder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let serving = Server::builder()
        .layer(server.tracing().http_server())
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(serving);

    let caller = Recorder::new();
    let channel = Channel::from_shared(format!("http://{address}"));
    let channel = channel.unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(caller.tracing().http_client().layer(channel));
    let ask = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(ask("")).await.unwrap();
    client.check(ask("nobody")).await.unwrap_err();

    let keys = ["rpc.method", "rpc.response.status_code", "error.type"];
    let method = "grpc.health.v1.Health/Check";
    assert_eq!(
        caller.tree_of(&keys),
        format!(
            "{method} [client] rpc.method={method} rpc.response.status_code=OK\n\
             {method} [client] error rpc.method={method} error.type=NOT_FOUND rpc.response.status_code=NOT_FOUND\n"
        )
    );
    // What a server has told may still be on its way out when the client has it.
    drop(client);
    while server.spans().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        server.tree_of(&keys),
        format!(
            "{method} [server] (parent elsewhere) rpc.method={method} rpc.response.status_code=OK\n\
             {method} [server] (parent elsewhere) rpc.method={method} rpc.response.status_code=NOT_FOUND\n"
        )
    );
    let parents = server.spans().into_iter().map(|span| span.parent_span_id);
    let callers = caller.spans();
    let callers = callers.iter().map(|span| span.span_context.span_id());
    assert!(parents.eq(callers));
}
