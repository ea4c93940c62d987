//! Types of settings: how each is read from text and written as TOML.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::HeaderValue;
use store::Durability;
use tracing_subscriber::EnvFilter;

use super::Endpoint;

/// A value that a setting can have.
pub(crate) trait SettingValue: Sized {
    /// Reads text; the error says what was expected.
    fn parse(text: &str) -> Result<Self, String>;

    /// Reads a TOML array. Most settings are no lists.
    fn parse_list(_items: &[String]) -> Result<Self, String> {
        Err("is one value, not a list".to_owned())
    }

    /// Writes it as a TOML value.
    fn to_toml(&self) -> String;
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl SettingValue for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty; a path was expected".to_owned());
        }
        Ok(Self::from(text))
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

/// Empty text is `None`.
impl<T: SettingValue> SettingValue for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        T::parse(text).map(Some)
    }

    fn to_toml(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), T::to_toml)
    }
}

impl SettingValue for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for usize {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{text:?} is not a whole number above 0")),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for Endpoint {
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_str(text)
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Loopback(port) => port.to_string(),
            other => quoted(&other.to_string()),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteCount(pub(crate) u64);

impl ByteCount {
    /// For comparing with lengths in memory.
    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const BYTE_UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl SettingValue for ByteCount {
    fn parse(text: &str) -> Result<Self, String> {
        let (digits, factor) = BYTE_UNITS
            .iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)))
            .unwrap_or((text, 1));
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .filter(|bytes| *bytes > 0)
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a number of bytes above 0, such as 1048576, \"1MiB\" or \"2GB\""
                )
            })
    }

    fn to_toml(&self) -> String {
        for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            // 2 GB are no round number of KiB to anybody.
            if self.0.is_multiple_of(factor) && self.0 / factor < 10_000 {
                return quoted(&format!("{}{unit}", self.0 / factor));
            }
        }
        self.0.to_string()
    }
}

const TIME_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Milliseconds of a number with a unit.
fn with_unit(text: &str) -> Option<u64> {
    TIME_UNITS.iter().find_map(|(unit, factor)| {
        text.strip_suffix(unit)?
            .trim_end()
            .parse::<u64>()
            .ok()?
            .checked_mul(*factor)
    })
}

/// A duration whose setting bears its unit in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millis(pub(crate) Duration);

impl SettingValue for Millis {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse::<u64>()
            .ok()
            .or_else(|| with_unit(text))
            .filter(|millis| *millis > 0)
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a number of milliseconds above 0, such as 1500 or \"1500ms\""
                )
            })
    }

    fn to_toml(&self) -> String {
        self.0.as_millis().to_string()
    }
}

/// An age, or none that would be too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) Option<Duration>);

impl SettingValue for Age {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        with_unit(text)
            .filter(|millis| *millis > 0)
            .map(|millis| Self(Some(Duration::from_millis(millis))))
            .ok_or_else(|| {
                format!("{text:?} is not an age such as \"14d\", \"36h\" or \"90m\", nor \"off\"")
            })
    }

    fn to_toml(&self) -> String {
        let Some(age) = self.0 else {
            return quoted("off");
        };
        let millis = age.as_millis() as u64;
        let (unit, factor) = TIME_UNITS
            .iter()
            .rev()
            .find(|(_, factor)| millis.is_multiple_of(*factor))
            .unwrap_or(&TIME_UNITS[0]);
        quoted(&format!("{}{unit}", millis / factor))
    }
}

/// Origins whose pages may send spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    /// None: no CORS headers at all.
    Off,
    /// Any.
    Any,
    /// These.
    List(Vec<String>),
}

impl SettingValue for Origins {
    fn parse(text: &str) -> Result<Self, String> {
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        Self::parse_list(&items)
    }

    fn parse_list(items: &[String]) -> Result<Self, String> {
        match items {
            [] => return Ok(Self::Off),
            [one] if one == "off" || one.is_empty() => return Ok(Self::Off),
            [one] if one == "*" => return Ok(Self::Any),
            _ => {}
        }
        for item in items {
            let is_origin = item
                .split_once("://")
                .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty())
                && !item.rsplit("://").next().unwrap_or_default().contains('/')
                && HeaderValue::from_str(item).is_ok();
            if !is_origin {
                return Err(format!(
                    "{item:?} is not an origin such as \"https://shop.example\"; \"*\" alone allows any, \"off\" none"
                ));
            }
        }
        Ok(Self::List(items.to_vec()))
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Off => quoted("off"),
            Self::Any => quoted("*"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

/// How a service samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SamplingKind {
    /// A share of all traces.
    Probabilistic,
    /// A number of traces in a second.
    RateLimiting,
}

impl SettingValue for SamplingKind {
    fn parse(text: &str) -> Result<Self, String> {
        one_of(
            text,
            &[
                ("probabilistic", Self::Probabilistic),
                ("ratelimiting", Self::RateLimiting),
            ],
        )
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::Probabilistic => "probabilistic",
            Self::RateLimiting => "ratelimiting",
        })
    }
}

/// How many traces; what it counts is said by a [`SamplingKind`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SamplingParam(pub(crate) f64);

impl SamplingParam {
    /// As a share of all.
    pub(crate) fn probability(self) -> Result<f64, String> {
        if (0.0..=1.0).contains(&self.0) {
            return Ok(self.0);
        }
        Err(format!("{} is not a probability from 0 to 1", self.0))
    }

    /// As a number in a second.
    pub(crate) fn traces_per_second(self) -> Result<i32, String> {
        if self.0.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&self.0) {
            return Ok(self.0 as i32);
        }
        Err(format!(
            "{} is not a whole number of traces in a second",
            self.0
        ))
    }
}

impl SettingValue for SamplingParam {
    fn parse(text: &str) -> Result<Self, String> {
        // TOML's digits may be parted by underscores.
        match text.replace('_', "").parse::<f64>() {
            Ok(number) if number >= 0.0 && number.is_finite() => Ok(Self(number)),
            _ => Err(format!(
                "{text:?} is not a number from 0, such as 0.25 or 5"
            )),
        }
    }

    fn to_toml(&self) -> String {
        self.0.to_string()
    }
}

/// How our own logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The value that bears this name.
fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = values.iter().map(|(name, _)| quoted(name)).collect();
        format!("{text:?} is not one of {}", names.join(", "))
    })
}

impl SettingValue for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("text", Self::Text), ("json", Self::Json)])
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl SettingValue for Durability {
    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("sync", Self::Sync), ("os", Self::Os)])
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::Sync => "sync",
            Self::Os => "os",
        })
    }
}

/// Which of our own log lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

/// Our crates: a plain `debug` or `trace` speaks of them; the libraries below stay at `info`.
const OUR_TARGETS: [&str; 8] = [
    "backtrail",
    "codec",
    "host",
    "wal",
    "block",
    "store",
    "query",
    "model",
];

impl LogFilter {
    /// The default.
    pub(crate) fn info() -> Self {
        Self("info".to_owned())
    }

    /// For `tracing_subscriber`.
    pub(crate) fn to_env_filter(&self) -> EnvFilter {
        let directives = match self.0.as_str() {
            level @ ("debug" | "trace") => {
                OUR_TARGETS.iter().fold("info".to_owned(), |all, target| {
                    format!("{all},{target}={level}")
                })
            }
            other => other.to_owned(),
        };
        EnvFilter::new(directives)
    }
}

impl SettingValue for LogFilter {
    fn parse(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text).map_err(|error| {
            format!(
                "{text:?} is neither a level (error, warn, info, debug, trace, off) nor directives such as \"info,store=debug\": {error}"
            )
        })?;
        Ok(Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: SettingValue + PartialEq + std::fmt::Debug>(text: &str, toml: &str) {
        let value = T::parse(text).unwrap();
        assert_eq!(value.to_toml(), toml);
        let again = toml.trim_matches('"');
        assert_eq!(T::parse(again).unwrap(), value);
    }

    #[test]
    fn sizes_and_times_are_written_as_people_write_them() {
        round_trip::<ByteCount>("16777216", "\"16MiB\"");
        round_trip::<ByteCount>("16 MiB", "\"16MiB\"");
        round_trip::<ByteCount>("2GB", "2000000000");
        round_trip::<ByteCount>("7", "7");
        round_trip::<Millis>("1500", "1500");
        round_trip::<Millis>("2s", "2000");
        round_trip::<Age>("336h", "\"14d\"");
        round_trip::<Age>("90m", "\"90m\"");
        round_trip::<Age>("off", "\"off\"");
    }

    #[test]
    fn zero_and_nonsense_are_refused() {
        for text in ["0", "-1", "1.5MiB", "MiB", "", "99999999999TiB"] {
            assert!(ByteCount::parse(text).is_err(), "{text}");
        }
        for text in ["14", "0d", "d", "999999999999999999d"] {
            assert!(Age::parse(text).is_err(), "{text}");
        }
        assert!(
            Durability::parse("maybe")
                .unwrap_err()
                .contains("\"sync\", \"os\"")
        );
        assert!(LogFilter::parse("store=loud").is_err());
    }

    #[test]
    fn origins_are_origins_and_not_addresses_of_pages() {
        assert_eq!(Origins::parse("*"), Ok(Origins::Any));
        assert_eq!(Origins::parse("off"), Ok(Origins::Off));
        assert_eq!(
            Origins::parse("https://a.example, http://localhost:3000"),
            Ok(Origins::List(vec![
                "https://a.example".to_owned(),
                "http://localhost:3000".to_owned()
            ]))
        );
        for text in ["a.example", "https://a.example/", "*,https://a.example"] {
            assert!(Origins::parse(text).is_err(), "{text}");
        }
    }
}
