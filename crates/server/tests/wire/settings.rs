//! Settings from file, environment and flags, and what is said about wrong ones.

use std::process::Output;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::running::run_in;

/// What `config check` says with this file, environment and these flags.
pub(super) fn check(file: &str, env: &[(&str, &str)], flags: &[&str]) -> String {
    let output = config("check", file, env, flags);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

pub(super) fn config(action: &str, file: &str, env: &[(&str, &str)], flags: &[&str]) -> Output {
    let dir = TempDir::new().unwrap();
    if !file.is_empty() {
        std::fs::write(dir.path().join("backtrail.toml"), file).unwrap();
    }
    let mut args = vec!["config", action];
    args.extend(flags);
    run_in(dir.path(), &args, env)
}

#[test]
fn the_strongest_source_wins_and_is_named() {
    let file = "
web = 1001
otlp_http = 1002
otlp_grpc = 1003

[limits]
max_body_bytes = '1MiB'
";
    let env = [
        ("BACKTRAIL_OTLP_HTTP", "2002"),
        ("BACKTRAIL_OTLP_GRPC", "off"),
    ];
    let flags = ["--otlp-grpc", "[::1]:3003", "--log-level=debug"];
    let output = config("print", file, &env, &flags);
    assert!(output.status.success(), "{output:?}");
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    data_dir = "./backtrail-data"
    otlp_grpc = "[::1]:3003" # --otlp-grpc
    otlp_http = 2002 # BACKTRAIL_OTLP_HTTP
    jaeger_http = 14268
    jaeger_grpc = 14250
    jaeger_sampling = 5778
    jaeger_agent_compact = 6831
    jaeger_agent_binary = 6832
    zipkin = 9411
    jaeger_query_grpc = 16685
    web = 1001 # backtrail.toml:2
    allow_anonymous = false
    cors_origins = "*"
    allowed_hosts = ""
    public_url = ""
    port_file = ""
    shutdown_timeout_ms = 20000

    [limits]
    max_body_bytes = "1MiB" # backtrail.toml:7
    max_inflated_bytes = "64MiB"
    grpc_max_message_bytes = "16MiB"
    max_span_bytes = "4MiB"
    max_value_depth = 32
    max_in_flight_bytes = "256MiB"
    max_connections = 4096
    request_timeout_ms = 30000
    udp_receive_buffer_bytes = "4MiB"
    udp_queue_bytes = "64MiB"

    [storage]
    durability = "sync"
    log_segment_bytes = "128MiB"
    memtable_bytes = "256MiB"
    max_memtable_bytes = "1GiB"
    flush_interval_ms = 60000
    trace_idle_ms = 15000
    trace_max_age_ms = 600000
    min_free_bytes = "256MiB"

    [retention]
    max_age = "14d"
    max_bytes = ""

    [sourcemaps]
    retention = "90d"
    max_bundle_bytes = "512MiB"
    max_organisation_bytes = "20GiB"
    max_bytes = "50GiB"
    resolve_for_jaeger = true

    [sampling]
    type = "probabilistic"
    param = 1
    strategies_file = ""

    [log]
    level = "debug" # --log-level
    format = "text"
    "#);
}

#[test]
fn what_is_printed_is_a_file_that_means_the_same() {
    let first = config("print", "", &[], &[]);
    let printed = String::from_utf8(first.stdout).unwrap();
    let second = config("check", &printed, &[], &[]);
    assert!(second.status.success(), "{second:?}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant() {
    assert_snapshot!(check("web = 1\n\n[limits]\nmax_body_byte = 1\n", &[], &[]), @r#"backtrail: backtrail.toml:4: unknown setting `limits.max_body_byte`; did you mean `limits.max_body_bytes`?"#);
    assert_snapshot!(check("[limit]\nmax_body_bytes = 1\n", &[], &[]), @r#"backtrail: backtrail.toml:2: unknown setting `limit.max_body_bytes`; did you mean `limits.max_body_bytes`?"#);
    assert_snapshot!(check("max_age = '1d'\n", &[], &[]), @r#"backtrail: backtrail.toml:1: unknown setting `max_age`; did you mean `retention.max_age`?"#);
    assert_snapshot!(check("colour = 'red'\n", &[], &[]), @r#"backtrail: backtrail.toml:1: unknown setting `colour`; `backtrail config print` shows all"#);
}

#[test]
fn an_unknown_variable_is_named_with_the_one_that_was_meant() {
    assert_snapshot!(check("", &[("BACKTRAIL_OTLP_HTPP", "1")], &[]), @r#"backtrail: BACKTRAIL_OTLP_HTPP: unknown variable; did you mean `BACKTRAIL_OTLP_HTTP`?"#);
    assert_snapshot!(check("", &[("BACKTRAIL_LIMITS_BODY_BYTES", "1")], &[]), @r#"backtrail: BACKTRAIL_LIMITS_BODY_BYTES: unknown variable; did you mean `BACKTRAIL_LIMITS_MAX_BODY_BYTES`?"#);
}

#[test]
fn an_unknown_flag_is_named_with_the_one_that_was_meant() {
    let message = check("", &[], &["--otlp-htpp", "1"]);
    assert!(message.contains("'--otlp-http'"), "{message}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let file = "
web = 70000
otlp_http = ':4318'
data_dir = ''
allow_anonymous = 'maybe'
cors_origins = ['shop.example']

[storage]
durability = 'fast'
flush_interval_ms = 1.5

[retention]
max_age = 14
max_bytes = '10 apples'
";
    assert_snapshot!(check(file, &[("BACKTRAIL_LOG_LEVEL", "store=loud")], &[]), @r#"
    backtrail: 10 settings are wrong:
      backtrail.toml:2: web: "70000" is not a port ("4318"), an address with a port ("192.0.2.1:4318", "[::1]:4318") or "off"
      backtrail.toml:3: otlp_http: ":4318" is not a port ("4318"), an address with a port ("192.0.2.1:4318", "[::1]:4318") or "off"; for this machine alone write "4318", for all networks "0.0.0.0:4318"
      backtrail.toml:4: data_dir: is empty; a path was expected
      backtrail.toml:5: allow_anonymous: "maybe" is neither true nor false
      backtrail.toml:6: cors_origins: "shop.example" is not an origin such as "https://shop.example"; "*" alone allows any, "off" none
      backtrail.toml:9: storage.durability: "fast" is not one of "sync", "os"
      backtrail.toml:10: storage.flush_interval_ms: "1.5" is not a number of milliseconds above 0, such as 1500 or "1500ms"
      backtrail.toml:13: retention.max_age: "14" is not an age such as "14d", "36h" or "90m", nor "off"
      backtrail.toml:14: retention.max_bytes: "10 apples" is not a number of bytes above 0, such as 1048576, "1MiB" or "2GB"
      BACKTRAIL_LOG_LEVEL: log.level: "store=loud" is neither a level (error, warn, info, debug, trace, off) nor directives such as "info,store=debug": error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    "#);
}

#[test]
fn rules_between_settings_are_kept() {
    let file = "
web = '0.0.0.0:16686'
otlp_http = 4317

[limits]
max_inflated_bytes = '1MiB'
";
    assert_snapshot!(check(file, &[], &[]), @r#"
    backtrail: 5 settings are wrong:
      backtrail.toml:3: otlp_http: 4317 is taken by otlp_grpc already
      backtrail.toml:2: web: 0.0.0.0:16686 can be reached by other machines, and there is no token with scope read in ./backtrail-data; make one with `backtrail tokens create --name NAME --scope read`, use a bare port to listen on this machine alone, or allow it with --allow-anonymous, BACKTRAIL_ALLOW_ANONYMOUS or allow_anonymous in the file
      backtrail.toml:6: limits.max_inflated_bytes: "1MiB" is below limits.max_body_bytes, "16MiB"
      backtrail.toml:6: limits.max_inflated_bytes: "1MiB" is below limits.grpc_max_message_bytes, "16MiB"
      backtrail.toml:6: limits.max_inflated_bytes: "1MiB" is below limits.max_span_bytes, "4MiB"
    "#);
    let off = [
        "--web=off",
        "--otlp-http=off",
        "--otlp-grpc=off",
        "--jaeger-http=off",
        "--jaeger-grpc=off",
        "--jaeger-sampling=off",
        "--jaeger-agent-compact=off",
        "--jaeger-agent-binary=off",
        "--zipkin=off",
        "--jaeger-query-grpc=off",
    ];
    assert_snapshot!(check("", &[], &off), @r#"backtrail: --web: web: every listener is off; nothing could be received or asked"#);
}

#[test]
fn an_address_that_others_reach_needs_a_word() {
    let flags = ["--otlp-http=0.0.0.0:4318"];
    assert_snapshot!(check("", &[], &flags), @r#"backtrail: --otlp-http: otlp_http: 0.0.0.0:4318 can be reached by other machines, and there is no token with scope ingest in ./backtrail-data; make one with `backtrail tokens create --name NAME --scope ingest`, use a bare port to listen on this machine alone, or allow it with --allow-anonymous, BACKTRAIL_ALLOW_ANONYMOUS or allow_anonymous in the file"#);
    let allowed = config(
        "check",
        "",
        &[],
        &["--otlp-http=0.0.0.0:4318", "--allow-anonymous"],
    );
    assert!(allowed.status.success(), "{allowed:?}");
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line() {
    assert_snapshot!(check("web = 1\nweb 2\n", &[], &[]), @r#"backtrail: backtrail.toml:2: is not TOML: key with no value, expected `=`"#);
}

#[test]
fn a_file_that_was_named_must_be_there() {
    assert_snapshot!(check("", &[], &["--config", "absent.toml"]), @r#"backtrail: absent.toml: there is no such file"#);
    assert_snapshot!(check("", &[("BACKTRAIL_CONFIG", "absent.toml")], &[]), @r#"backtrail: absent.toml: there is no such file"#);
}

#[test]
fn rust_log_is_understood_and_weaker_than_our_own_variable() {
    let level = |env: &[(&str, &str)]| {
        let output = config("print", "[log]\nlevel = 'error'\n", env, &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .find(|line| line.starts_with("level"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(level(&[]), r#"level = "error" # backtrail.toml:2"#);
    let rust_log = ("RUST_LOG", "hyper=debug");
    assert_eq!(level(&[rust_log]), r#"level = "hyper=debug" # RUST_LOG"#);
    assert_eq!(
        level(&[rust_log, ("BACKTRAIL_LOG_LEVEL", "warn")]),
        r#"level = "warn" # BACKTRAIL_LOG_LEVEL"#
    );
}

#[test]
fn help_and_version_teach() {
    let dir = TempDir::new().unwrap();
    let version = run_in(dir.path(), &["--version"], &[]);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        concat!("backtrail ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let help = run_in(dir.path(), &["serve", "--help"], &[]);
    let help = String::from_utf8(help.stdout).unwrap();
    for word in [
        "Examples:",
        "--otlp-http",
        "[env: BACKTRAIL_RETENTION_MAX_AGE]",
        "[default: 14d]",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}
