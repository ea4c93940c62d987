//! `Span` with its events, links and status; `Resource` and `InstrumentationScope`.

use serde::de::{MapAccess, SeqAccess};

use super::object::{Context, Elements, List, Message, put_object, put_objects, skip};
use super::scalar::{put_count, put_enum, put_flags, put_id, put_text, put_time};
use super::value::KeyValue;
use crate::RejectReason;
use crate::protobuf::put_str;

const KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// `Span`.
#[derive(Clone, Copy)]
pub(super) struct Span<'c>(pub Context<'c>);

impl Message for Span<'_> {
    const NAME: &'static str = "Span";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let context = self.0;
        match name {
            "traceId" | "trace_id" => put_id(map, out, 1, context, RejectReason::InvalidTraceId),
            "spanId" | "span_id" => put_id(map, out, 2, context, RejectReason::InvalidSpanId),
            "traceState" | "trace_state" => put_text(map, out, 3),
            "parentSpanId" | "parent_span_id" => {
                put_id(map, out, 4, context, RejectReason::InvalidParentId)
            }
            "name" => put_text(map, out, 5),
            "kind" => put_enum(map, out, 6, KINDS),
            "startTimeUnixNano" | "start_time_unix_nano" => put_time(map, out, 7, context),
            "endTimeUnixNano" | "end_time_unix_nano" => put_time(map, out, 8, context),
            "attributes" => put_objects(map, out, 9, KeyValue::attribute(context)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 10),
            "events" => put_objects(map, out, 11, Event(context)),
            "droppedEventsCount" | "dropped_events_count" => put_count(map, out, 12),
            "links" => put_objects(map, out, 13, Link(context)),
            "droppedLinksCount" | "dropped_links_count" => put_count(map, out, 14),
            "status" => put_object(map, out, 15, Status),
            "flags" => put_flags(map, out, 16),
            _ => skip(map),
        }
    }
}

/// `Span.Event`.
#[derive(Clone, Copy)]
struct Event<'c>(Context<'c>);

impl Message for Event<'_> {
    const NAME: &'static str = "Event";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        match name {
            "timeUnixNano" | "time_unix_nano" => put_time(map, out, 1, self.0),
            "name" => put_text(map, out, 2),
            "attributes" => put_objects(map, out, 3, KeyValue::attribute(self.0)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 4),
            _ => skip(map),
        }
    }
}

/// `Span.Link`.
#[derive(Clone, Copy)]
struct Link<'c>(Context<'c>);

impl Message for Link<'_> {
    const NAME: &'static str = "Link";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        match name {
            "traceId" | "trace_id" => put_id(map, out, 1, self.0, RejectReason::InvalidLink),
            "spanId" | "span_id" => put_id(map, out, 2, self.0, RejectReason::InvalidLink),
            "traceState" | "trace_state" => put_text(map, out, 3),
            "attributes" => put_objects(map, out, 4, KeyValue::attribute(self.0)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 5),
            "flags" => put_flags(map, out, 6),
            _ => skip(map),
        }
    }
}

/// `Status`.
#[derive(Clone, Copy)]
struct Status;

impl Message for Status {
    const NAME: &'static str = "Status";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        match name {
            "message" => put_text(map, out, 2),
            "code" => put_enum(map, out, 3, STATUS_CODES),
            _ => skip(map),
        }
    }
}

/// `Resource`.
#[derive(Clone, Copy)]
pub(super) struct Resource<'c>(pub Context<'c>);

impl Message for Resource<'_> {
    const NAME: &'static str = "Resource";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        match name {
            "attributes" => put_objects(map, out, 1, KeyValue::attribute(self.0)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 2),
            "entityRefs" | "entity_refs" => put_objects(map, out, 3, EntityRef),
            _ => skip(map),
        }
    }
}

/// `EntityRef`.
#[derive(Clone, Copy)]
struct EntityRef;

impl Message for EntityRef {
    const NAME: &'static str = "EntityRef";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let mut put_texts = |number| map.next_value_seed(List(Texts { number, out }));
        match name {
            "schemaUrl" | "schema_url" => put_text(map, out, 1),
            "type" => put_text(map, out, 2),
            "idKeys" | "id_keys" => put_texts(3),
            "descriptionKeys" | "description_keys" => put_texts(4),
            _ => skip(map),
        }
    }
}

/// A list of strings as a repeated `string` field.
struct Texts<'o> {
    number: u32,
    out: &'o mut Vec<u8>,
}

impl Elements for Texts<'_> {
    const NAME: &'static str = "strings";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let text = list.next_element::<String>()?;
        if let Some(text) = &text {
            put_str(self.out, self.number, text);
        }
        Ok(text.is_some())
    }
}

/// `InstrumentationScope`.
#[derive(Clone, Copy)]
pub(super) struct Scope<'c>(pub Context<'c>);

impl Message for Scope<'_> {
    const NAME: &'static str = "InstrumentationScope";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        match name {
            "name" => put_text(map, out, 1),
            "version" => put_text(map, out, 2),
            "attributes" => put_objects(map, out, 3, KeyValue::attribute(self.0)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 4),
            _ => skip(map),
        }
    }
}
