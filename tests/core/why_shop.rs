//! The explanation texts of what the shop does as a whole: opening hours, replies of a closed shop, scores, and buyers
//! that are blocked.

use expect_test::expect;

use crate::why::{ANNA, ANNA_COMES, ANNA_LEAVES, BO, BO_COMES, Row, S1, S2, check, told_of};

fn policy(policy: &'static str) -> Row {
    ("10:00:00", "shop.configured", policy)
}

/// 2026-11-16 is a Monday.
const HOURS: &str = r#""policy":{"hours":{"week":{"mon":["09:00-12:00","14:00-18:00"]},"outside":"offline"},"auto_reply":{"closed":{"enabled":true,"text":"明天见"}}}"#;
const NOON: Row = ("12:30:00", "clock", "");
const EVENING: Row = ("19:00:00", "clock", "");

#[test]
fn the_shop_opens_and_closes() {
    let rows = [policy(HOURS), EVENING];
    check(
        &rows,
        1,
        expect![[r#"
        #1  2026-11-16 12:00:00  店铺 default  结束营业
        店铺结束营业，14:00:00 再开始营业。
        [H3] 2026-11-16 是周一，每周一的营业时间是 09:00-12:00、14:00-18:00，现在不在其中。
        [H2] 非营业时间按没有客服在线处理：新会话走离线分流，否则排队等到营业；客服手上的会话不变。"#]],
        expect![[r#"
            #1  2026-11-16 12:00:00  shop default  shop closed
            The shop is closed, until 14:00:00.
            [H3] 2026-11-16 is a Monday, with the weekly hours 09:00-12:00, 14:00-18:00; none of them is now.
            [H2] While the shop is closed, routing finds no agent online: new sessions go to the offline rota, or wait until it opens. Agents keep the sessions they have."#]],
    );
    check(
        &rows,
        2,
        expect![[r#"
        #2  2026-11-16 14:00:00  店铺 default  开始营业
        店铺开始营业，营业到 18:00:00。
        [H3] 2026-11-16 是周一，每周一的营业时间是 09:00-12:00、14:00-18:00，现在是 14:00-18:00。"#]],
        expect![[r#"
            #2  2026-11-16 14:00:00  shop default  shop opened
            The shop is open, until 18:00:00.
            [H3] 2026-11-16 is a Monday, with the weekly hours 09:00-12:00, 14:00-18:00; now it is 14:00-18:00."#]],
    );
    let holiday = policy(r#""policy":{"hours":{"days":{"2026-11-16":[]}}}"#);
    let shorter = policy(r#""policy":{"hours":{"days":{"2026-11-16":["10:00-11:00"]}}}"#);
    let sunday = policy(r#""policy":{"hours":{"week":{"sun":["09:00-12:00"]}}}"#);
    let always = ("11:00:00", "shop.configured", r#""policy":{}"#);
    let never = policy(r#""policy":{"hours":{"week":{"mon":[]}}}"#);
    expect![[r#"
        a holiday
        #1  2026-11-16 10:00:00  店铺 default  结束营业
        店铺结束营业，11-17 00:00:00 再开始营业。
        [H3] 店铺改了设置：2026-11-16（周一）单独设为休息日。
        [H2] 非营业时间照常分流。
        #1  2026-11-16 10:00:00  shop default  shop closed
        The shop is closed, until 11-17 00:00:00.
        [H3] By a new policy: 2026-11-16 (Monday) is set as a holiday.
        [H2] While the shop is closed, sessions are routed as usual.

        the hours of a single day
        #1  2026-11-16 11:00:00  店铺 default  结束营业
        店铺结束营业，11-17 00:00:00 再开始营业。
        [H3] 2026-11-16（周一）单独设置的营业时间是 10:00-11:00，现在不在其中。
        [H2] 非营业时间照常分流。
        #1  2026-11-16 11:00:00  shop default  shop closed
        The shop is closed, until 11-17 00:00:00.
        [H3] 2026-11-16 (Monday) has hours of its own: 10:00-11:00; none of them is now.
        [H2] While the shop is closed, sessions are routed as usual.

        a weekday without hours
        #1  2026-11-16 10:00:00  店铺 default  结束营业
        店铺结束营业，11-22 09:00:00 再开始营业。
        [H3] 店铺改了设置：2026-11-16 是周一，每周一不营业。
        [H2] 非营业时间照常分流。
        #1  2026-11-16 10:00:00  shop default  shop closed
        The shop is closed, until 11-22 09:00:00.
        [H3] By a new policy: 2026-11-16 is a Monday, which has no opening hours.
        [H2] While the shop is closed, sessions are routed as usual.

        a new policy without hours
        #2  2026-11-16 11:00:00  店铺 default  开始营业
        店铺开始营业；按现在的设置，400 天内不会结束营业。
        [H3] 店铺改了设置：没有设置营业时间，全天营业。
        #2  2026-11-16 11:00:00  shop default  shop opened
        The shop is open, and its policy does not close it within 400 days.
        [H3] By a new policy: the shop is open all day, without opening hours.

        closed for good
        #1  2026-11-16 10:00:00  店铺 default  结束营业
        店铺结束营业；按现在的设置，400 天内不会再营业。
        [H3] 店铺改了设置：2026-11-16 是周一，每周一不营业。
        [H2] 非营业时间照常分流。
        #1  2026-11-16 10:00:00  shop default  shop closed
        The shop is closed, and its policy does not open it within 400 days.
        [H3] By a new policy: 2026-11-16 is a Monday, which has no opening hours.
        [H2] While the shop is closed, sessions are routed as usual.
    "#]]
    .assert_eq(&told_of(&[
        ("a holiday", &[holiday], 1, ""),
        ("the hours of a single day", &[shorter, EVENING], 1, ""),
        ("a weekday without hours", &[sunday], 1, ""),
        ("a new policy without hours", &[sunday, always], 2, ""),
        ("closed for good", &[never], 1, ""),
    ]));
}

const S1_AT_NOON: Row = (
    "12:30:00",
    "session.opened",
    r#""session":"s1","buyer":"b1""#,
);
const ROTA: &str = r#""policy":{"hours":{"week":{"mon":["09:00-12:00"]},"outside":"offline"},"routing":{"offline":{"mode":"rota","members":["anna"]}},"auto_reply":{"offline":{"enabled":true,"text":"稍后回复"}}}"#;

#[test]
fn a_session_comes_while_the_shop_is_closed() {
    let rows = [policy(HOURS), ANNA, ANNA_COMES, NOON, S1_AT_NOON];
    check(
        &rows,
        2,
        expect![[r#"
        #2  2026-11-16 12:30:00  店铺 default  排队
        会话 s1（买家 b1）开始排队，在全店队列排第 1 位：店铺不在营业时间。买家看到“您是下一位，请稍候”。

        依次看过的规则：
          [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
          [H2] 店铺不在营业时间（14:00:00 开始营业），店铺设置为按没有客服在线处理
          [R5] 店铺没有开启离线分流，排队等店铺营业"#]],
        expect![[r##"
        #2  2026-11-16 12:30:00  shop default  queued
        Session s1 (buyer b1) waits at position 1 of the queue for the whole shop: the shop is closed. The buyer reads "您是下一位，请稍候".

        The rules, in the order they were tried:
          [R2] scope: the whole shop, as no entry, question or order status names agents
          [H2] the shop is closed until 14:00:00, and the policy treats that as no agent online
          [R5] no offline rota is on: it waits until the shop opens"##]],
    );
    check(
        &rows,
        3,
        expect![[r#"
        #3  2026-11-16 12:30:00  店铺 default  自动回复
        在会话 s1 里自动回复了买家：“明天见”
        [H2] 店铺不在营业时间，会话开始在全店队列排队（第 1 位）。
        [H2] 店铺不在营业时间（14:00:00 开始营业），发送非营业时间自动回复，代替离线自动回复；两者合计每个会话只发一次。"#]],
        expect![[r##"
        #3  2026-11-16 12:30:00  shop default  automatic reply
        The buyer of session s1 was told automatically: "明天见"
        [H2] It began to wait for the whole shop, at position 1: the shop is closed.
        [H2] The shop is closed until 14:00:00, so its reply for closed hours is sent instead of the offline reply; a session gets one of the two, once."##]],
    );
    let rota = [
        policy(ROTA),
        ANNA,
        ("10:00:00", "agent.away", r#""agent":"anna""#),
        S1_AT_NOON,
    ];
    check(
        &rota,
        2,
        expect![[r#"
        #2  2026-11-16 12:30:00  店铺 default  分配
        会话 s1（买家 b1）由 anna 接待：店铺不在营业时间，按离线分流留给 TA。

        依次看过的规则：
          [R2] 分流范围：全店客服（入口、问题、订单状态都没有指定客服）
          [H2] 店铺不在营业时间（11-23 09:00:00 开始营业），店铺设置为按没有客服在线处理
          [R5] 离线分流，今天离线分到最少的是 anna

        [R5] 客服（1 位，今日离线分配最少的先接）：
          客服  状态  接待/上限  今日离线分配  权重  上次分到  结果
          anna  小休        0/1             0     1    还没有  分给 TA"#]],
        expect![[r#"
        #2  2026-11-16 12:30:00  shop default  assigned
        Session s1 (buyer b1) goes to anna: the shop is closed, so the offline rota leaves it to this agent.

        The rules, in the order they were tried:
          [R2] scope: the whole shop, as no entry, question or order status names agents
          [H2] the shop is closed until 11-23 09:00:00, and the policy treats that as no agent online
          [R5] the offline rota, fewest offline assignments today: anna

        [R5] the agents (1; fewest offline assignments today):
          agent  presence  load/capacity  offline today  weight  last assigned  outcome
          anna   away                0/1              0       1          never  picked"#]],
    );
    expect![[r#"
        notified
        [R5] 店铺不在营业时间，会话按离线分流留给了 TA（小休 1/1，含这个会话）。
        [R5] The shop is closed, and the offline rota left the session to this agent (away 1/1, this one included).

        told so
        [R5] 店铺不在营业时间，会话按离线分流留给了 anna。店铺开启了离线自动回复，每个会话一次。
        [R5] The shop is closed, and the offline rota left the session to anna. The policy sends this reply when no agent is online, once per session.
    "#]].assert_eq(&told_of(&[
        ("notified", &rota, 3, "["),
        ("told so", &rota, 4, "["),
    ]));
}

/// Anna is offline and has s1. Where it stays with her, she is notified of the message.
#[test]
fn a_message_to_an_agent_that_is_offline() {
    let keeps = policy(
        r#""policy":{"session":{"on_agent_offline":"keep"},"auto_reply":{"closed":{"enabled":true,"text":"明天见"}},"hours":{"week":{"mon":["09:00-12:00"]},"outside":"offline"}}"#,
    );
    let asked = ("10:05:00", "buyer.message", r#""session":"s1""#);
    let asked_at_noon = ("12:30:00", "buyer.message", r#""session":"s1""#);
    let busy = [
        keeps,
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        S2,
        ANNA_LEAVES,
        asked,
    ];
    check(
        &busy,
        3,
        expect![[r#"
        #3  2026-11-16 10:05:00  店铺 default  手机推送
        已向 anna 的手机推送会话 s1。
        [R9] 买家发来消息时 TA 不在（离线 1/1），其他在线客服都满载，会话留给 TA。

        [R4b] 客服（2 位，接待量不饱和优先）：
          客服  状态  接待/上限  今日接待  权重  上次分到  结果
          小波  在线        1/1         1     2        #2  满载
          anna  离线        1/1         1     1        #1  离线"#]],
        expect![[r#"
        #3  2026-11-16 10:05:00  shop default  notified
        Session s1 was pushed to the phone of anna.
        [R9] The buyer wrote while this agent was not there (offline 1/1), and every agent that is online is full, so it stays.

        [R4b] the agents (2; least saturated first):
          agent  presence  load/capacity  today  weight  last assigned  outcome
          小波   online              1/1      1       2             #2  full
          anna   offline             1/1      1       1             #1  offline"#]],
    );
    let shut = [
        keeps,
        ANNA,
        BO,
        ANNA_COMES,
        BO_COMES,
        S1,
        ANNA_LEAVES,
        asked_at_noon,
    ];
    let inform = policy(
        r#""policy":{"session":{"on_agent_offline":"keep"},"auto_reply":{"closed":{"enabled":true,"text":"明天见"}},"hours":{"week":{"mon":["09:00-12:00"]}}}"#,
    );
    let alone = [inform, ANNA, ANNA_COMES, S1, ANNA_LEAVES, asked_at_noon];
    let own = policy(
        r#""policy":{"session":{"on_agent_offline":"keep"},"routing":{"when_scope_offline":"wait","entries":{"other":{"members":["anna"]}}}}"#,
    );
    let scope = [own, ANNA, BO, ANNA_COMES, BO_COMES, S1, ANNA_LEAVES, asked];
    expect![[r#"
        the shop is closed
        [R9] 买家发来消息时 TA 不在（离线 1/1），店铺不在营业时间，会话留给 TA。
        [R9] The buyer wrote while this agent was not there (offline 1/1), and the shop is closed, so it stays.

        the buyer is told so
        [R9] 买家发来消息时，客服 anna 离线，店铺不在营业时间，会话留给 TA。
        [H2] 店铺不在营业时间（11-23 09:00:00 开始营业），发送非营业时间自动回复，代替离线自动回复；两者合计每个会话只发一次。
        [R9] anna, who has it, was offline when the buyer wrote, and the shop is closed, so it stays.
        [H2] The shop is closed until 11-23 09:00:00, so its reply for closed hours is sent instead of the offline reply; a session gets one of the two, once.

        no agent is online, and the shop is closed
        [R9] 买家发来消息时，客服 anna 离线，全店也没有其他客服在线。
        [H2] 店铺不在营业时间（11-23 09:00:00 开始营业），发送非营业时间自动回复，代替离线自动回复；两者合计每个会话只发一次。
        [R9] anna, who has it, was offline when the buyer wrote, and no other agent of the shop is online.
        [H2] The shop is closed until 11-23 09:00:00, so its reply for closed hours is sent instead of the offline reply; a session gets one of the two, once.

        no agent of the scope is online
        [R9] 买家发来消息时 TA 不在（离线 1/1），能接的其他客服都不在线，会话留给 TA。
        [R9] The buyer wrote while this agent was not there (offline 1/1), and no agent that may serve it is online, so it stays.
    "#]].assert_eq(&told_of(&[
        ("the shop is closed", &shut, 3, "["),
        ("the buyer is told so", &shut, 4, "["),
        ("no agent is online, and the shop is closed", &alone, 4, "["),
        ("no agent of the scope is online", &scope, 2, "[R9]"),
    ]));
}
