//! The second service: it counts what is in stock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use backtrail::{TracingSystem, create_span_sync};
use serde::{Deserialize, Serialize};

use crate::failure;
use crate::listener::listen;

/// Serves until SIGTERM or SIGINT.
pub async fn serve() -> Result<()> {
    let tracing = TracingSystem::new("warehouse")
        .bridge_tracing(true)
        .initialize()?;
    let app = app(&tracing);
    let listener = listen("warehouse", 3001).await?;
    tracing
        .serve_until_signal(|stop| axum::serve(listener, app).with_graceful_shutdown(stop))
        .await?;
    Ok(())
}

/// The service without a socket.
pub fn app(tracing: &TracingSystem) -> Router {
    Router::new()
        .route("/stock/{article}/reservations", post(reserve))
        .route("/health", get(|| async { "ok" }))
        .with_state(Stock::full())
        .layer(
            tracing
                .http_server()
                .ignore(|request| request.uri.path() == "/health"),
        )
}

#[derive(Deserialize)]
struct Reservation {
    count: u32,
}

#[derive(Serialize)]
struct Reserved {
    article: String,
    left: i64,
}

async fn reserve(
    State(stock): State<Stock>,
    Path(article): Path<String>,
    Query(Reservation { count }): Query<Reservation>,
) -> Result<(StatusCode, Json<Reserved>), StockError> {
    let left = create_span_sync("reserve", [("stock.article", &article)], |span| {
        let left = stock.reserve(&article, count)?;
        span.set("stock.left", left);
        Ok::<_, StockError>(left)
    })?;
    Ok((StatusCode::CREATED, Json(Reserved { article, left })))
}

/// How many there are of each article.
#[derive(Clone)]
struct Stock(Arc<Mutex<HashMap<String, i64>>>);

impl Stock {
    fn full() -> Self {
        let articles = ["tea", "cup"].map(|article| (article.to_owned(), 1000));
        Self(Arc::new(Mutex::new(HashMap::from(articles))))
    }

    /// Puts articles aside, and returns how many are left.
    fn reserve(&self, article: &str, count: u32) -> Result<i64, StockError> {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = stock
            .get_mut(article)
            .ok_or_else(|| StockError::NoArticle(article.to_owned()))?;
        if *left < i64::from(count) {
            return Err(StockError::TooFew {
                article: article.to_owned(),
                count,
                left: *left,
            });
        }
        *left -= i64::from(count);
        Ok(*left)
    }
}

/// Why nothing was reserved.
#[derive(Debug, thiserror::Error)]
enum StockError {
    #[error("no article {0}")]
    NoArticle(String),
    #[error("{count} of {article} are wanted, {left} are left")]
    TooFew {
        article: String,
        count: u32,
        left: i64,
    },
}

impl IntoResponse for StockError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoArticle(_) => StatusCode::NOT_FOUND,
            Self::TooFew { .. } => StatusCode::CONFLICT,
        };
        failure::answer(status, &self)
    }
}
