//! The queue in words: which session comes first and why (R7, R11), buyers that left the page (S7), and agents that are
//! passed over (R10c).

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::explain::explanation::{QueueOrder, WaitingSession};

use super::phrase::Locale;

/// What R7 knows of a session that it serves.
pub(super) struct Served<'a> {
    pub(super) pool: &'a str,
    pub(super) since: OffsetTimestamp,
    pub(super) waiting: u32,
    pub(super) longest: bool,
    pub(super) unserved: u32,
}

/// R7: how long the session waited, and that it is the next one.
pub(super) fn drained(locale: Locale, served: &Served<'_>) -> String {
    let (pool, since) = (locale.pool(served.pool), locale.time(served.since));
    let waiting = served.waiting;
    let first = match served.longest {
        true => locale.say("这位买家等得最久", "this buyer waited longest"),
        false => locale.say("这位买家排在最前", "this buyer is the first in the queue"),
    };
    let unserved = match served.unserved {
        0 => String::new(),
        n => locale.say(
            format!("；前面还有 {n} 位，能接 TA 们的客服都没有空"),
            format!("; before it in the queue: {n}, whom no free agent may serve"),
        ),
    };
    locale.say(
        format!(
            "从 {since} 起在{pool}队列排队；全店 {waiting} 位在排，有客服能接的里面，{first}{unserved}"
        ),
        format!(
            "waited for {pool} since {since}, {waiting} waited in the shop; of those that a free agent can serve, \
             {first}{unserved}"
        ),
    )
}

/// R11: from when the wait counts, what the priority is worth, and which sessions come later for it.
pub(super) fn ranked(locale: Locale, order: &QueueOrder) -> String {
    let mut parts = Vec::new();
    if order.queued.instant != order.since.instant {
        let queued = locale.time(order.queued);
        parts.push(locale.say(
            format!("排队从买家开始等回复的 {queued} 算起"),
            format!("its wait counts from {queued} on, when the buyer began to wait for a reply"),
        ));
    }
    let level = order.priority.level();
    if level > 0 && !order.age.is_zero() {
        let (each, all) = (
            locale.length(order.age),
            locale.length(order.age.times(level)),
        );
        parts.push(locale.say(
            format!("优先级 {level}，每级相当于多排 {each}，共 {all}"),
            format!("priority {level}: each step counts as {each} more of waiting, {all} in all"),
        ));
    }
    if order.before_in_all > 0 {
        let named = named(locale, &order.before, order.before_in_all, order.age);
        parts.push(locale.say(
            format!("排在更早排队的会话前面：{named}"),
            format!("it goes before sessions that queued earlier: {named}"),
        ));
    }
    parts.join(locale.say("；", "; "))
}

/// S7: sessions that are not served now, because their buyers have left the page.
pub(super) fn left_ahead(locale: Locale, sessions: &[WaitingSession], in_all: u32) -> String {
    let named = named(locale, sessions, in_all, Duration::ZERO);
    locale.say(
        format!("前面有买家离开了页面，暂时跳过，名次保留：{named}"),
        format!(
            "passed over, with their places kept, because the buyer has left the page: {named}"
        ),
    )
}

/// S7: the buyer of the session has left the page.
pub(super) fn left_page(locale: Locale, until: OffsetTimestamp) -> String {
    let until = locale.time(until);
    locale.say(
        format!("买家已离开页面：名次保留到 {until}，这期间不分配客服，到时还没回来会话就结束"),
        format!(
            "the buyer has left the page: its place is kept until {until}, and it gets no agent meanwhile; then the \
             session closes, unless the buyer comes back"
        ),
    )
}

/// R10c.
pub(super) fn passed_over(locale: Locale, agents: &[Id], counted: bool) -> String {
    let agents: Vec<String> = agents.iter().map(Id::to_string).collect();
    let agents = locale.list(&agents);
    match counted {
        false => locale.say(
            format!("会话从这些客服手上转走过，不再分给：{agents}"),
            format!("it was taken from these agents before, so they are left out: {agents}"),
        ),
        true => locale.say(
            format!("会话从这些客服手上转走过：{agents}；但能接的客服里没有别人在线，所以照常分配"),
            format!(
                "it was taken from these agents before: {agents}; no other agent that may serve it is online, so they \
                 count like the rest"
            ),
        ),
    }
}

/// `s2（10:02:00 起）、s3（10:02:30 起）等`.
fn named(locale: Locale, sessions: &[WaitingSession], in_all: u32, age: Duration) -> String {
    let each: Vec<String> = sessions
        .iter()
        .map(|waiting| {
            let (session, since) = (&waiting.session, locale.time(waiting.since));
            let level = waiting.priority.level();
            if age.is_zero() {
                return locale.say(
                    format!("{session}（{since} 起排队）"),
                    format!("{session} (since {since})"),
                );
            }
            locale.say(
                format!("{session}（{since} 起排队，优先级 {level}）"),
                format!("{session} (since {since}, priority {level})"),
            )
        })
        .collect();
    let more = match in_all > sessions.len() as u32 {
        true => locale.say(format!(" 等 {in_all} 位"), format!(", … ({in_all} in all)")),
        false => String::new(),
    };
    format!("{}{more}", locale.list(&each))
}
