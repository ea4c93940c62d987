//! What may be an attribute, and how it becomes one.

use std::borrow::Cow;

use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

/// A value that an attribute can have.
///
/// Numbers that do not fit into 64 bits with a sign become text; so nothing wraps around. `None` sets no attribute at all.
/// Strings that are not `'static` are copied; an [`opentelemetry::Value`] is taken as it is.
pub trait IntoValue {
    /// The value, or nothing when there is none.
    fn into_value(self) -> Option<Value>;
}

impl IntoValue for Value {
    fn into_value(self) -> Option<Value> {
        Some(self)
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(IntoValue::into_value)
    }
}

macro_rules! into_value {
    ($($from:ty => |$value:ident| $into:expr;)*) => {
        $(impl IntoValue for $from {
            fn into_value(self) -> Option<Value> {
                let $value = self;
                Some($into)
            }
        })*
    };
}

into_value! {
    bool => |value| Value::Bool(value);
    i8 => |value| Value::I64(value.into());
    i16 => |value| Value::I64(value.into());
    i32 => |value| Value::I64(value.into());
    i64 => |value| Value::I64(value);
    u8 => |value| Value::I64(value.into());
    u16 => |value| Value::I64(value.into());
    u32 => |value| Value::I64(value.into());
    u64 => |value| integer(value);
    usize => |value| integer(value);
    isize => |value| integer(value);
    i128 => |value| integer(value);
    u128 => |value| integer(value);
    f32 => |value| Value::F64(value.into());
    f64 => |value| Value::F64(value);
    char => |value| text(value.to_string());
    &str => |value| text(value.to_owned());
    &String => |value| text(value.clone());
    String => |value| text(value);
    Cow<'_, str> => |value| text(value.into_owned());
    StringValue => |value| Value::String(value);
    Vec<bool> => |value| Value::Array(Array::Bool(value));
    Vec<i64> => |value| Value::Array(Array::I64(value));
    Vec<f64> => |value| Value::Array(Array::F64(value));
    Vec<String> => |value| strings(value);
    Vec<&str> => |value| strings(value.into_iter().map(str::to_owned));
    &[bool] => |value| Value::Array(Array::Bool(value.to_vec()));
    &[i64] => |value| Value::Array(Array::I64(value.to_vec()));
    &[f64] => |value| Value::Array(Array::F64(value.to_vec()));
    &[String] => |value| strings(value.iter().cloned());
    &[&str] => |value| strings(value.iter().map(|&each| each.to_owned()));
}

fn integer<T: TryInto<i64> + ToString + Copy>(value: T) -> Value {
    value
        .try_into()
        .map_or_else(|_| text(value.to_string()), Value::I64)
}

fn text(value: String) -> Value {
    Value::String(value.into())
}

fn strings(values: impl IntoIterator<Item = String>) -> Value {
    Value::Array(Array::String(values.into_iter().map(Into::into).collect()))
}

/// A list of attributes: `()` for none, pairs whose values are of one type, [`KeyValue`]s, or what
/// [`attributes!`](crate::attributes!) makes.
pub trait IntoAttributes {
    /// The list; pairs without a value are not in it.
    fn into_attributes(self) -> Vec<KeyValue>;
}

impl IntoAttributes for () {
    fn into_attributes(self) -> Vec<KeyValue> {
        Vec::new()
    }
}

impl IntoAttributes for Vec<KeyValue> {
    fn into_attributes(self) -> Vec<KeyValue> {
        self
    }
}

/// Room for what is set while a span runs (a status code, an error's type): without it the list would move when the first of them comes.
#[doc(hidden)]
pub const SPARE_ATTRIBUTES: usize = 4;

impl<const N: usize> IntoAttributes for [KeyValue; N] {
    #[inline]
    fn into_attributes(self) -> Vec<KeyValue> {
        let mut list = Vec::with_capacity(N + SPARE_ATTRIBUTES);
        list.extend(self);
        list
    }
}

impl<K: Into<Key>, V: IntoValue, const N: usize> IntoAttributes for [(K, V); N] {
    fn into_attributes(self) -> Vec<KeyValue> {
        let mut list = Vec::with_capacity(N + SPARE_ATTRIBUTES);
        list.extend(self.into_iter().filter_map(pair));
        list
    }
}

impl<K: Into<Key>, V: IntoValue> IntoAttributes for Vec<(K, V)> {
    fn into_attributes(self) -> Vec<KeyValue> {
        self.into_iter().filter_map(pair).collect()
    }
}

fn pair<K: Into<Key>, V: IntoValue>((key, value): (K, V)) -> Option<KeyValue> {
    Some(KeyValue::new(key, value.into_value()?))
}

/// A list of attributes whose values are of different types.
///
/// ```
/// let id = 7_u64;
/// let coupon: Option<&str> = None;
/// let list = backtrail::attributes!["order.id" => id, "order.express" => true, "order.coupon" => coupon];
/// assert_eq!(list.len(), 2, "what is `None` is left out");
/// ```
#[macro_export]
macro_rules! attributes {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "an empty list is not changed")]
        let mut list: ::std::vec::Vec<$crate::KeyValue> =
            ::std::vec::Vec::with_capacity(<[&str]>::len(&[$(stringify!($key)),*]) + $crate::SPARE_ATTRIBUTES);
        $(if let ::core::option::Option::Some(value) = $crate::IntoValue::into_value($value) {
            list.push($crate::KeyValue::new($key, value));
        })*
        list
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_do_not_fit_become_text() {
        assert_eq!(7_u64.into_value(), Some(Value::I64(7)));
        assert_eq!(
            u64::MAX.into_value(),
            Some(Value::String("18446744073709551615".into()))
        );
        assert_eq!(
            i128::MIN.into_value(),
            Some(Value::String(i128::MIN.to_string().into()))
        );
    }

    #[test]
    fn what_is_none_is_no_attribute() {
        let list = [("a", Some(1)), ("b", None)].into_attributes();
        assert_eq!(list, [KeyValue::new("a", 1)]);
        assert_eq!(
            crate::attributes!["a" => 1.5, "b" => None::<bool>, "c" => vec!["x"]],
            [
                KeyValue::new("a", 1.5),
                KeyValue::new(
                    "c",
                    Value::Array(Array::String(vec![StringValue::from("x")]))
                )
            ]
        );
    }
}
