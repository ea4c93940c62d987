//! Words for OTLP's numbers.

const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// The word for a span's kind; that of 0 for a number that OTLP does not have.
pub(super) fn kind_name(kind: i32) -> &'static str {
    name(&KINDS, kind)
}

/// The number of a kind.
pub(super) fn kind_number(name: &str) -> Option<i32> {
    number(&KINDS, name)
}

/// The word for a status; that of 0 for a number that OTLP does not have.
pub(super) fn status_name(code: i32) -> &'static str {
    name(&STATUSES, code)
}

/// The number of a status.
pub(super) fn status_number(name: &str) -> Option<i32> {
    number(&STATUSES, name)
}

/// All kinds, for messages.
pub(super) fn all_kinds() -> String {
    KINDS.join(", ")
}

/// All statuses, for messages.
pub(super) fn all_statuses() -> String {
    STATUSES.join(", ")
}

fn name<'a>(names: &[&'a str], number: i32) -> &'a str {
    let known = usize::try_from(number)
        .ok()
        .and_then(|place| names.get(place));
    known.unwrap_or(&names[0])
}

fn number(names: &[&str], name: &str) -> Option<i32> {
    names
        .iter()
        .position(|known| *known == name)
        .map(|place| place as i32)
}
