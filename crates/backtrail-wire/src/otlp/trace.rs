//! `TracesData`, `ResourceSpans` and `ScopeSpans`: what groups spans.

use super::span::repeated;
use crate::WireError;
use crate::otlp::Attributes;
use crate::otlp::span::put_as_list;
use crate::protobuf::Fields;

/// A `TracesData` or an `ExportTraceServiceRequest`: on the wire they are the same.
#[derive(Debug, Clone, Copy)]
pub struct TracesData<'a> {
    raw: &'a [u8],
}

impl<'a> TracesData<'a> {
    /// Views the bytes of the message.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The groups of spans that share a resource.
    pub fn resource_spans(
        &self,
    ) -> impl Iterator<Item = Result<ResourceSpans<'a>, WireError>> + use<'a> {
        repeated(self.raw, 1).map(|field| {
            Ok(ResourceSpans {
                raw: field?.bytes()?,
            })
        })
    }
}

/// The spans of one resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceSpans<'a> {
    raw: &'a [u8],
}

impl<'a> ResourceSpans<'a> {
    /// Views the bytes of a `ResourceSpans`.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The groups of spans that share an instrumentation scope.
    pub fn scope_spans(&self) -> impl Iterator<Item = Result<ScopeSpans<'a>, WireError>> + use<'a> {
        repeated(self.raw, 2).map(|field| {
            Ok(ScopeSpans {
                raw: field?.bytes()?,
            })
        })
    }

    /// Appends the *envelope* to `out`: all fields but the spans, verbatim. It is a valid `ResourceSpans` itself.
    pub fn put_envelope(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_all_but(self.raw, 2, out)
    }

    /// Whether the message has a resource at all.
    pub fn has_resource(&self) -> Result<bool, WireError> {
        Ok(repeated(self.raw, 1).next().transpose()?.is_some())
    }

    /// Appends the resource's attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        repeated(self.raw, 1).try_for_each(|resource| put_as_list(resource?.bytes()?, 1, out))
    }

    /// How many attributes of the resource the client dropped.
    pub fn dropped_attributes_count(&self) -> Result<u32, WireError> {
        nested_varint(self.raw, 1, 2)
    }

    /// The bytes of each `EntityRef` of the resource.
    pub fn raw_entity_refs(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        repeated(self.raw, 1).flat_map(|resource| {
            let (resource, error) = match resource.and_then(|field| field.bytes()) {
                Ok(resource) => (resource, None),
                Err(error) => (&[][..], Some(Err(error))),
            };
            let references = repeated(resource, 3).map(|field| field?.bytes());
            error.into_iter().chain(references)
        })
    }

    /// The schema of the resource's attributes.
    pub fn schema_url(&self) -> Result<&'a str, WireError> {
        last_str(self.raw, 3)
    }

    /// The service's name: the resource attribute `service.name`.
    pub fn service_name(&self) -> Result<Option<&'a str>, WireError> {
        for resource in repeated(self.raw, 1) {
            for attribute in repeated(resource?.bytes()?, 1) {
                let attribute = super::KeyValue::parse(attribute?.bytes()?)?;
                if let ("service.name", super::AnyValue::String(name)) =
                    (attribute.key, attribute.value)
                {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    /// Reads the envelope once, so that later reads can't fail.
    pub fn validate(&self, max_depth: usize) -> Result<(), WireError> {
        self.schema_url()?;
        self.dropped_attributes_count()?;
        let mut list = Vec::new();
        self.put_attributes(&mut list)?;
        for reference in self.raw_entity_refs() {
            for field in Fields::new(reference?) {
                let field = field?;
                if matches!(field.number, 1..=4) {
                    field.str()?;
                }
            }
        }
        Attributes::new(&list).validate(max_depth)
    }
}

/// The spans of one instrumentation scope.
#[derive(Debug, Clone, Copy)]
pub struct ScopeSpans<'a> {
    raw: &'a [u8],
}

impl<'a> ScopeSpans<'a> {
    /// Views the bytes of a `ScopeSpans`.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The bytes of each span.
    pub fn raw_spans(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        repeated(self.raw, 2).map(|field| field?.bytes())
    }

    /// Appends the *envelope* to `out`: all fields but the spans, verbatim. It is a valid `ScopeSpans` itself.
    pub fn put_envelope(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_all_but(self.raw, 2, out)
    }

    /// Whether the message has a scope at all.
    pub fn has_scope(&self) -> Result<bool, WireError> {
        Ok(repeated(self.raw, 1).next().transpose()?.is_some())
    }

    /// The scope's name, usually that of the instrumentation library.
    pub fn name(&self) -> Result<&'a str, WireError> {
        nested_str(self.raw, 1, 1)
    }

    /// The scope's version.
    pub fn version(&self) -> Result<&'a str, WireError> {
        nested_str(self.raw, 1, 2)
    }

    /// Appends the scope's attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        repeated(self.raw, 1).try_for_each(|scope| put_as_list(scope?.bytes()?, 3, out))
    }

    /// How many attributes of the scope the client dropped.
    pub fn dropped_attributes_count(&self) -> Result<u32, WireError> {
        nested_varint(self.raw, 1, 4)
    }

    /// The schema of the spans' attributes.
    pub fn schema_url(&self) -> Result<&'a str, WireError> {
        last_str(self.raw, 3)
    }

    /// Reads the envelope once, so that later reads can't fail.
    pub fn validate(&self, max_depth: usize) -> Result<(), WireError> {
        self.schema_url()?;
        self.name()?;
        self.version()?;
        self.dropped_attributes_count()?;
        let mut list = Vec::new();
        self.put_attributes(&mut list)?;
        Attributes::new(&list).validate(max_depth)
    }
}

pub(super) fn put_all_but(message: &[u8], number: u32, out: &mut Vec<u8>) -> Result<(), WireError> {
    for field in Fields::new(message) {
        let field = field?;
        if field.number != number {
            out.extend_from_slice(field.raw);
        }
    }
    Ok(())
}

fn last_str(message: &[u8], number: u32) -> Result<&str, WireError> {
    repeated(message, number).try_fold("", |_, field| field?.str())
}

fn nested_str(message: &[u8], outer: u32, inner: u32) -> Result<&str, WireError> {
    repeated(message, outer).try_fold("", |last, field| {
        repeated(field?.bytes()?, inner).try_fold(last, |_, field| field?.str())
    })
}

fn nested_varint(message: &[u8], outer: u32, inner: u32) -> Result<u32, WireError> {
    repeated(message, outer).try_fold(0, |last, field| {
        repeated(field?.bytes()?, inner).try_fold(last, |_, field| Ok(field?.varint()? as u32))
    })
}
