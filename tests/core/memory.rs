//! A shop that runs for months keeps only what its rules can still need.
//!
//! Every buyer comes once. The memory is bounded by the events of a week and a day, however long the shop runs. Closed
//! sessions and event ids are kept for 7 days (S1). Buyers and histories are kept while a window of the policy or of a
//! preset reaches them (30 days), plus the time until the sweep checks each.

use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::{DAY_MS, Instant};
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::domain::protocol::event::{ClosedBy, Event, EventBody, GivenPolicy, RatedOn, Stars};
use xiaoer::domain::rules::apply_event::Applied;
use xiaoer::domain::rules::retention::RecordCounts;

/// 240,000 sessions.
const DAYS: i64 = 300;
const SESSIONS_A_DAY: i64 = 800;
const EVENTS_A_SESSION: usize = 5;
const AGENTS: [&str; 4] = ["anna", "bo", "carl", "dai"];

/// 2026-03-01T00:00:00Z
const START_MS: i64 = 1_772_323_200_000;

/// Tables of fewer records are left alone.
const SMALL: usize = 4096;

/// An installation of one shop, and its clock.
struct Desk {
    installation: Installation,
    shop: Id,
    now_ms: i64,
    events: u64,
}

impl Desk {
    fn new() -> Desk {
        let shop = Id::new("default").expect("an id");
        Desk {
            installation: Installation::default(),
            shop,
            now_ms: START_MS,
            events: 0,
        }
    }

    fn take(&mut self, after_ms: i64, what: EventBody) {
        self.now_ms += after_ms;
        self.events += 1;
        let id = Id::new(&format!("e{}", self.events));
        let event = Event {
            at: Instant::from_ms(self.now_ms),
            id,
            print: 0,
            what,
        };
        let mut out = DecisionSink::default();
        let taken = self.installation.take(&self.shop, &event, &mut out);
        assert_eq!(taken, Applied::Accepted, "{event:?}: {:?}", out.decisions);
    }

    fn open(&mut self) {
        let policy = serde_json::json!({
            "routing": { "recent": { "window": "24h" } },
            "session": { "requires_agent_reply": false },
        });
        self.take(
            0,
            EventBody::ShopConfigured {
                policy: GivenPolicy::Sent(Box::new(policy)),
            },
        );
        for agent in AGENTS {
            let agent = Id::new(agent).expect("an id");
            let roles = vec![Id::new("agent").expect("an id")];
            self.take(
                0,
                EventBody::AgentConfigured {
                    agent: agent.clone(),
                    name: None,
                    roles,
                    capacity: 50,
                    weight: 1,
                },
            );
            self.take(
                0,
                EventBody::PresenceChanged {
                    agent,
                    presence: Presence::Online,
                },
            );
        }
    }

    /// A buyer that comes once; one in three is never answered, one in seven goes by the silence.
    fn serve(&mut self, number: i64) {
        let id = |kind: &str| Id::new(&format!("{kind}{number}")).expect("an id");
        let (session, buyer) = (id("s"), id("b"));
        let opened = EventBody::SessionOpened {
            session: session.clone(),
            buyer,
            entry: None,
            question: None,
            order_status: None,
            bot: number % 5 == 0,
            priority: None,
        };
        self.take(DAY_MS / SESSIONS_A_DAY - 3_000, opened);
        if number % 5 == 0 {
            let (session, none) = (session.clone(), None);
            self.take(
                0,
                EventBody::SessionHandoff {
                    session,
                    question: none.clone(),
                    order_status: none,
                },
            );
        }
        self.take(
            1_000,
            EventBody::BuyerMessage {
                session: session.clone(),
            },
        );
        if number % 3 != 0 {
            self.take(
                1_000,
                EventBody::AgentMessage {
                    session: session.clone(),
                    agent: None,
                    human: true,
                },
            );
        }
        if number % 7 != 0 {
            self.take(
                1_000,
                EventBody::SessionClosed {
                    session: session.clone(),
                    by: ClosedBy::Buyer,
                },
            );
        }
        if number % 2 == 0 {
            let (on, stars) = (RatedOn::Session(session), Stars::new(5).expect("stars"));
            self.take(
                0,
                EventBody::RatingSubmitted {
                    on,
                    stars,
                    reasons: Vec::new(),
                    comment: None,
                },
            );
        }
    }

    fn held(&self) -> RecordCounts {
        self.installation.shop("default").expect("the shop").held()
    }
}

#[test]
fn what_a_shop_holds_does_not_grow_with_its_age() {
    let a_day = SESSIONS_A_DAY as usize;
    let most = RecordCounts {
        sessions: 8 * a_day,
        buyers: (35 * a_day).max(2 * SMALL),
        ties: (35 * a_day).max(2 * SMALL),
        timers: a_day,
        event_ids: 8 * a_day * EVENTS_A_SESSION,
    };
    let mut desk = Desk::new();
    desk.open();
    for number in 0..DAYS * SESSIONS_A_DAY {
        desk.serve(number);
        if number % SESSIONS_A_DAY == 0 {
            let held = desk.held();
            let rows = [
                ("sessions", held.sessions, most.sessions),
                ("buyers", held.buyers, most.buyers),
                ("ties", held.ties, most.ties),
                ("timers", held.timers, most.timers),
                ("event ids", held.event_ids, most.event_ids),
            ];
            for (what, held, most) in rows {
                let day = number / SESSIONS_A_DAY;
                assert!(
                    held <= most,
                    "on day {day} {held} {what} are held, more than {most}"
                );
            }
        }
    }
    let held = desk.held();
    assert!(
        held.sessions > 6 * a_day,
        "a week's sessions are remembered, but {held:?}"
    );
    println!("after {DAYS} days: {held:?}");
}
