//! B1: blocked buyers. I9 and quiet_after_opening.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn b1_blocked() {
    check(
        "B1 the open session closes, blocked, and opening is refused until exactly until; its ratings are refused first of all",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
               block b1 until=2026-11-16T10:05:00+08:00
               opened s2 b1
               card s1
               rate s1 5
               rate s1#1 5
               card s1 s9#1
         10:04:59.999 opened s2 b1
         10:05 opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna blocked
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 rejected session.opened buyer_blocked
            10:00:00 rating.refused s1 - buyer_blocked
            10:00:00 rating.refused s1 - buyer_blocked
            10:00:00 rating.refused - s1#1 card_unknown
            10:00:00 rating.refused s1 s9#1 buyer_blocked
            10:03:00 reply.overdue s1 b1 anna since=10:00:00
            10:04:59.999 rejected session.opened buyer_blocked
            10:05:00 assigned s2 b1 anna recent_agent repeat
        "#]],
    );
    check(
        "B1 a later one takes the place of the one before; a block that is over by the clock closes nothing",
        "10:00 shop standard
               block b1
               unblock b1
               agents anna
               online anna
               opened s1 b1
         10:05 clock
         10:01 block b1 until=2026-11-16T10:04:00+08:00
         10:05 block b1
               opened s2 b1",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:05:00 closed s1 b1 anna blocked
            10:05:00 invite.blocked s1 b1 anna auto close_reason
            10:05:00 rejected session.opened buyer_blocked
        "#]],
    );
}

#[test]
fn i9_quiet_after_opening() {
    check(
        "I9 an opened card keeps the automatic invitation quiet on standard, and a submitted one alone on douyin",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               buyer s1
               card s1
               agent s1
               closed s1 agent",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 closed s1 b1 anna agent
            10:00:00 invite.blocked s1 b1 anna auto rated_recently retry_at=11-17T10:00:00
        "#]],
    );
    check(
        "I9 quiet_after_opening off",
        "10:00 shop standard invite.quiet_after_opening=false
               agents anna
               online anna
               opened s1 b1
               buyer s1
               card s1
               agent s1
               closed s1 agent",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 rating.opened s1#1 b1 anna buyer
            10:00:00 closed s1 b1 anna agent
            10:00:00 invite.sent s1#2 b1 anna auto
        "#]],
    );
}
