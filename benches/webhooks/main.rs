//! Webhooks to a local sink: how many decisions a second go out, one by one and in batches, beside a bare client that
//! posts the same bodies over one connection; how an endpoint that was away catches up; and what one that hangs costs the
//! others.
//!
//! ```text
//! cargo bench --bench webhooks                         # everything
//! cargo bench --bench webhooks -- rates runs=1         # a look
//! cargo bench --bench webhooks -- away decisions=1000000
//! ```

#[path = "../../tests/support/mod.rs"]
mod support;

mod sink;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use sink::{Sink, bare};
use support::deadline::{Deadline, Stopwatch};
use support::http::Client;
use support::served::{Launch, Served, folder};

/// Events of a request.
const AT_ONCE: usize = 1000;

struct Asked(Vec<String>);

impl Asked {
    fn number(&self, name: &str, otherwise: u64) -> u64 {
        let mut found = self.0.iter().filter_map(|word| word.split_once('='));
        let found = found.rfind(|(key, _)| *key == name);
        found.map_or(otherwise, |(_, text)| text.parse().expect("a number"))
    }

    fn wants(&self, part: &str) -> bool {
        let has = |part: &str| self.0.iter().any(|other| other == part);
        has(part) || !["rates", "away", "hang"].into_iter().any(has)
    }
}

fn main() -> io::Result<()> {
    let asked = Asked(std::env::args().skip(1).collect());
    if asked.wants("rates") {
        rates(&asked)?;
    }
    if asked.wants("away") {
        away(&asked)?;
    }
    if asked.wants("hang") {
        hang(&asked)?;
    }
    Ok(())
}

fn serve(data: &std::path::Path) -> Served {
    Launch::on(data)
        .set(&["webhook.private_addresses=true"])
        .start()
}

fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Value {
    let answer = client.send(
        method,
        path,
        "application/json",
        body.to_string().as_bytes(),
    );
    let answer = answer.expect("an answer");
    assert!(
        answer.status < 300,
        "{method} {path}: {} {}",
        answer.status,
        answer.text()
    );
    answer.json()
}

fn make_shop(client: &mut Client, shop: &str) {
    ask(client, "PUT", shop, &json!({ "policy": {} }));
    ask(
        client,
        "PUT",
        &format!("{shop}/agents/a"),
        &json!({ "capacity": 1000 }),
    );
    ask(
        client,
        "PUT",
        &format!("{shop}/agents/a/presence"),
        &json!({ "presence": "online" }),
    );
}

/// Takes so many decisions: each session is opened and closed, which decides three things.
fn decide(client: &mut Client, shop: &str, life: u64, decisions: u64) -> u64 {
    let mut taken = 0;
    let mut session = 0;
    while taken < decisions {
        let mut events = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE / 2 {
            session += 1;
            let name = format!("{life}-{session}");
            events.push(json!({ "type": "session.opened", "session": name, "buyer": name }));
            events.push(json!({ "type": "session.closed", "session": name, "by": "agent" }));
        }
        let answer = ask(
            client,
            "POST",
            &format!("{shop}/events"),
            &Value::Array(events),
        );
        let last = answer["results"]
            .as_array()
            .and_then(|all| all.last()?["decisions"].as_array()?.last()?["seq"].as_u64());
        taken = last.expect("decisions");
    }
    taken
}

fn hook(client: &mut Client, shop: &str, url: &str, batch: Option<u16>) -> String {
    let made = ask(
        client,
        "POST",
        &format!("{shop}/webhooks"),
        &json!({ "url": url, "batch": batch, "enabled": false }),
    );
    made["id"].as_str().expect("an id").to_owned()
}

fn switch_on(client: &mut Client, shop: &str, id: &str) {
    ask(
        client,
        "PATCH",
        &format!("{shop}/webhooks/{id}"),
        &json!({ "enabled": true }),
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What is taken while the endpoint is off goes out as fast as it is taken once it is on.
fn rates(asked: &Asked) -> io::Result<()> {
    println!("\nrates: one endpoint of one shop, decisions that wait in the journal");
    println!(
        "{:>10} {:>14} {:>16} {:>16}",
        "", "decisions/s", "bare posts/s", "of the bare"
    );
    for (name, batch, decisions) in [("one by one", None, 30_000), ("by 500", Some(500), 600_000)] {
        let (mut ours, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..asked.number("runs", 5) {
            let (_place, data) = folder();
            let served = serve(&data);
            let mut client = served.client();
            let (shop, sink) = ("/v1/shops/s", Sink::start()?);
            make_shop(&mut client, shop);
            let id = hook(&mut client, shop, &sink.url("/0"), batch);
            let taken = decide(&mut client, shop, 0, decisions);
            let watch = Stopwatch::start();
            switch_on(&mut client, shop, &id);
            let there = Deadline::seconds(120).poll(|| (sink.decisions() >= taken).then_some(()));
            assert!(there.is_some(), "{} of {taken} came", sink.decisions());
            let rate = taken as f64 / watch.passed().as_secs_f64();
            sink.assert_in_order();
            let (posts, body) = (sink.posts(), sink.last_body());
            let watch = Stopwatch::start();
            bare(&sink, &body, posts)?;
            let bare_rate = posts as f64 / watch.passed().as_secs_f64();
            let share = 100.0 * (rate / taken as f64 * posts as f64) / bare_rate;
            println!("{name:>10} {rate:>14.0} {bare_rate:>16.0} {share:>14.0} %");
            ours.push(rate);
            beside.push(share);
        }
        println!(
            "{:>10} {:>14.0} {:>16} {:>14.0} %",
            "median",
            median(ours),
            "",
            median(beside)
        );
    }
    Ok(())
}

/// Nobody listens while very many decisions are taken; then somebody does.
fn away(asked: &Asked) -> io::Result<()> {
    let decisions = asked.number("decisions", 1_000_000);
    let (_place, data) = folder();
    let served = serve(&data);
    let mut client = served.client();
    let shop = "/v1/shops/s";
    make_shop(&mut client, shop);
    let sink = Sink::start()?;
    let url = sink.url("/0");
    sink.refuse(true);
    let id = hook(&mut client, shop, &url, Some(500));
    switch_on(&mut client, shop, &id);
    let mib = |bytes: u64| bytes as f64 / 1048576.0;
    let taken = decide(&mut client, shop, 0, decisions);
    let before = served.resident_bytes();
    println!(
        "\naway: {taken} decisions taken while every call failed; {:.0} MiB resident",
        mib(before)
    );
    sink.refuse(false);
    let watch = Stopwatch::start();
    switch_on(&mut client, shop, &id);
    let mut most = 0;
    let there = Deadline::seconds(300).poll(|| {
        most = most.max(served.resident_bytes());
        (sink.decisions() >= taken).then_some(())
    });
    let passed = watch.passed();
    assert!(there.is_some(), "{} of {taken} came", sink.decisions());
    sink.assert_in_order();
    println!(
        "caught up in {:.1} s, in order: {:.0} decisions/s; at most {:.0} MiB resident, {:+.0} MiB",
        passed.as_secs_f64(),
        taken as f64 / passed.as_secs_f64(),
        mib(most),
        mib(most) - mib(before)
    );
    Ok(())
}

/// A hundred shops with an endpoint each, 400 decisions a second; then one of them hangs.
fn hang(asked: &Asked) -> io::Result<()> {
    const SHOPS: usize = 100;
    println!(
        "\nhang: {SHOPS} endpoints, from the event's request to the call's arrival at the other 99"
    );
    println!("{:>10} {:>9} {:>9}", "", "p50 ms", "p99 ms");
    let (_place, data) = folder();
    let served = serve(&data);
    let mut client = served.client();
    let sink = Sink::start()?;
    for shop in 0..SHOPS {
        let path = format!("/v1/shops/s{shop}");
        make_shop(&mut client, &path);
        let id = hook(&mut client, &path, &sink.url(&format!("/{shop}")), None);
        switch_on(&mut client, &path, &id);
    }
    let seconds = asked.number("seconds", 5);
    let (mut well, mut hung) = (Vec::new(), Vec::new());
    let mut number = 0u64;
    for _ in 0..asked.number("runs", 5) {
        for hangs in [false, true] {
            sink.hang(hangs.then_some(0));
            let sent = Arc::clone(&sink.sent);
            let until = Deadline::seconds(seconds);
            let mut taken = Histogram::<u64>::new(3).expect("a histogram");
            let first = number;
            while !until.passed() {
                let next = Deadline::after(Duration::from_micros(2500));
                let shop = number as usize % SHOPS;
                let event = json!({ "type": "session.opened", "session": format!("n{number}"), "buyer": format!("n{number}") });
                sent.begin(number);
                ask(
                    &mut client,
                    "POST",
                    &format!("/v1/shops/s{shop}/events"),
                    &event,
                );
                number += 1;
                next.poll(|| None::<()>);
            }
            let others = (first..number).filter(|number| !(*number as usize).is_multiple_of(SHOPS));
            for number in others {
                let took = Deadline::seconds(20).poll(|| sent.took(number));
                let took = took.unwrap_or_else(|| panic!("decision {number} did not come"));
                taken.record(took.as_micros() as u64).ok();
            }
            let ms = |quantile| taken.value_at_quantile(quantile) as f64 / 1000.0;
            let name = if hangs { "one hangs" } else { "all well" };
            println!("{name:>10} {:>9.2} {:>9.2}", ms(0.5), ms(0.99));
            if hangs { &mut hung } else { &mut well }.push(ms(0.99));
        }
    }
    let (well, hung) = (median(well), median(hung));
    println!(
        "median p99 {well:.2} ms, with one that hangs {hung:.2} ms: {:+.0} %",
        100.0 * (hung / well - 1.0)
    );
    Ok(())
}
