use std::sync::Arc;

use leasehold_core::{
    Observation,
    kernel::{Event, Request, View},
};
use stateright::{Model, Property};

use crate::{
    candidate::{Call, Candidate},
    liveness,
    scope::{Scope, Trouble},
    world::{Rule, World},
};

/// Candidates, their clocks, the wire, one store and its watch: what the explorer explores.
#[derive(Clone, Debug)]
pub(crate) struct Election(pub(crate) Scope);

/// One thing that happens. The first number says to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Tick { rates: usize },
    Timer(usize),
    Campaign(usize),
    Withdraw(usize),
    Resign(usize),
    WorkEnds(usize),
    Poll(usize),
    Serve(usize),
    Deliver(usize),
    GiveUp(usize),
    Duplicate(usize),
    RefuseUnseen(usize),
    Hint(usize, usize),
    Die(usize),
    Land(usize),
    Store(Trouble, Option<usize>),
}

/// The rules, as stateright names what it finds.
pub(crate) const ONE_LEADER: &str = "never two candidates whose work may act";
pub(crate) const SOMEBODY_LEADS: &str = "once faults stop, somebody leads";
pub(crate) const FOLLOWS: &str = "one leader follows another";

impl Model for Election {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.0)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend((0..self.0.rates.len()).map(|rates| Action::Tick { rates }));
        for (i, candidate) in world.candidates.iter().enumerate() {
            if candidate.alive {
                self.of_user(i, candidate.kernel.view(), actions);
                self.of_wire(i, world, actions);
            }
        }
        actions.extend((0..world.strays.len()).map(Action::Land));
        if world.left.store_faults > 0 {
            for &trouble in &self.0.troubles {
                self.of_store(trouble, world, actions);
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let scope = &self.0;
        let mut world = world.clone();
        match action {
            Action::Tick { rates } => world.tick(&scope.rates[rates], scope),
            Action::Timer(i) => world.ring(i, scope),
            Action::Campaign(i) => world.step(i, Event::Campaign, scope),
            Action::Withdraw(i) => world.step(i, Event::Withdraw, scope),
            Action::Resign(i) => world.step(i, Event::Resign, scope),
            Action::WorkEnds(i) => world.step(i, Event::WorkEnded, scope),
            Action::Poll(i) => world.step(i, Event::Poll, scope),
            Action::Serve(i) => world.serve(i, scope),
            Action::Deliver(i) => world.deliver(i, scope),
            Action::GiveUp(i) => world.give_up(i, scope),
            Action::Duplicate(i) => world.duplicate(i),
            Action::RefuseUnseen(i) => world.refuse_unseen(i),
            Action::Hint(i, shown) => world.hint(i, shown, scope),
            Action::Die(i) => world.die(i, scope),
            Action::Land(stray) => world.land(stray, scope),
            Action::Store(trouble, to) => world.trouble(trouble, to, scope),
        }
        world.forget(scope);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_LEADER, |Self(scope): &Self, world: &World| {
                let current = world.candidates.iter().filter(|c| c.is_current(&scope.bounds));
                !scope.judges_exclusion || current.count() <= 1
            }),
            Property::always("tokens grow from term to term", |_, world: &World| {
                world.broken != Some(Rule::TokensGrow)
            }),
            Property::always("a term begins with a confirmed write", |_, world: &World| {
                world.broken != Some(Rule::TermsBeginConfirmed)
            }),
            Property::always("nobody's lease is released but one's own", |_, world: &World| {
                world.broken != Some(Rule::ReleasesAreOfOnesOwn)
            }),
            Property::always("a holder is waited out", |_, world: &World| {
                world.broken != Some(Rule::HoldersAreWaitedOut)
            }),
            Property::always(
                "no timer is forgotten, and none rings in vain",
                |_, world: &World| world.broken != Some(Rule::TimersAreKept),
            ),
            Property::always(
                "what is free is not waited for",
                |Self(scope): &Self, world: &World| {
                    let waits = |c: &&Arc<Candidate>| c.waits_for_what_is_free(&scope.bounds);
                    !scope.troubles.is_empty() || world.candidates.iter().find(waits).is_none()
                },
            ),
            Property::sometimes(FOLLOWS, |Self(scope): &Self, world: &World| {
                let another = |i| {
                    world
                        .store
                        .claimed
                        .iter()
                        .enumerate()
                        .any(|(j, token)| j != i && token.number() > 0)
                };
                world.leader(scope).is_some_and(another)
            }),
        ];
        if self.0.judges_liveness {
            properties.push(Property::always(
                SOMEBODY_LEADS,
                |Self(scope): &Self, world: &World| {
                    world.broken.is_some() || liveness::somebody_leads(world, scope)
                },
            ));
        }
        properties
    }
}

impl Election {
    fn of_user(&self, i: usize, view: View, actions: &mut Vec<Action>) {
        let scope = &self.0;
        match view {
            View::Idle => return actions.push(Action::Campaign(i)),
            View::Standby if scope.withdraws => actions.push(Action::Withdraw(i)),
            View::Leading { .. } if scope.resigns => {
                actions.extend([Action::Resign(i), Action::WorkEnds(i)]);
            }
            View::Draining { .. } | View::Ended(_) => actions.push(Action::WorkEnds(i)),
            View::Releasing => actions.push(Action::Campaign(i)),
            _ => {}
        }
        actions.push(Action::Timer(i));
    }

    fn of_wire(&self, i: usize, world: &World, actions: &mut Vec<Action>) {
        let scope = &self.0;
        let Some(candidate) = world.candidates.get(i) else { return };
        let standby = candidate.kernel.view() == View::Standby;
        if scope.polls && standby && candidate.call == Call::None {
            actions.push(Action::Poll(i));
        }
        if world.can_serve(i) {
            actions.push(Action::Serve(i));
            if world.can_be_refused_unseen(i, scope) {
                actions.push(Action::RefuseUnseen(i));
            }
        }
        if matches!(candidate.call, Call::Answered(_)) {
            actions.push(Action::Deliver(i));
        }
        if world.left.losses > 0 && candidate.call != Call::None {
            actions.push(Action::GiveUp(i));
            if world.can_serve(i) && matches!(candidate.call, Call::Asked(Request::Swap { .. })) {
                actions.push(Action::Duplicate(i));
            }
        }
        if scope.hints && candidate.kernel.view() != View::Idle {
            actions.extend((0..world.store.history.len()).map(|shown| Action::Hint(i, shown)));
        }
        if world.left.deaths > 0 {
            actions.push(Action::Die(i));
        }
    }

    fn of_store(&self, trouble: Trouble, world: &World, actions: &mut Vec<Action>) {
        let store = &world.store;
        let seen_newer = |older: &Observation| {
            world.candidates.iter().filter(|candidate| candidate.alive).all(|candidate| {
                candidate.kernel.evidence().seen().is_some_and(|seen| {
                    seen.era == older.era && seen.version.number() > older.version.number()
                })
            })
        };
        let seen_later = |older: &Observation| {
            world.candidates.iter().filter(|candidate| candidate.alive).all(|candidate| {
                let evidence = candidate.kernel.evidence();
                evidence.seen().is_some_and(|seen| seen.era == store.era)
                    && older.record.as_ref().is_some_and(|older| evidence.term() > older.token)
            })
        };
        let possible = |older: &Observation| {
            older.era == store.era
                && older.version.number() < store.version
                && (trouble != Trouble::GoBackSeen || seen_newer(older))
                && (trouble != Trouble::GoBackRenumbered || seen_later(older))
        };
        let all_know =
            world.candidates.iter().filter(|candidate| candidate.alive).all(|candidate| {
                let evidence = candidate.kernel.evidence();
                store.record.as_ref().is_some_and(|led| led.token <= evidence.floor())
            });
        match trouble {
            Trouble::Recreate if !all_know => {}
            Trouble::Recreate => actions.push(Action::Store(trouble, None)),
            Trouble::Delete | Trouble::Relabel | Trouble::Prefer if store.record.is_none() => {}
            Trouble::Delete | Trouble::Relabel | Trouble::Prefer | Trouble::Promote => {
                actions.push(Action::Store(trouble, None));
            }
            Trouble::GoBackSeen
            | Trouble::GoBackUnseen
            | Trouble::GoBackRenumbered
            | Trouble::PromoteLagging => {
                let older = store.history.iter().enumerate().filter(|(_, older)| possible(older));
                actions.extend(older.map(|(to, _)| Action::Store(trouble, Some(to))));
            }
        }
    }
}
