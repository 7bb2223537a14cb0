//! The live stream: a shop's decisions as server-sent events, from a cursor on, for as long as somebody listens.
//!
//! A page of decisions is read once the one before has been taken, so a reader holds up nobody and costs as much as
//! the last; an idle subscriber costs a notifier and a timer. Nothing is missed and nothing comes twice:
//! it subscribes before it reads first, and every event has its `seq` as its `id`.

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

/// Where whoever comes back says what it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// After how long a listener that was cut off is to come back.
const RETRY_MS: u32 = 2_000;

/// Decisions that are read and written at once, at most…
const PAGE: usize = 128;

/// … and about how many bytes, by how long those before were: a listener may take its time over them.
const PAGE_BYTES: usize = 32 * 1024;

/// Decisions of the first page, whose length nobody knows.
const PAGE_FIRST: usize = 16;

/// Pages that are read at once, for all listeners together: a read takes some memory, and its listener can wait.
const READS_AT_ONCE: usize = 4;

static READS: Semaphore = Semaphore::const_new(READS_AT_ONCE);

/// After so many decisions that were not wanted the listener is told how far it is.
const UNTOLD_MAX: u64 = 4_096;

/// The shop's decisions as they are taken
///
/// Server-sent events: `id` is the decision's `seq`, `event` its type, `data` the decision as `GET decisions` lists it.
/// Begins behind `Last-Event-ID` or `after`; without either, with what is decided from now on. A cursor that the shop
/// has not reached is of a shop that began anew since: all is sent. `types` takes types with commas between them.
#[utoipa::path(get, path = "/v1/shops/{shop}/stream", tag = "decisions", operation_id = "stream_decisions",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The `seq` that was received last; goes before `after`")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn open(call: RequestContext) -> HandlerResult {
    let (shop, types, cursor) = (call.shop()?, types(&call.query)?, cursor(&call)?);
    // Who listens before it looks misses nothing between the two.
    let following = call.state.desk.follow(&shop);
    let gone = following.heard().gone;
    let newest = call.live(|shop| shop.seq()).await?;
    let sent = match cursor {
        None => newest,
        Some(cursor) if cursor <= newest => cursor,
        Some(_) => 0,
    };
    let stream = Stream {
        pass: call.pass()?,
        closing: call.state.desk.closing(),
        heartbeat: call.state.limits.heartbeat,
        desk: call.state.desk.clone(),
        shop,
        types,
        following,
        gone,
        newest,
        sent,
        page: PAGE_FIRST,
        told: None,
    };
    Ok(HttpResponse::Ok()
        .content_type(STREAM_TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        // A connection whose stream has ended is not kept: it would hold up a server that stops.
        .force_close()
        .streaming(unfold(stream, Stream::next)))
}

/// The `seq` behind which the stream begins, where one is named.
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

/// The types that are wanted; nothing where all are.
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

/// One listener.
struct Stream {
    pass: Reauthorization,
    desk: Shops,
    closing: ShutdownListener,
    heartbeat: Duration,
    shop: Id,
    types: Option<Vec<&'static str>>,
    following: DecisionFeed,
    /// How often the shop had been taken away when this began.
    gone: u64,
    /// Decisions up to this one are known to be there.
    newest: u64,
    /// Decisions up to this one were sent, or are not wanted.
    sent: u64,
    /// How many decisions make a page.
    page: usize,
    /// The last `id` that the listener was told; nothing before the first bytes.
    told: Option<u64>,
}

/// What ends a wait.
enum StreamItem {
    /// There may be decisions, or the shop is gone.
    News,
    /// Nothing happened.
    Silence,
    /// There is nothing more to come for this listener.
    Over,
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Stream)> {
        let piece = self.piece().await?;
        Some((Ok(piece.into()), self))
    }

    /// The next piece of text; nothing where the stream is over.
    async fn piece(&mut self) -> Option<String> {
        if self.told.is_none() {
            // The `id` without data is kept by the listener: what is decided before its first event is not lost.
            return Some(format!("retry: {RETRY_MS}\n{}", self.tell()));
        }
        loop {
            let heard = self.following.heard();
            if heard.gone != self.gone || self.closing.has_begun() || !self.pass.holds() {
                return None;
            }
            self.newest = self.newest.max(heard.seq);
            if self.sent < self.newest {
                let page = self.page().await?;
                if !page.is_empty() {
                    return Some(page);
                }
                continue;
            }
            match self.wait().await {
                StreamItem::News => {}
                StreamItem::Silence => return Some(format!(": \n{}", self.tell())),
                StreamItem::Over => return None,
            }
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> StreamItem {
        let news = pin!(self.following.changed());
        let closing = pin!(self.closing.begun());
        match actix_rt::time::timeout(self.heartbeat, select(news, closing)).await {
            Ok(Either::Left(_)) => StreamItem::News,
            Ok(Either::Right(_)) => StreamItem::Over,
            Err(_) if self.pass.holds() => StreamItem::Silence,
            Err(_) => StreamItem::Over,
        }
    }

    /// An event without data, which tells how far the listener is.
    fn tell(&mut self) -> String {
        let news = self.told != Some(self.sent);
        self.told = Some(self.sent);
        if news {
            format!("id: {}\n\n", self.sent)
        } else {
            "\n".to_owned()
        }
    }

    /// The next decisions as events; empty where none of them is wanted.
    async fn page(&mut self) -> Option<String> {
        let many = self.page.min((self.newest - self.sent) as usize);
        let turn = READS.acquire().await.ok()?;
        let page = self
            .desk
            .decisions(&self.shop, self.sent, many)
            .await
            .ok()?;
        drop(turn);
        if self.following.heard().gone != self.gone {
            // What was read may be of a shop that was made anew under the name.
            return None;
        }
        let bytes: usize = page.items.iter().map(|decision| decision.json.len()).sum();
        self.page = (PAGE_BYTES * page.items.len() / bytes.max(1)).clamp(1, PAGE);
        let mut text = String::new();
        for decision in &page.items {
            let name = decision.said().kind;
            if self
                .types
                .as_ref()
                .is_none_or(|types| types.contains(&name))
            {
                let (seq, json) = (decision.seq, &decision.json);
                text.push_str(&format!("id: {seq}\nevent: {name}\ndata: {json}\n\n"));
                self.told = Some(seq);
            }
        }
        // Where there is nothing up to what is known to be there, retention has dropped it.
        self.sent = page
            .items
            .last()
            .map_or(self.newest, |decision| decision.seq);
        let untold = self.sent - self.told.unwrap_or_default();
        if text.is_empty() && untold >= UNTOLD_MAX {
            return Some(self.tell());
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
