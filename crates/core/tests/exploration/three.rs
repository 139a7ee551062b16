//! Three candidates, within smaller bounds.

use crate::{
    report::explore,
    scope::{Numbering, Scope, Trouble},
};

#[test]
fn of_three_candidates_one_leads_at_a_time() {
    explore("three", Scope { judges_waits: true, ..three(3) }, 50_000);
}

#[test]
fn of_three_candidates_one_leads_at_a_time_though_the_era_changes() {
    let scope = three(3).troubled(&[Trouble::PromoteLagging], 1);
    let scope = Scope { numbering: Numbering::Time, resigns: false, polls: false, ..scope };
    explore("three, another era", scope, 50_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn of_three_candidates_one_leads_at_a_time_over_a_slow_wire() {
    explore("three, slow", Scope { polls: false, resigns: false, ..three(3).lossy(0) }, 500_000);
}

#[test]
#[ignore = "larger bounds: minutes; CI runs it"]
fn of_three_candidates_whose_clocks_drift_one_leads_at_a_time() {
    let rates = vec![vec![1, 2, 2], vec![2, 1, 2], vec![2, 2, 1]];
    explore("three, drift", Scope { rates, ..three(4).drifting() }, 500_000);
}

fn three(swaps: u8) -> Scope {
    Scope { candidates: 3, rates: vec![vec![1, 1, 1]], ..Scope::quiet(swaps) }
}
