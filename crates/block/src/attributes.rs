//! Attribute lists as columns, without loss.
//!
//! A key and type that at least one span in a hundred has becomes a column of its own, at most 200 of them. What else a span has
//! stays in the column `attributes`, as the `KeyValueList` it was. The column `attribute_order` says how both go together again: a varint an attribute, the ordinal of a column or 0 for the
//! next one of the list. Spans of one place in a program have the same order, so that it costs next to nothing. An empty order means that all attributes are in the list.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{DataType, Field};
use backtrail_wire::otlp::put_key_value;
use backtrail_wire::protobuf::{put_bytes, put_varint};
use hashbrown::HashMap;
use model::{AttributeValue, Attributes, WireError};

use crate::footer::{KeyColumn, SpanKey, ValueType};

/// A key needs one value in so many spans to get a column.
const COLUMN_SHARE: u64 = 100;
/// Columns of attributes in a block at most.
const MAX_COLUMNS: usize = 200;
/// Keys that are counted at most; those that come later get no column, and the catalogue says that it is not complete.
const MAX_KEYS: usize = 10_000;

impl ValueType {
    fn of(value: &AttributeValue<'_>) -> Option<Self> {
        match value {
            AttributeValue::String(_) => Some(Self::String),
            AttributeValue::Int(_) => Some(Self::Int),
            AttributeValue::Double(_) => Some(Self::Double),
            AttributeValue::Bool(_) => Some(Self::Bool),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Bool => "bool",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }
}

#[derive(Default, Clone, Copy)]
struct KeyCount {
    typed: [u64; 4],
    other: u64,
}

/// Counts keys and types, to choose the columns.
#[derive(Default)]
pub(crate) struct KeyCounter {
    counts: HashMap<String, KeyCount>,
    rows: u64,
    incomplete: bool,
}

impl KeyCounter {
    pub(crate) fn add(&mut self, attributes: Attributes<'_>) -> Result<(), WireError> {
        self.rows += 1;
        for attribute in attributes.iter() {
            let attribute = attribute?;
            if self.counts.len() == MAX_KEYS && !self.counts.contains_key(attribute.key) {
                self.incomplete = true;
                continue;
            }
            let count = self.counts.entry_ref(attribute.key).or_default();
            match ValueType::of(&attribute.value) {
                Some(value_type) => count.typed[value_type as usize] += 1,
                None => count.other += 1,
            }
        }
        Ok(())
    }

    /// The keys with the columns that they get, sorted by key, and whether all keys are there.
    pub(crate) fn plan(&self) -> (Vec<SpanKey>, bool) {
        const TYPES: [ValueType; 4] = [
            ValueType::String,
            ValueType::Int,
            ValueType::Double,
            ValueType::Bool,
        ];
        let mut candidates: Vec<(u64, &str, ValueType)> = Vec::new();
        for (key, count) in &self.counts {
            for value_type in TYPES {
                let values = count.typed[value_type as usize];
                if values > 0 && values.saturating_mul(COLUMN_SHARE) >= self.rows {
                    candidates.push((values, key, value_type));
                }
            }
        }
        candidates.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        candidates.truncate(MAX_COLUMNS);

        let mut keys: Vec<SpanKey> = (self.counts.keys())
            .map(|key| SpanKey {
                key: key.clone(),
                columns: Vec::new(),
                residual: 0,
            })
            .collect();
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        for (index, (_, key, value_type)) in candidates.into_iter().enumerate() {
            let Ok(position) = keys.binary_search_by(|entry| entry.key.as_str().cmp(key)) else {
                continue;
            };
            let columns = &mut keys[position].columns;
            // The most frequent type has the plain name, which people will type into another engine.
            let name = if columns.is_empty() {
                format!("span.{key}")
            } else {
                format!("span.{key}:{}", value_type.name())
            };
            columns.push(KeyColumn {
                name,
                value_type,
                values: 0,
                ordinal: index as u32 + 1,
            });
        }
        (keys, !self.incomplete)
    }
}

enum ColumnBuilder {
    String(StringBuilder),
    Int(Int64Builder),
    Double(Float64Builder),
    Bool(BooleanBuilder),
}

impl ColumnBuilder {
    fn new(value_type: ValueType) -> Self {
        match value_type {
            ValueType::String => Self::String(StringBuilder::new()),
            ValueType::Int => Self::Int(Int64Builder::new()),
            ValueType::Double => Self::Double(Float64Builder::new()),
            ValueType::Bool => Self::Bool(BooleanBuilder::new()),
        }
    }

    fn append(&mut self, value: Option<AttributeValue<'_>>) {
        match (self, value) {
            (Self::String(builder), Some(AttributeValue::String(value))) => {
                builder.append_value(value);
            }
            (Self::String(builder), _) => builder.append_null(),
            (Self::Int(builder), Some(AttributeValue::Int(value))) => builder.append_value(value),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Double(builder), Some(AttributeValue::Double(value))) => {
                builder.append_value(value);
            }
            (Self::Double(builder), _) => builder.append_null(),
            (Self::Bool(builder), Some(AttributeValue::Bool(value))) => builder.append_value(value),
            (Self::Bool(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::String(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Where the values of a key go: for each type the index of its column, and the index of the key.
#[derive(Clone, Copy)]
struct Route {
    columns: [Option<usize>; 4],
    key: usize,
}

/// Splits attribute lists into columns.
pub(crate) struct Splitter {
    keys: Vec<SpanKey>,
    routes: HashMap<String, Route>,
    /// The key that stood at each position of the last span, and its route: the next span mostly has the same.
    positions: Vec<(String, Option<Route>)>,
    columns: Vec<(ColumnBuilder, u64)>,
    /// The row, counted from 1, in which a column last got a value.
    filled_in: Vec<u64>,
    row: u64,
    order: BinaryBuilder,
    residual: BinaryBuilder,
    order_scratch: Vec<u8>,
    residual_scratch: Vec<u8>,
}

impl Splitter {
    pub(crate) fn new(keys: Vec<SpanKey>) -> Self {
        let mut routes = HashMap::new();
        let mut types: Vec<Option<ValueType>> =
            vec![None; keys.iter().map(|key| key.columns.len()).sum()];
        for (key, entry) in keys.iter().enumerate() {
            let mut route = Route {
                columns: [None; 4],
                key,
            };
            for column in &entry.columns {
                let index = column.ordinal as usize - 1;
                route.columns[column.value_type as usize] = Some(index);
                types[index] = Some(column.value_type);
            }
            routes.insert(entry.key.clone(), route);
        }
        let columns: Vec<_> = types
            .into_iter()
            .flatten()
            .map(|value_type| (ColumnBuilder::new(value_type), 0))
            .collect();
        Self {
            keys,
            routes,
            positions: Vec::new(),
            filled_in: vec![0; columns.len()],
            columns,
            row: 0,
            order: BinaryBuilder::new(),
            residual: BinaryBuilder::new(),
            order_scratch: Vec::new(),
            residual_scratch: Vec::new(),
        }
    }

    fn route(&mut self, position: usize, key: &str) -> Option<Route> {
        if let Some((known, route)) = self.positions.get(position)
            && known == key
        {
            return *route;
        }
        let route = self.routes.get(key).copied();
        if position < self.positions.len() {
            let (known, known_route) = &mut self.positions[position];
            known.clear();
            known.push_str(key);
            *known_route = route;
        } else if position == self.positions.len() && position < 256 {
            self.positions.push((key.to_owned(), route));
        }
        route
    }

    pub(crate) fn push(&mut self, attributes: Attributes<'_>) -> Result<(), WireError> {
        self.row += 1;
        self.order_scratch.clear();
        self.residual_scratch.clear();
        let mut in_columns = 0;
        for (position, attribute) in attributes.iter().enumerate() {
            let attribute = attribute?;
            let route = self.route(position, attribute.key);
            let column =
                route.and_then(|route| route.columns[ValueType::of(&attribute.value)? as usize]);
            match column {
                Some(column) if self.filled_in[column] != self.row => {
                    self.filled_in[column] = self.row;
                    let (builder, values) = &mut self.columns[column];
                    builder.append(Some(attribute.value));
                    *values += 1;
                    in_columns += 1;
                    put_varint(&mut self.order_scratch, column as u64 + 1);
                }
                _ => {
                    put_bytes(&mut self.residual_scratch, 1, attribute.raw);
                    self.order_scratch.push(0);
                    if let Some(route) = route {
                        self.keys[route.key].residual += 1;
                    }
                }
            }
        }
        for (index, (builder, _)) in self.columns.iter_mut().enumerate() {
            if self.filled_in[index] != self.row {
                builder.append(None);
            }
        }
        self.order.append_value(if in_columns == 0 {
            &[]
        } else {
            self.order_scratch.as_slice()
        });
        self.residual
            .append_option((!self.residual_scratch.is_empty()).then_some(&self.residual_scratch));
        Ok(())
    }

    /// The columns of the rows pushed since the last call: those of attributes by ordinal, then `attribute_order` and `attributes`.
    pub(crate) fn take(&mut self) -> Vec<ArrayRef> {
        let mut arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|(builder, _)| builder.finish())
            .collect();
        arrays.push(Arc::new(self.order.finish()));
        arrays.push(Arc::new(self.residual.finish()));
        arrays
    }

    /// The fields of what [`Splitter::take`] gives.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<(u32, Field)> = self
            .keys
            .iter()
            .flat_map(|key| &key.columns)
            .map(|column| {
                (
                    column.ordinal,
                    Field::new(&column.name, column.value_type.data_type(), true),
                )
            })
            .collect();
        fields.sort_by_key(|(ordinal, _)| *ordinal);
        fields
            .into_iter()
            .map(|(_, field)| field)
            .chain([
                Field::new("attribute_order", DataType::Binary, false),
                Field::new("attributes", DataType::Binary, true),
            ])
            .collect()
    }

    /// The keys with the numbers of values that went to each place.
    pub(crate) fn into_keys(mut self) -> Vec<SpanKey> {
        for column in self.keys.iter_mut().flat_map(|key| &mut key.columns) {
            column.values = self.columns[column.ordinal as usize - 1].1;
        }
        self.keys
    }
}

/// A column of attributes that was read, by ordinal.
struct JoinColumn<'a> {
    key: &'a str,
    value_type: ValueType,
    array: &'a ArrayRef,
}

/// Puts attribute lists together again.
pub(crate) struct Joiner<'a> {
    columns: Vec<Option<JoinColumn<'a>>>,
    order: &'a BinaryArray,
    residual: &'a BinaryArray,
}

impl<'a> Joiner<'a> {
    /// `batch` must have all columns that [`Splitter::fields`] named. `None` when one is missing.
    pub(crate) fn new(keys: &'a [SpanKey], batch: &'a RecordBatch) -> Option<Self> {
        let count = keys.iter().map(|key| key.columns.len()).sum();
        let mut columns: Vec<Option<JoinColumn<'a>>> = (0..count).map(|_| None).collect();
        for entry in keys {
            for column in &entry.columns {
                let array = batch.column_by_name(&column.name)?;
                let place = columns.get_mut((column.ordinal as usize).checked_sub(1)?)?;
                *place = Some(JoinColumn {
                    key: &entry.key,
                    value_type: column.value_type,
                    array,
                });
            }
        }
        Some(Self {
            columns,
            order: batch.column_by_name("attribute_order")?.as_binary_opt()?,
            residual: batch.column_by_name("attributes")?.as_binary_opt()?,
        })
    }

    /// Appends the `KeyValueList` of a row. `None` when the columns contradict each other.
    pub(crate) fn put_row(&self, row: usize, out: &mut Vec<u8>) -> Option<()> {
        let residual = if self.residual.is_valid(row) {
            self.residual.value(row)
        } else {
            &[]
        };
        let mut order = self.order.value(row);
        if order.is_empty() {
            out.extend_from_slice(residual);
            return Some(());
        }
        let mut entries = Attributes::new(residual).raw_entries();
        while !order.is_empty() {
            match read_varint(&mut order)? {
                0 => put_bytes(out, 1, entries.next()?.ok()?),
                ordinal => {
                    let column = self.columns.get(ordinal as usize - 1)?.as_ref()?;
                    put_key_value(out, 1, column.key, column.value(row)?);
                }
            }
        }
        Some(())
    }
}

impl<'a> JoinColumn<'a> {
    fn value(&self, row: usize) -> Option<AttributeValue<'a>> {
        value_at(self.array, self.value_type, row)
    }
}

/// The value of an attribute's column in a row.
pub(crate) fn value_at(
    array: &ArrayRef,
    value_type: ValueType,
    row: usize,
) -> Option<AttributeValue<'_>> {
    if array.is_null(row) {
        return None;
    }
    Some(match value_type {
        ValueType::String => AttributeValue::String(array.as_string_opt::<i32>()?.value(row)),
        ValueType::Int => AttributeValue::Int(array.as_primitive_opt::<Int64Type>()?.value(row)),
        ValueType::Double => {
            AttributeValue::Double(array.as_primitive_opt::<Float64Type>()?.value(row))
        }
        ValueType::Bool => AttributeValue::Bool(array.as_boolean_opt()?.value(row)),
    })
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::Schema;
    use backtrail_wire::otlp::ArrayValue;
    use proptest::prelude::*;

    fn list(attributes: &[(String, u8)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, kind) in attributes {
            let value = match kind {
                0 => AttributeValue::String("text"),
                1 => AttributeValue::String(""),
                2 => AttributeValue::Int(-7),
                3 => AttributeValue::Double(-0.0),
                4 => AttributeValue::Bool(false),
                5 => AttributeValue::Empty,
                6 => AttributeValue::Bytes(&[0xff]),
                _ => AttributeValue::Array(ArrayValue::new(&[])),
            };
            put_key_value(&mut out, 1, key, value);
        }
        out
    }

    proptest! {
        #[test]
        fn what_was_split_is_joined_to_the_same_list(
            rows in prop::collection::vec(prop::collection::vec(("[a-d]?", 0u8..8), 0..8), 1..60)
        ) {
            let lists: Vec<_> = rows.iter().map(|row| list(row)).collect();
            let mut counter = KeyCounter::default();
            for list in &lists {
                counter.add(Attributes::new(list)).unwrap();
            }
            let (keys, complete) = counter.plan();
            prop_assert!(complete);
            let mut splitter = Splitter::new(keys);
            for list in &lists {
                splitter.push(Attributes::new(list)).unwrap();
            }
            let schema = Arc::new(Schema::new(splitter.fields()));
            let batch = RecordBatch::try_new(schema, splitter.take()).unwrap();
            let keys = splitter.into_keys();
            let joiner = Joiner::new(&keys, &batch).unwrap();
            for (row, list) in lists.iter().enumerate() {
                let mut joined = Vec::new();
                joiner.put_row(row, &mut joined).unwrap();
                prop_assert_eq!(&joined, list);
            }
            let values: u64 = keys.iter().flat_map(|key| &key.columns).map(|column| column.values).sum();
            let residual: u64 = keys.iter().map(|key| key.residual).sum();
            prop_assert_eq!((values + residual) as usize, rows.iter().map(Vec::len).sum::<usize>());
        }
    }
}
