//! R1 to R9: which agent gets the session, and in which pool it waits.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn r1a_the_recent_agent_past_those_who_wait() {
    check(
        "R1a free: assigned, although the other one is less saturated",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
         10:01 closed s1 system
         10:02 opened s4 b4
         10:03 opened s5 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:02:00 assigned s4 b4 bo all
            10:03:00 assigned s5 b1 anna recent_agent repeat
        "#]],
    );
    check(
        "R1a full with over_capacity: past those who wait, over the capacity; it keeps the place R7 would give",
        "10:00 shop standard routing.recent.over_capacity=true
               agents anna capacity=1
               online anna
               opened s1 b1
         10:01 closed s1 system
               opened s2 b2
               opened s3 b3
         10:02 opened s4 b1
         10:03 closed s2 system
         10:04 closed s4 system",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b2 anna all
            10:01:00 queued s3 b3 all 1 all_busy
            10:02:00 assigned s4 b1 anna recent_agent repeat
            10:03:00 closed s2 b2 anna system
            10:03:00 invite.blocked s2 b2 anna auto close_reason
            10:04:00 closed s4 b1 anna system
            10:04:00 invite.blocked s4 b1 anna auto close_reason
            10:04:00 assigned s3 b3 anna queue waited=180
        "#]],
    );
}

#[test]
fn r1_the_window_slides_and_ends() {
    check(
        "R1 1 ms before the end of the window, counted from the close, and at exactly its end",
        "10:00 shop standard routing.recent.window=1h
               agents anna bo
               online anna bo
               opened s1 b1
         10:30 closed s1 system
         11:29:59.999 opened s2 b1
         11:30 closed s2 system
         12:30 opened s3 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:30:00 closed s1 b1 anna system
            10:30:00 invite.blocked s1 b1 anna auto close_reason
            11:29:59.999 assigned s2 b1 anna recent_agent repeat
            11:30:00 closed s2 b1 anna system
            11:30:00 invite.blocked s2 b1 anna auto close_reason
            12:30:00 assigned s3 b1 bo all
        "#]],
    );
    check(
        "R1 a window of 0s is off, at the very instant too",
        "10:00 shop standard routing.recent.window=0s
               agents anna bo
               online anna bo
               opened s1 b1
               closed s1 system
               opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 assigned s2 b1 bo all
        "#]],
    );
    check(
        "R1 the recent agent is the last one that had a session: leaving it counts as well as the close",
        "10:00 shop standard routing.recent.window=1h
               agents anna bo
               online anna bo
               opened s1 b1
         10:10 transfer s1 bo
         10:20 closed s1 system
         10:21 opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:10:00 assigned s1 b1 bo manual
            10:20:00 closed s1 b1 bo system
            10:20:00 invite.blocked s1 b1 bo auto close_reason
            10:21:00 assigned s2 b1 bo recent_agent repeat
        "#]],
    );
    check(
        "R1 no longer routable: on to R2, repeat_visit all the same",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
         10:01 closed s1 system
               agents anna roles=[\"admin\"]
         10:02 opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:02:00 assigned s2 b1 bo all repeat
        "#]],
    );
}

#[test]
fn r1b_an_away_agent_that_was_there_lately() {
    check(
        "R1b away within away_window, 1 ms before its end; at its end R1d: continue",
        "10:00 shop standard routing.recent.away_window=1h
               agents anna bo
               online anna bo
               opened s1 b1
         10:30 closed s1 system
               away anna
         11:29:59.999 opened s2 b1
         11:30 closed s2 system
         12:30 opened s3 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:30:00 closed s1 b1 anna system
            10:30:00 invite.blocked s1 b1 anna auto close_reason
            11:29:59.999 assigned s2 b1 anna recent_agent repeat
            11:30:00 closed s2 b1 anna system
            11:30:00 invite.blocked s2 b1 anna auto close_reason
            12:30:00 assigned s3 b1 bo all repeat
        "#]],
    );
    check(
        "R1b away and full: only over_capacity lets it in",
        "10:00 shop standard routing.recent.away_window=1h
               agents anna bo capacity=1
               online anna
               opened s1 b1
         10:01 closed s1 system
               opened s2 b2
               away anna
               online bo
         10:02 opened s3 b1
         10:03 closed s3 system
               transfer s2 bo
               opened s4 b4
               transfer s4 anna
         10:04 shop standard routing.recent.away_window=1h routing.recent.over_capacity=true
               opened s5 b2 
         10:05 opened s6 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b2 anna all
            10:02:00 assigned s3 b1 bo all repeat
            10:03:00 closed s3 b1 bo system
            10:03:00 invite.blocked s3 b1 bo auto close_reason
            10:03:00 assigned s2 b2 bo manual
            10:03:00 queued s4 b4 all 1 all_busy
            10:03:00 assigned s4 b4 anna manual
            10:04:00 rejected session.opened buyer_in_session s2
            10:05:00 assigned s6 b1 bo recent_agent repeat
        "#]],
    );
    check(
        "R1b away, full and over_capacity: assigned",
        "10:00 shop standard routing.recent.away_window=1h routing.recent.over_capacity=true
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
         10:01 closed s1 system
               transfer s9 anna
               opened s2 b2
               opened s3 b3
               away anna bo
         10:02 opened s4 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 rejected session.transferred session_unknown
            10:01:00 assigned s2 b2 bo all
            10:01:00 assigned s3 b3 anna all
            10:02:00 assigned s4 b1 anna recent_agent repeat
        "#]],
    );
}

#[test]
fn r1c_online_but_full() {
    check(
        "R1c online but full goes on to the scope, also where otherwise is random_online",
        "10:00 shop standard routing.recent.otherwise=random_online routing.entries.live.members=[\"bo\"]
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
         10:01 closed s1 system
               opened s2 b2
               opened s3 b3
         10:02 opened s4 b1 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b2 bo all
            10:01:00 assigned s3 b3 anna all
            10:02:00 queued s4 b1 entry:live 1 all_busy
        "#]],
    );
}

#[test]
fn r1d_the_recent_agent_is_not_there() {
    check(
        "R1d random_online: H(s2) mod 2 = 1 of [bo, carl], although the entry is anna's",
        "10:00 shop standard routing.recent.otherwise=random_online routing.entries.live.members=[\"anna\"]
               agents anna bo carl
               online anna bo carl
               opened s1 b1 entry=live
         10:01 closed s1 system
               offline anna
               opened s2 b1 entry=live
         10:02 closed s2 system
               offline carl
               online anna
               away anna
         10:03 transfer s2 bo
               opened s3 b1 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 anna entry
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b1 carl recent_agent_unavailable repeat
            10:02:00 closed s2 b1 carl system
            10:02:00 invite.blocked s2 b1 carl auto close_reason
            10:03:00 rejected session.transferred session_closed
            10:03:00 assigned s3 b1 bo recent_agent_unavailable repeat
        "#]],
    );
    check(
        "R1d some are online and none free: pool all, all_busy; nobody online: R5 in pool all",
        "10:00 shop standard routing.recent.otherwise=random_online routing.entries.live.members=[\"anna\"]
               agents anna bo capacity=1
               online anna bo
               opened s1 b1 entry=live
               opened s2 b2 entry=live
               transfer s2 bo
         10:01 closed s1 system
               offline anna
               opened s3 b1 entry=live
         10:02 closed s3 system
               away bo
               opened s4 b1 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 anna entry
            10:00:00 queued s2 b2 entry:live 1 all_busy
            10:00:00 assigned s2 b2 bo manual
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 queued s3 b1 all 1 all_busy
            10:02:00 closed s3 b1 - system
            10:02:00 invite.blocked s3 b1 - auto bot_session,close_reason
            10:02:00 queued s4 b1 all 1 nobody_online
        "#]],
    );
    check(
        "R1d nobody online, R5's rota has somebody",
        "10:00 shop standard routing.recent.otherwise=random_online routing.offline.mode=rota routing.offline.members=[\"bo\"]
               agents anna bo
               online anna
               opened s1 b1
         10:01 closed s1 system
               offline anna
               opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b1 bo offline_rota repeat
            10:01:00 notified bo s2
        "#]],
    );
    check(
        "R1d random_if_ungrouped: at random without order_status, on to R2 with one; an empty list is none",
        "10:00 shop standard routing.recent.otherwise=random_if_ungrouped routing.order_status.paid=[]
               agents anna bo carl
               online anna bo carl
               opened s1 b1
         10:01 closed s1 system
               offline anna
               opened s2 b1
         10:02 closed s2 system
               offline carl
               shop standard routing.recent.otherwise=random_if_ungrouped routing.order_status.paid=[\"bo\"]
         10:03 opened s3 b1
         10:04 closed s3 system
               offline bo
               online carl
               opened s4 b1 order_status=paid",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 assigned s2 b1 carl recent_agent_unavailable repeat
            10:02:00 closed s2 b1 carl system
            10:02:00 invite.blocked s2 b1 carl auto close_reason
            10:03:00 assigned s3 b1 bo all repeat
            10:04:00 closed s3 b1 bo system
            10:04:00 invite.blocked s3 b1 bo auto close_reason
            10:04:00 assigned s4 b1 carl scope_offline repeat
        "#]],
    );
    check(
        "R1d continue: on to the scope; nobody online there: its own pool, not all",
        "10:00 shop standard routing.entries.live.members=[\"anna\"]
               agents anna
               online anna
               opened s1 b1
         10:01 closed s1 system
               offline anna
               opened s2 b1 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:01:00 queued s2 b1 entry:live 1 nobody_online
        "#]],
    );
}

#[test]
fn r1_repeat_visit_is_settled_at_the_first_routing() {
    check(
        "R1 repeat_visit holds on every later assignment; R8 from the bot settles it as routing does; from a queue it does not",
        "10:00 shop standard routing.recent.window=1h
               agents anna bo
               online anna
               opened s1 b1
         10:10 closed s1 system
               bot-opened s2 b1
         11:09 online bo
               transfer s2 bo
         11:30 transfer s2 anna
         11:40 closed s2 system
               offline anna bo
         12:39 opened s3 b1
         12:41 online anna",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:10:00 closed s1 b1 anna system
            10:10:00 invite.blocked s1 b1 anna auto close_reason
            11:09:00 assigned s2 b1 bo manual repeat
            11:30:00 assigned s2 b1 anna manual repeat
            11:40:00 closed s2 b1 anna system
            11:40:00 invite.blocked s2 b1 anna auto close_reason
            12:39:00 queued s3 b1 all 1 nobody_online
            12:41:00 assigned s3 b1 anna queue repeat waited=120
        "#]],
    );
    check(
        "R1 of a bot's session is settled at its handoff, by then the window has passed",
        "10:00 shop standard routing.recent.window=1h
               agents anna
               online anna
               opened s1 b1
         10:10 closed s1 system
               bot-opened s2 b1
         11:10 handoff s2",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:10:00 closed s1 b1 anna system
            10:10:00 invite.blocked s1 b1 anna auto close_reason
            11:10:00 assigned s2 b1 anna all
        "#]],
    );
}

#[test]
fn r2_the_scope() {
    check(
        "R2 question before entry before order_status before all; an entry without a fitting question or members goes on",
        "10:00 shop standard session.on_agent_offline=keep routing.entries.live.questions={\"when\":[\"anna\"],\"none\":[]} routing.entries.live.members=[\"bo\"] routing.entries.shelf.questions={\"when\":[\"anna\"]} routing.entries.shelf.members=[] routing.order_status={\"paid\":[\"carl\"],\"none\":[]}
               agents anna bo carl dora
               online anna bo carl
               opened s1 b1 entry=live question=when order_status=paid
               opened s2 b2 entry=live question=how order_status=paid
               opened s3 b3 entry=live question=none
               opened s4 b4 entry=shelf question=how order_status=paid
               opened s5 b5 entry=message question=when order_status=paid
               opened s6 b6 entry=message order_status=none
               online dora
               opened s7 b7 question=when order_status=shipped
               offline anna bo carl dora
         10:01 opened s11 b11 entry=live question=when
               opened s12 b12 entry=live
               opened s13 b13 order_status=paid
               opened s14 b14",
        expect![[r#"
            10:00:00 assigned s1 b1 anna question
            10:00:00 assigned s2 b2 bo entry
            10:00:00 assigned s3 b3 bo entry
            10:00:00 assigned s4 b4 carl order_status
            10:00:00 assigned s5 b5 carl order_status
            10:00:00 assigned s6 b6 anna all
            10:00:00 assigned s7 b7 dora all
            10:01:00 queued s11 b11 question:live/when 1 nobody_online
            10:01:00 queued s12 b12 entry:live 1 nobody_online
            10:01:00 queued s13 b13 order_status:paid 1 nobody_online
            10:01:00 queued s14 b14 all 1 nobody_online
        "#]],
    );
    check(
        "R2 members are agents, groups and roles, once each; whoever is not routable is none",
        "10:00 shop standard routing.groups.early=[\"anna\",\"role:senior\"] routing.entries.live.members=[\"group:early\",\"anna\",\"role:agent\"] routing.entries.message.members=[\"role:senior\"] routing.when_scope_offline=wait
               agents anna
               agents bo roles=[\"senior\",\"agent\"]
               agents carl roles=[\"senior\"]
               online anna bo carl
               opened s1 b1 entry=message
               opened s2 b2 entry=live
               agents bo
               opened s3 b3 entry=message
               agents carl roles=[\"agent\",\"senior\"]",
        expect![[r#"
            10:00:00 assigned s1 b1 bo entry
            10:00:00 assigned s2 b2 anna entry
            10:00:00 queued s3 b3 entry:message 1 scope_offline
            10:00:00 assigned s3 b3 carl queue
        "#]],
    );
    check(
        "R2 handoff: its question and order_status replace the opening's, what it leaves out stays",
        "10:00 shop standard routing.entries.live.questions={\"when\":[\"anna\"],\"how\":[\"bo\"]} routing.order_status.paid=[\"carl\"]
               agents anna bo carl
               online anna bo carl
               bot-opened s1 b1 entry=live question=when
               handoff s1 question=how
               bot-opened s2 b2 entry=live question=when
               handoff s2 order_status=paid
               bot-opened s3 b3
               handoff s3 order_status=paid",
        expect![[r#"
            10:00:00 assigned s1 b1 bo question
            10:00:00 assigned s2 b2 anna question
            10:00:00 assigned s3 b3 carl order_status
        "#]],
    );
}

#[test]
fn r3_away_is_not_online() {
    check(
        "R3 all away: nobody_online; one online in another scope is somebody",
        "10:00 shop standard routing.entries.live.members=[\"anna\"] routing.when_scope_offline=wait
               agents anna bo
               online anna
               away anna
               opened s1 b1 entry=live
               agents carl roles=[\"admin\"]
               online carl
               opened s2 b2 entry=live
               online bo
               opened s3 b3 entry=live",
        expect![[r#"
            10:00:00 queued s1 b1 entry:live 1 nobody_online
            10:00:00 queued s2 b2 entry:live 2 nobody_online
            10:00:00 queued s3 b3 entry:live 3 scope_offline
        "#]],
    );
}

#[test]
fn r4_within_the_scope() {
    check(
        "R4b overflow of a question: the strategy among all free ones; none free: the question's pool",
        "10:00 shop standard routing.entries.live.questions.when=[\"anna\"]
               agents anna bo capacity=1
               agents carl capacity=2
               online anna bo carl
               opened s1 b1
               opened s2 b2 entry=live question=when
               opened s3 b3 entry=live question=when
               opened s4 b4 entry=live question=when
               opened s5 b5 entry=live question=when",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo overflow
            10:00:00 assigned s3 b3 carl overflow
            10:00:00 assigned s4 b4 carl overflow
            10:00:00 queued s5 b5 question:live/when 1 all_busy
        "#]],
    );
    check(
        "R4b without overflow, and of an entry with it: the scope's pool, all_busy",
        "10:00 shop standard routing.overflow=false routing.entries.live.questions.when=[\"anna\"] routing.entries.message.members=[\"anna\"]
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2 entry=live question=when
               shop standard routing.entries.live.questions.when=[\"bo\"] routing.entries.message.members=[\"anna\"]
               opened s3 b3 entry=message",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 question:live/when 1 all_busy
            10:00:00 assigned s2 b2 bo queue
            10:00:00 queued s3 b3 entry:message 1 all_busy
        "#]],
    );
    check(
        "R4c no candidates, any_online: H(s1) mod 2 = 0 of [bo, carl], H(s4) mod 2 = 1; none free: pool all, all_busy",
        "10:00 shop standard routing.entries.live.members=[\"anna\"]
               agents anna bo carl capacity=2
               online bo carl
               opened s1 b1 entry=live
               opened s4 b4 entry=live
               opened s2 b2 entry=live
               opened s3 b3 entry=live
               opened s5 b5 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 bo scope_offline
            10:00:00 assigned s4 b4 carl scope_offline
            10:00:00 assigned s2 b2 carl scope_offline
            10:00:00 assigned s3 b3 bo scope_offline
            10:00:00 queued s5 b5 all 1 all_busy
        "#]],
    );
    check(
        "R4c no candidates, wait: the scope's pool, scope_offline; a group that names nobody routable is such a scope",
        "10:00 shop standard routing.when_scope_offline=wait routing.groups.ghosts=[\"nobody\"] routing.entries.live.members=[\"group:ghosts\"]
               agents anna
               online anna
               opened s1 b1 entry=live
               opened s2 b2",
        expect![[r#"
            10:00:00 queued s1 b1 entry:live 1 scope_offline
            10:00:00 assigned s2 b2 anna all
        "#]],
    );
}

#[test]
fn r5_nobody_is_online() {
    check(
        "R5 rota: fewest offline assignments of the day, ties by P4, over any capacity, notified; the day begins anew",
        "10:00 shop standard routing.offline={\"mode\":\"rota\",\"members\":[\"bo\",\"anna\",\"ghost\"]} session.on_agent_offline=keep
               agents anna bo capacity=1
               online bo
               opened s8 b8
               closed s8 system
               opened s9 b9
               offline bo
         10:01 opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
               opened s5 b5
         11-17T00:00 opened s6 b6
               opened s7 b7",
        expect![[r#"
            10:00:00 assigned s8 b8 bo all
            10:00:00 closed s8 b8 bo system
            10:00:00 invite.blocked s8 b8 bo auto close_reason
            10:00:00 assigned s9 b9 bo all
            10:01:00 assigned s1 b1 anna offline_rota
            10:01:00 notified anna s1
            10:01:00 assigned s2 b2 bo offline_rota
            10:01:00 notified bo s2
            10:01:00 assigned s3 b3 anna offline_rota
            10:01:00 notified anna s3
            10:01:00 assigned s4 b4 bo offline_rota
            10:01:00 notified bo s4
            10:01:00 assigned s5 b5 anna offline_rota
            10:01:00 notified anna s5
            11-17T00:00:00 assigned s6 b6 bo offline_rota
            11-17T00:00:00 notified bo s6
            11-17T00:00:00 assigned s7 b7 anna offline_rota
            11-17T00:00:00 notified anna s7
        "#]],
    );
    check(
        "R5 an away member gets it too and is notified; a rota without a routable member waits",
        "10:00 shop standard routing.offline={\"mode\":\"rota\",\"members\":[\"bo\"]}
               agents bo
               online bo
               away bo
               opened s1 b1
               agents bo roles=[\"admin\"]
               opened s2 b2
               shop standard routing.offline.mode=rota
               opened s3 b3",
        expect![[r#"
            10:00:00 assigned s1 b1 bo offline_rota
            10:00:00 notified bo s1
            10:00:00 queued s2 b2 all 1 nobody_online
            10:00:00 queued s3 b3 all 2 nobody_online
        "#]],
    );
    check(
        "R5 auto_reply.offline after the assignment's notice or after the queued, once a session",
        "10:00 shop standard routing.offline={\"mode\":\"rota\",\"members\":[\"bo\"]} auto_reply.offline={\"enabled\":true,\"text\":\"later\"}
               agents bo
               opened s1 b1
               shop standard auto_reply.offline={\"enabled\":true,\"text\":\"later\"} service.reply.within=24h service.reply.remind_after=0s
               opened s2 b2
         10:01 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 bo offline_rota
            10:00:00 notified bo s1
            10:00:00 auto_reply s1 "later"
            10:00:00 queued s2 b2 all 1 nobody_online
            10:00:00 auto_reply s2 "later"
            10:01:00 notified bo s1
        "#]],
    );
}

#[test]
fn r6_waiting() {
    check(
        "R6 first in, first out; positions; the prompt, and the busy one from show_position_below on",
        "10:00 shop standard routing.queue.show_position_below=3 routing.queue.prompt=第{position}，前{ahead} routing.queue.busy_prompt=忙
               agents anna capacity=1
               opened s1 b1
               opened s2 b2
               opened s3 b3
         10:01 closed s2 system
               opened s4 b4
         10:02 online anna
               opened s5 b5",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online "第1，前0"
            10:00:00 queued s2 b2 all 2 nobody_online "第2，前1"
            10:00:00 queued s3 b3 all 3 nobody_online "忙"
            10:01:00 closed s2 b2 - system
            10:01:00 invite.blocked s2 b2 - auto bot_session,close_reason
            10:01:00 queued s4 b4 all 3 nobody_online "忙"
            10:02:00 assigned s1 b1 anna queue waited=120
            10:02:00 queued s5 b5 all 3 all_busy "忙"
        "#]],
    );
    check(
        "R6 show_position_below 0 is always the prompt; a braces word that is none stays",
        "10:00 shop standard routing.queue.show_position_below=0 routing.queue.prompt={ahead}{x}{position}
               opened s1 b1
               opened s2 b2",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online "0{x}1"
            10:00:00 queued s2 b2 all 2 nobody_online "1{x}2"
        "#]],
    );
    check(
        "R6 auto_reply.queued follows all_busy and scope_offline, each time, and not nobody_online",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live.members=[\"bo\"] auto_reply.queued={\"enabled\":true,\"text\":\"soon\"}
               agents anna bo capacity=1
               opened s1 b1
               online anna
               opened s2 b2
               opened s3 b3 entry=live",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 assigned s1 b1 anna queue
            10:00:00 queued s2 b2 all 1 all_busy
            10:00:00 auto_reply s2 "soon"
            10:00:00 queued s3 b3 entry:live 1 scope_offline
            10:00:00 auto_reply s3 "soon"
        "#]],
    );
    check(
        "R6 queue.limit counts the shop, not the pool; queue_full leaves nothing behind, a handoff stays with the bot",
        "10:00 shop standard routing.queue.limit=2 routing.entries.live.members=[\"bo\"]
               agents anna bo capacity=1
               opened s1 b1
               opened s2 b2 entry=live
               opened s3 b3
               bot-opened s4 b4
               handoff s4
               bot s4
               closed s1 system
               opened s3 b3
               handoff s4
               closed s2 system
               handoff s4",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 queued s2 b2 entry:live 1 nobody_online
            10:00:00 rejected session.opened queue_full
            10:00:00 rejected session.handoff queue_full
            10:00:00 closed s1 b1 - system
            10:00:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:00:00 queued s3 b3 all 1 nobody_online
            10:00:00 rejected session.handoff queue_full
            10:00:00 closed s2 b2 - system
            10:00:00 invite.blocked s2 b2 - auto bot_session,close_reason
            10:00:00 queued s4 b4 all 2 nobody_online
        "#]],
    );
    check(
        "R6 queue_full changes nothing at all: the refused handoff's question is forgotten with it",
        "10:00 shop standard routing.queue.limit=1 routing.entries.live.questions.when=[\"anna\"]
               opened s1 b1
               bot-opened s2 b2 entry=live
               handoff s2 question=when
               closed s1 system
               handoff s2",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 rejected session.handoff queue_full
            10:00:00 closed s1 b1 - system
            10:00:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:00:00 queued s2 b2 all 1 nobody_online
        "#]],
    );
    check(
        "R6 max_wait since last queued: at exactly it closes, timeout, before the event of that instant; 0s is for ever",
        "10:00 shop standard routing.queue.max_wait=30m
               opened s1 b1
               opened s2 b2
         10:29:59.999 closed s1 buyer
         10:30 closed s2 buyer
               shop standard routing.queue.max_wait=0s
               opened s3 b3
         11-30T10:00 clock",
        expect![[r#"
            10:00:00 queued s1 b1 all 1 nobody_online
            10:00:00 queued s2 b2 all 2 nobody_online
            10:29:59.999 closed s1 b1 - buyer
            10:29:59.999 invite.blocked s1 b1 - auto bot_session
            10:30:00 closed s2 b2 - timeout
            10:30:00 invite.blocked s2 b2 - auto bot_session
            10:30:00 rejected session.closed session_closed
            10:30:00 queued s3 b3 all 1 nobody_online
        "#]],
    );
}

#[test]
fn r7_draining() {
    check(
        "R7 the one that waited longest over all pools, not pool by pool; a head that cannot be served blocks nobody",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries={\"live\":{\"members\":[\"anna\"]},\"message\":{\"members\":[\"bo\"]}}
               agents anna bo capacity=2
         10:01 opened s1 b1 entry=message
         10:02 opened s2 b2 entry=live
         10:03 opened s3 b3
         10:04 opened s4 b4 entry=live
         10:05 online anna
         10:06 online bo",
        expect![[r#"
            10:01:00 queued s1 b1 entry:message 1 nobody_online
            10:02:00 queued s2 b2 entry:live 1 nobody_online
            10:03:00 queued s3 b3 all 1 nobody_online
            10:04:00 queued s4 b4 entry:live 2 nobody_online
            10:05:00 assigned s2 b2 anna queue waited=180
            10:05:00 assigned s3 b3 anna queue waited=120
            10:06:00 assigned s1 b1 bo queue waited=300
        "#]],
    );
    check(
        "R7 a question under overflow: everyone, its own free agents first; an entry waits for its own",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries={\"live\":{\"members\":[\"anna\"],\"questions\":{\"when\":[\"carl\"]}}}
               agents anna bo carl capacity=1
               opened s1 b1 entry=live question=when
               opened s2 b2 entry=live question=when
               opened s3 b3 entry=live
         10:01 online bo
         10:02 online carl
         10:03 closed s1 system
         10:04 online anna",
        expect![[r#"
            10:00:00 queued s1 b1 question:live/when 1 nobody_online
            10:00:00 queued s2 b2 question:live/when 2 nobody_online
            10:00:00 queued s3 b3 entry:live 1 nobody_online
            10:02:00 assigned s1 b1 carl queue waited=120
            10:02:00 assigned s2 b2 bo queue waited=120
            10:03:00 closed s1 b1 carl system
            10:03:00 invite.blocked s1 b1 carl auto close_reason
            10:04:00 assigned s3 b3 anna queue waited=240
        "#]],
    );
    check(
        "R7 own free agents first: bo is free as well, and would be first by P4",
        "10:00 shop standard routing.overflow=false routing.when_scope_offline=wait routing.entries.live.questions.when=[\"zoe\"]
               agents bo carl
               online bo carl
               opened s1 b1 entry=live question=when
         10:01 shop standard routing.entries.live.questions.when=[\"carl\"]
               opened s2 b2",
        expect![[r#"
            10:00:00 queued s1 b1 question:live/when 1 scope_offline
            10:01:00 assigned s1 b1 carl queue waited=60
            10:01:00 assigned s2 b2 bo all
        "#]],
    );
    check(
        "R7 R4c: overflow with wait, the question's agents offline: queued scope_offline and drained at once by anyone",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live.questions.when=[\"anna\"] auto_reply.queued={\"enabled\":true,\"text\":\"soon\"}
               agents anna bo
               online bo
               opened s1 b1 entry=live question=when",
        expect![[r#"
            10:00:00 queued s1 b1 question:live/when 1 scope_offline
            10:00:00 auto_reply s1 "soon"
        "#]],
    );
    check(
        "R7 any_online: everyone for a pool none of whose agents is online; with one of them busy it waits for its own",
        "10:00 shop standard routing.entries.live.members=[\"anna\"]
               agents anna bo capacity=1
               online anna
               opened s1 b1
               opened s2 b2 entry=live
               online bo
               shop standard session.on_agent_offline=keep routing.entries.live.members=[\"anna\"]
         10:01 away anna",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 entry:live 1 all_busy
            10:01:00 assigned s2 b2 bo queue waited=60
        "#]],
    );
    check(
        "R7 any_online: the pool none of whose agents is online goes before a later one of pool all",
        "10:00 shop standard routing.entries.live.members=[\"anna\"]
               agents anna bo capacity=1
         10:01 opened s1 b1 entry=live
         10:02 opened s2 b2
         10:03 online bo
         10:04 online anna",
        expect![[r#"
            10:01:00 queued s1 b1 entry:live 1 nobody_online
            10:02:00 queued s2 b2 all 1 nobody_online
            10:03:00 assigned s1 b1 bo queue waited=120
            10:04:00 assigned s2 b2 anna queue waited=120
        "#]],
    );
    check(
        "R7 at a timer too: a silence that closes makes room in the same instant",
        "10:00 shop standard session.close_after_buyer_silence=5m session.requires_agent_reply=false
               agents anna capacity=1
               online anna
               opened s1 b1
         10:01 opened s2 b2
         10:30 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 queued s2 b2 all 1 all_busy
            10:05:00 closed s1 b1 anna timeout
            10:05:00 invite.sent s1#1 b1 anna auto
            10:05:00 assigned s2 b2 anna queue waited=240
            10:10:00 closed s2 b2 anna timeout
            10:10:00 invite.sent s2#1 b2 anna auto
        "#]],
    );
}

#[test]
fn r8_by_hand() {
    check(
        "R8 from an agent, a queue and the bot, over any capacity, to one away; waited from the queue alone; self changes nothing",
        "10:00 shop standard
               agents anna bo capacity=1
               online anna
               opened s1 b1
               opened s2 b2
               bot-opened s3 b3
         10:01 transfer s2 anna
               transfer s3 anna by=carl
               online bo
               away bo
               transfer s1 bo
               transfer s1 bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:01:00 assigned s2 b2 anna manual waited=60
            10:01:00 assigned s3 b3 anna manual
            10:01:00 assigned s1 b1 bo manual
        "#]],
    );
    check(
        "R8 agent_unknown (not routable, unknown, the bot, removed), agent_offline; to oneself comes first, though offline",
        "10:00 shop standard session.on_agent_offline=keep
               agents anna bo
               agents carl roles=[\"owner\"]
               online anna carl
               opened s1 b1
               transfer s1 nobody
               transfer s1 carl
               transfer s1 bot
               transfer s1 bo
               offline anna
               transfer s1 anna
               closed s1 system
               transfer s1 nobody
               transfer s9 nobody",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 rejected session.transferred agent_unknown
            10:00:00 rejected session.transferred agent_unknown
            10:00:00 rejected session.transferred agent_unknown
            10:00:00 rejected session.transferred agent_offline
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 rejected session.transferred session_closed
            10:00:00 rejected session.transferred session_unknown
        "#]],
    );
    check(
        "R8 what moves away makes room, and the place over the capacity is none",
        "10:00 shop standard
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
         10:01 transfer s2 anna
         10:02 transfer s2 bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 queued s3 b3 all 1 all_busy
            10:01:00 assigned s2 b2 anna manual
            10:01:00 assigned s3 b3 bo queue waited=60
            10:02:00 assigned s2 b2 bo manual
        "#]],
    );
}

#[test]
fn r9_an_agent_goes_offline() {
    check(
        "R9 keep: the sessions stay, and hold their places",
        "10:00 shop standard session.on_agent_offline=keep
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
         10:01 offline anna
               online anna
               opened s3 b3",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:01:00 queued s3 b3 all 1 all_busy
        "#]],
    );
    check(
        "R9 close: oldest assignment first, agent_offline; again offline does nothing",
        "10:00 shop standard session.on_agent_offline=close
               agents anna bo
               online anna bo
               opened s1 b1
               transfer s1 bo
               opened s2 b2
         10:01 transfer s1 anna
         10:02 offline anna
               offline anna",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s1 b1 bo manual
            10:00:00 assigned s2 b2 anna all
            10:01:00 assigned s1 b1 anna manual
            10:02:00 closed s2 b2 anna agent_offline
            10:02:00 invite.blocked s2 b2 anna auto close_reason
            10:02:00 closed s1 b1 anna agent_offline
            10:02:00 invite.blocked s1 b1 anna auto close_reason
        "#]],
    );
    check(
        "R9 reroute: R1 left out, always agent_offline, by overflow and by scope_offline too; where it would wait it stays",
        "10:00 shop standard routing.entries={\"live\":{\"questions\":{\"when\":[\"anna\",\"bo\"]}},\"message\":{\"members\":[\"anna\"]}}
               agents anna
               agents bo carl capacity=1
               online anna
               opened s1 b1 entry=live question=when
               opened s2 b2 entry=live question=when
               opened s3 b3 entry=message
               opened s4 b4
               online bo carl
         10:01 offline anna",
        expect![[r#"
            10:00:00 assigned s1 b1 anna question
            10:00:00 assigned s2 b2 anna question
            10:00:00 assigned s3 b3 anna entry
            10:00:00 assigned s4 b4 anna all
            10:01:00 assigned s1 b1 bo agent_offline
            10:01:00 assigned s2 b2 carl agent_offline
        "#]],
    );
    check(
        "R9 reroute with nobody online: it stays, even with a rota; it is not rerouted when somebody comes",
        "10:00 shop standard routing.offline={\"mode\":\"rota\",\"members\":[\"bo\"]}
               agents anna bo
               online anna
               opened s1 b1
         10:01 offline anna
         10:02 online bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
        "#]],
    );
    check(
        "R9 removed, keep or reroute: rerouted, or queued with the reason of R3 or R4, whatever the limit says",
        "10:00 shop standard session.on_agent_offline=keep routing.queue.limit=1 routing.entries.live.members=[\"anna\"] routing.when_scope_offline=wait auto_reply={\"queued\":{\"enabled\":true,\"text\":\"soon\"},\"offline\":{\"enabled\":true,\"text\":\"later\"}}
               agents anna
               agents bo capacity=1
               online anna
               opened s1 b1
               opened s2 b2 entry=live
               opened s3 b3
               opened s4 b4
               transfer s9 bo
               online bo
         10:01 removed anna
         10:02 offline bo
               opened s5 b5
               removed bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna entry
            10:00:00 assigned s3 b3 anna all
            10:00:00 assigned s4 b4 anna all
            10:00:00 rejected session.transferred session_unknown
            10:01:00 assigned s1 b1 bo agent_offline
            10:01:00 queued s2 b2 entry:live 1 scope_offline
            10:01:00 auto_reply s2 "soon"
            10:01:00 queued s3 b3 all 1 all_busy
            10:01:00 auto_reply s3 "soon"
            10:01:00 queued s4 b4 all 2 all_busy
            10:01:00 auto_reply s4 "soon"
            10:02:00 rejected session.opened queue_full
            10:02:00 queued s1 b1 all 3 nobody_online
            10:02:00 auto_reply s1 "later"
        "#]],
    );
    check(
        "R9 removed, close: as in close; an agent that was offline already is removed as well",
        "10:00 shop standard session.on_agent_offline=close
               agents anna bo
               online anna
               opened s1 b1
               removed anna
               removed anna
               shop standard session.on_agent_offline=keep
               online bo
               opened s2 b2
               offline bo
               removed bo
               agents bo
               online bo",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna agent_offline
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 rejected agent.removed agent_unknown
            10:00:00 assigned s2 b2 bo all
            10:00:00 queued s2 b2 all 1 nobody_online
            10:00:00 assigned s2 b2 bo queue
        "#]],
    );
}

#[test]
fn r9_a_message_to_an_offline_agent() {
    check(
        "R9 message, somebody online: routed anew first whatever on_agent_offline says; where it would wait it stays, unnotified",
        "10:00 shop standard session.on_agent_offline=keep service.reply.within=24h service.reply.remind_after=0s
               agents anna
               agents bo capacity=1
               online anna
               opened s1 b1
               opened s2 b2
         10:01 offline anna
               online bo
         10:02 buyer s2
         10:03 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:02:00 assigned s2 b2 bo agent_offline
            10:03:00 notified anna s1
        "#]],
    );
    check(
        "R9 message, nobody online: notified each time, the offline reply once a session",
        "10:00 shop standard session.on_agent_offline=keep service.reply.within=24h service.reply.remind_after=0s auto_reply.offline={\"enabled\":true,\"text\":\"later\"}
               agents anna
               online anna
               opened s1 b1
         10:01 offline anna
         10:02 buyer s1
         10:03 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:02:00 notified anna s1
            10:02:00 auto_reply s1 "later"
            10:03:00 notified anna s1
        "#]],
    );
    check(
        "R9 message: however the session came to the offline agent, by the rota too; an away agent is not offline",
        "10:00 shop standard service.reply.within=24h service.reply.remind_after=0s routing.offline={\"mode\":\"rota\",\"members\":[\"anna\"]}
               agents anna bo
               opened s1 b1
               opened s2 b2
               online anna
               away anna
         10:01 buyer s1
               offline anna
         10:02 online bo
         10:03 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna offline_rota
            10:00:00 notified anna s1
            10:00:00 assigned s2 b2 anna offline_rota
            10:00:00 notified anna s2
            10:03:00 assigned s1 b1 bo agent_offline
        "#]],
    );
}
