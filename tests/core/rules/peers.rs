//! Rows for problems that users of other chat desks report.

use std::collections::BTreeMap;

use expect_test::expect;

use crate::rules::table::{check, check_last, check_of, check_report, play};

#[test]
fn two_hundred_openings_at_once() {
    let opened: String = (0..200).map(|n| format!("opened s{n} b{n}\n")).collect();
    let trace = format!(
        "10:00 shop standard
         agents a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 capacity=5
         online a0 a1 a2 a3 a4 a5 a6 a7 a8 a9
         {opened}"
    );
    let decisions = play("R4 R6 200 openings", &trace).decisions;
    let mut of_agent: BTreeMap<&str, usize> = BTreeMap::new();
    for line in decisions.lines().filter(|line| line.contains(" assigned ")) {
        *of_agent.entry(line.split(' ').nth(4).unwrap()).or_default() += 1;
    }
    assert_eq!(of_agent.len(), 10);
    assert!(of_agent.values().all(|&count| count == 5), "{of_agent:?}");
    assert_eq!(
        decisions
            .lines()
            .filter(|line| line.contains(" queued "))
            .count(),
        150
    );
    assert!(
        decisions.ends_with(
            "queued s199 b199 all 150 all_busy \"咨询人数较多，请耐心等待或稍后再来\"\n"
        )
    );
    check_last(
        "R7 a raised capacity serves who waits longest, without another event",
        &format!("{trace}agents a3 capacity=7\n"),
        2,
        expect![[r#"
            10:00:00 assigned s50 b50 a3 queue
            10:00:00 assigned s51 b51 a3 queue
        "#]],
    );
}

#[test]
fn a_freed_place() {
    check(
        "R7 the fourth waiter is served before a fifth arrives, and the fifth does not pass it",
        "10:00 shop standard
               agents anna capacity=1
               online anna
               opened s0 b0
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4
         10:01 closed s1 system
               closed s2 system
               closed s3 system
         10:02 closed s0 system
               opened s5 b5",
        expect![[r#"
            10:00:00 assigned s0 b0 anna all
            10:00:00 queued s1 b1 all 1 all_busy
            10:00:00 queued s2 b2 all 2 all_busy
            10:00:00 queued s3 b3 all 3 all_busy
            10:00:00 queued s4 b4 all 4 all_busy
            10:01:00 closed s1 b1 - system
            10:01:00 invite.blocked s1 b1 - auto bot_session,close_reason
            10:01:00 closed s2 b2 - system
            10:01:00 invite.blocked s2 b2 - auto bot_session,close_reason
            10:01:00 closed s3 b3 - system
            10:01:00 invite.blocked s3 b3 - auto bot_session,close_reason
            10:02:00 closed s0 b0 anna system
            10:02:00 invite.blocked s0 b0 anna auto close_reason
            10:02:00 assigned s4 b4 anna queue waited=120
            10:02:00 queued s5 b5 all 1 all_busy
        "#]],
    );
    check(
        "R7 a head that cannot be served does not block the other pools",
        "10:00 shop standard routing.when_scope_offline=wait routing.entries.live.members=[\"nobody\"]
               agents anna capacity=1
               online anna
               opened s0 b0
               opened s1 b1 entry=live
               opened s2 b2
               opened s3 b3
         10:01 closed s0 system
         10:02 closed s2 system",
        expect![[r#"
            10:00:00 assigned s0 b0 anna all
            10:00:00 queued s1 b1 entry:live 1 scope_offline
            10:00:00 queued s2 b2 all 1 all_busy
            10:00:00 queued s3 b3 all 2 all_busy
            10:01:00 closed s0 b0 anna system
            10:01:00 invite.blocked s0 b0 anna auto close_reason
            10:01:00 assigned s2 b2 anna queue waited=60
            10:02:00 closed s2 b2 anna system
            10:02:00 invite.blocked s2 b2 anna auto close_reason
            10:02:00 assigned s3 b3 anna queue waited=120
        "#]],
    );
}

#[test]
fn even_shares() {
    check(
        "P1 P4 four sessions, two equal agents: two each, in turn",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               opened s4 b4",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 anna all
            10:00:00 assigned s4 b4 bo all
        "#]],
    );
    check_of(
        &["assigned"],
        "P4 ties rotate though every session closes at once",
        "10:00 shop standard
               agents anna bo carl
               online anna bo carl
               opened s1 b1
               closed s1 system
               opened s2 b2
               closed s2 system
               opened s3 b3
               closed s3 system
               opened s4 b4",
        expect![[r#"
            10:00:00 assigned s1 b1 anna all
            10:00:00 assigned s2 b2 bo all
            10:00:00 assigned s3 b3 carl all
            10:00:00 assigned s4 b4 anna all
        "#]],
    );
}

#[test]
fn damaged_groups() {
    check(
        "R2 R4c an empty group, a group of nobody, a group of people who left: routing goes on",
        "10:00 shop standard routing.groups={\"empty\":[],\"ghosts\":[\"gone\",\"role:none\"]} routing.entries={\"live\":{\"members\":[\"group:empty\"]},\"message\":{\"members\":[\"group:ghosts\"]}}
               agents anna gone
               online anna gone
               removed gone
               opened s1 b1 entry=live
               opened s2 b2 entry=message
               shop standard routing.entries.live.members=[\"group:lost\"]
               offline anna
               opened s3 b3 entry=live",
        expect![[r#"
            10:00:00 assigned s1 b1 anna scope_offline
            10:00:00 assigned s2 b2 anna scope_offline
            10:00:00 rejected shop.configured policy_invalid routing.entries.live.members
            10:00:00 queued s3 b3 entry:live 1 nobody_online
        "#]],
    );
}

#[test]
fn invites_and_credit() {
    check_of(
        &["invite"],
        "I10 two agents in one visit: one invite in 24 h, by hand or by the close",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
               invite s1
               transfer s1 bo
               buyer s1
               invite s1
               closed s1 agent
         11-17T09:59 opened s2 b1
               closed s2 agent",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna manual
            10:00:00 invite.blocked s1 b1 bo manual already_invited retry_at=11-17T10:00:00
            10:00:00 invite.blocked s1 b1 bo auto already_invited retry_at=11-17T10:00:00
            11-17T09:59:00 invite.blocked s2 b1 bo auto already_invited retry_at=11-17T10:00:00
        "#]],
    );
    check_of(
        &["invite", "rejected"],
        "I10 S4 closing the same session many times: one invite",
        "10:00 shop standard
               agents anna
               online anna
               opened s1 b1
               closed s1 agent
               closed s1 buyer
               closed s1 system",
        expect![[r#"
            10:00:00 invite.sent s1#1 b1 anna auto
            10:00:00 rejected session.closed session_closed
            10:00:00 rejected session.closed session_closed
        "#]],
    );
    check_report(
        "Q4 taking the session away before the rating keeps the credit",
        "10:00 shop standard
               agents anna bo
               online anna bo
               opened s1 b1
               buyer s1
               invite s1
               removed anna
               offline bo
               rate s1#1 5",
        &[
            "agents/anna/satisfied",
            "agents/anna/mean_stars",
            "agents/bo/satisfied",
        ],
        expect![[r#"
            agents/anna/satisfied 1
            agents/anna/mean_stars 5
            agents/bo/satisfied 0
        "#]],
    );
}

#[test]
fn a_robot_is_no_human() {
    check_report(
        "M1 M2 a robot's reply is never a human reply, nor the bot's",
        "10:00 shop pinduoduo
               agents anna
               online anna
               opened s1 b1
               buyer s1
               robot s1
               bot-opened s2 b2
               buyer s2
               bot s2
         10:03 clock",
        &["days/2026-11-16/late", "days/2026-11-16/replied"],
        expect![[r#"
            days/2026-11-16/late 2
            days/2026-11-16/replied 1
        "#]],
    );
}
