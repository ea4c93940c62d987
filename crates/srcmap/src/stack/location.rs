//! The text of a location: `url:line:column` and what stands in its place.

use super::FrameKind;

/// What the text of a location says.
#[derive(Clone, Copy)]
pub(super) struct Location<'a> {
    pub(super) url: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) kind: FrameKind,
}

/// Files of languages whose traces have lines like `at path:line:column`.
const OTHER_LANGUAGES: &[&str] = &[
    "c", "cc", "clj", "cpp", "cr", "cs", "cxx", "dart", "erl", "ex", "exs", "fs", "go", "groovy",
    "h", "hpp", "hs", "java", "jl", "kt", "kts", "lua", "m", "ml", "mm", "nim", "php", "pl", "pm",
    "pony", "py", "pyc", "pyx", "r", "rb", "rs", "scala", "swift", "vb", "zig",
];

/// Files that are JavaScript, or become it, or hold it.
const OUR_LANGUAGES: &[&str] = &[
    "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte", "astro", "coffee",
    "html", "htm", "bundle", "jsbundle", "hbc", "wasm",
];

/// How the names of the runtime's own scripts begin.
const INTERNAL_PREFIXES: &[&str] = &[
    "node:",
    "internal/",
    "ext:",
    "deno:",
    "bun:",
    "native:",
    "extensions::",
];

/// Scripts of Node before 16, which were named without `node:` or a folder.
const INTERNAL_NAMES: &[&str] = &[
    "InternalBytecode.js",
    "_http_agent.js",
    "_http_client.js",
    "_http_common.js",
    "_http_incoming.js",
    "_http_outgoing.js",
    "_http_server.js",
    "_stream_duplex.js",
    "_stream_passthrough.js",
    "_stream_readable.js",
    "_stream_transform.js",
    "_stream_writable.js",
    "_tls_common.js",
    "_tls_wrap.js",
    "assert.js",
    "async_hooks.js",
    "bootstrap_node.js",
    "buffer.js",
    "child_process.js",
    "cluster.js",
    "crypto.js",
    "dgram.js",
    "dns.js",
    "domain.js",
    "events.js",
    "fs.js",
    "http.js",
    "https.js",
    "module.js",
    "net.js",
    "os.js",
    "path.js",
    "perf_hooks.js",
    "process.js",
    "querystring.js",
    "readline.js",
    "repl.js",
    "stream.js",
    "string_decoder.js",
    "timers.js",
    "tls.js",
    "url.js",
    "util.js",
    "v8.js",
    "vm.js",
    "zlib.js",
    "self-hosted",
];

/// Code that came from no file.
const UNNAMED: &[&str] = &[
    "<anonymous>",
    "debugger eval code",
    "eval code",
    "evalmachine.<anonymous>",
    "Unknown script code",
];

/// A scheme is not longer than this.
const MAX_SCHEME_BYTES: usize = 32;

impl<'a> Location<'a> {
    pub(super) fn native() -> Self {
        Self {
            url: "",
            line: 0,
            column: 0,
            kind: FrameKind::Native,
        }
    }

    /// Reads `url:line:column`, or a function of a WebAssembly module. `None` when it is neither, or of another language.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if let Some(url) = wasm_module(text) {
            return Some(Self {
                url,
                line: 0,
                column: 0,
                kind: FrameKind::Wasm,
            });
        }
        let (rest, column) = split_number(text)?;
        let (url, line) = split_number(rest)?;
        if url.is_empty() || line == 0 || is_of_other_language(url) {
            return None;
        }
        let kind = kind_of(url);
        // Some engines count columns from 0 where a line is all that they know.
        let column = column.max(1);
        Some(Self {
            url,
            line,
            column,
            kind,
        })
    }

    /// Whether more than the two numbers speaks for a location: a path, an address, a known name.
    pub(super) fn is_likely(&self) -> bool {
        self.kind != FrameKind::Script
            || begins_like_url(self.url)
            || !self.url.contains([' ', '\t']) && (self.url.contains('/') || self.is_our_language())
    }

    /// Whether the file's name says that it is JavaScript, or was.
    pub(super) fn is_our_language(&self) -> bool {
        OUR_LANGUAGES.contains(&extension(self.url).as_str())
    }
}

/// Whether a text begins as a URL or an absolute path does. Looks at its first bytes only.
pub(super) fn begins_like_url(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'/' | b'\\', next, ..] => !next.is_ascii_whitespace(),
        [b'.', b'/' | b'\\', ..] | [b'.', b'.', b'/' | b'\\', ..] => true,
        [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic() => true,
        [first, ..] if first.is_ascii_alphabetic() => {
            let scheme = bytes
                .iter()
                .take(MAX_SCHEME_BYTES)
                .position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(b)));
            scheme.is_some_and(|len| {
                let rest = &bytes[len..];
                rest.starts_with(b"://")
                    || rest.starts_with(b":")
                        && [&b"blob"[..], b"data", b"about", b"node"].contains(&&bytes[..len])
            })
        }
        _ => false,
    }
}

/// Pages of other languages hold scripts when a browser loads them: `https://shop.test/index.php:10:5`.
fn is_of_other_language(url: &str) -> bool {
    let is_page = url.starts_with("http://") || url.starts_with("https://");
    !is_page && OTHER_LANGUAGES.contains(&extension(url).as_str())
}

/// The module of `module:wasm-function[12]:0x1f4`, or of V8's old `<WASM>[12]+500`.
fn wasm_module(text: &str) -> Option<&str> {
    let (module, function) = text
        .rsplit_once(":wasm-function[")
        .or_else(|| Some(("", text.strip_prefix("wasm-function[")?)))?;
    let (number, offset) = function.split_once(']')?;
    let offset = offset.strip_prefix(':').unwrap_or(offset);
    let digits = offset.strip_prefix("0x").unwrap_or(offset);
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    (is_number(number) && is_number(digits)).then_some(module)
}

/// Splits `rest:123`.
fn split_number(text: &str) -> Option<(&str, u32)> {
    let digits_start = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (rest, digits) = text.split_at(digits_start);
    let rest = rest.strip_suffix(':')?;
    Some((rest, digits.parse().ok()?))
}

fn kind_of(url: &str) -> FrameKind {
    let is_internal = INTERNAL_PREFIXES
        .iter()
        .any(|prefix| url.starts_with(prefix));
    if is_internal || INTERNAL_NAMES.contains(&url) {
        FrameKind::Internal
    } else if UNNAMED.contains(&url) || is_console(url) {
        FrameKind::Native
    } else {
        FrameKind::Script
    }
}

/// Whether it is Node's name for what was typed or piped: `REPL12`, `[eval]`, `[stdin]-wrapper`.
fn is_console(url: &str) -> bool {
    let number = url.strip_prefix("REPL");
    let is_typed = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    is_typed || url.starts_with('[') && (url.ends_with(']') || url.ends_with("]-wrapper"))
}

/// What follows the last dot of the file's name, in lower case; empty when it is longer than all that we know.
pub(super) fn extension(url: &str) -> String {
    const LONGEST: usize = 10;
    let path_end = url.find(['?', '#']).unwrap_or(url.len());
    let path = &url[..path_end];
    let ending = path.rsplit(['.', '/', '\\']).next().unwrap_or_default();
    let is_whole_name =
        path.len() == ending.len() || !path[..path.len() - ending.len()].ends_with('.');
    if is_whole_name || ending.len() > LONGEST {
        String::new()
    } else {
        ending.to_ascii_lowercase()
    }
}
