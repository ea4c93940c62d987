//! Jaeger's remote sampling: over HTTP on two ports, over gRPC, from the configuration file, and while that changes.

use std::path::Path;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::grpc::GrpcClient;
use crate::running::{Backtrail, Reply, Start, agent, jaeger_proto};

use super::settings::{check, config};

const FILE: &str = "
[sampling]
param = 0.5

[sampling.operations]
'GET /health' = 0

[sampling.services.shop]
type = 'probabilistic'
param = 0.25
operations.'POST /pay' = 1.0

[sampling.services.'bank.of.dots']
type = 'ratelimiting'
param = 5
";

fn get(server: &Backtrail, listener: &str, path: &str) -> (u16, String) {
    let reply = Reply::from(agent().get(server.url(listener, path)).call().unwrap());
    (reply.status, reply.text())
}

fn strategy(server: &Backtrail, path: &str) -> Value {
    let (status, text) = get(server, "jaeger-sampling", path);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn start_with(file: &Path) -> Backtrail {
    Start::new()
        .arg(format!("--config={}", file.display()))
        .start()
}

fn by_probability(share: f64) -> Value {
    json!({ "strategyType": "PROBABILISTIC", "probabilisticSampling": { "samplingRate": share } })
}

#[test]
fn without_settings_every_service_keeps_every_trace() {
    let server = Backtrail::start();
    let all = by_probability(1.0);
    assert_eq!(strategy(&server, "/sampling?service=shop"), all);
    assert_eq!(strategy(&server, "/api/sampling?service=shop"), all);
    let (status, text) = get(&server, "jaeger-http", "/api/sampling?service=shop");
    assert_eq!((status, serde_json::from_str(&text).ok()), (200, Some(all)));
    // As clients from before Thrift 0.9.3 read it.
    assert_eq!(strategy(&server, "/?service=shop")["strategyType"], 0);
    assert_eq!(
        strategy(&server, "/baggageRestrictions?service=shop"),
        json!([])
    );
}

#[test]
fn a_question_without_a_service_is_a_bad_request() {
    let server = Backtrail::start();
    for (path, expected) in [
        ("/sampling", "the parameter service is missing"),
        ("/", "the parameter service is missing"),
        ("/sampling?name=shop", "the parameter service is missing"),
        ("/sampling?service=a&service=b", "more than once"),
    ] {
        let (status, text) = get(&server, "jaeger-sampling", path);
        assert_eq!(status, 400, "{path}");
        assert!(text.contains(expected), "{path}: {text}");
    }
    let (status, text) = get(&server, "jaeger-sampling", "/api/traces");
    assert_eq!(status, 404);
    assert!(text.contains("/sampling?service=NAME"), "{text}");
}

#[test]
fn services_and_operations_have_the_strategies_of_the_file() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("backtrail.toml");
    std::fs::write(&file, FILE).unwrap();
    let server = start_with(&file);
    let health =
        json!({ "operation": "GET /health", "probabilisticSampling": { "samplingRate": 0.0 } });
    let pay = json!({ "operation": "POST /pay", "probabilisticSampling": { "samplingRate": 1.0 } });

    let other = strategy(&server, "/sampling?service=other");
    assert_eq!(other["probabilisticSampling"]["samplingRate"], 0.5);
    assert_eq!(
        other["operationSampling"],
        json!({
            "defaultSamplingProbability": 0.5,
            "defaultLowerBoundTracesPerSecond": 0.0,
            "perOperationStrategies": [health],
        })
    );
    let shop = strategy(&server, "/sampling?service=shop");
    assert_eq!(
        shop["operationSampling"]["defaultSamplingProbability"],
        0.25
    );
    assert_eq!(
        shop["operationSampling"]["perOperationStrategies"],
        json!([health, pay])
    );
    assert_eq!(
        strategy(&server, "/sampling?service=bank.of.dots"),
        json!({ "strategyType": "RATE_LIMITING", "rateLimitingSampling": { "maxTracesPerSecond": 5 } })
    );
    assert_eq!(
        strategy(&server, "/?service=bank.of.dots")["strategyType"],
        1
    );
}

#[test]
fn grpc_says_the_same() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("backtrail.toml");
    std::fs::write(&file, FILE).unwrap();
    let server = start_with(&file);
    let client = GrpcClient::connect(server.address("jaeger-grpc"));
    let of = |service: &str| jaeger_proto::sampling_strategy(&client, service).unwrap();

    let bank = of("bank.of.dots");
    assert_eq!(bank.strategy_type, 1);
    assert_eq!(
        bank.rate_limiting_sampling.unwrap().max_traces_per_second,
        5
    );
    let shop = of("shop");
    assert_eq!(shop.strategy_type, 0);
    assert_eq!(
        shop.probabilistic_sampling.unwrap().sampling_rate.to_bits(),
        0.25_f64.to_bits()
    );
    let by_operation = shop.operation_sampling.unwrap();
    assert_eq!(
        by_operation.default_sampling_probability.to_bits(),
        0.25_f64.to_bits()
    );
    let names: Vec<_> = by_operation
        .per_operation_strategies
        .into_iter()
        .map(|strategy| strategy.operation)
        .collect();
    assert_eq!(names, ["GET /health", "POST /pay"]);
}

/// Asks until the probability is the one, which takes a look or two at the file.
fn eventually(server: &Backtrail, share: f64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let expected = by_probability(share);
    while strategy(server, "/sampling?service=shop") != expected {
        assert!(Instant::now() < deadline, "not {share}:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_changed_file_is_in_force_without_a_restart_and_a_broken_one_is_not() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("backtrail.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[sampling]\nparam = 0.5\n");
    let server = start_with(&file);
    eventually(&server, 0.5);

    write("[sampling]\nparam = 0.5\n\n[sampling.services.shop]\nparam = 0.125\n");
    eventually(&server, 0.125);

    write("[sampling]\nparam = 0.5\n\n[sampling.services.shop]\nparam = 12.5\n");
    server.eventually_logs("those before stay in force");
    server.eventually_logs(
        "backtrail.toml:5: sampling.services.shop: 12.5 is not a probability from 0 to 1",
    );
    eventually(&server, 0.125);

    write("retention.max_age = '1d'\n\n[sampling.services.shop]\nparam = 0.75\n");
    eventually(&server, 0.75);
    server.eventually_logs("in force at the next start: retention.max_age");

    std::fs::remove_file(&file).unwrap();
    server.eventually_logs("backtrail.toml: there is no such file");
    eventually(&server, 0.75);
    write("[sampling.services.shop]\nparam = 0.0625\n");
    server.signal(Signal::HUP);
    eventually(&server, 0.0625);
    // Nobody changes it any more: asking is answered all the same.
    server.signal(Signal::HUP);
    server.eventually_logs("SIGHUP: the sampling strategies have not changed");
}

#[test]
fn jaegers_file_of_strategies_is_read_and_followed() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("strategies.json");
    let write = |share: &str| {
        let text = format!(
            r#"{{ "service_strategies": [ {{ "service": "shop", "type": "probabilistic", "param": {share} }} ] }}"#
        );
        std::fs::write(&file, text).unwrap();
    };
    write("0.5");
    let server = Start::new()
        .arg(format!("--sampling-strategies-file={}", file.display()))
        .start();
    eventually(&server, 0.5);
    write("0.25");
    eventually(&server, 0.25);
    write("2");
    server.eventually_logs("2 is not a probability from 0 to 1");
    eventually(&server, 0.25);
}

#[test]
fn strategies_that_make_no_sense_are_refused_with_their_line() {
    assert_snapshot!(check("[sampling]\nparam = 2\n", &[], &[]), @"backtrail: backtrail.toml:2: sampling.param: 2 is not a probability from 0 to 1");
    assert_snapshot!(check("[sampling]\ntype = 'ratelimiting'\nparam = 0.5\n", &[], &[]), @"backtrail: backtrail.toml:3: sampling.param: 0.5 is not a whole number of traces in a second");
    assert_snapshot!(check("", &[("BACKTRAIL_SAMPLING_PARAM", "-1")], &[]), @r#"backtrail: BACKTRAIL_SAMPLING_PARAM: sampling.param: "-1" is not a number from 0, such as 0.25 or 5"#);
    assert_snapshot!(check("", &[], &["--sampling-strategies-file=absent.json"]), @"backtrail: absent.json: there is no such file");
    assert_snapshot!(check("[sampling]\nservice = 1\n", &[], &[]), @"backtrail: backtrail.toml:2: unknown setting `sampling.service`; did you mean `sampling.param`?");
}

#[test]
fn tables_of_services_that_make_no_sense_are_refused_with_their_line() {
    let unreadable = "
[sampling.services.c]
param = 1
typ = 'ratelimiting'
[sampling.services.e]
type = 'adaptive'
param = 1
[sampling.services]
d = 1
q.operations = 1
[sampling.operations]
'GET /health' = 'never'
";
    assert_snapshot!(check(unreadable, &[], &[]), @r#"
    backtrail: 5 settings are wrong:
      backtrail.toml:4: unknown setting `sampling.services.c.typ`; did you mean `type`?
      backtrail.toml:6: sampling.services.e.type: "adaptive" is not one of "probabilistic", "ratelimiting"
      backtrail.toml:9: sampling.services.d: is one value; a table with type and param was expected
      backtrail.toml:10: sampling.services.q.operations: is one value; a table was expected
      backtrail.toml:12: sampling.operations.GET /health: "never" is not a number from 0, such as 0.25 or 5
    "#);
    let senseless = "
[sampling.services.a]
[sampling.services.b]
param = 1.5
[sampling.services.c]
type = 'ratelimiting'
param = 1
operations.d = 1
";
    assert_snapshot!(check(senseless, &[], &[]), @r#"
    backtrail: 3 settings are wrong:
      backtrail.toml:2: sampling.services.a: param is missing: a share of traces, or their number in a second
      backtrail.toml:4: sampling.services.b: 1.5 is not a probability from 0 to 1
      backtrail.toml:6: sampling.services.c: operations have strategies of their own only where the service samples by probability: clients that are told of operations pay no attention to a rate
    "#);
}

#[test]
fn what_is_printed_of_strategies_is_a_file_that_means_the_same() {
    let first = config("print", FILE, &[], &[]);
    let printed = String::from_utf8(first.stdout).unwrap();
    let (_, sampling) = printed.split_once("[log]").unwrap();
    assert_snapshot!(sampling, @r#"

    level = "info"
    format = "text"

    [sampling.operations]
    "GET /health" = 0

    [sampling.services."bank.of.dots"] # backtrail.toml:14
    type = "ratelimiting"
    param = 5

    [sampling.services.shop] # backtrail.toml:9
    type = "probabilistic"
    param = 0.25

    [sampling.services.shop.operations]
    "POST /pay" = 1
    "#);
    let second = config("print", &printed, &[], &[]);
    let without_origins = |text: &str| -> Vec<String> {
        let value = |line: &str| line.split(" # ").next().unwrap().to_owned();
        text.lines().map(value).collect()
    };
    assert_eq!(
        without_origins(&String::from_utf8(second.stdout).unwrap()),
        without_origins(&printed)
    );
}
