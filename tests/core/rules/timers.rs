//! Timers fire in the order of their due times, then in the order of arming, each at its own due time.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn timers_of_one_session_and_instant() {
    check(
        "timers armed by one event: reply.overdue before silence, R6 S3 M3",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"3m\",\"requires_agent_reply\":false}
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:03 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 closed s1 b1 anna timeout
            10:03:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
    check(
        "timers armed by a handoff: reply.overdue before silence, though the assignment came first",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"3m\",\"requires_agent_reply\":false} service.reply.remind_after=0s
               agents anna
               online anna
               bot-opened s1 b1
               buyer s1
         10:01 handoff s1
         10:04 clock",
        expect![[r#"
            10:01:00 assigned s1 b1 anna all
            10:04:00 reply.overdue s1 b1 anna since=10:01:00
            10:04:00 closed s1 b1 anna timeout
            10:04:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
    check(
        "timers armed by one event: reply.overdue before the queue's, in a handoff that waits",
        "10:00 shop standard routing.queue.max_wait=3m service.reply.remind_after=0s
               bot-opened s1 b1
               buyer s1
         10:01 handoff s1
         10:04 clock",
        expect![[r#"
            10:01:00 queued s1 b1 all 1 nobody_online
            10:04:00 reply.overdue s1 b1 - since=10:01:00
            10:04:00 closed s1 b1 bot timeout
            10:04:00 invite.blocked s1 b1 bot auto bot_session
        "#]],
    );
}

#[test]
fn timers_of_several_sessions() {
    check(
        "timers of one due time fire in the order in which they were armed: what is armed anew goes behind",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"2m\",\"requires_agent_reply\":false} service.reply={\"remind_after\":\"0s\",\"within\":\"1h\"}
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               buyer s1
         10:02 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:02:00 closed s2 b2 anna timeout
            10:02:00 invite.sent s2#1 b2 anna auto
            10:02:00 closed s1 b1 anna timeout
            10:02:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
    check(
        "timers by due time before the order of arming, whatever their kinds",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               buyer s1
         10:01:20 buyer s2
         10:04:20 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 reply.due s2 b2 anna since=10:01:20 overdue_at=10:04:20
            10:04:20 reply.overdue s2 b2 anna since=10:01:20
        "#]],
    );
    check(
        "timers armed by one event go session by session, in the order in which it comes to them: R9's oldest first",
        "10:00 shop standard routing.queue.max_wait=5m
               agents anna
               online anna
               opened s2 b2
               opened s1 b1
         10:01 removed anna
         10:06 clock",
        expect![[r#"
            10:00:00 assigned s2 b2 anna all
            10:00:00 assigned s1 b1 anna all
            10:01:00 queued s2 b2 all 1 nobody_online
            10:01:00 queued s1 b1 all 2 nobody_online
            10:06:00 closed s2 b2 anna timeout
            10:06:00 invite.sent s2#1 b2 anna auto
            10:06:00 closed s1 b1 anna timeout
            10:06:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
    check(
        "timers of the event's own session before those of the sessions that it drains: R7 after S5",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"5m\",\"requires_agent_reply\":false}
               agents anna bo capacity=1
               online anna
               away bo
               opened s1 b1
               opened s2 b2
         10:01 transfer s1 bo
         10:06 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:01:00 assigned s1 b1 bo manual
            10:01:00 assigned s2 b2 anna queue waited=60
            10:06:00 closed s1 b1 bo timeout
            10:06:00 invite.sent s1#1 b1 bo auto
            10:06:00 closed s2 b2 anna timeout
            10:06:00 invite.sent s2#1 b2 anna auto
        "#]],
    );
}

#[test]
fn timers_and_events() {
    check(
        "timers fire before the event of their instant; what they bring about may fire before it too",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"5m\",\"requires_agent_reply\":false}
               agents anna capacity=1
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
         10:10 opened s4 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:00:00 queued s3 b3 all 2 all_busy
            10:05:00 closed s1 b1 anna timeout
            10:05:00 invite.sent s1#1 b1 anna auto
            10:05:00 assigned s2 b2 anna queue waited=300
            10:10:00 closed s2 b2 anna timeout
            10:10:00 invite.sent s2#1 b2 anna auto
            10:10:00 assigned s3 b3 anna queue waited=600
            10:10:00 queued s4 b1 all 1 all_busy
        "#]],
    );
    check(
        "timers fire before an event that is rejected once they have, and the clock is its; not before time_went_back, a repeated id or a wrong entry",
        "10:00 shop standard routing.queue.max_wait=5m session.lateness=59s
               clock id=e1
               opened s1 b1
         10:05 clock id=e1
               opened s2 b2 entry=nowhere
         09:59 clock
         10:04:59.999 opened s2 b1
         10:05 opened s1 b2
         10:04 clock",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 rejected session.opened malformed
            10:00:00 rejected clock time_went_back
            10:04:59.999 rejected session.opened buyer_in_session s1
            10:05:00 closed s1 b1 - timeout
            10:05:00 invite.blocked s1 b1 - auto bot_session
            10:05:00 rejected session.opened session_exists
            10:05:00 rejected clock time_went_back
        "#]],
    );
    check(
        "timers of a millisecond: waited has 3 decimals, instants their milliseconds",
        "10:00:00.001 shop standard
               agents anna
               opened s1 b1
         10:00:01.251 online anna",
        expect![[r#"
            10:00:00.001 queued s1 b1 all 1 nobody_online
            10:00:01.251 assigned s1 b1 anna queue waited=1.25
        "#]],
    );
}
