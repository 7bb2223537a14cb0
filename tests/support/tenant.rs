//! A tenant: a client that uses a shop alone. It creates the shop, uses it, deletes it and creates it again, with
//! agents, webhooks and keys. After every response it knows the expected state.
//!
//! It sends one request after the other. So after a crash all acknowledged effects must be there, and the one request
//! without a response is complete or absent. Deleted data is gone for ever.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use xiaoer::webhooks::{Secret, sign};

use super::account::Lost;
use super::deadline::Deadline;
use super::desk::{Outcome, path};
use super::http::{Answer, Client, Ended};
use super::receiver::Receiver;

/// Decisions in one page.
const PAGE: usize = 500;

/// Webhooks, and keys, that a tenant has at once.
const EACH_MAX: usize = 3;

/// A server that is busy for longer hangs.
const BUSY_MAX_S: u64 = 120;

/// Keys that were taken back and are tried again.
const DEAD_KEYS_MAX: usize = 6;

/// One request.
#[derive(Clone, Debug)]
pub enum Deed {
    /// The shop is made.
    Make,
    /// Events of it.
    Events(Vec<Value>),
    /// An agent is added or replaced, over its own path.
    PutAgent(String, u64),
    /// A webhook is made, to this address.
    AddWebhook(String),
    /// A webhook gets another secret.
    RotateWebhook(String),
    /// A webhook is taken away.
    RemoveWebhook(String),
    /// A key is made.
    NewKey,
    /// A key is taken back.
    RevokeKey(String),
    /// The shop is taken away.
    Delete,
}

impl Deed {
    fn request(&self, shop: &str) -> (&'static str, String, String) {
        let policy = json!({
            "session": { "close_after_buyer_silence": "20h" },
            "service": { "reply": { "within": "20h", "remind_after": "10h" } },
        });
        let at = |rest: &str| path(shop, rest);
        match self {
            Deed::Make => ("PUT", at(""), json!({ "policy": policy }).to_string()),
            Deed::Events(events) => ("POST", at("/events"), json!(events).to_string()),
            Deed::PutAgent(agent, capacity) => {
                let body = json!({ "capacity": capacity }).to_string();
                ("PUT", at(&format!("/agents/{agent}")), body)
            }
            Deed::AddWebhook(url) => ("POST", at("/webhooks"), json!({ "url": url }).to_string()),
            Deed::RotateWebhook(id) => {
                ("POST", at(&format!("/webhooks/{id}/rotate")), String::new())
            }
            Deed::RemoveWebhook(id) => ("DELETE", at(&format!("/webhooks/{id}")), String::new()),
            Deed::NewKey => {
                let body = json!({ "shop": shop, "scope": "owner" }).to_string();
                ("POST", "/v1/keys".to_owned(), body)
            }
            Deed::RevokeKey(id) => ("DELETE", format!("/v1/keys/{id}"), String::new()),
            Deed::Delete => ("DELETE", at(""), String::new()),
        }
    }

    fn send(&self, shop: &str, client: &mut Client) -> std::io::Result<Answer> {
        let (method, path, body) = self.request(shop);
        let kind = if body.is_empty() {
            ""
        } else {
            "application/json"
        };
        client.send(method, &path, kind, body.as_bytes())
    }

    /// Whether an answer says that it was done.
    fn is_done(&self, answer: &Answer) -> bool {
        match self {
            // A rejected event is an answer too.
            Deed::Events(_) => matches!(answer.status, 200 | 400 | 404 | 409 | 429),
            Deed::Make
            | Deed::PutAgent(..)
            | Deed::AddWebhook(_)
            | Deed::RotateWebhook(_)
            | Deed::RemoveWebhook(_)
            | Deed::NewKey
            | Deed::RevokeKey(_)
            | Deed::Delete => matches!(answer.status, 200 | 201 | 204),
        }
    }
}

/// A request and its answer: the body, and where it ended on its connection.
#[derive(Clone, Debug)]
struct Done {
    deed: Deed,
    answer: Option<(Value, Ended)>,
}

/// A webhook as it is known: its address, and its secret where that was told.
#[derive(Clone, Debug)]
struct Hook {
    url: String,
    secret: Option<String>,
}

/// A shop from when it was made until it is taken away.
#[derive(Clone, Debug, Default)]
struct Life {
    /// Its decisions.
    feed: Vec<Value>,
    /// Accepted events and their answers.
    accepted: Vec<(Value, Value)>,
    /// Capacity and presence.
    agents: BTreeMap<String, (u64, String)>,
    webhooks: BTreeMap<String, Hook>,
    keys: BTreeMap<String, String>,
}

/// What there must be.
#[derive(Clone, Debug, Default)]
struct State {
    life: Option<Life>,
    /// Keys of lives that are over, and keys that were taken back.
    dead_keys: Vec<String>,
}

impl State {
    fn bury(&mut self, keys: impl IntoIterator<Item = String>) {
        self.dead_keys.extend(keys);
        let over = self.dead_keys.len().saturating_sub(DEAD_KEYS_MAX);
        self.dead_keys.drain(..over);
    }

    /// What there must be after an answer.
    fn apply(&mut self, deed: &Deed, answer: &Value) {
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        if let Deed::Make = deed {
            self.life = Some(Life::default());
            return;
        }
        let Some(life) = &mut self.life else { return };
        match deed {
            Deed::Make => {}
            Deed::Events(events) => {
                let results = answer["results"].as_array().cloned().unwrap_or_default();
                for (event, result) in events.iter().zip(&results) {
                    life.take(event, result);
                }
            }
            Deed::PutAgent(agent, capacity) => {
                let agent = life.agents.entry(agent.clone());
                agent.or_insert((0, "offline".to_owned())).0 = *capacity;
            }
            Deed::AddWebhook(url) => {
                let hook = Hook {
                    url: url.clone(),
                    secret: text("secret"),
                };
                life.webhooks.insert(text("id").unwrap_or_default(), hook);
            }
            Deed::RotateWebhook(id) => {
                if let Some(hook) = life.webhooks.get_mut(id) {
                    hook.secret = text("secret");
                }
            }
            Deed::RemoveWebhook(id) => _ = life.webhooks.remove(id),
            Deed::NewKey => {
                if let (Some(id), Some(key)) = (text("id"), text("key")) {
                    life.keys.insert(id, key);
                }
            }
            Deed::RevokeKey(id) => {
                let key = life.keys.remove(id);
                self.bury(key);
            }
            Deed::Delete => {
                let keys = std::mem::take(&mut life.keys);
                self.life = None;
                self.bury(keys.into_values());
            }
        }
    }
}

impl Life {
    fn take(&mut self, event: &Value, result: &Value) {
        let decisions = result["decisions"].as_array().cloned().unwrap_or_default();
        let rejected = decisions
            .iter()
            .any(|decision| decision["type"] == "event.rejected");
        self.feed.extend(decisions);
        if rejected || result["problem"].is_object() {
            return;
        }
        self.accepted.push((event.clone(), result.clone()));
        let agent = event["agent"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap_or_default() {
            "agent.configured" => {
                let capacity = event["capacity"].as_u64().unwrap_or(10);
                self.agents
                    .entry(agent)
                    .or_insert((0, "offline".to_owned()))
                    .0 = capacity;
            }
            "agent.removed" => _ = self.agents.remove(&agent),
            presence @ ("agent.online" | "agent.offline") => {
                if let Some(known) = self.agents.get_mut(&agent) {
                    known.1 = presence.trim_start_matches("agent.").to_owned();
                }
            }
            _ => {}
        }
    }
}

/// A shop as the server shows it.
struct Seen {
    feed: Vec<Value>,
    agents: BTreeMap<String, (u64, String)>,
    webhooks: BTreeMap<String, String>,
}

/// One client and its shop.
#[derive(Clone)]
pub struct Tenant {
    /// The shop's id.
    pub shop: String,
    /// Where its webhooks go.
    hooks: String,
    luck: StdRng,
    count: u64,
    /// Where the deeds began.
    begun: State,
    /// After all deeds that were answered.
    state: State,
    deeds: Vec<Done>,
    /// Sessions that it has opened in this life.
    sessions: Vec<String>,
    /// Requests that the server answered by saying that it has a fault.
    pub broken: Lost,
    /// Answers.
    pub acknowledged: usize,
}

impl Tenant {
    /// A tenant whose shop is not there yet. Its webhooks go below an address.
    pub fn new(shop: &str, hooks: &str, seed: u64) -> Tenant {
        Tenant {
            shop: shop.to_owned(),
            hooks: hooks.to_owned(),
            luck: StdRng::seed_from_u64(seed),
            count: 0,
            begun: State::default(),
            state: State::default(),
            deeds: Vec::new(),
            sessions: Vec::new(),
            broken: Lost::new(),
            acknowledged: 0,
        }
    }

    /// Whether its shop must be there.
    pub fn has_shop(&self) -> bool {
        self.state.life.is_some()
    }

    /// The decisions of its shop, where it has one.
    pub fn feed(&self) -> Option<&[Value]> {
        self.state.life.as_ref().map(|life| life.feed.as_slice())
    }

    /// How many requests it has sent.
    pub fn deeds(&self) -> usize {
        self.deeds.len()
    }

    /// Its next request.
    fn next(&mut self) -> Deed {
        self.count += 1;
        let Some(life) = &self.state.life else {
            self.sessions.clear();
            return Deed::Make;
        };
        let pick = |map: Vec<&String>, luck: &mut StdRng| {
            let at = (!map.is_empty()).then(|| luck.random_range(0..map.len()));
            at.map(|at| map[at].clone())
        };
        let luck = &mut self.luck;
        let webhook = pick(life.webhooks.keys().collect(), luck);
        let key = pick(life.keys.keys().collect(), luck);
        let (webhooks, keys) = (life.webhooks.len(), life.keys.len());
        match (luck.random_range(0..100), webhook, key) {
            (0..8, _, _) => Deed::Delete,
            (8..16, _, _) => Deed::PutAgent(
                format!("p{}", luck.random_range(0..3)),
                luck.random_range(1..20),
            ),
            (16..26, _, _) if webhooks < EACH_MAX => {
                Deed::AddWebhook(format!("{}/{}", self.hooks, self.count))
            }
            (26..32, Some(id), _) => Deed::RotateWebhook(id),
            (32..36, Some(id), _) => Deed::RemoveWebhook(id),
            (36..44, _, _) if keys < EACH_MAX => Deed::NewKey,
            (44..48, _, Some(id)) => Deed::RevokeKey(id),
            _ => self.events(),
        }
    }

    fn events(&mut self) -> Deed {
        let some = self.luck.random_range(1..4);
        let one = |at: u64| {
            let id = format!("{}-{}-{at}", self.shop, self.count);
            let agent = format!("a{}", self.luck.random_range(0..3));
            let session = match self.sessions.len() {
                0 => String::new(),
                open => self.sessions[self.luck.random_range(0..open)].clone(),
            };
            let mut event = match self.luck.random_range(0..12) {
                0..2 => json!({ "type": "agent.configured", "agent": agent,
                                "capacity": self.luck.random_range(1..9) }),
                2 => json!({ "type": "agent.removed", "agent": agent }),
                3..5 => json!({ "type": "agent.online", "agent": agent }),
                5 => json!({ "type": "agent.offline", "agent": agent }),
                6 if !session.is_empty() => json!({ "type": "session.closed", "by": "buyer",
                                                    "session": session }),
                7 if !session.is_empty() => json!({ "type": "invite.requested",
                                                    "session": session }),
                8..10 if !session.is_empty() => json!({ "type": "buyer.message", "text": "?",
                                                        "session": session }),
                _ => {
                    let session = format!("s{id}");
                    self.sessions.push(session.clone());
                    json!({ "type": "session.opened", "session": session, "buyer": id })
                }
            };
            event["id"] = id.into();
            event
        };
        Deed::Events((0..some).map(one).collect())
    }

    /// Sends its next request, and says what came of it.
    pub fn act(&mut self, client: &mut Client) -> Outcome {
        let deed = self.next();
        self.send(deed, client)
    }

    /// Sends this request.
    pub fn send(&mut self, deed: Deed, client: &mut Client) -> Outcome {
        let answer = deed.send(&self.shop, client);
        let outcome = match &answer {
            Err(_) => Outcome::Gone,
            Ok(answer) if deed.is_done(answer) => Outcome::Answered,
            Ok(answer) if matches!(answer.status, 503 | 507) => Outcome::Refused(answer.status),
            Ok(answer) => {
                let (status, text) = (answer.status, answer.text());
                self.broken
                    .push(format!("{}: {deed:?}: {status} {text}", self.shop));
                Outcome::Broken
            }
        };
        let done = answer.ok().filter(|_| outcome == Outcome::Answered);
        let answer = done.map(|answer| (answer.json(), answer.ended));
        if let Some((body, _)) = &answer {
            self.acknowledged += 1;
            self.state.apply(&deed, body);
        }
        self.deeds.push(Done { deed, answer });
        outcome
    }

    /// A request that names no webhook or key gets one that there is; where there is none, one is made instead.
    pub fn named(&mut self, deed: Deed) -> Deed {
        let Some(life) = &self.state.life else {
            return Deed::Make;
        };
        let webhook = life.webhooks.keys().next().cloned();
        match deed {
            Deed::RotateWebhook(id) | Deed::RemoveWebhook(id)
                if id.is_empty() && webhook.is_none() =>
            {
                Deed::AddWebhook(format!("{}/named", self.hooks))
            }
            Deed::RotateWebhook(id) if id.is_empty() => {
                Deed::RotateWebhook(webhook.unwrap_or_default())
            }
            Deed::RemoveWebhook(id) if id.is_empty() => {
                Deed::RemoveWebhook(webhook.unwrap_or_default())
            }
            Deed::RevokeKey(id) if id.is_empty() => match life.keys.keys().next() {
                Some(id) => Deed::RevokeKey(id.clone()),
                None => Deed::NewKey,
            },
            Deed::Make
            | Deed::Events(_)
            | Deed::PutAgent(..)
            | Deed::AddWebhook(_)
            | Deed::RotateWebhook(_)
            | Deed::RemoveWebhook(_)
            | Deed::NewKey
            | Deed::RevokeKey(_)
            | Deed::Delete => deed,
        }
    }

    /// Whether its last request had no answer.
    pub fn is_open(&self) -> bool {
        self.deeds.last().is_some_and(|done| done.answer.is_none())
    }

    /// As it was when the power went: its answers up to a place, and one request that had none.
    pub fn cut(&self, said: impl Fn(Ended) -> Option<u64>, place: u64) -> Tenant {
        let mut cut = Tenant::new(&self.shop, &self.hooks, 0);
        cut.count = self.count;
        cut.state = self.begun.clone();
        for done in &self.deeds {
            let at = done.answer.as_ref().and_then(|(_, ended)| said(*ended));
            let mut done = done.clone();
            match &done.answer {
                Some((body, _)) if at.is_some_and(|at| at <= place) => {
                    cut.acknowledged += 1;
                    cut.state.apply(&done.deed, body);
                    cut.deeds.push(done);
                }
                Some(_) | None => {
                    done.answer = None;
                    cut.deeds.push(done);
                    break;
                }
            }
        }
        cut
    }

    /// Holds a server against what there must be, and takes it that the request without an answer was done or not,
    /// whichever is seen. With a receiver, webhooks are tried too.
    pub fn hold(&mut self, client: &mut Client, receiver: Option<&Receiver>) -> Lost {
        let mut lost = self.settle(client).unwrap_or_else(|why| vec![why]);
        if lost.is_empty() {
            lost = self
                .differs(&self.state, client, true)
                .unwrap_or_else(|why| vec![why]);
        }
        if lost.is_empty() {
            lost.extend(self.ask_again(client));
        }
        if let (true, Some(receiver)) = (lost.is_empty(), receiver) {
            lost.extend(self.try_webhooks(client, receiver));
        }
        lost
    }

    /// Holds a server that was restored from a backup against it: what there must have been after some number of deeds,
    /// at least `from`. Keys are no part of a backup.
    pub fn hold_since(&self, from: usize, client: &mut Client) -> Lost {
        let mut state = self.begun.clone();
        let mut nearest = None;
        for (number, done) in self.deeds.iter().map(Some).chain([None]).enumerate() {
            if number >= from {
                let lost = self
                    .differs(&state, client, false)
                    .unwrap_or_else(|why| vec![why]);
                if lost.is_empty() {
                    return lost;
                }
                nearest.get_or_insert(lost);
            }
            let Some(Done { deed, answer }) = done else {
                continue;
            };
            if number >= from && self.is_within(&state, deed, answer.as_ref(), client) {
                return Lost::new();
            }
            if let Some((body, _)) = answer {
                state.apply(deed, body);
            }
        }
        nearest.unwrap_or_default()
    }

    /// Whether a server is as after a part of a deed: each event is a record of its own; and one that had no answer was
    /// done or not.
    fn is_within(
        &self,
        before: &State,
        deed: &Deed,
        answer: Option<&(Value, Ended)>,
        client: &mut Client,
    ) -> bool {
        let is = |state: &State, client: &mut Client| {
            let lost = self.differs(state, client, false);
            lost.is_ok_and(|lost| lost.is_empty())
        };
        match (deed, answer) {
            (Deed::Events(events), Some((body, _))) => (1..events.len()).any(|some| {
                let results = body["results"].as_array().map_or(&[][..], Vec::as_slice);
                let mut state = before.clone();
                let part = json!({ "results": results.get(..some).unwrap_or(results) });
                state.apply(deed, &part);
                is(&state, client)
            }),
            (_, Some(_)) => false,
            (_, None) => {
                let mut open = self.clone();
                open.state = before.clone();
                open.deeds = vec![Done {
                    deed: deed.clone(),
                    answer: None,
                }];
                let settled = open.settle(client);
                settled.is_ok_and(|lost| lost.is_empty()) && is(&open.state, client)
            }
        }
    }

    fn look(&self, client: &mut Client) -> Result<Option<Seen>, String> {
        let shop = &self.shop;
        let mut get = |rest: &str| -> Result<Option<Value>, String> {
            let answer = client
                .get(&path(shop, rest))
                .map_err(|error| error.to_string())?;
            match answer.status {
                200 => Ok(Some(answer.json())),
                404 => Ok(None),
                other => Err(format!("{shop}: GET {rest}: {other} {}", answer.text())),
            }
        };
        let items = |page: &Value| page["items"].as_array().cloned().unwrap_or_default();
        let mut feed: Vec<Value> = Vec::new();
        loop {
            let after = feed.len();
            let page = get(&format!("/decisions?after={after}&limit={PAGE}"))?;
            let Some(page) = page else {
                let others = [get("/agents")?, get("/webhooks")?, get("/policy")?];
                let there = others.iter().any(Option::is_some);
                return if there || is_listed(client, shop)? {
                    Err(format!("{shop}: half of it is there"))
                } else {
                    Ok(None)
                };
            };
            let page = items(&page);
            if page.is_empty() {
                break;
            }
            feed.extend(page);
        }
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let missing = |what: &str| format!("{shop}: it is there, without {what}");
        let agents = get("/agents?limit=500")?.ok_or_else(|| missing("agents"))?;
        let agent = |of: &Value| {
            let capacity = of["capacity"].as_u64().unwrap_or_default();
            (text(of, "agent"), (capacity, text(of, "presence")))
        };
        let webhooks = get("/webhooks?limit=500")?.ok_or_else(|| missing("webhooks"))?;
        let seen = Seen {
            feed,
            agents: items(&agents).iter().map(agent).collect(),
            webhooks: items(&webhooks)
                .iter()
                .map(|of| (text(of, "id"), text(of, "url")))
                .collect(),
        };
        match is_listed(client, shop)? {
            true => Ok(Some(seen)),
            false => Err(format!("{shop}: it is there, and in no list")),
        }
    }

    /// What is otherwise than a state says.
    fn differs(&self, state: &State, client: &mut Client, keys: bool) -> Result<Lost, String> {
        let shop = &self.shop;
        let seen = self.look(client)?;
        let mut lost = Lost::new();
        match (&state.life, &seen) {
            (None, None) => {}
            (None, Some(seen)) => {
                lost.push(format!(
                    "{shop}: taken away, is there, with {} decisions",
                    seen.feed.len()
                ));
            }
            (Some(life), None) => {
                lost.push(format!(
                    "{shop}: had {} decisions, is gone",
                    life.feed.len()
                ));
            }
            (Some(life), Some(seen)) => {
                if life.feed != seen.feed {
                    lost.push(differing(shop, &life.feed, &seen.feed));
                }
                if life.agents != seen.agents {
                    lost.push(format!(
                        "{shop}: had agents {:?}, has {:?}",
                        life.agents, seen.agents
                    ));
                }
                let known: BTreeMap<String, String> = life
                    .webhooks
                    .iter()
                    .map(|(id, hook)| (id.clone(), hook.url.clone()))
                    .collect();
                if known != seen.webhooks {
                    lost.push(format!(
                        "{shop}: had webhooks {known:?}, has {:?}",
                        seen.webhooks
                    ));
                }
            }
        }
        if keys {
            lost.extend(self.try_keys(state, client)?);
        }
        Ok(lost)
    }

    /// Keys that were shown open the shop, and no other key does.
    fn try_keys(&self, state: &State, client: &mut Client) -> Result<Lost, String> {
        let good = state.life.iter().flat_map(|life| life.keys.values());
        let all = good.map(|key| (key, true));
        let all = all.chain(state.dead_keys.iter().map(|key| (key, false)));
        let mut lost = Lost::new();
        for (key, opens) in all {
            let mut client = client.another().with_key(key);
            let answer = client.get(&path(&self.shop, "/decisions?limit=1"));
            let status = answer.map_err(|error| error.to_string())?.status;
            if (status == 200) != opens {
                let (shop, id) = (&self.shop, &key[..12]);
                lost.push(format!(
                    "{shop}: key {id}… is answered {status}, must it open: {opens}"
                ));
            }
        }
        Ok(lost)
    }

    /// What was answered is answered again.
    fn ask_again(&self, client: &mut Client) -> Lost {
        let Some(life) = &self.state.life else {
            return Lost::new();
        };
        let mut lost = Lost::new();
        for some in life.accepted.chunks(100) {
            let events: Vec<&Value> = some.iter().map(|(event, _)| event).collect();
            let answer = match client.post(&path(&self.shop, "/events"), &json!(events).to_string())
            {
                Ok(answer) => answer,
                Err(error) => return vec![format!("{}: {error}", self.shop)],
            };
            let results = answer.json()["results"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let mut pairs = some.iter().zip(&results);
            let other = pairs.find(|((_, was), is)| was != *is);
            if let Some(((event, was), is)) = other {
                lost.push(format!(
                    "{}: {event} was answered {was}, is {is}",
                    self.shop
                ));
            } else if results.len() != some.len() {
                lost.push(format!(
                    "{}: {} {}",
                    self.shop,
                    answer.status,
                    answer.text()
                ));
            }
        }
        lost
    }

    /// Webhooks are signed with the secret that was told last.
    fn try_webhooks(&self, client: &mut Client, receiver: &Receiver) -> Lost {
        let mut lost = Lost::new();
        let life = self.state.life.iter();
        for (id, hook) in life.flat_map(|life| &life.webhooks) {
            let Some(secret) = hook.secret.as_deref().and_then(Secret::parse) else {
                continue;
            };
            let answer = client.send(
                "POST",
                &path(&self.shop, &format!("/webhooks/{id}/test")),
                "",
                b"",
            );
            let delivered = answer.is_ok_and(|answer| answer.json()["delivered"] == true);
            let requests = receiver.requests();
            let came = requests
                .iter()
                .rev()
                .find(|came| receiver.address_of(came) == hook.url);
            let is_signed = came.is_some_and(|came| {
                let at = came
                    .header("webhook-timestamp")
                    .and_then(|at| at.parse().ok());
                let expected = sign(&[secret], came.id(), at.unwrap_or_default(), &came.body);
                let signatures = came.header("webhook-signature").unwrap_or_default();
                signatures.split(' ').any(|one| one == expected)
            });
            if !delivered || !is_signed {
                let how = format!("delivered {delivered}, signed by its secret {is_signed}");
                lost.push(format!("{}: webhook {id}: {how}", self.shop));
            }
        }
        lost
    }

    /// Finds out what became of the request that had no answer.
    fn settle(&mut self, client: &mut Client) -> Result<Lost, String> {
        let open = self.deeds.last().filter(|done| done.answer.is_none());
        let Some(deed) = open.map(|done| done.deed.clone()) else {
            self.rebase();
            return Ok(Lost::new());
        };
        let seen = self.look(client)?;
        let mut state = self.state.clone();
        let lost = match (&deed, &mut state.life, seen) {
            (Deed::Make, None, None) | (Deed::Make, Some(_), _) => Lost::new(),
            (Deed::Make, None, Some(_)) => {
                state.life = Some(Life::default());
                Lost::new()
            }
            (Deed::Delete, Some(_), None) => {
                state.apply(&deed, &Value::Null);
                Lost::new()
            }
            (Deed::Delete, Some(life), Some(_)) => {
                // Its keys may have gone before it.
                life.keys.clear();
                Lost::new()
            }
            // Whole or not is for the comparison that follows to say.
            (_, None, _) | (_, Some(_), None) => Lost::new(),
            (Deed::Events(events), Some(life), Some(seen)) => {
                self.settle_events(events, life, &seen, client)?
            }
            (Deed::PutAgent(agent, capacity), Some(_), Some(seen)) => {
                if seen.agents.get(agent).is_some_and(|is| is.0 == *capacity) {
                    state.apply(&deed, &Value::Null);
                }
                Lost::new()
            }
            (Deed::AddWebhook(url), Some(life), Some(seen)) => {
                let new = seen
                    .webhooks
                    .iter()
                    .find(|(id, _)| !life.webhooks.contains_key(*id));
                if let Some((id, at)) = new.filter(|(_, at)| *at == url) {
                    let hook = Hook {
                        url: at.clone(),
                        secret: None,
                    };
                    life.webhooks.insert(id.clone(), hook);
                }
                Lost::new()
            }
            (Deed::RotateWebhook(id), Some(life), Some(_)) => {
                if let Some(hook) = life.webhooks.get_mut(id) {
                    hook.secret = None;
                }
                Lost::new()
            }
            (Deed::RemoveWebhook(id), Some(life), Some(seen)) => {
                if !seen.webhooks.contains_key(id) {
                    life.webhooks.remove(id);
                }
                Lost::new()
            }
            (Deed::NewKey, Some(_), Some(_)) => Lost::new(),
            (Deed::RevokeKey(id), Some(life), Some(_)) => {
                let key = life.keys.get(id).cloned().unwrap_or_default();
                let mut other = client.another().with_key(&key);
                let answer = other.get(&path(&self.shop, "/decisions?limit=1"));
                if answer.map_err(|error| error.to_string())?.status != 200 {
                    state.apply(&deed, &Value::Null);
                }
                Lost::new()
            }
        };
        self.state = state;
        self.rebase();
        Ok(lost)
    }

    /// Events without an answer are sent again: each had been done whole, or not at all.
    fn settle_events(
        &self,
        events: &[Value],
        life: &mut Life,
        seen: &Seen,
        client: &mut Client,
    ) -> Result<Lost, String> {
        let shop = &self.shop;
        let had = life.feed.len();
        if seen.feed.get(..had) != Some(&life.feed[..]) {
            return Ok(vec![differing(shop, &life.feed, &seen.feed)]);
        }
        // What was rejected is not remembered by its id: sent again, it may be accepted by what came after it.
        let mut new = seen.feed[had..].iter();
        let rejected = |event: &&Value| {
            let agent = event["agent"].as_str().map(|agent| format!("{agent:?}"));
            let is_its = |one: &Value| {
                let message = one["message"].as_str().unwrap_or_default();
                one["type"] == "event.rejected"
                    && one["event"] == event["type"]
                    && agent
                        .as_ref()
                        .is_some_and(|agent| message.contains(agent.as_str()))
            };
            let mut ahead = new.clone();
            let found = ahead.any(is_its);
            if found {
                new = ahead;
            }
            found
        };
        let (_, events): (Vec<&Value>, Vec<&Value>) = events.iter().partition(rejected);
        let events: Vec<Value> = events.into_iter().cloned().collect();
        if events.is_empty() {
            life.feed = seen.feed.clone();
            return Ok(Lost::new());
        }
        let results = self.send_until_done(&events, client)?;
        let mut feed = seen.feed.clone();
        let mut lost = Lost::new();
        for (event, result) in events.iter().zip(&results) {
            let decisions = result["decisions"].as_array().cloned().unwrap_or_default();
            let seq = |decision: &Value| decision["seq"].as_u64().unwrap_or_default() as usize;
            let before = decisions
                .iter()
                .filter(|one| seq(one) <= seen.feed.len())
                .count();
            if before != 0 && before != decisions.len() {
                lost.push(format!("{shop}: half done: {event}: {result}"));
            }
            for decision in &decisions {
                match seq(decision) {
                    at if at == feed.len() + 1 => feed.push(decision.clone()),
                    at if feed.get(at.wrapping_sub(1)) == Some(decision) => {}
                    _ => lost.push(format!("{shop}: {decision} is not in its place")),
                }
            }
            life.take(event, result);
        }
        life.feed = feed;
        Ok(lost)
    }

    /// Sends events again until the server has looked at all of them; the results.
    fn send_until_done(&self, events: &[Value], client: &mut Client) -> Result<Vec<Value>, String> {
        let (shop, deed) = (&self.shop, Deed::Events(events.to_vec()));
        let is_busy = |status: &Value| matches!(status.as_u64(), Some(429 | 503));
        let done = Deadline::seconds(BUSY_MAX_S).poll(|| {
            let answer = match deed.send(shop, client) {
                Ok(answer) => answer,
                Err(error) => return Some(Err(error.to_string())),
            };
            let results = answer.json()["results"].as_array().cloned();
            let busy = match &results {
                Some(results) => results.iter().any(|one| is_busy(&one["problem"]["status"])),
                None => is_busy(&answer.status.into()),
            };
            let wrong = || format!("{shop}: {} {}", answer.status, answer.text());
            (!busy).then(|| results.ok_or_else(wrong))
        });
        done.unwrap_or_else(|| Err(format!("{shop}: busy for {BUSY_MAX_S} s")))
    }

    /// What there is now is where further deeds begin.
    fn rebase(&mut self) {
        self.deeds.clear();
        self.begun = self.state.clone();
        if self.state.life.is_none() {
            self.sessions.clear();
        }
    }
}

fn differing(shop: &str, was: &[Value], is: &[Value]) -> String {
    let at = was.iter().zip(is).take_while(|(was, is)| was == is).count();
    let (was_all, is_all) = (was.len(), is.len());
    let (was, is) = (was.get(at), is.get(at));
    format!(
        "{shop}: had {was_all} decisions, has {is_all}; from {}: {was:?}, {is:?}",
        at + 1
    )
}

fn is_listed(client: &mut Client, shop: &str) -> Result<bool, String> {
    let answer = client
        .get("/v1/shops?limit=500")
        .map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!(
            "GET /v1/shops: {} {}",
            answer.status,
            answer.text()
        ));
    }
    let items = answer.json()["items"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Ok(items.iter().any(|item| item["shop"] == *shop))
}
