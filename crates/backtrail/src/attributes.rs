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

    /// Calls `take` with the value, if there is one, without making a copy of a text that is here. A type of yours need not say how.
    #[doc(hidden)]
    #[inline]
    fn lend_value(self, take: impl FnOnce(ValueRef<'_>))
    where
        Self: Sized,
    {
        if let Some(value) = self.into_value() {
            take(ValueRef::of(&value));
        }
    }
}

/// A value as it is written.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    Text(&'a str),
    Int(i64),
    Double(f64),
    Bool(bool),
    /// An array.
    Other(&'a Value),
}

impl<'a> ValueRef<'a> {
    #[inline]
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.as_str()),
            Value::I64(value) => Self::Int(*value),
            Value::F64(value) => Self::Double(*value),
            Value::Bool(value) => Self::Bool(*value),
            other => Self::Other(other),
        }
    }
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

    #[inline]
    fn lend_value(self, take: impl FnOnce(ValueRef<'_>)) {
        if let Some(value) = self {
            value.lend_value(take);
        }
    }
}

macro_rules! into_value {
    ($($from:ty => |$value:ident| $into:expr $(, lent $lent:expr)?;)*) => {
        $(impl IntoValue for $from {
            fn into_value(self) -> Option<Value> {
                let $value = self;
                Some($into)
            }

            $(#[inline]
            fn lend_value(self, take: impl FnOnce(ValueRef<'_>)) {
                let $value = &self;
                take($lent);
            })?
        })*
    };
}

into_value! {
    bool => |value| Value::Bool(value), lent ValueRef::Bool(*value);
    i8 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    i16 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    i32 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    i64 => |value| Value::I64(value), lent ValueRef::Int(*value);
    u8 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    u16 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    u32 => |value| Value::I64(value.into()), lent ValueRef::Int((*value).into());
    u64 => |value| integer(value);
    usize => |value| integer(value);
    isize => |value| integer(value);
    i128 => |value| integer(value);
    u128 => |value| integer(value);
    f32 => |value| Value::F64(value.into()), lent ValueRef::Double((*value).into());
    f64 => |value| Value::F64(value), lent ValueRef::Double(*value);
    char => |value| text(value.to_string());
    &str => |value| text(value.to_owned()), lent ValueRef::Text(value);
    &String => |value| text(value.clone()), lent ValueRef::Text(value);
    String => |value| text(value), lent ValueRef::Text(value);
    Cow<'_, str> => |value| text(value.into_owned()), lent ValueRef::Text(value);
    StringValue => |value| Value::String(value), lent ValueRef::Text(value.as_str());
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

    /// Calls `take` with each of them, without making the list. A type of yours need not say how.
    #[doc(hidden)]
    #[inline]
    fn lend_attributes(self, mut take: impl FnMut(&str, ValueRef<'_>))
    where
        Self: Sized,
    {
        for attribute in self.into_attributes() {
            take(attribute.key.as_str(), ValueRef::of(&attribute.value));
        }
    }
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

impl<const N: usize> IntoAttributes for [KeyValue; N] {
    fn into_attributes(self) -> Vec<KeyValue> {
        self.into()
    }

    #[inline]
    fn lend_attributes(self, mut take: impl FnMut(&str, ValueRef<'_>)) {
        for attribute in &self {
            take(attribute.key.as_str(), ValueRef::of(&attribute.value));
        }
    }
}

impl<K: Into<Key>, V: IntoValue, const N: usize> IntoAttributes for [(K, V); N] {
    fn into_attributes(self) -> Vec<KeyValue> {
        self.into_iter().filter_map(pair).collect()
    }

    #[inline]
    fn lend_attributes(self, mut take: impl FnMut(&str, ValueRef<'_>)) {
        for (key, value) in self {
            let key = key.into();
            value.lend_value(|value| take(key.as_str(), value));
        }
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
            ::std::vec::Vec::with_capacity(<[&str]>::len(&[$(stringify!($key)),*]));
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
