//! T1: events that come late.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn t1_late_events() {
    check(
        "T1 at most lateness late, at the clock; 1 ms more is time_went_back; the entry's name is checked after it",
        "10:00 shop standard session.lateness=60s
               agents anna
               online anna
         10:01 clock
         10:00 opened s1 b1
         09:59:59.999 opened s2 b2
         10:00 opened s2 b2 entry=nowhere",
        expect![[r#"
            10:01:00 assigned s1 b1 anna all
            10:01:00 rejected session.opened time_went_back
            10:01:00 rejected session.opened malformed
        "#]],
    );
    check(
        "T1b a message begins at its own instant; what is due by now comes after draining, in order, at the clock",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               opened s1 b1
               opened s2 b2
         10:05 clock
         10:01 buyer s1
         10:05 agent s1
               closed s1 agent",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:05:00 reply.due s1 b1 anna since=10:01:00 overdue_at=10:04:00
            10:05:00 reply.overdue s1 b1 anna since=10:01:00
            10:05:00 closed s1 b1 anna agent
            10:05:00 invite.sent s1#1 b1 anna auto
            10:05:00 assigned s2 b2 anna queue waited=300
        "#]],
    );
    check(
        "T1c a reply that comes late answers at its own instant: in time at 1 ms before within, late at exactly within",
        "10:00 shop pinduoduo service.reply.min_sample=1 routing.offline.mode=wait
               agents anna
               online anna
               opened s1 b1
         10:01 buyer s1
         10:05 clock
         10:03:59.999 agent s1
         10:05 opened s2 b2
               buyer s2
         10:09 clock
         10:08 agent s2",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:02:40 reply.due s1 b1 anna since=10:01:00 overdue_at=10:04:00
            10:04:00 reply.overdue s1 b1 anna since=10:01:00
            10:04:00 score.alert reply_rate 2026-11-16 0 of 0.5
            10:05:00 score.recovered reply_rate 2026-11-16 1 of 0.5
            10:05:00 assigned s2 b2 anna all
            10:06:40 reply.due s2 b2 anna since=10:05:00 overdue_at=10:08:00
            10:08:00 reply.overdue s2 b2 anna since=10:05:00
        "#]],
    );
    check(
        "T1d an answer of before the close is taken after it, whatever late_reply is; one of after it is not",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 closed s1 buyer
         10:02 clock
         10:01 agent s1
         10:01:00.001 agent s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna buyer
            10:01:00 invite.sent s1#1 b1 anna auto
            10:02:00 rejected agent.message session_closed
        "#]],
    );
    check(
        "T1 contact, silence and the take-back go by the clock",
        "10:00 shop standard routing.take_back.after=60s session.close_after_buyer_silence=2m session.requires_agent_reply=false
               agents anna
               online anna
               opened s1 b1
         10:01 clock
         10:00:10 buyer s1
         10:03 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:50 reply.due s1 b1 anna since=10:00:10 overdue_at=10:03:10
            10:03:00 closed s1 b1 anna timeout
            10:03:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
}
