//! M4, M12, M13 and the sheets M7 to M11.

use expect_test::expect;

use crate::rules::table::{check, check_report};

#[test]
fn m12_units() {
    check_report(
        "M12 buyers, rounds and first rounds of the same day: the unit is the one that is read now",
        "10:00 shop standard service.reply.unit=round
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 agent s1
         10:02 buyer s1
         10:06 agent s1
         10:07 buyer s1
         10:08 agent s1",
        &["days/2026-11-16"],
        expect![[r#"
            days/2026-11-16 {"buyers":1,"consulting":3,"effective_rate":1,"late":1,"penalty_risk":false,"replied":1,"reply_rate":0.6667,"unit":"round"}
        "#]],
    );
    check_report(
        "M12 by sessions",
        "10:00 shop standard service.reply.unit=session
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 agent s1
         10:02 buyer s1
         10:06 agent s1",
        &["days/2026-11-16"],
        expect![[r#"
            days/2026-11-16 {"buyers":1,"consulting":1,"effective_rate":1,"late":0,"penalty_risk":false,"replied":1,"reply_rate":1,"unit":"session"}
        "#]],
    );
    check(
        "M6b a round's first message is judged with rounds, another message is not",
        "10:00 shop standard service.reply.unit=round service.reply.min_sample=1 service.reply.min_rate=0.5
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:03 agent s1
         10:04 buyer s1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:03:00 score.alert reply_rate 2026-11-16 0 of 0.5
            10:04:00 score.recovered reply_rate 2026-11-16 0.5 of 0.5
        "#]],
    );
}

#[test]
fn m13_the_days_word() {
    check(
        "M13 at the first instant of the next day + within, once, whatever the sample; what comes after changes it no more",
        "2026-11-16T10:00:00+08:00 shop pinduoduo routing.offline.mode=wait service.reply.penalty_above=1
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               buyer s1
               buyer s2
         2026-11-16T10:01:00+08:00 agent s1
         2026-11-17T00:02:59.999+08:00 clock
         2026-11-17T00:03:00+08:00 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:01:40 reply.due s2 b2 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s2 b2 anna since=10:00:00
            10:31:00 closed s1 b1 anna timeout
            10:31:00 invite.blocked s1 b1 anna auto disabled
            11-17T00:03:00 score.day 2026-11-16 2 1 0.5 0.5 false 0.5 false
        "#]],
    );
}

#[test]
fn m4_judged() {
    check_report(
        "M4 not the bot's, and only cards made within from-to; the needed ones go by the judged",
        "10:00 shop standard service.good_rate={\"min\":0.8,\"human\":true,\"from\":\"09:00\",\"to\":\"11:00\"} service.min_sample=1 rating.per=agent rating.window=0s
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 1
         11:00 buyer s1
               rate s1 5
               bot-opened s2 b2
               buyer s2
               rate s2 5",
        &["weeks/2026-W47"],
        expect![[r#"
            weeks/2026-W47 {"disappointed":1,"good_needed":4,"good_rate":0.6667,"human_good_rate":0.5,"judged":{"good_rate":0,"ratings":1},"neutral":0,"satisfied":2}
        "#]],
    );
}

#[test]
fn m7_to_m11_sheets() {
    check_report(
        "M9 the agent's rounds: begun at the assignment, late for the agent at within of it, dropped where the session leaves",
        "10:00 shop standard
               agents anna bo capacity=1
               online anna
               opened s0 b0
               opened s1 b1
               buyer s1
         10:02 closed s0 system
         10:03 transfer s1 bo
               online bo
               transfer s1 bo
         10:04 agent s1
         10:05 buyer s1
         10:10 clock",
        &["agents/anna/days", "agents/bo/days", "desk/days"],
        expect![[r#"
            agents/anna/days {"2026-11-16":{"answers":{"answered":0,"buyers":1,"dropped":1,"each":{"count":0,"max":0,"mean":0},"first":{"count":0,"max":0,"mean":0},"late":0,"late_buyers":0,"open":0,"reply_rate":1,"rounds":1},"linger":{"count":1,"max":120,"mean":120},"time":{"away":0,"full":180,"online":600}}}
            agents/bo/days {"2026-11-16":{"answers":{"answered":1,"buyers":1,"dropped":0,"each":{"count":1,"max":60,"mean":60},"first":{"count":1,"max":60,"mean":60},"late":1,"late_buyers":1,"open":1,"reply_rate":0,"rounds":2},"time":{"away":0,"full":420,"online":420}}}
            desk/days {"2026-11-16":{"answers":{"answered":1,"buyers":1,"dropped":1,"each":{"count":1,"max":60,"mean":60},"first":{"count":1,"max":60,"mean":60},"late":1,"late_buyers":1,"open":1,"reply_rate":0,"rounds":3},"linger":{"count":1,"max":120,"mean":120},"unserved":{"asked":1,"never_answered":0,"never_assigned":0,"rate":0}}}
        "#]],
    );
    check_report(
        "M10 M11 unserved sessions, those that were given up, and time at the desk to the clock",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               opened s1 b1
               buyer s1
               opened s2 b2
               buyer s2
         10:10 away anna
         10:20 closed s2 buyer
               closed s1 buyer
         10:30 clock",
        &["agents/anna/days", "desk/days"],
        expect![[r#"
            agents/anna/days {"2026-11-16":{"answers":{"answered":0,"buyers":1,"dropped":0,"each":{"count":0,"max":0,"mean":0},"first":{"count":0,"max":0,"mean":0},"late":1,"late_buyers":1,"open":1,"reply_rate":0,"rounds":1},"cards":{"agent":{"made":0,"rate":null,"rated":0},"auto":{"made":1,"rate":0,"rated":0},"invited":{"made":1,"rate":0,"rated":0},"own":0},"linger":{"count":1,"max":1200,"mean":1200},"time":{"away":1200,"full":600,"online":600},"unserved":1}}
            desk/days {"2026-11-16":{"abandoned":{"count":1,"max":1200,"mean":1200},"answers":{"answered":0,"buyers":1,"dropped":0,"each":{"count":0,"max":0,"mean":0},"first":{"count":0,"max":0,"mean":0},"late":1,"late_buyers":1,"open":1,"reply_rate":0,"rounds":1},"cards":{"agent":{"made":0,"rate":null,"rated":0},"auto":{"made":1,"rate":0,"rated":0},"invited":{"made":1,"rate":0,"rated":0},"own":0},"linger":{"count":1,"max":1200,"mean":1200},"unserved":{"asked":2,"never_answered":1,"never_assigned":1,"rate":1}}}
        "#]],
    );
}
