//! The power goes at every operation in turn, also while the log recovers from the cut before. What
//! replay then yields is exactly a prefix of what was appended, with all that was acknowledged.

use std::sync::{Arc, Mutex, MutexGuard};

use host::Random;
use host::sim::{Crash, SimHost, SimRandom};
use wal::{Durability, Wal, WalError, WalOptions};

use crate::machine::{record, replayed, try_open};

/// What the log should hold: the naive model.
#[derive(Default)]
struct Expected {
    /// Every payload that was appended, in order; record `n` is at `n - 1`.
    appended: Vec<Vec<u8>>,
    /// How many of them must be there.
    durable: usize,
    /// Records before this one may have been deleted.
    kept_from: u64,
}

#[derive(Clone)]
struct Model(Arc<Mutex<Expected>>);

impl Model {
    fn get(&self) -> MutexGuard<'_, Expected> {
        self.0.lock().unwrap()
    }
}

struct Plan {
    durability: Durability,
    /// How lives end; each draws one.
    crashes: &'static [Crash],
}

impl Plan {
    fn options(&self) -> WalOptions {
        WalOptions {
            // A few records a segment, a few sectors a group.
            segment_bytes: 6 << 10,
            max_group_bytes: 3 << 10,
            durability: self.durability,
            ..WalOptions::default()
        }
    }
}

/// Opens the log, checks what it holds, and lets four clients append until they are done or the
/// power goes. False when it went.
fn live(sim: &SimHost, epoch: u64, plan: &Plan, model: &Model, random: &SimRandom) -> bool {
    let (wal, replay) = match try_open(sim, epoch, plan.options()) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(sim.disk().power_is_off(), "{error}");
            assert!(matches!(error, WalError::Io { .. }), "{error}");
            return false;
        }
    };
    check(&replay, model);
    for client in 0..4_u8 {
        let (wal, model, random) = (wal.clone(), model.clone(), random.fork());
        let client = async move {
            for index in 0..5 {
                let size = 3 + random.below(1500) as usize;
                let mut payload = vec![epoch as u8, client, index];
                payload.resize(size, client ^ index);
                if append(&wal, &model, payload).await.is_err() {
                    return;
                }
                if random.one_in(8) {
                    truncate(&wal, &model, &random);
                }
            }
        };
        sim.host().tasks.spawn("client", Box::pin(client));
    }
    sim.run_for(std::time::Duration::from_mins(1));
    assert_eq!(wal.stats().pending_records, 0);
    !sim.disk().power_is_off()
}

async fn append(wal: &Wal, model: &Model, payload: Vec<u8>) -> Result<u64, WalError> {
    // Tasks share one thread: nobody comes between this line and the first poll of the append.
    model.get().appended.push(payload.clone());
    let callback = model.clone();
    let acknowledged = Arc::new(Mutex::new(None));
    let called = acknowledged.clone();
    let on_durable = Box::new(move |seq| {
        assert!(callback.get().durable < seq as usize, "in order, and once");
        callback.get().durable = seq as usize;
        *called.lock().unwrap() = Some(seq);
    });
    let result = wal.append(record(payload.clone()), on_durable).await;
    if let Ok(seq) = &result {
        assert_eq!(*acknowledged.lock().unwrap(), Some(*seq));
        assert_eq!(model.get().appended[*seq as usize - 1], payload);
    }
    result
}

fn truncate(wal: &Wal, model: &Model, random: &SimRandom) {
    let durable = model.get().durable as u64;
    let before = durable - random.below(durable.min(5));
    let kept_from = model.get().kept_from.max(before);
    model.get().kept_from = kept_from;
    match wal.truncate_before(before) {
        Ok(_) | Err(WalError::Io { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// What replay yields is what the next life stands on.
fn check(replay: &wal::Replay, model: &Model) {
    let mut expected = model.get();
    let from = expected.kept_from.max(1);
    let records = replayed(replay, from).unwrap();
    for (record, seq) in records.iter().zip(from..) {
        assert_eq!(record.seq, seq);
        assert_eq!(&record.payload[..], expected.appended[seq as usize - 1]);
    }
    let held = replay.last_seq() as usize;
    assert_eq!(records.len(), (held + 1).saturating_sub(from as usize));
    assert!(
        held >= expected.durable,
        "{} records were acknowledged and {held} are left",
        expected.durable
    );
    expected.appended.truncate(held);
    expected.durable = held;
    // Lost without syncs: their numbers are given again.
    expected.kept_from = expected.kept_from.min(held as u64 + 1);
}

/// Lives that end with a cut: the first after `cut` operations, those behind it somewhere in their
/// first few, so that most of them are cut while they recover. False when the first one was
/// done before.
fn run(seed: u64, cut: u64, plan: &Plan) -> bool {
    let sim = SimHost::new(seed);
    let random = SimRandom::new(seed ^ cut.rotate_left(32));
    let model = Model(Arc::default());
    let mut was_cut = false;
    for (epoch, operations) in (1..).zip([cut, random.below(12), random.below(40)]) {
        sim.disk().cut_power_after(operations);
        let finished = live(&sim, epoch, plan, &model, &random);
        was_cut |= epoch == 1 && !finished;
        let crash = plan.crashes[random.below(plan.crashes.len() as u64) as usize];
        if plan.durability == Durability::Os && crash != Crash::KeepAll {
            // Acknowledged without a sync: the power may take it.
            model.get().durable = 0;
        }
        sim.crash(crash);
    }
    let last = SimRandom::new(random.next_u64());
    assert!(live(&sim, 4, plan, &model, &last), "nothing cuts this one");
    sim.crash(Crash::KeepAll);
    let (_, replay) = try_open(&sim, 5, plan.options()).unwrap();
    check(&replay, &model);
    was_cut
}

fn cut_everywhere(seeds: u64, durability: Durability, crashes: &'static [Crash]) {
    let plan = Plan {
        durability,
        crashes,
    };
    for seed in 0..seeds {
        let cuts = (0..10_000).take_while(|cut| run(seed, *cut, &plan)).count();
        assert!((20..10_000).contains(&cuts), "a life of {cuts} operations");
    }
}

#[test]
fn cut_everywhere_with_torn_writes() {
    cut_everywhere(40, Durability::Sync, &[Crash::Torn]);
}

#[test]
fn cut_everywhere_with_nothing_that_was_not_synced() {
    cut_everywhere(10, Durability::Sync, &[Crash::DropUnsynced]);
}

#[test]
fn killed_everywhere_and_the_power_cut_later() {
    // What a killed process left in the page cache is replayed, and then must not vanish.
    let crashes = &[Crash::KeepAll, Crash::Torn, Crash::DropUnsynced];
    cut_everywhere(25, Durability::Sync, crashes);
}

#[test]
fn cut_everywhere_without_syncs() {
    cut_everywhere(10, Durability::Os, &[Crash::Torn]);
}

#[test]
fn killed_everywhere_without_syncs_and_the_power_cut_later() {
    let crashes = &[Crash::KeepAll, Crash::KeepAll, Crash::Torn];
    cut_everywhere(20, Durability::Os, crashes);
}
