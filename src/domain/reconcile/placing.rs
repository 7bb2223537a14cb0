//! The places of sessions by the record: with an agent, in a pool, with the bot, or closed.

use std::collections::BTreeMap;

use super::before_event::{Before, SessionBefore};
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::agent::BOT;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// The place of a session.
enum Where<'a> {
    With(&'a Id),
    In(&'a str),
    Over,
}

/// The place that a decision gives to its session.
fn puts(decision: &RecordedBody) -> Option<(&Id, Where<'_>)> {
    match decision {
        RecordedBody::Assigned { session, agent, .. } => Some((session, Where::With(agent))),
        RecordedBody::Queued { session, pool, .. } => Some((session, Where::In(pool))),
        RecordedBody::Closed { session, .. } => Some((session, Where::Over)),
        RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    }
}

impl Shop {
    /// Moves every session that is not at its recorded place: to the place of its last recorded decision, or back to
    /// its previous place.
    pub(super) fn place_as_recorded(
        &mut self,
        before: &Before,
        event: Option<&Event>,
        decided: &[RecordedDecision],
        (extra, missing): (&[&RecordedDecision], &[bool]),
        recorded: &RecordedOutcome<'_>,
        clock: (Instant, LocalDaySpan),
    ) {
        self.stand_at(clock.0, clock);
        self.open_as_recorded(event, recorded);
        let words = self.last_words(recorded.decisions);
        let mut order: Vec<(Option<usize>, u32)> = Vec::new();
        let missing = recorded.decisions.iter().zip(missing);
        let missing = missing.filter(|(_, missing)| **missing);
        let moved = missing
            .map(|(decision, _)| decision)
            .chain(extra.iter().copied());
        let moved = moved.filter_map(|decision| puts(&decision.body));
        for session in moved.filter_map(|(session, _)| self.sessions.find(session)) {
            order.push((words.get(&session).copied(), session));
        }
        // The same decisions in another order.
        for (session, word) in self.last_words(decided) {
            if let Some(&last) = words.get(&session)
                && recorded.decisions[last].body != decided[word].body
            {
                order.push((Some(last), session));
            }
        }
        // Recorded places come last: of two sessions of one buyer the later decision wins.
        order.sort_unstable();
        order.dedup();
        for (word, session) in order {
            let decision = word.and_then(|word| recorded.decisions.get(word));
            match decision.and_then(|decision| Some((decision.at, puts(&decision.body)?.1))) {
                None => {
                    self.stand_at(clock.0, clock);
                    self.put_back(session, before);
                }
                Some((at, place)) => {
                    self.stand_at(at, clock);
                    self.put(session, place, before.session(session));
                }
            }
        }
        self.stand_at(clock.0, clock);
    }

    /// For each session, the index of the last decision that places it.
    fn last_words(&self, decisions: &[RecordedDecision]) -> BTreeMap<u32, usize> {
        let words = decisions.iter().enumerate();
        let words = words.filter_map(|(word, decision)| Some((puts(&decision.body)?.0, word)));
        words
            .filter_map(|(session, word)| Some((self.sessions.find(session)?, word)))
            .collect()
    }

    /// Moves a session to its recorded place.
    fn put(&mut self, session: u32, place: Where<'_>, stood: Option<&SessionBefore>) {
        match place {
            Where::With(agent) => {
                let agent = self.agent_of_record(agent);
                self.put_with(session, agent);
            }
            Where::In(pool) => {
                let scope = self.scope_named(session, pool, stood);
                self.put_in_pool(session, scope, stood);
            }
            Where::Over => return self.put_away(session),
        }
        let record = &mut self.sessions[session];
        if let (None, Some(stood)) = (&record.attributes, stood) {
            record.attributes = stood.attributes.clone();
        }
    }

    /// No decision opens a session with the bot. If the record accepts its opening, it exists.
    fn open_as_recorded(&mut self, event: Option<&Event>, recorded: &RecordedOutcome<'_>) {
        let Some(EventBody::SessionOpened { session, buyer, .. }) = event.map(|event| &event.what)
        else {
            return;
        };
        if recorded.rejection().is_some() || self.sessions.find(session).is_some() {
            return;
        }
        self.seq = recorded.seq_before.saturating_add(1);
        let (number, buyer) = self.make_session(session, buyer, RoutingAttributes::default());
        self.sessions[number].server = BOT;
        self.totals.bot_only += 1;
        self.let_in(number, buyer);
        self.time_silence(number);
    }

    /// Makes the session the open one of its buyer. Closes another open session, which the record does not know.
    pub(super) fn let_in(&mut self, session: u32, buyer: u32) {
        let open = self.buyers[buyer].open_session;
        if open != NOBODY && open != session {
            self.put_away(open);
        }
        self.buyers[buyer].open_session = session;
    }

    /// Moves a session back to its place before the event. If it did not exist, it goes to the bot, because no agent
    /// was notified of it. A closed session stays closed if its buyer has another session by now.
    fn put_back(&mut self, session: u32, before: &Before) {
        let record = &self.sessions[session];
        let open = self.buyers[record.buyer].open_session;
        if record.closed() && open != NOBODY {
            return;
        }
        let Some(stood) = before.session(session) else {
            self.totals.bot_only += u64::from(self.sessions[session].server != BOT);
            return self.put_with(session, BOT);
        };
        match stood.place {
            SessionPlace::Bot => self.put_with(session, BOT),
            SessionPlace::Agent(agent) => self.put_with(session, agent),
            SessionPlace::Waiting { .. } => {
                let pool = stood.pool.as_deref().unwrap_or_default();
                let scope = self.scope_named(session, pool, Some(stood));
                self.put_in_pool(session, scope, Some(stood));
            }
            SessionPlace::Closed { .. } => self.put_away(session),
        }
        let record = &mut self.sessions[session];
        record.server = stood.server;
        if !record.closed() {
            record.attributes = stood.attributes.clone();
        }
        let number = record.buyer;
        if let Some(stood) = before.buyer(number) {
            let buyer = &mut self.buyers[number];
            (buyer.recent_agent, buyer.recent_until) = (stood.recent_agent, stood.recent_until);
        }
    }

    /// Places the session with an agent or the bot.
    fn put_with(&mut self, session: u32, agent: u32) {
        let place = match agent {
            BOT => SessionPlace::Bot,
            _ => SessionPlace::Agent(agent),
        };
        if self.sessions[session].place != place {
            self.take_out(session);
            self.sessions[session].place = place;
            if agent != BOT {
                let server = &mut self.directory.agents[agent];
                server.sessions.append(&mut self.sessions, session);
                self.agent_changed(agent);
            }
            self.time_silence(session);
        }
        let record = &mut self.sessions[session];
        record.server = agent;
        let buyer = record.buyer;
        if agent != BOT {
            self.served(buyer, agent);
        }
    }

    /// Places the session in the pool of a scope: at its old position if it waited there before, otherwise at the end.
    fn put_in_pool(&mut self, session: u32, scope: RoutingScope, stood: Option<&SessionBefore>) {
        let name = scope.pool_name();
        if let SessionPlace::Waiting { pool, .. } = self.sessions[session].place
            && self.queue.pools[pool].name() == name
        {
            return;
        }
        self.take_out(session);
        let stood = stood.filter(|stood| stood.pool.as_deref() == Some(name.as_str()));
        let (ticket, since) = match stood.map(|stood| stood.place) {
            Some(SessionPlace::Waiting { ticket, since, .. }) => (ticket, since),
            Some(SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. })
            | None => {
                self.queue.tickets += 1;
                (self.queue.tickets, self.now)
            }
        };
        self.wait_in(session, scope, ticket, since);
        let max_wait = self.policy.routing.queue.max_wait;
        let armed = (!max_wait.is_zero()).then(|| self.now + max_wait);
        let due = match stood {
            Some(stood) => stood.queue_due,
            None => armed,
        };
        if let Some(due) = due {
            self.timers.arm(session, Timer::Queue, due);
        }
    }

    /// Inserts the session into the pool's list by its ticket.
    fn wait_in(&mut self, session: u32, scope: RoutingScope, ticket: u64, since: Instant) {
        let pool = self.pool_of(scope);
        let row: Vec<u32> = self.queue.pools[pool]
            .waiting
            .iter(&self.sessions)
            .collect();
        let ticket_of = |session: u32| match self.sessions[session].place {
            SessionPlace::Waiting { ticket, .. } => ticket,
            SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => 0,
        };
        let at = row.partition_point(|&other| ticket_of(other) < ticket);
        let head = row.first().map(|&head| ticket_of(head));
        if at == 0
            && let Some(head) = head
        {
            self.leave_line(pool, head);
        }
        for &other in &row[at..] {
            let waiting = &mut self.queue.pools[pool].waiting;
            waiting.unlink(&mut self.sessions, other);
        }
        self.sessions[session].place = SessionPlace::Waiting {
            pool,
            ticket,
            since,
        };
        for &other in [session].iter().chain(&row[at..]) {
            let waiting = &mut self.queue.pools[pool].waiting;
            waiting.append(&mut self.sessions, other);
        }
        self.queue.waiting += 1;
        if at == 0 {
            self.join_line(pool);
        }
        self.timers.disarm(session, Timer::Silence);
    }

    /// Closes the session without an invitation, which would be a decision of its own.
    fn put_away(&mut self, session: u32) {
        let record = &self.sessions[session];
        if record.closed() {
            return;
        }
        let (number, server) = (record.buyer, record.server);
        let with_agent = record.agent().is_some() && server != BOT && server != NOBODY;
        self.leave_quietly(session);
        if with_agent {
            self.served(number, server);
        }
        self.timers.disarm(session, Timer::Silence);
        self.timers.disarm(session, Timer::ReplyDue);
        let record = &mut self.sessions[session];
        record.place = SessionPlace::Closed { at: self.now };
        record.attributes = None;
        let buyer = &mut self.buyers[number];
        let open = std::mem::replace(&mut buyer.open_session, NOBODY);
        buyer.leave_session(self.now);
        if open != session {
            buyer.open_session = open;
        }
        self.closed.push_back((self.now, session));
        self.totals.closed += 1;
    }

    /// Removes the session from its list. It stays open.
    fn take_out(&mut self, session: u32) {
        let record = &self.sessions[session];
        let buyer = record.buyer;
        if record.closed() {
            // The session has just closed, so it is near the end.
            let at = self
                .closed
                .iter()
                .rposition(|&(_, closed)| closed == session);
            if let Some(at) = at {
                self.closed.remove(at);
            }
            self.totals.closed = self.totals.closed.saturating_sub(1);
        } else {
            self.leave_quietly(session);
        }
        // From here on the session is in no list.
        self.sessions[session].place = SessionPlace::Bot;
        self.let_in(session, buyer);
    }

    /// Removes the session from the agent that this core chose. The record names another agent, so the buyer's recent
    /// agent (R1) stays as it was.
    fn leave_quietly(&mut self, session: u32) {
        let number = self.sessions[session].buyer;
        let buyer = &self.buyers[number];
        let recent = (buyer.recent_agent, buyer.recent_until);
        self.leave(session);
        let buyer = &mut self.buyers[number];
        (buyer.recent_agent, buyer.recent_until) = recent;
    }

    /// The scope of a pool by its name: that of the session's routing attributes, or one in the policy, or any with
    /// that pool name.
    fn scope_named(&self, session: u32, pool: &str, stood: Option<&SessionBefore>) -> RoutingScope {
        let stood = stood.and_then(|stood| stood.attributes.as_deref());
        let attributes = self.sessions[session].attributes.as_deref().or(stood);
        let (own, _) = self
            .directory
            .scope_of(&attributes.cloned().unwrap_or_default());
        if own.pool_name() == pool {
            return own;
        }
        let named = scopes_named(pool);
        let known = named
            .iter()
            .find(|scope| self.directory.crew_of(scope).is_some());
        known
            .or(named.first())
            .cloned()
            .unwrap_or(RoutingScope::All)
    }
}

/// All scopes whose pool has this name.
fn scopes_named(pool: &str) -> Vec<RoutingScope> {
    if let Some(entry) = pool.strip_prefix("entry:") {
        return Id::new(entry)
            .map(RoutingScope::Entry)
            .into_iter()
            .collect();
    }
    if let Some(status) = pool.strip_prefix("order_status:") {
        return Id::new(status)
            .map(RoutingScope::OrderStatus)
            .into_iter()
            .collect();
    }
    let Some(question) = pool.strip_prefix("question:") else {
        return Vec::new();
    };
    let split = question.match_indices('/');
    let scope = |(at, _): (usize, &str)| {
        let (entry, question) = (&question[..at], &question[at + 1..]);
        Some(RoutingScope::Question {
            entry: Id::new(entry)?,
            question: Id::new(question)?,
        })
    };
    split.filter_map(scope).collect()
}
