//! Scopes: what the holder of a key may do.

use crate::domain::base::id::Id;
use crate::domain::protocol::codes::codes;

codes! {
    /// The scope of a key (contract, section 6).
    Scope {
        /// Sends events of its shop.
        Events = "events",
        /// Reads the state of its shop.
        Read = "read",
        /// Both, and changes the policy, the agents and the webhooks of its shop.
        Owner = "owner",
        /// Everything, in every shop.
        Admin = "admin",
    }
}

impl Scope {
    /// Whether a key of this scope includes the rights of `needed`.
    pub fn allows(self, needed: Scope) -> bool {
        match self {
            Scope::Events | Scope::Read => self == needed,
            Scope::Owner => needed != Scope::Admin,
            Scope::Admin => true,
        }
    }

    /// Whether a key of this scope belongs to one shop; the others belong to none.
    pub fn is_of_a_shop(self) -> bool {
        match self {
            Scope::Events | Scope::Read | Scope::Owner => true,
            Scope::Admin => false,
        }
    }

    /// Whether the holder may always send `at`.
    pub(super) fn has_own_clock(self) -> bool {
        match self {
            Scope::Events | Scope::Read => false,
            Scope::Owner | Scope::Admin => true,
        }
    }
}

/// The rights of the holder of a valid key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key's id, which is not secret.
    pub id: Id,
    /// Its scope.
    pub scope: Scope,
    /// Its shop; `None` for every shop.
    pub shop: Option<Id>,
    /// Whether the holder may send `at`.
    pub own_clock: bool,
}

impl Grant {
    /// Whether the holder has the rights of `needed` in `shop`. Where the shop is the reason for `false`, the answer
    /// must not show whether the shop exists: see [`Grant::opens`].
    pub fn allows(&self, needed: Scope, shop: &str) -> bool {
        self.opens(shop) && self.scope.allows(needed)
    }

    /// Whether the key belongs to this shop, or to all.
    pub fn opens(&self, shop: &str) -> bool {
        self.shop.as_ref().is_none_or(|own| own.as_str() == shop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_allows_what_is_below_it() {
        use Scope::{Admin, Events, Owner, Read};
        for (held, allowed) in [
            (Events, &[Events][..]),
            (Read, &[Read]),
            (Owner, &[Events, Read, Owner]),
            (Admin, &[Events, Read, Owner, Admin]),
        ] {
            for &needed in Scope::ALL {
                let expected = allowed.contains(&needed);
                assert_eq!(held.allows(needed), expected, "{held:?} for {needed:?}");
            }
        }
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for &scope in Scope::ALL {
            assert_eq!(Scope::named(scope.code()), Some(scope));
        }
        assert_eq!(Scope::named("Owner"), None);
        assert_eq!(Scope::named(""), None);
    }

    #[test]
    fn a_key_of_one_shop_is_of_no_use_for_another() {
        let grant = |scope, shop: Option<&str>| Grant {
            id: Id::new("aaaaaaaa").unwrap(),
            scope,
            shop: shop.map(|shop| Id::new(shop).unwrap()),
            own_clock: false,
        };
        for (grant, needed, shop, allowed) in [
            (grant(Scope::Owner, Some("a")), Scope::Events, "a", true),
            (grant(Scope::Owner, Some("a")), Scope::Events, "b", false),
            (grant(Scope::Events, Some("a")), Scope::Read, "a", false),
            (grant(Scope::Admin, None), Scope::Owner, "b", true),
        ] {
            assert_eq!(grant.allows(needed, shop), allowed, "{grant:?} on {shop}");
        }
    }
}
