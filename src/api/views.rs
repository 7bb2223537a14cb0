//! Views of a shop's current state as JSON, one page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::read::views::{self, Page, State};
use crate::domain::state::shop::Shop;

/// One page of a list: serialized items, and the key of the last item if there are more.
pub struct Listed {
    /// Each item is a JSON object.
    pub items: Vec<String>,
    /// The key after which the next page starts.
    pub next: Option<String>,
}

/// A session, and where its timeline starts.
pub struct ViewedSession {
    /// A JSON object.
    pub json: String,
    /// The shop's `seq` when the session was opened.
    pub since_seq: u64,
}

/// Lists the agents by id, starting after `after`.
pub fn agents(shop: &Shop, after: Option<&str>, limit: usize) -> Listed {
    listed(views::agents(shop, after, limit))
}

/// One agent. `None` if it is not configured.
pub fn agent(shop: &Shop, agent: &str) -> Option<String> {
    views::agent(shop, agent).map(|view| written(&view))
}

/// Lists the sessions of a state, starting after a key. Waits are computed at `now`.
pub fn sessions(
    shop: &Shop,
    state: State,
    after: Option<&str>,
    limit: usize,
    now: Instant,
) -> Listed {
    listed(views::sessions(
        shop,
        state,
        after,
        limit,
        now.max(shop.now()),
    ))
}

/// One session, open or closed in the last 7 days.
pub fn session(shop: &Shop, session: &str, now: Instant) -> Option<ViewedSession> {
    let view = views::session(shop, session, now.max(shop.now()))?;
    Some(ViewedSession {
        json: written(&view),
        since_seq: view.since_seq,
    })
}

/// What `invite.requested` would decide. `Err` if it would be rejected.
pub fn invite(shop: &Shop, session: &Id, now: Instant) -> Result<String, Rejection> {
    views::invite(shop, session, now).map(|view| written(&view))
}

/// Lists the pools with waiting sessions by name, starting after `after`.
pub fn pools(shop: &Shop, after: Option<&str>, limit: usize, now: Instant) -> Listed {
    let pools = views::pools(shop, now.max(shop.now())).into_iter();
    let behind = pools.filter(|pool| after.is_none_or(|after| &*pool.pool > after));
    first(behind, limit, |pool| pool.pool.to_string())
}

/// A question in the menu of an entry.
#[derive(Serialize, ToSchema)]
pub struct Question {
    question: String,
}

/// The menu of an entry by name, starting after a question. `None` if the policy has no such entry.
pub fn questions(shop: &Shop, entry: &str, after: Option<&str>, limit: usize) -> Option<Listed> {
    let questions = views::questions(shop, entry)?.into_iter();
    let behind = questions.filter(|question| after.is_none_or(|after| question.as_str() > after));
    let items = behind.map(|question| Question {
        question: question.to_string(),
    });
    Some(first(items, limit, |item| item.question.clone()))
}

fn listed<T: Serialize>(page: Page<T>) -> Listed {
    Listed {
        items: page.items.iter().map(written).collect(),
        next: page.next,
    }
}

/// The first page of a list that is small enough to be built as a whole.
fn first<T: Serialize>(
    items: impl Iterator<Item = T>,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> Listed {
    let mut taken: Vec<T> = items.take(limit + 1).collect();
    let more = taken.len() > limit;
    taken.truncate(limit);
    Listed {
        items: taken.iter().map(written).collect(),
        next: taken.last().filter(|_| more).map(key),
    }
}

/// Serializes a view. Views contain only values that JSON can represent.
fn written(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_begins() {
        for (limit, items, next) in [
            (1, "1", Some("1")),
            (2, "1 2", Some("2")),
            (3, "1 2 3", None),
            (9, "1 2 3", None),
        ] {
            let page = first([1, 2, 3].into_iter(), limit, ToString::to_string);
            assert_eq!(page.items.join(" "), items);
            assert_eq!(page.next.as_deref(), next);
        }
    }
}
