//! The part of an address after the question mark.

use axum::extract::Query;
use http::Uri;

use super::failure::Failure;
use super::{duration, instant};

/// Parameters of a request. One that is empty is taken for one that is not there, as forms send it.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(uri: &Uri) -> Result<Self, Failure> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Failure::Invalid(format!("parameters can't be read: {error}")))?;
        let present = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        Ok(Self(present.collect()))
    }

    /// Refuses names that are not known: a condition that was misspelt must not be a condition that holds.
    pub(super) fn refuse_others(&self, known: &[&str]) -> Result<(), Failure> {
        match self
            .0
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => Err(Failure::Invalid(format!(
                "parameter {name:?} is not known here; there are none"
            ))),
            Some((name, _)) => Err(Failure::Invalid(format!(
                "parameter {name:?} is not known here; there are {}",
                known.join(", ")
            ))),
        }
    }

    /// Refuses a parameter that is given twice, but for these: of two values one would be paid no attention to.
    pub(super) fn refuse_repeats(&self, repeatable: &[&str]) -> Result<(), Failure> {
        let is_repeated = |name: &&str| !repeatable.contains(name) && self.all(name).count() > 1;
        match self.names().find(is_repeated) {
            None => Ok(()),
            Some(name) => Err(Failure::Invalid(format!(
                "parameter {name} is given more than once"
            ))),
        }
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.iter().filter(move |(other, _)| other == name);
        pairs.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter; the first, when it is given twice.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value as `parse` reads it.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let parsed = parse(value).ok_or_else(|| {
            Failure::Invalid(format!("parameter {name}: {value:?} is not {expected}"))
        })?;
        Ok(Some(parsed))
    }

    /// The value under the first of these names that is given, with that name.
    pub(super) fn first_of<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &str)> {
        let given = |name: &&'n str| Some((*name, self.get(name)?));
        names.iter().find_map(given)
    }

    /// That value as `parse` reads it.
    pub(super) fn parse_first<T>(
        &self,
        names: &[&str],
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        match self.first_of(names) {
            Some((name, _)) => self.parse(name, expected, parse),
            None => Ok(None),
        }
    }

    /// The names of all parameters, as often as they are given.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A duration in nanoseconds.
    pub(super) fn duration_nano(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.first_duration_nano(&[name])
    }

    /// The same under the first of several names that is given.
    pub(super) fn first_duration_nano(&self, names: &[&str]) -> Result<Option<u64>, Failure> {
        let expected = "a duration such as 250ms, 1.5s or 1h30m";
        self.parse_first(names, expected, duration::parse_nano)
    }

    /// An instant in nanoseconds since 1970.
    pub(super) fn unix_nano(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.first_unix_nano(&[name])
    }

    /// The same under the first of several names that is given.
    pub(super) fn first_unix_nano(&self, names: &[&str]) -> Result<Option<u64>, Failure> {
        let expected =
            "an integer of nanoseconds since 1970, or RFC 3339 such as 2026-01-31T12:00:00Z";
        self.parse_first(names, expected, instant::parse_unix_nano)
    }
}
