//! Load on shops: clients that open sessions, send messages, ask for ratings and close, and keep the responses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::http::{Client, Ended};

/// The shops. They know buyers by the same ids, so that a cap spans them (I12).
pub const SHOPS: [&str; 4] = ["anna's", "bo", "花店", "d"];

/// Buyers, fewer than there are sessions: they come back, and to other shops.
const BUYERS: usize = 60;

/// How long a message is, in characters.
const CHATTER_CHARS: usize = 400;

/// Invites that a buyer may get on a day, of all shops together (I12).
pub const INVITES_MAX: usize = 2;

/// One request: events of one shop, and what came of them.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Whose.
    pub shop: &'static str,
    /// The events.
    pub events: Vec<Value>,
    /// One result an event; none where the server gave none.
    pub results: Option<Vec<Value>>,
    /// Where the answer ended.
    pub ended: Option<Ended>,
}

/// The path of a shop, its name encoded.
pub fn path(shop: &str, rest: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let name: String = shop
        .bytes()
        .map(|byte| match plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    format!("/v1/shops/{name}{rest}")
}

/// The policy of a shop: short silences, so that timers fire while the server is killed, and invites that meet I12.
fn policy(number: usize) -> Value {
    json!({
        "buyer_space": "street",
        "routing": { "overflow": number.is_multiple_of(2), "recent": { "window": "1h" } },
        "session": { "close_after_buyer_silence": if number == 0 { "300ms" } else { "20s" },
                     "requires_agent_reply": false },
        "invite": { "auto_quiet": "0s", "quiet_after_rating": "0s", "manual_quiet": "0s",
                    "manual_needs_contact": false, "shops_per_buyer_day": INVITES_MAX },
        "service": { "reply": { "within": "400ms", "remind_after": "200ms" } },
    })
}

/// Makes the shops and their agents, and says what was sent; stops where the server does not do it.
pub fn try_configure(client: &mut Client) -> (Vec<Sent>, Outcome) {
    let mut all = Vec::new();
    for (number, shop) in SHOPS.iter().enumerate() {
        let body = json!({ "policy": policy(number) }).to_string();
        match client.put(&path(shop, ""), &body) {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) if matches!(answer.status, 503 | 507) => {
                return (all, Outcome::Refused(answer.status));
            }
            Ok(answer) if answer.status == 500 => return (all, Outcome::Broken),
            Ok(answer) => panic!("{shop}: {} {}", answer.status, answer.text()),
            Err(_) => return (all, Outcome::Gone),
        }
        let mut events = Vec::new();
        for agent in ["anna", "bo", "carl"] {
            let ids = ["here", "online"].map(|what| format!("{agent}-{what}"));
            events.push(
                json!({ "type": "agent.configured", "id": ids[0], "agent": agent,
                                "capacity": 4 }),
            );
            events.push(json!({ "type": "agent.online", "id": ids[1], "agent": agent }));
        }
        let mut sent = Sent::of(shop, events);
        let outcome = sent.send(client);
        all.push(sent);
        if outcome != Outcome::Answered {
            return (all, outcome);
        }
    }
    (all, Outcome::Answered)
}

/// The same of a server that has no reason not to do it.
pub fn configure(client: &mut Client) -> Vec<Sent> {
    let (sent, outcome) = try_configure(client);
    assert_eq!(outcome, Outcome::Answered, "shops are configured");
    sent
}

/// A client of the desk: what it is in the middle of.
pub struct Desk {
    name: String,
    luck: StdRng,
    open: Vec<(&'static str, String)>,
    count: u64,
    /// Requests of more than one event, of a hundred.
    pub batches_percent: u32,
}

impl Desk {
    /// Names of events and sessions begin with `name`, which nobody else has.
    pub fn new(name: &str, seed: u64) -> Desk {
        Desk {
            name: name.to_owned(),
            luck: StdRng::seed_from_u64(seed),
            open: Vec::new(),
            count: 0,
            batches_percent: 15,
        }
    }

    /// The next request, of one event or of some.
    pub fn next(&mut self) -> Sent {
        let (shop, first) = self.event();
        let mut events = vec![first];
        if self.luck.random_range(0..100) < self.batches_percent {
            for _ in 0..self.luck.random_range(1..12) {
                let (other, event) = self.event();
                if other == shop {
                    events.push(event);
                }
            }
        }
        Sent::of(shop, events)
    }

    fn event(&mut self) -> (&'static str, Value) {
        self.count += 1;
        let (id, luck) = (format!("{}-{}", self.name, self.count), &mut self.luck);
        let session = match self.open.len() {
            // Nobody is there, or one more comes.
            0 => None,
            open => (luck.random_range(0..10) >= 3).then(|| luck.random_range(0..open)),
        };
        let Some(at) = session else {
            let shop = SHOPS[luck.random_range(0..SHOPS.len())];
            let buyer = format!("b{}", luck.random_range(0..BUYERS));
            let session = format!("s-{id}");
            self.open.push((shop, session.clone()));
            let event = json!({ "type": "session.opened", "id": id, "session": session,
                                "buyer": buyer });
            return (shop, event);
        };
        let (shop, session) = self.open[at].clone();
        let mut event = match luck.random_range(0..12) {
            0..3 => json!({ "type": "buyer.message", "text": chatter(luck) }),
            3..6 => json!({ "type": "agent.message", "text": chatter(luck) }),
            6 => json!({ "type": "invite.requested" }),
            7 => json!({ "type": "rating.submitted", "level": "satisfied" }),
            8 => json!({ "type": "session.transferred", "to": "bo" }),
            _ => json!({ "type": "session.closed", "by": "agent" }),
        };
        event["id"] = id.into();
        event["session"] = session.into();
        if event["type"] == "session.closed" {
            self.open.swap_remove(at);
        }
        (shop, event)
    }
}

/// Words that no compression makes short: what is written has to be about as much as what is said.
fn chatter(luck: &mut StdRng) -> String {
    let letters = (0..CHATTER_CHARS).map(|_| char::from(luck.random_range(b'0'..=b'z')));
    letters.filter(|letter| *letter != '\\').collect()
}

impl Sent {
    /// Events that are not sent yet.
    pub fn of(shop: &'static str, events: Vec<Value>) -> Sent {
        Sent {
            shop,
            events,
            results: None,
            ended: None,
        }
    }

    /// The body of the request.
    pub fn body(&self) -> String {
        match self.events.as_slice() {
            [one] => one.to_string(),
            several => json!(several).to_string(),
        }
    }

    /// Sends it and keeps the results.
    pub fn send(&mut self, client: &mut Client) -> Outcome {
        let answer = match client.post(&path(self.shop, "/events"), &self.body()) {
            Ok(answer) => answer,
            Err(_) => return Outcome::Gone,
        };
        match answer.status {
            200 | 400 | 404 | 409 | 429 => {
                let results = answer.json()["results"].as_array().cloned();
                let results = results.unwrap_or_else(|| panic!("no results: {}", answer.text()));
                assert_eq!(results.len(), self.events.len(), "results of {self:?}");
                self.results = Some(results);
                self.ended = Some(answer.ended);
                Outcome::Answered
            }
            503 | 507 => {
                let kind = answer.header("content-type").unwrap_or_default();
                assert_eq!(kind, "application/problem+json", "{}", answer.text());
                Outcome::Refused(answer.status)
            }
            // The server says that it is at fault; what that means is for the test to say.
            500 => Outcome::Broken,
            other => panic!("{other} {} to {}", answer.text(), self.body()),
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Results.
    Answered,
    /// The server would not.
    Refused(u16),
    /// The server says that it has a fault.
    Broken,
    /// No answer.
    Gone,
}

/// Clients at work, each on its own thread.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    broken: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<Vec<Sent>>>,
}

impl Crowd {
    /// So many clients. Each goes on until it is told to stop, or until its server is gone or refuses.
    pub fn begin(address: SocketAddr, name: &str, clients: u64, seed: u64) -> Crowd {
        Crowd::begin_by(&Client::new(address), name, clients, seed)
    }

    /// The same, each with a connection like this one.
    pub fn begin_by(client: &Client, name: &str, clients: u64, seed: u64) -> Crowd {
        let stop = Arc::new(AtomicBool::new(false));
        let [answered, broken] = [0, 0].map(|none| Arc::new(AtomicU64::new(none)));
        let threads = (0..clients)
            .map(|number| {
                let counts = [&answered, &broken].map(Arc::clone);
                let stop = Arc::clone(&stop);
                let desk = Desk::new(&format!("{name}-{number}"), seed.wrapping_add(number));
                let client = client.alike();
                std::thread::spawn(move || {
                    work(desk, client, counts.each_ref().map(|count| &**count), &stop)
                })
            })
            .collect();
        Crowd {
            stop,
            answered,
            broken,
            threads,
        }
    }

    /// Requests answered so far.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Clients that were told of a fault of the server.
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether all clients have ended by themselves.
    pub fn is_over(&self) -> bool {
        self.threads
            .iter()
            .all(std::thread::JoinHandle::is_finished)
    }

    /// All that was sent, once every client has ended.
    pub fn sent(self) -> Vec<Sent> {
        self.sent_by_each().into_iter().flatten().collect()
    }

    /// The same, client by client.
    pub fn sent_by_each(self) -> Vec<Vec<Sent>> {
        self.stop.store(true, Ordering::Relaxed);
        let of = |thread: std::thread::JoinHandle<Vec<Sent>>| match thread.join() {
            Ok(sent) => sent,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        self.threads.into_iter().map(of).collect()
    }
}

fn work(
    mut desk: Desk,
    mut client: Client,
    [answered, broken]: [&AtomicU64; 2],
    stop: &AtomicBool,
) -> Vec<Sent> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mut sent = desk.next();
        let outcome = sent.send(&mut client);
        all.push(sent);
        match outcome {
            Outcome::Answered => _ = answered.fetch_add(1, Ordering::Relaxed),
            Outcome::Broken => {
                broken.fetch_add(1, Ordering::Relaxed);
                break;
            }
            Outcome::Refused(_) | Outcome::Gone => break,
        }
    }
    all
}
