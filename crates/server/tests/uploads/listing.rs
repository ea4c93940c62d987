//! What people and the page are shown of uploads, and deleting it.

use serde_json::{Value, json};

use crate::bundle::{DEBUG_ID, MAP, MINIFIED, pair, sha1};
use crate::running::{Backtrail, Reply, agent};
use crate::uploader::{expect, listed, upload};

const ROOT: &str = "/api/v1/sourcemaps/organizations";

fn request(server: &Backtrail, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = http::Request::builder()
        .method(method)
        .uri(server.url("web", &format!("{ROOT}{path}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::from(agent().run(request.body(()).unwrap()).unwrap())
}

fn slugs(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["slug"].as_str().unwrap()).collect()
}

#[test]
fn what_was_uploaded_is_listed_from_the_organization_down_to_the_file() {
    let server = Backtrail::start();
    upload(
        &server,
        "acme",
        &pair(Some(DEBUG_ID)),
        &json!({"version": "web@1", "dist": "7"}),
    );
    upload(&server, "beta", &pair(None), &json!({"version": "1"}));

    let organizations = listed(&server, "");
    assert_eq!(slugs(&organizations["organizations"]), ["acme", "beta"]);
    assert_eq!(organizations["organizations"][0]["release_count"], 1);
    assert_eq!(organizations["next_cursor"], Value::Null);
    assert_eq!(
        slugs(&listed(&server, "/acme/projects")["projects"]),
        ["web"]
    );

    let releases = listed(&server, "/acme/releases?project=web");
    assert_eq!(releases["releases"][0]["version"], "web@1");
    assert_eq!(releases["releases"][0]["bundle_count"], 1);

    let bundles = listed(&server, "/acme/bundles?release=web@1");
    let bundle = &bundles["bundles"][0];
    assert_eq!(bundle["dist"], "7");
    assert_eq!(bundle["release"], "web@1");
    assert_eq!(
        bundle["places"],
        json!([{"project": "web", "release": "web@1", "dist": "7"}])
    );
    let id = bundle["id"].as_str().unwrap();
    let files = &listed(&server, &format!("/acme/bundles/{id}"))["files"];
    let shown: Vec<(&str, &str, u64, &str)> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let text = |name: &str| file[name].as_str().unwrap();
            (
                text("url"),
                text("type"),
                file["bytes"].as_u64().unwrap(),
                text("sha1"),
            )
        })
        .collect();
    let (minified, map) = (sha1(MINIFIED.as_bytes()), sha1(MAP.as_bytes()));
    assert_eq!(
        shown,
        [
            (
                "~/main.js",
                "minified_source",
                MINIFIED.len() as u64,
                minified.as_str()
            ),
            (
                "~/main.js.map",
                "source_map",
                MAP.len() as u64,
                map.as_str()
            ),
        ]
    );
    assert_eq!(files[1]["debug_id"], DEBUG_ID);
    assert_eq!(files[1]["map_file"], "main.js");
}

#[test]
fn lists_come_in_pages() {
    let server = Backtrail::start();
    for version in ["1", "2", "3"] {
        let body = json!({"version": version, "projects": ["web"]});
        expect(
            &server,
            201,
            "POST",
            "/organizations/acme/releases/",
            Some(body),
        );
    }
    let mut versions = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = listed(&server, &format!("/acme/releases?limit=2&cursor={cursor}"));
        let releases = page["releases"].as_array().unwrap();
        assert!(releases.len() <= 2);
        versions.extend(releases.iter().map(|release| release["version"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(versions, ["3", "2", "1"]);
}

#[test]
fn a_project_is_mapped_to_services_by_hand() {
    let server = Backtrail::start();
    let body = json!({"version": "1", "projects": ["web"]});
    expect(
        &server,
        201,
        "POST",
        "/organizations/acme/releases/",
        Some(body),
    );
    let services = "/acme/projects/web/services";
    for service in ["checkout", "cart%2Fblue"] {
        let reply = request(&server, "PUT", &format!("{services}/{service}"), &[]);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let project = &listed(&server, "/acme/projects")["projects"][0];
    assert_eq!(project["services"], json!(["cart/blue", "checkout"]));
    let reply = request(&server, "DELETE", &format!("{services}/checkout"), &[]);
    assert_eq!(reply.status, 200);
    let project = &listed(&server, "/acme/projects")["projects"][0];
    assert_eq!(project["services"], json!(["cart/blue"]));
    let reply = request(&server, "DELETE", &format!("{services}/checkout"), &[]);
    assert_eq!(reply.status, 404);
    let reply = request(&server, "PUT", "/acme/projects/none/services/x", &[]);
    assert_eq!(reply.status, 404);
}

#[test]
fn releases_and_bundles_are_deleted_by_who_is_no_page_of_another_site() {
    let server = Backtrail::start();
    upload(
        &server,
        "acme",
        &pair(Some(DEBUG_ID)),
        &json!({"version": "web@1"}),
    );
    upload(&server, "acme", &pair(None), &json!({"version": "web@2"}));
    let foreign = [("Origin", "https://evil.example")];
    let reply = request(&server, "DELETE", "/acme/releases/web%401", &foreign);
    assert_eq!(reply.status, 403);

    let reply = request(&server, "DELETE", "/acme/releases/web%401", &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = request(&server, "DELETE", "/acme/releases/web%401", &[]);
    assert_eq!(reply.status, 404);
    let bundles = listed(&server, "/acme/bundles");
    assert_eq!(bundles["bundles"].as_array().unwrap().len(), 1);
    let id = bundles["bundles"][0]["id"].as_str().unwrap();
    let path = format!("/acme/bundles/{id}");
    assert_eq!(request(&server, "DELETE", &path, &foreign).status, 403);
    assert_eq!(request(&server, "DELETE", &path, &[]).status, 200);
    assert_eq!(request(&server, "GET", &path, &[]).status, 404);
    assert_eq!(server.metric("backtrail_sourcemap_bundles"), 0);
}

#[test]
fn what_is_not_there_or_misspelt_is_said_in_the_form_of_this_api() {
    let server = Backtrail::start();
    for (path, status, code) in [
        ("/none/projects", 404, "not_found"),
        ("/none/releases", 404, "not_found"),
        ("/none/bundles/1", 404, "not_found"),
        ("/none/bundles/x", 400, "invalid_argument"),
        ("?limit=0", 400, "invalid_argument"),
        ("?colour=red", 400, "invalid_argument"),
    ] {
        let reply = request(&server, "GET", path, &[]);
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["error"]["code"], code, "{path}");
    }
}
