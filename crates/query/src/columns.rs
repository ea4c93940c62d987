//! Columns of a scan as the Arrow types that [`Field`] promises.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use arrow_array::{
    Array, DictionaryArray, FixedSizeBinaryArray, Int32Array, StringArray, UInt64Array,
};
use hashbrown::HashMap;
use model::{Field, RowSet, Scan, ScanError, SpanId, TraceId};

pub(crate) fn trace_ids(scan: &dyn Scan, rows: &RowSet) -> Result<Ids<16>, ScanError> {
    Ok(Ids(fixed(scan, Field::TraceId, rows)?))
}

pub(crate) fn span_ids(scan: &dyn Scan, rows: &RowSet) -> Result<Ids<8>, ScanError> {
    Ok(Ids(fixed(scan, Field::SpanId, rows)?))
}

pub(crate) fn parent_span_ids(scan: &dyn Scan, rows: &RowSet) -> Result<Ids<8>, ScanError> {
    Ok(Ids(fixed(scan, Field::ParentSpanId, rows)?))
}

pub(crate) fn starts(scan: &dyn Scan, rows: &RowSet) -> Result<UInt64Array, ScanError> {
    Ok(scan
        .column(Field::Start, rows)?
        .as_primitive::<UInt64Type>()
        .clone())
}

pub(crate) fn ends(scan: &dyn Scan, rows: &RowSet) -> Result<UInt64Array, ScanError> {
    Ok(scan
        .column(Field::End, rows)?
        .as_primitive::<UInt64Type>()
        .clone())
}

pub(crate) fn names(scan: &dyn Scan, rows: &RowSet) -> Result<StringArray, ScanError> {
    Ok(scan.column(Field::Name, rows)?.as_string::<i32>().clone())
}

pub(crate) fn kinds(scan: &dyn Scan, rows: &RowSet) -> Result<Int32Array, ScanError> {
    Ok(scan
        .column(Field::Kind, rows)?
        .as_primitive::<Int32Type>()
        .clone())
}

/// Null where the span has no status.
pub(crate) fn status_codes(scan: &dyn Scan, rows: &RowSet) -> Result<Int32Array, ScanError> {
    Ok(scan
        .column(Field::StatusCode, rows)?
        .as_primitive::<Int32Type>()
        .clone())
}

pub(crate) fn services(scan: &dyn Scan, rows: &RowSet) -> Result<Services, ScanError> {
    let column = scan.column(Field::Service, rows)?;
    Ok(Services(column.as_dictionary::<Int32Type>().clone()))
}

fn fixed(scan: &dyn Scan, field: Field, rows: &RowSet) -> Result<FixedSizeBinaryArray, ScanError> {
    Ok(scan.column(field, rows)?.as_fixed_size_binary().clone())
}

/// A column of ids.
pub(crate) struct Ids<const N: usize>(FixedSizeBinaryArray);

impl Ids<16> {
    pub(crate) fn get(&self, index: usize) -> TraceId {
        TraceId::from_slice(self.0.value(index)).unwrap_or_default()
    }
}

impl Ids<8> {
    pub(crate) fn get(&self, index: usize) -> SpanId {
        SpanId::from_slice(self.0.value(index)).unwrap_or_default()
    }

    /// The id, unless it is null or all zero: both say that there is none.
    pub(crate) fn get_parent(&self, index: usize) -> Option<SpanId> {
        (self.0.is_valid(index))
            .then(|| self.get(index))
            .filter(|id| !id.is_zero())
    }
}

/// The column of services' names.
pub(crate) struct Services(DictionaryArray<Int32Type>);

impl Services {
    pub(crate) fn keys(&self) -> &Int32Array {
        self.0.keys()
    }

    pub(crate) fn values(&self) -> &StringArray {
        self.0.values().as_string()
    }
}

/// Names of services by number, for comparisons across scans.
#[derive(Default)]
pub(crate) struct ServiceNames {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl ServiceNames {
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }

    pub(crate) fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }

    /// The number of each value of a column's dictionary.
    pub(crate) fn numbers_of(&mut self, services: &Services) -> Vec<u32> {
        let values = services.values();
        (0..values.len())
            .map(|index| self.number(values.value(index)))
            .collect()
    }
}
