//! The sheets of the report (M7 to M11): of every agent, of the bot, and of the desk, by natural day, week and month.

use crate::model::desk::{ClosingKind, Round};
use crate::model::event::BOT;
use crate::model::rating::RecordedRating;
use crate::model::score::Tally;
use crate::model::session::{Card, Periods, Session, Source};
use crate::model::shop::Shop;
use crate::model::value::{Ms, ratio, seconds};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Whose sheet it is.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// An agent, or the bot.
    Agent(&'a str),
    /// All but the bot.
    Desk,
}

impl Owner<'_> {
    fn has(self, agent: &str) -> bool {
        match self {
            Owner::Agent(own) => own == agent,
            Owner::Desk => agent != BOT,
        }
    }
}

/// One natural day, week or month.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Period {
    Day(String),
    Week(String),
    Month(String),
}

impl Period {
    fn has(&self, booked: &Periods) -> bool {
        match self {
            Period::Day(day) => *day == booked.day,
            Period::Week(week) => *week == booked.week,
            Period::Month(month) => *month == booked.month,
        }
    }
}

impl Shop {
    /// The sheets of an owner by `days`, `weeks` and `months`, without the empty ones.
    pub fn report_sheets(&self, owner: Owner) -> Map<String, Value> {
        let mut sheets = [Map::new(), Map::new(), Map::new()];
        for period in self.sheet_periods(owner) {
            let sheet = self.sheet(owner, &period);
            if sheet.is_empty() {
                continue;
            }
            let (place, name) = match period {
                Period::Day(name) => (0, name),
                Period::Week(name) => (1, name),
                Period::Month(name) => (2, name),
            };
            sheets[place].insert(name, sheet.into());
        }
        let names = ["days", "weeks", "months"].map(str::to_owned);
        names.into_iter().zip(sheets.map(Value::Object)).collect()
    }

    /// Whoever may have a sheet: every agent that something is booked on.
    pub fn sheet_owners(&self) -> BTreeSet<&String> {
        let cards = self.sessions.iter().flat_map(|session| &session.cards);
        let cards = cards.map(|card| &card.agent);
        let ratings = self.ratings.iter().map(|rating| &rating.agent);
        let times = self.desk_times.keys().map(|(agent, _)| agent);
        // Rounds, closes and take-backs are of those who were assigned.
        cards
            .chain(ratings)
            .chain(times)
            .chain(self.assigned.keys())
            .collect()
    }

    /// Every period that something of the owner may be booked on.
    fn sheet_periods(&self, owner: Owner) -> BTreeSet<Period> {
        let cards = self.sessions.iter().flat_map(|session| &session.cards);
        let cards = cards.filter(|card| owner.has(&card.agent));
        let ratings = self.ratings.iter();
        let ratings = ratings.filter(|rating| owner.has(&rating.agent));
        let booked = cards.map(|card| &card.booked);
        let booked = booked.chain(ratings.map(|rating| &rating.booked));
        let mut periods: BTreeSet<Period> = booked
            .flat_map(|booked| {
                [
                    Period::Day(booked.day.clone()),
                    Period::Week(booked.week.clone()),
                    Period::Month(booked.month.clone()),
                ]
            })
            .collect();
        let rounds = self.rounds.iter().map(|round| (&round.agent, &round.day));
        let taken_backs = self.taken_backs.iter().map(|(agent, day)| (agent, day));
        let times = self.desk_times.keys().map(|(agent, day)| (agent, day));
        let of_agents = rounds.chain(taken_backs).chain(times);
        let of_owner = of_agents.filter(|(agent, _)| owner.has(agent));
        let days = of_owner.map(|(_, day)| day);
        let closings = self.closings.iter().map(|closing| &closing.day);
        let asked = self.sessions.iter().filter_map(|s| s.asked_on.as_ref());
        let days = days.chain(closings).chain(asked);
        periods.extend(days.map(|day| Period::Day(day.clone())));
        periods
    }

    fn sheet(&self, owner: Owner, period: &Period) -> Map<String, Value> {
        let mut sheet = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                sheet.insert(key.to_owned(), value);
            }
        };
        put("cards", self.sheet_cards(owner, period));
        put("ratings", self.sheet_ratings(owner, period));
        if let Period::Day(day) = period {
            put("answers", self.sheet_answers(owner, day));
            put("taken_back", self.sheet_taken_back(owner, day));
            put("linger", self.sheet_linger(owner, day));
            put("unserved", self.sheet_unserved(owner, day));
            put("abandoned", self.sheet_abandoned(owner, day));
            put("time", self.sheet_time(owner, day));
        }
        sheet
    }

    /// M7.
    fn sheet_cards(&self, owner: Owner, period: &Period) -> Option<Value> {
        let all = self.sessions.iter().flat_map(|session| &session.cards);
        let cards: Vec<&Card> = all
            .filter(|card| owner.has(&card.agent) && period.has(&card.booked))
            .collect();
        let of = |sources: &[Source]| {
            let made = cards.iter().filter(|card| sources.contains(&card.source));
            let rated = made.clone().filter(|card| card.submitted).count() as u64;
            let made = made.count() as u64;
            json!({ "made": made, "rated": rated, "rate": ratio(rated, made) })
        };
        let own = cards
            .iter()
            .filter(|card| card.source == Source::Buyer && card.submitted);
        (!cards.is_empty()).then(|| {
            json!({
                "auto": of(&[Source::Auto]), "agent": of(&[Source::Agent]),
                "invited": of(&[Source::Auto, Source::Agent]), "own": own.count(),
            })
        })
    }

    /// M8.
    fn sheet_ratings(&self, owner: Owner, period: &Period) -> Option<Value> {
        let ratings: Vec<&RecordedRating> = self
            .ratings
            .iter()
            .filter(|rating| owner.has(&rating.agent) && period.has(&rating.booked))
            .collect();
        if ratings.is_empty() {
            return None;
        }
        let tally = Tally::of(ratings.iter().copied());
        let stars = ratings.iter().map(|rating| rating.stars).sum();
        Some(json!({
            "satisfied": tally.satisfied, "neutral": tally.neutral, "disappointed": tally.disappointed,
            "mean_stars": ratio(stars, tally.all()),
            "good_rate": ratio(tally.satisfied, tally.all()),
            "neutral_rate": ratio(tally.neutral, tally.all()),
            "bad_rate": ratio(tally.disappointed, tally.all()),
            "attitude_rate": ratio(tally.attitude, tally.unhappy()),
            "reasons": reasons_by_level(&ratings),
        }))
    }

    /// M9a to M9c.
    fn sheet_answers(&self, owner: Owner, day: &str) -> Option<Value> {
        let all = self.rounds.iter();
        let rounds: Vec<&Round> = all
            .filter(|round| owner.has(&round.agent) && round.day == day)
            .collect();
        if rounds.is_empty() {
            return None;
        }
        let late = || rounds.iter().filter(|round| round.is_late(self.clock));
        let buyers: BTreeSet<&String> = rounds.iter().map(|round| &round.buyer).collect();
        let late_buyers: BTreeSet<&String> = late().map(|round| &round.buyer).collect();
        let (asking, waiting) = (buyers.len() as u64, late_buyers.len() as u64);
        let answered = || rounds.iter().filter(|round| round.answered);
        let length = |round: &&Round| round.ended.expect("it was answered") - round.began;
        let first: Vec<Ms> = answered()
            .filter(|round| round.first_of_stretch)
            .map(length)
            .collect();
        let each: Vec<Ms> = answered().map(length).collect();
        let ended = rounds.iter().filter(|round| round.ended.is_some()).count();
        Some(json!({
            "buyers": asking, "late_buyers": waiting, "reply_rate": ratio(asking - waiting, asking),
            "rounds": rounds.len(), "answered": each.len(), "late": late().count(),
            "dropped": ended - each.len(), "open": rounds.len() - ended,
            "first": lengths(&first), "each": lengths(&each),
        }))
    }

    /// M9d.
    fn sheet_taken_back(&self, owner: Owner, day: &str) -> Option<Value> {
        let of_day = |(agent, on): &&(String, String)| owner.has(agent) && on == day;
        let count = self.taken_backs.iter().filter(of_day).count();
        (count > 0).then(|| Value::from(count))
    }

    /// M9d.
    fn sheet_linger(&self, owner: Owner, day: &str) -> Option<Value> {
        let lingers: Vec<Ms> = self
            .closings
            .iter()
            .filter(|closing| closing.day == day)
            .filter_map(|closing| match &closing.kind {
                ClosingKind::Lingered(agent, linger) if owner.has(agent) => Some(*linger),
                ClosingKind::Lingered(..) | ClosingKind::Abandoned(_) => None,
            })
            .collect();
        (!lingers.is_empty()).then(|| lengths(&lingers))
    }

    /// M10.
    fn sheet_unserved(&self, owner: Owner, day: &str) -> Option<Value> {
        let asked = || {
            let all = self.sessions.iter();
            all.filter(|session| session.asked_on.as_deref() == Some(day))
        };
        let is_unserved = |session: &&Session| session.is_closed() && !session.human_replied;
        let unserved = || asked().filter(is_unserved);
        match owner {
            Owner::Agent(agent) => {
                let own = unserved().filter(|s| s.last_agent.as_deref() == Some(agent));
                let own = own.count();
                (own > 0).then(|| Value::from(own))
            }
            Owner::Desk => {
                let number = asked().count() as u64;
                let both = unserved().count() as u64;
                let never_answered = unserved().filter(|s| s.last_agent.is_some()).count() as u64;
                (number > 0).then(|| {
                    json!({
                        "asked": number, "never_assigned": both - never_answered,
                        "never_answered": never_answered, "rate": ratio(both, number),
                    })
                })
            }
        }
    }

    /// M10: the desk's alone.
    fn sheet_abandoned(&self, owner: Owner, day: &str) -> Option<Value> {
        let Owner::Desk = owner else {
            return None;
        };
        let waits: Vec<Ms> = self
            .closings
            .iter()
            .filter(|closing| closing.day == day)
            .filter_map(|closing| match closing.kind {
                ClosingKind::Abandoned(waited) => Some(waited),
                ClosingKind::Lingered(..) => None,
            })
            .collect();
        (!waits.is_empty()).then(|| lengths(&waits))
    }

    /// M11: an agent's alone.
    fn sheet_time(&self, owner: Owner, day: &str) -> Option<Value> {
        let Owner::Agent(agent) = owner else {
            return None;
        };
        let time = self.desk_times.get(&(agent.to_owned(), day.to_owned()))?;
        Some(json!({
            "online": seconds(time.online), "away": seconds(time.away), "full": seconds(time.full),
        }))
    }
}

/// Of each level that has some: how many ratings have the reason, and that ÷ the level's ratings.
fn reasons_by_level(ratings: &[&RecordedRating]) -> Value {
    let mut levels = Map::new();
    for level in ["satisfied", "neutral", "disappointed"] {
        let of_level = || ratings.iter().filter(|rating| rating.level() == level);
        let all = of_level().count() as u64;
        let named: BTreeSet<&String> = of_level().flat_map(|rating| &rating.reasons).collect();
        let reasons: Map<String, Value> = named
            .into_iter()
            .map(|reason| {
                let with = of_level().filter(|rating| rating.reasons.contains(reason));
                let count = with.count() as u64;
                let share = json!({ "count": count, "share": ratio(count, all) });
                (reason.clone(), share)
            })
            .collect();
        if !reasons.is_empty() {
            levels.insert(level.to_owned(), reasons.into());
        }
    }
    levels.into()
}

/// Count, mean and maximum in seconds.
fn lengths(lengths: &[Ms]) -> Value {
    json!({
        "count": lengths.len(), "mean": seconds(mean(lengths)),
        "max": seconds(lengths.iter().copied().max().unwrap_or(0)),
    })
}

/// Half away from zero, in milliseconds; 0 of none.
pub fn mean(lengths: &[Ms]) -> Ms {
    let number = Ms::try_from(lengths.len()).expect("a small number");
    match number {
        0 => 0,
        _ => (2 * lengths.iter().sum::<Ms>() + number) / (2 * number),
    }
}
