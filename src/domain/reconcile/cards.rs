//! Cards, invitations and ratings of a record: undone or added.

use super::before_event::Before;
use super::recorded::RecordedBody;
use super::recorded_entities::agent_of_record;
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

/// The invitation was not sent: removes its card and its count.
pub(super) fn take_back_invite(shop: &mut Shop, before: &Before, card: &Id, trigger: Trigger) {
    let totals = &mut shop.totals;
    let sent = match trigger {
        Trigger::Auto => &mut totals.auto_sent,
        Trigger::Manual => &mut totals.manual_sent,
    };
    *sent = sent.saturating_sub(1);
    let Some((session, place)) = shop.find_card(card) else {
        return;
    };
    let number = shop.sessions[session].buyer;
    match (trigger, before.buyer(number)) {
        (Trigger::Auto, Some(stood)) => {
            let buyer = &mut shop.buyers[number];
            buyer.auto_invited_at = stood.auto_invited_at;
            buyer.auto_invites = stood.auto_invites;
        }
        (Trigger::Auto, None) => {
            let buyer = &mut shop.buyers[number];
            buyer.auto_invited_at = Instant::NEVER;
            buyer.auto_invites.1 = buyer.auto_invites.1.saturating_sub(1);
        }
        (Trigger::Manual, _) => {
            let stood = before.tie(number, WHOLE_SHOP).manual_invited_at;
            shop.tie_mut(number, WHOLE_SHOP).manual_invited_at = stood;
        }
    }
    drop_card(shop, before, session, place);
}

/// The card was not opened: removes it if the event created it.
pub(super) fn take_back_opening(shop: &mut Shop, before: &Before, card: &Id) {
    let Some((session, place)) = shop.find_card(card) else {
        return;
    };
    let number = shop.sessions[session].buyer;
    for whom in [shop.sessions[session].cards[place].agent, WHOLE_SHOP] {
        let stood = before.tie(number, whom).rated_at;
        shop.tie_mut(number, whom).rated_at = stood;
    }
    drop_card(shop, before, session, place);
}

/// The rating does not count.
pub(super) fn take_back_rating(
    shop: &mut Shop,
    before: &Before,
    card: &Id,
    agent: &Id,
    stars: Stars,
    event: Option<&Event>,
) {
    let level = Level::of(stars) as usize;
    if let Some(agent) = shop.directory.agents.find(agent) {
        let tally = &mut shop.directory.agents[agent].tally;
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
        count_in_scores(shop, agent == BOT, stars, event, u64::saturating_sub);
    }
    let Some((session, place)) = shop.find_card(card) else {
        return;
    };
    let record = &mut shop.sessions[session];
    record.cards[place].used = false;
    let (number, agent) = (record.buyer, record.cards[place].agent);
    for whom in [agent, WHOLE_SHOP] {
        let stood = before.tie(number, whom);
        let tie = shop.tie_mut(number, whom);
        (tie.rated_at, tie.submitted_at) = (stood.rated_at, stood.submitted_at);
    }
}

/// Removes a card that did not exist before the event. If later cards exist, it stays and cannot be used.
fn drop_card(shop: &mut Shop, before: &Before, session: u32, place: usize) {
    let existed = before.session(session).map_or(0, |of| of.cards);
    let cards = &mut shop.sessions[session].cards;
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
    shop: &mut Shop,
    session: u32,
    card: &Id,
    agent: &Id,
    trigger: Trigger,
) {
    shop.totals.invite(trigger, &[]);
    let (buyer, now) = (shop.sessions[session].buyer, shop.now);
    match trigger {
        Trigger::Auto => shop.book_auto_invite(buyer),
        Trigger::Manual => shop.tie_mut(buyer, WHOLE_SHOP).manual_invited_at = now,
    }
    card_of_record(shop, session, card, agent, source_of(trigger));
}

/// The card was opened (I9).
pub(super) fn catch_up_opening(
    shop: &mut Shop,
    session: u32,
    card: &Id,
    agent: &Id,
    source: Source,
) {
    let Some(place) = card_of_record(shop, session, card, agent, source) else {
        return;
    };
    let record = &shop.sessions[session];
    let (buyer, agent, now) = (record.buyer, record.cards[place].agent, shop.now);
    for whom in [agent, WHOLE_SHOP] {
        shop.tie_mut(buyer, whom).rated_at = now;
    }
}

/// The rating counts (Q4).
pub(super) fn catch_up_rating(
    shop: &mut Shop,
    session: u32,
    (card, agent, source): (&Id, &Id, Source),
    stars: Stars,
    event: Option<&Event>,
) {
    let agent = match card_of_record(shop, session, card, agent, source) {
        Some(place) => {
            let record = &mut shop.sessions[session];
            record.cards[place].used = true;
            let (buyer, agent, now) = (record.buyer, record.cards[place].agent, shop.now);
            for whom in [agent, WHOLE_SHOP] {
                let tie = shop.tie_mut(buyer, whom);
                (tie.rated_at, tie.submitted_at) = (now, now);
            }
            agent
        }
        None => agent_of_record(shop, agent),
    };
    let tally = &mut shop.directory.agents[agent].tally;
    tally.levels[Level::of(stars) as usize] += 1;
    tally.stars += u64::from(stars.count());
    for reason in reasons_of(event) {
        *tally.reasons.entry(reason.clone()).or_default() += 1;
    }
    count_in_scores(shop, agent == BOT, stars, event, u64::saturating_add);
}

/// Restores the card of a decision that both have. Undoing another card may have removed it.
pub(super) fn keep_card(shop: &mut Shop, decision: &RecordedBody) {
    let (session, card, agent, source, used) = match decision {
        RecordedBody::InviteSent {
            session,
            card,
            agent,
            trigger,
            ..
        } => (session, card, agent, source_of(*trigger), false),
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
    if let Some(session) = shop.sessions.find(session)
        && let Some(place) = card_of_record(shop, session, card, agent, source)
    {
        shop.sessions[session].cards[place].used |= used;
    }
}

/// The index of a recorded card of this session. Creates it with the recorded agent and source if necessary. `None`
/// if its id does not belong to the session.
fn card_of_record(
    shop: &mut Shop,
    session: u32,
    card: &Id,
    agent: &Id,
    source: Source,
) -> Option<usize> {
    let (of, number) = card.rsplit_once('#')?;
    let number: usize = number.parse().ok()?;
    if of != shop.sessions[session].id.as_str() || !(1..=CARDS_MAX).contains(&number) {
        return None;
    }
    let agent = agent_of_record(shop, agent);
    let made = shop.now;
    let cards = &mut shop.sessions[session].cards;
    let existed = number <= cards.len();
    // Cards in between that no client knows of can never be used.
    let card = |used| Card {
        agent,
        source,
        made,
        day: None,
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
    shop: &mut Shop,
    of_bot: bool,
    stars: Stars,
    event: Option<&Event>,
    by: fn(u64, u64) -> u64,
) {
    let level = Level::of(stars);
    let (week, month) = (shop.span.day.week(), shop.span.day.month());
    let book = shop.scores.weeks.entry(week).or_default();
    book.levels[level as usize] = by(book.levels[level as usize], 1);
    book.of_bot[level as usize] = by(book.of_bot[level as usize], u64::from(of_bot));
    let book = shop.scores.months.entry(month).or_default();
    if level != Level::Satisfied {
        book.unhappy = by(book.unhappy, 1);
        let attitude = reasons_of(event).iter().any(|of| of.as_str() == ATTITUDE);
        book.attitude = by(book.attitude, u64::from(attitude));
    }
}

/// The source of a card with this trigger.
fn source_of(trigger: Trigger) -> Source {
    match trigger {
        Trigger::Auto => Source::Auto,
        Trigger::Manual => Source::Agent,
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
            | EventBody::AgentReady { .. }
            | EventBody::PresenceChanged { .. }
            | EventBody::SessionOpened { .. }
            | EventBody::SessionHandoff { .. }
            | EventBody::SessionTransferred { .. }
            | EventBody::SessionClosed { .. }
            | EventBody::SessionRanked { .. }
            | EventBody::BuyerLeft { .. }
            | EventBody::BuyerReturned { .. }
            | EventBody::BuyerMessage { .. }
            | EventBody::AgentMessage { .. }
            | EventBody::BotMessage { .. }
            | EventBody::InviteRequested { .. }
            | EventBody::RatingOpened { .. }
            | EventBody::BuyerFlagged { .. }
            | EventBody::BuyerRanked { .. }
            | EventBody::BuyerBlocked { .. }
            | EventBody::Clock,
        )
        | None => &[],
    }
}
