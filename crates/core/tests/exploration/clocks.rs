//! The clocks: as wrong as is allowed, and worse.

use crate::{
    report::{explore, explore_to_two_leaders},
    scope::{Scope, bounds},
};

#[test]
fn clocks_within_the_allowed_drift_never_make_two_leaders() {
    let scope = Scope { judges_waits: true, ..Scope::quiet(4).drifting() };
    explore("drift", scope, 40_000);
}

#[test]
fn clocks_within_the_allowed_drift_never_make_two_leaders_over_a_slow_wire() {
    let scope = Scope { polls: false, resigns: false, ..Scope::quiet(3).drifting().lossy(0) };
    explore("drift, slow", scope, 50_000);
}

#[test]
fn clocks_beyond_the_allowed_drift_make_two_leaders() {
    // Three to one, where two to one is allowed.
    let scope = Scope {
        bounds: bounds(6, 1.0 / 3.0),
        rates: vec![vec![1, 3], vec![3, 1]],
        ..Scope::quiet(3)
    };
    let way = explore_to_two_leaders("beyond the drift", scope);
    assert!(way.len() <= 10, "{} steps", way.len());
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn clocks_within_the_allowed_drift_never_make_two_leaders_over_a_lossy_wire() {
    let scope = Scope { polls: false, resigns: false, ..Scope::quiet(3).drifting().lossy(1) };
    explore("drift, one loss", scope, 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn a_finer_clock_changes_nothing() {
    // A lease of 6 ticks, believed in for 3, with a renew deadline of 2: work is told to stop
    // before it may not go on.
    let fine = Scope { bounds: bounds(6, 1.0 / 3.0), ..Scope::quiet(5).drifting() };
    explore("fine drift", Scope { judges_waits: true, ..fine.clone() }, 300_000);
    let slow = Scope { polls: false, resigns: false, ..fine };
    explore("fine drift, one loss", Scope { swaps: 3, ..slow.lossy(1) }, 1_000_000);
}
