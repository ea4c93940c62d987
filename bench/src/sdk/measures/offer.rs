//! What becomes of spans that are offered at a rate, by several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::sdk::clock::{peak_bytes, resident_bytes};
use crate::sdk::contestants::Contestant;
use crate::sdk::request::Request;
use crate::sdk::task::{Figures, Offer, Offered};

/// Spans between two looks at the clock.
const BURST: u64 = 64;
const PAUSE: Duration = Duration::from_millis(1);
const WATCH_EVERY: Duration = Duration::from_millis(20);

pub(in crate::sdk) fn offer<C: Contestant>(contestant: C, offer: &Offer) -> Result<Figures> {
    let state = State {
        stop: AtomicBool::new(false),
        created: AtomicU64::new(0),
        all_created: Barrier::new(offer.threads + 1),
        drain: Mutex::new(()),
    };
    let timeout = Duration::from_secs(offer.drain_seconds);
    let ended = scope(|threads| {
        for _ in 0..offer.threads {
            threads.spawn(|| {
                create_some(&contestant, offer, &state);
                state.all_created.wait();
                // One after the other: together they would wait for each other anyway.
                let _turn = state.drain.lock();
                let created = state.created.load(Ordering::Acquire);
                contestant.release(created, Instant::now() + timeout / offer.threads as u32);
            });
        }
        let watched = watch_memory(offer, &state);
        state.all_created.wait();
        watched.map(|()| Instant::now())
    })?;
    let created = state.created.load(Ordering::Acquire);
    contestant.flush(created, ended + timeout);
    let reported = contestant.finish(timeout.saturating_sub(ended.elapsed()));
    Ok(Figures::Offered(Offered {
        created,
        reported,
        peak_bytes: peak_bytes()?,
        drain_seconds: ended.elapsed().as_secs_f64(),
        stopped_for_memory: state.stop.into_inner(),
    }))
}

struct State {
    /// Set when there is no room in memory.
    stop: AtomicBool,
    created: AtomicU64,
    all_created: Barrier,
    drain: Mutex<()>,
}

/// Creates what is due, and catches up when it is late, until the time is over.
fn create_some<C: Contestant>(contestant: &C, offer: &Offer, state: &State) {
    let request = Request::new();
    let per_second = offer.spans_per_second as f64 / offer.threads as f64;
    let duration = Duration::from_secs(offer.seconds);
    let started = Instant::now();
    let mut created = 0;
    while !state.stop.load(Ordering::Relaxed) {
        let elapsed = started.elapsed().min(duration);
        let due = (elapsed.as_secs_f64() * per_second) as u64;
        if elapsed == duration && (created == due || started.elapsed() > duration + PAUSE) {
            break;
        }
        if created == due {
            sleep(PAUSE);
            continue;
        }
        let burst = BURST.min(due - created);
        for _ in 0..burst {
            contestant.span(&request);
        }
        created += burst;
    }
    state.created.fetch_add(created, Ordering::AcqRel);
}

fn watch_memory(offer: &Offer, state: &State) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(offer.seconds);
    while Instant::now() < until {
        sleep(WATCH_EVERY);
        if resident_bytes()? > offer.memory_max_bytes {
            state.stop.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
    Ok(())
}
