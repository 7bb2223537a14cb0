//! `shop.configured` received over HTTP: its policy is checked, and its buyer space is set.
//!
//! *Check*: the policy is parsed and its agent groups are expanded on a blocking thread, so that the shop's thread only
//! applies the result. A policy that exceeds the limits of [`CheckedPolicy::check`] never reaches the shop.
//!
//! *Buyer space*: shops share it (I12), so only an admin may set or change it. If the event does not name one, the
//! server writes it into the event's text. The journal, and a trace exported from it, then give the same result
//! wherever they are replayed.

use std::collections::BTreeMap;

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::event_body::ParsedEvent;
use super::resource_change::{accepted, quoted};
use crate::domain::base::id::{ID_BYTES_MAX, Id};
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::{Policy, PolicyError};
use crate::domain::protocol::decision::ErrorCode;
use crate::domain::protocol::event::{Event, EventBody, GivenPolicy};
use crate::http::auth::Scope;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::RequestContext;
use crate::runtime::{EventResult, IncomingEvent, Shops, Unavailable};
use crate::wire::{Line, read_event};

/// The detail of the problem for a policy that is not an object.
const NO_POLICY: &str = "The policy must be an object of its keys, `{}` for the standard preset.";

/// The prefix of the name of a shop's private buyer space.
const OWN_SPACE: &str = "shop:";

/// Which buyer space an event may name, and the default if it names none.
enum BuyerSpaceField {
    /// Admin key: any space. Default: the preset's, or the shop's private space.
    Any {
        /// The shop's private space, if the settings give each shop one.
        own: Option<Id>,
    },
    /// Other keys: the shop keeps its current space.
    Kept(Id),
}

impl BuyerSpaceField {
    async fn of(call: &RequestContext) -> Result<BuyerSpaceField, Problem> {
        if call.grant.scope != Scope::Admin {
            let kept = call.live(|shop| shop.policy().buyer_space.clone());
            return Ok(BuyerSpaceField::Kept(kept.await?));
        }
        let own = call.state.limits.own_buyer_space;
        let shop = call.shop()?;
        Ok(BuyerSpaceField::Any {
            own: own.then(|| own_space(&shop)),
        })
    }

    /// The buyer space to insert into a policy. `None` if the policy names one that is allowed.
    fn missing_in(&self, policy: &serde_json::Value) -> Result<Option<Id>, Problem> {
        let named = policy.get("buyer_space").filter(|named| !named.is_null());
        match (self, named) {
            (BuyerSpaceField::Kept(kept), Some(named)) if named.as_str() != Some(kept) => {
                Err(not_an_owners(kept))
            }
            (BuyerSpaceField::Kept(_) | BuyerSpaceField::Any { .. }, Some(_)) => Ok(None),
            (BuyerSpaceField::Kept(kept), None) => Ok(Some(kept.clone())),
            (BuyerSpaceField::Any { own: Some(own) }, None) => Ok(Some(own.clone())),
            // If another part of the policy is invalid, that error is reported instead.
            (BuyerSpaceField::Any { own: None }, None) => {
                Ok(Policy::parse(policy).ok().map(|policy| policy.buyer_space))
            }
        }
    }
}

/// The private space of a shop. No preset and no other shop has this name.
fn own_space(shop: &Id) -> Id {
    let name = format!("{OWN_SPACE}{shop}");
    let hashed = || {
        let hash = Sha256::digest(shop.as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Id::new(&format!("{OWN_SPACE}sha256:{hash}"))
    };
    let name = (name.len() <= ID_BYTES_MAX).then(|| Id::new(&name));
    name.flatten()
        .or_else(hashed)
        .unwrap_or_else(|| shop.clone())
}

fn not_an_owners(kept: &Id) -> Problem {
    let detail = format!(
        "`buyer_space` says which shops share their buyers, so only an admin's key may name or change it: leave it out, \
         and the shop keeps {kept:?}; or ask whoever keeps the server."
    );
    Problem::new(ProblemCode::Forbidden, detail)
}

/// Whether an event sets a policy.
fn configures(slot: &ParsedEvent) -> bool {
    matches!(slot, ParsedEvent::Take(IncomingEvent::Event { event, .. }) if matches!(event.what, EventBody::ShopConfigured { .. }))
}

/// Checks the policies among the events of a request.
pub async fn check_policies(
    call: &RequestContext,
    slots: Vec<ParsedEvent>,
) -> Result<Vec<ParsedEvent>, Problem> {
    if !slots.iter().any(configures) {
        return Ok(slots);
    }
    let (space, shop) = (BuyerSpaceField::of(call).await?, call.shop()?);
    run_blocking(move || {
        let checked = slots.into_iter().map(|slot| match slot {
            ParsedEvent::Take(IncomingEvent::Event {
                event,
                stamped,
                text,
            }) => {
                let id = event.id.clone();
                let checked = checked(&space, &shop, event, stamped, text);
                checked.map_or_else(
                    |problem| ParsedEvent::Refuse(id, problem),
                    ParsedEvent::Take,
                )
            }
            ParsedEvent::Take(IncomingEvent::Malformed { .. }) | ParsedEvent::Refuse(..) => slot,
        });
        checked.collect()
    })
    .await
}

/// Sets the policy of the path's shop. `policy` extracts it from the body.
pub async fn configure(
    call: &RequestContext,
    policy: impl FnOnce() -> Result<serde_json::Value, Problem> + Send + 'static,
) -> Result<EventResult, Problem> {
    let (space, shop) = (BuyerSpaceField::of(call).await?, call.shop()?);
    let now = call.state.shops.now();
    let intake = run_blocking(move || {
        let mut sent = policy()?;
        if !sent.is_object() {
            return Err(Problem::malformed(NO_POLICY));
        }
        if let Some(missing) = space.missing_in(&sent)? {
            sent["buyer_space"] = missing.as_str().into();
        }
        let policy = checked_policy(Box::new(sent))?;
        Ok(IncomingEvent::made(
            EventBody::ShopConfigured { policy },
            now,
        ))
    });
    let answered = post(call, &shop, vec![intake.await??]).await;
    let mut answered = answered.map_err(Problem::refused)?;
    match answered.pop() {
        Some(answered) => accepted(&shop, answered),
        None => Err(Problem::refused(Unavailable::Broken)),
    }
}

/// Sends events to the shop. Without an admin key they apply only while the shop's buyer space is unchanged.
pub async fn post(
    call: &RequestContext,
    shop: &Id,
    events: Vec<IncomingEvent>,
) -> Result<Vec<EventResult>, Unavailable> {
    match call.grant.scope {
        Scope::Admin => call.state.shops.post(shop, events).await,
        Scope::Events | Scope::Read | Scope::Owner => {
            call.state.shops.post_in_its_space(shop, events).await
        }
    }
}

/// Checks a policy without applying it.
pub async fn would_be_taken(
    call: &RequestContext,
    policy: impl FnOnce() -> Result<serde_json::Value, Problem> + Send + 'static,
) -> Result<(), Problem> {
    // Answers 404 if the shop does not exist.
    call.live(|_| ()).await?;
    let space = BuyerSpaceField::of(call).await?;
    let judged = run_blocking(move || {
        let policy = policy()?;
        if !policy.is_object() {
            return Err(Problem::malformed(NO_POLICY));
        }
        space.missing_in(&policy)?;
        CheckedPolicy::check(&policy).map_err(|error| invalid(&error))
    });
    judged.await?.map(drop)
}

fn invalid(error: &PolicyError) -> Problem {
    Problem::new(
        ProblemCode::Rejected(ErrorCode::PolicyInvalid),
        error.to_string(),
    )
}

/// Runs slow work on a blocking thread, so that it delays no shop.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    Shops::run_blocking(work).await.map_err(Problem::refused)
}

/// The event as it is sent to the shop. A policy that does not parse is sent too, and the shop rejects it, as a replay
/// does. A policy that parses but is too large is refused here, because a replay would accept it.
fn checked(
    space: &BuyerSpaceField,
    shop: &Id,
    event: Event,
    stamped: bool,
    text: ByteString,
) -> Result<IncomingEvent, Problem> {
    let EventBody::ShopConfigured {
        policy: GivenPolicy::Sent(sent),
    } = &event.what
    else {
        return Ok(IncomingEvent::Event {
            event,
            stamped,
            text,
        });
    };
    let (mut event, mut text) = (event.clone(), text);
    let mut value = sent.clone();
    if let Some(missing) = space.missing_in(sent)?
        && let Some(whole) = with_space(&text, &missing)
        && let Ok(read) = read_event(&whole, shop, event.at)
        && let Line::Event(_, again) = read.line
        && let EventBody::ShopConfigured {
            policy: GivenPolicy::Sent(again_sent),
        } = &again.what
    {
        value = again_sent.clone();
        (event, text) = (again, whole.into());
    }
    let policy = checked_policy(value)?;
    event.what = EventBody::ShopConfigured { policy };
    Ok(IncomingEvent::Event {
        event,
        stamped,
        text,
    })
}

fn checked_policy(sent: Box<serde_json::Value>) -> Result<GivenPolicy, Problem> {
    let checked = match Policy::parse(&sent) {
        Err(error) => Err(error),
        Ok(policy) => Ok(CheckedPolicy::within_limits(policy).map_err(|error| invalid(&error))?),
    };
    Ok(GivenPolicy::Checked { sent, checked })
}

/// The fields of a JSON object, unparsed. Of duplicate names the last counts.
#[derive(Deserialize)]
struct PolicyFields<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

/// The text of a `shop.configured` event with `space` inserted into its policy, which names none.
fn with_space(text: &str, space: &Id) -> Option<String> {
    let PolicyFields(event) = serde_json::from_str(text).ok()?;
    let policy = event.get("policy")?.get();
    let PolicyFields(fields) = serde_json::from_str(policy).ok()?;
    let place = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize;
    let space = quoted(space);
    let (from, to, put) = match fields.get("buyer_space") {
        // The field is null, which means that it is absent.
        Some(null) => (
            place(null.get()),
            place(null.get()) + null.get().len(),
            space,
        ),
        None => {
            let inside = place(policy) + 1;
            let comma = if fields.is_empty() { "" } else { "," };
            (inside, inside, format!("\"buyer_space\":{space}{comma}"))
        }
    };
    Some([&text[..from], &put, &text[to..]].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_space_is_put_in_where_none_is_named() {
        let space = Id::known("a\"b");
        for (text, expected) in [
            (
                r#"{"type":"shop.configured","policy":{}}"#,
                r#"{"type":"shop.configured","policy":{"buyer_space":"a\"b"}}"#,
            ),
            (
                r#"{"policy": { "preset": "douyin" } , "type":"shop.configured"}"#,
                r#"{"policy": {"buyer_space":"a\"b", "preset": "douyin" } , "type":"shop.configured"}"#,
            ),
            (
                r#"{"policy":{"buyer_space" : null ,"preset":"douyin"},"type":"shop.configured"}"#,
                r#"{"policy":{"buyer_space" : "a\"b" ,"preset":"douyin"},"type":"shop.configured"}"#,
            ),
            (
                r#"{"policy":{"buyer_space":"x","buyer_spac\u0065":null},"type":"shop.configured"}"#,
                r#"{"policy":{"buyer_space":"x","buyer_spac\u0065":"a\"b"},"type":"shop.configured"}"#,
            ),
            (
                r#"{"policy":{"x":1},"\u0070olicy":{},"type":"shop.configured"}"#,
                r#"{"policy":{"x":1},"\u0070olicy":{"buyer_space":"a\"b"},"type":"shop.configured"}"#,
            ),
        ] {
            let put = with_space(text, &space).unwrap();
            assert_eq!(put, expected);
            let value: Value = serde_json::from_str(&put).unwrap();
            assert_eq!(value["policy"]["buyer_space"], json!("a\"b"), "{put}");
        }
        assert_eq!(with_space("{}", &space), None);
    }

    #[test]
    fn every_shop_has_a_space_of_its_own_that_no_other_is_called() {
        let short = Id::known("tea");
        assert_eq!(own_space(&short).as_str(), "shop:tea");
        let (long, other) = ("x".repeat(ID_BYTES_MAX), "x".repeat(ID_BYTES_MAX - 1));
        let [long, other] = [long, other].map(|id| own_space(&Id::new(&id).unwrap()));
        assert!(long != other && long.len() <= ID_BYTES_MAX && long.starts_with("shop:sha256:"));
    }

    #[test]
    fn only_an_admin_names_a_space() {
        let kept = || BuyerSpaceField::Kept(Id::known("mine"));
        let any = |own: Option<&str>| BuyerSpaceField::Any {
            own: own.and_then(Id::new),
        };
        for (space, policy, expected) in [
            (kept(), json!({}), Some(Some("mine"))),
            (kept(), json!({"preset": "douyin"}), Some(Some("mine"))),
            (kept(), json!({"buyer_space": null}), Some(Some("mine"))),
            (kept(), json!({"buyer_space": "mine"}), Some(None)),
            (kept(), json!({"buyer_space": "theirs"}), None),
            (kept(), json!({"buyer_space": 7}), None),
            (any(None), json!({}), Some(Some("standard"))),
            (any(None), json!({"preset": "douyin"}), Some(Some("douyin"))),
            (any(None), json!({"buyer_space": "theirs"}), Some(None)),
            (any(None), json!({"preset": "amazon"}), Some(None)),
            (
                any(Some("shop:s")),
                json!({"preset": "douyin"}),
                Some(Some("shop:s")),
            ),
            (any(Some("shop:s")), json!({"buyer_space": "x"}), Some(None)),
        ] {
            let missing = space.missing_in(&policy);
            let missing = missing.map(|missing| missing.map(|id| id.to_string()));
            match expected {
                None => assert_eq!(
                    missing.unwrap_err().code(),
                    ProblemCode::Forbidden,
                    "{policy}"
                ),
                Some(expected) => {
                    assert_eq!(missing, Ok(expected.map(str::to_owned)), "{policy}");
                }
            }
        }
    }
}
