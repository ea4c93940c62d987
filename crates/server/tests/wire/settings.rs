//! Settings from file, environment and flags, and what is said about wrong ones.

use std::process::Output;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::running::run_in;

/// What `config check` says with this file, environment and these flags.
fn check(file: &str, env: &[(&str, &str)], flags: &[&str]) -> String {
    let output = config("check", file, env, flags);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn config(action: &str, file: &str, env: &[(&str, &str)], flags: &[&str]) -> Output {
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
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @"");
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
    assert_snapshot!(check("web = 1\n\n[limits]\nmax_body_byte = 1\n", &[], &[]), @"");
    assert_snapshot!(check("[limit]\nmax_body_bytes = 1\n", &[], &[]), @"");
    assert_snapshot!(check("max_age = '1d'\n", &[], &[]), @"");
    assert_snapshot!(check("colour = 'red'\n", &[], &[]), @"");
}

#[test]
fn an_unknown_variable_is_named_with_the_one_that_was_meant() {
    assert_snapshot!(check("", &[("BACKTRAIL_OTLP_HTPP", "1")], &[]), @"");
    assert_snapshot!(check("", &[("BACKTRAIL_LIMITS_BODY_BYTES", "1")], &[]), @"");
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
    assert_snapshot!(check(file, &[("BACKTRAIL_LOG_LEVEL", "store=loud")], &[]), @"");
}

#[test]
fn rules_between_settings_are_kept() {
    let file = "
web = '0.0.0.0:16686'
otlp_http = 4317

[limits]
max_inflated_bytes = '1MiB'
";
    assert_snapshot!(check(file, &[], &[]), @"");
    let off = [
        "--web=off",
        "--otlp-http=off",
        "--otlp-grpc=off",
        "--jaeger-http=off",
    ];
    assert_snapshot!(check("", &[], &off), @"");
}

#[test]
fn an_address_that_others_reach_needs_a_word() {
    let flags = ["--otlp-http=0.0.0.0:4318"];
    assert_snapshot!(check("", &[], &flags), @"");
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
    assert_snapshot!(check("web = 1\nweb 2\n", &[], &[]), @"");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    assert_snapshot!(check("", &[], &["--config", "absent.toml"]), @"");
    assert_snapshot!(check("", &[("BACKTRAIL_CONFIG", "absent.toml")], &[]), @"");
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
