//! The HTTP door under load: durable events with 64 kept connections over 1,000 shops, beside an actix-web endpoint
//! that parses and answers the same JSON and keeps nothing, in turns, in the same run.
//!
//! ```text
//! cargo bench --bench door                                       # everything
//! cargo bench --bench door -- singles runs=1 seconds=2           # a look
//! cargo bench --bench door -- singles ours                       # without the echo
//! cargo bench --bench door -- hostile                            # a good client beside hostile ones
//! cargo bench --bench door -- hostile unread                     # beside one kind of them
//! ```
//!
//! Words choose what is run (`singles`, `batches`, `memory`, `hostile`); `runs`, `rounds`, `seconds`, `shops`,
//! `connections`, `crowd` (shops of the memory figure) are numbers.

#[path = "../../tests/support/mod.rs"]
mod support;

mod desk;
mod echo;
mod hostile;
mod load;
mod memory;

use std::io;

use support::served::{Launch, Served, folder};

use load::{Load, Run};

/// Events of a request of many.
const BATCH: usize = 100;

/// What is asked for on the command line.
pub struct Asked {
    words: Vec<String>,
}

impl Asked {
    fn number(&self, name: &str, otherwise: u64) -> u64 {
        let mut found = self.words.iter().filter_map(|word| word.split_once('='));
        let found = found.rfind(|(key, _)| *key == name);
        found.map_or(otherwise, |(_, text)| text.parse().expect("a number"))
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// Everything is run where nothing is named.
    fn wants(&self, part: &str) -> bool {
        let parts = ["singles", "batches", "memory", "hostile"];
        self.has(part) || !parts.iter().any(|part| self.has(part))
    }
}

fn main() -> io::Result<()> {
    if let Ok(answers) = std::env::var(echo::ANSWERS) {
        return echo::serve(&answers);
    }
    let asked = Asked {
        words: std::env::args().skip(1).collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for (part, batch) in [("singles", 1), ("batches", BATCH)] {
        if asked.wants(part) {
            runtime.block_on(beside_echo(&asked, part, batch))?;
        }
    }
    if asked.wants("memory") {
        runtime.block_on(memory::measure(&asked))?;
    }
    if asked.wants("hostile") {
        hostile::measure(&asked)?;
    }
    Ok(())
}

/// Ours and the echo in turns.
async fn beside_echo(asked: &Asked, part: &str, batch: usize) -> io::Result<()> {
    let (place, data) = folder();
    let mut load = Load {
        connections: asked.number("connections", 64) as usize,
        shops: asked.number("shops", 1000) as usize,
        seconds: asked.number("seconds", 4),
        batch,
        life: 0,
    };
    let ours = Launch::on(&data).start();
    load.configure(&ours).await?;
    let echo = match asked.has("ours") {
        true => None,
        false => Some(echo::start(place.path(), &load.answers(&ours).await?)),
    };
    println!(
        "\n{part}: {batch} a request, {} connections, {} shops",
        load.connections, load.shops
    );
    println!(
        "{:>8} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "cpu us/ev"
    );
    let (mut ours_runs, mut echo_runs) = (Vec::new(), Vec::new());
    for _ in 0..asked.number("runs", 5) {
        run_once("ours", &mut load, &ours, &mut ours_runs).await?;
        if let Some(echo) = &echo {
            run_once("echo", &mut load, echo, &mut echo_runs).await?;
        }
    }
    let (rate, p99) = (
        median(&ours_runs, |run| run.rate),
        median(&ours_runs, |run| run.p99_ms),
    );
    println!("median   ours {rate:.0} events/s, p99 {p99:.2} ms");
    if echo.is_some() {
        let beside = median(&echo_runs, |run| run.rate);
        println!(
            "median   echo {beside:.0} events/s; ours is {:.1} % of it",
            100.0 * rate / beside
        );
    }
    Ok(())
}

async fn run_once(
    name: &str,
    load: &mut Load,
    served: &Served,
    runs: &mut Vec<Run>,
) -> io::Result<()> {
    let run = load.run(served).await?;
    println!(
        "{name:>8} {:>12.0} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.1}",
        run.rate, run.p50_ms, run.p99_ms, run.p999_ms, run.max_ms, run.cpu_us
    );
    runs.push(run);
    Ok(())
}

fn median(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
