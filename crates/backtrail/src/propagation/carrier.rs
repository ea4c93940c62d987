//! Headers of the crate `http` as carriers.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};

/// A value that no format takes for valid.
pub(crate) const NO_TEXT: &str = "\u{fffd}";

/// Reads headers. A value that is not visible ASCII is treated as if it were not there, unless there are others of its name: then they are
/// several, one of which is not valid.
#[derive(Clone, Copy, Debug)]
pub struct HeaderExtractor<'a>(pub &'a HeaderMap);

impl Extractor for HeaderExtractor<'_> {
    /// The first value of this name.
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        values.find_map(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    /// All values of this name, in the order of the request; `None` if there is none. One that is not visible ASCII among others is a replacement character:
    /// a second `traceparent` is one too many whatever is in it.
    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.get(key)?;
        let values = self.0.get_all(key).iter();
        Some(
            values
                .map(|value| value.to_str().unwrap_or(NO_TEXT))
                .collect(),
        )
    }
}

/// Writes headers. What is there under the same name is replaced; nothing is ever appended.
///
/// A name or a value that HTTP forbids, and a header too many for the map, is left out.
/// An injector can't remove: a header that the propagator does not write now, such as an empty `tracestate`, stays. Where
/// headers of an incoming request are copied to an outgoing one, remove those of [`Propagator::fields`] first.
///
/// [`Propagator::fields`]: super::Propagator::fields
#[derive(Debug)]
pub struct HeaderInjector<'a>(pub &'a mut HeaderMap);

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            // A full map is the request's own trouble: tracing must not make it fail.
            let _full = self.0.try_insert(name, value);
        }
    }

    fn reserve(&mut self, additional: usize) {
        let _full = self.0.try_reserve(additional);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_of_a_name_are_read_in_order() {
        let mut headers = HeaderMap::new();
        headers.append("tracestate", HeaderValue::from_static("a=1"));
        headers.append("other", HeaderValue::from_static("x"));
        headers.append("tracestate", HeaderValue::from_static("b=2"));
        let extractor = HeaderExtractor(&headers);
        assert_eq!(extractor.get("TraceState"), Some("a=1"));
        assert_eq!(extractor.get_all("TraceState"), Some(vec!["a=1", "b=2"]));
        assert_eq!(extractor.get_all("traceparent"), None);
    }

    #[test]
    fn a_value_that_is_not_visible_ascii_is_absent() {
        let mut headers = HeaderMap::new();
        headers.append("b3", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(HeaderExtractor(&headers).get("b3"), None);
        assert_eq!(HeaderExtractor(&headers).get_all("b3"), None);
        headers.append("b3", HeaderValue::from_static("0"));
        assert_eq!(HeaderExtractor(&headers).get("b3"), Some("0"));
        assert_eq!(
            HeaderExtractor(&headers).get_all("b3"),
            Some(vec![NO_TEXT, "0"])
        );
    }

    #[test]
    fn what_was_there_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.append("b3", HeaderValue::from_static("0"));
        headers.append("b3", HeaderValue::from_static("1"));
        HeaderInjector(&mut headers).set("B3", "d".to_owned());
        let values: Vec<_> = headers.get_all("b3").iter().collect();
        assert_eq!(values, ["d"]);
    }

    #[test]
    fn what_http_forbids_is_left_out() {
        let mut headers = HeaderMap::new();
        HeaderInjector(&mut headers).set("b3\r\nx", "0".to_owned());
        HeaderInjector(&mut headers).set("b3", "0\r\nx: 1".to_owned());
        assert!(headers.is_empty());
    }
}
