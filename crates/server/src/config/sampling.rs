//! `[sampling]`: what clients that ask for a sampling strategy are told. The tables below it bear the names of services and operations, so they
//! are in the file alone and no settings of their own.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use super::error::{ConfigError, Origin};
use super::file::Raw;
use super::value::{SamplingKind, SamplingParam, SettingValue, quoted};
use crate::sampling::{ServiceStrategy, Strategies, Strategy};

/// What clients that ask for a strategy are told.
#[derive(Debug, Clone)]
pub(crate) struct Sampling {
    /// How services without a strategy of their own sample.
    pub(crate) kind: SamplingKind,
    /// How many of their traces.
    pub(crate) param: SamplingParam,
    /// A file of Jaeger's with all strategies.
    pub(crate) strategies_file: Option<PathBuf>,
    /// What stands in the tables of the configuration file.
    pub(super) tables: Tables,
    /// What stands in the strategies file.
    pub(super) from_strategies_file: Option<Strategies>,
}

/// `[sampling.operations]` and `[sampling.services.NAME]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    operations: BTreeMap<String, SamplingParam>,
    services: BTreeMap<String, ServiceTable>,
}

#[derive(Debug, Clone)]
struct ServiceTable {
    /// Where it begins.
    origin: Origin,
    kind: SamplingKind,
    param: Option<SamplingParam>,
    operations: BTreeMap<String, SamplingParam>,
}

impl Sampling {
    /// The strategies, once [`check`](Self::check) found nothing wrong.
    pub(crate) fn strategies(&self) -> Strategies {
        if let Some(strategies) = &self.from_strategies_file {
            return strategies.clone();
        }
        let services = self.tables.services.iter().filter_map(|(name, table)| {
            let of_service = service_strategy(table.kind, table.param?, &table.operations).ok()?;
            Some((name.clone(), of_service))
        });
        Strategies {
            default: service_strategy(self.kind, self.param, &self.tables.operations)
                .unwrap_or_else(|_| Strategies::default().default),
            services: services.collect(),
        }
    }

    /// Everything that is wrong, with the place where it stands in the tables; `None` stands for the settings above them.
    pub(super) fn check(&self) -> Vec<(Option<Origin>, String)> {
        let mut errors = Vec::new();
        let own = service_strategy(self.kind, self.param, &self.tables.operations);
        if let Err(message) = own {
            errors.push((None, format!("sampling.param: {message}")));
        }
        if self.from_strategies_file.is_some() && !self.tables.is_empty() {
            let message = "sampling.strategies_file: the tables below [sampling] say how services sample, too; leave out one of the two";
            errors.push((None, message.to_owned()));
        }
        for (name, table) in &self.tables.services {
            let checked = match table.param {
                Some(param) => service_strategy(table.kind, param, &table.operations).map(drop),
                None => Err(
                    "param is missing: a share of traces, or their number in a second".to_owned(),
                ),
            };
            if let Err(message) = checked {
                let message = format!("sampling.services.{name}: {message}");
                errors.push((Some(table.origin.clone()), message));
            }
        }
        errors
    }
}

/// A strategy that makes sense, or what is wrong with it.
pub(super) fn service_strategy(
    kind: SamplingKind,
    param: SamplingParam,
    operations: &BTreeMap<String, SamplingParam>,
) -> Result<ServiceStrategy, String> {
    let strategy = match kind {
        SamplingKind::Probabilistic => Strategy::Probabilistic(param.probability()?),
        SamplingKind::RateLimiting if !operations.is_empty() => {
            return Err("operations have strategies of their own only where the service samples by probability: \
                 clients that are told of operations pay no attention to a rate"
                .to_owned());
        }
        SamplingKind::RateLimiting => Strategy::RateLimiting {
            traces_per_second: param.traces_per_second()?,
        },
    };
    let operations = operations.iter().map(|(name, param)| {
        let probability = param.probability();
        let probability =
            probability.map_err(|message| format!("operation {name:?}: {message}"))?;
        Ok((name.clone(), probability))
    });
    Ok(ServiceStrategy {
        strategy,
        operations: operations.collect::<Result<_, String>>()?,
    })
}

impl Tables {
    /// Whether the setting at this path of the file is one of these tables'.
    pub(super) fn own(path: &[String]) -> bool {
        matches!(path, [table, inner, ..] if table == "sampling" && (inner == "services" || inner == "operations"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.services.is_empty()
    }

    /// Takes what stands in the file at a path that [is ours](Self::own).
    pub(super) fn set(
        &mut self,
        path: &[String],
        origin: &Origin,
        value: Raw,
    ) -> Result<(), ConfigError> {
        let full = path.join(".");
        let fail = |message: String| ConfigError::at(origin.clone(), message);
        let path: Vec<&str> = path[1..].iter().map(String::as_str).collect();
        let set = match path.as_slice() {
            ["operations", name] => read(value).map(|param| {
                self.operations.insert((*name).to_owned(), param);
            }),
            // An empty table; what is missing in it is said by `check`.
            ["services", name] if matches!(value, Raw::Other("a table")) => {
                self.service(name, origin);
                Ok(())
            }
            ["services", _] => {
                Err("is one value; a table with type and param was expected".to_owned())
            }
            ["services" | "operations"] | ["services", _, "operations"]
                if !matches!(value, Raw::Other("a table")) =>
            {
                Err("is one value; a table was expected".to_owned())
            }
            ["services", name, "type"] => {
                read(value).map(|kind| self.service(name, origin).kind = kind)
            }
            ["services", name, "param"] => {
                read(value).map(|param| self.service(name, origin).param = Some(param))
            }
            ["services", name, "operations", operation] => read(value).map(|param| {
                let operations = &mut self.service(name, origin).operations;
                operations.insert((*operation).to_owned(), param);
            }),
            _ if matches!(value, Raw::Other("a table")) => Ok(()),
            _ => {
                let last = path.last().copied().unwrap_or_default();
                let names = ["type", "param", "operations"].map(str::to_owned);
                let suggestion = super::sources::suggest(last, names.into_iter());
                return Err(fail(format!("unknown setting `{full}`{suggestion}")));
            }
        };
        set.map_err(|message| fail(format!("{full}: {message}")))
    }

    fn service(&mut self, name: &str, origin: &Origin) -> &mut ServiceTable {
        self.services
            .entry(name.to_owned())
            .or_insert_with(|| ServiceTable {
                origin: origin.clone(),
                kind: SamplingKind::Probabilistic,
                param: None,
                operations: BTreeMap::new(),
            })
    }

    /// The tables as TOML, each with the place where it stands.
    pub(super) fn print(&self, text: &mut String) {
        print_operations(text, "sampling.operations", &self.operations);
        for (name, table) in &self.services {
            let header = format!("sampling.services.{}", key(name));
            let _ = writeln!(text, "\n[{header}] # {}", table.origin);
            let _ = writeln!(text, "type = {}", table.kind.to_toml());
            if let Some(param) = table.param {
                let _ = writeln!(text, "param = {}", param.to_toml());
            }
            print_operations(text, &format!("{header}.operations"), &table.operations);
        }
    }
}

fn print_operations(text: &mut String, header: &str, operations: &BTreeMap<String, SamplingParam>) {
    if operations.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n[{header}]");
    for (name, param) in operations {
        let _ = writeln!(text, "{} = {}", key(name), param.to_toml());
    }
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn read<T: SettingValue>(value: Raw) -> Result<T, String> {
    match value {
        Raw::One(text) => T::parse(&text),
        Raw::Many(items) => T::parse_list(&items),
        Raw::Other(what) => Err(format!("is {what}, which no setting takes")),
    }
}
