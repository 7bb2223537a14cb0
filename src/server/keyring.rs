//! Keys as the door asks for them.

use crate::api::{Grant, KeyRing, KeyRow, NewKey, NotChanged, Scope};
use crate::domain::id::Id;
use crate::keys::{self, Keys};

fn scope(scope: keys::Scope) -> Scope {
    match scope {
        keys::Scope::Events => Scope::Events,
        keys::Scope::Read => Scope::Read,
        keys::Scope::Owner => Scope::Owner,
        keys::Scope::Admin => Scope::Admin,
    }
}

fn row(row: keys::KeyRow) -> KeyRow {
    KeyRow {
        id: row.id,
        shop: row.shop,
        scope: scope(row.scope),
        name: row.name,
        own_clock: row.own_clock,
        created: row.created,
    }
}

impl KeyRing for Keys {
    fn check(&self, text: &str) -> Option<Grant> {
        let grant = Keys::check(self, text)?;
        Some(Grant {
            id: grant.id,
            scope: scope(grant.scope),
            shop: grant.shop,
            own_clock: grant.own_clock,
        })
    }

    fn list(&self) -> Vec<KeyRow> {
        Keys::list(self).into_iter().map(row).collect()
    }

    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), NotChanged> {
        let scope = match key.scope {
            Scope::Events => keys::Scope::Events,
            Scope::Read => keys::Scope::Read,
            Scope::Owner => keys::Scope::Owner,
            Scope::Admin => keys::Scope::Admin,
        };
        let new = keys::NewKey {
            shop: key.shop,
            scope,
            name: key.name,
            own_clock: key.own_clock,
            at: key.at,
        };
        let made = Keys::new_key(self, new);
        let (made, text) = made.map_err(not_changed)?;
        Ok((row(made), text))
    }

    fn revoke(&self, id: &str) -> Result<bool, NotChanged> {
        match Keys::revoke(self, id) {
            Ok(_) => Ok(true),
            Err(keys::KeyError::Unknown { .. }) => Ok(false),
            Err(error) => Err(not_changed(error)),
        }
    }

    fn revoke_of_shop(&self, shop: &Id) -> Result<(), NotChanged> {
        let revoked = Keys::revoke_of_shop(self, shop);
        revoked.map(drop).map_err(not_changed)
    }
}

fn not_changed(error: keys::KeyError) -> NotChanged {
    use keys::KeyError as Error;
    let text = error.to_string();
    match error {
        Error::ShopMissing { .. }
        | Error::ShopNamed { .. }
        | Error::NameMalformed { .. }
        | Error::TooMany { .. }
        | Error::Unknown { .. } => NotChanged::Refused(text),
        Error::NoFolder { .. }
        | Error::Io { .. }
        | Error::Locked { .. }
        | Error::Damaged { .. }
        | Error::Newer { .. }
        | Error::Gone { .. }
        | Error::ClockWrong => NotChanged::Failed(text),
    }
}
