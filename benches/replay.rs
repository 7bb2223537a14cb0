//! Replaying a trace from memory to nowhere, beside the same lines parsed and printed as plain JSON.
//!
//! `cargo bench --bench replay`. The trace is the sample day; `XIAOER_TRACE=FILE` names another.

use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xiaoer::domain::installation::Installation;

fn replay(c: &mut Criterion) {
    let path = std::env::var("XIAOER_TRACE").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample-day.jsonl").to_owned()
    });
    let trace = std::fs::read(&path).expect("a trace");
    let events = trace
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(events as u64));
    group.bench_function("decide_and_write", |b| {
        b.iter(|| {
            let mut installation = Installation::default();
            let replayed =
                xiaoer::replay::replay(&mut installation, trace.as_slice(), io::sink(), |_| {});
            black_box(replayed.expect("a whole trace"));
        });
    });
    group.bench_function("yardstick_parse_and_print_json", |b| {
        b.iter(|| {
            let mut printed = Vec::new();
            for line in trace
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let value: serde_json::Value = serde_json::from_slice(line).expect("JSON");
                serde_json::to_writer(&mut printed, &value).expect("memory");
                printed.push(b'\n');
            }
            black_box(printed.len());
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
