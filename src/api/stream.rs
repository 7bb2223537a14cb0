//! The live stream: a shop's decisions as server-sent events, starting after a cursor.
//!
//! A page of decisions is read only after the client took the previous one. So a slow client delays no other client and
//! needs the memory of one page. An idle subscriber needs a notifier and a timer. Each decision is sent exactly once:
//! the stream subscribes before its first read, and every event has its `seq` as its `id`.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::unfold;
use tokio::sync::Semaphore;

use crate::domain::base::id::Id;
use crate::domain::base::suggestion::nearest;
use crate::domain::protocol::decision::DecisionType;
use crate::http::auth::Reauthorization;
use crate::http::problem::Problem;
use crate::http::query::{Query, whole};
use crate::http::request::{HandlerResult, RequestContext};
use crate::runtime::{DecisionFeed, Shops, ShutdownListener};

/// The media type of server-sent events.
const STREAM_TYPE: &str = "text/event-stream";

/// The header in which a reconnecting client sends the last `id` it received.
const LAST_EVENT_ID: &str = "last-event-id";

/// How long, in milliseconds, a client waits before it reconnects.
const RETRY_MS: u32 = 2_000;

/// The maximum number of decisions in a page.
const PAGE: usize = 128;

/// The target size of a page in bytes. The page length adapts to the average decision so far, so that slow clients hold
/// little memory.
const PAGE_BYTES: usize = 32 * 1024;

/// The number of decisions in the first page, when their average length is unknown.
const PAGE_FIRST: usize = 16;

/// The maximum number of concurrent page reads, over all clients. It bounds the memory that reads use.
const READS_AT_ONCE: usize = 4;

static READS: Semaphore = Semaphore::const_new(READS_AT_ONCE);

/// After this many filtered decisions, the client gets the current `seq`.
const UNANNOUNCED_MAX: u64 = 4_096;

/// Streams the shop's decisions as they are taken
///
/// Server-sent events: `id` is the decision's `seq`, `event` is its type, and `data` is the decision as `GET decisions`
/// lists it. The stream starts after `Last-Event-ID` or `after`; without either, with the next decision. If the cursor
/// is greater than the shop's latest `seq`, the shop was deleted and created again, and the stream starts with its
/// first decision. `types` is a comma-separated list of decision types.
#[utoipa::path(get, path = "/v1/shops/{shop}/stream", tag = "decisions", operation_id = "stream_decisions",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The `seq` that was received last. It takes precedence over `after`")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn open(call: RequestContext) -> HandlerResult {
    let (shop, types, cursor) = (call.shop()?, types(&call.query)?, cursor(&call)?);
    // Subscribe before the first read, so that no decision is missed between the two.
    let following = call.state.shops.follow(&shop);
    let gone = following.latest().gone;
    let newest = call.live(|shop| shop.seq()).await?;
    let sent = match cursor {
        None => newest,
        Some(cursor) if cursor <= newest => cursor,
        Some(_) => 0,
    };
    let stream = Stream {
        pass: call.reauthorization()?,
        closing: call.state.shops.closing(),
        heartbeat: call.state.limits.heartbeat,
        shops: call.state.shops.clone(),
        shop,
        types,
        following,
        gone,
        newest,
        sent,
        page: PAGE_FIRST,
        announced: None,
    };
    Ok(HttpResponse::Ok()
        .content_type(STREAM_TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        // A kept-alive connection would delay the server's shutdown.
        .force_close()
        .streaming(unfold(stream, Stream::next)))
}

/// The `seq` after which the stream starts, if the request names one.
fn cursor(call: &RequestContext) -> Result<Option<u64>, Problem> {
    let Some(header) = call.header(LAST_EVENT_ID) else {
        return call.query.whole("after");
    };
    let text = std::str::from_utf8(header).ok();
    let seq = text.and_then(|text| whole(text.trim())).ok_or_else(|| {
        Problem::malformed(
            "`Last-Event-ID` must be the `id` of an event of this stream: a whole number.",
        )
    });
    seq.map(Some)
}

/// The decision types to send. `None` means all.
fn types(query: &Query) -> Result<Option<Vec<&'static str>>, Problem> {
    let read = |text: &str| {
        let known = DecisionType::named(text).map(DecisionType::code);
        known.ok_or_else(|| unknown_type(text))
    };
    let text = query.text("types");
    text.map(|text| text.split(',').map(read).collect())
        .transpose()
}

fn unknown_type(text: &str) -> Problem {
    let what_to_do = match nearest(text, DecisionType::codes()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let all: Vec<&str> = DecisionType::codes().collect();
            format!("there are {}.", all.join(", "))
        }
    };
    Problem::malformed(format!(
        "`types` takes types of decisions with commas between them, and {text:?} is none: {what_to_do}"
    ))
}

/// The stream of one client.
struct Stream {
    pass: Reauthorization,
    shops: Shops,
    closing: ShutdownListener,
    heartbeat: Duration,
    shop: Id,
    types: Option<Vec<&'static str>>,
    following: DecisionFeed,
    /// The shop's deletion count when this stream started.
    gone: u64,
    /// All decisions up to this `seq` exist.
    newest: u64,
    /// All decisions up to this `seq` were sent or filtered.
    sent: u64,
    /// The number of decisions in the next page.
    page: usize,
    /// The last `id` that was sent. `None` before the first bytes.
    announced: Option<u64>,
}

/// Why a wait ended.
enum StreamItem {
    /// There may be new decisions, or the shop was deleted.
    News,
    /// The keep-alive interval passed.
    Silence,
    /// The stream ends: the key was revoked, or the server shuts down.
    Over,
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Stream)> {
        let piece = self.piece().await?;
        Some((Ok(piece.into()), self))
    }

    /// The next piece of text. `None` when the stream ends.
    async fn piece(&mut self) -> Option<String> {
        if self.announced.is_none() {
            // The client remembers an `id` without data. If it reconnects before its first event, it misses no
            // decision.
            return Some(format!("retry: {RETRY_MS}\n{}", self.announce()));
        }
        loop {
            let notice = self.following.latest();
            if notice.gone != self.gone || self.closing.has_begun() || !self.pass.holds() {
                return None;
            }
            self.newest = self.newest.max(notice.seq);
            if self.sent < self.newest {
                let page = self.page().await?;
                if !page.is_empty() {
                    return Some(page);
                }
                continue;
            }
            match self.wait().await {
                StreamItem::News => {}
                StreamItem::Silence => return Some(format!(": \n{}", self.announce())),
                StreamItem::Over => return None,
            }
        }
    }

    /// Waits for the next thing to do.
    async fn wait(&mut self) -> StreamItem {
        let changed = pin!(self.following.changed());
        let closing = pin!(self.closing.begun());
        match actix_rt::time::timeout(self.heartbeat, select(changed, closing)).await {
            Ok(Either::Left(_)) => StreamItem::News,
            Ok(Either::Right(_)) => StreamItem::Over,
            Err(_) if self.pass.holds() => StreamItem::Silence,
            Err(_) => StreamItem::Over,
        }
    }

    /// An event without data, which sends the current `seq` as `id`.
    fn announce(&mut self) -> String {
        let is_new = self.announced != Some(self.sent);
        self.announced = Some(self.sent);
        if is_new {
            format!("id: {}\n\n", self.sent)
        } else {
            "\n".to_owned()
        }
    }

    /// The next decisions as events. Empty if all of them are filtered.
    async fn page(&mut self) -> Option<String> {
        let many = self.page.min((self.newest - self.sent) as usize);
        let turn = READS.acquire().await.ok()?;
        let page = self
            .shops
            .decisions(&self.shop, self.sent, many)
            .await
            .ok()?;
        drop(turn);
        if self.following.latest().gone != self.gone {
            // The shop was deleted and created again: this read may be of the new shop.
            return None;
        }
        let bytes: usize = page.items.iter().map(|decision| decision.json.len()).sum();
        self.page = (PAGE_BYTES * page.items.len() / bytes.max(1)).clamp(1, PAGE);
        let mut text = String::new();
        for decision in &page.items {
            let name = decision.header().kind;
            if self
                .types
                .as_ref()
                .is_none_or(|types| types.contains(&name))
            {
                let (seq, json) = (decision.seq, &decision.json);
                text.push_str(&format!("id: {seq}\nevent: {name}\ndata: {json}\n\n"));
                self.announced = Some(seq);
            }
        }
        // An empty page below `newest` means that retention deleted these decisions.
        self.sent = page
            .items
            .last()
            .map_or(self.newest, |decision| decision.seq);
        let unannounced = self.sent - self.announced.unwrap_or_default();
        if text.is_empty() && unannounced >= UNANNOUNCED_MAX {
            return Some(self.announce());
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_decisions() {
        for (text, found) in [
            ("", Ok(None)),
            ("types=reply.due", Ok(Some(vec!["reply.due"]))),
            (
                "types=session.assigned,session.queued",
                Ok(Some(vec!["session.assigned", "session.queued"])),
            ),
            ("types=", Err("is none: there are session.assigned,")),
            ("types=reply.due,", Err("\"\" is none")),
            (
                "types=session.asigned",
                Err("did you mean `session.assigned`?"),
            ),
            (
                "types=Session.Queued",
                Err("did you mean `session.queued`?"),
            ),
            ("types=message", Err("is none: there are session.assigned,")),
        ] {
            let query = Query::read(text, &["types"]).unwrap();
            match (types(&query), found) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{text}"),
                (Err(problem), Err(expected)) => {
                    assert!(
                        problem.json().replace("\\\"", "\"").contains(expected),
                        "{text}: {}",
                        problem.json()
                    );
                }
                (read, _) => panic!("{text} is {read:?}"),
            }
        }
    }
}
