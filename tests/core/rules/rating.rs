//! Q1 to Q6: which cards open, which ratings count, and for which agent.

use expect_test::{Expect, expect};

use crate::rules::table::{check_of, check_report};

/// A row about ratings: only those decisions, invites that were sent, and rejections are written.
#[track_caller]
fn check(title: &str, trace: &str, expected: Expect) {
    check_of(
        &["rating.", "invite.sent", "rejected"],
        title,
        trace,
        expected,
    );
}

#[test]
fn q1_the_buyers_own_card() {
    check(
        "Q1 session_over at exactly 24h after the close, 1 ms before it not; it comes before nobody_served",
        "10:00 shop standard invite.auto=false rating.contact=shop rating.window=0s
               agents anna
               online anna
               opened s1 b1
         10:01 closed s1 buyer
         11-17T10:00 removed anna
               opened s2 b2
               closed s2 buyer
               opened s3 b1
               buyer s3
         11-17T10:00:59.999 card s1
         11-17T10:01 card s1
               card s2
         11-18T10:00 card s2",
        expect![[r#"
            11-17T10:00:59.999 rating.opened s1#1 b1 anna buyer
            11-17T10:01:00 rating.refused s1 - session_over
            11-17T10:01:00 rating.refused s2 - nobody_served
            11-18T10:00:00 rating.refused s2 - session_over
        "#]],
    );
    check(
        "Q1 nobody_served while it waits; the bot's card is the bot's; who had it last while it waits again",
        "10:00 shop standard
               agents anna
               opened s1 b1
               buyer s1
               card s1
               bot-opened s2 b2
               buyer s2
               card s2
               handoff s2
               card s2
               bot-opened s3 b3
               card s3",
        expect![[r#"
            10:00:00 rating.refused s1 - nobody_served
            10:00:00 rating.opened s2#1 b2 bot buyer
            10:00:00 rating.opened s2#2 b2 bot buyer
            10:00:00 rating.refused s3 - no_contact
        "#]],
    );
    check(
        "Q1 no_contact: today, to that agent, in any session; with contact shop to anybody, or nobody",
        "10:00 shop standard invite.auto=false routing.recent.window=1h
               agents anna bo
               online anna
               opened s1 b1
               card s1
               buyer s1
               closed s1 buyer
               opened s2 b1
               card s2
               online bo
               transfer s2 bo
               card s2
         11-17T00:00 transfer s2 anna
               card s2
               shop standard rating.contact=shop
               card s2
               buyer s2
               card s2",
        expect![[r#"
            10:00:00 rating.refused s1 - no_contact
            10:00:00 rating.opened s2#1 b1 anna buyer
            10:00:00 rating.refused s2 - no_contact
            11-17T00:00:00 rating.refused s2 - no_contact
            11-17T00:00:00 rating.refused s2 - no_contact
            11-17T00:00:00 rating.opened s2#2 b1 anna buyer
        "#]],
    );
    check(
        "Q1 rated_recently: a submitted one, of that agent or of any; at exactly the end of the window no longer; opening is none",
        "10:00 shop standard rating.window=1h rating.contact=shop
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
               card s1
               card s1
               rate s1#1 5
         10:59:59.999 card s1
               transfer s1 bo
               card s1
               shop standard rating.window=1h rating.contact=shop rating.per=shop
               card s1
         11:00 card s1",
        expect![[r#"
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rating.opened s1#2 b1 anna buyer
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 buyer
            10:59:59.999 rating.refused s1 - rated_recently
            10:59:59.999 rating.opened s1#3 b1 bo buyer
            10:59:59.999 rating.refused s1 - rated_recently
            11:00:00 rating.opened s1#4 b1 bo buyer
        "#]],
    );
}

#[test]
fn q2_an_invited_card() {
    check(
        "Q2 opens again and again until it is submitted; card_unknown, also another session's; card_used before card_expired",
        "10:00 shop standard rating.card_valid=1h
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b2
               card s1 s1#1
               card s1 s1#1
               card s2 s1#1
               card s1 s1#2
               card s1 s1#0
               card s1 s1#01
               card s1 nonsense
               card s9 s1#1
               opened s3 b3
               closed s3 buyer
               opened s4 b4
               closed s4 buyer
         10:59:59.999 card s3 s3#1
               rate s3#1 5
               card s4 s4#1
         11:00 card s4 s4#1
               rate s4#1 5
               card s3 s3#1
               rate s3#1 5
               rate s1#9 5",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:00:00 rating.opened s1#1 b1 anna auto
            10:00:00 rating.opened s1#1 b1 anna auto
            10:00:00 rating.refused s2 s1#1 card_unknown
            10:00:00 rating.refused s1 s1#2 card_unknown
            10:00:00 rating.refused s1 s1#0 card_unknown
            10:00:00 rating.refused s1 s1#01 card_unknown
            10:00:00 rating.refused s1 nonsense card_unknown
            10:00:00 rejected rating.opened session_unknown
            10:00:00 invite.sent s3#1 b3 anna auto
            10:00:00 invite.sent s4#1 b4 anna auto
            10:59:59.999 rating.opened s3#1 b3 anna auto
            10:59:59.999 rating.recorded s3#1 b3 anna satisfied 5 auto
            10:59:59.999 rating.opened s4#1 b4 anna auto
            11:00:00 rating.refused s4 s4#1 card_expired
            11:00:00 rating.refused s4 s4#1 card_expired
            11:00:00 rating.refused s3 s3#1 card_used
            11:00:00 rating.refused s3 s3#1 card_used
            11:00:00 rating.refused - s1#9 card_unknown
        "#]],
    );
    check(
        "Q2 a session id that ends in #1 keeps its own cards apart",
        "10:00 shop standard
               agents anna
               online anna
               opened s#1 b1
               opened s b2
               closed s#1 buyer
               closed s buyer
               card s s#1
               card s#1 s#1#1
               card s#1 s#1",
        expect![[r#"
            10:00:00 invite.sent s#1#1 b1 anna auto
            10:00:00 invite.sent s#1 b2 anna auto
            10:00:00 rating.opened s#1 b2 anna auto
            10:00:00 rating.opened s#1#1 b1 anna auto
            10:00:00 rating.refused s#1 s#1 card_unknown
        "#]],
    );
}

#[test]
fn q3_submitted() {
    check(
        "Q3 needs no opening; an invited one is refused by rated_recently of the card's agent, too; opening it is not",
        "10:00 shop standard invite.auto_quiet=0s invite.quiet_after_rating=0s
               agents anna bo
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b1
               closed s2 buyer
               opened s3 b1
               online bo
               transfer s3 bo
               closed s3 buyer
               rate s1#1 5
               card s2 s2#1
               rate s2#1 5
               rate s3#1 5
         11-17T09:59:59.999 rate s2#1 1
               shop standard rating.card_valid=48h
         11-17T10:00 rate s2#1 1",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:00:00 invite.sent s2#1 b1 anna auto
            10:00:00 invite.sent s3#1 b1 bo auto
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 auto
            10:00:00 rating.opened s2#1 b1 anna auto
            10:00:00 rating.refused s2 s2#1 rated_recently
            10:00:00 rating.recorded s3#1 b1 bo satisfied 5 auto
            11-17T09:59:59.999 rating.refused s2 s2#1 rated_recently
            11-17T10:00:00 rating.recorded s2#1 b1 anna disappointed 1 auto
        "#]],
    );
    check(
        "Q3 by session: the newest card not submitted, also where it has expired, though an older one has not",
        "10:00 shop standard rating.card_valid=1h rating.contact=shop rating.window=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               card s1
         10:30 card s1
               rate s1 5
         10:31 rate s1 4
         10:40 card s1
         11:39 rate s1 3
               card s1
         12:39 rate s1 1",
        expect![[r#"
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:30:00 rating.opened s1#2 b1 anna buyer
            10:30:00 rating.recorded s1#2 b1 anna satisfied 5 buyer
            10:31:00 rating.recorded s1#1 b1 anna satisfied 4 buyer
            10:40:00 rating.opened s1#3 b1 anna buyer
            11:39:00 rating.recorded s1#3 b1 anna neutral 3 buyer
            11:39:00 rating.opened s1#4 b1 anna buyer
            12:39:00 rating.refused s1 s1#4 card_expired
        "#]],
    );
    check(
        "Q3 by session without a card: opened and recorded in one, refused as in Q1 for each of its reasons",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               rate s1 5
               buyer s1
               rate s1 4
               rate s1 4
               closed s1 system
               offline anna
               opened s2 b2
               rate s2 5
               rate s9 5
         11-17T10:00 rate s1 5",
        expect![[r#"
            10:00:00 rating.refused s1 - no_contact
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rating.recorded s1#1 b1 anna satisfied 4 buyer
            10:00:00 rating.refused s1 - rated_recently
            10:00:00 rating.refused s2 - nobody_served
            10:00:00 rejected rating.submitted session_unknown
            11-17T10:00:00 rating.refused s1 - session_over
        "#]],
    );
}

#[test]
fn q4_for_the_agent_on_the_card() {
    let trace = "10:00 shop standard
               agents anna bo
               online anna
               opened s1 b1
               buyer s1
               invite s1
               online bo
               transfer s1 bo
               removed anna
               rate s1#1 2 slow attitude";
    check(
        "Q4 whoever has the session by then, and though its agent was removed",
        trace,
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
            10:00:00 rating.recorded s1#1 b1 anna disappointed 2 agent reasons=["slow","attitude"]
        "#]],
    );
    check_report(
        "Q4 in the report",
        trace,
        &[
            "agents/anna/disappointed",
            "agents/anna/reasons",
            "agents/bo/disappointed",
        ],
        expect![[r#"
            agents/anna/disappointed 1
            agents/anna/reasons {"attitude":1,"slow":1}
            agents/bo/disappointed 0
        "#]],
    );
}

#[test]
fn q5_stars_and_levels() {
    check(
        "Q5 5, 4 satisfied; 3 neutral; 2, 1 disappointed; a bare level is 5, 3, 1",
        "10:00 shop standard rating.window=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 5
               rate s1 4
               rate s1 3
               rate s1 2
               rate s1 1
               rate s1 satisfied
               rate s1 neutral
               rate s1 disappointed",
        expect![[r#"
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 buyer
            10:00:00 rating.opened s1#2 b1 anna buyer
            10:00:00 rating.recorded s1#2 b1 anna satisfied 4 buyer
            10:00:00 rating.opened s1#3 b1 anna buyer
            10:00:00 rating.recorded s1#3 b1 anna neutral 3 buyer
            10:00:00 rating.opened s1#4 b1 anna buyer
            10:00:00 rating.recorded s1#4 b1 anna disappointed 2 buyer
            10:00:00 rating.opened s1#5 b1 anna buyer
            10:00:00 rating.recorded s1#5 b1 anna disappointed 1 buyer
            10:00:00 rating.opened s1#6 b1 anna buyer
            10:00:00 rating.recorded s1#6 b1 anna satisfied 5 buyer
            10:00:00 rating.opened s1#7 b1 anna buyer
            10:00:00 rating.recorded s1#7 b1 anna neutral 3 buyer
            10:00:00 rating.opened s1#8 b1 anna buyer
            10:00:00 rating.recorded s1#8 b1 anna disappointed 1 buyer
        "#]],
    );
}

#[test]
fn q6_a_refused_rating_changes_nothing() {
    check(
        "Q6 no card, no number, no window: what is refused leaves the next one alone",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               card s1
               rate s1 1
               rate s1#1 1
               buyer s1
               rate s1 5
               closed s1 buyer",
        expect![[r#"
            10:00:00 rating.refused s1 - no_contact
            10:00:00 rating.refused s1 - no_contact
            10:00:00 rating.refused - s1#1 card_unknown
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 buyer
        "#]],
    );
    check(
        "Q6 refused by rated_recently: the first one's window is not prolonged",
        "10:00 shop standard rating.window=1h
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 5
         10:30 rate s1 5
         11:00 rate s1 5",
        expect![[r#"
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 buyer
            10:30:00 rating.refused s1 - rated_recently
            11:00:00 rating.opened s1#2 b1 anna buyer
            11:00:00 rating.recorded s1#2 b1 anna satisfied 5 buyer
        "#]],
    );
}
