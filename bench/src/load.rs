//! Sends bodies that are ready, over several connections.

use std::sync::Mutex;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::client::{Client, Reply};
use crate::server::Addresses;
use crate::wire::{Body, Target, Wire};

/// A server that refuses for so long does not keep up at all.
const REFUSALS_MAX: u32 = 600;

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
    /// Requests that had to be sent again because the server was busy.
    pub(crate) refusals: u64,
    pub(crate) seconds: f64,
}

/// How fast to send.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As fast as the server answers.
    Unbounded,
    /// So many spans a second.
    SpansPerSecond(f64),
}

/// Sends what `bodies` yields over `connections` connections, until it is empty.
pub(crate) fn send<I>(
    addresses: &Addresses,
    wire: Wire,
    bodies: I,
    connections: usize,
    pace: Pace,
) -> Result<Sent>
where
    I: Iterator<Item = Result<Body>> + Send,
{
    let line = Mutex::new(Line { bodies, spans: 0 });
    let target = wire.target(addresses);
    let started = Instant::now();
    let parts = scope(|threads| {
        let senders: Vec<_> = (0..connections)
            .map(|_| threads.spawn(|| send_some(&target, &line, pace, started)))
            .collect();
        let join = |sender: std::thread::ScopedJoinHandle<'_, Result<Sent>>| {
            sender.join().map_err(|_| anyhow!("a sender panicked"))?
        };
        senders.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let mut sent = Sent {
        seconds: started.elapsed().as_secs_f64(),
        ..Sent::default()
    };
    for part in parts {
        sent.spans += part.spans;
        sent.bytes += part.bytes;
        sent.refusals += part.refusals;
    }
    Ok(sent)
}

/// What the senders take from.
struct Line<I> {
    bodies: I,
    /// Taken so far.
    spans: u64,
}

fn send_some<I>(
    target: &Target,
    line: &Mutex<Line<I>>,
    pace: Pace,
    started: Instant,
) -> Result<Sent>
where
    I: Iterator<Item = Result<Body>>,
{
    let mut client = Client::new(target)?;
    let mut sent = Sent::default();
    loop {
        let (body, spans_before) = {
            let mut line = line.lock().map_err(|_| anyhow!("a sender panicked"))?;
            let Some(body) = line.bodies.next().transpose()? else {
                return Ok(sent);
            };
            let spans_before = line.spans;
            line.spans += body.spans as u64;
            (body, spans_before)
        };
        if let Pace::SpansPerSecond(rate) = pace {
            let due = Duration::from_secs_f64(spans_before as f64 / rate);
            sleep(due.saturating_sub(started.elapsed()));
        }
        sent.refusals += u64::from(send_one(&mut client, &body)?);
        sent.spans += body.spans as u64;
        sent.bytes += body.bytes.len() as u64;
    }
}

/// Sends until it is taken; returns how often it was not.
fn send_one(client: &mut Client<'_>, body: &Body) -> Result<u32> {
    for refusals in 0..REFUSALS_MAX {
        match client.send(body)? {
            Reply::Taken => return Ok(refusals),
            Reply::Busy => sleep(Duration::from_millis(50)),
        }
    }
    bail!("refused {REFUSALS_MAX} times")
}
