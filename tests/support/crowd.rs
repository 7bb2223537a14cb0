//! A long trace of one shop with thousands of buyers, enough that the shop evicts some.

use serde_json::{Value, json};
use xiaoer::domain::base::time::{DAY_MS, Instant};

/// Days that the trace lasts: sessions are remembered for 7, the longest window is 32 days.
const DAYS: i64 = 40;
const SESSIONS_A_DAY: i64 = 170;

/// 2026-11-05T00:00:00Z
const START_MS: i64 = 1_793_836_800_000;

/// The trace, one event a line. Most buyers come once, every fourth session is of one who came before: from some
/// minutes to 36 days ago.
pub fn lines() -> Vec<String> {
    let mut trace = Trace {
        now_ms: START_MS,
        lines: Vec::new(),
    };
    let quiet = json!({ "auto_quiet": "24h", "manual_quiet": "24h", "quiet_after_rating": "24h" });
    let recent = json!({ "recent": { "window": "32d" } });
    trace.push(
        json!({ "type": "shop.configured", "policy": { "routing": recent, "invite": quiet } }),
    );
    for agent in ["anna", "bo", "carl"] {
        trace.push(json!({ "type": "agent.configured", "agent": agent, "capacity": 2 }));
        trace.push(json!({ "type": "agent.online", "agent": agent }));
    }
    for number in 0..DAYS * SESSIONS_A_DAY {
        trace.session(number);
    }
    trace.lines
}

struct Trace {
    now_ms: i64,
    lines: Vec<String>,
}

impl Trace {
    fn push(&mut self, mut event: Value) {
        let mut buffer = [0; xiaoer::domain::base::time::STAMP_BYTES_MAX];
        let at = Instant::from_ms(self.now_ms).at_offset(0);
        event["at"] = json!(at.write(&mut buffer));
        event["id"] = json!(format!("e{}", self.lines.len()));
        self.lines.push(event.to_string());
    }

    fn session(&mut self, number: i64) {
        self.now_ms += DAY_MS / SESSIONS_A_DAY;
        // Back by a number of sessions that goes through all lengths.
        let back = if number % 4 == 0 {
            1 + (number * number) % (36 * SESSIONS_A_DAY)
        } else {
            0
        };
        let (session, buyer) = (format!("s{number}"), format!("b{}", (number - back).max(0)));
        let of = |kind: &str| json!({ "type": kind, "session": session });
        self.push(json!({ "type": "session.opened", "session": session, "buyer": buyer, "bot": number % 11 == 0 }));
        self.push(of("buyer.message"));
        if number % 5 != 0 {
            self.push(of("agent.message"));
        }
        if number % 6 == 0 {
            self.push(
                json!({ "type": "rating.submitted", "session": session, "stars": 1 + number % 5 }),
            );
        }
        if number % 9 == 0 {
            self.push(of("invite.requested"));
        }
        self.push(json!({ "type": "session.closed", "session": session, "by": "buyer" }));
    }
}
