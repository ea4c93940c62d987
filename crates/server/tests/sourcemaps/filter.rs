//! `backtrail sourcemaps resolve` as a filter: stacks are resolved, and everything else is what it was.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::running::{Backtrail, command, run_in};
use crate::service::{HASHED, build, healed, plain, stderr, stdout, upload};

/// What comes out of `resolve` when this goes in.
fn filter(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = command()
        .args(["sourcemaps", "resolve"])
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

fn passed(input: &[u8]) -> Vec<u8> {
    let dist = build("plain");
    let output = filter(dist.path(), &["--maps", "."], input);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(stderr(&output), "");
    output.stdout
}

#[test]
fn a_stack_between_other_lines_is_resolved_and_they_stay() {
    let log =
        |stack: &str| format!("\n  listening on :8080\t\n{stack}\n\n{{\"level\":\"info\"}}\nend");
    assert_eq!(
        passed(log(&plain()).as_bytes()),
        log(&healed(&plain())).as_bytes()
    );
}

#[test]
fn a_stack_at_the_end_needs_no_end_of_line() {
    assert_eq!(passed(plain().as_bytes()), healed(&plain()).as_bytes());
    let line = "    at n (/var/task/main.js:1:404)";
    assert_eq!(passed(line.as_bytes()).last(), Some(&b')'));
    assert!(passed(b"").is_empty());
}

#[test]
fn ends_of_lines_stay_what_they_are() {
    let input = format!("a\r\n{}\r\nb\r\rc\r\n", plain().replace('\n', "\r\n"));
    let expected = format!(
        "a\r\n{}\r\nb\r\rc\r\n",
        healed(&plain()).replace('\n', "\r\n")
    );
    assert_eq!(
        String::from_utf8(passed(input.as_bytes())).unwrap(),
        expected
    );
}

#[test]
fn bytes_that_are_no_text_pass_around_stacks() {
    let around = |stack: &str| {
        [
            b"\xff\xfe\0\n",
            stack.as_bytes(),
            b"\n\xc3\x28 at x\n\xf0\x9f",
        ]
        .concat()
    };
    assert_eq!(passed(&around(&plain())), around(&healed(&plain())));
}

#[test]
fn stacks_of_other_languages_and_what_resembles_frames_pass() {
    let input = "Traceback (most recent call last):
  File \"/app/main.py\", line 3, in <module>
    at com.acme.Shop.order(Shop.java:17)
goroutine 1 [running]:
\tmain.main()
   0: std::panicking::begin_panic
             at /rustc/library/std/src/panicking.rs:1:2
meet me at 12:30 (room 1:2)
    at Array.map (<anonymous>)
";
    assert_eq!(String::from_utf8(passed(input.as_bytes())).unwrap(), input);
}

#[test]
fn a_line_that_is_longer_than_any_buffer_passes_whole() {
    let mut input = vec![b'x'; 3 << 20];
    input.extend(b"\n");
    input.extend(plain().as_bytes());
    let output = passed(&input);
    assert_eq!(
        output.len(),
        input.len() - plain().len() + healed(&plain()).len()
    );
    assert!(output.starts_with(&input[..=3 << 20]));
    assert!(output.ends_with(healed(&plain()).as_bytes()));
}

#[test]
fn files_are_taken_in_their_order() {
    let dist = build("plain");
    std::fs::write(dist.path().join("a.txt"), plain()).unwrap();
    std::fs::write(dist.path().join("b.txt"), "\nno stack").unwrap();
    let output = filter(dist.path(), &["--maps", ".", "a.txt", "b.txt"], b"");
    assert_eq!(stdout(&output), format!("{}\nno stack", healed(&plain())));
    let output = filter(dist.path(), &["--maps", ".", "c.txt"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("c.txt cannot be read"),
        "{output:?}"
    );
}

#[test]
fn a_server_resolves_and_one_that_is_silent_loses_no_line() {
    let server = Backtrail::start();
    let dist = build("hashed");
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    let url = server.url("web", "");
    let args = ["--service", "shop", "--version", "1.0.0", "--server", &url];
    let input = format!("before\n{HASHED}\nafter\n");
    let output = filter(dist.path(), &args, input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        stdout(&output),
        format!("before\n{}\nafter\n", healed(HASHED))
    );

    server.kill();
    let output = filter(dist.path(), &args, input.as_bytes());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(stdout(&output), input);
    assert!(
        stderr(&output).contains("stack traces were left as they came"),
        "{output:?}"
    );
}

#[test]
fn maps_and_a_server_exclude_each_other() {
    let dist = build("plain");
    let output = filter(
        dist.path(),
        &["--maps", ".", "--server", "http://127.0.0.1:1"],
        b"",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("exclude each other"), "{output:?}");
}

#[test]
fn every_command_says_what_it_does_and_takes() {
    let dir = tempfile::TempDir::new().unwrap();
    for (name, flags) in [
        ("inject", &["--comment-only", "--dry-run", "--json"][..]),
        (
            "upload",
            &[
                "--release",
                "--dist",
                "--project",
                "--org",
                "--url-prefix",
                "--delete-after-upload",
                "--server",
            ],
        ),
        ("resolve", &["--maps", "--service", "--version", "--server"]),
        ("explain", &["--strict", "--json", "--maps"]),
        ("check", &["--json"]),
        ("services", &["--add", "--remove", "--org", "--json"]),
    ] {
        let output = run_in(dir.path(), &["sourcemaps", name, "--help"], &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let help = stdout(&output);
        for flag in flags {
            assert!(help.contains(flag), "{name} {flag}: {help}");
        }
    }
}
