//! R10: a session leaves an agent that does not answer, and the agent is set away. R5b: hand-over.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn r10a_the_clock() {
    check(
        "R10a from the debt, or from the assignment if that is later; an answer at exactly that instant is too late",
        "10:00 shop standard routing.take_back.after=60s
               agents anna bo
               online anna bo
               opened s1 b1
         10:00:10 buyer s1
         10:01:09.999 clock
         10:01:10 agent s1
         10:02 closed s1 agent
         10:03 opened s2 b2
               buyer s2
         10:03:59.999 agent s2
         10:05 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:10 taken_back s1 b1 anna 1 since=10:00:10
            10:01:10 assigned s1 b1 bo no_answer
            10:02:00 closed s1 b1 bo agent
            10:02:00 invite.sent s1#1 b1 bo auto
            10:03:00 assigned s2 b2 anna all
        "#]],
    );
    check(
        "R10a without each, only until the agent's first human reply since the session came to it; an auto_reply is none",
        "10:00 shop standard routing.take_back.after=60s
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
         10:00:30 robot s1
         10:01 clock
         10:01:10 agent s1
               buyer s1
         10:03 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 assigned s1 b1 bo no_answer
            10:02:50 reply.due s1 b1 bo since=10:01:10 overdue_at=10:04:10
        "#]],
    );
    check(
        "R10a with each, every debt; a debt is one whatever follows it",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.each=true routing.take_back.max=0
               agents anna bo
               online anna bo
               opened s1 b1
               agent s1
         10:00:30 buyer s1
         10:01:20 buyer s1
         10:01:30 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:30 taken_back s1 b1 anna 1 since=10:00:30
            10:01:30 assigned s1 b1 bo no_answer
        "#]],
    );
    check(
        "R10a a policy change arms and cancels nothing",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
               opened s2 b2
         10:00:10 shop standard routing.take_back.after=60s
         10:00:20 buyer s2
         10:00:30 shop standard
         10:02 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:01:20 taken_back s2 b2 bo 1 since=10:00:20
            10:01:20 assigned s2 b2 anna no_answer
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:02:00 reply.due s2 b2 anna since=10:00:20 overdue_at=10:03:20
        "#]],
    );
    check(
        "R10a leaving the bot is one message of that instant, where the buyer wrote to it",
        "10:00 shop standard routing.take_back.after=60s
               agents anna bo
               online anna bo
               bot-opened s1 b1
               bot-opened s2 b2
               buyer s1
         10:01 handoff s1
               handoff s2
         10:02 clock
         10:05 clock",
        expect![[r#"
            10:01:00 assigned s1 b1 anna all
            10:01:00 assigned s2 b2 bo all
            10:02:00 taken_back s1 b1 anna 1 since=10:01:00
            10:02:00 assigned s1 b1 bo no_answer
            10:02:40 reply.due s1 b1 bo since=10:01:00 overdue_at=10:04:00
            10:04:00 reply.overdue s1 b1 bo since=10:01:00
        "#]],
    );
}

#[test]
fn r10b_an_overdue_session() {
    check(
        "R10b nobody else is free: it stays, overdue, and goes when somebody comes",
        "10:00 shop standard routing.take_back.after=60s
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:02 clock
         10:03 agents bo
               online bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 taken_back s1 b1 anna 1 since=10:00:00
            10:03:00 assigned s1 b1 bo no_answer
        "#]],
    );
    check(
        "R10b with queue: it waits in the pool where another eligible agent is online, with its debt as the queue instant",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.otherwise=queue
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               buyer s1
         10:00:30 opened s3 b3
         10:01 clock
         10:02 closed s2 system",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:30 queued s3 b3 all 1 all_busy
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 queued s1 b1 all 1 no_answer
            10:01:00 assigned s3 b3 anna queue waited=30
            10:01:40 reply.due s1 b1 - since=10:00:00 overdue_at=10:03:00
            10:02:00 closed s2 b2 bo system
            10:02:00 invite.blocked s2 b2 bo auto close_reason
            10:02:00 assigned s1 b1 bo queue waited=60
        "#]],
    );
    check(
        "R10b with queue and no other online: it stays",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.otherwise=queue
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:02 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
        "#]],
    );
    check(
        "R10b max: once by default, then never again; 0 has no limit",
        "10:00 shop standard routing.take_back.after=60s
               agents anna bo carl
               online anna bo carl
               opened s1 b1
               buyer s1
         10:05 clock
         10:06 shop standard routing.take_back.after=60s routing.take_back.max=0
               closed s1 system
         10:10 opened s2 b2
               buyer s2
         10:20 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 assigned s1 b1 bo no_answer
            10:01:40 reply.due s1 b1 bo since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 bo since=10:00:00
            10:06:00 closed s1 b1 bo system
            10:06:00 invite.blocked s1 b1 bo auto close_reason
            10:10:00 assigned s2 b2 carl all
            10:11:00 taken_back s2 b2 carl 1 since=10:10:00
            10:11:00 assigned s2 b2 anna no_answer
            10:11:40 reply.due s2 b2 anna since=10:10:00 overdue_at=10:13:00
            10:12:00 taken_back s2 b2 anna 2 since=10:10:00
            10:12:00 assigned s2 b2 bo no_answer
            10:13:00 reply.overdue s2 b2 bo since=10:10:00
        "#]],
    );
    check(
        "R10c a waiting session passes over whom it was taken from, while another eligible agent is online",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.otherwise=queue
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               buyer s1
         10:01 clock
         10:01:10 opened s3 b3
         10:02 offline bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 queued s1 b1 all 1 no_answer
            10:01:10 assigned s3 b3 anna all
            10:01:40 reply.due s1 b1 - since=10:00:00 overdue_at=10:03:00
        "#]],
    );
    check(
        "R10d a transfer by hand starts anew",
        "10:00 shop standard routing.take_back.after=60s
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
         10:01 clock
         10:01:30 transfer s1 anna
         10:03 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 assigned s1 b1 bo no_answer
            10:01:30 assigned s1 b1 anna manual
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:02:30 taken_back s1 b1 anna 1 since=10:00:00
            10:02:30 assigned s1 b1 bo no_answer
            10:03:00 reply.overdue s1 b1 bo since=10:00:00
        "#]],
    );
}

#[test]
fn r10e_the_agent() {
    check(
        "R10e the second miss in a row sets the agent away, after the decisions of the session; its own event brings it back",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.away_after=2
               agents anna bo
               online anna
               opened s1 b1
               opened s2 b2
               online bo
               buyer s1
         10:00:10 buyer s2
         10:02 clock
         10:03 opened s3 b3
               online anna
         10:04 opened s4 b4",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 assigned s1 b1 bo no_answer
            10:01:10 taken_back s2 b2 anna 1 since=10:00:10
            10:01:10 assigned s2 b2 bo no_answer
            10:01:10 agent.presence_set anna away no_answer
            10:01:40 reply.due s1 b1 bo since=10:00:00 overdue_at=10:03:00
            10:01:50 reply.due s2 b2 bo since=10:00:10 overdue_at=10:03:10
            10:03:00 reply.overdue s1 b1 bo since=10:00:00
            10:03:00 assigned s3 b3 bo all
            10:03:10 reply.overdue s2 b2 bo since=10:00:10
            10:04:00 assigned s4 b4 anna all
        "#]],
    );
    check(
        "R10e a human reply in any session ends the row",
        "10:00 shop standard routing.take_back.after=60s routing.take_back.away_after=2
               agents anna bo
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               online bo
               buyer s1
         10:00:30 buyer s2
         10:01:10 agent s3
         10:02 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:00:00 assigned s3 b3 anna all
            10:01:00 taken_back s1 b1 anna 1 since=10:00:00
            10:01:00 assigned s1 b1 bo no_answer
            10:01:30 taken_back s2 b2 anna 1 since=10:00:30
            10:01:30 assigned s2 b2 bo no_answer
            10:01:40 reply.due s1 b1 bo since=10:00:00 overdue_at=10:03:00
        "#]],
    );
}

#[test]
fn r5b_hand_over() {
    check(
        "R5b the oldest debt first, then in the order of opening; whoever wrote nothing stays; an away agent is not offline",
        "10:00 shop standard routing.offline.hand_over=online session.on_agent_offline=keep
               agents anna bo carl capacity=3
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
         10:01 buyer s3
         10:02 buyer s1
               buyer s2
               away bo
               offline anna
         10:03 online carl",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 anna all
            10:00:00 assigned s4 b4 bo all
            10:02:40 reply.due s3 b3 anna since=10:01:00 overdue_at=10:04:00
            10:03:00 assigned s3 b3 carl offline_handover
            10:03:00 assigned s1 b1 carl offline_handover
        "#]],
    );
    check(
        "R5b where it would wait it is queued, without an automatic reply and whatever the limit; coming online twice changes nothing",
        "10:00 shop standard routing.offline.hand_over=online session.on_agent_offline=keep routing.queue.limit=1 auto_reply.queued={\"enabled\":true,\"text\":\"later\"}
               agents anna bo capacity=2
               online anna
               opened s1 b1
               opened s2 b2
               buyer s1
               buyer s2
               offline anna
         10:01 opened s3 b3
               agents bo capacity=1
               online bo
               online bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:01:00 queued s3 b3 all 1 nobody_online
            10:01:00 assigned s1 b1 bo offline_handover
            10:01:00 queued s2 b2 all 1 offline_handover
        "#]],
    );
}
