//! The links and the anchors of a Markdown file, as GitHub shows it.

use std::collections::{BTreeMap, BTreeSet};

/// Where a link goes, and the line that it is on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: String,
    pub(super) line: usize,
}

/// All links, images and definitions of links, outside of code.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, prose) in prose_lines(text) {
        let mut targets = Vec::new();
        inline_targets(&prose, &mut targets);
        attribute_values(&prose, &["href=\"", "src=\""], &mut targets);
        targets.extend(definition_target(&prose));
        links.extend(targets.into_iter().map(|target| Link { target, line }));
    }
    links
}

/// What `#…` can name in a file: its headings, and elements with an `id` or a `name`.
pub(super) fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (_, line) in outside_fences(text) {
        if let Some(heading) = heading(line) {
            let slug = slug(heading);
            let repeats = seen
                .entry(slug.clone())
                .and_modify(|count| *count += 1)
                .or_insert(0);
            anchors.insert(if *repeats == 0 {
                slug
            } else {
                format!("{slug}-{repeats}")
            });
        }
        let mut values = Vec::new();
        attribute_values(line, &["id=\"", "name=\""], &mut values);
        anchors.extend(values);
    }
    anchors
}

/// The lines outside of fenced code, with their numbers.
fn outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((index + 1, line)),
            _ => {}
        }
        None
    })
}

/// The same, without what is between backticks.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    outside_fences(text).map(|(line, text)| {
        let mut prose = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('`') {
            prose.push_str(&rest[..open]);
            let ticks = rest[open..].len() - rest[open..].trim_start_matches('`').len();
            let body = &rest[open + ticks..];
            let mark = "`".repeat(ticks);
            rest = body
                .find(&mark)
                .map_or(body, |close| &body[close + ticks..]);
        }
        prose.push_str(rest);
        (line, prose)
    })
}

/// `[text](target "title")`, `![alt](target)`.
fn inline_targets(prose: &str, targets: &mut Vec<String>) {
    for (at, _) in prose.match_indices("](") {
        let rest = &prose[at + 2..];
        if let Some(quoted) = rest.strip_prefix('<') {
            targets.extend(quoted.split_once('>').map(|(target, _)| target.to_owned()));
            continue;
        }
        let mut depth = 0_usize;
        let end = rest.find(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' if depth > 0 => {
                depth -= 1;
                false
            }
            ')' | ' ' => true,
            _ => false,
        });
        targets.extend(end.map(|end| rest[..end].to_owned()));
    }
}

/// `[name]: target`.
fn definition_target(prose: &str) -> Option<String> {
    let (_, target) = prose.trim_start().strip_prefix('[')?.split_once("]: ")?;
    target
        .split_whitespace()
        .next()
        .map(|target| target.trim_matches(['<', '>']).to_owned())
}

fn attribute_values(text: &str, attributes: &[&str], values: &mut Vec<String>) {
    for attribute in attributes {
        for (at, _) in text.match_indices(attribute) {
            let value = text[at + attribute.len()..].split_once('"');
            values.extend(value.map(|(value, _)| value.to_owned()));
        }
    }
}

/// The text of `## heading`.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' '))
        .then(|| text.trim().trim_end_matches('#').trim())
}

/// The anchor of a heading: lower case, spaces become hyphens, other marks vanish.
fn slug(heading: &str) -> String {
    let mut slug = String::new();
    let mut rest = heading;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ' ' | '-' => slug.push('-'),
            // Of a link, its text is shown.
            ']' if rest.starts_with('(') => {
                rest = rest.split_once(')').map_or("", |(_, after)| after);
            }
            '_' => slug.push('_'),
            c if c.is_alphanumeric() => slug.extend(c.to_lowercase()),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn every_form_of_a_link_is_found() {
        let text = "[a](one.md), ![b](two.png \"title\") and [c](<three four.md>)\n\
                    [d]: five.md 'title'\n\
                    <img src=\"six.png\"> [e](seven_(x).md#y)";
        let expected = [
            "one.md",
            "two.png",
            "three four.md",
            "five.md",
            "seven_(x).md#y",
            "six.png",
        ];
        assert_eq!(targets(text), expected);
    }

    #[test]
    fn code_holds_no_links() {
        assert!(
            targets("`[a](b)` and ``[c](`d)``\n```\n[e](f)\n```\n~~~sh\n[g](h)\n```\n~~~")
                .is_empty()
        );
        assert_eq!(targets("`x` [a](b) `y`"), ["b"]);
    }

    #[test]
    fn a_link_knows_its_line() {
        assert_eq!(
            links("x\n\n[a](b)"),
            [Link {
                target: "b".to_owned(),
                line: 3
            }]
        );
    }

    #[test]
    fn anchors_are_those_that_github_makes() {
        let text = "# The HTTP API under `/api/v1`\n## A span's way\n## A span's way\n\
                    ## [Unreleased](x.md) & more_things\n<a id=\"Own\"></a>\n```\n# no heading\n```\n#no heading";
        let expected = [
            "Own",
            "a-spans-way",
            "a-spans-way-1",
            "the-http-api-under-apiv1",
            "unreleased--more_things",
        ];
        assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), expected);
    }
}
