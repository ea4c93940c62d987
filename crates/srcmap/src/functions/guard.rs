//! Parsing on a stack that no source overflows.

use std::thread;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

use super::Scopes;
use super::collect::Collector;

/// Sources with more tokens, and parts of tokens, are not parsed. A source of a megabyte has about 250,000.
pub const MAX_TOKENS: usize = 262_144;

/// Sources of more bytes are not looked at.
const MAX_SOURCE_BYTES: usize = 10 << 20;

/// What a token adds to the stack at most, also where nothing is optimised. `no_source_overflows_the_stack` tries each construct.
const STACK_BYTES_PER_TOKEN: usize = 4 << 10;
const BASE_STACK_BYTES: usize = 1 << 20;

/// Reads a source; `None` when it meets a limit, or is of a language that is not read.
pub(super) fn run(name: &str, text: &str) -> Option<Scopes> {
    let kind = source_type(name)?;
    if text.len() > MAX_SOURCE_BYTES {
        return None;
    }
    let tokens = tokens_at_most(text);
    if tokens > MAX_TOKENS {
        return None;
    }
    // The system gives memory to the part of a stack that is used: for most sources, a few pages.
    let stack_bytes = BASE_STACK_BYTES + tokens * STACK_BYTES_PER_TOKEN;
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(stack_bytes);
        let parser = builder.spawn_scoped(scope, || parse(text, kind)).ok()?;
        parser.join().ok()
    })
}

fn parse(text: &str, kind: SourceType) -> Scopes {
    let allocator = Allocator::default();
    let options = ParseOptions {
        allow_return_outside_function: true,
        preserve_parens: false,
        ..ParseOptions::default()
    };
    let parser = Parser::new(&allocator, text, kind).with_options(options);
    let parsed = parser.parse();
    let mut collector = Collector::new(text);
    collector.visit_program(&parsed.program);
    collector.into_scopes()
}

/// JavaScript may hold JSX, and TypeScript may not: there, `<T>x` is a cast.
fn source_type(name: &str) -> Option<SourceType> {
    let end = name.find(['?', '#']).unwrap_or(name.len());
    let path = name[..end].to_ascii_lowercase();
    let ending = path.rsplit(['.', '/', '\\']).next().unwrap_or_default();
    let kind = match ending {
        "vue" | "svelte" | "astro" | "coffee" | "css" | "json" | "html" => return None,
        "ts" | "mts" | "cts" => SourceType::ts(),
        "tsx" => SourceType::tsx(),
        _ => SourceType::jsx().with_unambiguous(true),
    };
    Some(kind)
}

/// Words, and bytes that are no part of a word: at least as many as there are tokens, whatever is quoted.
fn tokens_at_most(text: &str) -> usize {
    let mut in_word = false;
    let mut tokens = 0;
    for byte in text.bytes() {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
        if !(is_word && in_word || byte.is_ascii_whitespace()) {
            tokens += 1;
        }
        in_word = is_word;
    }
    tokens
}
