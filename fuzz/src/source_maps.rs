//! What must hold of source maps, whatever bytes they are.

use srcmap::cache::{MapCache, build};
use srcmap::fit::fit;
use srcmap::map::{MapLimits, SourceMap, check};
use srcmap::minified::{decode_data_url, inspect};

/// Limits that keep one run short.
const LIMITS: MapLimits = MapLimits {
    max_bytes: 1 << 20,
    max_segments: 1 << 16,
    max_sources: 1 << 12,
    max_names: 1 << 12,
    max_sections: 1 << 10,
    max_section_depth: 4,
};

/// Reads bytes as a map and as a bundle. What strict reading accepts, lenient reading reads; what a cache answers is what its map says.
pub fn source_map(bytes: &[u8]) {
    let facts = inspect(bytes);
    if let Some(url) = facts.inline_map {
        let decoded = decode_data_url(url, LIMITS.max_bytes);
        assert!(decoded.is_err() || decoded.is_ok_and(|map| map.len() <= LIMITS.max_bytes));
    }
    let read = SourceMap::parse(bytes, &LIMITS);
    let violations = check(bytes, &LIMITS);
    let Ok(map) = read else {
        assert!(
            !violations.is_empty(),
            "strict reading accepts what lenient reading does not"
        );
        return;
    };
    let _ = fit(&String::from_utf8_lossy(bytes), &map);
    let file = build(&map, None).expect("a map within these limits fits into a cache");
    let cache = MapCache::open(file).expect("our own cache opens");
    for token in map.tokens() {
        for column in [token.column(), token.column().saturating_add(1)] {
            let expected = map.token_at(token.line(), column);
            let found = cache
                .lookup(token.line(), column)
                .expect("our own cache is sound");
            let found = found.map(|found| (found.source, found.line, found.column, found.name));
            let expected = expected.and_then(|token| {
                let original = token.original()?;
                Some((
                    original.source,
                    original.line,
                    original.column,
                    map.name_of(token),
                ))
            });
            assert_eq!(found, expected);
        }
    }
    for source in 0..cache.source_count() {
        for line in [0, 1, 50] {
            cache
                .source_lines(source, line, 5)
                .expect("our own cache is sound");
        }
    }
}

/// Opens bytes as a cache and asks it; with the right begin and length too, so that more than the header is looked at.
pub fn source_map_cache(bytes: &[u8]) {
    ask(bytes);
    let mut file = bytes.to_vec();
    if file.len() >= 16 {
        let len_bytes = file.len() as u64;
        file[..6].copy_from_slice(b"BTSC\x01\x00");
        file[8..16].copy_from_slice(&len_bytes.to_le_bytes());
        ask(&file);
    }
}

fn ask(bytes: &[u8]) {
    let Ok(cache) = MapCache::open(bytes) else {
        return;
    };
    let _ = (cache.file(), cache.debug_id(), cache.fit());
    for line in [0, 1, 2, 100, u32::MAX] {
        for column in [0, 1, 40, 50_000, u32::MAX] {
            let _ = cache.lookup(line, column);
        }
    }
    for source in [0, 1, 2, u32::MAX] {
        let _ = cache.source(source);
        for line in [0, 1, 100, u32::MAX] {
            let _ = cache.source_lines(source, line, 5);
        }
    }
}
