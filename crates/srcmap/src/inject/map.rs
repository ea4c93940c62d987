//! A debug id in a source map, which else stays byte for byte what it was.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::DebugId;

/// A map within a section has no sections (ECMA-426), but maps in the wild do.
const MAX_DEPTH: usize = 16;

/// A map that no id can be written into.
#[derive(Debug, thiserror::Error)]
pub enum InjectMapError {
    /// It is no JSON object of the form of a source map.
    #[error("this is no source map: {0}")]
    NotAMap(#[from] serde_json::Error),
    /// Sections within sections.
    #[error("sections are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// A JSON object whose members keep their order and their text.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Members {
    fn get(&self, name: &str) -> Option<&RawValue> {
        let member = self.0.iter().find(|(other, _)| other == name);
        member.map(|(_, value)| &**value)
    }

    fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, place)) => *place = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

#[derive(Deserialize, Serialize)]
struct Offset {
    line: u32,
    column: u32,
}

/// The id that a map has already.
pub(super) fn debug_id(map: &[u8]) -> Result<Option<DebugId>, InjectMapError> {
    let members: Members = serde_json::from_slice(without_prefix(map))?;
    Ok(id_of(&members))
}

fn id_of(members: &Members) -> Option<DebugId> {
    ["debug_id", "debugId"].iter().find_map(|name| {
        let text: String = serde_json::from_str(members.get(name)?.get()).ok()?;
        text.parse().ok()
    })
}

/// The map with the id, and with an empty line before the line `inserted` of what it maps. `None` where that is the map as it is.
pub(super) fn with_id(
    map: &[u8],
    id: DebugId,
    inserted: Option<u32>,
) -> Result<Option<Vec<u8>>, InjectMapError> {
    let mut members: Members = serde_json::from_slice(without_prefix(map))?;
    if inserted.is_none() && id_of(&members) == Some(id) {
        return Ok(None);
    }
    if let Some(line) = inserted {
        insert_line(&mut members, line, 0)?;
    }
    for name in ["debug_id", "debugId"] {
        members.set(name, to_raw_value(&id.to_string())?);
    }
    Ok(Some(serde_json::to_vec(&members)?))
}

/// The bytes that may stand before the JSON: a byte order mark, and the line that keeps a map from being run as a script.
fn without_prefix(map: &[u8]) -> &[u8] {
    let map = map.strip_prefix("\u{feff}".as_bytes()).unwrap_or(map);
    if map.starts_with(b")]}") {
        let end = map.iter().position(|byte| *byte == b'\n');
        return end.map_or(map, |end| &map[end + 1..]);
    }
    map
}

fn insert_line(members: &mut Members, line: u32, depth: usize) -> Result<(), InjectMapError> {
    if depth > MAX_DEPTH {
        return Err(InjectMapError::TooDeep);
    }
    if let Some(mappings) = members.get("mappings") {
        let mappings: String = serde_json::from_str(mappings.get())?;
        members.set("mappings", to_raw_value(&with_empty_line(mappings, line))?);
    }
    let Some(sections) = members.get("sections") else {
        return Ok(());
    };
    let mut sections: Vec<Members> = serde_json::from_str(sections.get())?;
    for section in &mut sections {
        let Some(offset) = section.get("offset") else {
            continue;
        };
        let mut offset: Offset = serde_json::from_str(offset.get())?;
        if offset.line >= line {
            offset.line = offset.line.saturating_add(1);
            section.set("offset", to_raw_value(&offset)?);
        } else if let Some(inner) = section.get("map") {
            let mut inner: Members = serde_json::from_str(inner.get())?;
            insert_line(&mut inner, line - offset.line, depth + 1)?;
            section.set("map", to_raw_value(&inner)?);
        }
    }
    members.set("sections", to_raw_value(&sections)?);
    Ok(())
}

/// Mappings with an empty line before line `line`; where they end before it, nothing moves.
fn with_empty_line(mut mappings: String, line: u32) -> String {
    let at = match line.checked_sub(1) {
        None => 0,
        Some(before) => match mappings.match_indices(';').nth(before as usize) {
            Some((at, _)) => at + 1,
            None => return mappings,
        },
    };
    mappings.insert(at, ';');
    mappings
}
