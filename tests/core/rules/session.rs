//! S1 to S6: the life of a session.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn s1_one_open_session_a_buyer() {
    check(
        "S1 buyer_in_session names the session, session_exists comes first; waiting and with the bot are open too",
        "10:00 shop standard
               agents anna
               opened s1 b1
               opened s2 b1
               opened s1 b1
               opened s1 b2
               bot-opened s3 b3
               bot-opened s4 b3
               closed s1 system
               opened s1 b3
               opened s2 b1",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 rejected session.opened buyer_in_session s1
            10:00:00 rejected session.opened session_exists
            10:00:00 rejected session.opened session_exists
            10:00:00 rejected session.opened buyer_in_session s3
            10:00:00 closed s1 b1 - system
            10:00:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:00:00 rejected session.opened session_exists
            10:00:00 queued s2 b1 all 1 nobody_online
        "#]],
    );
    check(
        "S1 1 ms before 7 days the id is taken and its cards known; at exactly 7 days both are gone, and cards start at #1",
        "10:00 shop standard routing.recent.window=30d rating.card_valid=30d
               agents anna
               online anna
               opened s1 b1
         10:01 closed s1 agent
         11-23T10:00:59.999 opened s1 b2
               closed s1 system
               card s1 s1#1
               rate s1#2 5
         11-23T10:01 rate s1#1 5
               card s1 s1#1
               rate s1 5
               closed s1 system
               opened s1 b1
               closed s1 agent
               rate s1#1 5",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna agent
            10:01:00 invite.sent s1#1 b1 anna auto
            11-23T10:00:59.999 rejected session.opened session_exists
            11-23T10:00:59.999 rejected session.closed session_closed
            11-23T10:00:59.999 rating.opened s1#1 b1 anna auto
            11-23T10:00:59.999 rating.refused - s1#2 card_unknown
            11-23T10:01:00 rating.refused - s1#1 card_unknown
            11-23T10:01:00 rejected rating.opened session_unknown
            11-23T10:01:00 rejected rating.submitted session_unknown
            11-23T10:01:00 rejected session.closed session_unknown
            11-23T10:01:00 assigned s1 b1 anna recent_agent repeat
            11-23T10:01:00 closed s1 b1 anna agent
            11-23T10:01:00 invite.blocked s1 b1 anna auto rated_recently retry_at=11-24T10:00:59.999
            11-23T10:01:00 rating.refused - s1#1 card_unknown
        "#]],
    );
    check(
        "S1 what is forgotten keeps its armed timers: an overdue 8 days after the message names the old session",
        "10:00 shop standard service.reply.within=8d service.reply.remind_after=0s
               agents anna bo
               online anna
               opened s1 b1
         10:01 buyer s1
         10:02 closed s1 system
               offline anna
               online bo
         11-23T10:02 opened s1 b2
         11-24T10:01 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:02:00 closed s1 b1 anna system
            10:02:00 invite.blocked s1 b1 anna auto close_reason
            11-23T10:02:00 assigned s1 b2 bo all
            11-24T10:01:00 reply.overdue s1 b1 anna since=10:01:00
        "#]],
    );
}

#[test]
fn s2_with_the_bot() {
    check(
        "S2 the bot serves until handoff, transfer or close; not_with_bot after the first two, session_closed after the third",
        "10:00 shop standard
               agents anna
               online anna
               bot-opened s1 b1
               bot s1
               handoff s1
               handoff s1
               bot s1
               bot-opened s2 b2
               transfer s2 anna
               bot s2
               bot-opened s3 b3
               closed s3 agent
               bot s3
               handoff s3
               offline anna
               opened s4 b4
               handoff s4
               bot s9
               handoff s9
               bot-opened s5 b5 bot=false",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 rejected session.handoff not_with_bot
            10:00:00 rejected bot.message not_with_bot
            10:00:00 assigned s2 b2 anna manual
            10:00:00 rejected bot.message not_with_bot
            10:00:00 closed s3 b3 bot agent
            10:00:00 invite.blocked s3 b3 bot auto bot_session
            10:00:00 rejected bot.message session_closed
            10:00:00 rejected session.handoff session_closed
            10:00:00 queued s4 b4 all 1 nobody_online
            10:00:00 rejected session.handoff not_with_bot
            10:00:00 rejected bot.message session_unknown
            10:00:00 rejected session.handoff session_unknown
            10:00:00 queued s5 b5 all 2 nobody_online
        "#]],
    );
}

#[test]
fn s3_silence() {
    check(
        "S3 requires_agent_reply: from the agent's last message, only while an agent spoke last; a robot's reply is no speaking",
        "10:00 shop standard session.close_after_buyer_silence=5m service.reply.within=24h service.reply.remind_after=0s
               agents anna
               online anna
               opened s1 b1
         10:10 agent s1
         10:14:59.999 buyer s1
         10:30 agent s1
         10:33 agent s1 kind=image
         10:34 robot s1
         10:37:59.999 clock
         10:38 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:38:00 closed s1 b1 anna timeout
            10:38:00 invite.sent s1#1 b1 anna auto
            10:38:00 rejected buyer.message session_closed
        "#]],
    );
    check(
        "S3 without requires_agent_reply: from opened, assigned or the last buyer message, agents' messages are nothing",
        "10:00 shop standard session.close_after_buyer_silence=5m session.requires_agent_reply=false service.reply.within=24h service.reply.remind_after=0s
               agents anna
               agents bo
               online anna
               opened s1 b1
         10:04 buyer s1
         10:06 agent s1
         10:08 online bo
         10:08:30 transfer s1 bo
         10:13:29.999 clock
         10:13:30 clock
               bot-opened s2 b2
         10:14 bot s2
         10:18:30 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:08:30 assigned s1 b1 bo manual
            10:13:30 closed s1 b1 bo timeout
            10:13:30 invite.sent s1#1 b1 bo auto
            10:18:30 closed s2 b2 bot timeout
            10:18:30 invite.blocked s2 b2 bot auto bot_session
        "#]],
    );
    check(
        "S3 the bot, while with the bot; after a handoff what it said last is not an agent's word",
        "10:00 shop standard session.close_after_buyer_silence=5m
               agents anna bo
               online anna bo
               bot-opened s1 b1
               bot-opened s2 b2
               bot-opened s3 b3
         10:01 bot s1
               bot s2
         10:02 handoff s2
         10:06 clock
         10:10 agent s2
         10:12 transfer s2 bo
         10:16:59.999 clock
         10:17 clock",
        expect![[r#"
            10:02:00 assigned s2 b2 anna all
            10:06:00 closed s1 b1 bot timeout
            10:06:00 invite.blocked s1 b1 bot auto bot_session
            10:12:00 assigned s2 b2 bo manual
            10:17:00 closed s2 b2 bo timeout
            10:17:00 invite.sent s2#1 b2 bo auto
        "#]],
    );
    check(
        "S3 a queued session has no silence timer, and gets one with its assignment; 0s is off",
        "10:00 shop standard session.close_after_buyer_silence=5m session.requires_agent_reply=false
               agents anna
               opened s1 b1
         10:30 online anna
         10:32 removed anna
         10:50 agents anna
               online anna
         10:54:59.999 clock
         10:55 clock
               shop standard session.close_after_buyer_silence=0s session.requires_agent_reply=false
               opened s2 b2
         11-17T10:00 clock",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:30:00 assigned s1 b1 anna queue waited=1800
            10:32:00 queued s1 b1 all 1 nobody_online
            10:50:00 assigned s1 b1 anna queue waited=1080
            10:55:00 closed s1 b1 anna timeout
            10:55:00 invite.sent s1#1 b1 anna auto
            10:55:00 assigned s2 b2 anna all
        "#]],
    );
}

#[test]
fn s4_only_its_own_agent() {
    check(
        "S4 not_session_agent: named another, known or not, or nobody has it; session_unknown and session_closed come first",
        "10:00 shop standard
               agents anna bo
               online anna
               opened s1 b1
               agent s1
               agent s1 anna
               agent s1 bo
               agent s1 nobody
               invite s1 bo
               bot-opened s2 b2
               agent s2
               agent s2 bot
               invite s2
               offline anna
               opened s3 b3
               agent s3 anna
               invite s3
               closed s1 system
               agent s1 bo
               invite s1
               agent s9
               invite s9 bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 rejected agent.message not_session_agent
            10:00:00 rejected agent.message not_session_agent
            10:00:00 rejected invite.requested not_session_agent
            10:00:00 rejected agent.message not_session_agent
            10:00:00 rejected agent.message not_session_agent
            10:00:00 rejected invite.requested not_session_agent
            10:00:00 queued s3 b3 all 1 nobody_online
            10:00:00 rejected agent.message not_session_agent
            10:00:00 rejected invite.requested not_session_agent
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 rejected agent.message session_closed
            10:00:00 rejected invite.requested session_closed
            10:00:00 rejected agent.message session_unknown
            10:00:00 rejected invite.requested session_unknown
        "#]],
    );
    check(
        "S4 any event but a rating's on a closed session: session_closed",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
               closed s1 system
               buyer s1
               robot s1
               closed s1 buyer
               card s1
               buyer s9
               closed s9 buyer",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 rejected buyer.message session_closed
            10:00:00 rejected agent.message session_closed
            10:00:00 rejected session.closed session_closed
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rejected buyer.message session_unknown
            10:00:00 rejected session.closed session_unknown
        "#]],
    );
}

#[test]
fn s5_the_order_within_one_event() {
    check(
        "S5 close, invite, then the next one is served",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               opened s1 b1
               opened s2 b2
         10:01 closed s1 agent",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:01:00 closed s1 b1 anna agent
            10:01:00 invite.sent s1#1 b1 anna auto
            10:01:00 assigned s2 b2 anna queue waited=60
        "#]],
    );
    check(
        "S5 a message: R9's routing, its notice and auto reply, M6's word, then draining",
        "10:00 shop pinduoduo service.reply.min_sample=2 session.on_agent_offline=keep auto_reply.offline={\"enabled\":true,\"text\":\"later\"}
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               buyer s1
         10:03 offline anna
               offline bo
         10:04 buyer s2
         10:07 agents bo capacity=1
               online bo",
        // 10:03: b1 is late, 1 consulting. 10:04: b2 consults: (2 - 1) / 2 = 0.5 is not below. 10:07: both late.
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 queued s3 b3 all 1 all_busy
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:04:00 notified bo s2
            10:04:00 auto_reply s2 "later"
            10:05:40 reply.due s2 b2 bo since=10:04:00 overdue_at=10:07:00
            10:07:00 reply.overdue s2 b2 bo since=10:04:00
            10:07:00 score.alert reply_rate 2026-11-16 0 of 0.5
        "#]],
    );
    check(
        "S5 M6's word after R9's notice",
        "10:00 shop pinduoduo service.reply.min_sample=1 session.on_agent_offline=keep
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               buyer s1
         10:03 offline bo
         10:04 transfer s3 anna
               away anna
               agents carl capacity=1
         10:05 opened s4 b4
               buyer s2",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 queued s3 b3 all 1 all_busy
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 score.alert reply_rate 2026-11-16 0 of 0.5
            10:04:00 assigned s3 b3 anna manual waited=240
            10:05:00 queued s4 b4 all 1 nobody_online
            10:05:00 notified bo s2
            10:05:00 score.recovered reply_rate 2026-11-16 0.5 of 0.5
        "#]],
    );
}

#[test]
fn s6_whose_message_and_whose_session() {
    check(
        "S6 the close names who has it or had it last, the bot where only the bot did, nobody where neither",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               removed anna
               closed s1 system
               bot-opened s2 b2
               handoff s2
               closed s2 system
               opened s3 b3
               closed s3 system",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 queued s2 b2 all 1 nobody_online
            10:00:00 closed s2 b2 bot system
            10:00:00 invite.blocked s2 b2 bot auto bot_session,close_reason
            10:00:00 queued s3 b3 all 1 nobody_online
            10:00:00 closed s3 b3 - system
            10:00:00 invite.blocked s3 b3 - auto bot_session,close_reason
        "#]],
    );
    check(
        "S6 reply.* names who has it at that moment: the bot, nobody while it waits, after the close who had it last",
        "10:00 shop pinduoduo service.reply={\"remind_after\":\"1m\",\"min_rate\":0}
               agents anna bo
               bot-opened s1 b1
               buyer s1
               opened s2 b2
               buyer s2
         10:02 online anna
               transfer s1 anna
               closed s2 system
         10:03 clock",
        // s2 waited, was drained to anna at 10:02, and closed.
        expect![[r#"
            10:00:00 queued s2 b2 all 1 nobody_online
            10:01:00 reply.due s1 b1 bot since=10:00:00 overdue_at=10:03:00
            10:01:00 reply.due s2 b2 - since=10:00:00 overdue_at=10:03:00
            10:02:00 assigned s2 b2 anna queue waited=120
            10:02:00 assigned s1 b1 anna manual
            10:02:00 closed s2 b2 anna system
            10:02:00 invite.blocked s2 b2 anna auto disabled,close_reason
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 reply.overdue s2 b2 anna since=10:00:00
        "#]],
    );
    check(
        "S6 a message belongs to the agent that has the session then: I13 and Q1 by agent know no other's",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
         10:01 transfer s1 bo
               invite s1
               card s1
               buyer s1
               invite s1
               card s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 assigned s1 b1 bo manual
            10:01:00 invite.blocked s1 b1 bo manual no_contact
            10:01:00 rating.refused s1 - no_contact
            10:01:00 invite.sent s1#1 b1 bo manual
            10:01:00 rating.opened s1#2 b1 bo buyer
        "#]],
    );
    check(
        "S6 a message while it waits is to nobody, but to the shop",
        "10:00 shop standard
               agents anna
               opened s1 b1
               buyer s1
               online anna
               invite s1
               card s1
               shop standard rating.contact=shop
               card s1",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 assigned s1 b1 anna queue
            10:00:00 invite.blocked s1 b1 anna manual no_contact
            10:00:00 rating.refused s1 - no_contact
            10:00:00 rating.opened s1#1 b1 anna buyer
        "#]],
    );
}
