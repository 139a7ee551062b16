use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    election::{Action, Election, FOLLOWS, ONE_LEADER},
    scope::Scope,
};

/// Explores a scope to closure. Fails if a rule is broken anywhere, if nobody ever followed
/// anybody, or if there were fewer states than `floor`: an exploration of nothing proves nothing.
pub(crate) fn explore(name: &str, scope: Scope, floor: usize) {
    let checker = explored(name, scope, HasDiscoveries::AnyFailures);
    for (rule, path) in checker.discoveries() {
        if rule != FOLLOWS {
            let last = path.last_state().clone();
            panic!(
                "{name}: {rule:?} is broken by {:?}, which leads to {last:#?}",
                path.into_actions()
            );
        }
    }
    checker.assert_any_discovery(FOLLOWS);
    let states = checker.unique_state_count();
    assert!(states >= floor, "{name}: {states} states only, at least {floor} were expected");
}

/// Explores a scope in which there must be two leaders at once, and answers a way there:
/// about the shortest.
pub(crate) fn explore_to_two_leaders(name: &str, scope: Scope) -> Vec<Action> {
    let two_leaders = HasDiscoveries::AnyOf([ONE_LEADER].into());
    let checker = explored(name, scope, two_leaders);
    let path = checker.discovery(ONE_LEADER);
    let path = path.unwrap_or_else(|| panic!("{name}: two leaders were not found"));
    let actions = path.into_actions();
    println!("{name}: two leaders after {} steps: {actions:?}", actions.len());
    actions
}

fn explored(name: &str, scope: Scope, until: HasDiscoveries) -> impl Checker<Election> {
    let start = Instant::now();
    let checker = Election(scope).checker().threads(2).finish_when(until);
    let checker = checker.spawn_bfs().join();
    println!(
        "{name}: {} states, {} steps, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        start.elapsed().as_secs_f64(),
    );
    checker
}
