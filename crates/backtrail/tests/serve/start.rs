use crate::collector::Collector;
use crate::process::Program;

#[test]
fn a_system_that_is_disabled_starts_no_thread_and_runs_the_code() {
    let collector = Collector::start();
    let program = Program::start_with(
        "disabled",
        &collector.url(),
        [("OTEL_SDK_DISABLED", "true")],
    );
    let ended = program.ends();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.line(), "Tracing terminated: 0 spans exported, 0 lost");
    assert!(collector.try_next().is_none());
}

#[cfg(feature = "bridge")]
mod bridge {
    use super::*;

    #[test]
    fn the_bridge_comes_with_text_on_stderr() {
        let collector = Collector::start();
        let ended = Program::start("bridged", &collector.url()).ends();
        assert_eq!(ended.line(), "Tracing terminated: 2 spans exported, 0 lost");
        assert!(ended.stderr.contains("information"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("detail"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("spans go to OTLP over HTTP"),
            "{}",
            ended.stderr
        );
        let mut names = collector.span_names();
        names.sort();
        assert_eq!(names, ["ours", "theirs"]);
    }

    #[test]
    fn the_text_is_as_detailed_as_rust_log_says_and_traces_are_not() {
        let collector = Collector::start();
        let url = collector.url();
        let ended = Program::start_with("bridged", &url, [("RUST_LOG", "debug")]).ends();
        assert!(ended.stderr.contains("detail"), "{}", ended.stderr);
        let request = collector.next().otlp();
        let spans = &request.resource_spans[0].scope_spans[0].spans;
        let theirs = spans.iter().find(|span| span.name == "theirs").unwrap();
        assert_eq!(theirs.events.len(), 0);
    }

    #[test]
    fn a_rust_log_that_is_malformed_is_told() {
        let collector = Collector::start();
        let url = collector.url();
        let ended = Program::start_with("bridged", &url, [("RUST_LOG", "a=b=c")]).ends();
        assert!(
            ended.stderr.contains("RUST_LOG=a=b=c is ignored"),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("information"), "{}", ended.stderr);
    }
}
