//! I1 to I13: whether a buyer is asked for a rating, automatically at the close or by the agent's button.

use expect_test::{Expect, expect};

use crate::rules::table::check_of;

/// A row about invites: only those decisions, and rejections, are written.
#[track_caller]
fn check(title: &str, trace: &str, expected: Expect) {
    check_of(&["invite.", "rejected"], title, trace, expected);
}

#[test]
fn i1_disabled() {
    check(
        "I1 auto: invite.auto is off; manual: invite.manual is off",
        "10:00 shop standard invite.auto=false
               agents anna
               online anna
               opened s1 b1
               buyer s1
               invite s1
               closed s1 agent
               shop standard invite.manual=false
               opened s2 b2
               buyer s2
               invite s2
               closed s2 agent",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
            10:00:00 invite.blocked s1 b1 anna auto disabled,already_invited
            10:00:00 invite.blocked s2 b2 anna manual disabled
            10:00:00 invite.sent s2#1 b2 anna auto
        "#]],
    );
}

#[test]
fn i2_bot_session() {
    check(
        "I2 auto: nobody ever had it, with bots too; the bot alone: only with bots on, and then the card is the bot's",
        "10:00 shop standard
               bot-opened s1 b1
               closed s1 buyer
               opened s2 b2
               closed s2 buyer
               shop standard invite.bots=true
               opened s3 b3
               closed s3 buyer
               bot-opened s4 b4
               closed s4 buyer
               bot-opened s5 b5
               handoff s5
               closed s5 buyer
               agents anna
               online anna
               shop standard
               bot-opened s6 b6
               handoff s6
               removed anna
               closed s6 buyer",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 bot auto bot_session
            10:00:00 invite.blocked s2 b2 - auto bot_session
            10:00:00 invite.blocked s3 b3 - auto bot_session
            10:00:00 invite.sent s4#1 b4 bot auto
            10:00:00 invite.sent s5#1 b5 bot auto
            10:00:00 invite.sent s6#1 b6 anna auto
        "#]],
    );
}

#[test]
fn i3_close_reason() {
    check(
        "I3 system and agent_offline never; the others as `after` says; a transfer closes nothing",
        "10:00 shop standard session.on_agent_offline=close session.close_after_buyer_silence=1m session.requires_agent_reply=false
               agents anna bo
               online anna bo
               opened s1 b1
               closed s1 system
               opened s2 b2
               transfer s2 bo
               offline bo
               opened s3 b3
               closed s3 buyer
               opened s4 b4
               closed s4 agent
               opened s5 b5
         10:01 shop standard invite.after=[\"agent\"] session.close_after_buyer_silence=1m session.requires_agent_reply=false
               opened s6 b6
               closed s6 buyer
               opened s7 b7
               closed s7 agent
               opened s8 b8
         10:02 shop standard invite.after=[]
               opened s9 b9
               closed s9 agent",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 invite.blocked s2 b2 bo auto close_reason
            10:00:00 invite.sent s3#1 b3 anna auto
            10:00:00 invite.sent s4#1 b4 anna auto
            10:01:00 invite.sent s5#1 b5 anna auto
            10:01:00 invite.blocked s6 b6 anna auto close_reason
            10:01:00 invite.sent s7#1 b7 anna auto
            10:02:00 invite.blocked s8 b8 anna auto close_reason
            10:02:00 invite.blocked s9 b9 anna auto close_reason
        "#]],
    );
}

#[test]
fn i4_buyer_spoke_last() {
    check(
        "I4 agent_spoke_last: the last message must be an agent's; none at all, the buyer's, the bot's and a robot's are not",
        "10:00 shop standard invite.agent_spoke_last=true
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b2
               agent s2
               buyer s2
               robot s2
               closed s2 buyer
               opened s3 b3
               buyer s3
               agent s3 kind=emoji
               robot s3
               closed s3 buyer
               bot-opened s4 b4
               bot s4
               handoff s4
               closed s4 buyer",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna auto buyer_spoke_last
            10:00:00 invite.blocked s2 b2 anna auto buyer_spoke_last
            10:00:00 invite.sent s3#1 b3 anna auto
            10:00:00 invite.blocked s4 b4 anna auto buyer_spoke_last
        "#]],
    );
}

#[test]
fn i5_too_short() {
    check(
        "I5 not longer than longer_than: exactly as long is too short, 1 ms more is not; from the opening, waiting included",
        "10:00 shop standard invite.longer_than=9m
               agents anna
               opened s1 b1
               opened s2 b2
         10:08 online anna
         10:09 closed s1 buyer
         10:09:00.001 closed s2 buyer
               shop standard
               opened s3 b3
               closed s3 buyer",
        expect![[r#"
            10:09:00 invite.blocked s1 b1 anna auto too_short
            10:09:00.001 invite.sent s2#1 b2 anna auto
            10:09:00.001 invite.sent s3#1 b3 anna auto
        "#]],
    );
}

#[test]
fn i6_suspended() {
    check(
        "I6 from is in the window, to is not; every year",
        "2027-11-16T10:00:00+08:00 shop standard invite.suspended=[{\"from\":\"11-16T22:00\",\"to\":\"11-17T02:00\"}]
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
         2027-11-16T21:59:59.999+08:00 closed s1 buyer
         2027-11-16T22:00:00+08:00 closed s2 buyer
         2027-11-17T01:59:59.999+08:00 closed s3 buyer
         2027-11-17T02:00:00+08:00 closed s4 buyer",
        expect![[r#"
            2027-11-16T21:59:59.999+08:00 invite.sent s1#1 b1 anna auto
            2027-11-16T22:00:00+08:00 invite.blocked s2 b2 anna auto suspended
            2027-11-17T01:59:59.999+08:00 invite.blocked s3 b3 anna auto suspended
            2027-11-17T02:00:00+08:00 invite.sent s4#1 b4 anna auto
        "#]],
    );
    check(
        "I6 from > to spans the new year; 02-29 is a day that some year has",
        "12-31T21:00 shop standard invite.suspended=[{\"from\":\"12-31T22:00\",\"to\":\"01-01T02:00\"},{\"from\":\"02-29T00:00\",\"to\":\"03-01T00:00\"}]
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
               closed s1 buyer
         12-31T22:00 closed s2 buyer
         2027-01-01T01:59:59+08:00 closed s3 buyer
         2027-01-01T02:00:00+08:00 closed s4 buyer
         2027-02-28T23:59:00+08:00 opened s5 b5
               closed s5 buyer
         2028-02-29T12:00:00+08:00 opened s6 b6
               closed s6 buyer",
        expect![[r#"
            12-31T21:00:00 invite.sent s1#1 b1 anna auto
            12-31T22:00:00 invite.blocked s2 b2 anna auto suspended
            2027-01-01T01:59:59+08:00 invite.blocked s3 b3 anna auto suspended
            2027-01-01T02:00:00+08:00 invite.sent s4#1 b4 anna auto
            2027-02-28T23:59:00+08:00 invite.sent s5#1 b5 anna auto
            2028-02-29T12:00:00+08:00 invite.blocked s6 b6 anna auto suspended
        "#]],
    );
    check(
        "I6 in the shop's zone, by its clock: in New York 01:30 comes twice on 2026-11-01",
        "2026-11-01T00:30:00-04:00 shop standard timezone=America/New_York invite.suspended=[{\"from\":\"11-01T01:00\",\"to\":\"11-01T02:00\"}]
               agents anna
               online anna
               opened s1 b1
               opened s2 b2
               opened s3 b3
               closed s1 buyer
         2026-11-01T01:30:00-04:00 closed s2 buyer
         2026-11-01T01:30:00-05:00 closed s3 buyer
         2026-11-01T02:00:00-05:00 opened s4 b4
               closed s4 buyer",
        expect![[r#"
            2026-11-01T00:30:00-04:00 invite.sent s1#1 b1 anna auto
            2026-11-01T01:30:00-04:00 invite.blocked s2 b2 anna auto suspended
            2026-11-01T01:30:00-05:00 invite.blocked s3 b3 anna auto suspended
            2026-11-01T02:00:00-05:00 invite.sent s4#1 b4 anna auto
        "#]],
    );
    check(
        "I6 manual: the agent's button is not suspended",
        "10:00 shop standard invite.suspended=[{\"from\":\"11-16T00:00\",\"to\":\"11-17T00:00\"}]
               agents anna
               online anna
               opened s1 b1
               buyer s1
               invite s1",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
        "#]],
    );
}

#[test]
fn i7_risk_buyer() {
    check(
        "I7 auto only; the flag may come before the buyer does, and be taken back",
        "10:00 shop standard
               agents anna
               online anna
               flag b1
               opened s1 b1
               buyer s1
               invite s1
               closed s1 buyer
               flag b2
               opened s2 b2
               unflag b2
               closed s2 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
            10:00:00 invite.blocked s1 b1 anna auto risk_buyer,already_invited
            10:00:00 invite.sent s2#1 b2 anna auto
        "#]],
    );
}

#[test]
fn i8_not_sampled() {
    // H("invite:" + id) mod 10000: s1 2643, s2 6989, s10 1553.
    check(
        "I8 at 26.43 percent 2643 is not sampled, at 26.44 it is; 0 percent asks nobody, 100 everybody",
        "10:00 shop standard invite.auto_percent=26.43
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s10 b10
               closed s10 buyer
               shop standard invite.auto_percent=69.89
               opened s2 b2
               closed s2 buyer
         11-23T10:00 shop standard invite.auto_percent=26.44
               opened s1 b1
               closed s1 buyer
               shop standard invite.auto_percent=0
               opened s3 b3
               closed s3 buyer",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna auto not_sampled
            10:00:00 invite.sent s10#1 b10 anna auto
            10:00:00 invite.blocked s2 b2 anna auto not_sampled
            11-23T10:00:00 invite.sent s1#1 b1 anna auto
            11-23T10:00:00 invite.blocked s3 b3 anna auto not_sampled
        "#]],
    );
}

#[test]
fn i9_rated_recently() {
    check(
        "I9 auto: opened or submitted in this shop, of whomever; 1 ms before the end of the window, and at its end",
        "10:00 shop standard invite.quiet_after_rating=1h invite.auto_quiet=0s rating.contact=shop
               agents anna bo
               online anna
               opened s1 b1
               buyer s1
               card s1
               closed s1 system
               away anna
               online bo
               opened s2 b1
         10:59:59.999 closed s2 buyer
               opened s3 b1
         11:00 closed s3 buyer
         11:30 rate s1#1 5
               opened s4 b1
               closed s4 buyer",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna auto close_reason,rated_recently
            10:59:59.999 invite.blocked s2 b1 bo auto rated_recently retry_at=11:00:00
            11:00:00 invite.sent s3#1 b1 bo auto
            11:30:00 invite.blocked s4 b1 bo auto rated_recently retry_at=12:30:00
        "#]],
    );
    check(
        "I9 manual: of this agent alone, opening is enough; opening again begins the window again",
        "10:00 shop standard invite.quiet_after_rating=1h
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
               card s1
         10:30 card s1 s1#1
         11:29:59.999 invite s1
               transfer s1 bo
               buyer s1
               invite s1
         11:30 transfer s1 anna
               shop standard invite.quiet_after_rating=1h invite.manual_quiet=0s
               invite s1",
        expect![[r#"
            11:29:59.999 invite.blocked s1 b1 anna manual rated_recently retry_at=11:30:00
            11:29:59.999 invite.sent s1#2 b1 bo manual
            11:30:00 invite.sent s1#3 b1 anna manual
        "#]],
    );
    check(
        "I9 a refused rating is none: nothing was opened or submitted",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               card s1
               rate s1#7 5
               closed s1 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
        "#]],
    );
}

#[test]
fn i10_already_invited() {
    check(
        "I10 auto after auto: auto_quiet, at exactly its end over; a blocked one opens no window",
        "10:00 shop standard invite.auto_quiet=1h
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b1
         10:59:59.999 closed s2 buyer
               opened s3 b1
         11:00 closed s3 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:59:59.999 invite.blocked s2 b1 anna auto already_invited retry_at=11:00:00
            11:00:00 invite.sent s3#1 b1 anna auto
        "#]],
    );
    check(
        "I10 auto after manual: manual_quiet; retry_at is the later end where both windows are open",
        "10:00 shop standard invite.auto_quiet=3h invite.manual_quiet=1h
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
         11:30 opened s2 b1
               buyer s2
               invite s2
         12:00 closed s2 buyer
         13:00 opened s3 b1
               closed s3 buyer
               shop standard invite.auto_quiet=3h invite.manual_quiet=5h
               opened s4 b1
               closed s4 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            11:30:00 invite.sent s2#1 b1 anna manual
            12:00:00 invite.blocked s2 b1 anna auto already_invited retry_at=13:00:00
            13:00:00 invite.sent s3#1 b1 anna auto
            13:00:00 invite.blocked s4 b1 anna auto already_invited retry_at=16:30:00
        "#]],
    );
    check(
        "I10 manual after manual or auto: both within manual_quiet; another agent's counts as well",
        "10:00 shop standard invite.auto_quiet=0s invite.manual_quiet=1h
               agents anna bo
               online anna bo
               opened s1 b1
               closed s1 buyer
               opened s2 b1
               buyer s2
         10:59:59.999 invite s2
         11:00 invite s2
         11:10 transfer s2 bo
               buyer s2
         11:59:59.999 invite s2
         12:00 invite s2",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:59:59.999 invite.blocked s2 b1 anna manual already_invited retry_at=11:00:00
            11:00:00 invite.sent s2#1 b1 anna manual
            11:59:59.999 invite.blocked s2 b1 bo manual already_invited retry_at=12:00:00
            12:00:00 invite.sent s2#2 b1 bo manual
        "#]],
    );
}

#[test]
fn i11_shop_day_cap() {
    check(
        "I11 auto invites of this natural day; retry_at is the next midnight; manual ones do not count",
        "10:00 shop standard invite.auto_quiet=0s invite.manual_quiet=0s invite.auto_per_shop_day=2
               agents anna
               online anna
               opened s1 b1
               buyer s1
               invite s1
               closed s1 buyer
               opened s2 b1
               closed s2 buyer
               opened s3 b1
               closed s3 buyer
               opened s4 b1
               opened s5 b2
               closed s5 buyer
         23:59:59.999 closed s4 buyer
               opened s6 b1
         11-17T00:00 closed s6 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
            10:00:00 invite.sent s1#2 b1 anna auto
            10:00:00 invite.sent s2#1 b1 anna auto
            10:00:00 invite.blocked s3 b1 anna auto shop_day_cap retry_at=11-17T00:00:00
            10:00:00 invite.sent s5#1 b2 anna auto
            23:59:59.999 invite.blocked s4 b1 anna auto shop_day_cap retry_at=11-17T00:00:00
            11-17T00:00:00 invite.sent s6#1 b1 anna auto
        "#]],
    );
    check(
        "I11 the natural day of New York ends 25 hours after it began on 2026-11-01",
        "2026-11-01T00:00:00-04:00 shop standard timezone=America/New_York invite.auto_quiet=0s invite.auto_per_shop_day=1
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b1
               opened s3 b3
         2026-11-01T23:59:59.999-05:00 closed s2 buyer
               opened s4 b1
         2026-11-02T00:00:00-05:00 closed s4 buyer",
        expect![[r#"
            2026-11-01T00:00:00-04:00 invite.sent s1#1 b1 anna auto
            2026-11-01T23:59:59.999-05:00 invite.blocked s2 b1 anna auto shop_day_cap retry_at=2026-11-02T00:00:00-05:00
            2026-11-02T00:00:00-05:00 invite.sent s4#1 b1 anna auto
        "#]],
    );
    check(
        "I11 the next natural day of Sao Paulo in 2018 began at 01:00, midnight was left out",
        "2018-11-03T22:00:00-03:00 shop standard timezone=America/Sao_Paulo invite.auto_quiet=0s invite.auto_per_shop_day=1
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b1
         2018-11-03T23:59:59-03:00 closed s2 buyer
               opened s3 b1
         2018-11-04T01:00:00-02:00 closed s3 buyer",
        expect![[r#"
            2018-11-03T22:00:00-03:00 invite.sent s1#1 b1 anna auto
            2018-11-03T23:59:59-03:00 invite.blocked s2 b1 anna auto shop_day_cap retry_at=2018-11-04T01:00:00-02:00
            2018-11-04T01:00:00-02:00 invite.sent s3#1 b1 anna auto
        "#]],
    );
    check(
        "I11 in St. John's of 2006 the clocks went back at 00:01: its 29th has a minute before the 28th comes back",
        "2006-10-28T22:00:00-02:30 shop standard timezone=America/St_Johns invite.auto_quiet=0s invite.auto_per_shop_day=1
               agents anna
               online anna
               opened s1 b1
               closed s1 buyer
               opened s2 b1
         2006-10-28T23:59:59-02:30 closed s2 buyer
         2006-10-29T00:00:30-02:30 opened s3 b1
               closed s3 buyer
         2006-10-29T00:00:00-03:30 opened s5 b1
               closed s5 buyer",
        expect![[r#"
            2006-10-28T22:00:00-02:30 invite.sent s1#1 b1 anna auto
            2006-10-28T23:59:59-02:30 invite.blocked s2 b1 anna auto shop_day_cap retry_at=2006-10-29T00:00:00-02:30
            2006-10-29T00:00:30-02:30 invite.sent s3#1 b1 anna auto
            2006-10-29T00:00:00-03:30 invite.blocked s5 b1 anna auto shop_day_cap retry_at=2006-10-30T00:00:00-03:30
        "#]],
    );
}

#[test]
fn i12_buyer_day_cap() {
    let shops = "10:00 @a shop standard
               @a agents anna
               @a online anna
               @b shop standard
               @b agents bo
               @b online bo
               @c shop standard
               @c agents carl
               @c online carl
               @d shop standard buyer_space=elsewhere
               @d agents dora
               @d online dora";
    check(
        "I12 two other shops have asked: the third may not, nor say when; it counts shops, not invites, and not its own",
        &format!(
            "{shops}
               @a shop standard invite.auto_quiet=0s
               @a opened s1 b1
               @a closed s1 buyer
               @a opened s2 b1
               @a closed s2 buyer
               @b opened s1 b1
               @b closed s1 buyer
               @c opened s1 b1
               @c closed s1 buyer
               @a opened s3 b1
               @a closed s3 buyer
               @c opened s2 b2
               @c closed s2 buyer
         11-17T00:00 @c opened s3 b1
               @c closed s3 buyer"
        ),
        expect![[r#"
            10:00:00 @a invite.sent s1#1 b1 anna auto
            10:00:00 @a invite.sent s2#1 b1 anna auto
            10:00:00 @b invite.sent s1#1 b1 bo auto
            10:00:00 @c invite.blocked s1 b1 carl auto buyer_day_cap
            10:00:00 @a invite.sent s3#1 b1 anna auto
            10:00:00 @c invite.sent s2#1 b2 carl auto
            11-17T00:00:00 @c invite.sent s3#1 b1 carl auto
        "#]],
    );
    check(
        "I12 another buyer_space knows another buyer; what was sent under the space counts, whatever its sender's is now",
        &format!(
            "{shops}
               @a opened s1 b1
               @a closed s1 buyer
               @b opened s1 b1
               @b closed s1 buyer
               @a shop standard buyer_space=elsewhere
               @d opened s1 b1
               @d closed s1 buyer
               @c opened s1 b1
               @c closed s1 buyer
               @c shop standard buyer_space=elsewhere
               @c opened s2 b1
               @c closed s2 buyer"
        ),
        expect![[r#"
            10:00:00 @a invite.sent s1#1 b1 anna auto
            10:00:00 @b invite.sent s1#1 b1 bo auto
            10:00:00 @d invite.sent s1#1 b1 dora auto
            10:00:00 @c invite.blocked s1 b1 carl auto buyer_day_cap
            10:00:00 @c invite.sent s2#1 b1 carl auto
        "#]],
    );
    check(
        "I12 on this shop's natural day: 20:00 in Shanghai is yesterday evening's day in New York until 13:00 there",
        "11-17T08:00 @a shop standard
               @a agents anna
               @a online anna
               @b shop standard
               @b agents bo
               @b online bo
               @n shop standard timezone=America/New_York
               @n agents nora
               @n online nora
               @c shop standard
               @c agents carl
               @c online carl
               @a opened s1 b1
               @a closed s1 buyer
               @b opened s1 b1
               @b closed s1 buyer
               @n opened s1 b1
         11-17T12:59:59 @n closed s1 buyer
               @n opened s2 b1
         11-17T13:00 @n closed s2 buyer
         11-17T23:00 @c opened s1 b1
               @c closed s1 buyer
         11-18T00:00 @c opened s2 b1
               @c closed s2 buyer",
        // For New York 11-17T08:00+08:00 is 19:00 of the 16th; its 17th begins at 13:00+08:00. For Shanghai the
        // 17th has seen a, b and n: three.
        expect![[r#"
            11-17T08:00:00 @a invite.sent s1#1 b1 anna auto
            11-17T08:00:00 @b invite.sent s1#1 b1 bo auto
            2026-11-16T23:59:59-05:00 @n invite.blocked s1 b1 nora auto buyer_day_cap
            2026-11-17T00:00:00-05:00 @n invite.sent s2#1 b1 nora auto
            11-17T23:00:00 @c invite.blocked s1 b1 carl auto buyer_day_cap
            11-18T00:00:00 @c invite.sent s2#1 b1 carl auto
        "#]],
    );
    check(
        "I12 so far is by the order of handling: an invite at a later instant of the day that was handled before counts",
        &format!(
            "{shops}
         20:00 @a opened s1 b1
               @a closed s1 buyer
         19:00 @b opened s1 b1
               @b closed s1 buyer
         18:00 @c opened s1 b1
               @c closed s1 buyer"
        ),
        expect![[r#"
            20:00:00 @a invite.sent s1#1 b1 anna auto
            19:00:00 @b invite.sent s1#1 b1 bo auto
            18:00:00 @c invite.blocked s1 b1 carl auto buyer_day_cap
        "#]],
    );
    check(
        "I12 a shop whose own cap is 0 is counted by the others; manual invites are not",
        "10:00 @a shop douyin buyer_space=standard invite.auto_percent=100
               @a agents anna
               @a online anna
               @b shop standard invite.shops_per_buyer_day=1
               @b agents bo
               @b online bo
               @b opened s1 b1
               @b buyer s1
               @b invite s1
               @a opened s1 b1
               @a closed s1 buyer
               @b opened s2 b2
               @b closed s2 buyer
               @b closed s1 buyer",
        expect![[r#"
            10:00:00 @b invite.sent s1#1 b1 bo manual
            10:00:00 @a invite.sent s1#1 b1 anna auto
            10:00:00 @b invite.sent s2#1 b2 bo auto
            10:00:00 @b invite.blocked s1 b1 bo auto already_invited,buyer_day_cap
        "#]],
    );
}

#[test]
fn i13_no_contact() {
    check(
        "I13 manual: a message to this agent on this natural day, in this session or another; yesterday's does not do",
        "10:00 shop standard routing.recent.window=1d invite.manual_quiet=0s invite.auto=false
               agents anna bo
               online anna bo
               opened s1 b1
               invite s1
               buyer s1
               closed s1 buyer
               opened s2 b1
               invite s2
               transfer s2 bo
               invite s2
         11-17T00:00 transfer s2 anna
               invite s2
               buyer s2
               invite s2
               shop standard invite.manual_needs_contact=false invite.manual_quiet=0s
               transfer s2 bo
               invite s2",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna manual no_contact
            10:00:00 invite.blocked s1 b1 anna auto disabled
            10:00:00 invite.sent s2#1 b1 anna manual
            10:00:00 invite.blocked s2 b1 bo manual no_contact
            11-17T00:00:00 invite.blocked s2 b1 anna manual no_contact
            11-17T00:00:00 invite.sent s2#2 b1 anna manual
            11-17T00:00:00 invite.sent s2#3 b1 bo manual
        "#]],
    );
    check(
        "I13 what was said to the bot or while it waited was not said to the agent",
        "10:00 shop standard
               agents anna
               bot-opened s1 b1
               buyer s1
               handoff s1
               buyer s1
               online anna
               invite s1",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna manual no_contact
        "#]],
    );
}

#[test]
fn invite_codes_in_their_order_and_retry_at() {
    check(
        "I1 I3 I4 I5 I6 I7 I8 I9 I10 I11 I12 all at once, in this order; with one that nothing ends there is no retry_at",
        "10:00 @x shop standard
               @x agents xi
               @x online xi
               @x opened s1 b1
               @x closed s1 buyer
               @a shop standard rating.contact=shop
               @a agents anna
               @a online anna
               @a opened s1 b1
               @a closed s1 buyer
               @a opened s2 b1
               @a buyer s2
               @a card s2
               @a flag b1
               @a shop standard invite={\"auto\":false,\"auto_percent\":0,\"after\":[],\"agent_spoke_last\":true,\"longer_than\":\"1h\",\"suspended\":[{\"from\":\"11-16T00:00\",\"to\":\"11-17T00:00\"}],\"auto_per_shop_day\":1,\"shops_per_buyer_day\":1}
               @a closed s2 buyer
               @a bot-opened s3 b1
               @a closed s3 buyer",
        expect![[r#"
            10:00:00 @x invite.sent s1#1 b1 xi auto
            10:00:00 @a invite.sent s1#1 b1 anna auto
            10:00:00 @a invite.blocked s2 b1 anna auto disabled,close_reason,buyer_spoke_last,too_short,suspended,risk_buyer,not_sampled,rated_recently,already_invited,shop_day_cap,buyer_day_cap
            10:00:00 @a invite.blocked s3 b1 bot auto disabled,bot_session,close_reason,buyer_spoke_last,too_short,suspended,risk_buyer,not_sampled,rated_recently,already_invited,shop_day_cap,buyer_day_cap
        "#]],
    );
    check(
        "I1 I9 I10 I13 manual, all at once",
        "10:00 shop standard rating.contact=shop
               agents anna
               online anna
               opened s1 b1
               buyer s1
               card s1
               invite s1
               closed s1 buyer
         11-17T00:00 shop standard invite.manual=false
               opened s2 b1
               invite s2",
        expect![[r#"
            10:00:00 invite.blocked s1 b1 anna manual rated_recently retry_at=11-17T10:00:00
            10:00:00 invite.blocked s1 b1 anna auto rated_recently retry_at=11-17T10:00:00
            11-17T00:00:00 invite.blocked s2 b1 anna manual disabled,rated_recently,no_contact
        "#]],
    );
    check(
        "I9 I10 I11 retry_at is the latest end of them",
        "10:00 shop standard invite.auto_per_shop_day=1 invite.auto_quiet=2h invite.quiet_after_rating=1h rating.contact=shop
               agents anna
               online anna
               opened s1 b1
               buyer s1
               closed s1 buyer
         10:30 card s1
               opened s2 b1
               closed s2 buyer
               shop standard invite.auto_per_shop_day=1 invite.auto_quiet=48h
               opened s3 b1
               closed s3 buyer
               shop standard invite.auto_per_shop_day=0 invite.auto_quiet=2h invite.quiet_after_rating=1h
               opened s4 b1
               closed s4 buyer",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:30:00 invite.blocked s2 b1 anna auto rated_recently,already_invited,shop_day_cap retry_at=11-17T00:00:00
            10:30:00 invite.blocked s3 b1 anna auto rated_recently,already_invited,shop_day_cap retry_at=11-18T10:00:00
            10:30:00 invite.blocked s4 b1 anna auto rated_recently,already_invited retry_at=12:00:00
        "#]],
    );
}

#[test]
fn i12_a_day_in_two_parts() {
    check(
        "I12 on this shop's natural day: in St. John's of 2006 the 28th goes on after the first minute of the 29th",
        "2006-10-28T23:10:00-03:30 @a shop standard
               @a agents anna
               @a online anna
               @a opened s1 b1
               @a closed s1 buyer
         2006-10-28T23:30:00-03:30 @n shop standard timezone=America/St_Johns invite.shops_per_buyer_day=1
               @n agents nora
               @n online nora
               @n opened s1 b1
               @n closed s1 buyer
         2006-10-29T00:10:00-03:30 @n opened s2 b1
               @n closed s2 buyer",
        expect![[r#"
            2006-10-29T10:40:00+08:00 @a invite.sent s1#1 b1 anna auto
            2006-10-28T23:30:00-03:30 @n invite.blocked s1 b1 nora auto buyer_day_cap
            2006-10-29T00:10:00-03:30 @n invite.sent s2#1 b1 nora auto
        "#]],
    );
}
