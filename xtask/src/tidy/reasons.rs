//! Every dependency of the workspace says why it is there, on its own line in the root manifest.

use anyhow::Result;

use super::Violation;
use super::tree::Tree;

const MANIFEST: &str = "Cargo.toml";

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let text = tree.read(MANIFEST)?;
    let mut violations = Vec::new();
    let mut in_section = false;
    let mut entry: Option<Entry> = None;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            in_section = line.trim() == "[workspace.dependencies]";
            continue;
        }
        if !in_section {
            continue;
        }
        let (code, comment) = split_comment(line);
        let mut current = match entry.take() {
            Some(open) => open,
            None if code.trim().is_empty() => continue,
            None => Entry::at(index + 1, code),
        };
        current.has_reason |= !comment.trim_matches(['#', ' ']).is_empty();
        current.is_ours |= code.contains("path =");
        current.open_brackets += bracket_balance(code);
        if current.open_brackets > 0 {
            entry = Some(current);
        } else if !current.has_reason && !current.is_ours {
            let message = format!("`{}` needs a reason: `# why` behind it", current.name);
            violations.push(Violation::new(MANIFEST, current.line, message));
        }
    }
    Ok(violations)
}

/// A dependency, which may go over several lines.
struct Entry {
    name: String,
    line: usize,
    has_reason: bool,
    /// Our own crates are explained in ARCHITECTURE.md.
    is_ours: bool,
    open_brackets: isize,
}

impl Entry {
    fn at(line: usize, code: &str) -> Self {
        let name = code
            .split(['=', '.'])
            .next()
            .unwrap_or(code)
            .trim()
            .to_owned();
        Self {
            name,
            line,
            has_reason: false,
            is_ours: false,
            open_brackets: 0,
        }
    }
}

/// Splits at the first `#` that is not in a string.
fn split_comment(line: &str) -> (&str, &str) {
    let mut in_string = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => in_string = !in_string,
            b'#' if !in_string => return line.split_at(index),
            _ => {}
        }
    }
    (line, "")
}

fn bracket_balance(code: &str) -> isize {
    let count = |brackets: [char; 2]| code.matches(brackets).count().cast_signed();
    count(['[', '{']) - count([']', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    fn check_text(text: &str) -> Vec<String> {
        violations(check, &[("Cargo.toml", text)])
    }

    #[test]
    fn a_reason_behind_the_dependency_is_enough() {
        let text = "[workspace.dependencies]\n\
                    # Ours.\n\
                    model = { path = \"crates/model\" }\n\
                    bytes = \"1\" # shared bodies\n\
                    hyper = { version = \"1\", features = [\n    \"http1\",\n] } # connections\n\
                    \n\
                    [profile.dev]\n\
                    debug = false\n";
        assert!(check_text(text).is_empty());
    }

    #[test]
    fn a_heading_is_no_reason() {
        let text = "[workspace.dependencies]\n# Wire formats.\nprost = \"0.14\"\nhttp = \"1#2\"\nbase64 = \"0\" #\n";
        assert_eq!(
            check_text(text),
            [
                "Cargo.toml:3: `prost` needs a reason: `# why` behind it",
                "Cargo.toml:4: `http` needs a reason: `# why` behind it",
                "Cargo.toml:5: `base64` needs a reason: `# why` behind it",
            ]
        );
    }
}
