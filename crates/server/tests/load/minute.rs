//! The load, and what must be true after it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::readers::{Apis, READERS};
use crate::running::{Backtrail, Start};
use crate::senders::{Connection, PROTOCOLS, Protocol};

const LOAD: Duration = Duration::from_mins(1);
/// Between two requests of a connection: the server has work at all times and is never alone with the machine.
const PAUSE: Duration = Duration::from_millis(250);
const SPANS_PER_REQUEST: u64 = 5;
/// A trace grows over seconds, so that it lies in several blocks, in memory, and on both sides of the kill.
const REQUESTS_PER_TRACE: u64 = 40;
/// What arrives from each connection at the least, on a machine that does other things too.
const REQUESTS_AT_LEAST: u64 = 20;

/// A trace that one connection sent. Its span ids count from 1.
#[derive(Debug)]
struct Sent {
    protocol: &'static str,
    trace: u128,
    spans: u64,
    acknowledged: BTreeSet<u64>,
}

/// The server that connections are to use. They are told when it is replaced.
struct Current {
    server: Mutex<(u64, BTreeMap<String, SocketAddr>)>,
    replaced: Condvar,
}

impl Current {
    fn new(server: &Backtrail) -> Self {
        Self {
            server: Mutex::new((0, server.ports().clone())),
            replaced: Condvar::new(),
        }
    }

    fn replace(&self, server: &Backtrail) {
        let mut current = self.server.lock().unwrap();
        *current = (current.0 + 1, server.ports().clone());
        self.replaced.notify_all();
    }

    /// A connection to the server of this generation or a later one.
    fn connect(&self, protocol: &Protocol, generation: u64) -> (u64, Box<dyn Connection>) {
        let current = self.server.lock().unwrap();
        let (current, waited) = self
            .replaced
            .wait_timeout_while(current, LOAD, |(known, _)| *known < generation)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{} broke, and the server was not replaced",
            protocol.name
        );
        (current.0, (protocol.connect)(current.1[protocol.listener]))
    }

    fn generation(&self) -> u64 {
        self.server.lock().unwrap().0
    }
}

/// Everything happens early and often: flushes, merges, and segments of the log that go.
fn start(dir: &TempDir) -> Backtrail {
    Start::new()
        .data_dir(dir.path())
        .arg("--storage-flush-interval-ms=500")
        .arg("--storage-trace-idle-ms=100")
        .arg("--storage-log-segment-bytes=256KiB")
        .start()
}

/// Sends until the end of the load. A connection that breaks is made again when there is another server.
fn send(protocol: &Protocol, number: usize, current: &Current, end: Instant) -> Vec<Sent> {
    let mut all: Vec<Sent> = Vec::new();
    let (mut generation, mut connection) = current.connect(protocol, 0);
    for request in 0_u64.. {
        if Instant::now() >= end {
            break;
        }
        if request % REQUESTS_PER_TRACE == 0 {
            let trace = (number as u128 + 1) << 64 | u128::from(request / REQUESTS_PER_TRACE + 1);
            all.push(Sent {
                protocol: protocol.name,
                trace,
                spans: 0,
                acknowledged: BTreeSet::new(),
            });
        }
        let sent = all.last_mut().unwrap();
        let ids = sent.spans + 1..=sent.spans + SPANS_PER_REQUEST;
        sent.spans += SPANS_PER_REQUEST;
        match connection.send(sent.trace, ids.clone()) {
            Ok(()) if protocol.acknowledges => sent.acknowledged.extend(ids),
            Ok(()) => {}
            // The server is gone, or is about to be.
            Err(error) if error.is_broken() => {
                let broken = generation;
                (generation, connection) = current.connect(protocol, broken + 1);
            }
            // It said that it is busy: what is refused is not sent again, so that a double can only be the server's.
            Err(_) => {}
        }
        // What is not acknowledged does not break either.
        if current.generation() > generation {
            (generation, connection) = current.connect(protocol, generation);
        }
        std::thread::sleep(PAUSE);
    }
    all
}

#[test]
fn what_was_acknowledged_is_there_once_in_every_api_after_a_minute_of_load_and_a_kill() {
    let dir = TempDir::new().unwrap();
    let server = start(&dir);
    let current = Current::new(&server);
    let end = Instant::now() + LOAD;
    let (server, sent) = std::thread::scope(|scope| {
        let connections = PROTOCOLS
            .iter()
            .flat_map(|protocol| std::iter::repeat_n(protocol, protocol.connections));
        let workers: Vec<_> = connections
            .enumerate()
            .map(|(number, protocol)| {
                let current = &current;
                scope.spawn(move || send(protocol, number, current, end))
            })
            .collect();
        std::thread::sleep(LOAD / 2);
        server.kill();
        let server = start(&dir);
        current.replace(&server);
        let sent = workers.into_iter().map(|worker| worker.join().unwrap());
        (server, sent.flatten().collect::<Vec<Sent>>())
    });

    let mut stored: BTreeMap<&str, u64> = BTreeMap::new();
    let apis = Apis::of(&server);
    for one in &sent {
        *stored.entry(one.protocol).or_default() += check(&apis, one);
    }
    println!("spans by protocol: {stored:#?}");
    assert_eq!(
        server.stored_spans(),
        stored.values().sum::<u64>(),
        "nothing is in memory and in a block, or twice in either"
    );
    for protocol in PROTOCOLS {
        let at_least = protocol.connections as u64 * REQUESTS_AT_LEAST * SPANS_PER_REQUEST;
        let stored = stored[protocol.name];
        assert!(stored >= at_least, "{stored} spans over {}", protocol.name);
    }
}

/// Every API has the same spans of the trace, each once: all that were acknowledged, and none that was not sent. Returns how many.
fn check(apis: &Apis, sent: &Sent) -> u64 {
    let mut first: Option<BTreeSet<u64>> = None;
    for reader in READERS {
        let ids = (reader.spans)(apis, sent.trace);
        let Sent {
            protocol, trace, ..
        } = sent;
        let place = format!(
            "trace {trace:032x} over {protocol}, read by {}",
            reader.name
        );
        let distinct: BTreeSet<u64> = ids.iter().copied().collect();
        assert_eq!(distinct.len(), ids.len(), "{place}: spans are there twice");
        let lost: Vec<_> = sent.acknowledged.difference(&distinct).collect();
        assert!(lost.is_empty(), "{place}: {lost:?} are lost");
        let known = 1..=sent.spans;
        assert!(distinct.iter().all(|id| known.contains(id)), "{place}");
        if let Some(first) = &first {
            assert_eq!(first, &distinct, "{place}: another API has other spans");
        }
        first = Some(distinct);
    }
    first.map_or(0, |ids| ids.len() as u64)
}
