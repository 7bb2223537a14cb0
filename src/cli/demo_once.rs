//! `xiaoer demo --once`: plays a sample day in memory, and prints the state of the shop after it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{DayArgument, Failure, replay_failure};
use crate::domain::installation::Installation;
use crate::explain_text::{self, Highlights, Language};

/// The seed of the days that are played. That of the promotion ships as a file.
const SEED: u64 = 1;

/// The shop that needs no `--shop`.
const SHOP_DEFAULT: &str = "default";

impl DayArgument {
    /// The events of the day, one a line.
    pub(super) fn events(self) -> Cow<'static, str> {
        match self {
            DayArgument::Promotion => include_str!("../../data/sample-day.jsonl").into(),
            DayArgument::Holiday => {
                let mut trace = Vec::new();
                match crate::sample::write(self.sample(), SEED, 1, &mut trace) {
                    Ok(()) => String::from_utf8_lossy(&trace).into_owned().into(),
                    // Memory takes every write.
                    Err(_) => Cow::Borrowed(""),
                }
            }
        }
    }

    /// The name of its file in messages.
    fn file_name(self) -> &'static str {
        match self {
            DayArgument::Promotion => "sample-day.jsonl",
            DayArgument::Holiday => "holiday.jsonl",
        }
    }
}

/// Plays the day and prints the state of the shop after it; its events are also written to the file `save`.
pub(super) fn once(
    day: DayArgument,
    language: Language,
    save: Option<&Path>,
) -> Result<(), Failure> {
    let events = day.events();
    let text = play(day, &events, language, save)?;
    if let Some(path) = save {
        fs::write(path, events.as_bytes()).map_err(|error| {
            Failure::failed(format!("{} could not be written: {error}", path.display()))
        })?;
    }
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|error| Failure::failed(format!("the summary could not be written: {error}")))
}

/// The summary of every shop of the day, and what to try next.
fn play(
    day: DayArgument,
    events: &str,
    language: Language,
    saved: Option<&Path>,
) -> Result<String, Failure> {
    let mut installation = Installation::default();
    let mut highlights: BTreeMap<String, Highlights> = BTreeMap::new();
    let played =
        crate::replay::replay_with(&mut installation, events.as_bytes(), |shop, taken, _| {
            let of_shop = highlights.entry(shop.to_owned()).or_default();
            taken.iter().for_each(|decision| of_shop.take(decision));
            Ok(())
        });
    let progress = played.map_err(|error| replay_failure(Path::new(day.file_name()), error))?;
    let (lines, decisions) = (progress.lines, progress.decisions);
    let mut parts = vec![language.say(
        format!("示例店铺的一天：{lines} 个事件，{decisions} 个决策"),
        format!("A day of a sample shop: {lines} events, {decisions} decisions"),
    )];
    let reports = installation.report();
    for (shop, report) in &reports {
        let Some(service) = installation.shop(shop).map(|shop| &shop.policy().service) else {
            continue;
        };
        let seen = highlights.entry(shop.clone()).or_default();
        if reports.len() > 1 {
            parts.push(language.say(format!("店铺 {shop}"), format!("Shop {shop}")));
        }
        parts.push(explain_text::summary(report, service, seen, language));
    }
    parts.push(next(day, language, saved, &highlights));
    Ok(parts.join("\n\n"))
}

/// Commands to try next, with decisions that the day has.
fn next(
    day: DayArgument,
    language: Language,
    saved: Option<&Path>,
    highlights: &BTreeMap<String, Highlights>,
) -> String {
    let file = saved.unwrap_or(Path::new(day.file_name())).display();
    // With the path by which the program was called, so that the command can be pasted.
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "xiaoer".to_owned());
    let mut rows = Vec::new();
    if saved.is_none() {
        let save = language.say("把这一天的事件存成文件", "keep the day's events in a file");
        let of = match day {
            DayArgument::Promotion => "",
            DayArgument::Holiday => " --day holiday",
        };
        rows.push((format!("{program} demo --once{of} --save {file}"), save));
    }
    for (shop, highlights) in highlights {
        let of = if shop == SHOP_DEFAULT {
            String::new()
        } else {
            format!(" --shop {shop}")
        };
        for (seq, asked) in highlights.interesting() {
            rows.push((
                format!("{program} why {file} {seq}{of}"),
                asked.words(language),
            ));
        }
    }
    let replay = language.say(
        "回放全部决策，并写出报表",
        "replay all decisions, and write the report",
    );
    rows.push((
        format!("{program} replay {file} --report report.json"),
        replay,
    ));
    let width = rows
        .iter()
        .map(|(command, _)| command.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![
        language
            .say("接下来可以试试", "What to try next")
            .to_owned(),
    ];
    lines.extend(
        rows.iter()
            .map(|(command, what)| format!("  {command:width$}   {what}")),
    );
    lines.join("\n")
}
