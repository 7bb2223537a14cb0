//! Stored forms are frozen: the newest is written exactly as its golden file, and all are read for ever.
//!
//! `XIAOER_GOLDEN=write cargo test --test core stored_forms::` writes the ledger's file again, for a form that no
//! release has written yet. The files of shops are written by `stored_shops`.

use std::path::PathBuf;

use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::snapshot::{SnapshotError, ledger_bytes, read_ledger, read_shop, shop_bytes};
use xiaoer::domain::state::shared_invites::MemoryLedger;
use xiaoer::domain::state::shop::Shop;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}"))
}

fn golden_shop(form: u16) -> Vec<u8> {
    std::fs::read(golden(&format!("shop-{form}.bin"))).expect("the golden shop")
}

/// The bytes before a shop's policy, the policy, and the bytes behind it. The policy is JSON, which grows by keys.
fn around_policy(bytes: &[u8]) -> (Vec<u8>, serde_json::Value, Vec<u8>) {
    let id = usize::from(bytes[1]);
    let head = 2 + id;
    assert_eq!(bytes[head], 251, "a policy of 251 to 65,535 bytes");
    let length = usize::from(u16::from_le_bytes([bytes[head + 1], bytes[head + 2]]));
    let begin = head + 3;
    let policy = serde_json::from_slice(&bytes[begin..begin + length]).expect("a policy");
    (
        bytes[..head].to_vec(),
        policy,
        bytes[begin + length..].to_vec(),
    )
}

/// The golden shop has something in every corner, so a field, a variant or a length that moves changes these bytes.
#[test]
fn form_2_of_a_shop_writes_what_it_wrote() {
    let bytes = golden_shop(2);
    let shop = read_shop(&bytes).expect("a shop");
    let written = shop_bytes(&shop).expect("bytes");
    let (head, policy, rest) = around_policy(&bytes);
    let (head_now, policy_now, rest_now) = around_policy(&written);
    assert_eq!((head_now, rest_now), (head, rest));
    let now = policy_now.as_object().expect("an object");
    for (key, value) in policy.as_object().expect("an object") {
        assert!(
            now.contains_key(key),
            "{key}: {value} is gone from policies"
        );
    }
}

/// A shop of form 1 is written in form 2, and that is read as the same shop.
#[test]
fn form_1_of_a_shop_becomes_form_2() {
    let shop = read_shop(&golden_shop(1)).expect("a shop");
    let written = shop_bytes(&shop).expect("bytes");
    assert_eq!(written[0], 2);
    let again = read_shop(&written).expect("a shop");
    assert_eq!(shop_bytes(&again).expect("bytes"), written);
}

/// A ledger with every kind of space: nobody has sent anything, one shop has, several have; a buyer with several invites.
fn ledger() -> MemoryLedger {
    let id = |text: &str| Id::new(text).expect("an id");
    let mut ledger = MemoryLedger::default();
    let begin = Instant::parse("2026-11-11T02:00:00Z").expect("an instant");
    for (minute, (shop, space, buyer)) in [
        ("east", "one", "b1"),
        ("west", "one", "b1"),
        ("west", "one", "b2"),
        ("east", "one", "b1"),
        ("花店", "two", "老王"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = Instant::from_ms(begin.ms() + 60_000 * minute as i64);
        ledger.book(&id(shop), &id(space), &id(buyer), at);
    }
    use xiaoer::domain::state::shared_invites::{Claim, Ledger};
    ledger.claim(&Claim {
        shop: &id("north"),
        space: &id("three"),
        buyer: &id("b3"),
        at: begin,
        on_day: &|_| true,
        cap: 1,
        send: false,
    });
    ledger
}

#[test]
fn form_1_of_the_ledger_writes_what_it_wrote() {
    let written = ledger_bytes(&ledger()).expect("bytes");
    let path = golden("ledger-1.bin");
    if std::env::var("XIAOER_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, &written).expect("the golden ledger");
    }
    let bytes = std::fs::read(path).expect("the golden ledger");
    assert_eq!(written, bytes);
    let read = read_ledger(&bytes).expect("a ledger");
    assert_eq!(ledger_bytes(&read).expect("bytes"), bytes);
}

fn told_newer<T>(read: Result<T, SnapshotError>) -> String {
    match read {
        Err(SnapshotError::Newer(what)) => what,
        Err(SnapshotError::Damaged(what)) => panic!("damaged: {what}"),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn what_a_newer_program_stored_is_refused_and_told() {
    let mut shop = golden_shop(2);
    shop[0] = 3;
    let mut later = vec![0xff, 0, 2];
    later.extend(ledger_bytes(&ledger()).expect("bytes"));
    for (what, form) in [
        (told_newer(read_shop(&shop)), "form 3"),
        (
            // A version beyond one byte.
            told_newer(read_shop(&[&[251, 0x2c, 1][..], &shop[1..]].concat())),
            "form 300",
        ),
        (told_newer(read_ledger(&later)), "form 2"),
        (told_newer(read_ledger(&[0xff, 1, 44])), "form 300"),
    ] {
        assert!(what.contains(form), "{what}");
        assert!(what.contains("use the newer program"), "{what}");
    }
    for (bytes, why) in [
        (&[0, 1, 2][..], "form 0"),
        (&[][..], ""),
        (&[254, 1][..], ""),
    ] {
        match read_shop(bytes) {
            Err(SnapshotError::Damaged(what)) => assert!(what.contains(why), "{what}"),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
    for bytes in [&[0xff][..], &[0xff, 0], &[0xff, 0, 1], &[0xff, 0, 0]] {
        let read = read_ledger(bytes).map(|_| ());
        assert!(matches!(read, Err(SnapshotError::Damaged(_))), "{bytes:?}");
    }
}

/// No ledger of form 1 begins as a later one does, however many shops it names.
#[test]
fn the_first_byte_tells_the_forms_of_the_ledger() {
    let at = Instant::parse("2026-11-11T02:00:00Z").expect("an instant");
    for shops in [0, 1, 250, 251, 255, 256, 65_535, 65_536] {
        let mut ledger = MemoryLedger::default();
        let (space, buyer) = (Id::new("s").expect("an id"), Id::new("b").expect("an id"));
        for shop in 0..shops {
            let shop = Id::new(&format!("{shop}")).expect("an id");
            ledger.book(&shop, &space, &buyer, at);
        }
        let bytes = ledger_bytes(&ledger).expect("bytes");
        assert!(bytes[0] < 254, "{shops} shops begin with {}", bytes[0]);
        assert!(read_ledger(&bytes).is_ok(), "{shops} shops");
    }
}

/// Cut off, with something behind it, or with any byte changed, it is a shop or ledger or an error, and no panic.
#[test]
fn nonsense_is_an_error() {
    fn hostile<T>(bytes: &[u8], read: fn(&[u8]) -> Result<T, SnapshotError>) -> usize {
        assert!(read(bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "the first {length} bytes");
        }
        let longer = [bytes, &[0]].concat();
        assert!(read(&longer).is_err(), "a byte is left over");
        let mut refused = 0;
        for place in 0..bytes.len() {
            for change in [0x01, 0x02, 0x80, 0xff] {
                let mut spoilt = bytes.to_vec();
                spoilt[place] ^= change;
                refused += usize::from(read(&spoilt).is_err());
            }
        }
        refused
    }
    for form in [1, 2] {
        let refused = hostile::<Shop>(&golden_shop(form), read_shop);
        assert!(refused > 500, "only {refused} shops refused");
    }
    let ledger = ledger_bytes(&ledger()).expect("bytes");
    let refused = hostile::<MemoryLedger>(&ledger, read_ledger);
    assert!(refused > 30, "only {refused} ledgers refused");
}
