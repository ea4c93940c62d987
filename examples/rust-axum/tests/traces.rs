//! A service tests what it traces.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use backtrail::testing::Recorder;
use http_body_util::BodyExt as _;
use shop::database::{DEFAULT_URL, Database};
use shop::orders::{self, Shop};
use shop::stock_client::StockClient;
use shop::warehouse;
use tower::ServiceExt as _;

#[tokio::test]
async fn a_reservation_is_one_span_below_the_request() {
    let traces = Recorder::new();
    let app = warehouse::app(traces.tracing());
    ask(app, post("/stock/tea/reservations?count=2", "")).await;
    let expected = "POST /stock/{article}/reservations [server] http.response.status_code=201\n\
                    └ reserve ok stock.article=tea stock.left=998\n";
    let keys = ["http.response.status_code", "stock.article", "stock.left"];
    assert_eq!(traces.tree_of(&keys), expected);
}

#[tokio::test]
async fn an_article_without_a_price_fails_the_order_and_the_answer_tells_the_trace() {
    let traces = Recorder::new();
    let (status, body) = ask(shop(&traces).await, get("/orders/13")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let trace_id = traces.spans()[0].span_context.trace_id();
    assert_eq!(
        body,
        format!(r#"{{"error":"no price for teapot","traceId":"{trace_id}"}}"#)
    );
    let expected = "\
GET /orders/{id} [server] error
├ load order ok
│ └ SELECT order_lines [client]
└ prepare order error `no price for teapot`
  │ · exception exception.message=no price for teapot
  └ price order error `no price for teapot`
    │ · exception exception.message=no price for teapot
    └ SELECT prices [client]
";
    assert_eq!(traces.tree_of(&["exception.message"]), expected);
}

#[tokio::test]
async fn a_customer_is_known_by_headers_in_lack_of_a_login() {
    let traces = Recorder::new();
    let mut request = get("/orders/99");
    for (name, value) in [("x-user-id", "ann"), ("x-session-id", "s-1")] {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    let (status, _) = ask(shop(&traces).await, request).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let tree = traces.tree_of(&["user.id", "session.id"]);
    assert!(
        tree.starts_with("GET /orders/{id} [server] user.id=ann session.id=s-1\n"),
        "{tree}"
    );
}

#[tokio::test]
async fn an_order_without_lines_is_refused_before_the_database_is_asked() {
    let traces = Recorder::new();
    let (status, _) = ask(shop(&traces).await, post("/orders", r#"{"lines": []}"#)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(traces.tree_of(&[]), "POST /orders [server]\n");
}

#[tokio::test]
async fn more_than_there_is_can_not_be_reserved() {
    let traces = Recorder::new();
    let app = warehouse::app(traces.tracing());
    let (status, body) = ask(app, post("/stock/cup/reservations?count=1001", "")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        body.contains("1001 of cup are wanted, 1000 are left"),
        "{body}"
    );
}

/// A shop whose warehouse nobody asks.
async fn shop(traces: &Recorder) -> Router {
    let database = Database::connect(DEFAULT_URL).await.unwrap();
    let stock = StockClient::new("http://127.0.0.1:1").unwrap();
    orders::app(traces.tracing(), Shop { database, stock })
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, json: &'static str) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(Body::from(json)).unwrap()
}

/// Asks, and reads the answer to its end, which is where the span of the request ends.
async fn ask(app: Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = app.oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
