//! A policy change while the shop is open: armed, counted and booked values stay; everything else uses the new policy.

use expect_test::expect;

use crate::rules::table::{check, check_of, check_report};

#[test]
fn timers_keep_their_due_time() {
    check(
        "S3 R6 a silence and a wait that are armed keep their due times, also where the rule is switched off",
        "10:00 shop standard session={\"close_after_buyer_silence\":\"5m\",\"requires_agent_reply\":false} routing.queue.max_wait=10m
               agents anna capacity=1
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
         10:01 shop standard session={\"close_after_buyer_silence\":\"0s\",\"requires_agent_reply\":false} routing.queue.max_wait=0s
               away anna
         10:05 clock
         10:10 clock
         10:30 online anna
               opened s4 b4
         11-30T10:00 clock",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 queued s2 b2 all 1 all_busy
            10:00:00 queued s3 b3 all 2 all_busy
            10:05:00 closed s1 b1 anna timeout
            10:05:00 invite.sent s1#1 b1 anna auto
            10:10:00 closed s2 b2 - timeout
            10:10:00 invite.blocked s2 b2 - auto bot_session
            10:10:00 closed s3 b3 - timeout
            10:10:00 invite.blocked s3 b3 - auto bot_session
            10:30:00 assigned s4 b4 anna all
        "#]],
    );
    check_of(
        &["reply."],
        "M3 reply.due and reply.overdue keep theirs, and overdue_at; the next message has the new ones",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
         10:01 shop standard service.reply={\"within\":\"1m\",\"remind_after\":\"30s\"}
         10:04 agent s1
         10:10 buyer s1
         10:20 clock",
        expect![[r#"
            10:01:40 reply.due s1 b1 anna since=10:00:00 overdue_at=10:03:00
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:10:30 reply.due s1 b1 anna since=10:10:00 overdue_at=10:11:00
            10:11:00 reply.overdue s1 b1 anna since=10:10:00
        "#]],
    );
    check_report(
        "M1 a counted message keeps its instant of lateness; one that is not its session's oldest may be late first",
        "10:00 shop standard service.reply.within=10m
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               buyer s1
               buyer s3
         10:01 shop standard service.reply.within=1m service.reply.from=12:00
               buyer s2
               shop standard service.reply.within=1m
               buyer s1
         10:05 agent s1
         10:09:59.999 agent s3",
        &["days/2026-11-16/consulting", "days/2026-11-16/late"],
        expect![[r#"
            days/2026-11-16/consulting 2
            days/2026-11-16/late 1
        "#]],
    );
}

#[test]
fn pools_that_vanish() {
    check(
        "R7 a pool that the policy no longer has counts as all, and is served in the order of waiting; its name stays",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live={\"members\":[\"bo\"],\"questions\":{\"when\":[\"bo\"]}} routing.order_status.paid=[\"bo\"] routing.overflow=false
               agents anna bo capacity=3
               online anna
         10:01 opened s1 b1 entry=live
         10:02 opened s2 b2 order_status=paid
         10:03 opened s3 b3 entry=live question=when
         10:04 shop standard routing.when_scope_offline=wait routing.overflow=false routing.entries.live={\"members\":[],\"questions\":{\"when\":[\"bo\"]}}
         10:05 shop standard routing.when_scope_offline=wait routing.overflow=false",
        expect![[r#"
            10:01:00 queued s1 b1 entry:live 1 scope_offline
            10:02:00 queued s2 b2 order_status:paid 1 scope_offline
            10:03:00 queued s3 b3 question:live/when 1 scope_offline
            10:04:00 assigned s1 b1 anna queue waited=180
            10:04:00 assigned s2 b2 anna queue waited=120
            10:05:00 assigned s3 b3 anna queue waited=120
        "#]],
    );
    check(
        "R7 a pool that vanished and came back is its scope again; positions go on",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live.members=[\"bo\"]
               agents anna bo capacity=1
               online anna
               opened s0 b0
               opened s1 b1 entry=live
               shop standard routing.when_scope_offline=wait
               shop standard routing.when_scope_offline=wait routing.entries.live.members=[\"bo\"]
               opened s2 b2 entry=live
         10:01 closed s0 system
         10:02 online bo",
        expect![[r#"
            10:00:00 assigned s0 b0 anna all
            10:00:00 queued s1 b1 entry:live 1 scope_offline
            10:00:00 queued s2 b2 entry:live 2 scope_offline
            10:01:00 closed s0 b0 anna system
            10:01:00 invite.blocked s0 b0 anna auto close_reason
            10:02:00 assigned s1 b1 bo queue waited=120
        "#]],
    );
    check(
        "R7 overflow, any_online and members are read from the policy of now: switching one on drains at once",
        "10:00 shop standard routing.overflow=false routing.when_scope_offline=wait routing.entries.live={\"members\":[\"bo\"],\"questions\":{\"when\":[\"bo\"]}}
               agents anna bo capacity=1
               agents carl
               online anna
               opened s1 b1 entry=live question=when
               opened s2 b2 entry=live
               shop standard routing.overflow=true routing.when_scope_offline=wait routing.entries.live={\"members\":[\"bo\"],\"questions\":{\"when\":[\"bo\"]}}
               agents anna capacity=2
               shop standard routing.entries.live={\"members\":[\"bo\"],\"questions\":{\"when\":[\"bo\"]}}",
        expect![[r#"
            10:00:00 queued s1 b1 question:live/when 1 scope_offline
            10:00:00 queued s2 b2 entry:live 1 scope_offline
            10:00:00 assigned s1 b1 anna queue
            10:00:00 assigned s2 b2 anna queue
        "#]],
    );
}

#[test]
fn windows_and_strategy_of_now() {
    check(
        "R1 a window that was lengthened reaches back over what it did not before; one that was shortened does not",
        "10:00 shop standard routing.recent.window=1h
               agents anna bo
               online anna bo
               opened s1 b1
         10:01 closed s1 system
         12:00 shop standard routing.recent.window=3h
               opened s2 b1
               closed s2 system
         12:30 shop standard routing.recent.window=30m
               opened s3 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            12:00:00 assigned s2 b1 anna recent_agent repeat
            12:00:00 closed s2 b1 anna system
            12:00:00 invite.blocked s2 b1 anna auto close_reason
            12:30:00 assigned s3 b1 bo all
        "#]],
    );
    check_of(
        &["invite", "rating"],
        "I9 I10 Q1 Q2 windows are those of now, for invites, ratings and cards made before",
        "10:00 shop standard invite={\"auto_quiet\":\"1h\",\"quiet_after_rating\":\"1h\"} rating={\"card_valid\":\"1h\",\"window\":\"1h\"}
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               rate s1#1 5
               opened s2 b2
               closed s2 buyer
         13:00 shop standard invite={\"auto_quiet\":\"4h\",\"quiet_after_rating\":\"5h\"} rating={\"card_valid\":\"4h\",\"window\":\"4h\"}
               opened s3 b1
               buyer s3
               card s3
               closed s3 buyer
               card s2 s2#1
         13:30 shop standard rating.card_valid=1h
               card s2 s2#1",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:00:00 rating.recorded s1#1 b1 anna satisfied 5 auto
            10:00:00 invite.sent s2#1 b2 anna auto
            13:00:00 rating.refused s3 - rated_recently
            13:00:00 invite.blocked s3 b1 anna auto rated_recently,already_invited retry_at=15:00:00
            13:00:00 rating.opened s2#1 b2 anna auto
            13:30:00 rating.refused s2 s2#1 card_expired
        "#]],
    );
    check(
        "P1 P2 P3 the strategy of now, for those who wait as well",
        "10:00 shop standard
               agents anna capacity=10
               agents bo capacity=2
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               shop standard routing.strategy=fewest_today
               opened s4 b4
               shop standard routing.strategy=random
               opened s5 b5",
        // P1: anna, bo, then 1/10 against 1/2: anna. P2: 2 against 1: bo, who is full then. P3: [anna].
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 anna all
            10:00:00 assigned s4 b4 bo all
            10:00:00 assigned s5 b5 anna all
        "#]],
    );
    check(
        "R6 R9 a lowered limit and a lowered capacity send nobody away; on_agent_offline is that of now",
        "10:00 shop standard session.on_agent_offline=keep
               agents anna capacity=2
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
               shop standard routing.queue.limit=1 session.on_agent_offline=close
               agents anna capacity=1
               opened s5 b5
         10:01 closed s1 system
         10:02 offline anna",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            10:00:00 queued s3 b3 all 1 all_busy
            10:00:00 queued s4 b4 all 2 all_busy
            10:00:00 rejected session.opened queue_full
            10:01:00 closed s1 b1 anna system
            10:01:00 invite.blocked s1 b1 anna auto close_reason
            10:02:00 closed s2 b2 anna agent_offline
            10:02:00 invite.blocked s2 b2 anna auto close_reason
        "#]],
    );
}

#[test]
fn another_time_zone() {
    check(
        "P2 what is booked on a day keeps its booking: 10:00 in Shanghai is the 15th in New York, and the 16th again after",
        "10:00 shop standard routing.strategy=fewest_today
               agents anna bo
               online anna
               opened s1 b1
               opened s2 b2
               online bo
               shop standard routing.strategy=fewest_today timezone=America/New_York
               opened s3 b3
               opened s4 b4
               opened s5 b5
               shop standard routing.strategy=fewest_today
               opened s6 b6
               opened s7 b7
               opened s8 b8",
        // 16th: anna 2. 15th: bo (never assigned), anna, bo. 16th again, 2 and 0: bo, bo; 2 and 2: anna was before bo.
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 anna all
            2026-11-15T21:00:00-05:00 assigned s3 b3 bo all
            2026-11-15T21:00:00-05:00 assigned s4 b4 anna all
            2026-11-15T21:00:00-05:00 assigned s5 b5 bo all
            10:00:00 assigned s6 b6 bo all
            10:00:00 assigned s7 b7 bo all
            10:00:00 assigned s8 b8 anna all
        "#]],
    );
    check_of(
        &["invite"],
        "I11 I13 the cap and the contact are of the day of now; what was booked on the 16th is not of the 15th",
        "10:00 shop standard invite={\"auto_quiet\":\"0s\",\"manual_quiet\":\"0s\",\"auto_per_shop_day\":1}
               agents anna
               online anna
               opened s1 b1
               buyer s1
               closed s1 agent
               shop standard timezone=America/New_York invite={\"auto_quiet\":\"0s\",\"manual_quiet\":\"0s\",\"auto_per_shop_day\":1}
               opened s2 b1
               invite s2
               closed s2 agent
               opened s3 b1
               shop standard invite={\"auto_quiet\":\"0s\",\"manual_quiet\":\"0s\",\"auto_per_shop_day\":1}
               invite s3
               closed s3 agent",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            2026-11-15T21:00:00-05:00 invite.blocked s2 b1 anna manual no_contact
            2026-11-15T21:00:00-05:00 invite.sent s2#1 b1 anna auto
            10:00:00 invite.sent s3#1 b1 anna manual
            10:00:00 invite.blocked s3 b1 anna auto shop_day_cap retry_at=11-17T00:00:00
        "#]],
    );
    check_report(
        "M1 M4 M5 the day, week and month of a message and a rating are those of its instant's zone",
        "11-01T10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
               rate s1 5
               shop standard timezone=America/New_York
               opened s2 b2
               buyer s2
               rate s2 5
         11-01T10:03 clock",
        // In New York it is Saturday, 2026-10-31; in Shanghai Sunday: the same week.
        &[
            "days/2026-11-01/late",
            "days/2026-10-31/late",
            "weeks/2026-W44/satisfied",
            "months/2026-10/unhappy",
            "months/2026-11/unhappy",
        ],
        expect![[r#"
            days/2026-11-01/late 1
            days/2026-10-31/late 1
            weeks/2026-W44/satisfied 2
            months/2026-10/unhappy 0
            months/2026-11/unhappy 0
        "#]],
    );
    check(
        "R5 P2 in New York the 1st of November 2026 has 25 hours: 23:30 is the same day, and the count",
        "2026-11-01T00:00:00-04:00 shop standard timezone=America/New_York routing.strategy=fewest_today
               agents anna bo
               online anna
               opened s1 b1
               opened s2 b2
         2026-11-01T23:59:59.999-05:00 online bo
               opened s3 b3
               opened s4 b4
         2026-11-02T00:00:00-05:00 opened s5 b5",
        expect![[r#"
            2026-11-01T00:00:00-04:00 assigned s1 b1 anna all
            2026-11-01T00:00:00-04:00 assigned s2 b2 anna all
            2026-11-01T23:59:59.999-05:00 assigned s3 b3 bo all
            2026-11-01T23:59:59.999-05:00 assigned s4 b4 bo all
            2026-11-02T00:00:00-05:00 assigned s5 b5 anna all
        "#]],
    );
}
