//! Ratings (Q1 to Q6): cards opened, submitted, refused.

use crate::model::calendar;
use crate::model::event::{BOT, RatingTarget};
use crate::model::policy::Per;
use crate::model::session::{Card, Periods, Place, Source};
use crate::model::shop::{Answer, Shop};
use crate::model::value::{DAY_MS, Ms};
use serde_json::json;
use std::collections::BTreeSet;

/// Q1: how long after its close a session may still be rated without a card.
const OVER_AFTER_MS: Ms = DAY_MS;

/// A card that a buyer opened or submitted.
pub struct RatingAct {
    pub buyer: String,
    pub agent: String,
    pub at: Ms,
    pub submitted: bool,
}

/// A rating as the scores count it.
pub struct RecordedRating {
    pub agent: String,
    pub stars: u64,
    pub booked: Periods,
    pub reasons: BTreeSet<String>,
    /// Whether M6 judges it (M4).
    pub judged: bool,
}

/// What a buyer says in a rating.
pub struct Said {
    pub stars: u64,
    /// Without repeats.
    pub reasons: Vec<String>,
    pub comment: String,
}

impl RecordedRating {
    /// Q5.
    pub fn level(&self) -> &'static str {
        level(self.stars)
    }
}

fn level(stars: u64) -> &'static str {
    match stars {
        4.. => "satisfied",
        3 => "neutral",
        _ => "disappointed",
    }
}

/// A card: its session and its place there.
type CardPlace = (usize, usize);

impl Shop {
    pub fn rating_opened(&mut self, id: &str, card: Option<String>) -> Answer {
        let index = self.known(id)?;
        if self.is_blocked(&self.sessions[index].buyer) {
            self.refuse(Some(index), card, "buyer_blocked"); // B1
            return Ok(());
        }
        let Some(card) = card else {
            self.open_own_card(index); // Q1
            return Ok(());
        };
        let found = self.find_card(&card).filter(|place| place.0 == index); // Q2
        let refusal = match found {
            None => Some("card_unknown"),
            Some(place) => self.card_refusal(place),
        };
        match (found, refusal) {
            (Some(place), None) => self.note_opened(place),
            (_, refusal) => self.refuse(Some(index), Some(card), refusal.unwrap_or("card_unknown")),
        }
        Ok(())
    }

    pub fn rating_submitted(&mut self, target: RatingTarget, said: Said) -> Answer {
        let place = match target {
            RatingTarget::Card(card) => match self.find_card(&card) {
                Some((index, _)) if self.is_blocked(&self.sessions[index].buyer) => {
                    self.refuse(Some(index), Some(card), "buyer_blocked"); // B1
                    return Ok(());
                }
                Some(place) => Some(place),
                None => {
                    self.refuse(None, Some(card), "card_unknown");
                    return Ok(());
                }
            },
            RatingTarget::Session(id) => {
                let index = self.known(&id)?;
                if self.is_blocked(&self.sessions[index].buyer) {
                    self.refuse(Some(index), None, "buyer_blocked"); // B1
                    return Ok(());
                }
                let newest = self.sessions[index]
                    .cards
                    .iter()
                    .rposition(|card| !card.submitted);
                match newest {
                    Some(card) => Some((index, card)),
                    None => self.open_own_card(index),
                }
            }
        };
        if let Some(place) = place {
            self.submit(place, said); // Q3
        }
        Ok(())
    }

    /// Q1: makes a card and opens it, unless that is refused.
    fn open_own_card(&mut self, index: usize) -> Option<CardPlace> {
        if let Some(reason) = self.own_card_refusal(index) {
            self.refuse(Some(index), None, reason);
            return None;
        }
        self.make_card(index, Source::Buyer);
        let place = (index, self.sessions[index].cards.len() - 1);
        self.note_opened(place);
        Some(place)
    }

    /// Q1: the first that applies.
    fn own_card_refusal(&self, index: usize) -> Option<&'static str> {
        let session = &self.sessions[index];
        if let Place::Closed { at } = session.place
            && self.clock >= at + OVER_AFTER_MS
        {
            return Some("session_over");
        }
        let Some(agent) = session.served_by() else {
            return Some("nobody_served");
        };
        let to = match self.policy.rating.contact {
            Per::Agent => Some(agent),
            Per::Shop => None,
        };
        if !self.wrote_today(&session.buyer, to) {
            return Some("no_contact");
        }
        self.rated_recently(&session.buyer, agent)
            .then_some("rated_recently")
    }

    /// Whether the buyer sent a message on this natural day, to that agent or to anybody in the shop.
    pub fn wrote_today(&self, buyer: &str, to: Option<&str>) -> bool {
        let today = self.today();
        self.contacts.iter().any(|contact| {
            let reached = to.is_none() || contact.to.as_deref() == to;
            contact.buyer == buyer && contact.day == today && reached
        })
    }

    /// Q1: the buyer submitted a rating within `window`, of that agent or of any.
    fn rated_recently(&self, buyer: &str, agent: &str) -> bool {
        let rating = &self.policy.rating;
        self.rating_acts.iter().any(|act| {
            let same = rating.per == Per::Shop || act.agent == agent;
            act.submitted && act.buyer == buyer && same && self.clock < act.at + rating.window
        })
    }

    /// The card of that id, of a session that is still known (S1).
    fn find_card(&self, id: &str) -> Option<CardPlace> {
        let (session, _number) = id.rsplit_once('#')?;
        let index = self.known(session).ok()?;
        let card = self.sessions[index]
            .cards
            .iter()
            .position(|card| card.id == id)?;
        Some((index, card))
    }

    /// Q2.
    fn card_refusal(&self, (index, card): CardPlace) -> Option<&'static str> {
        let card = &self.sessions[index].cards[card];
        if card.submitted {
            return Some("card_used");
        }
        (self.clock >= card.made + self.policy.rating.card_valid).then_some("card_expired")
    }

    /// A new card of the session, for whoever has it or had it last.
    pub fn make_card(&mut self, index: usize, source: Source) -> Card {
        let booked = self.periods(self.clock);
        let session = &mut self.sessions[index];
        let card = Card {
            id: format!("{}#{}", session.id, session.cards.len() + 1),
            agent: session.served_by().expect("somebody served").to_owned(),
            source,
            made: self.clock,
            booked,
            submitted: false,
        };
        session.cards.push(card.clone());
        card
    }

    fn note_opened(&mut self, (index, card): CardPlace) {
        let session = &self.sessions[index];
        let card = session.cards[card].clone();
        let buyer = session.buyer.clone();
        let fields = json!({
            "card": card.id, "session": session.id, "buyer": buyer, "agent": card.agent,
            "source": card.source.name(),
        });
        let act = RatingAct {
            buyer,
            agent: card.agent,
            at: self.clock,
            submitted: false,
        };
        self.rating_acts.push(act);
        self.emit("rating.opened", fields);
    }

    /// Q3.
    fn submit(&mut self, place: CardPlace, said: Said) {
        let (index, card) = place;
        let session = &self.sessions[index];
        let agent = &session.cards[card].agent;
        let rated = self
            .rated_recently(&session.buyer, agent)
            .then_some("rated_recently");
        match self.card_refusal(place).or(rated) {
            Some(reason) => {
                let card = session.cards[card].id.clone();
                self.refuse(Some(index), Some(card), reason);
            }
            None => self.record(place, said),
        }
    }

    fn record(&mut self, (index, card): CardPlace, said: Said) {
        let Said {
            stars,
            reasons,
            comment,
        } = said;
        self.sessions[index].cards[card].submitted = true;
        let session = &self.sessions[index];
        let card = session.cards[card].clone();
        let buyer = session.buyer.clone();
        let fields = json!({
            "card": card.id, "session": session.id, "buyer": buyer, "agent": card.agent,
            "level": level(stars), "stars": stars, "source": card.source.name(),
            "reasons": (!reasons.is_empty()).then_some(&reasons),
            "comment": (!comment.is_empty()).then_some(comment),
        });
        let judged = self.is_judged(&card);
        let agent = card.agent;
        let act = RatingAct {
            buyer,
            agent: agent.clone(),
            at: self.clock,
            submitted: true,
        };
        self.rating_acts.push(act);
        self.ratings.push(RecordedRating {
            agent,
            stars,
            booked: self.periods(self.clock),
            reasons: reasons.into_iter().collect(),
            judged,
        });
        self.emit("rating.recorded", fields);
        self.judge_ratings();
    }

    /// M4, decided when the rating is recorded: by whose card it is, and when that was made.
    fn is_judged(&self, card: &Card) -> bool {
        let service = &self.policy.service;
        let made = calendar::time_of_day(card.made, &self.policy.zone);
        let of_the_hours = service.good_rate_from <= made && made < service.good_rate_to;
        of_the_hours && !(service.good_rate_human && card.agent == BOT)
    }

    /// Q6: names the session and the card as far as the event or the card tells them.
    fn refuse(&mut self, session: Option<usize>, card: Option<String>, reason: &str) {
        let session = session.map(|session| self.sessions[session].id.clone());
        self.emit(
            "rating.refused",
            json!({ "session": session, "card": card, "reason": reason }),
        );
    }
}
