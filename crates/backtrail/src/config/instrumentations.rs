//! Which instrumentations are on.

use super::{Environment, Warnings};

/// A part of the crate that makes spans by itself, with the name by which it is switched off and on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrumentation {
    /// `http-server`: requests that a service answers.
    HttpServer,
    /// `http-client`: requests that a service makes.
    HttpClient,
    /// `grpc`: those of both that are gRPC.
    Grpc,
    /// `sql`: statements.
    Sql,
    /// `redis`: commands.
    Redis,
    /// `messaging`: messages that are sent, received and processed.
    Messaging,
    /// `fs`: files. Off unless it is switched on: a busy service would drown in these spans.
    Fs,
}

impl Instrumentation {
    const ALL: [Self; 7] = [
        Self::HttpServer,
        Self::HttpClient,
        Self::Grpc,
        Self::Sql,
        Self::Redis,
        Self::Messaging,
        Self::Fs,
    ];

    /// The name in `OTEL_RUST_ENABLED_INSTRUMENTATIONS` and `OTEL_RUST_DISABLED_INSTRUMENTATIONS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HttpServer => "http-server",
            Self::HttpClient => "http-client",
            Self::Grpc => "grpc",
            Self::Sql => "sql",
            Self::Redis => "redis",
            Self::Messaging => "messaging",
            Self::Fs => "fs",
        }
    }

    /// The instrumentations that a name stands for: `http` is server and client.
    fn named(name: &str) -> &'static [Self] {
        match name {
            "http-server" => &[Self::HttpServer],
            "http-client" => &[Self::HttpClient],
            "http" => &[Self::HttpServer, Self::HttpClient],
            "grpc" => &[Self::Grpc],
            "sql" => &[Self::Sql],
            "redis" => &[Self::Redis],
            "messaging" => &[Self::Messaging],
            "fs" => &[Self::Fs],
            _ => &[],
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The set of those that are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instrumentations(u8);

impl Default for Instrumentations {
    fn default() -> Self {
        let all = Instrumentation::ALL
            .iter()
            .fold(0, |set, each| set | each.bit());
        Self(all & !Instrumentation::Fs.bit())
    }
}

impl Instrumentations {
    pub(crate) const fn has(self, instrumentation: Instrumentation) -> bool {
        self.0 & instrumentation.bit() != 0
    }

    /// Code switches first, then the environment: what is enabled there is all that is on, and what is disabled there is off.
    pub(crate) fn new(
        switches: &[(String, bool)],
        env: &Environment,
        warnings: &mut Warnings,
    ) -> Self {
        let mut set = Self::default();
        for (name, on) in switches {
            set.switch(name, *on, "", warnings);
        }
        let enabled = "OTEL_RUST_ENABLED_INSTRUMENTATIONS";
        if let Some(names) = env.get(enabled) {
            set = Self(0);
            set.switch_all(&names, true, enabled, warnings);
        }
        let disabled = "OTEL_RUST_DISABLED_INSTRUMENTATIONS";
        if let Some(names) = env.get(disabled) {
            set.switch_all(&names, false, disabled, warnings);
        }
        set
    }

    fn switch_all(&mut self, names: &str, on: bool, variable: &str, warnings: &mut Warnings) {
        for name in names.split(',').map(str::trim).filter(|n| !n.is_empty()) {
            self.switch(name, on, variable, warnings);
        }
    }

    fn switch(&mut self, name: &str, on: bool, variable: &str, warnings: &mut Warnings) {
        let named = Instrumentation::named(name);
        if named.is_empty() {
            let known = Instrumentation::ALL.map(Instrumentation::name).join(", ");
            let place = if variable.is_empty() {
                String::new()
            } else {
                format!(" in {variable}")
            };
            warnings.add(format!(
                "there is no instrumentation `{name}`{place}: known are http, {known}"
            ));
        }
        for each in named {
            if on {
                self.0 |= each.bit();
            } else {
                self.0 &= !each.bit();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(switches: &[(&str, bool)], env: &[(&str, &str)]) -> (Vec<&'static str>, Vec<String>) {
        let switches: Vec<_> = switches
            .iter()
            .map(|&(name, on)| (name.to_owned(), on))
            .collect();
        let env = Environment::of(env.iter().copied());
        let mut warnings = Warnings::default();
        let set = Instrumentations::new(&switches, &env, &mut warnings);
        let names = Instrumentation::ALL
            .into_iter()
            .filter(|&each| set.has(each))
            .map(Instrumentation::name)
            .collect();
        (names, warnings.into_vec())
    }

    #[test]
    fn all_but_files_are_on() {
        let all = [
            "http-server",
            "http-client",
            "grpc",
            "sql",
            "redis",
            "messaging",
        ];
        assert_eq!(on(&[], &[]).0, all);
        assert_eq!(
            on(&[("fs", true), ("http", false)], &[]).0,
            ["grpc", "sql", "redis", "messaging", "fs"]
        );
    }

    #[test]
    fn the_environment_goes_before_the_code() {
        let enabled = ("OTEL_RUST_ENABLED_INSTRUMENTATIONS", "sql, http");
        assert_eq!(
            on(&[("sql", false)], &[enabled]).0,
            ["http-server", "http-client", "sql"]
        );
        let disabled = ("OTEL_RUST_DISABLED_INSTRUMENTATIONS", "sql");
        assert_eq!(
            on(&[], &[enabled, disabled]).0,
            ["http-server", "http-client"]
        );
    }

    #[test]
    fn an_unknown_name_is_told() {
        let (_, warnings) = on(
            &[("sq1", false)],
            &[("OTEL_RUST_DISABLED_INSTRUMENTATIONS", "nfs")],
        );
        assert_eq!(
            warnings,
            [
                "there is no instrumentation `sq1`: known are http, http-server, http-client, grpc, sql, redis, messaging, fs",
                "there is no instrumentation `nfs` in OTEL_RUST_DISABLED_INSTRUMENTATIONS: known are http, http-server, http-client, grpc, sql, redis, messaging, fs",
            ]
        );
    }
}
