//! The first ten lines: spans of a program without a server.
//!
//! `cargo run -p backtrail --example quickstart`, with Backtrail on this machine (`cargo run -- serve`).

use std::time::Duration;

use backtrail::{TracingSystem, create_span, create_span_sync};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracing = TracingSystem::new("quickstart").initialize()?;
    let total = create_span("add up the order", [("order.id", 7)], async |span| {
        println!("http://localhost:16686/trace/{}", span.trace_id());
        tokio::time::sleep(Duration::from_millis(20)).await;
        let lines = ["450", "1200", "many"];
        let prices = lines.map(|line| create_span_sync("read price", (), |_| line.parse::<u64>()));
        let total: u64 = prices.into_iter().flatten().sum();
        span.set("order.total_cents", total);
        Ok::<_, std::io::Error>(total)
    })
    .await?;
    println!("{total} cents");
    tracing.shutdown()?;
    println!("{:?}", tracing.stats());
    Ok(())
}
