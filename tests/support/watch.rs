//! Observes a trace while it is played: checks the invariants after every event (rules, last section), and what the
//! decisions alone show.

use std::collections::BTreeMap;

use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::{Duration, Instant};
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::domain::protocol::decision::{AssignReason, Decision, DecisionBody, Trigger};
use xiaoer::domain::protocol::event::EventBody;
use xiaoer::domain::read::invariants;

use super::player::{Played, Player};

/// Plays a trace and looks at every event of it.
#[derive(Default)]
pub struct Watch {
    /// What plays.
    pub player: Player,
    /// How many assignments were held against presence and load.
    pub assignments_checked: u64,
    /// How many decisions there were.
    pub decisions: u64,
    seqs: BTreeMap<Id, u64>,
    auto_invites: BTreeMap<(Id, Id), Instant>,
}

impl Watch {
    /// Plays one event and looks at its decisions; with `audit`, at all of the shop too.
    pub fn play(&mut self, line: &str, audit: bool) -> Result<Played, String> {
        let quiets = quiets(&self.player.installation);
        let played = self.player.play(line);
        self.decisions += played.decisions.len() as u64;
        let shop = played
            .shop
            .as_ref()
            .filter(|id| self.player.installation.shop(id).is_some());
        let Some(id) = shop.cloned() else {
            return no_shop(&played).map(|()| played);
        };
        self.check_seqs(&id, &played.decisions)?;
        if let Some(quiet) = quiets.get(&id) {
            self.check_auto_invites(&id, *quiet, &played.decisions)?;
        }
        self.check_assignments(&id, &played)?;
        match self.player.installation.shop(&id) {
            Some(shop) if audit => invariants::audit(shop).map(|()| played),
            Some(_) | None => Ok(played),
        }
    }

    /// 1, 2, 3 … per shop, without gaps (contract, section 3).
    fn check_seqs(&mut self, shop: &Id, decisions: &[Decision]) -> Result<(), String> {
        let seq = self.seqs.entry(shop.clone()).or_default();
        for decision in decisions {
            *seq += 1;
            if decision.seq != *seq {
                return Err(format!(
                    "decision {seq} of {shop} has the seq {}",
                    decision.seq
                ));
            }
        }
        Ok(())
    }

    /// No buyer gets two auto invites of a shop within the `auto_quiet` of the moment of sending: that of the policy
    /// before the event, for what an event decides besides its own is decided before its policy holds.
    fn check_auto_invites(
        &mut self,
        shop: &Id,
        quiet: Duration,
        decisions: &[Decision],
    ) -> Result<(), String> {
        for decision in decisions {
            let DecisionBody::InviteSent {
                buyer,
                trigger: Trigger::Auto,
                ..
            } = &decision.body
            else {
                continue;
            };
            let now = decision.at.ok_or("an invite has no instant")?.instant;
            let before = self.auto_invites.insert((shop.clone(), buyer.clone()), now);
            if before.is_some_and(|before| before.covers(quiet, now)) {
                return Err(format!(
                    "{buyer} got a second auto invite of {shop} too early"
                ));
            }
        }
        Ok(())
    }

    /// Assignments allowed by presence and load. [`xiaoer::domain::read::invariants::audit_assignment`] is exact at the
    /// moment of the decision, so of one event only the latest assignment to each agent is held against it (until the
    /// event is over the agent's load can only fall from there), and none where the event itself changed the agent
    /// or the policy after its timers had fired.
    fn check_assignments(&mut self, id: &Id, played: &Played) -> Result<(), String> {
        let mut latest: BTreeMap<&Id, AssignReason> = BTreeMap::new();
        for decision in &played.decisions {
            if let DecisionBody::SessionAssigned { agent, reason, .. } = &decision.body {
                latest.insert(agent, *reason);
            }
        }
        let what = played.event.as_ref().map(|event| &event.what);
        let Some(shop) = self.player.installation.shop(id) else {
            return Ok(());
        };
        for (agent, reason) in latest {
            if what.is_none_or(|what| !changes(what, agent)) {
                self.assignments_checked += 1;
                invariants::audit_assignment(shop, agent, reason)?;
            }
        }
        Ok(())
    }
}

/// Whether the event may take away what allowed an assignment that was decided before it was handled.
fn changes(what: &EventBody, agent: &Id) -> bool {
    if let EventBody::PresenceChanged {
        agent: other,
        presence,
    } = what
    {
        return other == agent && *presence != Presence::Online;
    }
    if let EventBody::AgentConfigured { agent: other, .. }
    | EventBody::AgentRemoved { agent: other } = what
    {
        return other == agent;
    }
    matches!(what, EventBody::ShopConfigured { .. })
}

/// The `auto_quiet` of every shop's policy.
fn quiets(installation: &Installation) -> BTreeMap<Id, Duration> {
    let quiet = |shop: &xiaoer::domain::state::shop::Shop| {
        (shop.id().clone(), shop.policy().invite.auto_quiet)
    };
    installation.shops().map(quiet).collect()
}

/// Without a shop there is one rejection, and it has the seq 0.
fn no_shop(played: &Played) -> Result<(), String> {
    match played.decisions.as_slice() {
        [
            Decision {
                seq: 0,
                body: DecisionBody::EventRejected { .. },
                ..
            },
        ] => Ok(()),
        other => Err(format!("without a shop there came {other:?}")),
    }
}
