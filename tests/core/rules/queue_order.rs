//! R11, R14 and the prompts of R6: who comes first in the queue, and a shop without one.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn r11_priority() {
    check(
        "R11 a step of priority is worth its age: equal ranks go by the queue instant, then by the order of queueing",
        "10:00 shop standard routing.priority.age=60s
               agents anna capacity=1
               online anna
               opened s0 b0
         10:01 opened s1 b1
         10:02 opened s2 b2 priority=1
         10:02:30 opened s3 b3 priority=2
         10:02:30 opened s4 b4
         10:10 closed s0 system
               closed s3 system
               closed s1 system
               closed s2 system",
        expect![[r#"
            10:00:00 assigned s0 b0 anna all
            10:01:00 queued s1 b1 all 1 all_busy
            10:02:00 queued s2 b2 all 2 all_busy priority=1
            10:02:30 queued s3 b3 all 1 all_busy priority=2
            10:02:30 queued s4 b4 all 4 all_busy
            10:10:00 closed s0 b0 anna system
            10:10:00 invite.blocked s0 b0 anna auto close_reason
            10:10:00 assigned s3 b3 anna queue waited=450
            10:10:00 closed s3 b3 anna system
            10:10:00 invite.blocked s3 b3 anna auto close_reason
            10:10:00 assigned s1 b1 anna queue waited=540
            10:10:00 closed s1 b1 anna system
            10:10:00 invite.blocked s1 b1 anna auto close_reason
            10:10:00 assigned s2 b2 anna queue waited=480
            10:10:00 closed s2 b2 anna system
            10:10:00 invite.blocked s2 b2 anna auto close_reason
            10:10:00 assigned s4 b4 anna queue waited=450
        "#]],
    );
    check(
        "R11 the session's own rank counts, else its opening's, else its buyer's; 0 is one, too",
        "10:00 shop standard routing.priority.age=1h
               opened s1 b1
               rank-buyer b2 priority=5
               opened s2 b2
               opened s3 b3 priority=9
               rank s3 priority=0
               rank-buyer b3 priority=9
               rank-buyer b1 priority=6
         10:01 agents anna capacity=1
               online anna",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 queued s2 b2 all 1 nobody_online priority=5
            10:00:00 queued s3 b3 all 1 nobody_online priority=9
            10:01:00 assigned s1 b1 anna queue waited=60
        "#]],
    );
    check(
        "R11 age 0s: only noted; switched on, it counts at once",
        "10:00 shop standard
               opened s1 b1
               opened s2 b2 priority=9
         10:01 shop standard routing.priority.age=1s
               agents anna capacity=1
               online anna",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 queued s2 b2 all 2 nobody_online
            10:01:00 assigned s2 b2 anna queue waited=60
        "#]],
    );
}

#[test]
fn r14_no_queue() {
    check(
        "R14 whoever is online is free; with nobody online one waits; switched on, who waits is served",
        "10:00 shop standard
               agents anna capacity=1
               opened s0 b0
               online anna
               opened s1 b1
               opened s2 b2
         10:01 shop standard routing.queue.mode=none
               opened s3 b3
               offline anna
               opened s4 b4",
        expect![[r#"
            10:00:00 queued s0 b0 all 1 nobody_online
            10:00:00 assigned s0 b0 anna queue
            10:00:00 queued s1 b1 all 1 all_busy
            10:00:00 queued s2 b2 all 2 all_busy
            10:01:00 assigned s1 b1 anna queue waited=60
            10:01:00 assigned s2 b2 anna queue waited=60
            10:01:00 assigned s3 b3 anna all
            10:01:00 queued s4 b4 all 1 nobody_online
        "#]],
    );
    check(
        "R14 R1a takes a full agent that is online; R1b still looks at the load of an away one",
        "10:00 shop standard routing.queue.mode=none routing.recent.away_window=1h
               agents anna bo capacity=1
               online anna
               opened s1 b1
               closed s1 system
               opened s2 b2
               online bo
         10:01 opened s3 b1
               closed s3 system
               away anna
               opened s4 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 assigned s2 b2 anna all
            10:01:00 assigned s3 b1 anna recent_agent repeat
            10:01:00 closed s3 b1 anna system
            10:01:00 invite.blocked s3 b1 anna auto close_reason
            10:01:00 assigned s4 b1 bo all repeat
        "#]],
    );
}

#[test]
fn r6_prompts() {
    check(
        "R6 next_prompt at position 1, with its numbers; a policy's own prompt without it has none; busy_prompt from show_position_below on",
        "10:00 shop standard routing.queue.prompt=p{position} routing.queue.next_prompt=n{ahead} routing.queue.busy_prompt=busy routing.queue.show_position_below=3
               opened s1 b1
               opened s2 b2
               opened s3 b3
               shop standard routing.queue.prompt=p{position}
               closed s1 system
               closed s2 system
               closed s3 system
               opened s4 b4
               shop standard routing.queue.show_position_below=1
               opened s5 b5",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online "n0"
            10:00:00 queued s2 b2 all 2 nobody_online "p2"
            10:00:00 queued s3 b3 all 3 nobody_online "busy"
            10:00:00 closed s1 b1 - system
            10:00:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:00:00 closed s2 b2 - system
            10:00:00 invite.blocked s2 b2 - auto bot_session,close_reason
            10:00:00 closed s3 b3 - system
            10:00:00 invite.blocked s3 b3 - auto bot_session,close_reason
            10:00:00 queued s4 b4 all 1 nobody_online "p1"
            10:00:00 queued s5 b5 all 2 nobody_online "咨询人数较多，请耐心等待或稍后再来"
        "#]],
    );
}

#[test]
fn r7a_overflow() {
    check(
        "R7a overflow is for those whose agents are busy: a question whose agents are offline waits for them",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live={\"questions\":{\"q\":[\"bo\"]}}
               agents anna bo capacity=1
               online anna
               opened s1 b1 entry=live question=q
               opened s2 b2
               opened s3 b3
         10:01 closed s2 system
         10:02 online bo
               opened s4 b4 entry=live question=q
               closed s3 system",
        expect![[r#"
            10:00:00 queued s1 b1 question:live/q 1 scope_offline
            10:00:00 assigned s2 b2 anna all
            10:00:00 queued s3 b3 all 1 all_busy
            10:01:00 closed s2 b2 anna system
            10:01:00 invite.blocked s2 b2 anna auto close_reason
            10:01:00 assigned s3 b3 anna queue waited=60
            10:02:00 assigned s1 b1 bo queue waited=120
            10:02:00 queued s4 b4 question:live/q 1 all_busy
            10:02:00 closed s3 b3 anna system
            10:02:00 invite.blocked s3 b3 anna auto close_reason
            10:02:00 assigned s4 b4 anna queue
        "#]],
    );
}
