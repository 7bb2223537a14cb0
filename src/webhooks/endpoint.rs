//! An endpoint: where a shop's decisions go, which of them, and by which secrets they are signed.
//!
//! Its secrets are not part of what is stored of it: they are in a file of their own (`secrets_file.rs`). The
//! first form, which 0.1.0 wrote, held them; it is read for ever.

use serde::{Deserialize, Serialize};

use super::transport::signature::Secret;
use crate::domain::base::suggestion::nearest;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::protocol::decision::DecisionType;

/// The most decisions of one call.
pub const BATCH_MAX: u16 = 500;

/// For how long a secret that was replaced still signs.
pub const OVERLAP: Duration = Duration::days(1);

/// The version of the stored form.
const FORM: u32 = 2;

/// An endpoint of a shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    form: u32,
    /// Its id.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// The types of decisions that it asks for; nothing: all of them.
    pub types: Option<Vec<String>>,
    /// At most so many decisions a call; nothing: one a call, without a list around it.
    pub batch: Option<u16>,
    /// Whether anything is sent.
    pub state: EndpointState,
    /// When it was made.
    pub made: Instant,
    /// Read of the first form, never written.
    #[serde(default, skip_serializing)]
    secrets: Vec<Signing>,
}

/// Whether anything is sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointState {
    /// It is.
    On,
    /// Somebody has switched it off.
    Off,
    /// The server has switched it off.
    Disabled {
        /// Why, in words.
        why: String,
        /// When.
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

/// What is wanted of an endpoint, whether it is there or is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub url: Option<String>,
    /// Which types; the inner nothing: all.
    pub types: Option<Option<Vec<String>>>,
    /// How many a call; the inner nothing: one by one.
    pub batch: Option<Option<u16>>,
    /// On or off.
    pub enabled: Option<bool>,
}

/// The type of the word that an endpoint was switched off by the server.
pub const DISABLED: &str = "webhook.disabled";

/// What an endpoint can ask for beside decisions: word of another that the server has switched off.
pub const NOTICES: [&str; 1] = [DISABLED];

impl Wanted {
    /// Whether it can be had; the address is judged elsewhere.
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
                    "`types` has {unknown:?}, which is no type of decision; {meant}There are: {}.",
                    all.join(", ")
                ))
            }
        }
    }
}

impl Endpoint {
    /// A new one.
    pub fn new(id: String, url: String, secret: Secret, wanted: &Wanted, now: Instant) -> Endpoint {
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
        endpoint.change(wanted);
        endpoint
    }

    /// Takes on what is wanted; what was not said stays.
    pub fn change(&mut self, wanted: &Wanted) {
        if let Some(url) = &wanted.url {
            self.url.clone_from(url);
        }
        if let Some(types) = &wanted.types {
            self.types.clone_from(types);
        }
        if let Some(batch) = wanted.batch {
            self.batch = batch;
        }
        match wanted.enabled {
            Some(true) => self.state = EndpointState::On,
            // One that the server has switched off stays so, and says why.
            Some(false) if self.is_on() => self.state = EndpointState::Off,
            Some(false) | None => {}
        }
    }

    /// Whether anything is sent.
    pub fn is_on(&self) -> bool {
        self.state == EndpointState::On
    }

    /// Whether it asks for decisions of this type.
    pub fn wants(&self, kind: &str) -> bool {
        let types = self.types.as_ref();
        types.is_none_or(|types| types.iter().any(|wanted| wanted == kind))
    }

    /// Whether it asks for a notice, which has to be named.
    pub fn wants_notice(&self, kind: &str) -> bool {
        self.types.is_some() && self.wants(kind)
    }

    /// What it would sign with after a new secret; those before it sign for [`OVERLAP`] more.
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

    /// All that it signs with, as the file of secrets keeps it.
    pub(super) fn signing(&self) -> &[Signing] {
        &self.secrets
    }

    /// From now on it signs with these.
    pub(super) fn sign_with(&mut self, secrets: Vec<Signing>) {
        self.secrets = secrets;
    }

    /// Whether it can sign; one whose secrets were lost sends nothing.
    pub fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The secrets that sign now, the newest first.
    pub fn secrets(&self, now: Instant) -> Vec<Secret> {
        let signing = self.secrets.iter();
        let signing = signing.filter(|of| of.until.is_none_or(|until| now < until));
        signing.map(|of| of.secret.clone()).collect()
    }

    /// The stored form.
    pub fn stored(&self) -> Vec<u8> {
        // All of it is text and numbers, which JSON can write.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the stored form, with secrets where it is the first; nothing where it is of a newer one.
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
        let of = |types, batch| Wanted {
            types,
            batch,
            ..Wanted::default()
        };
        for (wanted, expected) in [
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
                Some("no type of decision; There are"),
            ),
            (of(None, Some(Some(0))), Some("from 1 to 500")),
            (of(None, Some(Some(501))), Some("from 1 to 500")),
        ] {
            let refused = wanted.check().err();
            match expected {
                None => assert_eq!(refused, None, "{wanted:?}"),
                Some(part) => assert!(refused.is_some_and(|why| why.contains(part)), "{wanted:?}"),
            }
        }
    }

    #[test]
    fn a_replaced_secret_signs_for_a_day_more() {
        let [first, second, third] = [(); 3].map(|()| Secret::new().unwrap());
        let wanted = Wanted::default();
        let mut endpoint = Endpoint::new(
            "e".into(),
            "http://h/".into(),
            first.clone(),
            &wanted,
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
        let wanted = Wanted {
            types: types(&["session.queued"]),
            batch: Some(Some(50)),
            ..Wanted::default()
        };
        let secret = Secret::new().unwrap();
        let mut endpoint = Endpoint::new("e".into(), "http://h/".into(), secret, &wanted, at(5));
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
        // As 0.1.0 wrote it.
        let first = r#"{"form":1,"id":"e","url":"http://h/","types":null,"batch":null,"state":"On","made":5,
            "secrets":[{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","until":null}]}"#;
        let read = Endpoint::read(first.as_bytes()).unwrap();
        assert!(read.has_secret() && !String::from_utf8(read.stored()).unwrap().contains("whsec"));
        assert!(endpoint.wants("session.queued") && !endpoint.wants("reply.due"));
        assert!(!endpoint.wants_notice("webhook.disabled"));
    }
}
