//! The explanation texts of what the shop does as a whole: opening hours, replies of a closed shop, scores, and buyers
//! that are blocked.

use expect_test::expect;
use xiaoer::domain::installation::Installation;
use xiaoer::explain_text::{self, Highlights, Language};
use xiaoer::replay::replay_with;

use crate::why::{
    ANNA, ANNA_COMES, ANNA_LEAVES, BO, BO_COMES, Row, S1, S2, STANDARD, check, explained, facts,
    told_of, trace,
};

/// The `seq` and the type of each decision of a trace.
fn decisions(trace: &str) -> Vec<(u64, String)> {
    let mut installation = Installation::default();
    let mut found = Vec::new();
    replay_with(&mut installation, trace.as_bytes(), |_, taken, _| {
        let taken = taken.iter();
        found.extend(taken.map(|decision| (decision.seq, decision.body.name().to_owned())));
        Ok(())
    })
    .expect("a trace");
    found
}

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

const B1_WRITES: Row = ("10:01:30", "buyer.message", r#""session":"s1""#);
const B2_WRITES: Row = ("10:02:30", "buyer.message", r#""session":"s2""#);
const ANSWERED: Row = ("10:02:40", "agent.message", r#""session":"s2""#);
const TOMORROW: Row = ("23:59:59", "clock", "");

/// The next day at a quarter past midnight: the replies of the day are due.
const NEXT_DAY: &str = r#"{"at":"2026-11-17T00:15:00+08:00","type":"clock"}"#;

#[test]
fn the_summary_of_a_day() {
    let of_unit = |policy_of_unit| {
        let mut rows = vec![policy(policy_of_unit), ANNA, BO, ANNA_COMES, BO_COMES];
        rows.extend([S1, B1_WRITES, S2, B2_WRITES, ANSWERED, TOMORROW]);
        let mut trace = trace(&rows);
        trace.push_str(NEXT_DAY);
        let decisions = decisions(&trace);
        let day = decisions
            .iter()
            .find(|(_, kind)| kind == "score.day")
            .expect("a summary");
        explained(&trace, day.0)
    };
    expect![[r#"
        #7  2026-11-17 00:03:00  店铺 default  每日总结
        2026-11-16 总结：咨询买家 2 位，超时 1 位，人工回复率 50%（1/2），达到 50% 的线；有效回复率 50%（1/2）。
        [M1] 人工回复率 = 没有超时的咨询买家 ÷ 当天咨询买家，按人算；消息满 3 分钟没有人工回复算超时。
        [M2] 有效回复率 = 当天得到过回复的咨询买家 ÷ 当天咨询买家（机器人的回复也算）。咨询买家 2 位，不超过 100 位，没有处罚风险。
        [M13] 当天最晚的消息也已满 3 分钟的回复时限，所以现在总结；不看最小样本，之后再有变化也不改这条。

        #7  2026-11-17 00:03:00  shop default  day's summary
        Summary of 2026-11-16: buyers who consulted: 2, of them late: 1; the reply rate is 50% (1/2), its line is 50%; the effective rate is 50% (1/2).
        [M1] Consulting buyers who were not kept late, divided by all who consulted that day. A message without a human reply for 3 min is late.
        [M2] Consulting buyers who got a reply that day, divided by all who consulted (replies of the bot count too). 2 buyers consulted, not more than 100: there is no risk of a penalty.
        [M13] The last message of the day is 3 min old by now, so its reply is in time or late. The summary has no minimum sample, and later changes do not change it."#]].assert_eq(&of_unit(
        r#""policy":{"preset":"pinduoduo","routing":{"recent":{"window":"0s"}}}"#,
    ));
    expect![[r#"
        #7  2026-11-17 00:03:00  店铺 default  每日总结
        2026-11-16 总结：对话 2 轮，超时 1 轮，人工回复率 50%（1/2），达到 50% 的线；有效回复率 50%（1/2）。
        [M12] 人工回复率 = 没有超时的对话 ÷ 当天的对话，按轮次算：从买家发来消息到下一条人工回复是一轮，满 3 分钟没有回复算超时。
        [M2] 有效回复率 = 当天得到过回复的咨询买家 ÷ 当天咨询买家。有效回复率不低于 50%，没有处罚风险。
        [M13] 当天最晚的消息也已满 3 分钟的回复时限，所以现在总结；不看最小样本，之后再有变化也不改这条。

        #7  2026-11-17 00:03:00  shop default  day's summary
        Summary of 2026-11-16: rounds: 2, of them late: 1; the reply rate is 50% (1/2), its line is 50%; the effective rate is 50% (1/2).
        [M12] Rounds that were answered in time, divided by all rounds of that day. A round lasts from a buyer's message to the next human reply; it is late after 3 min.
        [M2] Consulting buyers who got a reply that day, divided by all who consulted. At least half of them were answered: there is no risk of a penalty.
        [M13] The last message of the day is 3 min old by now, so its reply is in time or late. The summary has no minimum sample, and later changes do not change it."#]].assert_eq(&of_unit(
        r#""policy":{"service":{"daily":true,"reply":{"unit":"round","penalty_above":1,"min_rate":0.5}}}"#,
    ));
    expect![[r#"
        #7  2026-11-17 00:00:05  店铺 default  每日总结
        2026-11-16 总结：咨询会话 2 个，首轮超时 2 个，人工回复率 0%（0/2）；有效回复率 50%（1/2）。
        [M12] 人工回复率 = 首轮没有超时的会话 ÷ 当天的会话，只看每个会话的第一轮：满 5 秒没有人工回复算超时。
        [M2] 有效回复率 = 当天得到过回复的咨询买家 ÷ 当天咨询买家（机器人的回复也算）。咨询买家 2 位，不超过 5 位，没有处罚风险。
        [M13] 当天最晚的消息也已满 5 秒的回复时限，所以现在总结；不看最小样本，之后再有变化也不改这条。

        #7  2026-11-17 00:00:05  shop default  day's summary
        Summary of 2026-11-16: sessions: 2, late in their first round: 2; the reply rate is 0% (0/2); the effective rate is 50% (1/2).
        [M12] Sessions whose first round was answered in time, divided by all of that day. A round lasts from a buyer's message to the next human reply; it is late after 5 s.
        [M2] Consulting buyers who got a reply that day, divided by all who consulted (replies of the bot count too). 2 buyers consulted, not more than 5: there is no risk of a penalty.
        [M13] The last message of the day is 5 s old by now, so its reply is in time or late. The summary has no minimum sample, and later changes do not change it."#]].assert_eq(&of_unit(
        r#""policy":{"service":{"daily":true,"reply":{"unit":"session","within":"5s","penalty_above":5,"effective_bot":true}}}"#,
    ));
}

#[test]
fn a_reply_rate_in_its_unit() {
    let rounds = policy(
        r#""policy":{"service":{"reply":{"min_rate":0.9,"min_sample":1,"unit":"round","remind_after":"0s"}}}"#,
    );
    let sessions = policy(
        r#""policy":{"service":{"reply":{"min_rate":0.9,"min_sample":1,"unit":"session","remind_after":"0s"}}}"#,
    );
    let buyers = policy(
        r#""policy":{"service":{"reply":{"min_rate":0.9,"min_sample":1,"remind_after":"0s"}}}"#,
    );
    let asked = [ANNA, ANNA_COMES, S1, B1_WRITES, NOON];
    let later = [
        ANNA,
        ANNA_COMES,
        S1,
        B1_WRITES,
        ("10:01:40", "agent.message", r#""session":"s1""#),
        ("10:01:50", "buyer.message", r#""session":"s1""#),
        NOON,
    ];
    let with = |policy: Row, rows: &[Row]| [&[policy], rows].concat();
    expect![[r#"
        of rounds
        #3  2026-11-16 10:04:30  店铺 default  分数预警
        预警：2026-11-16 人工回复率 0%（0/1），低于 90% 的线。
        [M12] 人工回复率 = 没有超时的对话 ÷ 当天的对话，按轮次算：从买家发来消息到下一条人工回复是一轮，满 3 分钟没有回复算超时。
        [M6] 样本有 1 轮对话，满 1 才判断。
        #3  2026-11-16 10:04:30  shop default  score alert
        Alert: the reply rate of 2026-11-16 is 0% (0/1), below its line of 90%.
        [M12] Rounds that were answered in time, divided by all rounds of that day. A round lasts from a buyer's message to the next human reply; it is late after 3 min.
        [M6] Sample of rounds: 1; a rate is judged from 1 on.

        of sessions
        #3  2026-11-16 10:04:30  店铺 default  分数预警
        预警：2026-11-16 人工回复率 0%（0/1），低于 90% 的线。
        [M12] 人工回复率 = 首轮没有超时的会话 ÷ 当天的会话，只看每个会话的第一轮：满 3 分钟没有人工回复算超时。
        [M6] 样本有 1 个会话，满 1 才判断。
        #3  2026-11-16 10:04:30  shop default  score alert
        Alert: the reply rate of 2026-11-16 is 0% (0/1), below its line of 90%.
        [M12] Sessions whose first round was answered in time, divided by all of that day. A round lasts from a buyer's message to the next human reply; it is late after 3 min.
        [M6] Sample of sessions: 1; a rate is judged from 1 on.

        of buyers
        [M1] 人工回复率 = 没有超时的咨询买家 ÷ 当天咨询买家，按人算；消息满 3 分钟没有人工回复算超时。
        [M6] 样本有 1 位咨询买家，满 1 才判断。
        [M1] Consulting buyers who were not kept late, divided by all who consulted that day. A message without a human reply for 3 min is late.
        [M6] Sample of consulting buyers: 1; a rate is judged from 1 on.

        a late round
        [M3、M12] 这一轮对话在发消息那天计为超时，拉低当天按轮次算的人工回复率。
        [M3, M12] The round counts as late on the day of the message, which lowers that day's reply rate of rounds.

        a late session
        [M3、M12] 这个会话的首轮在发消息那天计为超时，拉低当天按会话算的人工回复率。
        [M3, M12] The session's first round counts as late on the day of the message, which lowers that day's reply rate of sessions.

        a late round that is not its session's first
        [M3、M12] 人工回复率只看每个会话的首轮，这不是首轮，不影响回复率。
        [M3, M12] The reply rate counts the first round of each session alone, and this is a later one.
    "#]].assert_eq(&told_of(&[
        ("of rounds", &with(rounds, &asked), 3, ""),
        ("of sessions", &with(sessions, &asked), 3, ""),
        ("of buyers", &with(buyers, &asked), 3, "["),
        ("a late round", &with(rounds, &asked), 2, "["),
        ("a late session", &with(sessions, &asked), 2, "["),
        (
            "a late round that is not its session's first",
            &with(sessions, &later),
            2,
            "[",
        ),
    ]));
}

#[test]
fn a_good_rate_of_the_ratings_that_are_judged() {
    let judged = policy(
        r#""policy":{"invite":{"bots":true},"service":{"min_sample":1,"good_rate":{"min":0.8,"human":true,"to":"23:00"}}}"#,
    );
    let bot = (
        "10:02:00",
        "session.opened",
        r#""session":"s2","buyer":"b2","bot":true"#,
    );
    let rows = [
        judged,
        ANNA,
        ANNA_COMES,
        S1,
        bot,
        (
            "10:03:00",
            "session.closed",
            r#""session":"s2","by":"buyer""#,
        ),
        ("10:03:10", "rating.submitted", r#""card":"s2#1","stars":5"#),
        (
            "10:03:30",
            "session.closed",
            r#""session":"s1","by":"buyer""#,
        ),
        ("10:04:00", "rating.submitted", r#""card":"s1#1","stars":2"#),
    ];
    expect![[r#"
        one of two
        #8  2026-11-16 10:04:00  店铺 default  分数预警
        预警：2026 年第 47 周 好评率 0%（0/1），低于 80% 的线，再有 4 个满意就能达标。
        [M4] 好评率 = 满意 ÷ 计入的评价。本周共 2 个评价，计入 1 个（不计机器人的评价，只计 00:00-23:00 发出的评价卡）。
        [M6] 样本有 1 个评价，满 1 才判断。
        #8  2026-11-16 10:04:00  shop default  score alert
        Alert: the good rate of 2026-W47 is 0% (0/1), below its line of 80%; 4 more satisfied ratings bring it back.
        [M4] Satisfied ratings divided by those that are judged: 1 of the 2 ratings of that week (those of the bot do not count, only cards made at 00:00-23:00 count).
        [M6] Sample of ratings: 1; a rate is judged from 1 on.
    "#]].assert_eq(&told_of(&[("one of two", &rows, 8, "")]));
}

const BLOCKED: Row = (
    "10:03:00",
    "buyer.blocked",
    r#""buyer":"b1","blocked":true,"until":"2026-11-16T18:00:00+08:00""#,
);
const BLOCKED_FOR_GOOD: Row = (
    "10:03:00",
    "buyer.blocked",
    r#""buyer":"b1","blocked":true"#,
);

#[test]
fn a_buyer_that_is_blocked() {
    let again = (
        "10:05:00",
        "session.opened",
        r#""session":"s9","buyer":"b1""#,
    );
    let rates = (
        "10:04:00",
        "rating.submitted",
        r#""session":"s1","stars":1"#,
    );
    let rows = [STANDARD, ANNA, ANNA_COMES, S1, BLOCKED, rates, again];
    check(
        &rows,
        2,
        expect![[r#"
        #2  2026-11-16 10:03:00  店铺 default  会话结束
        会话 s1（买家 b1，由 anna 接待）已结束：买家被拉黑而结束。
        [B1] 买家被拉黑，到 18:00:00 自动解除；这期间不能发起会话，也不能评价。"#]],
        expect![[r#"
        #2  2026-11-16 10:03:00  shop default  closed
        Session s1 (buyer b1, served by anna) has ended: closed because the buyer was blocked.
        [B1] The buyer is blocked until 18:00:00: until then it can neither open a session nor rate."#]],
    );
    check(
        &rows,
        3,
        expect![[r#"
        #3  2026-11-16 10:03:00  店铺 default  不邀评
        自动邀评：没有邀请买家 b1（会话 s1）：这种结束方式不邀评。

        依次看过的规则（✓ 通过，✗ 不通过）：
          ✓  [I1]   邀评开关        自动邀评已开启
          ✓  [I2]   谁接待的        客服接待过
          ✗  [I3]   结束方式        买家被拉黑而结束，这样结束的会话一律不邀评
          ✓  [I4]   谁最后说话      没有人说过话（不作要求）
          ✓  [I5]   会话时长        2 分钟（不限时长）
          ✓  [I6]   暂停时段        现在不在暂停时段
          ✓  [I7]   风险用户        不是风险用户
          ✓  [I8]   抽样比例        全部邀请，不抽样
          ✓  [I9]   最近评价        24 小时内没有打开或提交过评价
          ✓  [I10]  最近邀请        没有邀请过
          ✓  [I11]  本店当日次数    不限次数
          ✓  [I12]  其他店当日次数  今天已有 0 家其他店自动邀过 TA，最多 2 家"#]],
        expect![[r#"
        #3  2026-11-16 10:03:00  shop default  not invited
        Automatic invite: buyer b1 is not asked (session s1): not after such a close.

        The rules in their order (✓ passed, ✗ keeps it back):
          ✓  [I1]   switch             automatic invites are on
          ✓  [I2]   served by          an agent
          ✗  [I3]   close              closed because the buyer was blocked, after which no buyer is ever invited
          ✓  [I4]   last word          no message was sent (the agent need not speak last)
          ✓  [I5]   length             2 min (any length will do)
          ✓  [I6]   suspended          not now
          ✓  [I7]   risk               the buyer is not flagged
          ✓  [I8]   sample             every buyer is asked
          ✓  [I9]   rated              no rating opened or submitted within 24 h
          ✓  [I10]  invited            never
          ✓  [I11]  this shop today    no limit
          ✓  [I12]  other shops today  other shops that asked automatically today: 0 of 2"#]],
    );
    check(
        &rows,
        4,
        expect![[r#"
        #4  2026-11-16 10:04:00  店铺 default  评价未生效
        这次评价没有生效（会话 s1）：买家已被拉黑。
        [B1] 买家被拉黑，到 18:00:00 自动解除；这期间不能发起会话，也不能评价。"#]],
        expect![[r#"
        #4  2026-11-16 10:04:00  shop default  rating refused
        The rating does not count (session s1): the buyer is blocked.
        [B1] The buyer is blocked until 18:00:00: until then it can neither open a session nor rate."#]],
    );
    check(
        &rows,
        5,
        expect![[r##"
        #5  2026-11-16 10:05:00  店铺 default  事件未生效
        事件 session.opened 没有生效：买家已被拉黑。
        [B1] 原始提示：Buyer "b1" is blocked: send `buyer.blocked` with `blocked` false to serve it again.
        [B1] 买家被拉黑，到 18:00:00 自动解除；这期间不能发起会话，也不能评价。"##]],
        expect![[r##"
        #5  2026-11-16 10:05:00  shop default  event rejected
        Event session.opened changed nothing: the buyer is blocked.
        [B1] Buyer "b1" is blocked: send `buyer.blocked` with `blocked` false to serve it again.
        [B1] The buyer is blocked until 18:00:00: until then it can neither open a session nor rate."##]],
    );
    let rows = [STANDARD, ANNA, ANNA_COMES, S1, BLOCKED_FOR_GOOD];
    expect![[r#"
        without an end
        [B1] 买家被拉黑，没有期限；解除拉黑之前不能发起会话，也不能评价。
        [B1] The buyer is blocked without an end: it can neither open a session nor rate until it is unblocked.
    "#]].assert_eq(&told_of(&[("without an end", &rows, 2, "[B1]")]));
}

#[test]
fn an_event_that_comes_too_late() {
    let early = ("09:40:00", "clock", "");
    check(
        &[STANDARD, ANNA, ANNA_COMES, S1, early],
        2,
        expect![[r#"
            #2  2026-11-16 10:01:00  店铺 default  事件未生效
            事件 clock 没有生效：来得太晚，超过了店铺允许的迟到时间。
            [T1] 原始提示：`at` is before the shop's clock, which stands at 2026-11-16T10:01:00+08:00, by more than the policy's `session.lateness` of 10m: send events in the order of time, or the last one's time.
            [T1] 事件的时间是 09:40:00，店铺的时钟已到 10:01:00，晚了 21 分钟；店铺最多接受晚 10 分钟的事件。"#]],
        expect![[r#"
            #2  2026-11-16 10:01:00  shop default  event rejected
            Event clock changed nothing: it comes later than the policy allows.
            [T1] `at` is before the shop's clock, which stands at 2026-11-16T10:01:00+08:00, by more than the policy's `session.lateness` of 10m: send events in the order of time, or the last one's time.
            [T1] The event is of 09:40:00 and the shop's clock is at 10:01:00, so it is 21 min late; the policy takes events that are at most 10 min late."#]],
    );
    let strict = policy(r#""policy":{"session":{"lateness":"0s"}}"#);
    expect![[r#"
        no lateness at all
        [T1] 原始提示：`at` is before the shop's clock, which stands at 2026-11-16T10:00:00+08:00, by more than the policy's `session.lateness` of 0s: send events in the order of time, or the last one's time.
        [T1] 事件的时间是 09:40:00，店铺的时钟已到 10:00:00，晚了 20 分钟；店铺不接受迟到的事件。
        [T1] `at` is before the shop's clock, which stands at 2026-11-16T10:00:00+08:00, by more than the policy's `session.lateness` of 0s: send events in the order of time, or the last one's time.
        [T1] The event is of 09:40:00 and the shop's clock is at 10:00:00, so it is 20 min late; the policy takes no late events.
    "#]].assert_eq(&told_of(&[(
        "no lateness at all",
        &[strict, early],
        1,
        "[T1]",
    )]));
}

#[test]
fn an_invite_after_a_rating() {
    let strict = policy(
        r#""policy":{"invite":{"quiet_after_opening":false},"routing":{"queue":{"leave_grace":"1m"}}}"#,
    );
    let opened = ("10:02:10", "rating.opened", r#""session":"s1""#);
    let rated = (
        "10:02:20",
        "rating.submitted",
        r#""session":"s1","stars":4"#,
    );
    let s1_closed = (
        "10:03:30",
        "session.closed",
        r#""session":"s1","by":"buyer""#,
    );
    let asked = ("10:03:00", "invite.requested", r#""session":"s1""#);
    let with =
        |policy: Row, rows: &[Row]| [&[policy, ANNA, ANNA_COMES, S1, B1_WRITES], rows].concat();
    let left = ("10:02:00", "buyer.left", r#""session":"s1""#);
    expect![[r#"
        opening counts
        ✗  [I9]   最近评价        10:02:10 打开或提交过评价，24 小时内不再邀，11-17 10:02:10 起可邀
        ✗  [I9]   rated              opened or submitted a rating at 10:02:10: quiet for 24 h, free again at 11-17 10:02:10

        opening does not count
        ✓  [I9]   最近评价        24 小时内没有提交过评价（只打开评价卡不算）
        ✓  [I9]   rated              no rating submitted within 24 h (opening a card alone does not count)

        a submission counts
        ✗  [I9]   最近评价        10:02:20 提交过评价，24 小时内不再邀，11-17 10:02:20 起可邀（只打开评价卡不算）
        ✗  [I9]   rated              submitted a rating at 10:02:20: quiet for 24 h, free again at 11-17 10:02:20 (opening a card alone does not count)

        the agent's button
        ✗  [I9]   最近评价  10:02:10 打开或提交过这位客服的评价，24 小时内不再邀，11-17 10:02:10 起可邀
        ✗  [I9]   rated          opened or submitted a rating of this agent at 10:02:10: quiet for 24 h, free again at 11-17 10:02:10

        long ago
        ✓  [I9]   最近评价        上次打开或提交评价是 10:02:10，已过 1 分钟
        ✓  [I9]   rated              opened or submitted a rating last at 10:02:10, 1 min have passed

        the buyer gave up
        ✗  [I3]   结束方式        买家离开页面未返回而结束，这样结束的会话一律不邀评
        ✗  [I3]   close              closed because the buyer left and did not come back, after which no buyer is ever invited

        the buyer was blocked
        ✗  [I3]   结束方式        买家被拉黑而结束，这样结束的会话一律不邀评
        ✗  [I3]   close              closed because the buyer was blocked, after which no buyer is ever invited
    "#]].assert_eq(&told_of(&[
        (
            "opening counts",
            &with(STANDARD, &[opened, s1_closed]),
            5,
            "✗",
        ),
        (
            "opening does not count",
            &with(strict, &[opened, s1_closed]),
            5,
            "✓  [I9]",
        ),
        (
            "a submission counts",
            &with(strict, &[rated, s1_closed]),
            6,
            "✗",
        ),
        (
            "the agent's button",
            &with(strict, &[opened, asked]),
            3,
            "✗",
        ),
        (
            "long ago",
            &with(
                policy(r#""policy":{"invite":{"quiet_after_rating":"1m"}}"#),
                &[opened, s1_closed],
            ),
            5,
            "✓  [I9]",
        ),
        ("the buyer gave up", &[strict, S1, left, NOON], 3, "✗  [I3]"),
        (
            "the buyer was blocked",
            &[STANDARD, S1, BLOCKED],
            3,
            "✗  [I3]",
        ),
    ]));
}

/// The message comes five minutes late, when its limit has passed.
#[test]
fn a_reminder_of_a_message_that_came_late() {
    let late = ("10:01:30", "buyer.message", r#""session":"s1""#);
    let now = ("10:06:30", "clock", "");
    let rows = [STANDARD, ANNA, ANNA_COMES, S1, now, late];
    expect![[r#"
        a reminder
        [M3] 消息晚到，已过了 3 分钟的时限（10:04:30）。
        [M3] The message came late: its limit of 3 min has passed at 10:04:30.
    "#]]
    .assert_eq(&told_of(&[("a reminder", &rows, 2, "[M3]")]));
}

/// Lines of the summary that speak of scores.
fn scores_told(rows: &[Row]) -> String {
    let mut installation = Installation::default();
    replay_with(&mut installation, trace(rows).as_bytes(), |_, _, _| Ok(())).expect("a trace");
    let report = installation.report().remove("default").expect("a report");
    let service = &installation
        .shop("default")
        .expect("a shop")
        .policy()
        .service;
    let highlights = Highlights::default();
    let languages = [Language::Chinese, Language::English];
    let texts =
        languages.map(|language| explain_text::summary(&report, service, &highlights, language));
    let lines = texts.iter().flat_map(|text| text.lines());
    let scores = lines.filter(|line| line.starts_with("  2026-") || line.starts_with("  2026 "));
    scores.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_summary_speaks_of_the_unit_and_of_what_is_judged() {
    let rounds = policy(r#""policy":{"service":{"reply":{"min_rate":0.9,"unit":"round"}}}"#);
    let sessions = policy(
        r#""policy":{"invite":{"bots":true},"service":{"reply":{"unit":"session"},"good_rate":{"min":0.8,"human":true}}}"#,
    );
    let bot = (
        "10:02:00",
        "session.opened",
        r#""session":"s2","buyer":"b2","bot":true"#,
    );
    let closed = (
        "10:03:00",
        "session.closed",
        r#""session":"s2","by":"buyer""#,
    );
    let rated = ("10:03:10", "rating.submitted", r#""card":"s2#1","stars":5"#);
    expect![[r#"
        2026-11-16 人工回复率 0%，没达到 90% 的线：对话 1 轮，1 轮等 3 分钟还没回复；咨询 1 人，0 人当天得到回复
        2026-11-16 reply rate 0%, below its line of 90%: 1 rounds, 1 waited 3 min or longer; 1 buyers consulted, 0 were answered that day"#]].assert_eq(&scores_told(&[
        rounds, ANNA, ANNA_COMES, S1, B1_WRITES, NOON,
    ]));
    let rows = [
        sessions, ANNA, ANNA_COMES, S1, B1_WRITES, bot, closed, rated, NOON,
    ];
    expect![[r#"
        2026-11-16 人工回复率 0%：咨询会话 1 个，1 个首轮等 3 分钟还没回复；咨询 1 人，0 人当天得到回复
        2026 年第 47 周 好评率 -：1 个评价里 0 个计入；全部评价的好评率是 100%，1 个满意
        2026-11-16 reply rate 0%: 1 sessions, 1 waited 3 min or longer in their first round; 1 buyers consulted, 0 were answered that day
        2026-W47 good rate -: 0 of 1 ratings are judged; of all, 1 are satisfied (100%)"#]].assert_eq(&scores_told(&rows));
}

#[test]
fn the_facts_of_the_shop_have_stable_names() {
    let facts = |rows: &[Row], seq| facts(&trace(rows), seq);
    let opened = (
        "10:05:00",
        "session.opened",
        r#""session":"s9","buyer":"b1""#,
    );
    let alert = policy(
        r#""policy":{"service":{"reply":{"min_rate":0.9,"min_sample":1,"unit":"round","remind_after":"0s"}}}"#,
    );
    let asked = [alert, ANNA, ANNA_COMES, S1, B1_WRITES, NOON];
    let daily = policy(r#""policy":{"service":{"daily":true,"reply":{"remind_after":"0s"}}}"#);
    let mut day = trace(&[daily, ANNA, ANNA_COMES, S1, B1_WRITES]);
    day.push_str(NEXT_DAY);
    let closed = [policy(HOURS), ANNA, ANNA_COMES, NOON, S1_AT_NOON];
    let blocked = [STANDARD, ANNA, ANNA_COMES, S1, BLOCKED, opened];
    let all = [
        facts(&closed, 1),
        facts(&closed, 2),
        facts(&closed, 3),
        facts(&blocked, 2),
        facts(&blocked, 4),
        facts(&[STANDARD, ("09:40:00", "clock", "")], 1),
        facts(&asked, 2),
        facts(&asked, 3),
        self::facts(&day, 3),
    ];
    expect![[r#"
        {"by_policy":false,"current":null,"day":"2026-11-16","intervals":["09:00-12:00","14:00-18:00"],"outside":"offline","rule":"H3","single_day":false}

        {"pool":"all","rule":"R2","scope":"all"}
        {"closed":true,"opens_at":"2026-11-16T14:00:00+08:00","rule":"H2"}
        {"rota":"off","rule":"R5"}

        {"pool":"all","position":1,"reason":"closed","rule":"H2"}
        {"opens_at":"2026-11-16T14:00:00+08:00","reply":"closed","rule":"H2"}

        {"blocked_until":"2026-11-16T18:00:00+08:00","rule":"B1"}

        {"blocked_until":"2026-11-16T18:00:00+08:00","rule":"B1"}

        {"at":"2026-11-16T09:40:00+08:00","clock":"2026-11-16T10:00:00+08:00","lateness":"10m","rule":"T1"}

        {"first":true,"rule":"M3","unit":"round"}

        {"metric":"reply_rate","min_sample":1,"over":0,"rule":"M6","threshold":0.9,"under":1,"unit":"round","within":"3m"}

        {"effective_bot":false,"penalty_above":0,"rule":"M13","unit":"buyer","within":"3m"}"#]].assert_eq(&all.join("\n\n"));
}
