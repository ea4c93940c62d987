//! `backtrail sourcemaps upload`: what is sent, and what is deleted only then.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::running::{Backtrail, Start, run_in};
use crate::service::{
    HASHED, SHOP, assert_healed, build, fixture, get_json, sourcemaps, stack, stderr, stdout,
};

const MAP: &str = "sourcemaps/main.a1858a884031fd5b819d.js.map";
const OTHER: &str = "sourcemaps/main.6bd9257885207924a1c6.js.map";

/// A build with a map of an earlier one.
fn build_with_a_lone_map() -> tempfile::TempDir {
    let dist = build("hashed");
    std::fs::copy(fixture("hashed-next").join(OTHER), dist.path().join(OTHER)).unwrap();
    dist
}

fn delete_after_upload(dir: &Path, url: &str) -> std::process::Output {
    let args = [
        "sourcemaps",
        "upload",
        ".",
        "--release",
        "1.0.0",
        "--delete-after-upload",
        "--server",
        url,
    ];
    run_in(dir, &args, &[])
}

#[test]
fn only_maps_of_an_uploaded_bundle_are_deleted() {
    let server = Backtrail::start();
    let dist = build_with_a_lone_map();
    let args = [
        "upload",
        ".",
        "--release",
        "1.0.0",
        "--delete-after-upload",
        "--json",
    ];
    let output = sourcemaps(&server, dist.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["deleted"], serde_json::json!([format!("./{MAP}")]));
    assert_eq!(
        report["lone_maps"],
        serde_json::json!([format!("./{OTHER}")])
    );
    assert_eq!(report["bundles"][0]["step"], "file_field");
    assert_eq!(report["release"], "1.0.0");
    assert!(!dist.path().join(MAP).exists());
    assert!(dist.path().join(OTHER).exists());
    assert!(dist.path().join("main.efbcacc41ec5b6ccc1e4.js").exists());
    SHOP.throws_stack(&server, 1, HASHED);
    assert_healed(&stack(&server, 1));

    // Again: what was deleted is not missed, and nothing fails.
    let output = delete_after_upload(dist.path(), &server.url("web", ""));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn nothing_is_deleted_unless_asked() {
    let server = Backtrail::start();
    let dist = build("hashed");
    let output = sourcemaps(&server, dist.path(), &["upload", "."]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(dist.path().join(MAP).exists());
    assert!(
        stdout(&output).contains("(organisation default, project default, no release)"),
        "{output:?}"
    );
}

#[test]
fn a_server_that_refuses_or_is_not_there_leaves_the_maps() {
    let refusing = Start::new().arg("--sourcemaps-max-bytes=100").start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for (url, reason) in [
        (refusing.url("web", ""), "room for 100 bytes of files"),
        (nowhere, "does not answer; is a server running there?"),
        (refusing.url("otlp-http", ""), "the server answers 404"),
    ] {
        let dist = build_with_a_lone_map();
        let output = delete_after_upload(dist.path(), &url);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(reason), "{output:?}");
        assert!(dist.path().join(MAP).exists());
        assert_eq!(stdout(&output), "");
    }
}

/// Answers every request with this, as JSON, until the process ends.
fn answering(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let answer = answers.iter().find(|(path, _)| head.contains(path));
            let answer = answer.map_or("{}", |(_, answer)| answer);
            let reply = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
            stream.write_all(reply.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn maps_stay_until_the_server_has_said_that_it_has_the_upload() {
    const OPTIONS: (&str, &str) = (
        " /api/0/organizations/default/chunk-upload/ ",
        r#"{"url":"/api/0/organizations/default/chunk-upload/","chunkSize":8388608,"chunksPerRequest":4}"#,
    );
    let assembling = answering(&[
        OPTIONS,
        (
            "/assemble/",
            r#"{"state":"error","missingChunks":[],"detail":"the disk is full"}"#,
        ),
    ]);
    let unsure = answering(&[
        OPTIONS,
        ("/assemble/", r#"{"state":"assembling","missingChunks":[]}"#),
    ]);
    for (url, reason) in [
        (assembling, "(error): the disk is full"),
        (unsure, "(assembling)"),
    ] {
        let dist = build("hashed");
        let output = delete_after_upload(dist.path(), &url);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(reason), "{output:?}");
        assert!(dist.path().join(MAP).exists());
    }
}

#[test]
fn folders_may_hold_files_of_one_name() {
    let server = Backtrail::start();
    let dist = tempfile::TempDir::new().unwrap();
    for (folder, from) in [("client", "plain"), ("server", "plain-next")] {
        let to = dist.path().join(folder);
        std::fs::create_dir(&to).unwrap();
        for name in ["main.js", "main.js.map"] {
            std::fs::copy(fixture(from).join(name), to.join(name)).unwrap();
        }
    }
    let args = [
        "upload",
        "client",
        "server",
        "--release",
        "1.0.0",
        "--delete-after-upload",
    ];
    let output = sourcemaps(&server, dist.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for map in ["client/main.js.map", "server/main.js.map"] {
        assert!(!dist.path().join(map).exists(), "{output:?}");
    }
    SHOP.throws_stack(&server, 1, &crate::service::plain());
    assert_healed(&stack(&server, 1));
}

#[test]
fn copies_of_a_map_go_with_it() {
    let server = Backtrail::start();
    let dist = tempfile::TempDir::new().unwrap();
    for folder in ["blue", "green"] {
        let to = dist.path().join(folder);
        std::fs::create_dir(&to).unwrap();
        for name in ["main.js", "main.js.map"] {
            std::fs::copy(fixture("plain").join(name), to.join(name)).unwrap();
        }
    }
    let args = ["upload", ".", "--release", "1.0.0", "--delete-after-upload"];
    let output = sourcemaps(&server, dist.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for map in ["blue/main.js.map", "green/main.js.map"] {
        assert!(!dist.path().join(map).exists(), "{output:?}");
    }
    SHOP.throws_stack(&server, 1, &crate::service::plain());
    assert_healed(&stack(&server, 1));
}

#[test]
fn variables_of_the_build_name_server_organisation_project_and_release() {
    let server = Backtrail::start();
    let dist = build("hashed");
    let url = server.url("web", "/");
    let env = [
        ("SENTRY_URL", url.as_str()),
        ("SENTRY_AUTH_TOKEN", "any"),
        ("SENTRY_ORG", "acme"),
        ("SENTRY_PROJECT", "web"),
        ("RELEASE_VERSION", "web@1.2.3+45"),
    ];
    let output = run_in(dist.path(), &["sourcemaps", "upload", "."], &env);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let path = "/api/v1/sourcemaps/organizations/acme/releases";
    let releases = get_json(&server, path);
    assert!(
        releases.to_string().contains("web@1.2.3+45"),
        "{releases:#}"
    );
}

#[test]
fn a_folder_without_a_build_is_no_upload() {
    let server = Backtrail::start();
    let empty = tempfile::TempDir::new().unwrap();
    let output = sourcemaps(&server, empty.path(), &["upload", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("there is no bundle and no map in ."),
        "{output:?}"
    );
}
