use std::sync::Arc;

use leasehold_core::kernel::{Event, View};

use crate::{
    candidate::Call,
    scope::{Scope, TICK},
    world::World,
};

/// For so many leases one and the same has to lead, without a gap.
const STEADY: u64 = 2;

/// Within so many leases, those included.
const LEASES: u64 = 5;

/// Whether somebody comes to lead, and goes on, once nothing is lost any more: whatever is still
/// in flight arrives or does not, calls are answered, clocks agree, timers ring, work that was told
/// to stop ends, and who does not campaign does. Nobody is told anything by a watch.
///
/// A few deterministic continuations of each state, in place of "in all fair continuations": the
/// candidates have their turns in either order; or all but one are dead from now on, whichever it
/// is, for else one that is stuck for ever would hide behind another that leads. (stateright's
/// own `eventually` does not see cycles.)
pub(crate) fn somebody_leads(world: &World, scope: &Scope) -> bool {
    let calm = Scope { slow_wire: false, judges_waits: false, ..scope.clone() };
    let everybody = [false, true].into_iter().all(|landing| {
        let mut world = world.clone();
        world.left.swaps = u8::MAX;
        while landing && !world.strays.is_empty() {
            world.land(0, &calm);
        }
        world.strays.clear();
        comes_to_lead(world, landing, &calm)
    });
    let alive = |i: &usize| world.candidates[*i].alive;
    everybody && (0..scope.candidates).filter(alive).all(|i| leads_alone(world.clone(), i, &calm))
}

fn leads_alone(mut world: World, alone: usize, calm: &Scope) -> bool {
    world.left.swaps = u8::MAX;
    world.left.deaths = u8::MAX;
    for i in (0..calm.candidates).filter(|&i| i != alone) {
        world.die(i, calm);
    }
    world.strays.clear();
    comes_to_lead(world, false, calm)
}

fn comes_to_lead(mut world: World, backwards: bool, calm: &Scope) -> bool {
    let rates = vec![1; calm.candidates];
    let lease = calm.bounds.lease / TICK;
    let mut leads = None;
    for time in 0..LEASES * lease {
        turn(&mut world, backwards, calm);
        let leader = world.leader(calm);
        leads = leads.filter(|&(who, _)| leader == Some(who)).or(leader.map(|who| (who, time)));
        if leads.is_some_and(|(_, since)| time - since >= STEADY * lease) {
            return true;
        }
        world.tick(&rates, calm);
    }
    false
}

/// Every candidate does what it can do in this instant.
fn turn(world: &mut World, backwards: bool, calm: &Scope) {
    let count = world.candidates.len();
    for i in 0..count {
        let i = if backwards { count - 1 - i } else { i };
        if !world.candidates[i].alive {
            continue;
        }
        settle(world, i, calm);
        match world.candidates[i].kernel.view() {
            View::Idle => world.step(i, Event::Campaign, calm),
            View::Draining { .. } | View::Ended(_) => world.step(i, Event::WorkEnded, calm),
            _ => {}
        }
        // Until there is nothing to do: one thing leads to another.
        loop {
            let before = Arc::clone(&world.candidates[i]);
            world.step(i, Event::Timer, calm);
            if before == world.candidates[i] {
                break;
            }
        }
    }
}

/// What is under way arrives.
fn settle(world: &mut World, i: usize, calm: &Scope) {
    if matches!(world.candidates[i].call, Call::Asked(_)) {
        world.serve(i, calm);
    }
    world.deliver(i, calm);
}
