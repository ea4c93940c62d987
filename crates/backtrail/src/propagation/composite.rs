//! Several propagators as one.

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::{B3, Baggage, Jaeger, TraceContext};

/// The propagators of a service, in order.
///
/// Injecting writes the headers of all. Extracting asks one after the other; a later one that finds a valid parent replaces what
/// an earlier one found, and one that finds nothing changes nothing. If both found the same trace, `tracestate` and the random
/// flag stay. Baggage is added up.
///
/// It can be the global propagator: `opentelemetry::global::set_text_map_propagator`.
#[derive(Clone, Debug)]
pub struct Propagator {
    formats: Vec<Format>,
    fields: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    TraceContext,
    Baggage,
    B3Single,
    B3Multi,
    Jaeger,
}

impl Propagator {
    /// The propagators that a list names, as in `OTEL_PROPAGATORS`: `tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger`,
    /// separated by commas, or `none` alone. Case and white space do not matter; a name that is there twice counts once. An
    /// empty list is the default, `tracecontext,baggage`.
    ///
    /// The second value has a sentence for each name that is not known (which are also `xray` and `ottrace`) and therefore
    /// ignored. If no name is known, the default is used.
    ///
    /// Source: OpenTelemetry, environment variable specification, general SDK configuration.
    pub fn from_names(names: &str) -> (Self, Vec<String>) {
        let mut formats = Vec::new();
        let mut warnings = Vec::new();
        let mut none = false;
        for name in names.split(',').map(str::trim) {
            match Format::named(&name.to_ascii_lowercase()) {
                Named::Format(format) if formats.contains(&format) => {}
                Named::Format(format) => formats.push(format),
                Named::None => none = true,
                Named::Nothing => {}
                Named::Unknown => warnings.push(format!(
                    "unknown propagator {name:?} is ignored; there are: \
                     tracecontext, baggage, b3, b3multi, jaeger, none"
                )),
            }
        }
        if none && !formats.is_empty() {
            warnings.push(format!(
                "propagator \"none\" is ignored because it does not stand alone in {names:?}"
            ));
        }
        if none || !formats.is_empty() {
            return (Self::of(formats), warnings);
        }
        (Self::default(), warnings)
    }

    fn of(formats: Vec<Format>) -> Self {
        let fields = formats
            .iter()
            .flat_map(|format| format.propagator().fields())
            .map(str::to_owned)
            .collect();
        Self { formats, fields }
    }

    /// Writes the headers of a context's span and baggage.
    pub fn inject(&self, cx: &Context, injector: &mut dyn Injector) {
        for format in &self.formats {
            format.propagator().inject_context(cx, injector);
        }
    }

    /// A context like this one, with the parent and the baggage that the headers name. If they name none, it is equal to `cx`.
    pub fn extract(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let mut cx = cx.clone();
        for format in &self.formats {
            cx = format.propagator().extract_with_context(&cx, extractor);
        }
        cx
    }

    /// The names of all headers that [`Propagator::inject`] may write, but `uberctx-…`. Remove them from a request that is
    /// sent again.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }
}

impl Default for Propagator {
    /// W3C trace context and baggage.
    fn default() -> Self {
        Self::of(vec![Format::TraceContext, Format::Baggage])
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.inject(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.extract(cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

enum Named {
    Format(Format),
    None,
    Nothing,
    Unknown,
}

impl Format {
    fn named(name: &str) -> Named {
        match name {
            "tracecontext" => Named::Format(Self::TraceContext),
            "baggage" => Named::Format(Self::Baggage),
            "b3" => Named::Format(Self::B3Single),
            "b3multi" => Named::Format(Self::B3Multi),
            "jaeger" => Named::Format(Self::Jaeger),
            "none" => Named::None,
            "" => Named::Nothing,
            _ => Named::Unknown,
        }
    }

    fn propagator(self) -> &'static dyn TextMapPropagator {
        const B3_SINGLE: B3 = B3::single();
        const B3_MULTI: B3 = B3::multi();
        match self {
            Self::TraceContext => &TraceContext,
            Self::Baggage => &Baggage,
            Self::B3Single => &B3_SINGLE,
            Self::B3Multi => &B3_MULTI,
            Self::Jaeger => &Jaeger,
        }
    }
}
