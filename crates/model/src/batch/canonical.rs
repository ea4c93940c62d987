//! One form for equal spans, to find a client's repeats.

use backtrail_wire::WireError;
use backtrail_wire::otlp::{AnyValue, Attributes, put_any_value};
use backtrail_wire::protobuf::{put_bytes, put_message, put_str};

use super::SpanColumns;

impl SpanColumns<'_> {
    /// Bytes that are equal exactly for spans that are equal in everything, resource and scope included, however their attributes were encoded.
    ///
    /// Two encoders may write one value in two ways (a default written or left out, fields in another order), and a block writes attributes in its own way.
    /// So a repeat that is in a block and in the memtable is only found in a form that both share.
    pub fn canonical(&self, row: usize) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, self.resource(row));
        put_bytes(&mut out, 2, self.scope(row));
        let mut span = Vec::new();
        self.put_intrinsics(row, &mut span)?;
        put_bytes(&mut out, 3, &span);
        put_canonical_list(&mut out, 4, self.attributes(row))?;
        for event in self.event_rows(row) {
            put_str(&mut out, 5, self.events.names.value(event));
            put_bytes(&mut out, 6, &self.events.times.value(event).to_le_bytes());
            let dropped = self.events.dropped_attributes_counts.value(event);
            put_bytes(&mut out, 7, &dropped.to_le_bytes());
            put_canonical_list(&mut out, 8, self.events.attributes(event))?;
        }
        Ok(out)
    }
}

fn put_canonical_list(
    out: &mut Vec<u8>,
    number: u32,
    attributes: Attributes<'_>,
) -> Result<(), WireError> {
    for attribute in attributes.iter() {
        let attribute = attribute?;
        let mut result = Ok(());
        put_message(out, number, |out| {
            put_str(out, 1, attribute.key);
            result = put_canonical_value(out, 2, attribute.value);
        });
        result?;
    }
    Ok(())
}

fn put_canonical_value(
    out: &mut Vec<u8>,
    number: u32,
    value: AnyValue<'_>,
) -> Result<(), WireError> {
    let mut result = Ok(());
    put_message(out, number, |out| match value {
        AnyValue::Array(array) => put_message(out, 5, |out| {
            result = array
                .iter()
                .try_for_each(|item| put_canonical_value(out, 1, item?));
        }),
        AnyValue::Map(map) => {
            put_message(out, 6, |out| result = put_canonical_list(out, 1, map));
        }
        scalar => put_any_value(out, scalar),
    });
    result
}
