//! The shop: it knows the orders, and asks the warehouse what is in stock.

use std::env;

use anyhow::Result;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use backtrail::{TracingSystem, attributes, create_span, traced};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::database::{self, Database, Line, Order};
use crate::failure;
use crate::listener::listen;
use crate::stock_client::{Reserved, StockClient};

const MAX_LINES: usize = 100;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(warehouse_url: &str) -> Result<()> {
    let tracing = TracingSystem::new("orders-shop")
        .bridge_tracing(true)
        .initialize()?;
    let database_url =
        env::var("DATABASE_URL").unwrap_or_else(|_| database::DEFAULT_URL.to_owned());
    let shop = Shop {
        database: Database::connect(&database_url).await?,
        stock: StockClient::new(warehouse_url)?,
    };
    let app = app(&tracing, shop);
    let listener = listen("orders-shop", 3000).await?;
    tracing
        .serve_until_signal(|stop| axum::serve(listener, app).with_graceful_shutdown(stop))
        .await?;
    Ok(())
}

/// What the handlers of the shop need.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Where the orders are.
    pub database: Database,
    /// Who has the articles.
    pub stock: StockClient,
}

/// The service without a socket.
pub fn app(tracing: &TracingSystem, shop: Shop) -> Router {
    Router::new()
        .route("/orders/{id}", get(show))
        .route("/orders", post(place))
        .route("/health", get(|| async { "ok" }))
        .with_state(shop)
        .layer(
            tracing
                .http_server()
                .ignore(|request| request.uri.path() == "/health")
                .request_hook(|span, request| {
                    // A shop with a login would ask its session here.
                    span.set("user.id", header(request, "x-user-id"));
                    span.set("session.id", header(request, "x-session-id"));
                }),
        )
}

fn header<'a>(request: &'a Parts, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// An order with its price, put aside in the warehouse.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreparedOrder {
    #[serde(flatten)]
    order: Order,
    total_in_cents: i64,
    reserved: Vec<Reserved>,
}

async fn show(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Result<Json<PreparedOrder>, OrderError> {
    let load = create_span("load order", [("order.id", &id)], async |_| {
        shop.database.order(&id).await
    });
    let order = load.await?.ok_or(OrderError::NoOrder(id))?;
    let about = attributes!["order.id" => &order.id, "order.lines" => order.lines.len()];
    let prepared = create_span("prepare order", about, async |_| shop.prepare(order).await);
    Ok(Json(prepared.await?))
}

#[derive(Deserialize)]
struct Wanted {
    lines: Vec<Line>,
}

async fn place(
    State(shop): State<Shop>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<(StatusCode, Json<Order>), OrderError> {
    let Json(Wanted { lines }) = wanted?;
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(OrderError::Lines(lines.len()));
    }
    let order = shop.save_order(lines).await?;
    Ok((StatusCode::CREATED, Json(order)))
}

impl Shop {
    #[traced(name = "save order")]
    async fn save_order(&self, lines: Vec<Line>) -> Result<Order, OrderError> {
        Ok(self.database.save(lines).await?)
    }

    /// Prices an order, then reserves its articles: two spans within the caller's.
    async fn prepare(&self, order: Order) -> Result<PreparedOrder, OrderError> {
        let price = create_span("price order", (), async |span| {
            let mut total = 0;
            for line in &order.lines {
                total += i64::from(line.count) * self.price_in_cents(&line.article).await?;
            }
            span.set("order.total_cents", total);
            Ok::<_, OrderError>(total)
        });
        let total_in_cents = price.await?;
        let reserve = create_span("reserve stock", (), async |span| {
            let articles: Vec<_> = order.lines.iter().map(|line| &*line.article).collect();
            span.add_event("reserving", [("order.articles", articles)]);
            let each = order.lines.iter();
            try_join_all(each.map(|line| self.stock.reserve(&line.article, line.count))).await
        });
        let reserved = reserve.await?;
        Ok(PreparedOrder {
            order,
            total_in_cents,
            reserved,
        })
    }

    async fn price_in_cents(&self, article: &str) -> Result<i64, OrderError> {
        let price = self.database.price_in_cents(article).await?;
        price.ok_or_else(|| OrderError::NoPrice(article.to_owned()))
    }
}

/// Why there is no order.
#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("no order {0}")]
    NoOrder(String),
    #[error("no price for {0}")]
    NoPrice(String),
    #[error("an order has 1 to {MAX_LINES} lines, not {0}")]
    Lines(usize),
    #[error("{0}")]
    Body(#[from] JsonRejection),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the warehouse failed")]
    Warehouse(#[from] reqwest::Error),
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoOrder(_) => StatusCode::NOT_FOUND,
            Self::Lines(_) => StatusCode::BAD_REQUEST,
            Self::Body(rejection) => rejection.status(),
            Self::NoPrice(_) | Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Warehouse(_) => StatusCode::BAD_GATEWAY,
        };
        failure::answer(status, &self)
    }
}
