//! Ratings: which cards open, which ratings count, and for which agent (Q1 to Q6).

use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Evidence;
use crate::domain::policy::Whom;
use crate::domain::protocol::codes::RefuseReason;
use crate::domain::protocol::decision::DecisionBody;
use crate::domain::protocol::event::{RatedOn, Stars};
use crate::domain::protocol::rating::{Level, Source};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::BOT;
use crate::domain::state::buyer::{BuyerAgentHistory, WHOLE_SHOP};
use crate::domain::state::card::Card;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shop::Shop;

/// How long after the close of a session its buyer may open a card without an invitation (Q1).
pub const OWN_CARD_AFTER_CLOSE: Duration = Duration::days(1);

/// A submitted rating.
pub(in crate::domain) struct Rating<'a> {
    pub(in crate::domain) stars: Stars,
    pub(in crate::domain) reasons: &'a [Id],
    pub(in crate::domain) comment: Option<&'a str>,
}

/// Why a rating is refused, and the card that it named or found.
struct RatingRefusal {
    session: Option<Id>,
    card: Option<Id>,
    reason: RefuseReason,
}

impl Shop {
    /// `rating.opened` (Q1, Q2).
    pub(in crate::domain) fn open_rating(
        &mut self,
        session: &Id,
        card: Option<&Id>,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let number = self.find_session(session)?;
        let opened = match card {
            _ if self.is_blocked(self.sessions[number].buyer) => Err(RatingRefusal {
                session: Some(session.clone()),
                card: card.cloned(),
                reason: RefuseReason::BuyerBlocked,
            }),
            None => self.make_own_card(number, out),
            Some(card) => self.invited_card(number, card, out),
        };
        match opened {
            Ok(place) => self.open_card(number, place, out),
            Err(refusal) => self.refuse(refusal, out),
        }
        Ok(())
    }

    /// `rating.submitted` (Q3).
    pub(in crate::domain) fn submit_rating(
        &mut self,
        on: &RatedOn,
        rating: &Rating<'_>,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let found = match on {
            RatedOn::Card(card) => self.find_card(card).ok_or_else(|| RatingRefusal {
                session: None,
                card: Some(card.clone()),
                reason: RefuseReason::CardUnknown,
            }),
            RatedOn::Session(session) => {
                let number = self.find_session(session)?;
                let cards = &self.sessions[number].cards;
                match cards.iter().rposition(|card| !card.used) {
                    _ if self.is_blocked(self.sessions[number].buyer) => Err(RatingRefusal {
                        session: Some(session.clone()),
                        card: None,
                        reason: RefuseReason::BuyerBlocked,
                    }),
                    Some(place) => Ok((number, place)),
                    None => match self.make_own_card(number, out) {
                        Ok(place) => {
                            self.open_card(number, place, out);
                            self.record(number, place, rating, out);
                            return Ok(());
                        }
                        Err(refusal) => Err(refusal),
                    },
                }
            }
        };
        let usable = found.and_then(|(session, place)| {
            if self.is_blocked(self.sessions[session].buyer) {
                return Err(self.refusal_of(session, place, RefuseReason::BuyerBlocked));
            }
            self.check_card(session, place, out)?;
            self.check_rated_recently(session, place, out)?;
            Ok((session, place))
        });
        match usable {
            Ok((session, place)) => self.record(session, place, rating, out),
            Err(refusal) => self.refuse(refusal, out),
        }
        Ok(())
    }

    /// Q1: a card without an invitation, for the agent that serves the session or served it last.
    fn make_own_card(
        &mut self,
        session: u32,
        out: &mut DecisionSink,
    ) -> Result<usize, RatingRefusal> {
        match self.check_own_card(session, out) {
            Ok(agent) => Ok(self.make_card(session, agent, Source::Buyer)),
            Err(reason) => Err(RatingRefusal {
                session: Some(self.sessions[session].id.clone()),
                card: None,
                reason,
            }),
        }
    }

    fn check_own_card(&self, session: u32, out: &mut DecisionSink) -> Result<u32, RefuseReason> {
        let record = &self.sessions[session];
        if let SessionPlace::Closed { at } = record.place
            && at + OWN_CARD_AFTER_CLOSE <= self.now
        {
            out.note(self.seq, || Evidence::ClosedAt(self.stamp(at)));
            return Err(RefuseReason::SessionOver);
        }
        let Some(agent) = record.served_by() else {
            return Err(RefuseReason::NobodyServed);
        };
        let day = self.days.get(self.span.day);
        let contact = self.policy.rating.contact;
        let wrote = day.is_some_and(|day| match contact {
            Whom::Agent => day.wrote_to(record.buyer, agent),
            Whom::Shop => day.buyer(record.buyer).wrote,
        });
        if !wrote {
            out.note(self.seq, || {
                Evidence::NotContacted(contact, self.agent_id(agent))
            });
            return Err(RefuseReason::NoContact);
        }
        self.rated_recently(record.buyer, agent, out)?;
        Ok(agent)
    }

    /// The last check of Q1, which also applies to cards of invitations (Q3).
    fn rated_recently(
        &self,
        buyer: u32,
        agent: u32,
        out: &mut DecisionSink,
    ) -> Result<(), RefuseReason> {
        let policy = self.policy.rating;
        let whom = match policy.per {
            Whom::Shop => WHOLE_SHOP,
            Whom::Agent => agent,
        };
        let submitted = self.tie(buyer, whom).submitted_at;
        if submitted.covers(policy.window, self.now) {
            out.note(self.seq, || Evidence::RatedAt {
                per: policy.per,
                at: self.stamp(submitted),
                again: self.stamp(submitted + policy.window),
            });
            return Err(RefuseReason::RatedRecently);
        }
        Ok(())
    }

    fn check_rated_recently(
        &self,
        session: u32,
        place: usize,
        out: &mut DecisionSink,
    ) -> Result<(), RatingRefusal> {
        let record = &self.sessions[session];
        let agent = record.cards[place].agent;
        let checked = self.rated_recently(record.buyer, agent, out);
        checked.map_err(|reason| self.refusal_of(session, place, reason))
    }

    fn refusal_of(&self, session: u32, place: usize, reason: RefuseReason) -> RatingRefusal {
        RatingRefusal {
            session: Some(self.sessions[session].id.clone()),
            card: Some(self.card_id(session, place)),
            reason,
        }
    }

    /// Q2: the card of this session that an event names.
    fn invited_card(
        &self,
        session: u32,
        card: &Id,
        out: &mut DecisionSink,
    ) -> Result<usize, RatingRefusal> {
        let found = self.find_card(card);
        match found.filter(|&(other, _)| other == session) {
            Some((_, place)) => self.check_card(session, place, out).map(|()| place),
            None => Err(RatingRefusal {
                session: Some(self.sessions[session].id.clone()),
                card: Some(card.clone()),
                reason: RefuseReason::CardUnknown,
            }),
        }
    }

    fn check_card(
        &self,
        session: u32,
        place: usize,
        out: &mut DecisionSink,
    ) -> Result<(), RatingRefusal> {
        let card = self.sessions[session].cards[place];
        if card.used {
            return Err(self.refusal_of(session, place, RefuseReason::CardUsed));
        }
        let expires = card.made + self.policy.rating.card_valid;
        if expires <= self.now {
            out.note(self.seq, || Evidence::CardExpired(self.stamp(expires)));
            return Err(self.refusal_of(session, place, RefuseReason::CardExpired));
        }
        Ok(())
    }

    /// The session and index of a card by its id, `<session>#<number>`.
    pub(in crate::domain) fn find_card(&self, card: &Id) -> Option<(u32, usize)> {
        let (session, number) = card.rsplit_once('#')?;
        let canonical = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let number: usize = number.parse().ok().filter(|_| canonical)?;
        let session = self.sessions.find(session)?;
        let made = self.sessions[session].cards.len();
        (1..=made).contains(&number).then(|| (session, number - 1))
    }

    pub(in crate::domain) fn card_id(&self, session: u32, place: usize) -> Id {
        Id::numbered(&self.sessions[session].id, place + 1)
    }

    /// Creates a card of the session. Returns its index.
    pub(in crate::domain) fn make_card(
        &mut self,
        session: u32,
        agent: u32,
        source: Source,
    ) -> usize {
        let (made, day) = (self.now, self.span.day);
        self.directory.agents[agent].sheet(day).cards.made[source as usize] += 1;
        let cards = &mut self.sessions[session].cards;
        cards.push(Card {
            agent,
            source,
            made,
            day: Some(day),
            used: false,
        });
        cards.len() - 1
    }

    fn open_card(&mut self, session: u32, place: usize, out: &mut DecisionSink) {
        let card = self.sessions[session].cards[place];
        let buyer = self.sessions[session].buyer;
        let now = self.now;
        for whom in [card.agent, WHOLE_SHOP] {
            self.tie_mut(buyer, whom).rated_at = now;
        }
        let (id, buyer) = self.names(session);
        let body = DecisionBody::RatingOpened {
            card: self.card_id(session, place),
            session: id,
            buyer,
            agent: self.agent_id(card.agent),
            source: card.source,
        };
        self.decide(body, out);
    }

    /// Books a rating that counts, for the agent on the card (Q4).
    fn record(&mut self, session: u32, place: usize, rating: &Rating<'_>, out: &mut DecisionSink) {
        let buyer = self.sessions[session].buyer;
        let card = &mut self.sessions[session].cards[place];
        card.used = true;
        let card = *card;
        let now = self.now;
        for whom in [card.agent, WHOLE_SHOP] {
            let tie = self.tie_mut(buyer, whom);
            (tie.rated_at, tie.submitted_at) = (now, now);
        }
        let level = Level::of(rating.stars);
        let today = self.span.day;
        let agent = &mut self.directory.agents[card.agent];
        if let Some(day) = card.day {
            agent.sheet(day).cards.rated[card.source as usize] += 1;
        }
        let ratings = &mut agent.sheet(today).ratings;
        ratings.levels[level as usize] += 1;
        ratings.stars += u64::from(rating.stars.count());
        for reason in rating.reasons {
            let of_level = &mut ratings.reasons[level as usize];
            *of_level.entry(reason.clone()).or_default() += 1;
        }
        let tally = &mut agent.tally;
        tally.levels[level as usize] += 1;
        tally.stars += u64::from(rating.stars.count());
        for reason in rating.reasons {
            *tally.reasons.entry(reason.clone()).or_default() += 1;
        }
        let (id, buyer) = self.names(session);
        let body = DecisionBody::RatingRecorded {
            card: self.card_id(session, place),
            session: id,
            buyer,
            agent: self.agent_id(card.agent),
            level,
            stars: rating.stars,
            source: card.source,
            reasons: rating.reasons.to_vec(),
            comment: rating.comment.map(Into::into),
        };
        self.decide(body, out);
        self.score_rating(level, card.agent == BOT, card.made, rating.reasons, out);
    }

    fn refuse(&mut self, refusal: RatingRefusal, out: &mut DecisionSink) {
        let RatingRefusal {
            session,
            card,
            reason,
        } = refusal;
        let named = session
            .as_ref()
            .and_then(|session| self.sessions.find(session));
        if let (RefuseReason::BuyerBlocked, Some(session)) = (reason, named) {
            self.note_blocked(self.sessions[session].buyer, out);
        }
        let body = DecisionBody::RatingRefused {
            session,
            card,
            reason,
        };
        self.decide(body, out);
    }

    /// The history of a buyer with an agent or with [`WHOLE_SHOP`]. Most buyers have none.
    pub(in crate::domain) fn tie(&self, buyer: u32, agent: u32) -> BuyerAgentHistory {
        let found = match self.buyers[buyer].held_by {
            0 => None,
            _ => self.ties.find(&(buyer, agent)),
        };
        found.map_or(BuyerAgentHistory::new(buyer, agent), |number| {
            self.ties[number]
        })
    }

    pub(in crate::domain) fn tie_mut(&mut self, buyer: u32, agent: u32) -> &mut BuyerAgentHistory {
        let known = self.ties.find(&(buyer, agent));
        let number = known.unwrap_or_else(|| {
            self.buyers[buyer].held_by += 1;
            self.ties.insert(BuyerAgentHistory::new(buyer, agent))
        });
        &mut self.ties[number]
    }
}
