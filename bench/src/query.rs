//! How long questions take on a few million spans.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::Common;
use crate::latency::Latencies;
use crate::load::{Pace, send};
use crate::machine;
use crate::random::Random;
use crate::report::{Table, count, mebibytes};
use crate::scrape::wait_until_flushed;
use crate::server::{Server, binary};
use crate::wire::Wire;
use crate::workload::{
    OPERATIONS, SERVICES, USERS, Workload, operation_name, service_name, user_id,
};

const SEED: u64 = 2;

#[derive(Args)]
pub(crate) struct Options {
    /// Spans to load
    #[arg(long, default_value_t = 3_000_000)]
    spans: u64,
    /// How often each question is asked, each time with another value
    #[arg(long, default_value_t = 200)]
    times: usize,
    /// How long to wait until everything is in blocks
    #[arg(long, default_value_t = 900)]
    flush_timeout_seconds: u64,
}

pub(crate) fn run(common: &Common, options: &Options) -> Result<()> {
    let binary = binary(common)?;
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let start_ns = now_ns - Workload::seconds_of(options.spans) * 1_000_000_000;
    let sample: Vec<u8> = Workload::new(SEED, start_ns)
        .requests(5_000)
        .map(|request| Ok(Wire::OtlpProtobuf.encode(&request)?.bytes))
        .collect::<Result<Vec<_>>>()?
        .concat();
    let machine = machine::describe(&sample, common.dir.as_deref())?;

    let server = Server::start(&binary, common.dir.as_deref())?;
    eprintln!("loading {} spans …", options.spans);
    let mut workload = Workload::new(SEED, start_ns);
    let requests = workload.requests(options.spans);
    let bodies = requests.map(|request| Wire::OtlpProtobuf.encode(&request));
    let sent = send(
        &server.addresses,
        Wire::OtlpProtobuf,
        bodies,
        common.connections,
        Pace::Unbounded,
    )?;
    eprintln!("waiting for blocks …");
    let timeout = Duration::from_secs(options.flush_timeout_seconds);
    let storage = wait_until_flushed(&server, sent.spans, timeout)?;

    let mut table = Table::new(&["question", "first", "p50", "p99", "results, mean"]);
    let mut random = Random::new(SEED);
    for question in questions(&workload.sampled_trace_ids) {
        eprintln!("asking: {} …", question.title);
        table.row(question.ask(&server, &mut random, options.times)?);
    }
    println!("{machine}");
    println!(
        "{} spans in blocks of {} altogether, default settings, {} times each with changing values, one question at a time; memory at the end {}.\n",
        count(storage.block_spans as f64),
        mebibytes(storage.block_bytes),
        options.times,
        mebibytes(server.resident_bytes()?)
    );
    println!("{table}");
    server.stop()
}

struct Question<'a> {
    title: &'static str,
    /// Path and query for a value that the generator chooses.
    path: Box<dyn Fn(&mut Random) -> String + 'a>,
    /// How many results an answer holds.
    results: fn(&serde_json::Value) -> usize,
}

fn questions(trace_ids: &[String]) -> Vec<Question<'_>> {
    let spans = |answer: &serde_json::Value| answer["span_count"].as_u64().unwrap_or(0) as usize;
    let traces = |answer: &serde_json::Value| answer["traces"].as_array().map_or(0, Vec::len);
    let search = |title: &'static str, path: fn(&mut Random) -> String| Question {
        title,
        path: Box::new(move |random| format!("/api/v1/search?{}", path(random))),
        results: traces,
    };
    vec![
        Question {
            title: "trace by id (skeleton)",
            path: Box::new(|random| {
                let at = random.below(trace_ids.len() as u64) as usize;
                format!("/api/v1/traces/{}/skeleton", trace_ids[at])
            }),
            results: spans,
        },
        search("search: service, name, duration", |random| {
            let service = service_name(random.below(SERVICES as u64) as usize);
            let name = encoded(&operation_name(random.below(OPERATIONS)));
            format!("service={service}&name={name}&min_duration=20ms")
        }),
        search("search: selective attribute (user.id)", |random| {
            format!("attr=user.id%3D{}", user_id(random.below(USERS)))
        }),
        search(
            "search: unselective attribute (http.request.method)",
            |random| {
                let method = ["GET", "POST", "PUT"][random.below(3) as usize];
                format!("attr=http.request.method%3D{method}")
            },
        ),
        search("search: attribute that nobody has", |random| {
            format!("attr=user.id%3Dnobody-{}", random.below(USERS))
        }),
        search("search: failed spans with status 500, no service", |_| {
            "status=error&attr=http.response.status_code%3E%3D500".to_owned()
        }),
        search("search: no service, long spans", |random| {
            format!("min_duration={}ms", 50 + random.below(50))
        }),
        Question {
            title: "services",
            path: Box::new(|_| "/api/v1/services".to_owned()),
            results: |answer| answer["services"].as_array().map_or(0, Vec::len),
        },
    ]
}

impl Question<'_> {
    fn ask(&self, server: &Server, random: &mut Random, times: usize) -> Result<Vec<String>> {
        let mut durations = Vec::with_capacity(times);
        let mut results = 0;
        for _ in 0..times.max(1) {
            let path = (self.path)(random);
            let started = Instant::now();
            let text = server.get(&path)?;
            durations.push(started.elapsed());
            let answer: serde_json::Value =
                serde_json::from_str(&text).with_context(|| path.clone())?;
            ensure!(
                answer["truncated"] != true,
                "{path}: the answer is cut short"
            );
            results += (self.results)(&answer);
        }
        let first = durations[0].as_secs_f64() * 1e3;
        let mean = results as f64 / durations.len() as f64;
        let latencies = Latencies::new(durations);
        Ok(vec![
            self.title.to_owned(),
            format!("{first:.1} ms"),
            format!("{:.1} ms", latencies.percentile_ms(50)),
            format!("{:.1} ms", latencies.percentile_ms(99)),
            format!("{mean:.1}"),
        ])
    }
}

/// What the names of operations hold that a query may not.
fn encoded(text: &str) -> String {
    text.replace(' ', "%20")
        .replace('/', "%2F")
        .replace('{', "%7B")
        .replace('}', "%7D")
}
