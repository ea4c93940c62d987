//! Work that may hold up its thread.

use opentelemetry::Context;
use tokio::task::spawn_blocking;

/// Runs code in a thread of the pool, where it holds up no other export. It is not stopped when nobody waits for it any more.
/// The error says how it panicked.
pub(super) async fn blocking<T: Send + 'static>(
    code: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let run = move || {
        // What an exporter does makes no spans.
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        code()
    };
    let done = spawn_blocking(run).await;
    done.map_err(|error| format!("the exporter stopped: {error}"))
}
