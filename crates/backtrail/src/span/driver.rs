//! Errors of databases' drivers, whose messages quote values: those are not told, in whatever error they come up.

use std::error::Error;

use crate::sql::masked;

type Source<'e> = &'e (dyn Error + 'static);

/// Whether an error is one of a driver that is known.
pub(super) fn made(error: Source<'_>) -> bool {
    sqlx::made(error) || redis::made(error)
}

/// The same of a type, by its name.
pub(super) fn is_named(name: &str) -> bool {
    sqlx::NAME.is_some_and(|known| known() == name)
        || redis::NAME.is_some_and(|known| known() == name)
}

/// Masks what an error and its sources say, in their order: all of it from a driver's error on, and before it what repeats that.
pub(super) fn conceal(is_of_driver: bool, sources: &[Source<'_>], texts: &mut [String]) {
    let first = if is_of_driver {
        Some(0)
    } else {
        sources
            .iter()
            .position(|&source| made(source))
            .map(|at| at + 1)
    };
    let Some((before, of_driver)) = first.and_then(|first| texts.split_at_mut_checked(first))
    else {
        return;
    };
    let known: Vec<&str> = sources
        .iter()
        .flat_map(|&source| sqlx::names_in(source))
        .collect();
    for text in of_driver {
        let told = masked(text, &known);
        for repeating in &mut *before {
            if !text.is_empty() {
                *repeating = repeating.replace(&**text, &told);
            }
        }
        *text = told;
    }
    // Of a text that was cut it is not known what it would repeat.
    for text in before.iter_mut().filter(|text| text.ends_with('…')) {
        *text = masked(text, &known);
    }
}

#[cfg(feature = "sqlx")]
mod sqlx {
    use std::any::type_name;

    use sqlx::Error;
    use sqlx::error::DatabaseError;

    use super::Source;

    pub(super) const NAME: Option<fn() -> &'static str> = Some(type_name::<Error>);

    pub(super) fn made(error: Source<'_>) -> bool {
        error.is::<Error>() || error.is::<Box<dyn DatabaseError>>()
    }

    /// The names of a constraint and a table that a database's error quotes.
    pub(super) fn names_in(error: Source<'_>) -> impl Iterator<Item = &str> {
        let error = error.downcast_ref::<Box<dyn DatabaseError>>();
        let names = error.map(|error| [error.constraint(), error.table()]);
        names.into_iter().flatten().flatten()
    }
}

#[cfg(not(feature = "sqlx"))]
mod sqlx {
    use super::Source;

    pub(super) const NAME: Option<fn() -> &'static str> = None;

    pub(super) const fn made(_: Source<'_>) -> bool {
        false
    }

    pub(super) const fn names_in(_: Source<'_>) -> [&str; 0] {
        []
    }
}

#[cfg(feature = "redis")]
mod redis {
    use std::any::type_name;

    use redis::RedisError;

    use super::Source;

    pub(super) const NAME: Option<fn() -> &'static str> = Some(type_name::<RedisError>);

    pub(super) fn made(error: Source<'_>) -> bool {
        error.is::<RedisError>()
    }
}

#[cfg(not(feature = "redis"))]
mod redis {
    use super::Source;

    pub(super) const NAME: Option<fn() -> &'static str> = None;

    pub(super) const fn made(_: Source<'_>) -> bool {
        false
    }
}
