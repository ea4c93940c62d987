//! Headers of actix-web as a carrier. Its types are those of the crate `http` before 1.0.

use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::propagation::Extractor;

/// Reads headers. A value that is not visible ASCII is treated as if it were not there.
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
        let values = self.0.get_all(key);
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then_some(values)
    }
}
