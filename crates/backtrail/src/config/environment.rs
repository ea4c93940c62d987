//! Where settings are read from.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The variables that a system reads: those of the process, or a list, for tests and for programs with a configuration of their own.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// The variables of the process.
    pub fn process() -> Self {
        Self(Arc::new(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        }))
    }

    /// These variables and no others.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables: HashMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// A variable's value without the white space around it; nothing when it is not set or empty.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The first of these variables that is set, with its name.
    pub(crate) fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|&name| Some((name, self.get(name)?)))
    }

    /// A boolean of the specification: only `true`, in any case, is true.
    pub(crate) fn flag(&self, name: &str, warnings: &mut Warnings) -> bool {
        match self.get(name) {
            None => false,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(value) => {
                warnings.ignored(name, &value, "`true` or `false`");
                false
            }
        }
    }

    /// The first of these variables that is set to something that can be read. One that can't be counts as not set, and is told.
    pub(crate) fn first_read<T>(
        &self,
        names: &[&str],
        expected: &str,
        warnings: &mut Warnings,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        names.iter().find_map(|&name| {
            let value = self.get(name)?;
            let read = read(&value);
            if read.is_none() {
                warnings.ignored(name, &value, expected);
            }
            read
        })
    }

    /// The first of these variables that is a number.
    pub(crate) fn number<T: FromStr>(&self, names: &[&str], warnings: &mut Warnings) -> Option<T> {
        let expected = "a whole number that is not negative";
        self.first_read(names, expected, warnings, |value| value.parse().ok())
    }

    /// The first of these variables that is a number, as a duration in milliseconds.
    pub(crate) fn duration_ms(&self, names: &[&str], warnings: &mut Warnings) -> Option<Duration> {
        self.number(names, warnings).map(Duration::from_millis)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// What was ignored, and why: to be told once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<String>);

impl Warnings {
    pub(crate) fn ignored(&mut self, name: &str, value: &str, expected: &str) {
        self.add(format!("{name}={value} is ignored: {expected} is expected"));
    }

    pub(crate) fn add(&mut self, warning: String) {
        self.0.push(warning);
    }

    pub(crate) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
