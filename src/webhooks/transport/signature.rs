//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over the message's id, the time of the attempt, and the body.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// What a secret's text begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a secret that is made here.
const BYTES: usize = 32;

/// The fewest bytes of a secret, by the standard.
const BYTES_MIN: usize = 24;

/// The most bytes of a secret, by the standard; also what HMAC-SHA256 takes as it is.
const BYTES_MAX: usize = 64;

/// A secret that the endpoint and the server share. Its text is `whsec_` and the base64 of its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// 32 random bytes of the system.
    pub fn new() -> std::io::Result<Secret> {
        let mut bytes = vec![0; BYTES];
        OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(std::io::Error::other)?;
        Ok(Secret(bytes))
    }

    /// Reads a secret's text, of 24 to 64 bytes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Secret> {
        let bytes = BASE64.decode(text.strip_prefix(PREFIX)?).ok()?;
        (BYTES_MIN..=BYTES_MAX)
            .contains(&bytes.len())
            .then_some(Secret(bytes))
    }

    /// Its text; [`Secret::parse`] reads it back.
    pub fn text(&self) -> String {
        PREFIX.to_owned() + &BASE64.encode(&self.0)
    }

    /// HMAC-SHA256 under this secret of what all `parts` are in a row.
    fn code(&self, parts: &[&[u8]]) -> String {
        // A key of at most a block is padded with zeros (RFC 2104), so its length needs no check.
        let mut block = [0; BYTES_MAX];
        block[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
        for part in parts {
            mac.update(part);
        }
        BASE64.encode(mac.finalize().into_bytes())
    }
}

/// Shows no secret, since it may be logged.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({PREFIX}…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The text is not repeated: it may be a secret.
        Secret::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("a secret is `whsec_` and the base64 of 24 to 64 bytes")
        })
    }
}

/// The value of `webhook-signature`: one signature a secret, in their order, with blanks between them.
///
/// `timestamp_s` is the attempt's time in seconds since the Unix epoch, as `webhook-timestamp` says it. The `id` may
/// hold no `.`, which would let it be read as another id and another time.
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    debug_assert!(!id.contains('.'), "the id {id:?} holds a point");
    let head = format!("{id}.{timestamp_s}.");
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1,{}", secret.code(&[head.as_bytes(), body])))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn published_vectors_come_out() {
        for (secret, id, at, body, signature) in [
            (SECRET, ID, 1_614_265_330, BODY, SIGNATURE),
            (
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                br#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
        ] {
            let secret = Secret::parse(secret).unwrap();
            assert_eq!(sign(&[secret], id, at, body), signature);
        }
    }

    #[test]
    fn every_secret_signs_and_each_part_counts() {
        let old = Secret::parse(SECRET).unwrap();
        let new = Secret::new().unwrap();
        let both = sign(&[new.clone(), old.clone()], ID, 1_614_265_330, BODY);
        let newest = sign(&[new], ID, 1_614_265_330, BODY);
        assert_eq!(both, format!("{newest} {SIGNATURE}"));
        assert_eq!(sign(&[], ID, 1_614_265_330, BODY), "");
        for (id, at, body) in [
            ("msg_q", 1_614_265_330, BODY),
            (ID, 1_614_265_331, BODY),
            (ID, 1_614_265_330, &BODY[1..]),
        ] {
            assert_ne!(sign(std::slice::from_ref(&old), id, at, body), SIGNATURE);
        }
    }

    #[test]
    fn secrets_are_read_as_they_were_written() {
        for bytes in [24, 25, 32, 63, 64] {
            let secret = Secret(vec![0xa5; bytes]);
            assert_eq!(Secret::parse(&secret.text()), Some(secret.clone()));
            let json = serde_json::to_string(&secret).unwrap();
            assert_eq!(json, format!("\"{}\"", secret.text()));
            assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), secret);
        }
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_eq!(one.0.len(), 32);
        assert_ne!(one, other);
    }

    #[test]
    fn what_is_no_secret_is_told_and_not_repeated() {
        let short = Secret(vec![1; 23]).text();
        let long = Secret(vec![1; 65]).text();
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ",
            "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            &short,
            &long,
        ] {
            assert_eq!(Secret::parse(text), None, "{text:?}");
            let error = serde_json::from_value::<Secret>(text.into()).unwrap_err();
            assert!(
                text.len() < 10 || !error.to_string().contains(text),
                "{error}"
            );
        }
    }

    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let secret = Secret::parse(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(whsec_…)");
    }
}
