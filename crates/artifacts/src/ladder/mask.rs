//! The `file` field of a map when its bundler did not know the hash in the bundle's name yet.

/// A run of `x` that is shorter may be a name.
const MIN_HASH: usize = 4;

/// Whether `file`, as a map has it, names the bundle `name`.
///
/// webpack 5 writes the map before it knows the content hash of the bundle and leaves an `x` for each of its digits:
/// `main.xxxxxxxxxxxxxxxxxxxx.js`.
pub(crate) fn names_bundle(file: &str, name: &str) -> bool {
    if file == name {
        return true;
    }
    let (file, name) = (file.as_bytes(), name.as_bytes());
    if file.len() != name.len() {
        return false;
    }
    let mut at = 0;
    while at < file.len() {
        let run = file[at..].iter().take_while(|byte| **byte == b'x').count();
        if run >= MIN_HASH {
            let hash = &name[at..at + run];
            if !hash
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            {
                return false;
            }
            at += run;
        } else if file[at] == name[at] {
            at += 1;
        } else {
            return false;
        }
    }
    true
}

/// Whether a bundle's name holds a hash of its content, so that another build would bear another name.
pub fn has_hash(name: &str) -> bool {
    name.split(['.', '-', '_'])
        .any(|part| part.len() >= 8 && is_hash(part))
}

/// Hexadecimal digits of which some are digits, or letters and digits mixed in a way that no word is.
fn is_hash(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_hex && digits >= 1)
        || (is_mixed && digits >= 2 && part.bytes().any(|b| b.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_hash_names_every_bundle_whose_hash_has_its_length() {
        for (file, name, expected) in [
            ("main.js", "main.js", true),
            (
                "main.xxxxxxxxxxxxxxxxxxxx.js",
                "main.334ae7ca13b0d8f05d7c.js",
                true,
            ),
            (
                "main.xxxxxxxxxxxxxxxxxxxx.js",
                "vendor.4ae7ca13b0d8f05d7c.js",
                false,
            ),
            ("main.xxxxxxxx.js", "main.334ae7ca13b0d8f05d7c.js", false),
            ("main.xxxxxxxx.js", "main.334a.7ca.js", false),
            ("main.xxx.js", "main.abc.js", false),
            ("", "main.js", false),
        ] {
            assert_eq!(names_bundle(file, name), expected, "{file} {name}");
        }
    }

    #[test]
    fn a_hash_in_a_name_is_told_from_a_word() {
        for (name, expected) in [
            ("main.334ae7ca13b0d8f05d7c.js", true),
            ("index-BX9k2dQ1.js", true),
            ("main.js", false),
            ("checkout-component.js", false),
            ("facade.js", false),
            ("app.production.min.js", false),
        ] {
            assert_eq!(has_hash(name), expected, "{name}");
        }
    }
}
