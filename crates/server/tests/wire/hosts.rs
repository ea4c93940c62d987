//! The web port answers to names that nobody else can point here.

use crate::running::{Backtrail, Reply, Start, agent};

fn get(server: &Backtrail, host: &str) -> Reply {
    let request = agent().get(server.url("web", "/api/v1/services"));
    Reply::from(request.header("Host", host).call().unwrap())
}

#[test]
fn a_name_that_a_site_pointed_here_is_misdirected_and_told_why() {
    let server = Backtrail::start();
    for host in [
        "localhost",
        "localhost:16686",
        "127.0.0.1:1",
        "[::1]:1",
        "shop.localhost",
    ] {
        assert_eq!(get(&server, host).status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:16686",
        "localhost.evil.example",
    ] {
        let reply = get(&server, host);
        assert_eq!(reply.status, 421, "{host}");
        let text = reply.text();
        let name = host.split(':').next().unwrap();
        assert!(text.contains(&format!("the name {name:?}")), "{text}");
        assert!(text.contains("--allowed-hosts"), "{text}");
    }
}

#[test]
fn names_are_allowed_by_the_setting() {
    let listed = Start::new().arg("--allowed-hosts=traces.example").start();
    assert_eq!(get(&listed, "traces.example:16686").status, 200);
    assert_eq!(get(&listed, "localhost").status, 200);
    assert_eq!(get(&listed, "evil.example").status, 421);

    let any = Start::new().arg("--allowed-hosts=*").start();
    assert_eq!(get(&any, "evil.example").status, 200);
}

#[test]
fn a_listener_that_others_reach_answers_to_any_name_unless_some_are_listed() {
    let public = || Start::new().arg("--web=0.0.0.0:0").arg("--allow-anonymous");
    let server = public().start();
    assert_eq!(get(&server, "backtrail.internal:16686").status, 200);
    let server = public().arg("--allowed-hosts=backtrail.internal").start();
    assert_eq!(get(&server, "backtrail.internal").status, 200);
    assert_eq!(get(&server, "evil.example").status, 421);
}
