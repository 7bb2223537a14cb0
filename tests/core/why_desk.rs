//! The explanation texts of what becomes of a session at the desk: places after work, a shop without a queue, sessions
//! that are taken back or handed over, and the order of the queue.

use expect_test::expect;

use crate::why::{ANNA, ANNA_COMES, BO, BO_COMES, Row, S1, S1_CLOSED, S2, check, told_of};

fn policy(policy: &'static str) -> Row {
    ("10:00:00", "shop.configured", policy)
}

const ANNA_ANSWERS: Row = ("10:03:00", "agent.message", r#""session":"s1""#);

/// Anna has two places: one is taken by an open session, one by the work after another.
#[test]
fn an_agent_whose_places_are_taken_by_after_work() {
    check(
        &[
            policy(r#""policy":{"session":{"wrap_up":"2m"}}"#),
            (
                "10:00:00",
                "agent.configured",
                r#""agent":"anna","capacity":2"#,
            ),
            ANNA_COMES,
            S1,
            S2,
            ANNA_ANSWERS,
            S1_CLOSED,
            (
                "10:04:00",
                "session.opened",
                r#""session":"s3","buyer":"b3""#,
            ),
        ],
        5,
        expect![[r#"
            #5  2026-11-16 10:04:00  店铺 default  排队
            会话 s3（买家 b3）开始排队，在全店队列排第 1 位：在线客服都满载。买家看到“您是下一位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 在线客服都满载，排队等待

            [R4b] 客服（1 位，接待量不饱和优先）：
              客服  状态                     接待/上限  今日接待  权重  上次分到  结果
              anna  在线  2/2（1 个会话 + 1 个整理中）         2     1        #2  满载，10:05:30 整理完空出一个名额"#]],
        expect![[r##"
            #5  2026-11-16 10:04:00  shop default  queued
            Session s3 (buyer b3) waits at position 1 of the queue for the whole shop: every online agent is full. The buyer reads "您是下一位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] every online agent is full: it waits

            [R4b] the agents (1; least saturated first):
              agent  presence                load/capacity  today  weight  last assigned  outcome
              anna   online    2/2 (1 open + 1 after work)      2       1             #2  full, a place is free at 10:05:30, when its after-work time ends"##]],
    );
}

#[test]
fn a_full_agent_serves_where_the_shop_has_no_queue() {
    let no_queue = policy(r#""policy":{"routing":{"queue":{"mode":"none"}}}"#);
    check(
        &[no_queue, ANNA, ANNA_COMES, S1, S2],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  分配
            会话 s2（买家 b2）由 anna 接待：没有指定分组，全店空闲客服里按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有客服在线（店铺设置为不排队，满载也接），按接待量不饱和优先选 anna

            [R4a] 客服（1 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        1/1         1     1        #1  分给 TA"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  assigned
            Session s2 (buyer b2) goes to anna: no group is set, so any free agent may serve, next by "least saturated first".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is online (the shop has no queue, so a full agent may serve too), least saturated first: anna

            [R4a] the agents (1; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              1/1      1       1             #1  picked"##]],
    );
    let back = (
        "10:05:00",
        "session.opened",
        r#""session":"s4","buyer":"b1""#,
    );
    expect![[r#"
        the recent agent is full
        [R1a] 最近联系客服：anna（到 10:03:30，72 小时内有效），在线 1/1（满载也接，店铺设置为不排队），直接分给 TA
        [R1a] 最近联系的客服：
        [R1a] recent agent: anna until 10:03:30, within 72 h, online 1/1 (full, but the shop has no queue): gets the buyer
        [R1a] the recent agent:
    "#]].assert_eq(&told_of(&[(
        "the recent agent is full",
        &[no_queue, ANNA, ANNA_COMES, S1, S1_CLOSED, S2_AT_FOUR, back],
        5,
        "[R1a]",
    )]));
}

const S2_AT_FOUR: Row = (
    "10:04:00",
    "session.opened",
    r#""session":"s2","buyer":"b2""#,
);
