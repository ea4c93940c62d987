use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backtrail::opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use backtrail::opentelemetry_sdk::trace::{SpanData, SpanExporter};
use backtrail::{Environment, Exporter, FlushError, TracingSystem, in_span_sync};

/// What a test waits for an event at most: far more than any machine needs.
const PATIENCE: Duration = Duration::from_mins(1);

fn system(exporter: impl SpanExporter + 'static) -> TracingSystem {
    TracingSystem::new("test")
        .environment(Environment::of([]))
        .exporter(Exporter::custom(exporter))
        .schedule_delay(Duration::MAX)
        .local()
        .initialize()
        .unwrap()
}

fn trace(tracing: &TracingSystem, name: &'static str) {
    let _entered = tracing.context().attach();
    in_span_sync(name, (), |_| ());
}

/// Blocks its thread until it is told what to say.
#[derive(Debug)]
struct Blocking {
    begun: Sender<usize>,
    says: Mutex<Receiver<OTelSdkResult>>,
    is_shut_down: Arc<Mutex<Option<Duration>>>,
}

impl SpanExporter for Blocking {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let _told = self.begun.send(spans.len());
        self.says.lock().unwrap().recv().unwrap_or(Ok(()))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        *self.is_shut_down.lock().unwrap() = Some(timeout);
        Ok(())
    }
}

struct Director {
    begun: Receiver<usize>,
    say: Sender<OTelSdkResult>,
    is_shut_down: Arc<Mutex<Option<Duration>>>,
}

fn blocking() -> (Blocking, Director) {
    let (begun, was_begun) = channel();
    let (say, says) = channel();
    let is_shut_down = Arc::new(Mutex::new(None));
    let exporter = Blocking {
        begun,
        says: Mutex::new(says),
        is_shut_down: Arc::clone(&is_shut_down),
    };
    let director = Director {
        begun: was_begun,
        say,
        is_shut_down,
    };
    (exporter, director)
}

#[test]
fn an_exporter_that_blocks_its_thread_holds_up_no_deadline() {
    let (exporter, director) = blocking();
    let tracing = system(exporter);
    trace(&tracing, "x");
    let timeout = Duration::from_millis(20);
    let expected = Err(FlushError::Timeout {
        pending: 1,
        timeout,
    });
    assert_eq!(tracing.force_flush(timeout), expected);
    assert_eq!(director.begun.recv_timeout(PATIENCE), Ok(1));
    assert_eq!(tracing.shutdown_within(timeout), expected);
    assert_eq!(tracing.stats().failed, 1);
}

#[tokio::test(flavor = "current_thread")]
async fn an_exporter_is_told_of_the_shutdown_after_its_last_batch() {
    let (exporter, director) = blocking();
    let tracing = system(exporter);
    trace(&tracing, "x");
    director.say.send(Ok(())).unwrap();
    assert_eq!(tracing.shutdown_async(PATIENCE).await, Ok(()));
    assert_eq!(tracing.stats().exported, 1);
    let timeout = director.is_shut_down.lock().unwrap().unwrap();
    assert!(timeout <= PATIENCE);
}

#[test]
fn an_exporter_gets_one_batch_at_a_time() {
    let (exporter, director) = blocking();
    let tracing = system(exporter);
    for _ in 0..512 * 3 {
        trace(&tracing, "x");
    }
    for _ in 0..3 {
        assert_eq!(director.begun.recv_timeout(PATIENCE), Ok(512));
        assert!(
            director.begun.try_recv().is_err(),
            "it was not answered yet"
        );
        director.say.send(Ok(())).unwrap();
    }
    assert_eq!(tracing.force_flush(PATIENCE), Ok(()));
    assert_eq!(tracing.stats().exported, 512 * 3);
}

#[test]
fn what_an_exporter_says_is_told() {
    let (exporter, director) = blocking();
    let tracing = system(exporter);
    trace(&tracing, "x");
    let refusal = OTelSdkError::InternalFailure("the disk is full".to_owned());
    director.say.send(Err(refusal)).unwrap();
    let Err(FlushError::Lost { lost: 1, reason }) = tracing.force_flush(PATIENCE) else {
        panic!("a span was lost");
    };
    assert!(reason.contains("the disk is full"), "{reason}");
}

#[derive(Debug)]
struct Panicking;

impl SpanExporter for Panicking {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        assert!(spans[0].name != "bad", "a bug of the exporter");
        Ok(())
    }
}

#[test]
fn an_exporter_that_panics_loses_one_batch() {
    let tracing = system(Panicking);
    trace(&tracing, "bad");
    let Err(FlushError::Lost { lost: 1, reason }) = tracing.force_flush(PATIENCE) else {
        panic!("a span was lost");
    };
    assert!(reason.contains("a bug of the exporter"), "{reason}");
    trace(&tracing, "good");
    assert_eq!(tracing.force_flush(PATIENCE), Ok(()));
    let stats = tracing.stats();
    assert_eq!((stats.failed, stats.exported), (1, 1));
}

/// Uses the things that exporters use: a timer, tasks, a socket.
#[derive(Debug)]
struct Asynchronous;

impl SpanExporter for Asynchronous {
    async fn export(&self, _spans: Vec<SpanData>) -> OTelSdkResult {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = tokio::spawn(tokio::net::TcpStream::connect(address));
        listener.accept().await.unwrap();
        connect.await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[test]
fn an_exporter_has_a_runtime() {
    let tracing = system(Asynchronous);
    trace(&tracing, "x");
    assert_eq!(tracing.force_flush(PATIENCE), Ok(()));
}

#[test]
fn spans_within_an_exporter_are_not_made() {
    #[derive(Debug)]
    struct Traced;
    impl SpanExporter for Traced {
        async fn export(&self, _spans: Vec<SpanData>) -> OTelSdkResult {
            in_span_sync("of the exporter", (), |span| assert!(!span.is_recording()));
            Ok(())
        }
    }
    let tracing = system(Traced);
    trace(&tracing, "x");
    assert_eq!(tracing.force_flush(PATIENCE), Ok(()));
    assert_eq!(tracing.stats().created, 1);
}
