//! What a map says of itself, without its mappings.

use super::document::{read, text_of};
use super::limits::MapError;
use crate::DebugId;

/// The fields of a map by which it is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapHead {
    /// `file`: the name of the generated code.
    pub file: Option<String>,
    /// `debugId` or `debug_id`.
    pub debug_id: Option<DebugId>,
}

/// Reads `file` and the debug id. The rest has to be well-formed JSON, and may be anything: whether it is a source map, [`SourceMap::parse`](super::SourceMap::parse) says.
pub fn head(json: &[u8]) -> Result<MapHead, MapError> {
    let document = read(text_of(json)?)?;
    let text = |value: Option<&serde_json::value::RawValue>| {
        value.and_then(|value| serde_json::from_str::<String>(value.get()).ok())
    };
    let id = |value| text(value).and_then(|text| text.parse().ok());
    Ok(MapHead {
        file: text(document.file),
        debug_id: id(document.debug_id).or_else(|| id(document.old_debug_id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_named_without_being_understood() {
        let json = br#")]}'
{"version":9,"file":"main.js","mappings":7,"debug_id":"85314830023f4cf1a267535f4e37bb17"}"#;
        let found = head(json).unwrap();
        assert_eq!(found.file.as_deref(), Some("main.js"));
        assert_eq!(
            found.debug_id.map(|id| id.to_string()).as_deref(),
            Some("85314830-023f-4cf1-a267-535f4e37bb17")
        );
        assert_eq!(head(b"{\"file\":1}").unwrap(), MapHead::default());
        assert!(head(b"[]").is_err());
    }
}
