//! An endpoint: where a shop's decisions are sent, which types, and with which secrets they are signed.
//!
//! The stored form holds no secrets: they are in a file of their own (`secrets_file`). Form 1, of
//! release 0.1, held them; it is read for ever.

use serde::{Deserialize, Serialize};

use super::transport::signature::Secret;
use crate::domain::base::suggestion::nearest;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::protocol::decision::DecisionType;

/// The most decisions in one call.
pub const BATCH_MAX: u16 = 500;

/// How long a secret that was replaced still signs.
pub const OVERLAP: Duration = Duration::days(1);

/// The version of the stored form.
const FORM: u32 = 2;

/// An endpoint of a shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    form: u32,
    /// The id: `wh` and letters and digits.
    pub id: String,
    /// The URL that is called.
    pub url: String,
    /// The types of decisions that it asks for; `None` for all.
    pub types: Option<Vec<String>>,
    /// The most decisions in one call; `None` for one a call, without a list around it.
    pub batch: Option<u16>,
    /// Whether messages are sent.
    pub state: EndpointState,
    /// When it was made.
    pub made: Instant,
    /// Read from form 1, never written.
    #[serde(default, skip_serializing)]
    secrets: Vec<Signing>,
}

/// Whether messages are sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointState {
    /// Messages are sent.
    On,
    /// A user has switched the endpoint off.
    Off,
    /// The server has disabled the endpoint.
    Disabled {
        /// Why, in words.
        why: String,
        /// The instant at which the server did so.
        at: Instant,
    },
}

/// A secret, and until when it signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    secret: Secret,
    until: Option<Instant>,
}

impl Signing {
    /// A secret that signs until it is replaced.
    pub(super) fn first(secret: Secret) -> Signing {
        Signing {
            secret,
            until: None,
        }
    }
}

/// The fields of a request that makes or changes an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// The URL.
    pub url: Option<String>,
    /// The types; the inner `None` means all.
    pub types: Option<Option<Vec<String>>>,
    /// The most decisions in one call; the inner `None` means one by one.
    pub batch: Option<Option<u16>>,
    /// Whether the endpoint is switched on or off.
    pub enabled: Option<bool>,
}

/// The type of the notice that the server has disabled an endpoint.
pub const DISABLED: &str = "webhook.disabled";

/// Types of notices that an endpoint can ask for, beside decisions.
pub const NOTICES: [&str; 1] = [DISABLED];

impl EndpointChange {
    /// Whether the fields are valid, the URL excepted; the error says what is valid.
    pub fn check(&self) -> Result<(), String> {
        if let Some(Some(batch)) = self.batch
            && !(1..=BATCH_MAX).contains(&batch)
        {
            return Err(format!(
                "`batch` must be a whole number from 1 to {BATCH_MAX}."
            ));
        }
        let Some(Some(types)) = &self.types else {
            return Ok(());
        };
        if types.is_empty() {
            return Err("`types` is empty: leave it out, or null, for all types.".to_owned());
        }
        let known = || DecisionType::codes().chain(NOTICES);
        match types
            .iter()
            .find(|name| !known().any(|known| known == *name))
        {
            None => Ok(()),
            Some(unknown) => {
                let meant = match nearest(unknown, known()) {
                    Some(name) => format!("did you mean {name:?}? "),
                    None => String::new(),
                };
                let all: Vec<&str> = known().collect();
                Err(format!(
                    "`types` has {unknown:?}, which is not a type of decision; {meant}The types are: {}.",
                    all.join(", ")
                ))
            }
        }
    }
}

impl Endpoint {
    /// A new endpoint, with a secret and the fields of `change`.
    pub fn new(
        id: String,
        url: String,
        secret: Secret,
        change: &EndpointChange,
        now: Instant,
    ) -> Endpoint {
        let mut endpoint = Endpoint {
            form: FORM,
            id,
            url,
            types: None,
            batch: None,
            state: EndpointState::On,
            made: now,
            secrets: vec![Signing::first(secret)],
        };
        endpoint.change(change);
        endpoint
    }

    /// Changes the fields that are given.
    pub fn change(&mut self, change: &EndpointChange) {
        if let Some(url) = &change.url {
            self.url.clone_from(url);
        }
        if let Some(types) = &change.types {
            self.types.clone_from(types);
        }
        if let Some(batch) = change.batch {
            self.batch = batch;
        }
        match change.enabled {
            Some(true) => self.state = EndpointState::On,
            // An endpoint that the server has disabled keeps its state and its reason.
            Some(false) if self.is_on() => self.state = EndpointState::Off,
            Some(false) | None => {}
        }
    }

    /// Whether messages are sent.
    pub fn is_on(&self) -> bool {
        self.state == EndpointState::On
    }

    /// Whether it asks for decisions of this type.
    pub fn subscribes_to(&self, kind: &str) -> bool {
        let types = self.types.as_ref();
        types.is_none_or(|types| types.iter().any(|listed| listed == kind))
    }

    /// Whether it asks for a notice. Notices must be named in `types`.
    pub fn subscribes_to_notice(&self, kind: &str) -> bool {
        self.types.is_some() && self.subscribes_to(kind)
    }

    /// The secrets after a rotation; the earlier ones sign for [`OVERLAP`] more.
    pub(super) fn rotated(&self, secret: Secret, now: Instant) -> Vec<Signing> {
        let mut rotated = vec![Signing::first(secret)];
        let signs = |of: &&Signing| of.until.is_none_or(|until| now < until);
        for old in self.secrets.iter().filter(signs) {
            let until = now + OVERLAP;
            rotated.push(Signing {
                secret: old.secret.clone(),
                until: Some(old.until.map_or(until, |before| before.min(until))),
            });
        }
        rotated
    }

    /// All secrets, as the file of secrets stores them.
    pub(super) fn signing(&self) -> &[Signing] {
        &self.secrets
    }

    /// Replaces the secrets.
    pub(super) fn sign_with(&mut self, secrets: Vec<Signing>) {
        self.secrets = secrets;
    }

    /// Whether it can sign. An endpoint without a secret sends nothing.
    pub fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The secrets that sign at `now`, the newest first.
    pub fn secrets(&self, now: Instant) -> Vec<Secret> {
        let signing = self.secrets.iter();
        let signing = signing.filter(|of| of.until.is_none_or(|until| now < until));
        signing.map(|of| of.secret.clone()).collect()
    }

    /// The stored form.
    pub fn stored(&self) -> Vec<u8> {
        // It holds text and numbers only, which JSON can write.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the stored form, with secrets where it is form 1; `None` where the form is newer.
    pub fn read(bytes: &[u8]) -> Option<Endpoint> {
        let endpoint: Endpoint = serde_json::from_slice(bytes).ok()?;
        (endpoint.form <= FORM).then_some(Endpoint {
            form: FORM,
            ..endpoint
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(ms)
    }

    fn types(names: &[&str]) -> Option<Option<Vec<String>>> {
        Some(Some(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn what_cannot_be_had_says_what_can() {
        let of = |types, batch| EndpointChange {
            types,
            batch,
            ..EndpointChange::default()
        };
        for (change, expected) in [
            (of(None, None), None),
            (of(Some(None), Some(None)), None),
            (
                of(
                    types(&["session.assigned", "webhook.disabled"]),
                    Some(Some(500)),
                ),
                None,
            ),
            (of(types(&[]), None), Some("leave it out")),
            (
                of(types(&["session.asigned"]), None),
                Some("did you mean \"session.assigned\""),
            ),
            (
                of(types(&["message"]), None),
                Some("not a type of decision; The types are"),
            ),
            (of(None, Some(Some(0))), Some("from 1 to 500")),
            (of(None, Some(Some(501))), Some("from 1 to 500")),
        ] {
            let refused = change.check().err();
            match expected {
                None => assert_eq!(refused, None, "{change:?}"),
                Some(part) => assert!(refused.is_some_and(|why| why.contains(part)), "{change:?}"),
            }
        }
    }

    #[test]
    fn a_replaced_secret_signs_for_a_day_more() {
        let [first, second, third] = [(); 3].map(|()| Secret::new().unwrap());
        let change = EndpointChange::default();
        let mut endpoint = Endpoint::new(
            "e".into(),
            "http://h/".into(),
            first.clone(),
            &change,
            at(0),
        );
        endpoint.sign_with(endpoint.rotated(second.clone(), at(1000)));
        let day = OVERLAP.ms();
        assert_eq!(endpoint.secrets(at(1000)), [second.clone(), first.clone()]);
        assert_eq!(endpoint.secrets(at(999 + day)), [second.clone(), first]);
        assert_eq!(
            endpoint.secrets(at(1000 + day)),
            std::slice::from_ref(&second)
        );
        endpoint.sign_with(endpoint.rotated(third.clone(), at(2000 + day)));
        assert_eq!(endpoint.secrets(at(2000 + day)), [third, second]);
        assert_eq!(endpoint.secrets.len(), 2);
    }

    #[test]
    fn it_reads_back_and_a_newer_form_does_not() {
        let change = EndpointChange {
            types: types(&["session.queued"]),
            batch: Some(Some(50)),
            ..EndpointChange::default()
        };
        let secret = Secret::new().unwrap();
        let mut endpoint = Endpoint::new("e".into(), "http://h/".into(), secret, &change, at(5));
        endpoint.state = EndpointState::Disabled {
            why: "410".into(),
            at: at(7),
        };
        let stored = String::from_utf8(endpoint.stored()).unwrap();
        assert!(
            !stored.contains("whsec") && !stored.contains("secret"),
            "{stored}"
        );
        let mut without = endpoint.clone();
        without.sign_with(Vec::new());
        assert_eq!(Endpoint::read(stored.as_bytes()), Some(without));
        endpoint.form = FORM + 1;
        assert_eq!(Endpoint::read(&endpoint.stored()), None);
        // As release 0.1 wrote it.
        let first = r#"{"form":1,"id":"e","url":"http://h/","types":null,"batch":null,"state":"On","made":5,
            "secrets":[{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","until":null}]}"#;
        let read = Endpoint::read(first.as_bytes()).unwrap();
        assert!(read.has_secret() && !String::from_utf8(read.stored()).unwrap().contains("whsec"));
        assert!(endpoint.subscribes_to("session.queued") && !endpoint.subscribes_to("reply.due"));
        assert!(!endpoint.subscribes_to_notice("webhook.disabled"));
    }
}
