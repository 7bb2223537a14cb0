//! S7, S8 and S10: giving up, the work after a session, and a late answer.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn s7_giving_up() {
    check(
        "S7 who left is passed over and keeps its place; at exactly leave_grace it closes, before a place of that instant",
        "10:00 shop standard routing.queue.leave_grace=60s
               agents anna capacity=1
               online anna
               opened s0 b0
               opened s1 b1
               opened s2 b2
               left s1
         10:00:30 closed s0 system
               left s1
         10:01 closed s2 system",
        expect![[r#"
            10:00:00 assigned s0 b0 anna all
            10:00:00 queued s1 b1 all 1 all_busy
            10:00:00 queued s2 b2 all 2 all_busy
            10:00:30 closed s0 b0 anna system
            10:00:30 invite.blocked s0 b0 anna auto close_reason
            10:00:30 assigned s2 b2 anna queue waited=30
            10:01:00 closed s1 b1 - abandoned
            10:01:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:01:00 closed s2 b2 anna system
            10:01:00 invite.blocked s2 b2 anna auto close_reason
        "#]],
    );
    check(
        "S7 back in time it is first again; a message is a return, whatever the place",
        "10:00 shop standard routing.queue.leave_grace=60s
               opened s1 b1
               opened s2 b2
               left s1
               left s2
         10:00:30 back s1
         10:00:59.999 buyer s2
         10:01 agents anna
               online anna",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 queued s2 b2 all 2 nobody_online
            10:01:00 assigned s1 b1 anna queue waited=60
            10:01:00 assigned s2 b2 anna queue waited=60
        "#]],
    );
    check(
        "S7 with the note of before it begins where it is queued; a policy change arms nothing",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               bot-opened s1 b1
               left s1
               opened s2 b2
               opened s3 b3
               left s3
         10:01 shop standard routing.queue.leave_grace=60s
               handoff s1
         10:02 clock
         10:05 back s1",
        expect![[r#"
            10:00:00 assigned s2 b2 anna all
            10:00:00 queued s3 b3 all 1 all_busy
            10:01:00 queued s1 b1 all 2 all_busy
            10:02:00 closed s1 b1 bot abandoned
            10:02:00 invite.blocked s1 b1 bot auto bot_session,close_reason
            10:05:00 rejected buyer.returned session_closed
        "#]],
    );
}

#[test]
fn s8_after_work() {
    check(
        "S8 the place stays taken, to the millisecond; ready frees it; not where the agent wrote nothing, or went offline",
        "10:00 shop standard session.wrap_up=30s
               agents anna capacity=1
               online anna
               opened s1 b1
               agent s1
               closed s1 agent
               opened s2 b2
         10:00:29.999 clock
         10:00:30 clock
               closed s2 agent
               opened s3 b3
               agent s3
               closed s3 buyer
               opened s4 b4
         10:00:31 ready anna
               agent s4
               closed s4 agent
         10:00:32 offline anna
               online anna
               opened s5 b5",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna agent
            10:00:00 invite.sent s1#1 b1 anna auto
            10:00:00 queued s2 b2 all 1 all_busy
            10:00:30 assigned s2 b2 anna queue waited=30
            10:00:30 closed s2 b2 anna agent
            10:00:30 invite.sent s2#1 b2 anna auto
            10:00:30 assigned s3 b3 anna all
            10:00:30 closed s3 b3 anna buyer
            10:00:30 invite.sent s3#1 b3 anna auto
            10:00:30 queued s4 b4 all 1 all_busy
            10:00:31 assigned s4 b4 anna queue waited=1
            10:00:31 closed s4 b4 anna agent
            10:00:31 invite.sent s4#1 b4 anna auto
            10:00:32 assigned s5 b5 anna all
        "#]],
    );
    check(
        "S8 agent_offline leaves no place; the place counts for the strategy",
        "10:00 shop taobao session.wrap_up=30s routing.strategy=least_saturated routing.recent.window=0s
               agents anna bo
               online anna bo
               opened s1 b1
               agent s1
               closed s1 agent
               opened s2 b2
               opened s3 b3
               agent s3
               offline bo
               online bo
               opened s4 b4",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna agent
            10:00:00 invite.blocked s1 b1 anna auto close_reason,too_short
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 anna all
            10:00:00 closed s2 b2 bo agent_offline
            10:00:00 invite.blocked s2 b2 bo auto close_reason,buyer_spoke_last,too_short
            10:00:00 assigned s4 b4 bo all
        "#]],
    );
}

#[test]
fn s10_a_late_answer() {
    check(
        "S10 accepted of the agent that had it last, until exactly late_reply; it ends the reminder and opens nothing",
        "10:00 shop standard session.late_reply=5m
               agents anna bo
               online anna
               opened s1 b1
               buyer s1
               closed s1 system
         10:02:59.999 agent s1 bo
               agent s1 anna
         10:04:59.999 agent s1
         10:05 agent s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:02:59.999 rejected agent.message session_closed
            10:05:00 rejected agent.message session_closed
        "#]],
    );
}
