//! Binds keys to the shops of this folder, by the numbers of the journal.

use std::sync::Arc;

use crate::journal::{Embedded, Journal, RecordKind};
use crate::keys::Keys;

/// From here on a key of a shop is valid for that shop only, and not for a later one of the same name.
pub(super) fn bind(keys: &Keys, journal: &Arc<Embedded>) {
    let of_journal = Arc::clone(journal);
    let (bound, written) = keys.bind(Box::new(move |shop| of_journal.number(shop).ok().flatten()));
    for key in bound {
        let Some(shop) = &key.shop else { continue };
        let first = journal.read(shop, 1, 1).ok().flatten();
        let first = first.and_then(|slice| slice.records.into_iter().next());
        let made = first.filter(|record| record.kind == RecordKind::Created);
        if made.is_some_and(|record| record.at > key.created) {
            tracing::warn!(
                key = %key.id,
                "this key is older than its shop: if it was made for an earlier shop of that name, take it back with \
                 `xiaoer key revoke`"
            );
        }
    }
    if let Err(error) = written {
        tracing::error!(%error, "the shop numbers of keys could not be written to keys.json");
    }
}
