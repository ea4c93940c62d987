//! Which services a project's maps serve.

use serde_json::{Value, json};

use crate::running::{Backtrail, Reply, agent};
use crate::service::{
    HASHED, SHOP, assert_healed, assert_raw, build, sourcemaps, stack, stderr, stdout, upload,
};

const ORG: &str = "/api/v1/sourcemaps/organizations/default";

/// A server where the build of `shop` lies in the project `web`, beside another project.
fn two_projects() -> Backtrail {
    let server = Backtrail::start();
    let next = build("hashed-next");
    upload(
        &server,
        next.path(),
        &["--release", "1.0.0", "--project", "other"],
    );
    let hashed = build("hashed");
    upload(
        &server,
        hashed.path(),
        &["--release", "1.0.0", "--project", "web"],
    );
    SHOP.throws_stack(&server, 1, HASHED);
    server
}

fn map_service(server: &Backtrail, method: &str, project: &str, service: &str) -> (u16, Value) {
    let url = server.url(
        "web",
        &format!("{ORG}/projects/{project}/services/{service}"),
    );
    let request = http::Request::builder().method(method).uri(url);
    let request = request
        .header("Authorization", "Bearer anyone")
        .body(())
        .unwrap();
    let reply = Reply::from(agent().run(request).unwrap());
    let body = serde_json::from_slice(&reply.body).unwrap();
    (reply.status, body)
}

#[test]
fn a_single_project_serves_every_service() {
    let server = Backtrail::start();
    upload(
        &server,
        build("hashed").path(),
        &["--release", "1.0.0", "--project", "web"],
    );
    SHOP.throws_stack(&server, 1, HASHED);
    assert_healed(&stack(&server, 1));
}

#[test]
fn a_map_of_a_project_that_does_not_serve_the_service_is_not_taken() {
    let server = two_projects();
    assert_raw(&stack(&server, 1), "nothing_uploaded");

    let (status, project) = map_service(&server, "PUT", "web", "shop");
    assert_eq!(status, 200, "{project}");
    assert_eq!(project["services"], json!(["shop"]));
    assert_healed(&stack(&server, 1));

    let (status, project) = map_service(&server, "DELETE", "web", "shop");
    assert_eq!(status, 200, "{project}");
    assert_eq!(project["services"], json!([]));
    assert_raw(&stack(&server, 1), "nothing_uploaded");

    let (status, refusal) = map_service(&server, "PUT", "nowhere", "shop");
    assert_eq!(status, 404, "{refusal}");
}

#[test]
fn a_project_serves_the_service_of_its_own_name() {
    let server = two_projects();
    upload(
        &server,
        build("hashed").path(),
        &["--release", "2", "--project", "shop"],
    );
    assert_healed(&stack(&server, 1));
}

#[test]
fn the_command_shows_and_sets_it() {
    let server = two_projects();
    let dir = build("plain");
    let services = |args: &[&str]| sourcemaps(&server, dir.path(), &[&["services"], args].concat());

    let shown = stdout(&services(&[]));
    let mut lines: Vec<&str> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["other: serves other", "web: serves web"]);

    let added = services(&["web", "--add", "shop", "--add", "a/b ü"]);
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    assert_eq!(stdout(&added), "web: serves web, a/b ü, shop\n");
    assert_healed(&stack(&server, 1));

    let removed = services(&["web", "--remove", "shop", "--remove", "a/b ü", "--json"]);
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    let json: Value = serde_json::from_slice(&removed.stdout).unwrap();
    assert_eq!(json, json!([{"slug": "web", "services": []}]));
    assert_raw(&stack(&server, 1), "nothing_uploaded");

    let unknown = services(&["nowhere"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("has no project nowhere"),
        "{unknown:?}"
    );
    let homeless = services(&["--add", "shop"]);
    assert_eq!(homeless.status.code(), Some(2));
}
