//! Input that nobody well-meaning sends: each is refused in the clients' form, and nothing of it is kept.

use serde_json::{Value, json};

use crate::bundle::{MAP, archive_of, bundle_of, manifest, pair, sha1};
use crate::running::{Backtrail, RawConnection, Reply, Start};
use crate::uploader::{
    Part, ask, assemble, chunk_upload, detail, expect, gzip, listed, post_chunk, post_parts, send,
    upload,
};

const CHUNK_BYTES: usize = 8 << 20;

/// Refused with this status, and what was said has these words.
fn refused(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    let detail = detail(reply);
    assert!(
        detail.contains(words),
        "{detail:?} says nothing of {words:?}"
    );
}

/// Whether a chunk is there: assembling tells.
fn has_chunk(server: &Backtrail, org: &str, sha1: &str) -> bool {
    let body = json!({"checksum": sha1, "chunks": [sha1], "projects": ["web"]});
    let path = format!("/organizations/{org}/artifactbundle/assemble/");
    expect(server, 200, "POST", &path, Some(body))["state"] != "not_found"
}

/// What is said of a bundle that can't be taken.
fn error_of(server: &Backtrail, bundle: &[u8]) -> String {
    let answer = upload(server, "acme", bundle, &json!({"version": "1"}));
    assert_eq!(answer["state"], "error", "{answer}");
    assert_eq!(answer["missingChunks"], json!([]));
    answer["detail"].as_str().unwrap().to_owned()
}

#[test]
fn a_chunk_with_another_checksum_than_its_name_is_not_kept() {
    let server = Backtrail::start();
    let claimed = sha1(b"something else");
    for (name, content) in [("file", b"chunk".to_vec()), ("file_gzip", gzip(b"chunk"))] {
        let part = Part {
            name,
            file_name: Some(&claimed),
            content: &content,
        };
        let reply = post_parts(&server, &chunk_upload("acme"), &[part]);
        refused(&reply, 400, &sha1(b"chunk"));
    }
    assert!(!has_chunk(&server, "acme", &claimed));
    assert!(!has_chunk(&server, "acme", &sha1(b"chunk")));
}

#[test]
fn a_chunk_that_inflates_without_end_is_cut_at_the_size_of_a_chunk() {
    let server = Backtrail::start();
    let bomb = vec![0; 4 * CHUNK_BYTES];
    let (name, content) = (sha1(&bomb), gzip(&bomb));
    assert!(content.len() < CHUNK_BYTES / 8);
    let part = Part {
        name: "file_gzip",
        file_name: Some(&name),
        content: &content,
    };
    let reply = post_parts(&server, &chunk_upload("acme"), &[part]);
    refused(&reply, 413, &CHUNK_BYTES.to_string());
    let too_large = r#"backtrail_sourcemap_requests_refused_total{reason="too_large"}"#;
    assert_eq!(server.metric(too_large), 1);

    let full = vec![7; CHUNK_BYTES];
    assert_eq!(post_chunk(&server, "acme", &full).status, 200);
    assert_eq!(
        post_chunk(&server, "acme", &vec![7; CHUNK_BYTES + 1]).status,
        413
    );
}

#[test]
fn chunks_that_are_no_chunks_are_refused() {
    let server = Backtrail::start();
    let path = chunk_upload("acme");
    let name = sha1(b"x");
    let part = |name: &'static str, file_name, content| Part {
        name,
        file_name,
        content,
    };
    let not_gzip = part("file_gzip", Some(name.as_str()), b"x");
    refused(&post_parts(&server, &path, &[not_gzip]), 400, "gzip");
    let cut = gzip(&pair(None));
    let cut = part("file_gzip", Some(name.as_str()), &cut[..cut.len() / 2]);
    assert_eq!(post_parts(&server, &path, &[cut]).status, 400);
    refused(
        &post_parts(&server, &path, &[part("file", None, b"x")]),
        400,
        "SHA-1",
    );
    let traversal = part("file", Some("../../../../etc/passwd"), b"x");
    refused(&post_parts(&server, &path, &[traversal]), 400, "SHA-1");
    let other = part("chunk", Some(name.as_str()), b"x");
    refused(&post_parts(&server, &path, &[other]), 400, "file_gzip");
    refused(&post_parts(&server, &path, &[]), 400, "chunk");
    let many: Vec<Part> = (0..65)
        .map(|_| part("file", Some(name.as_str()), b"x"))
        .collect();
    refused(&post_parts(&server, &path, &many), 400, "64");
    for kind in [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=b",
    ] {
        let reply = send(&server, "POST", &path, kind, Some(b"{}"));
        refused(&reply, 400, "multipart/form-data");
    }
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let server = Backtrail::start();
    let mut connection = RawConnection::open(server.address("web"));
    connection.send(b"POST /api/0/organizations/acme/chunk-upload/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    let reply = connection.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert!(reply.contains(r#"{"detail":"#), "{reply}");
}

#[test]
fn a_client_that_falls_silent_is_given_up() {
    let server = Start::new().arg("--limits-request-timeout-ms=200").start();
    let mut connection = RawConnection::open(server.address("web"));
    connection.send(b"POST /api/0/organizations/acme/chunk-upload/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n--b\r\n");
    let reply = connection.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
}

#[test]
fn chunks_belong_to_the_organization_that_sent_them() {
    let server = Backtrail::start();
    let bundle = pair(None);
    assert_eq!(post_chunk(&server, "acme", &bundle).status, 200);
    let answer = assemble(&server, "evil", &bundle, &json!({"version": "1"}));
    assert_eq!(
        answer["state"], "not_found",
        "another organization learns nothing"
    );
    assert_eq!(answer["missingChunks"], json!([sha1(&bundle)]));
    assert_eq!(
        assemble(&server, "acme", &bundle, &json!({"version": "1"}))["state"],
        "ok"
    );
    let answer = assemble(&server, "evil", &bundle, &json!({"version": "1"}));
    assert_eq!(answer["state"], "not_found", "also of what was assembled");
}

#[test]
fn a_bundle_with_another_checksum_is_not_assembled() {
    let server = Backtrail::start();
    let bundle = pair(None);
    assert_eq!(post_chunk(&server, "acme", &bundle).status, 200);
    let claimed = sha1(b"another");
    let body = json!({"checksum": claimed, "chunks": [sha1(&bundle)], "projects": ["web"], "version": "1"});
    let answer = expect(
        &server,
        200,
        "POST",
        "/organizations/acme/artifactbundle/assemble/",
        Some(body),
    );
    assert_eq!(answer["state"], "error");
    assert!(
        answer["detail"].as_str().unwrap().contains(&claimed),
        "{answer}"
    );
    nothing_is_kept(&server);
}

#[test]
fn bundles_that_are_none_are_errors_with_a_reason() {
    let server = Backtrail::start();
    let file: &[(&str, &[u8])] = &[("files/_/_/main.js.map", MAP.as_bytes())];
    let map = |url: &str| manifest(&[("files/_/_/main.js.map", "source_map", url, &json!({}))]);
    let whole = pair(None);
    let cases: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("text", b"no bundle".to_vec()),
        ("cut", whole[..whole.len() - 30].to_vec()),
        ("no manifest", archive_of(file)),
        ("manifest is no JSON", bundle_of(b"{", file)),
        ("manifest is a list", bundle_of(b"[]", file)),
        ("a file is missing", bundle_of(&map("~/main.js.map"), &[])),
    ];
    for (case, bundle) in cases {
        let detail = error_of(&server, &bundle);
        assert!(!detail.is_empty(), "{case}");
    }
    nothing_is_kept(&server);
}

#[test]
fn a_file_that_inflates_to_far_more_than_it_is_makes_no_bundle() {
    let server = Backtrail::start();
    let zeros = vec![b' '; 64 << 20];
    let manifest = manifest(&[(
        "files/_/_/bomb.js",
        "minified_source",
        "~/bomb.js",
        &json!({}),
    )]);
    let bundle = bundle_of(&manifest, &[("files/_/_/bomb.js", &zeros)]);
    assert!(bundle.len() < 1 << 20);
    error_of(&server, &bundle);
    nothing_is_kept(&server);
}

#[test]
fn paths_that_lead_elsewhere_are_only_names() {
    let server = Backtrail::start();
    let path = "../../../../../../tmp/backtrail-was-here.js.map";
    let url = "~/../../../../tmp/backtrail-was-here.js.map";
    let manifest = manifest(&[(path, "source_map", url, &json!({}))]);
    let answer = upload(
        &server,
        "acme",
        &bundle_of(&manifest, &[(path, MAP.as_bytes())]),
        &json!({"version": "1"}),
    );
    // Taken as a name or refused; in no case a file there.
    assert!(
        answer["state"] == "ok" || answer["state"] == "error",
        "{answer}"
    );
    assert!(!std::path::Path::new("/tmp/backtrail-was-here.js.map").exists());
    for version in ["..%2F..%2Fx", "%2e%2e", ".."] {
        let body = json!({"projects": ["web"]});
        let reply = ask(
            &server,
            "PUT",
            &format!("/organizations/acme/releases/{version}/"),
            Some(body),
        );
        assert!(
            [200, 400, 404, 405].contains(&reply.status),
            "{version}: {}",
            reply.status
        );
    }
    for org in ["..", "a%2Fb", "%00"] {
        let reply = ask(
            &server,
            "POST",
            &format!("/organizations/{org}/releases/"),
            Some(json!({"version": "1"})),
        );
        assert!(
            [400, 404].contains(&reply.status),
            "{org}: {}",
            reply.status
        );
    }
    let kept = std::fs::read_dir(server.data_dir().parent().unwrap()).unwrap();
    let names: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(
        names.len(),
        2,
        "the data directory and the port file: {names:?}"
    );
}

#[test]
fn bodies_that_are_not_what_they_should_be_are_refused_with_what_is_wrong() {
    let server = Backtrail::start();
    let assemble = "/organizations/acme/artifactbundle/assemble/";
    for (path, body, words) in [
        (assemble, "", "EOF"),
        (assemble, "{", "EOF"),
        (assemble, "[]", "JSON"),
        (assemble, r#"{"chunks":[]}"#, "checksum"),
        (assemble, r#"{"checksum":"zz","chunks":[]}"#, "\"zz\""),
        (
            assemble,
            r#"{"checksum":"da39a3ee5e6b4b0d3255bfef95601890afd80709","chunks":["x"]}"#,
            "\"x\"",
        ),
        (
            "/organizations/acme/releases/",
            r#"{"projects":["web"]}"#,
            "version",
        ),
        (
            "/organizations/acme/releases/",
            r#"{"version":""}"#,
            "empty",
        ),
        (
            "/organizations/acme/releases/",
            r#"{"version":1}"#,
            "string",
        ),
        (
            "/organizations/acme/releases/",
            r#"{"version":"1","projects":["a/b"]}"#,
            "a/b",
        ),
        (
            "/organizations/acme/releases/1/deploys/",
            "{}",
            "environment",
        ),
    ] {
        let reply = send(
            &server,
            "POST",
            path,
            "application/json",
            Some(body.as_bytes()),
        );
        refused(&reply, 400, words);
    }
    let deep = format!("{{\"version\":{}", "[".repeat(100_000));
    let reply = send(
        &server,
        "POST",
        "/organizations/acme/releases/",
        "application/json",
        Some(deep.as_bytes()),
    );
    assert_eq!(reply.status, 400);
    let large = vec![b' '; (8 << 20) + 1];
    let reply = send(&server, "POST", assemble, "application/json", Some(&large));
    refused(&reply, 413, "8388608");
    let body = json!({"environment": "production"});
    let reply = ask(
        &server,
        "POST",
        "/organizations/acme/releases/none/deploys/",
        Some(body),
    );
    assert_eq!(reply.status, 404);
}

#[test]
fn single_files_without_a_part_or_with_a_header_that_is_none_are_refused() {
    let server = Backtrail::start();
    let path = "/projects/acme/web/releases/1/files/";
    let part = |name: &'static str, content: &'static [u8]| Part {
        name,
        file_name: None,
        content,
    };
    refused(
        &post_parts(&server, path, &[part("name", b"~/x.js")]),
        400,
        "\"file\"",
    );
    refused(
        &post_parts(&server, path, &[part("file", b"x")]),
        400,
        "\"name\"",
    );
    let parts = [
        part("file", b"x"),
        part("name", b"~/x.js"),
        part("header", b"Sourcemap"),
    ];
    refused(&post_parts(&server, path, &parts), 400, "colon");
    let parts = [part("file", b"x"), part("name", b"\xff\xfe")];
    refused(&post_parts(&server, path, &parts), 400, "UTF-8");
    nothing_is_kept(&server);
}

#[test]
fn what_exceeds_the_quota_is_refused_with_a_sentence() {
    let server = Start::new()
        .arg("--sourcemaps-max-organisation-bytes=100B")
        .start();
    let detail = error_of(&server, &pair(None));
    assert!(
        detail.contains("acme") && detail.contains("100"),
        "{detail}"
    );
    nothing_is_kept(&server);
    let server = Start::new()
        .arg("--sourcemaps-max-bundle-bytes=200B")
        .start();
    let options = expect(&server, 200, "GET", &chunk_upload("acme"), None);
    assert_eq!(options["maxFileSize"], 200);
    let detail = error_of(&server, &pair(None));
    assert!(detail.contains("200"), "{detail}");
}

fn nothing_is_kept(server: &Backtrail) {
    let organizations = crate::uploader::listed(server, "");
    for organization in organizations["organizations"].as_array().unwrap() {
        assert_eq!(organization["bundle_count"], 0, "{organizations}");
        assert_eq!(organization["bytes"], 0, "{organizations}");
        let slug = organization["slug"].as_str().unwrap();
        let bundles = listed(server, &format!("/{slug}/bundles"));
        assert_eq!(bundles["bundles"], Value::Array(Vec::new()));
    }
}
