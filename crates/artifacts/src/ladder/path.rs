//! Where a stack trace says that a file is, and where an upload says it: reduced to what can be compared.

/// The path of a script as a stack trace or an upload names it: without scheme, host, query and fragment; `/` between its segments; without `.`
/// and `..`; `%` escapes of a URL read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScriptPath {
    segments: Vec<String>,
    origin: Option<String>,
}

impl ScriptPath {
    /// Reads what stands in a stack trace (`https://x.test/a/main.js?v=2`, `file:///C:/app/main.js`, `C:\app\main.js`, `/var/task/main.js`)
    /// or in an upload (`~/main.js`, `app:///main.js`, `https://x.test/main.js`).
    pub fn parse(url: &str) -> Self {
        let (origin, path, is_url) = match url.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let (host, path) = match rest.find('/') {
                    Some(slash) => rest.split_at(slash),
                    None => (rest, ""),
                };
                let origin = format!(
                    "{}://{}",
                    scheme.to_ascii_lowercase(),
                    host.to_ascii_lowercase()
                );
                (Some(origin), path, true)
            }
            _ => (None, url.strip_prefix("~/").unwrap_or(url), false),
        };
        let path = if is_url {
            path.split(['?', '#']).next().unwrap_or_default()
        } else {
            path
        };
        let mut segments: Vec<String> = Vec::new();
        for segment in path.split(['/', '\\']) {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop();
                }
                _ if is_url => segments.push(percent_decoded(segment)),
                _ => segments.push(segment.to_owned()),
            }
        }
        Self { segments, origin }
    }

    /// The file's name; empty where there is none.
    pub fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// The path with a leading `/`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            path.push_str(segment);
        }
        path
    }

    /// Whether an upload at `self` is the file that a stack trace names `frame`: the same path, and the same origin where the upload has one
    /// (`~` stands for every origin).
    pub(crate) fn is_exactly(&self, frame: &Self) -> bool {
        let same_origin = self.origin.is_none() || self.origin == frame.origin;
        same_origin && !self.segments.is_empty() && self.segments == frame.segments
    }

    /// How well the end of the path fits a frame's; `None` when not even the names are equal.
    pub(crate) fn suffix_of(&self, frame: &Self) -> Option<SuffixFit> {
        let shared = self
            .segments
            .iter()
            .rev()
            .zip(frame.segments.iter().rev())
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        (shared > 0).then_some(SuffixFit {
            is_whole: shared == self.segments.len(),
            shared,
        })
    }

    /// What `reference` means in a file at `self`, as a browser would resolve it.
    pub(crate) fn join(&self, reference: &str) -> Self {
        if let Some((scheme, _)) = reference.split_once("://")
            && is_scheme(scheme)
        {
            return Self::parse(reference);
        }
        let reference = reference.split(['?', '#']).next().unwrap_or_default();
        if reference.starts_with(['/', '~']) {
            return Self {
                origin: self.origin.clone(),
                ..Self::parse(reference)
            };
        }
        let mut segments = self.segments.clone();
        segments.pop();
        for segment in reference.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop();
                }
                _ => segments.push(percent_decoded(segment)),
            }
        }
        Self {
            segments,
            origin: self.origin.clone(),
        }
    }

    /// Whether two uploads have the same path, whatever their origins are.
    pub(crate) fn is_same_path(&self, other: &Self) -> bool {
        self.segments == other.segments
    }

    /// How many folders two paths have in common from the start.
    pub(crate) fn shared_folders(&self, other: &Self) -> usize {
        let folders = |path: &Self| path.segments.len().saturating_sub(1);
        self.segments[..folders(self)]
            .iter()
            .zip(&other.segments[..folders(other)])
            .take_while(|(ours, theirs)| ours == theirs)
            .count()
    }
}

/// How the path of an upload fits a frame's from its end. Larger is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SuffixFit {
    /// All of the upload's path is there.
    is_whole: bool,
    /// Segments that are equal, from the end.
    shared: usize,
}

fn is_scheme(scheme: &str) -> bool {
    let mut characters = scheme.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        // A drive of Windows is one letter.
        && scheme.len() > 1
}

fn percent_decoded(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    // An escape that is no UTF-8 names no file that could have been uploaded; as it is written, it still compares with itself.
    String::from_utf8(decoded).unwrap_or_else(|_| segment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_in_many_ways() {
        for (url, path) in [
            ("https://x.test/a/main.js?v=2#top", "/a/main.js"),
            ("https://x.test", ""),
            ("file:///C:/app/main.js", "/C:/app/main.js"),
            (r"C:\app\dist\main.js", "/C:/app/dist/main.js"),
            ("/var/task/./lib/../main.js", "/var/task/main.js"),
            ("~/main.js", "/main.js"),
            ("app:///main.js", "/main.js"),
            ("https://x.test/a%20b.js", "/a b.js"),
            ("https://x.test/%zz.js", "/%zz.js"),
            ("/srv/100%25.js", "/srv/100%25.js"),
            ("main.js", "/main.js"),
        ] {
            assert_eq!(ScriptPath::parse(url).path(), path, "{url}");
        }
    }

    #[test]
    fn a_tilde_stands_for_every_origin_and_an_origin_for_itself() {
        let frame = ScriptPath::parse("https://x.test/a/main.js");
        for (upload, expected) in [
            ("~/a/main.js", true),
            ("https://X.test/a/main.js", true),
            ("https://y.test/a/main.js", false),
            ("~/main.js", false),
        ] {
            assert_eq!(
                ScriptPath::parse(upload).is_exactly(&frame),
                expected,
                "{upload}"
            );
        }
    }

    #[test]
    fn the_whole_path_of_an_upload_fits_better_than_a_longer_part_of_another() {
        let frame = ScriptPath::parse("/var/task/static/js/main.js");
        let fit = |upload| ScriptPath::parse(upload).suffix_of(&frame);
        assert!(fit("~/static/js/main.js") > fit("~/js/main.js"));
        assert!(fit("~/js/main.js") > fit("~/other/static/js/main.js"));
        assert!(fit("~/other/js/main.js") > fit("~/other/main.js"));
        assert_eq!(fit("~/main.mjs"), None);
    }

    #[test]
    fn references_are_resolved_as_a_browser_does() {
        let bundle = ScriptPath::parse("~/static/js/main.js");
        for (reference, path) in [
            ("main.js.map", "/static/js/main.js.map"),
            ("../maps/main.js.map?x=1", "/static/maps/main.js.map"),
            ("/maps/main.js.map", "/maps/main.js.map"),
            ("~/maps/main.js.map", "/maps/main.js.map"),
            ("https://cdn.test/m.map", "/m.map"),
            ("../../../../m.map", "/m.map"),
        ] {
            assert_eq!(bundle.join(reference).path(), path, "{reference}");
        }
    }
}
