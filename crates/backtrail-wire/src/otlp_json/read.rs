//! The groups in a request of any signal, and what they hold one by one.

use std::cell::Cell;
use std::fmt::Display;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::object::{Context, Elements, List, Members, Object, read_object, skip};
use super::span::{Resource, Scope};
use crate::json::{JsonError, detail, json_text};
use crate::otlp::SpanLimits;
use crate::protobuf::{OpenMessage, begin_message};
use crate::{OtlpPath, RejectReason, Rejections};

/// What the groups of a request hold: spans or log records.
pub(super) trait Items: Sized {
    /// The message that a request is, for errors.
    const DATA: &'static str;
    /// What shares a resource: its message, and the names of the list.
    const RESOURCE_GROUP: &'static str;
    const RESOURCE_GROUPS: [&'static str; 2];
    /// What shares a scope: its message, and the names of the list.
    const SCOPE_GROUP: &'static str;
    const SCOPE_GROUPS: [&'static str; 2];
    /// One of them: its message, and the names of the list.
    const ITEM: &'static str;
    const ITEMS: [&'static str; 2];
    /// Whether a group of which nothing was accepted is written all the same.
    const KEEPS_EMPTY_GROUPS: bool;

    /// Writes one with [`Request::put`], or not; `false` when it is neither accepted nor rejected.
    fn take(request: &mut Request<Self>, raw: &RawValue) -> Result<bool, Fault>;

    /// How a place in the request is called.
    fn place(path: OtlpPath) -> impl Display {
        path
    }

    /// Sees the group of a resource, as protobuf, before it is decided whether it is written.
    fn see_resource_group(&mut self, _group: &[u8]) {}
}

/// Reads a request and writes what is accepted of it.
pub(super) fn read<I: Items>(
    json: &[u8],
    limits: &SpanLimits,
    items: I,
    rejected: Rejections,
) -> Result<Request<I>, JsonError> {
    let json = json_text(json)?;
    let mut request = Request {
        limits: *limits,
        reason: Cell::new(RejectReason::Malformed),
        out: Vec::with_capacity(json.len() / 2),
        accepted: 0,
        rejected,
        items,
    };
    let mut reader = serde_json::Deserializer::from_str(json);
    Object(Data {
        request: &mut request,
        next_resource: 0,
    })
    .deserialize(&mut reader)
    .and_then(|_| reader.end())
    .map_err(|error| JsonError::syntax(&error))?;
    Ok(request)
}

/// What is written of a request so far.
pub(super) struct Request<I> {
    pub limits: SpanLimits,
    reason: Cell<RejectReason>,
    pub out: Vec<u8>,
    pub accepted: usize,
    pub rejected: Rejections,
    pub items: I,
}

/// Why something can't be read or accepted.
pub(super) struct Fault {
    pub reason: RejectReason,
    pub detail: String,
}

impl<I: Items> Request<I> {
    /// Appends a message as field `number`, unless `check` says no to its bytes. On an error nothing is appended.
    pub(super) fn put(
        &mut self,
        raw: &RawValue,
        number: u32,
        read: impl FnOnce(&RawValue, Context<'_>, &mut Vec<u8>) -> serde_json::Result<()>,
        check: impl FnOnce(&[u8]) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        self.reason.set(RejectReason::Malformed);
        let context = Context {
            max_value_depth: self.limits.max_value_depth,
            reason: &self.reason,
        };
        let out = &mut self.out;
        let open = begin_message(out, number);
        let checked = read(raw, context, out)
            .map_err(|error| Fault {
                reason: self.reason.get(),
                detail: detail(&error),
            })
            .and_then(|()| check(&out[open.body()..]));
        match checked {
            Ok(true) => open.end(out),
            Ok(false) | Err(_) => open.discard(out),
        }
        checked
    }

    /// Appends a part of a group as field `number`; `null` appends nothing.
    fn put_part(
        &mut self,
        raw: Option<&RawValue>,
        number: u32,
        read: impl FnOnce(&RawValue, Context<'_>, &mut Vec<u8>) -> serde_json::Result<()>,
    ) -> Result<(), Fault> {
        raw.map_or(Ok(()), |raw| {
            self.put(raw, number, read, |_| Ok(true)).map(|_| ())
        })
    }

    fn put_schema_url(&mut self, raw: Option<&RawValue>) -> Result<(), Fault> {
        self.put_part(raw, 3, |raw, _, out| {
            let url = serde_json::from_str::<String>(raw.get())?;
            out.extend_from_slice(url.as_bytes());
            Ok(())
        })
    }

    fn begin_group(&mut self, number: u32) -> Group {
        Group {
            open: begin_message(&mut self.out, number),
            accepted_before: self.accepted,
            fault: None,
        }
    }

    /// Ends a group, or takes it back with what was accepted of it when the group itself can't be read.
    fn end_group(&mut self, group: Group, path: OtlpPath) {
        let accepted = self.accepted - group.accepted_before;
        match group.fault {
            None if accepted > 0 || I::KEEPS_EMPTY_GROUPS => group.open.end(&mut self.out),
            None => group.open.discard(&mut self.out),
            Some(fault) => {
                group.open.discard(&mut self.out);
                self.accepted = group.accepted_before;
                self.rejected
                    .add(accepted, fault.reason, I::place(path), fault.detail);
            }
        }
    }
}

/// The group of a resource or a scope that is being written.
struct Group {
    open: OpenMessage,
    accepted_before: usize,
    /// The first thing that can't be read of the group itself.
    fault: Option<Fault>,
}

impl Group {
    fn note(&mut self, read: Result<(), Fault>) {
        if let Err(fault) = read {
            self.fault.get_or_insert(fault);
        }
    }
}

struct Data<'r, I> {
    request: &'r mut Request<I>,
    next_resource: usize,
}

impl<I: Items> Members for Data<'_, I> {
    const NAME: &'static str = I::DATA;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if I::RESOURCE_GROUPS.contains(&name) {
            map.next_value_seed(List(ResourceGroups {
                request: self.request,
                next: &mut self.next_resource,
            }))
        } else {
            skip(map)
        }
    }
}

struct ResourceGroups<'r, I> {
    request: &'r mut Request<I>,
    next: &'r mut usize,
}

impl<I: Items> Elements for ResourceGroups<'_, I> {
    const NAME: &'static str = I::RESOURCE_GROUP;

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let path = OtlpPath {
            resource: *self.next,
            ..OtlpPath::default()
        };
        *self.next += 1;
        let mut group = self.request.begin_group(1);
        let read = list.next_element_seed(Object(ResourceGroup {
            request: self.request,
            group: &mut group,
            path,
            next_scope: 0,
        }))?;
        match read {
            Some(true) => {
                let Request { items, out, .. } = self.request;
                items.see_resource_group(&out[group.open.body()..]);
                self.request.end_group(group, path);
            }
            Some(false) | None => group.open.discard(&mut self.request.out),
        }
        Ok(read.is_some())
    }
}

struct ResourceGroup<'r, I> {
    request: &'r mut Request<I>,
    group: &'r mut Group,
    path: OtlpPath,
    next_scope: usize,
}

impl<I: Items> Members for ResourceGroup<'_, I> {
    const NAME: &'static str = I::RESOURCE_GROUP;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "resource" => {
                let raw = map.next_value()?;
                let put = (self.request).put_part(raw, 1, |raw, context, out| {
                    read_object(raw, Resource(context), out)
                });
                self.group.note(put);
            }
            "schemaUrl" | "schema_url" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put_schema_url(raw));
            }
            _ if I::SCOPE_GROUPS.contains(&name) => map.next_value_seed(List(ScopeGroups {
                request: self.request,
                path: self.path,
                next: &mut self.next_scope,
            }))?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct ScopeGroups<'r, I> {
    request: &'r mut Request<I>,
    path: OtlpPath,
    next: &'r mut usize,
}

impl<I: Items> Elements for ScopeGroups<'_, I> {
    const NAME: &'static str = I::SCOPE_GROUP;

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let path = OtlpPath {
            scope: Some(*self.next),
            ..self.path
        };
        *self.next += 1;
        let mut group = self.request.begin_group(2);
        let read = list.next_element_seed(Object(ScopeGroup {
            request: self.request,
            group: &mut group,
            path,
            next_item: 0,
        }))?;
        match read {
            Some(true) => self.request.end_group(group, path),
            Some(false) | None => group.open.discard(&mut self.request.out),
        }
        Ok(read.is_some())
    }
}

struct ScopeGroup<'r, I> {
    request: &'r mut Request<I>,
    group: &'r mut Group,
    path: OtlpPath,
    next_item: usize,
}

impl<I: Items> Members for ScopeGroup<'_, I> {
    const NAME: &'static str = I::SCOPE_GROUP;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "scope" => {
                let raw = map.next_value()?;
                let put = (self.request).put_part(raw, 1, |raw, context, out| {
                    read_object(raw, Scope(context), out)
                });
                self.group.note(put);
            }
            "schemaUrl" | "schema_url" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put_schema_url(raw));
            }
            _ if I::ITEMS.contains(&name) => map.next_value_seed(List(ItemList {
                request: self.request,
                path: self.path,
                next: &mut self.next_item,
            }))?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct ItemList<'r, I> {
    request: &'r mut Request<I>,
    path: OtlpPath,
    next: &'r mut usize,
}

impl<I: Items> Elements for ItemList<'_, I> {
    const NAME: &'static str = I::ITEM;

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(raw) = list.next_element::<&RawValue>()? else {
            return Ok(false);
        };
        let path = OtlpPath {
            span: Some(*self.next),
            ..self.path
        };
        *self.next += 1;
        match I::take(self.request, raw) {
            Ok(true) => self.request.accepted += 1,
            Ok(false) => {}
            Err(fault) => {
                self.request
                    .rejected
                    .add(1, fault.reason, I::place(path), fault.detail);
            }
        }
        Ok(true)
    }
}
