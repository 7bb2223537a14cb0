//! Recovery of endpoints from their stored state and the file of secrets.
//!
//! An endpoint of form 1 holds its secrets: they are written to the file first, then the endpoint is stored without
//! them. An endpoint whose secret is missing is disabled, with the reason. Secrets of endpoints that no longer exist
//! are removed.

use std::collections::BTreeSet;

use super::endpoint::{Endpoint, EndpointState};
use super::endpoint_state::{NamedWebhook, Subscription, stored_webhooks};
use super::secrets_file::{EndpointSecrets, SecretsFile};
use super::send::NO_SECRET;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::journal::JournalError;
use crate::runtime::Shops;

/// The subscriptions of all endpoints. Changes that recovery makes are on their way to the journal when this returns.
pub fn subscriptions(
    shops: &Shops,
    secrets: &SecretsFile,
    timeout: Duration,
) -> Result<Vec<Subscription>, JournalError> {
    let (mut subscriptions, mut changes) = (Vec::new(), Vec::new());
    let mut of_first_form = Vec::new();
    for ((shop, _), of) in stored_webhooks(shops)? {
        // The shop was deleted.
        let Some(number) = number(shops, &shop)? else {
            continue;
        };
        match of.into_subscription((shop.clone(), number), timeout) {
            Ok(subscription) => subscriptions.push(subscription),
            Err(names) => {
                changes.extend(names.into_iter().map(|name| (shop.clone(), (name, None))))
            }
        }
    }
    for subscription in &subscriptions {
        let mut inner = subscription.inner();
        let endpoint = &mut inner.endpoint;
        if endpoint.has_secret() {
            let secrets = endpoint.signing().to_vec();
            of_first_form.push(EndpointSecrets::new(
                subscription.number,
                &subscription.id,
                secrets,
            ));
            continue;
        }
        endpoint.sign_with(secrets.of(subscription.number, &subscription.id));
        if !endpoint.has_secret() && endpoint.is_on() {
            disable(endpoint, shops);
            tracing::warn!(
                endpoint = subscription.id,
                "a webhook is switched off: {NO_SECRET}"
            );
            changes.push((subscription.shop.clone(), inner.endpoint_entry()));
        }
    }
    changes.extend(move_secrets(&subscriptions, of_first_form, secrets));
    sweep(&subscriptions, secrets);
    for (shop, (name, value)) in changes {
        shops.put_metadata_soon(&shop, &name, value)?;
    }
    Ok(subscriptions)
}

fn disable(endpoint: &mut Endpoint, shops: &Shops) {
    endpoint.state = EndpointState::Disabled {
        why: NO_SECRET.to_owned(),
        at: shops.now(),
    };
}

/// The number of a shop.
pub fn number(shops: &Shops, shop: &Id) -> Result<Option<u64>, JournalError> {
    let found = shops.number(shop);
    found.map_err(|why| JournalError::Failed(format!("the shop of a webhook: {why:?}")))
}

/// Moves secrets from the store to the file, and returns the endpoints that are now to be stored without them. Where
/// the file cannot be written, the secrets stay in the store until the next start.
fn move_secrets(
    subscriptions: &[Subscription],
    of_first_form: Vec<EndpointSecrets>,
    secrets: &SecretsFile,
) -> Vec<(Id, NamedWebhook)> {
    if of_first_form.is_empty() {
        return Vec::new();
    }
    let moved = of_first_form.clone();
    if let Err(error) = secrets.put(of_first_form) {
        tracing::error!(%error, "the secrets of webhooks could not be moved out of the store; the next start tries \
        again");
        return Vec::new();
    }
    tracing::info!(
        endpoints = moved.len(),
        "the secrets of webhooks were moved from the store to webhook-secrets.json"
    );
    let was_moved = |subscription: &&Subscription| {
        moved
            .iter()
            .any(|of| of.is_of(subscription.number, &subscription.id))
    };
    let moved = subscriptions.iter().filter(was_moved);
    moved
        .map(|subscription| {
            (
                subscription.shop.clone(),
                subscription.inner().endpoint_entry(),
            )
        })
        .collect()
}

fn sweep(subscriptions: &[Subscription], secrets: &SecretsFile) {
    let there: BTreeSet<(u64, &str)> = subscriptions
        .iter()
        .map(|subscription| (subscription.number, subscription.id.as_str()))
        .collect();
    if let Err(error) = secrets.retain(|shop, endpoint| there.contains(&(shop, endpoint))) {
        tracing::warn!(%error, "secrets of deleted webhooks could not be removed from their file; the next start tries \
        again");
    }
}
