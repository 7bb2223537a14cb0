//! What a request for an invitation would decide is what it decides (contract, section 6), and looking changes nothing.

use crate::support::player::Player;
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::read::views;

/// Ten o'clock of a day.
fn ten(day: u32) -> String {
    format!("2026-11-{day:02}T10:00:00+08:00")
}

fn at(event: Value, at: &str) -> String {
    let mut event = event;
    event["at"] = json!(at);
    event.to_string()
}

/// A shop with an agent and three sessions: with the agent, with the bot, and closed. No timer closes any.
fn played(policy: &Value, events: &[Value]) -> Player {
    let mut player = Player::default();
    let mut policy = policy.clone();
    policy["session"] = json!({"close_after_buyer_silence": "0s"});
    let begin = [
        json!({"type": "shop.configured", "policy": policy}),
        json!({"type": "agent.configured", "agent": "anna"}),
        json!({"type": "agent.online", "agent": "anna"}),
        json!({"type": "session.opened", "session": "s1", "buyer": "b1"}),
        json!({"type": "session.opened", "session": "s2", "buyer": "b2", "bot": true}),
        json!({"type": "session.opened", "session": "s3", "buyer": "b3"}),
        json!({"type": "session.closed", "session": "s3", "by": "system"}),
    ];
    for event in begin.iter().chain(events) {
        let played = player.play(&at(event.clone(), &ten(11))).written();
        assert!(
            played.iter().all(|made| made["type"] != "event.rejected"),
            "{event}"
        );
    }
    player
}

#[test]
fn a_preview_says_what_the_request_decides() {
    let (standard, off) = (json!({}), json!({"invite": {"manual": false}}));
    let free = json!({"invite": {"manual_needs_contact": false}});
    let wrote = || json!({"type": "buyer.message", "session": "s1"});
    let asked = || json!({"type": "invite.requested", "session": "s1"});
    let opened = || json!({"type": "rating.opened", "session": "s1"});
    let sent = |card: &str| json!({"type": "invite.sent", "card": card});
    let blocked = |codes: &[&str]| json!({"type": "invite.blocked", "blocked_by": codes});
    let until = |codes: &[&str], day| {
        let mut blocked = blocked(codes);
        blocked["retry_at"] = json!(ten(day));
        blocked
    };
    let rejected = |error: &str| json!({"type": "event.rejected", "error": error});
    for (policy, events, session, now, expected) in [
        (&standard, vec![], "s1", ten(11), blocked(&["no_contact"])),
        (&standard, vec![wrote()], "s1", ten(11), sent("s1#1")),
        (&free, vec![], "s1", ten(11), sent("s1#1")),
        (
            &off,
            vec![],
            "s1",
            ten(11),
            blocked(&["disabled", "no_contact"]),
        ),
        // An instant of another day: what was written today was not written then.
        (
            &standard,
            vec![wrote()],
            "s1",
            ten(12),
            blocked(&["no_contact"]),
        ),
        (
            &standard,
            vec![wrote(), asked()],
            "s1",
            ten(11),
            until(&["already_invited"], 12),
        ),
        (
            &free,
            vec![asked()],
            "s1",
            "2026-11-12T09:59:59.999+08:00".to_owned(),
            until(&["already_invited"], 12),
        ),
        (&free, vec![asked()], "s1", ten(12), sent("s1#2")),
        (
            &free,
            vec![wrote(), opened()],
            "s1",
            ten(11),
            until(&["rated_recently"], 12),
        ),
        (
            &free,
            vec![wrote(), opened(), asked()],
            "s1",
            ten(11),
            until(&["rated_recently"], 12),
        ),
        (
            &standard,
            vec![],
            "s2",
            ten(11),
            rejected("not_session_agent"),
        ),
        (&standard, vec![], "s3", ten(11), rejected("session_closed")),
        (
            &standard,
            vec![],
            "s3",
            "2026-11-18T09:59:59+08:00".to_owned(),
            rejected("session_closed"),
        ),
        (
            &standard,
            vec![],
            "s3",
            ten(18),
            rejected("session_unknown"),
        ),
        (
            &standard,
            vec![],
            "s9",
            ten(11),
            rejected("session_unknown"),
        ),
    ] {
        let mut player = played(policy, &events);
        let instant = Instant::parse(&now).expect("an instant");
        let before = player.report();
        let shop = player.installation.shop("default").expect("the shop");
        let id = Id::new(session).expect("an id");
        let preview = match views::invite(shop, &id, instant) {
            Ok(view) => serde_json::to_value(view).expect("JSON"),
            Err(rejection) => json!({
                "type": "event.rejected", "error": rejection.error.code(), "message": rejection.message,
            }),
        };
        assert_eq!(player.report(), before, "looking changes nothing");
        for (key, value) in expected.as_object().expect("an object") {
            assert_eq!(
                &preview[key], value,
                "{session} at {now} after {events:?}: {preview}"
            );
        }
        assert_eq!(
            preview.get("retry_at"),
            expected.get("retry_at"),
            "{preview}"
        );
        let event = json!({"type": "invite.requested", "session": session});
        let mut decided = player.play(&at(event, &now)).written();
        let mut decision = decided.pop().expect("a decision");
        let fields = decision.as_object_mut().expect("an object");
        fields.retain(|name, _| !["at", "shop", "seq", "event"].contains(&name.as_str()));
        assert_eq!(decision, preview, "{session} at {now} after {events:?}");
    }
}

/// A look at an instant that the shop's clock has passed is a look at its clock.
#[test]
fn a_preview_is_not_of_the_past() {
    let free = json!({"invite": {"manual_needs_contact": false}});
    let player = played(
        &free,
        &[json!({"type": "invite.requested", "session": "s1"})],
    );
    let shop = player.installation.shop("default").expect("the shop");
    let id = Id::new("s1").expect("an id");
    let earlier = Instant::parse(&ten(1)).expect("an instant");
    let view = views::invite(shop, &id, earlier).expect("it is with an agent");
    assert_eq!((view.r#type, view.blocked_by.len()), ("invite.blocked", 1));
}
