//! The text of a key, `xek_<id>_<secret><checksum>`. The checksum shows a typing error before the key is looked up.

use rand::TryRngCore;
use rand::rngs::OsRng;

/// What a secret scanner looks for: the regular expression of every key.
pub const KEY_PATTERN: &str = "xek_[0-9A-Za-z]{8}_[0-9A-Za-z]{36}";

const PREFIX: &str = "xek_";

/// Characters of the id, by which the key is found and listed.
pub(super) const ID_CHARS: usize = 8;

/// Characters of the secret: 30 of 62 each are 178 bits.
pub(super) const SECRET_CHARS: usize = 30;

/// Characters of the checksum: 62 to the 6th is more than a CRC32 has values.
const CHECKSUM_CHARS: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key as it is sent, in its parts.
#[derive(Debug, PartialEq)]
pub(super) struct KeyParts<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

/// The text of the key with this id and this secret.
pub(super) fn write(id: &str, secret: &str) -> String {
    let text = format!("{PREFIX}{id}_{secret}");
    let checksum = checksum(&text);
    text + &checksum
}

/// Reads a key; `None` where the text is not a key, or where its checksum is wrong.
pub(super) fn read(text: &str) -> Option<KeyParts<'_>> {
    let (body, found) = text.split_at_checked(text.len().checked_sub(CHECKSUM_CHARS)?)?;
    let (id, secret) = body.strip_prefix(PREFIX)?.split_at_checked(ID_CHARS)?;
    let secret = secret.strip_prefix('_')?;
    let whole = is_drawn(id, ID_CHARS) && is_drawn(secret, SECRET_CHARS);
    (whole && checksum(body) == found).then_some(KeyParts { id, secret })
}

/// Whether `text` consists of so many letters and digits.
pub(super) fn is_drawn(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// So many random letters and digits of the system.
pub(super) fn draw(chars: usize) -> std::io::Result<String> {
    let mut text = String::with_capacity(chars);
    let mut luck = [0_u8; 64];
    while text.len() < chars {
        OsRng
            .try_fill_bytes(&mut luck)
            .map_err(std::io::Error::other)?;
        // Of 64 values of six bits two are discarded, so that every character is equally likely.
        let drawn = luck
            .iter()
            .filter_map(|byte| DIGITS.get(usize::from(byte & 63)));
        let missing = chars - text.len();
        text.extend(drawn.take(missing).copied().map(char::from));
    }
    Ok(text)
}

/// The CRC32 of a text as six characters, the highest first.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "xek_abcdefgh_0123456789ABCDEFGHIJKLMNOPQRST342p0d";

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let (id, secret) = ("abcdefgh", "0123456789ABCDEFGHIJKLMNOPQRST");
        assert_eq!(write(id, secret), KEY);
        assert_eq!(read(KEY), Some(KeyParts { id, secret }));
    }

    #[test]
    fn what_is_no_key_is_told() {
        for text in [
            "",
            "xek_",
            "xek_abcdefgh_",
            &KEY[1..],
            &KEY[..KEY.len() - 1],
            &format!("{KEY}0"),
            &format!(" {KEY}"),
            &KEY.to_uppercase(),
            "密钥密钥密钥密钥密钥密钥密钥密钥密钥",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Every place, every other byte that can stand in a text.
    #[test]
    fn a_single_changed_character_is_told() {
        for at in 0..KEY.len() {
            for other in (0..=0x7f).filter(|&byte| byte != KEY.as_bytes()[at]) {
                let mut bytes = KEY.as_bytes().to_vec();
                bytes[at] = other;
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(read(&changed), None, "{changed:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn drawn_keys_are_read_and_their_slips_are_told(at in 0_usize..49, other in "[0-9A-Za-z_]") {
            let (id, secret) = (draw(ID_CHARS).unwrap(), draw(SECRET_CHARS).unwrap());
            let text = write(&id, &secret);
            prop_assert_eq!(text.len(), 49);
            prop_assert_eq!(read(&text), Some(KeyParts { id: &id, secret: &secret }));
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(read(&changed).is_some(), changed == text);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            prop_assert_eq!(read(&text), None);
        }
    }
}
