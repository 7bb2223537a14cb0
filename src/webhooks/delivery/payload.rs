//! The body of a message, and the id by which a receiver recognises a repetition.
//!
//! Every attempt builds the message from the journal again, with the same result. The body depends on the decisions
//! only, and the id on the endpoint and the body.

use crate::webhooks::endpoint::DISABLED;
use bytes::Bytes;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::runtime::{DecisionHeader, StoredDecision};

/// The type of a body that holds several decisions.
const BATCH: &str = "decisions";

/// The type of a test message.
const TEST: &str = "webhook.test";

/// A message, ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The `webhook-id`: the same at every attempt.
    pub id: String,
    /// The body, JSON.
    pub body: Bytes,
    /// How many decisions it holds.
    pub decisions: u32,
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One decision: `{"type", "timestamp", "shop", "seq", "data"}`.
pub fn single(endpoint: &str, shop: &Id, decision: &StoredDecision) -> Message {
    let StoredDecision { seq, json, .. } = decision;
    let DecisionHeader { kind, at } = decision.header();
    let (kind, shop) = (quoted(kind), quoted(shop));
    let body = format!(
        "{{\"type\":{kind},\"timestamp\":\"{at}\",\"shop\":{shop},\"seq\":{seq},\"data\":{json}}}"
    );
    message(format!("msg_{endpoint}_{seq}"), body, 1)
}

/// Several: `{"type": "decisions", "timestamp", "shop", "from", "to", "seq", "data": […]}`, at the last one's instant.
pub fn batch(endpoint: &str, shop: &Id, decisions: &[StoredDecision]) -> Option<Message> {
    let (first, last) = (decisions.first()?, decisions.last()?);
    let length: usize = decisions.iter().map(|d| d.json.len() + 1).sum();
    let mut body = String::with_capacity(length + 256);
    let (from, to, at) = (first.seq, last.seq, last.header().at);
    body.push_str(&format!(
        "{{\"type\":\"{BATCH}\",\"timestamp\":\"{at}\",\"shop\":{},\"from\":{from},\"to\":{to},\"seq\":{to},\"data\":[",
        quoted(shop)
    ));
    for (place, decision) in decisions.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        body.push_str(&decision.json);
    }
    body.push_str("]}");
    let id = format!("msg_{endpoint}_{from}-{to}");
    Some(message(id, body, decisions.len() as u32))
}

/// A test message, without decisions.
pub fn test(endpoint: &str, shop: &Id, now: Instant) -> Message {
    let (shop, at) = (quoted(shop), now.at_offset(0));
    let body =
        format!("{{\"type\":\"{TEST}\",\"timestamp\":\"{at}\",\"shop\":{shop},\"data\":{{}}}}");
    message(format!("test_{endpoint}_{}", now.ms()), body, 0)
}

/// The notice to other endpoints of the shop that the server has disabled one.
pub fn disabled(of: &str, shop: &Id, why: &str, now: Instant) -> Message {
    let (shop, why, at) = (quoted(shop), quoted(why), now.at_offset(0));
    let body = format!(
        "{{\"type\":\"{DISABLED}\",\"timestamp\":\"{at}\",\"shop\":{shop},\"data\":{{\"webhook\":\"{of}\",\"why\":{why}}}}}"
    );
    message(format!("disabled_{of}_{}", now.ms()), body, 0)
}

/// The id ends with a checksum of the body. After a restore other decisions may get the same `seq`, and a receiver
/// must not take them for those that it has.
fn message(id: String, body: String, decisions: u32) -> Message {
    Message {
        id: format!("{id}_{:08x}", crc32fast::hash(body.as_bytes())),
        body: body.into(),
        decisions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(seq: u64, session: &str) -> StoredDecision {
        StoredDecision {
            seq,
            at: Instant::from_ms(0),
            json: format!(
                "{{\"at\":\"2026-11-24T17:00:00+08:00\",\"seq\":{seq},\"type\":\"session.queued\",\"session\":\"{session}\"}}"
            ),
            event: Bytes::new(),
        }
    }

    #[test]
    fn bodies_carry_seq_and_ids_go_by_what_is_in_them() {
        let shop = Id::new("茶铺").unwrap();
        let one = single("e1", &shop, &decision(7, "a"));
        let body: serde_json::Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!(body["type"], "session.queued");
        assert_eq!(body["shop"], "茶铺");
        assert_eq!(body["seq"], 7);
        assert_eq!(body["timestamp"], "2026-11-24T17:00:00+08:00");
        assert_eq!(body["data"]["session"], "a");
        assert!(one.id.starts_with("msg_e1_7_") && !one.id.contains('.'));
        assert_eq!(one, single("e1", &shop, &decision(7, "a")));
        assert_ne!(one.id, single("e1", &shop, &decision(7, "b")).id);
        assert_ne!(one.id, single("e2", &shop, &decision(7, "a")).id);

        let two = batch("e1", &shop, &[decision(7, "a"), decision(9, "b")]).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&two.body).unwrap();
        assert_eq!(
            (&body["from"], &body["to"], &body["seq"]),
            (&7.into(), &9.into(), &9.into())
        );
        assert_eq!(body["data"][1]["seq"], 9);
        assert_eq!(two.decisions, 2);
        assert_eq!(batch("e1", &shop, &[]), None);

        for message in [
            test("e1", &shop, decision(1, "").at),
            disabled("e1", &shop, "410 \"gone\"", decision(1, "").at),
        ] {
            assert!(serde_json::from_slice::<serde_json::Value>(&message.body).is_ok());
            assert_eq!(message.decisions, 0);
        }
    }
}
