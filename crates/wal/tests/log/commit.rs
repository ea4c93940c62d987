//! Group commit: order, sharing of syncs, limits.

use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::join_all;
use host::Host;
use host::sim::{Crash, OperationKind, SimHost};
use wal::{Durability, MAX_PAYLOAD_BYTES, Wal, WalError, WalOptions};

use crate::machine::{
    DIR, Events, append, append_together, ignore, numbered, numbers, open, record, replayed,
    try_open,
};

#[test]
fn numbers_count_from_one_without_gaps() {
    let sim = SimHost::new(1);
    let (wal, replay) = open(&sim, 1, WalOptions::default());
    assert_eq!(replay.last_seq(), 0);
    assert!(replayed(&replay, 1).unwrap().is_empty());
    for seq in 1..=5 {
        assert_eq!(append(&sim, &wal, numbered(1, 10)).unwrap(), seq);
    }
}

#[test]
fn who_arrives_together_shares_one_sync() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    let records = (0..100).map(|number| numbered(number, 100)).collect();
    let answers = append_together(&sim, &wal, records);
    let seqs: Vec<u64> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
    let stats = wal.stats();
    assert_eq!((stats.syncs, stats.appended_records), (1, 100));
    assert_eq!((stats.pending_records, stats.pending_bytes), (0, 0));
    assert_eq!(stats.synced_bytes, 100 * 159);
}

#[test]
fn who_arrives_during_a_sync_joins_the_next() {
    for seed in 0..20 {
        let sim = SimHost::new(seed);
        let (wal, _) = open(&sim, 1, WalOptions::default());
        let tasks = sim.host().tasks;
        let done = Arc::new(Mutex::new(0));
        for number in 0..50 {
            let (wal, done) = (wal.clone(), done.clone());
            let client = async move {
                for _ in 0..4 {
                    wal.append(numbered(number, 10), ignore()).await.unwrap();
                }
                *done.lock().unwrap() += 1;
            };
            tasks.spawn("client", Box::pin(client));
        }
        sim.run_for(std::time::Duration::from_secs(1));
        assert_eq!(*done.lock().unwrap(), 50);
        let stats = wal.stats();
        assert_eq!(stats.appended_records, 200);
        assert!(stats.syncs < 40, "{} syncs for 200 records", stats.syncs);
    }
}

#[test]
fn a_group_is_bounded() {
    let sim = SimHost::new(1);
    let options = WalOptions {
        max_group_bytes: 1000,
        ..WalOptions::default()
    };
    let groups = Events::default();
    let seen = groups.clone();
    let options = WalOptions {
        on_sync: Some(Arc::new(move |_, records, bytes| {
            seen.push(format!("{records} records, {bytes} bytes"));
        })),
        ..options
    };
    let (wal, _) = open(&sim, 1, options);
    // The fourth is longer than a group may be, and goes alone.
    let lens = [341, 341, 241, 2000, 41];
    let records = lens.map(|len| numbered(1, len)).into();
    append_together(&sim, &wal, records);
    let expected = [
        "2 records, 800 bytes",
        "1 records, 300 bytes",
        "1 records, 2059 bytes",
        "1 records, 100 bytes",
    ];
    assert_eq!(groups.take(), expected);
}

#[test]
fn callbacks_run_in_order_and_before_the_appends_resolve() {
    for seed in 0..20 {
        let sim = SimHost::new(seed);
        let (wal, _) = open(&sim, 1, crate::machine::small_segments());
        let events = Events::default();
        let durable = Arc::new(Mutex::new(Vec::new()));
        let appends = (0..30).map(|number| {
            let (wal, events, durable) = (wal.clone(), events.clone(), durable.clone());
            let seen = durable.clone();
            async move {
                let on_durable = Box::new(move |seq| seen.lock().unwrap().push(seq));
                let seq = wal.append(numbered(number, 100), on_durable).await.unwrap();
                let early = !durable.lock().unwrap().contains(&seq);
                if early {
                    events.push(format!("{seq} resolved before its callback ran"));
                }
            }
        });
        sim.block_on(join_all(appends));
        assert_eq!(events.take(), Vec::<String>::new());
        assert_eq!(*durable.lock().unwrap(), (1..=30).collect::<Vec<_>>());
    }
}

#[test]
fn an_acknowledged_record_is_synced_and_so_is_its_segments_name() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    append(&sim, &wal, numbered(7, 10)).unwrap();
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, WalOptions::default());
    assert_eq!(numbers(&replay), [7]);
}

#[test]
fn without_syncs_a_record_survives_the_process_but_not_the_power() {
    let options = WalOptions {
        durability: Durability::Os,
        ..WalOptions::default()
    };
    for (crash, expected) in [(Crash::KeepAll, vec![7]), (Crash::DropUnsynced, vec![])] {
        let sim = SimHost::new(1);
        let (wal, _) = open(&sim, 1, options.clone());
        append(&sim, &wal, numbered(7, 10)).unwrap();
        assert_eq!(wal.stats().syncs, 0);
        sim.crash(crash);
        let (_, replay) = open(&sim, 2, options.clone());
        assert_eq!(numbers(&replay), expected);
    }
}

#[test]
fn without_syncs_a_segment_is_synced_before_the_next_begins() {
    let options = WalOptions {
        durability: Durability::Os,
        ..crate::machine::small_segments()
    };
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, options.clone());
    for number in 1..=3 {
        append(&sim, &wal, numbered(number, 500)).unwrap();
    }
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, options);
    assert_eq!(numbers(&replay), [1, 2]);
}

#[test]
fn too_much_that_waits_is_refused_at_once() {
    let sim = SimHost::new(1);
    let options = WalOptions {
        max_pending_bytes: 1000,
        ..WalOptions::default()
    };
    let (wal, _) = open(&sim, 1, options);
    // Longer than may wait in all: taken, because nothing else waits.
    let answers = append_together(&sim, &wal, vec![numbered(1, 2000), numbered(2, 1)]);
    assert!(answers[0].is_ok());
    let message = answers[1].as_ref().unwrap_err().to_string();
    assert_eq!(
        message,
        "2059 bytes wait for the log's disk, of at most 1000"
    );
    // What was refused took no number.
    assert_eq!(append(&sim, &wal, numbered(3, 1)).unwrap(), 2);
}

#[test]
fn a_dropped_append_may_still_be_written_and_then_its_callback_runs() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    let events = Events::default();
    let seen = events.clone();
    let on_durable = Box::new(move |seq| seen.push(format!("{seq} is durable")));
    assert!(
        wal.append(numbered(1, 10), on_durable)
            .now_or_never()
            .is_none()
    );
    assert_eq!(append(&sim, &wal, numbered(2, 10)).unwrap(), 2);
    assert_eq!(events.take(), ["1 is durable"]);
}

#[test]
fn an_append_that_is_never_polled_does_nothing() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    drop(wal.append(numbered(1, 10), ignore()));
    assert_eq!(append(&sim, &wal, numbered(2, 10)).unwrap(), 1);
}

#[test]
fn what_is_too_long_for_a_record_is_refused_with_the_limit() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    let mut named = numbered(1, 10);
    named.tenant = "t".repeat(256).into();
    let error = append(&sim, &wal, named).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a tenant name of 256 bytes is over the log's limit of 255"
    );
    let error = append(&sim, &wal, record(vec![0; MAX_PAYLOAD_BYTES + 1])).unwrap_err();
    assert!(matches!(error, WalError::PayloadTooLarge { .. }), "{error}");
}

#[test]
fn opening_changes_no_number_and_needs_no_room() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    append(&sim, &wal, numbered(1, 10)).unwrap();
    sim.crash(Crash::KeepAll);
    sim.disk().set_capacity(0);
    for epoch in 2..5 {
        let (wal, replay) = open(&sim, epoch, WalOptions::default());
        assert_eq!(numbers(&replay), [1]);
        assert_eq!((wal.stats().next_seq, wal.stats().segments), (2, 1));
        sim.crash(Crash::DropUnsynced);
    }
}

#[test]
fn an_older_epoch_is_refused() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 5, WalOptions::default());
    append(&sim, &wal, numbered(1, 10)).unwrap();
    sim.crash(Crash::KeepAll);
    let error = try_open(&sim, 4, WalOptions::default()).unwrap_err();
    let expected = format!(
        "log segment {} is of epoch 5, newer than this writer's epoch 4",
        crate::machine::segment(1)
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_writer_never_syncs_twice_for_one_group() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    append(&sim, &wal, numbered(1, 10)).unwrap();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = kinds.clone();
    sim.disk().set_policy(move |operation| {
        seen.lock().unwrap().push(operation.kind);
        None
    });
    append(&sim, &wal, numbered(2, 10)).unwrap();
    let expected = [OperationKind::Write, OperationKind::SyncData];
    assert_eq!(*kinds.lock().unwrap(), expected);
}

#[test]
fn a_callback_that_panics_stops_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (wal, _) = Wal::open(&Host::real(), folder.path(), 1, WalOptions::default()).unwrap();
        let on_durable =
            Box::new(|_| panic!("on purpose: the message in the test's output is right"));
        let error = wal.append(numbered(1, 10), on_durable).await.unwrap_err();
        assert!(matches!(error, WalError::Stopped { .. }), "{error}");
        let error = wal.append(numbered(2, 10), ignore()).await.unwrap_err();
        assert!(error.to_string().contains("its writer failed"), "{error}");
    });
}

#[test]
fn threads_of_a_real_machine_share_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join(DIR);
    let options = WalOptions {
        segment_bytes: 64 << 10,
        ..WalOptions::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (wal, _) = Wal::open(&Host::real(), &dir, 1, options.clone()).unwrap();
        let clients = (0..8_u8).map(|client| {
            let wal = wal.clone();
            tokio::spawn(async move {
                for index in 0..50 {
                    let payload = [[client, index].as_slice(), &[0; 500]].concat();
                    wal.append(record(payload), ignore()).await.unwrap();
                }
            })
        });
        for client in join_all(clients).await {
            client.unwrap();
        }
        let stats = wal.stats();
        assert!(stats.segments > 3 && stats.syncs <= 400, "{stats:?}");
    });
    let (_, replay) = Wal::open(&Host::real(), Path::new(&dir), 2, options).unwrap();
    let mut next = [0; 8];
    for (record, seq) in replay.read_from(1).zip(1..) {
        let record = record.unwrap();
        let (client, index) = (usize::from(record.payload[0]), record.payload[1]);
        assert_eq!((record.seq, index), (seq, next[client]));
        next[client] += 1;
    }
    assert_eq!(next, [50; 8]);
}
