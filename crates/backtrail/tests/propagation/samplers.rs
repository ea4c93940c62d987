//! Samplers, as the SDK asks them.

use backtrail::sampling::{ParentBased, RateLimit, Sampler, TraceIdRatio};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

const LOWEST: TraceId = TraceId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const HIGHEST: TraceId = TraceId::from_bytes([0xff; 16]);

fn parent(remote: bool, sampled: bool) -> Context {
    let trace_state = TraceState::from_key_value([("a", "1")]).expect("a valid member");
    let flags = TraceFlags::default().with_sampled(sampled);
    let span = SpanContext::new(HIGHEST, SpanId::from(1), flags, remote, trace_state);
    Context::new().with_remote_span_context(span)
}

fn ask(sampler: &Sampler, parent: Option<&Context>, trace_id: TraceId) -> SamplingResult {
    sampler.should_sample(parent, trace_id, "name", &SpanKind::Server, &[], &[])
}

fn samples(sampler: &Sampler, parent: Option<&Context>, trace_id: TraceId) -> bool {
    match ask(sampler, parent, trace_id).decision {
        SamplingDecision::RecordAndSample => true,
        SamplingDecision::Drop => false,
        SamplingDecision::RecordOnly => panic!("no sampler of ours does that"),
    }
}

fn from_env(name: &str, arg: &str) -> (Sampler, Vec<String>) {
    Sampler::from_env_values(Some(name), Some(arg))
}

fn accepted(name: &str, arg: &str) -> Sampler {
    let (sampler, warnings) = from_env(name, arg);
    assert_eq!(warnings, [""; 0], "{name} {arg}");
    sampler
}

#[test]
fn each_case_of_a_parent_has_a_sampler_of_its_own() {
    let cases = [
        None,
        Some(parent(true, true)),
        Some(parent(true, false)),
        Some(parent(false, true)),
        Some(parent(false, false)),
    ];
    let off = || ParentBased::new(Sampler::AlwaysOff).remote_sampled(Sampler::AlwaysOff);
    let off = || off().local_sampled(Sampler::AlwaysOff);
    let on = Sampler::AlwaysOn;
    for (chosen, sampler) in [
        off().remote_sampled(on.clone()),
        off().remote_not_sampled(on.clone()),
        off().local_sampled(on.clone()),
        off().local_not_sampled(on.clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let sampler = Sampler::from(sampler);
        for (case, parent) in cases.iter().enumerate() {
            let sampled = samples(&sampler, parent.as_ref(), HIGHEST);
            assert_eq!(sampled, case == chosen + 1, "{case} {chosen}");
        }
    }
}

#[test]
fn the_default_follows_the_parent_and_samples_roots() {
    let sampler = Sampler::default();
    assert!(samples(&sampler, None, LOWEST));
    assert!(samples(&sampler, Some(&Context::new()), LOWEST));
    for remote in [true, false] {
        assert!(samples(&sampler, Some(&parent(remote, true)), HIGHEST));
        assert!(!samples(&sampler, Some(&parent(remote, false)), HIGHEST));
    }
}

#[test]
fn every_result_keeps_the_trace_state_of_the_parent() {
    for sampler in [
        Sampler::AlwaysOn,
        Sampler::AlwaysOff,
        TraceIdRatio::new(0.5).into(),
        RateLimit::new(1.0).into(),
        Sampler::default(),
    ] {
        let result = ask(&sampler, Some(&parent(true, true)), HIGHEST);
        assert_eq!(result.trace_state.header(), "a=1", "{sampler:?}");
        assert!(result.attributes.is_empty());
        assert_eq!(ask(&sampler, None, LOWEST).trace_state, TraceState::NONE);
    }
}

#[test]
fn a_rate_limit_counts_for_all_copies_that_the_sdk_makes() {
    let sampler = Sampler::from(RateLimit::new(0.001));
    let copy: Box<dyn ShouldSample> = Box::new(sampler.clone());
    let other = Sampler::from(copy.clone());
    assert!(samples(&sampler, None, LOWEST));
    assert!(!samples(&other, None, LOWEST));
}

#[test]
fn children_of_sampled_parents_are_no_matter_of_the_rate_limit() {
    let sampler = Sampler::from(ParentBased::new(RateLimit::new(0.001)));
    for _ in 0..3 {
        assert!(samples(&sampler, Some(&parent(true, true)), HIGHEST));
    }
    assert!(samples(&sampler, None, LOWEST));
    assert!(!samples(&sampler, None, LOWEST));
}

#[test]
fn environment_values_name_samplers() {
    let dropped = Some(parent(true, false));
    for (name, arg, lowest, highest, child_of_dropped) in [
        ("always_on", "", true, true, true),
        ("always_off", "", false, false, false),
        ("traceidratio", "0.5", false, true, true),
        ("traceidratio", "", true, true, true),
        ("traceidratio", " 0 ", false, false, false),
        ("parentbased_always_on", "", true, true, false),
        ("parentbased_always_off", "", false, false, false),
        ("ParentBased_TraceIdRatio", "0.5", false, true, false),
        ("ratelimited", "5", true, true, true),
        ("parentbased_ratelimited", "5", true, true, false),
        ("parentbased_ratelimited", "0", false, false, false),
        ("", "", true, true, false),
    ] {
        let sampler = accepted(name, arg);
        assert_eq!(samples(&sampler, None, LOWEST), lowest, "{name} {arg}");
        assert_eq!(samples(&sampler, None, HIGHEST), highest, "{name} {arg}");
        let child = samples(&sampler, dropped.as_ref(), HIGHEST);
        assert_eq!(child, child_of_dropped, "{name} {arg}");
    }
    let (unset, warnings) = Sampler::from_env_values(None, Some("0"));
    assert!(warnings.is_empty() && samples(&unset, None, LOWEST));
}

#[test]
fn bad_environment_values_are_named_and_count_as_unset() {
    for (name, arg, bad) in [
        ("jaeger_remote", "", "\"jaeger_remote\""),
        ("parentbased_", "", "\"parentbased_\""),
        ("traceidratio", "1.5", "\"1.5\""),
        ("traceidratio", "-0.1", "\"-0.1\""),
        ("traceidratio", "NaN", "\"NaN\""),
        ("parentbased_traceidratio", "half", "\"half\""),
        ("ratelimited", "-1", "\"-1\""),
        ("ratelimited", "inf", "\"inf\""),
        ("parentbased_ratelimited", "many", "\"many\""),
    ] {
        let (sampler, warnings) = from_env(name, arg);
        let [warning] = &warnings[..] else {
            panic!("{name} {arg}: {warnings:?}");
        };
        assert!(warning.contains(bad), "{warning}");
        assert!(samples(&sampler, None, LOWEST), "{name} {arg}");
    }
}
