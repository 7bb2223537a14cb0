//! M1 to M6: replies, reminders, ratings and score alerts.

use expect_test::{Expect, expect};

use crate::rules::table::{check_of, check_report};

/// A row about reminders and scores.
#[track_caller]
fn check(title: &str, trace: &str, expected: Expect) {
    check_of(&["reply.", "score.", "rejected"], title, trace, expected);
}

#[test]
fn m1_reply_rate() {
    let day = "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:02:59.999 agent s1
         10:10 opened s2 b2
               buyer s2
         10:13 agent s2
         10:20 opened s3 b3
               buyer s3
         10:22 buyer s3
         10:22:30 agent s3
         10:30 opened s4 b4
               buyer s4
         10:31 closed s4 agent
         10:40 opened s5 b5
               buyer s5
         10:41 agent s5
         10:42 buyer s5
         10:43 closed s5 buyer
         10:44 opened s6 b4
               buyer s6
               agent s6
               opened s7 b7";
    check_report(
        "M1 an answer at exactly `within` is late; a close excuses nothing, nor another session's reply",
        &format!("{day}\n10:44:59.999 clock"),
        &["days/2026-11-16"],
        expect![[r#"
            days/2026-11-16 {"buyers":5,"consulting":5,"effective_rate":1,"late":2,"penalty_risk":false,"replied":5,"reply_rate":0.6,"unit":"buyer"}
        "#]],
    );
    check_report(
        "M1 nor does a last thanks: late from the instant on at which it has gone unanswered for `within`",
        &format!("{day}\n10:45 clock"),
        &["days/2026-11-16"],
        expect![[r#"
            days/2026-11-16 {"buyers":5,"consulting":5,"effective_rate":1,"late":3,"penalty_risk":false,"replied":5,"reply_rate":0.4,"unit":"buyer"}
        "#]],
    );
    check_report(
        "M1 on the day of the message, though it is late on the next; a buyer is late once a day, whichever message it is",
        "23:58 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         23:59:59.999 buyer s1
         11-17T00:00 buyer s1
         11-17T00:02 agent s1
         11-17T00:10 clock",
        // 23:58 is late at 00:01; the message of the 17th was answered in time.
        &["days/2026-11-16", "days/2026-11-17"],
        expect![[r#"
            days/2026-11-16 {"buyers":1,"consulting":1,"effective_rate":0,"late":1,"penalty_risk":false,"replied":0,"reply_rate":0,"unit":"buyer"}
            days/2026-11-17 {"buyers":1,"consulting":1,"effective_rate":1,"late":0,"penalty_risk":false,"replied":1,"reply_rate":1,"unit":"buyer"}
        "#]],
    );
}

#[test]
fn m1_what_counts() {
    check_report(
        "M1 from `from` on and before `to`, by the local time",
        "11-16T07:59:59.999 shop pinduoduo
               agents anna
               online anna
               opened s1 b1
               buyer s1
         08:00 opened s2 b2
               buyer s2
         22:59:59.999 opened s3 b3
               buyer s3
         23:00 opened s4 b4
               buyer s4",
        &["days/2026-11-16/consulting"],
        expect![[r#"
            days/2026-11-16/consulting 2
        "#]],
    );
    check(
        "M1 M3 count_bot off: the handoff or the transfer is one message of its instant, where the buyer wrote to the bot",
        "10:00 shop standard
               agents anna
               online anna
               bot-opened s1 b1
               buyer s1
               buyer s1
               bot-opened s2 b2
               bot-opened s3 b3
               buyer s3
         10:05 handoff s1
               handoff s2
               transfer s3 anna
         10:06 agent s3
         10:08 clock",
        expect![[r#"
            10:06:40 reply.due s1 b1 anna since=10:05:00 overdue_at=10:08:00
            10:08:00 reply.overdue s1 b1 anna since=10:05:00
        "#]],
    );
    check_report(
        "M1 from and to hold for the handoff too, not for what was said to the bot; count_bot on: the handoff is none",
        "07:00 shop pinduoduo service.reply.count_bot=false
               bot-opened s1 b1
               buyer s1
               bot-opened s2 b2
               buyer s2
               bot-opened s3 b3
               buyer s3
         08:00 handoff s1
         23:00 handoff s2
               shop pinduoduo
         11-17T09:00 handoff s3
               bot-opened s4 b4
               buyer s4",
        &["days/2026-11-16/consulting", "days/2026-11-17/consulting"],
        expect![[r#"
            days/2026-11-16/consulting 1
            days/2026-11-17/consulting 1
        "#]],
    );
    check_report(
        "M1 a message that waits in a queue counts; one to an offline agent too",
        "10:00 shop standard session.on_agent_offline=keep
               agents anna
               opened s1 b1
               buyer s1
               online anna
               offline anna
               opened s2 b2
               online anna
               offline anna
               buyer s2",
        &["days/2026-11-16/consulting"],
        expect![[r#"
            days/2026-11-16/consulting 2
        "#]],
    );
}

#[test]
fn m2_effective_rate() {
    check_report(
        "M2 a human reply in any session at any hour of that day, before the message too; a robot's and the bot's are none",
        "07:00 shop pinduoduo service.reply.penalty_above=3
               agents anna
               online anna
               opened s1 b1
               agent s1
               closed s1 system
         10:00 opened s2 b1
               buyer s2
               opened s3 b3
               buyer s3
               robot s3
               bot-opened s4 b4
               buyer s4
               bot s4
         23:30 opened s5 b5
               agent s5
         11-17T10:00 agent s3",
        &["days/2026-11-16"],
        expect![[r#"
            days/2026-11-16 {"buyers":3,"consulting":3,"effective_rate":0.6667,"late":3,"penalty_risk":false,"replied":2,"reply_rate":0,"unit":"buyer"}
        "#]],
    );
    check_report(
        "M2 penalty_risk: more consult than penalty_above, and less than half were replied to",
        "10:00 shop pinduoduo session.close_after_buyer_silence=0s service.reply.penalty_above=2
               agents anna
               online anna
               opened s1 b1
               buyer s1
               agent s1
               opened s2 b2
               buyer s2
               opened s3 b3
               buyer s3
         11-17T10:00 buyer s1
               agent s1
               buyer s2
               agent s2
               buyer s3
               opened s4 b4
               buyer s4
         11-18T10:00 buyer s1
               buyer s2",
        &[
            "days/2026-11-16/penalty_risk",
            "days/2026-11-17/penalty_risk",
            "days/2026-11-18/penalty_risk",
        ],
        expect![[r#"
            days/2026-11-16/penalty_risk true
            days/2026-11-17/penalty_risk false
            days/2026-11-18/penalty_risk false
        "#]],
    );
}

#[test]
fn m3_reminders() {
    check(
        "M3 for the oldest unanswered message; both again after the next human reply; a robot's is none",
        "10:00 shop standard session.close_after_buyer_silence=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 buyer s1
               robot s1
         10:04 buyer s1
         10:10 agent s1
         10:20 buyer s1
         10:21 agent s1
         10:30 buyer s1
         10:33 clock",
        expect![[r#"
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:31:40 reply.due s1 b1 anna since=10:30:00 overdue_at=10:33:00
            10:33:00 reply.overdue s1 b1 anna since=10:30:00
        "#]],
    );
    check(
        "M3 the timer comes before the reply of its instant; 1 ms earlier the reply does",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01:39.999 agent s1
         10:10 buyer s1
         10:11:40 agent s1
         10:30 clock",
        expect![[r#"
            10:11:40 reply.due s1 b1 anna since=10:10:00 overdue_at=10:13:00
        "#]],
    );
    check(
        "M3 a close ends reply.due, not reply.overdue",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 closed s1 agent
         10:10 clock",
        expect![[r#"
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
        "#]],
    );
    check(
        "M3 no reminder with remind_after of 0s, or of `within` and more",
        "10:00 shop standard service.reply.remind_after=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               shop standard service.reply.remind_after=3m
               opened s2 b2
               buyer s2
               shop standard service.reply.remind_after=179999ms
               opened s3 b3
               buyer s3
         10:03 clock",
        expect![[r#"
            10:02:59.999 reply.due s3 b3 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 reply.overdue s2 b2 anna since=10:00:00
            10:03:00 reply.overdue s3 b3 anna since=10:00:00
        "#]],
    );
}

#[test]
fn m4_good_rate() {
    check_report(
        "M4 all recorded ratings of the natural week, bots included, whatever their source; the next week begins on Monday",
        "11-15T23:59:59 shop kuaishou rating.window=0s invite.quiet_after_rating=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 5
               bot-opened s2 b2
               buyer s2
               rate s2 1
               invite s1
               rate s1#2 3
         11-16T00:00 buyer s1
               rate s1 1",
        &["weeks/2026-W46", "weeks/2026-W47"],
        // 1 of 3 at 0.8: (1 + k) / (3 + k) >= 0.8 is k >= 7. 0 of 1: k >= 4.
        expect![[r#"
            weeks/2026-W46 {"disappointed":1,"good_needed":7,"good_rate":0.3333,"human_good_rate":0.5,"judged":{"good_rate":0.3333,"ratings":3},"neutral":1,"satisfied":1}
            weeks/2026-W47 {"disappointed":1,"good_needed":4,"good_rate":0,"human_good_rate":0,"judged":{"good_rate":0,"ratings":1},"neutral":0,"satisfied":0}
        "#]],
    );
    check(
        "M4 M6 the week is the ISO week: the first of January 2027 is of 2026-W53, the month 2027-01",
        "2027-01-01T10:00:00+08:00 shop kuaishou service.min_sample=1
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 1 attitude",
        expect![[r#"
            2027-01-01T10:00:00+08:00 score.alert good_rate 2026-W53 0 of 0.8 needed=4
            2027-01-01T10:00:00+08:00 score.alert attitude_rate 2027-01 1 of 0.06
        "#]],
    );
}

#[test]
fn m5_attitude_rate() {
    check_report(
        "M5 neutral and disappointed with the reason attitude, each once; a satisfied one is neither above nor below the line",
        "10:00 shop standard rating.window=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 5 attitude
               rate s1 3 attitude attitude slow
               rate s1 1 slow
               rate s1 2
         12-01T00:00 buyer s1
               rate s1 3 attitude",
        &["months", "agents/anna/reasons"],
        expect![[r#"
            months {"2026-11":{"attitude":1,"attitude_rate":0.3333,"unhappy":3},"2026-12":{"attitude":1,"attitude_rate":1,"unhappy":1}}
            agents/anna/reasons {"attitude":3,"slow":2}
        "#]],
    );
}

#[test]
fn m6_alerts_of_ratings() {
    check(
        "M6 judged from min_sample on; an alert once, recovered at exactly the line, an alert again",
        "10:00 shop kuaishou rating.window=0s service.min_sample=2 service.good_rate.min=0.5 service.attitude.max=0.5
               agents anna
               online anna
               opened s1 b1
               buyer s1
               agent s1
         10:01 rate s1 1 attitude
         10:02 rate s1 1 attitude
         10:03 rate s1 5
         10:04 rate s1 5
         10:05 rate s1 3
         10:06 rate s1 3
         10:07 rate s1 3
         10:08 rate s1 3 attitude",
        // 10:02 0/2, 2/2. 10:04 2/4: recovered. 10:05 2/5; attitude 2/3. 10:06 2/4: recovered. 10:08 3/6: not above.
        expect![[r#"
            10:02:00 score.alert good_rate 2026-W47 0 of 0.5 needed=2
            10:02:00 score.alert attitude_rate 2026-11 1 of 0.5
            10:04:00 score.recovered good_rate 2026-W47 0.5 of 0.5
            10:05:00 score.alert good_rate 2026-W47 0.4 of 0.5 needed=1
            10:06:00 score.recovered attitude_rate 2026-11 0.5 of 0.5
        "#]],
    );
    check(
        "M6 never with min 0 or max 1; needed is left out where no number reaches min; values have 4 decimals",
        "10:00 shop standard rating.window=0s service.min_sample=0
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 1 attitude
               shop standard rating.window=0s service.min_sample=3 service.good_rate.min=1
               rate s1 5
               rate s1 5",
        expect![[r#"
            10:00:00 score.alert good_rate 2026-W47 0.6667 of 1
        "#]],
    );
    check(
        "M6 a new week and a new month have no word yet",
        "11-30T23:59 shop kuaishou session.close_after_buyer_silence=0s rating.window=0s service.min_sample=1
               agents anna
               online anna
               opened s1 b1
               buyer s1
               agent s1
               rate s1 1 attitude
         12-01T00:00 buyer s1
               agent s1
               rate s1 1 attitude
         12-07T00:00 buyer s1
               agent s1
               rate s1 1 attitude",
        // 11-30 is a Monday: W49 begins; 12-01 is in it.
        expect![[r#"
            11-30T23:59:00 score.alert good_rate 2026-W49 0 of 0.8 needed=4
            11-30T23:59:00 score.alert attitude_rate 2026-11 1 of 0.06
            12-01T00:00:00 score.alert attitude_rate 2026-12 1 of 0.06
            12-07T00:00:00 score.alert good_rate 2026-W50 0 of 0.8 needed=4
        "#]],
    );
}

#[test]
fn m6_alerts_of_replies() {
    check(
        "M1 M6 late is late whichever timers of the instant have yet to fire: the first overdue sees both",
        "10:00 shop pinduoduo service.reply.min_sample=2
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               buyer s1
               buyer s2
         10:03 clock",
        expect![[r#"
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:01:40 reply.due s2 b2 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 score.alert reply_rate 2026-11-16 0 of 0.5
            10:03:00 reply.overdue s2 b2 anna since=10:00:00
        "#]],
    );
    check(
        "M6 after a buyer's first counting message of a day alone; of the day of the late message, not of now",
        "10:00 shop pinduoduo session.close_after_buyer_silence=0s service.reply.min_sample=1
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:10 opened s2 b2
               buyer s2
               agent s2
         22:59 opened s3 b3
               buyer s3
               buyer s3
               opened s4 b4
               buyer s4
         23:02 agent s4
         11-17T10:00 buyer s2
         11-17T10:00:01 agent s2",
        // 10:03: 0 of 1: alert. 10:10: 1 of 2 is not below: recovered. 22:59: 2/3, 3/4. 23:02: s3 and s4 late: 1/4.
        expect![[r#"
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 score.alert reply_rate 2026-11-16 0 of 0.5
            10:10:00 score.recovered reply_rate 2026-11-16 0.5 of 0.5
            23:00:40 reply.due s3 b3 anna since=22:59:00 overdue_at=23:02:00
            23:00:40 reply.due s4 b4 anna since=22:59:00 overdue_at=23:02:00
            23:02:00 reply.overdue s3 b3 anna since=22:59:00
            23:02:00 score.alert reply_rate 2026-11-16 0.25 of 0.5
            23:02:00 reply.overdue s4 b4 anna since=22:59:00
            11-17T00:03:00 score.day 2026-11-16 4 3 0.25 0.5 true 0.5 false
        "#]],
    );
    check(
        "M6 of a session that is forgotten by then, and whose id another has: late all the same (S1)",
        "10:00 shop standard service.min_sample=1 service.reply.within=8d service.reply.min_rate=0.5
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 closed s1 buyer
         11-24T09:00 opened s1 b2
         11-24T10:00 clock",
        expect![[r#"
            11-24T10:00:00 reply.overdue s1 b1 anna since=10:00:00
            11-24T10:00:00 score.alert reply_rate 2026-11-16 0 of 0.5
        "#]],
    );
    check(
        "M6 never with min_rate 0",
        "10:00 shop pinduoduo service.reply.min_sample=1 service.reply.min_rate=0
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:03 clock",
        expect![[r#"
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
        "#]],
    );
}
