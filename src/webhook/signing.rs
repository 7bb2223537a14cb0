//! Signatures by the Standard Webhooks specification 1.0: HMAC-SHA256 of `{id}.{timestamp}.{body}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// What a secret is written with in front.
const PREFIX: &str = "whsec_";

/// Bytes of a new secret.
const SECRET_BYTES: usize = 32;

/// A secret that an endpoint knows too. Never shown but by [`Secret::text`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new one, by the luck of the operating system.
    ///
    /// # Panics
    ///
    /// The operating system has no luck to give: without it no secret is one.
    #[expect(
        clippy::new_without_default,
        reason = "two of them are never the same, so there is no default one"
    )]
    pub fn new() -> Secret {
        let mut bytes = vec![0; SECRET_BYTES];
        match OsRng.try_fill_bytes(&mut bytes) {
            Ok(()) => Secret(bytes),
            Err(error) => panic!("the operating system gives no random bytes: {error}"),
        }
    }

    /// Reads `whsec_` and base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Option<Secret> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Secret(bytes))
    }

    /// As it is told to whoever verifies.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        // A key of any length will do for an HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        let text = String::deserialize(from)?;
        Secret::parse(&text).ok_or_else(|| serde::de::Error::custom("no secret of a webhook"))
    }
}

/// The header `webhook-signature`: one signature a secret, with spaces between them, in the order of the secrets.
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let signed: Vec<String> = secrets
        .iter()
        .map(|secret| secret.sign(id, timestamp_s, body))
        .collect();
    signed.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification publishes.
    #[test]
    fn the_published_vector_comes_out() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = sign(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_read_and_hidden() {
        let secret = Secret::new();
        assert_ne!(secret, Secret::new());
        assert_eq!(Secret::parse(&secret.text()), Some(secret.clone()));
        assert!(!format!("{secret:?}").contains(&secret.text()[6..20]));
        let json = serde_json::to_string(&secret).unwrap();
        assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), secret);
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        for wrong in ["", "whsec_", "whsec_%%%", &short, &secret.text()[6..]] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }
}
