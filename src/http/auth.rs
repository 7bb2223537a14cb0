//! Who may do what: keys are checked before anything else is looked at.
//!
//! Where keys are kept is not known here; [`KeyRing`] is asked. A key of one shop learns nothing of another, not even
//! whether it exists: both answers are the same, byte for byte.

use std::sync::Arc;

use super::problem::{Problem, ProblemCode};
use crate::domain::base::id::Id;
pub use crate::keys::{Grant, KeyRow, NewKey, Scope};
use crate::keys::{KeyError, Keys};

/// What everybody may where there are no keys at all.
fn insecure() -> Grant {
    Grant {
        id: Id::known("insecure"),
        scope: Scope::Admin,
        shop: None,
        own_clock: true,
    }
}

/// What everybody may without a key.
pub(super) fn nobody() -> Grant {
    Grant {
        id: Id::known("nobody"),
        scope: Scope::Read,
        shop: None,
        own_clock: false,
    }
}

/// Why keys are as they were; a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotChanged {
    /// What was asked for cannot be.
    Refused(String),
    /// The world failed.
    Failed(String),
}

/// Where keys are kept. Changes are durable before they are answered.
pub trait KeyRing: Send + Sync {
    /// What the key that is spelt like this grants, if it is one. Takes the same time whatever is wrong with it.
    fn check(&self, text: &str) -> Option<Grant>;

    /// All keys, the oldest first.
    fn list(&self) -> Vec<KeyRow>;

    /// Makes a key: as it will be listed, and as it is spelt, which is not kept.
    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), NotChanged>;

    /// Takes a key back. Whether there was one.
    fn revoke(&self, id: &str) -> Result<bool, NotChanged>;

    /// Until [`KeyRing::open_of_shop`] no key of a shop is good: the shop is being taken away.
    fn shut_of_shop(&self, shop: &Id);

    /// The shop was not taken away after all, or its keys were taken back.
    fn open_of_shop(&self, shop: &Id);

    /// Takes back all keys of a shop but those of `current`, the number of the shop that has its name now; answers how many.
    /// Where it fails, no such key is good all the same.
    fn revoke_of_shop(&self, shop: &Id, current: Option<u64>) -> Result<usize, NotChanged>;

    /// Another number whenever a key that was good may not be any more.
    fn version(&self) -> u64;
}

impl KeyRing for Keys {
    fn check(&self, text: &str) -> Option<Grant> {
        Keys::check(self, text)
    }

    fn list(&self) -> Vec<KeyRow> {
        Keys::list(self)
    }

    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), NotChanged> {
        Keys::new_key(self, key).map_err(not_changed)
    }

    fn revoke(&self, id: &str) -> Result<bool, NotChanged> {
        match Keys::revoke(self, id) {
            Ok(_) => Ok(true),
            Err(KeyError::Unknown { .. }) => Ok(false),
            Err(error) => Err(not_changed(error)),
        }
    }

    fn shut_of_shop(&self, shop: &Id) {
        Keys::shut_of_shop(self, shop);
    }

    fn open_of_shop(&self, shop: &Id) {
        Keys::open_of_shop(self, shop);
    }

    fn revoke_of_shop(&self, shop: &Id, current: Option<u64>) -> Result<usize, NotChanged> {
        Keys::revoke_of_shop(self, shop, current).map_err(not_changed)
    }

    fn version(&self) -> u64 {
        Keys::version(self)
    }
}

fn not_changed(error: KeyError) -> NotChanged {
    let text = error.to_string();
    match error {
        KeyError::ShopMissing { .. }
        | KeyError::ShopNamed { .. }
        | KeyError::NameMalformed
        | KeyError::TooMany
        | KeyError::Unknown { .. } => NotChanged::Refused(text),
        KeyError::ClockWrong => NotChanged::Failed(text),
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

/// Who asks learns what to do; what is wrong names a path of the server, and is for its log alone.
fn failed(error: &str, advice: &str) -> NotChanged {
    tracing::error!(error, "the keys could not be changed");
    NotChanged::Failed(format!("The keys could not be changed: {advice}."))
}

/// How the door is kept.
#[derive(Clone)]
pub enum Authenticator {
    /// Everybody may everything: for trying out, on loopback alone.
    Insecure,
    /// Only who has a key.
    Keys(Arc<dyn KeyRing>),
}

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// An admin's key, unless the settings make it public.
    Metrics,
    /// A key of the path's shop with this scope.
    Shop(Scope),
    /// An admin's key.
    Admin,
}

impl Authenticator {
    /// Another number whenever a key that was good may not be any more.
    pub fn version(&self) -> u64 {
        match self {
            Authenticator::Insecure => 0,
            Authenticator::Keys(keys) => keys.version(),
        }
    }

    /// The grant behind an `Authorization` header.
    pub fn identify(&self, header: Option<&[u8]>) -> Result<Grant, Problem> {
        let keys = match self {
            Authenticator::Insecure => return Ok(insecure()),
            Authenticator::Keys(keys) => keys,
        };
        let Some(header) = header else {
            return Err(unauthorized(
                "Send a key: `Authorization: Bearer xek_…`. `xiaoer key new` makes one.",
            ));
        };
        let text = std::str::from_utf8(header)
            .ok()
            .and_then(|text| text.split_once(' '));
        let bearer = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, key)) = bearer else {
            return Err(unauthorized(
                "The `Authorization` header is no bearer key: write `Authorization: Bearer xek_…`.",
            ));
        };
        keys.check(key.trim()).ok_or_else(|| {
            unauthorized("The key is not known here: it may be misspelt or taken back. `xiaoer key new` makes one.")
        })
    }
}

/// What lets a request in that takes long to be answered: its key may be taken back meanwhile.
pub struct Reauthorization {
    /// Who is asked.
    pub keeper: Authenticator,
    /// The `Authorization` header.
    pub header: Option<Box<[u8]>>,
    /// What the route asks.
    pub needs: Needs,
    /// The path's shop.
    pub shop: Id,
}

impl Reauthorization {
    /// Whether it still would be let in.
    pub fn holds(&self) -> bool {
        let grant = self.keeper.identify(self.header.as_deref());
        grant.is_ok_and(|grant| admit(&grant, self.needs, Some(&self.shop)).is_ok())
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(ProblemCode::Unauthorized, detail)
}

/// Whether a grant will do for a route; `shop` is the path's.
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

/// The key is the right shop's, but not for this.
pub fn forbidden(needed: Scope) -> Problem {
    let better: Vec<&str> = Scope::ALL
        .iter()
        .copied()
        .filter(|scope| scope.allows(needed))
        .map(Scope::code)
        .collect();
    let detail = format!(
        "This needs a key with the scope {}: ask whoever keeps the server for one.",
        better.join(" or ")
    );
    Problem::new(ProblemCode::Forbidden, detail)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Keys that are spelt as what they grant: `shop/scope`, or `admin`.
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

        fn new_key(&self, _: NewKey) -> Result<(KeyRow, String), NotChanged> {
            Err(NotChanged::Refused("Not here.".to_owned()))
        }

        fn revoke(&self, _: &str) -> Result<bool, NotChanged> {
            Ok(false)
        }

        fn shut_of_shop(&self, _: &Id) {}

        fn open_of_shop(&self, _: &Id) {}

        fn revoke_of_shop(&self, _: &Id, _: Option<u64>) -> Result<usize, NotChanged> {
            Ok(0)
        }

        fn version(&self) -> u64 {
            0
        }
    }

    #[test]
    fn only_a_known_bearer_key_is_let_in() {
        let keeper = Authenticator::Keys(Arc::new(Spelt));
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
            let found = keeper.identify(header.map(str::as_bytes));
            assert_eq!(found.is_ok(), known, "{header:?}");
            if let Err(problem) = found {
                assert_eq!(problem.code(), ProblemCode::Unauthorized);
            }
        }
        let broken = keeper.identify(Some(b"Bearer \xff"));
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
            match not_changed(error) {
                NotChanged::Failed(text) => assert!(!text.contains("/srv"), "{text}"),
                NotChanged::Refused(text) => panic!("{text}"),
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
