//! JSON objects and lists as protobuf messages and repeated fields.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Display};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::RejectReason;
use crate::json::detail;
use crate::protobuf::begin_message;

/// What the readers of one span share.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    /// Levels of arrays and maps that an attribute value may have.
    pub max_value_depth: usize,
    /// Why reading failed. `serde`'s errors are text, so the reason goes beside them.
    pub reason: &'c Cell<RejectReason>,
}

impl Context<'_> {
    pub(super) fn fail<E: serde::de::Error>(self, reason: RejectReason, detail: impl Display) -> E {
        self.reason.set(reason);
        E::custom(detail)
    }
}

/// The members of a JSON object, read one by one.
pub(super) trait Members {
    /// What the object is, for errors.
    const NAME: &'static str;

    /// Reads the value of the member `name` from `map`, also when it is ignored.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object; `false` when there is `null` instead.
pub(super) struct Object<M>(pub M);

impl<'de, M: Members> DeserializeSeed<'de> for Object<M> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, M: Members> Visitor<'de> for Object<M> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", M::NAME)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            self.0.member(&name, &mut map)?;
        }
        Ok(true)
    }
}

/// The elements of a JSON list, read one by one.
pub(super) trait Elements {
    /// What the list is, for errors.
    const NAME: &'static str;

    /// Reads one element; `false` when there is none left.
    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error>;
}

/// Reads a list; `null` is an empty one.
pub(super) struct List<E>(pub E);

impl<'de, L: Elements> DeserializeSeed<'de> for List<L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, L: Elements> Visitor<'de> for List<L> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list ({})", L::NAME)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while self.0.element(&mut list)? {}
        Ok(())
    }
}

/// A protobuf message whose fields are the members of a JSON object.
pub(super) trait Message: Copy {
    /// The message's name, for errors.
    const NAME: &'static str;
    /// Whether `null` in a list of such messages is an empty message, instead of an error.
    const NULL_IS_EMPTY: bool = false;

    /// Appends the field that the member `name` is, with the value that `map` has for it.
    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error>;
}

/// The fields of a message, on their way to `out`.
pub(super) struct Body<'o, M> {
    pub message: M,
    pub out: &'o mut Vec<u8>,
}

impl<M: Message> Members for Body<'_, M> {
    const NAME: &'static str = M::NAME;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.message.field(name, map, self.out)
    }
}

/// Appends an object as the message field `number`; `null` appends nothing.
pub(super) fn put_object<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    message: impl Message,
) -> Result<(), A::Error> {
    let open = begin_message(out, number);
    if map.next_value_seed(Object(Body { message, out }))? {
        open.end(out);
    } else {
        open.discard(out);
    }
    Ok(())
}

/// Appends a list of objects as the repeated message field `number`.
pub(super) fn put_objects<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    message: impl Message,
) -> Result<(), A::Error> {
    map.next_value_seed(List(Repeated {
        message,
        number,
        out,
    }))
}

struct Repeated<'o, M> {
    message: M,
    number: u32,
    out: &'o mut Vec<u8>,
}

impl<M: Message> Elements for Repeated<'_, M> {
    const NAME: &'static str = M::NAME;

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let open = begin_message(self.out, self.number);
        let body = Body {
            message: self.message,
            out: self.out,
        };
        match list.next_element_seed(Object(body))? {
            Some(is_object) if is_object || M::NULL_IS_EMPTY => {
                open.end(self.out);
                Ok(true)
            }
            Some(_) => Err(A::Error::custom(format_args!(
                "null in a list of {}",
                M::NAME
            ))),
            None => {
                open.discard(self.out);
                Ok(false)
            }
        }
    }
}

/// As [`put_object`], with a reader of its own: `serde_json` counts levels from anew in it.
pub(super) fn put_object_apart<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    message: impl Message,
) -> Result<(), A::Error> {
    let Some(raw) = map.next_value::<Option<&RawValue>>()? else {
        return Ok(());
    };
    let open = begin_message(out, number);
    read_object(raw, message, out).map_err(|error| A::Error::custom(detail(&error)))?;
    open.end(out);
    Ok(())
}

/// Appends the fields of the message that `raw` holds. `null` has none.
pub(super) fn read_object(
    raw: &RawValue,
    message: impl Message,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    Object(Body { message, out }).deserialize(&mut json)?;
    Ok(())
}

/// Passes over a member that is not known.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>()?;
    Ok(())
}

/// The name of a member; borrowed unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
