//! Making, replacing and writing secrets, on threads that may wait for the disk.

use std::sync::Arc;

use super::dispatcher::{WebhookError, Webhooks, new_secret};
use super::endpoint::Signing;
use super::endpoint_state::Subscription;
use super::secrets_file::EndpointSecrets;
use super::transport::signature::Secret;
use crate::domain::base::id::Id;
use crate::env::blocking;
use crate::journal::JournalError;

impl Webhooks {
    /// Gives an endpoint a new secret; the earlier one signs for a day more.
    pub async fn rotate(&self, shop: &Id, id: &str) -> Result<Secret, WebhookError> {
        let subscription = self.get(shop, id)?;
        let now = self.context.shops.now();
        let secret = new_secret()?;
        // One rotation at a time, so that the second keeps the secret of the first.
        let _changing = self.changing_secrets.lock().await;
        let rotated = subscription.inner().endpoint.rotated(secret.clone(), now);
        self.put_secrets(&subscription, rotated.clone()).await?;
        subscription.inner().endpoint.sign_with(rotated);
        Ok(secret)
    }

    /// Writes the secrets of an endpoint to the file.
    pub(super) async fn put_secrets(
        &self,
        subscription: &Subscription,
        signing: Vec<Signing>,
    ) -> Result<(), WebhookError> {
        let secrets = Arc::clone(&self.secrets);
        let of = EndpointSecrets::new(subscription.number, &subscription.id, signing);
        self.write_secrets(move || secrets.put(vec![of])).await
    }

    /// Writes on a thread that may wait for the disk.
    pub(super) async fn write_secrets(
        &self,
        write: impl FnOnce() -> Result<(), JournalError> + Send + 'static,
    ) -> Result<(), WebhookError> {
        match blocking(write).await {
            Ok(written) => Ok(written?),
            Err(error) => Err(WebhookError::Failed(JournalError::Failed(
                error.to_string(),
            ))),
        }
    }
}
