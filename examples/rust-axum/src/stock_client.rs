//! The shop's calls to the warehouse.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use backtrail::http::client::TracedRequest as _;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

/// A warehouse that does not answer holds no order up for longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the warehouse is.
#[derive(Debug, Clone)]
pub struct StockClient {
    client: Client,
    url: Url,
}

/// What the warehouse has put aside.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reserved {
    /// The name of the article.
    pub article: String,
    /// How many are left in stock.
    pub left: i64,
}

impl StockClient {
    /// A client of the warehouse at this address, like `http://127.0.0.1:3001`.
    pub fn new(url: &str) -> Result<Self> {
        let url: Url = url
            .parse()
            .with_context(|| format!("{url} is no address of a warehouse"))?;
        ensure!(
            !url.cannot_be_a_base(),
            "{url} is no address of a warehouse"
        );
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, url })
    }

    /// Asks the warehouse to put articles aside. `traced` adds the `traceparent` header that joins both services' spans in one trace.
    pub async fn reserve(&self, article: &str, count: u32) -> Result<Reserved, reqwest::Error> {
        let url = self.reservations(article, count);
        let response = self.client.post(url).traced().await?;
        response.error_for_status()?.json().await
    }

    fn reservations(&self, article: &str, count: u32) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["stock", article, "reservations"]);
        }
        url.query_pairs_mut()
            .append_pair("count", &count.to_string());
        url
    }
}
