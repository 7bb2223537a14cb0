//! The conversion of a folder of an older form, with everything that the server stores there.

use std::path::Path;

use crate::env::print_stderr_line;
use crate::journal::{JournalError, MetadataEntry, Upgrade};
use crate::webhooks::{SecretsFile, upgrade_metadata};

/// How the folder is converted: progress goes to standard error, and secrets of webhooks move from the store to their
/// file.
pub fn upgrade(data: &Path) -> Upgrade<'static> {
    let (data, mut file) = (data.to_owned(), None);
    // The secrets are durable in their file before the store without them is.
    let metadata = move |shop: u64, entry: &MetadataEntry| {
        let upgraded = upgrade_metadata(shop, &entry.name, &entry.value);
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
        metadata: Box::new(metadata),
        show: Box::new(|progress| print_stderr_line(&format!("xiaoer: {progress}"))),
        ..Upgrade::plain()
    }
}
