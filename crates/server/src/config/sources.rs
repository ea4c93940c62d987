//! Layers: defaults, file, environment, command line. Later ones win.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use host::Files;

use super::check::check;
use super::error::{ConfigError, ConfigErrors, Origin};
use super::file::{self, Raw};
use super::sampling::Tables;
use super::{Config, SETTINGS, Setting, strategies_file};

/// The variable that names the file.
const FILE_VARIABLE: &str = "BACKTRAIL_CONFIG";
/// Read when nothing names a file.
const DEFAULT_FILE: &str = "./backtrail.toml";
/// For commands that ask a server, which is no setting.
const TOKEN_VARIABLE: &str = crate::commands::bearer::VARIABLE;
/// As every program with `tracing` understands it; weaker than our own variable.
const RUST_LOG: &str = "RUST_LOG";

/// The environment's variables that concern us.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Keeps of `variables` what concerns us.
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_ours = name.starts_with("BACKTRAIL_") && name != TOKEN_VARIABLE;
            (is_ours || name == RUST_LOG).then_some((name, value))
        });
        Self(ours.collect())
    }
}

/// What the command line said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// `--config`.
    pub(crate) file: Option<PathBuf>,
    /// Setting and value, as given.
    pub(crate) flags: Vec<(&'static str, String)>,
}

/// Settings and where each value comes from; a setting that is not listed has its default.
#[derive(Debug)]
pub(crate) struct Effective {
    /// The settings.
    pub(crate) config: Config,
    /// By key.
    pub(crate) origins: BTreeMap<&'static str, Origin>,
}

/// Where the settings come from, so that they can be read again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loader {
    /// Of this process.
    pub(crate) environment: Environment,
    /// Of this process.
    pub(crate) sources: Sources,
}

impl Loader {
    /// Reads and checks all layers; fails with everything that is wrong in any of them.
    pub(crate) fn load(&self, files: &dyn Files) -> Result<Effective, ConfigErrors> {
        load(files, &self.environment, &self.sources)
    }

    /// The data directory alone: it can be asked for, and tokens made in it, before the rest is right.
    pub(crate) fn data_dir(&self, files: &dyn Files) -> Result<PathBuf, ConfigErrors> {
        let layers = read(files, &self.environment, &self.sources);
        if layers.errors.is_empty() {
            Ok(layers.effective.config.data_dir)
        } else {
            Err(ConfigErrors(layers.errors))
        }
    }

    /// The file, which may not be there when nobody named it.
    pub(crate) fn file(&self) -> &Path {
        named_file(&self.environment, &self.sources).unwrap_or(Path::new(DEFAULT_FILE))
    }
}

fn named_file<'a>(environment: &'a Environment, sources: &'a Sources) -> Option<&'a Path> {
    let variable = || environment.0.get(FILE_VARIABLE).map(Path::new);
    sources.file.as_deref().or_else(variable)
}

fn load(
    files: &dyn Files,
    environment: &Environment,
    sources: &Sources,
) -> Result<Effective, ConfigErrors> {
    let mut layers = read(files, environment, sources);
    // Rules between settings make sense only when each of them could be read.
    if layers.errors.is_empty() {
        layers.errors = check(&layers.effective, files);
    }
    if layers.errors.is_empty() {
        Ok(layers.effective)
    } else {
        Err(ConfigErrors(layers.errors))
    }
}

fn read(files: &dyn Files, environment: &Environment, sources: &Sources) -> Layers {
    let mut layers = Layers {
        effective: Effective {
            config: Config::default(),
            origins: BTreeMap::new(),
        },
        errors: Vec::new(),
    };
    layers.read_file(files, environment, sources);
    layers.read_environment(environment);
    for (key, value) in &sources.flags {
        if let Some(setting) = Setting::find(key) {
            let origin = Origin::Flag(format!("--{}", setting.flag()));
            layers.set(setting, origin, Raw::One(value.clone()));
        }
    }
    layers.read_strategies_file(files);
    layers
}

struct Layers {
    effective: Effective,
    errors: Vec<ConfigError>,
}

impl Layers {
    fn set(&mut self, setting: &'static Setting, origin: Origin, value: Raw) {
        let config = &mut self.effective.config;
        let result = match value {
            Raw::One(text) => (setting.set)(config, &text),
            Raw::Many(items) => (setting.set_list)(config, &items),
            Raw::Other(what) => Err(format!("is {what}, which no setting takes")),
        };
        match result {
            Ok(()) => {
                self.effective.origins.insert(setting.key, origin);
            }
            Err(message) => self.errors.push(ConfigError::at(
                origin,
                format!("{}: {message}", setting.key),
            )),
        }
    }

    fn read_file(&mut self, files: &dyn Files, environment: &Environment, sources: &Sources) {
        let named = named_file(environment, sources);
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match file::read(files, path) {
            Ok(Some(text)) => text,
            Ok(None) => {
                if named.is_some() {
                    self.errors.push(ConfigError {
                        origin: None,
                        message: format!("{}: there is no such file", path.display()),
                    });
                }
                return;
            }
            Err(error) => {
                self.errors.push(error);
                return;
            }
        };
        let shown = shown(path);
        let entries = match file::parse(&shown, &text) {
            Ok(entries) => entries,
            Err(error) => {
                self.errors.push(error);
                return;
            }
        };
        for entry in entries {
            let origin = Origin::File {
                path: shown.clone(),
                line: entry.line,
            };
            if Tables::own(&entry.path) {
                let tables = &mut self.effective.config.sampling.tables;
                if let Err(error) = tables.set(&entry.path, &origin, entry.value) {
                    self.errors.push(error);
                }
                continue;
            }
            let key = entry.path.join(".");
            match Setting::find(&key) {
                Some(setting) => self.set(setting, origin, entry.value),
                None => {
                    let keys = SETTINGS.iter().map(|setting| setting.key.to_owned());
                    let message = format!("unknown setting `{key}`{}", suggest(&key, keys));
                    self.errors.push(ConfigError::at(origin, message));
                }
            }
        }
    }

    fn read_strategies_file(&mut self, files: &dyn Files) {
        let sampling = &mut self.effective.config.sampling;
        let Some(path) = &sampling.strategies_file else {
            return;
        };
        let read = file::read(files, path).and_then(|text| {
            let text = text.ok_or_else(|| ConfigError {
                origin: None,
                message: format!("{}: there is no such file", path.display()),
            })?;
            strategies_file::parse(&shown(path), &text)
        });
        match read {
            Ok(strategies) => sampling.from_strategies_file = Some(strategies),
            Err(error) => self.errors.push(error),
        }
    }

    fn read_environment(&mut self, environment: &Environment) {
        for (name, value) in &environment.0 {
            if name == FILE_VARIABLE {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            let setting = if name == RUST_LOG {
                if environment.0.contains_key("BACKTRAIL_LOG_LEVEL") || value.is_empty() {
                    continue;
                }
                Setting::find("log.level")
            } else {
                SETTINGS.iter().find(|setting| setting.variable() == *name)
            };
            let Some(setting) = setting else {
                let names = SETTINGS
                    .iter()
                    .map(Setting::variable)
                    .chain([FILE_VARIABLE.to_owned()]);
                let message = format!("unknown variable{}", suggest(name, names));
                self.errors.push(ConfigError::at(origin, message));
                continue;
            };
            match value.to_str() {
                Some(text) => self.set(setting, origin, Raw::One(text.to_owned())),
                None => self
                    .errors
                    .push(ConfigError::at(origin, "is not UTF-8".to_owned())),
            }
        }
    }
}

/// A path as messages name it.
fn shown(path: &Path) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.display().to_string()
}

/// The name that was probably meant, as the end of a message.
pub(super) fn suggest(wrong: &str, names: impl Iterator<Item = String>) -> String {
    // People leave the table out, or take another: then the last part alone decides.
    let last_part = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let similarity = |name: &str| {
        let whole = strsim::normalized_damerau_levenshtein(wrong, name);
        let part = strsim::normalized_damerau_levenshtein(&last_part(wrong), &last_part(name));
        whole.max(part * 0.95)
    };
    names
        .map(|name| (similarity(&name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.55)
        .map_or_else(
            || "; `backtrail config print` shows all".to_owned(),
            |(_, name)| format!("; did you mean `{name}`?"),
        )
}
