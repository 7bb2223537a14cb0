//! The resources (contract, section 6), what is sent to them, and problems.

use utoipa::ToSchema;

use super::decision::Decision;
use super::event::Event;
use super::policy::Policy;
use super::words::{DeliveryState, Level, Presence, Scope, Source, State};

/// Makes an object.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)+ })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub struct $name { $($(#[$note])* pub $field: $type,)+ }
    )+ };
}

/// Makes the pages of a list.
macro_rules! pages {
    ($($name:ident of $item:ty;)+) => { $(
        /// One page of a list.
        #[derive(ToSchema)]
        pub struct $name {
            /// What is listed here.
            pub items: Vec<$item>,
            /// The `cursor` of the next page; `null` where this is the last.
            #[schema(required)]
            pub next: Option<String>,
        }
    )+ };
}

/// Makes the types of a session, which is listed with less than it shows by itself.
macro_rules! sessions {
    ($($(#[$doc:meta])* $name:ident { $($more:tt)* })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub struct $name {
            pub session: String,
            pub buyer: String,
            pub state: State,
            /// Who has it, `bot` included; who had it last, where it is closed.
            #[schema(nullable = false)]
            pub agent: Option<String>,
            #[schema(nullable = false)]
            pub entry: Option<String>,
            #[schema(nullable = false)]
            pub question: Option<String>,
            #[schema(nullable = false)]
            pub order_status: Option<String>,
            pub opened: String,
            #[schema(nullable = false)]
            pub closed: Option<String>,
            /// Where it waits.
            #[schema(nullable = false)]
            pub pool: Option<String>,
            /// 1 is next.
            #[schema(nullable = false)]
            pub position: Option<u32>,
            #[schema(nullable = false)]
            pub since: Option<String>,
            /// In seconds.
            #[schema(nullable = false)]
            pub waited: Option<f64>,
            pub repeat_visit: bool,
            pub cards: Vec<Card>,
            /// The shop's `seq` as it was opened.
            pub since_seq: u64,
            $($more)*
        }
    )+ };
}

/// Makes the types of a webhook, which shows its secret once.
macro_rules! webhooks {
    ($($(#[$doc:meta])* $name:ident { $($more:tt)* })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub struct $name {
            pub id: String,
            pub url: String,
            /// The types that go there; `null`: all of them.
            #[schema(required)]
            pub types: Option<Vec<String>>,
            /// At most so many decisions a call; `null`: one a call, without a list around it.
            #[schema(required)]
            pub batch: Option<u16>,
            pub enabled: bool,
            /// Why the server has switched it off.
            #[schema(required)]
            pub disabled: Option<Disabled>,
            pub created: String,
            /// Decisions up to this `seq` have gone out, or failed and are tried again aside.
            pub seq: u64,
            /// Messages that failed and are tried again.
            pub retrying: u64,
            /// Messages that failed to the end: `resend` sends them again.
            pub given_up: u64,
            /// Since when nothing but failures came back.
            #[schema(required)]
            pub failing_since: Option<String>,
            $($more)*
        }
    )+ };
}

webhooks! {
    /// An endpoint to which decisions go.
    Webhook {}
    /// An endpoint that was made.
    WebhookMade {
        /// What its calls are signed by; shown this once.
        #[schema(example = "whsec_…")]
        pub secret: String,
    }
}

sessions! {
    /// A session that is open, or closed in the last 7 days.
    Session {}
    /// A session with its timeline.
    SessionWithTimeline {
        /// Its events, and what was decided about it.
        pub timeline: Vec<TimelineEntry>,
    }
}

pages! {
    ShopPage of ShopRow;
    AgentPage of Agent;
    SessionPage of Session;
    PoolPage of Pool;
    QuestionPage of Question;
    RatingPage of Rating;
    DecisionPage of Decision;
    KeyPage of Key;
    WebhookPage of Webhook;
    DeliveryPage of Delivery;
}

/// One event, or an array of up to 10,000.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum EventsBody {
    One(Event),
    Many(Vec<Event>),
}

objects! {
    /// What was wrong (RFC 9457), and what to do next.
    Problem {
        /// `urn:xiaoer:error:` and the code.
        #[schema(example = "urn:xiaoer:error:shop_unknown")]
        r#type: String,
        title: String,
        status: u16,
        /// What to do next, in one sentence or two.
        detail: String,
        /// Stable: what programs look at.
        code: String,
        /// Where the only event of a request was rejected: its result.
        #[schema(nullable = false, no_recursion)]
        results: Option<Vec<EventResult>>,
    }
    /// What became of the events of a request, in their order.
    Results { results: Vec<EventResult>, }
    /// What became of one event.
    EventResult {
        /// The event's own id.
        #[schema(nullable = false)]
        id: Option<String>,
        decisions: Vec<Decision>,
        /// True where the event was accepted before, and its decisions are no longer kept: nothing was done again.
        #[schema(nullable = false)]
        forgotten: Option<bool>,
        /// Why it was not handed to the shop.
        #[schema(nullable = false)]
        problem: Option<Problem>,
    }
    /// It is so.
    Ok { ok: bool, }
    /// A shop in the list.
    ShopRow { shop: String, }
    /// What a shop is set up with.
    ShopBody { policy: Policy, }
    /// A shop as it is set up.
    ShopAnswer { shop: String, policy: Policy, }
    /// An agent.
    Agent {
        agent: String,
        #[schema(nullable = false)]
        name: Option<String>,
        roles: Vec<String>,
        capacity: u32,
        weight: u32,
        presence: Presence,
        /// Its open sessions.
        load: u32,
        /// What it was assigned today.
        today: u32,
    }
    /// What an agent is configured with; what is left out takes its default.
    AgentBody {
        name: Option<String>,
        roles: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 1000)]
        capacity: Option<u32>,
        #[schema(minimum = 1, maximum = 100)]
        weight: Option<u32>,
    }
    /// Where an agent is from now on.
    PresenceBody {
        presence: Presence,
        /// For how long, unless it is said again: 1s to 24h. Not with `offline`.
        #[schema(example = "30s")]
        lease: Option<String>,
    }
    /// Where an agent is, and what the shop decided for it.
    PresenceAnswer {
        agent: String,
        presence: Presence,
        decisions: Vec<Decision>,
        /// How long its lease is.
        #[schema(nullable = false)]
        lease: Option<String>,
        /// When the lease runs out, unless it is renewed; the grace comes after that.
        #[schema(nullable = false)]
        until: Option<String>,
    }
    /// A rating card.
    Card {
        card: String,
        agent: String,
        source: Source,
        made: String,
        /// Whether its rating was submitted.
        used: bool,
    }
    /// An event of the session, as it was sent, and when; or a decision about it.
    TimelineEntry {
        #[schema(nullable = false)]
        at: Option<String>,
        #[schema(nullable = false)]
        event: Option<Event>,
        #[schema(nullable = false)]
        decision: Option<Decision>,
    }
    /// A pool in which somebody waits.
    Pool {
        pool: String,
        waiting: u32,
        /// How long its head has waited, in seconds.
        longest_s: f64,
        /// The session that is next.
        head: String,
    }
    /// A line of a menu.
    Question { question: String, }
    /// A rating that counts: the decision, and what the buyer said.
    Rating {
        /// `rating.recorded`.
        r#type: String,
        at: String,
        shop: String,
        seq: u64,
        card: String,
        session: String,
        buyer: String,
        agent: String,
        level: Level,
        stars: u8,
        source: Source,
        reasons: Vec<String>,
        #[schema(nullable = false)]
        comment: Option<String>,
    }
    /// Why a decision was taken.
    WhyAnswer {
        decision: Decision,
        /// What was looked at, in order: each with its rule.
        #[schema(value_type = Vec<std::collections::HashMap<String, serde_json::Value>>)]
        why: Vec<()>,
        text: BothLanguages,
    }
    /// The same in both languages.
    BothLanguages { zh: String, en: String, }
    /// A key that is wanted; only an admin's has no shop.
    KeyBody {
        shop: Option<String>,
        scope: Scope,
        name: Option<String>,
        /// Whether its events may say `at` themselves.
        own_clock: Option<bool>,
    }
    /// A key, without its secret.
    Key {
        id: String,
        scope: Scope,
        #[schema(nullable = false)]
        shop: Option<String>,
        #[schema(nullable = false)]
        name: Option<String>,
        created: String,
        own_clock: bool,
    }
    /// A key that was made; what it is spelt like is shown this once.
    KeyMade {
        id: String,
        scope: Scope,
        #[schema(nullable = false)]
        shop: Option<String>,
        #[schema(nullable = false)]
        name: Option<String>,
        created: String,
        own_clock: bool,
        #[schema(example = "xek_…")]
        key: String,
    }
    /// An endpoint that is wanted.
    WebhookBody {
        /// `http` or `https`; to private addresses only where the server's settings allow it.
        #[schema(example = "https://gateway.example/xiaoer")]
        url: String,
        /// The types of decisions that go there; left out: all of them. `webhook.disabled` is word of another endpoint
        /// that the server has switched off.
        types: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 500)]
        batch: Option<u16>,
        enabled: Option<bool>,
    }
    /// What is changed of an endpoint; what is left out stays.
    WebhookChange {
        #[schema(nullable = false)]
        url: Option<String>,
        types: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 500)]
        batch: Option<u16>,
        /// `true` also after the server has switched it off: it goes on where it was.
        #[schema(nullable = false)]
        enabled: Option<bool>,
    }
    /// Why and when the server has switched an endpoint off.
    Disabled { why: String, at: String, }
    /// A new secret, and until when the one before it signs beside it.
    WebhookSecret {
        #[schema(example = "whsec_…")]
        secret: String,
        old_until: String,
    }
    /// What came of a test.
    Tested {
        delivered: bool,
        /// The status of the answer.
        #[schema(required)]
        status: Option<u16>,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// The first kilobyte of the answer.
        answer: String,
        /// Why there was no answer.
        #[schema(required)]
        failure: Option<String>,
    }
    /// A message with the decisions from one `seq` to another, and what came of its latest try.
    Delivery {
        from: u64,
        to: u64,
        state: DeliveryState,
        tries: u32,
        #[schema(required)]
        status: Option<u16>,
        took_ms: u64,
        answer: String,
        #[schema(required)]
        failure: Option<String>,
        at: String,
        /// When it is tried again.
        #[schema(required)]
        again: Option<String>,
    }
    /// Decisions that are to be sent again, by `seq`, both included.
    Resend {
        #[schema(minimum = 1)]
        from: u64,
        #[schema(minimum = 1)]
        to: u64,
    }
}
