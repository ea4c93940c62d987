//! How the sources of a map are called for people, and which of them are a service's own.

/// A source as a person would write it: without the bundler's scheme, project and query (`webpack://shop/./src/cart.ts?a1b2` is `src/cart.ts`), and
/// without the steps up that lead out of the folder of the map.
pub(crate) fn readable(source: &str) -> String {
    let mut rest = source;
    let is_bundler = match rest.split_once("://") {
        Some((
            scheme @ ("webpack" | "webpack-internal" | "rollup" | "turbopack" | "rspack" | "ng"),
            after,
        )) => {
            // The project stands where a host would; with three slashes there is none.
            rest = after.split_once('/').map_or(after, |(_, path)| path);
            scheme != "ng"
        }
        _ => {
            if let Some(path) = rest.strip_prefix("webpack:/") {
                rest = path;
                true
            } else {
                false
            }
        }
    };
    if is_bundler && let Some((path, query)) = rest.rsplit_once('?') {
        // webpack tells modules of one name apart by a hash behind `?`.
        if query.len() <= 16 && query.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            rest = path;
        }
    }
    let mut relative = rest;
    loop {
        relative = match relative
            .strip_prefix("./")
            .or_else(|| relative.strip_prefix("../"))
        {
            Some(shorter) => shorter,
            None => break,
        };
    }
    if relative.is_empty() {
        source.to_owned()
    } else {
        relative.to_owned()
    }
}

/// Whether a source is of the service itself: no package, and nothing that a bundler adds.
pub(crate) fn is_own(source: &str) -> bool {
    let readable = readable(source);
    let is_package = readable.split(['/', '\\']).any(|segment| {
        matches!(
            segment,
            "node_modules" | "bower_components" | ".yarn" | ".pnpm"
        )
    });
    let is_bundler = [
        "webpack/",
        "(webpack)/",
        "external ",
        "ignored|",
        "vite/",
        "\0",
    ]
    .iter()
    .any(|prefix| readable.starts_with(prefix));
    !is_package && !is_bundler
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_as_people_know_them() {
        for (source, expected) in [
            ("webpack://shop/./src/cart.ts", "src/cart.ts"),
            ("webpack://shop/./src/cart.vue?a1b2", "src/cart.vue"),
            ("webpack:///./src/cart.ts", "src/cart.ts"),
            ("webpack:///src/cart.ts", "src/cart.ts"),
            ("webpack://shop/webpack/bootstrap", "webpack/bootstrap"),
            ("../../src/cart.ts", "src/cart.ts"),
            ("https://x.test/src/cart.ts", "https://x.test/src/cart.ts"),
            ("/build/src/cart.ts", "/build/src/cart.ts"),
            ("./", "./"),
        ] {
            assert_eq!(readable(source), expected, "{source}");
        }
    }

    #[test]
    fn packages_and_what_bundlers_add_are_not_the_services_own() {
        for (source, expected) in [
            ("webpack://shop/./src/cart.ts", true),
            ("webpack://shop/./node_modules/express/lib/router.js", false),
            ("webpack://shop/webpack/bootstrap", false),
            ("webpack://shop/external commonjs \"http\"", false),
            ("../node_modules/.pnpm/a@1/index.js", false),
            ("src/webpack/plugin.ts", true),
        ] {
            assert_eq!(is_own(source), expected, "{source}");
        }
    }
}
