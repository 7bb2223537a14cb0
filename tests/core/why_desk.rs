//! The explanation texts of what becomes of a session at the desk: places after work, a shop without a queue, sessions
//! that are taken back or handed over, and the order of the queue.

use expect_test::expect;

use crate::why::{
    ANNA, ANNA_COMES, ANNA_LEAVES, ANNA_REMOVED, BO, BO_COMES, Row, S1, S1_CLOSED, S2, check,
    facts, told_of, trace,
};

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

/// Each agent may take two minutes, then the session goes on, at most twice.
const TAKES_BACK: &str = r#""policy":{"routing":{"take_back":{"after":"2m","max":2,"otherwise":"queue","away_after":2}}}"#;
const STAYS: &str = r#""policy":{"routing":{"take_back":{"after":"2m","each":true,"max":0}}}"#;
const B1_WRITES: Row = ("10:01:30", "buyer.message", r#""session":"s1""#);
const CLOCK: Row = ("10:30:00", "clock", "");

#[test]
fn a_session_that_is_taken_back() {
    let rows = [
        policy(TAKES_BACK),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        B1_WRITES,
        CLOCK,
    ];
    check(
        &rows,
        3,
        expect![[r#"
            #3  2026-11-16 10:03:30  店铺 default  超时转接
            会话 s1（买家 b1）从 anna 转走：买家从 10:01:30 起等回复，一直没有人工回复（第 1 次转走，最多 2 次）。接下来由小波接待。

            依次看过的规则：
              [R10a] anna（在线 1/1）从 10:01:30 起没有回复买家，满 2 分钟还没有人工回复，超时转接（只在客服首次回复之前计时）
              [R10b] 第 1 次转走，最多 2 次；重新分流，不再看最近联系客服，也不分给没有回复的客服：anna；没有其他空闲客服时转去排队
              [R10e] anna 已连续被转走 1 个会话，满 2 个自动设为小休
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  在线        1/1         1     1        #1  会话从 TA 转走过"#]],
        expect![[r#"
            #3  2026-11-16 10:03:30  shop default  taken back
            Session s1 (buyer b1) is taken from anna: the buyer has waited for a reply since 10:01:30, and no agent has answered (take-back 1 of at most 2). 小波 gets it next.

            The rules, in the order they were tried:
              [R10a] anna (online 1/1) has not answered since 10:01:30: no reply came within 2 min, which is the time limit (the limit applies only to the agent's first reply)
              [R10b] take-back 1 of at most 2; routed anew, without the recent agent and without those that did not answer: anna; where no other agent is free but one is online, it waits in the queue
              [R10e] sessions taken from anna in a row: 1; the agent is set away at 2
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: 小波

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked
              anna   online              1/1      1       1             #1  the session was taken from this agent before"#]],
    );
    check(
        &rows,
        4,
        expect![[r#"
            #4  2026-11-16 10:03:30  店铺 default  分配
            会话 s1（买家 b1）由小波接待：原客服 anna 没有及时回复，重新分流（全店），按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R10a] anna（在线 1/1）从 10:01:30 起没有回复买家，满 2 分钟还没有人工回复，超时转接（只在客服首次回复之前计时）
              [R10b] 第 1 次转走，最多 2 次；重新分流，不再看最近联系客服，也不分给没有回复的客服：anna；没有其他空闲客服时转去排队
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  在线        1/1         1     1        #1  会话从 TA 转走过"#]],
        expect![[r##"
            #4  2026-11-16 10:03:30  shop default  assigned
            Session s1 (buyer b1) goes to 小波: anna, who had it, did not answer in time, so it was routed anew (the whole shop), next by "least saturated first".

            The rules, in the order they were tried:
              [R10a] anna (online 1/1) has not answered since 10:01:30: no reply came within 2 min, which is the time limit (the limit applies only to the agent's first reply)
              [R10b] take-back 1 of at most 2; routed anew, without the recent agent and without those that did not answer: anna; where no other agent is free but one is online, it waits in the queue
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: 小波

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked
              anna   online              1/1      1       1             #1  the session was taken from this agent before"##]],
    );
}

/// Bo is busy when the time is up, and free again three minutes later.
#[test]
fn a_session_that_is_taken_back_later() {
    let rows = [
        policy(STAYS),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S2,
        B1_WRITES_LATER,
        (
            "10:08:00",
            "session.closed",
            r#""session":"s2","by":"buyer""#,
        ),
    ];
    check(
        &rows,
        7,
        expect![[r#"
            #7  2026-11-16 10:08:00  店铺 default  超时转接
            会话 s1（买家 b1）从 anna 转走：买家从 10:02:30 起等回复，一直没有人工回复（第 1 次转走，不限次数）。接下来由小波接待。

            依次看过的规则：
              [R10a] anna（在线 1/1）从 10:02:30 起没有回复买家，到现在已有 5 分 30 秒；到时限时没有其他客服能接，现在有了（每条消息都计时）
              [R10b] 第 1 次转走，不限次数；重新分流，不再看最近联系客服，也不分给没有回复的客服：anna；没有其他空闲客服时留在原客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         1     2        #2  分给 TA
              anna  在线        1/1         1     1        #1  会话从 TA 转走过"#]],
        expect![[r#"
            #7  2026-11-16 10:08:00  shop default  taken back
            Session s1 (buyer b1) is taken from anna: the buyer has waited for a reply since 10:02:30, and no agent has answered (take-back 1, without a limit). 小波 gets it next.

            The rules, in the order they were tried:
              [R10a] anna (online 1/1) has not answered since 10:02:30: that is 5 min 30 s ago; no other agent could get it when the time was up, and one can now (the limit applies to every message)
              [R10b] take-back 1, without a limit; routed anew, without the recent agent and without those that did not answer: anna; where no other agent is free, it stays
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: 小波

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      1       2             #2  picked
              anna   online              1/1      1       1             #1  the session was taken from this agent before"#]],
    );
}
const B1_WRITES_LATER: Row = ("10:02:30", "buyer.message", r#""session":"s1""#);

/// Bo is online but full, so the session waits. Anna gets the next one and loses it, too.
#[test]
fn a_session_that_is_taken_back_to_the_queue() {
    let rows = [
        policy(TAKES_BACK),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S2,
        B1_WRITES_LATER,
        CLOCK,
    ];
    check(
        &rows,
        4,
        expect![[r#"
            #4  2026-11-16 10:04:30  店铺 default  超时转接
            会话 s1（买家 b1）从 anna 转走：买家从 10:02:30 起等回复，一直没有人工回复（第 1 次转走，最多 2 次）。接下来转去排队。

            依次看过的规则：
              [R10a] anna（在线 1/1）从 10:02:30 起没有回复买家，满 2 分钟还没有人工回复，超时转接（只在客服首次回复之前计时）
              [R10b] 第 1 次转走，最多 2 次；重新分流，不再看最近联系客服，也不分给没有回复的客服：anna；没有其他空闲客服时转去排队
              [R10e] anna 已连续被转走 1 个会话，满 2 个自动设为小休
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 其他在线客服都满载，排队等待

            [R4b] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        1/1         1     2        #2  满载
              anna  在线        1/1         1     1        #1  会话从 TA 转走过"#]],
        expect![[r#"
            #4  2026-11-16 10:04:30  shop default  taken back
            Session s1 (buyer b1) is taken from anna: the buyer has waited for a reply since 10:02:30, and no agent has answered (take-back 1 of at most 2). It waits in the queue next.

            The rules, in the order they were tried:
              [R10a] anna (online 1/1) has not answered since 10:02:30: no reply came within 2 min, which is the time limit (the limit applies only to the agent's first reply)
              [R10b] take-back 1 of at most 2; routed anew, without the recent agent and without those that did not answer: anna; where no other agent is free but one is online, it waits in the queue
              [R10e] sessions taken from anna in a row: 1; the agent is set away at 2
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] every other online agent is full: it waits

            [R4b] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              1/1      1       2             #2  full
              anna   online              1/1      1       1             #1  the session was taken from this agent before"#]],
    );
    check(
        &rows,
        5,
        expect![[r#"
            #5  2026-11-16 10:04:30  店铺 default  排队
            会话 s1（买家 b1）开始排队，在全店队列排第 1 位：原客服没有及时回复，其他客服都没有空。买家看到“您是下一位，请稍候”。

            依次看过的规则：
              [R10a] anna（在线 1/1）从 10:02:30 起没有回复买家，满 2 分钟还没有人工回复，超时转接（只在客服首次回复之前计时）
              [R10b] 第 1 次转走，最多 2 次；重新分流，不再看最近联系客服，也不分给没有回复的客服：anna；没有其他空闲客服时转去排队
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 其他在线客服都满载，排队等待
              [R11] 排队从买家开始等回复的 10:02:30 算起

            [R4b] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        1/1         1     2        #2  满载
              anna  在线        1/1         1     1        #1  会话从 TA 转走过"#]],
        expect![[r##"
            #5  2026-11-16 10:04:30  shop default  queued
            Session s1 (buyer b1) waits at position 1 of the queue for the whole shop: its agent did not answer in time, and no other agent is free. The buyer reads "您是下一位，请稍候".

            The rules, in the order they were tried:
              [R10a] anna (online 1/1) has not answered since 10:02:30: no reply came within 2 min, which is the time limit (the limit applies only to the agent's first reply)
              [R10b] take-back 1 of at most 2; routed anew, without the recent agent and without those that did not answer: anna; where no other agent is free but one is online, it waits in the queue
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] every other online agent is full: it waits
              [R11] its wait counts from 10:02:30 on, when the buyer began to wait for a reply

            [R4b] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              1/1      1       2             #2  full
              anna   online              1/1      1       1             #1  the session was taken from this agent before"##]],
    );
}

#[test]
fn an_agent_that_is_set_away() {
    let rows = [
        policy(r#""policy":{"routing":{"take_back":{"after":"2m","away_after":1}}}"#),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        B1_WRITES,
        CLOCK,
    ];
    check(
        &rows,
        5,
        expect![[r#"
            #5  2026-11-16 10:03:30  店铺 default  自动小休
            anna 被自动设为小休：1 个会话没有及时回复，被转走了。
            [R10e] 店铺设置为连续 1 个就自动小休。TA 给任何买家发一条人工回复，或自己上线、小休一次，都会重新计数。
            [R10e] 小休期间不再分到新买家，手上的会话不变（接待 0/1）。TA 自己重新上线后恢复；在线状态自动续期不算。"#]],
        expect![[r#"
            #5  2026-11-16 10:03:30  shop default  set away
            anna was set away: it did not answer in time, and a session was taken from it.
            [R10e] The policy sets an agent away after 1 in a row. A reply of the agent to any buyer starts the count again, and so does coming online or going away by itself.
            [R10e] The agent gets no new buyers and keeps its open sessions (load 0/1). It is back when it comes online itself; a lease that is renewed by a program does not count."#]],
    );
}

/// Anna leaves with an unanswered session that stays with her; bo comes later.
#[test]
fn a_session_that_is_handed_over() {
    let keeps = policy(
        r#""policy":{"routing":{"offline":{"hand_over":"online"}},"session":{"on_agent_offline":"keep"}}"#,
    );
    let bo = ("10:05:00", "agent.online", r#""agent":"小波""#);
    check(
        &[keeps, ANNA, BO, ANNA_COMES, S1, B1_WRITES, ANNA_LEAVES, bo],
        4,
        expect![[r#"
            #4  2026-11-16 10:05:00  店铺 default  分配
            会话 s1（买家 b1）由小波接待：原客服 anna 离线，买家还在等回复，转给在线客服（全店），按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R5b] 买家从 10:01:30 起等回复，原客服 anna 离线，现在有客服在线：重新分流，不再看最近联系客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  离线        1/1         1     1        #1  离线"#]],
        expect![[r##"
            #4  2026-11-16 10:05:00  shop default  assigned
            Session s1 (buyer b1) goes to 小波: anna, who had it, is offline and the buyer waits for a reply, so it was routed anew (the whole shop), next by "least saturated first".

            The rules, in the order they were tried:
              [R5b] the buyer has waited for a reply since 10:01:30, anna, who has it, is offline, and other agents are online: routed anew, without the recent agent
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: 小波

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked
              anna   offline             1/1      1       1             #1  offline"##]],
    );
}

const ANNA_WITH_TWO: Row = (
    "10:00:00",
    "agent.configured",
    r#""agent":"anna","capacity":2"#,
);
const B2_WRITES: Row = ("10:02:10", "buyer.message", r#""session":"s2""#);

/// Anna leaves with two unanswered sessions, and bo has room for one of them.
#[test]
fn a_session_that_is_handed_over_to_the_queue() {
    let keeps = policy(
        r#""policy":{"routing":{"offline":{"hand_over":"online"}},"session":{"on_agent_offline":"keep"}}"#,
    );
    let bo = ("10:04:00", "agent.online", r#""agent":"小波""#);
    let rows = [
        keeps,
        ANNA_WITH_TWO,
        BO,
        ANNA_COMES,
        S1,
        B1_WRITES,
        S2,
        B2_WRITES,
        ANNA_LEAVES,
        bo,
        CLOCK,
    ];
    check(
        &rows,
        6,
        expect![[r#"
        #6  2026-11-16 10:04:00  店铺 default  排队
        会话 s2（买家 b2）开始排队，在全店队列排第 1 位：原客服不在线，在线客服都没有空。买家看到“您是下一位，请稍候”。

        依次看过的规则：
          [R5b] 买家从 10:02:10 起等回复，原客服 anna 离线，现在有客服在线：重新分流，不再看最近联系客服
          [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
          [R4b] 在线客服都满载，排队等待
          [R11] 排队从买家开始等回复的 10:02:10 算起

        [R4b] 客服（2 位，接待量不饱和优先）：
          客服  状态  接待/上限  今日接待  权重  上次分到  结果
          小波  在线        1/1         1     2        #5  满载
          anna  离线        1/2         2     1        #2  离线"#]],
        expect![[r##"
        #6  2026-11-16 10:04:00  shop default  queued
        Session s2 (buyer b2) waits at position 1 of the queue for the whole shop: its agent is offline, and no agent that is online is free. The buyer reads "您是下一位，请稍候".

        The rules, in the order they were tried:
          [R5b] the buyer has waited for a reply since 10:02:10, anna, who has it, is offline, and other agents are online: routed anew, without the recent agent
          [R2] scope: the whole shop, as no entry, question or order status names agents
          [R4b] every online agent is full: it waits
          [R11] its wait counts from 10:02:10 on, when the buyer began to wait for a reply

        [R4b] the agents (2; least saturated first):
          agent  presence  load/capacity  today  weight  last assigned  outcome
          小波   online              1/1      1       2             #5  full
          anna   offline             1/2      2       1             #2  offline"##]],
    );
}

/// Bo is busy when anna loses the session, so it waits. Then bo is free, or away: then only anna is online.
#[test]
fn a_queued_session_and_the_agents_it_was_taken_from() {
    let bo_done = (
        "10:05:00",
        "session.closed",
        r#""session":"s2","by":"buyer""#,
    );
    let bo_rests = ("10:04:40", "agent.away", r#""agent":"小波""#);
    let rows = [
        policy(TAKES_BACK),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S2,
        B1_WRITES_LATER,
        bo_done,
    ];
    expect![[r#"
        another agent is free
        [R7] 从 10:04:30 起在全店队列排队；全店 1 位在排，有客服能接的里面，这位买家等得最久
        [R11] 排队从买家开始等回复的 10:02:30 算起
        [R10c] 会话从这些客服手上转走过，不再分给：anna
        [R7] 有空闲客服，按接待量不饱和优先选小波
        [R7] 客服（2 位，接待量不饱和优先）：
        [R7] waited for the whole shop since 10:04:30, 1 waited in the shop; of those that a free agent can serve, this buyer waited longest
        [R11] its wait counts from 10:02:30 on, when the buyer began to wait for a reply
        [R10c] it was taken from these agents before, so they are left out: anna
        [R7] an agent is free, least saturated first: 小波
        [R7] the agents (2; least saturated first):

        no other agent is online
        [R7] 从 10:04:30 起在全店队列排队；全店 1 位在排，有客服能接的里面，这位买家等得最久
        [R11] 排队从买家开始等回复的 10:02:30 算起
        [R10c] 会话从这些客服手上转走过：anna；但能接的客服里没有别人在线，所以照常分配
        [R7] 有空闲客服，按接待量不饱和优先选 anna
        [R7] 客服（2 位，接待量不饱和优先）：
        [R7] waited for the whole shop since 10:04:30, 1 waited in the shop; of those that a free agent can serve, this buyer waited longest
        [R11] its wait counts from 10:02:30 on, when the buyer began to wait for a reply
        [R10c] it was taken from these agents before: anna; no other agent that may serve it is online, so they count like the rest
        [R7] an agent is free, least saturated first: anna
        [R7] the agents (2; least saturated first):
    "#]].assert_eq(&told_of(&[
        ("another agent is free", &rows, 8, "["),
        (
            "no other agent is online",
            &[&rows[..8], &[bo_rests]].concat(),
            6,
            "[",
        ),
    ]));
}

const AGES: &str = r#""policy":{"routing":{"priority":{"age":"1m"},"queue":{"leave_grace":"5m"}}}"#;

/// Anna serves s1. Then s2, s3 and s4 wait; s4 has the priority 3, and the buyer of s2 has left the page.
#[test]
fn the_order_of_the_queue() {
    let s3 = (
        "10:02:10",
        "session.opened",
        r#""session":"s3","buyer":"b3""#,
    );
    let s4 = (
        "10:03:00",
        "session.opened",
        r#""session":"s4","buyer":"b4","priority":3"#,
    );
    let s2_left = ("10:03:10", "buyer.left", r#""session":"s2""#);
    let rows = [
        policy(AGES),
        ANNA,
        ANNA_COMES,
        S1,
        S2,
        s3,
        s4,
        s2_left,
        S1_CLOSED,
    ];
    check(
        &rows,
        4,
        expect![[r#"
            #4  2026-11-16 10:03:00  店铺 default  排队
            会话 s4（买家 b4）开始排队，在全店队列排第 1 位：在线客服都满载。买家看到“您是下一位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 在线客服都满载，排队等待
              [R11] 优先级 3，每级相当于多排 1 分钟，共 3 分钟；排在更早排队的会话前面：s2（10:02:00 起排队，优先级 0）、s3（10:02:10 起排队，优先级 0）

            [R4b] 客服（1 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        1/1         1     1        #1  满载"#]],
        expect![[r##"
            #4  2026-11-16 10:03:00  shop default  queued
            Session s4 (buyer b4) waits at position 1 of the queue for the whole shop: every online agent is full. The buyer reads "您是下一位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] every online agent is full: it waits
              [R11] priority 3: each step counts as 1 min more of waiting, 3 min in all; it goes before sessions that queued earlier: s2 (since 10:02:00, priority 0), s3 (since 10:02:10, priority 0)

            [R4b] the agents (1; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              1/1      1       1             #1  full"##]],
    );
    expect![[r#"
        the first in the queue
        [R7] 从 10:03:00 起在全店队列排队；全店 3 位在排，有客服能接的里面，这位买家排在最前
        [R11] 优先级 3，每级相当于多排 1 分钟，共 3 分钟；排在更早排队的会话前面：s2（10:02:00 起排队，优先级 0）、s3（10:02:10 起排队，优先级 0）
        [R7] 有空闲客服，按接待量不饱和优先选 anna
        [R7] 客服（1 位，接待量不饱和优先）：
        [R7] waited for the whole shop since 10:03:00, 3 waited in the shop; of those that a free agent can serve, this buyer is the first in the queue
        [R11] priority 3: each step counts as 1 min more of waiting, 3 min in all; it goes before sessions that queued earlier: s2 (since 10:02:00, priority 0), s3 (since 10:02:10, priority 0)
        [R7] an agent is free, least saturated first: anna
        [R7] the agents (1; least saturated first):

        the next one, while the first has left the page
        [R7] 从 10:02:10 起在全店队列排队；全店 2 位在排，有客服能接的里面，这位买家等得最久
        [S7] 前面有买家离开了页面，暂时跳过，名次保留：s2（10:02:00 起排队）
        [R7] 有空闲客服，按接待量不饱和优先选 anna
        [R7] 客服（1 位，接待量不饱和优先）：
        [R7] waited for the whole shop since 10:02:10, 2 waited in the shop; of those that a free agent can serve, this buyer waited longest
        [S7] passed over, with their places kept, because the buyer has left the page: s2 (since 10:02:00)
        [R7] an agent is free, least saturated first: anna
        [R7] the agents (1; least saturated first):

        queued while away from the page
        [R9] 原客服 anna 已从店铺移除，重新分流，不再看最近联系客服
        [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
        [R3] 全店没有客服在线，分流范围里也没有能接买家的客服，排队等待
        [S7] 买家已离开页面：名次保留到 10:09:00，这期间不分配客服，到时还没回来会话就结束
        [R9] anna, who had it, was removed: routed anew, without the recent agent
        [R2] scope: the whole shop, as no entry, question or order status names agents
        [R3] no agent of the shop is online, and the scope has no agents: it waits
        [S7] the buyer has left the page: its place is kept until 10:09:00, and it gets no agent meanwhile; then the session closes, unless the buyer comes back
    "#]].assert_eq(&told_of(&[
        ("the first in the queue", &rows, 7, "["),
        (
            "the next one, while the first has left the page",
            &[
                &rows[..],
                &[(
                    "10:04:00",
                    "session.closed",
                    r#""session":"s4","by":"agent""#,
                )],
            ]
            .concat(),
            10,
            "[",
        ),
        (
            "queued while away from the page",
            &[
                policy(AGES),
                ANNA,
                ANNA_COMES,
                S1,
                ("10:03:00", "buyer.left", r#""session":"s1""#),
                ANNA_REMOVED,
            ],
            2,
            "[",
        ),
    ]));
}

#[test]
fn a_session_whose_buyer_gave_up() {
    let left = ("10:03:00", "buyer.left", r#""session":"s2""#);
    let off = ("10:04:00", "shop.configured", r#""policy":{}"#);
    let rows = [policy(AGES), ANNA, ANNA_COMES, S1, S2, left, CLOCK];
    check(
        &rows,
        3,
        expect![[r#"
        #3  2026-11-16 10:08:00  店铺 default  会话结束
        会话 s2（买家 b2，没有人接待过）已结束：买家离开页面未返回而结束。
        [S7] 买家从 10:02:00 起在全店队列排队，10:03:00 起不在页面上；名次保留了 5 分钟，买家没有回来，会话结束。"#]],
        expect![[r#"
        #3  2026-11-16 10:08:00  shop default  closed
        Session s2 (buyer b2, never served) has ended: closed because the buyer left and did not come back.
        [S7] The buyer waited for the whole shop since 10:02:00 and was away from the page since 10:03:00. Its place was kept for 5 min, and it did not come back."#]],
    );
    expect![[r#"
        the policy has changed since
        [S7] 买家从 10:02:00 起在全店队列排队，离开页面后没有回来；名次保留的时间到了，会话结束。
        [S7] The buyer waited for the whole shop since 10:02:00, left the page and did not come back in the time for which its place was kept.
    "#]].assert_eq(&told_of(&[(
        "the policy has changed since",
        &[policy(AGES), ANNA, ANNA_COMES, S1, S2, left, off, CLOCK],
        3,
        "[S7]",
    )]));
}

#[test]
fn the_facts_of_the_desk_have_stable_names() {
    let facts = |rows: &[Row], seq| facts(&trace(rows), seq);
    let taken = [
        policy(TAKES_BACK),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S2,
        B1_WRITES_LATER,
        (
            "10:05:00",
            "session.closed",
            r#""session":"s2","by":"buyer""#,
        ),
    ];
    let away = [
        policy(r#""policy":{"routing":{"take_back":{"after":"2m","away_after":1}}}"#),
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        B1_WRITES,
        CLOCK,
    ];
    let s3 = (
        "10:03:00",
        "session.opened",
        r#""session":"s3","buyer":"b3","priority":3"#,
    );
    let left = ("10:03:10", "buyer.left", r#""session":"s3""#);
    let ranked = [policy(AGES), ANNA, ANNA_COMES, S1, S2, s3, left, S1_CLOSED];
    let gave_up = [policy(AGES), ANNA, ANNA_COMES, S1, S2, s3, left, CLOCK];
    let keeps = policy(
        r#""policy":{"routing":{"offline":{"hand_over":"online"}},"session":{"on_agent_offline":"keep"}}"#,
    );
    let bo = ("10:05:00", "agent.online", r#""agent":"小波""#);
    let handed = [keeps, ANNA, BO, ANNA_COMES, S1, B1_WRITES, ANNA_LEAVES, bo];
    let all = [
        facts(&taken, 4),
        facts(&taken, 8),
        facts(&away, 5),
        facts(&ranked, 3),
        facts(&ranked, 6),
        facts(&gave_up, 4),
        facts(&handed, 4),
    ];
    expect![[r#"
        {"after":"2m","assigned_at":"2026-11-16T10:01:00+08:00","attempt":"due","away_after":2,"bounce":1,"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"online","rota_today":0,"today":1,"verdict":"taken_from","weight":1}],"each":false,"max":2,"misses":1,"otherwise":"queue","passed":["anna"],"rule":"R10","since":"2026-11-16T10:02:30+08:00","waited":"2m"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"by":"least_saturated","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"online","rota_today":0,"today":1,"verdict":"taken_from","weight":1},{"after_work":0,"agent":"小波","capacity":1,"last_assigned":2,"load":1,"presence":"online","rota_today":0,"today":1,"verdict":"full","weight":2}],"queue":"wait","rule":"R4b"}

        {"longest":true,"pool":"all","rule":"R7","since":"2026-11-16T10:04:30+08:00","unserved":0,"waiting":1}
        {"age":"0s","before":[],"before_in_all":0,"priority":0,"queued":"2026-11-16T10:02:30+08:00","rule":"R11","since":"2026-11-16T10:04:30+08:00"}
        {"counted":false,"passed":["anna"],"rule":"R10c"}
        {"by":"least_saturated","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":0,"presence":"online","rota_today":0,"today":1,"verdict":"taken_from","weight":1},{"after_work":0,"agent":"小波","capacity":1,"last_assigned":2,"load":0,"presence":"online","rota_today":0,"today":1,"verdict":"picked","weight":2}],"queue":"wait","rule":"R7"}

        {"away_after":1,"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":0,"presence":"online","rota_today":0,"today":1,"verdict":"taken_from","weight":1}],"misses":1,"rule":"R10e"}

        {"agent":null,"away_window":"0s","candidates":[],"finding":"nobody","otherwise":"continue","over_capacity":false,"queue":"wait","rule":"R1","until":null,"window":"72h"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"by":"least_saturated","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"online","rota_today":0,"today":1,"verdict":"full","weight":1}],"queue":"wait","rule":"R4b"}
        {"age":"1m","before":[{"priority":0,"queued":"2026-11-16T10:02:00+08:00","session":"s2","since":"2026-11-16T10:02:00+08:00"}],"before_in_all":1,"priority":3,"queued":"2026-11-16T10:03:00+08:00","rule":"R11","since":"2026-11-16T10:03:00+08:00"}

        {"longest":true,"pool":"all","rule":"R7","since":"2026-11-16T10:02:00+08:00","unserved":0,"waiting":2}
        {"left":[{"priority":3,"queued":"2026-11-16T10:03:00+08:00","session":"s3","since":"2026-11-16T10:03:00+08:00"}],"left_in_all":1,"rule":"S7"}
        {"by":"least_saturated","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":0,"presence":"online","rota_today":0,"today":1,"verdict":"picked","weight":1}],"queue":"wait","rule":"R7"}

        {"away_since":"2026-11-16T10:03:10+08:00","leave_grace":"5m","pool":"all","rule":"S7","since":"2026-11-16T10:03:00+08:00"}

        {"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"rule":"R5b","since":"2026-11-16T10:01:30+08:00"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"by":"least_saturated","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1},{"after_work":0,"agent":"小波","capacity":1,"last_assigned":0,"load":0,"presence":"online","rota_today":0,"today":0,"verdict":"picked","weight":2}],"queue":"wait","rule":"R4a"}"#]].assert_eq(&all.join("\n\n"));
}
