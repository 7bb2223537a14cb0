//! Cards, invitations and ratings of a record: undone or added.

use std::collections::BTreeMap;

use super::before_event::Before;
use super::recorded::RecordedBody;
use super::recorded_entities::agent_of_record;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::decision::Trigger;
use crate::domain::protocol::event::Stars;
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
    (card, agent): (&Id, &Id),
    stars: Stars,
    reasons: &[Id],
) {
    let found = shop.find_card(card);
    let known = found.map(|(session, place)| shop.sessions[session].cards[place]);
    if let Some(agent) = shop.directory.agents.find(agent) {
        let made = known.map_or(shop.now, |card| card.made);
        count_rating(shop, agent, made, stars, reasons, u64::saturating_sub);
    }
    let Some((session, place)) = found else {
        return;
    };
    use_card(shop, session, place, false);
    let record = &shop.sessions[session];
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
    if place < existed {
        return;
    }
    let card = shop.sessions[session].cards[place];
    count_card(shop, card, u64::saturating_sub);
    let cards = &mut shop.sessions[session].cards;
    if place + 1 == cards.len() {
        cards.pop();
    } else {
        cards[place].used = true;
        cards[place].day = None;
    }
}

/// Whether the card was used for a rating, in the session and on its agent's sheet (M7).
fn use_card(shop: &mut Shop, session: u32, place: usize, used: bool) {
    let card = &mut shop.sessions[session].cards[place];
    if std::mem::replace(&mut card.used, used) == used {
        return;
    }
    let (agent, source) = (card.agent, card.source as usize);
    if let Some(day) = card.day {
        let rated = &mut shop.directory.agents[agent].sheet(day).cards.rated[source];
        *rated = match used {
            true => rated.saturating_add(1),
            false => rated.saturating_sub(1),
        };
    }
}

/// Counts a card on its agent's sheet, or takes it off (M7).
fn count_card(shop: &mut Shop, card: Card, by: fn(u64, u64) -> u64) {
    if let Some(day) = card.day {
        let cards = &mut shop.directory.agents[card.agent].sheet(day).cards;
        let source = card.source as usize;
        cards.made[source] = by(cards.made[source], 1);
        cards.rated[source] = by(cards.rated[source], u64::from(card.used));
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
    reasons: &[Id],
) {
    let (agent, made) = match card_of_record(shop, session, card, agent, source) {
        Some(place) => {
            use_card(shop, session, place, true);
            let record = &shop.sessions[session];
            let (buyer, card, now) = (record.buyer, record.cards[place], shop.now);
            for whom in [card.agent, WHOLE_SHOP] {
                let tie = shop.tie_mut(buyer, whom);
                (tie.rated_at, tie.submitted_at) = (now, now);
            }
            (card.agent, card.made)
        }
        None => (agent_of_record(shop, agent), shop.now),
    };
    count_rating(shop, agent, made, stars, reasons, u64::saturating_add);
}

/// Counts a rating of an agent, or takes it off: in its totals and on its sheet (M8), and in week and month.
fn count_rating(
    shop: &mut Shop,
    agent: u32,
    made: Instant,
    stars: Stars,
    reasons: &[Id],
    by: fn(u64, u64) -> u64,
) {
    let (level, count) = (Level::of(stars) as usize, u64::from(stars.count()));
    let today = shop.span.day;
    let record = &mut shop.directory.agents[agent];
    let tally = &mut record.tally;
    tally.levels[level] = by(tally.levels[level], 1);
    tally.stars = by(tally.stars, count);
    count_reasons(&mut tally.reasons, reasons, by);
    let ratings = &mut record.sheet(today).ratings;
    ratings.levels[level] = by(ratings.levels[level], 1);
    ratings.stars = by(ratings.stars, count);
    count_reasons(&mut ratings.reasons[level], reasons, by);
    count_in_scores(shop, agent == BOT, made, stars, reasons, by);
}

/// Counts reasons, or takes them off. None has a count of 0.
fn count_reasons(counts: &mut BTreeMap<Id, u64>, reasons: &[Id], by: fn(u64, u64) -> u64) {
    for reason in reasons {
        let count = counts.entry(reason.clone()).or_default();
        *count = by(*count, 1);
        if *count == 0 {
            counts.remove(reason);
        }
    }
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
        | RecordedBody::TakenBack { .. }
        | RecordedBody::Closed { .. }
        | RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => return,
    };
    if let Some(session) = shop.sessions.find(session)
        && let Some(place) = card_of_record(shop, session, card, agent, source)
        && used
    {
        use_card(shop, session, place, true);
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
    let (made, day, place) = (shop.now, shop.span.day, number - 1);
    let cards = &mut shop.sessions[session].cards;
    if let Some(card) = cards.get_mut(place) {
        let before = *card;
        (card.agent, card.source) = (agent, source);
        let now = *card;
        if now != before {
            count_card(shop, before, u64::saturating_sub);
            count_card(shop, now, u64::saturating_add);
        }
        return Some(place);
    }
    let card = Card {
        agent,
        source,
        made,
        day: Some(day),
        used: false,
    };
    // Cards in between that no client knows of can never be used.
    while cards.len() < place {
        cards.push(Card {
            day: None,
            used: true,
            ..card
        });
    }
    cards.push(card);
    count_card(shop, card, u64::saturating_add);
    Some(place)
}

/// Adds a rating to its week and month, or subtracts it (M4, M5).
fn count_in_scores(
    shop: &mut Shop,
    of_bot: bool,
    made: Instant,
    stars: Stars,
    reasons: &[Id],
    by: fn(u64, u64) -> u64,
) {
    let level = Level::of(stars);
    let is_judged = shop.is_judged(of_bot, made);
    let (week, month) = (shop.span.day.week(), shop.span.day.month());
    let book = shop.scores.weeks.entry(week).or_default();
    book.levels[level as usize] = by(book.levels[level as usize], 1);
    book.of_bot[level as usize] = by(book.of_bot[level as usize], u64::from(of_bot));
    if is_judged {
        let satisfied = u64::from(level == Level::Satisfied);
        book.judged.over = by(book.judged.over, satisfied);
        book.judged.under = by(book.judged.under, 1);
    }
    let book = shop.scores.months.entry(month).or_default();
    if level != Level::Satisfied {
        book.unhappy = by(book.unhappy, 1);
        let attitude = reasons.iter().any(|of| of.as_str() == ATTITUDE);
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
