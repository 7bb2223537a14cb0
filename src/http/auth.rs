//! Authentication and authorization. The key is checked before anything else in a request.
//!
//! Keys are stored elsewhere, behind [`KeyRing`]. A key of one shop learns nothing of another shop: the response is the
//! same, byte for byte, whether the other shop exists or not.

use std::sync::Arc;

use super::problem::{Problem, ProblemCode};
use crate::domain::base::id::Id;
pub use crate::keys::{Grant, KeyRow, NewKey, Scope};
use crate::keys::{KeyError, Keys};

/// The grant of every request when the server has no keys (`--insecure`).
fn insecure() -> Grant {
    Grant {
        id: Id::known("insecure"),
        scope: Scope::Admin,
        shop: None,
        own_clock: true,
    }
}

/// The grant of a request without a key.
pub(super) fn nobody() -> Grant {
    Grant {
        id: Id::known("nobody"),
        scope: Scope::Read,
        shop: None,
        own_clock: false,
    }
}

/// Why a change of keys was not made, as a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChangeError {
    /// The change is not possible.
    Refused(String),
    /// The change failed, for example on the disk.
    Failed(String),
}

/// The key store. Changes are durable before they are answered.
pub trait KeyRing: Send + Sync {
    /// The grant of a key, or `None` if there is no such key. The time does not depend on what is wrong with the key.
    fn check(&self, text: &str) -> Option<Grant>;

    /// All keys, the oldest first.
    fn list(&self) -> Vec<KeyRow>;

    /// Creates a key. Returns its row in the list and its secret, which is not stored.
    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), KeyChangeError>;

    /// Revokes a key. Returns whether it existed.
    fn revoke(&self, id: &str) -> Result<bool, KeyChangeError>;

    /// Blocks all keys of a shop that is being deleted, until [`KeyRing::unblock_shop`].
    fn block_shop(&self, shop: &Id);

    /// Unblocks the keys of a shop: the shop was not deleted, or its keys were revoked.
    fn unblock_shop(&self, shop: &Id);

    /// Revokes all keys of a shop except those of `current`, the number of the shop that has this id now. Returns how
    /// many it revoked. If it fails, these keys are refused all the same.
    fn revoke_shop(&self, shop: &Id, current: Option<u64>) -> Result<usize, KeyChangeError>;

    /// A version that changes whenever a key may have stopped being good.
    fn version(&self) -> u64;
}

impl KeyRing for Keys {
    fn check(&self, text: &str) -> Option<Grant> {
        Keys::check(self, text)
    }

    fn list(&self) -> Vec<KeyRow> {
        Keys::list(self)
    }

    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), KeyChangeError> {
        Keys::new_key(self, key).map_err(key_change_error)
    }

    fn revoke(&self, id: &str) -> Result<bool, KeyChangeError> {
        match Keys::revoke(self, id) {
            Ok(_) => Ok(true),
            Err(KeyError::Unknown { .. }) => Ok(false),
            Err(error) => Err(key_change_error(error)),
        }
    }

    fn block_shop(&self, shop: &Id) {
        Keys::block_shop(self, shop);
    }

    fn unblock_shop(&self, shop: &Id) {
        Keys::unblock_shop(self, shop);
    }

    fn revoke_shop(&self, shop: &Id, current: Option<u64>) -> Result<usize, KeyChangeError> {
        Keys::revoke_shop(self, shop, current).map_err(key_change_error)
    }

    fn version(&self) -> u64 {
        Keys::version(self)
    }
}

fn key_change_error(error: KeyError) -> KeyChangeError {
    let text = error.to_string();
    match error {
        KeyError::ShopMissing { .. }
        | KeyError::ShopNamed { .. }
        | KeyError::NameMalformed
        | KeyError::TooMany
        | KeyError::Unknown { .. } => KeyChangeError::Refused(text),
        KeyError::ClockWrong => KeyChangeError::Failed(text),
        KeyError::Locked { .. } => {
            failed(&text, "another process changes them: send the same again")
        }
        KeyError::NoFolder { .. }
        | KeyError::Io { .. }
        | KeyError::Damaged { .. }
        | KeyError::Newer { .. }
        | KeyError::Gone { .. } => failed(
            &text,
            "the server's log says what is wrong with their file: ask the server's operator",
        ),
    }
}

/// The client gets the advice. The error may name a path of the server and goes only to the log.
fn failed(error: &str, advice: &str) -> KeyChangeError {
    tracing::error!(error, "the keys could not be changed");
    KeyChangeError::Failed(format!("The keys could not be changed: {advice}."))
}

/// How requests are authenticated.
#[derive(Clone)]
pub enum Authenticator {
    /// No keys: every request may do everything. Only for trials, on a loopback address.
    Insecure,
    /// Every request needs a key.
    Keys(Arc<dyn KeyRing>),
}

/// The key that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// None.
    Nothing,
    /// An admin key, unless the settings make the metrics public.
    Metrics,
    /// A key of the path's shop with this scope.
    Shop(Scope),
    /// An admin key.
    Admin,
}

impl Authenticator {
    /// A version that changes whenever a key may have stopped being good.
    pub fn version(&self) -> u64 {
        match self {
            Authenticator::Insecure => 0,
            Authenticator::Keys(keys) => keys.version(),
        }
    }

    /// The grant of an `Authorization` header.
    pub fn identify(&self, header: Option<&[u8]>) -> Result<Grant, Problem> {
        let keys = match self {
            Authenticator::Insecure => return Ok(insecure()),
            Authenticator::Keys(keys) => keys,
        };
        let Some(header) = header else {
            return Err(unauthorized(
                "Send a key: `Authorization: Bearer xek_…`. `xiaoer key new` creates a key.",
            ));
        };
        let text = std::str::from_utf8(header)
            .ok()
            .and_then(|text| text.split_once(' '));
        let bearer = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, key)) = bearer else {
            return Err(unauthorized(
                "The `Authorization` header has no bearer key: write `Authorization: Bearer xek_…`.",
            ));
        };
        keys.check(key.trim()).ok_or_else(|| {
            unauthorized("The key is unknown: it may be misspelt or revoked. `xiaoer key new` creates a key.")
        })
    }
}

/// Checks the key of a long request again: it may have been revoked meanwhile.
pub struct Reauthorization {
    /// The authenticator that checks the key.
    pub authenticator: Authenticator,
    /// The `Authorization` header.
    pub header: Option<Box<[u8]>>,
    /// The key that the route needs.
    pub needs: Needs,
    /// The path's shop.
    pub shop: Id,
}

impl Reauthorization {
    /// Whether the request would still be admitted.
    pub fn holds(&self) -> bool {
        let grant = self.authenticator.identify(self.header.as_deref());
        grant.is_ok_and(|grant| admit(&grant, self.needs, Some(&self.shop)).is_ok())
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(ProblemCode::Unauthorized, detail)
}

/// Checks that a grant is sufficient for a route. `shop` is the path's shop.
pub fn admit(grant: &Grant, needs: Needs, shop: Option<&Id>) -> Result<(), Problem> {
    if grant.scope == Scope::Admin || needs == Needs::Nothing {
        return Ok(());
    }
    if let Some(shop) = shop
        && grant.shop.as_ref() != Some(shop)
    {
        return Err(Problem::shop_unknown(shop));
    }
    match needs {
        Needs::Shop(needed) if grant.scope.allows(needed) => Ok(()),
        Needs::Shop(needed) => Err(forbidden(needed)),
        Needs::Nothing | Needs::Metrics | Needs::Admin => Err(forbidden(Scope::Admin)),
    }
}

/// The problem for a key of the right shop without the needed scope.
pub fn forbidden(needed: Scope) -> Problem {
    let better: Vec<&str> = Scope::ALL
        .iter()
        .copied()
        .filter(|scope| scope.allows(needed))
        .map(Scope::code)
        .collect();
    let detail = format!(
        "This needs a key with the scope {}: ask the server's operator for one.",
        better.join(" or ")
    );
    Problem::new(ProblemCode::Forbidden, detail)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Test keys whose text is their grant: `shop/scope`, or `admin`.
    pub(crate) struct Spelt;

    impl KeyRing for Spelt {
        fn check(&self, text: &str) -> Option<Grant> {
            let (shop, scope) = text.split_once('/').unwrap_or(("", text));
            let scope = Scope::named(scope)?;
            Some(Grant {
                id: Id::new(text)?,
                scope,
                shop: Id::new(shop),
                own_clock: scope.allows(Scope::Owner),
            })
        }

        fn list(&self) -> Vec<KeyRow> {
            Vec::new()
        }

        fn new_key(&self, _: NewKey) -> Result<(KeyRow, String), KeyChangeError> {
            Err(KeyChangeError::Refused("Not here.".to_owned()))
        }

        fn revoke(&self, _: &str) -> Result<bool, KeyChangeError> {
            Ok(false)
        }

        fn block_shop(&self, _: &Id) {}

        fn unblock_shop(&self, _: &Id) {}

        fn revoke_shop(&self, _: &Id, _: Option<u64>) -> Result<usize, KeyChangeError> {
            Ok(0)
        }

        fn version(&self) -> u64 {
            0
        }
    }

    #[test]
    fn only_a_known_bearer_key_is_let_in() {
        let authenticator = Authenticator::Keys(Arc::new(Spelt));
        for (header, known) in [
            (None, false),
            (Some(""), false),
            (Some("Bearer"), false),
            (Some("Bearer "), false),
            (Some("Basic s/read"), false),
            (Some("Bearer s/write"), false),
            (Some("s/read"), false),
            (Some("Bearer s/read"), true),
            (Some("bearer s/read"), true),
            (Some("Bearer   s/read "), true),
        ] {
            let found = authenticator.identify(header.map(str::as_bytes));
            assert_eq!(found.is_ok(), known, "{header:?}");
            if let Err(problem) = found {
                assert_eq!(problem.code(), ProblemCode::Unauthorized);
            }
        }
        let broken = authenticator.identify(Some(b"Bearer \xff"));
        assert_eq!(broken.unwrap_err().code(), ProblemCode::Unauthorized);
        assert!(Authenticator::Insecure.identify(None).is_ok());
    }

    #[test]
    fn a_file_that_fails_is_not_named_to_a_caller() {
        let path = || std::path::PathBuf::from("/srv/desk/keys.json");
        let source = || std::io::Error::other("Permission denied");
        for error in [
            KeyError::NoFolder { folder: path() },
            KeyError::Io {
                doing: "write",
                path: path(),
                source: source(),
            },
            KeyError::Locked { path: path() },
            KeyError::Damaged {
                path: path(),
                how: "no JSON".to_owned(),
            },
            KeyError::Newer {
                path: path(),
                version: 9,
            },
            KeyError::Gone { path: path() },
        ] {
            match key_change_error(error) {
                KeyChangeError::Failed(text) => assert!(!text.contains("/srv"), "{text}"),
                KeyChangeError::Refused(text) => panic!("{text}"),
            }
        }
    }

    #[test]
    fn another_shop_and_no_shop_are_told_alike() {
        let grant = Spelt.check("a/owner").unwrap();
        let other = Id::new("b").unwrap();
        let refused = admit(&grant, Needs::Shop(Scope::Read), Some(&other)).unwrap_err();
        assert_eq!(refused, Problem::shop_unknown("b"));
    }
}
