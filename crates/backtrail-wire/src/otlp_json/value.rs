//! `KeyValue`, `AnyValue` and the lists that an `AnyValue` may hold.

use serde::de::MapAccess;

use super::object::{Context, Message, put_object, put_object_apart, put_objects, skip};
use super::scalar::{put_base64, put_bool, put_float, put_int64_or_double, put_text};
use crate::RejectReason;

/// Every so many levels a value gets a reader of its own. A level takes up to four of the 128 that `serde_json` allows.
const LEVELS_PER_READER: usize = 16;

/// `KeyValue`.
#[derive(Clone, Copy)]
pub(super) struct KeyValue<'c> {
    context: Context<'c>,
    /// Levels of lists and maps around it.
    depth: usize,
}

impl<'c> KeyValue<'c> {
    /// An attribute of a span, or of something else that has attributes.
    pub(super) const fn attribute(context: Context<'c>) -> Self {
        Self { context, depth: 0 }
    }
}

impl Message for KeyValue<'_> {
    const NAME: &'static str = "KeyValue";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let Self { context, depth } = self;
        match name {
            "key" => put_text(map, out, 1),
            "value" => put_object(map, out, 2, AnyValue { context, depth }),
            _ => skip(map),
        }
    }
}

/// `AnyValue`.
#[derive(Clone, Copy)]
pub(super) struct AnyValue<'c> {
    context: Context<'c>,
    depth: usize,
}

impl<'c> AnyValue<'c> {
    /// A value that is in no other.
    pub(super) const fn outermost(context: Context<'c>) -> Self {
        Self { context, depth: 0 }
    }

    fn put_nested<'de, A: MapAccess<'de>>(
        self,
        map: &mut A,
        out: &mut Vec<u8>,
        number: u32,
        message: impl Message,
    ) -> Result<(), A::Error> {
        let max_depth = self.context.max_value_depth;
        if self.depth >= max_depth {
            return Err(self.context.fail(
                RejectReason::TooDeep,
                crate::WireError::TooDeep { limit: max_depth },
            ));
        }
        if (self.depth + 1).is_multiple_of(LEVELS_PER_READER) {
            put_object_apart(map, out, number, message)
        } else {
            put_object(map, out, number, message)
        }
    }
}

impl Message for AnyValue<'_> {
    const NAME: &'static str = "AnyValue";
    /// A JavaScript array with holes, written by hand.
    const NULL_IS_EMPTY: bool = true;

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let context = self.context;
        let depth = self.depth + 1;
        match name {
            "stringValue" | "string_value" => put_text(map, out, 1),
            "boolValue" | "bool_value" => put_bool(map, out, 2),
            "intValue" | "int_value" => put_int64_or_double(map, out, 3, 4),
            "doubleValue" | "double_value" => put_float(map, out, 4),
            "arrayValue" | "array_value" => {
                self.put_nested(map, out, 5, ArrayValue { context, depth })
            }
            "kvlistValue" | "kvlist_value" => {
                self.put_nested(map, out, 6, KeyValueList { context, depth })
            }
            "bytesValue" | "bytes_value" => put_base64(map, out, 7),
            _ => skip(map),
        }
    }
}

/// `ArrayValue`.
#[derive(Clone, Copy)]
struct ArrayValue<'c> {
    context: Context<'c>,
    depth: usize,
}

impl Message for ArrayValue<'_> {
    const NAME: &'static str = "ArrayValue";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let Self { context, depth } = self;
        match name {
            "values" => put_objects(map, out, 1, AnyValue { context, depth }),
            _ => skip(map),
        }
    }
}

/// `KeyValueList`.
#[derive(Clone, Copy)]
struct KeyValueList<'c> {
    context: Context<'c>,
    depth: usize,
}

impl Message for KeyValueList<'_> {
    const NAME: &'static str = "KeyValueList";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let Self { context, depth } = self;
        match name {
            "values" => put_objects(map, out, 1, KeyValue { context, depth }),
            _ => skip(map),
        }
    }
}
