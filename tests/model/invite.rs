//! Invitations (I1 to I13): automatic when a session closes, manual when an agent asks.

use crate::model::calendar;
use crate::model::policy::Invite;
use crate::model::routing::hash;
use crate::model::session::{Card, Session, Source, Speaker};
use crate::model::shop::{Answer, Shop};
use crate::model::value::Ms;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// An automatic or manual invite that was sent, in the order of handling over all shops.
pub struct SentInvite {
    pub shop: String,
    /// The shop's `buyer_space` when it was sent.
    pub space: String,
    pub buyer: String,
    pub auto: bool,
    pub at: Ms,
    /// The shop's natural day when it was sent.
    pub day: String,
}

#[derive(Default)]
pub struct InviteCounts {
    pub auto_sent: u64,
    pub manual_sent: u64,
    pub blocked: BTreeMap<&'static str, u64>,
}

/// What speaks against an invite, in the order of the rules, and when that ends.
#[derive(Default)]
struct Blocks {
    codes: Vec<&'static str>,
    ends: Vec<Ms>,
}

impl Blocks {
    fn add(&mut self, code: &'static str, applies: bool) {
        if applies {
            self.codes.push(code);
        }
    }

    /// A code that applies while any of its windows lasts.
    fn add_windows(&mut self, code: &'static str, ends: Vec<Ms>) {
        self.add(code, !ends.is_empty());
        self.ends.extend(ends);
    }

    /// Given where I9 to I11 are the only codes.
    fn retry_at(&self) -> Option<Ms> {
        const PASSING: [&str; 3] = ["rated_recently", "already_invited", "shop_day_cap"];
        let passes = self.codes.iter().all(|code| PASSING.contains(code));
        if passes {
            self.ends.iter().max().copied()
        } else {
            None
        }
    }
}

impl Shop {
    /// Right after `session.closed`.
    pub fn decide_auto_invite(&mut self, index: usize, reason: &str) {
        let blocks = self.auto_blocks(&self.sessions[index], reason);
        self.send_or_block(index, blocks, true);
    }

    pub fn invite_requested(&mut self, id: &str, agent: Option<&str>) -> Answer {
        let index = self.session_of_agent(id, agent)?;
        let blocks = self.manual_blocks(&self.sessions[index]);
        self.send_or_block(index, blocks, false);
        Ok(())
    }

    fn auto_blocks(&self, session: &Session, reason: &str) -> Blocks {
        let invite = &self.policy.invite;
        let buyer = session.buyer.as_str();
        let mut blocks = Blocks::default();
        blocks.add("disabled", !invite.auto); // I1
        blocks.add("bot_session", is_blocked_bot_session(session, invite)); // I2
        blocks.add(
            "close_reason",
            !invite.after.iter().any(|after| after == reason),
        ); // I3
        let agent_spoke_last = session.last_speaker == Some(Speaker::Agent);
        blocks.add(
            "buyer_spoke_last",
            invite.agent_spoke_last && !agent_spoke_last,
        ); // I4
        let length = self.clock - session.opened;
        blocks.add(
            "too_short",
            invite.longer_than > 0 && length <= invite.longer_than,
        ); // I5
        blocks.add("suspended", self.is_suspended()); // I6
        blocks.add("risk_buyer", self.risky.contains(buyer)); // I7
        let drawn = hash(&format!("invite:{}", session.id)) % 10_000;
        blocks.add("not_sampled", drawn >= invite.auto_percent_hundredths); // I8
        blocks.add_windows("rated_recently", self.rated_windows(buyer, None)); // I9
        let quiet = (invite.manual_quiet, invite.auto_quiet);
        blocks.add_windows("already_invited", self.invited_windows(buyer, quiet)); // I10
        blocks.add_windows("shop_day_cap", self.day_cap_window(buyer)); // I11
        blocks.add("buyer_day_cap", self.is_capped_by_other_shops(buyer)); // I12
        blocks
    }

    fn manual_blocks(&self, session: &Session) -> Blocks {
        let invite = &self.policy.invite;
        let buyer = session.buyer.as_str();
        let agent = session.agent().expect("the session's own agent asks");
        let mut blocks = Blocks::default();
        blocks.add("disabled", !invite.manual); // I1
        blocks.add_windows("rated_recently", self.rated_windows(buyer, Some(agent))); // I9
        let quiet = (invite.manual_quiet, invite.manual_quiet);
        blocks.add_windows("already_invited", self.invited_windows(buyer, quiet)); // I10
        let contact = self.wrote_today(buyer, Some(agent));
        blocks.add("no_contact", invite.manual_needs_contact && !contact); // I13
        blocks
    }

    /// I6: from ≤ local now < to, over the new year where from > to.
    fn is_suspended(&self) -> bool {
        let now = calendar::time_of_year(self.clock, &self.policy.zone);
        let within = |(from, to): &(_, _)| {
            if from < to {
                *from <= now && now < *to
            } else {
                *from <= now || now < *to
            }
        };
        self.policy.invite.suspended.iter().any(within)
    }

    /// I9: the ends of the windows of what the buyer submitted or opened, of this agent or of any. For the button
    /// opening is enough, for an automatic invite it is so with `quiet_after_opening`.
    fn rated_windows(&self, buyer: &str, agent: Option<&str>) -> Vec<Ms> {
        let quiet = self.policy.invite.quiet_after_rating;
        let opening_is_enough = agent.is_some() || self.policy.invite.quiet_after_opening;
        let acts = self.rating_acts.iter();
        acts.filter(|act| act.buyer == buyer && agent.is_none_or(|agent| act.agent == agent))
            .filter(|act| act.submitted || opening_is_enough)
            .map(|act| act.at + quiet)
            .filter(|end| self.clock < *end)
            .collect()
    }

    /// I10, with the windows of a manual and of an auto invite.
    fn invited_windows(&self, buyer: &str, (manual, auto): (Ms, Ms)) -> Vec<Ms> {
        let own = self
            .ledger
            .iter()
            .filter(|sent| sent.shop == self.name && sent.buyer == buyer);
        own.map(|sent| sent.at + if sent.auto { auto } else { manual })
            .filter(|end| self.clock < *end)
            .collect()
    }

    /// I11: until the next natural day.
    fn day_cap_window(&self, buyer: &str) -> Vec<Ms> {
        let cap = self.policy.invite.auto_per_shop_day;
        let today = self.today();
        let of_today = |sent: &&SentInvite| {
            sent.auto && sent.shop == self.name && sent.buyer == buyer && sent.day == today
        };
        let sent = self.ledger.iter().filter(of_today).count() as u64;
        if cap == 0 || sent < cap {
            return Vec::new();
        }
        vec![calendar::next_day(self.clock, &self.policy.zone)]
    }

    /// I12: other shops, each counted once, by the instant on this shop's day of now.
    fn is_capped_by_other_shops(&self, buyer: &str) -> bool {
        let cap = self.policy.invite.shops_per_buyer_day;
        let today = self.today();
        let counts = |sent: &&SentInvite| {
            sent.auto
                && sent.shop != self.name
                && sent.space == self.policy.buyer_space
                && sent.buyer == buyer
                && calendar::day(sent.at, &self.policy.zone) == today
        };
        let others: BTreeSet<&str> = self
            .ledger
            .iter()
            .filter(counts)
            .map(|sent| sent.shop.as_str())
            .collect();
        cap > 0 && others.len() as u64 >= cap
    }

    fn send_or_block(&mut self, index: usize, blocks: Blocks, auto: bool) {
        let trigger = if auto { "auto" } else { "manual" };
        if blocks.codes.is_empty() {
            self.send_invite(index, auto, trigger);
            return;
        }
        for code in &blocks.codes {
            *self.invite_counts.blocked.entry(code).or_default() += 1;
        }
        let session = &self.sessions[index];
        let fields = json!({
            "session": session.id, "buyer": session.buyer, "agent": session.served_by(),
            "trigger": trigger, "blocked_by": blocks.codes,
            "retry_at": blocks.retry_at().map(|at| self.written(at)),
        });
        self.emit("invite.blocked", fields);
    }

    fn send_invite(&mut self, index: usize, auto: bool, trigger: &str) {
        let sent = SentInvite {
            shop: self.name.clone(),
            space: self.policy.buyer_space.clone(),
            buyer: self.sessions[index].buyer.clone(),
            auto,
            at: self.clock,
            day: self.today(),
        };
        self.ledger.push(sent);
        self.invite_counts.auto_sent += u64::from(auto);
        self.invite_counts.manual_sent += u64::from(!auto);
        let source = if auto { Source::Auto } else { Source::Agent };
        let Card { id, agent, .. } = self.make_card(index, source);
        let session = &self.sessions[index];
        let fields = json!({
            "card": id, "session": session.id, "buyer": session.buyer, "agent": agent,
            "trigger": trigger,
        });
        self.emit("invite.sent", fields);
    }
}

/// I2: nobody had it, or only the bot and `bots` is off.
fn is_blocked_bot_session(session: &Session, invite: &Invite) -> bool {
    match (&session.last_agent, session.bot_had_it) {
        (Some(_), _) => false,
        (None, true) => !invite.bots,
        (None, false) => true,
    }
}
