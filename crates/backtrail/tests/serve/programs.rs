//! The programs that the tests start: [`program`] is one of them when the variable says so, and else does nothing.

use std::error::Error;
use std::future::Future;
use std::io::{self, BufRead as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::exit;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use backtrail::{ServeOptions, Stats, Stop, TracingSystem, create_span, in_span, in_span_sync};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// Which program; the test's process has none.
pub(crate) const VARIABLE: &str = "BACKTRAIL_TEST_PROGRAM";

#[test]
fn program() {
    let Ok(name) = std::env::var(VARIABLE) else {
        return;
    };
    let tracing = TracingSystem::new("program");
    #[cfg(feature = "bridge")]
    let tracing = tracing.bridge_tracing(name == "bridged");
    let tracing = tracing.initialize().unwrap();
    let ended = match name.as_str() {
        "current-thread" => Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(http(&tracing, ServeOptions::default())),
        "one-worker" => Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(http(&tracing, ServeOptions::default())),
        "impatient" => Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(http(
                &tracing,
                ServeOptions::default()
                    .drain_timeout(Duration::from_millis(50))
                    .flush_timeout(Duration::from_millis(200)),
            )),
        "patient" => Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(http(
                &tracing,
                ServeOptions::default().drain_timeout(Duration::MAX),
            )),
        "no-tokio" => no_tokio(&tracing),
        "other-runtime" => other_runtime(&tracing),
        "failing" => failing(&tracing),
        "ending" => ending(&tracing),
        "stuck" => stuck(&tracing),
        "bridged" => {
            bridged(&tracing);
            Ok(())
        }
        "disabled" => disabled(&tracing),
        other => Err(format!("there is no program {other}").into()),
    };
    // As `main` does with a result.
    match ended {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("Error: {error}");
            exit(1);
        }
    }
}

/// Has spans end on its own thread and on the server's.
async fn http(tracing: &TracingSystem, options: ServeOptions) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address: SocketAddr = listener.local_addr()?;
    let router = Router::new()
        .route("/", get(|| in_span("request", (), async |_| ())))
        .route("/slow", get(slow));
    say(&format!("listens at {address}"));
    tracing
        .serve_until_signal_with(options, |stop| {
            let told = stop.clone();
            tokio::spawn(async move {
                told.await;
                say("stops");
            });
            axum::serve(listener, router).with_graceful_shutdown(stop)
        })
        .await?;
    Ok(())
}

/// Ends when the test says so on stdin.
async fn slow() {
    in_span("slow request", (), async |_| {
        say("slow request began");
        let (sender, told) = tokio::sync::oneshot::channel();
        // Not in the runtime's pool: the runtime would wait for it at its end.
        thread::spawn(|| sender.send(io::stdin().lock().lines().next()));
        told.await.unwrap();
    })
    .await;
}

fn no_tokio(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    for _ in 0..1_000 {
        in_span_sync("work", (), |_| ());
    }
    let stop = Stop::on_signal()?;
    let worker = thread::spawn({
        let stop = stop.clone();
        move || {
            in_span_sync("work until the end", (), |_| {
                say("works");
                stop.wait();
            });
        }
    });
    tracing.wait_for_signal()?;
    assert!(stop.is_stopped());
    worker.join().map_err(|_| "the worker panicked")?;
    tracing.terminate(Duration::from_secs(5));
    Ok(())
}

/// `serve_until_signal` in an executor that is not tokio's.
fn other_runtime(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    block_on(tracing.serve_until_signal(|stop| {
        in_span("serve", (), async |_| {
            say("works");
            stop.await;
        })
    }))?;
    Ok(())
}

fn failing(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    in_span_sync("work", (), |_| ());
    let server = async { Err(io::Error::other("the address is taken")) };
    block_on(tracing.serve_until_signal(|_| server))?;
    Ok(())
}

fn ending(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    in_span_sync("work", (), |_| ());
    let report = block_on(tracing.serve_until_signal(|_| async {}))?;
    assert!(report.is_complete());
    assert_eq!(report.stats.exported, 1);
    Ok(())
}

/// Something holds it up after its server has ended.
fn stuck(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    block_on(tracing.serve_until_signal(|stop| {
        say("works");
        stop
    }))?;
    say("is stuck");
    loop {
        thread::park();
    }
}

fn bridged(tracing: &TracingSystem) {
    tracing::info_span!("theirs").in_scope(|| {
        in_span_sync("ours", (), |_| tracing::info!("information"));
        tracing::debug!("detail");
    });
    tracing.terminate(Duration::from_secs(5));
}

/// The code runs, and nothing else does.
fn disabled(tracing: &TracingSystem) -> Result<(), Box<dyn Error>> {
    assert!(!tracing.is_enabled());
    let made = block_on(create_span("work", [("a", 1)], async |span| {
        assert!(!span.is_recording());
        Ok::<_, io::Error>(7)
    }))?;
    assert_eq!(made, 7);
    in_span_sync("work", (), |span| span.set("b", 2));
    #[cfg(target_os = "linux")]
    for thread in std::fs::read_dir("/proc/self/task")? {
        let name = std::fs::read_to_string(thread?.path().join("comm"))?;
        assert!(!name.starts_with("backtrail"), "{name}");
    }
    assert_eq!(tracing.force_flush(Duration::from_secs(5)), Ok(()));
    let report = tracing.terminate(Duration::from_secs(5));
    assert_eq!(report.stats, Stats::default());
    Ok(())
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The test reads these lines among those of the test harness.
fn say(what: &str) {
    println!("\nprogram: {what}");
}
