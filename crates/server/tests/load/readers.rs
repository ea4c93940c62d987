//! Every way out: the span ids of a trace as an API gives them, each as often as it does.

use serde_json::Value;

use crate::running::{Backtrail, Reply, agent};

pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Empty when the trace is not there.
    pub(crate) spans: fn(&Backtrail, u128) -> Vec<u64>,
}

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "/api/v1",
        spans: |server, trace| {
            let path = format!("/api/v1/traces/{trace:032x}/skeleton");
            read(server, "web", &path).map_or_else(Vec::new, |skeleton| {
                // Repeats collapse on read: they are counted, so that they can't hide.
                assert_eq!(skeleton["repeats"], 0, "trace {trace:032x} is stored twice");
                ids(elements(&skeleton["columns"]["span_id"]))
            })
        },
    },
    Reader {
        name: "Jaeger's HTTP API v1",
        spans: |server, trace| {
            let path = format!("/api/traces/{trace:032x}");
            read(server, "web", &path).map_or_else(Vec::new, |found| {
                let [trace] = elements(&found["data"]) else {
                    panic!("{found}");
                };
                ids(elements(&trace["spans"]).iter().map(|span| &span["spanID"]))
            })
        },
    },
    Reader {
        name: "Jaeger's HTTP API v3",
        spans: |server, trace| {
            let path = format!("/api/v3/traces/{trace:032x}");
            read(server, "web", &path).map_or_else(Vec::new, |found| {
                let resources = elements(&found["result"]["resourceSpans"]);
                let scopes = resources
                    .iter()
                    .flat_map(|resource| elements(&resource["scopeSpans"]));
                let spans = scopes.flat_map(|scope| elements(&scope["spans"]));
                ids(spans.map(|span| &span["spanId"]))
            })
        },
    },
    Reader {
        name: "OTLP JSON",
        spans: |server, trace| {
            let path = format!("/api/v1/traces/{trace:032x}");
            read(server, "web", &path).map_or_else(Vec::new, |found| {
                let scopes = elements(&found["resourceSpans"])
                    .iter()
                    .flat_map(|resource| elements(&resource["scopeSpans"]));
                let spans = scopes.flat_map(|scope| elements(&scope["spans"]));
                ids(spans.map(|span| &span["spanId"]))
            })
        },
    },
];

fn read(server: &Backtrail, listener: &str, path: &str) -> Option<Value> {
    let reply = agent().get(server.url(listener, path)).call().unwrap();
    let reply = Reply::from(reply);
    if reply.status == 404 {
        return None;
    }
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    Some(serde_json::from_slice(&reply.body).unwrap())
}

fn elements(list: &Value) -> &[Value] {
    list.as_array().unwrap()
}

fn ids<'a>(texts: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    texts
        .into_iter()
        .map(|id| u64::from_str_radix(id.as_str().unwrap(), 16).unwrap())
        .collect()
}
