//! Names as Zipkin's clients write them.

use std::collections::BTreeSet;

use model::ScanError;
use query::Condition;
use store::Snapshot;

/// A name that is asked for: as it is written where something bears it so, else without regard to case. `None` when nothing bears it.
fn bearers<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> Option<Vec<String>> {
    let lower = asked.to_lowercase();
    let mut similar = BTreeSet::new();
    for name in names {
        if name == asked {
            return Some(vec![name.to_owned()]);
        }
        if name.to_lowercase() == lower {
            similar.insert(name.to_owned());
        }
    }
    (!similar.is_empty()).then(|| similar.into_iter().collect())
}

/// The names of services that are meant.
pub(super) fn services(snapshot: &Snapshot, asked: &str) -> Result<Vec<String>, ScanError> {
    let all = query::services(snapshot)?;
    let found = bearers(asked, all.iter().map(String::as_str));
    Ok(found.unwrap_or_else(|| vec![asked.to_owned()]))
}

/// The names of spans that are meant.
pub(super) fn spans(snapshot: &Snapshot, asked: &str) -> Result<Vec<String>, ScanError> {
    let all = query::operations(snapshot, None)?;
    let found = bearers(asked, all.iter().map(|operation| operation.name.as_str()));
    Ok(found.unwrap_or_else(|| vec![asked.to_owned()]))
}

/// One of the names.
pub(super) fn any_of(mut names: Vec<String>, condition: fn(String) -> Condition) -> Condition {
    if names.len() == 1
        && let Some(name) = names.pop()
    {
        return condition(name);
    }
    Condition::AnyOf(names.into_iter().map(condition).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_meant_as_it_is_written_or_else_whatever_its_case() {
        let names = ["Shop", "shop", "Web", "WEB", "über"];
        let meant = |asked| bearers(asked, names.into_iter());
        assert_eq!(meant("shop"), Some(vec!["shop".to_owned()]));
        assert_eq!(meant("Shop"), Some(vec!["Shop".to_owned()]));
        assert_eq!(meant("web"), Some(vec!["WEB".to_owned(), "Web".to_owned()]));
        assert_eq!(meant("Über"), Some(vec!["über".to_owned()]));
        assert_eq!(meant("db"), None);
    }
}
