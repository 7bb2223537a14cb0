//! Scopes: what the holder of a key may do.

use crate::domain::base::id::Id;
use crate::domain::protocol::codes::codes;

codes! {
    /// What a key is for (contract, section 6).
    Scope {
        /// To send the events of its shop.
        Events = "events",
        /// To read how its shop stands.
        Read = "read",
        /// Both, and to change the policy, the agents and the webhooks of its shop.
        Owner = "owner",
        /// Everything, of every shop.
        Admin = "admin",
    }
}

impl Scope {
    /// Whether a key of this scope may do what asks for `needed`.
    pub fn allows(self, needed: Scope) -> bool {
        match self {
            Scope::Events | Scope::Read => self == needed,
            Scope::Owner => needed != Scope::Admin,
            Scope::Admin => true,
        }
    }

    /// Whether a key of this scope is bound to one shop; the others are bound to none.
    pub fn is_of_a_shop(self) -> bool {
        match self {
            Scope::Events | Scope::Read | Scope::Owner => true,
            Scope::Admin => false,
        }
    }

    /// Whether the holder may send its own `at` without being allowed to by name.
    pub(super) fn has_own_clock(self) -> bool {
        match self {
            Scope::Events | Scope::Read => false,
            Scope::Owner | Scope::Admin => true,
        }
    }
}

/// What the holder of a key that was checked may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key's id; no secret.
    pub id: Id,
    /// What it is for.
    pub scope: Scope,
    /// The one shop that it opens; none: every shop.
    pub shop: Option<Id>,
    /// Whether the holder may send its own `at`.
    pub own_clock: bool,
}

impl Grant {
    /// Whether the holder may do to `shop` what asks for `needed`. Where this is false because of the shop, whoever
    /// answers must not tell whether the shop exists: see [`Grant::opens`].
    pub fn allows(&self, needed: Scope, shop: &str) -> bool {
        self.opens(shop) && self.scope.allows(needed)
    }

    /// Whether the key is one of this shop, or of all.
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
