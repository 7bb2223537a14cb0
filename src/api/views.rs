//! What is seen of a live shop, as JSON: the views of the core, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::base::time::Instant;
use crate::domain::read::views::{Page, State};
use crate::domain::state::shop::Shop;

/// One page of a list: its items, each written already, and the key of the last one where there are more.
pub struct Listed {
    /// Each a JSON object.
    pub items: Vec<String>,
    /// What the next page begins behind.
    pub next: Option<String>,
}

/// A session, and from where on its timeline is to be looked for.
pub struct ViewedSession {
    /// A JSON object.
    pub json: String,
    /// The shop's `seq` as it was opened.
    pub since_seq: u64,
}

/// The agents by id, behind one of them.
pub fn agents(shop: &Shop, after: Option<&str>, limit: usize) -> Listed {
    listed(shop.agents(after, limit))
}

/// One agent.
pub fn agent(shop: &Shop, agent: &str) -> Option<String> {
    shop.agent(agent).map(|view| written(&view))
}

/// The sessions of a state, behind one of them; waits are those of `now`.
pub fn sessions(
    shop: &Shop,
    state: State,
    after: Option<&str>,
    limit: usize,
    now: Instant,
) -> Listed {
    listed(shop.sessions(state, after, limit, now.max(shop.now())))
}

/// One session, open or remembered.
pub fn session(shop: &Shop, session: &str, now: Instant) -> Option<ViewedSession> {
    let view = shop.session(session, now.max(shop.now()))?;
    Some(ViewedSession {
        json: written(&view),
        since_seq: view.since_seq,
    })
}

/// The pools in which somebody waits, by name, behind one of them.
pub fn pools(shop: &Shop, after: Option<&str>, limit: usize, now: Instant) -> Listed {
    let pools = shop.pools(now.max(shop.now())).into_iter();
    let behind = pools.filter(|pool| after.is_none_or(|after| &*pool.pool > after));
    first(behind, limit, |pool| pool.pool.to_string())
}

/// A line of a menu.
#[derive(Serialize, ToSchema)]
pub struct Question {
    question: String,
}

/// The menu of an entry, by name, behind one of its questions; nothing where there is no such entry.
pub fn questions(shop: &Shop, entry: &str, after: Option<&str>, limit: usize) -> Option<Listed> {
    let questions = shop.questions(entry)?.into_iter();
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

/// The first of a list that is short enough to be looked at as a whole.
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

/// Views hold nothing that JSON cannot write.
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
