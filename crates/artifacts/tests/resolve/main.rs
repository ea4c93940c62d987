//! Stack traces of real bundles, resolved with what a build left.

#![expect(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "in a test a failure is a panic, and fixtures are named by us"
)]

mod shelf;

use std::fmt::Write as _;
use std::sync::Arc;

use artifacts::ladder::Origin;
use artifacts::resolve::{Exception, Outcome, Resolved, Resolver};
use shelf::Releases;
use srcmap::inject::{InjectMode, inject};

/// As Node 20 writes it for the bundle of `hashed`, running as a service does.
const HASHED: &str = "PaymentError: limit exceeded: 120
    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404)
    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:209)
    at /var/task/main.efbcacc41ec5b6ccc1e4.js:1:899
    at /var/task/main.efbcacc41ec5b6ccc1e4.js:1:920
    at Object.<anonymous> (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:940)
    at Module._compile (node:internal/modules/cjs/loader:1521:14)";

/// The same for the bundle of `plain`, which has the same text under another name.
fn plain() -> String {
    HASHED.replace("main.efbcacc41ec5b6ccc1e4.js", "main.js")
}

/// The stack with sources: what Node says of `src/`, and the two frames that webpack's wrapper makes as they came.
fn truth(bundle: &str) -> String {
    format!(
        "PaymentError: limit exceeded: 120
    at chargeCustomer (src/payment.js:12:11)
    at placeOrder (src/order.js:9:10)
    at handle (src/index.js:5:10)
    at src/index.js:9:15
    at Object.<anonymous> (/var/task/{bundle}:1:940)
    at Module._compile (node:internal/modules/cjs/loader:1521:14)"
    )
}

fn resolve_as(releases: &Arc<Releases>, stack: &str, version: Option<&str>) -> Arc<Resolved> {
    let resolver = Resolver::new(Arc::clone(releases) as Arc<_>);
    let origin = Origin {
        service: "shop",
        version,
        dist: None,
    };
    let exception = Exception {
        origin,
        stack,
        message: "",
        debug_images: &[],
    };
    resolver.resolve(&exception).unwrap()
}

/// What is said of the scripts of a stack: each miss, the step that found a map, and the fix.
fn said(resolved: &Resolved) -> String {
    let mut text = String::new();
    for script in &resolved.scripts {
        for miss in &script.misses {
            writeln!(
                text,
                "{}: {miss}",
                miss.step().map_or(0, artifacts::ladder::Step::number)
            )
            .unwrap();
        }
        if let Some(found) = &script.found {
            writeln!(
                text,
                "{}: found by {}",
                found.step.number(),
                found.step.name()
            )
            .unwrap();
        }
        if let Some(fix) = script.fix() {
            writeln!(text, "fix: {fix}").unwrap();
        }
    }
    text
}

fn check_resolved(
    releases: &Arc<Releases>,
    stack: &str,
    version: Option<&str>,
    expected: &str,
    steps: &str,
) {
    let resolved = resolve_as(releases, stack, version);
    assert_eq!(resolved.text, expected, "{}", said(&resolved));
    assert_eq!(said(&resolved), steps);
}

fn check_raw(releases: &Arc<Releases>, stack: &str, version: Option<&str>, steps: &str) {
    check_resolved(releases, stack, version, stack, steps);
}

#[test]
fn the_documents_webpack_configuration_resolves_in_its_release() {
    let releases = Arc::new(Releases::default());
    releases.add("1.0.0", "hashed");
    check_resolved(
        &releases,
        HASHED,
        Some("1.0.0"),
        &truth("main.efbcacc41ec5b6ccc1e4.js"),
        "1: the exception carries no debug id for this file
2: no uploaded file is called ~/var/task/main.efbcacc41ec5b6ccc1e4.js
4: the bundle does not say where its map is
5: no map is called main.efbcacc41ec5b6ccc1e4.js.map
6: found by file_field
",
    );
}

#[test]
fn lines_of_source_stand_around_each_place() {
    let releases = Arc::new(Releases::default());
    releases.add("1.0.0", "hashed");
    let resolved = resolve_as(&releases, HASHED, Some("1.0.0"));
    let Outcome::Resolved(location) = &resolved.frames[0].outcome else {
        panic!("{:?}", resolved.frames[0]);
    };
    let source = include_str!("../fixtures/webpack/src/payment.js");
    let lines: Vec<&str> = source.split('\n').collect();
    let context = location.context.as_ref().unwrap();
    assert_eq!((context.first_line, context.lines.len()), (7, 10));
    assert_eq!(context.lines, lines[6..16]);
    assert!(location.is_in_app);
    assert_eq!(location.source, "webpack://fx/./src/payment.js");
}

#[test]
fn a_hash_in_the_name_finds_the_build_whatever_the_versions_are() {
    for version in [None, Some("2.0.0")] {
        let releases = Arc::new(Releases::default());
        releases.add("older", "hashed").add("newer", "hashed-next");
        let resolved = resolve_as(&releases, HASHED, version);
        assert_eq!(
            resolved.text,
            truth("main.efbcacc41ec5b6ccc1e4.js"),
            "{}",
            said(&resolved)
        );
    }
}

#[test]
fn a_bundle_without_a_hash_in_another_release_has_to_be_proven_by_its_positions() {
    let releases = Arc::new(Releases::default());
    releases.add("older", "plain");
    let resolved = resolve_as(&releases, &plain(), None);
    assert_eq!(resolved.text, truth("main.js"), "{}", said(&resolved));

    let one_frame = "Error: x\n    at n (/var/task/main.js:1:404)";
    check_raw(
        &releases,
        one_frame,
        None,
        "1: the exception carries no debug id for this file
0: the service tells no service.version; the newest 1 releases were searched
2: no uploaded file is called ~/var/task/main.js
4: the bundle does not say where its map is
0: ~/main.js of release older may be of another build: nothing proves that it ran
fix: set service.version to older where that release runs, or put a hash in the bundle's name
",
    );
}

#[test]
fn of_two_builds_of_one_name_the_positions_choose_or_nothing_does() {
    let releases = Arc::new(Releases::default());
    releases.add("1.0.0", "plain").add("1.0.0", "plain-next");
    let resolved = resolve_as(&releases, &plain(), Some("1.0.0"));
    assert_eq!(resolved.text, truth("main.js"), "{}", said(&resolved));

    check_raw(
        &releases,
        "Error: x\n    at n (/var/task/main.js:1:404)",
        Some("1.0.0"),
        "1: the exception carries no debug id for this file
2: no uploaded file is called ~/var/task/main.js
0: 2 different uploads are called main.js, and nothing tells which one ran
fix: give each build of main.js a release of its own, or a hash in its name, or debug ids (`backtrail sourcemaps inject DIST`)
",
    );
}

#[test]
fn an_upload_of_another_build_is_not_believed() {
    let releases = Arc::new(Releases::default());
    releases.add("1.0.0", "plain-next");
    let resolved = resolve_as(&releases, &plain(), Some("1.0.0"));
    assert_eq!(resolved.text, plain(), "{}", said(&resolved));
    assert!(
        said(&resolved).contains("~/main.js is of another build: "),
        "{}",
        said(&resolved)
    );
}

#[test]
fn a_map_of_another_build_is_not_believed() {
    let releases = Arc::new(Releases::default());
    releases
        .add_only("1.0.0", "hashed", |name| name.ends_with(".js"))
        .add_only("1.0.0", "hashed-next", |name| name.ends_with(".map"));
    let resolved = resolve_as(&releases, HASHED, Some("1.0.0"));
    assert_eq!(resolved.text, HASHED, "{}", said(&resolved));
    assert!(
        said(&resolved).contains("is a map of something else"),
        "{}",
        said(&resolved)
    );
    assert!(
        said(&resolved).contains("fix: upload the map of this build"),
        "{}",
        said(&resolved)
    );
}

#[test]
fn a_missing_map_is_named_and_heals_when_it_comes() {
    let releases = Arc::new(Releases::default());
    releases.add_only("1.0.0", "hashed", |name| name.ends_with(".js"));
    let resolver = Resolver::new(Arc::clone(&releases) as Arc<_>);
    let origin = Origin {
        service: "shop",
        version: Some("1.0.0"),
        dist: None,
    };
    let exception = Exception {
        origin,
        stack: HASHED,
        message: "",
        debug_images: &[],
    };
    let before = resolver.resolve(&exception).unwrap();
    assert_eq!(before.text, HASHED);
    assert!(
        said(&before).contains("7: none of 0 maps fits the bundle by its content"),
        "{}",
        said(&before)
    );
    releases.add_only("1.0.0", "hashed", |name| name.ends_with(".map"));
    let after = resolver.resolve(&exception).unwrap();
    assert_eq!(
        after.text,
        truth("main.efbcacc41ec5b6ccc1e4.js"),
        "{}",
        said(&after)
    );
}

#[test]
fn what_resolves_frames_is_in_use() {
    let releases = Arc::new(Releases::default());
    releases.add("0.9.0", "hashed-next").add("1.0.0", "hashed");
    let resolver = Resolver::new(Arc::clone(&releases) as Arc<_>);
    let origin = Origin {
        service: "shop",
        version: Some("1.0.0"),
        dist: None,
    };
    let exception = Exception {
        origin,
        stack: HASHED,
        message: "",
        debug_images: &[],
    };
    for _ in 0..2 {
        releases.used.lock().unwrap().clear();
        resolver.resolve(&exception).unwrap();
        let mut used = releases.used.lock().unwrap().clone();
        used.sort_unstable();
        assert_eq!(used, [2, 3]);
    }
}

#[test]
fn a_debug_id_finds_its_build_under_any_name() {
    let root = "tests/fixtures/webpack/plain";
    let bundle = std::fs::read_to_string(format!("{root}/main.js")).unwrap();
    let map = std::fs::read(format!("{root}/main.js.map")).unwrap();
    let injected = inject(&bundle, Some(&map), InjectMode::Snippet).unwrap();
    let (bundle, map) = (injected.bundle.unwrap(), injected.map.unwrap());
    let id = injected.debug_id.to_string();
    let releases = Arc::new(Releases::default());
    releases
        .put("1.0.0", &format!("~/{id}-0.js"), bundle.as_bytes())
        .put("1.0.0", &format!("~/{id}-0.js.map"), &map);
    let stack = plain().replace(":1:", ":2:");

    let resolver = Resolver::new(Arc::clone(&releases) as Arc<_>);
    let origin = Origin {
        service: "shop",
        version: None,
        dist: None,
    };
    let images = [("/var/task/main.js", id.as_str())];
    let exception = Exception {
        origin,
        stack: &stack,
        message: "",
        debug_images: &images,
    };
    let resolved = resolver.resolve(&exception).unwrap();
    let expected = truth("main.js").replace(":1:940", ":2:940");
    assert_eq!(resolved.text, expected, "{}", said(&resolved));
    assert_eq!(said(&resolved), "1: found by debug_id\n");

    // An id that nobody uploaded is named, and the map's own `file` leads there all the same.
    let images = [("/var/task/main.js", "85314830-023f-4cf1-a267-535f4e37bb17")];
    let other = Exception {
        debug_images: &images,
        origin: Origin {
            version: Some("1.0.0"),
            ..origin
        },
        ..exception
    };
    let resolved = resolver.resolve(&other).unwrap();
    assert_eq!(resolved.text, expected, "{}", said(&resolved));
    assert!(said(&resolved).starts_with(
        "1: no map with debug id 85314830-023f-4cf1-a267-535f4e37bb17 was uploaded\n"
    ));
}

#[test]
fn frames_that_are_in_sources_already_and_lines_of_the_message_are_left_alone() {
    let releases = Arc::new(Releases::default());
    releases.add("1.0.0", "plain");
    let stack = "Error: at n (/var/task/main.js:1:404)
    at n (/var/task/main.js:1:404)
    at f (/var/task/webpack:/shop/src/a.js:3:1)
    at g (/app/src/cart.ts:7:9)
    at h (webpack://shop/./src/b.js:1:1)
    at i (/var/task/node_modules/express/lib/router/layer.js:95:5)
    at Array.map (<anonymous>)";
    let resolver = Resolver::new(Arc::clone(&releases) as Arc<_>);
    let origin = Origin {
        service: "shop",
        version: Some("1.0.0"),
        dist: None,
    };
    let message = "at n (/var/task/main.js:1:404)";
    let exception = Exception {
        origin,
        stack,
        message,
        debug_images: &[],
    };
    let resolved = resolver.resolve(&exception).unwrap();
    let expected = stack.replace(
        "    at n (/var/task/main.js:1:404)",
        "    at chargeCustomer (src/payment.js:12:11)",
    );
    assert_eq!(resolved.text, expected, "{}", said(&resolved));
}

#[test]
fn nothing_uploaded_says_what_to_do() {
    check_raw(
        &Arc::new(Releases::default()),
        HASHED,
        Some("1.0.0"),
        "1: the exception carries no debug id for this file
0: no release of a project that serves shop was uploaded
fix: upload the build of shop with `backtrail sourcemaps upload --project shop DIST`, or let the project that has it serve shop
",
    );
}
