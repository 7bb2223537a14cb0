//! The words of every kind of decision, in both languages, from small traces of their own.

use std::process::Command;

use expect_test::{Expect, expect};
use xiaoer::domain::id::Id;
use xiaoer::domain::why::Why;
use xiaoer::replay::{Found, explain, replay_with};
use xiaoer::words::{self, Highlights, Language};

/// Events of one morning: each row is the time of day, the type, and the fields.
fn trace(rows: &[(&str, &str, &str)]) -> String {
    let lines = rows.iter().map(|(at, kind, fields)| {
        let comma = if fields.is_empty() { "" } else { "," };
        format!("{{\"at\":\"2026-11-16T{at}+08:00\",\"type\":\"{kind}\"{comma}{fields}}}\n")
    });
    lines.collect()
}

fn why(trace: &str, seq: u64) -> Why {
    let shop = Id::new("default").expect("an id");
    let found = explain(trace.as_bytes(), &shop, seq);
    let Ok(Found::Why(why)) = found else {
        panic!("{found:?}");
    };
    *why
}

fn check(rows: &[(&str, &str, &str)], seq: u64, chinese: Expect, english: Expect) {
    let why = why(&trace(rows), seq);
    chinese.assert_eq(&words::explain("default", &why, Language::Chinese));
    english.assert_eq(&words::explain("default", &why, Language::English));
}

type Row = (&'static str, &'static str, &'static str);

/// A shop of one preset, with two agents of capacity 1; bo comes only where a row says so.
const STANDARD: Row = ("10:00:00", "shop.configured", r#""policy":{}"#);
const ANNA: Row = (
    "10:00:00",
    "agent.configured",
    r#""agent":"anna","capacity":1"#,
);
const BO: Row = (
    "10:00:00",
    "agent.configured",
    r#""agent":"小波","capacity":1,"weight":2"#,
);
const ANNA_COMES: Row = ("10:00:00", "agent.online", r#""agent":"anna""#);
const BO_COMES: Row = ("10:00:00", "agent.online", r#""agent":"小波""#);
const S1: Row = (
    "10:01:00",
    "session.opened",
    r#""session":"s1","buyer":"b1""#,
);
const S2: Row = (
    "10:02:00",
    "session.opened",
    r#""session":"s2","buyer":"b2""#,
);
const S1_CLOSED: Row = (
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
              [R1] 最近联系客服：没有可优先的客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选 anna

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        0/1         0     1    还没有  分给 TA
              小波  在线        0/1         0     2    还没有  条件相同，编号排在后面"#]],
        expect![[r##"
            #1  2026-11-16 10:01:00  shop default  assigned
            Session s1 (buyer b1) goes to anna: no group is set, so anybody free may serve, next by "least saturated first".

            The rules, in the order they were tried:
              [R1] recent agent: nobody to prefer
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] somebody is free, least saturated first: anna

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
              [R1] 最近联系客服：anna（到 10:03:30，72 小时内有效），可以接，直接分给 TA"#]],
        expect![[r#"
            #4  2026-11-16 10:05:00  shop default  assigned
            Session s3 (buyer b1) goes to anna: this buyer's recent agent, so without queueing.

            The rules, in the order they were tried:
              [R1] recent agent: anna until 10:03:30, within 72 h: gets the buyer"#]],
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
            Session s2 (buyer b2) goes to anna: somebody became free after 1 min 30 s of waiting, next by "least saturated first".

            The rules, in the order they were tried:
              [R7] waited for the whole shop since 10:02:00, 1 waited in the shop; of those whom somebody free can serve, this buyer waited longest
              [R7] somebody is free, least saturated first: anna

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
              [R1] 最近联系客服：没有可优先的客服
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
            Session s2 (buyer b2) goes to 小波: everybody of question "几天发货" of the live room is full, so it overflows to anybody free, next by "least saturated first".

            The rules, in the order they were tried:
              [R1] recent agent: nobody to prefer
              [R2] scope: question "几天发货" of the live room, which has agents of its own
              [R4b] everybody online is full
              [R4b] it may overflow to anybody free, least saturated first: 小波

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
              [R1] 最近联系客服：没有可优先的客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R3] 全店没有客服在线
              [R5] 离线分流，今天离线分到最少的是 anna

            [R5] 客服（2 位，今日离线分配最少的先接）：
              客服  状态  接待/上限  今日离线分配  权重  上次分到  结果
              anna  离线        0/1             0     1    还没有  分给 TA
              小波  离线        0/1             0     2    还没有  条件相同，编号排在后面"#]],
        expect![[r#"
            #1  2026-11-16 10:01:00  shop default  assigned
            Session s1 (buyer b1) goes to anna: nobody is online, so the offline rota leaves it to this agent.

            The rules, in the order they were tried:
              [R1] recent agent: nobody to prefer
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R3] nobody of the shop is online
              [R5] the offline rota, fewest offline assignments today: anna

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
              [R8] 小波 was named by hand (load 0/1 then), whatever its capacity

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
            会话 s1（买家 b1）由小波接待：原来的客服离线了，重新分流（全店），按“接待量不饱和优先”轮到 TA。

            依次看过的规则：
              [R9] 原客服离线，重新分流，不再看最近联系客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4a] 有空闲客服，按接待量不饱和优先选小波

            [R4a] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              小波  在线        0/1         0     2    还没有  分给 TA
              anna  离线        1/1         1     1        #1  离线"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  assigned
            Session s1 (buyer b1) goes to 小波: its agent is offline, so it was routed anew (the whole shop), next by "least saturated first".

            The rules, in the order they were tried:
              [R9] its agent is offline: routed anew, without the recent agent
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4a] somebody is free, least saturated first: 小波

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
            会话 s2（买家 b2）开始排队，在全店队列排第 1 位：在线客服都满载。买家看到“前面还有0位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有可优先的客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R4b] 在线客服都满载，排队等待

            [R4b] 客服（2 位，接待量不饱和优先）：
              客服  状态  接待/上限  今日接待  权重  上次分到  结果
              anna  在线        1/1         1     1        #1  满载
              小波  离线        0/1         0     2    还没有  离线"#]],
        expect![[r##"
            #2  2026-11-16 10:02:00  shop default  queued
            Session s2 (buyer b2) waits at position 1 of the queue for the whole shop: everybody online is full. The buyer reads "前面还有0位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: nobody to prefer
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R4b] everybody online is full: it waits

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
            会话 s1（买家 b1）开始排队，在全店队列排第 1 位：全店没有客服在线。买家看到“前面还有0位，请稍候”。

            依次看过的规则：
              [R1] 最近联系客服：没有可优先的客服
              [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
              [R3] 全店没有客服在线
              [R5] 没有可以离线分配的客服，排队等客服上线"#]],
        expect![[r##"
            #1  2026-11-16 10:01:00  shop default  queued
            Session s1 (buyer b1) waits at position 1 of the queue for the whole shop: nobody of the shop is online. The buyer reads "前面还有0位，请稍候".

            The rules, in the order they were tried:
              [R1] recent agent: nobody to prefer
              [R2] scope: the whole shop, as no entry, question or order status names agents
              [R3] nobody of the shop is online
              [R5] nobody on an offline rota: it waits until somebody comes online"##]],
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
            [S3] 买家太久没有说话；如果当时在排队，则是排队超过了最长等待 [R6]。"#]],
        expect![[r#"
            #2  2026-11-16 10:12:00  shop default  closed
            Session s1 (buyer b1, served by anna) has ended: closed by a timeout.
            [S3] The buyer was silent for as long as the policy allows; or waited for as long, if it was in a queue [R6]."#]],
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
            [R5、R9] 客服不在线，却分到了买家，或手上的买家又发来消息。"#]],
        expect![[r#"
            #2  2026-11-16 10:01:00  shop default  notified
            Session s1 was pushed to the phone of anna.
            [R5, R9] The agent is offline and got a buyer, or a message of one it has."#]],
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
            [R5、R6、R9] 店铺开启了自动回复：没有客服在线（每个会话一次）或开始排队时发送。"#]],
        expect![[r##"
            #3  2026-11-16 10:02:00  shop default  automatic reply
            The buyer of session s2 was told automatically: "请稍等"
            [R5, R6, R9] The policy says so when nobody is online (once a session), or when a buyer begins to wait."##]],
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
              ✓  [I9]   最近评价        24 小时内没有评价过
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
              ✓  [I4]   last word          nobody spoke (anybody may)
              ✓  [I5]   length             2 min 30 s (any length will do)
              ✓  [I6]   suspended          not now
              ✓  [I7]   risk               the buyer is not flagged
              ✓  [I8]   sample             everybody is asked
              ✓  [I9]   rated              not within 24 h
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
              ✗  [I3]   结束方式        买家结束，这种情况不邀评
              ✗  [I4]   谁最后说话      没有人说过话（要求客服最后说话）
              ✗  [I5]   会话时长        2 分 30 秒（要超过 9 分钟）
              ✓  [I6]   暂停时段        现在不在暂停时段
              ✗  [I7]   风险用户        买家被标为违规风险较高
              ✗  [I8]   抽样比例        邀 0.01%，这个会话抽到 26.43%，没抽中
              ✓  [I9]   最近评价        24 小时内没有评价过
              ✓  [I10]  最近邀请        没有邀请过
              ✓  [I11]  本店当日次数    今天已自动邀过 TA 0 次，最多 1 次
              ✓  [I12]  其他店当日次数  不限次数"#]],
        expect![[r#"
            #3  2026-11-16 10:03:30  shop default  not invited
            Automatic invite: buyer b1 is not asked (session s1): not after such a close; the agent did not speak last; the session was too short; the buyer is flagged as a risk; not in the sample.

            The rules in their order (✓ passed, ✗ keeps it back):
              ✓  [I1]   switch             automatic invites are on
              ✓  [I2]   served by          an agent
              ✗  [I3]   close              closed by the buyer, after which nobody is asked
              ✗  [I4]   last word          nobody spoke (it must be the agent)
              ✗  [I5]   length             2 min 30 s (it must be longer than 9 min)
              ✓  [I6]   suspended          not now
              ✗  [I7]   risk               the buyer is flagged
              ✗  [I8]   sample             0.01% are asked; this session drew 26.43%, not below it
              ✓  [I9]   rated              not within 24 h
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
              ✓  [I9]   最近评价  24 小时内没有评价过
              ✗  [I10]  最近邀请  10:01:20 客服手动邀评（间隔 24 小时），11-17 10:01:20 起可再邀
              ✓  [I13]  当日对话  买家今天和 TA 说过话"#]],
        expect![[r#"
            #3  2026-11-16 10:01:30  shop default  not invited
            Manual invite: buyer b1 is not asked (session s1): invited recently. Free again at 11-17 10:01:20.

            The rules in their order (✓ passed, ✗ keeps it back):
              ✓  [I1]   switch         the agent's button is on
              ✓  [I9]   rated          not within 24 h
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
            [Q4] A rating counts for the agent on its card, whoever has the session by then.
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
            [M3] 10:04:10 之前回复就不算超时。"#]],
        expect![[r#"
            #2  2026-11-16 10:02:50  shop default  slow response
            Slow response: buyer b1 of session s1 has waited for a human reply for 1 min 40 s, since 10:01:10 (it is with anna).
            [M3] A reply before 10:04:10 is still in time."#]],
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
            [M4、M6] 好评率 = 满意 ÷ 本周全部评价。"#]],
        expect![[r#"
            #5  2026-11-16 10:04:00  shop default  score alert
            Alert: the good rate of 2026-W47 is 0% (0/1), below its line of 80%; 4 more satisfied ratings bring it back.
            [M4, M6] Satisfied ratings by all of that week."#]],
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
            [M4、M6] 好评率 = 满意 ÷ 本周全部评价。"#]],
        expect![[r#"
            #10  2026-11-16 10:06:00  shop default  score recovered
            Recovered: the good rate of 2026-W47 is 50% (1/2), its line is 50%.
            [M4, M6] Satisfied ratings by all of that week."#]],
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
    let text = words::explain("default", &why, Language::English);
    let told = text.lines().filter(|line| line.starts_with("  a0")).count();
    assert_eq!(told, 20);
    expect!["  ... and 980 more (equal, but later by id 280, offline 700)"]
        .assert_eq(text.lines().last().unwrap());
}

#[test]
fn the_facts_have_stable_names() {
    let rows = [STANDARD, ANNA, BO, ANNA_COMES, BO_COMES, S1, S1_CLOSED];
    let facts =
        |seq| serde_json::to_string_pretty(&words::facts(&why(&trace(&rows), seq))).unwrap();
    expect![[r#"
        [
          {
            "pool": "all",
            "rule": "R2",
            "scope": "all"
          },
          {
            "by": "least_saturated",
            "candidates": [
              {
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
    let summary = |language| words::summary(&report, service, &highlights, language);
    expect![[r#"
        接待
          来访 2，机器人独自接待 0，人工接待 2；排过队 1，已结束 2
          等待人工：平均 3 分 45 秒，中位 0 秒，95% 的买家不超过 7 分 30 秒，最长 7 分 30 秒

        客服
          客服  接待  满意  一般  不满意  平均星级  好评率
          anna     2     0     0       1         2      0%

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
    let path = std::env::temp_dir().join(format!("xiaoer-why-{}.jsonl", std::process::id()));
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
    assert_eq!(answer["why"][1]["candidates"][0]["verdict"], "picked");
    assert!(answer["text"]["zh"].is_string() && answer["text"]["en"].is_string());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_demo_names_commands_that_work() {
    let path = std::env::temp_dir().join(format!("xiaoer-demo-{}.jsonl", std::process::id()));
    let saved = path.to_str().unwrap();
    let (status, stdout, _) = xiaoer(&["demo", "--lang", "en", "--save", saved]);
    assert_eq!(status, Some(0));
    let commands = stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("xiaoer why "));
    let asked: Vec<(i32, &str)> = commands
        .map(|command| {
            let seq = command.split_whitespace().nth(1).unwrap();
            (xiaoer(&["why", saved, seq]).0.unwrap(), seq)
        })
        .collect();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|&(status, _)| status == 0), "{asked:?}");
    std::fs::remove_file(path).unwrap();
}
