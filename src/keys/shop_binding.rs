//! Binds a key to one shop, by the shop's number, so that it is not valid for a later shop of the same name.
//!
//! A shop that is made again gets another number. A server knows the numbers ([`Keys::bind`]). A key without one was
//! made by 0.1.0 or before its shop; it is bound to the first shop of its name that the server finds.

use super::error::KeyError;
use super::key_store::{FileSeen, Keys};
use super::record::ShopNumbers;
use crate::domain::base::id::Id;
use crate::keys::record::{KeyRecord, KeyRow};

impl KeyRecord {
    fn is_of(&self, shop: &Id) -> bool {
        self.row.shop.as_ref() == Some(shop)
    }
}

impl Keys {
    /// From here on, a key is valid for the shop of its number only. Keys without a number are bound to the existing
    /// shop of their name; returns the ids of those, with the shop. A server calls it once.
    ///
    /// # Errors
    ///
    /// The file cannot be locked, read or written. Requests are checked against the numbers all the same.
    pub fn bind(&self, numbers: ShopNumbers) -> (Vec<KeyRow>, Result<(), KeyError>) {
        self.numbers.get_or_init(|| numbers);
        let unbound: Vec<KeyRow> = {
            let seen = self.seen();
            self.publish(&seen);
            let unbound = seen.records.iter().filter(|record| self.binds(record));
            unbound.map(|record| record.row.clone()).collect()
        };
        let bound = match unbound.is_empty() {
            true => Ok(()),
            false => self.change(|_| Ok(())),
        };
        (unbound, bound)
    }

    /// Writes changes to the file: keys whose shop was made since, and keys of deleted shops. Called about once a
    /// second; does not use the disk where nothing has changed.
    ///
    /// # Errors
    ///
    /// The file cannot be locked, read or written. Requests are checked correctly all the same.
    pub fn write_bindings(&self) -> Result<(), KeyError> {
        let changes = {
            let seen = self.seen();
            !seen.gone.is_empty() || seen.records.iter().any(|record| self.binds(record))
        };
        if changes {
            self.change(|_| Ok(()))
        } else {
            Ok(())
        }
    }

    /// Whether a key is still to be bound to the existing shop.
    pub(super) fn binds(&self, record: &KeyRecord) -> bool {
        record.number.is_none() && self.number_of(record).is_some()
    }

    /// The number of the key's shop, where it is known.
    pub(super) fn number_of(&self, record: &KeyRecord) -> Option<u64> {
        let numbers = self.numbers.get()?;
        numbers(record.row.shop.as_ref()?)
    }

    /// From now on no key of this shop is valid here, because the shop is being deleted.
    pub fn block_shop(&self, shop: &Id) {
        let mut seen = self.seen();
        let of_shop = seen.records.iter().filter(|key| key.is_of(shop));
        let ids: Vec<Id> = of_shop.map(|key| key.row.id.clone()).collect();
        seen.blocked.extend(ids);
        self.publish(&seen);
    }

    /// Undoes [`Keys::block_shop`]: the shop was not deleted, or its keys are revoked.
    pub fn unblock_shop(&self, shop: &Id) {
        let mut seen = self.seen();
        let FileSeen {
            records, blocked, ..
        } = &mut *seen;
        for key in records.iter().filter(|key| key.is_of(shop)) {
            blocked.remove(&key.row.id);
        }
        self.publish(&seen);
    }

    /// Revokes all keys of a shop but those of `current`, the shop that has its name now. Returns how many. Waits like
    /// [`Keys::new_key`].
    ///
    /// # Errors
    ///
    /// The file cannot be locked, read or written. This process refuses the keys all the same.
    pub fn revoke_shop(&self, shop: &Id, current: Option<u64>) -> Result<usize, KeyError> {
        let gone =
            |key: &KeyRecord| key.is_of(shop) && (current.is_none() || key.number != current);
        {
            let mut seen = self.seen();
            let of_shop = seen.records.iter().filter(|key| gone(key));
            let ids: Vec<Id> = of_shop.map(|key| key.row.id.clone()).collect();
            seen.gone.extend(ids);
            self.publish(&seen);
        }
        self.change(|records| {
            let before = records.len();
            records.retain(|key| !gone(key));
            Ok(before - records.len())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::domain::base::time::Instant;
    use crate::keys::{NewKey, Scope};

    fn new(scope: Scope, shop: Option<&str>) -> NewKey {
        NewKey {
            shop: shop.and_then(Id::new),
            scope,
            name: None,
            own_clock: false,
            number: None,
            at: Instant::from_ms(1_794_362_400_000),
        }
    }

    fn keys() -> (tempfile::TempDir, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        (folder, keys)
    }

    /// Shops by their numbers, as a journal would tell them.
    #[derive(Clone, Default)]
    struct Shops(Arc<Mutex<HashMap<Id, u64>>>);

    impl Shops {
        fn numbers(&self) -> ShopNumbers {
            let shops = self.clone();
            Box::new(move |shop| shops.0.lock().unwrap().get(shop).copied())
        }

        fn set(&self, shop: &str, number: Option<u64>) {
            let shop = Id::new(shop).unwrap();
            let mut shops = self.0.lock().unwrap();
            match number {
                Some(number) => shops.insert(shop, number),
                None => shops.remove(&shop),
            };
        }
    }

    /// A folder in which keys cannot be written, which is what a full disk or a held lock comes to.
    fn locked_out<T>(folder: &std::path::Path, act: impl FnOnce() -> T) -> T {
        let beside = folder.join("keys.json.new");
        std::fs::create_dir_all(beside.join("full")).unwrap();
        let acted = act();
        std::fs::remove_dir_all(beside).unwrap();
        acted
    }

    #[test]
    fn an_old_owners_key_never_opens_the_next_shop_of_that_name() {
        let (folder, keys) = keys();
        let shops = Shops::default();
        shops.set("a", Some(1));
        shops.set("b", Some(2));
        let unbound = new(Scope::Owner, Some("a"));
        let bound = NewKey {
            number: Some(1),
            ..unbound.clone()
        };
        let (_, unbound) = keys.new_key(unbound).unwrap();
        let (_, bound) = keys.new_key(bound).unwrap();
        let (_, other) = keys.new_key(new(Scope::Owner, Some("b"))).unwrap();
        let (found, written) = keys.bind(shops.numbers());
        written.unwrap();
        assert_eq!(found.len(), 2, "those that 0.1.0 made");
        assert!(keys.check(&unbound).is_some() && keys.check(&bound).is_some());

        // The shop goes; while it does no key of it is good, and its keys stay in the file.
        let a = Id::new("a").unwrap();
        keys.block_shop(&a);
        assert!(keys.check(&bound).is_none() && keys.check(&other).is_some());
        let (_, third) = keys.new_key(new(Scope::Admin, None)).unwrap();
        keys.unblock_shop(&a);
        assert!(keys.check(&bound).is_some(), "it did not go after all");
        keys.block_shop(&a);
        shops.set("a", None);
        locked_out(folder.path(), || {
            assert!(keys.revoke_shop(&a, None).is_err());
        });
        keys.unblock_shop(&a);
        shops.set("a", Some(3));
        for keys in [&keys, &Keys::open(folder.path()).unwrap()] {
            let (_, written) = keys.bind(shops.numbers());
            written.unwrap();
            assert!(keys.check(&bound).is_none() && keys.check(&unbound).is_none());
            assert!(keys.check(&other).is_some() && keys.check(&third).is_some());
        }
        // What is left of the old shop is taken back by the next try, and nothing of the new one.
        let of_new = NewKey {
            number: Some(3),
            ..new(Scope::Read, Some("a"))
        };
        let (_, of_new) = keys.new_key(of_new).unwrap();
        assert_eq!(
            keys.revoke_shop(&a, Some(3)).unwrap(),
            0,
            "tidied by the next change"
        );
        assert_eq!(keys.list().len(), 3);
        assert!(keys.check(&of_new).is_some());
    }

    #[test]
    fn a_key_that_was_made_before_its_shop_is_bound_to_the_first_of_that_name() {
        let (folder, keys) = keys();
        let shops = Shops::default();
        let (found, written) = keys.bind(shops.numbers());
        written.unwrap();
        assert_eq!(found, []);
        let (_, text) = keys.new_key(new(Scope::Owner, Some("a"))).unwrap();
        keys.write_bindings().unwrap();
        assert!(
            keys.check(&text).is_some(),
            "no shop can be opened by it yet"
        );
        shops.set("a", Some(5));
        locked_out(folder.path(), || assert!(keys.write_bindings().is_err()));
        keys.write_bindings().unwrap();
        shops.set("a", Some(6));
        keys.new_key(new(Scope::Admin, None)).unwrap();
        assert!(keys.check(&text).is_none());
        let again = Keys::open(folder.path()).unwrap();
        again.bind(shops.numbers()).1.unwrap();
        assert!(again.check(&text).is_none());
    }
}
