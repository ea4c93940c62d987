//! Requests that a service of actix-web answers.
//!
//! ```no_run
//! use actix_web::{App, web};
//! use backtrail::TracingSystem;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = TracingSystem::new("orders").initialize()?;
//! let app = App::new()
//!     .wrap(tracing.actix().ignore(|request| request.path() == "/health"))
//!     .route("/orders/{id}", web::get().to(async || "an order"));
//! # drop(app); Ok(()) }
//! ```

mod body;
mod headers;
mod middleware;
mod payload;
mod service;

pub use body::ActixBody;
pub use middleware::ActixTracing;
pub use service::ActixService;
