//! Events: the order of checks, their ids, and a row for each rejection code.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn rejections() {
    check(
        "shop_unknown: seq 0, the event's own time at +08:00; a policy_invalid first configuration makes no shop",
        "2026-11-16T02:00:00Z clock
               @other opened s1 b1
               shop standard routing.recent.window=soon
               clock
               shop standard
               opened s1 b1",
        expect![[r#"
            10:00:00 rejected clock shop_unknown
            10:00:00 @other rejected session.opened shop_unknown
            10:00:00 rejected shop.configured policy_invalid routing.recent.window
            10:00:00 rejected clock shop_unknown
            10:00:00 queued s1 b1 all 1 nobody_online
        "#]],
    );
    check(
        "policy_invalid: the shop keeps the policy it had, and the clock moves",
        "10:00 shop standard routing.queue.max_wait=5m session.lateness=59s
               opened s1 b1
         10:05 shop standard routing.queue.limit=-1
               opened s2 b2
         10:04 clock",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:05:00 closed s1 b1 - timeout
            10:05:00 invite.blocked s1 b1 - auto bot_session
            10:05:00 rejected shop.configured policy_invalid routing.queue.limit
            10:05:00 queued s2 b2 all 1 nobody_online
            10:05:00 rejected clock time_went_back
        "#]],
    );
    check(
        "agent_unknown: never configured, removed, or the bot; agent.configured of it is malformed",
        "10:00 shop standard
               online anna
               away anna
               offline anna
               removed anna
               online bot
               removed bot
               agents bot
               agents anna
               online anna
               removed anna
               online anna",
        expect![[r#"
            10:00:00 rejected agent.online agent_unknown
            10:00:00 rejected agent.away agent_unknown
            10:00:00 rejected agent.offline agent_unknown
            10:00:00 rejected agent.removed agent_unknown
            10:00:00 rejected agent.online agent_unknown
            10:00:00 rejected agent.removed agent_unknown
            10:00:00 rejected agent.configured malformed
            10:00:00 rejected agent.online agent_unknown
        "#]],
    );
    check(
        "malformed and time_went_back take a seq and the shop's own time; an entry is known by its name or the policy",
        "10:00 shop standard session.lateness=0s routing.entries.shelf={}
               opened s1 b1 colour=red
         09:00 opened s1 b1 colour=red
         09:59:59.999 opened s1 b1
         10:01 opened s1 b1 entry=nowhere
               opened s1 b1 entry=shelf
               opened s2 b2 entry=order_detail
               flag b2 risk=1
               nothing
         10:00:30 clock",
        expect![[r#"
            10:00:00 rejected session.opened malformed
            10:00:00 rejected session.opened malformed
            10:00:00 rejected session.opened time_went_back
            10:00:00 rejected session.opened malformed
            10:01:00 queued s1 b1 all 1 nobody_online
            10:01:00 queued s2 b2 all 2 nobody_online
            10:01:00 rejected buyer.flagged malformed
            10:01:00 rejected nothing malformed
            10:01:00 rejected clock time_went_back
        "#]],
    );
}

#[test]
fn the_order_of_the_checks() {
    check(
        "form, shop, a repeated id, time_went_back, the entry's name",
        "10:00 @nowhere opened s1 b1 colour=red
               @nowhere opened s1 b1 id=e1 entry=nowhere
               shop standard
               clock id=e1
         09:00 opened s1 b1 id=e1 colour=red
               opened s1 b1 id=e1 entry=nowhere
               opened s1 b1 id=e2 entry=nowhere
         10:00 opened s1 b1 id=e2 entry=nowhere",
        expect![[r#"
            10:00:00 @nowhere rejected session.opened malformed
            10:00:00 @nowhere rejected session.opened shop_unknown
            10:00:00 rejected session.opened malformed
            10:00:00 rejected session.opened time_went_back
            10:00:00 rejected session.opened malformed
        "#]],
    );
    check(
        "session.opened: session_exists, buyer_in_session, queue_full",
        "10:00 shop standard routing.queue.limit=1
               opened s1 b1
               opened s1 b1
               opened s2 b1
               opened s2 b2",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 rejected session.opened session_exists
            10:00:00 rejected session.opened buyer_in_session s1
            10:00:00 rejected session.opened queue_full
        "#]],
    );
}

#[test]
fn event_ids() {
    check(
        "an id of an accepted event: nothing is written, whatever the body, and the clock stays",
        "10:00 shop standard id=e1
               opened s1 b1 id=e2
         11:00 opened s2 b2 id=e2
         10:30 opened s2 b2
               shop taobao id=e1
               closed s9 buyer id=e2",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:30:00 queued s2 b2 all 2 nobody_online
        "#]],
    );
    check(
        "a rejected event's id is not remembered; shops remember their own",
        "10:00 shop standard
               closed s1 buyer id=e1
               opened s1 b1 id=e1
               @b shop standard id=e1
               @b opened s1 b1 id=e1
               @b opened s1 b1 id=e2",
        expect![[r#"
            10:00:00 rejected session.closed session_unknown
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 @b queued s1 b1 all 1 nobody_online
        "#]],
    );
    check(
        "an id is remembered while the clock before the repetition is less than 7 days past the accepted one",
        "10:00 shop standard routing.queue.max_wait=0s
         10:01 opened s1 b1 id=e1
         11-23T10:00:59.999 clock
         11-23T10:01 opened s2 b2 id=e1
         11-23T10:00:59.999 opened s3 b3
         11-23T10:01 clock
               opened s2 b2 id=e1
               opened s4 b4 id=e1",
        expect![[r#"
            10:01:00 queued s1 b1 all 1 nobody_online
            11-23T10:00:59.999 queued s3 b3 all 2 nobody_online
            11-23T10:01:00 queued s2 b2 all 3 nobody_online
        "#]],
    );
}

#[test]
fn agents_are_configured() {
    check(
        "left-out fields take their defaults again, presence and sessions stay; a capacity of 1 to 1000, weight 1 to 100",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               opened s1 b1
               opened s2 b2
         10:01 agents anna
               agents anna capacity=0
               agents anna capacity=1001
               agents anna weight=101
               agents anna capacity=1000 weight=100 name=安娜
               agents bo roles=[]
               online bo
               transfer s1 bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:01:00 assigned s2 b2 anna queue waited=60
            10:01:00 rejected agent.configured malformed
            10:01:00 rejected agent.configured malformed
            10:01:00 rejected agent.configured malformed
            10:01:00 rejected session.transferred agent_unknown
        "#]],
    );
}
