//! Events in requests, which know the shop and the time: the fields that bodies may omit, and idempotency records.

use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::{Duration, Instant};
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::event::Event;
use xiaoer::domain::rules::apply_event::Applied;
use xiaoer::domain::state::idempotency::IdempotencyRecord;
use xiaoer::wire::{Line, ReadEvent, read_event};

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

/// 2026-11-11T10:00:00+08:00
const NOW: Instant = Instant::from_ms(1_794_362_400_000);

fn read(text: &str) -> ReadEvent {
    read_event(text, &id("shop"), NOW).expect("an object")
}

#[test]
fn what_a_body_leaves_out_is_the_doors() {
    let hour_before = Instant::from_ms(NOW.ms() - 3_600_000);
    for (body, at, stamped, named) in [
        (r#"{"type":"clock"}"#, NOW, true, None),
        (r#"{"type":"clock","at":null,"shop":null}"#, NOW, true, None),
        (
            r#"{"type":"clock","at":"2026-11-11T09:00:00+08:00"}"#,
            hour_before,
            false,
            None,
        ),
        (r#"{"type":"clock","shop":"shop"}"#, NOW, true, Some("shop")),
    ] {
        let read = read(body);
        let Line::Event(shop, event) = read.line else {
            panic!("{body} is malformed");
        };
        assert_eq!((shop.as_str(), event.at), ("shop", at), "{body}");
        assert_eq!(
            (read.stamped, read.shop_named.as_deref()),
            (stamped, named),
            "{body}"
        );
    }
}

#[test]
fn what_is_wrong_is_told_to_the_doors_shop() {
    for (body, message, at, named) in [
        (
            r#"{"type":"clock","shop":"other"}"#,
            "`shop` \"other\" is not",
            Some(NOW),
            Some("other"),
        ),
        (
            r#"{"type":"clock","shop":7}"#,
            "`shop` must be",
            Some(NOW),
            None,
        ),
        (
            r#"{"type":"clock","at":"soon"}"#,
            "`at` must be",
            None,
            None,
        ),
        (r#"{"type":"clock","at":7}"#, "`at` must be", None, None),
        (
            r#"{"shop":"shop"}"#,
            "`type` is missing",
            Some(NOW),
            Some("shop"),
        ),
    ] {
        let read = read(body);
        let Line::Malformed(malformed) = read.line else {
            panic!("{body} is well-formed");
        };
        assert_eq!(malformed.shop.as_deref(), Some("shop"), "{body}");
        assert_eq!(
            (malformed.at, read.shop_named.as_deref()),
            (at, named),
            "{body}"
        );
        assert!(
            malformed.message.starts_with(message),
            "{}",
            malformed.message
        );
    }
    assert!(read_event("[]", &id("shop"), NOW).is_err());
}

#[test]
fn only_a_body_with_an_id_has_a_fingerprint() {
    for (body, has) in [
        (r#"{"type":"clock","id":"e1"}"#, true),
        (r#"{"type":"clock"}"#, false),
        (r#"{"type":"clock","id":null}"#, false),
        (r#"{"type":"clock","id":"e1","id":null}"#, false),
    ] {
        let Line::Event(_, event) = read(body).line else {
            panic!("{body} is malformed");
        };
        assert_eq!(event.print != 0, has, "{body}");
    }
}

fn event(after_ms: i64, body: &str) -> Event {
    let now = Instant::from_ms(NOW.ms() + after_ms);
    match read_event(body, &id("shop"), now).expect("an object").line {
        Line::Event(_, event) => event,
        Line::Malformed(malformed) => panic!("{body}: {}", malformed.message),
    }
}

#[test]
fn an_accepted_event_leaves_a_receipt_for_7_days() {
    let mut installation = Installation::default();
    let mut take = |after_ms: i64, body: &str| {
        let event = event(after_ms, body);
        let taken = installation.take(&id("shop"), &event, &mut DecisionSink::default());
        let shop = installation.shop("shop").expect("the shop");
        (
            taken,
            event.print,
            event.id.and_then(|id| shop.receipt(&id)),
        )
    };
    let week_ms = Duration::days(7).ms();
    let late = r#"{"type":"clock","id":"late"}"#;
    for (after_ms, body, taken, range) in [
        (
            0,
            r#"{"type":"shop.configured","id":"e0","policy":{}}"#,
            Applied::Accepted,
            Some((1, 0)),
        ),
        (
            0,
            r#"{"type":"session.opened","id":"e1","session":"s1","buyer":"b1"}"#,
            Applied::Accepted,
            Some((1, 1)),
        ),
        (
            1,
            r#"{"type":"session.opened","id":"e1","session":"s2","buyer":"b2"}"#,
            Applied::Repeated,
            Some((1, 1)),
        ),
        (
            2,
            r#"{"type":"session.opened","id":"e2","session":"s1","buyer":"b2"}"#,
            Applied::Rejected,
            None,
        ),
        (
            3,
            r#"{"type":"clock","id":"e3"}"#,
            Applied::Accepted,
            Some((3, 0)),
        ),
        // What waits for a day goes by a timer: its close and its invite are the answer to the event that came then.
        (week_ms - 1, late, Applied::Accepted, Some((3, 2))),
        (week_ms, late, Applied::Repeated, Some((3, 2))),
        (week_ms, r#"{"type":"clock"}"#, Applied::Accepted, None),
        (
            week_ms,
            r#"{"type":"session.opened","id":"e1","session":"s3","buyer":"b3"}"#,
            Applied::Accepted,
            Some((5, 1)),
        ),
    ] {
        let (became, print, receipt) = take(after_ms, body);
        assert_eq!(became, taken, "{body}");
        let kept = receipt.map(|receipt| (receipt.first, receipt.count));
        assert_eq!(kept, range, "{body}");
        if let (Applied::Accepted, Some(IdempotencyRecord { print: kept, .. })) = (became, receipt)
        {
            assert_eq!(kept, print, "{body}");
        }
    }
    let shop = installation.shop("shop").expect("the shop");
    assert_eq!(shop.receipt(&id("e0")), None, "7 days have passed");
    assert!(shop.receipt(&id("e3")).is_some());
}
