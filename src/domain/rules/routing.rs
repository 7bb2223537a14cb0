//! Routing: the agent or the pool for a session (R1 to R5). It changes nothing and returns a [`RoutingChoice`].

use crate::domain::collections::slab_map::NOBODY;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::{Evidence, RecentFinding, Step};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::policy::{OfflineMode, QueueMode, RecentOtherwise, WhenScopeOffline};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{AssignReason, WaitReason};
use crate::domain::state::agent_directory::{EVERYBODY, RoutingScope};
use crate::domain::state::buyer::Buyer;
use crate::domain::state::shop::Shop;

/// The result of routing.
#[derive(Clone, Debug, PartialEq)]
pub enum RoutingChoice {
    /// To an agent.
    To {
        /// The agent's number.
        agent: u32,
        /// The rule.
        reason: AssignReason,
    },
    /// To the pool of a scope.
    Wait {
        /// The scope.
        scope: RoutingScope,
        /// The reason.
        reason: WaitReason,
    },
}

/// A routing request, for a session that may not exist yet.
#[derive(Clone, Copy)]
pub struct RoutingRequest<'a> {
    /// The session's id, the input of deterministic draws.
    pub session: &'a str,
    /// The routing attributes.
    pub attributes: &'a RoutingAttributes,
    /// The buyer's number, if the shop knows the buyer.
    pub buyer: Option<u32>,
}

impl Shop {
    /// The first rule that assigns or queues (R1 to R5). While the shop is shut, only R5 does (H2). The agent groups must
    /// be current.
    pub(in crate::domain) fn route(
        &self,
        caller: RoutingRequest<'_>,
        out: &mut DecisionSink,
    ) -> RoutingChoice {
        out.drop_notes();
        let shut = self.is_shut();
        if !shut && let Some(route) = self.route_to_recent(caller, out) {
            return route;
        }
        let (scope, group) = self.directory.scope_of(caller.attributes);
        out.note(self.seq, || Evidence::Scope(scope.clone()));
        if shut {
            self.note_shut(out);
            return self.route_offline(caller, scope, WaitReason::Closed, out);
        }
        if !self.directory.anybody_online() {
            self.note_nobody_online(group, out);
            return self.route_offline(caller, scope, WaitReason::NobodyOnline, out);
        }
        self.route_in_scope(caller, scope, group, &[], out)
    }

    /// Routes again for R9, R10 and R5b, without R1 and R5. The agents of `passed` are left out at every step.
    pub(in crate::domain) fn route_anew(
        &self,
        caller: RoutingRequest<'_>,
        passed: &[u32],
        out: &mut DecisionSink,
    ) -> RoutingChoice {
        let (scope, group) = self.directory.scope_of(caller.attributes);
        out.note(self.seq, || Evidence::Scope(scope.clone()));
        if self.is_shut() {
            self.note_shut(out);
            return RoutingChoice::Wait {
                scope,
                reason: WaitReason::Closed,
            };
        }
        if !self.directory.has_online_except(EVERYBODY, passed) {
            self.note_nobody_online(group, out);
            return RoutingChoice::Wait {
                scope,
                reason: WaitReason::NobodyOnline,
            };
        }
        self.route_in_scope(caller, scope, group, passed, out)
    }

    /// Whether the buyer had a recent agent within the window, whatever its current state (R1).
    pub(in crate::domain) fn is_repeat_visit(&self, buyer: Option<u32>) -> bool {
        let window = self.policy.routing.recent.window;
        buyer.is_some_and(|buyer| {
            let buyer = &self.buyers[buyer];
            buyer.recent_agent != NOBODY && buyer.recent_until.covers(window, self.now)
        })
    }

    /// R1.
    fn route_to_recent(
        &self,
        caller: RoutingRequest<'_>,
        out: &mut DecisionSink,
    ) -> Option<RoutingChoice> {
        let buyer = caller.buyer.map(|buyer| &self.buyers[buyer]);
        let known = buyer.filter(|buyer| buyer.recent_agent != NOBODY);
        let known = known.map(|buyer| (buyer, self.recent_finding(buyer)));
        self.note_recent(known, out);
        let (buyer, finding) = known?;
        match finding {
            RecentFinding::Passed | RecentFinding::NotRoutable | RecentFinding::Full => None,
            RecentFinding::Takes => Some(RoutingChoice::To {
                agent: buyer.recent_agent,
                reason: AssignReason::RecentAgent,
            }),
            RecentFinding::Unavailable => self.route_instead_of_recent(caller, out),
        }
    }

    /// The case of R1 that applies to the buyer's recent agent.
    fn recent_finding(&self, buyer: &Buyer) -> RecentFinding {
        let recent = &self.policy.routing.recent;
        if !buyer.recent_until.covers(recent.window, self.now) {
            return RecentFinding::Passed;
        }
        let agent = &self.directory.agents[buyer.recent_agent];
        let room = recent.over_capacity || agent.has_room();
        let no_queue = self.policy.routing.queue.mode == QueueMode::None;
        let away_covered = buyer.recent_until.covers(recent.away_window, self.now);
        match agent.presence {
            _ if !agent.routable => RecentFinding::NotRoutable,
            Presence::Online if room || no_queue => RecentFinding::Takes,
            Presence::Online => RecentFinding::Full,
            Presence::Away if away_covered && room => RecentFinding::Takes,
            Presence::Away | Presence::Offline => RecentFinding::Unavailable,
        }
    }

    /// R1d.
    fn route_instead_of_recent(
        &self,
        caller: RoutingRequest<'_>,
        out: &mut DecisionSink,
    ) -> Option<RoutingChoice> {
        let at_random = match self.policy.routing.recent.otherwise {
            RecentOtherwise::Continue => false,
            RecentOtherwise::RandomOnline => true,
            RecentOtherwise::RandomIfUngrouped => !self.directory.routes_by_status(),
        };
        if !at_random {
            return None;
        }
        out.note(self.seq, || Evidence::AnyoneInstead);
        if !self.directory.anybody_online() {
            self.note_nobody_online(EVERYBODY, out);
            let reason = WaitReason::NobodyOnline;
            return Some(self.route_offline(caller, RoutingScope::All, reason, out));
        }
        if let Some(agent) = self.draw_anyone(caller, &[], Step::Instead, out) {
            let reason = AssignReason::RecentAgentUnavailable;
            return Some(RoutingChoice::To { agent, reason });
        }
        Some(RoutingChoice::Wait {
            scope: RoutingScope::All,
            reason: WaitReason::AllBusy,
        })
    }

    /// R4.
    fn route_in_scope(
        &self,
        caller: RoutingRequest<'_>,
        scope: RoutingScope,
        group: u32,
        passed: &[u32],
        out: &mut DecisionSink,
    ) -> RoutingChoice {
        if let Some(agent) = self.directory.pick_except(group, caller.session, passed) {
            self.note_candidates(Step::Own, group, Some(agent), passed, out);
            let reason = match scope {
                RoutingScope::Question { .. } => AssignReason::Question,
                RoutingScope::Entry(_) => AssignReason::Entry,
                RoutingScope::OrderStatus(_) => AssignReason::OrderStatus,
                RoutingScope::All => AssignReason::All,
            };
            return RoutingChoice::To { agent, reason };
        }
        self.note_candidates(Step::Own, group, None, passed, out);
        if self.directory.has_online_except(group, passed) {
            return self.route_past_busy(caller, scope, passed, out);
        }
        match self.policy.routing.when_scope_offline {
            WhenScopeOffline::Wait => RoutingChoice::Wait {
                scope,
                reason: WaitReason::ScopeOffline,
            },
            WhenScopeOffline::AnyOnline => {
                match self.draw_anyone(caller, passed, Step::AnyOnline, out) {
                    Some(agent) => RoutingChoice::To {
                        agent,
                        reason: AssignReason::ScopeOffline,
                    },
                    None => RoutingChoice::Wait {
                        scope: RoutingScope::All,
                        reason: WaitReason::AllBusy,
                    },
                }
            }
        }
    }

    /// R4b.
    fn route_past_busy(
        &self,
        caller: RoutingRequest<'_>,
        scope: RoutingScope,
        passed: &[u32],
        out: &mut DecisionSink,
    ) -> RoutingChoice {
        let overflows = match scope {
            RoutingScope::Question { .. } => self.policy.routing.overflow,
            RoutingScope::Entry(_) | RoutingScope::OrderStatus(_) | RoutingScope::All => false,
        };
        if overflows {
            let picked = self
                .directory
                .pick_except(EVERYBODY, caller.session, passed);
            self.note_candidates(Step::Overflow, EVERYBODY, picked, passed, out);
            if let Some(agent) = picked {
                let reason = AssignReason::Overflow;
                return RoutingChoice::To { agent, reason };
            }
        }
        RoutingChoice::Wait {
            scope,
            reason: WaitReason::AllBusy,
        }
    }

    /// Any free agent of the shop, by a deterministic draw (P3).
    fn draw_anyone(
        &self,
        caller: RoutingRequest<'_>,
        passed: &[u32],
        step: Step,
        out: &mut DecisionSink,
    ) -> Option<u32> {
        let drawn = self
            .directory
            .draw_except(EVERYBODY, caller.session, passed);
        self.note_candidates(step, EVERYBODY, drawn, passed, out);
        drawn
    }

    /// R5. `reason` is that of the wait if there is no rota.
    fn route_offline(
        &self,
        caller: RoutingRequest<'_>,
        scope: RoutingScope,
        reason: WaitReason,
        out: &mut DecisionSink,
    ) -> RoutingChoice {
        let rota = match self.policy.routing.offline.mode {
            OfflineMode::Wait => None,
            OfflineMode::Rota => self.directory.rota(),
        };
        match rota.and_then(|(number, group)| Some((number, group.pick(caller.session)?))) {
            Some((number, agent)) => {
                self.note_candidates(Step::Rota, number, Some(agent), &[], out);
                let reason = AssignReason::OfflineRota;
                RoutingChoice::To { agent, reason }
            }
            None => {
                self.note_no_rota(out);
                RoutingChoice::Wait { scope, reason }
            }
        }
    }
}
