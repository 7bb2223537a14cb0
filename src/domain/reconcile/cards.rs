//! Cards, invitations and ratings of a record: undone or added.

use super::before_event::Before;
use super::recorded::RecordedBody;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::decision::Trigger;
use crate::domain::protocol::event::{Event, EventBody, Stars};
use crate::domain::protocol::rating::{Level, Source};
use crate::domain::state::agent::BOT;
use crate::domain::state::buyer::WHOLE_SHOP;
use crate::domain::state::card::Card;
use crate::domain::state::scores::ATTITUDE;
use crate::domain::state::shop::Shop;

/// The maximum number of cards of a session. A recorded card beyond it is not created.
const CARDS_MAX: usize = 1000;

impl Shop {
    /// The invitation was not sent: removes its card and its count.
    pub(super) fn take_back_invite(&mut self, before: &Before, card: &Id, trigger: Trigger) {
        let totals = &mut self.totals;
        let sent = match trigger {
            Trigger::Auto => &mut totals.auto_sent,
            Trigger::Manual => &mut totals.manual_sent,
        };
        *sent = sent.saturating_sub(1);
        let Some((session, place)) = self.find_card(card) else {
            return;
        };
        let number = self.sessions[session].buyer;
        match (trigger, before.buyer(number)) {
            (Trigger::Auto, Some(stood)) => {
                let buyer = &mut self.buyers[number];
                buyer.auto_invited_at = stood.auto_invited_at;
                buyer.auto_invites = stood.auto_invites;
            }
            (Trigger::Auto, None) => {
                let buyer = &mut self.buyers[number];
                buyer.auto_invited_at = Instant::NEVER;
                buyer.auto_invites.1 = buyer.auto_invites.1.saturating_sub(1);
            }
            (Trigger::Manual, _) => {
                let stood = before.tie(number, WHOLE_SHOP).manual_invited_at;
                self.tie_mut(number, WHOLE_SHOP).manual_invited_at = stood;
            }
        }
        self.drop_card(before, session, place);
    }

    /// The card was not opened: removes it if the event created it.
    pub(super) fn take_back_opening(&mut self, before: &Before, card: &Id) {
        let Some((session, place)) = self.find_card(card) else {
            return;
        };
        let number = self.sessions[session].buyer;
        for whom in [self.sessions[session].cards[place].agent, WHOLE_SHOP] {
            let stood = before.tie(number, whom).rated_at;
            self.tie_mut(number, whom).rated_at = stood;
        }
        self.drop_card(before, session, place);
    }

    /// The rating does not count.
    pub(super) fn take_back_rating(
        &mut self,
        before: &Before,
        card: &Id,
        agent: &Id,
        stars: Stars,
        event: Option<&Event>,
    ) {
        let level = Level::of(stars) as usize;
        if let Some(agent) = self.directory.agents.find(agent) {
            let tally = &mut self.directory.agents[agent].tally;
            tally.levels[level] = tally.levels[level].saturating_sub(1);
            tally.stars = tally.stars.saturating_sub(u64::from(stars.count()));
            for reason in reasons_of(event) {
                if let Some(count) = tally.reasons.get_mut(reason) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        tally.reasons.remove(reason);
                    }
                }
            }
            self.count_in_scores(agent == BOT, stars, event, u64::saturating_sub);
        }
        let Some((session, place)) = self.find_card(card) else {
            return;
        };
        let record = &mut self.sessions[session];
        record.cards[place].used = false;
        let (number, agent) = (record.buyer, record.cards[place].agent);
        for whom in [agent, WHOLE_SHOP] {
            let stood = before.tie(number, whom);
            let tie = self.tie_mut(number, whom);
            (tie.rated_at, tie.submitted_at) = (stood.rated_at, stood.submitted_at);
        }
    }

    /// Removes a card that did not exist before the event. If later cards exist, it stays and cannot be used.
    fn drop_card(&mut self, before: &Before, session: u32, place: usize) {
        let existed = before.session(session).map_or(0, |of| of.cards);
        let cards = &mut self.sessions[session].cards;
        if place < existed {
            return;
        }
        if place + 1 == cards.len() {
            cards.pop();
        } else {
            cards[place].used = true;
        }
    }

    /// The invitation was sent: its card exists and it counts (I10, I11).
    pub(super) fn catch_up_invite(
        &mut self,
        session: u32,
        card: &Id,
        agent: &Id,
        trigger: Trigger,
    ) {
        self.totals.invite(trigger, &[]);
        let (buyer, now) = (self.sessions[session].buyer, self.now);
        match trigger {
            Trigger::Auto => self.book_auto_invite(buyer),
            Trigger::Manual => self.tie_mut(buyer, WHOLE_SHOP).manual_invited_at = now,
        }
        self.card_of_record(session, card, agent, Shop::source_of(trigger));
    }

    /// The card was opened (I9).
    pub(super) fn catch_up_opening(&mut self, session: u32, card: &Id, agent: &Id, source: Source) {
        let Some(place) = self.card_of_record(session, card, agent, source) else {
            return;
        };
        let record = &self.sessions[session];
        let (buyer, agent, now) = (record.buyer, record.cards[place].agent, self.now);
        for whom in [agent, WHOLE_SHOP] {
            self.tie_mut(buyer, whom).rated_at = now;
        }
    }

    /// The rating counts (Q4).
    pub(super) fn catch_up_rating(
        &mut self,
        session: u32,
        (card, agent, source): (&Id, &Id, Source),
        stars: Stars,
        event: Option<&Event>,
    ) {
        let agent = match self.card_of_record(session, card, agent, source) {
            Some(place) => {
                let record = &mut self.sessions[session];
                record.cards[place].used = true;
                let (buyer, agent, now) = (record.buyer, record.cards[place].agent, self.now);
                for whom in [agent, WHOLE_SHOP] {
                    let tie = self.tie_mut(buyer, whom);
                    (tie.rated_at, tie.submitted_at) = (now, now);
                }
                agent
            }
            None => self.agent_of_record(agent),
        };
        let tally = &mut self.directory.agents[agent].tally;
        tally.levels[Level::of(stars) as usize] += 1;
        tally.stars += u64::from(stars.count());
        for reason in reasons_of(event) {
            *tally.reasons.entry(reason.clone()).or_default() += 1;
        }
        self.count_in_scores(agent == BOT, stars, event, u64::saturating_add);
    }

    /// Restores the card of a decision that both have. Undoing another card may have removed it.
    pub(super) fn keep_card(&mut self, decision: &RecordedBody) {
        let (session, card, agent, source, used) = match decision {
            RecordedBody::InviteSent {
                session,
                card,
                agent,
                trigger,
                ..
            } => (session, card, agent, Shop::source_of(*trigger), false),
            RecordedBody::RatingOpened {
                session,
                card,
                agent,
                source,
                ..
            } => (session, card, agent, *source, false),
            RecordedBody::RatingRecorded {
                session,
                card,
                agent,
                source,
                ..
            } => (session, card, agent, *source, true),
            RecordedBody::Assigned { .. }
            | RecordedBody::Queued { .. }
            | RecordedBody::Closed { .. }
            | RecordedBody::InviteBlocked { .. }
            | RecordedBody::ReplyDue { .. }
            | RecordedBody::ReplyOverdue { .. }
            | RecordedBody::Score { .. }
            | RecordedBody::Rejected { .. }
            | RecordedBody::Other => return,
        };
        if let Some(session) = self.sessions.find(session)
            && let Some(place) = self.card_of_record(session, card, agent, source)
        {
            self.sessions[session].cards[place].used |= used;
        }
    }

    /// The index of a recorded card of this session. Creates it with the recorded agent and source if necessary. `None`
    /// if its id does not belong to the session.
    fn card_of_record(
        &mut self,
        session: u32,
        card: &Id,
        agent: &Id,
        source: Source,
    ) -> Option<usize> {
        let (of, number) = card.rsplit_once('#')?;
        let number: usize = number.parse().ok()?;
        if of != self.sessions[session].id.as_str() || !(1..=CARDS_MAX).contains(&number) {
            return None;
        }
        let agent = self.agent_of_record(agent);
        let made = self.now;
        let cards = &mut self.sessions[session].cards;
        let existed = number <= cards.len();
        // Cards in between that no client knows of can never be used.
        let card = |used| Card {
            agent,
            source,
            made,
            used,
        };
        while cards.len() < number {
            cards.push(card(true));
        }
        let place = number - 1;
        if existed {
            (cards[place].agent, cards[place].source) = (agent, source);
        } else {
            cards[place] = card(false);
        }
        Some(place)
    }

    /// Adds a rating to its week and month, or subtracts it (M4, M5).
    fn count_in_scores(
        &mut self,
        of_bot: bool,
        stars: Stars,
        event: Option<&Event>,
        by: fn(u64, u64) -> u64,
    ) {
        let level = Level::of(stars);
        let (week, month) = (self.span.day.week(), self.span.day.month());
        let book = self.scores.weeks.entry(week).or_default();
        book.levels[level as usize] = by(book.levels[level as usize], 1);
        book.of_bot[level as usize] = by(book.of_bot[level as usize], u64::from(of_bot));
        let book = self.scores.months.entry(month).or_default();
        if level != Level::Satisfied {
            book.unhappy = by(book.unhappy, 1);
            let attitude = reasons_of(event).iter().any(|of| of.as_str() == ATTITUDE);
            book.attitude = by(book.attitude, u64::from(attitude));
        }
    }
}

/// The reasons of a rating, from its event.
fn reasons_of(event: Option<&Event>) -> &[Id] {
    match event.map(|event| &event.what) {
        Some(EventBody::RatingSubmitted { reasons, .. }) => reasons,
        Some(
            EventBody::ShopConfigured { .. }
            | EventBody::AgentConfigured { .. }
            | EventBody::AgentRemoved { .. }
            | EventBody::PresenceChanged { .. }
            | EventBody::SessionOpened { .. }
            | EventBody::SessionHandoff { .. }
            | EventBody::SessionTransferred { .. }
            | EventBody::SessionClosed { .. }
            | EventBody::BuyerMessage { .. }
            | EventBody::AgentMessage { .. }
            | EventBody::BotMessage { .. }
            | EventBody::InviteRequested { .. }
            | EventBody::RatingOpened { .. }
            | EventBody::BuyerFlagged { .. }
            | EventBody::Clock,
        )
        | None => &[],
    }
}
