//! The crate's spans against those of the SDK, which are told the same.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, Span, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{
    SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, SpanData,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Draft, Started, Tracer, TracerRef};
use crate::ValueRef;
use crate::config::{BatchSettings, Limits};
use crate::export::Memory;
use crate::export::encode::arbitrary::{
    attributes, contexts, events, kinds, links, statuses, texts,
};
use crate::processor::{BatchProcessor, Pipeline};
use crate::sampling::{Sampler, SharedSampler};
use crate::system::Scope;

const KEY: &str = "[a-c]{0,2}|http\\.[a-z]{1,20}|k{120,130}";
const PATIENCE: Duration = Duration::from_mins(1);

/// What code does with a span that it has.
#[derive(Debug, Clone)]
enum Act {
    Set(KeyValue),
    Event(Event),
    Link(Link),
    Status(Status),
    Rename(String),
    End(SystemTime),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let set = attributes(KEY).prop_filter_map("nothing to set", |mut attributes| attributes.pop());
    let act = prop_oneof![
        12 => set.prop_map(Act::Set),
        2 => events(KEY).prop_map(Act::Event),
        2 => links(KEY).prop_map(Act::Link),
        2 => statuses().prop_map(Act::Status),
        1 => texts().prop_map(Act::Rename),
        1 => any::<u32>().prop_map(|nanos| Act::End(at(nanos))),
    ];
    vec(act, 0..20)
}

fn at(nanos: u32) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos.into())
}

fn perform(span: &mut impl Span, acts: Vec<Act>) {
    for act in acts {
        match act {
            Act::Set(attribute) => span.set_attribute(attribute),
            Act::Event(event) => {
                span.add_event_with_timestamp(event.name, event.timestamp, event.attributes);
            }
            Act::Link(link) => span.add_link(link.span_context, link.attributes),
            Act::Status(status) => span.set_status(status),
            Act::Rename(name) => span.update_name(name),
            Act::End(time) => span.end_with_timestamp(time),
        }
    }
    // The last word of both, unless one was said before.
    span.end_with_timestamp(at(u32::MAX));
}

/// What a span is described as.
#[derive(Debug, Clone)]
struct Described {
    name: String,
    kind: Option<SpanKind>,
    attributes: Vec<KeyValue>,
    links: Vec<Link>,
}

fn described() -> impl Strategy<Value = Described> {
    (
        texts(),
        option::of(kinds()),
        attributes(KEY),
        vec(links(KEY), 0..4),
    )
        .prop_map(|(name, kind, attributes, mut links)| {
            // Who describes a span has dropped nothing.
            for link in &mut links {
                link.dropped_attributes_count = 0;
            }
            Described {
                name,
                kind,
                attributes,
                links,
            }
        })
}

fn limits() -> impl Strategy<Value = Limits> {
    let count = || prop_oneof![Just(128_u32), 0..6_u32];
    let counts = (count(), count(), count(), count(), count());
    (counts, option::of(0..30_usize)).prop_map(|(counts, attribute_value_len)| {
        let (attributes, events, links, attributes_per_event, attributes_per_link) = counts;
        Limits {
            attributes,
            events,
            links,
            attributes_per_event,
            attributes_per_link,
            attribute_value_len,
        }
    })
}

/// A sampler that decides by what it is told, and adds to it.
#[derive(Debug, Clone)]
struct ByName;

impl ShouldSample for ByName {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let decision = match name.len() % 4 {
            0 => SamplingDecision::RecordOnly,
            1 => SamplingDecision::Drop,
            _ => SamplingDecision::RecordAndSample,
        };
        let parent = parent.map(|parent| parent.span().span_context().clone());
        // In words in which empty arrays of all types are the same.
        let told = |attribute: &KeyValue| format!("{}={}", attribute.key, attribute.value);
        let attributes: Vec<_> = attributes.iter().map(told).collect();
        let seen = format!("{parent:?} {trace_id} {name} {kind:?} {attributes:?} {links:?}");
        let trace_state = parent.unwrap_or(SpanContext::NONE).trace_state().clone();
        SamplingResult {
            decision,
            attributes: vec![KeyValue::new("seen", seen)],
            trace_state: trace_state.insert("by", "name").unwrap_or(trace_state),
        }
    }
}

struct Both {
    memory: Memory,
    tracer: TracerRef,
    provider: SdkTracerProvider,
}

impl Both {
    fn new(limits: Limits, sampler: Sampler) -> Self {
        let memory = Memory::default();
        let exporter = Arc::new(memory.clone());
        let tracer = Arc::new(Tracer {
            scopes: Scope::ALL.map(|scope| {
                InstrumentationScope::builder(scope.name().unwrap_or("service")).build()
            }),
            sampler: SharedSampler::new(sampler),
            limits,
            pipeline: Some(Pipeline::start(BatchSettings::default(), exporter).unwrap()),
            is_shut_down: Arc::default(),
        });
        let provider = SdkTracerProvider::builder()
            .with_span_limits(limits.of_sdk_spans())
            .with_sampler(tracer.sampler.clone())
            .with_span_processor(BatchProcessor::of(&tracer))
            .build();
        Self {
            memory,
            tracer: TracerRef::Local(tracer),
            provider,
        }
    }

    /// What is exported of a span of the crate, and what of one of the SDK.
    fn spans(
        &self,
        described: Described,
        parent: &Context,
        acts: Vec<Act>,
    ) -> [(SpanContext, Vec<SpanData>); 2] {
        let ours = self.start(described.clone(), parent);
        let ours = match ours {
            Started::Nothing => SpanContext::NONE,
            Started::Dropped(context) => context,
            Started::Recording(mut span) => {
                perform(&mut span, acts.clone());
                span.span_context().clone()
            }
        };
        let ours = (ours, self.exported());
        let mut builder = SpanBuilder::from_name(described.name)
            .with_attributes(described.attributes)
            .with_links(described.links)
            .with_start_time(at(7));
        builder.span_kind = described.kind;
        let tracer = self.provider.tracer("backtrail::http");
        let mut theirs = tracer.build_with_context(builder, parent);
        perform(&mut theirs, acts);
        let theirs = theirs.span_context().clone();
        [ours, (theirs, self.exported())]
    }

    fn start(&self, described: Described, parent: &Context) -> Started {
        let mut draft = Draft::new(described.name.into());
        if let Some(kind) = described.kind {
            draft.set_kind(kind);
        }
        for attribute in &described.attributes {
            draft.put(attribute.key.as_str(), ValueRef::of(&attribute.value));
        }
        for link in described.links {
            draft.push_link(link);
        }
        draft.set_start_time(at(7));
        draft.set_scope(Scope::Http);
        self.tracer.clone().start(draft, parent)
    }

    fn exported(&self) -> Vec<SpanData> {
        let pipeline = self.tracer.pipeline.as_deref().unwrap();
        pipeline.flush(PATIENCE).unwrap();
        let spans = self.memory.spans();
        self.memory.clear();
        spans
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        // Its worker would outlive the test.
        let _ended = self.provider.shutdown();
    }
}

/// Without what is made at random.
fn comparable(
    (context, mut spans): (SpanContext, Vec<SpanData>),
    is_root: bool,
) -> (SpanContext, String) {
    let without_ids = |context: &SpanContext| {
        let trace_id = if is_root {
            TraceId::INVALID
        } else {
            context.trace_id()
        };
        let trace_state = context.trace_state().clone();
        let is_valid = u64::from(context.is_valid());
        SpanContext::new(
            trace_id,
            is_valid.into(),
            context.trace_flags(),
            context.is_remote(),
            trace_state,
        )
    };
    for span in &mut spans {
        span.span_context = without_ids(&span.span_context);
        for attribute in &mut span.attributes {
            let trace_id = "[0-9a-f]{32}";
            if is_root && attribute.key.as_str() == "seen" {
                let told = attribute.value.to_string().len();
                attribute.value = format!("{trace_id}: {told}").into();
            }
        }
    }
    // As text, because what is no number is not equal to itself.
    (without_ids(&context), format!("{spans:#?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_span_of_the_crate_is_that_of_the_sdk(
        described in described(),
        acts in acts(),
        limits in limits(),
        parent in option::of(contexts()),
        samples_by_name in any::<bool>(),
    ) {
        let sampler = if samples_by_name { Sampler::of(ByName) } else { Sampler::default() };
        let both = Both::new(limits, sampler);
        let context = match &parent {
            Some(parent) => Context::new().with_remote_span_context(parent.clone()),
            None => Context::new(),
        };
        let [ours, theirs] = both.spans(described, &context, acts);
        let is_root = parent.is_none();
        prop_assert_eq!(comparable(ours, is_root), comparable(theirs, is_root));
        let pipeline = both.tracer.pipeline.as_deref().unwrap();
        let stats = pipeline.stats();
        prop_assert_eq!(stats.created % 2, 0, "both were counted: {:?}", stats);
    }
}

fn plain() -> Described {
    Described {
        name: "work".to_owned(),
        kind: None,
        attributes: Vec::new(),
        links: Vec::new(),
    }
}

#[test]
fn memory_that_goes_from_span_to_span_takes_nothing_along() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let mut full = plain();
    full.name = "first".to_owned();
    full.kind = Some(SpanKind::Server);
    full.attributes = vec![KeyValue::new("a", 1), KeyValue::new("a", 2)];
    full.links = vec![Link::new(SpanContext::NONE, Vec::new(), 0)];
    let acts = vec![
        Act::Event(Event::with_name("happened")),
        Act::Status(Status::error("no")),
    ];
    both.spans(full, &Context::new(), acts);
    let [(_, ours), (_, theirs)] = both.spans(plain(), &Context::new(), Vec::new());
    for span in [&ours[0], &theirs[0]] {
        assert_eq!(
            (&*span.name, &span.span_kind),
            ("work", &SpanKind::Internal)
        );
        assert_eq!(span.attributes, []);
        assert!(span.events.events.is_empty() && span.links.links.is_empty());
        assert_eq!(span.status, Status::Unset);
    }
}

#[test]
fn spans_end_when_they_are_dropped_and_keep_quiet_afterwards() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let Started::Recording(mut span) = both.start(plain(), &Context::new()) else {
        panic!("it is sampled");
    };
    assert!(span.is_recording());
    span.end();
    assert!(!span.is_recording());
    span.set_attribute(KeyValue::new("late", true));
    span.update_name("late");
    drop(span);
    drop(both.start(plain(), &Context::new()));
    let spans = both.exported();
    let told: Vec<_> = spans
        .iter()
        .map(|span| (&*span.name, &*span.attributes))
        .collect();
    assert_eq!(told, [("work", &[][..]), ("work", &[][..])]);
    assert!(spans.iter().all(|span| span.end_time > at(u32::MAX)));
}

#[test]
fn no_span_starts_where_telemetry_is_suppressed_or_the_provider_was_shut_down() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let suppressed = Context::new().with_telemetry_suppressed();
    assert!(matches!(both.start(plain(), &suppressed), Started::Nothing));
    both.provider.shutdown().unwrap();
    let context = Context::new();
    assert!(matches!(both.start(plain(), &context), Started::Nothing));
}

#[test]
fn a_span_that_is_open_when_the_provider_is_shut_down_counts_as_dropped() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let open = both.start(plain(), &Context::new());
    both.provider.shutdown().unwrap();
    drop(open);
    let stats = both.tracer.pipeline.as_deref().unwrap().stats();
    assert_eq!((stats.ended, stats.dropped), (1, 1));
}

#[test]
fn what_a_span_says_of_itself_is_about_no_other_span() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let mut described = plain();
    described.attributes = vec![KeyValue::new("password", "hunter2")];
    drop(both.start(described, &Context::new()));
    let mut described = plain();
    described.attributes = vec![KeyValue::new("order.id", 7)];
    let told = format!("{:?}", both.start(described, &Context::new()));
    assert!(
        told.contains(r#"attributes: {"order.id": Int(7)}"#),
        "{told}"
    );
    let secret = format!("{:?}", "hunter2".as_bytes());
    let secret = secret.trim_matches(['[', ']']);
    assert!(
        !told.contains("hunter2") && !told.contains(secret),
        "{told}"
    );
}

#[test]
fn a_span_that_has_ended_holds_no_more_than_its_ids() {
    let both = Both::new(Limits::default(), Sampler::AlwaysOn);
    let Started::Recording(mut span) = both.start(plain(), &Context::new()) else {
        panic!("it is sampled");
    };
    let context = span.span_context().clone();
    span.set_attribute(KeyValue::new("large", "x".repeat(1 << 20)));
    span.add_event("large", vec![KeyValue::new("large", "y".repeat(1 << 20))]);
    span.end();
    assert_eq!(*span.span_context(), context);
    assert!(format!("{span:?}").len() < 1_000, "{span:?}");
    assert_eq!(both.exported()[0].attributes.len(), 1);
}

/// Whose clones count apart.
#[derive(Debug)]
struct First(AtomicU32);

impl Clone for First {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Relaxed)))
    }
}

impl ShouldSample for First {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let is_first = self.0.fetch_add(1, Relaxed) == 0;
        SamplingResult {
            decision: if is_first {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

#[test]
fn one_sampler_decides_on_both_kinds_of_spans() {
    let both = Both::new(Limits::default(), Sampler::of(First(AtomicU32::new(0))));
    let [(_, ours), (_, theirs)] = both.spans(plain(), &Context::new(), Vec::new());
    assert_eq!((ours.len(), theirs.len()), (1, 0));
}
