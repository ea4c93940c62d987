//! Headers of actix-web as a carrier. Its types are those of the crate `http` before 1.0.

use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::propagation::Extractor;

use crate::propagation::NO_TEXT;

/// Reads headers, as [`HeaderExtractor`](crate::propagation::HeaderExtractor) does.
pub(super) struct ActixExtractor<'a>(pub(super) &'a HeaderMap);

impl Extractor for ActixExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key);
        values.find_map(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.get(key)?;
        let values = self.0.get_all(key);
        Some(
            values
                .map(|value| value.to_str().unwrap_or(NO_TEXT))
                .collect(),
        )
    }
}
