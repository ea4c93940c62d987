//! A map that comes after the exception heals it, for as long as the map is there.

use tempfile::TempDir;

use crate::running::{Backtrail, Start, agent};
use crate::service::{
    HASHED, SHOP, Thrower, assert_healed, assert_raw, build, exceptions, plain, stack, upload,
};

#[test]
fn a_build_that_is_uploaded_after_the_exception_resolves_it() {
    let server = Backtrail::start();
    SHOP.throws_stack(&server, 1, HASHED);

    let before = stack(&server, 1);
    assert_raw(&before, "nothing_uploaded");
    let fix = before["scripts"][0]["fix"].as_str().unwrap();
    assert!(
        fix.contains("`backtrail sourcemaps upload --project shop DIST`"),
        "{fix}"
    );

    let build = build("hashed");
    let said = upload(
        &server,
        build.path(),
        &["--release", "1.0.0", "--project", "shop"],
    );
    assert!(
        said.contains("main.efbcacc41ec5b6ccc1e4.js -> ./sourcemaps/main.a1858a884031fd5b819d.js.map (file_field)"),
        "{said}"
    );
    let found = exceptions(&server, 1);
    assert_eq!(found[0]["type"], "PaymentError");
    assert_eq!(found[0]["message"], "limit exceeded: 120");
    assert_eq!(found[0]["service"], "shop");
    assert_eq!(found[0]["span_id"], "0000000000000001");
    assert_healed(&found[0]["stack"]);
    assert_eq!(found[0]["stack"]["scripts"][0]["map"]["release"], "1.0.0");
}

#[test]
fn versions_may_be_alike_or_different_or_missing() {
    let server = Backtrail::start();
    let build = build("hashed");
    upload(&server, build.path(), &["--release", "1.0.0"]);
    for (trace, version) in [(1, Some("1.0.0")), (2, Some("7.7.7")), (3, None)] {
        let shop = Thrower { version, ..SHOP };
        shop.throws_stack(&server, trace, HASHED);
        assert_healed(&stack(&server, trace));
    }
    // A build without a release belongs to no version, and its name alone has to tell.
    let nameless = Backtrail::start();
    upload(&nameless, build.path(), &[]);
    SHOP.throws_stack(&nameless, 1, HASHED);
    let found = stack(&nameless, 1);
    assert!(
        found["resolved_frames"] == 4 || !found["scripts"][0]["fix"].is_null(),
        "{found:#}"
    );
}

#[test]
fn a_restart_keeps_what_resolves_and_the_end_of_the_release_ends_it() {
    let dir = TempDir::new().unwrap();
    let server = Start::new().data_dir(dir.path()).start();
    let shop = Thrower {
        version: Some("1.0.0"),
        ..SHOP
    };
    shop.throws_stack(&server, 1, &plain());
    upload(&server, build("plain").path(), &["--release", "1.0.0"]);
    assert_healed(&stack(&server, 1));
    server.kill();

    let mut server = Start::new().data_dir(dir.path()).start();
    assert_healed(&stack(&server, 1));
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");

    let server = Start::new().data_dir(dir.path()).start();
    assert_healed(&stack(&server, 1));
    let release = "/api/v1/sourcemaps/organizations/default/releases/1.0.0";
    let reply = agent().delete(server.url("web", release)).call().unwrap();
    assert_eq!(reply.status(), 200);
    assert_raw(&stack(&server, 1), "nothing_uploaded");

    // And it comes back with the release.
    upload(&server, build("plain").path(), &["--release", "1.0.0"]);
    assert_healed(&stack(&server, 1));
}
