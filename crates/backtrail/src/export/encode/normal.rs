//! What the encoders do to attributes, done to the SDK's data itself: for exporters that take it as it is.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::attributes::{cut, for_each_last};

/// Leaves each key once, with its last value, and cuts values as the limits say.
pub(crate) fn normalize(span: &mut SpanData, limits: &EncodeLimits) {
    normalize_list(&mut span.attributes, limits);
    for event in &mut span.events.events {
        normalize_list(&mut event.attributes, limits);
    }
    for link in &mut span.links.links {
        normalize_list(&mut link.attributes, limits);
    }
}

fn normalize_list(attributes: &mut Vec<KeyValue>, limits: &EncodeLimits) {
    let mut kept = Vec::with_capacity(attributes.len());
    for_each_last(attributes, |attribute| kept.push(attribute.clone()));
    if limits.attribute_value_len.is_some() {
        for attribute in &mut kept {
            cut_value(&mut attribute.value, limits.attribute_value_len);
        }
    }
    *attributes = kept;
}

fn cut_value(value: &mut Value, max_chars: Option<usize>) {
    match value {
        Value::String(text) => cut_text(text, max_chars),
        Value::Array(Array::String(texts)) => {
            for text in texts {
                cut_text(text, max_chars);
            }
        }
        _ => {}
    }
}

fn cut_text(text: &mut StringValue, max_chars: Option<usize>) {
    let kept = cut(text.as_str(), max_chars);
    if kept.len() < text.as_str().len() {
        *text = kept.to_owned().into();
    }
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary::plain_span;
    use super::*;

    #[test]
    fn keys_are_unique_and_values_are_cut() {
        let mut span = SpanData {
            attributes: vec![
                KeyValue::new("a", "first"),
                KeyValue::new("b", 1),
                KeyValue::new("a", "later"),
            ],
            ..plain_span()
        };
        let limits = EncodeLimits {
            attribute_value_len: Some(3),
        };
        normalize(&mut span, &limits);
        assert_eq!(
            span.attributes,
            [KeyValue::new("b", 1), KeyValue::new("a", "lat")]
        );
    }
}
