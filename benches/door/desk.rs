//! What a desk sends: a buyer comes in, asks, is answered, and is sent off. Every event of it is accepted.

use serde_json::json;

/// Events of one visit.
pub const STEPS: u64 = 4;

/// Somebody at the desk of one shop, one visit after the other.
pub struct Desk {
    /// The shop's number.
    pub shop: usize,
    name: String,
    step: u64,
}

impl Desk {
    /// Names of sessions and events begin with the shop and the life, which nobody else has.
    pub fn new(shop: usize, life: u64) -> Desk {
        Desk {
            shop,
            name: format!("{shop}-{life}"),
            step: 0,
        }
    }

    /// Adds the next event.
    pub fn write(&mut self, body: &mut Vec<u8>) {
        let (name, visit) = (&self.name, self.step / STEPS);
        let id = format!("e{name}-{}", self.step);
        let session = format!("s{name}-{visit}");
        let event = match self.step % STEPS {
            0 => format!(
                r#"{{"type":"session.opened","id":"{id}","session":"{session}","buyer":"b{name}-{}","entry":"live"}}"#,
                visit % 50
            ),
            1 => format!(
                r#"{{"type":"buyer.message","id":"{id}","session":"{session}","kind":"text","text":"你好，这件衣服有货吗？今天能发吗？"}}"#
            ),
            2 => format!(
                r#"{{"type":"agent.message","id":"{id}","session":"{session}","kind":"text","text":"亲，有货的，今天下午五点前下单当天发出。"}}"#
            ),
            _ => format!(
                r#"{{"type":"session.closed","id":"{id}","session":"{session}","by":"agent"}}"#
            ),
        };
        self.step += 1;
        body.extend_from_slice(event.as_bytes());
    }

    /// The body of a request of so many events.
    pub fn body(&mut self, events: usize) -> Vec<u8> {
        let mut body = Vec::with_capacity(events * 180);
        if events == 1 {
            self.write(&mut body);
            return body;
        }
        for event in 0..events {
            body.push(if event == 0 { b'[' } else { b',' });
            self.write(&mut body);
        }
        body.push(b']');
        body
    }
}

/// The agents of a shop, who have room for everybody.
pub fn agents() -> Vec<u8> {
    let mut events = Vec::new();
    for agent in ["anna", "bo", "carl"] {
        events.push(json!({ "type": "agent.configured", "agent": agent, "capacity": 1000 }));
        events.push(json!({ "type": "agent.online", "agent": agent }));
    }
    json!(events).to_string().into_bytes()
}
