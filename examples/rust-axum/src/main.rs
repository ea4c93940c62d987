//! `shop` starts both services, `shop orders` and `shop warehouse` one of them.

mod both;

use std::env;

use anyhow::{Result, bail};
use shop::{orders, warehouse};

#[tokio::main]
async fn main() -> Result<()> {
    match env::args().nth(1).as_deref() {
        None => both::serve().await,
        Some("orders") => {
            let warehouse_url = env::var("WAREHOUSE_URL");
            orders::serve(warehouse_url.as_deref().unwrap_or("http://127.0.0.1:3001")).await
        }
        Some("warehouse") => warehouse::serve().await,
        Some(other) => bail!("no service {other}: orders or warehouse, or nothing for both"),
    }
}
