//! Samplers by the names of environment variables.

use super::{ParentBased, RateLimit, Sampler, TraceIdRatio};

pub(super) fn sampler(name: Option<&str>, arg: Option<&str>) -> (Sampler, Vec<String>) {
    let mut warnings = Vec::new();
    let given = filled(name).unwrap_or("parentbased_always_on");
    let name = given.to_ascii_lowercase();
    let (root, parent_based) = match name.strip_prefix("parentbased_") {
        Some(root) => (root, true),
        None => (&*name, false),
    };
    let sampler = match root {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => TraceIdRatio::new(ratio(filled(arg), &mut warnings)).into(),
        "ratelimited" => RateLimit::new(rate(filled(arg), &mut warnings)).into(),
        _ => {
            warnings.push(format!(
                "unknown sampler {given:?} in OTEL_TRACES_SAMPLER: parentbased_always_on is used"
            ));
            return (Sampler::default(), warnings);
        }
    };
    if parent_based {
        (ParentBased::new(sampler).into(), warnings)
    } else {
        (sampler, warnings)
    }
}

fn filled(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

fn ratio(arg: Option<&str>, warnings: &mut Vec<String>) -> f64 {
    const DEFAULT: f64 = 1.0;
    let Some(arg) = arg else {
        return DEFAULT;
    };
    match arg.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            warnings.push(format!(
                "{arg:?} in OTEL_TRACES_SAMPLER_ARG is no share from 0 to 1: every trace is sampled"
            ));
            DEFAULT
        }
    }
}

fn rate(arg: Option<&str>, warnings: &mut Vec<String>) -> f64 {
    const DEFAULT: f64 = RateLimit::DEFAULT_SPANS_PER_SECOND;
    let Some(arg) = arg else {
        return DEFAULT;
    };
    match arg.parse::<f64>() {
        Ok(rate) if rate >= 0.0 && rate.is_finite() => rate,
        _ => {
            warnings.push(format!(
                "{arg:?} in OTEL_TRACES_SAMPLER_ARG is no number of spans per second: the limit is {DEFAULT}"
            ));
            DEFAULT
        }
    }
}
