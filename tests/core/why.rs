//! The explanation texts of every kind of decision in both languages, each from a small trace.

use std::process::Command;

use expect_test::{Expect, expect};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::explain::explanation::Explanation;
use xiaoer::explain_text::{self, Highlights, Language};
use xiaoer::replay::{FoundDecision, explain, replay_with};

/// Events of one morning: each row is the time of day, the type, and the fields.
pub(super) fn trace(rows: &[(&str, &str, &str)]) -> String {
    let lines = rows.iter().map(|(at, kind, fields)| {
        let comma = if fields.is_empty() { "" } else { "," };
        format!("{{\"at\":\"2026-11-16T{at}+08:00\",\"type\":\"{kind}\"{comma}{fields}}}\n")
    });
    lines.collect()
}

pub(super) fn why(trace: &str, seq: u64) -> Explanation {
    let shop = Id::new("default").expect("an id");
    let found = explain(trace.as_bytes(), &shop, seq);
    let Ok(FoundDecision::Why(why)) = found else {
        panic!("{found:?}");
    };
    *why
}

/// The facts of an explanation, one a line.
pub(super) fn facts(trace: &str, seq: u64) -> String {
    let facts = explain_text::facts(&why(trace, seq));
    let lines = facts.iter().map(ToString::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

/// An explanation in both languages.
pub(super) fn explained(trace: &str, seq: u64) -> String {
    let why = why(trace, seq);
    let languages = [Language::Chinese, Language::English];
    let texts = languages.map(|language| explain_text::explain("default", &why, language));
    texts.join("\n\n")
}

pub(super) fn check(rows: &[(&str, &str, &str)], seq: u64, chinese: Expect, english: Expect) {
    let why = why(&trace(rows), seq);
    chinese.assert_eq(&explain_text::explain("default", &why, Language::Chinese));
    english.assert_eq(&explain_text::explain("default", &why, Language::English));
}

pub(super) type Row = (&'static str, &'static str, &'static str);

/// A shop of one preset, with two agents of capacity 1; bo comes only where a row says so.
pub(super) const STANDARD: Row = ("10:00:00", "shop.configured", r#""policy":{}"#);
pub(super) const ANNA: Row = (
    "10:00:00",
    "agent.configured",
    r#""agent":"anna","capacity":1"#,
);
pub(super) const BO: Row = (
    "10:00:00",
    "agent.configured",
    r#""agent":"小波","capacity":1,"weight":2"#,
);
pub(super) const ANNA_COMES: Row = ("10:00:00", "agent.online", r#""agent":"anna""#);
pub(super) const BO_COMES: Row = ("10:00:00", "agent.online", r#""agent":"小波""#);
pub(super) const S1: Row = (
    "10:01:00",
    "session.opened",
    r#""session":"s1","buyer":"b1""#,
);
pub(super) const S2: Row = (
    "10:02:00",
    "session.opened",
    r#""session":"s2","buyer":"b2""#,
);
pub(super) const S1_CLOSED: Row = (
    "10:03:30",
    "session.closed",
    r#""session":"s1","by":"buyer""#,
);

#[test]
fn an_assignment_by_the_strategy() {
    check(
        &[STANDARD, ANNA, BO, ANNA_COMES, BO_COMES, S1],
        1,
        expect![[r#"
            #1  2026-11-16 10:01:00  店铺 default  分配
            会话 s1（买家 b1）由 anna 接待：没有指定分组，全店空闲客服里按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选 anna

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        0/1         0     1    还没有  分给 TA
              小波  在线        0/1         0     2    还没有  条件相同，编号排在后面"#]],
        expect![[r##"
            #1  2026-11-16 10:01:00  shop default  assigned
            Session s1 (buyer b1) goes to anna: no group is set, so any free agent may serve, next by "least saturated first".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: anna

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              0/1      0       1          never  picked
              小波   online              0/1      0       2          never  equal, but later by id"##]],
    );
}

#[test]
fn an_assignment_to_the_recent_agent() {
    check(
        &[
            STANDARD,
            ANNA,
            BO,
            ANNA_COMES,
            BO_COMES,
            S1,
            S1_CLOSED,
            (
                "10:05:00",
                "session.opened",
                r#""session":"s3","buyer":"b1""#,
            ),
        ],
        4,
        expect![[r#"
            #4  2026-11-16 10:05:00  店铺 default  分配
            会话 s3（买家 b1）由 anna 接待：买家最近联系的客服就是 TA，优先接待，不用排队。

            依次看过的规则：
              [R1a] 最近联系客服：anna（到 10:03:30，72 小时内有效），在线 0/1，直接分给 TA

            [R1a] 最近联系的客服：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        0/1         1     1        #1  分给 TA"#]],
        expect![[r#"
            #4  2026-11-16 10:05:00  shop default  assigned
            Session s3 (buyer b1) goes to anna: this buyer's recent agent, so without queueing.

            The rules, in the order they were tried:
              [R1a] recent agent: anna until 10:03:30, within 72 h, online 0/1: gets the buyer

            [R1a] the recent agent:
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              0/1      1       1             #1  picked"#]],
    );
}

#[test]
fn an_assignment_from_the_queue() {
    check(
        &[STANDARD, ANNA, ANNA_COMES, S1, S2, S1_CLOSED],
        5,
        expect![[r#"
            #5  2026-11-16 10:03:30  店铺 default  分配
            会话 s2（买家 b2）由 anna 接待：排队 1 分 30 秒后有客服空出来，按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R7] 从 10:02:00 起在全店队列排队；全店 1 位在排，有客服能接的里面，这位买家等得最久
              [R7] 有空闲客服，按接待量不饱和优先选 anna

            [R7] 客服（1 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        0/1         1     1        #1  分给 TA"#]],
        expect![[r##"
            #5  2026-11-16 10:03:30  shop default  assigned
            Session s2 (buyer b2) goes to anna: an agent became free after 1 min 30 s of waiting, next by "least saturated first".

            The rules, in the order they were tried:
              [R7] waited for the whole shop since 10:02:00, 1 waited in the shop; of those that a free agent can serve, this buyer waited longest
              [R7] an agent is free, least saturated first: anna

            [R7] the agents (1; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              0/1      1       1             #1  picked"##]],
    );
}

#[test]
fn an_assignment_that_overflows() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"routing":{"entries":{"live":{"questions":{"几天发货":["anna"]}}}}}"#,
            ),
            ANNA,
            BO,
            ANNA_COMES,
            BO_COMES,
            (
                "10:01:00",
                "session.opened",
                r#""session":"s1","buyer":"b1","entry":"live","question":"几天发货""#,
            ),
            (
                "10:02:00",
                "session.opened",
                r#""session":"s2","buyer":"b2","entry":"live","question":"几天发货""#,
            ),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  分配
            会话 s2（买家 b2）由小波接待：直播间的问题“几天发货”的客服都满载，溢出给全店空闲客服，按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：直播间的问题“几天发货”，由指定客服接待
              [R4b] 在线客服都满载
              [R4b] 可以溢出给全店空闲客服，按接待量不饱和优先选小波

            [R4b] 客服（1 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        1/1         1     1        #1  满载

            [R4b] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  在线        1/1         1     1        #1  满载"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  assigned
            Session s2 (buyer b2) goes to 小波: every online agent of question "几天发货" of the live room is full, so it overflows to any free agent, next by "least saturated first".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: question "几天发货" of the live room, which has agents of its own
              [R4b] every online agent is full
              [R4b] it may overflow to any free agent, least saturated first: 小波

            [R4b] the agents (1; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              1/1      1       1             #1  full

            [R4b] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked
              anna   online              1/1      1       1             #1  full"##]],
    );
}

#[test]
fn an_assignment_by_the_offline_rota() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"preset":"taobao","routing":{"offline":{"members":["anna","小波"]}}}"#,
            ),
            ANNA,
            BO,
            S1,
        ],
        1,
        expect![[r#"
            #1  2026-11-16 10:01:00  店铺 default  分配
            会话 s1（买家 b1）由 anna 接待：全店没有客服在线，按离线分流留给 TA。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R3] 全店没有客服在线
              [R5] 离线分流，今天离线分到最少的是 anna

            [R3] 客服（2 位）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  离线        0/1         0     1    还没有  离线
              小波  离线        0/1         0     2    还没有  离线

            [R5] 客服（2 位，今日离线分配最少的先接）：
              客服  状态  接待/上限  今日离线分配  权重  上次分到  结果
              anna  离线        0/1             0     1    还没有  分给 TA
              小波  离线        0/1             0     2    还没有  条件相同，编号排在后面"#]],
        expect![[r#"
            #1  2026-11-16 10:01:00  shop default  assigned
            Session s1 (buyer b1) goes to anna: no agent is online, so the offline rota leaves it to this agent.

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R3] no agent of the shop is online
              [R5] the offline rota, fewest offline assignments today: anna

            [R3] the agents (2):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   offline             0/1      0       1          never  offline
              小波   offline             0/1      0       2          never  offline

            [R5] the agents (2; fewest offline assignments today):
              agent  presence  load/capacity  offline today  weight  last assigned  outcome
              anna   offline             0/1              0       1          never  picked
              小波   offline             0/1              0       2          never  equal, but later by id"#]],
    );
}

#[test]
fn an_assignment_by_hand() {
    check(
        &[
            STANDARD,
            ANNA,
            BO,
            ANNA_COMES,
            BO_COMES,
            S1,
            (
                "10:02:00",
                "session.transferred",
                r#""session":"s1","to":"小波""#,
            ),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  分配
            会话 s1（买家 b1）由小波接待：人工分配或转接。

            依次看过的规则：
              [R8] 人工指定给小波（当时 0/1），不看是否满载

            [R8] 接手的客服：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA"#]],
        expect![[r#"
            #2  2026-11-16 10:02:00  shop default  assigned
            Session s1 (buyer b1) goes to 小波: assigned or transferred by hand.

            The rules, in the order they were tried:
              [R8] 小波 was named by hand (load 0/1 then), even if it is full

            [R8] the agent:
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked"#]],
    );
}

#[test]
fn an_assignment_after_the_agent_went_offline() {
    check(
        &[
            STANDARD,
            ANNA,
            BO,
            ANNA_COMES,
            BO_COMES,
            S1,
            ("10:02:00", "agent.offline", r#""agent":"anna""#),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  分配
            会话 s1（买家 b1）由小波接待：原客服 anna 离线，重新分流（全店），按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R9] 原客服 anna 离线，重新分流，不再看最近联系客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  离线        1/1         1     1        #1  离线"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  assigned
            Session s1 (buyer b1) goes to 小波: anna, who had it, went offline, so it was routed anew (the whole shop), next by "least saturated first".

            The rules, in the order they were tried:
              [R9] anna, who had it, went offline: routed anew, without the recent agent
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] an agent is free, least saturated first: 小波

            [R4a] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              小波   online              0/1      0       2          never  picked
              anna   offline             1/1      1       1             #1  offline"##]],
    );
}

#[test]
fn a_wait_for_busy_agents() {
    check(
        &[STANDARD, ANNA, BO, ANNA_COMES, S1, S2],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  排队
            会话 s2（买家 b2）开始排队，在全店队列排第 1 位：在线客服都满载。买家看到“您是下一位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 在线客服都满载，排队等待

            [R4b] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        1/1         1     1        #1  满载
              小波  离线        0/1         0     2    还没有  离线"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  queued
            Session s2 (buyer b2) waits at position 1 of the queue for the whole shop: every online agent is full. The buyer reads "您是下一位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] every online agent is full: it waits

            [R4b] the agents (2; least saturated first):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   online              1/1      1       1             #1  full
              小波   offline             0/1      0       2          never  offline"##]],
    );
}

#[test]
fn a_wait_while_nobody_is_online() {
    check(
        &[STANDARD, ANNA, S1],
        1,
        expect![[r#"
            #1  2026-11-16 10:01:00  店铺 default  排队
            会话 s1（买家 b1）开始排队，在全店队列排第 1 位：全店没有客服在线。买家看到“您是下一位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有记录
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R3] 全店没有客服在线
              [R5] 店铺没有开启离线分流，排队等客服上线

            [R3] 客服（1 位）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  离线        0/1         0     1    还没有  离线"#]],
        expect![[r##"
            #1  2026-11-16 10:01:00  shop default  queued
            Session s1 (buyer b1) waits at position 1 of the queue for the whole shop: no agent of the shop is online. The buyer reads "您是下一位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: none known
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R3] no agent of the shop is online
              [R5] no offline rota is on: it waits until an agent comes online

            [R3] the agents (1):
              agent  presence  load/capacity  today  weight  last assigned  outcome
              anna   offline             0/1      0       1          never  offline"##]],
    );
}

#[test]
fn a_close_by_the_buyer() {
    check(
        &[STANDARD, ANNA, ANNA_COMES, S1, S1_CLOSED],
        2,
        expect![[r#"
            #2  2026-11-16 10:03:30  店铺 default  会话结束
            会话 s1（买家 b1，由 anna 接待）已结束：买家结束。"#]],
        expect![[r#"
            #2  2026-11-16 10:03:30  shop default  closed
            Session s1 (buyer b1, served by anna) has ended: closed by the buyer."#]],
    );
}

#[test]
fn a_close_by_silence() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            ("10:02:00", "agent.message", r#""session":"s1""#),
            ("10:30:00", "clock", ""),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:12:00  店铺 default  会话结束
            会话 s1（买家 b1，由 anna 接待）已结束：超时自动结束。
            [S3] 从 10:02:00 起计时，买家满 10 分钟没有说话，自动结束（最后说话的是客服）。"#]],
        expect![[r#"
            #2  2026-11-16 10:12:00  shop default  closed
            Session s1 (buyer b1, served by anna) has ended: closed by a timeout.
            [S3] The clock started at 10:02:00; the buyer said nothing for 10 min (the agent spoke last)."#]],
    );
}

#[test]
fn a_notice() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"preset":"taobao","routing":{"offline":{"members":["anna"]}}}"#,
            ),
            ANNA,
            S1,
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:01:00  店铺 default  手机推送
            已向 anna 的手机推送会话 s1。
            [R5] 全店没有客服在线，会话按离线分流留给了 TA（离线 1/1，含这个会话）。"#]],
        expect![[r#"
            #2  2026-11-16 10:01:00  shop default  notified
            Session s1 was pushed to the phone of anna.
            [R5] No agent of the shop is online, and the offline rota left the session to this agent (offline 1/1, this one included)."#]],
    );
}

#[test]
fn an_auto_reply() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"auto_reply":{"queued":{"enabled":true,"text":"请稍等"}}}"#,
            ),
            ANNA,
            ANNA_COMES,
            S1,
            S2,
        ],
        3,
        expect![[r#"
            #3  2026-11-16 10:02:00  店铺 default  自动回复
            在会话 s2 里自动回复了买家：“请稍等”
            [R6] 在线客服都满载，会话开始在全店队列排队（第 1 位）。店铺开启了排队自动回复。"#]],
        expect![[r##"
            #3  2026-11-16 10:02:00  shop default  automatic reply
            The buyer of session s2 was told automatically: "请稍等"
            [R6] It began to wait for the whole shop, at position 1: every online agent is full. The policy sends this reply to a buyer who begins to wait."##]],
    );
}

#[test]
fn an_automatic_invite() {
    check(
        &[STANDARD, ANNA, ANNA_COMES, S1, S1_CLOSED],
        3,
        expect![[r#"
            #3  2026-11-16 10:03:30  店铺 default  邀评
            自动邀评：已邀请买家 b1 评价 anna（会话 s1，评价卡 s1#1），各项规则都通过。

            依次看过的规则（✓ 通过，✗ 不通过）：
              ✓  [I1]   邀评开关        自动邀评已开启
              ✓  [I2]   谁接待的        客服接待过
              ✓  [I3]   结束方式        买家结束
              ✓  [I4]   谁最后说话      没有人说过话（不作要求）
              ✓  [I5]   会话时长        2 分 30 秒（不限时长）
              ✓  [I6]   暂停时段        现在不在暂停时段
              ✓  [I7]   风险用户        不是风险用户
              ✓  [I8]   抽样比例        全部邀请，不抽样
              ✓  [I9]   最近评价        24 小时内没有打开或提交过评价
              ✓  [I10]  最近邀请        没有邀请过
              ✓  [I11]  本店当日次数    不限次数
              ✓  [I12]  其他店当日次数  今天已有 0 家其他店自动邀过 TA，最多 2 家"#]],
        expect![[r#"
            #3  2026-11-16 10:03:30  shop default  invited
            Automatic invite: buyer b1 is asked to rate anna (session s1, card s1#1); every rule passed.

            The rules in their order (✓ passed, ✗ keeps it back):
              ✓  [I1]   switch             automatic invites are on
              ✓  [I2]   served by          an agent
              ✓  [I3]   close              closed by the buyer
              ✓  [I4]   last word          no message was sent (the agent need not speak last)
              ✓  [I5]   length             2 min 30 s (any length will do)
              ✓  [I6]   suspended          not now
              ✓  [I7]   risk               the buyer is not flagged
              ✓  [I8]   sample             every buyer is asked
              ✓  [I9]   rated              no rating opened or submitted within 24 h
              ✓  [I10]  invited            never
              ✓  [I11]  this shop today    no limit
              ✓  [I12]  other shops today  other shops that asked automatically today: 0 of 2"#]],
    );
}

#[test]
fn a_blocked_invite() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"preset":"taobao","invite":{"auto_percent":0.01,"shops_per_buyer_day":0}}"#,
            ),
            ANNA,
            ANNA_COMES,
            S1,
            ("10:02:00", "buyer.flagged", r#""buyer":"b1","risk":true"#),
            S1_CLOSED,
        ],
        3,
        expect![[r#"
            #3  2026-11-16 10:03:30  店铺 default  不邀评
            自动邀评：没有邀请买家 b1（会话 s1）：这种结束方式不邀评；最后说话的不是客服；会话太短；违规风险用户；抽样没抽中。

            依次看过的规则（✓ 通过，✗ 不通过）：
              ✓  [I1]   邀评开关        自动邀评已开启
              ✓  [I2]   谁接待的        客服接待过
              ✗  [I3]   结束方式        买家结束，店铺设置为这种情况不邀评
              ✗  [I4]   谁最后说话      没有人说过话（要求客服最后说话）
              ✗  [I5]   会话时长        2 分 30 秒（要超过 9 分钟）
              ✓  [I6]   暂停时段        现在不在暂停时段
              ✗  [I7]   风险用户        买家被标为违规风险较高
              ✗  [I8]   抽样比例        邀 0.01%，这个会话抽到 26.43%，没抽中
              ✓  [I9]   最近评价        24 小时内没有提交过评价（只打开评价卡不算）
              ✓  [I10]  最近邀请        没有邀请过
              ✓  [I11]  本店当日次数    今天已自动邀过 TA 0 次，最多 1 次
              ✓  [I12]  其他店当日次数  不限次数"#]],
        expect![[r#"
            #3  2026-11-16 10:03:30  shop default  not invited
            Automatic invite: buyer b1 is not asked (session s1): not after such a close; the agent did not speak last; the session was too short; the buyer is flagged as a risk; not in the sample.

            The rules in their order (✓ passed, ✗ keeps it back):
              ✓  [I1]   switch             automatic invites are on
              ✓  [I2]   served by          an agent
              ✗  [I3]   close              closed by the buyer, after which the policy invites no buyer
              ✗  [I4]   last word          no message was sent (the agent must speak last)
              ✗  [I5]   length             2 min 30 s (it must be longer than 9 min)
              ✓  [I6]   suspended          not now
              ✗  [I7]   risk               the buyer is flagged
              ✗  [I8]   sample             0.01% are asked; this session drew 26.43%, not below it
              ✓  [I9]   rated              no rating submitted within 24 h (opening a card alone does not count)
              ✓  [I10]  invited            never
              ✓  [I11]  this shop today    asked automatically today: 0 of 1
              ✓  [I12]  other shops today  no limit"#]],
    );
}

#[test]
fn a_manual_invite_too_early() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            ("10:01:10", "buyer.message", r#""session":"s1""#),
            ("10:01:20", "invite.requested", r#""session":"s1""#),
            ("10:01:30", "invite.requested", r#""session":"s1""#),
        ],
        3,
        expect![[r#"
            #3  2026-11-16 10:01:30  店铺 default  不邀评
            客服手动邀评：没有邀请买家 b1（会话 s1）：最近邀请过。11-17 10:01:20 起可以再邀。

            依次看过的规则（✓ 通过，✗ 不通过）：
              ✓  [I1]   邀评开关  客服手动邀评已开启
              ✓  [I9]   最近评价  24 小时内没有打开或提交过这位客服的评价
              ✗  [I10]  最近邀请  10:01:20 客服手动邀评（间隔 24 小时），11-17 10:01:20 起可再邀
              ✓  [I13]  当日对话  买家今天和 TA 说过话"#]],
        expect![[r#"
            #3  2026-11-16 10:01:30  shop default  not invited
            Manual invite: buyer b1 is not asked (session s1): invited recently. Free again at 11-17 10:01:20.

            The rules in their order (✓ passed, ✗ keeps it back):
              ✓  [I1]   switch         the agent's button is on
              ✓  [I9]   rated          no rating of this agent opened or submitted within 24 h
              ✗  [I10]  invited        manual invite at 10:01:20 (pause of 24 h), free again at 11-17 10:01:20
              ✓  [I13]  contact today  the buyer wrote to this agent today"#]],
    );
}

#[test]
fn an_opened_card() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            S1_CLOSED,
            (
                "10:04:00",
                "rating.opened",
                r#""session":"s1","card":"s1#1""#,
            ),
        ],
        4,
        expect![[r#"
            #4  2026-11-16 10:04:00  店铺 default  打开评价
            买家 b1 打开了会话 s1 的评价卡 s1#1（自动邀评），评价对象是 anna。
            [Q2] 没有妨碍评价的情况，提交之前可以反复打开。"#]],
        expect![[r#"
            #4  2026-11-16 10:04:00  shop default  rating opened
            Buyer b1 opened card s1#1 of session s1 (the automatic invite), to rate anna.
            [Q2] Nothing stands in the way; it may be opened again until it is submitted."#]],
    );
}

#[test]
fn a_recorded_rating() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            S1_CLOSED,
            ("10:04:00", "rating.submitted", r#""card":"s1#1","stars":4"#),
        ],
        4,
        expect![[r#"
            #4  2026-11-16 10:04:00  店铺 default  评价
            买家 b1 评了 4 星（满意），记给 anna：会话 s1，评价卡 s1#1（自动邀评）。
            [Q4] 评价记给评价卡上的客服，不管会话后来转给了谁。
            [Q5] 5、4 星是满意，3 星是一般，2、1 星是不满意。"#]],
        expect![[r#"
            #4  2026-11-16 10:04:00  shop default  rated
            Buyer b1 gave 4 of 5 stars (satisfied), which count for anna: session s1, card s1#1 (the automatic invite).
            [Q4] A rating counts for the agent on its card, even if another agent has the session by then.
            [Q5] 5 and 4 stars are satisfied, 3 neutral, 2 and 1 disappointed."#]],
    );
}

#[test]
fn a_refused_rating() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            ("10:02:00", "rating.opened", r#""session":"s1""#),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:00  店铺 default  评价未生效
            这次评价没有生效（会话 s1）：买家今天还没和这位客服说过话。
            [Q1] 要主动评价，买家当天得先和 anna 说过话。"#]],
        expect![[r#"
            #2  2026-11-16 10:02:00  shop default  rating refused
            The rating does not count (session s1): the buyer wrote nothing to this agent today.
            [Q1] To rate by itself, the buyer has to have written to anna on the same day."#]],
    );
}

#[test]
fn a_slow_reply() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            ("10:01:10", "buyer.message", r#""session":"s1""#),
            ("10:30:00", "clock", ""),
        ],
        2,
        expect![[r#"
            #2  2026-11-16 10:02:50  店铺 default  慢响应提醒
            慢响应提醒：会话 s1 的买家 b1 从 10:01:10 起已等了 1 分 40 秒，还没有人工回复（由 anna 负责）。
            [M3] 等满 1 分 40 秒提醒，等满 3 分钟算超时：10:04:10 之前回复就不算。"#]],
        expect![[r#"
            #2  2026-11-16 10:02:50  shop default  slow response
            Slow response: buyer b1 of session s1 has waited for a human reply for 1 min 40 s, since 10:01:10 (it is with anna).
            [M3] Reminder after 1 min 40 s, late after 3 min: a reply before 10:04:10 is still in time."#]],
    );
}

#[test]
fn an_overdue_reply() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            ("10:01:10", "buyer.message", r#""session":"s1""#),
            ("10:30:00", "clock", ""),
        ],
        3,
        expect![[r#"
            #3  2026-11-16 10:04:10  店铺 default  回复超时
            回复超时：会话 s1 的买家 b1 在 10:01:10 发的消息，3 分钟内没有人工回复（由 anna 负责）。
            [M1、M3] 这位买家在发消息那天计为超时，拉低当天的人工回复率。"#]],
        expect![[r#"
            #3  2026-11-16 10:04:10  shop default  reply overdue
            Reply overdue: what buyer b1 wrote in session s1 at 10:01:10 got no human reply within 3 min (it is with anna).
            [M1, M3] The buyer counts as late on the day of the message, which lowers that day's reply rate."#]],
    );
}

#[test]
fn an_alert() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"preset":"kuaishou","service":{"min_sample":1}}"#,
            ),
            ANNA,
            ANNA_COMES,
            S1,
            S1_CLOSED,
            ("10:04:00", "rating.submitted", r#""card":"s1#1","stars":2"#),
        ],
        5,
        expect![[r#"
            #5  2026-11-16 10:04:00  店铺 default  分数预警
            预警：2026 年第 47 周 好评率 0%（0/1），低于 80% 的线，再有 4 个满意就能达标。
            [M4] 好评率 = 满意 ÷ 本周全部评价。
            [M6] 样本有 1 个评价，满 1 才判断。"#]],
        expect![[r#"
            #5  2026-11-16 10:04:00  shop default  score alert
            Alert: the good rate of 2026-W47 is 0% (0/1), below its line of 80%; 4 more satisfied ratings bring it back.
            [M4] Satisfied ratings divided by all ratings of that week.
            [M6] Sample of ratings: 1; a rate is judged from 1 on."#]],
    );
}

#[test]
fn a_recovery() {
    check(
        &[
            (
                "10:00:00",
                "shop.configured",
                r#""policy":{"service":{"min_sample":1,"good_rate":{"min":0.5}}}"#,
            ),
            ANNA,
            BO,
            ANNA_COMES,
            BO_COMES,
            S1,
            S2,
            S1_CLOSED,
            ("10:04:00", "rating.submitted", r#""card":"s1#1","stars":2"#),
            (
                "10:05:00",
                "session.closed",
                r#""session":"s2","by":"buyer""#,
            ),
            (
                "10:06:00",
                "rating.submitted",
                r#""card":"s2#1","level":"satisfied""#,
            ),
        ],
        10,
        expect![[r#"
            #10  2026-11-16 10:06:00  店铺 default  分数恢复
            恢复：2026 年第 47 周 好评率 50%（1/2），达到 50% 的线。
            [M4] 好评率 = 满意 ÷ 本周全部评价。
            [M6] 样本有 2 个评价，满 1 才判断。"#]],
        expect![[r#"
            #10  2026-11-16 10:06:00  shop default  score recovered
            Recovered: the good rate of 2026-W47 is 50% (1/2), its line is 50%.
            [M4] Satisfied ratings divided by all ratings of that week.
            [M6] Sample of ratings: 2; a rate is judged from 1 on."#]],
    );
}

#[test]
fn a_rejected_event() {
    check(
        &[
            STANDARD,
            ANNA,
            ANNA_COMES,
            S1,
            (
                "10:02:00",
                "session.opened",
                r#""session":"s9","buyer":"b1""#,
            ),
        ],
        2,
        expect![[r##"
            #2  2026-11-16 10:02:00  店铺 default  事件未生效
            事件 session.opened 没有生效：这位买家还有会话没结束（会话 s1）。
            [S1] 原始提示：Buyer "b1" is in session "s1": go on in it, or close it first."##]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  event rejected
            Event session.opened changed nothing: the buyer has an open session (session s1).
            [S1] Buyer "b1" is in session "s1": go on in it, or close it first."##]],
    );
}

/// The lines about one rule, the Chinese ones first.
pub(super) fn told(rows: &[Row], seq: u64, rule: &str) -> String {
    let why = why(&trace(rows), seq);
    let languages = [Language::Chinese, Language::English];
    let texts = languages.map(|language| explain_text::explain("default", &why, language));
    let lines = texts.iter().flat_map(|text| text.lines());
    let lines = lines.map(str::trim).filter(|line| line.starts_with(rule));
    lines.collect::<Vec<_>>().join("\n")
}

/// Each subject, from its own trace: the decision it asks about, and the rule it asks for.
pub(super) fn told_of(cases: &[(&str, &[Row], u64, &str)]) -> String {
    let told = cases.iter().map(|(subject, rows, seq, rule)| {
        let told = told(rows, *seq, rule);
        assert!(!told.is_empty(), "{subject}: nothing of {rule}");
        format!("{subject}\n{told}\n")
    });
    told.collect::<Vec<_>>().join("\n")
}

pub(super) const TAOBAO: Row = (
    "10:00:00",
    "shop.configured",
    r#""policy":{"preset":"taobao"}"#,
);
pub(super) const ANNA_AWAY: Row = ("10:04:00", "agent.away", r#""agent":"anna""#);
pub(super) const ANNA_LEAVES: Row = ("10:04:00", "agent.offline", r#""agent":"anna""#);
pub(super) const ANNA_REMOVED: Row = ("10:04:00", "agent.removed", r#""agent":"anna""#);
pub(super) const S1_AGAIN: Row = (
    "10:05:00",
    "session.opened",
    r#""session":"s3","buyer":"b1""#,
);
/// Somebody else of the shop takes anna's only place.
pub(super) const S2_LATER: Row = (
    "10:04:00",
    "session.opened",
    r#""session":"s2","buyer":"b2""#,
);
const SERVED_ONCE: [Row; 4] = [ANNA, ANNA_COMES, S1, S1_CLOSED];

fn known(policy: Row, then: &[Row]) -> Vec<Row> {
    let mut rows = vec![policy];
    rows.extend(SERVED_ONCE);
    rows.extend(then);
    rows.push(S1_AGAIN);
    rows
}

#[test]
fn how_the_recent_agent_stood() {
    let policy = |policy| ("10:00:00", "shop.configured", policy);
    let wide = policy(r#""policy":{"routing":{"recent":{"over_capacity":true}}}"#);
    let off = policy(r#""policy":{"routing":{"recent":{"window":"0s"}}}"#);
    let short = policy(r#""policy":{"routing":{"recent":{"window":"1m"}}}"#);
    let away = policy(r#""policy":{"routing":{"recent":{"away_window":"10m"}}}"#);
    let away_short = policy(r#""policy":{"routing":{"recent":{"away_window":"1m"}}}"#);
    let lot = policy(r#""policy":{"preset":"pinduoduo"}"#);
    let full = known(STANDARD, &[S2_LATER]);
    let over = known(wide, &[S2_LATER]);
    let offline = known(STANDARD, &[ANNA_LEAVES]);
    let stays_away = known(STANDARD, &[ANNA_AWAY]);
    let takes_away = known(TAOBAO, &[ANNA_AWAY]);
    let too_long_away = known(away_short, &[ANNA_AWAY]);
    let full_away = known(away, &[S2_LATER, ANNA_AWAY]);
    let removed = known(STANDARD, &[ANNA_REMOVED]);
    let (passed, off) = (known(short, &[]), known(off, &[]));
    let instead = [
        lot,
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S1_CLOSED,
        ANNA_LEAVES,
        S1_AGAIN,
    ];
    expect![[r#"
        full
        [R1c] 最近联系客服：anna（到 10:03:30，72 小时内有效），在线 1/1，但满载，店铺设置为不超出上限，继续看下一条
        [R1c] 最近联系的客服：
        [R1c] recent agent: anna until 10:03:30, within 72 h, online 1/1, but full, and the policy keeps to its capacity: on to the next rule
        [R1c] the recent agent:

        taken over its capacity
        [R1a] 最近联系客服：anna（到 10:03:30，72 小时内有效），在线 1/1（满载也接，店铺允许超出上限），直接分给 TA
        [R1a] 最近联系的客服：
        [R1a] recent agent: anna until 10:03:30, within 72 h, online 1/1 (full, but the policy allows more than its capacity): gets the buyer
        [R1a] the recent agent:

        offline
        [R1d] 最近联系客服：anna（到 10:03:30，72 小时内有效），离线，继续看下一条
        [R1d] 最近联系的客服：
        [R1d] recent agent: anna until 10:03:30, within 72 h, offline: on to the next rule
        [R1d] the recent agent:

        away
        [R1d] 最近联系客服：anna（到 10:03:30，72 小时内有效），小休 0/1（小休时不接），继续看下一条
        [R1d] 最近联系的客服：
        [R1d] recent agent: anna until 10:03:30, within 72 h, away 0/1 (takes no buyers while away): on to the next rule
        [R1d] the recent agent:

        away, and taken
        [R1b] 最近联系客服：anna（到 10:03:30，72 小时内有效），小休 0/1（24 小时内接待过的，小休也接），直接分给 TA
        [R1b] 最近联系的客服：
        [R1b] recent agent: anna until 10:03:30, within 72 h, away 0/1 (taken while away, within 24 h): gets the buyer
        [R1b] the recent agent:

        away for too long
        [R1d] 最近联系客服：anna（到 10:03:30，72 小时内有效），小休 0/1（小休时只接 1 分钟内接待过的），继续看下一条
        [R1d] 最近联系的客服：
        [R1d] recent agent: anna until 10:03:30, within 72 h, away 0/1 (takes only those of the last 1 min while away): on to the next rule
        [R1d] the recent agent:

        away and full
        [R1d] 最近联系客服：anna（到 10:03:30，72 小时内有效），小休 1/1（而且满载），继续看下一条
        [R1d] 最近联系的客服：
        [R1d] recent agent: anna until 10:03:30, within 72 h, away 1/1 (and full): on to the next rule
        [R1d] the recent agent:

        removed
        [R1] 最近联系客服：anna（到 10:03:30），现在不接买家了
        [R1] 最近联系的客服：
        [R1] recent agent: anna until 10:03:30, who takes no buyers any more
        [R1] the recent agent:

        too long ago
        [R1] 最近联系客服：anna（到 10:03:30），已满 1 分钟，不算
        [R1] 最近联系的客服：
        [R1] recent agent: anna until 10:03:30, 1 min ago or longer, so it does not count
        [R1] the recent agent:

        switched off
        [R1] 最近联系客服：店铺没有开启
        [R1] recent agent: the policy does not look for one

        offline, and anybody instead
        [R1d] 最近联系客服：anna（到 10:03:30，30 天内有效），离线
        [R1d] 改为随机分给任意一位空闲客服
        [R1d] 有空闲客服，随机抽中小波
        [R1d] 最近联系的客服：
        [R1d] 客服（2 位，随机抽一位空闲客服）：
        [R1d] recent agent: anna until 10:03:30, within 30 days, offline
        [R1d] instead, any free agent of the shop
        [R1d] an agent is free, drawn at random: 小波
        [R1d] the recent agent:
        [R1d] the agents (2; drawn at random among the free agents):
    "#]].assert_eq(&told_of(&[
        ("full", &full, 5, "[R1c]"),
        ("taken over its capacity", &over, 5, "[R1a]"),
        ("offline", &offline, 4, "[R1d]"),
        ("away", &stays_away, 4, "[R1d]"),
        ("away, and taken", &takes_away, 4, "[R1b]"),
        ("away for too long", &too_long_away, 4, "[R1d]"),
        ("away and full", &full_away, 5, "[R1d]"),
        ("removed", &removed, 4, "[R1]"),
        ("too long ago", &passed, 4, "[R1]"),
        ("switched off", &off, 4, "[R1]"),
        ("offline, and anybody instead", &instead, 4, "[R1d]"),
    ]));
}

#[test]
fn why_nobody_of_a_rota_fits() {
    let policy = |policy| ("10:00:00", "shop.configured", policy);
    let empty = policy(r#""policy":{"preset":"taobao"}"#);
    let unfit = policy(
        r#""policy":{"preset":"taobao","routing":{"groups":{"晚班":["老李","anna"]},"offline":{"members":["group:晚班","role:值班"]}}}"#,
    );
    let owner = (
        "10:00:00",
        "agent.configured",
        r#""agent":"老李","roles":["owner"]"#,
    );
    let duty = (
        "10:00:00",
        "agent.configured",
        r#""agent":"anna","roles":["operator","值班"]"#,
    );
    expect![[r#"
        the rota names nobody
        [R5] 离线分流里没有设置客服，排队等客服上线
        [R5] the offline rota names no agents: it waits until an agent comes online

        nobody takes buyers
        [R5] 离线分流设置的客服（分组“晚班”、角色“值班”）现在都不接买家，排队等客服上线
        [R5] 客服（2 位）：
        [R5] no agent of the offline rota (group "晚班", role "值班") takes buyers: it waits until an agent comes online
        [R5] the agents (2):

        no agents at all
        [R3] 全店没有客服在线，分流范围里也没有能接买家的客服
        [R3] no agent of the shop is online, and the scope has no agents
    "#]].assert_eq(&told_of(&[
        ("the rota names nobody", &[empty, ANNA, S1], 1, "[R5]"),
        ("nobody takes buyers", &[unfit, owner, duty, S1], 1, "[R5]"),
        ("no agents at all", &[unfit, owner, S1], 1, "[R3]"),
    ]));
    let why = why(&trace(&[unfit, owner, duty, S1]), 1);
    let text = explain_text::explain("default", &why, Language::Chinese);
    let (_, table) = text.split_once("\n\n[R5] ").unwrap();
    expect![[r#"
        客服（2 位）：
          客服  状态  接待/上限  今日离线分配  权重  上次分到  结果
          anna  离线       0/10             0     1    还没有  不接买家
          老李  离线       0/10             0     1    还没有  不接买家"#]]
    .assert_eq(table);
}

#[test]
fn what_led_to_it() {
    let policy = |policy| ("10:00:00", "shop.configured", policy);
    let short = policy(r#""policy":{"routing":{"queue":{"max_wait":"5m"}}}"#);
    let longer = (
        "10:03:00",
        "shop.configured",
        r#""policy":{"routing":{"queue":{"max_wait":"1h"}},"session":{"close_after_buyer_silence":"1h"}}"#,
    );
    let late = ("12:00:00", "clock", "");
    let replies = r#""policy":{"preset":"taobao","session":{"on_agent_offline":"keep"},"auto_reply":{"offline":{"enabled":true,"text":"在的"}},"routing":{"offline":{"members":["小波"]}}}"#;
    let replies = policy(replies);
    let waits = policy(r#""policy":{"auto_reply":{"offline":{"enabled":true,"text":"在的"}}}"#);
    let spoken = ("10:02:30", "agent.message", r#""session":"s1""#);
    let asked = ("10:05:00", "buyer.message", r#""session":"s1""#);
    let question =
        policy(r#""policy":{"routing":{"entries":{"live":{"questions":{"几天发货":["anna"]}}}}}"#);
    let asks = (
        "10:01:00",
        "session.opened",
        r#""session":"s1","buyer":"b1","entry":"live","question":"几天发货""#,
    );
    let asks_too = (
        "10:02:00",
        "session.opened",
        r#""session":"s3","buyer":"b3","entry":"live","question":"几天发货""#,
    );
    let back = ("10:04:30", "agent.online", r#""agent":"小波""#);
    let kept = [replies, ANNA, ANNA_COMES, S1, ANNA_LEAVES, asked];
    expect![[r#"
        waited out
        [R6] 从 10:01:00 起在全店队列排队，排满最长等待 5 分钟，自动结束。
        [R6] It waited for the whole shop since 10:01:00, for 5 min, which is the longest wait.

        waited out, and served before
        [R6] 从 10:04:00 起在全店队列排队，排满最长等待 5 分钟，自动结束。
        [R6] It waited for the whole shop since 10:04:00, for 5 min, which is the longest wait.

        silent, under the policy of before
        [S3] 从 10:02:30 起计时，买家满 10 分钟没有说话，自动结束（最后说话的是客服）。
        [S3] The clock started at 10:02:30; the buyer said nothing for 10 min (the agent spoke last).

        closed with its agent
        [R9] 原客服 anna 离线，店铺设置为 TA 手上的会话随之结束。
        [R9] anna, who had it, went offline, and the policy closes the sessions of such an agent.

        closed as its agent was removed
        [R9] 原客服 anna 已从店铺移除，店铺设置为 TA 手上的会话随之结束。
        [R9] anna, who had it, was removed, and the policy closes the sessions of such an agent.

        queued as its agent was removed
        [R9] 原客服 anna 已从店铺移除，重新分流，不再看最近联系客服
        [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
        [R3] 全店没有客服在线，分流范围里也没有能接买家的客服，排队等待
        [R9] anna, who had it, was removed: routed anew, without the recent agent
        [R2] scope: the whole shop, as no entry, question or order status names agents
        [R3] no agent of the shop is online, and the scope has no agents: it waits

        notified of a message
        [R9] 买家发来消息时 TA 不在（离线 1/1），全店也没有其他客服在线。
        [R9] The buyer wrote while this agent was not there (offline 1/1), and no other agent of the shop is online.

        told so
        [R9] 买家发来消息时，客服 anna 离线，全店也没有其他客服在线。店铺开启了离线自动回复，每个会话一次。
        [R9] anna, who has it, was offline when the buyer wrote, and no other agent of the shop is online. The policy sends this reply when no agent is online, once per session.

        told that the rota has it
        [R5] 全店没有客服在线，会话按离线分流留给了小波。店铺开启了离线自动回复，每个会话一次。
        [R5] No agent of the shop is online, and the offline rota left the session to 小波. The policy sends this reply when no agent is online, once per session.

        told that nobody is online
        [R5] 全店没有客服在线，会话开始在全店队列排队（第 1 位）。店铺开启了离线自动回复，每个会话一次。
        [R5] It began to wait for the whole shop, at position 1: no agent of the shop is online. The policy sends this reply when no agent is online, once per session.

        nobody to overflow to
        [R4b] 在线客服都满载
        [R4b] 可以溢出给全店空闲客服，但全店在线客服都满载，排队等待
        [R4b] 客服（1 位，接待量不饱和优先）：
        [R4b] 客服（2 位，接待量不饱和优先）：
        [R4b] every online agent is full
        [R4b] it may overflow to any free agent, but every online agent of the shop is full: it waits
        [R4b] the agents (1; least saturated first):
        [R4b] the agents (2; least saturated first):

        routed anew by a message
        [R9] 买家发来消息时，客服 anna 离线，重新分流，不再看最近联系客服
        [R9] anna, who has it, was offline when the buyer wrote: routed anew, without the recent agent
    "#]].assert_eq(&told_of(&[
        ("waited out", &[short, ANNA, S1, longer, late], 2, "[R6]"),
        (
            "waited out, and served before",
            &[short, ANNA, ANNA_COMES, S1, ANNA_REMOVED, late],
            3,
            "[R6]",
        ),
        (
            "silent, under the policy of before",
            &[STANDARD, ANNA, ANNA_COMES, S1, spoken, longer, late],
            2,
            "[S3]",
        ),
        (
            "closed with its agent",
            &[TAOBAO, ANNA, ANNA_COMES, S1, ANNA_LEAVES],
            2,
            "[R9]",
        ),
        (
            "closed as its agent was removed",
            &[TAOBAO, ANNA, ANNA_COMES, S1, ANNA_REMOVED],
            2,
            "[R9]",
        ),
        (
            "queued as its agent was removed",
            &[STANDARD, ANNA, ANNA_COMES, S1, ANNA_REMOVED],
            2,
            "[R",
        ),
        ("notified of a message", &kept, 2, "[R9]"),
        ("told so", &kept, 3, "[R9]"),
        ("told that the rota has it", &[replies, BO, S1], 3, "[R5]"),
        ("told that nobody is online", &[waits, ANNA, S1], 2, "[R5]"),
        (
            "nobody to overflow to",
            &[
                question, ANNA, BO, ANNA_COMES, BO_COMES, asks, S2, asks_too,
            ],
            3,
            "[R4",
        ),
        (
            "routed anew by a message",
            &[replies, ANNA, BO, ANNA_COMES, S1, ANNA_LEAVES, back, asked],
            2,
            "[R9]",
        ),
    ]));
}

/// A reply that is not sent leaves nothing behind for what is decided next.
#[test]
fn no_note_is_told_of_another_decision() {
    let rows = [STANDARD, ANNA, S1, S1_CLOSED];
    let why = why(&trace(&rows), 2);
    assert_eq!(why.notes, []);
    expect![[r#"
        #2  2026-11-16 10:03:30  店铺 default  会话结束
        会话 s1（买家 b1，没有人接待过）已结束：买家结束。"#]]
    .assert_eq(&explain_text::explain("default", &why, Language::Chinese));
}

#[test]
fn many_candidates_are_told_by_the_first_twenty() {
    let mut rows = vec![STANDARD];
    let agents: Vec<(String, String)> = (0..1000)
        .map(|n| {
            (
                format!("\"agent\":\"a{n:04}\",\"capacity\":5"),
                format!("\"agent\":\"a{n:04}\""),
            )
        })
        .collect();
    rows.extend(
        agents
            .iter()
            .map(|(configured, _)| ("10:00:00", "agent.configured", configured.as_str())),
    );
    rows.extend(
        agents
            .iter()
            .take(300)
            .map(|(_, id)| ("10:00:00", "agent.online", id.as_str())),
    );
    rows.push(S1);
    let why = why(&trace(&rows), 1);
    let text = explain_text::explain("default", &why, Language::English);
    let told = text.lines().filter(|line| line.starts_with("  a0")).count();
    assert_eq!(told, 20);
    expect!["  ... and 980 more (equal, but later by id 280, offline 700)"]
        .assert_eq(text.lines().last().unwrap());
}

#[test]
fn the_facts_have_stable_names() {
    let rows = [STANDARD, ANNA, BO, ANNA_COMES, BO_COMES, S1, S1_CLOSED];
    let facts =
        |seq| serde_json::to_string_pretty(&explain_text::facts(&why(&trace(&rows), seq))).unwrap();
    expect![[r#"
        [
          {
            "agent": null,
            "away_window": "0s",
            "candidates": [],
            "finding": "nobody",
            "otherwise": "continue",
            "over_capacity": false,
            "queue": "wait",
            "rule": "R1",
            "until": null,
            "window": "72h"
          },
          {
            "pool": "all",
            "rule": "R2",
            "scope": "all"
          },
          {
            "by": "least_saturated",
            "candidates": [
              {
                "after_work": 0,
                "agent": "anna",
                "capacity": 1,
                "last_assigned": 0,
                "load": 0,
                "presence": "online",
                "rota_today": 0,
                "today": 0,
                "verdict": "picked",
                "weight": 1
              },
              {
                "after_work": 0,
                "agent": "小波",
                "capacity": 1,
                "last_assigned": 0,
                "load": 0,
                "presence": "online",
                "rota_today": 0,
                "today": 0,
                "verdict": "later_id",
                "weight": 2
              }
            ],
            "queue": "wait",
            "rule": "R4a"
          }
        ]"#]]
    .assert_eq(&facts(1));
    expect![[r#"
        [
          {
            "rule": "contract"
          }
        ]"#]]
    .assert_eq(&facts(2));
    expect![[r#"
        [
          {
            "checks": [
              {
                "applies": false,
                "code": "disabled",
                "on": true,
                "rule": "I1"
              },
              {
                "applies": false,
                "bot": false,
                "bots": false,
                "code": "bot_session",
                "human": true,
                "rule": "I2"
              },
              {
                "applies": false,
                "code": "close_reason",
                "reason": "buyer",
                "rule": "I3"
              },
              {
                "agent_required": false,
                "applies": false,
                "code": "buyer_spoke_last",
                "last": null,
                "rule": "I4"
              },
              {
                "applies": false,
                "code": "too_short",
                "lasted": "2m 30s",
                "longer_than": "0s",
                "rule": "I5"
              },
              {
                "applies": false,
                "code": "suspended",
                "rule": "I6",
                "window": null
              },
              {
                "applies": false,
                "code": "risk_buyer",
                "risk": false,
                "rule": "I7"
              },
              {
                "applies": false,
                "below": 10000,
                "code": "not_sampled",
                "drawn": 0,
                "rule": "I8"
              },
              {
                "applies": false,
                "code": "rated_recently",
                "of": "shop",
                "opening": true,
                "rated_at": null,
                "rule": "I9",
                "window": "24h"
              },
              {
                "applies": false,
                "auto_at": null,
                "auto_window": "24h",
                "code": "already_invited",
                "manual_at": null,
                "manual_window": "24h",
                "rule": "I10"
              },
              {
                "applies": false,
                "cap": 0,
                "code": "shop_day_cap",
                "count": 0,
                "rule": "I11"
              },
              {
                "applies": false,
                "cap": 2,
                "code": "buyer_day_cap",
                "count": 0,
                "rule": "I12"
              }
            ],
            "rule": "I",
            "trigger": "auto"
          }
        ]"#]]
    .assert_eq(&facts(3));
}

#[test]
fn the_facts_behind_closes_waits_and_scores_have_stable_names() {
    let policy = |policy| ("10:00:00", "shop.configured", policy);
    let replies = policy(
        r#""policy":{"auto_reply":{"offline":{"enabled":true,"text":"在的"},"queued":{"enabled":true,"text":"请稍等"}},"routing":{"queue":{"max_wait":"5m"}}}"#,
    );
    let rota = policy(
        r#""policy":{"preset":"taobao","routing":{"offline":{"members":["anna","role:值班"]}},"session":{"on_agent_offline":"keep"}}"#,
    );
    let scored = policy(r#""policy":{"preset":"kuaishou","service":{"min_sample":1}}"#);
    let owner = (
        "10:00:00",
        "agent.configured",
        r#""agent":"anna","roles":["owner"]"#,
    );
    let spoken = ("10:02:00", "agent.message", r#""session":"s1""#);
    let asked = ("10:05:00", "buyer.message", r#""session":"s1""#);
    let rated = ("10:04:00", "rating.submitted", r#""card":"s1#1","stars":2"#);
    let late = ("10:30:00", "clock", "");
    let cases: [(&[Row], u64); 9] = [
        (
            &[
                STANDARD,
                ANNA,
                ANNA_COMES,
                S1,
                S1_CLOSED,
                ANNA_LEAVES,
                S1_AGAIN,
            ],
            4,
        ),
        (&[rota, owner, S1], 1),
        (&[rota, ANNA, S1], 2),
        (&[replies, ANNA, S1], 2),
        (&[replies, ANNA, S1, late], 3),
        (&[STANDARD, ANNA, ANNA_COMES, S1, spoken, late], 2),
        (&[TAOBAO, ANNA, ANNA_COMES, S1, ANNA_LEAVES], 2),
        (&[rota, ANNA, ANNA_COMES, S1, ANNA_LEAVES, asked], 2),
        (&[scored, ANNA, ANNA_COMES, S1, S1_CLOSED, rated], 5),
    ];
    let facts = cases.map(|(rows, seq)| facts(&trace(rows), seq));
    expect![[r#"
        {"agent":"anna","away_window":"0s","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":0,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"finding":"unavailable","otherwise":"continue","over_capacity":false,"queue":"wait","rule":"R1d","until":"2026-11-16T10:03:30+08:00","window":"72h"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":0,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"online":0,"rule":"R3"}
        {"rota":"off","rule":"R5"}

        {"agent":null,"away_window":"24h","candidates":[],"finding":"nobody","otherwise":"continue","over_capacity":true,"queue":"wait","rule":"R1","until":null,"window":"72h"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"candidates":[],"online":0,"rule":"R3"}
        {"candidates":[{"after_work":0,"agent":"anna","capacity":10,"last_assigned":0,"load":0,"presence":"offline","rota_today":0,"today":0,"verdict":"not_routable","weight":1}],"members":["anna","role:值班"],"rota":"unfit","rule":"R5"}

        {"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":1,"today":1,"verdict":"picked","weight":1}],"closed":false,"rule":"R5"}

        {"pool":"all","position":1,"reason":"nobody_online","rule":"R5"}

        {"max_wait":"5m","pool":"all","rule":"R6","since":"2026-11-16T10:01:00+08:00"}

        {"close_after_buyer_silence":"10m","last":"agent","rule":"S3","since":"2026-11-16T10:02:00+08:00"}

        {"absence":"went_offline","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"rule":"R9"}

        {"absence":"already_offline","candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"rule":"R9"}
        {"pool":"all","rule":"R2","scope":"all"}
        {"candidates":[{"after_work":0,"agent":"anna","capacity":1,"last_assigned":1,"load":1,"presence":"offline","rota_today":0,"today":1,"verdict":"offline","weight":1}],"online":0,"rule":"R3"}

        {"all_over":0,"all_under":1,"cards_made":"00:00-24:00","human":false,"metric":"good_rate","min_sample":1,"over":0,"rule":"M6","threshold":0.8,"under":1}"#]].assert_eq(&facts.join("\n\n"));
}

#[test]
fn a_summary_fits_a_screen() {
    let rows = [
        (
            "10:00:00",
            "shop.configured",
            r#""policy":{"preset":"kuaishou","service":{"min_sample":1,"reply":{"min_rate":0.9}}}"#,
        ),
        ANNA,
        ANNA_COMES,
        S1,
        ("10:01:10", "buyer.message", r#""session":"s1""#),
        S2,
        (
            "10:09:30",
            "session.closed",
            r#""session":"s1","by":"buyer""#,
        ),
        (
            "10:10:00",
            "rating.submitted",
            r#""card":"s1#1","stars":2,"reasons":["attitude"]"#,
        ),
        (
            "10:11:00",
            "session.closed",
            r#""session":"s2","by":"system""#,
        ),
    ];
    let mut installation = xiaoer::domain::installation::Installation::default();
    let mut highlights = Highlights::default();
    replay_with(&mut installation, trace(&rows).as_bytes(), |_, taken, _| {
        taken.iter().for_each(|decision| highlights.take(decision));
        Ok(())
    })
    .unwrap();
    let report = installation.report().remove("default").unwrap();
    let service = &installation.shop("default").unwrap().policy().service;
    let summary = |language| explain_text::summary(&report, service, &highlights, language);
    expect![[r#"
        接待
          来访 2，机器人独自接待 0，人工接待 2；排过队 1，已结束 2
          等待人工：平均 3 分 45 秒，中位 0 秒，95% 的买家不超过 7 分 30 秒，最长 7 分 30 秒

        客服
          客服  接待  满意  一般  不满意  平均星级  好评率
          anna     2     0     0       1         2      0%

        2026-11-16 客服
          客服  咨询  回复率  首次响应  平均响应  参评率  好评率  结束前闲置  不服务     在线  小休   满负荷
          anna     1      0%         -         -    100%      0%  4 分 55 秒       1  11 分钟     0  10 分钟
          不服务 100%：1 个有咨询的会话里，0 个没分到客服就结束了，1 个直到结束也没有人工回复

        邀评
          自动发出 1，客服手动发出 0，没有发出 1
          没有发出的原因（一次可能有几个）：
            1  这种结束方式不邀评 [I3]

        分数
          2026-11-16 人工回复率 0%，没达到 90% 的线：咨询 1 人，1 人等 3 分钟还没回复，0 人当天得到回复
          2026 年第 47 周 好评率 0%，没达到 80% 的线，还差 4 个满意：1 个评价里 0 个满意
          2026 年 11 月 服务态度差占比 100%，超过 6% 的线：1 个一般或不满意的评价里有 1 个

        值得留意
          2026-11-16 10:09:30 等得最久：会话 s2 排队 7 分 30 秒，最后由 anna 接待（#8）
          2026-11-16 10:04:10 预警：2026-11-16 人工回复率 0%（0/1），低于 90% 的线（#5）
          2026-11-16 10:10:00 预警：2026 年第 47 周 好评率 0%（0/1），低于 80% 的线，再有 4 个满意就能达标（#10）
          2026-11-16 10:10:00 预警：2026 年 11 月 服务态度差占比 100%（1/1），高于 6% 的线（#11）
          1 次回复超时"#]].assert_eq(&summary(Language::Chinese));
    expect![[r#"
        Sessions
          2 opened, 0 by the bot alone, 2 assigned; 1 queued, 2 closed
          Waits for an agent: mean 3 min 45 s, median 0 s, 95% within 7 min 30 s, longest 7 min 30 s

        Agents
          agent  assigned  satisfied  neutral  disappointed  mean stars  good rate
          anna          2          0        0             1           2         0%

        Agents on 2026-11-16
          agent  buyers  reply rate  first answer  each answer  cards rated  good rate      linger  unserved  online  away    full
          anna        1          0%             -            -         100%         0%  4 min 55 s         1  11 min     0  10 min
          100% unserved: of 1 sessions in which a buyer asked, 0 ended without an agent and 1 without a human reply

        Invites
          1 sent automatically, 0 by the agents' button, 1 kept back
          Kept back because (one may have several reasons):
            1  not after such a close [I3]

        Scores
          2026-11-16 reply rate 0%, below its line of 90%: 1 buyers consulted, 1 waited 3 min or longer, 0 were answered that day
          2026-W47 good rate 0%, below its line of 80%, 4 more satisfied needed: 0 of 1 ratings satisfied
          2026-11 attitude rate 100%, above its line of 6%: 1 of 1 neutral or disappointed ratings

        Worth a look
          2026-11-16 10:09:30 longest wait: session s2 waited 7 min 30 s and went to anna (#8)
          2026-11-16 10:04:10 Alert: the reply rate of 2026-11-16 is 0% (0/1), below its line of 90% (#5)
          2026-11-16 10:10:00 Alert: the good rate of 2026-W47 is 0% (0/1), below its line of 80%; 4 more satisfied ratings bring it back (#10)
          2026-11-16 10:10:00 Alert: the attitude rate of 2026-11 is 100% (1/1), above its line of 6% (#11)
          1 replies overdue"#]].assert_eq(&summary(Language::English));
}

fn xiaoer(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_xiaoer");
    let out = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace.jsonl");
    std::fs::write(&path, trace(&[STANDARD, ANNA, ANNA_COMES, S1])).unwrap();
    let path = path.to_str().unwrap();
    for (arguments, says) in [
        (
            &["why", path, "2"][..],
            "has no decision 2: ask for one from 1 to 1",
        ),
        (
            &["why", path, "0"],
            "has no decision 0: ask for one from 1 to 1",
        ),
        (
            &["why", path, "1", "--shop", "没有"],
            "ask with --shop for one of: default",
        ),
    ] {
        let (status, stdout, stderr) = xiaoer(arguments);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
    }
    let (status, stdout, _) = xiaoer(&["why", path, "1", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status, Some(0));
    assert_eq!(answer["decision"]["type"], "session.assigned");
    assert_eq!(answer["why"][2]["candidates"][0]["verdict"], "picked");
    assert!(answer["text"]["zh"].is_string() && answer["text"]["en"].is_string());
}

#[test]
fn the_demo_names_commands_that_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace.jsonl");
    let saved = path.to_str().unwrap();
    let (status, stdout, _) = xiaoer(&["demo", "--once", "--lang", "en", "--save", saved]);
    assert_eq!(status, Some(0));
    let commands = stdout
        .lines()
        .filter_map(|line| line.trim().split_once("xiaoer why ").map(|(_, rest)| rest));
    let asked: Vec<(i32, &str)> = commands
        .map(|command| {
            let seq = command.split_whitespace().nth(1).unwrap();
            (xiaoer(&["why", saved, seq]).0.unwrap(), seq)
        })
        .collect();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|&(status, _)| status == 0), "{asked:?}");
}
