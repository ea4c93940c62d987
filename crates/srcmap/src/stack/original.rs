//! Whether a frame is one of an original source already, because the service resolves its own stacks.

use super::location::extension;

/// Extensions that no engine runs without something that translates them.
const ORIGINAL_ONLY: &[&str] = &[
    "ts", "mts", "cts", "tsx", "jsx", "vue", "svelte", "astro", "coffee",
];

/// Schemes that stand for a source in a map: webpack's, Angular's, Turbopack's.
const SOURCE_SCHEMES: &[&str] = &["webpack", "ng", "turbopack"];

/// What speaks for a URL being that of an original source. The ladder weighs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OriginalFacts {
    /// The scheme is one that only maps use: `webpack://`, `ng://`, `turbopack://`. Not `webpack-internal://`, which is code
    /// that ran.
    pub has_source_scheme: bool,
    /// The file's extension is one that is translated before it runs: `.ts`, `.tsx`, `.vue` and their like. Deno, Bun and newer
    /// Node run `.ts` themselves, and give original positions then.
    pub has_original_extension: bool,
    /// The path is relative, as sources in maps are: `src/a.js`, `./src/a.js`.
    pub is_relative: bool,
    /// It was loaded over HTTP or by webpack's `eval`: a development server may have translated it although it is called `.tsx`.
    pub is_served: bool,
}

impl OriginalFacts {
    /// The facts of a URL as a frame has it.
    pub fn of(url: &str) -> Self {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let is_windows = matches!(url.as_bytes(), [_, b':', b'/' | b'\\', ..]);
        let is_absolute = scheme.is_some() || is_windows || url.starts_with(['/', '\\']);
        Self {
            has_source_scheme: scheme.is_some_and(|scheme| SOURCE_SCHEMES.contains(&scheme)),
            has_original_extension: ORIGINAL_ONLY.contains(&extension(url).as_str()),
            is_relative: !is_absolute && url.contains(['/', '\\']),
            is_served: matches!(scheme, Some("http" | "https" | "webpack-internal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webpacks_scheme_is_a_source_and_its_internal_scheme_is_not() {
        let facts = OriginalFacts::of("webpack://shop/./src/cart.js");
        assert!(facts.has_source_scheme && !facts.has_original_extension && !facts.is_served);
        let facts = OriginalFacts::of("webpack-internal:///(ssr)/./src/page.tsx");
        assert!(!facts.has_source_scheme && facts.has_original_extension && facts.is_served);
    }

    #[test]
    fn an_extension_is_read_before_the_query_and_in_any_case() {
        for url in [
            "/app/src/a.ts",
            "C:\\app\\A.TSX",
            "http://x.test/src/a.vue?t=1.js#b.js",
        ] {
            assert!(OriginalFacts::of(url).has_original_extension, "{url}");
        }
        for url in [
            "/app/dist/a.js",
            "/app/a.ts/main",
            "/ts",
            "ts",
            "/app/.ts/x.mjs",
            "",
        ] {
            assert!(!OriginalFacts::of(url).has_original_extension, "{url}");
        }
    }

    #[test]
    fn a_relative_path_is_told_from_an_absolute_one_and_from_a_bare_name() {
        assert!(OriginalFacts::of("src/a.js").is_relative);
        assert!(OriginalFacts::of("./src/a.js").is_relative);
        for url in [
            "/src/a.js",
            "C:/src/a.js",
            "\\\\host\\a.js",
            "app:///a.js",
            "index.android.bundle",
        ] {
            assert!(!OriginalFacts::of(url).is_relative, "{url}");
        }
    }
}
