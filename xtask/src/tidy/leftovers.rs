//! What someone put in for a moment and forgot: `todo!`, `dbg!`, ignored and focused tests.

use anyhow::Result;

use super::Violation;
use super::rust_source::{Token, tokens};
use super::tree::Tree;

const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

const JAVASCRIPT: &[&str] = &[".js", ".mjs", ".cjs"];
/// Methods of the test runners that leave tests out, or all the others.
const IN_JAVASCRIPT: &[&str] = &[".only(", ".skip(", ".todo(", ".fixme(", "debugger;"];

const IN_PYTHON: &[&str] = &[
    "pytest.mark.skip",
    "pytest.mark.xfail",
    "pytest.skip(",
    "breakpoint(",
];

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for file in tree.own_files(&[".rs"]) {
        let source = tree.read(file)?;
        for (line, what) in in_rust(&tokens(&source)) {
            violations.push(Violation::new(file, line, format!("`{what}` is left over")));
        }
    }
    for (endings, needles) in [(JAVASCRIPT, IN_JAVASCRIPT), (&[".py"], IN_PYTHON)] {
        for file in tree.own_files(endings) {
            for (index, line) in tree.read(file)?.lines().enumerate() {
                if line.trim_start().starts_with(['/', '*', '#']) {
                    continue;
                }
                for needle in needles.iter().filter(|needle| line.contains(**needle)) {
                    violations.push(Violation::new(
                        file,
                        index + 1,
                        format!("`{needle}` is left over"),
                    ));
                }
            }
        }
    }
    Ok(violations)
}

fn in_rust(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).map_or("", |at| tokens[at].text);
        let after = |ahead: usize| tokens.get(index + ahead).map_or("", |token| token.text);
        let is_call = after(1) == "!" && ["(", "[", "{"].contains(&after(2));
        if MACROS.contains(&token.text) && is_call {
            found.push((token.line, format!("{}!", token.text)));
        }
        if token.text == "ignore" && before(1) == "[" && before(2) == "#" {
            found.push((token.line, "#[ignore]".to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    #[test]
    fn unfinished_rust_is_named() {
        let source = "fn a() { todo!() }\nfn b() { dbg!(1); }\nfn c() { unimplemented!(\"x\") }\n\
                      #[test]\n#[ignore = \"slow\"]\nfn d() {}\n";
        assert_eq!(
            violations(check, &[("crates/wal/src/lib.rs", source)]),
            [
                "crates/wal/src/lib.rs:1: `todo!` is left over",
                "crates/wal/src/lib.rs:2: `dbg!` is left over",
                "crates/wal/src/lib.rs:3: `unimplemented!` is left over",
                "crates/wal/src/lib.rs:5: `#[ignore]` is left over",
            ]
        );
    }

    #[test]
    fn words_in_comments_literals_and_names_are_not_meant() {
        let source = "// todo!()\nlet todo = \"dbg!\"; let ignore = [x]; if todo != 1 {}";
        let found = violations(check, &[("crates/wal/src/lib.rs", source)]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn focused_and_skipped_tests_are_named() {
        let files = [
            (
                "ui/tests/unit/tree.js",
                "test(\"a\", f);\ntest.only(\"b\", f);\ndescribe.skip(\"c\", f);\n",
            ),
            (
                "clients/python/test_otlp.py",
                "@pytest.mark.skip\ndef test_a():\n    pytest.skip('x')\n",
            ),
            ("ui/vendor/htm.js", "test.only()"),
        ];
        assert_eq!(
            violations(check, &files),
            [
                "clients/python/test_otlp.py:1: `pytest.mark.skip` is left over",
                "clients/python/test_otlp.py:3: `pytest.skip(` is left over",
                "ui/tests/unit/tree.js:2: `.only(` is left over",
                "ui/tests/unit/tree.js:3: `.skip(` is left over",
            ]
        );
    }
}
