//! What is there, through the API.

use std::collections::BTreeSet;

use crate::running::Backtrail;

/// How many spans of a trace are there, each of them once; `None` when the trace is not there.
pub(crate) fn stored(server: &Backtrail, trace: u128) -> Option<u64> {
    let (status, body) = server.get(&format!("/api/v1/traces/{trace:032x}/skeleton"));
    if status == 404 {
        return None;
    }
    assert_eq!(status, 200, "{body}");
    let skeleton: serde_json::Value = serde_json::from_str(&body).unwrap();
    // Repeats collapse on read: they are counted, so that they can't hide.
    assert_eq!(
        skeleton["repeats"], 0,
        "trace {trace} is stored twice: {body}"
    );
    let ids: Vec<&str> = skeleton["columns"]["span_id"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "trace {trace}");
    Some(ids.len() as u64)
}
