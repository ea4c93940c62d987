//! The resource: which service the spans are of.

use std::process;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;

use super::{Environment, Warnings};

/// What code says of the resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) service_version: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) attributes: Vec<KeyValue>,
}

/// The resource, from weak to strong: what is found on the machine, what code says, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`.
pub(crate) fn resource(
    service_name: &str,
    overrides: &Overrides,
    env: &Environment,
    warnings: &mut Warnings,
) -> Resource {
    let version = overrides
        .service_version
        .clone()
        .or_else(|| env.get("SERVICE_VERSION"))
        .unwrap_or_else(|| "1.0.0".to_owned());
    let environment = overrides
        .environment
        .clone()
        .or_else(|| {
            let names = ["DEPLOYMENT_ENVIRONMENT", "APP_ENV", "NODE_ENV"];
            env.first(&names).map(|(_, value)| value)
        })
        .unwrap_or_else(|| "development".to_owned());
    let mut resource = Attributes(detected(env));
    resource.set("service.name", service_name.to_owned());
    resource.set("service.version", version);
    for name in ENVIRONMENT_NAMES {
        resource.set(name, environment.clone());
    }
    for attribute in &overrides.attributes {
        resource.set(attribute.key.clone(), attribute.value.clone());
    }
    for (key, value) in from_env(env, warnings) {
        resource.set(key, value);
    }
    resource.keep_names_of_the_environment_alike(&environment);
    if let Some(name) = env.get("OTEL_SERVICE_NAME") {
        resource.set("service.name", name);
    }
    Resource::builder_empty()
        .with_attributes(resource.0)
        .build()
}

/// The name of the conventions, and the one that the document's set-up sends and older dashboards group by.
const ENVIRONMENT_NAMES: [&str; 2] = ["deployment.environment.name", "deployment.environment"];

struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn set(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        let key = key.into();
        self.0.retain(|attribute| attribute.key != key);
        self.0.push(KeyValue::new(key, value));
    }

    /// Whoever says the environment by one name alone means both.
    fn keep_names_of_the_environment_alike(&mut self, unless_it_is: &str) {
        let said = ENVIRONMENT_NAMES.map(|name| {
            let found = self.0.iter().find(|each| each.key.as_str() == name);
            found
                .map(|each| each.value.clone())
                .filter(|value| value.as_str() != unless_it_is)
        });
        match said {
            [Some(value), None] => self.set(ENVIRONMENT_NAMES[1], value),
            [None, Some(value)] => self.set(ENVIRONMENT_NAMES[0], value),
            [None, None] | [Some(_), Some(_)] => {}
        }
    }
}

fn detected(env: &Environment) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        KeyValue::new("telemetry.sdk.language", "rust"),
        KeyValue::new("telemetry.sdk.version", "0.33.1"),
        KeyValue::new("telemetry.distro.name", "backtrail"),
        KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("process.pid", i64::from(process::id())),
        KeyValue::new("process.runtime.name", "rustc"),
        KeyValue::new("host.arch", host_arch()),
        KeyValue::new("os.type", os_type()),
    ];
    if let Some(host) = host_name(env) {
        attributes.push(KeyValue::new("host.name", host));
    }
    if let Ok(path) = std::env::current_exe() {
        if let Some(name) = path.file_name() {
            let name = name.to_string_lossy().into_owned();
            attributes.push(KeyValue::new("process.executable.name", name));
        }
        let path = path.to_string_lossy().into_owned();
        attributes.push(KeyValue::new("process.executable.path", path));
    }
    attributes
}

/// Source: semantic conventions, `host.arch`.
fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "x86",
        "arm" => "arm32",
        other => other,
    }
}

/// Source: semantic conventions, `os.type`.
fn os_type() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

fn host_name(env: &Environment) -> Option<String> {
    let from_kernel = || {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    };
    from_kernel().or_else(|| {
        env.first(&["HOSTNAME", "COMPUTERNAME"])
            .map(|(_, name)| name)
    })
}

/// Source: specification, "Resource SDK", "Specifying resource information via an environment variable": pairs as in W3C baggage, and
/// when one of them cannot be read, the whole value is discarded.
fn from_env(env: &Environment, warnings: &mut Warnings) -> Vec<(String, String)> {
    let name = "OTEL_RESOURCE_ATTRIBUTES";
    let Some(value) = env.get(name) else {
        return Vec::new();
    };
    let pairs: Option<Vec<_>> = value
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = percent_decoded(key.trim())?;
            (!key.is_empty()).then_some(())?;
            Some((key, percent_decoded(value.trim())?))
        })
        .collect();
    pairs.unwrap_or_else(|| {
        warnings.ignored(name, &value, "key=value,key=value with percent-encoding");
        Vec::new()
    })
}

/// Text without its percent-encoding; nothing when that is malformed.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(env: &[(&str, &str)], overrides: &Overrides, expected: &[(&str, &str)]) {
        let env = Environment::of(env.iter().copied());
        let resource = resource("orders", overrides, &env, &mut Warnings::default());
        for &(key, value) in expected {
            let got = resource.get(&Key::new(key.to_owned()));
            assert_eq!(
                got.map(|value| value.to_string()).as_deref(),
                Some(value),
                "{key}"
            );
        }
    }

    #[test]
    fn the_documents_defaults_hold() {
        let expected = [
            ("service.name", "orders"),
            ("service.version", "1.0.0"),
            ("deployment.environment.name", "development"),
            ("deployment.environment", "development"),
            ("telemetry.sdk.language", "rust"),
        ];
        check(&[], &Overrides::default(), &expected);
    }

    #[test]
    fn the_environment_says_version_and_environment() {
        let env = [("SERVICE_VERSION", "2.1"), ("NODE_ENV", "production")];
        let expected = [
            ("service.version", "2.1"),
            ("deployment.environment", "production"),
        ];
        check(&env, &Overrides::default(), &expected);
        let env = [("APP_ENV", "staging"), ("NODE_ENV", "production")];
        check(
            &env,
            &Overrides::default(),
            &[("deployment.environment.name", "staging")],
        );
    }

    #[test]
    fn resource_attributes_win_over_code_and_the_service_name_over_them() {
        let overrides = Overrides {
            service_version: Some("3".to_owned()),
            environment: None,
            attributes: vec![KeyValue::new("team", "shop")],
        };
        let env = [(
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.version=4,service.name=a,team=caf%C3%A9 , k8s.pod.name=p-1",
        )];
        let expected = [
            ("service.version", "4"),
            ("service.name", "a"),
            ("team", "café"),
            ("k8s.pod.name", "p-1"),
        ];
        check(&env, &overrides, &expected);
        let env = [env[0], ("OTEL_SERVICE_NAME", "b")];
        check(&env, &overrides, &[("service.name", "b")]);
    }

    #[test]
    fn an_environment_that_has_one_of_its_names_has_both() {
        for (variable, name) in [
            ("deployment.environment.name=eu", "deployment.environment"),
            ("deployment.environment=eu", "deployment.environment.name"),
        ] {
            let env = [("OTEL_RESOURCE_ATTRIBUTES", variable)];
            check(&env, &Overrides::default(), &[(name, "eu")]);
        }
        let both = "deployment.environment=a,deployment.environment.name=b";
        let expected = [
            ("deployment.environment", "a"),
            ("deployment.environment.name", "b"),
        ];
        let env = [("OTEL_RESOURCE_ATTRIBUTES", both)];
        check(&env, &Overrides::default(), &expected);
    }

    #[test]
    fn a_malformed_list_is_discarded_whole_and_told() {
        let env = Environment::of([("OTEL_RESOURCE_ATTRIBUTES", "team=shop,broken")]);
        let mut warnings = Warnings::default();
        let resource = resource("orders", &Overrides::default(), &env, &mut warnings);
        assert_eq!(resource.get(&Key::new("team")), None);
        assert_eq!(
            warnings.into_vec(),
            [
                "OTEL_RESOURCE_ATTRIBUTES=team=shop,broken is ignored: key=value,key=value with percent-encoding is expected"
            ]
        );
        assert_eq!(percent_decoded("%4"), None);
        assert_eq!(percent_decoded("%zz"), None);
        assert_eq!(percent_decoded("%ff"), None, "not UTF-8");
    }
}
