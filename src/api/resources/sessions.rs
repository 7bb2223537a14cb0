//! The sessions of a shop by state, one session with its timeline, the pools, and the menu of an entry.

use crate::api::resource_change::rejected;
use crate::api::schema::SessionWithTimeline;
use crate::api::views;
use crate::domain::base::calendar::Zone;
use crate::domain::base::time::{Instant, OffsetTimestamp};
use crate::domain::read::views::{InviteView, Page, PoolView, SessionView, State};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::text_json;
use crate::runtime::TimelineEntry;

/// The values of `state`.
const STATES: [(&str, State); 3] = [
    ("open", State::Open),
    ("waiting", State::Waiting),
    ("closed", State::Closed),
];

/// Lists the sessions of a state
///
/// `state` is one of: `open` (the default: with an agent or the bot), by opening time; `waiting`, the longest wait
/// first; `closed` (in the last 7 days), the latest first.
#[utoipa::path(get, path = "/v1/shops/{shop}/sessions", tag = "sessions", operation_id = "list_sessions",
    responses((status = 200, body = Page<SessionView>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let state = call.query.choice("state", &STATES)?.unwrap_or(State::Open);
    // A cursor is valid only for the state of its list.
    let list = match state {
        State::Open => "sessions.open",
        State::Waiting => "sessions.waiting",
        State::Closed => "sessions.closed",
    };
    let (limit, after) = (call.query.limit()?, call.query.cursor(list)?);
    let now = call.state.shops.now();
    let listed = call.live(move |shop| views::sessions(shop, state, after.as_deref(), limit, now));
    Ok(listed.await?.page(list))
}

/// One session with its timeline: its events and the decisions about it
#[utoipa::path(get, path = "/v1/shops/{shop}/sessions/{session}", tag = "sessions", operation_id = "get_session",
    responses((status = 200, body = SessionWithTimeline)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    let (shop, session, now) = (call.shop()?, call.id("session")?, call.state.shops.now());
    let wanted = session.clone();
    let found = call.live(move |shop| {
        let seen = views::session(shop, &wanted, now)?;
        Some((seen, shop.policy().timezone.clone()))
    });
    let Some((mut seen, zone)) = found.await? else {
        return Err(Problem::session_unknown(&session));
    };
    let timeline = call
        .state
        .shops
        .timeline(&shop, &session, seen.since_seq)
        .await;
    let timeline = timeline.map_err(|error| Problem::unread(&shop, error))?;
    seen.json.pop();
    seen.json.push_str(",\"timeline\":[");
    for (place, entry) in timeline.iter().enumerate() {
        if place > 0 {
            seen.json.push(',');
        }
        write_entry(&mut seen.json, entry, &zone);
    }
    seen.json.push_str("]}");
    Ok(text_json(seen.json))
}

/// What a request for an invitation would decide now
///
/// The same as `invite.requested` by the session's agent, but nothing is sent or recorded. The problem is that of the
/// event if it would be rejected.
#[utoipa::path(get, path = "/v1/shops/{shop}/sessions/{session}/invite", tag = "sessions",
    operation_id = "get_session_invite", responses((status = 200, body = InviteView)))]
pub async fn invite(call: RequestContext) -> HandlerResult {
    let (session, now) = (call.id("session")?, call.state.shops.now());
    let found = call.live(move |shop| views::invite(shop, &session, now));
    let checked = found.await?.map_err(|rejection| rejected(&rejection));
    Ok(text_json(checked?))
}

/// `{"at":…,"event":{…}}` or `{"decision":{…}}`, as they were recorded.
fn write_entry(text: &mut String, entry: &TimelineEntry, zone: &Zone) {
    match entry {
        TimelineEntry::Event(at, sent) => {
            let sent = String::from_utf8_lossy(sent);
            text.push_str(&format!(
                "{{\"at\":\"{}\",\"event\":{sent}}}",
                stamp(zone, *at)
            ));
        }
        TimelineEntry::Decision(json) => text.push_str(&format!("{{\"decision\":{json}}}")),
    }
}

fn stamp(zone: &Zone, at: Instant) -> OffsetTimestamp {
    zone.span(at).stamp(zone, at)
}

/// Lists the pools in which sessions wait
#[utoipa::path(get, path = "/v1/shops/{shop}/pools", tag = "sessions", operation_id = "list_pools",
    responses((status = 200, body = Page<PoolView>)))]
pub async fn pools(call: RequestContext) -> HandlerResult {
    const LIST: &str = "pools";
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let now = call.state.shops.now();
    let listed = call
        .live(move |shop| views::pools(shop, after.as_deref(), limit, now))
        .await?;
    Ok(listed.page(LIST))
}

/// The menu of an entry: the questions that a buyer can choose
#[utoipa::path(get, path = "/v1/shops/{shop}/entries/{entry}/questions", tag = "sessions",
    operation_id = "list_questions", responses((status = 200, body = Page<views::Question>)))]
pub async fn questions(call: RequestContext) -> HandlerResult {
    const LIST: &str = "questions";
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let entry = call.id("entry")?;
    let wanted = entry.clone();
    let listed = call
        .live(move |shop| views::questions(shop, &wanted, after.as_deref(), limit))
        .await?;
    let listed = listed.ok_or_else(|| {
        let detail = format!(
            "No entry {entry:?}: name product_detail, order_detail, message, live, other, \
             or a key of the policy's `routing.entries`."
        );
        Problem::new(ProblemCode::EntryUnknown, detail)
    })?;
    Ok(listed.page(LIST))
}
