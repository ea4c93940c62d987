//! Which attribute keys a block has.

use backtrail_wire::otlp::{ResourceSpans, ScopeSpans};
use hashbrown::HashSet;
use model::SpanColumns;

use crate::footer::Keys;

/// Distinct resource, event or scope keys that are listed.
const MAX_KEYS: usize = 10_000;

/// The attribute keys of resources and scopes.
pub(crate) struct EnvelopeKeys {
    pub(crate) resource: Keys,
    pub(crate) instrumentation: Keys,
}

pub(crate) fn envelope_keys(columns: &SpanColumns<'_>) -> Result<EnvelopeKeys, model::WireError> {
    let mut resource = KeySet::default();
    let mut list = Vec::new();
    for envelope in columns.resource_envelopes.iter().flatten() {
        list.clear();
        let view = ResourceSpans::new(envelope);
        view.put_attributes(&mut list)?;
        resource.add(&list)?;
    }
    let mut instrumentation = KeySet::default();
    for envelope in columns.scope_envelopes.iter().flatten() {
        list.clear();
        let view = ScopeSpans::new(envelope);
        view.put_attributes(&mut list)?;
        instrumentation.add(&list)?;
    }
    instrumentation
        .keys
        .extend(["name".to_owned(), "version".to_owned()]);
    Ok(EnvelopeKeys {
        resource: resource.finish(),
        instrumentation: instrumentation.finish(),
    })
}

pub(crate) fn event_keys(columns: &SpanColumns<'_>) -> Result<Keys, model::WireError> {
    let mut event = KeySet::default();
    for attributes in columns.events.attributes.iter().flatten() {
        event.add(attributes)?;
    }
    Ok(event.finish())
}

#[derive(Default)]
struct KeySet {
    keys: HashSet<String>,
    overflow: bool,
}

impl KeySet {
    fn add(&mut self, list: &[u8]) -> Result<(), model::WireError> {
        for attribute in model::Attributes::new(list).iter() {
            let key = attribute?.key;
            if self.keys.contains(key) {
                continue;
            }
            if self.keys.len() >= MAX_KEYS {
                self.overflow = true;
                return Ok(());
            }
            self.keys.insert(key.to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Keys {
        let mut keys: Vec<String> = self.keys.into_iter().collect();
        keys.sort();
        Keys {
            keys,
            complete: !self.overflow,
        }
    }
}
