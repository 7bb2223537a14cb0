//! P1 to P4: which of several free agents is picked.

use expect_test::expect;

use crate::rules::table::{check, check_last};

#[test]
fn p1_least_saturated() {
    check(
        "P1 load by capacity, exactly: 1/3 is less than 1/2, 2/6 is 1/3; equal ratios go by P4, not by load",
        "10:00 shop standard
               agents anna capacity=2
               agents bo capacity=3
               agents carl capacity=6
               online anna bo carl
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
               opened s5 b5
               opened s6 b6
               opened s7 b7
               opened s8 b8",
        // After the first three: 1/2, 1/3, 1/6. carl; then 1/2, 1/3, 2/6: bo was assigned before carl.
        // Then 1/2, 2/3, 2/6: carl. 1/2, 2/3, 3/6: anna was assigned before carl. 2/2, 2/3, 3/6: carl.
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 carl all
            10:00:00 assigned s4 b4 carl all
            10:00:00 assigned s5 b5 bo all
            10:00:00 assigned s6 b6 carl all
            10:00:00 assigned s7 b7 anna all
            10:00:00 assigned s8 b8 carl all
        "#]],
    );
    let by_hand = |n| format!("bot-opened f{n} c{n}\ntransfer f{n} anna\n");
    let by_hand: String = (0..333).map(by_hand).collect();
    check_last(
        "P1 333/1000 is less than 1/3, and 334/1000 is not: nothing is rounded",
        &format!(
            "10:00 shop standard
             agents anna capacity=1000
             agents bo capacity=3
             online bo
             opened x b0
             online anna
             {by_hand}
             opened s1 b1
             opened s2 b2"
        ),
        2,
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
        "#]],
    );
}

#[test]
fn p2_fewest_today() {
    check(
        "P2 today's count by weight, whatever became of the sessions; equal ratios go by P4; loads play no part",
        "10:00 shop standard routing.strategy=fewest_today
               agents anna
               agents bo weight=2
               online anna bo
               opened s1 b1
               opened s2 b2
               closed s1 system
               opened s3 b3
               opened s4 b4
               opened s5 b5",
        // anna 0, bo 0: anna by id. 1/1, 0/2: bo. 1/1, 1/2: bo. 1/1, 2/2: anna was assigned before bo. 2/1, 2/2: bo.
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 assigned s3 b3 bo all
            10:00:00 assigned s4 b4 anna all
            10:00:00 assigned s5 b5 bo all
        "#]],
    );
    check(
        "P2 counts assignments for whatever reason, and those of one who was removed meanwhile; a new day counts anew",
        "10:00 shop standard routing.strategy=fewest_today session.on_agent_offline=keep
               agents anna bo
               online anna bo
               opened s1 b1
               transfer s1 bo
               opened s2 b2
               closed s2 system
               removed anna
               agents anna
               online anna
               opened s3 b3
         23:59:59.999 opened s4 b4
         11-17T00:00 opened s5 b5",
        // anna 1, bo 1 after the transfer; anna was assigned before bo: s2 anna. anna 2, bo 1: s3 bo.
        // 2, 2: anna. On the next day 0, 0: bo was assigned before anna.
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s1 b1 bo manual
            10:00:00 assigned s2 b2 anna all
            10:00:00 closed s2 b2 anna system
            10:00:00 invite.blocked s2 b2 anna auto close_reason
            10:00:00 assigned s3 b3 bo all
            23:59:59.999 assigned s4 b4 anna all
            11-17T00:00:00 assigned s5 b5 bo all
        "#]],
    );
}

#[test]
fn p3_random() {
    // H mod 3: s1 1, s2 0, s3 2, s4 0, s5 2. H("会话-1") = 0xe69bb63d486fc21d, which is 2 modulo 3.
    check(
        "P3 the free candidates sorted by id, H(session) modulo their number; the full one is none",
        "10:00 shop standard routing.strategy=random
               agents carl bo anna capacity=1
               online carl bo anna
               opened s1 b1
               closed s1 system
               opened s2 b2
               closed s2 system
               opened s3 b3
               opened s4 b4
               opened s5 b5
               opened s6 b6",
        // s1: bo. s2: anna. s3: carl. Of [anna, bo] H(s4) mod 2 = 1: bo. Then anna alone.
        expect![[r#"
            10:00:00 assigned s1 b1 bo all
            10:00:00 closed s1 b1 bo system
            10:00:00 invite.blocked s1 b1 bo auto close_reason
            10:00:00 assigned s2 b2 anna all
            10:00:00 closed s2 b2 anna system
            10:00:00 invite.blocked s2 b2 anna auto close_reason
            10:00:00 assigned s3 b3 carl all
            10:00:00 assigned s4 b4 bo all
            10:00:00 assigned s5 b5 anna all
            10:00:00 queued s6 b6 all 1 all_busy
        "#]],
    );
    check(
        "P3 ids go by their bytes: Zoe before anna before 安娜; draining draws by the waiting session's id",
        "10:00 shop standard routing.strategy=random routing.when_scope_offline=wait routing.entries.live.members=[\"x\"]
               agents 安娜 anna Zoe
               online 安娜 anna Zoe
               opened s1 b1
               opened s2 b2
               opened 会话-1 b9
               opened s3 b3 entry=live
               opened s4 b4 entry=live
         10:01 shop standard routing.strategy=random",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 Zoe all
            10:00:00 assigned 会话-1 b9 安娜 all
            10:00:00 queued s3 b3 entry:live 1 scope_offline
            10:00:00 queued s4 b4 entry:live 2 scope_offline
            10:01:00 assigned s3 b3 安娜 queue waited=60
            10:01:00 assigned s4 b4 Zoe queue waited=60
        "#]],
    );
}

#[test]
fn p4_ties() {
    check(
        "P4 never assigned comes first, then whose latest assignment came first in the order of decisions, then the id",
        "10:00 shop standard
               agents bo anna carl
               online bo anna carl
               opened s1 b1
               closed s1 system
               opened s2 b2
               closed s2 system
               opened s3 b3
               closed s3 system
               opened s4 b4
               closed s4 system
               agents dora
               online dora
               opened s5 b5
               closed s5 system
               opened s6 b6",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 closed s1 b1 anna system
            10:00:00 invite.blocked s1 b1 anna auto close_reason
            10:00:00 assigned s2 b2 bo all
            10:00:00 closed s2 b2 bo system
            10:00:00 invite.blocked s2 b2 bo auto close_reason
            10:00:00 assigned s3 b3 carl all
            10:00:00 closed s3 b3 carl system
            10:00:00 invite.blocked s3 b3 carl auto close_reason
            10:00:00 assigned s4 b4 anna all
            10:00:00 closed s4 b4 anna system
            10:00:00 invite.blocked s4 b4 anna auto close_reason
            10:00:00 assigned s5 b5 dora all
            10:00:00 closed s5 b5 dora system
            10:00:00 invite.blocked s5 b5 dora auto close_reason
            10:00:00 assigned s6 b6 bo all
        "#]],
    );
    check(
        "P4 the order outlives a removal and a night; an assignment by hand or by a group counts as any",
        "10:00 shop standard routing.entries.live.members=[\"bo\"]
               agents anna bo
               online anna bo
               opened s1 b1 entry=live
               closed s1 system
               removed bo
               agents bo
               online bo
               opened s2 b2
               closed s2 system
         11-18T10:00 bot-opened s3 b3
               transfer s3 bo
               closed s3 system
               opened s4 b4",
        expect![[r#"
            10:00:00 assigned s1 b1 bo entry
            10:00:00 closed s1 b1 bo system
            10:00:00 invite.blocked s1 b1 bo auto close_reason
            10:00:00 assigned s2 b2 anna all
            10:00:00 closed s2 b2 anna system
            10:00:00 invite.blocked s2 b2 anna auto close_reason
            11-18T10:00:00 assigned s3 b3 bo manual
            11-18T10:00:00 closed s3 b3 bo system
            11-18T10:00:00 invite.blocked s3 b3 bo auto close_reason
            11-18T10:00:00 assigned s4 b4 anna all
        "#]],
    );
}
