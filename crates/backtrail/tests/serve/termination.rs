use std::net::TcpListener;
use std::time::Instant;

use rustix::process::Signal;

use crate::collector::Collector;
use crate::process::{Program, ask, status_line};

const OK: &str = "HTTP/1.1 200 OK";

fn loses_nothing(program: &str, signal: Signal) {
    let collector = Collector::start();
    let mut program = Program::start(program, &collector.url());
    let address = program.address();
    for _ in 0..20 {
        assert_eq!(status_line(ask(&address, "/")), OK);
    }
    let slow = ask(&address, "/slow");
    assert_eq!(program.says(), "slow request began");

    program.is_sent(signal);
    assert_eq!(program.says(), "stops");
    program.is_told("go on");
    assert_eq!(status_line(slow), OK, "what had begun is finished");

    let ended = program.ends();
    assert_eq!(
        ended.line(),
        "Tracing terminated: 21 spans exported, 0 lost",
        "{}",
        ended.stderr
    );
    assert_eq!(ended.status.code(), Some(0));
    let mut names = collector.span_names();
    names.sort();
    assert_eq!(names.len(), 21);
    assert_eq!(names.last().unwrap(), "slow request");
}

#[test]
fn a_service_on_one_thread_loses_nothing_at_sigterm() {
    loses_nothing("current-thread", Signal::TERM);
}

#[test]
fn a_service_with_one_worker_loses_nothing_at_sigterm() {
    loses_nothing("one-worker", Signal::TERM);
}

#[test]
fn a_service_loses_nothing_at_sigint() {
    loses_nothing("one-worker", Signal::INT);
}

#[test]
fn a_program_without_tokio_loses_nothing() {
    let collector = Collector::start();
    let program = Program::start("no-tokio", &collector.url());
    assert_eq!(program.says(), "works");
    program.is_sent(Signal::TERM);
    let ended = program.ends();
    assert_eq!(
        ended.line(),
        "Tracing terminated: 1001 spans exported, 0 lost"
    );
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(collector.span_names().len(), 1_001);
}

#[test]
fn an_executor_that_is_not_tokios_will_do() {
    let collector = Collector::start();
    let program = Program::start("other-runtime", &collector.url());
    assert_eq!(program.says(), "works");
    program.is_sent(Signal::TERM);
    let ended = program.ends();
    assert_eq!(ended.line(), "Tracing terminated: 1 spans exported, 0 lost");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(collector.span_names(), ["serve"]);
}

#[test]
fn a_server_that_fails_is_an_error_after_its_spans_were_exported() {
    let collector = Collector::start();
    let ended = Program::start("failing", &collector.url()).ends();
    assert_eq!(ended.line(), "Tracing terminated: 1 spans exported, 0 lost");
    assert!(
        ended.stderr.ends_with("Error: the address is taken\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(collector.span_names(), ["work"]);
}

#[test]
fn a_server_that_ends_by_itself_is_flushed_too() {
    let collector = Collector::start();
    let ended = Program::start("ending", &collector.url()).ends();
    assert_eq!(ended.line(), "Tracing terminated: 1 spans exported, 0 lost");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(collector.span_names(), ["work"]);
}

#[test]
fn a_request_that_does_not_end_is_dropped_when_the_time_to_drain_is_over() {
    let collector = Collector::start();
    let program = Program::start("impatient", &collector.url());
    let address = program.address();
    assert_eq!(status_line(ask(&address, "/")), OK);
    let slow = ask(&address, "/slow");
    assert_eq!(program.says(), "slow request began");
    program.is_sent(Signal::TERM);
    let ended = program.ends();
    assert_eq!(ended.line(), "Tracing terminated: 1 spans exported, 0 lost");
    assert_eq!(ended.status.code(), Some(0));
    assert_ne!(status_line(slow), OK);
    assert_eq!(collector.span_names(), ["request"]);
}

#[test]
fn a_second_signal_ends_the_drain() {
    let collector = Collector::start();
    let program = Program::start("patient", &collector.url());
    let address = program.address();
    assert_eq!(status_line(ask(&address, "/")), OK);
    let _slow = ask(&address, "/slow");
    assert_eq!(program.says(), "slow request began");
    program.is_sent(Signal::TERM);
    assert_eq!(program.says(), "stops");
    program.is_sent(Signal::INT);
    let ended = program.ends();
    assert_eq!(ended.line(), "Tracing terminated: 1 spans exported, 0 lost");
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn a_program_that_is_stuck_after_its_end_is_ended_by_the_next_signal() {
    let collector = Collector::start();
    let program = Program::start("stuck", &collector.url());
    assert_eq!(program.says(), "works");
    program.is_sent(Signal::TERM);
    assert_eq!(program.says(), "is stuck");
    program.is_sent(Signal::TERM);
    let ended = program.ends();
    assert_eq!(ended.line(), "Tracing terminated: 0 spans exported, 0 lost");
    assert_eq!(ended.status.code(), Some(130));
}

/// With a flush of at most 200 ms.
fn ends_without(collector: &str) -> String {
    let program = Program::start("impatient", collector);
    let address = program.address();
    for _ in 0..5 {
        assert_eq!(status_line(ask(&address, "/")), OK);
    }
    let asked = Instant::now();
    program.is_sent(Signal::TERM);
    let ended = program.ends();
    assert!(asked.elapsed() < crate::collector::PATIENCE / 4);
    assert_eq!(ended.status.code(), Some(0));
    ended.line().to_owned()
}

#[test]
fn a_collector_that_is_not_there_holds_up_no_service_and_the_loss_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let line = ends_without(&format!("http://{address}"));
    let told = "Tracing terminated: 0 spans exported, 5 lost (5 failed: http://";
    assert!(line.starts_with(told), "{line}");
    assert!(line.contains("refused"), "{line}");
}

#[test]
fn a_collector_that_never_answers_holds_up_no_service_and_the_loss_is_told() {
    // Connections are taken by the kernel, and nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = ends_without(&format!("http://{}", silent.local_addr().unwrap()));
    assert_eq!(
        line,
        "Tracing terminated: 0 spans exported, 5 lost (5 failed: the shutdown's time was over)"
    );
}
