//! Take-back in words: sessions that leave an agent that does not answer (R10) or is offline (R5b), and agents that are
//! set away for it (R10e).

use crate::domain::base::id::Id;
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::explain::explanation::{
    Candidate, Evidence, NotAnswered, TakeBackAttempt, Verdict,
};
use crate::domain::policy::TakeBackOtherwise;
use crate::domain::protocol::decision::DecisionBody;

use super::phrase::Locale;

/// `session.taken_back` in one sentence.
pub(super) fn taken_back(locale: Locale, body: &DecisionBody, notes: &[Evidence]) -> String {
    let DecisionBody::SessionTakenBack {
        session,
        buyer,
        agent,
        since,
        bounce,
    } = body
    else {
        return String::new();
    };
    let (agent, since) = (locale.agent(agent), locale.time(*since));
    let often = often(locale, *bounce, not_answered(notes));
    let next = next(locale, notes);
    locale.say(
        format!(
            "会话 {session}（买家 {buyer}）从{agent}转走：买家从 {since} 起等回复，一直没有人工回复（{often}）。{next}"
        ),
        format!(
            "Session {session} (buyer {buyer}) is taken from {agent}: the buyer has waited for a reply since {since}, \
             and no agent has answered ({often}). {next}"
        ),
    )
}

/// Who gets the session that was taken back, or that it waits.
fn next(locale: Locale, notes: &[Evidence]) -> String {
    let picked = notes.iter().find_map(|note| {
        if let Evidence::Candidates { candidates, .. } = note {
            let mut candidates = candidates.iter();
            candidates.find(|candidate| candidate.verdict == Verdict::Picked)
        } else {
            None
        }
    });
    match picked {
        Some(next) => {
            let next = locale.agent(&next.agent);
            locale.say(
                format!("接下来由{next}接待。"),
                format!("{next} gets it next."),
            )
        }
        None => locale
            .say("接下来转去排队。", "It waits in the queue next.")
            .to_owned(),
    }
}

/// The evidence of R10, if there is any.
pub(super) fn not_answered(notes: &[Evidence]) -> Option<&NotAnswered> {
    notes.iter().find_map(|note| {
        if let Evidence::NotAnswered(found) = note {
            Some(&**found)
        } else {
            None
        }
    })
}

/// How often the session was taken back, and how often it may be.
fn often(locale: Locale, bounce: u32, found: Option<&NotAnswered>) -> String {
    match found.map(|found| found.policy.max) {
        None => locale.say(
            format!("第 {bounce} 次转走"),
            format!("taken back {bounce} times so far"),
        ),
        Some(0) => locale.say(
            format!("第 {bounce} 次转走，不限次数"),
            format!("take-back {bounce}, without a limit"),
        ),
        Some(max) => locale.say(
            format!("第 {bounce} 次转走，最多 {max} 次"),
            format!("take-back {bounce} of at most {max}"),
        ),
    }
}

/// What R10 looked at, each line with its rule.
pub(super) fn steps(
    locale: Locale,
    body: &DecisionBody,
    found: &NotAnswered,
) -> Vec<(&'static str, String)> {
    let mut steps = vec![
        ("R10a", clock(locale, found)),
        ("R10b", left_out(locale, found)),
    ];
    let leaves = matches!(body, DecisionBody::SessionTakenBack { .. });
    if leaves && found.policy.away_after > 0 {
        steps.push(("R10e", misses(locale, found)));
    }
    steps
}

fn clock(locale: Locale, found: &NotAnswered) -> String {
    let (agent, stands) = (
        locale.agent_alone(&found.agent.agent),
        stands(locale, &found.agent),
    );
    let waited = locale.length(found.waited);
    let took_over = found.assigned_at.instant > found.since.instant;
    let began = locale.time(if took_over {
        found.assigned_at
    } else {
        found.since
    });
    let from = match took_over {
        true => locale.say(
            format!("{began} 接手时买家已经在等"),
            format!("got it at {began}, when the buyer waited already"),
        ),
        false => locale.say(
            format!("从 {began} 起没有回复买家"),
            format!("has not answered since {began}"),
        ),
    };
    let ran_out = match found.attempt {
        TakeBackAttempt::Due => locale.say(
            format!("满 {waited}还没有人工回复，超时转接"),
            format!("no reply came within {waited}, which is the time limit"),
        ),
        TakeBackAttempt::Again => locale.say(
            format!("到现在已有 {waited}；到时限时没有其他客服能接，现在有了"),
            format!("that is {waited} ago; no other agent could get it when the time was up, and one can now"),
        ),
    };
    let when = match found.policy.each {
        true => locale.say("每条消息都计时", "the limit applies to every message"),
        false => locale.say(
            "只在客服首次回复之前计时",
            "the limit applies only to the agent's first reply",
        ),
    };
    locale.say(
        format!("{agent}（{stands}）{from}，{ran_out}（{when}）"),
        format!("{agent} ({stands}) {from}: {ran_out} ({when})"),
    )
}

/// `在线 1/1`.
fn stands(locale: Locale, agent: &Candidate) -> String {
    let (presence, load) = (locale.presence(agent.presence), locale.load(agent));
    format!("{presence} {load}")
}

fn left_out(locale: Locale, found: &NotAnswered) -> String {
    let passed: Vec<String> = found.passed.iter().map(Id::to_string).collect();
    let (passed, often) = (
        locale.list(&passed),
        often(locale, found.bounce, Some(found)),
    );
    let otherwise = match found.policy.otherwise {
        TakeBackOtherwise::Stay => locale.say(
            "没有其他空闲客服时留在原客服",
            "where no other agent is free, it stays",
        ),
        TakeBackOtherwise::Queue => locale.say(
            "没有其他空闲客服时转去排队",
            "where no other agent is free but one is online, it waits in the queue",
        ),
    };
    locale.say(
        format!("{often}；重新分流，不再看最近联系客服，也不分给没有回复的客服：{passed}；{otherwise}"),
        format!(
            "{often}; routed anew, without the recent agent and without those that did not answer: {passed}; {otherwise}"
        ),
    )
}

fn misses(locale: Locale, found: &NotAnswered) -> String {
    let agent = locale.agent_first(&found.agent.agent);
    let (misses, away_after) = (found.misses, found.policy.away_after);
    locale.say(
        format!("{agent}已连续被转走 {misses} 个会话，满 {away_after} 个自动设为小休"),
        format!(
            "sessions taken from {agent} in a row: {misses}; the agent is set away at {away_after}"
        ),
    )
}

/// R5b.
pub(super) fn handed_over(locale: Locale, agent: &Candidate, since: OffsetTimestamp) -> String {
    let (agent, since) = (locale.agent(&agent.agent), locale.time(since));
    locale.say(
        format!(
            "买家从 {since} 起等回复，原客服{agent}离线，现在有客服在线：重新分流，不再看最近联系客服"
        ),
        format!(
            "the buyer has waited for a reply since {since}, {agent}, who has it, is offline, and other agents are \
             online: routed anew, without the recent agent"
        ),
    )
}

/// `agent.presence_set`.
pub(super) fn presence_set(locale: Locale, agent: &Id, notes: &[Evidence]) -> Vec<String> {
    let who = locale.agent_first(agent);
    let missed = notes.iter().find_map(|note| {
        if let Evidence::Missed {
            agent,
            misses,
            away_after,
        } = note
        {
            Some((agent, *misses, *away_after))
        } else {
            None
        }
    });
    let Some((candidate, misses, away_after)) = missed else {
        return vec![locale.say(
            format!("{who}被自动设为小休：连续多个会话没有及时回复。"),
            format!("{who} was set away: sessions were taken from it in a row, because it did not answer in time."),
        )];
    };
    let load = locale.load(candidate);
    let in_a_row = match misses {
        1 => locale.say("1 个会话", "a session was").to_owned(),
        n => locale.say(
            format!("连续 {n} 个会话"),
            format!("{n} sessions in a row were"),
        ),
    };
    vec![
        locale.say(
            format!("{who}被自动设为小休：{in_a_row}没有及时回复，被转走了。"),
            format!("{who} was set away: it did not answer in time, and {in_a_row} taken from it."),
        ),
        locale.say(
            format!(
                "[R10e] 店铺设置为连续 {away_after} 个就自动小休。TA 给任何买家发一条人工回复，或自己上线、小休一次，都会重新计数。"
            ),
            format!(
                "[R10e] The policy sets an agent away after {away_after} in a row. A reply of the agent to any buyer \
                 starts the count again, and so does coming online or going away by itself."
            ),
        ),
        locale.say(
            format!("[R10e] 小休期间不再分到新买家，手上的会话不变（接待 {load}）。TA 自己重新上线后恢复；在线状态自动续期不算。"),
            format!(
                "[R10e] The agent gets no new buyers and keeps its open sessions (load {load}). It is back when it \
                 comes online itself; a lease that is renewed by a program does not count."
            ),
        ),
    ]
}
