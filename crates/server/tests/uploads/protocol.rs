//! Each row of the protocol.

use serde_json::{Value, json};

use crate::bundle::{DEBUG_ID, MAP, pair, sha1};
use crate::running::{Backtrail, RawConnection, Reply, Start, agent, run_in};
use crate::uploader::{
    Part, ask, assemble, chunk_upload, detail, expect, listed, post_chunk, post_parts, upload,
};

/// With what has to be escaped in a path.
const VERSION: &str = "web@1.2.3+45";
/// As the command lines and as the plugins write it.
const IN_PATHS: [&str; 2] = ["web@1.2.3%2B45", "web%401.2.3%2B45"];

#[test]
fn a_client_learns_that_its_token_is_good_and_where_its_organization_lives() {
    let server = Backtrail::start();
    for path in ["/", ""] {
        let auth = expect(&server, 200, "GET", path, None);
        let scopes = auth["auth"]["scopes"].as_array().unwrap();
        assert!(scopes.contains(&json!("project:releases")), "{auth}");
        assert!(auth["user"]["id"].is_string() && auth["user"]["email"].is_string());
    }
    let organization = expect(&server, 200, "GET", "/organizations/acme/", None);
    assert_eq!(organization["slug"], "acme");
    assert_eq!(
        organization["links"]["regionUrl"],
        server.url("web", "").as_str()
    );
}

#[test]
fn who_sends_no_token_is_told_so() {
    let server = Backtrail::start();
    let path = "/api/0/organizations/acme/chunk-upload/";
    for header in ["", "Authorization: Bearer \r\n", "Authorization: x\r\n"] {
        let mut connection = RawConnection::open(server.address("web"));
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n{header}\r\n"
        );
        connection.send(head.as_bytes());
        let reply = connection.read_to_end();
        assert!(reply.starts_with("HTTP/1.1 401 "), "{header}: {reply}");
        assert!(
            reply.contains("\r\n\r\n{\"detail\":\""),
            "{header}: {reply}"
        );
        assert!(reply.contains("scope upload"), "{header}: {reply}");
    }
    let refused = r#"backtrail_sourcemap_requests_refused_total{reason="denied"}"#;
    assert_eq!(server.metric(refused), 3);
}

#[test]
fn a_token_for_uploads_closes_uploads_to_others_and_leaves_reading_open() {
    let dir = tempfile::TempDir::new().unwrap();
    let data_dir = format!("--data-dir={}", dir.path().display());
    let made = run_in(
        dir.path(),
        &["tokens", "create", "--name=ci", "--scope=upload", &data_dir],
        &[],
    );
    assert!(made.status.success(), "{made:?}");
    let server = Start::new().data_dir(dir.path()).start();
    let reply = ask(&server, "GET", "/", None);
    assert_eq!(reply.status, 401);
    assert!(detail(&reply).contains("scope upload"));
    assert_eq!(
        server.get("/api/v1/sourcemaps/organizations").0,
        200,
        "reading stays open"
    );
    let said = String::from_utf8(made.stdout).unwrap();
    let secret = said
        .split_whitespace()
        .find(|word| word.len() >= 32)
        .unwrap_or_else(|| panic!("no token in {said:?}"));
    let reply = agent()
        .get(server.url("web", "/api/0/"))
        .header("Authorization", format!("Bearer {secret}"))
        .call();
    assert_eq!(Reply::from(reply.unwrap()).status, 200);
}

#[test]
fn a_release_is_made_once_and_found_by_every_spelling_of_its_name() {
    let server = Backtrail::start();
    let body = json!({"version": VERSION, "projects": ["web"], "dateStarted": "2026-11-22T12:50:43.041232355Z"});
    let path = "/projects/acme/web/releases/";
    let made = expect(&server, 201, "POST", path, Some(body.clone()));
    assert_eq!(made["version"], VERSION);
    assert_eq!(made["dateStarted"], body["dateStarted"]);
    assert_eq!(made["projects"][0]["slug"], "web");
    assert_eq!(made["projects"][0]["name"], "web");
    let created = made["dateCreated"].as_str().unwrap();
    assert!(
        created.starts_with("20") && created.ends_with('Z'),
        "{created}"
    );

    let path = "/organizations/acme/releases/";
    let again = expect(&server, 208, "POST", path, Some(body));
    assert_eq!(again["id"], made["id"]);
    for in_path in IN_PATHS {
        for scope in ["/organizations/acme", "/projects/acme/web"] {
            for slash in ["", "/"] {
                let path = format!("{scope}/releases/{in_path}{slash}");
                assert_eq!(expect(&server, 200, "GET", &path, None)["id"], made["id"]);
            }
        }
    }
    for path in [
        "/organizations/acme/releases/",
        "/projects/acme/web/releases/",
    ] {
        let releases = expect(&server, 200, "GET", path, None);
        assert_eq!(releases[0]["version"], VERSION, "{path}");
    }
    assert_eq!(
        expect(&server, 200, "GET", "/organizations/none/releases/", None),
        json!([])
    );
}

#[test]
fn commits_dates_and_deploys_of_a_release_are_kept() {
    let server = Backtrail::start();
    let release = format!("/organizations/acme/releases/{}", IN_PATHS[0]);
    assert_eq!(
        expect(
            &server,
            200,
            "GET",
            "/organizations/acme/repos/?cursor=",
            None
        ),
        json!([])
    );
    let body = json!({"version": VERSION, "projects": ["web"]});
    expect(
        &server,
        201,
        "POST",
        "/organizations/acme/releases/",
        Some(body),
    );
    let path = format!("{release}/previous-with-commits/");
    assert_eq!(expect(&server, 200, "GET", &path, None), json!({}));

    let commit = json!({"patch_set": [], "repository": "origin", "author_name": "Ada", "author_email": "ada@example.com",
        "timestamp": "2026-11-22T13:39:47Z", "message": "one\n", "id": "974ef3876fb680d9042c6a71f5da7fb3737b0878"});
    let body = json!({"commits": [commit]});
    let path = format!("{release}/");
    let changed = expect(&server, 200, "PUT", &path, Some(body));
    assert_eq!(changed["commitCount"], 1);
    let body = json!({"projects": ["web"], "dateReleased": "2026-11-22T12:50:43.312290484Z"});
    let project_path = format!("/projects/acme/web/releases/{}/", IN_PATHS[1]);
    let changed = expect(&server, 200, "PUT", &project_path, Some(body.clone()));
    assert_eq!(changed["dateReleased"], body["dateReleased"]);

    let deploys = format!("{release}/deploys/");
    for (body, name) in [
        (
            json!({"environment": "production", "name": "d1", "url": null, "dateStarted": null, "dateFinished": "2026-11-22T12:51:51Z"}),
            json!("d1"),
        ),
        (json!({"environment": "production"}), Value::Null),
    ] {
        let deploy = expect(&server, 201, "POST", &deploys, Some(body));
        assert_eq!(deploy["environment"], "production");
        assert_eq!(deploy["name"], name);
        assert!(
            deploy["dateFinished"].is_string(),
            "the clients need a date: {deploy}"
        );
    }

    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["released"], "2026-11-22T12:50:43.312290484Z");
    assert_eq!(kept["commits"][0]["author_email"], "ada@example.com");
    assert_eq!(kept["deploys"].as_array().unwrap().len(), 2);

    let body =
        json!({"refs": [{"repository": "acme/web", "commit": "bbbb", "previousCommit": "aaaa"}]});
    expect(&server, 200, "PUT", &path, Some(body));
    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["commits"][0]["id"], "bbbb");
    assert_eq!(kept["commits"][0]["previous"], "aaaa");
}

#[test]
fn the_options_name_an_address_of_the_origin_that_the_client_called() {
    let server = Backtrail::start();
    let options = expect(&server, 200, "GET", &chunk_upload("acme"), None);
    assert_eq!(
        options,
        json!({
            "url": server.url("web", "/api/0/organizations/acme/chunk-upload/"),
            "chunkSize": 8_388_608,
            "chunksPerRequest": 64,
            "maxFileSize": 512 << 20,
            "maxRequestSize": 33_554_432,
            "concurrency": 8,
            "hashAlgorithm": "sha1",
            "compression": ["gzip"],
            "accept": ["release_files", "artifact_bundles", "artifact_bundles_v2"],
        })
    );
    let server = Start::new()
        .arg("--public-url=https://traces.example/")
        .start();
    let options = expect(&server, 200, "GET", &chunk_upload("acme"), None);
    assert_eq!(
        options["url"],
        "https://traces.example/api/0/organizations/acme/chunk-upload/"
    );
    let organization = expect(&server, 200, "GET", "/organizations/acme/", None);
    assert_eq!(organization["links"]["regionUrl"], "https://traces.example");
}

#[test]
fn a_bundle_is_asked_for_sent_and_assembled_within_the_request() {
    let server = Backtrail::start();
    let bundle = pair(None);
    let about = json!({"version": VERSION, "dist": "42"});
    let answer = assemble(&server, "acme", &bundle, &about);
    assert_eq!(answer["state"], "not_found");
    assert_eq!(answer["missingChunks"], json!([sha1(&bundle)]));

    let reply = post_chunk(&server, "acme", &bundle);
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let answer = assemble(&server, "acme", &bundle, &about);
    assert_eq!(
        answer,
        json!({"state": "ok", "missingChunks": [], "detail": null})
    );
    // A client that asks again finds it done.
    assert_eq!(assemble(&server, "acme", &bundle, &about)["state"], "ok");

    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["bundles"].as_array().unwrap().len(), 1);
    assert_eq!(kept["bundles"][0]["dist"], "42");
    assert_eq!(kept["bundles"][0]["file_count"], 2);
    let uploads = r#"backtrail_sourcemap_uploads_total{kind="bundle"}"#;
    assert_eq!(server.metric(uploads), 2, "successes, repeats among them");
    assert!(server.metric("backtrail_sourcemap_stored_bytes") > 0);
    assert_eq!(server.metric("backtrail_sourcemap_bundles"), 1);
}

#[test]
fn a_bundle_in_several_chunks_with_and_without_gzip_is_one() {
    let server = Backtrail::start();
    let bundle = pair(Some(DEBUG_ID));
    let chunks: Vec<&[u8]> = bundle.chunks(bundle.len() / 2 + 1).collect();
    let names: Vec<String> = chunks.iter().map(|chunk| sha1(chunk)).collect();
    let body = json!({"checksum": sha1(&bundle), "chunks": names, "projects": ["web", "shop"]});
    let path = "/organizations/acme/artifactbundle/assemble/";
    let answer = expect(&server, 200, "POST", path, Some(body.clone()));
    assert_eq!(answer["missingChunks"], json!(names));

    let zipped = crate::uploader::gzip(chunks[1]);
    let parts = [
        Part {
            name: "file",
            file_name: Some(&names[0]),
            content: chunks[0],
        },
        Part {
            name: "file_gzip",
            file_name: Some(&names[1]),
            content: &zipped,
        },
    ];
    assert_eq!(
        post_parts(&server, &chunk_upload("acme"), &parts).status,
        200
    );
    let answer = expect(&server, 200, "POST", path, Some(body));
    assert_eq!(answer["state"], "ok", "{answer}");
    for project in ["web", "shop"] {
        let found = listed(&server, &format!("/acme/bundles?project={project}"));
        assert_eq!(found["bundles"].as_array().unwrap().len(), 1, "{project}");
        assert_eq!(found["bundles"][0]["release"], Value::Null);
    }
}

#[test]
fn a_bundle_of_the_protocol_before_lies_in_the_release_of_its_address() {
    let server = Backtrail::start();
    let body = json!({"version": VERSION, "projects": ["web"]});
    expect(
        &server,
        201,
        "POST",
        "/projects/acme/web/releases/",
        Some(body),
    );
    let bundle = pair(None);
    assert_eq!(post_chunk(&server, "acme", &bundle).status, 200);
    let body = json!({"checksum": sha1(&bundle), "chunks": [sha1(&bundle)]});
    let path = format!("/organizations/acme/releases/{}/assemble/", IN_PATHS[0]);
    let answer = expect(&server, 200, "POST", &path, Some(body));
    assert_eq!(
        answer,
        json!({"state": "ok", "missingChunks": [], "detail": null})
    );
    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["bundles"][0]["file_count"], 2);
    assert_eq!(kept["projects"], json!(["web"]));
}

#[test]
fn single_files_are_kept_under_their_names_and_deleted_together() {
    let server = Backtrail::start();
    let files = format!("/projects/acme/web/releases/{}/files/", IN_PATHS[0]);
    let path = format!("{files}?cursor=&checksum=3f974345a4139682a0617b673a75d8e22c7b4e1f");
    assert_eq!(expect(&server, 200, "GET", &path, None), json!([]));

    let parts = [
        Part {
            name: "file",
            file_name: Some("main.js.map"),
            content: MAP.as_bytes(),
        },
        Part {
            name: "name",
            file_name: None,
            content: b"~/main.js.map",
        },
        Part {
            name: "dist",
            file_name: None,
            content: b"42",
        },
        Part {
            name: "header",
            file_name: None,
            content: b"Sourcemap:main.js.map",
        },
        Part {
            name: "header",
            file_name: None,
            content: b"debug-id:14049795-da83-4240-a9ff-871a1c601f08",
        },
    ];
    let reply = post_parts(&server, &files, &parts);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let file: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(file["name"], "~/main.js.map");
    assert_eq!(file["sha1"], sha1(MAP.as_bytes()));
    assert_eq!(file["dist"], "42");
    assert_eq!(file["size"], MAP.len());
    assert_eq!(file["headers"]["Sourcemap"], "main.js.map");
    assert!(file["id"].is_string() && file["dateCreated"].is_string());

    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["bundles"][0]["kind"], "file");
    let id = kept["bundles"][0]["id"].as_str().unwrap();
    let bundle = listed(&server, &format!("/acme/bundles/{id}"));
    assert_eq!(bundle["files"][0]["debug_id"], DEBUG_ID);

    let path = format!("/projects/acme/web/files/source-maps/?name={}", IN_PATHS[0]);
    let reply = ask(&server, "DELETE", &path, None);
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["bundles"], json!([]));
    // Clients clean up before they upload, also where nothing is.
    assert_eq!(ask(&server, "DELETE", &path, None).status, 204);
}

#[test]
fn a_release_that_is_deleted_takes_its_files_along() {
    let server = Backtrail::start();
    upload(&server, "acme", &pair(None), &json!({"version": VERSION}));
    let path = format!("/projects/acme/web/releases/{}/", IN_PATHS[0]);
    assert_eq!(ask(&server, "DELETE", &path, None).status, 204);
    let reply = ask(&server, "GET", &path, None);
    assert_eq!(reply.status, 404);
    assert!(detail(&reply).contains(VERSION), "{}", detail(&reply));
    let found = listed(&server, "/acme/bundles");
    assert_eq!(found["bundles"], json!([]));
}

#[test]
fn what_is_not_served_is_refused_in_the_clients_form() {
    let server = Backtrail::start();
    for path in [
        "/organizations",
        "/projects/acme/web/events/aa/json/",
        "/x",
        "/organizations/acme/chunk-upload/x",
    ] {
        let reply = ask(&server, "GET", path, None);
        assert_eq!(reply.status, 404, "{path}");
        assert!(detail(&reply).contains(path), "{path}");
    }
    for (method, path) in [
        ("PUT", "/"),
        ("DELETE", "/organizations/acme/chunk-upload/"),
        ("GET", "/organizations/acme/artifactbundle/assemble/"),
    ] {
        let reply = ask(&server, method, path, None);
        assert_eq!(reply.status, 405, "{method} {path}");
        detail(&reply);
    }
}

#[test]
fn what_was_uploaded_is_there_after_a_kill() {
    let dir = tempfile::TempDir::new().unwrap();
    let server = Start::new().data_dir(dir.path()).start();
    let answer = upload(
        &server,
        "acme",
        &pair(Some(DEBUG_ID)),
        &json!({"version": VERSION}),
    );
    assert_eq!(answer["state"], "ok");
    server.kill();
    let server = Start::new().data_dir(dir.path()).start();
    let kept = listed(&server, &format!("/acme/releases/{}", IN_PATHS[1]));
    assert_eq!(kept["bundles"][0]["file_count"], 2);
}
