//! Where a service listens.

use std::env;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

/// Listens on this machine alone, on the port that `PORT` names; 0 is any that is free. Says so on standard output.
pub(crate) async fn listen(service: &str, default_port: u16) -> Result<TcpListener> {
    let port = match env::var("PORT") {
        Ok(port) => port
            .parse()
            .with_context(|| format!("PORT={port} is no port"))?,
        Err(_) => default_port,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("{service} can't listen on port {port}"))?;
    println!("{service} listens on http://{}", listener.local_addr()?);
    Ok(listener)
}
