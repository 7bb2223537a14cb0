//! The conversion of a folder of an older form, with everything that the server stores there.

use std::path::Path;

use crate::env::last_words;
use crate::journal::{JournalError, MetadataEntry, Upgrade};
use crate::webhooks::{SecretsFile, upgrade_kept};

/// How the folder is converted: progress goes to standard error, and secrets of webhooks move from the store to their
/// file.
pub fn upgrade(data: &Path) -> Upgrade<'static> {
    let (data, mut file) = (data.to_owned(), None);
    // The secrets are durable in their file before the store without them is.
    let kept = move |shop: u64, kept: &MetadataEntry| {
        let upgraded = upgrade_kept(shop, &kept.name, &kept.value);
        let (value, secrets) = upgraded.map_err(JournalError::Damaged)?;
        if let Some(secrets) = secrets {
            let file = match &file {
                Some(file) => file,
                None => file.insert(SecretsFile::open(&data)?),
            };
            file.put(vec![secrets])?;
        }
        Ok(value)
    };
    Upgrade {
        kept: Box::new(kept),
        show: Box::new(|progress| last_words(&format!("xiaoer: {progress}"))),
        ..Upgrade::plain()
    }
}
