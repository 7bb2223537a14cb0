//! Opening: what was kept of endpoints, put together with their secrets.
//!
//! Endpoints of the first form bring their secrets with them: these go into the file first, then the endpoint is kept
//! without. An endpoint whose secret is nowhere is switched off, and says so. Secrets of endpoints that are no more are
//! swept.

use std::collections::BTreeSet;

use super::endpoint::{Endpoint, EndpointState};
use super::secrets_file::{EndpointSecrets, SecretsFile};
use super::send::NO_SECRET;
use super::subscription::{NamedWebhook, Subscription, found};
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::journal::JournalError;
use crate::runtime::Shops;

/// The posts of all endpoints; what else is to be kept or let go of by then is on its way.
pub fn posts(
    desk: &Shops,
    secrets: &SecretsFile,
    timeout: Duration,
) -> Result<Vec<Subscription>, JournalError> {
    let (mut posts, mut changes) = (Vec::new(), Vec::new());
    let mut of_first_form = Vec::new();
    for ((shop, _), of) in found(desk)? {
        // Of a shop that is gone nothing is kept.
        let Some(number) = number(desk, &shop)? else {
            continue;
        };
        match of.post((shop.clone(), number), timeout) {
            Ok(post) => posts.push(post),
            Err(names) => {
                changes.extend(names.into_iter().map(|name| (shop.clone(), (name, None))))
            }
        }
    }
    for post in &posts {
        let mut inner = post.inner();
        let endpoint = &mut inner.endpoint;
        if endpoint.has_secret() {
            let secrets = endpoint.signing().to_vec();
            of_first_form.push(EndpointSecrets::new(post.number, &post.id, secrets));
            continue;
        }
        endpoint.sign_with(secrets.of(post.number, &post.id));
        if !endpoint.has_secret() && endpoint.is_on() {
            switch_off(endpoint, desk);
            tracing::warn!(endpoint = post.id, "a webhook is switched off: {NO_SECRET}");
            changes.push((post.shop.clone(), inner.kept_endpoint()));
        }
    }
    changes.extend(move_secrets(&posts, of_first_form, secrets));
    sweep(&posts, secrets);
    for (shop, (name, value)) in changes {
        desk.keep_soon(&shop, &name, value)?;
    }
    Ok(posts)
}

fn switch_off(endpoint: &mut Endpoint, desk: &Shops) {
    endpoint.state = EndpointState::Disabled {
        why: NO_SECRET.to_owned(),
        at: desk.now(),
    };
}

/// The number of a shop.
pub fn number(desk: &Shops, shop: &Id) -> Result<Option<u64>, JournalError> {
    let found = desk.number(shop);
    found.map_err(|why| JournalError::Failed(format!("the shop of a webhook: {why:?}")))
}

/// Puts secrets that are still in the store into the file. Once they are there the endpoints are kept without; where that
/// fails they stay where they were, until the next start.
fn move_secrets(
    posts: &[Subscription],
    of_first_form: Vec<EndpointSecrets>,
    secrets: &SecretsFile,
) -> Vec<(Id, NamedWebhook)> {
    if of_first_form.is_empty() {
        return Vec::new();
    }
    let moved = of_first_form.clone();
    if let Err(error) = secrets.put(of_first_form) {
        tracing::error!(%error, "secrets of webhooks stay in the store until the next start");
        return Vec::new();
    }
    tracing::info!(
        endpoints = moved.len(),
        "secrets of webhooks were moved from the store into a file of their own"
    );
    let was_moved = |post: &&Subscription| moved.iter().any(|of| of.is_of(post.number, &post.id));
    let moved = posts.iter().filter(was_moved);
    moved
        .map(|post| (post.shop.clone(), post.inner().kept_endpoint()))
        .collect()
}

fn sweep(posts: &[Subscription], secrets: &SecretsFile) {
    let there: BTreeSet<(u64, &str)> = posts
        .iter()
        .map(|post| (post.number, post.id.as_str()))
        .collect();
    if let Err(error) = secrets.retain(|shop, endpoint| there.contains(&(shop, endpoint))) {
        tracing::warn!(%error, "secrets of webhooks that are gone stay in their file until the next start");
    }
}
