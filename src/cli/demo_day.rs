//! A sample day, moved to end just before now, and played in a shop of a server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use unicode_width::UnicodeWidthChar;

use super::{DayArgument, print_line};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::event::Event;
use crate::domain::read::{report, views};
use crate::env::{PausableClock, Stopwatch};
use crate::explain_text::{self, Language};
use crate::runtime::{EventResult, IncomingEvent, ReadError, Shops};
use crate::wire::{Line, read_event};

/// The day is moved by a multiple of this, so that every event keeps its time of day.
const DAY_MS: i64 = 86_400_000;

/// A line is printed after so much of the day…
const HOUR_MS: i64 = 3_600_000;

/// … and events are posted together where they come within so much of it.
const STEP_MS: i64 = 300_000;

/// The width of a line, which most terminals have.
const NOTE_COLUMNS_MAX: usize = 100;

/// The offset of the sample day's shop, in which its lines are printed.
const OFFSET_S: i32 = 8 * 3600;

/// A sample day, moved into the past.
pub(super) struct DemoDay {
    shop: Id,
    /// In the order of their instants.
    events: Vec<(Event, String)>,
}

/// The fields of an event before it is moved, and of a decision.
#[derive(Deserialize)]
struct DemoCounts<'a> {
    #[serde(default)]
    at: &'a str,
    #[serde(default)]
    seq: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    waited: f64,
}

impl DemoDay {
    /// The latest day that is over.
    pub(super) fn ending_before(day: DayArgument, now: Instant, shop: &Id) -> DemoDay {
        let events = day.events();
        let end = events.lines().last().and_then(at_of);
        let since = end.map_or(0, |(end, _)| now.ms() - end.ms());
        let shift = since.div_euclid(DAY_MS) * DAY_MS;
        let moved = events.lines().filter_map(|line| {
            let text = moved(line, shift)?;
            match read_event(&text, shop, now).ok()?.line {
                Line::Event(_, event) => Some((event, text)),
                Line::Malformed(_) => None,
            }
        });
        DemoDay {
            shop: shop.clone(),
            events: moved.collect(),
        }
    }

    /// The instant of its first event.
    pub(super) fn begin(&self) -> Instant {
        self.events
            .first()
            .map_or(Instant::from_ms(0), |(event, _)| event.at)
    }

    /// Plays the day in `seconds`, with a line for each hour. The clock follows, so that requests meanwhile see the
    /// time of that day.
    pub(super) async fn play(
        self,
        shops: &Shops,
        clock: &PausableClock,
        language: Language,
        seconds: u64,
    ) -> Result<(), ReadError> {
        let (shop, begin) = (&self.shop, self.begin());
        let end = self.events.last().map_or(begin, |(event, _)| event.at);
        let length = end.ms() - begin.ms();
        print_line(&language.say(
            format!(
                "示例店铺忙碌的一天：{} 个事件，{seconds} 秒放完",
                self.events.len()
            ),
            format!(
                "A busy day of a sample shop: {} events in {seconds} s",
                self.events.len()
            ),
        ));
        let stopwatch = Stopwatch::start();
        let mut notable = Notable::default();
        let mut waiting_most = 0;
        let mut events = self.events.into_iter().peekable();
        let (mut step, mut hour) = (begin.ms() + STEP_MS, begin.ms() + HOUR_MS);
        while events.peek().is_some() {
            let now = std::iter::from_fn(|| events.next_if(|(event, _)| event.at.ms() < step));
            let now = now.map(|(event, text)| IncomingEvent::Event {
                event,
                stamped: false,
                text: text.into(),
            });
            let now: Vec<IncomingEvent> = now.collect();
            if !now.is_empty() {
                let answered = shops.post(shop, now).await.map_err(ReadError::Refused)?;
                notable.look_at(&answered);
            }
            clock.move_to(Instant::from_ms(step.min(end.ms())));
            let counts = shops.read(shop, views::counts).await?;
            waiting_most = counts.sessions_waiting.max(waiting_most);
            if step >= hour || events.peek().is_none() {
                let until = Instant::from_ms(hour.min(end.ms()));
                let (waiting, notable) = (std::mem::take(&mut waiting_most), notable.take());
                print_hour(shops, shop, (until, waiting, notable), language).await?;
                hour += HOUR_MS;
            }
            let due =
                (step - begin.ms()).min(length) as u64 * seconds * 1000 / length.max(1) as u64;
            let early = due.saturating_sub(stopwatch.micros() / 1000);
            actix_rt::time::sleep(Duration::from_millis(early)).await;
            step += STEP_MS;
        }
        Ok(())
    }
}

/// The instant of a line, and its text.
fn at_of(line: &str) -> Option<(Instant, &str)> {
    let seen: DemoCounts<'_> = serde_json::from_str(line).ok()?;
    Some((Instant::parse(seen.at)?, seen.at))
}

/// An event of the day, so many milliseconds later: its instant, the end of a block, and the nights and days that a
/// policy names by date.
fn moved(line: &str, shift: i64) -> Option<String> {
    let (at, written) = at_of(line)?;
    let later = |at: Instant| {
        Instant::from_ms(at.ms() + shift)
            .at_offset(OFFSET_S)
            .to_string()
    };
    let text = line.replacen(written, &later(at), 1);
    if !line.contains("shop.configured") && !line.contains("\"until\"") {
        return Some(text);
    }
    let mut event: Value = serde_json::from_str(&text).ok()?;
    if let Some(until) = event["until"].as_str().and_then(Instant::parse) {
        event["until"] = Value::from(later(until));
    }
    if let Some(Value::Object(days)) = event.pointer_mut("/policy/hours/days") {
        let moved = std::mem::take(days).into_iter().filter_map(|(day, hours)| {
            let noon = Instant::parse(&format!("{day}T12:00:00+08:00"))?;
            Some((later(noon).get(..10)?.to_owned(), hours))
        });
        *days = moved.collect();
    }
    let nights = event.pointer_mut("/policy/invite/suspended");
    for night in nights.and_then(Value::as_array_mut).into_iter().flatten() {
        for end in ["from", "to"] {
            let day = night[end].as_str()?;
            let year = written.get(..5)?;
            let moved = later(Instant::parse(&format!("{year}{day}:00+08:00"))?);
            night[end] = Value::from(moved.get(5..16)?);
        }
    }
    Some(event.to_string())
}

/// An hour of the shop: its end, the most sessions that waited, and the decision that is worth a look.
async fn print_hour(
    shops: &Shops,
    shop: &Id,
    (until, waiting, notable): (Instant, u64, Option<u64>),
    language: Language,
) -> Result<(), ReadError> {
    let served = shops.read(shop, |shop| report::report(shop).sessions.assigned);
    let served = served.await?;
    let mut note = String::new();
    if let Some(seq) = notable
        && let Some(why) = shops.why(shop, seq).await?
    {
        let explanation = explain_text::explain(shop.as_str(), &why, language);
        // The first line names the decision; the second one says it.
        let reason = explanation.lines().nth(1).unwrap_or_default().trim();
        note = format!("   #{seq} {}", cut(reason));
    }
    let at = until.at_offset(OFFSET_S).to_string();
    let hour = at.get(5..16).unwrap_or_default().replace('T', " ");
    print_line(&language.say(
        format!("  {hour}   已接待 {served:>3}   最多在等 {waiting:>2}{note}"),
        format!("  {hour}   served {served:>3}   waiting at most {waiting:>2}{note}"),
    ));
    Ok(())
}

/// As much of a text as a line has room for.
fn cut(text: &str) -> String {
    let mut columns = 0;
    let fits = text.find(|c: char| {
        columns += c.width().unwrap_or(0);
        columns > NOTE_COLUMNS_MAX
    });
    match fits {
        Some(at) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The decision of an hour that is the most interesting.
#[derive(Default)]
struct Notable(Option<(u8, f64, u64)>);

impl Notable {
    fn look_at(&mut self, answered: &[EventResult]) {
        for answer in answered {
            let decisions: Vec<DemoCounts<'_>> =
                serde_json::from_str(&answer.decisions).unwrap_or_default();
            for decision in decisions {
                let rank = match decision.kind {
                    "score.alert" | "score.recovered" | "agent.presence_set" => 5,
                    "session.taken_back" => 4,
                    "session.assigned" if decision.waited > 0.0 => 4,
                    "reply.overdue" => 3,
                    "invite.blocked" => 2,
                    "session.assigned" => 1,
                    _ => continue,
                };
                let new = (rank, decision.waited, decision.seq);
                // Of two that are equal, the later.
                if self
                    .0
                    .is_none_or(|(rank, waited, _)| (rank, waited) <= (new.0, new.1))
                {
                    self.0 = Some(new);
                }
            }
        }
    }

    fn take(&mut self) -> Option<u64> {
        self.0.take().map(|(_, _, seq)| seq)
    }
}
