//! Secrets of endpoints as they are made, replaced and written: where waiting for the disk keeps nobody up.

use std::sync::Arc;

use super::dispatcher::{NotDone, Webhooks, new_secret};
use super::endpoint::Signing;
use super::secrets_file::EndpointSecrets;
use super::subscription::Subscription;
use super::transport::signature::Secret;
use crate::domain::base::id::Id;
use crate::env::blocking;
use crate::journal::JournalError;

impl Webhooks {
    /// Gives an endpoint another secret; the one before it signs for a day more.
    pub async fn rotate(&self, shop: &Id, id: &str) -> Result<Secret, NotDone> {
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let secret = new_secret()?;
        // Of two at once the second keeps what the first has made.
        let _changing = self.changing_secrets.lock().await;
        let rotated = post.inner().endpoint.rotated(secret.clone(), now);
        self.put_secrets(&post, rotated.clone()).await?;
        post.inner().endpoint.sign_with(rotated);
        Ok(secret)
    }

    /// Puts the secrets of an endpoint into their file.
    pub(super) async fn put_secrets(
        &self,
        post: &Subscription,
        signing: Vec<Signing>,
    ) -> Result<(), NotDone> {
        let secrets = Arc::clone(&self.secrets);
        let of = EndpointSecrets::new(post.number, &post.id, signing);
        self.write_secrets(move || secrets.put(vec![of])).await
    }

    /// Writes where waiting for the disk keeps nobody up.
    pub(super) async fn write_secrets(
        &self,
        write: impl FnOnce() -> Result<(), JournalError> + Send + 'static,
    ) -> Result<(), NotDone> {
        match blocking(write).await {
            Ok(written) => Ok(written?),
            Err(error) => Err(NotDone::Failed(JournalError::Failed(error.to_string()))),
        }
    }
}
